//! Who lives together: the kinds of families, with relations, sexes, ages and names that fit.
//!
//! Invariants: the first member is the head, is of age and never leaves; at most one spouse, of
//! the other sex; parents are at least 15 years older than their children; no two children of a
//! household share name and birth date (they are the key of those without a number).

use super::calendar::Day;
use super::dice::Dice;
use super::facts::Facts;
use super::member::{Member, Sex};
use super::names::{self, Name};

#[derive(Clone, Copy, Default)]
enum Kind {
    LoneElder,
    LoneAdult,
    ElderCouple,
    #[default]
    Couple,
    Nuclear,
    ThreeGenerations,
    /// Grandparents with grandchildren whose parents belong to no household here.
    LeftBehind,
    SingleParent,
    WithParents,
}

/// Weights that give about 3.4 members per household.
const KINDS: &[(u32, Kind)] = &[
    (75, Kind::LoneElder),
    (45, Kind::LoneAdult),
    (80, Kind::ElderCouple),
    (75, Kind::Couple),
    (345, Kind::Nuclear),
    (270, Kind::ThreeGenerations),
    (55, Kind::LeftBehind),
    (65, Kind::SingleParent),
    (45, Kind::WithParents),
];

/// Nobody is older than this.
const AGE_MAX: i32 = 97;

/// Collects the members while a family is drawn up.
struct Draft<'a> {
    dice: &'a mut Dice,
    members: &'a mut Vec<Member>,
    year: i32,
}

impl Draft<'_> {
    fn add(&mut self, relation: &'static str, sex: Sex, age: i32) {
        let year = self.year - age.clamp(0, AGE_MAX);
        let day = Day::new(year, 1, 1).plus(self.dice.between(0, 364));
        self.members.push(Member::new(relation, sex, day, self.year));
    }

    fn sex(&mut self) -> Sex {
        if self.dice.chance(520) { Sex::Male } else { Sex::Female }
    }

    fn head(&mut self, men_per_mille: u32, low: i32, high: i32) -> (Sex, i32) {
        let sex = if self.dice.chance(men_per_mille) { Sex::Male } else { Sex::Female };
        let age = self.dice.between(low, high);
        self.add("户主", sex, age);
        (sex, age)
    }

    /// A spouse of about the head's age; returns the wife's age.
    fn spouse(&mut self, head: (Sex, i32)) -> i32 {
        let (sex, age) = head;
        let gap = self.dice.between(-1, 6);
        let spouse = if sex == Sex::Male { age - gap } else { age + gap };
        let spouse = spouse.max(20);
        self.add("配偶", sex.other(), spouse);
        if sex == Sex::Male { spouse } else { age }
    }

    /// Children of a mother of that age, who are not yet on their own.
    fn children(&mut self, mother: i32, count: i32, names: [&'static str; 2]) {
        let mut age = mother - self.dice.between(19, 27);
        for _ in 0..count {
            if (0..=28).contains(&age) {
                let sex = self.sex();
                let [son, daughter] = names;
                self.add(if sex == Sex::Male { son } else { daughter }, sex, age);
            }
            age -= self.dice.between(2, 5);
        }
    }

    fn parents(&mut self, age: i32, at_least_one: bool) {
        let old = age + self.dice.between(20, 29);
        let father = self.dice.chance(550);
        if father {
            self.add("之父", Sex::Male, old);
        }
        if self.dice.chance(650) || (at_least_one && !father) {
            let mother = old - self.dice.between(0, 4);
            self.add("之母", Sex::Female, mother);
        }
    }

    fn three_generations(&mut self) {
        if self.dice.chance(560) {
            let head = self.head(900, 30, 54);
            let mother = self.spouse(head);
            let count = self.dice.weighted(&[(30, 1), (55, 2), (15, 3)]);
            self.children(mother, count, ["之子", "之女"]);
            return self.parents(head.1, true);
        }
        let head = self.head(880, 50, 72);
        let mother = if self.dice.chance(780) { self.spouse(head) } else { head.1 };
        let child = (mother - self.dice.between(20, 28)).clamp(22, 47);
        let daughter = self.dice.chance(120);
        let married = self.dice.chance(700);
        let wife = child - self.dice.between(-1, 4);
        let grandchildren = if daughter {
            self.add("之女", Sex::Female, child);
            if married {
                self.add("之女婿", Sex::Male, child + 2);
            }
            ["之外孙子", "之外孙女"]
        } else {
            self.add("之子", Sex::Male, child);
            if married {
                self.add("之儿媳", Sex::Female, wife.max(20));
            }
            ["之孙子", "之孙女"]
        };
        let count = self.dice.weighted(&[(10, 0), (45, 1), (38, 2), (7, 3)]);
        self.children(if daughter { child } else { wife }, count, grandchildren);
    }

    fn draw(&mut self) {
        match self.dice.weighted(KINDS) {
            Kind::LoneElder => {
                self.head(620, 60, 88);
            }
            Kind::LoneAdult => {
                self.head(880, 27, 59);
            }
            Kind::ElderCouple => {
                let head = self.head(920, 60, 82);
                self.spouse(head);
            }
            Kind::Couple => {
                let head = self.head(900, 40, 59);
                self.spouse(head);
            }
            Kind::Nuclear => {
                let head = self.head(890, 27, 52);
                let mother = self.spouse(head);
                let count = self.dice.weighted(&[(24, 1), (51, 2), (20, 3), (5, 4)]);
                self.children(mother, count, ["之子", "之女"]);
            }
            Kind::ThreeGenerations => self.three_generations(),
            Kind::LeftBehind => {
                let head = self.head(800, 54, 74);
                let grandmother = if self.dice.chance(720) { self.spouse(head) } else { head.1 };
                let mother = (grandmother - self.dice.between(20, 26)).clamp(22, 45);
                let count = self.dice.weighted(&[(55, 1), (45, 2)]);
                self.children(mother, count, ["之孙子", "之孙女"]);
            }
            Kind::SingleParent => {
                let (_, age) = self.head(580, 26, 52);
                let count = self.dice.weighted(&[(58, 1), (36, 2), (6, 3)]);
                self.children(age, count, ["之子", "之女"]);
            }
            Kind::WithParents => {
                let (_, age) = self.head(850, 24, 54);
                self.parents(age, true);
                if self.dice.chance(120) {
                    let (sex, age) = (self.sex(), age + self.dice.between(-6, 6));
                    self.add("之兄弟姐妹", sex, age.max(18));
                }
            }
        }
    }
}

