//! What a household must have to be out of poverty, and what it is by rule.

use daohu_base::Day;
use serde::Deserialize;
use toml::Spanned;

use crate::{
    BadPack,
    expr::ExprError,
    items::{Days, FileOf, Item, Standing},
};

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
    /// Where and when it is asked for.
    pub standing: Standing,
}

/// A class of households: those of whom an expression is true.
#[derive(Clone, Debug)]
pub struct Class {
    /// As other expressions name it: `below_line` …
    pub id: String,
    /// In Chinese.
    pub title: String,
    /// In English.
    pub title_en: String,
    /// If it is true, the household belongs to the class; if it is false, it does not.
    pub when: Expression,
    /// Where and when there is this class.
    pub standing: Standing,
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
pub(crate) struct WrittenGuarantee {
    id: Spanned<String>,
    title: String,
    title_en: String,
    unmet: Spanned<String>,
    met: Spanned<String>,
    source: String,
    since: Option<Day>,
    until: Option<Day>,
    #[serde(default)]
    open: bool,
}

/// A class as a file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenClass {
    id: Spanned<String>,
    title: String,
    title_en: String,
    when: Spanned<String>,
    source: String,
    since: Option<Day>,
    until: Option<Day>,
    #[serde(default)]
    open: bool,
}

impl Item for Guarantee {
    fn id(&self) -> &str {
        &self.id
    }

    fn standing(&self) -> &Standing {
        &self.standing
    }
}

impl Item for Class {
    fn id(&self) -> &str {
        &self.id
    }

    fn standing(&self) -> &Standing {
        &self.standing
    }
}

impl Expression {
    fn of(written: Spanned<String>, file: FileOf<'_>) -> Self {
        let line = file.line(written.span().start);
        Self { text: written.into_inner(), file: file.name.to_owned(), line }
    }

    /// What is wrong with it, with its file and line.
    pub fn bad(&self, what: &str, error: &ExprError) -> BadPack {
        let above: usize = self.text.chars().take(error.at - 1).filter(|c| *c == '\n').count();
        let line = self.line + above;
        BadPack { file: self.file.clone(), reason: format!("line {line}, {what}: {error}") }
    }

    /// It can be true of no household.
    pub fn never(&self, what: &str) -> BadPack {
        let zh = format!("{what}：没有一户能使它成立，请检查条件是否互相矛盾");
        let en =
            format!("{what}: no household can be so; do its conditions contradict each other?");
        BadPack::at(&self.file, self.line, &zh, &en)
    }
}

impl WrittenGuarantee {
    /// The guarantee, with the file that it is from.
    pub(crate) fn of_file(self, file: FileOf<'_>) -> Result<Guarantee, BadPack> {
        let days = Days { since: self.since, until: self.until, ..Days::default() };
        let standing = file.standing(self.id.span().start, days, (self.source, self.open))?;
        let [unmet, met] = [self.unmet, self.met].map(|written| Expression::of(written, file));
        let (title, title_en) = (self.title, self.title_en);
        Ok(Guarantee { id: self.id.into_inner(), title, title_en, unmet, met, standing })
    }
}

impl WrittenClass {
    /// The class, with the file that it is from.
    pub(crate) fn of_file(self, file: FileOf<'_>) -> Result<Class, BadPack> {
        let days = Days { since: self.since, until: self.until, ..Days::default() };
        let standing = file.standing(self.id.span().start, days, (self.source, self.open))?;
        let when = Expression::of(self.when, file);
        let (title, title_en) = (self.title, self.title_en);
        Ok(Class { id: self.id.into_inner(), title, title_en, when, standing })
    }
}
