//! What a list says of persons, and what follows: matching by blind index, and leads. Pure.

use daohu_base::Day;
use daohu_policy::{CodeSet, Crosscheck};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    follow_ups::State,
    journal::Act,
    keys::{Keys, hex},
    sheet::Meta,
};

/// What a row of a list says of a person.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told<'t> {
    pub(super) row: u32,
    pub(super) name: Option<&'t str>,
    pub(super) amount_fen: Option<i64>,
    /// A blind index of what tells this fact from others.
    pub(super) fact: Option<u64>,
}

/// A row of a list, without the number: some dozen bytes, since a list has a million of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    high: u64,
    low: u64,
    amount_fen: i64,
    fact: u64,
    row: u32,
    name_at: u32,
    name_bytes: u8,
}

/// Stands for an amount that is not told.
const NO_AMOUNT: i64 = i64::MIN;
/// Of a list of more rows, several share a bucket.
const BUCKET_BITS_MAX: u32 = 24;

/// The rows of a list by blind index. Blind indexes are spread evenly, so that the first bits of one say where to look.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: Vec<Entry>,
    /// Where each bucket begins, and the end of the last.
    starts: Vec<u32>,
    bits: u32,
    names: String,
}

fn halves(identity: [u8; 16]) -> (u64, u64) {
    let number = u128::from_be_bytes(identity);
    #[expect(clippy::cast_possible_truncation, reason = "the low half of it is wanted")]
    let low = number as u64;
    ((number >> 64) as u64, low)
}

impl Index {
    /// Adds a row; false if there is no room for more.
    pub(super) fn push(&mut self, identity: [u8; 16], told: Told<'_>) -> bool {
        let (high, low) = halves(identity);
        let name = told.name.unwrap_or_default();
        let place = u32::try_from(self.names.len()).ok().zip(u8::try_from(name.len()).ok());
        let Some((name_at, name_bytes)) = place else { return false };
        if u32::try_from(self.entries.len()).is_err() {
            return false;
        }
        self.names.push_str(name);
        let amount_fen = told.amount_fen.unwrap_or(NO_AMOUNT);
        let fact = told.fact.unwrap_or_default();
        self.entries.push(Entry {
            high,
            low,
            amount_fen,
            fact,
            row: told.row,
            name_at,
            name_bytes,
        });
        true
    }

