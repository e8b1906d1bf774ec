//! Typed ids.

use serde::{Deserialize, Serialize};

/// Room for serials within a county: ids are county × 10^9 + serial, below 2^53.
const SERIALS: i64 = 1_000_000_000;

macro_rules! integer_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl $name {
            /// The id of the record with this serial number, born in this county.
            /// None if the county is not six digits or the serial is out of room.
            pub fn born(county: &str, serial: i64) -> Option<Self> {
                let county: i64 = county.parse().ok().filter(|_| county.len() == 6)?;
                (0..SERIALS).contains(&serial).then_some(Self(county * SERIALS + serial))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

integer_id! {
    /// A household. Never changes and never tells the present county.
    HouseholdId,
    /// A person. Never changes and never tells the present county.
    PersonId,
}

/// The six digits of the county that a household's or person's id begins with.
pub fn county_of_birth(id: i64) -> String {
    format!("{:06}", id.div_euclid(SERIALS))
}

/// Marks one write transaction in the journal: milliseconds since 1970 × 2^20 + a counter. Orders
/// roughly by time and is unique without asking anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(pub i64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lead_with_the_county_of_birth() {
        assert_eq!(HouseholdId::born("500242", 7), Some(HouseholdId(500_242_000_000_007)));
        assert_eq!(county_of_birth(500_242_000_000_007), "500242");
        assert_eq!(HouseholdId::born("500242", 1_000_000_000), None);
        assert_eq!(PersonId::born("50024", 1), None);
        assert!(PersonId::born("999999", 999_999_999).unwrap().0 < 1 << 53);
    }
}
