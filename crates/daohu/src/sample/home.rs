//! Land, house, water and road of a household.
//!
//! Invariants: 危房等级 agrees with 是否危房户; a house has 5 to 100 m² per head; farmland stays
//! below 50 mu per head; irrigated land is part of farmland.

use super::dice::{Dice, whole};
use super::facts::Facts;

/// Areas in tenths of a mu.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Land {
    pub(super) farm: i32,
    pub(super) irrigated: i32,
    pub(super) wood: i32,
    pub(super) restored: i32,
    pub(super) orchard: i32,
    pub(super) pasture: i32,
    pub(super) water: i32,
}

impl Land {
    /// Land of a household with that many people; short where the lack of it is the cause.
    pub(super) fn draw(dice: &mut Dice, facts: &Facts, people: i32, lacking: bool) -> Self {
        let scale = if lacking { 0.3 } else { 1.0 };
        let mut area = |per_head: i32, low: f64, high: f64| {
            let tenths = f64::from(per_head * people) * scale * dice.real(low, high);
            i32::try_from(whole(tenths)).unwrap_or(0)
        };
        let farm = area(facts.farmland, 0.4, 1.7);
        let irrigated = area(facts.farmland, 0.0, 0.8).min(farm);
        let wood = area(facts.woodland, 0.1, 1.9);
        Self {
            farm,
            irrigated,
            wood,
            restored: if dice.chance(310) { dice.between(5, 60) } else { 0 },
            orchard: if dice.chance(190) { dice.between(3, 40) } else { 0 },
            pasture: if dice.chance(15) { dice.between(5, 80) } else { 0 },
            water: if dice.chance(35) { dice.between(1, 15) } else { 0 },
        }
    }
}

/// House and what leads to it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Home {
    /// m².
    pub(super) area: i32,
    pub(super) structure: &'static str,
    pub(super) built: i32,
    pub(super) dangerous: bool,
    /// 危房等级; not every house was graded.
    pub(super) grade: Option<&'static str>,
    /// 危改年度.
    pub(super) rebuilt: Option<i32>,
    /// 易地搬迁户.
    pub(super) relocated: bool,
    pub(super) water_hard: bool,
    pub(super) water_safe: bool,
    /// Tenths of a kilometre.
    pub(super) road_distance: i32,
    pub(super) road: &'static str,
    pub(super) fuel: &'static str,
    pub(super) toilet: bool,
    pub(super) power: bool,
    pub(super) lights: bool,
    pub(super) television: bool,
}

impl Home {
    /// `means` is how well off the household is, as a logarithm around 0.
    pub(super) fn draw(dice: &mut Dice, year: i32, people: i32, means: f64, cause: &str) -> Self {
        let better = |base: i32, slope: f64| {
            u32::try_from(i64::from(base) + whole(slope * means)).unwrap_or(0)
        };
        let mut home = Self::default();
        home.house(dice, year, people, means);
        home.water_hard = dice.chance(if cause == "缺水" { 900 } else { better(90, -250.0) });
        home.water_safe = !home.water_hard && dice.chance(better(935, 80.0));
        let remote = cause == "交通条件落后";
        home.road_distance = dice.between(0, 12)
            + dice.between(0, if remote { 60 } else { 14 }) * dice.between(0, 2);
        let dirt = if remote { 55 } else { 24 };
        home.road =
            dice.weighted(&[(dirt, "泥土路"), (26, "砂石路"), (48, "水泥路"), (2, "沥青路")]);
        home.fuel = dice.weighted(&[
            (better(560, -250.0), "柴草"),
            (150, "煤炭"),
            (better(280, 250.0), "清洁能源"),
            (8, "其他"),
        ]);
        home.toilet = dice.chance(better(470, 300.0));
        home.power = dice.chance(better(860, 200.0));
        home.lights = dice.chance(992);
        home.television = dice.chance(better(930, 100.0));
        home
    }

    fn house(&mut self, dice: &mut Dice, year: i32, people: i32, means: f64) {
        let slope = |base: f64, slope: f64| u32::try_from(whole(base + slope * means)).unwrap_or(0);
        self.relocated = dice.chance(60);
        if self.relocated {
            // At most 25 m² a head, and built within the campaign.
            self.area = people * dice.between(18, 25);
            self.built = year - dice.between(0, 3);
            self.structure = dice.weighted(&[(3, "钢筋混凝土"), (7, "砖混材料")]);
            self.grade = Some("A");
            return;
        }
        let base = dice.between(18, 55) + i32::try_from(whole(20.0 * means)).unwrap_or(0);
        self.area = (base + people * dice.between(7, 20)).clamp(people * 6, people * 95);
        self.built = if dice.chance(slope(350.0, 300.0)) {
            dice.between(year - 12, year)
        } else {
            dice.between(1958, year - 13)
        };
        self.structure = match self.built {
            2000.. => dice.weighted(&[(6, "钢筋混凝土"), (66, "砖混材料"), (28, "砖瓦砖木")]),
            1985.. => dice.weighted(&[(32, "砖混材料"), (53, "砖瓦砖木"), (15, "竹草土坯")]),
            _ => dice.weighted(&[(4, "砖混材料"), (61, "砖瓦砖木"), (33, "竹草土坯"), (2, "其他")]),
        };
        let decay = match self.structure {
            "竹草土坯" => 370,
            "砖瓦砖木" => 140,
            _ => 12,
        };
        self.dangerous = dice.chance(decay);
        if self.dangerous {
            self.grade = Some(dice.weighted(&[(58, "C"), (42, "D")]));
            return;
        }
        self.grade = dice.chance(720).then(|| dice.weighted(&[(55, "A"), (45, "B")]));
        if self.built >= 2009 && dice.chance(420) {
            self.rebuilt = Some(self.built);
        }
    }
}
