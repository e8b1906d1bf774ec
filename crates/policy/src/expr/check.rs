//! From the syntax of CEL to tests, with every name and unit checked.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SourceInfo, operators as op};
use daohu_base::Day;

use super::{
    error::ExprError,
    named::{Named, Within},
    text::{Parsed, Text},
    tree::{Comparison, FieldRef, Level, Number, Test},
    vocabulary::{FieldKind, Unit, Vocabulary},
};
use crate::{CodeList, CodeSet};

/// What the words of an expression stand for.
#[derive(Clone, Copy)]
pub struct Words<'w, 'n> {
    /// The fields.
    pub vocabulary: &'w Vocabulary,
    /// The code list of a name.
    pub list: &'w dyn Fn(&str) -> Option<&'n CodeList>,
    /// The class or guarantee of a name.
    pub named: &'w dyn Fn(&str) -> Option<Named<'n>>,
}

/// Reads an expression that is true or false of a household; `name` is what it is called by others, if it is.
pub fn compile(text: &Text, name: Option<&str>, words: Words<'_, '_>) -> Result<Test, ExprError> {
    let within = name.map(|name| Within { name, outside: None });
    compile_within(text, words, within.as_ref())
}

pub(super) fn compile_within(
    text: &Text,
    words: Words<'_, '_>,
    within: Option<&Within<'_>>,
) -> Result<Test, ExprError> {
    let Parsed { expr, source } = text.parsed()?;
    let check = Check { words, source, within };
    let typed = check.expr(expr, None)?;
    check.test(typed, expr)
}

/// What a part of an expression is.
pub(super) enum Typed {
    Test(Test),
    /// With its unit; none of a number that was written down.
    Number(Number, Option<Unit>),
    Code(FieldRef, String),
    Codes(FieldRef, String),
    Day(Number),
    Text(FieldRef),
    String(String),
    Strings(Vec<String>),
    Members,
    /// The members whom a test holds of.
    Those(Test),
}

pub(super) struct Check<'a, 'n> {
    pub(super) words: Words<'a, 'n>,
    source: &'a SourceInfo,
    /// What is being read, and for which other.
    pub(super) within: Option<&'a Within<'a>>,
}

pub(super) type Checked<T> = Result<T, ExprError>;

/// What a member is called within `members.exists(m, …)`.
type Name<'n> = Option<&'n str>;

impl Check<'_, '_> {
    pub(super) fn refuse<T>(
        &self,
        expr: &IdedExpr,
        code: &'static str,
        (zh, en): (impl Into<String>, impl Into<String>),
    ) -> Checked<T> {
        let at = self.source.offset_for(expr.id).map_or(1, |(start, _)| start + 1);
        let at = usize::try_from(at).unwrap_or(1);
        Err(ExprError { at, code, zh: zh.into(), en: en.into() })
    }

    fn expr(&self, expr: &IdedExpr, member: Name<'_>) -> Checked<Typed> {
        match &expr.expr {
            Expr::Ident(name) if member == Some(name.as_str()) => self.refuse(
                expr,
                "expr.member_alone",
                (
                    format!("{name} 是一个家庭成员，要写出看他的哪一项，如 {name}.age"),
                    format!("{name} is a member: say which field of his, such as {name}.age"),
                ),
            ),
            Expr::Ident(name) if name == "members" && member.is_none() => Ok(Typed::Members),
            Expr::Ident(name) => self.field(expr, (Level::Household, name), member),
            Expr::Select(select) if !select.test => match &select.operand.expr {
                Expr::Ident(of) if member == Some(of.as_str()) => {
                    self.field(expr, (Level::Member, &select.field), member)
                }
                _ => self.refuse(
                    expr,
                    "expr.unknown_owner",
                    (
                        "点号前只能是 exists、all、filter 里给成员取的名字",
                        "only the name given to a member in exists, all or filter stands before a dot",
                    ),
                ),
            },
            Expr::Literal(literal) => self.literal(expr, literal),
            Expr::List(list) => {
                let text = |item: &IdedExpr| match self.expr(item, member)? {
                    Typed::String(text) => Ok(text),
                    _ => self.refuse(
                        item,
                        "expr.list",
                        ("方括号里只写代码名称，如 ['因病', '因残']", "a list holds names of codes"),
                    ),
                };
                list.elements.iter().map(text).collect::<Checked<_>>().map(Typed::Strings)
            }
            Expr::Call(call) => self.call(expr, call, member),
            _ => self.refuse(
                expr,
                "expr.unsupported",
                ("这里不支持这种写法", "this is not supported in rules"),
            ),
        }
    }

