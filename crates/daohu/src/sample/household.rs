//! One household: members, causes, category, incomes and how it stands.
//!
//! Invariants: 特困供养 only where nobody from 16 to 59 is able; 已脱贫 always has a 脱贫年度, which
//! is not before 识别年度 and whose income reached the line; an exit needs a safe house and water.

use super::Error;
use super::causes::{self, Causes};
use super::dice::Dice;
use super::facts::Facts;
use super::family;
use super::home::{Home, Land};
use super::income::{self, Earner, Income};
use super::life;
use super::member::Member;
use super::number::Issuer;

/// 贫困户属性 before exit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Category {
    #[default]
    General,
    Dibao,
    Tekun,
}

/// 脱贫状态 with the year and, after a relapse, its cause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Standing {
    #[default]
    Poor,
    Out(i32),
    Relapsed(i32, &'static str),
}

/// A household with everything its rows need.
#[derive(Default)]
pub(super) struct Household {
    pub(super) members: Vec<Member>,
    pub(super) incomes: Vec<Income>,
    pub(super) causes: Causes,
    pub(super) category: Category,
    pub(super) standing: Standing,
    pub(super) identified: i32,
    pub(super) planned: i32,
    pub(super) only_child: bool,
    pub(super) two_daughters: bool,
    pub(super) land: Land,
    pub(super) home: Home,
    pub(super) fed: bool,
    pub(super) clothed: bool,
}

/// What the households of a county share.
pub(super) struct County<'a> {
    pub(super) facts: &'a Facts,
    pub(super) year: i32,
    pub(super) issuer: Issuer,
}

impl Household {
    /// Replaces the household by a new one; `mood` is the village's.
    pub(super) fn redraw(
        &mut self,
        dice: &mut Dice,
        county: &mut County<'_>,
        mood: f64,
    ) -> Result<(), Error> {
        let year = county.year;
        family::draw(dice, &mut self.members, year, county.facts);
        for member in &mut self.members {
            life::live(dice, &mut county.issuer, year, member)?;
        }
        self.causes = causes::draw(dice, &mut self.members);
        life::disability_papers(dice, &mut self.members);
        self.identified = if dice.chance(880) { 2013 } else { 2014 };
        self.children();
        self.category = category(dice, &mut self.members, &self.causes);
        let people = self.people();
        let lacking = self.causes.main == "缺土地";
        self.land = Land::draw(dice, county.facts, people, lacking);
        let prospects = causes::prospects(&self.members, &self.causes) + mood;
        let earner = Earner {
            members: &self.members,
            prospects,
            identified: self.identified,
            dibao_since: dice.between(year - 4, year - 1),
            few_children: self.only_child || self.two_daughters,
            restored: self.land.restored,
            farmland: self.land.farm,
            woodland: self.land.wood,
        };
        income::draw(dice, &earner, year, &mut self.incomes);
        let means = prospects + dice.normal() * 0.15;
        self.home = Home::draw(dice, year, people, means, self.causes.main);
        self.stand(dice, year);
        self.migrate(dice, county.facts.near);
        Ok(())
    }

    /// Members at the end of the last income year.
    pub(super) fn people(&self) -> i32 {
        let count = self.members.iter().filter(|member| member.is_current()).count();
        i32::try_from(count).unwrap_or(i32::MAX)
    }

    /// 独生子女户 and 双女户 follow from the children of a couple.
    fn children(&mut self) {
        let count = |relation| self.members.iter().filter(|m| m.relation == relation).count();
        let (sons, daughters) = (count("之子"), count("之女"));
        self.only_child = sons + daughters == 1 && count("配偶") == 1;
        self.two_daughters = sons == 0 && daughters == 2;
    }

