//! The use cases: a backup, a restore, a copy.

use std::{
    fs::{self, File},
    io::{self, BufReader},
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use daohu_base::Timestamp;
use daohu_db::{Db, Error as DbError, FutureExt, Migration, Tx};
use serde::Serialize;
use serde_json::json;
use tempfile::NamedTempFile;
use tokio::sync::oneshot;

use super::{
    archive::{ArchiveReader, ArchiveWriter},
    error::BackupError,
    load::{Parts, Schemas, load, send_parts, take_over},
    model::{ComparedTable, Header, TableSum, schema_of},
    progress::Progress,
    read::{BLOCKS, ToArchive, ToTarget, read_all, tables, write_all},
};
use crate::{
    Context, Error,
    accounts::new_id,
    journal::{self, Act, Action, Change, NO_COUNTY, Verdict},
    keys::Keys,
    schema::MIGRATIONS,
};

/// How long a backup waits for an import that holds the store, to write that it is taken.
const PATIENCE: Duration = Duration::from_secs(30 * 60);
/// How often it tries.
const AGAIN: Duration = Duration::from_secs(1);

/// A backup that was written.
#[derive(Debug, Serialize)]
pub struct Backup {
    /// Names it; its journal entry has it, too.
    pub id: String,
    /// When its picture was taken.
    pub created_at: Timestamp,
    /// The file.
    pub file: PathBuf,
    /// What it holds.
    pub tables: Vec<TableSum>,
    /// The length of the file.
    pub file_bytes: u64,
}

/// A backup that is about to be restored: its header is read, and its key is the right one.
pub struct Restore {
    header: Header,
    archive: ArchiveReader<BufReader<File>>,
    schemas: Schemas,
}

/// A backup that was restored.
#[derive(Debug, Serialize)]
pub struct Restored {
    /// The backup.
    pub id: String,
    /// When its picture was taken.
    pub created_at: Timestamp,
    /// What was restored, beside what was read of it again.
    pub tables: Vec<ComparedTable>,
    /// Migrations that were applied afterwards.
    pub migrated: usize,
    /// What verifying the chains of its journal found.
    pub journal: Verdict,
}

/// A database that was copied.
#[derive(Debug, Serialize)]
pub struct Copied {
    /// Names the copy in both journals.
    pub id: String,
    /// What was copied, beside what was read of it again.
    pub tables: Vec<ComparedTable>,
    /// What verifying the chains of the target's journal found.
    pub journal: Verdict,
}

/// Writes a picture of all tables to a new file. Under its name the file is whole, or it is not there.
pub async fn backup(
    context: &Context,
    act: Act,
    out: PathBuf,
    progress: Arc<Progress>,
) -> Result<Backup, Error> {
    backup_of(context, &MIGRATIONS, act, out, progress).await
}

/// As [`backup`], of a database that these migrations made.
pub(super) async fn backup_of(
    context: &Context,
    schema: &'static [Migration],
    act: Act,
    out: PathBuf,
    progress: Arc<Progress>,
) -> Result<Backup, Error> {
    if fs::symlink_metadata(&out).is_ok() {
        return Err(BackupError::Exists(out).into());
    }
    let partial = partial_beside(&out)?;
    let id = new_id(act.at)?;
    let change =
        change(&id, ("backup", Action::Disclosed), json!({ "file": out.display().to_string() }));
    disclose(context, act, change, &progress).await?;
    let (file, name, picture) = (partial.as_file().try_clone()?, id.clone(), context.clone());
    let read = context.db.read_bulk(move |tx| {
        async move { write_picture(tx, &picture, (schema, name), file, progress).await }.boxed()
    });
    let (created_at, tables) = read.await?;
    partial.as_file().sync_all()?;
    let file_bytes = partial.as_file().metadata()?.len();
    give_name(partial, &out)?;
    Ok(Backup { id, created_at, file: out, tables, file_bytes })
}

/// Reads the picture that the transaction has, and writes it beside.
async fn write_picture(
    tx: &mut Tx,
    context: &Context,
    (schema, id): (&'static [Migration], String),
    file: File,
    progress: Arc<Progress>,
) -> Result<(Timestamp, Vec<TableSum>), Error> {
    let created_at = context.clock.now();
    let header = Header {
        id,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        created_at: created_at.0,
        key_file: context.keys.name(),
        schema: tx.applied_migrations().await?,
        journal: journal::position(tx).await?,
    };
    let tables = tables(tx, schema).await?;
    let (send, receive) = mpsc::sync_channel(BLOCKS);
    let (give_back, spare) = mpsc::channel();
    let (done, written) = oneshot::channel();
    let keys = Arc::clone(&context.keys);
    let write = move || {
        let archive = ArchiveWriter::begin(file, &header, &keys);
        let written = archive.and_then(|archive| write_all((&receive, &give_back), archive));
        // The other half may be gone: then nobody asks.
        let _ = done.send(written);
    };
    std::thread::Builder::new().name("backup-writer".to_owned()).spawn(write)?;
    let mut sink = ToArchive::new(send, spare, progress);
    let read = read_all(tx, &tables, &mut sink).await;
    drop(sink);
    match (read, written.await) {
        (Ok(()), Ok(written)) => Ok((created_at, written?.0)),
        // The writing half gave up first, or was given up.
        (Err(Error::Cancelled), Ok(Err(error))) | (Err(error), _) => Err(error),
        (Ok(()), Err(_)) => Err(Error::Cancelled),
    }
}

impl Restore {
    /// Opens a backup with the key file of the database that it is of.
    pub fn open(path: &Path, keys: &Keys) -> Result<Self, Error> {
        Self::knowing(&MIGRATIONS, path, keys)
    }

    /// As [`Restore::open`], for a program that knows these migrations.
    pub(super) fn knowing(
        known: &'static [Migration],
        path: &Path,
        keys: &Keys,
    ) -> Result<Self, Error> {
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => BackupError::NotFound(path.to_owned()).into(),
            _ => Error::from(error),
        })?;
        let (header, archive) = ArchiveReader::open(BufReader::new(file), keys)?;
        let filled = schema_of(&header, known)?;
        Ok(Self { header, archive, schemas: Schemas { known, filled } })
    }

    /// Restores it into an empty database: all of it, compared with what was backed up, or nothing. The
    /// context has the keys that the backup was opened with.
    pub async fn into(
        self,
        context: &Context,
        act: Act,
        progress: Arc<Progress>,
    ) -> Result<Restored, Error> {
        let Self { header, archive, schemas } = self;
        let (send, parts) = mpsc::sync_channel(BLOCKS);
        let reader = std::thread::Builder::new().name("backup-reader".to_owned());
        reader.spawn(move || send_parts(archive, &send))?;
        let (id, created_at) = (header.id, Timestamp(header.created_at));
        let after = json!({ "created_at": created_at.to_string() });
        let change = change(&id, ("backup", Action::Restored), after);
        let written = write_target(context, schemas, parts, (act, change), progress).await;
        let Written { tables, journal, migrated } = written?;
        Ok(Restored { id, created_at, tables, migrated, journal })
    }
}

