//! What if: a line, a rule or a transfer is changed in thought, and it is seen who falls in or out, and what it costs.

use std::time::Instant;

use daohu_base::{AreaCode, AreaLevel, Day, Fen, Scope};
use daohu_census::{
    Assessment, Outcome,
    indices::{Asked, Chosen, Groups, Lines, Poverty, poverty_by},
};
use daohu_policy::{BadPack, Policy};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    fields::Fields,
    indices::Counted,
    model::OverallCounts,
    picture::{Parts, Picture, Wanted, look, threads},
    rulebook::Rulebook,
};
use crate::{
    Context, Error,
    policies::{self, Pack},
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
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
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
    // The changed packs may have standards that those in force do not: fields are theirs.
    let fields = Fields::of(&other)?;
    let compiling = Instant::now();
    let before = Rulebook::of(policy, &fields, asked.on)?;
    let after = Rulebook::of(&other, &fields, asked.on)?;
    let compiled_seconds = compiling.elapsed().as_secs_f64();
    let asks_amounts = [&before.guarantees, &before.classes, &after.guarantees]
        .into_iter()
        .any(|own| own.asks_amounts(&fields));
    let (area, year) = (asked.area.clone(), asked.on.year());
    let wanted = Wanted { area, fields, year, asks_amounts };
    let versions = [policy.version(), other.version()].map(str::to_owned);
    let told = move |picture: &Picture<'_>| {
        let started = Instant::now();
        let mut told = compare(picture, (&before, &after), &asked, versions)?;
        told.seconds = compiled_seconds + started.elapsed().as_secs_f64();
        Ok(told)
    };
    look(context, scope, wanted, told).await.map(Ok)
}

/// What a change comes to in a picture.
fn compare(
    picture: &Picture<'_>,
    (before, after): (&Rulebook, &Rulebook),
    asked: &WhatIf,
    [policy, changed_policy]: [String; 2],
) -> Result<WhatIfReport, Error> {
    let added = added(picture, before, asked)?;
    let work = Work {
        picture,
        on: asked.on,
        before: picture.ask(before, &before.guarantees.plan, asked.on, &[]),
        after: picture.ask(after, &after.guarantees.plan, asked.on, &added),
        lines: [picture.lines_fen(before), picture.lines_fen(after)],
        members: picture.census.members_on(asked.on),
        per_head_fen: asked.transfer.as_ref().map_or(0, |transfer| transfer.per_head.0),
        added,
    };
    let whole = work.told(&picture.parts(None, asked.on)).into_iter().next();
    let whole = whole.ok_or(Error::NotFound("area"))?;
    let parts = asked.by.map(|by| work.told(&picture.parts(Some(by), asked.on)));
    Ok(WhatIfReport {
        area: picture.tree.area.to_string(),
        on: asked.on.to_string(),
        policy,
        changed_policy,
        whole,
        parts: parts.unwrap_or_default(),
        seconds: 0.0,
    })
}

/// What each household would have more a head, in fen.
fn added(picture: &Picture<'_>, rulebook: &Rulebook, asked: &WhatIf) -> Result<Vec<i64>, Error> {
    let Some(Transfer { per_head, class }) = &asked.transfer else { return Ok(Vec::new()) };
    let households = picture.census.households();
    let Some(class) = class else { return Ok(vec![per_head.0; households]) };
    let ids = &rulebook.classes.plan.ids;
    let nth = ids.iter().position(|id| id == class).ok_or(Error::NotFound("class"))?;
    let said = picture.ask(rulebook, &rulebook.classes.plan, asked.on, &[]);
    let outcomes = said.rules.get(nth).map(|rule| &rule.outcomes[..]).unwrap_or_default();
    Ok(outcomes.iter().map(|own| if *own == Outcome::Met { per_head.0 } else { 0 }).collect())
}

/// Two states of the same households.
struct Work<'p> {
    picture: &'p Picture<'p>,
    on: Day,
    before: Assessment,
    after: Assessment,
    lines: [Vec<Option<i64>>; 2],
    members: Vec<i32>,
    per_head_fen: i64,
    /// What each household would have more a head, in fen; empty where there is no transfer.
    added: Vec<i64>,
}

impl Work<'_> {
    fn told(&self, parts: &Parts) -> Vec<Change> {
        let [before, after] = [(0, &[][..]), (1, &self.added[..])]
            .map(|(nth, added)| self.poverty(parts, nth, added));
        let mut told: Vec<Change> = parts
            .lines
            .iter()
            .zip(before.iter().zip(&after))
            .map(|(part, (before, after))| {
                let counted = |own: &Poverty| Counted {
                    households: own.poor.households,
                    persons: own.poor.persons,
                };
                let gap = |own: &Poverty| i64::try_from(own.gap_fen()).unwrap_or(i64::MAX);
                Change {
                    code: part.code.clone(),
                    name: part.name.clone(),
                    before: OverallCounts::default(),
                    after: OverallCounts::default(),
                    out: Counted::default(),
                    r#in: Counted::default(),
                    poor_before: counted(before),
                    poor_after: counted(after),
                    gap_before_fen: gap(before),
                    gap_after_fen: gap(after),
                    given: Counted::default(),
                    cost_fen: 0,
                }
            })
            .collect();
        self.count(parts, &mut told);
        told
    }

    fn poverty(&self, parts: &Parts, nth: usize, added: &[i64]) -> Vec<Poverty> {
        let census = self.picture.census;
        let villages = census.village_places();
        let own = self.lines.get(nth).map(Vec::as_slice).unwrap_or_default();
        let asked = Asked { chosen: Chosen::All, threads: threads() };
        let groups = Groups::through(villages, &parts.of_village, parts.lines.len());
        let lines = Lines::OfVillages(villages, own);
        let incomes = census.incomes(self.on.year());
        if added.is_empty() {
            return poverty_by(incomes, lines, asked, groups);
        }
        let more = incomes.with(added);
        poverty_by(more.incomes(incomes.persons()), lines, asked, groups)
    }

    /// Counts households one by one.
    fn count(&self, parts: &Parts, told: &mut [Change]) {
        let census = self.picture.census;
        let incomes = census.incomes(self.on.year());
        for (nth, village) in census.village_places().iter().enumerate() {
            let place = |place: u32| usize::try_from(place).unwrap_or(usize::MAX);
            let part = parts.of_village.get(place(*village)).copied().map(place);
            let Some(own) = part.and_then(|part| told.get_mut(part)) else { continue };
            let (before, after) = (self.before.overall(nth), self.after.overall(nth));
            own.before.add(before);
            own.after.add(after);
            let persons = self.members.get(nth).and_then(|own| u64::try_from(*own).ok());
            let mut moved = |counted: fn(&mut Change) -> &mut Counted| {
                let counted = counted(own);
                counted.households += 1;
                counted.persons += persons.unwrap_or_default();
            };
            match (before == Outcome::Unmet, after == Outcome::Unmet) {
                (true, false) => moved(|own| &mut own.out),
                (false, true) => moved(|own| &mut own.r#in),
                _ => {}
            }
            if self.added.get(nth).is_some_and(|added| *added != 0)
                && let Some(sharing) = incomes.persons().of(nth)
            {
                own.given.households += 1;
                own.given.persons += sharing;
                let cost = self.per_head_fen.saturating_mul(i64::try_from(sharing).unwrap_or(0));
                own.cost_fen = own.cost_fen.saturating_add(cost);
            }
        }
    }
}
