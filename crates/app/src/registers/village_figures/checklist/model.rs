//! Which items of the checklist a village meets. Pure.

use std::ops::AddAssign;

use daohu_db::Value;
use daohu_policy::{BadPack, Policy, VillageChecklist, VillageItem};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::sheet::{Column, Kind, VILLAGES};

/// The items of the pack, each with what it asks of its column.
#[derive(Clone, Debug, Default)]
pub(in crate::registers::village_figures) struct Checklist<'p> {
    items: Vec<Item<'p>>,
}

/// An item with its column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'p> {
    pub(super) item: &'p VillageItem,
    column: &'static Column,
    /// The column's place in 村.
    place: usize,
    asks: Asks,
}

/// What an item asks of its column.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Asks {
    /// Yes.
    Yes,
    /// A number of at least so many.
    Min(i64),
    /// A number that is at least this share of the one in this place of 村.
    Share(usize, f64),
    /// Anything: what is not told is not known.
    Told,
}

/// Whether a village meets an item, or the whole list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::registers::village_figures) enum Outcome {
    /// It does; of the whole list: every item.
    Met,
    /// It does not; of the whole list: some item.
    Unmet,
    /// A cell that tells of it is empty; of the whole list: of some item, and it is not known to fail another.
    Unknown,
}

/// What is asked for: the whole list, or one of its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Whole,
    Nth(usize),
}

/// Villages by how they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcomes {
    pub(super) met: i64,
    pub(super) unmet: i64,
    pub(super) unknown: i64,
}

/// What of the checklist villages meet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::registers::village_figures) struct Checked {
    pub(super) whole: Outcomes,
    /// By the items of the list; may end before it, where nobody was counted.
    items: Vec<Outcomes>,
}

impl<'p> Checklist<'p> {
    /// The checklist of a policy; file and reason if an item asks for what 村 does not have.
    pub(super) fn new(policy: &'p Policy) -> Result<Self, BadPack> {
        let list = policy.village_checklist();
        let bad = |reason| BadPack { file: list.file().to_owned(), reason };
        let items: Result<_, _> = list.items().iter().map(Item::new).collect();
        Ok(Self { items: items.map_err(bad)? })
    }

    /// The items that are asked of a year, each with its place in the list.
    pub(super) fn asked_of(&self, year: i64) -> impl Iterator<Item = (usize, &Item<'p>)> {
        self.items.iter().enumerate().filter(move |(_, item)| item.item.is_asked_of(year))
    }

    /// The item of a name that is asked of a year, or the whole list.
    pub(super) fn named(&self, name: &str, year: i64) -> Option<Asked> {
        if VillageChecklist::is_whole(name) {
            return Some(Asked::Whole);
        }
        let nth = self.asked_of(year).find(|(_, item)| item.item.name == name);
        nth.map(|(nth, _)| Asked::Nth(nth))
    }

    pub(super) fn item(&self, asked: Asked) -> Option<&Item<'p>> {
        match asked {
            Asked::Whole => None,
            Asked::Nth(nth) => self.items.get(nth),
        }
    }

    /// How a village stands with each item: nothing for those that are not asked of the year.
    pub(in crate::registers::village_figures) fn outcomes(
        &self,
        year: i64,
        values: &[Value],
    ) -> Vec<Option<Outcome>> {
        let outcome = |item: &Item<'_>| item.item.is_asked_of(year).then(|| item.outcome(values));
        self.items.iter().map(outcome).collect()
    }

    /// How a village stands with what is asked for.
    pub(super) fn outcome(&self, asked: Asked, year: i64, values: &[Value]) -> Option<Outcome> {
        let outcomes = self.outcomes(year, values);
        match asked {
            Asked::Whole => Some(whole(&outcomes)),
            Asked::Nth(nth) => outcomes.get(nth).copied().flatten(),
        }
    }
}

