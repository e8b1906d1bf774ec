//! Room on the disk, asked for before the work begins: a disk that fills up in the middle of an
//! import stops everybody's work, not only the import.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use daohu_policy::Exchange;

use super::source::TableRef;
use crate::{Context, Error};

/// So many bytes in this folder.
pub(crate) struct Need {
    pub(crate) folder: PathBuf,
    pub(crate) bytes: u64,
}

impl Need {
    pub(crate) fn new(folder: impl Into<PathBuf>, bytes: u64) -> Self {
        Self { folder: folder.into(), bytes }
    }
}

/// Refuses if there is not room for all of it, and some to spare for everything else. Folders on one
/// disk share its room.
pub(crate) fn check(limits: &Exchange, needs: &[Need]) -> Result<(), Error> {
    let mut disks: Vec<(u64, &Path, u64)> = Vec::new();
    for need in needs.iter().filter(|need| need.bytes > 0) {
        let disk = fs::metadata(&need.folder)?.dev();
        match disks.iter_mut().find(|(known, ..)| *known == disk) {
            Some((.., bytes)) => *bytes = bytes.saturating_add(need.bytes),
            None => disks.push((disk, &need.folder, need.bytes)),
        }
    }
    for (_, folder, bytes) in disks {
        let (needed, free) = (bytes.saturating_add(limits.disk_spare_bytes), free_bytes(folder)?);
        if free < needed {
            let folder = folder.display().to_string();
            return Err(Error::NoRoom { folder, needed, free });
        }
    }
    Ok(())
}

/// Where to sort for a database: on its own disk, if it is a file of ours, which is not memory.
pub(crate) fn work_folder(context: &Context) -> PathBuf {
    context.db.file().map_or_else(std::env::temp_dir, |file| folder_of(file).to_owned())
}

/// What kind of import asks for room.
pub(crate) struct Import<'a> {
    /// Where it sorts.
    pub(crate) work_folder: &'a Path,
    /// False if nothing will be written.
    pub(crate) stores: bool,
    /// True if the registry has no household yet.
    pub(crate) is_first: bool,
    pub(crate) reports: bool,
}

/// What an import of these tables will need: for the database with its log, where that is a file of
/// ours and will be written, and for sorting in this folder.
pub(crate) fn check_import(
    context: &Context,
    tables: &[TableRef],
    import: &Import<'_>,
) -> Result<(), Error> {
    let limits = context.policy.exchange();
    let csv_bytes = csv_bytes(limits, tables)?;
    let report = if import.reports { limits.report_bytes_per_csv_byte } else { 0 };
    let sorting = limits.sorting_bytes_per_csv_byte.saturating_add(report);
    let mut needs = vec![Need::new(import.work_folder, csv_bytes.saturating_mul(sorting))];
    if let Some(file) = context.db.file().filter(|_| import.stores) {
        let database = match import.is_first {
            true => limits.first_import_bytes_per_csv_byte,
            false => limits.later_import_bytes_per_csv_byte,
        };
        needs.push(Need::new(folder_of(file), csv_bytes.saturating_mul(database)));
    }
    check(limits, &needs)
}

/// What these tables are as CSV.
fn csv_bytes(limits: &Exchange, tables: &[TableRef]) -> io::Result<u64> {
    let mut paths: Vec<&Path> = tables.iter().map(|table| table.path.as_path()).collect();
    // A workbook has several tables, which do not stand together.
    paths.sort_unstable();
    paths.dedup();
    let mut csv_bytes = 0_u64;
    for path in paths {
        let bytes = fs::metadata(path)?.len();
        let is_packed = tables.iter().any(|table| table.path == path && table.worksheet.is_some());
        let unpacked = if is_packed { limits.csv_bytes_per_xlsx_byte } else { 1 };
        csv_bytes = csv_bytes.saturating_add(bytes.saturating_mul(unpacked));
    }
    Ok(csv_bytes)
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn free_bytes(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use daohu_policy::Policy;

    use super::*;

    #[test]
    fn a_workbook_counts_once_however_many_tables_it_has() {
        let policy = Policy::embedded().unwrap();
        let limits = policy.exchange();
        let folder = tempfile::tempdir().unwrap();
        let mut tables = Vec::new();
        for sheet in [&crate::sheet::HOUSEHOLDS, &crate::sheet::PERSONS] {
            for name in ["a.xlsx", "b.xlsx"] {
                let path = folder.path().join(name);
                fs::write(&path, [0; 100]).unwrap();
                let (map, unknown, other_worksheets) = Default::default();
                let worksheet = Some(sheet.name.to_owned());
                tables.push(TableRef { path, worksheet, sheet, map, unknown, other_worksheets });
            }
        }
        let bytes = csv_bytes(limits, &tables).unwrap();
        assert_eq!(bytes, 2 * 100 * limits.csv_bytes_per_xlsx_byte);
    }

    #[test]
    fn needs_of_one_disk_add_up() {
        let policy = Policy::embedded().unwrap();
        let limits = Exchange { disk_spare_bytes: 0, ..policy.exchange().clone() };
        let folder = tempfile::tempdir().unwrap();
        let free = free_bytes(folder.path()).unwrap();
        let need = |bytes| Need::new(folder.path(), bytes);
        assert!(check(&limits, &[need(free / 4), need(free / 4)]).is_ok());
        // Others write meanwhile: far enough from the edge.
        let refused = check(&limits, &[need(free), need(free / 2)]);
        assert!(matches!(refused, Err(Error::NoRoom { needed, .. }) if needed == free + free / 2));
        let limits = Exchange { disk_spare_bytes: free.saturating_mul(2), ..limits };
        assert!(matches!(check(&limits, &[need(1)]), Err(Error::NoRoom { .. })));
        assert!(check(&limits, &[need(0)]).is_ok());
    }
}
