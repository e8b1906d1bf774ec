//! The code lists in force, for whoever fills in a form: names are open to all who are signed in.

mod api;

pub(crate) use api::routes;
