//! Reading what people type into cells.
//!
//! Spreadsheets soil numbers: full-width digits, thousands separators, stray spaces, a `.0` behind
//! a code. What can be put right without a doubt is put right and counted as cleaned; anything else
//! is refused in words that name the column, the value and what to do.

use std::{borrow::Cow, fmt};

use daohu_base::{AreaCode, BadMoney, Day, Fen, IdNumber};
use daohu_db::Value;
use daohu_policy::{CodeList, Policy};

use super::{CellError, Column, Kind, Secret, Sheet, period};

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

/// Numbers of more digits than this are not exact in a spreadsheet's number cell.
const EXACT_DIGITS: f64 = 1e15;
const KEY_CHARACTERS_MAX: usize = 32;
const SECRET_CHARACTERS_MAX: usize = 40;
const YEARS: std::ops::RangeInclusive<i64> = 1900..=2200;
/// A bare number in a column of days: Excel's serials from 1906 to 2099, that is, beyond what could
/// be a year and below what could be digits of a date.
const SERIALS: std::ops::RangeInclusive<f64> = 2201.0..=73_050.0;
/// Longer texts are no name of any list.
const CODE_CHARACTERS_MAX: usize = 50;
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
            Raw::Date(serial) => Cow::Owned(date_text(column.kind, serial)?),
            Raw::Number(number) if column.kind == Kind::Day && SERIALS.contains(&number) => {
                let day = Day::from_excel(number).ok_or(CellError::NotADay)?;
                return Ok((day.to_string().into(), true));
            }
            Raw::Text(text) => Cow::Borrowed(text),
            Raw::Flag(flag) => Cow::Borrowed(if flag { "true" } else { "false" }),
            Raw::Number(number) => number_text(column.kind, number)?,
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

