//! The product. One folder per slice, layers as files in the folder:
//! `model.rs` pure types and decisions, `sql.rs` every statement, `ops.rs` use cases, `api.rs` HTTP.
//!
//! Architecture invariants: SQL stands only in `sql.rs`; `axum` only in `api.rs` and `http/`; a
//! slice calls another's `ops`, `model` or `rows`, never its `sql`; no query on business data
//! without a [`daohu_base::Scope`]; no write without a journal entry.

pub mod accesses;
pub mod accounts;
pub mod area_changes;
pub mod areas;
pub mod backup;
pub mod classes;
pub mod codes;
pub mod context;
pub mod crosscheck;
pub mod error;
pub mod exchange;
pub(crate) mod follow_ups;
pub mod households;
pub mod http;
pub mod jobs;
pub mod journal;
pub mod keys;
pub mod lang;
pub mod monitoring;
pub mod policies;
pub mod quality;
pub mod registers;
pub mod schema;
pub mod sheet;
pub mod suspects;
pub mod undo;
pub mod warnings;

pub use context::Context;
pub use error::{Error, FieldError, Referrer};
pub use lang::Lang;
