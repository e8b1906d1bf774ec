//! The import as a whole.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use daohu_base::{Scope, Timestamp};
use daohu_db::{Engine, FutureExt, Tx};
use serde::Serialize;
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::{
    alike::{Candidates, repeated},
    check::Checker,
    contest::{Contests, contested},
    decide::Decider,
    follow::Moves,
    group::Groups,
    passes::{Run, decide_all, decide_registers, follow_all, settle_all},
    registers::{Brought, Registers},
    relied::{self, Claim},
    stage::{Reading, Staged, stage},
    writes::{Author, Writes},
};
use crate::{
    Context, Error, Lang, accounts, areas,
    exchange::{
        FileError, FileProblem, disk,
        outcome::{Collected, Counts, Outcomes, RowReport},
        report,
        source::{TableRef, tables},
        spill::Sorted,
    },
    households::{Serials, rows as registry},
    jobs::{Progress, Ticket},
    journal::{self, Act, Draft, Span},
    keys::Keys,
    sheet::{AREAS, HOUSEHOLDS, Sheet},
    undo,
};

/// Rows written in one batch: bounds the memory between the two halves of an import, where each row waits
/// beside its journal entry, which is not packed yet. On PostgreSQL a batch is a COPY into each table, and
/// the fewer the better.
pub(super) const fn batch_rows(engine: Engine) -> usize {
    match engine {
        Engine::Sqlite => 2_000,
        Engine::Postgres => 4_000,
    }
}
/// Batches that may wait for the database.
const BATCHES: usize = 1;
/// How often an import that waits for another one looks whether it is to go on.
const LOOK: Duration = Duration::from_millis(200);

/// What a refused row does to the import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// Nothing is stored.
    Abort,
    /// The other rows go in.
    RejectRow,
}

/// What a blank cell does to a stored value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blank {
    /// It stays.
    Keep,
    /// It is erased.
    Clears,
}

/// How to import.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each names an option of the command")]
pub struct ImportOptions {
    pub on_error: OnError,
    pub blank: Blank,
    pub dry_run: bool,
    pub lang: Lang,
    /// Rows outside are refused like rows of unknown villages.
    pub scope: Scope,
    /// Where rows of a sheet of areas are taken. Nowhere: the sheet is refused. Groups that households
    /// name are made wherever the household may be.
    pub areas: Scope,
    /// The report workbook to write.
    pub report: Option<PathBuf>,
    /// Where to sort what does not fit into memory; beside the database if it is not said, or where
    /// the system keeps temporary files if the database is no file.
    pub work_folder: Option<PathBuf>,
}

/// What an import did.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// True if anything was stored.
    pub committed: bool,
    /// The import's id, by which it can be undone; none if nothing was stored.
    pub id: Option<String>,
    /// True if a report was asked for and written: one that fails does not undo what is stored.
    #[serde(skip)]
    pub has_report: bool,
    /// Counts by sheet; outcomes add up to the rows.
    pub sheets: BTreeMap<&'static str, Counts>,
    /// Headers that were not known and were ignored, by file.
    pub unknown_columns: BTreeMap<String, Vec<String>>,
    /// The first rows with something to say about them, refused ones first.
    pub problems: Vec<RowReport>,
}

