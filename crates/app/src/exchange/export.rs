//! Exports: what `import` reads back as unchanged, row for row.
//!
//! Rows stream from the database to the file; the order is that of the keys as bytes, so that both
//! engines write the same files.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering, mpsc},
};

use daohu_base::{AreaCode, Scope};
use daohu_db::{Error as DbError, FutureExt, Row, Tx, Value};
use daohu_policy::Policy;
use tokio::sync::oneshot;

use super::{
    parquet_writer::ParquetFolder,
    table_writer::{ByteOrderMark, TableWriter},
};
use crate::{
    Context, Error,
    accesses::{Visitor, rows as accesses},
    areas,
    households::rows as registry,
    jobs::Progress,
    journal::{self, Act, Action, Change},
    keys::Keys,
    registers::{self, Register},
    sheet::{AREAS, HOUSEHOLDS, INCOMES, Layout, Masking, PAIRINGS, PERSONS, Printer, Sheet},
};

/// Rows handed over together: few enough to be printed while they are still near the processor.
const BATCH_ROWS: u64 = 100;
/// Batches that may wait to be printed.
const BATCHES: usize = 16;

/// The form of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A folder of CSV files.
    Csv,
    /// One workbook.
    Xlsx,
    /// A folder of Parquet files: for programs, and not to be imported again.
    Parquet,
}

/// The files that are being written.
enum Files {
    Tables(TableWriter),
    Parquet(Box<ParquetFolder>),
}

impl Files {
    fn create(options: &ExportOptions) -> Result<Self, Error> {
        let (out, masking) = (&options.out, options.masking);
        if options.format != Format::Xlsx {
            std::fs::create_dir_all(out)?;
        }
        Ok(match options.format {
            Format::Csv => Self::Tables(TableWriter::csv(out, ByteOrderMark::With)),
            Format::Xlsx => Self::Tables(TableWriter::xlsx(out)?),
            Format::Parquet => Self::Parquet(Box::new(ParquetFolder::new(out, masking))),
        })
    }

    fn begin(&mut self, sheet: &'static Sheet) -> Result<(), Error> {
        match self {
            Self::Tables(tables) => tables.begin(sheet, &[]),
            Self::Parquet(folder) => folder.begin(sheet),
        }
    }

    /// Writes a row: of each column the value, and the cell as it is printed.
    fn row(&mut self, values: &[Value], texts: &[String]) -> Result<(), Error> {
        match self {
            Self::Tables(tables) => tables.row(texts),
            Self::Parquet(folder) => folder.row(values, texts),
        }
    }

    fn finish(self) -> Result<Vec<PathBuf>, Error> {
        match self {
            Self::Tables(tables) => tables.finish(),
            Self::Parquet(folder) => folder.finish(),
        }
    }
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
    /// CSV, XLSX or Parquet.
    pub format: Format,
    /// The folder (CSV, Parquet) or file (XLSX) to write.
    pub out: PathBuf,
    /// Whether somebody watches: then the rows are counted first, which takes a while where they are
    /// many.
    pub is_watched: bool,
}