    fn literal(&self, expr: &IdedExpr, literal: &LiteralValue) -> Checked<Typed> {
        #[expect(clippy::cast_precision_loss, reason = "amounts and counts stay below 2^53")]
        let number = match literal {
            LiteralValue::Boolean(flag) => return Ok(Typed::Test(Test::Is(*flag.inner()))),
            LiteralValue::String(text) => return Ok(Typed::String(text.inner().to_owned())),
            LiteralValue::Int(number) => *number.inner() as f64,
            LiteralValue::UInt(number) => *number.inner() as f64,
            LiteralValue::Double(number) => *number.inner(),
            LiteralValue::Bytes(_) | LiteralValue::Null => {
                return self.refuse(
                    expr,
                    "expr.unsupported",
                    (
                        "不与空值比较，请写 known(…)",
                        "nothing is compared with null: write known(…)",
                    ),
                );
            }
        };
        Ok(Typed::Number(Number::Constant(number), None))
    }

    fn field(
        &self,
        expr: &IdedExpr,
        (level, name): (Level, &str),
        member: Name<'_>,
    ) -> Checked<Typed> {
        let Some((at, field)) = self.words.vocabulary.find(level, name) else {
            if let (Level::Household, None, Some(class)) = (level, member, self.class(expr, name)) {
                return class;
            }
            let nearest = self.words.vocabulary.nearest(level, name);
            let (zh, en) = nearest.map_or_else(Default::default, |near| {
                (format!("，是不是 {near}？"), format!(": did you mean {near}?"))
            });
            return self.refuse(
                expr,
                "expr.unknown_field",
                (format!("没有 {name} 这一项{zh}"), format!("there is no field {name}{en}")),
            );
        };
        if level == Level::Household && member.is_some() {
            return self.refuse(
                expr,
                "expr.household_within_members",
                (
                    format!("{name} 是户的，不能写在成员的条件里，请移到外面"),
                    format!("{name} is the household's: it cannot stand in a test of members"),
                ),
            );
        }
        Ok(match &field.kind {
            FieldKind::Flag => Typed::Test(Test::Flag(at)),
            FieldKind::Code(list) => Typed::Code(at, list.clone()),
            FieldKind::Codes(list) => Typed::Codes(at, list.clone()),
            FieldKind::Number(unit) => Typed::Number(Number::Field(at), Some(*unit)),
            FieldKind::Day => Typed::Day(Number::Field(at)),
            FieldKind::Text => Typed::Text(at),
        })
    }

    /// The test that a part must be.
    fn test(&self, typed: Typed, expr: &IdedExpr) -> Checked<Test> {
        match typed {
            Typed::Test(test) => Ok(test),
            _ => self.refuse(
                expr,
                "expr.not_a_test",
                ("这里要一个成立或不成立的条件", "this must be a condition"),
            ),
        }
    }

    fn tested(&self, expr: &IdedExpr, member: Name<'_>) -> Checked<Test> {
        self.test(self.expr(expr, member)?, expr)
    }

