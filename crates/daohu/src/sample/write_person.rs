//! Rows of 人. Cells are left blank now and then; where a rule warns about a blank, rarely.

use super::dice::Dice;
use super::member::{Member, Paper, Schooling};
use super::sheet::Row;
use super::write_household::phone;

/// Cells left blank, per mille: where nothing depends on them, and where a rule warns.
const GAP: u32 = 20;
const SMALL_GAP: u32 = 4;

/// Puts the member of a household into the row.
pub(super) fn person(row: &mut Row, dice: &mut Dice, household: &str, member: &Member, year: i32) {
    row.clear();
    row.text(household);
    row.show(member.name);
    identity(row, dice, member);
    schooling(row, dice, member);
    condition(row, dice, member);
    work(row, dice, member, year);
    insurance(row, dice, member);
    phone(row, dice, if member.age >= 18 { 380 } else { 0 });
    let change = member.left.or(member.joined);
    row.text(change.map_or("", |(kind, _)| kind));
    row.day(change.map(|(_, day)| day));
}

fn gap_or(row: &mut Row, dice: &mut Dice, gap: u32, value: &str) {
    row.text(if dice.chance(gap) { "" } else { value });
}

fn flag(row: &mut Row, dice: &mut Dice, value: bool) {
    gap_or(row, dice, GAP, super::sheet::yes_no(value));
}

/// 证件类型 to 民族. Without a number, the birth date is part of the key and never blank.
fn identity(row: &mut Row, dice: &mut Dice, member: &Member) {
    let digits = |number| str::from_utf8(number).unwrap_or_default();
    let gap = match &member.paper {
        Paper::Identity(number) => {
            row.text("居民身份证");
            row.text(digits(number.as_slice()));
            GAP
        }
        Paper::Disability(number) => {
            row.text("残疾人证");
            row.text(digits(number.as_slice()));
            GAP
        }
        Paper::BirthCertificate => {
            row.text("出生医学证明");
            row.blank();
            0
        }
        Paper::Missing => {
            row.text("无证件");
            row.blank();
            0
        }
    };
    row.text(member.relation);
    gap_or(row, dice, gap, member.sex.word());
    row.day((!dice.chance(gap)).then_some(member.birth));
    gap_or(row, dice, GAP, member.people);
}

/// 文化程度 to 失学原因.
fn schooling(row: &mut Row, dice: &mut Dice, member: &Member) {
    let (left, now) = match member.schooling {
        Schooling::Left(level) => (level, ""),
        Schooling::Now(stage) => ("", stage),
    };
    let gap = dice.chance(SMALL_GAP);
    row.text(if gap { "" } else { left });
    row.text(if gap { "" } else { now });
    match member.dropout {
        Some(reason) => {
            row.flag(true);
            row.text(reason);
        }
        None => {
            // Asked of children only, and of them always.
            row.text(if (6..=17).contains(&member.age) { "否" } else { "" });
            row.blank();
        }
    }
}

/// 健康状况 to 政治面貌.
fn condition(row: &mut Row, dice: &mut Dice, member: &Member) {
    let health = member.health;
    let mut words =
        [(health.chronic, "长期慢性病"), (health.serious, "患有大病"), (health.disabled, "残疾")]
            .into_iter()
            .filter_map(|(has, word)| has.then_some(word));
    match (words.next(), words.next(), words.next()) {
        (None, ..) => gap_or(row, dice, SMALL_GAP, "健康"),
        (Some(one), None, _) => row.text(one),
        (Some(one), Some(two), None) => row.show(format_args!("{one}、{two}")),
        (Some(one), Some(two), Some(three)) => row.show(format_args!("{one}、{two}、{three}")),
    }
    gap_or(row, dice, SMALL_GAP, member.labour.word());
    let party = match member.age {
        ..=13 => "群众",
        14..=27 if dice.chance(180) => "共青团员",
        20.. => dice.weighted(&[(965, "群众"), (33, "中共党员"), (2, "中共预备党员")]),
        _ => "群众",
    };
    gap_or(row, dice, GAP, party);
}

const SKILLS: &[&str] =
    &["种植技术", "养殖技术", "砌筑工", "中式烹调", "家政服务", "电焊工", "电子商务"];

/// 务工所在地 to 技能培训. Place and months are both given or both blank.
fn work(row: &mut Row, dice: &mut Dice, member: &Member, year: i32) {
    row.text(member.work.map_or("", |(place, _)| place));
    row.maybe(member.work.map(|(_, months)| months));
    flag(row, dice, member.public_post);
    if member.labour.is_full() && dice.chance(110) {
        let skill = dice.pick(SKILLS);
        row.show(format_args!("{skill}（{}年）", year - dice.between(0, 3)));
    } else {
        row.blank();
    }
}

/// 城乡居民基本医疗保险 to 是否大病救助.
fn insurance(row: &mut Row, dice: &mut Dice, member: &Member) {
    // Exactly one of the two basic insurances, apart from those who have none or did not say.
    let employed = member.work.is_some_and(|(_, months)| months >= 8) && dice.chance(90);
    let none = dice.chance(10);
    gap_or(row, dice, SMALL_GAP, super::sheet::yes_no(!employed && !none));
    gap_or(row, dice, GAP, super::sheet::yes_no(employed));
    let (major, commercial, pension) = (dice.chance(975), dice.chance(240), dice.chance(880));
    gap_or(row, dice, SMALL_GAP, super::sheet::yes_no(major));
    flag(row, dice, commercial);
    // Open to those of 16 and more who are not at school.
    let adult = member.age >= 16 && !matches!(member.schooling, Schooling::Now(_));
    gap_or(row, dice, if adult { GAP } else { 1000 }, super::sheet::yes_no(pension));
    row.flag(member.dibao);
    row.flag(member.tekun);
    let doctor = dice.chance(640);
    flag(row, dice, doctor);
    let ill = member.health.is_ill();
    let contract = ill && dice.chance(560);
    flag(row, dice, contract);
    let relief = member.health.serious && dice.chance(480);
    flag(row, dice, relief);
}
