//! The trajectory of a household (脱贫轨迹): each day on which its state changed, with what caused it; its incomes year by year
//! beside the line; its spells of poverty.
//!
//! Nothing of it is stored. What stood in the records on a past day is told by the journal; the rules are asked of it as the
//! packs say for that day.

use std::collections::{BTreeMap, BTreeSet};

use daohu_base::{AreaCode, Day, Scope};
use daohu_policy::Policy;
use serde::Serialize;
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use super::{
    explain::{Because, Explanation, Judgement, explained, incomes_of},
    fields::Fields,
    rulebook::{Book, Rulebook},
};
use crate::{
    Context, Error,
    households::{self, Named, Past, Source},
};

/// The trajectory of a household.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Trajectory {
    /// The household's id.
    pub id: i64,
    /// 户编号
    pub no: String,
    /// The county that it is stored under.
    pub county: String,
    /// Which packs were asked.
    pub policy: String,
    /// Its spells of poverty, the first one first: a relapse opens another one.
    pub spells: Vec<Spell>,
    /// Its incomes beside the line, the first year first.
    pub years: Vec<YearOf>,
    /// Days on which its state changed, the last one first.
    pub events: Vec<Event>,
    /// Events before this day are left: to be given as `before`.
    pub next: Option<String>,
}

/// A time during which a household was poor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Spell {
    /// 识别年度 of the first one; none where it is not known.
    pub from_year: Option<i64>,
    /// The day on which the records began to say so; none of the first one.
    pub from_on: Option<String>,
    /// 脱贫年度; none of one that lasts.
    pub until_year: Option<i64>,
    /// The day on which the records began to say that it was over; none where they always did.
    pub until_on: Option<String>,
    /// Whether it lasts.
    pub is_open: bool,
    /// Whether the household had been out of poverty before (返贫).
    pub is_relapse: bool,
}

/// A year of a household.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct YearOf {
    /// The year.
    pub year: i64,
    /// Net income a head, in fen; none where it is not known.
    pub income_per_head_fen: Option<i64>,
    /// The poverty line of the year where it lives, in fen; none where no pack has it.
    pub line_fen: Option<i64>,
}

/// A day on which the state of a household changed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Event {
    /// The day whose records say so.
    pub on: String,
    /// The day that the rules were asked about: the end of the last year whose accounts were closed by then.
    pub looked_on: String,
    /// 达标, 未达标 or 待核实 before; none where it was not on record yet.
    pub overall_before: Option<&'static str>,
    /// And from this day on.
    pub overall: &'static str,
    /// What changed: guarantees, and classes to which it belongs.
    pub changes: Vec<ChangeOf>,
    /// What was written on that day of what the changed rules looked at: nothing where time alone, or another year's accounts, made
    /// the change.
    pub wrote: Vec<Wrote>,
}

/// A rule that says something else of a household.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ChangeOf {
    /// `guarantee` or `class`.
    pub kind: &'static str,
    /// The rule's id.
    pub rule: String,
    /// What it is called.
    pub title: String,
    /// In English.
    pub title_en: String,
    /// `met`, `unmet` or `unknown`; none where it was not asked.
    pub before: Option<&'static str>,
    /// And from this day on.
    pub after: Option<&'static str>,
    /// The parts of the rule that decided it.
    pub because: Vec<Because>,
}

/// A value that was written on the day.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Wrote {
    /// The field's title.
    pub title: String,
    /// The member's name, of what is a member's.
    pub name: Option<String>,
    /// As people read it; none where it became unknown.
    pub value: Option<String>,
    /// Who wrote it.
    pub source: Source,
}

