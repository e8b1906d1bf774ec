//! Asking for jobs, looking at them, stopping them, trying them again.

use std::{collections::HashMap, path::PathBuf};

use daohu_base::{AreaCode, Timestamp};
use daohu_db::{FutureExt, Tx};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use super::{
    Jobs,
    files::Intake,
    model::{Again, ExportRequest, ImportRequest, Job, Kind, Request, State, UndoRequest},
    sql::{self, Stored, Wanted},
    uploads::Reserved,
};
use crate::{
    Context, Error, accounts, area_changes, areas,
    journal::{self, Act, Action, Change, NO_COUNTY},
    keys::Keys,
    undo,
};

/// Takes an upload in: one at a time from a user, and with those that are on their way no more than
/// there is room for. One that does not say how large it is may be as large as any.
pub(super) async fn admit_upload(
    jobs: &Jobs,
    user_id: &str,
    declared: Option<u64>,
) -> Result<Reserved, Error> {
    let bytes = declared.unwrap_or_else(|| jobs.context().policy.exchange().upload_bytes_max);
    let reserved = jobs.uploads().reserve(user_id, bytes);
    let reserved = reserved.ok_or(Error::Refused("job.upload_in_progress"))?;
    admit(jobs, user_id, jobs.uploads().bytes()).await?;
    Ok(reserved)
}

/// Refuses a user who has as many jobs waiting as one may, and work that there is no room for.
async fn admit(jobs: &Jobs, user_id: &str, bytes: u64) -> Result<(), Error> {
    let limits = jobs.context().policy.exchange().clone();
    let user_id = user_id.to_owned();
    let count = async move |tx: &mut Tx| sql::count_open(tx, &user_id).await;
    let open = jobs.context().db.read(move |tx| async move { count(tx).await }.boxed()).await?;
    if open >= limits.jobs_waiting_per_user_max {
        let max = u64::try_from(limits.jobs_waiting_per_user_max).unwrap_or_default();
        return Err(Error::Full("job.too_many", max));
    }
    jobs.folder().check_room(&limits, bytes)
}

/// Begins to take in the files of an import that does not exist yet.
pub(super) fn intake(jobs: &Jobs) -> Result<Intake, Error> {
    jobs.folder().prepare()?;
    let id = accounts::new_id(jobs.context().clock.now())?;
    Ok(jobs.folder().intake(&id)?)
}

/// Queues an import of the files that came in.
pub(super) async fn create_import(
    jobs: &Jobs,
    act: Act,
    user_id: &str,
    intake: Intake,
    mut request: ImportRequest,
) -> Result<Job, Error> {
    let id = intake.id().to_owned();
    request.files = intake.finish().await?;
    create(jobs, act, user_id, id, Request::Import(request)).await
}

/// Queues an export.
pub(super) async fn create_export(
    jobs: &Jobs,
    act: Act,
    user_id: &str,
    request: ExportRequest,
) -> Result<Job, Error> {
    // The export asks again; whoever asks for it learns now, not from a failed job.
    let area = AreaCode::parse(&request.area).map_err(|_| Error::NotFound("area"))?;
    areas::ops::check_known(jobs.context(), &area).await?;
    admit(jobs, user_id, 1).await?;
    let id = accounts::new_id(act.at)?;
    create(jobs, act, user_id, id, Request::Export(request)).await
}

/// Queues a change of areas that was looked at.
pub(crate) async fn create_area_change(
    jobs: &Jobs,
    act: Act,
    user_id: &str,
    request: area_changes::Request,
) -> Result<Job, Error> {
    admit(jobs, user_id, 1).await?;
    let id = accounts::new_id(act.at)?;
    create(jobs, act, user_id, id, Request::AreaChange(request)).await
}

/// Queues that one of the user's own imports is taken back.
pub(crate) async fn create_undo(
    jobs: &Jobs,
    act: Act,
    user_id: &str,
    (import, dry_run): (&str, bool),
) -> Result<Job, Error> {
    let import = get(jobs, Some(Kind::Import), user_id, import).await?.id;
    // Whoever asks learns it at once.
    undo::check_undoable(jobs.context(), &import).await?;
    admit(jobs, user_id, 1).await?;
    let id = accounts::new_id(act.at)?;
    create(jobs, act, user_id, id, Request::Undo(UndoRequest { import, dry_run })).await
}

