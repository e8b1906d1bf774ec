//! Exports: what `import` reads back as unchanged, row for row.
//!
//! Rows stream from the database to the file; the order is that of the keys as bytes, so that both
//! engines write the same files.

use std::{
    collections::HashMap,
    ops::ControlFlow,
    path::PathBuf,
    sync::{Arc, atomic::Ordering, mpsc},
};

use daohu_base::{AreaCode, Scope};
use daohu_db::{FutureExt, Value};
use daohu_policy::Policy;
use tokio::sync::oneshot;

use super::{
    import::Progress,
    table_writer::{ByteOrderMark, TableWriter},
};
use crate::{
    Context, Error, areas,
    households::rows as registry,
    journal::{self, Act, Action, Change},
    keys::Keys,
    sheet::{AREAS, HOUSEHOLDS, INCOMES, Masking, PERSONS, Printer, Sheet},
};

/// Rows handed over together.
const BATCH_ROWS: usize = 500;
/// Batches that may wait to be printed.
const BATCHES: usize = 4;

/// The form of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A folder of CSV files.
    Csv,
    /// One workbook.
    Xlsx,
}

/// What to export, and how.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    /// Whose rows: the subtree of this area, as far as the scope covers it.
    pub area: AreaCode,
    /// What the caller may see.
    pub scope: Scope,
    /// The sheets, in the order of reading.
    pub sheets: Vec<&'static Sheet>,
    /// Whether numbers that name a person are shown.
    pub masking: Masking,
    /// Why full numbers are taken, for the journal.
    pub reason: Option<String>,
    /// CSV or XLSX.
    pub format: Format,
    /// The folder (CSV) or file (XLSX) to write.
    pub out: PathBuf,
    /// Whether somebody watches: then the rows are counted first, which takes a while where they are
    /// many.
    pub is_watched: bool,
}

/// Writes the files; gives their names and the number of rows. The export is journaled before a
/// row leaves the database. Cancelled, it leaves no file.
pub async fn export(
    context: &Context,
    act: Act,
    options: ExportOptions,
    progress: Arc<Progress>,
) -> Result<(Vec<PathBuf>, u64), Error> {
    let scope = options.scope.narrowed_to(&options.area);
    if scope.is_nothing() {
        return Err(Error::NotFound("area"));
    }
    let area = options.area.clone();
    let known =
        context.db.read(move |tx| async move { areas::ops::is_known(tx, &area).await }.boxed());
    if !known.await? {
        return Err(Error::NotFound("area"));
    }
    // What lies above is for the owner of the store, who may want to fill an empty one.
    let with_above = options.scope == Scope::all();
    disclose(context, act.clone(), &options).await?;
    let today = act.at.day().to_string();
    let (policy, keys) = (Arc::clone(&context.policy), Arc::clone(&context.keys));
    let read = context.db.read_bulk(move |tx| {
        async move {
            if options.format == Format::Csv {
                std::fs::create_dir_all(&options.out)?;
            }
            let out = match options.format {
                Format::Csv => TableWriter::csv(&options.out, ByteOrderMark::With),
                Format::Xlsx => TableWriter::xlsx(&options.out)?,
            };
            if options.is_watched {
                // Of the same picture of the data: how far it is can be told in per cent.
                let total = count_all(tx, &options.sheets, &scope, with_above).await?;
                progress.rows_total.store(total, Ordering::Relaxed);
            }
            tx.prefer_streams().await?;
            let groups = areas::rows::tree(tx, &keys, &today).await?.group_names();
            let (send, receive) = mpsc::sync_channel(BATCHES);
            let (done, printed) = oneshot::channel();
            std::thread::spawn(move || {
                // The other half may be gone: then nobody asks.
                let _ = done.send(print_all(&receive, out, &policy, &groups, options.masking));
            });
            let mut run = Run { send, rows: Vec::new(), total: 0, progress: &progress };
            let read = read_all(tx, &keys, &options.sheets, &scope, with_above, &mut run).await;
            let total = run.total;
            drop(run);
            match (read, printed.await) {
                // The printing half gave up first, or was given up.
                (Ok(()), Ok(printed)) => Ok((printed?, total)),
                (Err(Error::Cancelled), Ok(Err(error))) | (Err(error), _) => Err(error),
                (Ok(()), Err(_)) => Err(Error::Cancelled),
            }
        }
        .boxed()
    });
    read.await
}

