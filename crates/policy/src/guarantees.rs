//! What a household must have to be out of poverty.

use daohu_base::Day;
use serde::Deserialize;
use toml::Spanned;

use crate::{BadPack, expr::ExprError};

/// A guarantee: two expressions about a household, as [`crate::expr`] reads them.
#[derive(Clone, Debug)]
pub struct Guarantee {
    /// `income`, `housing` …
    pub id: String,
    /// In Chinese.
    pub title: String,
    /// In English.
    pub title_en: String,
    /// If it is true, the household lacks it.
    pub unmet: Expression,
    /// If it is true where `unmet` is not, the household has it.
    pub met: Expression,
    /// Where it comes from.
    pub source: String,
    /// The first day on which it is asked for.
    pub since: Option<Day>,
    /// The last day on which it is asked for.
    pub until: Option<Day>,
}

/// An expression, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// The expression.
    pub text: String,
    /// The file, relative to the pack.
    pub file: String,
    /// The line of the file on which it begins, from 1.
    pub line: usize,
}

/// A guarantee as a file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    id: String,
    title: String,
    title_en: String,
    unmet: Spanned<String>,
    met: Spanned<String>,
    source: String,
    since: Option<Day>,
    until: Option<Day>,
}

impl Expression {
    fn of(written: Spanned<String>, (file, text): (&str, &str)) -> Self {
        let before = text.get(..written.span().start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        Self { text: written.into_inner(), file: file.to_owned(), line }
    }

    /// What is wrong with it, with its file and line.
    pub fn bad(&self, what: &str, error: &ExprError) -> BadPack {
        let above: usize = self.text.chars().take(error.at - 1).filter(|c| *c == '\n').count();
        let line = self.line + above;
        BadPack { file: self.file.clone(), reason: format!("line {line}, {what}: {error}") }
    }
}

impl Written {
    /// The guarantee, with the file that it is from.
    pub(crate) fn of_file(self, file: (&str, &str)) -> Guarantee {
        let Self { id, title, title_en, unmet, met, source, since, until } = self;
        let [unmet, met] = [unmet, met].map(|written| Expression::of(written, file));
        Guarantee { id, title, title_en, unmet, met, source, since, until }
    }
}

impl Guarantee {
    /// True if it is asked for on a day.
    pub fn is_in_force(&self, on: Day) -> bool {
        self.since.is_none_or(|since| since <= on) && self.until.is_none_or(|until| on <= until)
    }

    /// Refuses one that ends before it begins, and those of one id that are asked for on the same day.
    pub(crate) fn check(guarantees: &[Self]) -> Result<(), String> {
        let begins_by =
            |from: Option<Day>, to: Option<Day>| from.zip(to).is_none_or(|(from, to)| from <= to);
        for (nth, own) in guarantees.iter().enumerate() {
            let id = &own.id;
            if !begins_by(own.since, own.until) {
                return Err(format!("guarantee {id}: it ends before it begins"));
            }
            let mut others = guarantees.iter().skip(nth + 1).filter(|other| other.id == *id);
            if others
                .any(|other| begins_by(other.since, own.until) && begins_by(own.since, other.until))
            {
                return Err(format!("guarantee {id} stands here twice for the same days"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Policy;

    fn pack(days: &[&str]) -> Result<Policy, BadPack> {
        let one = |days: &&str| {
            format!(
                "[[guarantee]]\nid = 'water'\ntitle = '水'\ntitle_en = 'water'\nsource = 'a test'\n\
                 unmet = '!water_is_safe'\nmet = 'water_is_safe'\n{days}\n"
            )
        };
        let text: String = days.iter().map(one).collect();
        Policy::embedded_and([("own.toml", text.as_str())])
    }

    #[test]
    fn each_day_has_one_guarantee_of_an_id_at_most() {
        let policy =
            pack(&["until = '2017-12-31'", "since = '2018-01-01'\nuntil = '2020-12-31'"]).unwrap();
        let in_force = |on: &str| {
            let guarantees = policy.guarantees(Day::parse(on).unwrap());
            guarantees.iter().filter(|own| own.id == "water").count()
        };
        assert_eq!(
            ["2017-12-31", "2018-01-01", "2020-12-31", "2021-01-01"].map(in_force),
            [1, 1, 1, 0]
        );
        for (days, says) in [
            (&["", ""][..], "twice"),
            (&["until = '2018-01-01'", "since = '2018-01-01'"], "twice"),
            (&["since = '2018-01-01'", "since = '2019-01-01'\nuntil = '2019-12-31'"], "twice"),
            (&["since = '2018-01-01'\nuntil = '2017-12-31'"], "before it begins"),
            (&["since = '2018-02-30'"], "day"),
        ] {
            let error = pack(days).unwrap_err();
            assert_eq!(error.file, "own.toml");
            assert!(error.reason.contains(says), "{days:?}: {}", error.reason);
        }
    }
}
