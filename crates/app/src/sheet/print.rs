//! Writing values into cells.

use std::{collections::HashMap, fmt::Write};

use daohu_base::{Fen, mask_bank_card, mask_id_number, mask_phone};
use daohu_db::Value;
use daohu_policy::{CodeList, Policy};
use serde_json::Value as Json;

use super::{Column, Kind, Secret, Sheet};
use crate::Lang;

/// Whether numbers that name a person are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Masking {
    /// With stars.
    Masked,
    /// In full: the caller has the right and has journaled why.
    Full,
}

/// Prints the cells of one sheet in canonical form: what is printed is read back as the same value.
pub struct Printer<'p> {
    sheet: &'static Sheet,
    lists: Vec<Option<&'p CodeList>>,
    flags: [String; 2],
    masking: Masking,
    groups: HashMap<String, String>,
}

impl<'p> Printer<'p> {
    /// A printer with the lists in force.
    pub fn new(sheet: &'static Sheet, policy: &'p Policy, masking: Masking) -> Self {
        let list = |kind: Kind| match kind {
            Kind::Code(name) | Kind::Codes(name, _) => policy.list(name),
            _ => None,
        };
        let lists = sheet.columns.iter().map(|column| list(column.kind)).collect();
        let flag = |code| policy.list("是否").and_then(|list| list.name_of(code)).unwrap_or("");
        let flags = [flag(2).to_owned(), flag(1).to_owned()];
        Self { sheet, lists, flags, masking, groups: HashMap::new() }
    }

    /// Names of villagers' groups by area code; a group it does not know prints as its code.
    pub fn with_groups(mut self, groups: HashMap<String, String>) -> Self {
        self.groups = groups;
        self
    }

    /// Appends the cell of column `i` to `out`.
    pub fn print(&self, i: usize, value: &Value, out: &mut String) {
        let Some(column) = self.sheet.columns.get(i) else { return };
        match (column.kind, value) {
            (_, Value::Null | Value::Blob(_)) => {}
            (Kind::Flag, Value::Int(flag)) => {
                out.push_str(if *flag == 0 { &self.flags[0] } else { &self.flags[1] });
            }
            // Most amounts are whole yuan; an export prints millions of them.
            (Kind::Yuan, Value::Int(fen)) if fen % 100 == 0 => {
                out.push_str(itoa::Buffer::new().format(fen / 100));
            }
            // Writing to a String cannot fail.
            (Kind::Yuan, Value::Int(fen)) => drop(write!(out, "{}", Fen(*fen))),
            (Kind::Code(_), Value::Int(code)) => self.code(i, *code, out),
            (Kind::Codes(..), Value::Text(codes)) => {
                for (n, code) in codes.split(' ').enumerate() {
                    out.push_str(if n > 0 { "、" } else { "" });
                    self.code(i, code.parse().unwrap_or_default(), out);
                }
            }
            (Kind::Group, Value::Text(code)) => {
                out.push_str(self.groups.get(code).map_or(code, String::as_str));
            }
            (Kind::Secret(secret), Value::Text(number)) if self.masking == Masking::Masked => {
                out.push_str(&masked(secret, number));
            }
            (_, Value::Int(number)) => out.push_str(itoa::Buffer::new().format(*number)),
            (_, Value::Real(number)) => drop(write!(out, "{number}")),
            (_, Value::Text(text)) => out.push_str(text),
        }
    }

    fn code(&self, i: usize, code: i64, out: &mut String) {
        let name = self
            .lists
            .get(i)
            .copied()
            .flatten()
            .and_then(|list| list.name_of(u8::try_from(code).unwrap_or_default()));
        match name {
            Some(name) => out.push_str(name),
            None => out.push_str(&format!("{code:02}")),
        }
    }
}

/// A field of the API's object of a record as people read it: codes by their names, amounts in yuan. None where it is
/// not known.
pub fn in_words(column: &Column, json: &Json, policy: &Policy, lang: Lang) -> Option<String> {
    let list = |name: &str, code: &str| {
        let known = code.parse().ok().and_then(|code| policy.list(name)?.name_of(code));
        known.unwrap_or(code).to_owned()
    };
    Some(match (column.kind, json) {
        (_, Json::Null) => return None,
        (Kind::Flag, Json::Bool(true)) => lang.pick("是", "yes").to_owned(),
        (Kind::Flag, Json::Bool(false)) => lang.pick("否", "no").to_owned(),
        (Kind::Yuan, Json::Number(fen)) => {
            format!("{} {}", Fen(fen.as_i64()?), lang.pick("元", "yuan"))
        }
        (Kind::Code(name), Json::String(code)) => list(name, code),
        (Kind::Codes(name, _), Json::Array(codes)) => {
            let names = codes.iter().filter_map(Json::as_str).map(|code| list(name, code));
            names.collect::<Vec<_>>().join("、")
        }
        (_, Json::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    })
}

/// A number as those see it who may not see it.
pub(super) fn masked(secret: Secret, number: &str) -> String {
    match secret {
        Secret::IdNumber => mask_id_number(number),
        Secret::Phone => mask_phone(number),
        Secret::BankCard => mask_bank_card(number),
    }
}
