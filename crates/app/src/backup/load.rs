//! Filling an empty database, and comparing what it holds then with what was to go in.

use std::{io::BufRead, ops::ControlFlow, sync::mpsc};

use daohu_db::{Error as DbError, Migration, StoredTable, Tx, tables_of};

use super::{
    archive::ArchiveReader,
    error::BackupError,
    model::{ComparedTable, Part, RowsBlock, Sums, TableSum, compare},
    progress::{Phase, Progress},
};
use crate::{
    Context, Error, accounts, http, jobs,
    journal::{self, Act, Change, Depth, Verdict},
};

/// Where parts come from. Its other end goes away when there are no more.
pub(super) type Parts = mpsc::Receiver<Result<Part, Error>>;

/// Which tables: those of all migrations of the program, and those that are filled.
#[derive(Clone, Copy)]
pub(super) struct Schemas {
    pub(super) known: &'static [Migration],
    pub(super) filled: &'static [Migration],
}

/// Reads an archive, on a thread of its own, until its end or until nobody wants more.
pub(super) fn send_parts(
    mut archive: ArchiveReader<impl BufRead>,
    send: &mpsc::SyncSender<Result<Part, Error>>,
) {
    let (mut width, mut has_ended) = (0, false);
    loop {
        let block = archive.block();
        let damaged = || BackupError::Damaged { block: archive.number() };
        let part = match block {
            Ok(None) if has_ended => return,
            Ok(Some(block)) if !has_ended => Part::read(&block, width).ok_or_else(damaged),
            Ok(_) => Err(damaged()),
            Err(error) => {
                // Whoever is to be told may be gone.
                let _ = send.send(Err(error));
                return;
            }
        };
        match &part {
            Ok(Part::Table(table)) => width = table.columns.len(),
            Ok(Part::End(_)) => has_ended = true,
            _ => {}
        }
        let is_good = part.is_ok();
        if send.send(part.map_err(Error::from)).is_err() || !is_good {
            return;
        }
    }
}

/// Makes the tables, fills them, and reads them again; gives what went in beside what is there.
pub(super) async fn load(
    tx: &mut Tx,
    schemas: Schemas,
    parts: Parts,
    progress: &Progress,
) -> Result<Vec<ComparedTable>, Error> {
    let made = tx.make_anew(schemas.known, schemas.filled).await;
    made.map_err(|error| match error {
        DbError::NotEmpty(table) => BackupError::NotEmpty { table }.into(),
        other => Error::from(other),
    })?;
    let wanted = tables_of(schemas.filled)?;
    let names: Vec<&str> = wanted.iter().map(|table| table.name.as_str()).collect();
    let suspended = tx.suspend_indexes(&names).await?;
    progress.enter(Phase::Rows);
    let (tables, sums) = fill(tx, &wanted, parts, progress).await?;
    progress.enter(Phase::Indexes);
    tx.resume_indexes(suspended).await?;
    progress.enter(Phase::Comparing);
    let found = sums_of(tx, &tables, progress).await?;
    Ok(compare(sums, found)?)
}

/// Stores all rows; gives the tables, and what they must hold now.
async fn fill(
    tx: &mut Tx,
    wanted: &[StoredTable],
    parts: Parts,
    progress: &Progress,
) -> Result<(Vec<StoredTable>, Vec<TableSum>), Error> {
    let mut tables: Vec<StoredTable> = Vec::new();
    let mut sums = None;
    while let Ok(part) = parts.recv() {
        match part? {
            Part::Table(table) => {
                let is_wanted = wanted.iter().any(|wanted| wanted.is_like(&table));
                if !is_wanted || tables.iter().any(|known| known.name == table.name) {
                    return Err(BackupError::OtherTable { table: table.name }.into());
                }
                tables.push(table);
            }
            Part::Rows(rows) => {
                let table = tables.last().ok_or(BackupError::Damaged { block: 0 })?;
                let inserted = tx.insert_stored_rows(table, &rows).await;
                inserted.map_err(|error| of_table(error, table))?;
                progress.add(rows.len(), 0)?;
            }
            Part::End(told) => sums = Some(told),
        }
    }
    // Whoever sends went away before the end.
    let sums = sums.ok_or(Error::Cancelled)?;
    let missing = wanted.iter().find(|wanted| tables.iter().all(|table| !wanted.is_like(table)));
    if let Some(missing) = missing {
        return Err(BackupError::OtherTable { table: missing.name.clone() }.into());
    }
    // The sums of a good archive are those of its tables, in their order; any other differs.
    Ok((tables, sums))
}

/// What a value that is refused is: SQLite keeps whatever is written into a column, PostgreSQL does not.
fn of_table(error: DbError, table: &StoredTable) -> Error {
    let refused = |why: String| BackupError::DoesNotFit { table: table.name.clone(), why };
    match error {
        DbError::Column { index, wanted } => {
            let column = table.columns.get(index).map_or("", |column| column.name.as_str());
            refused(format!("{column}: {wanted}")).into()
        }
        DbError::Violation(_) => refused(error.to_string()).into(),
        other => other.into(),
    }
}

/// What these tables hold.
async fn sums_of(
    tx: &mut Tx,
    tables: &[StoredTable],
    progress: &Progress,
) -> Result<Vec<TableSum>, Error> {
    let (mut sums, mut block) = (Sums::default(), RowsBlock::default());
    for table in tables {
        sums.begin(&table.name);
        tx.each_stored_row(table, |row| {
            if block.push(&row.0) {
                sums.add_block(&block);
                progress.add(block.len(), block.bytes().len())?;
                block.clear();
            }
            Ok::<_, Error>(ControlFlow::Continue(()))
        })
        .await?;
        sums.add_block(&block);
        block.clear();
    }
    Ok(sums.finish())
}

/// What makes of the tables an installation's: brings them up to date, ends what belonged to servers that
/// are not of this database, writes the entry and verifies the journal. Gives the verdict, and how many
/// migrations were applied.
///
/// A journal that is not whole is stored as it is and told: it was so where the tables come from, and
/// they may be all that is left.
pub(super) async fn take_over(
    tx: &mut Tx,
    context: &Context,
    known: &'static [Migration],
    (act, change): (&Act, Change),
    progress: &Progress,
) -> Result<(Verdict, usize), Error> {
    let applied = tx.migrate(known).await?;
    accounts::end_all_sessions(tx).await?;
    http::forget_answers(tx).await?;
    jobs::rows::interrupt_all(tx, act.at).await?;
    journal::record(tx, &context.keys, act, vec![change]).await?;
    progress.enter(Phase::Verifying);
    let verdict = journal::verify(tx, &context.keys, None, (Depth::Chains, &[])).await?;
    Ok((verdict, applied))
}
