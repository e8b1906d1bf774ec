//! 计划: what a county plans, shared out among its townships.
//!
//! Invariant: the townships' parts add up to the county's target.

use super::county::Spot;
use super::facts::{Planned, Target};
use super::plan::{CountyPlan, apportion, within};
use super::staff::Staff;

impl Planned {
    /// The name in the code list.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::PersonsOut => "脱贫人口",
            Self::VillagesOut => "出列村",
            Self::HouseholdsMoved => "搬迁户",
            Self::PersonsMoved => "搬迁人口",
        }
    }
}

/// Of a county whose targets are not published: persons by hundred households, and one in so many
/// poor villages.
const PERSONS_OUT_PER_100: u64 = 85;
const VILLAGES_OUT: u64 = 4;

/// The county's targets, published or made up, in the order of the sheet. Each comes with the
/// parts of the townships.
pub(super) fn targets(plan: &CountyPlan<'_>, staff: &Staff<'_>) -> Vec<(Target, Vec<u64>)> {
    let towns: Vec<Town> = (0..staff.towns.len()).map(|town| Town::count(staff, town)).collect();
    let households: Vec<u64> = towns.iter().map(|town| town.households).collect();
    let poor: Vec<u64> = towns.iter().map(|town| town.poor_villages).collect();
    let made_up = [
        Target {
            year: plan.year,
            planned: Planned::PersonsOut,
            value: plan.households * PERSONS_OUT_PER_100 / 100,
        },
        Target {
            year: plan.year,
            planned: Planned::VillagesOut,
            value: poor.iter().sum::<u64>() / VILLAGES_OUT,
        },
    ];
    let published = plan.facts.targets;
    let targets = if published.is_empty() { &made_up } else { published };
    let parts = |target: &Target| match target.planned {
        Planned::VillagesOut => within(target.value, &poor, &poor),
        _ => apportion(target.value, &households),
    };
    targets.iter().map(|target| (*target, parts(target))).collect()
}

/// What a township's part is measured by.
struct Town {
    households: u64,
    poor_villages: u64,
}

impl Town {
    fn count(staff: &Staff<'_>, town: usize) -> Self {
        let villages = || staff.villages.iter().filter(move |village| village.town == Some(town));
        let poor = villages().filter(|village| village.is_poor()).count();
        Self {
            households: villages().map(|village| village.spot.households).sum(),
            poor_villages: u64::try_from(poor).unwrap_or(0),
        }
    }
}

/// The targets of each township: its parts, without those that are nothing.
pub(super) fn town_targets<'t>(
    targets: &'t [(Target, Vec<u64>)],
    towns: &'t [&Spot],
) -> impl Iterator<Item = (&'t str, Target)> {
    towns.iter().enumerate().flat_map(move |(place, town)| {
        let part = move |(target, parts): &(Target, Vec<u64>)| {
            let value = parts.get(place).copied().filter(|value| *value > 0)?;
            Some((town.area.code.as_str(), Target { value, ..*target }))
        };
        targets.iter().filter_map(part)
    })
}
