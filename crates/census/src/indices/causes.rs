//! How many households have which code: causes of poverty, above all.

use daohu_policy::CodeSet;

use super::{
    Headcount, Unknown,
    asked::{Asked, Groups, Tally},
    incomes::Persons,
};
use crate::columns::{NO_CODE, NO_SET, Sets};

/// The codes of each household: of one field, one or several.
#[derive(Clone, Copy, Debug)]
pub struct Codes<'a>(pub(crate) Kept<'a>);

/// As they are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kept<'a> {
    One(&'a [u8]),
    Several(&'a Sets),
}

/// How many have which code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Causes {
    /// Of each code that was asked for, in their order. Who has several is counted at each, so that these may add up to more
    /// than [`Causes::known`].
    pub by_code: Vec<Headcount>,
    /// Who has any code that was not asked for.
    pub others: Headcount,
    /// Whose codes are known.
    pub known: Headcount,
    /// Of how many of these the number of persons is not known: they are counted as households alone.
    pub unnumbered: u64,
    /// Whose codes are not known.
    pub unknown: Unknown,
}

/// What a code or a set of codes adds to.
#[derive(Clone, Default)]
struct Slots {
    /// Places among the codes that were asked for.
    asked_for: Vec<usize>,
    has_other: bool,
}

impl Slots {
    fn of(codes: impl Iterator<Item = u8>, listed: CodeSet) -> Self {
        let mut slots = Self::default();
        for code in codes {
            match listed.iter().position(|asked_for| asked_for == code) {
                Some(place) => slots.asked_for.push(place),
                None => slots.has_other = true,
            }
        }
        slots
    }
}

/// Counts households and persons by these codes, in each group.
pub fn causes_by(
    codes: Codes<'_>,
    listed: CodeSet,
    persons: Persons<'_>,
    asked: Asked<'_>,
    groups: Groups<'_>,
) -> Vec<Causes> {
    // There are few codes, and few sets of them: what each adds to is found once.
    let slots: Vec<Slots> = match codes.0 {
        Kept::One(_) => (0..NO_CODE).map(|code| Slots::of([code].into_iter(), listed)).collect(),
        Kept::Several(all) => all.sets.iter().map(|set| Slots::of(set.iter(), listed)).collect(),
    };
    let count = listed.iter().count();
    let empty = || Causes { by_code: vec![Headcount::default(); count], ..Causes::default() };
    asked.tally_by(persons.households(), groups, empty, |own, nth| {
        let slot = match codes.0 {
            Kept::One(all) => {
                all.get(nth).filter(|code| **code != NO_CODE).map(|code| (*code).into())
            }
            Kept::Several(all) => {
                all.nths.get(nth).filter(|set| **set != NO_SET).map(|set| usize::from(*set))
            }
        };
        match slot.and_then(|slot| slots.get(slot)) {
            Some(slots) => own.take(slots, persons.of(nth)),
            None => own.unknown.take(persons.of(nth)),
        }
    })
}

impl Causes {
    fn take(&mut self, slots: &Slots, persons: Option<u64>) {
        self.unnumbered += u64::from(persons.is_none());
        let persons = persons.unwrap_or_default();
        self.known.take(persons);
        for place in &slots.asked_for {
            if let Some(own) = self.by_code.get_mut(*place) {
                own.take(persons);
            }
        }
        if slots.has_other {
            self.others.take(persons);
        }
    }
}

impl Tally for Causes {
    fn join(&mut self, other: &Self) {
        self.by_code.iter_mut().zip(&other.by_code).for_each(|(own, other)| own.join(*other));
        self.others.join(other.others);
        self.known.join(other.known);
        self.unnumbered += other.unnumbered;
        self.unknown.join(other.unknown);
    }
}