/// Imports files and folders.
///
/// Errors: a file that cannot be read as a whole, cancellation, storage. Refused rows are no error:
/// the summary tells.
pub async fn import(
    context: &Context,
    act: Act,
    paths: Vec<PathBuf>,
    options: ImportOptions,
    ticket: Ticket,
) -> Result<Summary, Error> {
    let progress = &ticket.progress;
    let tables = find_tables(&paths)?;
    check_areas(&tables, &options.areas)?;
    let folder = options.work_folder.clone().unwrap_or_else(|| disk::work_folder(context));
    let any = context.db.read(|tx| async move { registry::any_household(tx).await }.boxed());
    let room = disk::Import {
        work_folder: &folder,
        stores: !options.dry_run,
        is_first: !any.await?,
        reports: options.report.is_some(),
    };
    disk::check_import(context, &tables, &room)?;
    let unknown_columns = unknown_columns(&tables);
    let staged = read(context, &act, &tables, (&options, folder.into()), progress).await?;
    let refused = staged.outcomes.any_rejected() && options.on_error == OnError::Abort;
    let store = !options.dry_run && !refused;
    let id = match &ticket.run {
        _ if !store => None,
        Some(run) => Some(run.job.clone()),
        None => Some(accounts::new_id(act.at)?),
    };
    let import = id.clone();
    let collected = decide_and_write(context, act, staged, &options, &ticket, import).await?;
    let rejected = collected.counts.values().any(|counts| counts.rejected > 0);
    let committed = store && !(rejected && options.on_error == OnError::Abort);
    let Collected { counts, problems, all } = collected;
    let mut has_report = false;
    if let (Some(path), Some(all)) = (&options.report, all) {
        match report::write(path, &tables, all, options.lang) {
            Ok(()) => has_report = true,
            // Stored is stored, whatever goes wrong afterwards.
            Err(error) if committed => tracing::error!(%error, "the report could not be written"),
            Err(error) => return Err(error),
        }
    }
    if committed && let Err(error) = context.db.settle().await {
        // A log that cannot be folded back now is folded later.
        tracing::warn!(%error, "the log of an import could not be folded back");
    }
    let id = id.filter(|_| committed);
    Ok(Summary { committed, id, has_report, sheets: counts, unknown_columns, problems })
}

/// The tables of all paths, in the order of the sheets.
fn find_tables(paths: &[PathBuf]) -> Result<Vec<TableRef>, Error> {
    let mut all = Vec::new();
    for path in paths {
        all.extend(tables(path)?);
    }
    let order = |table: &TableRef| Sheet::ALL.iter().position(|s| s.name == table.sheet.name);
    all.sort_by_key(order);
    Ok(all)
}

/// Refuses a sheet of areas from those who may change none, before anything is read.
fn check_areas(tables: &[TableRef], areas: &Scope) -> Result<(), FileError> {
    let mut tables = tables.iter().filter(|table| table.sheet.name == AREAS.name);
    let Some(table) = tables.next().filter(|_| areas.is_nothing()) else { return Ok(()) };
    let error = FileError::new(&table.path, FileProblem::AreasNotAllowed);
    Err(match &table.worksheet {
        Some(worksheet) => error.in_sheet(worksheet),
        None => error,
    })
}

fn unknown_columns(tables: &[TableRef]) -> BTreeMap<String, Vec<String>> {
    let with_unknown = tables.iter().filter(|table| !table.unknown.is_empty());
    with_unknown.map(|table| (file_name(table), table.unknown.clone())).collect()
}

fn file_name(table: &TableRef) -> String {
    let name = table.path.file_name().unwrap_or_default().to_string_lossy();
    match &table.worksheet {
        Some(worksheet) => format!("{name} / {worksheet}"),
        None => name.into_owned(),
    }
}

/// The first pass, on a thread that may block.
async fn read(
    context: &Context,
    act: &Act,
    tables: &[TableRef],
    (options, folder): (&ImportOptions, Arc<Path>),
    progress: &Arc<Progress>,
) -> Result<Staged, Error> {
    let reading = Reading {
        policy: Arc::clone(&context.policy),
        keys: Arc::clone(&context.keys),
        progress: Arc::clone(progress),
        today: act.at.day(),
        lang: options.lang,
        folder,
    };
    let names: Vec<_> = tables.iter().map(|table| (table.sheet, file_name(table))).collect();
    let keep_all = options.report.is_some();
    let tables = tables.to_vec();
    let work = move || {
        let keep_all = keep_all.then_some(&reading.folder);
        stage(&reading, &tables, || Outcomes::new(names.clone(), keep_all))
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Cancelled)?
}

/// What the deciding half sends to the writing half.
pub(super) enum Message {
    Batch(Box<Writes>, Draft),
    /// All is decided: the ID numbers, sorted, and the serials that were used.
    End {
        keys: Sorted,
        serials: Serials,
    },
}

