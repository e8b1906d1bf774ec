//! What a text may mean.

use daohu_base::{AreaLevel, Scope};
use serde::Serialize;

/// How a record matches what was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Match {
    /// The number of the household.
    No,
    /// The number of the household begins so.
    NoPrefix,
    /// The whole ID number.
    IdNumber,
    /// The last six characters of the ID number.
    IdTail,
    /// The name.
    Name,
    /// The name begins so.
    NamePrefix,
    /// The name has it in it: within one village only.
    NamePart,
    /// The initials of the name's pinyin.
    Initials,
    /// The initials begin so.
    InitialsPrefix,
}

/// A question to ask the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) how: Match,
    pub(super) text: String,
}

/// Longest text that is looked for.
const CHARACTERS_MAX: usize = 50;

/// The text without what people type around it; none if there is nothing to look for.
pub(super) fn cleaned(text: &str) -> Option<String> {
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        c => c,
    };
    let text: String = text.chars().map(narrow).collect();
    let text = text.trim();
    let is_good = !text.is_empty() && !text.chars().any(char::is_control);
    (is_good && text.chars().count() <= CHARACTERS_MAX).then(|| text.to_owned())
}

/// What the text may mean, the likeliest first.
pub(super) fn questions(text: &str, scope: &Scope) -> Vec<Question> {
    let mut questions = Vec::new();
    let mut ask = |how, text: String| questions.push(Question { how, text });
    let upper = text.to_ascii_uppercase();
    let is_ascii = text.bytes().all(|b| b.is_ascii_alphanumeric());
    if is_ascii && is_id_number(&upper) {
        ask(Match::IdNumber, upper.get(..18).unwrap_or_default().to_owned());
        return questions;
    }
    if is_ascii {
        ask(Match::No, text.to_owned());
        if is_id_tail(&upper) {
            ask(Match::IdTail, upper);
        }
        ask(Match::NoPrefix, text.to_owned());
    }
    if is_ascii && text.bytes().all(|b| b.is_ascii_alphabetic()) {
        let lower = text.to_ascii_lowercase();
        ask(Match::Initials, lower.clone());
        ask(Match::InitialsPrefix, lower);
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        ask(Match::Name, text.to_owned());
        ask(Match::NamePrefix, text.to_owned());
        if is_one_village(scope) {
            ask(Match::NamePart, text.to_owned());
        }
    }
    questions
}

/// A resident ID, or a disability card, which begins with one.
fn is_id_number(text: &str) -> bool {
    let digits = text.get(..17).is_some_and(|head| head.bytes().all(|b| b.is_ascii_digit()));
    let check = text.as_bytes().get(17).is_some_and(|b| b.is_ascii_digit() || *b == b'X');
    digits && check && [18, 20, 22].contains(&text.len())
}

fn is_id_tail(text: &str) -> bool {
    let digits = text.get(..5).is_some_and(|head| head.bytes().all(|b| b.is_ascii_digit()));
    let check = text.as_bytes().get(5).is_some_and(|b| b.is_ascii_digit() || *b == b'X');
    digits && check && text.len() == 6
}

fn is_one_village(scope: &Scope) -> bool {
    matches!(scope.areas(), Some([area]) if area.level() >= AreaLevel::Village)
}

/// A part of the scope: its counties, and its villages in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) counties: (String, String),
    pub(super) villages: (String, String),
    /// True if it is less than a county.
    pub(super) is_part: bool,
}

/// The parts of a scope, one for each of its areas.
pub(super) fn spans(scope: &Scope) -> Vec<Span> {
    let all = || (String::new(), ":".to_owned());
    let Some(areas) = scope.areas() else {
        return vec![Span { counties: all(), villages: all(), is_part: false }];
    };
    let span = |area: &daohu_base::AreaCode| {
        let county = area.at(AreaLevel::County).unwrap_or_else(|| area.clone());
        Span {
            counties: (county.to_string(), county.end()),
            villages: (area.to_string(), area.end()),
            is_part: area.level() > AreaLevel::County,
        }
    };
    areas.iter().map(span).collect()
}

#[cfg(test)]
mod tests {
    use daohu_base::AreaCode;

    use super::*;

    #[test]
    fn a_text_means_what_it_looks_like() {
        use Match::*;
        let wide = Scope::of(AreaCode::parse("990101"));
        let village = Scope::of(AreaCode::parse("990101100200"));
        for (text, scope, expected) in [
            ("99010119700101011x", &wide, vec![IdNumber]),
            ("99010119700101011X43", &wide, vec![IdNumber]),
            ("01011x", &wide, vec![No, IdTail, NoPrefix, Name, NamePrefix]),
            ("010112", &wide, vec![No, IdTail, NoPrefix]),
            ("zs", &wide, vec![No, NoPrefix, Initials, InitialsPrefix, Name, NamePrefix]),
            ("H001", &wide, vec![No, NoPrefix, Name, NamePrefix]),
            ("张三", &wide, vec![Name, NamePrefix]),
            ("三", &village, vec![Name, NamePrefix, NamePart]),
        ] {
            let asked: Vec<Match> = questions(text, scope).iter().map(|q| q.how).collect();
            assert_eq!(asked, expected, "{text}");
        }
        assert_eq!(cleaned(" Ｈ００１\u{3000}").as_deref(), Some("H001"));
        assert_eq!(cleaned("　"), None);
    }
}
