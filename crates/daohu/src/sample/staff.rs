//! Who helps in a county, by number: leaders, units, teams, officers, technicians and helpers.
//!
//! Invariants: nothing here is drawn by lot, so that every pass over a county finds the same. It
//! is as large as the county has villages and units, whatever its number of households: which
//! households a helper has is computed from its place. Every household has one helper. Every poor
//! village has a unit, a team, an officer and a technician.

use std::cmp::Reverse;
use std::ops::Range;

use super::county::Spot;
use super::facts::{HELPERS, Help, LEADERS, Share, TEAM_MEMBERS, UNITS};
use super::plan::{CountyPlan, apportion};

/// Where no number is published: units of a county with few poor villages.
const UNITS_MIN: u64 = 30;
/// Poor villages of one township that share a technician.
const TECHNICIAN_VILLAGES: u32 = 3;
/// One in so many poor villages, those with the most households, has a second officer.
const SECOND_OFFICER: usize = 4;
/// Shares of teams where their members are published and do not divide evenly.
const POOR_WEIGHT: u64 = 5;
const OTHER_WEIGHT: u64 = 4;

/// A village with those who answer for it: people and units by their place, counted from 0.
pub(super) struct Village<'a> {
    pub(super) spot: &'a Spot,
    /// The place of its township among the county's.
    pub(super) town: Option<usize>,
    /// The first of the units that help it.
    pub(super) unit: Option<u64>,
    /// Members of its team; 0 where it has none.
    pub(super) members: u64,
    pub(super) officers: u64,
    pub(super) technician: Option<u64>,
    /// Registered households here and in the villages before.
    households_until: u64,
}

impl Village<'_> {
    pub(super) fn is_poor(&self) -> bool {
        self.spot.poor == Some(true)
    }
}

/// Who helps in a county: people and units by their place, counted from 0.
pub(super) struct Staff<'a> {
    /// The county's code.
    pub(super) county: &'a str,
    /// Townships and villages in the order of their codes.
    pub(super) towns: Vec<&'a Spot>,
    pub(super) villages: Vec<Village<'a>>,
    pub(super) leaders: u64,
    /// Helping units by 单位级别: 国家, 省, 市, 县; their places follow the levels.
    pub(super) units: [u64; 4],
    pub(super) technicians: u64,
    pub(super) helpers: u64,
    households: u64,
    /// Units of the higher levels that help a poor township each, rather than villages.
    town_units: u64,
    /// Villages as the units take them, the poor ones first.
    order: Vec<usize>,
}

impl<'a> Staff<'a> {
    pub(super) fn new(plan: &'a CountyPlan<'a>, spots: &'a [Spot]) -> Self {
        let help = &plan.facts.help;
        let towns: Vec<&Spot> = spots.iter().filter(|spot| spot.town).collect();
        let villages = villages(spots);
        let (poor, others): (Vec<usize>, Vec<usize>) = (0..villages.len())
            .partition(|place| villages.get(*place).is_some_and(Village::is_poor));
        let units = help.units.map_or_else(
            || [0, 0, 0, share(UNITS, wide(poor.len())).max(UNITS_MIN)],
            |units| units.map(u64::from),
        );
        let [state, province, city, _] = units;
        let poor_towns = towns.iter().filter(|town| town.poor == Some(true)).count();
        let leaders = help.leaders.map_or_else(|| share(LEADERS, wide(towns.len())), u64::from);
        let mut staff = Self {
            county: &plan.county.code,
            leaders: if towns.is_empty() { 0 } else { leaders },
            towns,
            villages,
            units,
            technicians: 0,
            helpers: share(HELPERS, plan.households),
            households: plan.households,
            town_units: wide(poor_towns).min(state + province + city),
            order: [poor.as_slice(), others.as_slice()].concat(),
        };
        staff.give_units();
        staff.give_teams(help, poor.len());
        staff.give_officers(help, &poor, &others);
        staff.give_technicians();
        staff
    }

    /// Helping units; the townships' offices are numbered behind them.
    pub(super) fn helping_units(&self) -> u64 {
        self.units.iter().sum()
    }

    /// The unit that is a township's government. The next one is its service centre for farming.
    pub(super) fn government(&self, town: usize) -> u64 {
        self.helping_units() + 2 * wide(town)
    }

    /// The first unit of the county's own.
    pub(super) fn first_county_unit(&self) -> u64 {
        let [state, province, city, _] = self.units;
        state + province + city
    }

    /// Where those who help a village come from: the unit that helps it, or the township.
    pub(super) fn home_of(&self, village: &Village<'_>) -> Option<u64> {
        village.unit.or_else(|| village.town.map(|town| self.government(town)))
    }

    /// Units that help villages.
    fn village_units(&self) -> u64 {
        self.helping_units() - self.town_units
    }

    /// Pairs of unit and village: every such unit has one, and every poor village.
    fn unit_pairs(&self) -> u64 {
        let poor = self.villages.iter().filter(|village| village.is_poor()).count();
        if self.order.is_empty() || self.village_units() == 0 {
            return 0;
        }
        self.village_units().max(wide(poor))
    }