/// How a village stands with the whole list. Where nothing is asked for, nothing is met.
fn whole(outcomes: &[Option<Outcome>]) -> Outcome {
    let mut asked = outcomes.iter().flatten().peekable();
    if asked.peek().is_none() {
        return Outcome::Unknown;
    }
    asked.fold(Outcome::Met, |whole, outcome| match (whole, outcome) {
        (Outcome::Unmet, _) | (_, Outcome::Unmet) => Outcome::Unmet,
        (Outcome::Unknown, _) | (_, Outcome::Unknown) => Outcome::Unknown,
        _ => Outcome::Met,
    })
}

/// The column of 村 of this name, and its place.
fn column(name: &str) -> Option<(usize, &'static Column)> {
    VILLAGES.columns.iter().enumerate().find(|(_, column)| column.name == name)
}

fn is_number(column: &Column) -> bool {
    matches!(column.kind, Kind::Count(_) | Kind::Yuan)
}

impl<'p> Item<'p> {
    /// An item with its column; the reason if it does not fit.
    fn new(item: &'p VillageItem) -> Result<Self, String> {
        let refused = |why: String| format!("village_item {}: {why}", item.name);
        let known = |name: &str| {
            column(name).ok_or_else(|| {
                refused(format!("{} ({}) has no column {name}", VILLAGES.title, VILLAGES.name))
            })
        };
        let (place, column) = known(&item.column)?;
        let share = item.share_of.as_deref().zip(item.share_min);
        let asks = match (is_number(column), item.min, share) {
            (true, Some(min), None) => Asks::Min(min),
            (true, None, Some((of, min))) => {
                let (of, column) = known(of)?;
                if !is_number(column) {
                    return Err(refused(format!("column {} is no number", column.name)));
                }
                Asks::Share(of, min)
            }
            (true, ..) => {
                let name = column.name;
                return Err(refused(format!("column {name} is a number: give min, or share_of")));
            }
            (false, None, None) => match column.kind {
                Kind::Flag => Asks::Yes,
                Kind::Text(_) | Kind::Code(_) | Kind::Codes(..) => Asks::Told,
                _ => return Err(refused(format!("column {} tells of nothing", column.name))),
            },
            (false, ..) => return Err(refused(format!("column {} is no number", column.name))),
        };
        Ok(Self { item, column, place, asks })
    }

    /// True if a village can be known to fail it.
    pub(super) fn can_be_unmet(&self) -> bool {
        self.asks != Asks::Told
    }

    pub(super) fn is_flag(&self) -> bool {
        self.column.kind == Kind::Flag
    }

    /// True if its column holds one value of a code list.
    pub(super) fn is_code(&self) -> bool {
        matches!(self.column.kind, Kind::Code(_))
    }

    /// What a village told: the item's column, and the number that it is a share of.
    pub(super) fn told<'v>(&self, values: &'v [Value]) -> (&'v Value, Option<&'v Value>) {
        let value = |place: usize| values.get(place).unwrap_or(&Value::Null);
        let of = if let Asks::Share(of, _) = self.asks { Some(value(of)) } else { None };
        (value(self.place), of)
    }

    fn outcome(&self, values: &[Value]) -> Outcome {
        let (value, of) = self.told(values);
        let is_met = match (self.asks, value, of) {
            (_, Value::Null, _) | (_, _, Some(Value::Null)) => return Outcome::Unknown,
            (Asks::Told, ..) => true,
            (Asks::Yes, value, _) => *value == Value::Int(1),
            (Asks::Min(min), value, _) => value.as_int().is_some_and(|number| number >= min),
            (Asks::Share(_, min), value, of) => {
                let pair = value.as_real().zip(of.and_then(Value::as_real));
                // A quotient is rounded to the nearest number, as the bound was: what is exactly at it is in. Of
                // nothing, nothing is missing.
                pair.is_some_and(|(number, of)| of <= 0.0 || number / of >= min)
            }
        };
        if is_met { Outcome::Met } else { Outcome::Unmet }
    }
}

impl Outcomes {
    fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Met => self.met += 1,
            Outcome::Unmet => self.unmet += 1,
            Outcome::Unknown => self.unknown += 1,
        }
    }

    /// Who is known to meet it or to fail it.
    pub(super) fn told(&self) -> i64 {
        self.met + self.unmet
    }

    /// Who meets it among those who told, in hundredths of a percent; cut, so that all of them are all.
    pub(super) fn share(&self) -> Option<u32> {
        let told = i128::from(self.told());
        let hundredths = (i128::from(self.met) * 10_000).checked_div(told)?;
        u32::try_from(hundredths).ok()
    }
}

