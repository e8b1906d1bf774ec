//! The tags of an XML part as it is unpacked: no tree, no text, memory for one tag.
//!
//! The parser that reads the cells holds one event at a time, but an event may be as long as its
//! author liked. Here the tags are only found and their distance measured, so that a part can be
//! refused before the parser is given it.

use std::io::{self, Read};

use memchr::{memchr, memchr2, memmem};

/// No tag of a workbook comes near this.
const TAG_BYTES_MAX: usize = 256 << 10;

/// Finds the tags of a part.
pub(super) struct Tags<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// The place in the part of the buffer's first byte.
    offset: u64,
    ended: bool,
}

/// A tag, and where it stands.
pub(super) struct Tag<'b> {
    /// What stands between the angle brackets.
    pub(super) inside: &'b [u8],
    /// Where it begins.
    pub(super) at: u64,
    /// Where it ends.
    pub(super) end: u64,
}

/// Why a part is no plain XML.
#[derive(Debug)]
pub(super) enum BadPart {
    /// The archive gave no more, or too much; see [`super::xlsx_package::Unpacked`].
    Io(io::Error),
    /// What is wrong, in a word.
    Malformed(&'static str),
}

impl From<io::Error> for BadPart {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl<R: Read> Tags<R> {
    /// The tags of a part. Text in an encoding in which `<` could be half a character is refused.
    pub(super) fn new(source: R) -> Result<Self, BadPart> {
        let buffer = vec![0; TAG_BYTES_MAX];
        let mut tags = Self { source, buffer, start: 0, end: 0, offset: 0, ended: false };
        while tags.end < 256 && tags.fill()? {}
        let head = tags.buffer.get(..tags.end.min(256)).unwrap_or_default();
        if head.starts_with(&[0xfe, 0xff]) || head.starts_with(&[0xff, 0xfe]) || head.contains(&0) {
            return Err(BadPart::Malformed("encoding"));
        }
        let declaration = head.split(|byte| *byte == b'>').next().unwrap_or_default();
        let declared = declaration.to_ascii_lowercase();
        let plain = |name: &str| memmem::find(&declared, name.as_bytes()).is_some();
        if plain("<?xml") && plain("encoding") && !plain("utf-8") && !plain("us-ascii") {
            return Err(BadPart::Malformed("encoding"));
        }
        Ok(tags)
    }

    /// The next tag; comments and the like are passed over.
    pub(super) fn next(&mut self) -> Result<Option<Tag<'_>>, BadPart> {
        let length = loop {
            if !self.seek_bracket()? {
                return Ok(None);
            }
            match self.measure()? {
                Some(length) => break length,
                None => self.pass_over()?,
            }
        };
        let from = self.start;
        self.start += length;
        let inside = self.buffer.get(from + 1..self.start - 1).unwrap_or_default();
        let at = self.offset + as_u64(from);
        Ok(Some(Tag { inside, at, end: at + as_u64(length) }))
    }

    /// Moves to the next `<`; false at the end of the part.
    fn seek_bracket(&mut self) -> Result<bool, BadPart> {
        loop {
            match memchr(b'<', self.rest()) {
                Some(found) => {
                    self.start += found;
                    return Ok(true);
                }
                None => self.start = self.end,
            }
            if !self.fill()? {
                return Ok(false);
            }
        }
    }

    /// The length of the tag at the start, brackets included; none if it is no tag of an element.
    fn measure(&mut self) -> Result<Option<usize>, BadPart> {
        let mut quote = 0;
        let mut looked = 1;
        loop {
            let rest = self.rest();
            match rest.get(1) {
                Some(b'!' | b'?') => return Ok(None),
                // No attributes, so no quotes.
                Some(b'/') => match memchr2(b'>', b'<', rest.get(1..).unwrap_or_default()) {
                    Some(length) if rest.get(1 + length) == Some(&b'>') => {
                        return Ok(Some(length + 2));
                    }
                    Some(_) => return Err(BadPart::Malformed("<")),
                    None => looked = rest.len(),
                },
                _ => {}
            }
            for byte in rest.get(looked..).unwrap_or_default() {
                looked += 1;
                match *byte {
                    b'>' if quote == 0 => return Ok(Some(looked)),
                    // Not XML; it could hide a tag from one of two parsers.
                    b'<' => return Err(BadPart::Malformed("<")),
                    q @ (b'"' | b'\'') if quote == 0 => quote = q,
                    q if q == quote => quote = 0,
                    _ => {}
                }
            }
            self.need_more()?;
        }
    }