/// How many rows of each sheet were written.
pub type SheetRows = Vec<(&'static Sheet, u64)>;

/// The files that an export of these sheets writes: one that is there already would be replaced.
pub fn files_of(sheets: &[&'static Sheet], format: Format, out: &Path) -> Vec<PathBuf> {
    let of = |ending: &str| {
        sheets.iter().map(|sheet| out.join(format!("{}.{ending}", sheet.name))).collect()
    };
    match format {
        Format::Csv => of("csv"),
        Format::Parquet => of("parquet"),
        Format::Xlsx => vec![out.to_owned()],
    }
}

/// Writes the files; gives their names and how many rows each sheet has. The export is journaled before a
/// row leaves the database. Cancelled, it leaves no file.
pub async fn export(
    context: &Context,
    act: Act,
    options: ExportOptions,
    progress: Arc<Progress>,
) -> Result<(Vec<PathBuf>, SheetRows), Error> {
    let scope = options.scope.narrowed_to(&options.area);
    if scope.is_nothing() {
        return Err(Error::NotFound("area"));
    }
    areas::ops::check_known(context, &options.area).await?;
    // What lies above is for the owner of the store, who may want to fill an empty one.
    let with_above = options.scope == Scope::all();
    disclose_sheets(context, act.clone(), &options).await?;
    let today = act.at.day().to_string();
    let (policy, keys) = (Arc::clone(&context.policy), Arc::clone(&context.keys));
    let read = context.db.read_bulk(move |tx| {
        async move {
            let out = Files::create(&options)?;
            if options.is_watched {
                // Of the same picture of the data: how far it is can be told in per cent.
                let total = count_all(tx, &options.sheets, &scope, with_above).await?;
                progress.rows_total.store(total, Ordering::Relaxed);
            }
            tx.prefer_streams().await?;
            let groups = areas::rows::tree(tx, &keys, &today).await?.group_names();
            let (send, receive) = mpsc::sync_channel(BATCHES);
            let (give_back, spare) = mpsc::channel();
            let (done, printed) = oneshot::channel();
            let print = move || {
                let from = (&receive, &give_back);
                let printed = print_all(from, out, (&policy, &keys), &groups, options.masking);
                // The other half may be gone: then nobody asks.
                let _ = done.send(printed);
            };
            std::thread::Builder::new().name("export-printer".to_owned()).spawn(print)?;
            let mut run = Run::new(send, spare, &progress);
            let read = read_all(tx, &options.sheets, &scope, with_above, &mut run).await;
            let rows = std::mem::take(&mut run.written);
            drop(run);
            match (read, printed.await) {
                // The printing half gave up first, or was given up.
                (Ok(()), Ok(printed)) => Ok((printed?, rows)),
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
        total += match Register::of(sheet) {
            _ if sheet.name == AREAS.name => areas::rows::count(tx, scope, with_above).await?,
            Some(register) => registers::rows::count(tx, register, scope, with_above).await?,
            None => registry::count(tx, sheet, scope).await?,
        };
    }
    Ok(total)
}

/// What the reading half sends to the printing half.
enum Message {
    Begin(&'static Layout),
    /// Cells of rows, one row after the other, as [`Layout::select_values`] has them: to open and to
    /// print them is as much work as to read them.
    Rows(Vec<Value>),
    /// All is read: the files are whole.
    End,
}

/// Reads all rows of the sheets.
async fn read_all(
    tx: &mut daohu_db::Tx,
    sheets: &[&'static Sheet],
    scope: &Scope,
    with_above: bool,
    run: &mut Run<'_>,
) -> Result<(), Error> {
    for sheet in sheets {
        if sheet.name == AREAS.name {
            run.begin(&areas::AREA)?;
            areas::rows::each(tx, scope, with_above, &mut |row| run.row(row)).await?;
        } else if let Some(register) = Register::of(sheet) {
            run.begin(register.layout())?;
            registers::rows::each(tx, register, scope, with_above, &mut |row| run.row(row)).await?;
        } else {
            let layout = registry::layout(sheet).ok_or(Error::NotFound("sheet"))?;
            run.begin(layout)?;
            registry::each(tx, layout, scope, &mut |row| run.row(row)).await?;
        }
        run.flush()?;
    }
    run.send(Message::End)
}

/// The hand-over from the reading half to the printing half.
struct Run<'p> {
    send: mpsc::SyncSender<Message>,
    /// Emptied by the other half: their room is at hand, new room has to be cleared first.
    spare: mpsc::Receiver<Vec<Value>>,
    width: usize,
    cells: Vec<Value>,
    rows: u64,
    written: SheetRows,
    progress: &'p Progress,
}

impl<'p> Run<'p> {
    fn new(
        send: mpsc::SyncSender<Message>,
        spare: mpsc::Receiver<Vec<Value>>,
        progress: &'p Progress,
    ) -> Self {
        Self { send, spare, width: 0, cells: Vec::new(), rows: 0, written: Vec::new(), progress }
    }

    fn begin(&mut self, layout: &'static Layout) -> Result<(), Error> {
        self.progress.check()?;
        self.width = layout.values_width();
        self.written.push((layout.sheet, 0));
        self.send(Message::Begin(layout))
    }

    fn row(&mut self, row: &mut Row) -> Result<(), Error> {
        if row.0.len() != self.width {
            // All rows after it would be cut at the wrong places.
            return Err(DbError::Column { index: row.0.len(), wanted: "a row's width" }.into());
        }
        self.cells.append(&mut row.0);
        self.rows += 1;
        if self.rows == BATCH_ROWS {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.progress.check()?;
        let cells = std::mem::replace(&mut self.cells, self.spare.try_recv().unwrap_or_default());
        let rows = std::mem::take(&mut self.rows);
        if let Some((_, written)) = self.written.last_mut() {
            *written += rows;
        }
        self.progress.rows_done.fetch_add(rows, Ordering::Relaxed);
        self.send(Message::Rows(cells))
    }

    /// An error if the printing half has given up.
    fn send(&self, message: Message) -> Result<(), Error> {
        self.send.send(message).map_err(|_| Error::Cancelled)
    }
}

/// The printing half: beside the reading one, on a thread of its own. Without an end nothing is left
/// of what it wrote.
fn print_all(
    (receive, give_back): (&mpsc::Receiver<Message>, &mpsc::Sender<Vec<Value>>),
    mut out: Files,
    (policy, keys): (&Policy, &Keys),
    groups: &HashMap<String, String>,
    masking: Masking,
) -> Result<Vec<PathBuf>, Error> {
    let mut begun = None;
    let mut values: Vec<Value> = Vec::new();
    let mut texts: Vec<String> = Vec::new();
    while let Ok(message) = receive.recv() {
        match message {
            Message::Begin(layout) => {
                out.begin(layout.sheet)?;
                let plain = Printer::new(layout.sheet, policy, masking);
                begun = Some((layout, plain.with_groups(groups.clone())));
            }
            Message::Rows(mut cells) => {
                let Some((layout, printer)) = &begun else { continue };
                for row in cells.chunks_exact_mut(layout.values_width()) {
                    layout.read_values(keys, row, &mut values)?;
                    texts.resize_with(values.len(), String::new);
                    for (i, (text, value)) in texts.iter_mut().zip(&values).enumerate() {
                        text.clear();
                        printer.print(i, value, text);
                    }
                    out.row(&values, &texts)?;
                }
                cells.clear();
                // The other half may be done: then nobody needs it.
                let _ = give_back.send(cells);
            }
            Message::End => return out.finish(),
        }
    }
    Err(Error::Cancelled)
}

/// The sheets that tell of households: an export of others is no look at one.
static OF_HOUSEHOLDS: [&Sheet; 4] = [&HOUSEHOLDS, &PERSONS, &INCOMES, &PAIRINGS];

/// Who took what, in the words of the journal.
async fn disclose_sheets(
    context: &Context,
    act: Act,
    options: &ExportOptions,
) -> Result<(), Error> {
    let sheets: Vec<&str> = options.sheets.iter().map(|sheet| sheet.name).collect();
    let masked = options.masking == Masking::Masked;
    let reason = &options.reason;
    let told = serde_json::json!({ "sheets": sheets, "masked": masked, "reason": reason });
    let is_seen = |sheet: &Sheet| OF_HOUSEHOLDS.iter().any(|of| std::ptr::eq(*of, sheet));
    let is_look = options.sheets.iter().any(|sheet| is_seen(sheet));
    disclose(context, act, (std::slice::from_ref(&options.area), is_look), &told).await
}

/// Who took what of these areas: journaled, and noted as a look at their households if it is one, before a row
/// leaves the database.
pub(crate) async fn disclose(
    context: &Context,
    act: Act,
    (areas, is_look): (&[AreaCode], bool),
    told: &serde_json::Value,
) -> Result<(), Error> {
    if areas.is_empty() {
        // Nothing leaves of which nobody could say where it was.
        return Err(Error::NotFound("area"));
    }
    let change = |area: &AreaCode| Change {
        county: area.county(),
        kind: "export",
        record: area.to_string(),
        action: Action::Disclosed,
        before: None,
        after: Some(told.to_string()),
    };
    let changes: Vec<Change> = areas.iter().map(change).collect();
    let keys = context.keys.clone();
    let visitor = Visitor { actor: act.actor.clone(), address: None, at: act.at };
    let looked_at = areas.iter().filter(|_| is_look);
    let looks: Vec<_> = looked_at.map(|area| accesses::Access::export(&visitor, area)).collect();
    let work = async move |tx: &mut Tx| {
        journal::record(tx, &keys, &act, changes).await?;
        Ok(accesses::write(tx, &looks).await?)
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}
