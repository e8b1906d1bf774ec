//! What a model says of a household, in words.

use super::{Contribution, Explanation, Feature, Kind, Shape, learn::sigmoid};

/// The language of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// 中文.
    Chinese,
    /// English.
    English,
}

impl Explanation {
    /// The probability of the average household, from 0 to 1.
    pub fn average(&self) -> f64 {
        sigmoid(self.base)
    }

    /// The largest contributions in words, so many at most; those that add nothing are left out.
    pub fn words(&self, shape: &Shape, language: Language, most: usize) -> Vec<String> {
        let own = self.contributions.iter().filter(|own| own.log_odds.abs() > 0.0);
        own.take(most).filter_map(|own| own.words(shape, language)).collect()
    }
}

impl Contribution {
    /// As `收入比贫困线高 1,200 元：+12 个百分点`; none if the shape has no such feature.
    pub fn words(&self, shape: &Shape, language: Language) -> Option<String> {
        let feature = shape.features.get(self.feature)?;
        let (what, points) = (told(feature, self.value, language), signed(self.points));
        Some(match language {
            Language::Chinese => format!("{what}：{points} 个百分点"),
            Language::English => format!("{what}: {points} percentage points"),
        })
    }
}

/// A feature with its value.
fn told(feature: &Feature, value: Option<f64>, language: Language) -> String {
    let is_chinese = language == Language::Chinese;
    let title = if is_chinese { &feature.title } else { &feature.title_en };
    let noted = |note: &str| {
        if is_chinese { format!("{title}（{note}）") } else { format!("{title} ({note})") }
    };
    let Some(value) = value else {
        return noted(if is_chinese { "未知" } else { "not known" });
    };
    let amount = grouped(value.abs());
    match (&feature.kind, is_chinese) {
        (Kind::Yuan, true) => format!("{title} {}{amount} 元", minus(value)),
        (Kind::Yuan, false) => format!("{title} {}{amount} yuan", minus(value)),
        (Kind::YuanAbove, true) => {
            format!("{title}{} {amount} 元", if value < 0.0 { "低" } else { "高" })
        }
        (Kind::YuanAbove, false) => {
            format!("{title}: {amount} yuan {}", if value < 0.0 { "below" } else { "above" })
        }
        (Kind::Count, _) => {
            let count = format!("{value:.1}");
            format!("{title} {}", count.strip_suffix(".0").unwrap_or(&count))
        }
        (Kind::Flag, true) => noted(if value > 0.5 { "是" } else { "否" }),
        (Kind::Flag, false) => noted(if value > 0.5 { "yes" } else { "no" }),
        (Kind::Code(codes), _) => {
            let own = codes.iter().find(|code| (f64::from(code.code) - value).abs() < 0.5);
            let name = own.map(|own| if is_chinese { &own.title } else { &own.title_en });
            noted(name.map_or(&format!("{value}"), String::as_str))
        }
    }
}

fn minus(value: f64) -> &'static str {
    if value < 0.0 { "−" } else { "" }
}

/// Whole, with a comma before each three digits.
fn grouped(amount: f64) -> String {
    let digits = format!("{amount:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// With its sign; whole, or with a decimal where it is less than one.
fn signed(points: f64) -> String {
    let decimals = usize::from(points.abs() < 0.95);
    let size = format!("{:.decimals$}", points.abs());
    match size.as_str() {
        "0.0" => "±0".to_owned(),
        size if points < 0.0 => format!("−{size}"),
        size => format!("+{size}"),
    }
}
