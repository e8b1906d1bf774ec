//! What a village has, and how that grows from year to year.
//!
//! Invariants: rural households and people are those of the area sheet in every year; what a
//! village has once, it keeps; counts never shrink.

use super::dice::{Dice, whole};
use super::facts::Facts;

/// The year that growth is counted from: the first that a sample may tell of.
const FIRST_YEAR: i32 = 2010;

/// Something that a village has or not. `(start, growth)`: how many in a thousand have it in the
/// first year, and how many more each year.
struct Facility {
    poor: i32,
    other: i32,
    growth: i32,
}

const fn facility(poor: i32, other: i32, growth: i32) -> Facility {
    Facility { poor, other, growth }
}

/// In the order of the sheet: hard road, bus, power for machines, broadband, clinic, culture room,
/// point of online trade.
const FACILITIES: [Facility; 7] = [
    facility(480, 860, 75),
    facility(240, 600, 65),
    facility(640, 920, 55),
    facility(60, 320, 110),
    facility(520, 800, 70),
    facility(280, 560, 80),
    facility(-180, -100, 55),
];

/// A village, without what depends on the year.
pub(super) struct Village {
    households: i64,
    people: i64,
    /// 自然村数.
    pub(super) hamlets: i64,
    /// 主要致贫原因 and 主导产业.
    pub(super) cause: &'static str,
    pub(super) trade: &'static str,
    poor: bool,
    /// Its rank among a thousand villages, for each of the facilities.
    ranks: [i32; 7],
    workers: i64,
    /// Of a thousand workers in the first year.
    away: i32,
    /// Of a thousand households in the first year.
    water: i32,
    doctors: i64,
    /// 集体经济收入 of the first year, yuan.
    collective: i64,
    cooperatives: i32,
}

/// A year of it.
pub(super) struct VillageYear {
    pub(super) households: i64,
    pub(super) people: i64,
    pub(super) workers: i64,
    pub(super) away: i64,
    pub(super) collective_fen: i64,
    pub(super) has: [bool; 7],
    pub(super) doctors: i64,
    pub(super) safe_water: i64,
    pub(super) cooperatives: i32,
}

/// The clinic among the facilities.
const CLINIC: usize = 4;

impl Village {
    pub(super) fn draw(
        dice: &mut Dice,
        facts: &Facts,
        poor: bool,
        (households, people): (i64, i64),
    ) -> Self {
        let ranks = [(); 7].map(|()| dice.between(0, 999));
        let wealth = dice.real(0.0, 1.0);
        // Half of the poor villages have nothing of their own.
        let collective = match (poor, wealth < 0.5) {
            (true, true) => 0,
            (true, false) => whole(wealth * wealth * 16_000.0),
            (false, _) => whole(4_000.0 + wealth * wealth * 120_000.0),
        };
        Self {
            households,
            people,
            hamlets: households / i64::from(dice.between(40, 75)) + 1,
            cause: dice.weighted(CAUSES),
            trade: dice.weighted(facts.trades),
            poor,
            ranks,
            workers: people * i64::from(dice.between(520, 610)) / 1000,
            away: dice.between(300, 460),
            water: if poor { dice.between(380, 600) } else { dice.between(580, 800) },
            doctors: i64::from(dice.between(1, 2)),
            collective,
            cooperatives: dice.between(-3, 2),
        }
    }

    pub(super) fn year(&self, year: i32) -> VillageYear {
        let passed = year - FIRST_YEAR;
        let mut has = [false; 7];
        for ((has, rank), facility) in has.iter_mut().zip(self.ranks).zip(&FACILITIES) {
            let start = if self.poor { facility.poor } else { facility.other };
            *has = rank < start + facility.growth * passed;
        }
        let clinic = has.get(CLINIC).copied().unwrap_or_default();
        let share = |of: i64, thousandths: i32| of * i64::from(thousandths.min(1000)) / 1000;
        let mut collective = self.collective;
        for _ in 0..passed {
            collective += collective / 8;
        }
        // One more every second year.
        let cooperatives = (self.cooperatives + passed / 2).max(0);
        VillageYear {
            households: self.households,
            people: self.people,
            workers: self.workers,
            away: share(self.workers, self.away + 12 * passed),
            collective_fen: collective * 100,
            has,
            doctors: if clinic { self.doctors } else { 0 },
            safe_water: share(self.households, self.water + 50 * passed),
            cooperatives,
        }
    }
}

/// Why villages are poor, by weight.
const CAUSES: &[(u32, &str)] = &[
    (30, "交通条件落后"),
    (22, "缺资金"),
    (18, "缺技术"),
    (10, "缺劳力"),
    (8, "因病"),
    (5, "缺水"),
    (4, "因灾"),
    (2, "缺土地"),
    (1, "自身发展动力不足"),
];

#[cfg(test)]
mod tests {
    use super::super::facts::facts;
    use super::*;

    #[test]
    fn nothing_that_a_village_has_is_lost() {
        let mut dice = Dice::new(1, 1);
        for poor in [true, false] {
            for _ in 0..200 {
                let facts = facts("500242").unwrap();
                let village = Village::draw(&mut dice, facts, poor, (400, 1400));
                let years: Vec<VillageYear> = (2010..=2020).map(|y| village.year(y)).collect();
                for pair in years.windows(2) {
                    let (old, new) = (&pair[0], &pair[1]);
                    assert!(old.has.iter().zip(new.has).all(|(old, new)| !old || new));
                    assert!(old.collective_fen <= new.collective_fen);
                    assert!(old.doctors <= new.doctors && old.cooperatives <= new.cooperatives);
                    assert!(old.safe_water <= new.safe_water && new.safe_water <= 400);
                    assert!(old.away <= new.away && new.away < new.workers);
                    assert!(new.workers < new.people);
                }
            }
        }
    }
}
