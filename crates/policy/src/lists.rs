//! Code lists: the legal values of a field, their codes, names and aliases.

use daohu_base::Day;
use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::Deserialize;

/// How many legal values a message names when a value is unknown.
const NEAREST_SHOWN: usize = 6;

/// So many codes there can be: they have two digits.
const CODES: usize = 100;

/// A list of legal values, such as 致贫原因.
#[derive(Debug)]
pub struct CodeList {
    name: String,
    values: Vec<CodeValue>,
    by_text: FxHashMap<String, u8>,
    /// The place of a code's value, at the code.
    by_code: Vec<Option<usize>>,
}

/// One legal value.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeValue {
    /// Two digits.
    pub code: String,
    /// As the form prints it.
    pub name: String,
    /// Other spellings that are read as this value.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What the value means to the rules: `head`, `leaves` …
    #[serde(default)]
    pub marks: Vec<String>,
    /// The last day on which the value may be chosen anew.
    #[serde(default)]
    #[schemars(with = "Option<String>", regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub until: Option<Day>,
}

/// Some codes of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodeSet(u128);

impl FromIterator<i64> for CodeSet {
    fn from_iter<I: IntoIterator<Item = i64>>(codes: I) -> Self {
        let mut set = Self::default();
        codes.into_iter().for_each(|code| set.add(code));
        set
    }
}

impl CodeSet {
    /// True if the code is one of them; no code is none of them.
    pub fn has(self, code: Option<i64>) -> bool {
        code.and_then(Self::bit).is_some_and(|bit| self.0 & bit != 0)
    }

    fn add(&mut self, code: i64) {
        self.0 |= Self::bit(code).unwrap_or_default();
    }

    /// The codes, in order.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..=127).filter(move |code| self.has(Some(i64::from(*code))))
    }

    /// Codes have two digits.
    fn bit(code: i64) -> Option<u128> {
        u32::try_from(code).ok().and_then(|code| 1_u128.checked_shl(code))
    }
}

/// The text is not a value of the list; holds the nearest legal ones, best first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Names of legal values.
    pub nearest: Vec<String>,
}

impl CodeList {
    /// Builds a list; the reason if a code is not two digits or a text stands for two values.
    pub(crate) fn new(name: String, values: Vec<CodeValue>) -> Result<Self, String> {
        let mut by_text = FxHashMap::default();
        let mut by_code = vec![None; CODES];
        for (i, value) in values.iter().enumerate() {
            let code: u8 = value
                .code
                .parse()
                .ok()
                .filter(|_| {
                    value.code.len() == 2 && value.code.bytes().all(|own| own.is_ascii_digit())
                })
                .ok_or_else(|| format!("list {name}: code {} is not two digits", value.code))?;
            if let Some(place) = by_code.get_mut(usize::from(code)) {
                *place = Some(i);
            }
            for text in [&value.code, &value.name].into_iter().chain(&value.aliases) {
                if by_text.insert(text.clone(), code).is_some_and(|other| other != code) {
                    return Err(format!("list {name}: {text} stands for two values"));
                }
            }
        }
        Ok(Self { name, values, by_text, by_code })
    }

    /// The list's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The values in the order of the form.
    pub fn values(&self) -> &[CodeValue] {
        &self.values
    }

    /// The code of a name, code or alias.
    pub fn parse(&self, text: &str) -> Result<u8, Unknown> {
        self.by_text.get(text).copied().ok_or_else(|| self.unknown(text))
    }

    /// True if the code is on the list.
    pub fn has(&self, code: u8) -> bool {
        self.value(code).is_some()
    }

    /// True if the value of this code bears the mark.
    pub fn is_marked(&self, code: i64, mark: &str) -> bool {
        let value = u8::try_from(code).ok().and_then(|code| self.value(code));
        value.is_some_and(|value| value.marks.iter().any(|m| m == mark))
    }

    /// The codes whose values bear the mark.
    pub fn all_marked(&self, mark: &str) -> CodeSet {
        let marked = self.values.iter().filter(|value| value.marks.iter().any(|m| m == mark));
        marked.filter_map(|value| value.code.parse().ok()).collect()
    }

    /// The first code whose value bears the mark.
    pub fn marked(&self, mark: &str) -> Option<i64> {
        let bears = |value: &&CodeValue| value.marks.iter().any(|m| m == mark);
        self.values.iter().find(bears).and_then(|value| value.code.parse().ok())
    }

    /// The name of a code.
    pub fn name_of(&self, code: u8) -> Option<&str> {
        self.value(code).map(|value| value.name.as_str())
    }

    fn value(&self, code: u8) -> Option<&CodeValue> {
        self.by_code.get(usize::from(code)).copied().flatten().and_then(|i| self.values.get(i))
    }

    fn unknown(&self, text: &str) -> Unknown {
        let shared = |name: &str| text.chars().filter(|c| name.contains(*c)).count();
        let mut names: Vec<&CodeValue> = self.values.iter().collect();
        names.sort_by_key(|v| std::cmp::Reverse(shared(&v.name)));
        let nearest = names.iter().take(NEAREST_SHOWN).map(|v| v.name.clone()).collect();
        Unknown { nearest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(code: &str, name: &str, aliases: &[&str]) -> CodeValue {
        let aliases = aliases.iter().map(|a| (*a).to_owned()).collect();
        CodeValue { code: code.into(), name: name.into(), aliases, marks: Vec::new(), until: None }
    }

    #[test]
    fn names_codes_and_aliases_are_read_and_the_nearest_are_named() {
        let list = CodeList::new(
            "致贫原因".into(),
            vec![
                value("01", "因病", &[]),
                value("08", "缺劳力", &["缺劳动力"]),
                value("04", "因灾", &[]),
            ],
        )
        .unwrap();
        assert_eq!(list.parse("缺劳动力"), Ok(8));
        assert_eq!(list.parse("08"), Ok(8));
        assert_eq!(list.name_of(8), Some("缺劳力"));
        assert_eq!(list.parse("因并").unwrap_err().nearest, ["因病", "因灾", "缺劳力"]);
    }

    #[test]
    fn a_set_holds_the_codes_that_bear_the_mark() {
        let marked = |code: &str, marks: &[&str]| {
            let marks = marks.iter().map(|mark| (*mark).to_owned()).collect();
            CodeValue { marks, ..value(code, code, &[]) }
        };
        let values = vec![marked("00", &["a"]), marked("07", &["a", "b"]), marked("99", &["b"])];
        let list = CodeList::new("x".into(), values).unwrap();
        let codes = |mark: &str| {
            let set = list.all_marked(mark);
            (-1..=300).filter(|code| set.has(Some(*code))).collect::<Vec<_>>()
        };
        assert_eq!((codes("a"), codes("b"), codes("c")), (vec![0, 7], vec![7, 99], vec![]));
        assert!(!list.all_marked("a").has(None));
        for code in -1..=300 {
            assert_eq!(list.all_marked("b").has(Some(code)), list.is_marked(code, "b"), "{code}");
        }
    }

    #[test]
    fn a_text_for_two_values_is_refused() {
        let values = vec![value("01", "甲", &["丙"]), value("02", "乙", &["丙"])];
        assert!(CodeList::new("x".into(), values).is_err());
        assert!(CodeList::new("x".into(), vec![value("1", "甲", &[])]).is_err());
    }
}