async fn create(
    jobs: &Jobs,
    act: Act,
    user_id: &str,
    id: String,
    request: Request,
) -> Result<Job, Error> {
    let keys = jobs.context().keys.clone();
    let (kind, at) = (request.kind(), act.at);
    let row = Stored {
        request: seal(&keys, &id, "request", &request)?,
        id,
        user_id: user_id.to_owned(),
        state: State::Queued,
        result: None,
        rows_done: 0,
        rows_total: None,
        cancel_wanted: false,
        attempts: 0,
        is_stored: false,
        files_kept: kind.has_files(),
        created_at: at,
        started_at: None,
        ended_at: None,
        queued_at: None,
    };
    let work = async move |tx: &mut Tx| {
        sql::insert(tx, kind, &row).await?;
        let change = change(kind, &row.id, Action::Created, &about(&request));
        journal::record(tx, &keys, &act, vec![change]).await?;
        opened(&keys, row)
    };
    let job = jobs.context().db.write(move |tx| async move { work(tx).await }.boxed()).await?;
    jobs.wake(kind);
    Ok(job)
}

/// A job of this user, as far as it is now; of this kind, if one is named.
pub(super) async fn get(
    jobs: &Jobs,
    kind: Option<Kind>,
    user_id: &str,
    id: &str,
) -> Result<Job, Error> {
    let mut job = find(jobs.context(), kind, user_id, id).await?;
    jobs.update(&mut job);
    Ok(job)
}

/// What an export of this user was asked to hold.
pub(super) async fn export_request(
    jobs: &Jobs,
    user_id: &str,
    id: &str,
) -> Result<ExportRequest, Error> {
    match find(jobs.context(), Some(Kind::Export), user_id, id).await?.request {
        Request::Export(request) => Ok(request),
        _ => Err(Error::NotFound("export")),
    }
}

/// The file that came of a job.
pub(super) async fn product(
    jobs: &Jobs,
    kind: Kind,
    user_id: &str,
    id: &str,
) -> Result<PathBuf, Error> {
    let job = find(jobs.context(), Some(kind), user_id, id).await?;
    if !job.state.has_ended() {
        return Err(Error::Refused("job.not_ended"));
    }
    if !job.files_kept {
        return Err(Error::Refused("job.files_gone"));
    }
    if !job.has_file() {
        return Err(Error::Refused("job.no_file"));
    }
    Ok(jobs.folder().product(&job))
}

async fn find(
    context: &Context,
    kind: Option<Kind>,
    user_id: &str,
    id: &str,
) -> Result<Job, Error> {
    let (id, keys) = (id.to_owned(), context.keys.clone());
    let find = async move |tx: &mut Tx| sql::by_id(tx, &id).await;
    let found = context.db.read(move |tx| async move { find(tx).await }.boxed()).await?;
    // To all but its maker it does not exist.
    let found = found.filter(|row| row.user_id == user_id).ok_or(Error::NotFound("job"))?;
    let job = opened(&keys, found)?;
    match kind {
        Some(kind) if job.request.kind() != kind => Err(Error::NotFound("job")),
        _ => Ok(job),
    }
}

/// When which of these jobs were taken back, by id: of imports.
pub(super) async fn undone_at(
    jobs: &Jobs,
    of: &[&Job],
) -> Result<HashMap<String, Timestamp>, Error> {
    let stored = of.iter().filter(|job| job.is_stored);
    let ids: Vec<String> = stored.map(|job| job.id.clone()).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let find = async move |tx: &mut Tx| undo::rows::undone_at(tx, &ids).await;
    jobs.context().db.read(move |tx| async move { find(tx).await }.boxed()).await
}

/// Jobs of a user, one fewer than are asked for, and where the list goes on if there was one more.
pub(super) async fn list(
    jobs: &Jobs,
    wanted: Wanted,
) -> Result<(Vec<Job>, Option<(i64, String)>), Error> {
    let asked = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
    let list = async move |tx: &mut Tx| sql::list(tx, &wanted).await;
    let mut rows = jobs.context().db.read(move |tx| async move { list(tx).await }.boxed()).await?;
    let has_more = rows.len() == asked && rows.pop().is_some();
    let next = rows.last().filter(|_| has_more).map(|row| (row.created_at.0, row.id.clone()));
    let keys = &jobs.context().keys;
    let readable = |row: Stored| {
        let id = row.id.clone();
        // One that cannot be read must not hide the others.
        opened(keys, row)
            .inspect_err(|error| tracing::error!(%error, job = id, "a job is unreadable"))
    };
    let mut all: Vec<Job> = rows.into_iter().filter_map(|row| readable(row).ok()).collect();
    all.iter_mut().for_each(|job| jobs.update(job));
    Ok((all, next))
}

/// Stops a job: one that waits at once, one that runs soon.
pub(super) async fn cancel(
    jobs: &Jobs,
    act: Act,
    kind: Option<Kind>,
    user_id: &str,
    id: &str,
) -> Result<Job, Error> {
    let job = find(jobs.context(), kind, user_id, id).await?;
    if job.state.has_ended() {
        return Err(Error::Refused("job.ended"));
    }
    let of = job.request.kind();
    // First of all: what is written below may have to wait for the very import that is to stop.
    jobs.stop_running(id);
    let (id, keys) = (job.id.clone(), jobs.context().keys.clone());
    let work = async move |tx: &mut Tx| {
        let is_stopped = sql::end_queued(tx, &id, State::Cancelled, act.at).await?
            || sql::want_cancel(tx, &id).await?;
        if !is_stopped {
            return Err(Error::Refused("job.ended"));
        }
        let change = change(of, &id, Action::Updated, &json!({ "cancelled": true }));
        journal::record(tx, &keys, &act, vec![change]).await
    };
    jobs.context().db.write(move |tx| async move { work(tx).await }.boxed()).await?;
    // It may have begun between the look and the write.
    jobs.stop_running(&job.id);
    get(jobs, kind, user_id, &job.id).await
}

