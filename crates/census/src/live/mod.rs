//! Keeping a census up to date: some households out of it, others in, whole counties behind it.
//!
//! All of it is one thing: arrays put together of parts of two censuses ([`Pieces`]), each array by itself in its own room. A
//! household that is as large as before is then a few cells written over.

mod join;
mod pieces;
mod same;

use std::ops::Range;

use rustc_hash::FxHashMap;

use self::pieces::{Pieces, Spare};
use crate::{
    TooMany,
    columns::{Census, Column, Sets},
};

/// What [`Census::replace`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replaced {
    /// True if at some place stands another household than before, or none: what was kept by place is past. The places of a
    /// county may be others without it, where a household went to the next one.
    pub moved: bool,
    /// True if villages have other numbers than before, since nobody lives in one any more. Otherwise they are as they were,
    /// with new ones behind.
    pub renumbered: bool,
    /// The places of the households that are new or were changed, ascending.
    pub places: Vec<u32>,
}

/// Why two censuses cannot become one. Both say what they said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// They were built under shapes that store other columns.
    #[error("the two have other columns")]
    OtherColumns,
    /// Together they are too large.
    #[error(transparent)]
    TooMany(#[from] TooMany),
}

/// Something that is done to a place.
#[derive(Clone, Copy)]
struct Edit {
    at: usize,
    /// The household that comes, by its place among those that do.
    nth: Option<usize>,
    /// True if the one that stands here goes, otherwise the new one comes before it.
    takes: bool,
}

/// The first six digits of a village.
fn county_of(village: &str) -> &str {
    village.get(..COUNTY_DIGITS).unwrap_or(village)
}

const COUNTY_DIGITS: usize = 6;

impl Census {
    /// The county of the nth household.
    pub fn county_of(&self, nth: usize) -> Option<&str> {
        self.village_of(nth).map(county_of)
    }

    /// The places of a county's households.
    pub fn span_of(&self, county: &str) -> Range<usize> {
        let own = |place: &u32| {
            let village = usize::try_from(*place).ok().and_then(|place| self.villages.get(place));
            village.map(|village| county_of(village))
        };
        let from = self.homes_in.partition_point(|place| own(place) < Some(county));
        let rest = self.homes_in.get(from..).unwrap_or_default();
        from..from + rest.partition_point(|place| own(place) == Some(county))
    }

    /// A census of those households among a range of places whose village is kept, and their places in this one. It says of
    /// them what this one does, and knows no other village.
    pub fn only(&self, keep: impl Fn(&str) -> bool, range: Range<usize>) -> (Self, Vec<u32>) {
        let mut kept: Vec<Option<bool>> = vec![None; self.villages.len()];
        let mut is_kept = |place: u32| {
            let village = usize::try_from(place).ok()?;
            let known = kept.get_mut(village)?;
            *known = Some(
                known.unwrap_or_else(|| self.villages.get(village).is_some_and(|own| keep(own))),
            );
            *known
        };
        let mut households = Pieces::of(0, Spare::Nothing);
        for (nth, place) in self.homes_in.iter().enumerate().take(range.end).skip(range.start) {
            if is_kept(*place) == Some(true) {
                households.push(true, nth..nth + 1);
            }
        }
        let mut some = self.without_households();
        some.join(self, &households);
        let villages = lived_in(&mut some.homes_in, &self.villages);
        some.villages = villages.unwrap_or_else(|| self.villages.clone());
        let places = households.iter().flat_map(|piece| piece.source());
        (some, places.filter_map(|place| u32::try_from(place).ok()).collect())
    }

    /// Puts another census behind this one: counties that come after its own, built under the same columns.
    pub fn append(&mut self, mut other: Self) -> Result<(), Unfit> {
        self.check(&other)?;
        self.adopt_sets(&mut other)?;
        self.adopt_villages(&mut other, &[])?;
        let mut households = Pieces::of(self.households(), Spare::All);
        households.push(false, 0..self.households());
        households.push(true, 0..other.households());
        self.join(&other, &households);
        Ok(())
    }

    /// Takes out households by id, and puts in those of `new`, each in the place of the one of its id if there is one. Of both
    /// the order is by county, the first six digits of the village, and id; an id stands once in each. Ids that are not
    /// here are nobody's.
    ///
    /// Then the census is as if it were built anew, but that villages and sets of codes may have other numbers. Where as many
    /// households with as many members stand as before, it costs about what is written; otherwise each array is moved
    /// once from the first change on, so that many are best changed together.
    pub fn replace(&mut self, gone: &[i64], mut new: Self) -> Result<Replaced, Unfit> {
        self.check(&new)?;
        let edits = self.edits(gone, &new);
        self.adopt_sets(&mut new)?;
        self.adopt_villages(&mut new, &edits)?;
        let mut households = Pieces::of(self.households(), Spare::ThirtySecond);
        let (mut at, mut may_be_empty) = (0, false);
        for edit in &edits {
            households.push(false, at..edit.at);
            at = at.max(edit.at);
            if let Some(nth) = edit.nth {
                households.push(true, nth..nth + 1);
            }
            if edit.takes {
                at = at.max(edit.at + 1);
                let other = edit.nth.and_then(|nth| new.homes_in.get(nth));
                may_be_empty |= self.homes_in.get(edit.at) != other;
            }
        }
        households.push(false, at..self.households());
        let moved = self.join(&new, &households);
        let lived_in =
            if may_be_empty { lived_in(&mut self.homes_in, &self.villages) } else { None };
        let renumbered = lived_in.is_some();
        self.villages = lived_in.unwrap_or_else(|| std::mem::take(&mut self.villages));
        let places = households.places().filter_map(|place| u32::try_from(place).ok()).collect();
        Ok(Replaced { moved, renumbered, places })
    }

