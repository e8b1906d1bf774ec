//! What is judged of households: guarantees, classes, warnings, coverage.

use daohu_base::Day;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::{
    BadPack, Crosscheck, Finds,
    expr::{ExprError, Text},
    items::{Days, FileOf, Item, Standing},
};

/// What something that is judged is called, and where and when it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// `income`, `housing` …
    pub id: String,
    /// In Chinese.
    pub title: String,
    /// In English.
    pub title_en: String,
    /// Where and when.
    pub standing: Standing,
}

/// A guarantee: two expressions about a household, as [`crate::expr`] reads them.
#[derive(Clone, Debug)]
pub struct Guarantee {
    /// What it is called.
    pub head: Head,
    /// If it is true, the household lacks it.
    pub unmet: Expression,
    /// If it is true where `unmet` is not, the household has it.
    pub met: Expression,
}

/// A class of households: those of whom an expression is true.
#[derive(Clone, Debug)]
pub struct Class {
    /// What it is called; other expressions name it by its id.
    pub head: Head,
    /// If it is true, the household belongs to the class; if it is false, it does not.
    pub when: Expression,
}

/// What somebody must look after, if an expression is true of a household.
#[derive(Clone, Debug)]
pub struct Warning {
    /// What it is called.
    pub head: Head,
    /// If it is true, there is reason to warn.
    pub when: Expression,
    /// How much it matters.
    pub level: WarningLevel,
    /// Who looks after it.
    pub assign: Assignee,
    /// Within so many days somebody must have dealt with it.
    pub handle_days: i64,
    /// For so many days after it was closed it is not raised again for the household.
    pub repeat_days: i64,
}

/// What certain households must have: how far it reaches.
#[derive(Clone, Debug)]
pub struct Coverage {
    /// What it is called.
    pub head: Head,
    /// Who must have it.
    pub among: Expression,
    /// Who has it.
    pub has: Expression,
    /// What the share is to be, in percent.
    pub target_percent: Option<f64>,
}

/// How much a warning matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "they say what they are")]
pub enum WarningLevel {
    Low,
    Medium,
    High,
}

/// Who looks after a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Assignee {
    /// The cadre who answers for the household; the village, where there is none.
    ResponsibleCadre,
    /// Who keeps the registry of the village.
    Village,
    /// That of the township.
    Township,
    /// The county's office.
    County,
}

/// An expression, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// The expression.
    pub text: Text,
    /// The file, relative to the pack.
    pub file: String,
    /// The line of the file on which it begins, from 1.
    pub line: usize,
}

impl WarningLevel {
    /// As packs write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl Assignee {
    /// As packs write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ResponsibleCadre => "responsible_cadre",
            Self::Village => "village",
            Self::Township => "township",
            Self::County => "county",
        }
    }
}

impl Expression {
    fn of(written: Spanned<String>, file: FileOf<'_>) -> Self {
        let line = file.line(written.span().start);
        Self { text: Text::new(written.into_inner()), file: file.name.to_owned(), line }
    }

    /// What is wrong with it, with its file and line.
    pub fn bad(&self, what: &str, error: &ExprError) -> BadPack {
        let above: usize =
            self.text.as_str().chars().take(error.at - 1).filter(|c| *c == '\n').count();
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

/// What a file writes of one of these: what all have, and what is its own.
macro_rules! written {
    ($written:ident => $kind:ident { $($(#[$meta:meta])* $field:ident: $type:ty),* }) => {
        #[derive(Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $written {
            #[schemars(with = "String")]
            id: Spanned<String>,
            title: String,
            title_en: String,
            source: String,
            #[schemars(with = "Option<String>", regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
            since: Option<Day>,
            #[schemars(with = "Option<String>", regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
            until: Option<Day>,
            #[serde(default)]
            open: bool,
            $($(#[$meta])* $field: $type,)*
        }

        impl Item for $kind {
            fn id(&self) -> &str {
                &self.head.id
            }

            fn standing(&self) -> &Standing {
                &self.head.standing
            }
        }

        impl $written {
            /// It, with the file that it is from.
            pub(crate) fn of_file(self, file: FileOf<'_>) -> Result<$kind, BadPack> {
                let days = Days { since: self.since, until: self.until, ..Days::default() };
                let origin = (self.source, self.open);
                let standing = file.standing(self.id.span().start, days, origin)?;
                let (title, title_en) = (self.title, self.title_en);
                let head = Head { id: self.id.into_inner(), title, title_en, standing };
                Ok($kind { head, $($field: Kept::kept(self.$field, file),)* })
            }
        }
    };
}

/// What is written, as it is kept.
trait Kept<T> {
    fn kept(self, file: FileOf<'_>) -> T;
}

impl Kept<Expression> for Spanned<String> {
    fn kept(self, file: FileOf<'_>) -> Expression {
        Expression::of(self, file)
    }
}

impl<T> Kept<T> for T {
    fn kept(self, _: FileOf<'_>) -> T {
        self
    }
}

written!(WrittenGuarantee => Guarantee {
    #[schemars(with = "String")]
    unmet: Spanned<String>,
    #[schemars(with = "String")]
    met: Spanned<String>
});
written!(WrittenClass => Class {
    #[schemars(with = "String")]
    when: Spanned<String>
});
written!(WrittenWarning => Warning {
    #[schemars(with = "String")]
    when: Spanned<String>,
    level: WarningLevel,
    assign: Assignee,
    handle_days: i64,
    repeat_days: i64
});
written!(WrittenCoverage => Coverage {
    #[schemars(with = "String")]
    among: Spanned<String>,
    #[schemars(with = "String")]
    has: Spanned<String>,
    target_percent: Option<f64>
});
written!(WrittenCrosscheck => Crosscheck {
    finds: Finds,
    except: Option<Vec<String>>,
    age_from: Option<i64>,
    age_to: Option<i64>,
    amount: Option<Vec<String>>,
    adds_up: Option<bool>,
    at_least: Option<String>,
    fact: Option<Vec<String>>,
    level: WarningLevel,
    assign: Assignee,
    handle_days: i64
});
