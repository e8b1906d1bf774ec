//! What if: a line, a rule or a transfer is changed in thought, and it is seen who falls in or out, and what it costs.

use std::{sync::Arc, time::Instant};

use daohu_base::{AreaCode, AreaLevel, Day, Fen, Scope};
use daohu_census::{
    Outcome,
    indices::{Asked, Chosen, Groups, Lines, Poverty, Tally, poverty_by},
};
use daohu_policy::{BadPack, Policy};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    fields::Fields,
    indices::Counted,
    model::OverallCounts,
    picture::{Parts, Picture, Wanted, look, threads},
    rulebook::{Asked as Rules, Book, Rulebook},
};
use crate::{
    Context, Error,
    policies::{self, Pack},
    sheet::refused,
};

/// What is thought of.
#[derive(Clone, Debug)]
pub struct WhatIf {
    /// The area.
    pub area: AreaCode,
    /// The day on which households are looked at.
    pub on: Day,
    /// Amounts of standards, by id, as packs write them.
    pub set: Vec<(String, String)>,
    /// A transfer.
    pub transfer: Option<Transfer>,
    /// Packs that go before all others.
    pub pack: Option<Pack>,
    /// The level of the areas by which it is told.
    pub by: Option<AreaLevel>,
}

/// So much for each who shares the income of a household of a class.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// A head and year.
    pub per_head: Fen,
    /// The class; all registered households, where none is named.
    pub class: Option<String>,
}

/// What a change comes to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WhatIfReport {
    /// The area's code.
    pub area: String,
    /// The day.
    pub on: String,
    /// Which packs hold.
    pub policy: String,
    /// Which would.
    pub changed_policy: String,
    /// All of it.
    pub whole: Change,
    /// By the areas of the level that was asked for.
    pub parts: Vec<Change>,
    /// What it took to work out, without reading the households.
    pub seconds: f64,
}

/// What a change comes to in an area.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Change {
    /// Its code.
    pub code: String,
    /// Its name; none where the tree has no such area.
    pub name: Option<String>,
    /// All guarantees together, as they are.
    pub before: OverallCounts,
    /// As they would be.
    pub after: OverallCounts,
    /// Households that lack something now and would not, and those who belong to them.
    pub out: Counted,
    /// Households that lack nothing now, or are not known to, and would lack something.
    pub r#in: Counted,
    /// Below the line, as it is.
    pub poor_before: Counted,
    /// As it would be.
    pub poor_after: Counted,
    /// What the poor lack to have the line, in fen a year.
    pub gap_before_fen: i64,
    /// What they would.
    pub gap_after_fen: i64,
    /// Who would have the transfer.
    pub given: Counted,
    /// What it costs, in fen a year.
    pub cost_fen: i64,
}

/// The policy with other amounts: everywhere where a pack gives one of its own, since the nearest area goes first.
fn changed(policy: &Policy, asked: &WhatIf) -> Pack {
    let mut files = asked.pack.as_ref().map(|pack| pack.files.clone()).unwrap_or_default();
    for (id, amount) in &asked.set {
        let values = policy.values().all().iter().filter(|value| value.of == *id);
        let mut areas: Vec<Option<&AreaCode>> =
            values.map(|value| value.standing.area.as_ref()).chain([None]).collect();
        areas.sort();
        areas.dedup();
        for area in areas {
            let own = area.map_or_else(String::new, |area| format!("area = \"{area}\"\n"));
            let text = format!(
                "{own}[[value]]\nof = \"{}\"\nsince = \"{on}\"\nuntil = \"{on}\"\nvalue = {}\nsource = \"测算\"\n",
                id.escape_default(),
                amount,
                on = asked.on
            );
            let name = format!("{id}={amount}{}", area.map_or("", AreaCode::as_str));
            files.push((name, text));
        }
    }
    Pack { name: "what-if".to_owned(), files }
}

