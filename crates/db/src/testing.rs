//! Scratch databases for tests: each on its own, gone when dropped, on either engine.
#![expect(clippy::expect_used, reason = "only tests come here, and they want to fail loudly")]

use std::sync::atomic::{AtomicU64, Ordering};

use tokio_postgres::NoTls;

use crate::{Db, DbUrl, Engine, Missing, Options};

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

    /// The database there, empty the first time.
    pub async fn open(&self) -> Db {
        let options = Options { missing: Missing::Create, readers: 2, ..Options::default() };
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

async fn run(server: &str, sql: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(server, NoTls).await?;
    let driver = tokio::spawn(connection);
    let done = client.batch_execute(sql).await;
    driver.abort();
    done
}
