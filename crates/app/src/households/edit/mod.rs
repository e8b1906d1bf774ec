//! Changing single records: columns by name, read as the cells of a spreadsheet are, under the rules
//! of the import.
//!
//! A household is locked before it or anything below it is changed, so that its rules (one number in
//! the county, one head) hold under writers at the same time.

pub(in crate::households) mod api;
pub(in crate::households) mod ops;
pub(in crate::households) mod persons;
pub(in crate::households) mod sql;
