//! What imports and exports may do with this slice's tables: whole rows, many at a time, inside a
//! transaction of the caller's. Everything else goes through `ops`.

pub(crate) use super::sheets::sql::{count, each, layout};
pub(crate) use super::sql::{
    Alike, Holder, PastMembership, alikes, any_household, by_numbers, fill, holders, incomes_of,
    lock_holders, lock_serials, lock_villages, next_homes, past_memberships_of, person, persons_of,
    set_serials, versions_of, with_alike,
};
