//! Reading what people type into cells.
//!
//! Spreadsheets soil numbers: full-width digits, thousands separators, stray spaces, a `.0` behind
//! a code. What can be put right without a doubt is put right and counted as cleaned; anything else
//! is refused in words that name the column, the value and what to do.

use std::{borrow::Cow, fmt};

use daohu_base::{AreaCode, BadIdNumber, BadMoney, Day, Fen, IdNumber};
use daohu_db::Value;
use daohu_policy::{CodeList, Policy};

use super::{Column, Kind, Secret, Sheet};
use crate::Lang;

/// A cell as a file gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Raw<'a> {
    /// Nothing.
    Empty,
    /// Text.
    Text(&'a str),
    /// A number, as spreadsheets store them.
    Number(f64),
    /// A date, as an Excel serial number.
    Date(f64),
    /// TRUE or FALSE.
    Flag(bool),
    /// A formula that failed: `#N/A`.
    Broken(&'a str),
}

impl fmt::Display for Raw<'_> {
    /// As the spreadsheet shows it, or near to it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => Ok(()),
            Self::Text(text) | Self::Broken(text) => f.write_str(text),
            // Digits that the float does not hold would be made up.
            Self::Number(number) if number.abs() >= EXACT_DIGITS => write!(f, "{number:E}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Date(serial) => match Day::from_excel(*serial) {
                Some(day) => write!(f, "{day}"),
                None => write!(f, "{serial}"),
            },
            Self::Flag(flag) => f.write_str(if *flag { "TRUE" } else { "FALSE" }),
        }
    }
}

/// Why a cell is refused.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the words of each are in `says`")]
pub enum CellError {
    Required,
    UnknownValue { nearest: Vec<String> },
    NotANumber,
    TooPrecise,
    OutOfRange { min: f64, max: f64 },
    NotADay,
    NotAYear,
    NotAnArea { digits: Option<usize> },
    BadKey,
    LostPrecision,
    TooLong { max: usize },
    TooMany { max: usize },
    Masked,
    ControlCharacter,
    BrokenFormula,
    BadNumber,
    BadIdNumber(BadIdNumber),
}

/// Numbers of more digits than this are not exact in a spreadsheet's number cell.
const EXACT_DIGITS: f64 = 1e15;
const KEY_CHARACTERS_MAX: usize = 32;
const SECRET_CHARACTERS_MAX: usize = 40;
const YEARS: std::ops::RangeInclusive<i64> = 1900..=2200;
/// The list that flags are read with.
const FLAGS: &str = "是否";

/// Reads the cells of one sheet.
pub struct Reader<'p> {
    sheet: &'static Sheet,
    lists: Vec<Option<&'p CodeList>>,
}

impl<'p> Reader<'p> {
    /// A reader with the lists in force. A column whose list no pack has refuses every value.
    pub fn new(sheet: &'static Sheet, policy: &'p Policy) -> Self {
        let list = |column: &Column| match column.kind {
            Kind::Code(name) | Kind::Codes(name, _) => policy.list(name),
            Kind::Flag => policy.list(FLAGS),
            _ => None,
        };
        Self { sheet, lists: sheet.columns.iter().map(list).collect() }
    }

    /// The value of a cell in column `i`, and whether it had to be cleaned.
    pub fn read(&self, i: usize, raw: Raw<'_>) -> Result<(Value, bool), CellError> {
        let (Some(column), Some(list)) = (self.sheet.columns.get(i), self.lists.get(i)) else {
            return Ok((Value::Null, false));
        };
        let typed = match raw {
            Raw::Empty => return empty(column),
            Raw::Broken(_) => return Err(CellError::BrokenFormula),
            Raw::Date(serial) if column.kind == Kind::Day => {
                let day = Day::from_excel(serial).ok_or(CellError::NotADay)?;
                return Ok((day.to_string().into(), false));
            }
            Raw::Text(text) => Cow::Borrowed(text),
            Raw::Flag(flag) => Cow::Borrowed(if flag { "true" } else { "false" }),
            Raw::Number(number) | Raw::Date(number) => number_text(column.kind, number)?,
        };
        let folded = fold(&typed, matches!(column.kind, Kind::Text(_) | Kind::Group));
        if folded.is_empty() {
            return empty(column);
        }
        if folded.chars().any(char::is_control) {
            return Err(CellError::ControlCharacter);
        }
        let (value, cleaned) = parse(column.kind, *list, &folded)?;
        Ok((value, cleaned || matches!(folded, Cow::Owned(_)) || folded.len() != typed.len()))
    }
}