/// The text of a date cell. In a column of numbers or codes the spreadsheet has made a date of
/// something else, and what it was is lost.
fn date_text(kind: Kind, serial: f64) -> Result<String, CellError> {
    match kind {
        Kind::Day | Kind::Text(_) | Kind::Group => {
            Day::from_excel(serial).map(|day| day.to_string()).ok_or(CellError::NotADay)
        }
        // What was typed as 2015-06 is shown as a month, and kept as its first day.
        Kind::Period => Day::from_excel(serial)
            .map(|day| day.to_string())
            .and_then(|day| day.strip_suffix("-01").map(str::to_owned))
            .ok_or(CellError::NotAPeriod),
        Kind::Yuan | Kind::Quantity(..) | Kind::Count(_) => Err(CellError::NotANumber),
        Kind::Year => Err(CellError::NotAYear),
        _ => Err(CellError::LostPrecision),
    }
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

/// Trims white space of every kind. In free text line breaks become spaces; elsewhere full-width
/// forms become ASCII.
fn fold(text: &str, free: bool) -> Cow<'_, str> {
    let blank = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}');
    let text = text.trim_matches(blank);
    let is_break = |c: char| matches!(c, '\n' | '\r' | '\t');
    if free && text.contains(is_break) {
        let lines = text.split(is_break).map(str::trim).filter(|line| !line.is_empty());
        return Cow::Owned(lines.collect::<Vec<_>>().join(" "));
    }
    let wide = |c: char| ('\u{ff01}'..='\u{ff5e}').contains(&c);
    if free || text.is_ascii() || !text.contains(|c| wide(c) || c == '\u{3000}') {
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
            let (text, spaced) = unspaced(text);
            let (text, pointed) = code_text(&text)?;
            let cleaned = spaced || pointed;
            let legal =
                text.len() <= KEY_CHARACTERS_MAX && text.bytes().all(|b| b.is_ascii_alphanumeric());
            if legal { Ok((text.into(), cleaned)) } else { Err(CellError::BadKey) }
        }
        Kind::Area(level) => {
            let (text, spaced) = unspaced(text);
            let (text, pointed) = code_text(&text)?;
            let digits = level.map(daohu_base::AreaLevel::digits);
            let area = AreaCode::parse(text).map_err(|_| CellError::NotAnArea { digits })?;
            if level.is_some_and(|level| level != area.level()) {
                return Err(CellError::NotAnArea { digits });
            }
            Ok((area.to_string().into(), spaced || pointed))
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
            let (date, cleaned) = without_time(text);
            let day = Day::parse(date).map_err(|_| CellError::NotADay)?.to_string();
            Ok((day.into(), cleaned))
        }
        Kind::Period => {
            let (text, cleaned) = unspaced(text);
            let period = period::canonical(&text, &YEARS).ok_or(CellError::NotAPeriod)?;
            let cleaned = cleaned || period != text;
            Ok((period.into(), cleaned))
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

/// Drops the time that programs write behind a day: `2015-12-31T00:00:00`.
fn without_time(text: &str) -> (&str, bool) {
    let is_time = |time: &str| {
        time.contains(':') && time.bytes().all(|b| b.is_ascii_digit() || b":.Z".contains(&b))
    };
    match text.split_once(['T', ' ']) {
        Some((date, time)) if is_time(time.trim_start()) => (date, true),
        _ => (text, false),
    }
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
    // What is nearest is looked for in the beginning only: a cell may hold megabytes.
    let end = text.char_indices().nth(CODE_CHARACTERS_MAX).map_or(text.len(), |(end, _)| end);
    let text = text.get(..end).unwrap_or(text);
    let unknown = match list.parse(text) {
        Ok(code) => return Ok((code, false)),
        Err(unknown) => unknown,
    };
    // A code typed into a number cell has lost its leading zero or gained a `.0`; a flag that went
    // through a spreadsheet is in capitals.
    let (head, _) = code_text(text)?;
    let spellings = [format!("{head:0>2}"), head.to_ascii_lowercase(), head.to_ascii_uppercase()];
    let mut spellings = std::iter::once(head).chain(spellings.iter().map(String::as_str));
    let found = spellings.find_map(|spelling| list.parse(spelling).ok());
    found.map(|code| (code, true)).ok_or(CellError::UnknownValue { nearest: unknown.nearest })
}

fn codes(list: Option<&CodeList>, text: &str, max: usize) -> Result<(Value, bool), CellError> {
    let mut found = Vec::new();
    let mut cleaned = false;
    for part in text.split(['、', ',', ';', '，', '；']).map(str::trim).filter(|p| !p.is_empty())
    {
        let (code, clean) = code(list, part)?;
        cleaned |= clean;
        if !found.contains(&code) {
            found.push(code);
        }
    }
    if found.is_empty() {
        // Separators and nothing between them.
        code(list, text)?;
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
    if !text.contains([',', '，']) {
        return (Cow::Borrowed(text), false);
    }
    let text = text.replace('，', ",");
    let whole = text.split_once('.').map_or(text.as_str(), |(whole, _)| whole);
    let mut groups = whole.trim_start_matches('-').split(',');
    let first = groups.next().is_some_and(|g| (1..=3).contains(&g.len()));
    if first && groups.all(|g| g.len() == 3) {
        (Cow::Owned(text.replace(',', "")), true)
    } else {
        (Cow::Owned(text), false)
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
    let (text, spaced) = unspaced(text);
    let (number, pointed) = code_text(&text)?;
    if number.len() > SECRET_CHARACTERS_MAX {
        return Err(CellError::TooLong { max: SECRET_CHARACTERS_MAX });
    }
    let legal: fn(u8) -> bool = match secret {
        Secret::IdNumber => |b| b.is_ascii_alphanumeric() || b == b'-',
        Secret::Phone => |b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'(' | b')'),
        Secret::BankCard => |b| b.is_ascii_digit(),
    };
    if !number.bytes().all(legal) {
        return Err(CellError::BadNumber);
    }
    let raised = secret == Secret::IdNumber && number.bytes().any(|b| b.is_ascii_lowercase());
    let number = if raised { number.to_ascii_uppercase() } else { number.to_owned() };
    Ok((number.into(), spaced || pointed || raised))
}

/// Drops the spaces that people put between groups of digits.
fn unspaced(text: &str) -> (Cow<'_, str>, bool) {
    if text.contains(char::is_whitespace) {
        (Cow::Owned(text.chars().filter(|c| !c.is_whitespace()).collect()), true)
    } else {
        (Cow::Borrowed(text), false)
    }
}

/// Checks a resident ID or disability-card number.
pub(crate) fn id_number(text: &str, today: Day) -> Result<IdNumber, CellError> {
    IdNumber::parse(text, today).map_err(CellError::BadIdNumber)
}
