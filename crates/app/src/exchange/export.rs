//! Exports: what `import` reads back as unchanged, row for row.
//!
//! Rows stream from the database to the file; the order is that of the keys as bytes, so that both
//! engines write the same files.

use std::{
    ops::ControlFlow,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
};

use daohu_base::{AreaCode, Scope};
use daohu_db::{FutureExt, Value};

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
    if scope == Scope::nothing() {
        return Err(Error::NotFound("area"));
    }
    // What lies above is for the owner of the store, who may want to fill an empty one.
    let with_above = options.scope == Scope::all();
    disclose(context, act.clone(), &options).await?;
    let context_of = context.clone();
    let today = act.at.day().to_string();
    let read = context.db.read(move |tx| {
        async move {
            let Context { policy, keys, .. } = context_of;
            if options.format == Format::Csv {
                std::fs::create_dir_all(&options.out)?;
            }
            let mut out = match options.format {
                Format::Csv => TableWriter::csv(&options.out, ByteOrderMark::Without),
                Format::Xlsx => TableWriter::xlsx(&options.out)?,
            };
            let tree = areas::rows::tree(tx, &keys, &today).await?;
            let mut rows = 0;
            for sheet in &options.sheets {
                out.begin(sheet, &[])?;
                let printer = Printer::new(sheet, &policy, options.masking);
                let printer = printer.with_groups(tree.group_names());
                let progress = &progress;
                let mut line = Line { sheet, printer, cells: Vec::new(), with_above, progress };
                progress.check()?;
                rows += write_sheet(tx, &keys, &scope, &mut line, &mut out).await?;
            }
            Ok::<_, Error>((out.finish()?, rows))
        }
        .boxed()
    });
    read.await
}

async fn write_sheet(
    tx: &mut daohu_db::Tx,
    keys: &Keys,
    scope: &Scope,
    line: &mut Line<'_>,
    out: &mut TableWriter,
) -> Result<u64, Error> {
    let mut rows = 0;
    let (sheet, with_above) = (line.sheet.name, line.with_above);
    let mut each = |values: &[Value]| {
        line.progress.check()?;
        line.progress.rows_done.fetch_add(1, Ordering::Relaxed);
        rows += 1;
        out.row(line.print(values)).map(|()| ControlFlow::Continue(()))
    };
    match sheet {
        name if name == AREAS.name => {
            areas::rows::each(tx, keys, scope, with_above, &mut each).await?
        }
        name if name == HOUSEHOLDS.name => {
            registry::each_household(tx, keys, scope, &mut each).await?
        }
        name if name == PERSONS.name => registry::each_person(tx, keys, scope, &mut each).await?,
        name if name == INCOMES.name => registry::each_income(tx, keys, scope, &mut each).await?,
        _ => {}
    }
    Ok(rows)
}

/// Prints rows into cells that are reused.
struct Line<'p> {
    sheet: &'static Sheet,
    printer: Printer<'p>,
    cells: Vec<String>,
    /// Areas above the scope as well.
    with_above: bool,
    progress: &'p Progress,
}

impl Line<'_> {
    fn print(&mut self, values: &[Value]) -> &[String] {
        self.cells.resize_with(values.len(), String::new);
        for (i, (cell, value)) in self.cells.iter_mut().zip(values).enumerate() {
            cell.clear();
            self.printer.print(i, value, cell);
        }
        &self.cells
    }
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