fn empty(column: &Column) -> Result<(Value, bool), CellError> {
    if column.required { Err(CellError::Required) } else { Ok((Value::Null, false)) }
}

/// The text of a number cell: what the user sees, not the float behind it.
fn number_text(kind: Kind, number: f64) -> Result<Cow<'static, str>, CellError> {
    let exact = matches!(kind, Kind::Key | Kind::Area(_) | Kind::Secret(_));
    if exact && number.abs() >= EXACT_DIGITS {
        return Err(CellError::LostPrecision);
    }
    // 0.1 + 0.2 is shown as 0.3: a sum computed by a formula is meant to the last shown digit.
    let tenths_of_fen = (number * 1000.0).round() / 1000.0;
    let close = (number - tenths_of_fen).abs() < 1e-9 * number.abs().max(1.0);
    let shown = if kind == Kind::Yuan && close { tenths_of_fen } else { number };
    Ok(Cow::Owned(format!("{shown}")))
}

/// Trims white space of every kind; outside free text also folds full-width forms to ASCII.
fn fold(text: &str, free: bool) -> Cow<'_, str> {
    let blank = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}' | '\u{0}');
    let blank_only = |c: char| blank(c) && c != '\u{0}';
    let text = text.trim_matches(blank_only);
    let wide = |c: char| ('\u{ff01}'..='\u{ff5e}').contains(&c);
    if free || text.is_ascii() || !text.chars().any(|c| wide(c) || c == '\u{3000}') {
        return Cow::Borrowed(text);
    }
    let narrow = |c: char| match c {
        // Separators of several values are meant as they stand.
        '，' | '；' => c,
        c if wide(c) => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        c => c,
    };
    let folded: String = text.chars().map(narrow).collect();
    if folded == text { Cow::Borrowed(text) } else { Cow::Owned(folded) }
}

fn parse(kind: Kind, list: Option<&CodeList>, text: &str) -> Result<(Value, bool), CellError> {
    let exact = |value: Value| Ok((value, false));
    match kind {
        Kind::Text(max) => exact(limited(text, max)?.into()),
        Kind::Group => exact(limited(text, 50)?.into()),
        Kind::Key => {
            let (text, cleaned) = code_text(text)?;
            let legal = text.len() <= KEY_CHARACTERS_MAX
                && text.bytes().all(|b| b.is_ascii_alphanumeric());
            if legal { Ok((text.into(), cleaned)) } else { Err(CellError::BadKey) }
        }
        Kind::Area(level) => {
            let (text, cleaned) = code_text(text)?;
            let digits = level.map(daohu_base::AreaLevel::digits);
            let area = AreaCode::parse(text).map_err(|_| CellError::NotAnArea { digits })?;
            if level.is_some_and(|level| level != area.level()) {
                return Err(CellError::NotAnArea { digits });
            }
            Ok((area.to_string().into(), cleaned))
        }
        Kind::Code(_) => code(list, text).map(|(code, clean)| (i64::from(code).into(), clean)),
        Kind::Codes(_, max) => codes(list, text, max),
        Kind::Flag => code(list, text).map(|(code, clean)| ((code == 1).into(), clean)),
        Kind::Yuan => {
            let (text, cleaned) = grouped(text);
            let fen = Fen::parse_yuan(&text).map_err(|error| match error {
                BadMoney::NotANumber => CellError::NotANumber,
                BadMoney::TooPrecise => CellError::TooPrecise,
            })?;
            Ok((fen.0.into(), cleaned))
        }
        Kind::Quantity(min, max) => quantity(text, min, max),
        Kind::Count(max) => whole(text, 0, max),
        Kind::Year => whole(text, *YEARS.start(), *YEARS.end()).map_err(|error| match error {
            CellError::NotANumber | CellError::OutOfRange { .. } => CellError::NotAYear,
            other => other,
        }),
        Kind::Day => {
            let day = Day::parse(text).map_err(|_| CellError::NotADay)?.to_string();
            Ok((day.into(), false))
        }
        Kind::Secret(secret) => number(secret, text),
    }
}

fn limited(text: &str, max: usize) -> Result<&str, CellError> {
    if text.len() > max && text.chars().count() > max {
        return Err(CellError::TooLong { max });
    }
    Ok(text)
}

