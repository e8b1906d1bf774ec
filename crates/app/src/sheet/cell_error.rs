//! Why a cell is refused, in both languages.

use daohu_base::BadIdNumber;

use super::{Column, Kind};
use crate::{FieldError, Lang};

/// How much of a value a message repeats.
const SHOWN_CHARACTERS: usize = 40;

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
    NotAPeriod,
    BeforeStart,
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
            Self::NotAPeriod => "cell.not_a_period",
            Self::BeforeStart => "cell.before_start",
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
            Self::NotAPeriod => say(
                "不是期间，请写成 2015、2015Q1-3 或 2015-06",
                "is not a period: write 2015, 2015Q1-3 or 2015-06",
            ),
            Self::BeforeStart => say("早于开始日期", "is before the first day"),
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
            Self::ControlCharacter => {
                say("含有不可见的控制字符", "has invisible control characters")
            }
            Self::BrokenFormula => say("公式出错，没有值", "is a formula that failed"),
            Self::BadNumber => {
                say("含有号码中不该有的字符", "has characters that do not belong there")
            }
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

/// What is wrong with a field of a request: named by the field, told by the form's header.
pub(crate) fn field_error(
    column: &Column,
    value: Option<&str>,
    error: &CellError,
    lang: Lang,
) -> FieldError {
    let names_a_person = matches!(column.kind, Kind::Secret(_));
    let shown = value.filter(|value| !names_a_person && !value.is_empty());
    let shown: Option<String> = shown
        .map(|value| value.chars().filter(|c| !c.is_control()).take(SHOWN_CHARACTERS).collect());
    let (says, header, name) = (error.says(lang), column.header, column.name);
    let message = match (&shown, lang) {
        (Some(value), Lang::Zh) => format!("“{header}”填的是 {value}，{says}"),
        (None, Lang::Zh) => format!("“{header}”{says}"),
        (Some(value), Lang::En) => format!("{name}: {value} {says}"),
        (None, Lang::En) => format!("{name} {says}"),
    };
    FieldError {
        column: name.to_owned(),
        value: shown,
        code: error.code(),
        message,
        ..FieldError::default()
    }
}
