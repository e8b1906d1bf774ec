//! Administrative area codes (GB/T 2260 and the statistical codes below it).

use std::fmt;

use serde::{Deserialize, Serialize};

/// Code lengths by level: province, city, county, township, village, group.
const LENGTHS: [usize; 6] = [2, 4, 6, 9, 12, 14];

/// An administrative area code of 2, 4, 6, 9, 12 or 14 digits.
///
/// The levels are prefixes of each other, so a subtree is a range of byte-ordered codes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AreaCode(Box<str>);

/// The depth of an area in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AreaLevel {
    /// 省
    Province,
    /// 市
    City,
    /// 县
    County,
    /// 乡
    Township,
    /// 村
    Village,
    /// 组
    Group,
}

impl AreaLevel {
    /// All levels, from the top.
    pub const ALL: [AreaLevel; 6] =
        [Self::Province, Self::City, Self::County, Self::Township, Self::Village, Self::Group];

    /// The number of digits of a code of this level.
    pub const fn digits(self) -> usize {
        match self {
            Self::Province => 2,
            Self::City => 4,
            Self::County => 6,
            Self::Township => 9,
            Self::Village => 12,
            Self::Group => 14,
        }
    }

    /// The level of this name: `township` …
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == name)
    }

    /// As interfaces name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Province => "province",
            Self::City => "city",
            Self::County => "county",
            Self::Township => "township",
            Self::Village => "village",
            Self::Group => "group",
        }
    }

    /// The level directly below; none below the groups.
    pub fn below(self) -> Option<Self> {
        Self::ALL.into_iter().find(|level| *level > self)
    }

    /// The code of this level in the list 区划级别: 1 for 省 to 6 for 组.
    pub const fn list_code(self) -> u8 {
        match self {
            Self::Province => 1,
            Self::City => 2,
            Self::County => 3,
            Self::Township => 4,
            Self::Village => 5,
            Self::Group => 6,
        }
    }
}

/// The text is not an area code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an area code has 2, 4, 6, 9, 12 or 14 digits")]
pub struct BadAreaCode;

impl AreaCode {
    /// Reads a code; padding zeros may be there or not (`500242000000` is the county `500242`).
    pub fn parse(text: &str) -> Result<Self, BadAreaCode> {
        if !text.bytes().all(|b| b.is_ascii_digit()) || !LENGTHS.contains(&text.len()) {
            return Err(BadAreaCode);
        }
        let mut code = text;
        for (parent, own) in LENGTHS.iter().zip(LENGTHS.iter().skip(1)).rev() {
            match code.split_at_checked(*parent) {
                Some((head, tail)) if code.len() == *own && tail.bytes().all(|b| b == b'0') => {
                    code = head;
                }
                _ => {}
            }
        }
        if code.bytes().all(|b| b == b'0') {
            return Err(BadAreaCode);
        }
        Ok(Self(code.into()))
    }

    /// The code as its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The level that the length of the code tells.
    pub fn level(&self) -> AreaLevel {
        AreaLevel::ALL
            .into_iter()
            .find(|level| level.digits() == self.0.len())
            .unwrap_or(AreaLevel::Group)
    }

    /// The area of the given level that this one lies in (itself included), if it is that deep.
    pub fn at(&self, level: AreaLevel) -> Option<AreaCode> {
        self.0.get(..level.digits()).map(|digits| Self(digits.into()))
    }

    /// The area one level up; none for a province.
    pub fn parent(&self) -> Option<AreaCode> {
        let level = AreaLevel::ALL.into_iter().rev().find(|level| level.digits() < self.0.len())?;
        self.at(level)
    }

    /// The six digits that rows of this area are stored under: its county, or a code padded with
    /// zeros for what lies above the counties.
    pub fn county(&self) -> String {
        match self.0.get(..AreaLevel::County.digits()) {
            Some(county) => county.to_owned(),
            None => format!("{:0<6}", self.0),
        }
    }

    /// True for this area itself and everything below it.
    pub fn contains(&self, other: &AreaCode) -> bool {
        other.0.starts_with(&*self.0)
    }

    /// The first text after every code of the subtree, in byte order: `[code, end)` is the subtree.
    pub fn end(&self) -> String {
        let mut end = self.0.to_string();
        end.push(':'); // the byte after '9'
        end
    }
}

impl fmt::Display for AreaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AreaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for AreaCode {
    type Error = BadAreaCode;
    fn try_from(text: String) -> Result<Self, BadAreaCode> {
        Self::parse(&text)
    }
}

impl From<AreaCode> for String {
    fn from(code: AreaCode) -> String {
        code.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_with_and_without_padding() {
        for (text, expected) in [
            ("50", Some("50")),
            ("500000", Some("50")),
            ("500242", Some("500242")),
            ("500242000000", Some("500242")),
            ("500242100", Some("500242100")),
            ("500242100000", Some("500242100")),
            ("500242100201", Some("500242100201")),
            ("50024210020100", Some("500242100201")),
            ("50024210020103", Some("50024210020103")),
            ("5002", Some("5002")),
            ("500200", Some("5002")),
            ("000000", None),
            ("50024", None),
            ("5002420", None),
            ("50024x", None),
            ("", None),
        ] {
            let read = AreaCode::parse(text).ok().map(|code| code.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_subtree_is_a_range_of_codes() {
        let county = AreaCode::parse("500242").unwrap();
        for (inside, text) in
            [(true, "500242100201"), (true, "500242"), (false, "500243"), (false, "50")]
        {
            let code = AreaCode::parse(text).unwrap();
            assert_eq!(county.contains(&code), inside);
            let in_range =
                code.as_str() >= county.as_str() && code.as_str() < county.end().as_str();
            assert_eq!(in_range, inside, "{text}");
        }
    }

    #[test]
    fn parents_and_counties() {
        let village = AreaCode::parse("500242100201").unwrap();
        assert_eq!(village.parent().unwrap().as_str(), "500242100");
        assert_eq!(village.county(), "500242");
        assert_eq!(AreaCode::parse("52").unwrap().county(), "520000");
        assert_eq!(village.level(), AreaLevel::Village);
        assert_eq!(AreaCode::parse("52").unwrap().parent(), None);
    }
}
