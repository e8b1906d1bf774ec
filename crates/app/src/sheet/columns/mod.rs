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
mod households;
mod incomes;
mod persons;

pub use areas::{AREAS, area};
pub use households::{HOUSEHOLDS, household};
pub use incomes::{INCOMES, income};
pub use persons::{PERSONS, person};

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