/// What a restore or a copy wrote.
struct Written {
    tables: Vec<ComparedTable>,
    journal: Verdict,
    migrated: usize,
}

/// Fills an empty database in one transaction.
async fn write_target(
    context: &Context,
    schemas: Schemas,
    parts: Parts,
    (act, change): (Act, Change),
    progress: Arc<Progress>,
) -> Result<Written, Error> {
    let own = context.clone();
    let work = async move |tx: &mut Tx| {
        let tables = load(tx, schemas, parts, &progress).await?;
        let entry = (&act, change);
        let (journal, migrated) = take_over(tx, &own, schemas.known, entry, &progress).await?;
        progress.check()?;
        Ok::<_, Error>(Written { tables, journal, migrated })
    };
    let write = context.db.write_bulk(move |tx| async move { work(tx).await }.boxed());
    let written = write.await?;
    if let Err(error) = context.db.settle().await {
        // A log that cannot be folded back now is folded later.
        tracing::warn!(%error, "the log of a restore could not be folded back");
    }
    Ok(written)
}

/// Copies a database into an empty one, of either engine, in one reading and one writing transaction:
/// all of it, compared with what was read, or nothing. The names are for the journals.
pub async fn copy(
    (from, from_name): (&Context, String),
    (to, to_name): (&Db, String),
    act: Act,
    progress: Arc<Progress>,
) -> Result<Copied, Error> {
    let id = new_id(act.at)?;
    let entry = change(&id, ("copy", Action::Disclosed), json!({ "to": to_name }));
    disclose(from, act.clone(), entry, &progress).await?;
    let (send, parts) = mpsc::sync_channel(BLOCKS);
    let watched = Arc::clone(&progress);
    let read = async move |tx: &mut Tx| {
        let tables = tables(tx, &MIGRATIONS).await?;
        read_all(tx, &tables, &mut ToTarget::new(send, watched)).await
    };
    let read = from.db.read_bulk(move |tx| async move { read(tx).await }.boxed());
    let target = Context { db: to.clone(), ..from.clone() };
    let entry = change(&id, ("copy", Action::Restored), json!({ "from": from_name }));
    let schemas = Schemas { known: &MIGRATIONS, filled: &MIGRATIONS };
    let write = write_target(&target, schemas, parts, (act, entry), progress);
    let (read, written) = tokio::join!(read, write);
    match (read, written) {
        (_, Ok(Written { tables, journal, .. })) => Ok(Copied { id, tables, journal }),
        // One half gave up because the other did.
        (Err(Error::Cancelled) | Ok(()), Err(error)) | (Err(error), Err(_)) => Err(error),
    }
}

