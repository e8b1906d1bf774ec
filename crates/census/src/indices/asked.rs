//! Of which households a figure is asked, and how their parts are put together.

use std::{num::NonZero, ops::Range, thread};

/// Which households a figure is asked of.
#[derive(Clone, Copy, Debug)]
pub enum Chosen<'a> {
    /// All.
    All,
    /// Those from the first place to before the second.
    Between(usize, usize),
    /// Those with `true` at their place; where the slice has ended, none.
    Where(&'a [bool]),
    /// Those at these places, in any order; one that is named twice counts twice, and one that there is not is nobody.
    Places(&'a [u32]),
}

/// Which households, and on how many threads.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Which households.
    pub chosen: Chosen<'a>,
    /// How many threads share the work.
    pub threads: NonZero<usize>,
}

/// The group of each household: its village, or the area that its village belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Groups<'a> {
    keys: &'a [u32],
    of_key: Option<&'a [u32]>,
    count: usize,
}

impl<'a> Groups<'a> {
    /// So many groups, and the one of each household; who has another number is in none of them.
    pub fn of(households: &'a [u32], count: usize) -> Self {
        Self { keys: households, of_key: None, count }
    }

    /// So many groups, by what each household has a number of: its village
    /// ([`Census::village_places`](crate::Census::village_places)), and of each village the group.
    pub fn through(households: &'a [u32], of_village: &'a [u32], count: usize) -> Self {
        Self { keys: households, of_key: Some(of_village), count }
    }

    fn group(&self, household: usize) -> Option<usize> {
        let key = *self.keys.get(household)?;
        let group = match self.of_key {
            Some(of_key) => *of_key.get(place(key))?,
            None => key,
        };
        Some(place(group)).filter(|group| *group < self.count)
    }
}

/// A place as it counts in a slice.
pub(super) fn place(nth: u32) -> usize {
    usize::try_from(nth).unwrap_or(usize::MAX)
}

impl Chosen<'_> {
    /// The places to look at, among so many households: as they stand in the census or, of a list, in the list.
    fn range(&self, households: usize) -> Range<usize> {
        match self {
            Self::All => 0..households,
            Self::Between(from, end) => {
                let from = (*from).min(households);
                from..(*end).clamp(from, households)
            }
            Self::Where(is_chosen) => 0..is_chosen.len().min(households),
            Self::Places(places) => 0..places.len(),
        }
    }

    /// Takes each household of a part of that range.
    fn each(&self, part: Range<usize>, households: usize, mut take: impl FnMut(usize)) {
        match self {
            Self::All | Self::Between(..) => part.for_each(take),
            Self::Where(is_chosen) => {
                let own = is_chosen.get(part.clone()).unwrap_or_default();
                part.zip(own).filter(|(_, is_chosen)| **is_chosen).for_each(|(nth, _)| take(nth));
            }
            Self::Places(places) => {
                let own = places.get(part).unwrap_or_default().iter().map(|nth| place(*nth));
                own.filter(|nth| *nth < households).for_each(take);
            }
        }
    }
}

/// What households are taken into, and what is counted of others is joined to: by another thread, or of another area.
pub trait Tally: Send {
    /// Takes in what was counted, by the same measure, of other households.
    fn join(&mut self, other: &Self);
}

impl<T: Tally> Tally for Vec<T> {
    fn join(&mut self, other: &Self) {
        self.iter_mut().zip(other).for_each(|(own, other)| own.join(other));
    }
}

impl Asked<'_> {
    /// Takes in every chosen one of so many households.
    pub(super) fn tally<T: Tally>(
        &self,
        households: usize,
        empty: impl Fn() -> T + Sync,
        take: impl Fn(&mut T, usize) + Sync,
    ) -> T {
        let parts = self.parts(households, &empty, &take);
        let joined = parts.into_iter().reduce(|mut all, part| {
            all.join(&part);
            all
        });
        joined.unwrap_or_else(empty)
    }

    /// Takes in every chosen one of so many households, each into its group.
    pub fn tally_by<T: Tally>(
        &self,
        households: usize,
        groups: Groups<'_>,
        empty: impl Fn() -> T + Sync,
        take: impl Fn(&mut T, usize) + Sync,
    ) -> Vec<T> {
        let all = || std::iter::repeat_with(&empty).take(groups.count).collect();
        self.tally(households, all, |all: &mut Vec<T>, nth| {
            if let Some(own) = groups.group(nth).and_then(|group| all.get_mut(group)) {
                take(own, nth);
            }
        })
    }

    /// How many households may be chosen at most.
    pub(super) fn most(&self, households: usize) -> usize {
        self.chosen.range(households).len()
    }

    /// Some of the chosen households, about so many, from all over.
    pub(super) fn some(&self, households: usize, about: usize) -> Vec<usize> {
        let range = self.chosen.range(households);
        let step = range.len() / about + 1;
        let mut some = Vec::new();
        for nth in range.step_by(step) {
            self.chosen.each(nth..nth + 1, households, |nth| some.push(nth));
        }
        some
    }

    /// What each thread has taken in.
    pub(super) fn parts<T: Send>(
        &self,
        households: usize,
        empty: impl Fn() -> T + Sync,
        take: impl Fn(&mut T, usize) + Sync,
    ) -> Vec<T> {
        let range = self.chosen.range(households);
        let share = range.len().div_ceil(self.threads.get()).max(1);
        let starts = range.clone().step_by(share);
        let mut parts: Vec<Option<T>> = starts.clone().map(|_| None).collect();
        thread::scope(|scope| {
            let mut work = starts.zip(&mut parts).map(|(start, slot)| {
                let (empty, take) = (&empty, &take);
                let part = start..(start + share).min(range.end);
                move || {
                    // On the thread's own stack: threads that write side by side slow each other down.
                    let mut own = empty();
                    self.chosen.each(part, households, |nth| take(&mut own, nth));
                    *slot = Some(own);
                }
            });
            // One of them here.
            let own = work.next();
            work.for_each(|work| drop(scope.spawn(work)));
            own.into_iter().for_each(|work| work());
        });
        parts.into_iter().flatten().collect()
    }
}
