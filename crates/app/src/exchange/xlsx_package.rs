//! The package of a workbook, looked at before it is opened.
//!
//! A workbook is an archive that anybody can make, and opening one unpacks its strings and styles
//! into memory. So every part that will be opened is unpacked once for nothing and measured: what
//! the archive says of its sizes is asked first, because that is cheap, and believed last.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};
use zip::{ZipArchive, result::ZipError};

use super::{
    error::{FileError, FileProblem},
    xlsx_scan::{Extent, Refused, scan},
    xlsx_tags::{BadPart, Tags},
};

const PARTS_MAX: usize = 10_000;
const WORKSHEETS_MAX: usize = 1_000;
/// Limits of what a part unpacks to.
const WORKSHEET_BYTES_MAX: u64 = 8 << 30;
const STRINGS_BYTES_MAX: u64 = 512 << 20;
const OTHER_BYTES_MAX: u64 = 32 << 20;
/// Each of them costs memory, however short it is.
const STRINGS_MAX: u64 = 20_000_000;
const TAGS_MAX: u64 = 2_000_000;
/// Spreadsheets pack to a tenth or a thirtieth; beyond this, a big part is made to burst.
const RATIO_MAX: u64 = 200;
const RATIO_FREE_BYTES: u64 = 64 << 20;

/// A workbook's archive, its opening parts found sound.
pub(super) struct Package {
    path: PathBuf,
    archive: ZipArchive<BufReader<File>>,
    /// Position in the archive by name, as the parser of cells compares names.
    parts: HashMap<String, usize>,
    /// Titles and parts of the worksheets, in the order of the tabs.
    worksheets: Vec<(String, String)>,
}

/// The archive holds more than it may.
#[derive(Debug, thiserror::Error)]
#[error("over {bytes_max} bytes")]
struct TooMuch {
    bytes_max: u64,
}

impl Package {
    /// Opens an archive and measures the parts that the parser reads on opening.
    pub(super) fn open(path: &Path) -> Result<Self, FileError> {
        Self::measured(path).map_err(|problem| FileError::new(path, problem))
    }

    /// The titles of the worksheets, in the order of the tabs.
    pub(super) fn titles(&self) -> Vec<String> {
        self.worksheets.iter().map(|(title, _)| title.clone()).collect()
    }

    /// Looks at a worksheet; gives the row of its header, if it has any filled cell.
    pub(super) fn scan(&mut self, title: &str, extent: Extent) -> Result<Option<u64>, FileError> {
        let (row, column, problem) = match self.scan_part(title, extent) {
            Ok(header) => return Ok(header),
            Err(Refused::Part(bad)) => (None, None, problem_of(bad)),
            Err(Refused::At { row, column, problem }) => (row, column, problem),
        };
        let sheet = Some(title.to_owned());
        Err(FileError { path: self.path.clone(), sheet, row, column, problem })
    }

    fn scan_part(&mut self, title: &str, extent: Extent) -> Result<Option<u64>, Refused> {
        let missing = || Refused::Part(BadPart::Malformed("worksheet"));
        let part = self.worksheets.iter().find(|(name, _)| name == title).map(|(_, part)| part);
        let part = part.ok_or_else(missing)?.clone();
        let unpacked = self.unpack(&part, WORKSHEET_BYTES_MAX);
        let refused = |problem| Refused::At { row: None, column: None, problem };
        scan(unpacked.map_err(refused)?.ok_or_else(missing)?, extent)
    }

    fn measured(path: &Path) -> Result<Self, FileProblem> {
        let file = File::open(path).map_err(|e| FileProblem::Unreadable(e.to_string()))?;
        let archive = ZipArchive::new(BufReader::new(file)).map_err(zip_problem)?;
        if archive.len() > PARTS_MAX || archive.has_duplicate_names() {
            return Err(FileProblem::Damaged("zip".to_owned()));
        }
        let mut parts = HashMap::with_capacity(archive.len());
        for (i, name) in archive.file_names().enumerate() {
            let name = name.map_err(zip_problem)?.replace('\\', "/").to_ascii_lowercase();
            // Two parts of one name: the one measured might not be the one opened.
            if parts.insert(name, i).is_some() {
                return Err(FileProblem::Damaged("zip".to_owned()));
            }
        }
        let worksheets = Vec::new();
        let mut package = Self { path: path.to_owned(), archive, parts, worksheets };
        package.measure()?;
        Ok(package)
    }

    fn measure(&mut self) -> Result<(), FileProblem> {
        let mut workbook = None;
        self.elements("_rels/.rels", |name, attribute| {
            let is_workbook = attribute("Type").is_some_and(|t| t.ends_with("/officeDocument"));
            if name == "Relationship" && is_workbook {
                workbook = attribute("Target");
            }
        })?;
        let workbook = workbook.ok_or(FileProblem::NotASpreadsheet)?;
        let split = workbook.rfind('/').map_or(0, |slash| slash + 1);
        let (folder, name) = workbook.split_at_checked(split).unwrap_or_default();
        let folder = folder.strip_prefix('/').unwrap_or(folder);
        let relations = format!("{folder}_rels/{name}.rels");
        let workbook = format!("{folder}{name}");
        let styles = format!("{folder}styles.xml");
        let theme = format!("{folder}theme/theme1.xml");
        for part in [&relations, &workbook, &styles, &theme] {
            self.count(part, OTHER_BYTES_MAX, None, TAGS_MAX)?;
        }
        let strings = format!("{folder}sharedStrings.xml");
        self.count(&strings, STRINGS_BYTES_MAX, Some(b"si"), STRINGS_MAX)?;
        self.find_worksheets(folder, &workbook, &relations)
    }