    /// Puts the rows in order: before anything is looked up. Gives how many numbers there are.
    pub(super) fn finish(&mut self) -> u64 {
        self.entries.shrink_to_fit();
        self.entries.sort_unstable_by_key(|entry| (entry.high, entry.low, entry.row));
        self.bits = self.entries.len().next_power_of_two().ilog2().min(BUCKET_BITS_MAX);
        self.starts = vec![0; (1 << self.bits) + 1];
        for entry in &self.entries {
            let next = self.bucket(entry.high) + 1;
            if let Some(count) = self.starts.get_mut(next) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut self.starts {
            sum += *start;
            *start = sum;
        }
        let changes = self.entries.windows(2).filter(|pair| match pair {
            [one, other] => (one.high, one.low) != (other.high, other.low),
            _ => false,
        });
        changes.count() as u64 + u64::from(!self.entries.is_empty())
    }

    fn bucket(&self, high: u64) -> usize {
        let bucket = high.checked_shr(u64::BITS - self.bits).unwrap_or_default();
        usize::try_from(bucket).unwrap_or_default()
    }

    /// What the list says of a person: its rows in their order.
    pub(super) fn of(&self, identity: [u8; 16]) -> &[Entry] {
        let (high, low) = halves(identity);
        let bucket = self.bucket(high);
        let bounds = self.starts.get(bucket).zip(self.starts.get(bucket + 1));
        let found = bounds.and_then(|(from, to)| self.entries.get(*from as usize..*to as usize));
        let found = found.unwrap_or_default();
        let is_his = |entry: &Entry| (entry.high, entry.low) == (high, low);
        let Some(first) = found.iter().position(is_his) else { return &[] };
        let rest = found.get(first..).unwrap_or_default();
        let end = rest.iter().position(|entry| !is_his(entry)).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    fn name(&self, entry: &Entry) -> Option<&str> {
        let from = entry.name_at as usize;
        let name = self.names.get(from..from + usize::from(entry.name_bytes));
        name.filter(|name| !name.is_empty())
    }

    /// The facts that rows of one person tell, each with what its rows come to.
    pub(super) fn facts(&self, rows: &[Entry], adds_up: bool) -> Vec<Fact> {
        let mut facts: Vec<(u64, Fact)> = Vec::new();
        for entry in rows {
            let amount_fen = Some(entry.amount_fen).filter(|amount| *amount != NO_AMOUNT);
            if let Some((_, fact)) = facts.iter_mut().find(|(id, _)| *id == entry.fact) {
                fact.rows += 1;
                fact.amount_fen = match (fact.amount_fen, amount_fen) {
                    (Some(one), Some(other)) if adds_up => Some(one.saturating_add(other)),
                    (one, other) => one.max(other),
                };
                continue;
            }
            let id = match entry.fact {
                0 => String::new(),
                fact => format!("{fact:016x}"),
            };
            let name = self.name(entry).map(str::to_owned);
            let row = Some(i64::from(entry.row));
            facts.push((entry.fact, Fact { id, row, rows: 1, name, amount_fen }));
        }
        facts.into_iter().map(|(_, fact)| fact).collect()
    }
}

/// What a list says of a person, or that it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fact {
    /// Sixteen digits, or nothing.
    pub(super) id: String,
    /// The first of its rows.
    pub(super) row: Option<i64>,
    pub(super) rows: i64,
    pub(super) name: Option<String>,
    pub(super) amount_fen: Option<i64>,
}

/// True if two names are written alike but for spaces and the dot within foreign ones.
pub(super) fn is_same_name(one: &str, other: &str) -> bool {
    fn letters(name: &str) -> impl Iterator<Item = char> {
        let is_mark =
            |c: &char| c.is_whitespace() || matches!(c, '·' | '•' | '・' | '‧' | '.' | '．');
        name.chars().filter(move |c| !is_mark(c)).flat_map(char::to_lowercase)
    }
    letters(one).eq(letters(other))
}

/// Somebody who has a number of a list, or has none of it, as the registry knows him.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) household: i64,
    pub(super) person: i64,
    pub(super) name: String,
    pub(super) born_on: Option<String>,
    pub(super) change_on: Option<String>,
    pub(super) village: String,
    pub(super) exit_status: Option<i64>,
}

/// A check as it is asked on a day in an area.
pub(super) struct Asking<'p> {
    pub(super) check: &'p Crosscheck,
    pub(super) on: Day,
    /// What the amount must reach.
    pub(super) at_least_fen: Option<i64>,
    /// Codes of 脱贫状态 whose households are passed over.
    pub(super) except: CodeSet,
}

/// Why a member is no hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// Belongs to the household since a later day.
    NotYet,
    /// The check does not ask of such a member or household.
    PassedOver,
}

/// True if somebody born on a day is of the ages that a check asks about, on another one; nobody is whose age is not known,
/// unless all ages are asked about.
pub(super) fn is_of_age(check: &Crosscheck, on: Day, born_on: Option<&str>) -> bool {
    let (from, to) = (check.age_from, check.age_to);
    if from.is_none() && to.is_none() {
        return true;
    }
    let born = born_on.and_then(|day| Day::parse(day).ok());
    let age = born.map(|born| born.age_years(on));
    age.is_some_and(|age| from.is_none_or(|from| from <= age) && to.is_none_or(|to| age <= to))
}

impl Asking<'_> {
    /// Whether the check asks of a member at all.
    pub(super) fn asks(&self, member: &Member) -> Result<(), Miss> {
        let day = |day: &Option<String>| day.as_deref().and_then(|day| Day::parse(day).ok());
        if day(&member.change_on).is_some_and(|joined| joined > self.on) {
            return Err(Miss::NotYet);
        }
        if member.exit_status.is_some_and(|code| self.except.has(Some(code))) {
            return Err(Miss::PassedOver);
        }
        // Of whom no age is known, nothing is said where it matters.
        let born_on = member.born_on.as_deref();
        if is_of_age(self.check, self.on, born_on) { Ok(()) } else { Err(Miss::PassedOver) }
    }

    /// True if what a list says is enough: an amount that is not told is.
    pub(super) fn is_enough(&self, fact: &Fact) -> bool {
        self.at_least_fen.is_none_or(|least| fact.amount_fen.is_none_or(|amount| amount >= least))
    }
}