/// Fills `members` with a new family, head first; ages are those at the end of `year`.
pub(super) fn draw(dice: &mut Dice, members: &mut Vec<Member>, year: i32, facts: &Facts) {
    members.clear();
    Draft { dice, members, year }.draw();
    depart(dice, members, year);
    arrive(dice, members, year);
    name(dice, members, facts);
}

/// Per mille of households from which somebody left within the income years.
const DEPARTURES: u32 = 48;
const BORN: &str = "出生";

/// Somebody who is gone: an elder who died, a child who married away, moved or joined the army.
fn depart(dice: &mut Dice, members: &mut Vec<Member>, year: i32) {
    if !dice.chance(DEPARTURES) {
        return;
    }
    let Some(head) = members.first().copied() else { return };
    let day = Day::year_end(year).plus(-dice.between(0, 5 * 365 - 2));
    let mut draft = Draft { dice, members, year };
    let has = |draft: &Draft<'_>, relation| draft.members.iter().any(|m| m.relation == relation);
    let kind = if head.age < 60 && draft.dice.chance(550) {
        let (relation, sex) = if draft.dice.chance(500) && !has(&draft, "之父") {
            ("之父", Sex::Male)
        } else if has(&draft, "之母") {
            return;
        } else {
            ("之母", Sex::Female)
        };
        let age = head.age + draft.dice.between(22, 30);
        draft.add(relation, sex, age);
        "死亡"
    } else if head.age >= 45 {
        let kind = draft.dice.pick(&["婚出", "婚出", "迁出", "分户迁出", "参军"]);
        let soldier = kind == "参军";
        let sex = if soldier || draft.dice.chance(300) { Sex::Male } else { Sex::Female };
        // A child is at least 18 years younger than its parents; who leaves is grown up.
        let oldest = (head.age - 24).min(if soldier { 24 } else { 32 });
        let age = draft.dice.between(20.min(oldest), oldest) + (year - day.year());
        draft.add(if sex == Sex::Male { "之子" } else { "之女" }, sex, age.min(head.age - 18));
        kind
    } else {
        return;
    };
    if let Some(member) = members.last_mut() {
        member.left = Some((kind, day));
    }
}

/// The births of the income years, and some of the marriages, are recorded as changes: so the
/// members at the end of every income year are known.
fn arrive(dice: &mut Dice, members: &mut [Member], year: i32) {
    for member in members {
        if year - member.birth.year() < 5 {
            member.joined = Some((BORN, member.birth));
        } else if matches!(member.relation, "之儿媳" | "之女婿") && dice.chance(200) {
            let day = Day::year_end(year).plus(-dice.between(30, 4 * 365));
            // Only for the young: whoever is older married long ago.
            if member.age <= 27 {
                member.joined = Some(("婚入", day));
            }
        }
    }
}

/// Surnames and peoples go with the father's line, given names with sex and age.
fn name(dice: &mut Dice, members: &mut [Member], facts: &Facts) {
    let Some(head) = members.first().copied() else { return };
    let surname = names::surname(dice, facts.surnames);
    let people = dice.weighted(facts.peoples);
    let other_surname = names::surname(dice, facts.surnames);
    let mut last = Name::default();
    for member in members {
        let born_in = match member.relation {
            "户主" | "之父" | "之兄弟姐妹" => surname,
            "之子" | "之女" | "之孙子" | "之孙女" if head.sex == Sex::Male => surname,
            "配偶" | "之子" | "之女" | "之孙子" | "之孙女" => other_surname,
            _ => names::surname(dice, facts.surnames),
        };
        let outsider = matches!(member.relation, "配偶" | "之母" | "之儿媳" | "之女婿");
        let mixed = outsider && dice.chance(300);
        member.people = if mixed { dice.weighted(facts.peoples) } else { people };
        member.name = names::named(dice, born_in, member.sex, member.birth.year());
        // Siblings get different names; the second draw repeats the first too rarely to matter,
        // as siblings never share a birth date.
        if member.name == last {
            member.name = names::named(dice, born_in, member.sex, member.birth.year());
        }
        last = member.name;
    }
}
