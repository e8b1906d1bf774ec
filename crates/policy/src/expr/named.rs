//! What expressions may name beside fields: classes, and guarantees by their outcome.

use cel::common::ast::{Expr, IdedExpr};

use super::{
    ExprError, Text,
    check::{Check, Checked, Typed, compile_within},
    tree::Test,
};

/// What stands under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named<'n> {
    /// A class: the expression that says who belongs to it.
    Class(&'n Text),
    /// A guarantee: what makes it unmet, and what makes it met otherwise.
    Guarantee(&'n Text, &'n Text),
}

/// The names that are being read, the innermost first.
#[derive(Clone, Copy)]
pub(super) struct Within<'a> {
    pub(super) name: &'a str,
    pub(super) outside: Option<&'a Within<'a>>,
}

impl Within<'_> {
    fn names(&self) -> Vec<&str> {
        let mut names = self.outside.map(Within::names).unwrap_or_default();
        names.push(self.name);
        names
    }
}

impl Check<'_, '_> {
    /// The class of a name, if there is one.
    pub(super) fn class(&self, expr: &IdedExpr, name: &str) -> Option<Checked<Typed>> {
        match (self.words.named)(name)? {
            Named::Class(text) => Some(self.read(expr, (name, text)).map(Typed::Test)),
            Named::Guarantee(..) => Some(self.refuse(
                expr,
                "expr.guarantee_alone",
                (
                    format!("{name} 是一项保障，请写 met({name}) 或 unmet({name})"),
                    format!("{name} is a guarantee: write met({name}) or unmet({name})"),
                ),
            )),
        }
    }

    /// `met(housing)`: what the guarantee says of the household, unknown where it does.
    pub(super) fn met(&self, of: &IdedExpr) -> Checked<Test> {
        let found = match &of.expr {
            Expr::Ident(name) => (self.words.named)(name).map(|named| (name, named)),
            _ => None,
        };
        let Some((name, Named::Guarantee(unmet, met))) = found else {
            return self.refuse(
                of,
                "expr.no_guarantee",
                (
                    "括号里写一项保障的编号，如 met(housing)",
                    "the name of a guarantee stands in the brackets, such as met(housing)",
                ),
            );
        };
        let (unmet, met) = (self.read(of, (name, unmet))?, self.read(of, (name, met))?);
        Ok(Test::Judged(Box::new(unmet), Box::new(met)))
    }

    /// Reads the expression that a name stands for.
    fn read(&self, expr: &IdedExpr, (name, text): (&str, &Text)) -> Checked<Test> {
        let names = self.within.map(Within::names).unwrap_or_default();
        if let Some(first) = names.iter().position(|own| *own == name) {
            let round = names.get(first..).unwrap_or_default();
            let round: Vec<&str> = round.iter().copied().chain([name]).collect();
            let round = round.join(" → ");
            return self.refuse(
                expr,
                "expr.cycle",
                (
                    format!("{round} 互相引用，没有尽头"),
                    format!("{round}: each is said by the next, without an end"),
                ),
            );
        }
        let within = Within { name, outside: self.within };
        compile_within(text, self.words, Some(&within)).or_else(|inner: ExprError| {
            if inner.code == "expr.cycle" {
                return self.refuse(expr, inner.code, (inner.zh, inner.en));
            }
            let zh = format!("{name} 本身写错了：{}", inner.zh);
            self.refuse(expr, "expr.named", (zh, format!("{name} is wrong itself: {}", inner.en)))
        })
    }
}