    fn call(&self, expr: &IdedExpr, call: &CallExpr, member: Name<'_>) -> Checked<Typed> {
        let args = call.args.as_slice();
        if let Some(target) = &call.target {
            return self.of_members(expr, (target, call.func_name.as_str(), args), member);
        }
        match (call.func_name.as_str(), args) {
            (op::LOGICAL_AND, [one, other]) => {
                let parts = vec![self.tested(one, member)?, self.tested(other, member)?];
                Ok(Typed::Test(joined(parts, Test::All)))
            }
            (op::LOGICAL_OR, [one, other]) => {
                let parts = vec![self.tested(one, member)?, self.tested(other, member)?];
                Ok(Typed::Test(joined(parts, Test::Any)))
            }
            (op::LOGICAL_NOT, [one]) => Ok(Typed::Test(not(self.tested(one, member)?))),
            (op::NEGATE, [one]) => {
                let zero = (Number::Constant(0.0), None);
                self.arithmetic(expr, op::SUBSTRACT, zero, self.number(one, member)?)
            }
            (op::IN, [one, other]) => self.is_in(expr, (one, other), member),
            ("known", [one]) => self.known(one, member),
            ("met", [one]) => self.met(one).map(Typed::Test),
            ("unmet", [one]) => self.met(one).map(|met| Typed::Test(not(met))),
            ("size", [one]) => match self.expr(one, member)? {
                Typed::Members => Ok(Typed::Number(Number::Members, Some(Unit::Plain))),
                Typed::Those(test) => Ok(count(test)),
                _ => self.unknown_function(expr, "size"),
            },
            (name, [one, other]) => match comparison(name) {
                Some(how) => self.compare(expr, how, (one, other), member),
                None if [op::ADD, op::SUBSTRACT, op::MULTIPLY, op::DIVIDE].contains(&name) => {
                    let (one, other) = (self.number(one, member)?, self.number(other, member)?);
                    self.arithmetic(expr, name, one, other)
                }
                None => self.unknown_function(expr, name),
            },
            (name, _) => self.unknown_function(expr, name),
        }
    }

    fn unknown_function<T>(&self, expr: &IdedExpr, name: &str) -> Checked<T> {
        self.refuse(
            expr,
            "expr.unknown_function",
            (
                format!("没有 {name} 这个写法；可用：&& || ! in == != < <= > >= + - * / known() met() unmet() members.exists() members.all() members.filter().size() members.size()"),
                format!("there is no {name}; there are: && || ! in == != < <= > >= + - * / known() met() unmet() members.exists() members.all() members.filter().size() members.size()"),
            ),
        )
    }

    /// `members.exists(m, …)` and its like.
    fn of_members(
        &self,
        expr: &IdedExpr,
        (target, name, args): (&IdedExpr, &str, &[IdedExpr]),
        member: Name<'_>,
    ) -> Checked<Typed> {
        match (self.expr(target, member)?, name, args) {
            (Typed::Members, "size", []) => Ok(Typed::Number(Number::Members, Some(Unit::Plain))),
            (Typed::Those(test), "size", []) => Ok(count(test)),
            (Typed::Members, "exists" | "all" | "filter", [variable, body]) => {
                let Expr::Ident(variable) = &variable.expr else {
                    return self.refuse(
                        variable,
                        "expr.member_name",
                        (
                            "第一项是给成员取的名字，如 m",
                            "the first is a name for the member, such as m",
                        ),
                    );
                };
                let body = self.tested(body, Some(variable))?;
                Ok(match name {
                    "exists" => Typed::Test(Test::Someone(Box::new(body))),
                    "all" => Typed::Test(Test::Everyone(Box::new(body))),
                    _ => Typed::Those(body),
                })
            }
            _ => self.unknown_function(expr, name),
        }
    }

    fn known(&self, expr: &IdedExpr, member: Name<'_>) -> Checked<Typed> {
        let field = match self.expr(expr, member)? {
            Typed::Test(Test::Flag(field))
            | Typed::Number(Number::Field(field), _)
            | Typed::Day(Number::Field(field))
            | Typed::Code(field, _)
            | Typed::Codes(field, _)
            | Typed::Text(field) => field,
            Typed::Test(test) => return Ok(Typed::Test(Test::Decided(Box::new(test)))),
            _ => {
                return self.refuse(
                    expr,
                    "expr.known",
                    (
                        "known() 里写一项或一个条件，如 known(exit_year)",
                        "known() takes a field or a test",
                    ),
                );
            }
        };
        Ok(Typed::Test(Test::Known(field)))
    }