/// What a list said that is for few eyes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Said {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) amount_fen: Option<i64>,
    /// The name on the list, where it is not the registered one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
}

/// Something that a list of a department says of a member and that somebody must look after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lead {
    pub(super) county: String,
    pub(super) id: String,
    pub(super) household: i64,
    pub(super) person: i64,
    pub(super) check: String,
    pub(super) fact: String,
    /// The digest of the list that said so last.
    pub(super) list: String,
    pub(super) list_row: Option<i64>,
    pub(super) list_rows: i64,
    /// None where the list has no name.
    pub(super) name_differs: Option<bool>,
    pub(super) level: String,
    pub(super) assign: String,
    pub(super) first_seen_on: String,
    pub(super) last_seen_on: String,
    pub(super) due_on: String,
    pub(super) state: State,
    /// A code of 线索核查结论.
    pub(super) outcome: Option<i64>,
    pub(super) closed_on: Option<String>,
    pub(super) closed_by: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) said: Said,
    pub(super) meta: Meta,
}

/// The id of what a check may find of a member of a household: the same however often it is found.
pub(super) fn lead_id(
    keys: &Keys,
    (household, person): (i64, i64),
    check: &str,
    fact: &str,
) -> String {
    hex(&keys.identity(&format!("lead {household}/{person}/{check}/{fact}")))
}

impl Lead {
    /// The lead that a fact is.
    pub(super) fn new(
        (keys, county, list): (&Keys, &str, &str),
        asking: &Asking<'_>,
        member: &Member,
        fact: Fact,
        meta: Meta,
    ) -> Self {
        let Crosscheck { head, level, assign, handle_days, .. } = asking.check;
        let name_differs = fact.name.as_deref().map(|name| !is_same_name(name, &member.name));
        let name = fact.name.filter(|_| name_differs == Some(true));
        let due = Day::from_epoch_days(asking.on.epoch_days() + handle_days);
        let on = asking.on.to_string();
        Self {
            county: county.to_owned(),
            id: lead_id(keys, (member.household, member.person), &head.id, &fact.id),
            household: member.household,
            person: member.person,
            check: head.id.clone(),
            fact: fact.id,
            list: list.to_owned(),
            list_row: fact.row,
            list_rows: fact.rows,
            name_differs,
            level: level.as_str().to_owned(),
            assign: assign.as_str().to_owned(),
            first_seen_on: on.clone(),
            last_seen_on: on,
            due_on: due.to_string(),
            state: State::Open,
            outcome: None,
            closed_on: None,
            closed_by: None,
            reason: None,
            said: Said { amount_fen: fact.amount_fen, name },
            meta,
        }
    }

    /// This lead after it was found again; none if that says nothing new. What was closed stays as it was closed.
    pub(super) fn found_again(&self, now: &Self) -> Option<Self> {
        let mut lead = self.clone();
        if now.last_seen_on < self.last_seen_on {
            return None;
        }
        lead.last_seen_on.clone_from(&now.last_seen_on);
        lead.list.clone_from(&now.list);
        lead.list_row = now.list_row;
        if self.state == State::Open {
            lead.list_rows = now.list_rows;
            lead.name_differs = now.name_differs;
            lead.said.clone_from(&now.said);
        }
        (lead != *self).then_some(lead)
    }

    /// This lead after somebody looked after it.
    pub(super) fn closed(&self, act: &Act, (outcome, reason): (i64, String)) -> Self {
        let mut lead = self.clone();
        lead.state = State::Closed;
        lead.outcome = Some(outcome);
        lead.closed_on = Some(act.at.day().to_string());
        lead.closed_by = Some(act.actor.name.clone());
        lead.reason = Some(reason);
        lead.meta.updated_at = act.at.0;
        lead.meta.version += 1;
        lead
    }

    /// As the journal names it: whose it is can be read from it.
    pub(super) fn key(&self) -> String {
        format!("{}/{}", self.household, self.id)
    }

