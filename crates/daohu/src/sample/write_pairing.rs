//! Rows of 结对.

use std::fmt::Display;

use super::calendar::Day;
use super::key::Key;
use super::sheet::Row;

/// Who helps: 主体类型 and 主体编号.
#[derive(Debug, Clone, Copy)]
pub(super) enum Helper<'a> {
    Cadre(Key<'a>),
    Organisation(Key<'a>),
    Team(Key<'a>),
}

/// Who is helped: 对象类型 and 对象编号.
#[derive(Debug, Clone, Copy)]
pub(super) enum Helped<'a> {
    Town(&'a str),
    Village(&'a str),
    Household(Key<'a>),
}

/// Puts a pairing into the row: since when, and for one that is over, its last day.
///
/// What is over has passed to another because the helper was transferred.
pub(super) fn pairing(
    row: &mut Row,
    helper: Helper<'_>,
    helped: Helped<'_>,
    since: Day,
    until: Option<Day>,
) {
    row.clear();
    let (kind, key) = match helper {
        Helper::Cadre(key) => ("干部", key),
        Helper::Organisation(key) => ("单位", key),
        Helper::Team(key) => ("工作队", key),
    };
    row.text(kind);
    row.show(key);
    let (kind, key): (_, &dyn Display) = match &helped {
        Helped::Town(code) => ("乡", code),
        Helped::Village(code) => ("村", code),
        Helped::Household(key) => ("户", key),
    };
    row.text(kind);
    row.show(key);
    row.day(Some(since));
    row.day(until);
    row.text(if until.is_some() { "调离" } else { "" });
}