    /// The codes of these names in a list.
    fn codes(&self, expr: &IdedExpr, list: &str, names: &[String]) -> Checked<CodeSet> {
        let Some(list) = (self.words.list)(list) else {
            return self.refuse(
                expr,
                "expr.unknown_list",
                (format!("没有代码表 {list}"), format!("there is no code list {list}")),
            );
        };
        let code = |name: &String| {
            list.parse(name).map(i64::from).or_else(|unknown| {
                let (list, nearest) = (list.name(), unknown.nearest.join("、"));
                let zh = format!("{list} 里没有“{name}”，有：{nearest}");
                let en = format!("{list} has no {name}; nearest: {nearest}");
                self.refuse(expr, "expr.unknown_code", (zh, en))
            })
        };
        names.iter().map(code).collect()
    }

    fn is_in(
        &self,
        expr: &IdedExpr,
        (one, other): (&IdedExpr, &IdedExpr),
        member: Name<'_>,
    ) -> Checked<Typed> {
        let test = match (self.expr(one, member)?, self.expr(other, member)?) {
            (Typed::Code(field, list), Typed::Strings(names)) => {
                Test::OneOf(field, self.codes(other, &list, &names)?)
            }
            (Typed::String(name), Typed::Codes(field, list)) => {
                Test::HasAny(field, self.codes(one, &list, &[name])?)
            }
            _ => {
                return self.refuse(
                    expr,
                    "expr.in",
                    (
                        "in 的写法：项 in ['值', '值']，多选项写 '值' in 项",
                        "write field in ['value'], or 'value' in field where a field has several",
                    ),
                );
            }
        };
        Ok(Typed::Test(test))
    }

    fn compare(
        &self,
        expr: &IdedExpr,
        how: Comparison,
        (one, other): (&IdedExpr, &IdedExpr),
        member: Name<'_>,
    ) -> Checked<Typed> {
        let equal = match how {
            Comparison::Equal => Some(true),
            Comparison::NotEqual => Some(false),
            _ => None,
        };
        let test = match (self.expr(one, member)?, self.expr(other, member)?, equal) {
            (Typed::Number(one, mine), Typed::Number(other, its), _) => {
                let Some((one, other, _)) = alike((one, mine), (other, its)) else {
                    return self.other_units(expr);
                };
                Test::Compare(how, one, other)
            }
            (Typed::Day(one), Typed::Day(other), _) => Test::Compare(how, one, other),
            (Typed::Day(day), Typed::String(text), _) => {
                Test::Compare(how, day, self.day(other, &text)?)
            }
            (Typed::String(text), Typed::Day(day), _) => {
                Test::Compare(how.turned(), day, self.day(one, &text)?)
            }
            (Typed::Code(field, list), Typed::String(name), Some(equal)) => {
                negated(Test::OneOf(field, self.codes(other, &list, &[name])?), !equal)
            }
            (Typed::String(name), Typed::Code(field, list), Some(equal)) => {
                negated(Test::OneOf(field, self.codes(one, &list, &[name])?), !equal)
            }
            (Typed::Test(test), Typed::Test(Test::Is(is)), Some(equal))
            | (Typed::Test(Test::Is(is)), Typed::Test(test), Some(equal)) => {
                negated(test, is != equal)
            }
            _ => {
                return self.refuse(
                    expr,
                    "expr.not_alike",
                    ("两边不是同一类的值，不能比较", "the two sides cannot be compared"),
                );
            }
        };
        Ok(Typed::Test(test))
    }

    fn day(&self, expr: &IdedExpr, text: &str) -> Checked<Number> {
        match Day::parse(text) {
            Ok(day) => Ok(Number::Constant(f64::from(day.packed()))),
            Err(_) => self.refuse(
                expr,
                "expr.day",
                (
                    format!("“{text}”不是日期，请写成 2015-12-31"),
                    format!("{text} is no date: write 2015-12-31"),
                ),
            ),
        }
    }

    fn other_units<T>(&self, expr: &IdedExpr) -> Checked<T> {
        self.refuse(
            expr,
            "expr.units",
            (
                "两边的单位不同（元、年度、周岁、数量）",
                "the two sides have different units (yuan, year, age, quantity)",
            ),
        )
    }

    fn number(&self, expr: &IdedExpr, member: Name<'_>) -> Checked<(Number, Option<Unit>)> {
        match self.expr(expr, member)? {
            Typed::Number(number, unit) => Ok((number, unit)),
            _ => self.refuse(expr, "expr.not_a_number", ("这里要一个数", "this must be a number")),
        }
    }

