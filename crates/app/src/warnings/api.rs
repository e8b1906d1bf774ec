//! `/warnings`

use daohu_base::{Scope, Timestamp};
use daohu_policy::Right;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    follow,
    model::Warning,
    sql::{Mark, Shown, Wanted},
};
use crate::{
    Lang,
    accesses::{Seen, What},
    exchange::export::disclose,
    follow_ups::{self, AreaFollowUps, Close, State},
    http::{
        Answer, ApiError, App, At, Caller, Download, IfMatch, Json, ListFile, ListFormat, Listing,
        Page, PageRequest, Path, Permit, Query, Session, Versioned, area_in_path,
    },
};

/// The routes of the slice.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_warnings))
        .routes(routes!(get_warning))
        .routes(routes!(close_warning))
        .routes(routes!(get_area_warnings))
}

/// Which warnings, which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListWarnings {
    /// Warnings of households of this area, which must lie in the user's own.
    area: Option<String>,
    /// Of this household.
    household: Option<i64>,
    /// A rule of the policy pack: `unsafe_water`, `school_dropout` …
    rule: Option<String>,
    /// `open` or `closed`; both if absent.
    state: Option<String>,
    /// `true`: only those whose day is past.
    overdue: Option<bool>,
    /// Rows of the page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
    /// `csv` or `xlsx`: the whole list as a file.
    format: Option<String>,
}

/// Something that somebody looks after because a rule is true of a household.
#[derive(Serialize, ToSchema)]
pub(crate) struct WarningView {
    id: String,
    version: i64,
    county: String,
    household: i64,
    household_no: String,
    village: String,
    head_name: Option<String>,
    rule: String,
    /// The rule's name; null where no pack has it any more.
    title: Option<String>,
    title_en: Option<String>,
    /// `low`, `medium` or `high`.
    level: String,
    /// Who looks after it: `responsible_cadre`, `village`, `township` or `county`.
    assign: String,
    state: State,
    raised_on: String,
    /// How many days ago that was; until it was closed, for one that is.
    age_days: i64,
    /// The day that the rule was asked about: `GET /households/{id}/monitoring?on=` tells why.
    looked_on: String,
    /// By this day somebody should have looked after it.
    due_on: String,
    /// Since when the rule is no longer true of the household.
    cleared_on: Option<String>,
    /// A code of 预警核查结论.
    outcome: Option<String>,
    closed_on: Option<String>,
    closed_by: Option<String>,
    reason: Option<String>,
    /// From this day on the rule may raise another one.
    again_on: Option<String>,
    created_at: At,
    updated_at: At,
}

impl WarningView {
    fn new(permit: &Permit, shown: Shown) -> Self {
        let Shown { warning, household_no, village, head_name } = shown;
        let context = permit.context();
        let today = context.clock.now().day();
        let rule = context.policy.warnings().find(&warning.rule, &village, today);
        let (title, title_en) =
            rule.map(|rule| (rule.head.title.clone(), rule.head.title_en.clone())).unzip();
        let (state, age_days) = (warning.state(), warning.age_days(today));
        let Warning { meta, closing, .. } = warning;
        let (on, by, reason, again_on, outcome) = match closing {
            Some(own) => {
                let outcome = format!("{:02}", own.outcome);
                (Some(own.on), Some(own.by), Some(own.reason), Some(own.again_on), Some(outcome))
            }
            None => Default::default(),
        };
        Self {
            id: warning.id,
            version: meta.version,
            county: warning.county,
            household: warning.household,
            household_no,
            village,
            head_name,
            rule: warning.rule,
            title,
            title_en,
            level: warning.level,
            assign: warning.assign,
            state,
            raised_on: warning.raised_on,
            age_days,
            looked_on: warning.looked_on,
            due_on: warning.due_on,
            cleared_on: warning.cleared_on,
            outcome,
            closed_on: on,
            closed_by: by,
            reason,
            again_on,
            created_at: At(Timestamp(meta.created_at)),
            updated_at: At(Timestamp(meta.updated_at)),
        }
    }
}

