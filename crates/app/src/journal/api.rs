//! `GET /journal`

use daohu_base::Timestamp;
use daohu_policy::Right;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Any};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::listing::{self, Line, Mark, View};
use crate::{
    http::{Answer, App, At, Json, Page, PageRequest, Query, Session},
    registers::Register,
    sheet::{AREAS, HOUSEHOLDS, INCOMES, PERSONS, shown_journal},
};

/// Which entries, which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListJournal {
    /// Six digits; `000000` for what belongs to no county: accounts, sessions.
    county: String,
    /// `household`, `person`, `user` …
    kind: Option<String>,
    /// The record's key within its kind.
    record: Option<String>,
    /// Rows of the page: 1 to 200, 50 if absent. A page may be shorter and still have a next one.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// An entry of the journal.
#[derive(Serialize, ToSchema)]
pub(crate) struct JournalEntry {
    /// The place in the county's chain; absent while it waits to be sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<i64>,
    county: String,
    at: At,
    /// The user, or `system`.
    actor: String,
    /// The grant that allowed it.
    authority: String,
    /// `api`, an import or a command.
    source: String,
    kind: String,
    record: String,
    action: String,
    /// The columns that changed, as they were, numbers masked. Not for administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    before: Option<Map<String, Any>>,
    /// The record as it was afterwards, numbers masked. Not for administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    after: Option<Map<String, Any>>,
}

impl From<Line> for JournalEntry {
    fn from(line: Line) -> Self {
        let Line { mark: (sequence, ..), entry, body } = line;
        let body = body.unwrap_or_default();
        let mut body: Map<String, Any> = serde_json::from_slice(&body).unwrap_or_default();
        let mut take = |name: &str| match body.remove(name) {
            Some(Any::Object(object)) => shown(&entry.kind, object),
            _ => None,
        };
        let (before, after) = (take("before"), take("after"));
        Self {
            sequence,
            county: entry.county,
            at: At(Timestamp(entry.at)),
            actor: entry.actor,
            authority: entry.authority,
            source: entry.source,
            kind: entry.kind,
            record: entry.record,
            action: entry.action,
            before,
            after,
        }
    }
}

/// One side of a body with its numbers masked; nothing of a kind whose numbers are not known here.
fn shown(kind: &str, object: Map<String, Any>) -> Option<Map<String, Any>> {
    let sheet = match kind {
        "household" => &HOUSEHOLDS,
        "person" => &PERSONS,
        "income" => &INCOMES,
        "area" => &AREAS,
        // Who belonged where, and what was asked for and why: no numbers.
        kind if let Some(register) = Register::of_kind(kind) => register.sheet,
        "membership" | "export" | "household_reveal" | "person_reveal" | "cadre_reveal" => {
            return Some(object);
        }
        _ => return None,
    };
    Some(shown_journal(sheet, object))
}

/// The routes of the slice.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_journal))
}

/// The journal of a county, latest first. An audit administrator sees who did what when, and no
/// contents; an inspector the entries of the own area.
#[utoipa::path(get, path = "/journal", tag = "journal", params(ListJournal),
    responses((status = 200, body = Page<JournalEntry>)))]
pub(crate) async fn list_journal(
    session: Session,
    Query(query): Query<ListJournal>,
) -> Answer<Json<Page<JournalEntry>>> {
    let permit = session.require(Right::JournalRead)?;
    let page = PageRequest::<Mark>::new("journal", query.limit, query.after.as_deref())?;
    let view = match permit.is_administrators() {
        true => View::Administrators,
        false => View::Within(permit.scope.clone()),
    };
    let ListJournal { county, kind, record, .. } = query;
    let wanted = listing::Query { county, kind, record };
    let listed = listing::list(permit.context(), view, wanted, page.after, page.rows()).await?;
    let (lines, next) = listed;
    Ok(Json(page.cut(lines, next).map(JournalEntry::from)))
}
