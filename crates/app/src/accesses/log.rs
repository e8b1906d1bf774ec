//! The queue between those who look and the table: a reader does not wait for the store to write.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use daohu_db::{FutureExt, Tx};
use tokio::{
    sync::{Notify, watch},
    time::{Interval, MissedTickBehavior},
};

use super::{
    model::{Access, Seen, Visitor, What},
    sql,
};
use crate::{Context, Error};

/// Rows that may wait to be written: some megabytes.
const WAITING_MAX: usize = 10_000;
/// How often what waits is written.
const WRITE: Duration = Duration::from_millis(250);
/// How long a reader waits for room before the request is refused.
const ROOM_WAIT: Duration = Duration::from_secs(10);
/// How often rows whose time is over are looked for.
const CLEAN: Duration = Duration::from_secs(3_600);
/// Rows deleted at once: others write in between.
const DELETED_MAX: u64 = 1_000;
const MINUTE_MS: i64 = 60_000;

/// The access log of a server. Cheap to clone.
#[derive(Clone)]
pub struct Accesses(Arc<Inner>);

struct Inner {
    context: Context,
    waiting: Mutex<Waiting>,
    waiting_max: usize,
    /// There is room again.
    room: Notify,
    stopping: watch::Sender<bool>,
}

/// Rows that are not written yet, in the order of their keys: two servers that write the same rows
/// never wait for each other in a circle.
type Waiting = BTreeMap<(String, i64, i64), Access>;

impl Accesses {
    /// Over a database.
    pub fn new(context: Context) -> Self {
        Self::with_room(context, WAITING_MAX)
    }

    fn with_room(context: Context, waiting_max: usize) -> Self {
        let (waiting, room, stopping) = Default::default();
        Self(Arc::new(Inner { context, waiting, waiting_max, room, stopping }))
    }

    /// Notes that somebody looks at a record: before it is shown.
    ///
    /// Errors: busy, where nothing could be written for long.
    pub(crate) async fn note(
        &self,
        visitor: &Visitor,
        what: What,
        seen: Seen<'_>,
    ) -> Result<(), Error> {
        let minutes = self.0.context.policy.accesses().repeat_minutes;
        let access = Access::of(visitor, what, seen, minutes.saturating_mul(MINUTE_MS));
        let queued = tokio::time::timeout(ROOM_WAIT, self.queue(access)).await;
        queued.map_err(|_| daohu_db::Error::Busy.into())
    }

    async fn queue(&self, access: Access) {
        loop {
            // Listening begins before the look: no room is missed that is made in between.
            let mut room = pin!(self.0.room.notified());
            room.as_mut().enable();
            if self.take_in(&access) {
                return;
            }
            room.await;
        }
    }

