//! Reading all tables of a picture, and where their rows go.

use std::{
    io::Write,
    ops::ControlFlow,
    sync::{Arc, mpsc},
};

use daohu_db::{Migration, Row, StoredTable, Tx, Value, tables_of};

use super::{
    archive::ArchiveWriter,
    error::BackupError,
    model::{BLOCK_BYTES_MAX, Part, RowsBlock, Sums, TableSum},
    progress::{Phase, Progress},
};
use crate::Error;

/// Blocks that may wait for the other half.
pub(super) const BLOCKS: usize = 2;

/// Takes tables with their rows.
pub(super) trait Sink: Send {
    /// A table begins.
    fn table(&mut self, table: &StoredTable) -> Result<(), Error>;
    /// A row of it.
    fn row(&mut self, row: &mut Row) -> Result<(), Error>;
    /// That was all.
    fn end(&mut self) -> Result<(), Error>;
}

/// The tables that the migrations made, as they stand in the database.
pub(super) async fn tables(
    tx: &mut Tx,
    schema: &'static [Migration],
) -> Result<Vec<StoredTable>, Error> {
    let mut tables = Vec::new();
    for wanted in tables_of(schema)? {
        let stored = tx.stored_table(&wanted.name).await?;
        let stored = stored.filter(|stored| stored.is_like(&wanted));
        tables.push(stored.ok_or(BackupError::OtherTable { table: wanted.name })?);
    }
    Ok(tables)
}

/// Reads every row of these tables.
pub(super) async fn read_all(
    tx: &mut Tx,
    tables: &[StoredTable],
    sink: &mut impl Sink,
) -> Result<(), Error> {
    for table in tables {
        sink.table(table)?;
        tx.each_stored_row(table, |row| {
            sink.row(row)?;
            Ok::<_, Error>(ControlFlow::Continue(()))
        })
        .await?;
    }
    sink.end()
}

/// What the reading half of a backup sends to the writing half.
pub(super) enum Message {
    Table(StoredTable),
    Rows(RowsBlock),
    /// All is read: without it the archive is not whole.
    End,
}

/// Hands on blocks of rows to be written.
pub(super) struct ToArchive {
    send: mpsc::SyncSender<Message>,
    /// Emptied by the other half: their room is at hand.
    spare: mpsc::Receiver<RowsBlock>,
    block: RowsBlock,
    table: String,
    progress: Arc<Progress>,
}

impl ToArchive {
    pub(super) fn new(
        send: mpsc::SyncSender<Message>,
        spare: mpsc::Receiver<RowsBlock>,
        progress: Arc<Progress>,
    ) -> Self {
        progress.enter(Phase::Rows);
        let (block, table) = Default::default();
        Self { send, spare, block, table, progress }
    }

    fn flush(&mut self) -> Result<(), Error> {
        if self.block.is_empty() {
            return Ok(());
        }
        if self.block.bytes().len() > BLOCK_BYTES_MAX {
            return Err(BackupError::RowTooLarge { table: self.table.clone() }.into());
        }
        let next = self.spare.try_recv().unwrap_or_default();
        let full = std::mem::replace(&mut self.block, next);
        self.progress.add(full.len(), full.bytes().len())?;
        self.send(Message::Rows(full))
    }

    /// An error if the writing half has given up.
    fn send(&self, message: Message) -> Result<(), Error> {
        self.send.send(message).map_err(|_| Error::Cancelled)
    }
}

impl Sink for ToArchive {
    fn table(&mut self, table: &StoredTable) -> Result<(), Error> {
        self.flush()?;
        self.table.clone_from(&table.name);
        self.send(Message::Table(table.clone()))
    }

    fn row(&mut self, row: &mut Row) -> Result<(), Error> {
        if self.block.push(&row.0) { self.flush() } else { Ok(()) }
    }

    fn end(&mut self) -> Result<(), Error> {
        self.flush()?;
        self.send(Message::End)
    }
}

/// The writing half of a backup, beside the reading one: adds up, compresses, encrypts and writes. Gives
/// what the tables hold, and where it was written.
pub(super) fn write_all<W: Write>(
    (receive, give_back): (&mpsc::Receiver<Message>, &mpsc::Sender<RowsBlock>),
    mut archive: ArchiveWriter<W>,
) -> Result<(Vec<TableSum>, W), Error> {
    let mut sums = Sums::default();
    while let Ok(message) = receive.recv() {
        match message {
            Message::Table(table) => {
                sums.begin(&table.name);
                archive.block(&Part::table(&table).map_err(std::io::Error::other)?)?;
            }
            Message::Rows(mut block) => {
                sums.add_block(&block);
                archive.block(block.bytes())?;
                block.clear();
                // The other half may be done: then nobody needs it.
                let _ = give_back.send(block);
            }
            Message::End => {
                let sums = sums.finish();
                let out = archive.finish(&Part::end(&sums).map_err(std::io::Error::other)?)?;
                return Ok((sums, out));
            }
        }
    }
    Err(Error::Cancelled)
}

/// Hands on rows to be stored elsewhere.
pub(super) struct ToTarget {
    send: mpsc::SyncSender<Result<Part, Error>>,
    rows: Vec<Vec<Value>>,
    /// The same rows, to be added up.
    block: RowsBlock,
    sums: Sums,
    progress: Arc<Progress>,
}

impl ToTarget {
    pub(super) fn new(
        send: mpsc::SyncSender<Result<Part, Error>>,
        progress: Arc<Progress>,
    ) -> Self {
        let (rows, block, sums) = Default::default();
        Self { send, rows, block, sums, progress }
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.progress.check()?;
        self.sums.add_block(&self.block);
        self.block.clear();
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() { Ok(()) } else { self.send(Part::Rows(rows)) }
    }

    /// An error if the other half has given up.
    fn send(&self, part: Part) -> Result<(), Error> {
        self.send.send(Ok(part)).map_err(|_| Error::Cancelled)
    }
}

impl Sink for ToTarget {
    fn table(&mut self, table: &StoredTable) -> Result<(), Error> {
        self.flush()?;
        self.sums.begin(&table.name);
        self.send(Part::Table(table.clone()))
    }

    fn row(&mut self, row: &mut Row) -> Result<(), Error> {
        let is_full = self.block.push(&row.0);
        self.rows.push(std::mem::take(&mut row.0));
        if is_full { self.flush() } else { Ok(()) }
    }

    fn end(&mut self) -> Result<(), Error> {
        self.flush()?;
        let sums = self.sums.finish();
        self.send(Part::End(sums))
    }
}
