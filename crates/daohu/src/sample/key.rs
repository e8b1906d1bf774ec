//! The numbers that people use: 户编号, 单位编号, 工号 and 队编号.
//!
//! Each is the county's code, a letter that tells what it numbers (none for a household), and a
//! serial number of fixed width. So numbers are unique in the country, and within a county they
//! ascend as bytes with letter and serial. No letter is an E: between digits a spreadsheet would
//! take it for an exponent.

use std::fmt;

/// A number, written out by its `Display`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key<'a> {
    county: &'a str,
    letter: &'static str,
    digits: usize,
    serial: u64,
}

impl<'a> Key<'a> {
    /// Of the one at this place, counted from 0: serial numbers begin with 1.
    const fn new(county: &'a str, letter: &'static str, digits: usize, place: u64) -> Self {
        Self { county, letter, digits, serial: place + 1 }
    }

    /// A household.
    pub(super) const fn household(county: &'a str, place: u64) -> Self {
        Self::new(county, "", 8, place)
    }

    /// A unit, whether it helps or is a township's office.
    pub(super) const fn unit(county: &'a str, place: u64) -> Self {
        Self::new(county, "U", 5, place)
    }

    /// A 驻村工作队.
    pub(super) const fn team(county: &'a str, place: u64) -> Self {
        Self::new(county, "T", 5, place)
    }

    /// A cadre: the letter tells the role (agronomist, county leader, helper, team member, poverty
    /// officer), so that cadres and their pairings ascend role by role.
    pub(super) const fn technician(county: &'a str, place: u64) -> Self {
        Self::new(county, "A", 5, place)
    }

    /// A 县级领导.
    pub(super) const fn leader(county: &'a str, place: u64) -> Self {
        Self::new(county, "C", 5, place)
    }

    /// A 帮扶干部. There may be millions in a county, as of households.
    pub(super) const fn helper(county: &'a str, place: u64) -> Self {
        Self::new(county, "H", 7, place)
    }

    /// A 第一书记 or 驻村队员.
    pub(super) const fn member(county: &'a str, place: u64) -> Self {
        Self::new(county, "M", 5, place)
    }

    /// A 扶贫专干.
    pub(super) const fn officer(county: &'a str, place: u64) -> Self {
        Self::new(county, "P", 5, place)
    }
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { county, letter, digits, serial } = self;
        write!(f, "{county}{letter}{serial:0digits$}")
    }
}
