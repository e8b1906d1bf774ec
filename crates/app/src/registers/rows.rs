//! What imports and exports may do with this slice's tables: whole rows, many at a time, inside a
//! transaction of the caller's.

pub(crate) use super::model::REGISTERS as ALL;
pub(crate) use super::sql::{
    answered_by, answering, cadres_behind, count, each, known, lock_of_areas, looked_up, of_areas,
    pairings_of,
};
