//! SQL of jobs.

use daohu_base::Timestamp;
use daohu_db::{Error, Filter, Row, Tx};

use super::model::{Kind, Lane, Run, State};

/// As [`stored`] reads them.
const JOB: &str = "id, user_id, state, request, result, rows_done, rows_total, cancel_wanted,
    attempts, stored_at, files_kept, created_at, started_at, ended_at, queued_at";

/// A row, its texts still sealed.
pub(super) struct Stored {
    pub(super) id: String,
    pub(super) user_id: String,
    pub(super) state: State,
    pub(super) request: Vec<u8>,
    pub(super) result: Option<Vec<u8>>,
    pub(super) rows_done: i64,
    pub(super) rows_total: Option<i64>,
    pub(super) cancel_wanted: bool,
    pub(super) attempts: i64,
    pub(super) is_stored: bool,
    pub(super) files_kept: bool,
    pub(super) created_at: Timestamp,
    pub(super) started_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
    /// When it was put into the queue again.
    pub(super) queued_at: Option<Timestamp>,
}

/// Which jobs of a user, in which order.
pub(super) struct Wanted {
    /// All kinds if there is none.
    pub(super) kind: Option<Kind>,
    pub(super) user_id: String,
    pub(super) state: Option<State>,
    pub(super) newest_first: bool,
    /// When the last job before the page was made, and its id.
    pub(super) after: Option<(i64, String)>,
    pub(super) limit: i64,
}

/// The end of a job.
#[derive(Clone)]
pub(super) struct End {
    pub(super) state: State,
    pub(super) result: Vec<u8>,
    pub(super) rows_done: i64,
    pub(super) rows_total: Option<i64>,
    pub(super) at: Timestamp,
}

pub(super) async fn insert(tx: &mut Tx, kind: Kind, job: &Stored) -> Result<(), Error> {
    let sql = "insert into jobs (id, kind, user_id, state, request, rows_done, cancel_wanted,
                 files_kept, created_at)
               values ($1, $2, $3, $4, $5, 0, 0, $6, $7)";
    let params = [
        job.id.as_str().into(),
        kind.as_str().into(),
        job.user_id.as_str().into(),
        job.state.as_str().into(),
        job.request.clone().into(),
        job.files_kept.into(),
        job.created_at.0.into(),
    ];
    tx.execute(sql, &params).await.map(drop)
}

pub(super) async fn by_id(tx: &mut Tx, id: &str) -> Result<Option<Stored>, Error> {
    let sql = format!("select {JOB} from jobs where id = $1");
    tx.query_opt(&sql, &[id.into()]).await?.as_ref().map(stored).transpose()
}

pub(super) async fn list(tx: &mut Tx, wanted: &Wanted) -> Result<Vec<Stored>, Error> {
    let mut filter = Filter::new();
    filter.and("user_id = ?", [wanted.user_id.as_str().into()]);
    if let Some(kind) = wanted.kind {
        filter.and("kind = ?", [kind.as_str().into()]);
    }
    if let Some(state) = wanted.state {
        filter.and("state = ?", [state.as_str().into()]);
    }
    if let Some((at, id)) = &wanted.after {
        let params = [(*at).into(), id.as_str().into()];
        match wanted.newest_first {
            true => filter.and("(created_at, id) < (?, ?)", params),
            false => filter.and("(created_at, id) > (?, ?)", params),
        }
    }
    let limit = filter.param(wanted.limit);
    let order = if wanted.newest_first { "created_at desc, id desc" } else { "created_at, id" };
    let clause = filter.clause();
    let sql = format!("select {JOB} from jobs{clause} order by {order} limit {limit}");
    tx.query(&sql, filter.params()).await?.iter().map(stored).collect()
}

/// How many jobs of the user have not ended.
pub(super) async fn count_open(tx: &mut Tx, user_id: &str) -> Result<i64, Error> {
    let sql = "select cast(count(*) as bigint) from jobs
               where user_id = $1 and state in ('queued', 'running')";
    tx.query_one(sql, &[user_id.into()]).await?.int(0)
}

/// Those that wait for their turn, the first come first, behind a mark.
pub(super) async fn queued(
    tx: &mut Tx,
    lane: Lane,
    after: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<Stored>, Error> {
    let mut filter = Filter::new();
    if let Some((at, id)) = after {
        filter.and("(created_at, id) > (?, ?)", [at.into(), id.into()]);
    }
    filter.and("state = ?", ["queued".into()]);
    filter.and_in("kind", lane.kinds().iter().map(|kind| kind.as_str().into()));
    let limit = filter.param(limit);
    let clause = filter.clause();
    let sql = format!("select {JOB} from jobs{clause} order by created_at, id limit {limit}");
    tx.query(&sql, filter.params()).await?.iter().map(stored).collect()
}

/// Takes a job for this run of a server; false if another was quicker.
pub(super) async fn claim(
    tx: &mut Tx,
    id: &str,
    server: &str,
    at: Timestamp,
) -> Result<bool, Error> {
    let sql = "update jobs set state = 'running', server = $2, alive_at = $3, started_at = $3,
                 attempts = attempts + 1
               where id = $1 and state = 'queued'";
    Ok(tx.execute(sql, &[id.into(), server.into(), at.0.into()]).await? == 1)
}

/// What is wished of a job that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    GoOn,
    /// Its maker wants it to end.
    Cancel,
    /// It was given up, and may be another's now.
    GivenUp,
}