    fn give_units(&mut self) {
        let units = self.village_units();
        for place in 0..self.unit_pairs() {
            let unit = self.town_units + place % units;
            let Some(village) = self.order.get(narrow(place)) else { break };
            if let Some(village) = self.villages.get_mut(*village) {
                village.unit = Some(unit);
            }
        }
    }

    /// The poor township that a unit helps.
    pub(super) fn town_of(&self, unit: u64) -> Option<&'a Spot> {
        let mut poor = self.towns.iter().copied().filter(|town| town.poor == Some(true));
        if unit < self.town_units { poor.nth(narrow(unit)) } else { None }
    }

    /// The villages that a unit helps, in the order of their codes.
    pub(super) fn villages_of(&self, unit: u64) -> impl Iterator<Item = &Village<'a>> {
        // Only poor villages come second: units beyond them have one each.
        let pairs = if unit < self.town_units { 0 } else { self.unit_pairs() };
        let places = unit.saturating_sub(self.town_units)..pairs;
        places.step_by(narrow(self.village_units().max(1))).filter_map(|place| {
            let place = place % wide(self.order.len()).max(1);
            self.villages.get(*self.order.get(narrow(place))?)
        })
    }

    /// The townships that a leader answers for: everyone has one, and every township a leader.
    pub(super) fn towns_of(&self, leader: u64) -> impl Iterator<Item = &'a Spot> {
        let towns = wide(self.towns.len());
        let pairs = leader..self.leaders.max(towns);
        pairs
            .step_by(narrow(self.leaders.max(1)))
            .filter_map(move |place| self.towns.get(narrow(place % towns.max(1))).copied())
    }

    /// Teams go to the poor villages first, then to villages, then to communities.
    fn give_teams(&mut self, help: &Help, poor: usize) {
        let count = help.teams.map_or(poor, |count| narrow(u64::from(count)));
        let mut queue: Vec<usize> = (0..self.villages.len()).collect();
        queue.sort_by_key(|place| {
            let village = self.villages.get(*place);
            village.map(|village| (!village.is_poor(), village.spot.area.kind == "社区"))
        });
        queue.truncate(count);
        queue.sort_unstable();
        let weight = |place: &usize| {
            let is_poor = self.villages.get(*place).is_some_and(Village::is_poor);
            if is_poor { POOR_WEIGHT } else { OTHER_WEIGHT }
        };
        let weights: Vec<u64> = queue.iter().map(weight).collect();
        let members = help.team_members.map_or(TEAM_MEMBERS * wide(queue.len()), u64::from);
        for (place, members) in queue.into_iter().zip(apportion(members, &weights)) {
            if let Some(village) = self.villages.get_mut(place) {
                village.members = members;
            }
        }
    }

    /// An officer for each poor village, a second one where many are poor, then one for the other
    /// villages as far as there are officers.
    fn give_officers(&mut self, help: &Help, poor: &[usize], others: &[usize]) {
        let count = help.officers.map_or(poor.len(), |count| narrow(u64::from(count)));
        let by_size = |places: &[usize]| {
            let mut places = places.to_vec();
            let size = |place: &usize| self.villages.get(*place).map(|v| v.spot.households);
            places.sort_by_key(|place| Reverse(size(place)));
            places
        };
        let mut large = by_size(poor);
        large.truncate(poor.len() / SECOND_OFFICER);
        let queue = [poor, large.as_slice(), by_size(others).as_slice()].concat();
        for place in queue.iter().cycle().take(count) {
            if let Some(village) = self.villages.get_mut(*place) {
                village.officers += 1;
            }
        }
    }

    fn give_technicians(&mut self) {
        let (mut town, mut served) = (None, 0);
        for village in self.villages.iter_mut().filter(|village| village.is_poor()) {
            if self.technicians == 0 || town != village.town || served == TECHNICIAN_VILLAGES {
                (town, served) = (village.town, 0);
                self.technicians += 1;
            }
            served += 1;
            village.technician = Some(self.technicians - 1);
        }
    }

    /// A helper's households by their place in the county: blocks that differ by at most one, in turn.
    pub(super) fn households_of(&self, helper: u64) -> Range<u64> {
        let helpers = self.helpers.max(1);
        helper * self.households / helpers..(helper + 1) * self.households / helpers
    }

    /// The village where a helper's households begin.
    pub(super) fn village_of_helper(&self, helper: u64) -> Option<&Village<'a>> {
        let first = self.households_of(helper).start;
        let at = self.villages.partition_point(|village| village.households_until <= first);
        self.villages.get(at)
    }
}

/// The villages with their townships, which precede them.
fn villages(spots: &[Spot]) -> Vec<Village<'_>> {
    let mut villages = Vec::new();
    let mut towns: Vec<&str> = Vec::new();
    let mut households_until = 0;
    for spot in spots {
        if spot.town {
            towns.push(&spot.area.code);
            continue;
        }
        households_until += spot.households;
        let here = towns.last().is_some_and(|town| spot.area.code.starts_with(town));
        villages.push(Village {
            spot,
            town: here.then(|| towns.len() - 1),
            unit: None,
            members: 0,
            officers: 0,
            technician: None,
            households_until,
        });
    }
    villages
}

/// The usual number of helpers, rounded up.
fn share(share: Share, helped: u64) -> u64 {
    (share.helpers * helped).div_ceil(share.helped)
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn narrow(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
