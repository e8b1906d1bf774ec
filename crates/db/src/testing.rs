//! Scratch databases for tests: each on its own, gone when dropped, on either engine.
#![expect(clippy::expect_used, reason = "only tests come here, and they want to fail loudly")]

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::{sync::oneshot, task::JoinHandle};
use tokio_postgres::NoTls;

use crate::{Db, DbUrl, Engine, Error, Migration, Missing, Options, Tx};

/// Readers of a scratch database: enough for work that several share.
pub const READERS: usize = 5;

/// Names a PostgreSQL server on which tests may create schemas.
pub const POSTGRES: &str = "DAOHU_TEST_POSTGRES";

/// Names schemas of this process apart.
static SERIAL: AtomicU64 = AtomicU64::new(0);

/// A place for a database. Keep it for as long as the database is used.
pub struct Scratch {
    /// Where it is.
    pub url: DbUrl,
    place: Place,
}

enum Place {
    Folder(#[expect(dead_code, reason = "removed when dropped")] tempfile::TempDir),
    Schema { server: String, name: String },
}

impl Scratch {
    /// A new empty place.
    pub async fn new(engine: Engine) -> Self {
        let (url, place) = match engine {
            Engine::Sqlite => {
                let folder = tempfile::tempdir().expect("a folder for a scratch database");
                (DbUrl::Sqlite(folder.path().join("daohu.db")), Place::Folder(folder))
            }
            Engine::Postgres => {
                let server = std::env::var(POSTGRES).expect(
                    "DAOHU_TEST_POSTGRES is not set: run `cargo xtask test`, which starts a server",
                );
                let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
                let name = format!("scratch_{}_{serial}", std::process::id());
                // A process of this number may have died here before.
                let create = format!("drop schema if exists {name} cascade; create schema {name}");
                run(&server, &create).await.expect("a schema for a scratch database");
                let mark = if server.contains('?') { '&' } else { '?' };
                let url = format!("{server}{mark}options=-csearch_path%3D{name}");
                (DbUrl::Postgres(url), Place::Schema { server, name })
            }
        };
        Self { url, place }
    }

    /// A new place, and its database with these migrations.
    pub async fn migrated(engine: Engine, migrations: &'static [Migration]) -> (Self, Db) {
        let scratch = Self::new(engine).await;
        let db = scratch.open().await;
        db.migrate(migrations).await.expect("migrations that apply");
        (scratch, db)
    }

    /// The database there, empty the first time.
    pub async fn open(&self) -> Db {
        let options = Options { missing: Missing::Create, readers: READERS, ..Options::default() };
        Db::open(&self.url, options).await.expect("a scratch database")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let Place::Schema { server, name } = &self.place else { return };
        let (server, drop) = (server.clone(), format!("drop schema if exists {name} cascade"));
        // The test's own runtime may be the one that is going down: a thread has its own.
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            // Whatever still uses the schema loses: a schema left behind harms nobody.
            let limited = format!("set lock_timeout = '2s'; {drop}");
            let _ = runtime.block_on(run(&server, &limited));
            Ok::<_, std::io::Error>(())
        };
        let _ = std::thread::spawn(work).join();
    }
}

/// A write transaction that is held open, with the locks that it took.
pub struct Held {
    release: oneshot::Sender<()>,
    holder: JoinHandle<Result<(), Error>>,
}

/// Runs `work` in a write transaction, and keeps that open.
pub async fn hold<F>(db: &Db, work: F) -> Held
where
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<(), Error>> + Send + 'static,
{
    let (taken, when_taken) = oneshot::channel();
    let (release, released) = oneshot::channel();
    let work = async move |tx: &mut Tx| {
        work(tx).await?;
        let _ = taken.send(());
        let _ = released.await;
        Ok(())
    };
    let db = db.clone();
    let holder =
        tokio::spawn(
            async move { db.write(move |tx| async move { work(tx).await }.boxed()).await },
        );
    when_taken.await.expect("a transaction to hold");
    Held { release, holder }
}

impl Held {
    /// Commits it.
    pub async fn release(self) {
        self.release.send(()).expect("a transaction that was held");
        self.holder.await.expect("its task").expect("its commit");
    }

    /// Commits it when a while has passed.
    pub fn release_after(self, delay: Duration) -> JoinHandle<()> {
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            self.release().await;
        })
    }
}

async fn run(server: &str, sql: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(server, NoTls).await?;
    let driver = tokio::spawn(connection);
    let done = client.batch_execute(sql).await;
    driver.abort();
    done
}
