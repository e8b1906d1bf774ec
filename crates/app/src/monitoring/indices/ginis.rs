//! Gini's coefficients of areas: no sum of those of smaller ones, so that each needs the incomes of its households in order.

use std::{
    collections::BTreeMap,
    num::NonZero,
    sync::{Mutex, PoisonError},
};

use daohu_census::{
    Census,
    indices::{Asked, Chosen, Ladder},
};

use super::super::picture::threads;

/// Those that were asked for, by year and area, until somebody writes in the area.
#[derive(Default)]
pub(in crate::monitoring) struct Ginis(Mutex<BTreeMap<(i64, String), Option<f64>>>);

/// Of fewer households than this, one thread has the order before a second has begun.
const FEW: usize = 50_000;

impl Ginis {
    /// These counties were written.
    pub(in crate::monitoring) fn forget<'m>(
        &self,
        counties: impl Iterator<Item = &'m String> + Clone,
    ) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(_, area), _| {
            !counties.clone().any(|own| own.starts_with(area.as_str()) || area.starts_with(own))
        });
    }

    fn find(&self, year: i64, area: &str) -> Option<Option<f64>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(year, area.to_owned())).copied()
    }

    fn keep(&self, year: i64, area: &str, gini: Option<f64>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert((year, area.to_owned()), gini);
    }
}

/// Gini's coefficient of the incomes a head in each of some areas of one level: of all households there, or of those that are
/// chosen, which nobody keeps.
pub(super) fn ginis(
    census: &Census,
    year: i64,
    areas: &[&str],
    (is_chosen, kept): (Option<&[bool]>, Option<&Ginis>),
) -> Vec<Option<f64>> {
    let kept = kept.filter(|_| is_chosen.is_none());
    let known = |area: &&str| kept.and_then(|kept| kept.find(year, area));
    let found: Vec<Option<Option<f64>>> = areas.iter().map(known).collect();
    if found.iter().all(Option::is_some) {
        return found.into_iter().flatten().collect();
    }
    let digits = areas.first().map_or(0, |area| area.len());
    let wanted = areas.iter().zip(&found).zip(0..).filter(|((_, found), _)| found.is_none());
    let wanted: BTreeMap<&str, usize> = wanted.map(|((area, _), nth)| (*area, nth)).collect();
    let part_of = |village: &String| wanted.get(village.get(..digits)?).copied();
    let of_village: Vec<Option<usize>> = census.villages().iter().map(part_of).collect();
    let mut places: Vec<Vec<u32>> = areas.iter().map(|_| Vec::new()).collect();
    let counts = |nth: usize| is_chosen.is_none_or(|own| own.get(nth) == Some(&true));
    let all = (0_u32..).zip(census.village_places()).enumerate();
    for (_, (nth, village)) in all.filter(|(nth, _)| counts(*nth)) {
        let village = usize::try_from(*village).unwrap_or(usize::MAX);
        let own = of_village.get(village).copied().flatten();
        if let Some(own) = own.and_then(|own| places.get_mut(own)) {
            own.push(nth);
        }
    }
    let told = areas.iter().zip(found).zip(places);
    told.map(|((area, found), places)| {
        found.unwrap_or_else(|| {
            let gini = of_places(census, year, &places);
            if let Some(kept) = kept {
                kept.keep(year, area, gini);
            }
            gini
        })
    })
    .collect()
}

fn of_places(census: &Census, year: i64, places: &[u32]) -> Option<f64> {
    let threads = if places.len() < FEW { NonZero::<usize>::MIN } else { threads() };
    Ladder::of(census.incomes(year), Asked { chosen: Chosen::Places(places), threads }).gini()
}
