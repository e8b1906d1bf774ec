//! Why a household is poor, and what the members must look like for that to be true.

use super::dice::Dice;
use super::life::labour;
use super::member::{Labour, Member, Schooling};

/// Causes of a household. The main one is consistent with its members.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Causes {
    /// 主要致贫原因.
    pub(super) main: &'static str,
    /// 其他致贫原因, at most two, none of them the main one; empty where there is none.
    pub(super) others: [&'static str; 2],
    /// 因病情形.
    pub(super) illness: Option<&'static str>,
}

/// What the current members allow.
struct Picture {
    ill: bool,
    disabled: bool,
    student: bool,
    /// Somebody beyond compulsory school, which is what makes schooling expensive.
    college: bool,
    few_able: bool,
}

fn picture(members: &[Member]) -> Picture {
    let current = || members.iter().filter(|member| member.is_current());
    let late = |member: &Member| member.age >= 15 && member.is_student();
    let able = current().filter(|member| member.labour.is_some()).count();
    Picture {
        ill: current().any(|member| member.health.is_ill()),
        disabled: current().any(|member| member.health.disabled),
        student: current().any(Member::is_student),
        college: current().any(late),
        few_able: able * 2 <= current().count(),
    }
}

/// Draws the causes. Where the main one is 因病 or 因残 and nobody is, somebody becomes so: the
/// causes of poor households are known better than how often their members are ill.
pub(super) fn draw(dice: &mut Dice, members: &mut [Member]) -> Causes {
    let seen = picture(members);
    let weight = |yes: bool, weight: u32| if yes { weight } else { 0 };
    let main = dice.weighted(&[
        (if seen.ill { 800 } else { 210 }, "因病"),
        (if seen.disabled { 400 } else { 20 }, "因残"),
        (weight(seen.college, 330) + weight(seen.student, 30), "因学"),
        (weight(seen.few_able, 150), "缺劳力"),
        (120, "缺技术"),
        (110, "缺资金"),
        (45, "自身发展动力不足"),
        (35, "交通条件落后"),
        (18, "因灾"),
        (16, "缺土地"),
        (6, "缺水"),
        (8, "因婚"),
        (5, "因丧"),
        (4, "其他"),
    ]);
    afflict(dice, members, main);
    Causes {
        main,
        others: others(dice, &picture(members), main),
        illness: (main == "因病" && dice.chance(960))
            .then(|| dice.weighted(&[(63, "正在治疗"), (37, "因病负债")])),
    }
}

/// Makes the main cause true.
fn afflict(dice: &mut Dice, members: &mut [Member], main: &str) {
    let fits = |member: &Member| match main {
        "因病" => member.health.is_ill(),
        "因残" => member.health.disabled,
        _ => true,
    };
    if members.iter().any(|member| member.is_current() && fits(member)) {
        return;
    }
    let adults = |member: &&mut Member| {
        member.is_current() && matches!(member.schooling, Schooling::Left(_)) && member.age >= 16
    };
    let count = members.iter_mut().filter(adults).count();
    let lot = dice.below(u32::try_from(count).unwrap_or(0));
    let Some(member) = members.iter_mut().filter(adults).nth(usize::try_from(lot).unwrap_or(0))
    else {
        return;
    };
    match main {
        "因残" => member.health.disabled = true,
        _ if dice.chance(220) => member.health.serious = true,
        _ => member.health.chronic = true,
    }
    member.labour = labour(dice, member);
}

fn others(dice: &mut Dice, seen: &Picture, main: &'static str) -> [&'static str; 2] {
    let mut others = [""; 2];
    let mut taken = main;
    for other in &mut others {
        if !dice.chance(420) {
            break;
        }
        let weight = |yes: bool, weight: u32| if yes { weight } else { 0 };
        let drawn = dice.weighted(&[
            (weight(seen.ill, 20), "因病"),
            (weight(seen.disabled, 12), "因残"),
            (weight(seen.student, 12), "因学"),
            (weight(seen.few_able, 14), "缺劳力"),
            (26, "缺技术"),
            (30, "缺资金"),
            (10, "交通条件落后"),
            (7, "自身发展动力不足"),
            (3, "缺土地"),
        ]);
        if drawn == main || drawn == taken {
            break;
        }
        taken = drawn;
        *other = drawn;
    }
    others
}

/// How well the members can earn, as a logarithm around 0.
pub(super) fn prospects(members: &[Member], causes: &Causes) -> f64 {
    let (mut people, mut able) = (0.0, 0.0);
    for member in members.iter().filter(|member| member.is_current()) {
        people += 1.0;
        able += match member.labour {
            Labour::Skilled => 1.25,
            Labour::Ordinary => 1.0,
            Labour::Weak => 0.5,
            Labour::Lost | Labour::None => 0.0,
        };
    }
    let burden = match causes.main {
        "因病" => -0.05,
        "因残" | "缺劳力" => -0.07,
        "自身发展动力不足" => -0.06,
        "因学" | "缺技术" | "缺资金" => 0.05,
        _ => 0.0,
    };
    0.32 * (able / f64::max(people, 1.0) - 0.45) + burden
}