    fn arithmetic(
        &self,
        expr: &IdedExpr,
        name: &str,
        one: (Number, Option<Unit>),
        other: (Number, Option<Unit>),
    ) -> Checked<Typed> {
        if name == op::DIVIDE && other.0 == Number::Constant(0.0) {
            return self.refuse(
                expr,
                "expr.division_by_zero",
                ("除数是 0", "this divides by zero"),
            );
        }
        let pair = (one.1, other.1);
        let unit = match (name, pair) {
            (op::MULTIPLY, (unit, None | Some(Unit::Plain)) | (None | Some(Unit::Plain), unit))
            | (op::DIVIDE, (unit, None | Some(Unit::Plain))) => Some(unit),
            (op::DIVIDE, (Some(one), Some(other))) if one == other => Some(Some(Unit::Plain)),
            (op::SUBSTRACT, (Some(Unit::Year), Some(Unit::Year))) => Some(Some(Unit::Plain)),
            (op::ADD | op::SUBSTRACT, (Some(Unit::Year), None | Some(Unit::Plain))) => {
                Some(Some(Unit::Year))
            }
            _ => None,
        };
        if let Some(unit) = unit {
            return Ok(Typed::Number(calculated(name, one.0, other.0), unit));
        }
        match alike(one, other) {
            Some((one, other, unit)) if [op::ADD, op::SUBSTRACT].contains(&name) => {
                Ok(Typed::Number(calculated(name, one, other), unit))
            }
            _ => self.other_units(expr),
        }
    }
}

/// Two numbers in one unit: a number that was written down takes that of the other.
fn alike(
    (one, mine): (Number, Option<Unit>),
    (other, its): (Number, Option<Unit>),
) -> Option<(Number, Number, Option<Unit>)> {
    let in_fen = |number| calculated(op::MULTIPLY, number, Number::Constant(100.0));
    match (mine, its) {
        (Some(Unit::Yuan), None) => Some((one, in_fen(other), mine)),
        (None, Some(Unit::Yuan)) => Some((in_fen(one), other, its)),
        (None, _) => Some((one, other, its)),
        (_, None) => Some((one, other, mine)),
        _ => (mine == its).then_some((one, other, mine)),
    }
}

fn calculated(name: &str, one: Number, other: Number) -> Number {
    if let (Number::Constant(one), Number::Constant(other)) = (&one, &other) {
        return Number::Constant(match name {
            op::ADD => one + other,
            op::SUBSTRACT => one - other,
            op::MULTIPLY => one * other,
            _ => one / other,
        });
    }
    let (one, other) = (Box::new(one), Box::new(other));
    match name {
        op::ADD => Number::Sum(one, other),
        op::SUBSTRACT => Number::Difference(one, other),
        op::MULTIPLY => Number::Product(one, other),
        _ => Number::Quotient(one, other),
    }
}

fn count(test: Test) -> Typed {
    Typed::Number(Number::Count(Box::new(test)), Some(Unit::Plain))
}

fn comparison(name: &str) -> Option<Comparison> {
    Some(match name {
        op::EQUALS => Comparison::Equal,
        op::NOT_EQUALS => Comparison::NotEqual,
        op::LESS => Comparison::Less,
        op::LESS_EQUALS => Comparison::LessOrEqual,
        op::GREATER => Comparison::Greater,
        op::GREATER_EQUALS => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn not(test: Test) -> Test {
    match test {
        Test::Is(is) => Test::Is(!is),
        Test::Not(test) => *test,
        test => Test::Not(Box::new(test)),
    }
}

fn negated(test: Test, is_negated: bool) -> Test {
    if is_negated { not(test) } else { test }
}

/// Parts in one list, however they were bracketed.
fn joined(parts: Vec<Test>, join: fn(Vec<Test>) -> Test) -> Test {
    let empty = join(Vec::new());
    let mut all = Vec::new();
    for part in parts {
        match (part, &empty) {
            (Test::All(inner), Test::All(_)) | (Test::Any(inner), Test::Any(_)) => {
                all.extend(inner)
            }
            (part, _) => all.push(part),
        }
    }
    join(all)
}
