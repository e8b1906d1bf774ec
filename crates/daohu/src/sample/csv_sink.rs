//! The sample as CSV: UTF-8 without byte-order mark, comma-separated, one file per sheet.

use std::fs::{self, File};
use std::path::Path;

use super::{BySheet, Error, Row, Sheet, Sink};

/// Large enough that a province is not written in small pieces, small enough not to matter.
const BUFFER_BYTES: usize = 256 * 1024;

/// Writes one file for each sheet into a folder.
pub(crate) struct CsvSink(BySheet<csv::Writer<File>>);

impl CsvSink {
    /// Creates the folder if need be, and the files with their header lines. Files that are there
    /// already are replaced.
    ///
    /// # Errors
    /// When the folder or a file cannot be written.
    pub(crate) fn create(folder: &Path) -> Result<Self, Error> {
        fs::create_dir_all(folder)?;
        Ok(Self(BySheet::try_each(|sheet| open(folder, sheet))?))
    }

    /// Writes what is still in memory. Without this call a late failure stays unnoticed.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        for sheet in Sheet::ALL {
            self.0.of_mut(sheet).flush()?;
        }
        Ok(())
    }
}

impl Sink for CsvSink {
    fn row(&mut self, sheet: Sheet, row: &Row) -> Result<(), Error> {
        self.0.of_mut(sheet).write_record(row.cells())?;
        Ok(())
    }
}

fn open(folder: &Path, sheet: Sheet) -> Result<csv::Writer<File>, Error> {
    let file = File::create(folder.join(sheet.file()))?;
    let mut writer = csv::WriterBuilder::new().buffer_capacity(BUFFER_BYTES).from_writer(file);
    writer.write_record(sheet.header())?;
    Ok(writer)
}
