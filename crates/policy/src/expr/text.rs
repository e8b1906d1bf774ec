//! The text of an expression, parsed once.

use std::sync::{Arc, OnceLock};

use cel::{
    Env,
    common::ast::{IdedExpr, SourceInfo},
};

use super::ExprError;

/// An expression as it is written. It is parsed when it is first read: packs are read at each start, and asked at many places.
#[derive(Clone, Debug, Default)]
pub struct Text {
    text: String,
    parsed: OnceLock<Result<Arc<Parsed>, ExprError>>,
}

/// What the syntax makes of it.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) expr: IdedExpr,
    pub(super) source: SourceInfo,
}

impl Text {
    /// An expression.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), parsed: OnceLock::new() }
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn parsed(&self) -> Result<&Parsed, ExprError> {
        let parsed = self.parsed.get_or_init(|| parse(&self.text).map(Arc::new));
        parsed.as_deref().map_err(Clone::clone)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Text {}

fn parse(text: &str) -> Result<Parsed, ExprError> {
    // Without macros, `exists` and `all` arrive as they are written.
    let parser = Env::default().with_optional_support(false).parser();
    let parsed = parser.parse_with_source_info(text);
    let (expr, source) = parsed.map_err(|errors| {
        let first = errors.errors.first();
        let at = first.map_or(1, |error| usize::try_from(error.pos.1).unwrap_or(1).max(1));
        let says = first.map(|error| error.msg.clone()).unwrap_or_default();
        ExprError {
            at,
            code: "expr.syntax",
            zh: format!("表达式写法有误：{says}"),
            en: format!("this is not an expression: {says}"),
        }
    })?;
    Ok(Parsed { expr, source })
}