/// The second pass. One half reads the store and decides, household by household; the other holds
/// the write transaction and writes what it is sent. The transaction is opened first: no other import
/// comes between, and on SQLite nobody at all. What clerks change on PostgreSQL is found by the
/// versions of rows and by [`relied`].
async fn decide_and_write(
    context: &Context,
    act: Act,
    staged: Staged,
    options: &ImportOptions,
    ticket: &Ticket,
    import: Option<String>,
) -> Result<Collected, Error> {
    let progress = &ticket.progress;
    let Some(import) = import else {
        let decided = decide_only(context, act, staged, options, progress, None).await?;
        return Ok(decided.collect()?);
    };
    let (send, mut receive) = mpsc::channel::<Message>(BATCHES);
    let (opened, when_opened) = oneshot::channel::<Start>();
    let (at, by) = (act.at, act.actor.name.clone());
    let abort = options.on_error == OnError::Abort;
    let noted = ticket.clone();
    let (keys, runtime) = (Arc::clone(&context.keys), Handle::current());
    let db = context.db.clone();
    // A task of its own: whoever is stopped while another import is stored need not wait for that one.
    // When its turn comes, nothing is sent to it, and it is rolled back.
    let writer = tokio::spawn(async move {
        let write = async move |tx: &mut Tx| {
            let serials = registry::lock_serials(tx).await?;
            let is_empty = !registry::any_household(tx).await?;
            let mut suspended = Vec::new();
            if is_empty {
                suspended.push(journal::fill(tx).await?);
                suspended.push(registry::fill(tx).await?);
            }
            // The other half may be gone already; then nothing comes and nothing is written.
            let _ = opened.send(Start { serials, is_empty });
            let spans = write_all(tx, &mut receive, at, (&keys, &runtime)).await?;
            undo::rows::remember(tx, &import, (at, &by), &spans).await?;
            for indexes in suspended {
                tx.resume_indexes(indexes).await?;
            }
            tx.tell_planner_what_grew().await?;
            noted.set_stored(tx, at).await
        };
        db.write_bulk(move |tx| async move { write(tx).await }.boxed()).await
    });
    let decided = match its_turn(when_opened, progress).await? {
        Some(start) => {
            // Reading the files took its time; what others wrote meanwhile comes before.
            let act = act.anew(&*context.clock);
            decide_only(context, act, staged, options, progress, Some((send, start))).await
        }
        None => Err(Error::Cancelled),
    };
    let written = writer.await.map_err(|_| Error::Cancelled)?;
    let outcomes = match (written, decided) {
        (Ok(()), Ok(outcomes)) => outcomes,
        // The writer saw the channel close early; the reason is the other half's.
        (Err(Error::Cancelled) | Ok(()), Err(error)) => return Err(error),
        (Err(Error::Cancelled), Ok(outcomes)) if abort && outcomes.any_rejected() => outcomes,
        (Err(error), _) => return Err(error.met_meanwhile()),
    };
    Ok(outcomes.collect()?)
}

/// Waits until the writing transaction is open; none if it failed.
async fn its_turn(
    mut opened: oneshot::Receiver<Start>,
    progress: &Progress,
) -> Result<Option<Start>, Error> {
    loop {
        match timeout(LOOK, &mut opened).await {
            Ok(start) => return Ok(start.ok()),
            Err(_) => progress.check()?,
        }
    }
}

async fn write_all(
    tx: &mut Tx,
    receive: &mut mpsc::Receiver<Message>,
    at: Timestamp,
    (keys, runtime): (&Arc<Keys>, &Handle),
) -> Result<Vec<Span>, Error> {
    let mut journal = journal::Bulk::default();
    while let Some(message) = receive.recv().await {
        match message {
            Message::Batch(writes, draft) => {
                journal.lock_for(tx, &draft).await?;
                // Entries are packed, sealed and chained beside the other writes.
                let keys = Arc::clone(keys);
                let linking = runtime.spawn_blocking(move || {
                    let linked = journal.link(&keys, draft);
                    (journal, linked)
                });
                writes.apply(tx).await?;
                let (back, linked) = linking.await.map_err(|_| Error::Cancelled)?;
                journal = back;
                linked?.insert(tx).await?;
            }
            Message::End { keys, serials } => {
                write_keys(tx, keys).await?;
                registry::set_serials(tx, serials).await?;
                return journal.finish(tx, at).await;
            }
        }
    }
    // The sender went away without an end: roll back.
    Err(Error::Cancelled)
}