impl AddAssign<Outcomes> for Outcomes {
    fn add_assign(&mut self, other: Self) {
        self.met += other.met;
        self.unmet += other.unmet;
        self.unknown += other.unknown;
    }
}

impl Checked {
    /// Counts how a village stands with each item.
    pub(in crate::registers::village_figures) fn count(&mut self, outcomes: &[Option<Outcome>]) {
        self.reach(outcomes.len());
        self.whole.count(whole(outcomes));
        for (item, outcome) in self.items.iter_mut().zip(outcomes) {
            outcome.iter().for_each(|outcome| item.count(*outcome));
        }
    }

    /// Of the nth item.
    pub(super) fn nth(&self, nth: usize) -> Outcomes {
        self.items.get(nth).copied().unwrap_or_default()
    }

    fn reach(&mut self, items: usize) {
        if self.items.len() < items {
            self.items.resize(items, Outcomes::default());
        }
    }
}

impl AddAssign<&Checked> for Checked {
    fn add_assign(&mut self, other: &Self) {
        self.reach(other.items.len());
        self.whole += other.whole;
        for (mine, theirs) in self.items.iter_mut().zip(&other.items) {
            *mine += *theirs;
        }
    }
}

#[cfg(test)]
mod tests {
    use daohu_policy::Policy;

    use super::*;
    use crate::sheet::village;

    const HEAD: &str = "[[village_group]]\nname = 'g'\ntitle = '组'\ntitle_en = 'group'\n";

    fn item(name: &str, column: &str, rest: &str) -> String {
        format!(
            "[[village_item]]\nname = '{name}'\ntitle = '项'\ntitle_en = 'item'\ngroup = 'g'\n\
             column = '{column}'\nsource = 'a test'\n{rest}\n"
        )
    }

    fn policy(items: &[String]) -> Policy {
        let text = HEAD.to_owned() + &items.concat();
        Policy::embedded_and([("county.toml", text.as_str())]).unwrap()
    }

    /// A village's year in which these places are filled.
    fn year(filled: &[(usize, Value)]) -> Vec<Value> {
        let mut values = vec![Value::Null; VILLAGES.columns.len()];
        for (place, value) in filled {
            values[*place] = value.clone();
        }
        values
    }

    #[test]
    fn the_embedded_list_fits_the_columns_and_others_are_refused_with_file_and_reason() {
        assert!(Checklist::new(&Policy::embedded().unwrap()).is_ok());
        for (item, says) in [
            (item("a", "has_gas", ""), "village_item a: 村 (villages) has no column has_gas"),
            (item("a", "doctors", ""), "column doctors is a number: give min, or share_of"),
            (item("a", "has_bus", "min = 1"), "column has_bus is no number"),
            (item("a", "main_industry", "min = 1"), "column main_industry is no number"),
            (item("a", "year", ""), "column year tells of nothing"),
            (item("a", "village", ""), "column village tells of nothing"),
            (item("a", "workers", "share_of = 'people'\nshare_min = 0.5"), "no column people"),
            (item("a", "workers", "share_of = 'has_bus'\nshare_min = 0.5"), "has_bus is no number"),
        ] {
            let error = Checklist::new(&policy(&[item])).map(drop).unwrap_err();
            assert_eq!(error.file, "county.toml");
            assert!(error.reason.contains(says), "{says}: {}", error.reason);
        }
    }