/// What a change would come to in an area, if the whole of it lies inside the scope.
pub async fn whatif(
    context: &Context,
    scope: &Scope,
    asked: WhatIf,
) -> Result<Result<WhatIfReport, Vec<BadPack>>, Error> {
    let policy = &context.policy;
    let pack = changed(policy, &asked);
    let other = match policies::over_published(context, pack).await? {
        Ok(other) => other,
        Err(found) => return Ok(Err(found)),
    };
    let compiling = Instant::now();
    let fields = Fields::of(&other)?;
    let mut before = context.live.book(policy, asked.on)?;
    if !fields.incomes.count_as(&before.fields.incomes) {
        return Err(refused("pack", "monitor.incomes_in_thought"));
    }
    // The changed packs may have standards that those in force do not: fields are theirs.
    if before.fields.standards != fields.standards {
        let rules = Rulebook::of(policy, &fields, asked.on)?;
        before = Arc::new(Book { fields: fields.clone(), rules });
    }
    let areas = other.areas().into_iter().cloned().collect();
    let after = Rulebook::guarantees(&other, &fields, asked.on, areas)?;
    let class = asked.transfer.as_ref().and_then(|transfer| transfer.class.as_deref());
    let class = class.map(|id| {
        before.rules.classes.only(id).ok_or_else(|| refused("class", "monitor.unknown_rule"))
    });
    let class = class.transpose()?;
    let compiled_seconds = compiling.elapsed().as_secs_f64();
    let asks_amounts = [&before.rules.guarantees, &after.guarantees]
        .into_iter()
        .chain(&class)
        .any(|own| own.asks_amounts(&fields));
    let (area, year) = (asked.area.clone(), asked.on.year());
    let wanted = Wanted { area, fields, year, asks_amounts };
    let versions = [policy.version(), other.version()].map(str::to_owned);
    let told = move |picture: &Picture<'_>| {
        let started = Instant::now();
        let books = Rulebooks { before: &before, after: &after, class: class.as_ref() };
        let mut told = compare(picture, books, &asked, versions)?;
        told.seconds = compiled_seconds + started.elapsed().as_secs_f64();
        Ok(told)
    };
    look(context, scope, wanted, told).await.map(Ok)
}

/// What is asked, and what is thought of.
struct Rulebooks<'b> {
    before: &'b Arc<Book>,
    after: &'b Rulebook,
    /// Whose households have the transfer.
    class: Option<&'b Rules>,
}

/// What a change comes to in a picture.
fn compare(
    picture: &Picture<'_>,
    books: Rulebooks<'_>,
    asked: &WhatIf,
    [policy, changed_policy]: [String; 2],
) -> Result<WhatIfReport, Error> {
    let (on, before, after) = (asked.on, &books.before.rules, books.after);
    let added = added(picture, &books, asked);
    let differs = before.differing(after, &picture.fields, !added.is_empty());
    let differs = |nth: usize| differs.get(nth).copied().unwrap_or(true);
    let as_they_are = picture.guarantees(books.before, on);
    // Only what may say something else is asked again: who moves a slider waits for it.
    let asked_again = picture.ask(after, &after.guarantees.plan.only(differs), on, &added);
    let work = Work {
        picture,
        on,
        before: as_they_are.overalls(|_| true),
        common: as_they_are.overalls(|nth| !differs(nth)),
        after: asked_again.overalls(|_| true),
        lines: [picture.lines_fen(before), picture.lines_fen(after)],
        per_head_fen: asked.transfer.as_ref().map_or(0, |transfer| transfer.per_head.0),
        added,
    };
    // The whole is the sum of its parts.
    let parts = work.told(&picture.parts(asked.by, on));
    let (code, name) = (picture.tree.area.to_string(), picture.tree.name().map(str::to_owned));
    let mut whole = Change { code, name, ..Change::default() };
    parts.iter().for_each(|part| whole.join(part));
    Ok(WhatIfReport {
        area: picture.tree.area.to_string(),
        on: on.to_string(),
        policy,
        changed_policy,
        whole,
        parts: if asked.by.is_some() { parts } else { Vec::new() },
        seconds: 0.0,
    })
}

/// What each household would have more a head, in fen; nothing where there is no transfer.
fn added(picture: &Picture<'_>, books: &Rulebooks<'_>, asked: &WhatIf) -> Vec<i64> {
    let Some(Transfer { per_head, .. }) = &asked.transfer else { return Vec::new() };
    let Some(class) = books.class else { return vec![per_head.0; picture.census.households()] };
    let said = picture.ask(&books.before.rules, &class.plan, asked.on, &[]);
    let outcomes = said.rules.first().map(|rule| &rule.outcomes[..]).unwrap_or_default();
    outcomes.iter().map(|own| if *own == Outcome::Met { per_head.0 } else { 0 }).collect()
}

