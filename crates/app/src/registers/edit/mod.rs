//! Writing single records of registers: a request does what an import of the same row would do, and is
//! refused where that is.

pub(super) mod api;
mod figures;
mod ops;
mod view;
