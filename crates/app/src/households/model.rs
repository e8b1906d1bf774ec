//! Records of the registry and what follows from them.

use std::{collections::HashMap, sync::LazyLock};

use daohu_base::{Day, HouseholdId, PersonId};
use daohu_db::{Type, Value};
use daohu_policy::{CodeSet, Policy};
use pinyin::ToPinyin;
use sha2::{Digest, Sha256};

use crate::{
    keys::Keys,
    sheet::{
        CellError, HOUSEHOLDS, INCOMES, Layout, PERSONS, Record, household, id_number, income,
        person,
    },
};

/// How the sheets of this slice lie in their tables.
pub mod layouts {
    use super::{HOUSEHOLDS, INCOMES, Layout, LazyLock, PERSONS, Type, income, person};

    const KEY: &[&str] = &["county", "id"];

    /// 户
    pub static HOUSEHOLD: LazyLock<Layout> = LazyLock::new(|| {
        let lead = [("county", Type::Text), ("id", Type::Int)];
        Layout::new(&HOUSEHOLDS, KEY, &lead, &[("head_initials", Type::Text)], &[])
    });

    /// 人
    pub static PERSON: LazyLock<Layout> = LazyLock::new(|| {
        let lead = [("county", Type::Text), ("id", Type::Int), ("household", Type::Int)];
        let lead = [lead.as_slice(), &[("village", Type::Text)]].concat();
        let derived = [
            ("is_current", Type::Int),
            ("name_initials", Type::Text),
            ("identity", Type::Blob),
            ("id_tail", Type::Int),
            ("alike", Type::Int),
            ("merged_into", Type::Int),
        ];
        Layout::new(&PERSONS, KEY, &lead, &derived, &[person::HOUSEHOLD_NO])
    });

    /// 年度收入
    pub static INCOME: LazyLock<Layout> = LazyLock::new(|| {
        let lead = [("county", Type::Text), ("household", Type::Int)];
        let key = &["county", "household", "year"];
        Layout::new(&INCOMES, key, &lead, &[], &[income::HOUSEHOLD_NO])
    });
}

/// Gives a record of one table its leading columns by name, in the order of its layout.
macro_rules! row {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ident = $i:expr),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) struct $name(pub(crate) Record);

        impl $name {
            $(row!(@field $field $kind $i);)*
        }
    };
    (@field $field:ident int $i:expr) => {
        /// A leading column.
        pub(crate) fn $field(&self) -> i64 {
            self.0.lead.get($i).and_then(Value::as_int).unwrap_or_default()
        }
    };
    (@field $field:ident text $i:expr) => {
        /// A leading column.
        pub(crate) fn $field(&self) -> &str {
            self.0.lead.get($i).and_then(Value::as_text).unwrap_or_default()
        }
    };
}

row! {
    /// A row of `households`. `county`: the six digits that it is stored under.
    HouseholdRow { county: text = 0, id: int = 1 }
}
row! {
    /// A row of `persons`. `village` is the household's.
    PersonRow { county: text = 0, id: int = 1, household: int = 2, village: text = 3 }
}
row! {
    /// A row of `incomes`. `county`: as the household's.
    IncomeRow { county: text = 0, household: int = 1 }
}

/// A household with its members, present and gone, and its years, the first of them first.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    pub(crate) household: HouseholdRow,
    pub(crate) persons: Vec<PersonRow>,
    pub(crate) incomes: Vec<IncomeRow>,
}

impl Home {
    /// The values of those who belong to it now.
    pub(crate) fn current(&self) -> Vec<&[Value]> {
        let current = self.persons.iter().filter(|person| person.is_current());
        current.map(|person| &*person.0.values).collect()
    }
}

impl HouseholdRow {
    /// The text in a column of the sheet.
    pub(crate) fn text(&self, i: usize) -> Option<&str> {
        self.0.values.get(i).and_then(Value::as_text)
    }

    /// 户编号
    pub(crate) fn no(&self) -> &str {
        self.text(household::NO).unwrap_or_default()
    }

    /// The village's code.
    pub(crate) fn village(&self) -> &str {
        self.text(household::VILLAGE).unwrap_or_default()
    }
}

impl PersonRow {
    /// The integer in a column of the sheet.
    pub(crate) fn int(&self, i: usize) -> Option<i64> {
        self.0.values.get(i).and_then(Value::as_int)
    }

    /// Puts the person into a household: persons carry its village, so that a search stays inside a
    /// scope.
    pub(crate) fn settle(&mut self, county: &str, household: i64, village: &str) {
        let id = self.id();
        self.0.lead = vec![county.into(), id.into(), household.into(), village.into()];
    }

    /// The text in a column of the sheet.
    pub(crate) fn text(&self, i: usize) -> Option<&str> {
        self.0.values.get(i).and_then(Value::as_text)
    }

    /// True if the person belongs to the household now.
    pub(crate) fn is_current(&self) -> bool {
        self.0.derived.first().and_then(Value::as_int) == Some(1)
    }