/// Puts a job that ended without storing anything into the queue again.
pub(super) async fn retry(
    jobs: &Jobs,
    act: Act,
    kind: Option<Kind>,
    (user_id, id): (&str, &str),
    again: Again,
) -> Result<Job, Error> {
    let job = find(jobs.context(), kind, user_id, id).await?;
    let (of, request) = (job.request.kind(), job.again(again)?);
    if of == Kind::Import && !jobs.folder().has(&job.id) {
        return Err(Error::Refused("job.files_gone"));
    }
    admit(jobs, user_id, 1).await?;
    let keys = jobs.context().keys.clone();
    let sealed = seal(&keys, &job.id, "request", &request)?;
    let work = async move |tx: &mut Tx| {
        if !sql::requeue(tx, (&job.id, of.has_files()), (job.state, sealed), act.at).await? {
            return Err(Error::Refused("job.not_ended"));
        }
        let change = change(of, &job.id, Action::Updated, &about(&request));
        journal::record(tx, &keys, &act, vec![change]).await
    };
    jobs.context().db.write(move |tx| async move { work(tx).await }.boxed()).await?;
    jobs.wake(of);
    get(jobs, kind, user_id, id).await
}

/// What the journal says of a request: no names of files, which may name people.
fn about(request: &Request) -> serde_json::Value {
    match request {
        Request::Import(import) => json!({
            "files": import.files.len(),
            "bytes": import.files.iter().map(|file| file.bytes).sum::<u64>(),
            "dry_run": import.dry_run,
            "on_error": import.on_error,
            "blank": import.blank,
        }),
        Request::Export(export) => json!({
            "area": export.area,
            "sheets": export.sheets,
            "format": export.format,
            "masked": export.masked,
            "reason": export.reason,
        }),
        Request::AreaChange(change) => json!({
            "on": change.on,
            "document": change.document,
            "lines": change.lines.len(),
            "dry_run": change.dry_run,
        }),
        Request::Undo(undo) => json!({ "import": undo.import, "dry_run": undo.dry_run }),
    }
}

fn change(kind: Kind, id: &str, action: Action, after: &serde_json::Value) -> Change {
    Change {
        county: NO_COUNTY.to_owned(),
        kind: kind.in_journal(),
        record: id.to_owned(),
        action,
        before: None,
        after: Some(after.to_string()),
    }
}

/// The text of a column, encrypted for its row.
pub(super) fn seal<T: Serialize>(
    keys: &Keys,
    id: &str,
    column: &str,
    value: &T,
) -> Result<Vec<u8>, Error> {
    let text = serde_json::to_vec(value).map_err(std::io::Error::other)?;
    Ok(keys.seal(&format!("job/{id}/{column}"), &text)?)
}

fn unseal<T: DeserializeOwned>(
    keys: &Keys,
    id: &str,
    column: &str,
    sealed: &[u8],
) -> Result<T, Error> {
    let text = keys.open(&format!("job/{id}/{column}"), sealed)?;
    Ok(serde_json::from_slice(&text).map_err(std::io::Error::other)?)
}

/// The job of a row.
pub(super) fn opened(keys: &Keys, row: Stored) -> Result<Job, Error> {
    let result = row.result.as_deref();
    let count = |rows: i64| u64::try_from(rows).unwrap_or_default();
    Ok(Job {
        request: unseal(keys, &row.id, "request", &row.request)?,
        result: result.map(|sealed| unseal(keys, &row.id, "result", sealed)).transpose()?,
        id: row.id,
        user_id: row.user_id,
        state: row.state,
        rows_done: count(row.rows_done),
        rows_total: row.rows_total.map(count),
        cancel_wanted: row.cancel_wanted,
        attempts: row.attempts,
        is_stored: row.is_stored,
        files_kept: row.files_kept,
        created_at: row.created_at,
        started_at: row.started_at,
        ended_at: row.ended_at,
        queued_at: row.queued_at,
    })
}

/// When the files of a job that ended, or was made, at this instant are deleted.
pub(super) fn kept_until(context: &Context, job: &Job) -> Timestamp {
    let from = job.ended_at.or(job.queued_at).unwrap_or(job.created_at);
    from.plus_days(context.policy.exchange().files_kept_days)
}