fn change(id: &str, (kind, action): (&'static str, Action), after: serde_json::Value) -> Change {
    Change {
        county: NO_COUNTY.to_owned(),
        kind,
        record: id.to_owned(),
        action,
        before: None,
        after: Some(after.to_string()),
    }
}

/// Who takes everything: journaled before a row is read, and with the right keys: a backup with others would
/// be found out when it is needed. An import that holds the store is waited for.
async fn disclose(
    context: &Context,
    act: Act,
    change: Change,
    progress: &Progress,
) -> Result<(), Error> {
    let keys = context.keys.clone();
    let check = async move |tx: &mut Tx| journal::check_keys(tx, &keys).await;
    context.db.read(move |tx| async move { check(tx).await }.boxed()).await?;
    let since = Instant::now();
    loop {
        let (keys, act, change) = (context.keys.clone(), act.anew(&*context.clock), change.clone());
        let write = context.db.write(move |tx| {
            async move { journal::record(tx, &keys, &act, vec![change]).await }.boxed()
        });
        match write.await {
            Err(Error::Store(DbError::Busy)) if since.elapsed() < PATIENCE => {
                progress.check()?;
                tokio::time::sleep(AGAIN).await;
            }
            written => return written,
        }
    }
}

/// A file that nobody takes for the backup, in the same folder; only its owner may read it.
fn partial_beside(out: &Path) -> io::Result<NamedTempFile> {
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!(".{name}.");
    tempfile::Builder::new().prefix(&prefix).suffix(".partial").tempfile_in(folder_of(out))
}

/// Gives a whole file its name, unless somebody was quicker to take it.
fn give_name(partial: NamedTempFile, out: &Path) -> Result<(), Error> {
    partial.persist_noclobber(out).map_err(|refused| match refused.error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(out.to_owned()).into(),
        _ => Error::from(refused.error),
    })?;
    // The name must outlive a power cut like the bytes.
    Ok(File::open(folder_of(out))?.sync_all()?)
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