    /// The journal's object.
    pub(super) fn to_journal(&self) -> String {
        json!({
            "county": self.county,
            "list": self.list,
            "fact": self.fact,
            "id": self.id,
            "household": self.household,
            "person": self.person,
            "check": self.check,
            "list_row": self.list_row,
            "list_rows": self.list_rows,
            "name_differs": self.name_differs,
            "name_on_list": self.said.name,
            "amount_fen": self.said.amount_fen,
            "level": self.level,
            "assign": self.assign,
            "first_seen_on": self.first_seen_on,
            "last_seen_on": self.last_seen_on,
            "due_on": self.due_on,
            "state": self.state.as_str(),
            "outcome": self.outcome,
            "closed_on": self.closed_on,
            "closed_by": self.closed_by,
            "reason": self.reason,
        })
        .to_string()
    }
}

/// What came of one list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each name says what it counts")]
pub struct Counts {
    pub rows: u64,
    /// Rows whose ID number cannot be used.
    pub bad_rows: u64,
    /// Rows whose ID number was put right: spaces, full-width digits, a small x.
    pub cleaned: u64,
    /// Rows with something else that cannot be read; they are looked up all the same.
    pub doubtful: u64,
    /// Rows whose number stood in the list before.
    pub repeated: u64,
    /// Members of the area who are on the list; or, where those are looked for, who are not.
    pub matched: u64,
    /// Of these, those whom the check does not ask about, or of whom the list says too little.
    pub passed_over: u64,
    pub leads_new: u64,
    pub leads_known: u64,
    /// Of the known ones, those that were closed before.
    pub leads_closed: u64,
    pub name_differs: u64,
    pub amount_unknown: u64,
    /// Members without a number or a birth date, of whom the list can say nothing; counted where those who are not on it are looked for.
    pub unknown: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(number: u64) -> [u8; 16] {
        // Spread as blind indexes are.
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (u128::from(mixed) << 64 | u128::from(number)).to_be_bytes()
    }

    #[test]
    fn each_number_finds_its_rows_and_no_others() {
        for count in [0_u64, 1, 2, 3, 1000, 5000] {
            let mut index = Index::default();
            for number in 0..count {
                for row in 0..=number % 3 {
                    let row = u32::try_from(number * 3 + row).unwrap();
                    assert!(index.push(identity(number), Told { row, ..Told::default() }));
                }
            }
            assert_eq!(index.finish(), count);
            for number in 0..count + 50 {
                let rows: Vec<u64> =
                    index.of(identity(number)).iter().map(|e| e.row.into()).collect();
                let wanted: Vec<u64> = match number < count {
                    true => (0..=number % 3).map(|row| number * 3 + row).collect(),
                    false => Vec::new(),
                };
                assert_eq!(rows, wanted, "{number} of {count}");
            }
        }
    }

    #[test]
    fn rows_of_one_fact_are_one_and_amounts_add_up_or_the_largest_counts() {
        let mut index = Index::default();
        let told = |row, fact, amount_fen, name| Told { row, fact, amount_fen, name };
        for told in [
            told(2, Some(7), Some(300), Some("甲")),
            told(3, None, None, None),
            told(4, Some(7), Some(500), Some("乙")),
            told(5, None, Some(1), None),
        ] {
            index.push(identity(1), told);
        }
        index.push(identity(2), told(6, None, None, None));
        index.finish();
        let facts = |adds_up| index.facts(index.of(identity(1)), adds_up);
        let told = |facts: Vec<Fact>| -> Vec<(usize, Option<i64>, Option<i64>, i64)> {
            facts.iter().map(|f| (f.id.len(), f.row, f.amount_fen, f.rows)).collect()
        };
        assert_eq!(told(facts(true)), [(16, Some(2), Some(800), 2), (0, Some(3), Some(1), 2)]);
        assert_eq!(told(facts(false)), [(16, Some(2), Some(500), 2), (0, Some(3), Some(1), 2)]);
        assert_eq!(facts(false)[0].name.as_deref(), Some("甲"));
        assert_eq!(index.facts(index.of(identity(2)), true)[0].amount_fen, None);
    }

    #[test]
    fn names_differ_by_letters_alone() {
        assert!(is_same_name("买买提·艾力", "买买提 艾力"));
        assert!(is_same_name("张 三", "张三"));
        assert!(!is_same_name("张三", "张山"));
    }
}
