//! CSV files in UTF-8, UTF-16 or GBK.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
    rc::Rc,
};

use encoding_rs::{Decoder, Encoding, GB18030, UTF_8};
use memchr::memchr2_iter;

use super::{
    error::{FileError, FileProblem},
    source::{Recognise, RowSink, TableRef, arrange},
};
use crate::{Error, sheet::Raw};

/// A row longer than this has a quote left open, or is not a row of a form.
const ROW_BYTES_MAX: u64 = 16 << 20;
/// Put behind every file: if it is not read back as a row, a quote was left open before it. The line
/// break makes the last line like the others, so that lines can be counted.
const END: &str = "\n\0end of file\0\n";
/// Enough of a file to hold any form's header.
const HEADER_BYTES: usize = 64 << 10;

/// The table in a CSV file.
pub(super) fn table(path: &Path, recognise: &Recognise<'_>) -> Result<TableRef, Error> {
    let encoding = detect(path)?;
    let mut reader = open(path, encoding)?;
    let mut record = csv::StringRecord::new();
    let found = reader.csv.read_record(&mut record);
    let found = found.map_err(|error| reader.explain(path, &error).at_row(1))?;
    let headers: Vec<String> = record.iter().map(str::to_owned).collect();
    if !found || is_end(&record) || headers.iter().all(|header| header.trim().is_empty()) {
        return Err(FileError::new(path, FileProblem::NoHeader).into());
    }
    if let [only] = headers.as_slice()
        && let Some(found) = only.chars().find(|c| matches!(c, ';' | '\t' | '|' | '，'))
    {
        return Err(FileError::new(path, FileProblem::WrongDelimiter { found }).at_row(1).into());
    }
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    Ok(recognise(path, stem, None, &headers)?)
}

/// The whole of a small file of text, in whichever of these encodings it is.
pub fn text_of(path: &Path) -> Result<String, Error> {
    let encoding = detect(path)?;
    let bytes = std::fs::read(path)?;
    let (text, _, is_malformed) = encoding.decode(&bytes);
    if is_malformed || text.contains('\0') {
        return Err(FileError::new(path, FileProblem::BadEncoding).into());
    }
    Ok(text.into_owned())
}

/// Reads all rows. They are numbered as a spreadsheet numbers them: a blank line is a row, line
/// breaks within a cell are not.
pub(super) fn read(table: &TableRef, rows: &mut RowSink<'_>) -> Result<(), Error> {
    let path = &table.path;
    let mut reader = open(path, detect(path)?)?;
    let mut record = csv::StringRecord::new();
    let mut number = 0;
    loop {
        reader.budget.set(ROW_BYTES_MAX);
        let more = reader.csv.read_record(&mut record);
        if !more.map_err(|error| reader.explain(path, &error).at_row(number + 1))? {
            return Err(FileError::new(path, FileProblem::OpenQuote).at_row(number).into());
        }
        if is_end(&record) {
            return Ok(());
        }
        // The parser passes over blank lines, and its own count of lines misses those in quotes.
        let blank = reader.blank.borrow_mut().before(reader.csv.position().byte());
        number += 1 + if number == 0 { 0 } else { blank };
        if number == 1 || record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        // A comma within a cell that is not quoted shifts all that follow it.
        if record.iter().skip(table.map.len()).any(|cell| !cell.trim().is_empty()) {
            let problem = FileProblem::TooManyColumns { max: table.map.len() };
            return Err(FileError::new(path, problem).at_row(number).into());
        }
        let mut cells = Vec::with_capacity(table.sheet.columns.len());
        arrange(table, record.iter().map(raw), &mut cells);
        rows(number, &cells)?;
    }
}

fn raw(cell: &str) -> Raw<'_> {
    if cell.is_empty() { Raw::Empty } else { Raw::Text(cell) }
}

fn is_end(record: &csv::StringRecord) -> bool {
    record.len() == 1 && record.get(0) == Some(END.trim())
}

struct Reader {
    csv: csv::Reader<Limited<io::Chain<Decoding, &'static [u8]>>>,
    blank: Rc<RefCell<BlankLines>>,
    budget: Rc<Cell<u64>>,
    malformed: Rc<Cell<bool>>,
}

impl Reader {
    fn explain(&self, path: &Path, error: &csv::Error) -> FileError {
        let problem = if self.budget.get() == 0 {
            FileProblem::RowTooLarge { bytes_max: ROW_BYTES_MAX }
        } else if self.malformed.get() || matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) {
            FileProblem::BadEncoding
        } else {
            FileProblem::Unreadable(error.to_string())
        };
        FileError::new(path, problem)
    }
}

fn open(path: &Path, encoding: &'static Encoding) -> Result<Reader, Error> {
    let budget = Rc::new(Cell::new(ROW_BYTES_MAX));
    let malformed = Rc::new(Cell::new(false));
    let decoding = Decoding {
        file: File::open(path)?,
        // A byte-order mark is swallowed; without one the encoding stays what was detected.
        decoder: encoding.new_decoder_with_bom_removal(),
        raw: vec![0; 1 << 16],
        filled: 0,
        taken: 0,
        ended: false,
        malformed: Rc::clone(&malformed),
    };
    let inner = decoding.chain(END.as_bytes());
    let blank = Rc::new(RefCell::new(BlankLines::default()));
    let limited = Limited { inner, budget: Rc::clone(&budget), blank: Rc::clone(&blank) };
    let csv = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(1 << 16)
        .from_reader(limited);
    Ok(Reader { csv, blank, budget, malformed })
}

