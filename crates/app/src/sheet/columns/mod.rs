//! The columns of every sheet, in the order of the national form.

/// Gives each column of a sheet a constant with its position.
macro_rules! positions {
    ($i:expr;) => {};
    ($i:expr; $name:ident $($rest:ident)*) => {
        #[expect(missing_docs, reason = "documented in the table of columns")]
        pub const $name: usize = $i;
        positions!($i + 1; $($rest)*);
    };
}

mod areas;
mod cadres;
mod households;
mod incomes;
mod indicators;
mod organisations;
mod pairings;
mod persons;
mod targets;
mod teams;
mod villages;

pub use areas::{AREAS, area};
pub use cadres::{CADRES, cadre};
pub use households::{HOUSEHOLDS, household};
pub use incomes::{INCOMES, income};
pub use indicators::{INDICATORS, indicator};
pub use organisations::{ORGANISATIONS, organisation};
pub use pairings::{PAIRINGS, pairing};
pub use persons::{PERSONS, person};
pub use targets::{TARGETS, target};
pub use teams::{TEAMS, team};
pub use villages::{VILLAGES, village};

use super::Column;

const fn column(
    header: &'static str,
    name: &'static str,
    kind: super::Kind,
    required: bool,
    doc: &'static str,
    aliases: &'static [&'static str],
) -> Column {
    Column { header, aliases, name, kind, required, doc }
}