/// Warnings of households of the user's area, by the day on which they are due. As a file, the list has all rows, as many as the
/// pack allows.
#[utoipa::path(get, path = "/warnings", tag = "warnings", params(ListWarnings),
    responses((status = 200, content(
        (Page<WarningView> = "application/json"),
        (inline(Download) = "text/csv"),
        (inline(Download) = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
pub(crate) async fn list_warnings(
    session: Session,
    caller: Caller,
    Query(query): Query<ListWarnings>,
) -> Answer<Listing<WarningView>> {
    let format = ListFormat::wanted(query.format.as_deref())?;
    let permit = match format {
        None => session.require(Right::RegistryRead)?,
        Some(_) => session.require_all(&[Right::RegistryRead, Right::RegistryExport])?,
    };
    let scope = permit.within("area", query.area.as_deref())?;
    let bad_state = || ApiError::field("state", "follow_up.bad_state");
    let state = query.state.map(|name| State::named(&name).ok_or_else(bad_state)).transpose()?;
    let today = permit.context().clock.now().day().to_string();
    let due_before = query.overdue.unwrap_or_default().then_some(today);
    let wanted =
        Wanted { rule: query.rule, state, household: query.household, due_before, id: None };
    let page = PageRequest::<Mark>::new("warnings", query.limit, query.after.as_deref())?;
    if let Some(format) = format {
        return file(&permit, scope, wanted, (format, caller.lang)).await;
    }
    let after = (page.after.clone(), page.fetch());
    let found = follow::list(permit.context(), scope, wanted, after).await?;
    let page = page.page(found, mark);
    Ok(Listing::Page(page.map(|shown| WarningView::new(&permit, shown))))
}

fn mark(shown: &Shown) -> Mark {
    let own = &shown.warning;
    (own.due_on.clone(), own.county.clone(), own.id.clone())
}

/// Warnings that are read together for a file.
const ROWS: i64 = 1_000;
/// The columns of a file of warnings.
const COLUMNS: [(&str, &str); 14] = [
    ("区县", "county"),
    ("村", "village"),
    ("户编号", "household_no"),
    ("户主姓名", "head_name"),
    ("预警", "rule"),
    ("等级", "level"),
    ("由谁处理", "assign"),
    ("预警日期", "raised_on"),
    ("处理期限", "due_on"),
    ("已消除日期", "cleared_on"),
    ("结论", "outcome"),
    ("办结日期", "closed_on"),
    ("办结人", "closed_by"),
    ("核查情况", "reason"),
];

/// The whole list as a file: who takes it is journaled first.
async fn file(
    permit: &Permit,
    scope: Scope,
    wanted: Wanted,
    (format, lang): (ListFormat, Lang),
) -> Answer<Listing<WarningView>> {
    let context = permit.context();
    let areas = scope.areas().unwrap_or_default();
    let told = serde_json::json!({
        "list": "warnings", "rule": wanted.rule, "household": wanted.household,
        "state": wanted.state, "masked": true,
    });
    disclose(context, permit.act(), (areas, true), &told).await?;
    let rows_max = context.policy.exchange().list_rows_max;
    let mut file = ListFile::new(format, &COLUMNS, lang, rows_max)?;
    let mut after = None;
    loop {
        let found = follow::list(context, scope.clone(), wanted.clone(), (after, ROWS)).await?;
        after = found.last().map(mark);
        for shown in found {
            file.row(&cells(permit, shown, lang))?;
        }
        if after.is_none() {
            return Ok(Listing::File(file.finish("预警").await?));
        }
    }
}

/// As [`COLUMNS`] names them.
fn cells(permit: &Permit, shown: Shown, lang: Lang) -> Vec<String> {
    let view = WarningView::new(permit, shown);
    let titles = (view.title.as_deref(), view.title_en.as_deref());
    let title = titles.0.zip(titles.1).map(|(zh, en)| lang.pick(zh, en));
    let title = title.unwrap_or(&view.rule).to_owned();
    let outcome = follow::outcome_name(&permit.context().policy, view.outcome.as_deref());
    vec![
        view.county,
        view.village,
        view.household_no,
        view.head_name.unwrap_or_default(),
        title,
        follow_ups::level_says(&view.level, lang).to_owned(),
        follow_ups::assignee_says(&view.assign, lang).to_owned(),
        view.raised_on,
        view.due_on,
        view.cleared_on.unwrap_or_default(),
        outcome,
        view.closed_on.unwrap_or_default(),
        view.closed_by.unwrap_or_default(),
        view.reason.unwrap_or_default(),
    ]
}

/// One warning.
#[utoipa::path(get, path = "/warnings/{id}", tag = "warnings", params(("id" = String, Path)),
    responses((status = 200, body = WarningView, headers(("ETag")))))]
pub(crate) async fn get_warning(
    session: Session,
    Path(id): Path<String>,
) -> Answer<Versioned<WarningView>> {
    let permit = session.require(Right::RegistryRead)?;
    let shown = follow::get(permit.context(), permit.scope.clone(), id).await?;
    told(&permit, shown).await
}

/// The warning, whose household's being looked at is noted.
async fn told(permit: &Permit, shown: Shown) -> Answer<Versioned<WarningView>> {
    let own = &shown.warning;
    let seen = Seen::household(&own.county, own.household);
    permit.note(What::Household, seen).await?;
    Ok(Versioned(own.meta.version, WarningView::new(permit, shown)))
}

/// Closes a warning with what came of it. The rule raises none for the household for as many days as the pack says.
#[utoipa::path(post, path = "/warnings/{id}/closing", tag = "warnings", request_body = Close,
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = WarningView, headers(("ETag")))))]
pub(crate) async fn close_warning(
    session: Session,
    caller: Caller,
    Path(id): Path<String>,
    IfMatch(version): IfMatch,
    Json(body): Json<Close>,
) -> Answer<Versioned<WarningView>> {
    let permit = session.require(Right::RegistryWrite)?;
    let (frame, said) = (permit.frame(&caller), (body.outcome.as_str(), body.reason.as_str()));
    let closed = follow::close(permit.context(), frame, (id, version), said).await?;
    told(&permit, closed).await
}

/// How many warnings each rule raised in an area and those directly below it, and how many of those that are closed were so. 404
/// outside and above the scope, and below the villages.
#[utoipa::path(get, path = "/areas/{code}/warnings", tag = "warnings",
    params(("code" = String, Path)), responses((status = 200, body = AreaFollowUps)))]
pub(crate) async fn get_area_warnings(
    session: Session,
    Path(code): Path<String>,
) -> Answer<Json<AreaFollowUps>> {
    let permit = session.require(Right::RegistryRead)?;
    let area = area_in_path(&code)?;
    Ok(Json(follow::figures(permit.context(), &permit.scope, area).await?))
}
