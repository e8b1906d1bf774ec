//! What a person's age brings: papers, schooling, health and the ability to work.

use super::Error;
use super::dice::Dice;
use super::member::{Health, Labour, Member, Paper, Schooling};
use super::number::{Issuer, disability_card};

/// Draws up one person whose place in the family, age and name are given.
pub(super) fn live(
    dice: &mut Dice,
    issuer: &mut Issuer,
    year: i32,
    member: &mut Member,
) -> Result<(), Error> {
    school(dice, year, member);
    member.health = health(dice, member.age);
    member.labour = labour(dice, member);
    papers(dice, issuer, member)
}

/// Young children often have no number yet; then name and birth date are their key.
fn papers(dice: &mut Dice, issuer: &mut Issuer, member: &mut Member) -> Result<(), Error> {
    let without = if member.age <= 2 { 60 } else { 8 };
    member.paper = if member.age <= 5 && dice.chance(220) {
        Paper::BirthCertificate
    } else if member.age <= 5 && dice.chance(without) {
        Paper::Missing
    } else {
        Paper::Identity(issuer.next(member.birth, member.sex)?)
    };
    Ok(())
}

/// Turns some of the disabled persons' papers into disability cards, once health is settled.
pub(super) fn disability_papers(dice: &mut Dice, members: &mut [Member]) {
    for member in members.iter_mut().filter(|member| member.health.disabled) {
        if let Paper::Identity(number) = member.paper
            && dice.chance(450)
        {
            member.paper = disability_card(number, dice);
        }
    }
}

/// Years at the end of August, when the school year starts.
fn school_age(year: i32, member: &Member) -> i32 {
    let (born, month, _) = member.birth.parts();
    year - born - i32::from(month >= 9)
}

fn school(dice: &mut Dice, year: i32, member: &mut Member) {
    let mut age = school_age(year, member);
    // One pupil in twenty is a year behind. Not in the first years, where a year less would be
    // kindergarten at an age that is implausible for it.
    if (8..=18).contains(&age) && dice.chance(50) {
        age -= 1;
    }
    if (8..=14).contains(&age) && dice.chance(8) {
        member.dropout = Some(dice.pick(&["厌学", "因病", "因残", "家庭困难", "务工", "其他"]));
        member.schooling = Schooling::Left(if age >= 12 { "小学" } else { "文盲或半文盲" });
        return;
    }
    member.schooling = match age {
        ..=2 => Schooling::Now("学龄前儿童"),
        3..=5 if dice.chance(760) => Schooling::Now("学前教育"),
        3..=5 => Schooling::Now("学龄前儿童"),
        6..=11 => Schooling::Now("小学"),
        12 => Schooling::Now("七年级"),
        13 => Schooling::Now("八年级"),
        14 => Schooling::Now("九年级"),
        15..=17 => upper_school(dice, age),
        18..=23 => college(dice, age),
        _ => Schooling::Left(finished(dice, member.age)),
    };
}

fn upper_school(dice: &mut Dice, age: i32) -> Schooling {
    let (high, vocational) = match age {
        15 => ("普通高中一年级", "中职一年级"),
        16 => ("普通高中二年级", "中职二年级"),
        _ => ("普通高中三年级", "中职三年级"),
    };
    match dice.below(100) {
        0..48 => Schooling::Now(high),
        48..76 => Schooling::Now(vocational),
        _ => Schooling::Left("初中"),
    }
}

fn college(dice: &mut Dice, age: i32) -> Schooling {
    let (bachelor, college) = match age {
        18 => ("本科一年级", "高职高专一年级"),
        19 => ("本科二年级", "高职高专二年级"),
        20 => ("本科三年级", "高职高专三年级"),
        21 => ("本科四年级", ""),
        // Five-year courses, then postgraduates.
        22 => (if dice.chance(80) { "本科五年级" } else { "" }, ""),
        _ => (if dice.chance(60) { "硕士研究生及以上" } else { "" }, ""),
    };
    match dice.below(100) {
        0..17 if !bachelor.is_empty() => Schooling::Now(bachelor),
        17..36 if !college.is_empty() => Schooling::Now(college),
        36..37 if age <= 20 => Schooling::Now("技师学院二年级"),
        _ => Schooling::Left(finished(dice, age)),
    }
}

/// 文化程度 by generation.
fn finished(dice: &mut Dice, age: i32) -> &'static str {
    let table: &[(u32, &str)] = match age {
        ..=21 => &[(6, "小学"), (64, "初中"), (30, "高中")],
        22..=39 => &[
            (2, "文盲或半文盲"),
            (22, "小学"),
            (52, "初中"),
            (14, "高中"),
            (7, "大专"),
            (3, "本科及以上"),
        ],
        40..=59 => &[(9, "文盲或半文盲"), (50, "小学"), (35, "初中"), (6, "高中")],
        _ => &[(38, "文盲或半文盲"), (51, "小学"), (9, "初中"), (2, "高中")],
    };
    dice.weighted(table)
}

fn health(dice: &mut Dice, age: i32) -> Health {
    let (chronic, serious, disabled) = match age {
        ..=15 => (8, 4, 9),
        16..=39 => (28, 8, 30),
        40..=59 => (95, 20, 60),
        60..=74 => (210, 35, 90),
        _ => (280, 45, 130),
    };
    Health {
        chronic: dice.chance(chronic),
        serious: dice.chance(serious),
        disabled: dice.chance(disabled),
    }
}

/// 劳动技能 follows from age, schooling and health.
pub(super) fn labour(dice: &mut Dice, member: &Member) -> Labour {
    if member.age < 16 || matches!(member.schooling, Schooling::Now(_)) {
        return Labour::None;
    }
    let Health { chronic, serious, disabled } = member.health;
    let table: &[(u32, Labour)] = match member.age {
        70.. => &[(72, Labour::None), (16, Labour::Lost), (12, Labour::Weak)],
        60.. if member.health.is_good() => {
            &[(16, Labour::None), (52, Labour::Weak), (32, Labour::Ordinary)]
        }
        60.. => &[(25, Labour::None), (40, Labour::Lost), (35, Labour::Weak)],
        _ if serious => &[(55, Labour::Lost), (45, Labour::Weak)],
        _ if disabled => &[(38, Labour::Lost), (42, Labour::Weak), (20, Labour::Ordinary)],
        _ if chronic => &[(10, Labour::Lost), (55, Labour::Weak), (35, Labour::Ordinary)],
        _ => match member.schooling {
            Schooling::Left("高中" | "大专" | "本科及以上") => {
                &[(78, Labour::Ordinary), (22, Labour::Skilled)]
            }
            _ => &[(93, Labour::Ordinary), (7, Labour::Skilled)],
        },
    };
    dice.weighted(table)
}
