//! `/exports`

use axum::response::IntoResponse;
use daohu_policy::Right;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::super::{
    Jobs,
    api::ListJobs,
    model::{ExportRequest, FormatOption, Job, Kind, rights_to_export},
    ops,
    view::ExportJob,
};
use crate::{
    Error, FieldError, Lang,
    households::check_reason,
    http::{
        Accepted, Answer, ApiError, App, Caller, Download, Json, Page, Path, Permit, Query, Session,
    },
    sheet::Sheet,
};

/// What is to be exported.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateExport {
    /// The area whose rows are wanted; it must lie in the user's own.
    area: String,
    /// `areas`, `organisations`, `villages`, `cadres`, `teams`, `households`, `persons`, `incomes`,
    /// `pairings`, `targets`, `indicators` or `all`; all if absent or empty.
    #[serde(default)]
    sheets: Vec<String>,
    /// `xlsx` if absent.
    #[serde(default)]
    format: FormatOption,
    /// `false`: with full numbers. Needs the right to reveal them, and a reason.
    masked: Option<bool>,
    /// Why full numbers are needed; it goes into the journal.
    reason: Option<String>,
}

/// The routes of exports.
pub(in crate::jobs) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_exports, create_export))
        .routes(routes!(get_export))
        .routes(routes!(cancel_export))
        .routes(routes!(get_export_file))
}

fn view(jobs: &Jobs, job: Job, caller: &Caller) -> Answer<ExportJob> {
    let view = ExportJob::new(jobs, job, caller.lang);
    view.ok_or_else(|| ApiError::new("record.not_found"))
}

/// The names of the sheets wanted, in the order of the exchange format.
fn sheets(names: &[String], lang: Lang) -> Answer<Vec<String>> {
    if names.is_empty() {
        return Ok(Sheet::ALL.map(|sheet| sheet.name.to_owned()).to_vec());
    }
    let chosen = Sheet::chosen(names.iter().map(String::as_str)).map_err(|_| {
        let choices = Sheet::choices();
        let message = match lang {
            Lang::Zh => format!("没有这张表；可用：{choices}"),
            Lang::En => format!("There is no such sheet; known: {choices}"),
        };
        let (column, code) = ("sheets".to_owned(), "exchange.unknown_sheet");
        Error::Invalid(vec![FieldError {
            column,
            value: None,
            code,
            message,
            ..FieldError::default()
        }])
    })?;
    Ok(chosen.into_iter().map(|sheet| sheet.name.to_owned()).collect())
}

/// The permit to export so much of an area: 403 without the rights, 404 outside.
fn permit_to_export(session: &Session, masked: bool, area: &str) -> Answer<Permit> {
    let permit = session.require_all(rights_to_export(masked))?;
    permit.within("area", Some(area))?;
    Ok(permit)
}

/// Queues an export: what `POST /imports` reads back as unchanged, unless numbers are masked.
#[utoipa::path(post, path = "/exports", tag = "exports", request_body = CreateExport,
    responses((status = 202, body = ExportJob, headers(("Location")))))]
pub(crate) async fn create_export(
    session: Session,
    caller: Caller,
    Json(body): Json<CreateExport>,
) -> Answer<impl IntoResponse> {
    let CreateExport { area, sheets: names, format, masked, reason } = body;
    let masked = masked.unwrap_or(true);
    let permit = permit_to_export(&session, masked, &area)?;
    let reason = match masked {
        true => None,
        false => Some(check_reason(permit.context(), &reason.unwrap_or_default())?),
    };
    let request =
        ExportRequest { area, sheets: sheets(&names, caller.lang)?, format, masked, reason };
    let (jobs, user_id) = (permit.jobs(), &session.who().user.id);
    let job = ops::create_export(jobs, permit.act(), user_id, request).await?;
    let location = format!("/api/v1/exports/{}", job.id);
    Ok(Accepted { location, body: view(jobs, job, &caller)? })
}

/// The user's own exports.
#[utoipa::path(get, path = "/exports", tag = "exports", params(ListJobs),
    responses((status = 200, body = Page<ExportJob>)))]
pub(crate) async fn list_exports(
    session: Session,
    caller: Caller,
    Query(query): Query<ListJobs>,
) -> Answer<Json<Page<ExportJob>>> {
    let permit = session.require(Right::RegistryExport)?;
    let page = query.page(permit.jobs(), Some(Kind::Export), &session.who().user.id);
    let Page { items, next } = page.await?;
    let line = |job| view(permit.jobs(), job, &caller);
    Ok(Json(Page { items: items.into_iter().map(line).collect::<Answer<_>>()?, next }))
}

/// One of the user's own exports.
#[utoipa::path(get, path = "/exports/{id}", tag = "exports", params(("id" = String, Path)),
    responses((status = 200, body = ExportJob)))]
pub(crate) async fn get_export(
    session: Session,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Json<ExportJob>> {
    let permit = session.require(Right::RegistryExport)?;
    let user_id = &session.who().user.id;
    let job = ops::get(permit.jobs(), Some(Kind::Export), user_id, &id).await?;
    Ok(Json(view(permit.jobs(), job, &caller)?))
}

/// Stops an export: no file comes of it.
#[utoipa::path(post, path = "/exports/{id}/cancel", tag = "exports", params(("id" = String, Path)),
    responses((status = 202, body = ExportJob, headers(("Location")))))]
pub(crate) async fn cancel_export(
    session: Session,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<impl IntoResponse> {
    let permit = session.require(Right::RegistryExport)?;
    let (jobs, user_id) = (permit.jobs(), &session.who().user.id);
    let job = ops::cancel(jobs, permit.act(), Some(Kind::Export), user_id, &id).await?;
    let location = format!("/api/v1/exports/{}", job.id);
    Ok(Accepted { location, body: view(jobs, job, &caller)? })
}

/// The file of an export: a workbook, or an archive of CSV or Parquet files. Who has lost the right to what is in
/// it since it was made does not get it.
#[utoipa::path(get, path = "/exports/{id}/file", tag = "exports", params(("id" = String, Path)),
    responses((status = 200, content(
        (inline(Download) = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (inline(Download) = "application/zip")))))]
pub(crate) async fn get_export_file(session: Session, Path(id): Path<String>) -> Answer<Download> {
    let permit = session.require(Right::RegistryExport)?;
    let user_id = &session.who().user.id;
    let request = ops::export_request(permit.jobs(), user_id, &id).await?;
    permit_to_export(&session, request.masked, &request.area)?;
    let path = ops::product(permit.jobs(), Kind::Export, user_id, &id).await?;
    let name = match request.format {
        FormatOption::Xlsx => format!("到户-{}.xlsx", request.area),
        FormatOption::Csv | FormatOption::Parquet => format!("到户-{}.zip", request.area),
    };
    Download::open(&path, &name).await
}
