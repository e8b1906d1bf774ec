//! What is told of many measurements.

/// The middle of the values, or the mean of the two in the middle; none of no values.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values);
    let half = sorted.len() / 2;
    let upper = sorted.get(half).copied()?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(upper, sorted.get(half - 1).copied()?))
}

/// The smallest value that at least so many percent of the values do not exceed.
pub(super) fn percentile(values: &[f64], percent: usize) -> Option<f64> {
    let rank = (values.len() * percent).div_ceil(100);
    sorted(values).get(rank.checked_sub(1)?).copied()
}

/// The least and the greatest value.
pub(super) fn spread(values: &[f64]) -> Option<(f64, f64)> {
    let sorted = sorted(values);
    Some((sorted.first().copied()?, sorted.last().copied()?))
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: Option<f64>) -> String {
        value.map_or_else(|| "none".to_owned(), |value| value.to_string())
    }

    #[test]
    fn a_median_stands_in_the_middle() {
        assert_eq!(shown(median(&[3.0, 1.0, 2.0])), "2");
        assert_eq!(shown(median(&[4.0, 1.0, 2.0, 3.0])), "2.5");
        assert_eq!(shown(median(&[7.0])), "7");
        assert_eq!(shown(median(&[])), "none");
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(shown(percentile(&hundred, 50)), "50");
        assert_eq!(shown(percentile(&hundred, 99)), "99");
        assert_eq!(shown(percentile(&hundred, 100)), "100");
        assert_eq!(shown(percentile(&[5.0, 9.0], 99)), "9");
        assert_eq!(shown(percentile(&[5.0, 9.0], 50)), "5");
        assert_eq!(shown(percentile(&[5.0], 0)), "none");
        assert_eq!(shown(percentile(&[], 99)), "none");
    }

    #[test]
    fn a_spread_has_both_ends() {
        let (least, greatest) = spread(&[2.0, 9.0, 1.0]).unwrap();
        assert_eq!((shown(Some(least)), shown(Some(greatest))), ("1".to_owned(), "9".to_owned()));
        assert!(spread(&[]).is_none());
    }
}
