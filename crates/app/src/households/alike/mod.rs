//! Persons whose names sound alike and who were born on one day: they may be one. What they have in common
//! is a column of theirs, computed where a name or a birth date is written.

pub(super) mod ops;
pub(super) mod sql;
