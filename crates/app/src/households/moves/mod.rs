//! Who came to a household and who left it, from where and to where: 分户 and 并户.
//!
//! ```text
//! entries of a person ─► stays, one after the other ─► moves ─► of a household: whom it came from, whom it went to
//! ```
//!
//! Derived from the journal, on any day, and stored nowhere. A household is *merged* into the one that all went to who
//! had been left, and *split* where several went together to one that had nobody before. Who moves to another
//! county is a new person there: what is told ends at the county's border. Where areas changed, a household lies in another
//! county than one it had to do with: both are told of, wherever they are now. Of a household outside the caller's area it is told
//! that somebody came from elsewhere, or went there; nothing that is on record there.

pub(in crate::households) mod api;
mod model;
pub(in crate::households) mod ops;
mod sql;

pub use ops::Link;
pub(in crate::households) use ops::Reader;