/// Tells how far a job is.
pub(super) async fn report(
    tx: &mut Tx,
    id: &str,
    server: &str,
    (rows_done, rows_total): (i64, Option<i64>),
    at: Timestamp,
) -> Result<Wish, Error> {
    let sql = "update jobs set rows_done = $3, rows_total = $4, alive_at = $5
               where id = $1 and server = $2 and state = 'running'";
    let params = [id.into(), server.into(), rows_done.into(), rows_total.into(), at.0.into()];
    if tx.execute(sql, &params).await? == 0 {
        return Ok(Wish::GivenUp);
    }
    let sql = "select cancel_wanted from jobs where id = $1";
    let is_cancelled = tx.query_one(sql, &[id.into()]).await?.flag(0)?;
    Ok(if is_cancelled { Wish::Cancel } else { Wish::GoOn })
}

/// Notes that the job's rows are stored: in the transaction that stores them. False if the run was
/// given up meanwhile.
pub(super) async fn set_stored(tx: &mut Tx, run: &Run, at: Timestamp) -> Result<bool, Error> {
    let sql = "update jobs set stored_at = $3
               where id = $1 and server = $2 and state = 'running'";
    let params = [run.job.as_str().into(), run.server.as_str().into(), at.0.into()];
    Ok(tx.execute(sql, &params).await? == 1)
}

pub(super) async fn end(tx: &mut Tx, id: &str, server: &str, end: End) -> Result<(), Error> {
    // A server that was silent for long may have been given up by another; what it did counts, and what came of
    // it is told if nobody else could. That it was stopped is told by who gave it up.
    let sql = "update jobs set state = $3, result = $4, rows_done = $5, rows_total = $6,
                 ended_at = $7
               where id = $1 and server = $2
                 and (state = 'running' or state = 'interrupted' and $3 <> 'cancelled'
                   or state = 'done' and result is null)";
    let params = [
        id.into(),
        server.into(),
        end.state.as_str().into(),
        end.result.into(),
        end.rows_done.into(),
        end.rows_total.into(),
        end.at.0.into(),
    ];
    tx.execute(sql, &params).await.map(drop)
}

/// Ends a job that has not begun; false if it has.
pub(super) async fn end_queued(
    tx: &mut Tx,
    id: &str,
    state: State,
    at: Timestamp,
) -> Result<bool, Error> {
    let sql = "update jobs set state = $2, ended_at = $3 where id = $1 and state = 'queued'";
    Ok(tx.execute(sql, &[id.into(), state.as_str().into(), at.0.into()]).await? == 1)
}

/// Asks the server that carries the job out to stop; false if it does not run any more.
pub(super) async fn want_cancel(tx: &mut Tx, id: &str) -> Result<bool, Error> {
    let sql = "update jobs set cancel_wanted = 1 where id = $1 and state = 'running'";
    Ok(tx.execute(sql, &[id.into()]).await? == 1)
}

/// Puts a job that ended into the queue again; false if it is not in this state any more, or the files are gone
/// that it `needs_files`.
pub(super) async fn requeue(
    tx: &mut Tx,
    (id, needs_files): (&str, bool),
    (was, request): (State, Vec<u8>),
    at: Timestamp,
) -> Result<bool, Error> {
    let sql = "update jobs set state = 'queued', request = $3, result = null, rows_done = 0,
                 rows_total = null, server = null, alive_at = null, cancel_wanted = 0,
                 attempts = 0, started_at = null, ended_at = null, queued_at = $4
               where id = $1 and state = $2 and stored_at is null and files_kept >= $5";
    let (was, at) = (was.as_str().into(), at.0.into());
    let params = [id.into(), was, request.into(), at, needs_files.into()];
    Ok(tx.execute(sql, &params).await? == 1)
}

/// How the run of a job that goes back into the queue counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PutBack {
    /// As if it had not begun: the server stops.
    Forgiven,
    /// As one of so many: what stood in its way may be gone the next time.
    Counted { attempts_max: i64 },
}

/// Puts a job that this server began into the queue again. False if its maker wants it to end, its rows are
/// stored, or it was begun often enough.
pub(super) async fn put_back(
    tx: &mut Tx,
    (id, server): (&str, &str),
    put_back: PutBack,
    at: Timestamp,
) -> Result<bool, Error> {
    let (forgiven, attempts_max) = match put_back {
        PutBack::Forgiven => (1, i64::MAX),
        PutBack::Counted { attempts_max } => (0, attempts_max),
    };
    let sql = "update jobs set state = 'queued', rows_done = 0, rows_total = null, server = null,
                 alive_at = null, attempts = attempts - $4, started_at = null, queued_at = $3
               where id = $1 and server = $2 and state = 'running' and cancel_wanted = 0
                 and stored_at is null and attempts < $5";
    let params = [id.into(), server.into(), at.0.into(), forgiven.into(), attempts_max.into()];
    Ok(tx.execute(sql, &params).await? == 1)
}