/// The header decides: it has Chinese column names, which are legal in one encoding only.
fn detect(path: &Path) -> Result<&'static Encoding, Error> {
    let mut head = Vec::with_capacity(HEADER_BYTES);
    let limit = u64::try_from(HEADER_BYTES).unwrap_or(u64::MAX);
    BufReader::new(File::open(path)?).take(limit).read_to_end(&mut head)?;
    if let Some((encoding, _)) = Encoding::for_bom(&head) {
        return Ok(encoding);
    }
    let header = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if !header.is_ascii() {
        return Ok(match std::str::from_utf8(header) {
            Ok(_) => UTF_8,
            // A header longer than what was read of it ends within a character.
            Err(error) if error.error_len().is_none() && header.len() == HEADER_BYTES => UTF_8,
            Err(_) => GB18030,
        });
    }
    // Only item ids in the header: look at the whole file.
    Ok(if is_utf8(path)? { UTF_8 } else { GB18030 })
}

fn is_utf8(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    let mut kept = 0;
    loop {
        let read = file.read(buffer.get_mut(kept..).unwrap_or_default())?;
        let bytes = buffer.get(..kept + read).unwrap_or_default();
        match std::str::from_utf8(bytes) {
            Ok(_) if read == 0 => return Ok(true),
            Ok(_) => kept = 0,
            // A character cut by the end of the buffer is looked at again with what follows.
            Err(error) if error.error_len().is_none() && read > 0 => {
                let (start, end) = (error.valid_up_to(), bytes.len());
                buffer.copy_within(start..end, 0);
                kept = end - start;
            }
            Err(_) => return Ok(false),
        }
    }
}

/// A file decoded to UTF-8 on the way.
struct Decoding {
    file: File,
    decoder: Decoder,
    raw: Vec<u8>,
    filled: usize,
    taken: usize,
    ended: bool,
    malformed: Rc<Cell<bool>>,
}

impl Read for Decoding {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.taken == self.filled && !self.ended {
                self.filled = self.file.read(&mut self.raw)?;
                self.taken = 0;
                self.ended = self.filled == 0;
            }
            let input = self.raw.get(self.taken..self.filled).unwrap_or_default();
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(input, out, self.ended);
            self.taken += read;
            if matches!(result, encoding_rs::DecoderResult::Malformed(..)) {
                self.malformed.set(true);
                return Err(io::Error::new(io::ErrorKind::InvalidData, "bad encoding"));
            }
            if written > 0 || self.ended || out.len() < 4 {
                return Ok(written);
            }
        }
    }
}

/// Stops a reader that gives more than its budget before the budget is renewed; notes blank lines.
struct Limited<R> {
    inner: R,
    budget: Rc<Cell<u64>>,
    blank: Rc<RefCell<BlankLines>>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.budget.get() == 0 {
            return Err(io::Error::other("row too large"));
        }
        let read = self.inner.read(out)?;
        self.budget.set(self.budget.get().saturating_sub(as_u64(read)));
        self.blank.borrow_mut().look(out.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// Where a text has blank lines, not counting those within quotes.
#[derive(Default)]
struct BlankLines {
    /// Runs of blank lines: where each ends, and how many they are.
    runs: VecDeque<(u64, u64)>,
    /// How much of the text was looked at, and its last byte.
    seen: u64,
    last: u8,
    line_start: u64,
    in_quotes: bool,
    unquoted_at: Option<u64>,
}

impl BlankLines {
    fn look(&mut self, text: &[u8]) {
        for i in memchr2_iter(b'\n', b'"', text) {
            let at = self.seen + as_u64(i);
            let before = i.checked_sub(1).and_then(|i| text.get(i)).copied().unwrap_or(self.last);
            match text.get(i) {
                Some(b'"') => self.quote(at, before),
                _ if self.in_quotes => {}
                _ => self.line_end(at, before),
            }
        }
        self.seen += as_u64(text.len());
        self.last = text.last().copied().unwrap_or(self.last);
    }

    /// A quote opens at the start of a field only, closes, or stands doubled for itself.
    fn quote(&mut self, at: u64, before: u8) {
        let is_doubled = at > 0 && self.unquoted_at == Some(at - 1);
        if self.in_quotes {
            self.in_quotes = false;
            self.unquoted_at = Some(at);
        } else if at == 0 || is_doubled || matches!(before, b',' | b'\n' | b'\r') {
            self.in_quotes = true;
        }
    }

    fn line_end(&mut self, at: u64, before: u8) {
        let is_blank = at == self.line_start || (at == self.line_start + 1 && before == b'\r');
        if is_blank {
            match self.runs.back_mut() {
                Some((end, count)) if *end == self.line_start => {
                    (*end, *count) = (at + 1, *count + 1)
                }
                _ => self.runs.push_back((at + 1, 1)),
            }
        }
        self.line_start = at + 1;
    }

    /// How many blank lines end before a place that were not counted before.
    fn before(&mut self, place: u64) -> u64 {
        let mut blank = 0;
        while let Some((_, count)) = self.runs.pop_front_if(|(end, _)| *end <= place) {
            blank += count;
        }
        blank
    }
}

fn as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
