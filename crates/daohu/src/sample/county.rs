//! A county's townships and villages: which are poor, where they lie, how many live there.
//!
//! Invariants: the poor households of the villages add up to the county's; the number of flagged
//! villages is the planned one whenever there are that many villages; a village has more rural
//! households than poor ones.

use super::dice::{Dice, whole};
use super::facts::PoorVillages;
use super::places::Point;
use super::plan::{CountyPlan, Stream, apportion};
use super::tree::{AreaRow, Tree, is_town};

/// A township or a village.
pub(super) struct Spot {
    pub(super) area: AreaRow,
    pub(super) town: bool,
    /// 是否贫困乡镇 or 是否贫困村; `None` is not known.
    pub(super) poor: Option<bool>,
    pub(super) centre: Option<Point>,
    /// Registered households, of a village.
    pub(super) households: u64,
    /// 乡村户数 and 乡村人口, of a village.
    pub(super) rural: Option<(i64, i64)>,
    /// How much better (above 0) or worse than the county the village earns, as a logarithm.
    pub(super) mood: f64,
}

/// Villages lie up to about 6 km from their township; in hundred-thousandths of a degree.
const VILLAGE_REACH: i32 = 6_000;

/// Mean size of a rural household.
const PEOPLE_PER_HOUSEHOLD: (f64, f64) = (3.1, 3.65);

/// Townships and villages in the order of their codes.
pub(super) fn spots(tree: &Tree<'_>, plan: &CountyPlan<'_>) -> Vec<Spot> {
    let mut dice = plan.dice(Stream::Places);
    let mut spots: Vec<Spot> = tree
        .places(&plan.county.code, plan.size)
        .into_iter()
        .map(|area| Spot {
            town: is_town(&area),
            area,
            poor: None,
            centre: None,
            households: 0,
            rural: None,
            mood: dice.normal() * 0.06,
        })
        .collect();
    locate(&mut spots, plan, &mut dice);
    flag_towns(&mut spots, plan, &mut dice);
    flag_villages(&mut spots, plan, &mut dice);
    settle(&mut spots, plan, &mut dice);
    spots
}

/// Villages lie around their township, which precedes them in the list.
fn locate(spots: &mut [Spot], plan: &CountyPlan<'_>, dice: &mut Dice) {
    let Some(bounds) = plan.bounds else { return };
    let mut centre = bounds.inside(dice);
    for spot in spots {
        if spot.town {
            centre = bounds.inside(dice);
            spot.centre = Some(centre);
        } else {
            spot.centre = Some(bounds.near(centre, VILLAGE_REACH, dice));
        }
    }
}

fn flag_towns(spots: &mut [Spot], plan: &CountyPlan<'_>, dice: &mut Dice) {
    let Some(count) = plan.poor_towns else { return };
    let named = plan.facts.poor_town_names;
    let is_named = |area: &AreaRow| named.iter().any(|name| area.name.starts_with(name));
    flag(spots.iter_mut().filter(|spot| spot.town), count, is_named, dice);
}

fn flag_villages(spots: &mut [Spot], plan: &CountyPlan<'_>, dice: &mut Dice) {
    let villages = || spots.iter().filter(|spot| !spot.town).count();
    let count = match plan.poor_villages {
        PoorVillages::Exactly(count) => count,
        PoorVillages::PerMille(share) => {
            u32::try_from(villages()).unwrap_or(0).saturating_mul(share) / 1000
        }
    };
    // Communities are streets of the township; the poor villages are the farming ones.
    let farming = |area: &AreaRow| area.kind != "社区";
    flag(spots.iter_mut().filter(|spot| !spot.town), count, farming, dice);
}

/// Flags `count` of the spots by lot, the preferred ones first.
fn flag<'a>(
    spots: impl Iterator<Item = &'a mut Spot>,
    count: u32,
    preferred: impl Fn(&AreaRow) -> bool,
    dice: &mut Dice,
) {
    let mut lots: Vec<_> = spots
        .enumerate()
        .map(|(index, spot)| (!preferred(&spot.area), dice.below(u32::MAX), index, spot))
        .collect();
    lots.sort_by_key(|(other, lot, index, _)| (*other, *lot, *index));
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    for (place, (_, _, _, spot)) in lots.into_iter().enumerate() {
        spot.poor = Some(place < count);
    }
}

/// Shares the households out: by rural households, and twice as many per head in poor villages.
fn settle(spots: &mut [Spot], plan: &CountyPlan<'_>, dice: &mut Dice) {
    let mut sizes = Vec::new();
    let mut weights = Vec::new();
    for spot in spots.iter().filter(|spot| !spot.town) {
        let streets = if spot.area.kind == "社区" { 0.5 } else { 1.0 };
        let size = streets * dice.real(0.5, 1.7);
        let poverty = if spot.poor == Some(true) { 2.0 } else { 0.85 };
        sizes.push(size);
        weights.push(share(size * poverty * dice.real(0.75, 1.25)));
    }
    let rural_total = i64::try_from(plan.households).unwrap_or(i64::MAX).saturating_mul(1000)
        / i64::from(plan.facts.incidence.max(1));
    let rural_total = u64::try_from(rural_total).unwrap_or(0);
    let size_weights: Vec<u64> = sizes.iter().map(|size| share(*size)).collect();
    let households = apportion(plan.households, &weights);
    let rural = apportion(rural_total, &size_weights);
    let villages = spots.iter_mut().filter(|spot| !spot.town);
    for ((spot, households), rural) in villages.zip(households).zip(rural) {
        spot.households = households;
        spot.rural = Some(people(households, rural, dice));
        if spot.poor == Some(true) {
            spot.mood -= 0.05;
        }
    }
}

/// Rural households and people of a village with `poor` registered households.
fn people(poor: u64, rural: u64, dice: &mut Dice) -> (i64, i64) {
    let households = i64::try_from(rural.max(poor + poor / 4 + 1)).unwrap_or(i64::MAX);
    let (low, high) = PEOPLE_PER_HOUSEHOLD;
    // Tenths per household, so that the product stays a whole number of people.
    let tenths = whole(dice.real(low, high) * 10.0);
    (households, households.saturating_mul(tenths) / 10)
}

fn share(weight: f64) -> u64 {
    u64::try_from(whole(weight * 1000.0)).unwrap_or(0)
}
