//! Who carries jobs out: two lanes of a server, one for what writes and one for what only reads.
//!
//! How far a running job is stands in memory, and every few seconds in its row, for other servers. A
//! job of another run that has been silent for long is given up.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use daohu_base::Timestamp;
use daohu_db::{BoxFuture, Engine, Error as DbError, FutureExt, Tx};
use tokio::sync::{Notify, watch};

use super::{
    files::Folder,
    model::{Job, Kind, Lane, Outcome, Reason, Run, State},
    ops::{opened, seal},
    progress::{Progress, Ticket},
    sql::{self, End, GivenUp, PutBack, Stored, Wish},
    uploads::Uploads,
    work::{self, Ended},
};
use crate::{Context, Error, http::ApiError, keys};

/// How often a lane looks for jobs that other servers or an earlier run left.
const LOOK: Duration = Duration::from_secs(5);
/// How often a running job's row says how far it is.
const REPORT: Duration = Duration::from_secs(3);
/// A run that has not said so for this long is no more. Long, so that clocks may differ.
const SILENCE_MS: i64 = 120_000;
/// How long to wait before the end of a job is written once more: at first, and at most.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How often old files are looked for.
const CLEAN: Duration = Duration::from_secs(600);
/// Queued jobs looked at at once for one that this server has the files of.
const QUEUED: i64 = 50;

/// The jobs of a server. Cheap to clone.
#[derive(Clone)]
pub struct Jobs(Arc<Inner>);

struct Inner {
    context: Context,
    folder: Folder,
    /// Names this run of the server.
    server: String,
    running: Mutex<HashMap<String, Arc<Running>>>,
    writing: Notify,
    reading: Notify,
    stopping: watch::Sender<bool>,
    uploads: Uploads,
}

/// A job that this server works on.
#[derive(Default)]
struct Running {
    progress: Arc<Progress>,
    /// Its maker wants it to stop, not the server.
    by_maker: AtomicBool,
}

impl Running {
    fn cancel(&self, by_maker: bool) {
        if by_maker {
            self.by_maker.store(true, Ordering::Relaxed);
        }
        self.progress.cancelled.store(true, Ordering::Relaxed);
    }

    /// Rows done, and rows in all once that is known.
    fn rows(&self) -> (u64, Option<u64>) {
        let total = self.progress.rows_total.load(Ordering::Relaxed);
        (self.progress.rows_done.load(Ordering::Relaxed), (total > 0).then_some(total))
    }
}

impl Jobs {
    /// Over a database, with the folder for files of uploads, reports and exports.
    pub fn new(context: Context, folder: PathBuf) -> Result<Self, Error> {
        let (running, writing, reading, uploads) = Default::default();
        let (folder, server) = (Folder::new(folder), keys::random_token()?);
        let (stopping, _) = watch::channel(false);
        let inner = Inner { context, folder, server, running, writing, reading, stopping, uploads };
        Ok(Self(Arc::new(inner)))
    }

    /// Makes the folder: at the start of a server, so that one that cannot be made is known then.
    pub fn prepare(&self) -> Result<(), Error> {
        Ok(self.0.folder.prepare()?)
    }

    /// Carries jobs out until [`Jobs::stop`].
    pub async fn run(&self) {
        let (writing, reading) = (self.lane(Lane::Writing), self.lane(Lane::Reading));
        tokio::join!(writing, reading, self.clean_forever());
    }

    /// Stops: what runs is cancelled and queued again. [`Jobs::run`] ends soon.
    pub fn stop(&self) {
        self.0.stopping.send_replace(true);
        self.all_running().iter().for_each(|running| running.cancel(false));
    }

    /// Carries out what waits, and returns when nothing does: for tests.
    pub async fn run_queued(&self) -> Result<(), Error> {
        for lane in Lane::ALL {
            while self.run_next(lane).await? {}
        }
        Ok(())
    }

