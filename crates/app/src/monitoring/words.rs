//! What a test says, in words. Pure.

use daohu_policy::{
    CodeSet, Policy,
    expr::{Comparison, FieldKind, FieldRef, Number, Test, Unit, Vocabulary},
};

use crate::Lang;

/// Words for the tests of a policy.
#[derive(Clone, Copy)]
pub(super) struct Wording<'p> {
    pub(super) policy: &'p Policy,
    pub(super) vocabulary: &'p Vocabulary,
    pub(super) lang: Lang,
}

impl Wording<'_> {
    /// What must be so for the test to hold.
    pub(super) fn test(&self, test: &Test) -> String {
        let pick = |zh: &'static str, en: &'static str| self.lang.pick(zh, en);
        match test {
            Test::Is(is) => {
                if *is { pick("总是", "always") } else { pick("从不", "never") }.to_owned()
            }
            Test::Flag(field) => {
                format!("{}{}{}", self.field(*field), pick("：", ": "), pick("是", "yes"))
            }
            Test::Known(field) => format!("{}{}", self.field(*field), pick("已知", " is known")),
            Test::OneOf(field, codes) | Test::HasAny(field, codes) => {
                let names = self.codes(*field, *codes).join(pick("、", ", "));
                format!("{}{}{names}", self.field(*field), pick("为", " is "))
            }
            Test::Compare(how, one, other) => {
                let unit = self.unit(one).or_else(|| self.unit(other));
                let (one, other) = (self.number(one, unit), self.number(other, unit));
                format!("{one} {} {other}", sign(*how))
            }
            Test::Not(test) => match &**test {
                Test::Flag(field) => {
                    format!("{}{}{}", self.field(*field), pick("：", ": "), pick("否", "no"))
                }
                Test::Compare(how, one, other) => {
                    self.test(&Test::Compare(how.opposite(), one.clone(), other.clone()))
                }
                Test::Known(field) => {
                    format!("{}{}", self.field(*field), pick("不明", " is not known"))
                }
                test => format!("{}（{}）", pick("不成立", "not"), self.test(test)),
            },
            Test::All(parts) => self.joined(parts, pick("，且", ", and ")),
            Test::Any(parts) => self.joined(parts, pick("，或", ", or ")),
            Test::Someone(of) => {
                format!("{}{}", pick("有成员：", "a member: "), self.test(of))
            }
            Test::Everyone(of) => {
                format!("{}{}", pick("每个成员：", "every member: "), self.test(of))
            }
            Test::Decided(of) => {
                format!("{}（{}）", pick("已能判定", "it is known whether"), self.test(of))
            }
            Test::Judged(_, met) => format!("{}（{}）", pick("达标", "met"), self.test(met)),
        }
    }

    fn joined(&self, parts: &[Test], join: &str) -> String {
        let part = |part: &Test| match part {
            Test::All(_) | Test::Any(_) => format!("（{}）", self.test(part)),
            part => self.test(part),
        };
        parts.iter().map(part).collect::<Vec<_>>().join(join)
    }

    /// What a field is called.
    pub(super) fn field(&self, field: FieldRef) -> String {
        let found = self.vocabulary.field(field);
        found.map_or_else(String::new, |own| self.lang.pick(&own.title, &own.name).to_owned())
    }

    fn codes(&self, field: FieldRef, codes: CodeSet) -> Vec<String> {
        let kind = self.vocabulary.field(field).map(|own| &own.kind);
        let list = match kind {
            Some(FieldKind::Code(list) | FieldKind::Codes(list)) => self.policy.list(list),
            _ => None,
        };
        let name = |code: u8| {
            list.and_then(|list| list.name_of(code))
                .map_or_else(|| format!("{code:02}"), str::to_owned)
        };
        codes.iter().map(name).collect()
    }

    /// What a number counts, if a field says so.
    fn unit(&self, number: &Number) -> Option<Counted> {
        match number {
            Number::Field(field) => match &self.vocabulary.field(*field)?.kind {
                FieldKind::Number(Unit::Yuan) => Some(Counted::Fen),
                FieldKind::Day => Some(Counted::Day),
                _ => None,
            },
            Number::Sum(one, other)
            | Number::Difference(one, other)
            | Number::Product(one, other)
            | Number::Quotient(one, other) => self.unit(one).or_else(|| self.unit(other)),
            Number::Constant(_) | Number::Members | Number::Count(_) => None,
        }
    }

    fn number(&self, number: &Number, unit: Option<Counted>) -> String {
        let both = |one: &Number, other: &Number, unit: [Option<Counted>; 2], sign: &str| {
            let [of_one, of_other] = unit;
            format!("{} {sign} {}", self.number(one, of_one), self.number(other, of_other))
        };
        match number {
            Number::Constant(constant) => written(*constant, unit),
            Number::Field(field) => self.field(*field),
            Number::Members => self.lang.pick("家庭人数", "members").to_owned(),
            Number::Count(test) => {
                let words = self.test(test);
                match self.lang {
                    Lang::Zh => format!("成员数（{words}）"),
                    Lang::En => format!("members ({words})"),
                }
            }
            Number::Sum(one, other) => both(one, other, [unit, unit], "+"),
            Number::Difference(one, other) => both(one, other, [unit, unit], "−"),
            // One side alone is in the unit.
            Number::Product(one, other) => {
                both(one, other, [self.unit(one), self.unit(other)], "×")
            }
            Number::Quotient(one, other) => {
                both(one, other, [self.unit(one), self.unit(other)], "÷")
            }
        }
    }
}

/// How a number is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    Fen,
    Day,
}

/// A number as people write it.
#[expect(clippy::cast_possible_truncation, reason = "amounts and days are whole")]
pub(super) fn written(number: f64, unit: Option<Counted>) -> String {
    match unit {
        Some(Counted::Fen) => (number / 100.0).to_string(),
        Some(Counted::Day) => {
            let packed = number as i64;
            format!("{:04}-{:02}-{:02}", packed / 10_000, packed / 100 % 100, packed % 100)
        }
        None => number.to_string(),
    }
}

const fn sign(how: Comparison) -> &'static str {
    match how {
        Comparison::Equal => "=",
        Comparison::NotEqual => "≠",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "≤",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => "≥",
    }
}
