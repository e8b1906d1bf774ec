//! Backups: a picture of all tables in one encrypted file, put back into an empty database of either engine;
//! and the same without a file, from one database into another.
//!
//! ```text
//!             one reading transaction            one writing transaction
//! database ─► read (all tables) ─► archive ─► load (tables made anew, indexes set aside)
//!                      │                        ─► indexes ─► every table read again and compared
//!                      └────────── copy ──────► ─► migrated ─► journal verified ─► committed
//! ```
//!
//! Invariants: the tables are those that the migrations make, and nobody keeps a list of them; a backup
//! is journaled before its picture is taken, a restore with what it stores; a file under its final name
//! is whole; keys never enter it; what is not whole, or not compared, is not stored.

mod archive;
mod error;
mod load;
mod model;
mod ops;
mod progress;
mod read;
#[cfg(test)]
mod tests;

pub use error::BackupError;
pub use model::{ComparedTable, TableSum};
pub use ops::{Backup, Copied, Restore, Restored, backup, copy};
pub use progress::{Phase, Progress};
