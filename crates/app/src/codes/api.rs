//! `/codes`

use daohu_policy::{CodeList, CodeValue};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::{Answer, App, Json, Session};

/// A code list.
#[derive(Serialize, ToSchema)]
pub(crate) struct CodeListView {
    /// As the form names it: 致贫原因.
    name: String,
    values: Vec<CodeView>,
}

/// One legal value.
#[derive(Serialize, ToSchema)]
pub(crate) struct CodeView {
    /// Two digits.
    code: String,
    /// As the form prints it.
    name: String,
    /// Other spellings that are read as this value.
    aliases: Vec<String>,
    /// What the value means to the rules.
    marks: Vec<String>,
    /// The last day on which the value may be chosen anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

/// The routes of the slice.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_codes))
}

/// All code lists in force, by name.
#[utoipa::path(get, path = "/codes", tag = "codes",
    responses((status = 200, body = Vec<CodeListView>)))]
pub(crate) async fn list_codes(session: Session) -> Answer<Json<Vec<CodeListView>>> {
    let permit = session.own();
    let value = |value: &CodeValue| CodeView {
        code: value.code.clone(),
        name: value.name.clone(),
        aliases: value.aliases.clone(),
        marks: value.marks.clone(),
        until: value.until.map(|day| day.to_string()),
    };
    let view = |list: &CodeList| CodeListView {
        name: list.name().to_owned(),
        values: list.values().iter().map(value).collect(),
    };
    Ok(Json(permit.context().policy.lists().into_iter().map(view).collect()))
}