    fn find_worksheets(
        &mut self,
        folder: &str,
        workbook: &str,
        relations: &str,
    ) -> Result<(), FileProblem> {
        let mut targets = HashMap::new();
        self.elements(relations, |_, attribute| {
            let is_worksheet = attribute("Type").is_some_and(|t| t.ends_with("/worksheet"));
            if let (true, Some(id), Some(to)) = (is_worksheet, attribute("Id"), attribute("Target"))
            {
                let absolute = to.strip_prefix('/').map(str::to_owned);
                targets.insert(id, absolute.unwrap_or_else(|| format!("{folder}{to}")));
            }
        })?;
        let mut worksheets = Vec::new();
        self.elements(workbook, |name, attribute| {
            if name == "sheet"
                && let (Some(title), Some(id)) = (attribute("name"), attribute("id"))
                && let Some(part) = targets.get(&id)
            {
                worksheets.push((title, part.clone()));
            }
        })?;
        match worksheets.len() {
            0 => return Err(FileProblem::NotASpreadsheet),
            1..=WORKSHEETS_MAX => self.worksheets = worksheets,
            _ => return Err(FileProblem::Damaged("sheets".to_owned())),
        }
        Ok(())
    }

    /// Unpacks a part for nothing, counting the tags of a name, or all. The part may be missing.
    fn count(
        &mut self,
        part: &str,
        bytes_max: u64,
        name: Option<&[u8]>,
        count_max: u64,
    ) -> Result<(), FileProblem> {
        let Some(unpacked) = self.unpack(part, bytes_max)? else { return Ok(()) };
        let mut tags = Tags::new(unpacked).map_err(problem_of)?;
        let mut count = 0;
        while let Some(tag) = tags.next().map_err(problem_of)? {
            let counts = !tag.closes() && name.is_none_or(|name| tag.name() == name);
            count += u64::from(counts);
            // The parser makes room for as many strings as the part says it has.
            let promised = tag
                .attribute(b"uniqueCount")
                .and_then(|count| std::str::from_utf8(count).ok()?.trim().parse::<u64>().ok());
            if count.max(promised.unwrap_or_default()) > count_max {
                return Err(FileProblem::TooLarge { bytes_max });
            }
        }
        Ok(())
    }

    /// Calls `visit` with the local name and the attributes of each element of a part.
    fn elements(
        &mut self,
        part: &str,
        mut visit: impl FnMut(&str, &dyn Fn(&str) -> Option<String>),
    ) -> Result<(), FileProblem> {
        let unpacked = self.unpack(part, OTHER_BYTES_MAX)?.ok_or(FileProblem::NotASpreadsheet)?;
        let mut reader = Reader::from_reader(BufReader::new(unpacked));
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            match reader.read_event_into(&mut buffer) {
                Ok(Event::Start(element) | Event::Empty(element)) => {
                    let get = |wanted: &str| attribute(&element, wanted);
                    visit(element.local_name().as_ref(), &get);
                }
                Ok(Event::Eof) => return Ok(()),
                Ok(_) => {}
                Err(error) => return Err(FileProblem::Damaged(error.to_string())),
            }
        }
    }

    /// A part as it is unpacked, under its limits; none if the archive has no such part.
    fn unpack(
        &mut self,
        part: &str,
        bytes_max: u64,
    ) -> Result<Option<Unpacked<impl Read>>, FileProblem> {
        let Some(i) = self.parts.get(&part.to_ascii_lowercase()) else { return Ok(None) };
        let entry = self.archive.by_index(*i).map_err(zip_problem)?;
        let by_ratio = entry.compressed_size().saturating_mul(RATIO_MAX).max(RATIO_FREE_BYTES);
        let bytes_max = bytes_max.min(by_ratio);
        if entry.size() > bytes_max {
            return Err(FileProblem::TooLarge { bytes_max });
        }
        Ok(Some(Unpacked { inner: entry, left: bytes_max, bytes_max }))
    }
}

fn zip_problem(error: ZipError) -> FileProblem {
    FileProblem::Damaged(error.to_string())
}

fn problem_of(bad: BadPart) -> FileProblem {
    let error = match bad {
        BadPart::Malformed(what) => return FileProblem::Damaged(what.to_owned()),
        BadPart::Io(error) => error,
    };
    match error.get_ref().and_then(|inner| inner.downcast_ref::<TooMuch>()) {
        Some(TooMuch { bytes_max }) => FileProblem::TooLarge { bytes_max: *bytes_max },
        None => FileProblem::Damaged(error.to_string()),
    }
}

/// The attribute of this local name.
fn attribute(element: &BytesStart<'_>, wanted: &str) -> Option<String> {
    let mut attributes = element.attributes();
    attributes.with_checks(false);
    let found = attributes.flatten().find(|found| found.key.local_name().as_ref() == wanted)?;
    Some(found.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned())
}

/// Fails when a part unpacks to more than it may, whatever the archive says its size is.
struct Unpacked<R> {
    inner: R,
    left: u64,
    bytes_max: u64,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        match self.left.checked_sub(u64::try_from(read).unwrap_or(u64::MAX)) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other(TooMuch { bytes_max: self.bytes_max })),
        }
        Ok(read)
    }
}
