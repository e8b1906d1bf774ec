//! Resident identity numbers (GB 11643) and the disability-card numbers built on them.

use std::fmt;

use crate::{Day, secret::mask_id_number};

/// A valid resident identity number of 18 characters, or a disability-card number of 20 or 22 that
/// begins with one. Prints masked; the digits leave only through [`IdNumber::reveal`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdNumber(Box<str>);

/// Sex as an identity number tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sex {
    /// 男
    Male,
    /// 女
    Female,
}

/// Why a text is not an identity number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadIdNumber {
    /// Not 18, 20 or 22 characters.
    #[error("an ID number has 18 characters, a disability card 20 or 22")]
    Length,
    /// A character that does not belong there.
    #[error("the first 17 characters of an ID number are digits")]
    Digits,
    /// Characters 7–14 are not a day between 1900 and today.
    #[error("characters 7 to 14 of an ID number are a real birth date")]
    BirthDate,
    /// The 18th character does not follow from the first 17.
    #[error("the check character does not fit the other 17")]
    CheckCharacter,
    /// The category, grade or re-issue suffix of a disability card is not one of the legal ones.
    #[error("a disability card ends with category 1 to 7 and grade 1 to 4")]
    Card,
}

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK_CHARACTERS: &[u8; 11] = b"10X98765432";
const EARLIEST_BIRTH_YEAR: i64 = 1900;

impl IdNumber {
    /// Reads a number; a lower-case `x` is raised. `today` bounds the birth date.
    pub fn parse(text: &str, today: Day) -> Result<Self, BadIdNumber> {
        let upper = text.to_ascii_uppercase();
        if !upper.is_ascii() || ![18, 20, 22].contains(&upper.len()) {
            return Err(BadIdNumber::Length);
        }
        let (id, card) = upper.split_at_checked(18).ok_or(BadIdNumber::Length)?;
        let (digits, check) = id.split_at_checked(17).ok_or(BadIdNumber::Length)?;
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BadIdNumber::Digits);
        }
        let number = Self(upper.as_str().into());
        let born = number.born_on_digits().ok_or(BadIdNumber::BirthDate)?;
        if born > today || born.year() < EARLIEST_BIRTH_YEAR {
            return Err(BadIdNumber::BirthDate);
        }
        if check_character(digits).map(char::from) != check.chars().next() {
            return Err(BadIdNumber::CheckCharacter);
        }
        if is_card_suffix(card) { Ok(number) } else { Err(BadIdNumber::Card) }
    }

    /// The full number. Whoever calls this answers for where it goes.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The 18 characters that name the person, without a disability card's suffix.
    pub fn person(&self) -> &str {
        self.0.get(..18).unwrap_or(&self.0)
    }

    /// The birth date.
    pub fn born_on(&self) -> Day {
        self.born_on_digits().unwrap_or(Day::from_epoch_days(0))
    }

    fn born_on_digits(&self) -> Option<Day> {
        self.0.get(6..14).and_then(|day| Day::parse(day).ok())
    }

    /// The sex: the 17th digit is odd for men.
    pub fn sex(&self) -> Sex {
        match self.0.as_bytes().get(16).map_or(0, |b| (b - b'0') % 2) {
            1 => Sex::Male,
            _ => Sex::Female,
        }
    }
}

/// The check character of the first 17 digits; none if there are not 17 digits.
fn check_character(digits: &str) -> Option<u8> {
    let sum: u32 = WEIGHTS.iter().zip(digits.bytes()).map(|(w, b)| w * u32::from(b - b'0')).sum();
    let remainder = usize::try_from(sum % 11).ok()?;
    CHECK_CHARACTERS.get(remainder).copied().filter(|_| digits.len() == WEIGHTS.len())
}

fn is_card_suffix(suffix: &str) -> bool {
    matches!(
        suffix.as_bytes(),
        [] | [b'1'..=b'7', b'1'..=b'4'] | [b'1'..=b'7', b'1'..=b'4', b'B', b'0'..=b'9']
    )
}

impl fmt::Display for IdNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask_id_number(&self.0))
    }
}

impl fmt::Debug for IdNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_own_examples_and_their_neighbours() {
        let today = Day::parse("2015-12-31").unwrap();
        for (text, expected) in [
            ("11010519491231002X", Ok(())),
            ("11010519491231002x", Ok(())),
            ("440524188001010014", Err(BadIdNumber::BirthDate)), // 1880: right check character
            ("990102197001010112", Ok(())),
            ("990102197001010113", Err(BadIdNumber::CheckCharacter)),
            ("99010219701301011X", Err(BadIdNumber::BirthDate)),
            ("990102201601010119", Err(BadIdNumber::BirthDate)), // after today
            ("99010219601111018X43", Ok(())),
            ("99010219601111018X43B1", Ok(())),
            ("99010219601111018X83", Err(BadIdNumber::Card)),
            ("9901021970010101", Err(BadIdNumber::Length)),
            ("9901021970O1010112", Err(BadIdNumber::Digits)),
            ("九九〇一〇二", Err(BadIdNumber::Length)),
        ] {
            assert_eq!(IdNumber::parse(text, today).map(|_| ()), expected, "{text}");
        }
        assert_eq!(check_character("44052418800101001"), Some(b'4'));
    }

    #[test]
    fn a_number_tells_birth_and_sex_and_prints_masked() {
        let number =
            IdNumber::parse("11010519491231002X", Day::parse("2015-01-01").unwrap()).unwrap();
        assert_eq!(number.born_on().to_string(), "1949-12-31");
        assert_eq!(number.sex(), Sex::Female);
        assert_eq!(format!("{number} {number:?}"), "110105**********2X 110105**********2X");
    }
}