/// What the deciding half must know of the writer's transaction.
struct Start {
    serials: Serials,
    /// True if there is no household yet: then there is nothing to look up.
    is_empty: bool,
}

/// Writes who holds which ID number; of several claims to one number the last counts.
async fn write_keys(tx: &mut Tx, mut keys: Sorted) -> Result<(), Error> {
    let batch_rows = batch_rows(tx.engine());
    let mut claims: Vec<Claim> = Vec::with_capacity(batch_rows);
    while let Some((_, value)) = keys.next()? {
        let claim: Claim = postcard::from_bytes(&value).map_err(std::io::Error::other)?;
        if claims.last().is_some_and(|last| last.identity == claim.identity) {
            claims.pop();
        } else if claims.len() >= batch_rows {
            relied::write(tx, &claims).await?;
            claims.clear();
        }
        claims.push(claim);
    }
    relied::write(tx, &claims).await
}

type Sender = (mpsc::Sender<Message>, Start);

/// Decides everything in one reading transaction; with a sender, also hands on what to write.
async fn decide_only(
    context: &Context,
    act: Act,
    staged: Staged,
    options: &ImportOptions,
    progress: &Arc<Progress>,
    send: Option<Sender>,
) -> Result<Outcomes, Error> {
    let (keys, policy) = (Arc::clone(&context.keys), Arc::clone(&context.policy));
    let (options, progress) = (options.clone(), Arc::clone(progress));
    context
        .db
        .read_bulk(move |tx| {
            async move {
                let today = act.at.day();
                let checker = Checker::new(&policy, today, options.lang);
                let (send, Start { serials, is_empty }) = match send {
                    Some((send, start)) => (Some(send), start),
                    None => {
                        let is_empty = !registry::any_household(tx).await?;
                        (None, Start { serials: Serials::new(), is_empty })
                    }
                };
                let mut decider = Decider {
                    author: Author { keys: &keys, act: &act },
                    checker,
                    scope: &options.scope,
                    areas: &options.areas,
                    tree: areas::rows::tree(tx, &keys, &today.to_string()).await?,
                    contests: Contests::new(),
                    serials,
                    present: staged.present,
                    blank_clears: options.blank == Blank::Clears,
                    outcomes: staged.outcomes,
                    writes: Writes::default(),
                    moves: Moves::new(&staged.folder),
                    candidates: Candidates::default(),
                    brought: Brought::default(),
                };
                let stored_areas = match staged.areas.is_empty() {
                    true => Vec::new(),
                    false => areas::rows::all(tx, &keys).await?,
                };
                decider.decide_areas(&staged.areas, &stored_areas)?;
                let mut run = Run::new(send, &staged.folder);
                let mut registers = Registers::new(staged.registers)?;
                let helpers = Some(&HOUSEHOLDS);
                decide_registers(tx, &mut decider, &mut registers, helpers, &mut run, &progress)
                    .await?;
                let (contests, mut homes) = contested(&mut { staged.numbers })?;
                let (candidates, alike) = repeated(&mut { staged.alikes })?;
                homes.extend(alike);
                let mut groups = Groups::new(staged.rows)?;
                decider.contests = contests;
                decider.candidates = candidates;
                if !homes.is_empty() {
                    settle_all(tx, &mut decider, &mut groups, &homes, is_empty).await?;
                }
                decide_all(tx, &mut decider, &mut groups, is_empty, &mut run, &progress).await?;
                decide_registers(tx, &mut decider, &mut registers, None, &mut run, &progress)
                    .await?;
                let abort = options.on_error == OnError::Abort;
                if run.send.is_some() && !(abort && decider.outcomes.any_rejected()) {
                    let moves = std::mem::replace(&mut decider.moves, Moves::new(&staged.folder));
                    follow_all(tx, &mut decider, moves, &mut run, &progress).await?;
                    run.end(&mut decider).await?;
                }
                Ok(decider.outcomes)
            }
            .boxed()
        })
        .await
}