/// Tells the trajectory of a household within a scope: of its last changes before a day as many as are wanted.
///
/// Errors: there is no such household; packs whose expressions cannot be meant.
pub async fn trajectory(
    context: &Context,
    scope: Scope,
    named: Named,
    (before, limit): (Option<Day>, usize),
) -> Result<Trajectory, Error> {
    let Past { dossier, days, states } = households::past_of(context, scope.clone(), named).await?;
    let policy = &context.policy;
    let teller = Teller { context, scope, id: dossier.id, fields: Fields::of(policy)? };
    let mut days = days_of(policy, days, context.clock.now().day());
    let mut events = Vec::new();
    if let Some(before) = before {
        days.retain(|day| *day < before);
    }
    let mut later = match days.pop_last() {
        Some(day) => Some((day, teller.stand(day).await?)),
        None => None,
    };
    let mut next = None;
    while let Some((day, stand)) = later {
        if events.len() == limit {
            next = day.next().map(|day| day.to_string());
            break;
        }
        let earlier = match days.pop_last() {
            Some(day) => Some((day, teller.stand(day).await?)),
            None => None,
        };
        let before = earlier.as_ref().and_then(|(_, stand)| stand.as_ref());
        events.extend(stand.as_ref().and_then(|stand| event(day, before, stand)));
        later = earlier;
    }
    let text = |name: &str| {
        let own = dossier.household.get(name).and_then(Json::as_str);
        own.unwrap_or_default().to_owned()
    };
    Ok(Trajectory {
        id: dossier.id,
        no: text("no"),
        county: dossier.county.clone(),
        policy: policy.version().to_owned(),
        spells: spells(policy, &states),
        years: years(policy, &text("village"), incomes_of(dossier, &teller.fields)?),
        events,
        next,
    })
}

/// The days on which something was written, and those on which the accounts of another year came to be looked at.
fn days_of(policy: &Policy, written: Vec<Day>, today: Day) -> BTreeSet<Day> {
    let mut days: BTreeSet<Day> = written.into_iter().collect();
    if let Some(first) = days.first().copied() {
        let opens = |year| policy.monitoring().opens(year);
        let flips = (first.year()..=today.year()).filter_map(opens);
        days.extend(flips.filter(|day| (first..=today).contains(day)));
    }
    days
}

/// Incomes beside the line of their year where a village lies.
fn years(policy: &Policy, village: &str, incomes: BTreeMap<i64, Option<i64>>) -> Vec<YearOf> {
    let year = |(year, income_per_head_fen): (i64, Option<i64>)| {
        let end = Day::new(year, 12, 31)?;
        #[expect(clippy::cast_possible_truncation, reason = "whole fen below 2^53")]
        let line_fen = policy.amount("line", village, end).map(|fen| fen as i64);
        Some(YearOf { year, income_per_head_fen, line_fen })
    };
    incomes.into_iter().filter_map(year).collect()
}

struct Teller<'t> {
    context: &'t Context,
    scope: Scope,
    id: i64,
    fields: Fields,
}

impl Teller<'_> {
    /// How the household stood at the end of a day; none if it was not on record.
    async fn stand(&self, day: Day) -> Result<Option<Explanation>, Error> {
        let (policy, named) = (&self.context.policy, Named::Id(self.id));
        let on = policy.monitoring().looked_at(day);
        let scope = self.scope.clone();
        let read = households::with_sources(self.context, scope, named, Some(day)).await;
        let (dossier, facts) = match read {
            Ok(read) => read,
            Err(Error::NotFound("household")) => return Ok(None),
            Err(error) => return Err(error),
        };
        let village = dossier.household.get("village").and_then(Json::as_str).unwrap_or_default();
        // Of the places of the packs those around it are enough.
        let around = |area: &&AreaCode| village.starts_with(area.as_str());
        let areas = policy.areas().into_iter().filter(around).cloned().collect();
        let fields = self.fields.clone();
        let rules = Rulebook::within(policy, &fields, on, areas)?;
        let book = Book { fields, rules };
        explained(policy, (dossier, &facts), &book, (on, Some(day))).map(Some)
    }
}

