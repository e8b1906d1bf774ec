//! What refers to records that an undo would take away: where, whether anything, and what.

mod sql;

pub(super) use sql::{
    AREA_REFERENCES, Naming, REFERENCES, below, households_in, is_group_used, named_in, naming,
    naming_area,
};