    /// The blind index of the ID number.
    pub(crate) fn identity(&self) -> Option<&[u8]> {
        self.0.derived.get(2).and_then(Value::as_blob)
    }

    /// What the record has in common with others of probably the same person: see [`alike`].
    pub(crate) fn alike(&self) -> Option<i64> {
        self.0.derived.get(4).and_then(Value::as_int)
    }

    /// The record of the same person that stays, if this one ended by a merge.
    pub(crate) fn merged_into(&self) -> Option<i64> {
        self.0.derived.get(5).and_then(Value::as_int)
    }
}

impl IncomeRow {
    /// The year.
    pub(crate) fn year(&self) -> i64 {
        self.0.values.get(income::YEAR).and_then(Value::as_int).unwrap_or_default()
    }
}

/// Which ids a county gives out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum IdKind {
    Household,
    Person,
}

impl IdKind {
    /// As stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Household => "household",
            Self::Person => "person",
        }
    }

    /// The id with this serial, if the county has room.
    pub(crate) fn born(self, county: &str, serial: i64) -> Option<i64> {
        match self {
            Self::Household => HouseholdId::born(county, serial).map(|id| id.0),
            Self::Person => PersonId::born(county, serial).map(|id| id.0),
        }
    }
}

/// The next serial of each county that has given out ids.
pub(crate) type Serials = HashMap<(String, IdKind), i64>;

/// What a person's values say in terms of the rules.
pub(crate) struct Derived {
    /// Belongs to the household now.
    pub(crate) is_current: bool,
    /// The blind index, if there is a number.
    pub(crate) identity: Option<[u8; 16]>,
    /// The blind index of the last six characters of a resident ID number.
    pub(crate) tail: Option<i64>,
    /// True if the number is one of those that a person holds alone.
    pub(crate) is_unique: bool,
}

/// Meanings of coded values, looked up in the policy once.
#[derive(Clone, Copy)]
pub struct Marks<'p>(&'p Policy);

impl<'p> Marks<'p> {
    /// The marks of the policy in force.
    pub fn new(policy: &'p Policy) -> Self {
        Self(policy)
    }

    /// True if a code of a list bears the mark; an unknown code bears none.
    pub fn has(self, list: &str, code: Option<i64>, mark: &str) -> bool {
        code.is_some_and(|code| self.0.list(list).is_some_and(|list| list.is_marked(code, mark)))
    }

    /// The same, of all codes at once: for those who ask often.
    pub(crate) fn set(self, list: &str, mark: &str) -> CodeSet {
        self.0.list(list).map_or_else(CodeSet::default, |list| list.all_marked(mark))
    }

    /// The codes of a list that bear the mark.
    pub(crate) fn codes(self, list: &str, mark: &str) -> Vec<i64> {
        let values = self.0.list(list).map_or(&[][..], |list| list.values());
        let marked = values.iter().filter(|value| value.marks.iter().any(|m| m == mark));
        marked.filter_map(|value| value.code.parse().ok()).collect()
    }

    /// A resident ID or disability card, whose number follows GB 11643. An empty kind is taken
    /// for a resident ID, which nearly every row has.
    pub fn is_checked_id(self, kind: Option<i64>) -> bool {
        kind.is_none() || self.has("证件类型", kind, "checked")
    }

    /// A kind of document without a number.
    pub fn is_numberless(self, kind: Option<i64>) -> bool {
        self.has("证件类型", kind, "numberless")
    }

    /// Rules about a person's document that refuse a row, and what follows from a good ID number: it
    /// gives the birth date. An error names the column to blame.
    pub(crate) fn accept_document(
        self,
        values: &mut [Value],
        today: Day,
    ) -> Result<(), (usize, CellError)> {
        let kind = values.get(person::ID_KIND).and_then(Value::as_int);
        let Some(number) = values.get(person::ID_NUMBER).and_then(Value::as_text) else {
            if !self.is_numberless(kind) || kind.is_none() {
                return Err((person::ID_NUMBER, CellError::Required));
            }
            let is_born = values.get(person::BORN_ON).is_some_and(|born| !born.is_null());
            return if is_born { Ok(()) } else { Err((person::BORN_ON, CellError::Required)) };
        };
        if !self.is_checked_id(kind) {
            return Ok(());
        }
        let number = id_number(number, today).map_err(|error| (person::ID_NUMBER, error))?;
        if let Some(slot) = values.get_mut(person::BORN_ON) {
            *slot = number.born_on().to_string().into();
        }
        Ok(())
    }

    /// 户主
    pub fn is_head(self, relation: Option<i64>) -> bool {
        self.has("与户主关系", relation, "head")
    }

    /// A change by which a person leaves the household.
    pub fn leaves(self, change: Option<i64>) -> bool {
        self.has("变动类型", change, "leaves")
    }
}