async fn count_all(
    tx: &mut daohu_db::Tx,
    sheets: &[&'static Sheet],
    scope: &Scope,
    with_above: bool,
) -> Result<u64, Error> {
    let mut total = 0;
    for sheet in sheets {
        total += match sheet.name == AREAS.name {
            true => areas::rows::count(tx, scope, with_above).await?,
            false => registry::count(tx, sheet, scope).await?,
        };
    }
    Ok(total)
}

/// What the reading half sends to the printing half.
enum Message {
    Begin(&'static Sheet),
    Rows(Vec<Vec<Value>>),
    /// All is read: the files are whole.
    End,
}

/// Reads all rows of the sheets.
async fn read_all(
    tx: &mut daohu_db::Tx,
    keys: &Keys,
    sheets: &[&'static Sheet],
    scope: &Scope,
    with_above: bool,
    run: &mut Run<'_>,
) -> Result<(), Error> {
    for sheet in sheets {
        run.progress.check()?;
        run.send(Message::Begin(sheet))?;
        let mut each = |values| run.row(values);
        match sheet.name {
            name if name == AREAS.name => {
                areas::rows::each(tx, keys, scope, with_above, &mut each).await?;
            }
            name if name == HOUSEHOLDS.name => {
                registry::each_household(tx, keys, scope, &mut each).await?;
            }
            name if name == PERSONS.name => {
                registry::each_person(tx, keys, scope, &mut each).await?;
            }
            name if name == INCOMES.name => {
                registry::each_income(tx, keys, scope, &mut each).await?;
            }
            _ => {}
        }
        run.flush()?;
    }
    run.send(Message::End)
}

/// The hand-over from the reading half to the printing half.
struct Run<'p> {
    send: mpsc::SyncSender<Message>,
    rows: Vec<Vec<Value>>,
    total: u64,
    progress: &'p Progress,
}

impl Run<'_> {
    fn row(&mut self, values: Vec<Value>) -> Result<ControlFlow<()>, Error> {
        self.rows.push(values);
        if self.rows.len() == BATCH_ROWS {
            self.flush()?;
        }
        Ok(ControlFlow::Continue(()))
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.progress.check()?;
        let rows = std::mem::replace(&mut self.rows, Vec::with_capacity(BATCH_ROWS));
        let count = u64::try_from(rows.len()).unwrap_or_default();
        self.total += count;
        self.progress.rows_done.fetch_add(count, Ordering::Relaxed);
        self.send(Message::Rows(rows))
    }

    /// An error if the printing half has given up.
    fn send(&self, message: Message) -> Result<(), Error> {
        self.send.send(message).map_err(|_| Error::Cancelled)
    }
}

/// The printing half: beside the reading one, on a thread of its own. Without an end nothing is left
/// of what it wrote.
fn print_all(
    receive: &mpsc::Receiver<Message>,
    mut out: TableWriter,
    policy: &Policy,
    groups: &HashMap<String, String>,
    masking: Masking,
) -> Result<Vec<PathBuf>, Error> {
    let mut printer = None;
    let mut cells: Vec<String> = Vec::new();
    while let Ok(message) = receive.recv() {
        match message {
            Message::Begin(sheet) => {
                out.begin(sheet, &[])?;
                let plain = Printer::new(sheet, policy, masking);
                printer = Some(plain.with_groups(groups.clone()));
            }
            Message::Rows(rows) => {
                let Some(printer) = &printer else { continue };
                for values in &rows {
                    cells.resize_with(values.len(), String::new);
                    for (i, (cell, value)) in cells.iter_mut().zip(values).enumerate() {
                        cell.clear();
                        printer.print(i, value, cell);
                    }
                    out.row(&cells)?;
                }
            }
            Message::End => return out.finish(),
        }
    }
    Err(Error::Cancelled)
}

/// Who took what: journaled before a row leaves the database.
async fn disclose(context: &Context, act: Act, options: &ExportOptions) -> Result<(), Error> {
    let sheets: Vec<&str> = options.sheets.iter().map(|sheet| sheet.name).collect();
    let masked = options.masking == Masking::Masked;
    let reason = &options.reason;
    let after = serde_json::json!({ "sheets": sheets, "masked": masked, "reason": reason });
    let after = after.to_string();
    let change = Change {
        county: options.area.county(),
        kind: "export",
        record: options.area.to_string(),
        action: Action::Disclosed,
        before: None,
        after: Some(after),
    };
    let keys = context.keys.clone();
    let write = context.db.write(move |tx| {
        async move { journal::record(tx, &keys, &act, vec![change]).await }.boxed()
    });
    write.await
}