    /// False if there is no room for another row.
    fn take_in(&self, access: &Access) -> bool {
        let (mut waiting, key) = (self.waiting(), access.key());
        if let Some(row) = waiting.get_mut(&key) {
            row.add(access);
            return true;
        }
        let has_room = waiting.len() < self.0.waiting_max;
        if has_room {
            waiting.insert(key, access.clone());
        }
        has_room
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what comes, and deletes what is past its time, until [`Accesses::stop`]. Each has its own turns: what
    /// comes does not wait while much is deleted.
    pub async fn run(&self) {
        tokio::join!(self.keep_writing(), self.keep_cleaning());
    }

    async fn keep_writing(&self) {
        let mut turns = turns(WRITE);
        loop {
            // Only the wait is given up: a batch that is being written is not.
            tokio::select! {
                () = self.stopped() => return,
                _ = turns.tick() => {}
            }
            if let Err(error) = self.flush().await {
                tracing::error!(%error, "the access log is not written; it is tried again");
            }
        }
    }

    async fn keep_cleaning(&self) {
        let cleaning = async {
            let mut turns = turns(CLEAN);
            loop {
                turns.tick().await;
                if let Err(error) = self.clean().await {
                    tracing::error!(%error, "old accesses are not deleted; it is tried again");
                }
            }
        };
        tokio::select! {
            () = self.stopped() => {}
            () = cleaning => {}
        }
    }

    async fn stopped(&self) {
        let mut stopping = self.0.stopping.subscribe();
        // The sender lives as long as the log.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }

    /// Ends [`Accesses::run`]; what waits then is left to [`Accesses::flush`], and what is left to delete to the next
    /// run.
    pub fn stop(&self) {
        self.0.stopping.send_replace(true);
    }

    /// Writes what waits, in one transaction. Where that fails, it goes on waiting.
    pub async fn flush(&self) -> Result<(), Error> {
        let batch = std::mem::take(&mut *self.waiting());
        if batch.is_empty() {
            return Ok(());
        }
        self.0.room.notify_waiters();
        let rows: Arc<Vec<Access>> = Arc::new(batch.into_values().collect());
        let written = Arc::clone(&rows);
        let work = async move |tx: &mut Tx| sql::write(tx, &written).await;
        let done = self.0.context.db.write(move |tx| async move { work(tx).await }.boxed()).await;
        if done.is_err() {
            let mut waiting = self.waiting();
            for row in rows.iter() {
                waiting.entry(row.key()).and_modify(|other| other.add(row)).or_insert(row.clone());
            }
        }
        Ok(done?)
    }

    /// Deletes the rows whose time is over.
    pub async fn clean(&self) -> Result<(), Error> {
        let Context { db, policy, clock, .. } = self.0.context.current();
        let before = clock.now().plus_days(-policy.accesses().kept_days);
        let mut county = String::new();
        loop {
            let next = async move |tx: &mut Tx| sql::next_county(tx, &county).await;
            let Some(found) = db.read(move |tx| async move { next(tx).await }.boxed()).await?
            else {
                return Ok(());
            };
            loop {
                let (of, limit) = (found.clone(), i64::try_from(DELETED_MAX).unwrap_or(i64::MAX));
                let delete =
                    async move |tx: &mut Tx| sql::delete_before(tx, &of, before, limit).await;
                let deleted = db.write(move |tx| async move { delete(tx).await }.boxed()).await?;
                if deleted < DELETED_MAX {
                    break;
                }
            }
            county = found;
        }
    }
}

/// The first at once; after a long one there is one to make up for, not many.
fn turns(every: Duration) -> Interval {
    let mut turns = tokio::time::interval(every);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    turns
}

#[cfg(test)]
mod tests {
    use daohu_base::{Actor, SystemClock, Timestamp};
    use daohu_db::{Engine, testing::Scratch};
    use daohu_policy::Policy;

    use super::*;
    use crate::{
        accounts::{Cost, Passwords},
        keys::Keys,
        schema::MIGRATIONS,
    };

    async fn log(engine: Engine, waiting_max: usize) -> (Scratch, Accesses) {
        let (scratch, db) = Scratch::migrated(engine, &MIGRATIONS).await;
        let context = Context::new(
            db,
            Arc::new(Policy::embedded().unwrap()),
            (
                Arc::new(Keys::generate().unwrap()),
                Passwords::new(Cost { memory_kib: 8, passes: 1, at_once: 1 }).unwrap(),
            ),
            Arc::new(SystemClock),
        );
        (scratch, Accesses::with_room(context, waiting_max))
    }

    async fn note(log: &Accesses, household: i64) -> Result<(), Error> {
        let actor = Actor { name: "li.na".into(), authority: "cadre@990101".into() };
        let visitor = Visitor { actor, address: None, at: Timestamp(1_600_000_000_000) };
        log.note(&visitor, What::Household, Seen::household("990101", household)).await
    }

    /// Households and times, by household.
    async fn written(log: &Accesses) -> Vec<(i64, i64)> {
        let list = async move |tx: &mut Tx| {
            sql::of_county(tx, "990101", &sql::Wanted::default(), None, 100).await
        };
        let rows = log.0.context.db.read(move |tx| async move { list(tx).await }.boxed()).await;
        let mut rows: Vec<(i64, i64)> =
            rows.unwrap().iter().map(|row| (row.access.household, row.access.times)).collect();
        rows.sort_unstable();
        rows
    }

    #[tokio::test]
    async fn who_finds_no_room_waits_and_nothing_is_lost() {
        for engine in Engine::BOTH {
            let (_scratch, log) = log(engine, 2).await;
            for household in [1, 2, 1] {
                note(&log, household).await.unwrap();
            }
            // A repeat needs no room, another household does.
            let third = note(&log, 3);
            let mut third = pin!(third);
            let pause = Duration::from_millis(30);
            assert!(tokio::time::timeout(pause, &mut third).await.is_err(), "{engine:?}");
            log.flush().await.unwrap();
            third.await.unwrap();
            log.flush().await.unwrap();
            note(&log, 2).await.unwrap();
            log.flush().await.unwrap();
            assert_eq!(written(&log).await, [(1, 2), (2, 2), (3, 1)], "{engine:?}");
        }
    }

    #[tokio::test]
    async fn what_comes_is_written_while_much_is_deleted() {
        // On PostgreSQL a row that somebody holds keeps the clean-up waiting for as long as it is held.
        let (_scratch, log) = log(Engine::Postgres, 10).await;
        note(&log, 1).await.unwrap();
        log.flush().await.unwrap();
        let [held, release] = [(); 2].map(|()| Arc::new(Notify::new()));
        let hold = tokio::spawn({
            let (db, held, release) = (log.0.context.db.clone(), held.clone(), release.clone());
            let work = async move |tx: &mut Tx| {
                tx.execute("update accesses set times = times", &[]).await?;
                held.notify_one();
                release.notified().await;
                Ok::<_, daohu_db::Error>(())
            };
            async move { db.write(move |tx| async move { work(tx).await }.boxed()).await }
        });
        held.notified().await;
        let run = tokio::spawn({
            let log = log.clone();
            async move { log.run().await }
        });
        let waits = "select 1 from pg_stat_activity where wait_event_type = 'Lock'
                       and query like 'delete from accesses%'";
        while count(&log, waits).await == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        note(&log, 2).await.unwrap();
        let comes = async {
            while written(&log).await.len() < 2 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let came = tokio::time::timeout(Duration::from_secs(10), comes).await;
        release.notify_one();
        hold.await.unwrap().unwrap();
        log.stop();
        run.await.unwrap();
        assert!(came.is_ok(), "it waited for the clean-up");
    }

    async fn count(log: &Accesses, sql: &'static str) -> usize {
        let work = async move |tx: &mut Tx| tx.query(sql, &[]).await;
        let rows = log.0.context.db.read(move |tx| async move { work(tx).await }.boxed()).await;
        rows.unwrap().len()
    }

    #[tokio::test]
    async fn what_could_not_be_written_is_written_later() {
        for engine in Engine::BOTH {
            let (_scratch, log) = log(engine, 10).await;
            note(&log, 1).await.unwrap();
            let rename = async |from: &str, to: &str| {
                let sql = format!("alter table {from} rename to {to}");
                let work = async move |tx: &mut Tx| tx.execute(&sql, &[]).await;
                let db = &log.0.context.db;
                db.write(move |tx| async move { work(tx).await }.boxed()).await.unwrap()
            };
            rename("accesses", "elsewhere").await;
            assert!(log.flush().await.is_err(), "{engine:?}");
            rename("elsewhere", "accesses").await;
            note(&log, 1).await.unwrap();
            let run = tokio::spawn({
                let log = log.clone();
                async move { log.run().await }
            });
            log.stop();
            run.await.unwrap();
            log.flush().await.unwrap();
            assert_eq!(written(&log).await, [(1, 2)], "{engine:?}");
        }
    }
}