impl Derived {
    /// Derives from a row of the sheet 人.
    pub(crate) fn of(marks: Marks<'_>, keys: &Keys, values: &[Value]) -> Self {
        let int = |i: usize| values.get(i).and_then(Value::as_int);
        let number = values.get(person::ID_NUMBER).and_then(Value::as_text);
        let is_unique = marks.is_checked_id(int(person::ID_KIND));
        let (identity, tail) = match number {
            None => (None, None),
            Some(number) if is_unique => {
                let person = number.get(..18).unwrap_or(number);
                let tail = person.len().checked_sub(6).and_then(|at| person.get(at..));
                (Some(keys.identity(person)), tail.map(|tail| keys.tail(tail)))
            }
            Some(number) => {
                let kind = int(person::ID_KIND).unwrap_or_default();
                (Some(keys.identity(&format!("{kind}:{number}"))), None)
            }
        };
        let is_current = !marks.leaves(int(person::CHANGE_KIND));
        Self { is_current, identity, tail, is_unique: is_unique && identity.is_some() }
    }

    /// The derived columns of `persons`: of one with these values, who is [`alike`] others by this, and
    /// whose record ended by a merge or did not.
    pub(crate) fn columns(
        &self,
        values: &[Value],
        alike: Option<i64>,
        merged_into: Option<i64>,
    ) -> Vec<Value> {
        let name = values.get(person::NAME).and_then(Value::as_text);
        vec![
            self.is_current.into(),
            name.map(initials).into(),
            self.identity.map(|identity| identity.to_vec()).into(),
            self.tail.into(),
            alike.into(),
            merged_into.into(),
        ]
    }
}

/// What two records of one person probably have in common, however the name was written: the same for
/// names that sound alike and the same birth date. None where either is not known.
pub(crate) fn alike(values: &[Value]) -> Option<i64> {
    let text = |i: usize| values.get(i).and_then(Value::as_text);
    Some(sounds_alike(text(person::NAME)?, text(person::BORN_ON)?))
}

/// As [`alike`], of a name and a birth date.
pub(crate) fn sounds_alike(name: &str, born_on: &str) -> i64 {
    let mut hash = Sha256::new();
    hash.update(born_on);
    for c in name.chars().filter(|c| !c.is_whitespace()) {
        match c.to_pinyin() {
            Some(pinyin) => hash.update(pinyin.plain()),
            None => hash.update(c.to_lowercase().collect::<String>()),
        }
        // Where one sound ends: xian is not xi'an.
        hash.update([0]);
    }
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(hash.finalize());
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// The first letters of a name's pinyin: 测一 gives `cy`. Letters stand for themselves.
pub fn initials(name: &str) -> String {
    name.chars()
        .filter_map(|c| match c.to_pinyin() {
            Some(pinyin) => pinyin.first_letter().chars().next(),
            None if c.is_ascii_alphanumeric() => Some(c.to_ascii_lowercase()),
            None => None,
        })
        .collect()
}

/// A stored record with what a new row says of it.
pub(crate) struct Merged {
    /// The values afterwards.
    pub(crate) values: Vec<Value>,
    /// The columns that changed.
    pub(crate) changed: Vec<usize>,
    /// How many of them were emptied.
    pub(crate) cleared: u64,
}

/// Lays a row over a stored record. A blank keeps what is stored, unless `clears` says for its
/// column that it empties it.
pub(crate) fn merge(stored: &[Value], row: &[Value], clears: impl Fn(usize) -> bool) -> Merged {
    let mut merged = Merged { values: stored.to_vec(), changed: Vec::new(), cleared: 0 };
    for (i, (slot, new)) in merged.values.iter_mut().zip(row).enumerate() {
        if slot == new || (new.is_null() && !clears(i)) {
            continue;
        }
        merged.cleared += u64::from(new.is_null());
        merged.changed.push(i);
        slot.clone_from(new);
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_letters_of_the_pinyin() {
        assert_eq!(initials("欧阳·A测9"), "oyac9");
        assert_eq!(initials(""), "");
    }

    #[test]
    fn a_blank_keeps_unless_it_clears() {
        let stored = [Value::Int(1), Value::Int(2), Value::Null];
        let row = [Value::Null, Value::Int(3), Value::Null];
        let kept = merge(&stored, &row, |_| false);
        assert_eq!(
            (kept.values, kept.changed, kept.cleared),
            (vec![Value::Int(1), Value::Int(3), Value::Null], vec![1], 0)
        );
        let cleared = merge(&stored, &row, |i| i == 0);
        assert_eq!((cleared.changed, cleared.cleared), (vec![0, 1], 1));
    }

    #[test]
    fn one_person_has_one_identity_on_both_kinds_of_card() {
        let policy = Policy::embedded().unwrap();
        let keys = Keys::generate().unwrap();
        let derive = |kind: i64, number: &str| {
            let mut values = vec![Value::Null; PERSONS.columns.len()];
            values[person::ID_KIND] = kind.into();
            values[person::ID_NUMBER] = number.into();
            Derived::of(Marks::new(&policy), &keys, &values)
        };
        let resident = derive(1, "99010219601111018X");
        let disabled = derive(2, "99010219601111018X43");
        let booklet = derive(3, "99010219601111018X");
        assert!(resident.identity == disabled.identity && resident.tail == disabled.tail);
        assert!(booklet.identity != resident.identity && !booklet.is_unique);
    }
}
