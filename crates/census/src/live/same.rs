//! Whether two censuses hold the same: what is kept up to date is proved against what is read anew.

use crate::columns::{Census, Column, NO_SET, Year};

impl Census {
    /// The first household, by its id, of which the other census holds something else, or which one of them does not have there;
    /// none if both hold the same households in the same order. Villages and sets of codes may have other numbers.
    pub fn difference(&self, other: &Self) -> Option<i64> {
        let count = self.households().max(other.households());
        (0..count).find(|nth| !self.is_alike(other, *nth)).map(|nth| {
            let id = self.ids.get(nth).or_else(|| other.ids.get(nth));
            id.copied().unwrap_or_default()
        })
    }

    fn is_alike(&self, other: &Self, nth: usize) -> bool {
        if self.ids.get(nth) != other.ids.get(nth) || self.village_of(nth) != other.village_of(nth)
        {
            return false;
        }
        let members = (self.members_of(nth), other.members_of(nth));
        let gone = (self.gone_on.get(members.0.clone()), other.gone_on.get(members.1.clone()));
        if members.0.len() != members.1.len() || gone.0 != gone.1 {
            return false;
        }
        let are_alike = |own: &[Column], others: &[Column], at: usize, there: usize| {
            own.len() == others.len()
                && own.iter().zip(others).all(|(one, two)| is_same_cell((one, at), (two, there)))
        };
        let mut persons = members.0.zip(members.1);
        are_alike(&self.household, &other.household, nth, nth)
            && persons.all(|(at, there)| are_alike(&self.member, &other.member, at, there))
            && self.years.keys().chain(other.years.keys()).all(|year| {
                let own = (self.years.get(year), other.years.get(year));
                self.income_of(nth, i64::from(*year)) == other.income_of(nth, i64::from(*year))
                    && amounts(own.0, nth) == amounts(own.1, nth)
            })
    }

    /// The places of a household's members.
    pub(crate) fn members_of(&self, nth: usize) -> std::ops::Range<usize> {
        let at = |nth: usize| {
            let from = self.members_from.get(nth).copied().unwrap_or_default();
            usize::try_from(from).unwrap_or_default()
        };
        at(nth)..at(nth + 1)
    }
}

/// The amounts of a year that are known of a household, by their place.
fn amounts(year: Option<&Year>, nth: usize) -> Vec<(usize, i64)> {
    let all = year.map(|year| year.amounts.as_slice()).unwrap_or_default();
    all.iter().enumerate().filter_map(|(place, fens)| Some((place, fens.get(nth)?))).collect()
}

fn is_same_cell((one, at): (&Column, usize), (two, there): (&Column, usize)) -> bool {
    match (one, two) {
        (Column::Flag(one), Column::Flag(two))
        | (Column::Code(one), Column::Code(two))
        | (Column::Known(one), Column::Known(two)) => one.get(at) == two.get(there),
        (Column::Codes(one), Column::Codes(two)) => {
            let own = (one.nths.get(at), two.nths.get(there));
            let (Some(own), Some(other)) = own else { return false };
            let is_known = (*own != NO_SET, *other != NO_SET);
            is_known.0 == is_known.1
                && (!is_known.0
                    || one.sets.get(usize::from(*own)) == two.sets.get(usize::from(*other)))
        }
        (Column::Int(one), Column::Int(two)) => one.get(at) == two.get(there),
        (Column::Fen(one), Column::Fen(two)) => one.get(at) == two.get(there),
        // What is not known is no number, and not equal to itself.
        (Column::Real(one), Column::Real(two)) => {
            one.get(at).map(|own| own.to_bits()) == two.get(there).map(|own| own.to_bits())
        }
        _ => false,
    }
}
