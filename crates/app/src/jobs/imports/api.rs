//! `/imports`

use axum::response::IntoResponse;
use daohu_base::Timestamp;
use daohu_policy::{Exchange, Right};
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::super::{
    Jobs,
    api::ListJobs,
    files::Intake,
    model::{Again, BlankOption, ImportRequest, Job, Kind, OnErrorOption},
    ops,
    view::ImportJob,
};
use crate::http::{
    Accepted, Answer, ApiError, App, Caller, Download, Json, Page, Path, Query, Session, Upload,
};

/// A line of a form is short.
const FIELD_BYTES_MAX: usize = 64;

/// Files with what is to be done with them.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is read piece by piece; this is its description")]
pub(crate) struct ImportUpload {
    /// One or several workbooks (XLSX) or CSV files; a file's name may say which sheet it is.
    #[schema(value_type = Vec<String>, format = Binary)]
    files: Vec<String>,
    /// `true`: say what would happen, store nothing. Look, then `POST /imports/{id}/retry`.
    dry_run: Option<bool>,
    /// What a refused row does: nothing goes in (`abort`, if absent), or all the others.
    on_error: Option<OnErrorOption>,
    /// What a blank cell does to a stored value: it stays (`keep`, if absent), or is erased.
    blank: Option<BlankOption>,
}

/// The routes of imports.
pub(in crate::jobs) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_imports, create_import))
        .routes(routes!(get_import))
        .routes(routes!(cancel_import))
        .routes(routes!(retry_import))
        .routes(routes!(get_import_report))
}

/// An import as it is shown, with what became of it later.
async fn view(jobs: &Jobs, job: Job, caller: &Caller) -> Answer<ImportJob> {
    let undone_at = ops::undone_at(jobs, &[&job]).await?.remove(&job.id);
    told(jobs, job, undone_at, caller)
}

fn told(jobs: &Jobs, job: Job, undone_at: Option<Timestamp>, caller: &Caller) -> Answer<ImportJob> {
    let view = ImportJob::new(jobs, job, undone_at, caller.lang);
    view.ok_or_else(|| ApiError::new("record.not_found"))
}

/// Uploads spreadsheets and queues their import: all of them or none. The answer comes when the files
/// are on the server's disk; `GET /imports/{id}` then tells how far the import is. Rows outside the
/// user's area are refused like rows of unknown villages. `Idempotency-Key` is not supported here: the
/// files would have to be held and compared, and importing the same files twice changes nothing.
#[utoipa::path(post, path = "/imports", tag = "imports",
    request_body(content = ImportUpload, content_type = "multipart/form-data"),
    responses((status = 202, body = ImportJob, headers(("Location")))))]
pub(crate) async fn create_import(
    session: Session,
    caller: Caller,
    upload: Upload,
) -> Answer<impl IntoResponse> {
    let permit = session.require(Right::RegistryImport)?;
    let (jobs, user_id) = (permit.jobs(), &session.who().user.id);
    let limits = permit.context().policy.exchange();
    let _reserved = ops::admit_upload(jobs, user_id, upload.bytes()).await?;
    let english = caller.lang == crate::Lang::En;
    let (intake, request) = receive(jobs, upload, limits, english).await?;
    let job = ops::create_import(jobs, permit.act(), user_id, intake, request).await?;
    let location = format!("/api/v1/imports/{}", job.id);
    Ok(Accepted { location, body: view(jobs, job, &caller).await? })
}

/// Takes the parts of an upload in as they come.
async fn receive(
    jobs: &Jobs,
    mut upload: Upload,
    limits: &Exchange,
    english: bool,
) -> Answer<(Intake, ImportRequest)> {
    let mut intake = ops::intake(jobs)?;
    let (on_error, blank) = Default::default();
    let mut request = ImportRequest { files: Vec::new(), dry_run: false, on_error, blank, english };
    while let Some(mut part) = upload.next().await? {
        if let Some(name) = part.file_name().map(str::to_owned) {
            if intake.count() >= limits.upload_files_max {
                let max = u64::try_from(limits.upload_files_max).unwrap_or_default();
                return Err(ApiError::beyond("files", "exchange.too_many_files", max));
            }
            intake.begin(&name).await.map_err(crate::Error::from)?;
            while let Some(piece) = part.piece().await? {
                intake.write(&piece).await.map_err(crate::Error::from)?;
            }
            continue;
        }
        let name = part.name().to_owned();
        let text = part.text(FIELD_BYTES_MAX).await?;
        let text = text.ok_or_else(|| ApiError::field(name.clone(), "request.bad_field"))?;
        match name.as_str() {
            "dry_run" => request.dry_run = option("dry_run", &text)?,
            "on_error" => request.on_error = option("on_error", &text)?,
            "blank" => request.blank = option("blank", &text)?,
            _ => return Err(ApiError::field(name, "request.field_unknown")),
        }
    }
    if intake.count() == 0 {
        return Err(ApiError::field("files", "exchange.no_files"));
    }
    Ok((intake, request))
}