    /// Exit, relapse and plan. Exit needs income above the line, a safe house and safe water, and
    /// no child out of school.
    fn stand(&mut self, dice: &mut Dice, year: i32) {
        let safe = !self.home.dangerous
            && self.home.water_safe
            && self.members.iter().all(|member| member.dropout.is_none());
        let first = self.identified.max(2013) + 1;
        let exit = self
            .incomes
            .iter()
            .find(|income| income.year >= first && safe && income.reaches(1.03) && dice.chance(870))
            .map(|income| income.year);
        let stays = self.incomes.last().is_some_and(|income| income.reaches(1.0));
        self.standing = match exit {
            None => Standing::Poor,
            Some(exit) if stays || dice.chance(700) => Standing::Out(exit),
            Some(exit) => Standing::Relapsed(exit, relapse(dice, &self.causes)),
        };
        let out = matches!(self.standing, Standing::Out(_));
        self.fed = out || dice.chance(970);
        self.clothed = out || dice.chance(980);
        self.planned = match self.standing {
            Standing::Out(exit) => exit,
            _ => (year + dice.between(1, 3)).min(2020),
        };
    }

    /// Sends the able away to work for as many months as the last year's wages pay for.
    fn migrate(&mut self, dice: &mut Dice, near_places: &[&'static str]) {
        let Some(income) = self.incomes.last() else { return };
        let pay = i64::from(dice.between(900, 1900)) * 100;
        let mut months = (income.wage + pay / 2) / pay;
        let near = !near_places.is_empty() && dice.chance(450);
        for member in self.members.iter_mut().filter(|member| member.is_current()) {
            if months < 2 || !member.labour.is_full() || !(16..=62).contains(&member.age) {
                continue;
            }
            let worked = months.min(i64::from(dice.between(7, 11)));
            months -= worked;
            let place = if near { dice.pick(near_places) } else { dice.pick(FAR) };
            member.work = Some((place, worked));
        }
        if months > 0 && income.wage >= 300_000 && dice.chance(60) {
            let idle = |m: &&mut Member| m.is_current() && m.labour.is_some() && m.work.is_none();
            if let Some(member) = self.members.iter_mut().find(idle) {
                member.public_post = true;
            }
        }
    }
}

/// 务工所在地 outside the region.
const FAR: &[&str] = &[
    "浙江省宁波市",
    "浙江省温州市",
    "浙江省杭州市",
    "广东省东莞市",
    "广东省深圳市",
    "广东省佛山市",
    "福建省泉州市",
    "福建省厦门市",
    "江苏省苏州市",
    "上海市",
];

/// Who lives on support: 特困 where nobody of working age is able and no child could help, 低保
/// more often where few are able. Marks the members who are entitled.
fn category(dice: &mut Dice, members: &mut [Member], causes: &Causes) -> Category {
    let current = || members.iter().filter(|member| member.is_current());
    let able = current().filter(|member| member.labour.is_some()).count();
    let alone = current().all(|member| {
        let helpless = !(16..=59).contains(&member.age) || !member.labour.is_some();
        helpless && matches!(member.relation, "户主" | "配偶")
    });
    let few_able = able * 3 <= current().count();
    if alone && few_able && dice.chance(420) {
        for member in members.iter_mut().filter(|member| member.is_current()) {
            member.tekun = true;
        }
        return Category::Tekun;
    }
    let illness = matches!(causes.main, "因病" | "因残" | "缺劳力");
    if !dice.chance(if few_able { 620 } else { 150 } + if illness { 80 } else { 0 }) {
        return Category::General;
    }
    // Either the whole household is entitled, or those who cannot work.
    let whole = few_able || dice.chance(350);
    let mut any = false;
    for member in members.iter_mut().filter(|member| member.is_current()) {
        member.dibao = whole || !member.labour.is_full();
        any |= member.dibao;
    }
    if any { Category::Dibao } else { Category::General }
}

/// 返贫原因, mostly the old cause or lost work.
fn relapse(dice: &mut Dice, causes: &Causes) -> &'static str {
    let old = match causes.main {
        "因病" => "因病",
        "因残" => "因残",
        "因学" => "因学",
        "因灾" => "因灾",
        "缺劳力" => "缺劳动力",
        _ => "因务工就业不稳",
    };
    dice.weighted(&[
        (50, old),
        (20, "因务工就业不稳"),
        (12, "因病"),
        (8, "因产业项目失败"),
        (6, "因灾"),
        (4, "因意外事故"),
    ])
}