    /// Gives up jobs of runs that are no more, and deletes files and jobs whose time is over.
    pub async fn clean(&self) -> Result<(), Error> {
        self.give_up().await?;
        let now = self.context().clock.now();
        let limits = self.context().policy.exchange();
        let before = now.plus_days(-limits.files_kept_days);
        let list = async move |tx: &mut Tx| sql::outdated(tx, before).await;
        let outdated =
            self.context().db.read(move |tx| async move { list(tx).await }.boxed()).await?;
        for id in outdated {
            // First the mark, then the files: nobody takes up a job whose files are going.
            let of = id.clone();
            let forget = async move |tx: &mut Tx| sql::forget_files(tx, &of, before, now).await;
            let gone =
                self.context().db.write(move |tx| async move { forget(tx).await }.boxed()).await?;
            if gone {
                self.0.folder.remove(&id)?;
            }
        }
        let before_all = now.plus_days(-limits.jobs_kept_days);
        let delete = async move |tx: &mut Tx| sql::delete_ended(tx, before_all).await;
        self.context().db.write(move |tx| async move { delete(tx).await }.boxed()).await?;
        self.remove_foundlings(before).await
    }

    pub(super) fn context(&self) -> &Context {
        &self.0.context
    }

    pub(super) fn uploads(&self) -> &Uploads {
        &self.0.uploads
    }

    pub(super) fn folder(&self) -> &Folder {
        &self.0.folder
    }

    /// There is something to do.
    pub(super) fn wake(&self, kind: Kind) {
        self.waker(kind.lane()).notify_one();
    }

    /// Tells a job that runs here that its maker wants it to stop.
    pub(super) fn stop_running(&self, id: &str) {
        if let Some(running) = self.running(id) {
            running.cancel(true);
        }
    }

    /// Fills in how far a job is that runs here.
    pub(super) fn update(&self, job: &mut Job) {
        let running = self.running(&job.id).filter(|_| job.state == State::Running);
        let Some(running) = running else { return };
        (job.rows_done, job.rows_total) = running.rows();
        job.cancel_wanted |= running.progress.cancelled.load(Ordering::Relaxed);
    }

    fn waker(&self, lane: Lane) -> &Notify {
        match lane {
            Lane::Writing => &self.0.writing,
            Lane::Reading => &self.0.reading,
        }
    }

    fn running(&self, id: &str) -> Option<Arc<Running>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn all_running(&self) -> Vec<Arc<Running>> {
        let running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.values().cloned().collect()
    }

    fn is_stopping(&self) -> bool {
        *self.0.stopping.borrow()
    }