    /// Passes over a comment, a CDATA section or a processing instruction.
    fn pass_over(&mut self) -> Result<(), BadPart> {
        while self.rest().len() < 9 {
            if !self.fill()? {
                return Err(BadPart::Malformed("<!"));
            }
        }
        let (head, close): (usize, &[u8]) = match self.rest() {
            [b'<', b'!', b'-', b'-', ..] => (4, b"-->"),
            rest if rest.starts_with(b"<![CDATA[") => (9, b"]]>"),
            [b'<', b'?', ..] => (2, b"?>"),
            // A document type may define entities; no spreadsheet program writes one.
            _ => return Err(BadPart::Malformed("<!")),
        };
        self.start += head;
        loop {
            if let Some(found) = memmem::find(self.rest(), close) {
                self.start += found + close.len();
                return Ok(());
            }
            // Its end may be cut by the end of the buffer.
            self.start = self.end.saturating_sub(close.len() - 1).max(self.start);
            if !self.fill()? {
                return Err(BadPart::Malformed("<!"));
            }
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    fn need_more(&mut self) -> Result<(), BadPart> {
        if self.start == 0 && self.end == self.buffer.len() {
            return Err(BadPart::Malformed("tag"));
        }
        if self.fill()? { Ok(()) } else { Err(BadPart::Malformed("tag")) }
    }

    /// Reads more behind what is left; false at the end of the part.
    fn fill(&mut self) -> Result<bool, BadPart> {
        if self.ended {
            return Ok(false);
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.offset += as_u64(self.start);
            self.end -= self.start;
            self.start = 0;
        }
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        let read = self.source.read(free)?;
        self.end += read;
        self.ended = read == 0;
        Ok(read > 0)
    }
}

impl<'b> Tag<'b> {
    /// The name without its namespace.
    pub(super) fn name(&self) -> &'b [u8] {
        let body = self.inside.strip_prefix(b"/").unwrap_or(self.inside);
        let mut from = 0;
        for (i, byte) in body.iter().enumerate() {
            match byte {
                b':' => from = i + 1,
                b' ' | b'/' | b'\t' | b'\n' | b'\r' => {
                    return body.get(from..i).unwrap_or_default();
                }
                _ => {}
            }
        }
        body.get(from..).unwrap_or_default()
    }

    /// True for `</v>`.
    pub(super) fn closes(&self) -> bool {
        self.inside.first() == Some(&b'/')
    }

    /// True for `<v/>`, which has no closing tag.
    pub(super) fn is_empty(&self) -> bool {
        self.inside.last() == Some(&b'/')
    }

    /// The value of an attribute, entities as they stand.
    pub(super) fn attribute(&self, wanted: &[u8]) -> Option<&'b [u8]> {
        let mut rest = self.inside;
        loop {
            let equals = memchr(b'=', rest)?;
            let (before, after) = rest.split_at_checked(equals)?;
            let key = before.trim_ascii_end();
            let key = key
                .iter()
                .rposition(u8::is_ascii_whitespace)
                .map_or(key, |space| key.get(space + 1..).unwrap_or_default());
            let (quote, value) = after.get(1..)?.trim_ascii_start().split_first()?;
            let length = memchr(*quote, value)?;
            let (value, tail) = value.split_at_checked(length)?;
            if key == wanted {
                return Some(value);
            }
            rest = tail.get(1..)?;
        }
    }
}

fn as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