/// A code that a spreadsheet may have turned into a number: `990102100200.0` is put right,
/// `5.00242E+17` has lost its digits.
fn code_text(text: &str) -> Result<(&str, bool), CellError> {
    if has_exponent(text) {
        return Err(CellError::LostPrecision);
    }
    match text.split_once('.') {
        Some((head, zeros)) if !head.is_empty() && zeros.bytes().all(|b| b == b'0') => {
            Ok((head, true))
        }
        _ => Ok((text, false)),
    }
}

fn has_exponent(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    mantissa.contains('.') && mantissa.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        || digits(mantissa) && exponent.starts_with('+') && digits(exponent.trim_start_matches('+'))
}

fn code(list: Option<&CodeList>, text: &str) -> Result<(u8, bool), CellError> {
    let Some(list) = list else { return Err(CellError::UnknownValue { nearest: Vec::new() }) };
    let unknown = match list.parse(text) {
        Ok(code) => return Ok((code, false)),
        Err(unknown) => unknown,
    };
    // A code typed into a number cell has lost its leading zero or gained a `.0`.
    let (head, _) = code_text(text)?;
    let padded = format!("{head:0>2}");
    list.parse(head).or_else(|_| list.parse(&padded)).map(|code| (code, true)).map_err(|_| {
        CellError::UnknownValue { nearest: unknown.nearest }
    })
}

fn codes(list: Option<&CodeList>, text: &str, max: usize) -> Result<(Value, bool), CellError> {
    let mut found = Vec::new();
    let mut cleaned = false;
    for part in text.split(['、', ',', ';', '，', '；']).map(str::trim).filter(|p| !p.is_empty()) {
        let (code, clean) = code(list, part)?;
        cleaned |= clean;
        if !found.contains(&code) {
            found.push(code);
        }
    }
    if found.len() > max {
        return Err(CellError::TooMany { max });
    }
    found.sort_unstable();
    let codes: Vec<String> = found.iter().map(|code| format!("{code:02}")).collect();
    Ok((codes.join(" ").into(), cleaned))
}

/// Drops thousands separators where they group by three: `1,200.5`.
fn grouped(text: &str) -> (Cow<'_, str>, bool) {
    if !text.contains(',') {
        return (Cow::Borrowed(text), false);
    }
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let mut groups = whole.trim_start_matches('-').split(',');
    let first = groups.next().is_some_and(|g| (1..=3).contains(&g.len()));
    if first && groups.all(|g| g.len() == 3) {
        (Cow::Owned(text.replace(',', "")), true)
    } else {
        (Cow::Borrowed(text), false)
    }
}

fn quantity(text: &str, min: f64, max: f64) -> Result<(Value, bool), CellError> {
    let (text, cleaned) = grouped(text);
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
    let number: f64 = text.parse().ok().filter(|_| plain).ok_or(CellError::NotANumber)?;
    if !(min..=max).contains(&number) {
        return Err(CellError::OutOfRange { min, max });
    }
    // -0.0 would print as "-0" and never come back unchanged.
    Ok((Value::Real(number + 0.0), cleaned))
}

fn whole(text: &str, min: i64, max: i64) -> Result<(Value, bool), CellError> {
    let (text, separated) = grouped(text);
    let (digits, pointed) = code_text(&text)?;
    let number = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<i64>().ok());
    let number = number.flatten().ok_or(CellError::NotANumber)?;
    if !(min..=max).contains(&number) {
        #[expect(clippy::cast_precision_loss, reason = "bounds are for the message only")]
        return Err(CellError::OutOfRange { min: min as f64, max: max as f64 });
    }
    Ok((number.into(), separated || pointed))
}

fn number(secret: Secret, text: &str) -> Result<(Value, bool), CellError> {
    if text.contains('*') {
        return Err(CellError::Masked);
    }
    let (text, mut cleaned) = code_text(text)?;
    if text.len() > SECRET_CHARACTERS_MAX {
        return Err(CellError::TooLong { max: SECRET_CHARACTERS_MAX });
    }
    let legal: fn(u8) -> bool = match secret {
        Secret::IdNumber => |b| b.is_ascii_alphanumeric() || b == b'-',
        Secret::Phone => |b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'(' | b')' | b' '),
        Secret::BankCard => |b| b.is_ascii_digit() || b == b' ',
    };
    if !text.bytes().all(legal) {
        return Err(CellError::BadNumber);
    }
    let spaced = text.contains(' ');
    let mut number: String = text.chars().filter(|c| *c != ' ').collect();
    if secret == Secret::IdNumber && number.bytes().any(|b| b.is_ascii_lowercase()) {
        number.make_ascii_uppercase();
        cleaned = true;
    }
    Ok((number.into(), cleaned || spaced))
}