    /// What taking out and putting in does to which places, in their order.
    fn edits(&self, gone: &[i64], new: &Self) -> Vec<Edit> {
        let mut edits: Vec<Edit> = gone
            .iter()
            .filter(|id| new.find(**id).is_none())
            .filter_map(|id| Some(Edit { at: self.find(*id)?, nth: None, takes: true }))
            .collect();
        for (nth, id) in new.ids.iter().enumerate() {
            let county = new.county_of(nth).unwrap_or_default();
            let found = self.find(*id);
            let here = found.filter(|at| self.county_of(*at) == Some(county));
            if let Some(at) = here {
                edits.push(Edit { at, nth: Some(nth), takes: true });
                continue;
            }
            edits.extend(found.map(|at| Edit { at, nth: None, takes: true }));
            let span = self.span_of(county);
            let ids = self.ids.get(span.clone()).unwrap_or_default();
            let at = span.start + ids.partition_point(|own| own < id);
            edits.push(Edit { at, nth: Some(nth), takes: false });
        }
        // Those that come before the same household stand as they do among what comes.
        edits.sort_by_key(|edit| (edit.at, edit.takes, edit.nth));
        edits
    }

    /// Whether another can be put together with this one.
    fn check(&self, other: &Self) -> Result<(), Unfit> {
        if !self.has_columns_of(&other.shape) {
            return Err(Unfit::OtherColumns);
        }
        let fits = |own: usize, other: usize| {
            own.checked_add(other).and_then(|sum| u32::try_from(sum).ok()).ok_or(TooMany)
        };
        fits(self.households(), other.households())?;
        fits(self.members(), other.members())?;
        Ok(())
    }

    /// Gives the villages of another census the numbers that they have here.
    fn adopt_villages(&mut self, other: &mut Self, edits: &[Edit]) -> Result<(), TooMany> {
        let mut numbers: Vec<Option<u32>> = vec![None; other.villages.len()];
        // Most households live where they lived, which is found without looking through all villages.
        for (at, nth) in edits.iter().filter_map(|edit| Some((edit.at, edit.nth?))) {
            if let (Some(own), Some(theirs)) = (self.homes_in.get(at), other.homes_in.get(nth))
                && self.village_of(at) == other.village_of(nth)
                && let Some(number) =
                    numbers.get_mut(usize::try_from(*theirs).unwrap_or(usize::MAX))
            {
                *number = Some(*own);
            }
        }
        let unknown =
            other.villages.iter().zip(&mut numbers).filter(|(_, number)| number.is_none());
        let mut unknown: FxHashMap<&str, &mut Option<u32>> =
            unknown.map(|(village, number)| (&village[..], number)).collect();
        if !unknown.is_empty() {
            for (place, village) in (0..).zip(&self.villages) {
                if let Some(number) = unknown.remove(&village[..]) {
                    *number = Some(place);
                }
            }
        }
        for (village, number) in other.villages.iter().zip(&mut numbers) {
            if number.is_none() {
                *number = Some(u32::try_from(self.villages.len()).map_err(|_| TooMany)?);
                self.villages.push(village.clone());
            }
        }
        for home in &mut other.homes_in {
            let number = usize::try_from(*home).ok().and_then(|home| numbers.get(home));
            *home = number.copied().flatten().unwrap_or(u32::MAX);
        }
        Ok(())
    }

    /// Gives the sets of codes of another census the numbers that they have here.
    fn adopt_sets(&mut self, other: &mut Self) -> Result<(), TooMany> {
        let own = self.household.iter_mut().chain(&mut self.member);
        let theirs = other.household.iter_mut().chain(&mut other.member);
        own.zip(theirs).try_for_each(|both| match both {
            (Column::Codes(own), Column::Codes(theirs)) => own.adopt(theirs),
            _ => Ok(()),
        })
    }
}

/// Those villages in which somebody lives, with new numbers for the homes; none if they are all.
fn lived_in(homes_in: &mut [u32], villages: &[String]) -> Option<Vec<String>> {
    let mut numbers: Vec<Option<u32>> = vec![None; villages.len()];
    let place = |home: u32| usize::try_from(home).unwrap_or(usize::MAX);
    for home in &*homes_in {
        if let Some(number) = numbers.get_mut(place(*home)) {
            *number = Some(0);
        }
    }
    if numbers.iter().all(Option::is_some) {
        return None;
    }
    (0..).zip(numbers.iter_mut().flatten()).for_each(|(nth, number)| *number = nth);
    for home in homes_in {
        *home = numbers.get(place(*home)).copied().flatten().unwrap_or(u32::MAX);
    }
    let kept = villages.iter().zip(&numbers).filter(|(_, number)| number.is_some());
    Some(kept.map(|(village, _)| village.clone()).collect())
}

impl Sets {
    /// Gives the sets of another column the numbers that they have here.
    fn adopt(&mut self, other: &mut Self) -> Result<(), TooMany> {
        if self.sets.starts_with(&other.sets) {
            return Ok(());
        }
        let mut numbers = Vec::with_capacity(other.sets.len());
        for set in &other.sets {
            // The first is of what is not known, and of nobody.
            let skipped = usize::from(!numbers.is_empty());
            let known = self.sets.iter().skip(skipped).position(|own| own == set);
            let nth = known.map_or(self.sets.len(), |known| known + skipped);
            numbers.push(u16::try_from(nth).map_err(|_| TooMany)?);
            if known.is_none() {
                self.sets.push(*set);
            }
        }
        for nth in &mut other.nths {
            *nth = numbers.get(usize::from(*nth)).copied().unwrap_or_default();
        }
        Ok(())
    }
}
