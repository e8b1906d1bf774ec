//! Lists of departments that members of households are looked up in, and what a hit means.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Assignee, BadPack, Head, Item, Items, Standard, WarningLevel};

/// What is looked up in one kind of list.
#[derive(Clone, Debug)]
pub struct Crosscheck {
    /// What it is called.
    pub head: Head,
    /// Who is a hit.
    pub finds: Finds,
    /// Households whose 脱贫状态 bears one of these marks are passed over.
    pub except: Option<Vec<String>>,
    /// Who is younger is passed over.
    pub age_from: Option<i64>,
    /// Who is older is passed over.
    pub age_to: Option<i64>,
    /// Headers of the column of money, the best first.
    pub amount: Option<Vec<String>>,
    /// True if the amounts of a person add up; otherwise the largest counts.
    pub adds_up: Option<bool>,
    /// The standard that the amount must reach to be a hit; an amount that is not told is one.
    pub at_least: Option<String>,
    /// Headers of the column that tells one fact about a person from another, the best first: a number plate. Without
    /// one, all that a list says of a person is one fact.
    pub fact: Option<Vec<String>>,
    /// How much a hit matters.
    pub level: WarningLevel,
    /// Who looks after it.
    pub assign: Assignee,
    /// Within so many days somebody must have dealt with it.
    pub handle_days: i64,
}

/// Who is a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finds {
    /// Who is on the list.
    Present,
    /// Who is not on it.
    Absent,
}

/// How lists are read, and leads closed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each name says what it is; the pack says the source")]
pub struct Crosschecks {
    pub source: String,
    /// Headers of the column of ID numbers, the best first.
    pub id_number: Vec<String>,
    /// Headers of the column of names, the best first.
    pub name: Vec<String>,
    /// Rows that cannot be used and are told one by one; all of them are counted.
    pub told_rows_max: usize,
}

impl Crosscheck {
    /// The checks may be asked: their standards are known, their ages and days can be.
    pub(crate) fn check_all(checks: &Items<Self>, standards: &[Standard]) -> Result<(), BadPack> {
        for check in checks.all() {
            let known = |id: &String| standards.iter().any(|standard| standard.id == *id);
            let bad = |zh: &str, en: &str| {
                let standing = check.standing();
                Err(BadPack::at(&standing.file, standing.line, zh, en))
            };
            if let Some(id) = check.at_least.as_ref().filter(|id| !known(id)) {
                return bad(&format!("没有标准 {id}"), &format!("there is no standard {id}"));
            }
            if check.at_least.is_some() && check.amount.is_none() {
                return bad("at_least 要有 amount", "at_least needs the headers of an amount");
            }
            if check.age_from.zip(check.age_to).is_some_and(|(from, to)| to < from) {
                return bad("年龄范围是空的", "nobody is of these ages");
            }
            if check.handle_days < 1 {
                return bad("handle_days 至少是 1", "handle_days is 1 at least");
            }
            let looks_beside = check.amount.is_some() || check.fact.is_some();
            if check.finds == Finds::Absent && looks_beside {
                return bad(
                    "查名单外人员时没有金额和事项可看",
                    "who is not on a list has neither amount nor fact there",
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::Policy;

    #[test]
    fn a_check_that_cannot_be_asked_is_refused() {
        let check = |rest: &str| {
            format!(
                "[[crosscheck]]\nid = 'x'\ntitle = ''\ntitle_en = ''\nsource = ''\nlevel = 'low'\n\
                 assign = 'village'\n{rest}"
            )
        };
        let good = "finds = 'present'\nhandle_days = 15\n";
        Policy::embedded_and([("own.toml", check(good).as_str())]).unwrap();
        for (rest, says) in [
            (format!("{good}at_least = 'nothing'\namount = ['金额']\n"), "no standard nothing"),
            (format!("{good}at_least = 'vehicle_price'\n"), "headers"),
            (format!("{good}age_from = 16\nage_to = 15\n"), "nobody"),
            ("finds = 'present'\nhandle_days = 0\n".to_owned(), "1 at least"),
            ("finds = 'absent'\nhandle_days = 1\nfact = ['号']\n".to_owned(), "neither"),
            ("finds = 'lost'\nhandle_days = 1\n".to_owned(), "lost"),
        ] {
            let error = Policy::embedded_and([("own.toml", check(&rest).as_str())]).unwrap_err();
            assert!(error.file == "own.toml" && error.reason.contains(says), "{error}");
        }
    }

    #[test]
    fn an_areas_own_check_goes_before() {
        let own = "area = '500242'\n[[crosscheck]]\nid = 'vehicles'\ntitle = ''\ntitle_en = ''\n\
                   source = ''\nlevel = 'low'\nassign = 'village'\nfinds = 'present'\nhandle_days = 3\n";
        let policy = Policy::embedded_and([("own.toml", own)]).unwrap();
        let on = daohu_base::Day::parse("2016-05-01").unwrap();
        let days =
            |area: &str| policy.crosscheck_list().find("vehicles", area, on).unwrap().handle_days;
        assert_eq!(days("500242"), 3);
        assert_ne!(days("500243"), 3);
    }
}
