//! Money: whole 分, never a float.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount in 分 (1/100 yuan). Arithmetic is checked: an overflow is an error, not a wrong figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fen(pub i64);

/// Why a text is not an amount in yuan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMoney {
    /// Not a decimal number.
    #[error("not an amount in yuan")]
    NotANumber,
    /// More decimals than 分 can hold.
    #[error("an amount in yuan has at most two decimals")]
    TooPrecise,
}

impl Fen {
    /// Reads yuan with at most two decimals, as in `-1200.5`. Signs, digits and one point only.
    pub fn parse_yuan(text: &str) -> Result<Self, BadMoney> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, cents) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && cents.is_empty()) || !is_number(whole) || !is_number(cents) {
            return Err(BadMoney::NotANumber);
        }
        let cents = cents.trim_end_matches('0');
        if cents.len() > 2 {
            return Err(BadMoney::TooPrecise);
        }
        let yuan: i64 = if whole.is_empty() { 0 } else { parse(whole)? };
        let fen: i64 = match cents.len() {
            0 => 0,
            1 => parse(cents)? * 10,
            _ => parse(cents)?,
        };
        let amount = yuan.checked_mul(100).and_then(|y| y.checked_add(fen));
        let amount = amount.ok_or(BadMoney::NotANumber)?;
        Ok(Self(if negative { -amount } else { amount }))
    }

    /// Yuan with both decimals: `1200.50`.
    pub fn with_decimals(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (yuan, fen) = (self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100);
        format!("{sign}{yuan}.{fen:02}")
    }

    /// The sum, or none on overflow.
    pub fn checked_add(self, other: Fen) -> Option<Fen> {
        self.0.checked_add(other.0).map(Fen)
    }
}

fn parse(digits: &str) -> Result<i64, BadMoney> {
    digits.parse().map_err(|_| BadMoney::NotANumber)
}

impl fmt::Display for Fen {
    /// Yuan without trailing zeros: `1200.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (yuan, fen) = (self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100);
        match fen {
            0 => write!(f, "{sign}{yuan}"),
            _ if fen % 10 == 0 => write!(f, "{sign}{yuan}.{}", fen / 10),
            _ => write!(f, "{sign}{yuan}.{fen:02}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn yuan_are_read_exactly() {
        for (text, expected) in [
            ("1200.5", Ok(120_050)),
            ("12000.00", Ok(1_200_000)),
            ("-0.01", Ok(-1)),
            (".5", Ok(50)),
            ("5.", Ok(500)),
            ("1.230", Ok(123)),
            ("100.125", Err(BadMoney::TooPrecise)),
            ("1,200", Err(BadMoney::NotANumber)),
            ("￥800", Err(BadMoney::NotANumber)),
            ("", Err(BadMoney::NotANumber)),
            (".", Err(BadMoney::NotANumber)),
            ("1e3", Err(BadMoney::NotANumber)),
            ("99999999999999999999", Err(BadMoney::NotANumber)),
        ] {
            assert_eq!(Fen::parse_yuan(text).map(|f| f.0), expected, "{text}");
        }
    }

    #[test]
    fn both_decimals_are_written_where_they_are_wanted() {
        for (fen, written) in [(120_050, "1200.50"), (-5, "-0.05"), (0, "0.00"), (-100, "-1.00")] {
            assert_eq!(Fen(fen).with_decimals(), written);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(fen in -(1i64 << 60)..(1i64 << 60)) {
            prop_assert_eq!(Fen::parse_yuan(&Fen(fen).to_string()), Ok(Fen(fen)));
        }
    }
}
