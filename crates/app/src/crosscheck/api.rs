//! `/leads`

use daohu_base::Timestamp;
use daohu_policy::Right;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    leads::{self, Mark},
    model::Lead,
    sql::{Shown, Wanted},
};
use crate::{
    accesses::{Seen, What},
    follow_ups::{AreaFollowUps, Close, State},
    http::{
        Answer, ApiError, App, At, Caller, IfMatch, Json, Page, PageRequest, Path, Permit, Query,
        Session, Versioned, area_in_path,
    },
};

/// The routes of the slice.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_leads))
        .routes(routes!(get_lead))
        .routes(routes!(close_lead))
        .routes(routes!(get_area_leads))
}

/// Which leads, which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListLeads {
    /// Leads of households of this area, which must lie in the user's own.
    area: Option<String>,
    /// A check of the policy pack: `vehicles`, `deaths` …
    check: Option<String>,
    /// `open` or `closed`; both if absent.
    state: Option<String>,
    /// Rows of the page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Something that a department's list says of a member of a household, and that somebody looks after.
#[derive(Serialize, ToSchema)]
pub(crate) struct LeadView {
    id: String,
    version: i64,
    county: String,
    household: i64,
    household_no: String,
    village: String,
    person: i64,
    person_name: String,
    check: String,
    /// The check's name; null where no pack has it any more.
    title: Option<String>,
    title_en: Option<String>,
    /// `low`, `medium` or `high`.
    level: String,
    /// Who looks after it: `responsible_cadre`, `village`, `township` or `county`.
    assign: String,
    state: State,
    first_seen_on: String,
    /// The day for which the last list said so.
    last_seen_on: String,
    /// By this day somebody should have looked after it.
    due_on: String,
    /// SHA-256 of the list's file.
    list: String,
    /// Where it stood there; null of who is looked for and is not there.
    list_row: Option<i64>,
    /// How many of its rows say so.
    list_rows: i64,
    /// Null where the list has no names.
    name_differs: Option<bool>,
    /// The name on the list, where it is another.
    name_on_list: Option<String>,
    /// Null where the list tells none.
    amount_fen: Option<i64>,
    /// A code of 线索核查结论.
    outcome: Option<String>,
    closed_on: Option<String>,
    closed_by: Option<String>,
    reason: Option<String>,
    created_at: At,
    updated_at: At,
}

impl LeadView {
    fn new(permit: &Permit, shown: Shown) -> Self {
        let Shown { lead, household_no, village, person_name } = shown;
        let context = permit.context();
        let on = context.clock.now().day();
        let check = context.policy.crosscheck_list().find(&lead.check, &lead.county, on);
        let title = check.map(|check| check.head.title.clone());
        let title_en = check.map(|check| check.head.title_en.clone());
        let Lead { meta, said, .. } = lead;
        Self {
            id: lead.id,
            version: meta.version,
            county: lead.county,
            household: lead.household,
            household_no,
            village,
            person: lead.person,
            person_name,
            check: lead.check,
            title,
            title_en,
            level: lead.level,
            assign: lead.assign,
            state: lead.state,
            first_seen_on: lead.first_seen_on,
            last_seen_on: lead.last_seen_on,
            due_on: lead.due_on,
            list: lead.list,
            list_row: lead.list_row,
            list_rows: lead.list_rows,
            name_differs: lead.name_differs,
            name_on_list: said.name,
            amount_fen: said.amount_fen,
            outcome: lead.outcome.map(|code| format!("{code:02}")),
            closed_on: lead.closed_on,
            closed_by: lead.closed_by,
            reason: lead.reason,
            created_at: At(Timestamp(meta.created_at)),
            updated_at: At(Timestamp(meta.updated_at)),
        }
    }
}

/// Leads of households of the user's area: what lists of departments said of members.
#[utoipa::path(get, path = "/leads", tag = "leads", params(ListLeads),
    responses((status = 200, body = Page<LeadView>)))]
pub(crate) async fn list_leads(
    session: Session,
    Query(query): Query<ListLeads>,
) -> Answer<Json<Page<LeadView>>> {
    let permit = session.require(Right::RegistryRead)?;
    let scope = permit.within("area", query.area.as_deref())?;
    let bad_state = || ApiError::field("state", "follow_up.bad_state");
    let state = query.state.map(|name| State::named(&name).ok_or_else(bad_state)).transpose()?;
    let wanted = Wanted { check: query.check, state };
    let page = PageRequest::<Mark>::new("leads", query.limit, query.after.as_deref())?;
    let after = (page.after.clone(), page.fetch());
    let found = leads::list(permit.context(), scope, wanted, after).await?;
    let page = page.page(found, |shown| (shown.lead.county.clone(), shown.lead.id.clone()));
    Ok(Json(page.map(|shown| LeadView::new(&permit, shown))))
}

/// One lead.
#[utoipa::path(get, path = "/leads/{id}", tag = "leads", params(("id" = String, Path)),
    responses((status = 200, body = LeadView, headers(("ETag")))))]
pub(crate) async fn get_lead(
    session: Session,
    Path(id): Path<String>,
) -> Answer<Versioned<LeadView>> {
    let permit = session.require(Right::RegistryRead)?;
    let shown = leads::get(permit.context(), permit.scope.clone(), id).await?;
    told(&permit, shown).await
}

/// The lead, whose person's being looked at is noted.
async fn told(permit: &Permit, shown: Shown) -> Answer<Versioned<LeadView>> {
    let lead = &shown.lead;
    let seen = Seen::person(&lead.county, lead.household, lead.person);
    permit.note(What::Person, seen).await?;
    Ok(Versioned(lead.meta.version, LeadView::new(permit, shown)))
}

/// Closes a lead with what came of it. It stays closed, however often lists say the same.
#[utoipa::path(post, path = "/leads/{id}/closing", tag = "leads", request_body = Close,
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = LeadView, headers(("ETag")))))]
pub(crate) async fn close_lead(
    session: Session,
    caller: Caller,
    Path(id): Path<String>,
    IfMatch(version): IfMatch,
    Json(body): Json<Close>,
) -> Answer<Versioned<LeadView>> {
    let permit = session.require(Right::RegistryWrite)?;
    let (frame, said) = (permit.frame(&caller), (body.outcome.as_str(), body.reason.as_str()));
    let closed = leads::close(permit.context(), frame, (id, version), said).await?;
    told(&permit, closed).await
}

/// How many leads each check raised in an area and those directly below it, and how many of those that are closed were so. 404
/// outside and above the scope, and below the villages.
#[utoipa::path(get, path = "/areas/{code}/leads", tag = "leads",
    params(("code" = String, Path)), responses((status = 200, body = AreaFollowUps)))]
pub(crate) async fn get_area_leads(
    session: Session,
    Path(code): Path<String>,
) -> Answer<Json<AreaFollowUps>> {
    let permit = session.require(Right::RegistryRead)?;
    let area = area_in_path(&code)?;
    let told = leads::figures(permit.context(), &permit.scope, area).await?;
    Ok(Json(told))
}
