//! Rows of 户. Optional cells are left blank now and then, as in a register kept by many hands.

use super::dice::Dice;
use super::facts::Facts;
use super::household::{Category, Household, Standing};
use super::places::Point;
use super::sheet::Row;
use super::write_area::point;

/// Where a household lives and what it is called by.
pub(super) struct Address<'a> {
    /// 户编号.
    pub(super) number: &'a str,
    pub(super) village: &'a str,
    pub(super) group: u64,
    /// The village is a community, where some hold an urban registration.
    pub(super) street: bool,
    pub(super) point: Option<Point>,
}

/// Cells left blank, per mille: where nothing depends on them, and where a rule warns.
const GAP: u32 = 20;
const SMALL_GAP: u32 = 5;

/// Puts the household into the row.
pub(super) fn household(
    row: &mut Row,
    dice: &mut Dice,
    address: &Address<'_>,
    household: &Household,
    facts: &Facts,
) {
    row.clear();
    row.text(address.number);
    row.text(address.village);
    gap_or(row, dice, GAP, |row| row.show(format_args!("{}组", address.group)));
    row.maybe(household.members.first().map(|head| head.name));
    contact(row, dice, address, facts);
    registration(row, dice, address, household);
    causes(row, dice, household);
    standing(row, dice, household);
    land(row, dice, household);
    home(row, dice, household);
    business(row, dice, facts);
    let located = !dice.chance(SMALL_GAP);
    point(row, address.point.filter(|_| located));
}

fn gap_or(row: &mut Row, dice: &mut Dice, gap: u32, fill: impl FnOnce(&mut Row)) {
    if dice.chance(gap) {
        row.blank();
    } else {
        fill(row);
    }
}

fn flag(row: &mut Row, dice: &mut Dice, value: bool) {
    gap_or(row, dice, GAP, |row| row.flag(value));
}

/// 联系电话, 开户银行 and 银行卡号.
fn contact(row: &mut Row, dice: &mut Dice, address: &Address<'_>, facts: &Facts) {
    phone(row, dice, 860);
    if dice.chance(880) {
        row.text(dice.pick(facts.banks));
        // The household number keeps the card number unique.
        let (county, serial) = address.number.split_at_checked(6).unwrap_or_default();
        let serial = serial.get(1..).unwrap_or_default();
        row.show(format_args!("990000{county}{serial}"));
    } else {
        row.blank();
        row.blank();
    }
}

/// A telephone number that nobody has: 1990000 and four digits.
pub(super) fn phone(row: &mut Row, dice: &mut Dice, per_mille: u32) {
    let number = dice.below(10_000);
    if dice.chance(per_mille) {
        row.show(format_args!("1990000{number:04}"));
    } else {
        row.blank();
    }
}

/// 户类型, 识别标准, 识别年度 and 贫困户属性.
fn registration(row: &mut Row, dice: &mut Dice, address: &Address<'_>, household: &Household) {
    let town = address.street && dice.chance(60);
    gap_or(row, dice, GAP, |row| row.text(if town { "城镇" } else { "农村" }));
    let standard = dice.weighted(&[(94, "国家标准"), (4, "省定标准"), (2, "市定标准")]);
    gap_or(row, dice, GAP, |row| row.text(standard));
    row.show(household.identified);
    let out = matches!(household.standing, Standing::Out(_));
    row.text(match (household.category, out) {
        (Category::General, false) => "一般贫困户",
        (Category::Dibao, false) => "低保贫困户",
        (Category::Tekun, false) => "特困供养贫困户",
        (Category::General, true) => "一般脱贫户",
        (Category::Dibao, true) => "低保脱贫户",
        (Category::Tekun, true) => "特困供养脱贫户",
    });
}

/// 主要致贫原因 to 是否双女户.
fn causes(row: &mut Row, dice: &mut Dice, household: &Household) {
    let causes = &household.causes;
    row.text(causes.main);
    match causes.others {
        ["", _] => row.blank(),
        [first, ""] => row.text(first),
        [first, second] => row.show(format_args!("{first}、{second}")),
    }
    row.maybe(causes.illness);
    let martyr = dice.chance(12);
    flag(row, dice, martyr);
    flag(row, dice, household.only_child);
    flag(row, dice, household.two_daughters);
}

/// 计划脱贫年度 to 是否不愁穿.
fn standing(row: &mut Row, dice: &mut Dice, household: &Household) {
    gap_or(row, dice, GAP, |row| row.show(household.planned));
    match household.standing {
        Standing::Poor => {
            row.blank();
            row.text("未脱贫");
            row.blank();
        }
        Standing::Out(year) => {
            row.show(year);
            row.text("已脱贫");
            row.blank();
        }
        Standing::Relapsed(year, cause) => {
            row.show(year);
            row.text("返贫");
            row.text(cause);
        }
    }
    // 监测对象类别 begins after 2020.
    row.blank();
    flag(row, dice, household.home.relocated);
    flag(row, dice, household.fed);
    flag(row, dice, household.clothed);
}

/// 耕地面积 to 水面面积.
fn land(row: &mut Row, dice: &mut Dice, household: &Household) {
    let land = &household.land;
    row.tenths(land.farm);
    for area in [land.irrigated, land.wood, land.restored, land.orchard, land.pasture, land.water] {
        gap_or(row, dice, GAP, |row| row.tenths(area));
    }
}

/// 是否通生产用电 to 有无卫生厕所.
fn home(row: &mut Row, dice: &mut Dice, household: &Household) {
    let home = &household.home;
    flag(row, dice, home.power);
    flag(row, dice, home.lights);
    flag(row, dice, home.television);
    gap_or(row, dice, GAP, |row| row.tenths(home.road_distance));
    gap_or(row, dice, GAP, |row| row.text(home.road));
    row.show(home.area);
    gap_or(row, dice, GAP, |row| row.text(home.structure));
    gap_or(row, dice, GAP, |row| row.show(home.built));
    // A grade without 是否危房户 would contradict the rules, so both are blank or neither.
    if dice.chance(SMALL_GAP) {
        row.blank();
        row.blank();
    } else {
        row.flag(home.dangerous);
        row.maybe(home.grade);
    }
    row.maybe(home.rebuilt);
    flag(row, dice, home.water_hard);
    flag(row, dice, home.water_safe);
    gap_or(row, dice, GAP, |row| row.text(home.fuel));
    flag(row, dice, home.toilet);
}

/// 是否加入合作社, 是否龙头企业带动 and 产业类型.
fn business(row: &mut Row, dice: &mut Dice, facts: &Facts) {
    let member = dice.chance(230);
    flag(row, dice, member);
    let led = dice.chance(if member { 210 } else { 40 });
    flag(row, dice, led);
    let trade = dice.weighted(facts.trades);
    gap_or(row, dice, 90, |row| row.text(trade));
}
