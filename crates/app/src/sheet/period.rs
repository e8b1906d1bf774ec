//! Periods of statistics: 2015, 2015Q1-3, 2015-06.

use std::ops::RangeInclusive;

/// The months of a year.
const MONTHS: RangeInclusive<u32> = 1..=12;
/// The quarters of a year.
const QUARTERS: RangeInclusive<u32> = 1..=4;

/// The canonical form of a period; none if the text is none, or its year is not among `years`.
pub(super) fn canonical(text: &str, years: &RangeInclusive<i64>) -> Option<String> {
    let (year, rest) = text.split_at_checked(4)?;
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = |text: &str, of: &RangeInclusive<u32>| {
        text.parse().ok().filter(|n| is_digits(text) && text.len() <= 2 && of.contains(n))
    };
    if !is_digits(year) || !year.parse().is_ok_and(|year| years.contains(&year)) {
        return None;
    }
    if rest.is_empty() {
        return Some(year.to_owned());
    }
    if let Some(quarters) = rest.strip_prefix(['Q', 'q']) {
        let (from, to) = quarters.split_once('-').unwrap_or((quarters, quarters));
        let (from, to) = (number(from, &QUARTERS)?, number(to, &QUARTERS)?);
        return match from.cmp(&to) {
            std::cmp::Ordering::Less => Some(format!("{year}Q{from}-{to}")),
            std::cmp::Ordering::Equal => Some(format!("{year}Q{from}")),
            std::cmp::Ordering::Greater => None,
        };
    }
    let month = number(rest.strip_prefix(['-', '/'])?, &MONTHS)?;
    Some(format!("{year}-{month:02}"))
}

/// The first day of a period in its canonical form.
pub(crate) fn first_day(period: &str) -> String {
    let (year, rest) = period.split_at_checked(4).unwrap_or((period, ""));
    let month = match rest.strip_prefix('Q') {
        Some(quarters) => {
            let first = quarters.split('-').next().and_then(|first| first.parse().ok());
            first.map_or(1, |quarter: u32| quarter.saturating_sub(1) * 3 + 1)
        }
        None => rest.trim_start_matches('-').parse().unwrap_or(1),
    };
    format!("{year}-{month:02}-01")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_begins_with_its_first_month() {
        for (period, expected) in [
            ("2015", "2015-01-01"),
            ("2015Q1-3", "2015-01-01"),
            ("2015Q2-3", "2015-04-01"),
            ("2015Q4", "2015-10-01"),
            ("2015-06", "2015-06-01"),
        ] {
            assert_eq!(first_day(period), expected, "{period}");
        }
    }

    #[test]
    fn periods_have_one_form_each() {
        for (text, expected) in [
            ("2015", Some("2015")),
            ("2015Q1-3", Some("2015Q1-3")),
            ("2015q1-3", Some("2015Q1-3")),
            ("2015Q2", Some("2015Q2")),
            ("2015Q2-2", Some("2015Q2")),
            ("2015-06", Some("2015-06")),
            ("2015-6", Some("2015-06")),
            ("2015/12", Some("2015-12")),
            ("2015Q3-1", None),
            ("2015Q5", None),
            ("2015Q0-2", None),
            ("2015Q", None),
            ("2015-13", None),
            ("2015-00", None),
            ("2015-006", None),
            ("2015-06-01", None),
            ("1815", None),
            ("15", None),
            ("2015年", None),
            ("二〇一五", None),
            ("+201", None),
            ("", None),
        ] {
            assert_eq!(canonical(text, &(1900..=2200)).as_deref(), expected, "{text}");
        }
    }
}
