//! Opening a database with its keys.

use std::{path::PathBuf, sync::Arc};

use daohu_app::{
    Context,
    accounts::{Cost, Passwords},
    households,
    journal::{self, Act},
    keys::{KeyError, Keys},
    policies,
    schema::MIGRATIONS,
};
use daohu_base::{Actor, SystemClock};
use daohu_db::{Db, DbUrl, Error as DbError, Missing, Options, SchemaState};
use daohu_policy::Policy;
use tempfile::TempDir;

use crate::{cli::DbArgs, output::Failure};

/// What a command wants of its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Create a missing one, bring an old one up to date.
    Ready,
    /// Read what is there; refuse a missing, empty or old one.
    Existing,
}

/// Opens the database and its keys.
pub(crate) async fn open(args: &DbArgs, wanted: Wanted) -> Result<Context, Failure> {
    prepare(args, wanted).await.map(|(context, _)| context)
}

/// Opens what is there for a dry run; where nothing is, a new database in a folder that goes when it is
/// dropped.
pub(crate) async fn open_to_try(args: &DbArgs) -> Result<(Context, Option<TempDir>), Failure> {
    let options = Options { missing: Missing::Refuse, ..Options::default() };
    let is_there = match Db::open(&args.db, options).await {
        Ok(db) => db.schema(&MIGRATIONS).await? != SchemaState::Empty,
        Err(DbError::NoDatabase(_)) => false,
        Err(error) => return Err(error.into()),
    };
    if is_there {
        return Ok((open(args, Wanted::Existing).await?, None));
    }
    let folder = tempfile::tempdir()?;
    let own = DbArgs { db: DbUrl::Sqlite(folder.path().join("try.db")), keys: None };
    Ok((open(&own, Wanted::Ready).await?, Some(folder)))
}

/// Opens the database and its keys; also tells how many migrations were applied.
pub(crate) async fn prepare(args: &DbArgs, wanted: Wanted) -> Result<(Context, usize), Failure> {
    let missing = match wanted {
        Wanted::Ready => Missing::Create,
        Wanted::Existing => Missing::Refuse,
    };
    let db = Db::open(&args.db, Options { missing, ..Options::default() }).await?;
    let state = db.schema(&MIGRATIONS).await?;
    if wanted == Wanted::Existing {
        match state {
            SchemaState::Empty => return Err(DbError::NoDatabase(args.db.to_string()).into()),
            SchemaState::Older { found } => {
                let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
                return Err(DbError::OlderSchema { found, known }.into());
            }
            SchemaState::Current => {}
        }
    }
    // The keys come first: a schema without its keys could never be opened again.
    let keys = Arc::new(keys(args, state == SchemaState::Empty)?);
    // What is written with other keys than the database's own can never be read with these.
    if state != SchemaState::Empty && !journal::opens(&db, &keys).await? {
        return Err(KeyError::Sealed.into());
    }
    let applied = match wanted {
        Wanted::Ready => db.migrate(&MIGRATIONS).await?,
        Wanted::Existing => 0,
    };
    let mut context = context(db, keys)?;
    if wanted == Wanted::Ready {
        let act = Act::new(Actor::command("migrate"), &*context.clock, "migration");
        policies::note_shipped(&context, act).await?;
        let rows = households::fill_alike(&context.db).await?;
        if rows > 0 {
            tracing::info!(rows, "persons were compared by name and birth date");
        }
    }
    let policy = policies::in_force(&context).await?.map_err(|found| Failure::of_packs(&found))?;
    context.take_up(policy);
    context = context.current();
    Ok((context, applied))
}

/// Opens the place of a database that is to be filled, making no tables there, with the keys of what
/// comes.
pub(crate) async fn open_to_fill(url: &DbUrl, keys: Arc<Keys>) -> Result<Context, Failure> {
    let options = Options { missing: Missing::Create, ..Options::default() };
    context(Db::open(url, options).await?, keys)
}

fn context(db: Db, keys: Arc<Keys>) -> Result<Context, Failure> {
    let policy = Policy::embedded().map_err(|bad| Failure::of_pack(&bad))?;
    let (policy, clock) = (Arc::new(policy), Arc::new(SystemClock));
    let passwords = Passwords::new(Cost::default())?;
    Ok(Context::new(db, policy, (keys, passwords), clock))
}

/// Where the keys of this database are.
pub(crate) fn key_path(args: &DbArgs) -> Result<PathBuf, Failure> {
    match (&args.keys, &args.db) {
        (Some(path), _) => Ok(path.clone()),
        (None, DbUrl::Sqlite(path)) => {
            let mut name = path.clone().into_os_string();
            name.push(".keys");
            Ok(name.into())
        }
        (None, DbUrl::Postgres(_)) => Err(Failure::usage(
            "PostgreSQL 库必须用 --keys FILE 或 DAOHU_KEYS 指明密钥文件",
            "for PostgreSQL name the key file with --keys FILE or DAOHU_KEYS",
        )),
    }
}

/// Where the files of this database's uploads and exports are.
pub(crate) fn files_path(args: &DbArgs, files: Option<PathBuf>) -> Result<PathBuf, Failure> {
    match (files, &args.db) {
        (Some(path), _) => Ok(path),
        (None, DbUrl::Sqlite(path)) => {
            let mut name = path.clone().into_os_string();
            name.push(".files");
            Ok(name.into())
        }
        (None, DbUrl::Postgres(_)) => Err(Failure::usage(
            "PostgreSQL 库必须用 --files DIR 或 DAOHU_FILES 指明存放上传和导出文件的目录",
            "for PostgreSQL name the folder for uploads and exports with --files DIR or DAOHU_FILES",
        )),
    }
}

/// Loads the keys; a database that was just created gets new ones unless the file is there.
fn keys(args: &DbArgs, is_new: bool) -> Result<Keys, Failure> {
    let path = key_path(args)?;
    if is_new && !path.exists() {
        Keys::generate()?.save(&path, false)?;
    }
    Ok(Keys::load(&path)?)
}
