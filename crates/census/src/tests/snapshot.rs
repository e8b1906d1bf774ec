//! A census written and read again, and files that are no such thing.

use proptest::prelude::*;

use super::{
    live::{Homes, ask, assert_same, built, homes, lived, lives, rules},
    shape,
};
use crate::{Census, Unreadable};

fn written(census: &Census) -> Vec<u8> {
    let mut bytes = Vec::new();
    census.write(&mut bytes).unwrap();
    bytes
}

fn read(mut bytes: &[u8]) -> Result<Census, Unreadable> {
    Census::read(shape(), &mut bytes)
}

/// A few households, with all there is: members, years, large amounts, sets of codes.
fn some() -> impl Strategy<Value = Homes> {
    prop::collection::btree_map(1..25_i64, lived(), 3..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_read_is_what_was_written(homes in homes(), plan in rules()) {
        let census = built(&homes);
        let bytes = written(&census);
        let again = read(&bytes).unwrap();
        assert_same(&again, &census);
        prop_assert_eq!(&again.villages, &census.villages);
        prop_assert_eq!(&again.homes_in, &census.homes_in);
        prop_assert_eq!(&again.years, &census.years);
        prop_assert_eq!(written(&again), bytes);
        let all = 0..census.households();
        prop_assert_eq!(ask(&again, &plan, all.clone()), ask(&census, &plan, all));
    }

    #[test]
    fn what_was_read_is_kept_up_like_what_was_built(
        before in homes(),
        gone in prop::collection::vec(1..25_i64, 0..5),
        new in homes(),
    ) {
        let mut census = built(&before);
        let mut again = read(&written(&census)).unwrap();
        census.replace(&gone, built(&new)).unwrap();
        again.replace(&gone, built(&new)).unwrap();
        assert_same(&again, &census);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn whatever_byte_is_altered_it_is_refused(homes in some(), by in 1..=255_u8) {
        let mut bytes = written(&built(&homes));
        for place in 0..bytes.len() {
            for by in [1, 0x80, by] {
                bytes[place] ^= by;
                prop_assert!(read(&bytes).is_err(), "{} by {}", place, by);
                bytes[place] ^= by;
            }
        }
        prop_assert!(read(&bytes).is_ok());
    }

    #[test]
    fn wherever_it_is_cut_it_is_refused(homes in some()) {
        let bytes = written(&built(&homes));
        for end in 0..bytes.len() {
            let refused = read(&bytes[..end]);
            prop_assert!(matches!(refused, Err(Unreadable::Cut)), "{}: {:?}", end, refused.err());
        }
    }

    #[test]
    fn parts_of_two_snapshots_are_none(homes in some(), others in some()) {
        // As large as the other, so that only what is known differs: a file that was half written over.
        let one = written(&built(&homes));
        let mut other = homes.clone();
        let known = others.values().cycle();
        other.values_mut().zip(known).for_each(|(own, other)| own.known_of(other));
        let other = written(&built(&other));
        prop_assume!(one.len() == other.len());
        for cut in 0..one.len() {
            let torn = [&one[..cut], &other[cut..]].concat();
            prop_assert!(torn == one || torn == other || read(&torn).is_err(), "{}", cut);
        }
    }
}

#[test]
fn bytes_of_something_else_are_refused_with_the_reason() {
    let homes: Homes = [(1, lives("110100001", &["1950-05-05"]))].into();
    let bytes = written(&built(&homes));
    assert!(matches!(read(b"PK\x03\x04 a workbook, say"), Err(Unreadable::Foreign)));
    let mut later = bytes.clone();
    later[8..16].copy_from_slice(&2_u64.to_ne_bytes());
    assert!(matches!(read(&later), Err(Unreadable::Version(2))));
    let mut other = shape();
    other.vocabulary.member[3].name = "another".to_owned();
    let refused = Census::read(other, &mut &bytes[..]);
    assert!(matches!(refused, Err(Unreadable::OtherColumns)));
    // What stands behind it is for who put it there.
    let longer = [&bytes[..], b"more"].concat();
    let mut rest = &longer[..];
    assert!(Census::read(shape(), &mut rest).is_ok());
    assert_eq!(rest, b"more");
}

#[test]
fn a_length_that_nothing_stands_behind_takes_no_memory() {
    let bytes = written(&built(&Homes::new()));
    // The length of the first array, above all lengths that can be.
    for length in [u64::MAX, u64::MAX >> 1, 1 << 60, 1 << 45] {
        let mut long = bytes.clone();
        long[16..24].copy_from_slice(&length.to_ne_bytes());
        assert!(matches!(read(&long), Err(Unreadable::Cut)));
    }
}

/// What one census contradicts itself in.
fn refused(spoil: impl FnOnce(&mut Census)) -> String {
    let homes: Homes = [
        (1, lives("110100001", &["1950-05-05"]).rich()),
        (2, lives("110100002", &["1950-05-05", "1960-05-05"]).rich()),
    ]
    .into();
    let mut census = built(&homes);
    assert!(read(&written(&census)).is_ok());
    spoil(&mut census);
    read(&written(&census)).unwrap_err().to_string()
}

#[test]
fn a_census_that_contradicts_itself_is_refused_though_its_sums_are_right() {
    use crate::columns::Column;
    let told = |what: &str| format!("it contradicts itself: {what}");
    assert_eq!(refused(|own| own.homes_in[1] = 2), told("villages of households"));
    assert_eq!(refused(|own| own.homes_in.truncate(1)), told("villages of households"));
    assert_eq!(refused(|own| own.members_from = vec![0, 4, 3]), told("sizes of households"));
    assert_eq!(refused(|own| own.members_from = vec![1, 1, 3]), told("sizes of households"));
    assert_eq!(refused(|own| own.members_from = vec![0, 1, 4]), told("sizes of households"));
    assert_eq!(refused(|own| own.members_from = vec![0, 3]), told("sizes of households"));
    assert_eq!(refused(|own| own.gone_on.truncate(2)), told("sizes of households"));
    let spoil = |own: &mut Census| {
        let Column::Int(ages) = &mut own.member[5] else { panic!("a number") };
        ages.pop();
    };
    assert_eq!(refused(spoil), told("a column"));
    let spoil = |own: &mut Census| {
        let Column::Codes(codes) = &mut own.member[4] else { panic!("codes") };
        codes.nths[0] = 7;
    };
    assert_eq!(refused(spoil), told("sets of codes"));
    let spoil = |own: &mut Census| {
        let Column::Codes(codes) = &mut own.member[4] else { panic!("codes") };
        codes.sets.clear();
    };
    assert_eq!(refused(spoil), told("sets of codes"));
    let spoil = |own: &mut Census| own.years.get_mut(&2015).unwrap().sharing.truncate(1);
    assert_eq!(refused(spoil), told("who shared incomes"));
    let spoil = |own: &mut Census| own.years.get_mut(&2015).unwrap().per_head_fen.truncate(1);
    assert_eq!(refused(spoil), told("incomes"));
    let large = |own: &mut Census, place: usize, fen: i64| {
        own.years.get_mut(&2015).unwrap().amounts[0].parts().1.insert(place, fen);
    };
    assert_eq!(refused(|own| large(own, 2, 1 << 40)), told("large amounts"));
    let spoil = |own: &mut Census| {
        own.years.get_mut(&2015).unwrap().amounts[0].parts().1.clear();
    };
    assert_eq!(refused(spoil), told("large amounts"));
}
