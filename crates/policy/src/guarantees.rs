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
    pub since: Option<String>,
    /// The last day on which it is asked for.
    pub until: Option<String>,
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
    since: Option<String>,
    until: Option<String>,
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
        let (since, until) = self.days();
        since.is_none_or(|since| since <= on) && until.is_none_or(|until| on <= until)
    }

    fn days(&self) -> (Option<Day>, Option<Day>) {
        let day = |text: &Option<String>| text.as_deref().and_then(|day| Day::parse(day).ok());
        (day(&self.since), day(&self.until))
    }

    /// Refuses days that are none, and guarantees of one id that are asked for on the same day.
    pub(crate) fn check(guarantees: &[Self]) -> Result<(), String> {
        for (nth, own) in guarantees.iter().enumerate() {
            let id = &own.id;
            for text in [&own.since, &own.until].into_iter().flatten() {
                Day::parse(text).map_err(|_| format!("guarantee {id}: {text} is no day"))?;
            }
            let (since, until) = own.days();
            if since.zip(until).is_some_and(|(since, until)| since > until) {
                return Err(format!("guarantee {id}: it ends before it begins"));
            }
            let others = guarantees.iter().skip(nth + 1).filter(|other| other.id == *id);
            for other in others {
                let (from, to) = other.days();
                let begins = |from: Option<Day>, to: Option<Day>| {
                    from.zip(to).is_none_or(|(from, to)| from <= to)
                };
                if begins(from, until) && begins(since, to) {
                    return Err(format!("guarantee {id} stands here twice for the same days"));
                }
            }
        }
        Ok(())
    }
}
