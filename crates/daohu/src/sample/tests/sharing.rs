//! Sharing totals out exactly, and the limit of a share.

use super::super::Error;
use super::super::plan::{apportion, plan, within};
use super::super::tree::Tree;
use super::{areas, county};

#[test]
fn parts_add_up_and_follow_the_weights() {
    for (total, weights, parts) in [
        (10, vec![1, 1, 1], vec![4, 3, 3]),
        (0, vec![5, 7], vec![0, 0]),
        (7, vec![0, 0], vec![4, 3]),
        (100, vec![50, 0, 150], vec![25, 0, 75]),
        (3, vec![], vec![]),
        (u64::MAX, vec![u64::MAX, u64::MAX], vec![u64::MAX / 2 + 1, u64::MAX / 2]),
    ] {
        assert_eq!(apportion(total, &weights), parts);
    }
}

#[test]
fn limits_hold_and_the_rest_moves_on() {
    assert_eq!(within(10, &[9, 1, 1], &[4, 4, 4]), [4, 4, 2]);
    assert_eq!(within(20, &[1, 1, 1], &[4, 4, 4]), [4, 4, 4]);
    assert_eq!(within(6, &[1, 1, 1], &[4, 4, 4]), [2, 2, 2]);
}

#[test]
fn a_county_has_room_for_eight_digits_of_households() {
    let areas = areas();
    let planned = |households| plan(&Tree::new(&areas), &county("500242", households)).err();
    assert!(planned(99_999_999).is_none());
    assert!(matches!(planned(100_000_000), Some(Error::TooManyHouseholds(100_000_000))));
}