/// Interrupts all jobs that wait for their turn.
pub(super) async fn interrupt_queued(tx: &mut Tx, at: Timestamp) -> Result<(), Error> {
    let sql = "update jobs set state = 'interrupted', ended_at = $1 where state = 'queued'";
    tx.execute(sql, &[at.0.into()]).await.map(drop)
}

/// Which jobs are given up.
pub(super) struct GivenUp<'a> {
    /// Those of other runs than this,
    pub(super) server: &'a str,
    /// that were silent since.
    pub(super) before: Timestamp,
    /// How often a job may be begun.
    pub(super) attempts_max: i64,
    pub(super) at: Timestamp,
}

/// Gives jobs up: done if their rows are stored, cancelled if that was wanted, queued again unless they were
/// begun often enough. Returns how many.
pub(super) async fn give_up(tx: &mut Tx, given_up: GivenUp<'_>) -> Result<u64, Error> {
    let GivenUp { server, before, attempts_max, at } = given_up;
    let over = "update jobs set ended_at = $3,
                  state = case when stored_at is not null then 'done'
                    when cancel_wanted = 1 then 'cancelled' else 'interrupted' end
                where state = 'running' and server <> $1 and alive_at < $2
                  and (stored_at is not null or cancel_wanted = 1 or attempts >= $4)";
    let params = [server.into(), before.0.into(), at.0.into(), attempts_max.into()];
    let count = tx.execute(over, &params).await?;
    let again = "update jobs set state = 'queued', rows_done = 0, rows_total = null,
                   server = null, alive_at = null, started_at = null, queued_at = $3
                 where state = 'running' and server <> $1 and alive_at < $2
                   and stored_at is null";
    let params = [server.into(), before.0.into(), at.0.into()];
    Ok(count + tx.execute(again, &params).await?)
}

/// Jobs whose files were kept since before this instant, and that do not run.
pub(super) async fn outdated(tx: &mut Tx, before: Timestamp) -> Result<Vec<String>, Error> {
    let sql = "select id from jobs where files_kept = 1 and created_at < $1
                 and state <> 'running' and coalesce(ended_at, queued_at, created_at) < $1";
    let rows = tx.query(sql, &[before.0.into()]).await?;
    rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}

/// Notes that the files of a job go; one that still waited for its turn has failed. False if it runs.
pub(super) async fn forget_files(
    tx: &mut Tx,
    id: &str,
    before: Timestamp,
    at: Timestamp,
) -> Result<bool, Error> {
    let sql = "update jobs set files_kept = 0,
                 ended_at = case when state = 'queued' then $2 else ended_at end,
                 state = case when state = 'queued' then 'failed' else state end
               where id = $1 and state <> 'running'
                 and coalesce(ended_at, queued_at, created_at) < $3";
    Ok(tx.execute(sql, &[id.into(), at.0.into(), before.0.into()]).await? == 1)
}

/// Deletes jobs that ended before an instant and whose files are gone.
pub(super) async fn delete_ended(tx: &mut Tx, before: Timestamp) -> Result<(), Error> {
    let sql = "delete from jobs where ended_at < $1 and files_kept = 0
                 and state not in ('queued', 'running')";
    tx.execute(sql, &[before.0.into()]).await.map(drop)
}

/// True if a job of this kind is being carried out, by whichever server.
pub(super) async fn any_running(tx: &mut Tx, kind: Kind) -> Result<bool, Error> {
    let sql = "select id from jobs where state = 'running' and kind = $1 limit 1";
    Ok(tx.query_opt(sql, &[kind.as_str().into()]).await?.is_some())
}

/// True if there is a job of this id whose files are kept.
pub(super) async fn keeps_files(tx: &mut Tx, id: &str) -> Result<bool, Error> {
    let sql = "select id from jobs where id = $1 and files_kept = 1";
    Ok(tx.query_opt(sql, &[id.into()]).await?.is_some())
}

fn stored(row: &Row) -> Result<Stored, Error> {
    let state = State::named(row.text(2)?);
    Ok(Stored {
        id: row.text(0)?.to_owned(),
        user_id: row.text(1)?.to_owned(),
        state: state.ok_or(Error::Column { index: 2, wanted: "a state" })?,
        request: row.blob(3)?.to_vec(),
        result: row.value(4)?.as_blob().map(<[u8]>::to_vec),
        rows_done: row.int(5)?,
        rows_total: row.opt_int(6)?,
        cancel_wanted: row.flag(7)?,
        attempts: row.int(8)?,
        is_stored: row.opt_int(9)?.is_some(),
        files_kept: row.flag(10)?,
        created_at: Timestamp(row.int(11)?),
        started_at: row.opt_int(12)?.map(Timestamp),
        ended_at: row.opt_int(13)?.map(Timestamp),
        queued_at: row.opt_int(14)?.map(Timestamp),
    })
}