    #[test]
    fn an_item_is_met_unmet_or_unknown_by_what_its_column_says() {
        use Outcome::{Met, Unknown, Unmet};
        let share = |min: &str| format!("share_of = 'households'\nshare_min = {min}");
        let int = |number: i64| Value::Int(number);
        let water = village::SAFE_WATER_HOUSEHOLDS;
        let of = |water_now: Value, households: Value| {
            vec![(water, water_now), (village::HOUSEHOLDS, households)]
        };
        let road = village::HAS_PAVED_ROAD;
        for (item, filled, expected) in [
            (item("a", "has_paved_road", ""), vec![(road, int(1))], Met),
            (item("a", "has_paved_road", ""), vec![(road, int(0))], Unmet),
            (item("a", "has_paved_road", ""), vec![], Unknown),
            (item("a", "cooperatives", "min = 2"), vec![(village::COOPERATIVES, int(2))], Met),
            (item("a", "cooperatives", "min = 2"), vec![(village::COOPERATIVES, int(1))], Unmet),
            (item("a", "cooperatives", "min = 0"), vec![], Unknown),
            (item("a", "safe_water_households", &share("1.0")), of(int(3), int(3)), Met),
            (item("a", "safe_water_households", &share("1.0")), of(int(4), int(3)), Met),
            (item("a", "safe_water_households", &share("1.0")), of(int(2), int(3)), Unmet),
            (item("a", "safe_water_households", &share("0.07")), of(int(7), int(100)), Met),
            (item("a", "safe_water_households", &share("0.07")), of(int(6), int(100)), Unmet),
            (item("a", "safe_water_households", &share("1.0")), of(int(0), int(0)), Met),
            (item("a", "safe_water_households", &share("1.0")), of(int(3), Value::Null), Unknown),
            (item("a", "safe_water_households", &share("1.0")), of(Value::Null, int(3)), Unknown),
            (item("a", "main_industry", ""), vec![(village::MAIN_INDUSTRY, "茶".into())], Met),
            (item("a", "main_industry", ""), vec![], Unknown),
            (item("a", "main_causes", ""), vec![(village::MAIN_CAUSES, "01 02".into())], Met),
        ] {
            let policy = policy(std::slice::from_ref(&item));
            let list = Checklist::new(&policy).unwrap();
            let got = list.outcome(Asked::Nth(0), 2015, &year(&filled));
            assert_eq!(got, Some(expected), "{item} {filled:?}");
        }
    }

    #[test]
    fn the_whole_list_is_met_by_all_items_of_the_year_and_unmet_by_one() {
        use Outcome::{Met, Unknown, Unmet};
        let items = [
            item("a", "has_bus", ""),
            item("b", "has_clinic", "since = '2016-01-01'"),
            item("c", "has_broadband", "since = '2015-01-01'"),
        ];
        let policy = policy(&items);
        let list = Checklist::new(&policy).unwrap();
        let filled = |bus, clinic, net| {
            let flag = |flag: Option<bool>| flag.map_or(Value::Null, Value::from);
            year(&[
                (village::HAS_BUS, flag(bus)),
                (village::HAS_CLINIC, flag(clinic)),
                (village::HAS_BROADBAND, flag(net)),
            ])
        };
        let (yes, no) = (Some(true), Some(false));
        for (of, values, expected) in [
            (2016, filled(yes, yes, yes), Met),
            (2016, filled(yes, no, yes), Unmet),
            (2015, filled(yes, no, yes), Met),
            (2016, filled(yes, None, yes), Unknown),
            (2016, filled(None, no, yes), Unmet),
            (2016, filled(no, yes, None), Unmet),
            (2014, filled(yes, no, no), Met),
        ] {
            assert_eq!(list.outcome(Asked::Whole, of, &values), Some(expected), "{of} {values:?}");
        }
        assert_eq!(whole(&[]), Unknown, "nobody meets a list of nothing");
        assert_eq!(list.named("b", 2015), None);
        assert_eq!(list.named("b", 2016), Some(Asked::Nth(1)));
        assert_eq!(list.named("all", 2014), Some(Asked::Whole));
        assert_eq!(list.named("d", 2016), None);
    }

    #[test]
    fn a_share_is_of_those_who_told_and_only_all_are_all() {
        let share = |met, unmet| Outcomes { met, unmet, unknown: 7 }.share();
        assert_eq!(share(0, 0), None);
        assert_eq!(share(0, 3), Some(0));
        assert_eq!(share(2, 1), Some(6_666));
        assert_eq!(share(99_999, 1), Some(9_999));
        assert_eq!(share(168, 0), Some(10_000));
    }
}