    /// One job after the other.
    async fn lane(&self, lane: Lane) {
        let mut stopping = self.0.stopping.subscribe();
        while !self.is_stopping() {
            match self.run_next(lane).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "a job could not be looked after"),
            }
            tokio::select! {
                () = self.waker(lane).notified() => {}
                () = tokio::time::sleep(LOOK) => {}
                _ = stopping.changed() => {}
            }
        }
    }

    async fn clean_forever(&self) {
        let mut stopping = self.0.stopping.subscribe();
        while !self.is_stopping() {
            if let Err(error) = self.clean().await {
                tracing::error!(%error, "old jobs could not be cleaned up; it is tried again");
            }
            tokio::select! {
                () = tokio::time::sleep(CLEAN) => {}
                _ = stopping.changed() => {}
            }
        }
    }

    /// Carries out the next job that this server has the files of; false if there is none.
    async fn run_next(&self, lane: Lane) -> Result<bool, Error> {
        let mut after = None;
        loop {
            let from = after.clone();
            let list = async move |tx: &mut Tx| sql::queued(tx, lane, from, QUEUED).await;
            let queued =
                self.context().db.read(move |tx| async move { list(tx).await }.boxed()).await?;
            let Some(last) = queued.last() else { return Ok(false) };
            after = Some((last.created_at.0, last.id.clone()));
            if let Some(went_on) = self.run_first_of(queued).await? {
                return Ok(went_on);
            }
        }
    }

    /// Carries out the first of these jobs that this server has the files of; none if there is none.
    async fn run_first_of(&self, queued: Vec<Stored>) -> Result<Option<bool>, Error> {
        for row in queued {
            if self.is_stopping() {
                return Ok(Some(false));
            }
            let id = row.id.clone();
            let job = match opened(&self.context().keys, row) {
                Ok(job) => job,
                // One that cannot be read must not hold up those behind it.
                Err(error) => {
                    ApiError::from(error).log(&id);
                    self.fail_queued(id).await?;
                    continue;
                }
            };
            if job.request.kind() == Kind::Import && !self.0.folder.has(&job.id) {
                continue;
            }
            if self.claim(&job.id).await? {
                self.carry_out(job).await?;
                return Ok(Some(true));
            }
        }
        Ok(None)
    }

    async fn fail_queued(&self, id: String) -> Result<(), Error> {
        let now = self.context().clock.now();
        let fail = async move |tx: &mut Tx| sql::end_queued(tx, &id, State::Failed, now).await;
        self.context().db.write(move |tx| async move { fail(tx).await }.boxed()).await?;
        Ok(())
    }

    async fn claim(&self, id: &str) -> Result<bool, Error> {
        let (id, server) = (id.to_owned(), self.0.server.clone());
        let now = self.context().clock.now();
        let claim = async move |tx: &mut Tx| sql::claim(tx, &id, &server, now).await;
        Ok(self.context().db.write(move |tx| async move { claim(tx).await }.boxed()).await?)
    }

    async fn carry_out(&self, job: Job) -> Result<(), Error> {
        let running = Arc::new(Running::default());
        let remember = |running: &Arc<Running>| {
            let mut all = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
            all.insert(job.id.clone(), Arc::clone(running));
        };
        remember(&running);
        if self.is_stopping() {
            // The order to stop came before anybody could have passed it on.
            running.cancel(false);
        }
        let reporter = tokio::spawn(self.clone().report_forever(job.id.clone(), running.clone()));
        let (context, folder) = (self.context().current(), self.0.folder.clone());
        let (id, progress) = (job.id.clone(), Arc::clone(&running.progress));
        let run = Some(Run { job: id.clone(), server: self.0.server.clone() });
        let ticket = Ticket { progress, run };
        let work = async move { work::carry_out(&context, &folder, &job, ticket).await };
        // A task of its own: a panic ends the job, not the lane.
        let worked = tokio::spawn(work).await;
        let worked = worked.unwrap_or_else(|error| Err(std::io::Error::other(error).into()));
        let written = self.record(&id, &running, worked).await;
        reporter.abort();
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        written
    }

    /// Writes what became of a job.
    async fn record(
        &self,
        id: &str,
        running: &Running,
        worked: Result<Ended, Error>,
    ) -> Result<(), Error> {
        let (mut state, outcome) = match worked {
            Ok(ended) => ended,
            Err(error) => {
                let is_stored = self.insist(id, &|| self.is_stored(id).boxed()).await?;
                if is_passing(&error) && self.is_put_back(id, self.counted()).await? {
                    tracing::info!(%error, job = id, "others were in the way: it is begun again");
                    return Ok(());
                }
                judge(id, running, error, is_stored)
            }
        };
        if state == State::Interrupted {
            if self.is_put_back(id, PutBack::Forgiven).await? {
                tracing::info!(job = id, "the server stops: the next one takes the job up");
                return Ok(());
            }
            // Its maker wanted it to end, and told another server; or it was given up.
            state = State::Cancelled;
        }
        let result = seal(&self.context().keys, id, "result", &outcome)?;
        let (rows_done, rows_total) = counted(running);
        let at = self.context().clock.now();
        tracing::info!(job = id, state = state.as_str(), rows = rows_done, "a job ended");
        let end = End { state, result, rows_done, rows_total, at };
        self.insist(id, &|| self.end(id, end.clone()).boxed()).await
    }

    /// Tries until it is done, or the server stops: a job whose end is not written seems to run.
    async fn insist<'a, T>(
        &'a self,
        id: &str,
        act: &(dyn Fn() -> BoxFuture<'a, Result<T, Error>> + Sync),
    ) -> Result<T, Error> {
        let mut stopping = self.0.stopping.subscribe();
        let (mut pause, longest) = AGAIN;
        loop {
            match act().await {
                Err(error) if !self.is_stopping() => {
                    tracing::error!(%error, job = id, "a job's end is not written; tried again");
                }
                ended => return ended,
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stopping.changed() => {}
            }
            pause = (pause * 2).min(longest);
        }
    }

    async fn is_stored(&self, id: &str) -> Result<bool, Error> {
        let id = id.to_owned();
        let find = async move |tx: &mut Tx| sql::by_id(tx, &id).await;
        let row = self.context().db.read(move |tx| async move { find(tx).await }.boxed()).await?;
        Ok(row.is_some_and(|row| row.is_stored))
    }

    fn counted(&self) -> PutBack {
        PutBack::Counted { attempts_max: self.context().policy.exchange().job_attempts_max }
    }

    async fn is_put_back(&self, id: &str, how: PutBack) -> Result<bool, Error> {
        self.insist(id, &|| self.put_back(id, how).boxed()).await
    }

    async fn put_back(&self, id: &str, how: PutBack) -> Result<bool, Error> {
        let (id, server) = (id.to_owned(), self.0.server.clone());
        let now = self.context().clock.now();
        let work = async move |tx: &mut Tx| sql::put_back(tx, (&id, &server), how, now).await;
        Ok(self.context().db.write(move |tx| async move { work(tx).await }.boxed()).await?)
    }

    async fn end(&self, id: &str, end: End) -> Result<(), Error> {
        let (id, server) = (id.to_owned(), self.0.server.clone());
        let work = async move |tx: &mut Tx| sql::end(tx, &id, &server, end).await;
        Ok(self.context().db.write(move |tx| async move { work(tx).await }.boxed()).await?)
    }

    /// Writes how far a job is, and learns whether it is to stop, until the task is aborted.
    async fn report_forever(self, id: String, running: Arc<Running>) {
        loop {
            tokio::time::sleep(REPORT).await;
            match self.report(&id, &running).await {
                Ok(Wish::GoOn) => {}
                Ok(wish) => running.cancel(wish == Wish::Cancel),
                Err(error) => tracing::warn!(%error, job = id, "progress could not be written"),
            }
        }
    }

    async fn report(&self, id: &str, running: &Running) -> Result<Wish, Error> {
        let (id, server) = (id.to_owned(), self.0.server.clone());
        let (rows, now) = (counted(running), self.context().clock.now());
        let work = async move |tx: &mut Tx| sql::report(tx, &id, &server, rows, now).await;
        Ok(self.context().db.write(move |tx| async move { work(tx).await }.boxed()).await?)
    }

    /// Takes jobs up, or gives them up, that runs which are no more left behind.
    async fn give_up(&self) -> Result<(), Error> {
        let (server, now) = (self.0.server.clone(), self.context().clock.now());
        // A file is served by one server at a time: what an earlier run began is over.
        let before = match self.context().db.engine() {
            Engine::Sqlite => Timestamp(i64::MAX),
            Engine::Postgres => now.plus_ms(-SILENCE_MS),
        };
        let attempts_max = self.context().policy.exchange().job_attempts_max;
        let work = async move |tx: &mut Tx| {
            sql::give_up(tx, GivenUp { server: &server, before, attempts_max, at: now }).await
        };
        let count =
            self.context().db.write(move |tx| async move { work(tx).await }.boxed()).await?;
        if count > 0 {
            tracing::warn!(count, "jobs of an earlier run were taken up, or given up");
            Lane::ALL.into_iter().for_each(|lane| self.waker(lane).notify_one());
        }
        Ok(())
    }

    /// Deletes folders that belong to no job: of uploads that were cut off with the server.
    async fn remove_foundlings(&self, untouched_since: Timestamp) -> Result<(), Error> {
        self.0.folder.prepare()?;
        for name in self.0.folder.untouched(untouched_since)? {
            let id = name.clone();
            let find = async move |tx: &mut Tx| sql::keeps_files(tx, &id).await;
            let is_known =
                self.context().db.read(move |tx| async move { find(tx).await }.boxed()).await?;
            if !is_known {
                self.0.folder.remove(&name)?;
            }
        }
        Ok(())
    }
}

