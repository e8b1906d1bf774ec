//! What imports and exports may do with this slice's tables: whole rows, many at a time, inside a
//! transaction of the caller's. Everything else goes through `ops`.

pub(crate) use super::alike::sql::{Alike, alikes, next_county, persons, those, with_alike};
pub(crate) use super::edit::sql::{hold, lock};
pub(crate) use super::homes::sql::{Selections, Those, Which, next_homes, next_homes_of};
pub(crate) use super::list::sql::Answered;
pub(crate) use super::sheets::sql::{count, each, layout};
pub(crate) use super::sql::{
    Holder, PastMembership, any_household, bearers, by_numbers, counties, fill, holders,
    households_of, incomes_of, lock_holders, lock_serials, lock_villages, past_memberships_of,
    person, person_keys, persons_of, place_of, places_of, set_serials, versions_of,
    villages_in_state,
};
