//! Made-up ID numbers that cannot be anybody's: the area prefix 99 is not assigned.
//!
//! A number is 99, four digits for the county, the true birth date, three digits whose last is
//! odd for men, and the GB 11643 check character. Numbers stay unique in the whole output without
//! keeping them: each county counts, per birth date and sex, how many it has issued, and counties
//! share no prefix as long as the area list has at most 3,000 of them.

use super::Error;
use super::calendar::Day;
use super::dice::Dice;
use super::member::{Paper, Sex};

/// First day that a birth date may have, and how many days are counted from there.
const FIRST_YEAR: i32 = 1900;
const DAYS: usize = 45_000;

/// Sequence numbers per birth date and sex within one prefix (000 to 999, by parity).
const PER_PREFIX: u32 = 500;
/// Counties that can be told apart; each owns every 3,000th of the prefixes 990000 to 998999.
const COUNTIES: u32 = 3_000;
const PREFIXES_PER_COUNTY: u32 = 3;

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS: &[u8; 11] = b"10X98765432";

/// Issues the ID numbers of one county.
pub(super) struct Issuer {
    county: String,
    /// Place of the county among all counties.
    rank: u32,
    /// Numbers issued, by day, men and women.
    men: Vec<u16>,
    women: Vec<u16>,
}

impl Issuer {
    pub(super) fn new(county: &str, rank: u32) -> Self {
        let county = county.to_owned();
        Self { county, rank: rank % COUNTIES, men: vec![0; DAYS], women: vec![0; DAYS] }
    }

    /// The next number of the birth date and sex.
    pub(super) fn next(&mut self, birth: Day, sex: Sex) -> Result<[u8; 18], Error> {
        let used_up = || Error::NumbersUsedUp(self.county.clone());
        let day = birth.since(Day::new(FIRST_YEAR, 1, 1));
        let issued = match sex {
            Sex::Male => &mut self.men,
            Sex::Female => &mut self.women,
        };
        let count = usize::try_from(day).ok().and_then(|day| issued.get_mut(day));
        let count = count.ok_or_else(used_up)?;
        let index = u32::from(*count);
        if index >= PER_PREFIX * PREFIXES_PER_COUNTY {
            return Err(used_up());
        }
        *count += 1;
        let prefix = 990_000 + self.rank + COUNTIES * (index / PER_PREFIX);
        let sequence = index % PER_PREFIX * 2 + u32::from(sex == Sex::Male);
        Ok(with_check(prefix, birth, sequence))
    }
}

fn with_check(prefix: u32, birth: Day, sequence: u32) -> [u8; 18] {
    let (year, month, day) = birth.parts();
    let date = u64::try_from(year * 10_000 + month * 100 + day).unwrap_or(0);
    let mut rest = (u64::from(prefix) * 100_000_000 + date) * 1000 + u64::from(sequence);
    let mut number = [b'0'; 18];
    let mut sum = 0;
    for (digit, weight) in number.iter_mut().take(WEIGHTS.len()).zip(WEIGHTS.iter()).rev() {
        let value = u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        *digit = b'0' + value;
        sum += u32::from(value) * weight;
    }
    if let Some(last) = number.last_mut() {
        *last = check_character(sum);
    }
    number
}

fn check_character(sum: u32) -> u8 {
    let index = usize::try_from(sum % 11).unwrap_or(0);
    CHECKS.get(index).copied().unwrap_or(b'0')
}

/// A disability card: the ID number, a category from 1 to 7 and a grade from 1 to 4.
pub(super) fn disability_card(number: [u8; 18], dice: &mut Dice) -> Paper {
    let mut card = [b'0'; 20];
    for (to, from) in card.iter_mut().zip(number) {
        *to = from;
    }
    // Most cards are for the body (4), and most grades are light.
    let category = dice.weighted(&[(12, b'1'), (14, b'2'), (3, b'3'), (46, b'4'), (10, b'5')]);
    let category = if dice.chance(120) { dice.pick(b"67") } else { category };
    let grade = dice.weighted(&[(12, b'1'), (26, b'2'), (34, b'3'), (28, b'4')]);
    for (to, from) in card.iter_mut().skip(number.len()).zip([category, grade]) {
        *to = from;
    }
    Paper::Disability(card)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check character of a number's first 17 digits.
    fn check(number: &str) -> u8 {
        let digits = number.bytes().map(|byte| u32::from(byte - b'0'));
        check_character(digits.zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum())
    }

    #[test]
    fn the_standards_own_examples() {
        assert_eq!(check("11010519491231002"), b'X');
        assert_eq!(check("44052418800101001"), b'4');
    }

    #[test]
    fn a_county_has_1500_numbers_per_day_and_sex_and_then_none() {
        let mut issuer = Issuer::new("500242", 7);
        let day = Day::new(2000, 2, 29);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1500 {
            let number = String::from_utf8(issuer.next(day, Sex::Female).unwrap().into()).unwrap();
            assert_eq!(&number[..2], "99");
            assert_eq!(&number[6..14], "20000229");
            assert_eq!(number.as_bytes()[16] % 2, 0);
            assert_eq!(number.as_bytes()[17], check(&number[..17]));
            assert!(seen.insert(number));
        }
        assert!(matches!(issuer.next(day, Sex::Female), Err(Error::NumbersUsedUp(_))));
        assert!(issuer.next(day, Sex::Male).is_ok());
        assert!(issuer.next(day.plus(1), Sex::Female).is_ok());
        assert!(issuer.next(Day::new(1899, 12, 31), Sex::Male).is_err());
    }
}
