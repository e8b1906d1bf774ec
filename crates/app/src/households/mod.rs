//! Households, their members and their yearly incomes: the heart of the registry.
//!
//! ```text
//! household 1 ──── * person (with the membership in force, or the last one)
//!     │                └── * earlier memberships
//!     └──── * income (one a year)
//! ```
//!
//! Invariants: a household's number is unique in its county; one ID number is a current member of
//! one household in the whole store (`person_keys`); a household has at most one current head;
//! who left stays, with how and when; rows go only by an undo, and to another county.

mod alike;
mod edit;
mod figures;
mod homes;
mod list;
mod model;
mod moves;
mod ops;
mod record;
pub(crate) mod rows;
mod search;
mod sheets;
mod sources;
mod sql;
#[cfg(test)]
mod testing;
mod view;

use utoipa_axum::{router::OpenApiRouter, routes};

pub use alike::ops::fill_alike;
pub(crate) use edit::persons::hold_number;
pub(crate) use figures::{has_ended, rural_populations};
pub(crate) use model::{
    Derived, Home, HouseholdRow, IdKind, IncomeRow, Merged, PersonRow, Serials, alike, merge,
};
pub use model::{Marks, initials, layouts};
pub use moves::Link;
pub(crate) use ops::hold;
pub use ops::{Dossier, dossier, reseal, watched};
pub(crate) use record::{
    api::Reveal,
    ops::{household, person, village_in},
    reveal::{check_reason, check_reason_of, disclosure},
};
pub use sources::ops::{Named, Source};
pub(crate) use sources::ops::{Past, Sources, past_of, with_sources};
pub(crate) use view::{HouseholdView, PersonView};

use crate::http::App;

/// The routes of the slice.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::api::list_households))
        .routes(routes!(figures::api::get_area_figures))
        .routes(routes!(record::api::get_household, edit::api::change_household))
        .routes(routes!(record::api::get_dossier))
        .routes(routes!(record::api::list_persons))
        .routes(routes!(record::api::list_incomes))
        .routes(routes!(edit::api::put_income))
        .routes(routes!(record::api::get_household_journal))
        .routes(routes!(record::api::reveal_household))
        .routes(routes!(record::api::get_person, edit::api::change_person))
        .routes(routes!(record::api::reveal_person))
        .routes(routes!(moves::api::list_memberships))
        .routes(routes!(sources::api::get_sources))
        .routes(routes!(search::api::search_registry))
}