/// A field of a form, which is text, as the value that it stands for.
fn option<T: DeserializeOwned>(column: &str, text: &str) -> Answer<T> {
    let value = match text {
        "true" => true.into(),
        "false" => false.into(),
        other => serde_json::Value::from(other),
    };
    serde_json::from_value(value).map_err(|_| ApiError::field(column, "request.bad_field"))
}

/// The user's own imports.
#[utoipa::path(get, path = "/imports", tag = "imports", params(ListJobs),
    responses((status = 200, body = Page<ImportJob>)))]
pub(crate) async fn list_imports(
    session: Session,
    caller: Caller,
    Query(query): Query<ListJobs>,
) -> Answer<Json<Page<ImportJob>>> {
    let permit = session.require(Right::RegistryImport)?;
    let page = query.page(permit.jobs(), Some(Kind::Import), &session.who().user.id);
    let Page { items, next } = page.await?;
    let mut undone = ops::undone_at(permit.jobs(), &items.iter().collect::<Vec<_>>()).await?;
    let line = |job: Job| {
        let undone_at = undone.remove(&job.id);
        told(permit.jobs(), job, undone_at, &caller).map(ImportJob::without_rows)
    };
    Ok(Json(Page { items: items.into_iter().map(line).collect::<Answer<_>>()?, next }))
}

/// One of the user's own imports: how far it is, and what came of it.
#[utoipa::path(get, path = "/imports/{id}", tag = "imports", params(("id" = String, Path)),
    responses((status = 200, body = ImportJob)))]
pub(crate) async fn get_import(
    session: Session,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Json<ImportJob>> {
    let permit = session.require(Right::RegistryImport)?;
    let user_id = &session.who().user.id;
    let job = ops::get(permit.jobs(), Some(Kind::Import), user_id, &id).await?;
    Ok(Json(view(permit.jobs(), job, &caller).await?))
}

/// Stops an import: nothing of it is stored. One that runs stops soon; ask how far it is.
#[utoipa::path(post, path = "/imports/{id}/cancel", tag = "imports", params(("id" = String, Path)),
    responses((status = 202, body = ImportJob, headers(("Location")))))]
pub(crate) async fn cancel_import(
    session: Session,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<impl IntoResponse> {
    let permit = session.require(Right::RegistryImport)?;
    let (jobs, user_id) = (permit.jobs(), &session.who().user.id);
    let job = ops::cancel(jobs, permit.act(), Some(Kind::Import), user_id, &id).await?;
    let location = format!("/api/v1/imports/{}", job.id);
    Ok(Accepted { location, body: view(jobs, job, &caller).await? })
}

/// Tries an import again on the files that are still there: after a finished dry run for real, else as
/// it was, or as the body says.
#[utoipa::path(post, path = "/imports/{id}/retry", tag = "imports", params(("id" = String, Path)),
    request_body = Option<Again>,
    responses((status = 202, body = ImportJob, headers(("Location")))))]
pub(crate) async fn retry_import(
    session: Session,
    caller: Caller,
    Path(id): Path<String>,
    body: Option<Json<Again>>,
) -> Answer<impl IntoResponse> {
    let permit = session.require(Right::RegistryImport)?;
    let (jobs, user_id) = (permit.jobs(), &session.who().user.id);
    let again = body.map(|Json(again)| again).unwrap_or_default();
    let job = ops::retry(jobs, permit.act(), Some(Kind::Import), (user_id, &id), again).await?;
    let location = format!("/api/v1/imports/{}", job.id);
    Ok(Accepted { location, body: view(jobs, job, &caller).await? })
}

/// The report: the rows that were sent, each with its outcome and the reasons.
#[utoipa::path(get, path = "/imports/{id}/report", tag = "imports", params(("id" = String, Path)),
    responses((status = 200, body = inline(Download),
        content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))]
pub(crate) async fn get_import_report(
    session: Session,
    Path(id): Path<String>,
) -> Answer<Download> {
    let permit = session.require(Right::RegistryImport)?;
    let (jobs, user_id) = (permit.jobs(), &session.who().user.id);
    let path = ops::product(jobs, Kind::Import, user_id, &id).await?;
    Download::open(&path, "导入报告.xlsx").await
}
