//! The defects. Each changes one cell and says whether the row had something to spoil.

use super::dice::Dice;
use super::dirt::Surroundings;
use super::sheet::Row;

/// Spoils one cell if it can.
pub(super) type Defect = fn(&mut Row, &mut Dice, Surroundings) -> bool;

/// The defects of a sheet. At least one of each list fits any row.
pub(super) struct Kinds {
    pub(super) cleanable: &'static [Defect],
    pub(super) rejectable: &'static [Defect],
}

/// Columns by sheet, as in `columns`; a test compares them with the headers.
pub(super) mod at {
    pub(in super::super) const HOUSEHOLD: usize = 0;
    pub(in super::super) const H_VILLAGE: usize = 1;
    pub(in super::super) const H_NAME: usize = 3;
    pub(in super::super) const H_PHONE: usize = 4;
    pub(in super::super) const H_CATEGORY: usize = 10;
    pub(in super::super) const H_CAUSE: usize = 11;
    pub(in super::super) const H_FARMLAND: usize = 25;
    pub(in super::super) const H_AREA: usize = 37;
    pub(in super::super) const H_STRUCTURE: usize = 38;
    pub(in super::super) const P_NAME: usize = 1;
    pub(in super::super) const P_PAPER: usize = 2;
    pub(in super::super) const P_NUMBER: usize = 3;
    pub(in super::super) const P_RELATION: usize = 4;
    pub(in super::super) const P_SEX: usize = 5;
    pub(in super::super) const P_PEOPLE: usize = 7;
    pub(in super::super) const P_HEALTH: usize = 12;
    pub(in super::super) const P_CHANGE: usize = 30;
    pub(in super::super) const P_CHANGED: usize = 31;
    pub(in super::super) const I_YEAR: usize = 1;
    pub(in super::super) const I_WAGE: usize = 3;
    pub(in super::super) const I_PRODUCTION: usize = 4;
    pub(in super::super) const I_TRANSFERS: usize = 6;
}

pub(super) const HOUSEHOLD: Kinds = Kinds {
    cleanable: &[
        |row, _, _| full_width(row, at::H_FARMLAND),
        |row, _, _| full_width(row, at::H_PHONE),
        |row, dice, _| spaces(row, dice, at::H_NAME),
        |row, dice, _| spaces(row, dice, at::H_VILLAGE),
        |row, _, _| alias(row, at::H_CATEGORY),
        |row, _, _| alias(row, at::H_CAUSE),
        |row, _, _| alias(row, at::H_STRUCTURE),
        |row, _, _| suffix(row, at::H_VILLAGE, ".0"),
    ],
    rejectable: &[
        |row, _, _| put(row, at::H_VILLAGE, |code| format!("{}E+11", shifted(code))),
        |row, _, _| put(row, at::H_VILLAGE, |code| format!("{}999", head(code, 9))),
        |row, _, _| put(row, at::H_VILLAGE, |_| String::new()),
        |row, _, _| put(row, at::HOUSEHOLD, |_| String::new()),
        |row, _, _| put(row, at::H_CAUSE, |_| "因并".to_owned()),
        |row, _, _| put(row, at::H_AREA, |_| "八十".to_owned()),
    ],
};

pub(super) const PERSON: Kinds = Kinds {
    cleanable: &[
        |row, _, _| full_width(row, at::P_NUMBER),
        |row, dice, _| spaces(row, dice, at::P_NUMBER),
        |row, _, _| alias(row, at::P_RELATION),
        |row, _, _| alias(row, at::P_PAPER),
        |row, _, _| alias(row, at::P_HEALTH),
        |row, _, _| alias(row, at::P_SEX),
        |row, dice, _| spaces(row, dice, at::P_NAME),
    ],
    rejectable: &[
        |row, _, _| put(row, at::P_NUMBER, other_check),
        |row, _, _| put(row, at::P_NUMBER, |number| format!("{}E+17", shifted(number))),
        |row, _, around| second_head(row, around),
        |row, _, _| bad_change(row),
        |row, _, _| put(row, at::P_PEOPLE, |_| "土家簇".to_owned()),
        |row, _, _| put(row, at::P_RELATION, |_| String::new()),
        |row, _, _| put(row, at::P_NAME, |_| String::new()),
        |row, _, _| put(row, at::HOUSEHOLD, |number| format!("{}99999999", head(number, 6))),
    ],
};