/// Checks a resident ID or disability-card number.
pub(crate) fn id_number(text: &str, today: Day) -> Result<IdNumber, CellError> {
    IdNumber::parse(text, today).map_err(CellError::BadIdNumber)
}

impl CellError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Required => "cell.required",
            Self::UnknownValue { .. } => "cell.unknown_value",
            Self::NotANumber => "cell.not_a_number",
            Self::TooPrecise => "cell.too_precise",
            Self::OutOfRange { .. } => "cell.out_of_range",
            Self::NotADay => "cell.not_a_day",
            Self::NotAYear => "cell.not_a_year",
            Self::NotAnArea { .. } => "cell.not_an_area",
            Self::BadKey => "cell.bad_key",
            Self::LostPrecision => "cell.lost_precision",
            Self::TooLong { .. } => "cell.too_long",
            Self::TooMany { .. } => "cell.too_many",
            Self::Masked => "cell.masked",
            Self::ControlCharacter => "cell.control_character",
            Self::BrokenFormula => "cell.broken_formula",
            Self::BadNumber => "cell.bad_number",
            Self::BadIdNumber(_) => "cell.bad_id_number",
        }
    }

    /// What is wrong and what to do, without the column and the value.
    pub fn says(&self, lang: Lang) -> String {
        let say = |zh: &str, en: &str| lang.pick(zh, en).to_owned();
        match self {
            Self::Required => say("必须填写", "must be filled"),
            Self::UnknownValue { nearest } if nearest.is_empty() => {
                say("没有可用的代码表", "there is no list of legal values")
            }
            Self::UnknownValue { nearest } => match lang {
                Lang::Zh => format!("只能填 {} 等", nearest.join("、")),
                Lang::En => format!("write one of {} …", nearest.join(", ")),
            },
            Self::NotANumber => say("不是数字", "is not a number"),
            Self::TooPrecise => say("金额最多两位小数", "an amount has at most two decimals"),
            Self::OutOfRange { min, max } => match lang {
                Lang::Zh => format!("应在 {min} 到 {max} 之间"),
                Lang::En => format!("must be between {min} and {max}"),
            },
            Self::NotADay => say("不是日期，请写成 2015-12-31", "is not a day: write 2015-12-31"),
            Self::NotAYear => say("不是年份，请写成 2015", "is not a year: write 2015"),
            Self::NotAnArea { digits: Some(n) } => match lang {
                Lang::Zh => format!("不是 {n} 位区划代码"),
                Lang::En => format!("is not an area code of {n} digits"),
            },
            Self::NotAnArea { digits: None } => say("不是区划代码", "is not an area code"),
            Self::BadKey => say("应为 1 到 32 位字母或数字", "must be 1 to 32 letters or digits"),
            Self::LostPrecision => say(
                "已被电子表格变成科学计数，位数丢失；请把该列设为文本后重新填写",
                "was turned into a rounded number by the spreadsheet: format the column as text and \
                 type it again",
            ),
            Self::TooLong { max } => match lang {
                Lang::Zh => format!("超过 {max} 个字"),
                Lang::En => format!("is longer than {max} characters"),
            },
            Self::TooMany { max } => match lang {
                Lang::Zh => format!("最多填 {max} 项"),
                Lang::En => format!("has more than {max} values"),
            },
            Self::Masked => say("是脱敏后的号码，不能导入", "is masked and cannot be imported"),
            Self::ControlCharacter => say("含有不可见的控制字符", "has invisible control characters"),
            Self::BrokenFormula => say("公式出错，没有值", "is a formula that failed"),
            Self::BadNumber => say("含有号码中不该有的字符", "has characters that do not belong there"),
            Self::BadIdNumber(error) => match lang {
                Lang::Zh => id_number_zh(*error).to_owned(),
                Lang::En => error.to_string(),
            },
        }
    }
}

fn id_number_zh(error: BadIdNumber) -> &'static str {
    match error {
        BadIdNumber::Length => "应为 18 位身份证号或 20、22 位残疾人证号",
        BadIdNumber::Digits => "前 17 位必须是数字",
        BadIdNumber::BirthDate => "第 7 至 14 位不是真实的出生日期",
        BadIdNumber::CheckCharacter => "校验码不对，请核对证件",
        BadIdNumber::Card => "残疾类别应为 1–7、等级应为 1–4",
    }
}