/// True of what may be over the next time: others held what a job needed, or changed what it had read.
fn is_passing(error: &Error) -> bool {
    matches!(error, Error::Store(DbError::Busy) | Error::Refused("exchange.changed_meanwhile"))
}

/// What became of a job that met an error.
fn judge(id: &str, running: &Running, error: Error, is_stored: bool) -> Ended {
    if is_stored {
        // Stored is stored, whatever went wrong afterwards.
        ApiError::from(error).log(id);
        let problem = Some(Reason::of("exchange.report_failed"));
        return (State::Done, Outcome { problem, ..Outcome::default() });
    }
    if matches!(error, Error::Cancelled) && running.progress.cancelled.load(Ordering::Relaxed) {
        let by_maker = running.by_maker.load(Ordering::Relaxed);
        let state = if by_maker { State::Cancelled } else { State::Interrupted };
        return (state, Outcome::default());
    }
    let by_rule = matches!(
        error,
        Error::Invalid(_) | Error::InTheWay(..) | Error::Refused(_) | Error::NotFound(_)
    );
    let state = if by_rule { State::Refused } else { State::Failed };
    let problem = Some(Reason::logged(id, error));
    (state, Outcome { problem, ..Outcome::default() })
}

fn counted(running: &Running) -> (i64, Option<i64>) {
    let (done, total) = running.rows();
    let count = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
    (count(done), total.map(count))
}