pub(super) const INCOME: Kinds = Kinds {
    cleanable: &[
        |row, _, _| thousands(row, at::I_PRODUCTION),
        |row, _, _| thousands(row, at::I_TRANSFERS),
        |row, _, _| full_width(row, at::I_WAGE),
        |row, dice, _| spaces(row, dice, at::I_TRANSFERS),
        |row, _, _| full_width(row, at::I_YEAR),
    ],
    rejectable: &[
        |row, _, _| put(row, at::I_WAGE, |_| "八千".to_owned()),
        |row, _, _| put(row, at::I_WAGE, |money| format!("￥{money}")),
        |row, _, _| put(row, at::I_PRODUCTION, |money| format!("{}.125", before_point(money))),
        |row, _, _| suffix(row, at::I_YEAR, "年"),
        |row, _, _| put(row, at::I_YEAR, |_| String::new()),
        |row, _, _| put(row, at::HOUSEHOLD, |number| format!("{}99999999", head(number, 6))),
    ],
};

/// Replaces a cell that is not empty.
fn put(row: &mut Row, column: usize, change: impl FnOnce(&str) -> String) -> bool {
    let old = row.cell(column);
    if old.is_empty() {
        return false;
    }
    let new = change(old);
    row.replace(column, &new);
    true
}

fn suffix(row: &mut Row, column: usize, suffix: &str) -> bool {
    put(row, column, |old| format!("{old}{suffix}"))
}

/// ASCII digits as full-width ones.
fn full_width(row: &mut Row, column: usize) -> bool {
    put(row, column, |old| {
        let wide =
            |digit: char| char::from_u32(u32::from('０') + u32::from(digit) - u32::from('0'));
        old.chars().map(|c| if c.is_ascii_digit() { wide(c).unwrap_or(c) } else { c }).collect()
    })
}

/// A space before or behind, half-width or full-width.
fn spaces(row: &mut Row, dice: &mut Dice, column: usize) -> bool {
    put(row, column, |old| match dice.below(3) {
        0 => format!(" {old}"),
        1 => format!("{old} "),
        _ => format!("{old}\u{3000}"),
    })
}

/// Thousands separators, in amounts of a thousand and more.
fn thousands(row: &mut Row, column: usize) -> bool {
    if before_point(row.cell(column)).len() < 4 {
        return false;
    }
    put(row, column, |old| {
        let whole = before_point(old);
        let mut text = String::new();
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        text + old.get(whole.len()..).unwrap_or_default()
    })
}

/// Aliases of the code lists, of values that the sample uses.
const ALIASES: &[(&str, &str)] = &[
    ("特困供养贫困户", "五保户"),
    ("低保贫困户", "低保户"),
    ("一般贫困户", "扶贫户"),
    ("缺劳力", "缺劳动力"),
    ("自身发展动力不足", "缺动力"),
    ("钢筋混凝土", "钢混"),
    ("砖混材料", "砖混"),
    ("之子", "儿子"),
    ("之女", "女儿"),
    ("之孙子", "孙子"),
    ("之孙女", "孙女"),
    ("之父", "父亲"),
    ("之母", "母亲"),
    ("户主", "本人"),
    ("居民身份证", "身份证"),
    ("长期慢性病", "慢性病"),
    ("患有大病", "大病"),
    ("男", "1"),
    ("女", "2"),
];

fn alias(row: &mut Row, column: usize) -> bool {
    // The alias of a spouse goes with the spouse's sex, which may be blank.
    if row.cell(column) == "配偶" {
        let wife = row.cell(at::P_SEX) == "女";
        return put(row, column, |_| if wife { "妻子" } else { "丈夫" }.to_owned());
    }
    let found = ALIASES.iter().find(|(name, _)| *name == row.cell(column));
    found.is_some_and(|(_, alias)| put(row, column, |_| (*alias).to_owned()))
}

/// Another member becomes head beside the one who stands.
fn second_head(row: &mut Row, around: Surroundings) -> bool {
    let other = row.cell(at::P_RELATION) != "户主" && row.cell(at::P_CHANGE).is_empty();
    other && around.head_stands && put(row, at::P_RELATION, |_| "户主".to_owned())
}

/// A change on a day that no calendar has.
fn bad_change(row: &mut Row) -> bool {
    if row.cell(at::P_CHANGE).is_empty() {
        row.replace(at::P_CHANGE, "迁入");
    }
    row.replace(at::P_CHANGED, "2015-02-30");
    true
}

/// The ID number with a check character that is wrong: the first 17 digits stay.
fn other_check(number: &str) -> String {
    number
        .char_indices()
        .map(|(index, c)| match (index, c) {
            (17, 'X') => '0',
            (17, '9') => 'X',
            (17, digit) => char::from_digit(digit.to_digit(10).unwrap_or(0) + 1, 10).unwrap_or('0'),
            (_, other) => other,
        })
        .collect()
}

/// The first digits as a spreadsheet shows a number that is too long for it: 5.00242.
fn shifted(number: &str) -> String {
    format!("{}.{}", head(number, 1), number.get(1..6).unwrap_or_default())
}

fn head(text: &str, length: usize) -> &str {
    text.get(..length).unwrap_or(text)
}

fn before_point(money: &str) -> &str {
    money.split('.').next().unwrap_or_default()
}
