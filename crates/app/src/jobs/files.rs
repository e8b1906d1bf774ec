//! The folder of the jobs' files: uploads, reports, exports.
//!
//! ```text
//! FILES/<job>/in/0/户.csv    as uploaded, each in a folder of its own: names may be equal
//!            report.xlsx     every row of an import with its outcome
//!            export.xlsx, export.zip
//! FILES/<job>.partial/       an upload that is still coming in
//! ```
//!
//! They hold full ID numbers: folders are 0700, files 0600, nobody but the server's owner reads them.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use daohu_base::Timestamp;
use tokio::io::AsyncWriteExt;
use zip::{CompressionMethod, ZipWriter, result::ZipError, write::SimpleFileOptions};

use super::{
    Progress,
    model::{Job, Kind, UploadedFile, file_name},
};
use crate::{Error, exchange::disk};

/// What is copied at once, and how often a wish to stop is looked for.
const PIECE_BYTES: usize = 1 << 18;
const PARTIAL: &str = ".partial";

/// The folder.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

/// An upload on its way in. Dropped before [`Intake::finish`], it leaves nothing.
pub(crate) struct Intake {
    folder: PathBuf,
    id: String,
    kept: Vec<UploadedFile>,
    open: Option<tokio::fs::File>,
    is_finished: bool,
}

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Makes the folder, if need be.
    pub(super) fn prepare(&self) -> io::Result<()> {
        make(&self.0)
    }

    /// The folder of a job.
    pub(super) fn of(&self, id: &str) -> PathBuf {
        self.0.join(id)
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.of(id).is_dir()
    }

    /// The files of an import, in the order of their coming.
    pub(super) fn uploads(&self, id: &str, files: &[UploadedFile]) -> Vec<PathBuf> {
        let folder = self.of(id).join("in");
        files.iter().enumerate().map(|(i, f)| folder.join(i.to_string()).join(&f.name)).collect()
    }

    pub(super) fn report(&self, id: &str) -> PathBuf {
        self.of(id).join("report.xlsx")
    }

    pub(super) fn workbook(&self, id: &str) -> PathBuf {
        self.of(id).join("export.xlsx")
    }

    pub(super) fn archive(&self, id: &str) -> PathBuf {
        self.of(id).join("export.zip")
    }

    /// What an ended job gives to fetch.
    pub(super) fn product(&self, job: &Job) -> PathBuf {
        match job.request.kind() {
            Kind::Import => self.report(&job.id),
            _ if self.workbook(&job.id).exists() => self.workbook(&job.id),
            _ => self.archive(&job.id),
        }
    }

    /// The folder of a job that makes files.
    pub(super) fn make(&self, id: &str) -> io::Result<PathBuf> {
        let folder = self.of(id);
        make(&folder)?;
        Ok(folder)
    }

    /// Deletes the files of a job. Nothing to delete is no error.
    pub(super) fn remove(&self, id: &str) -> io::Result<()> {
        match fs::remove_dir_all(self.of(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Begins to take an upload in.
    pub(super) fn intake(&self, id: &str) -> io::Result<Intake> {
        let (folder, id) = (self.0.join(format!("{id}{PARTIAL}")), id.to_owned());
        make(&folder.join("in"))?;
        Ok(Intake { folder, id, kept: Vec::new(), open: None, is_finished: false })
    }

    /// Folders of jobs and of uploads that nobody has touched since, and no others: the folder may
    /// hold what is not ours.
    pub(super) fn untouched(&self, since: Timestamp) -> io::Result<Vec<String>> {
        let since = Duration::from_millis(u64::try_from(since.0).unwrap_or_default());
        let is_old = |entry: &fs::DirEntry| {
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            modified.is_ok_and(|at| at < SystemTime::UNIX_EPOCH + since)
        };
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let id = name.strip_suffix(PARTIAL).unwrap_or(&name);
            if uuid::Uuid::try_parse(id).is_ok() && is_old(&entry) {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Room for so many bytes more.
    pub(super) fn check_room(
        &self,
        limits: &daohu_policy::Exchange,
        bytes: u64,
    ) -> Result<(), Error> {
        self.prepare()?;
        disk::check(limits, &[disk::Need::new(&self.0, bytes.max(1))])
    }
}

impl Intake {
    /// The job that the files are for.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// How many files have begun to come in.
    pub(super) fn count(&self) -> usize {
        self.kept.len()
    }

    /// Begins a file of this name.
    pub(super) async fn begin(&mut self, sent_name: &str) -> io::Result<()> {
        self.close().await?;
        let (name, place) = (file_name(sent_name), self.kept.len().to_string());
        let folder = self.folder.join("in").join(place);
        make(&folder)?;
        let mut options = File::options();
        options.write(true).create_new(true).mode(0o600);
        let file = options.open(folder.join(&name))?;
        self.open = Some(tokio::fs::File::from_std(file));
        self.kept.push(UploadedFile { name, bytes: 0 });
        Ok(())
    }

    /// Adds a piece to the file that was begun last.
    pub(super) async fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        let (Some(open), Some(kept)) = (&mut self.open, self.kept.last_mut()) else {
            return Ok(());
        };
        kept.bytes = kept.bytes.saturating_add(piece.len() as u64);
        open.write_all(piece).await
    }

    /// Puts the files where the job finds them; gives their names.
    pub(super) async fn finish(mut self) -> io::Result<Vec<UploadedFile>> {
        self.close().await?;
        let whole = self.folder.with_file_name(&self.id);
        tokio::fs::rename(&self.folder, whole).await?;
        self.is_finished = true;
        Ok(std::mem::take(&mut self.kept))
    }

    async fn close(&mut self) -> io::Result<()> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        open.flush().await?;
        // On disk before the upload is acknowledged.
        open.sync_all().await
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        if !self.is_finished {
            // What cannot be removed now goes with the files that nobody touches.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Packs files into an archive, and deletes them.
pub(super) fn pack(files: &[PathBuf], archive: &Path, progress: &Progress) -> Result<(), Error> {
    let partial = archive.with_extension("partial");
    let mut options = File::options();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut zip = ZipWriter::new(io::BufWriter::new(options.open(&partial)?));
    let mut piece = vec![0; PIECE_BYTES];
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Parquet is packed already.
        let is_packed = path.extension().is_some_and(|extension| extension == "parquet");
        let method =
            if is_packed { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        let method = SimpleFileOptions::default().compression_method(method);
        zip.start_file(name, method.large_file(true).unix_permissions(0o600)).map_err(zipped)?;
        let mut file = File::open(path)?;
        loop {
            progress.check()?;
            let length = io::Read::read(&mut file, &mut piece)?;
            if length == 0 {
                break;
            }
            zip.write_all(piece.get(..length).unwrap_or_default())?;
        }
        fs::remove_file(path)?;
    }
    let file = zip.finish().map_err(zipped)?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(fs::rename(&partial, archive)?)
}

fn zipped(error: ZipError) -> io::Error {
    match error {
        ZipError::Io(error) => error,
        other => io::Error::other(other),
    }
}
