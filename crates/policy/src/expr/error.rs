//! Why an expression is refused.

use std::fmt;

/// An expression cannot be used: where, why, and what to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExprError {
    /// The character of the expression at which it stands, from 1.
    pub at: usize,
    /// Stable: `expr.unknown_field` …
    pub code: &'static str,
    /// What is wrong, in Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl fmt::Display for ExprError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "第 {} 个字符：{} | character {}: {}", self.at, self.zh, self.at, self.en)
    }
}

impl std::error::Error for ExprError {}