/// What changed from one day to another; none if nothing did.
fn event(day: Day, before: Option<&Explanation>, now: &Explanation) -> Option<Event> {
    let kinds = |of: Option<&Explanation>, kind| -> BTreeMap<String, Judgement> {
        let all = match (of, kind) {
            (Some(own), "guarantee") => own.guarantees.clone(),
            (Some(own), _) => own.classes.clone(),
            (None, _) => Vec::new(),
        };
        all.into_iter().map(|own| (own.rule.clone(), own)).collect()
    };
    let mut changes = Vec::new();
    for kind in ["guarantee", "class"] {
        let (mut was, is) = (kinds(before, kind), kinds(Some(now), kind));
        for (rule, own) in is {
            let before = was.remove(&rule).map(|own| own.outcome);
            if before != Some(own.outcome) {
                changes.push(change(kind, before, Some(own.outcome), own));
            }
        }
        for own in was.into_values() {
            changes.push(change(kind, Some(own.outcome), None, own));
        }
    }
    if changes.is_empty() {
        return None;
    }
    let on = day.to_string();
    let facts = changes.iter().flat_map(|own| &own.because).flat_map(|part| &part.facts);
    let mut wrote: Vec<Wrote> = Vec::new();
    for fact in facts {
        let Some(source) = fact.source.clone().filter(|own| own.day() == day) else { continue };
        let own = Wrote {
            title: fact.title.clone(),
            name: fact.name.clone(),
            value: fact.value.clone(),
            source,
        };
        if !wrote.contains(&own) {
            wrote.push(own);
        }
    }
    Some(Event {
        on,
        looked_on: now.on.clone(),
        overall_before: before.map(|own| own.overall),
        overall: now.overall,
        changes,
        wrote,
    })
}

fn change(
    kind: &'static str,
    before: Option<&'static str>,
    after: Option<&'static str>,
    own: Judgement,
) -> ChangeOf {
    // Why a household is no longer of a class is not told by why it was.
    let because = if after.is_some() { own.because } else { Vec::new() };
    ChangeOf {
        kind,
        rule: own.rule,
        title: own.title,
        title_en: own.title_en,
        before,
        after,
        because,
    }
}

/// The spells of poverty that a household's own record tells, day by day.
fn spells(policy: &Policy, states: &[(Day, Map<String, Json>)]) -> Vec<Spell> {
    let list = policy.list("脱贫状态");
    let has = |code: i64, mark: &str| list.is_some_and(|list| list.is_marked(code, mark));
    let mut spells: Vec<Spell> = Vec::new();
    let mut is_first = true;
    for (day, state) in states {
        let number = |name: &str| state.get(name).and_then(Json::as_i64);
        let Some(code) = number("exit_status") else { continue };
        let (is_poor, on) = (has(code, "poor"), day.to_string());
        let (identified, exited) = (number("identified_year"), number("exit_year"));
        let begins = || Spell { from_year: identified, is_open: true, ..Spell::default() };
        // Where the first that is known is a relapse, there was a spell before.
        if is_first {
            spells.push(begins());
        }
        let is_again = has(code, "relapsed");
        if let Some(last) = spells.last_mut()
            && last.is_open
            && (!is_poor || is_again && !last.is_relapse)
        {
            last.is_open = false;
            last.until_year = exited;
            last.until_on = (!is_first && !is_poor).then(|| on.clone());
        }
        if let Some(last) = spells.last_mut()
            && is_poor
            && !is_again
            && !last.is_open
        {
            // Who is poor again and has not fallen back was never out.
            last.is_open = true;
            last.until_year = None;
            last.until_on = None;
        }
        if is_poor && spells.last().is_some_and(|last| !last.is_open) {
            let from_on = (!is_first).then_some(on);
            spells.push(Spell { from_on, is_open: true, is_relapse: true, ..Spell::default() });
        }
        is_first = false;
    }
    spells
}