/// Two states of the same households.
struct Work<'p> {
    picture: &'p Picture<'p>,
    on: Day,
    /// All guarantees together, of each household, as they are.
    before: Vec<Outcome>,
    /// Those together that say the same before and after; nothing where there are none.
    common: Vec<Outcome>,
    /// The others together, as they would be; nothing where there are none.
    after: Vec<Outcome>,
    lines: [Vec<Option<i64>>; 2],
    per_head_fen: i64,
    /// What each household would have more a head, in fen; empty where there is no transfer.
    added: Vec<i64>,
}

impl Tally for Change {
    fn join(&mut self, other: &Self) {
        self.before.join(&other.before);
        self.after.join(&other.after);
        self.out.join(other.out);
        self.r#in.join(other.r#in);
        self.poor_before.join(other.poor_before);
        self.poor_after.join(other.poor_after);
        self.gap_before_fen = self.gap_before_fen.saturating_add(other.gap_before_fen);
        self.gap_after_fen = self.gap_after_fen.saturating_add(other.gap_after_fen);
        self.given.join(other.given);
        self.cost_fen = self.cost_fen.saturating_add(other.cost_fen);
    }
}

impl Work<'_> {
    fn told(&self, parts: &Parts) -> Vec<Change> {
        let villages = self.picture.census.village_places();
        let groups = Groups::through(villages, &parts.of_piece, parts.lines.len());
        let asked = Asked { chosen: Chosen::All, threads: threads() };
        let [before, after] = [(0, &[][..]), (1, &self.added[..])]
            .map(|(nth, added)| self.poverty((asked, groups), nth, added));
        let households = self.picture.census.households();
        let moved = asked.tally_by(households, groups, Change::default, |own: &mut Change, nth| {
            self.count(own, nth);
        });
        let told = parts.lines.iter().zip(before.iter().zip(&after)).zip(moved);
        told.map(|((part, (before, after)), moved)| {
            let counted = |own: &Poverty| Counted {
                households: own.poor.households,
                persons: own.poor.persons,
            };
            let gap = |own: &Poverty| i64::try_from(own.gap_fen()).unwrap_or(i64::MAX);
            Change {
                code: part.code.clone(),
                name: part.name.clone(),
                poor_before: counted(before),
                poor_after: counted(after),
                gap_before_fen: gap(before),
                gap_after_fen: gap(after),
                ..moved
            }
        })
        .collect()
    }

    fn poverty(
        &self,
        (asked, groups): (Asked<'_>, Groups<'_>),
        nth: usize,
        added: &[i64],
    ) -> Vec<Poverty> {
        let census = self.picture.census;
        let own = self.lines.get(nth).map(Vec::as_slice).unwrap_or_default();
        let lines = Lines::OfVillages(census.village_places(), own);
        let incomes = census.incomes(self.on.year());
        if added.is_empty() {
            return poverty_by(incomes, lines, asked, groups);
        }
        let more = incomes.with(added);
        poverty_by(more.incomes(incomes.persons()), lines, asked, groups)
    }

    /// Counts a household.
    fn count(&self, own: &mut Change, nth: usize) {
        let census = self.picture.census;
        let [before, common, after] = [&self.before, &self.common, &self.after]
            .map(|own| own.get(nth).copied().unwrap_or(Outcome::Met));
        let after = after.or_worse(common);
        own.before.add(before);
        own.after.add(after);
        let moved = match (before == Outcome::Unmet, after == Outcome::Unmet) {
            (true, false) => Some(&mut own.out),
            (false, true) => Some(&mut own.r#in),
            _ => None,
        };
        if let Some(counted) = moved {
            counted.households += 1;
            counted.persons += u64::try_from(census.member_count(nth, self.on)).unwrap_or_default();
        }
        if self.added.get(nth).is_some_and(|added| *added != 0)
            && let Some(sharing) = census.incomes(self.on.year()).persons().of(nth)
        {
            own.given.households += 1;
            own.given.persons += sharing;
            let cost = self.per_head_fen.saturating_mul(i64::try_from(sharing).unwrap_or(0));
            own.cost_fen = own.cost_fen.saturating_add(cost);
        }
    }
}
