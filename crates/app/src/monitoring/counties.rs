//! Figures of areas as sums: what the villages of each county come to is kept until somebody writes in the county, so that an
//! area is asked about anew only where something changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use daohu_base::{AreaCode, AreaLevel};
use daohu_census::Census;

use super::{picture::Parts, rulebook::Book};

/// What households come to: the sum of some is what they come to together.
pub(super) trait Sum: Clone {
    /// Adds what other households come to.
    fn add(&mut self, other: &Self);
}

/// What the villages of a county come to, each and all together.
struct County<T> {
    code: String,
    whole: T,
    villages: Vec<(String, T)>,
}

/// What the villages of some counties come to.
pub(super) struct Counties<T>(Vec<Arc<County<T>>>);

/// What the counties come to by the books that were asked last.
pub(super) struct Shelf<T>(Mutex<Vec<OfBook<T>>>);

type OfBook<T> = (Arc<Book>, BTreeMap<String, Arc<County<T>>>);

/// Books of which sums are kept.
const BOOKS: usize = 2;

/// The sum of some; none of nothing.
pub(super) fn sum<'t, T: Sum + 't>(all: impl IntoIterator<Item = &'t T>) -> Option<T> {
    let mut all = all.into_iter();
    let mut sum = all.next()?.clone();
    all.for_each(|own| sum.add(own));
    Some(sum)
}

fn county_of(village: &str) -> &str {
    village.get(..AreaLevel::County.digits()).unwrap_or(village)
}

impl<T: Sum> Counties<T> {
    /// What these villages come to.
    pub(super) fn of(villages: Vec<(String, T)>) -> Self {
        let mut counties: BTreeMap<String, Vec<(String, T)>> = BTreeMap::new();
        for (village, own) in villages {
            counties.entry(county_of(&village).to_owned()).or_default().push((village, own));
        }
        let county = |(code, villages): (String, Vec<(String, T)>)| {
            let whole = sum(villages.iter().map(|(_, own)| own))?;
            Some(Arc::new(County { code, whole, villages }))
        };
        Self(counties.into_iter().filter_map(county).collect())
    }

    /// What an area is put together from: counties as a whole where it is asked by no smaller areas, else villages.
    pub(super) fn pieces(&self, area: &AreaCode, by: Option<AreaLevel>) -> Vec<(&str, &T)> {
        let finest = by.unwrap_or(area.level()).max(area.level());
        let counties = self.0.iter();
        let pieces: Vec<(&str, &T)> = match finest <= AreaLevel::County {
            true => counties.map(|own| (own.code.as_str(), &own.whole)).collect(),
            false => {
                let villages = counties.flat_map(|own| &own.villages);
                villages.map(|(village, own)| (village.as_str(), own)).collect()
            }
        };
        pieces.into_iter().filter(|(code, _)| code.starts_with(area.as_str())).collect()
    }
}

/// What each of some parts comes to, by the part of each piece; none where nobody lives.
pub(super) fn by_part<T: Sum>(parts: &Parts, pieces: &[(&str, &T)]) -> Vec<Option<T>> {
    let mut sums: Vec<Option<T>> = parts.lines.iter().map(|_| None).collect();
    for (place, (_, own)) in parts.of_piece.iter().zip(pieces) {
        let sum = usize::try_from(*place).ok().and_then(|place| sums.get_mut(place));
        match sum {
            Some(Some(sum)) => sum.add(own),
            Some(none) => *none = Some((*own).clone()),
            None => {}
        }
    }
    sums
}

impl<T: Sum> Shelf<T> {
    /// What the counties in an area, or all where its code is empty, come to by a book; `ask` is asked of the villages of those
    /// that nobody asked about since they were written.
    pub(super) fn of(
        &self,
        (census, area): (&Census, &str),
        book: &Arc<Book>,
        ask: impl Fn(&Census, Range<usize>) -> Vec<(String, T)>,
    ) -> Counties<T> {
        let inside = census.villages().iter().filter(|village| village.starts_with(area));
        let counties: BTreeSet<&str> = inside.map(|village| county_of(village)).collect();
        let mut shelf = self.lock();
        let known = shelf.iter().position(|(own, _)| Arc::ptr_eq(own, book));
        // The one that was asked for last stands behind.
        let mut own = match known {
            Some(place) => shelf.remove(place),
            None => (Arc::clone(book), BTreeMap::new()),
        };
        let mut found = Vec::new();
        for code in counties {
            if !own.1.contains_key(code) {
                let asked = Counties::of(ask(census, census.span_of(code)));
                own.1.extend(asked.0.into_iter().map(|county| (county.code.clone(), county)));
            }
            found.extend(own.1.get(code).map(Arc::clone));
        }
        shelf.push(own);
        if shelf.len() > BOOKS {
            shelf.remove(0);
        }
        Counties(found)
    }

    /// These counties were written.
    pub(super) fn forget<'m>(&self, counties: impl Iterator<Item = &'m String> + Clone) {
        for (_, own) in self.lock().iter_mut() {
            counties.clone().for_each(|county| drop(own.remove(county)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<OfBook<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// The villages of the households between two places, numbered among themselves: of a county's villages there are few among those
/// of a province.
pub(super) struct Villages {
    /// Their places in the census, ascending.
    pub(super) places: Vec<u32>,
    /// Of each village of the census its number here; of others the last number there is.
    pub(super) numbers: Vec<u32>,
}

impl Villages {
    pub(super) fn of(census: &Census, span: Range<usize>) -> Self {
        let mut places = census.village_places().get(span).unwrap_or_default().to_vec();
        places.sort_unstable();
        places.dedup();
        let mut numbers = vec![u32::MAX; census.villages().len()];
        for (number, village) in (0..).zip(&places) {
            let slot = usize::try_from(*village).ok().and_then(|place| numbers.get_mut(place));
            if let Some(slot) = slot {
                *slot = number;
            }
        }
        Self { places, numbers }
    }

    /// What is said of each of these villages, at its place in the census; `nothing` at the places of others.
    pub(super) fn spread<V: Clone>(
        &self,
        census: &Census,
        nothing: V,
        say: impl Fn(&str) -> V,
    ) -> Vec<V> {
        let mut all = vec![nothing; census.villages().len()];
        for (village, name) in self.named(census) {
            if let Some(slot) = all.get_mut(village) {
                *slot = say(name);
            }
        }
        all
    }

    /// What each of them comes to, with its code.
    pub(super) fn with<T>(&self, census: &Census, of_each: Vec<T>) -> Vec<(String, T)> {
        let names = self.named(census).map(|(_, name)| name.to_owned());
        names.zip(of_each).collect()
    }

    fn named<'c>(&self, census: &'c Census) -> impl Iterator<Item = (usize, &'c str)> {
        self.places.iter().filter_map(|village| {
            let place = usize::try_from(*village).ok()?;
            Some((place, census.villages().get(place)?.as_str()))
        })
    }
}
