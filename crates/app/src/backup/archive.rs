//! The file: a plain header, and blocks that are compressed and then encrypted.
//!
//! Each backup has a random key of its own, which stands in the file sealed with the installation's.
//! A block's nonce is its number and whether it is the last, so that blocks which are altered, moved,
//! left out or taken from another backup do not open, nor does a file that was cut at the end of one.

use std::io::{self, BufRead, Read, Write};

use aes_gcm::{Aes256Gcm, KeyInit, aead::AeadInOut};
use sha2::{Digest, Sha256};
use zstd::bulk::{Compressor, Decompressor};

use super::{
    error::BackupError,
    model::{BLOCK_BYTES_MAX, FORMAT, Header, MAGIC},
};
use crate::{
    Error,
    keys::{KeyError, Keys, hex},
};

/// Of zstd: half of a database is encrypted already, and what is not gets little smaller with more.
const LEVEL: i32 = 1;
const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
/// What a header and a sealed key may claim to be long.
const HEADER_BYTES_MAX: u32 = 16 << 20;
const SEALED_KEY_BYTES_MAX: u32 = 1 << 10;

/// What encrypts the blocks of one backup, one after the other.
struct Seal {
    cipher: Aes256Gcm,
    /// The hash of all that stands before the sealed key: the blocks belong to this header.
    bound_to: [u8; 32],
    block: u64,
}

/// Writes an archive.
pub(super) struct ArchiveWriter<W> {
    out: W,
    seal: Seal,
    compressor: Compressor<'static>,
    /// Of the block that is written: its room is kept.
    buffer: Vec<u8>,
}

/// Reads an archive.
pub(super) struct ArchiveReader<R> {
    input: R,
    seal: Seal,
    decompressor: Decompressor<'static>,
    is_over: bool,
}

impl Seal {
    fn new(key: &[u8; KEY_BYTES], bound_to: [u8; 32]) -> Self {
        Self { cipher: Aes256Gcm::new(key.into()), bound_to, block: 0 }
    }

    /// The next nonce: the block's number and whether it is the last.
    fn nonce(&mut self, is_last: bool) -> [u8; 12] {
        let mut nonce = [0; 12];
        let parts = self.block.to_be_bytes().into_iter().chain([u8::from(is_last)]);
        nonce.iter_mut().skip(3).zip(parts).for_each(|(to, from)| *to = from);
        self.block += 1;
        nonce
    }
}

/// What the sealed key is bound to.
fn key_context(bound_to: &[u8; 32]) -> String {
    format!("backup/{}", hex(bound_to))
}

impl<W: Write> ArchiveWriter<W> {
    /// Writes the header and a new key.
    pub(super) fn begin(mut out: W, header: &Header, keys: &Keys) -> Result<Self, Error> {
        let header = serde_json::to_vec(header).map_err(io::Error::other)?;
        let mut head = [&MAGIC[..], &FORMAT.to_le_bytes(), &length_of(&header)?].concat();
        head.extend_from_slice(&header);
        let bound_to = Sha256::digest(&head).into();
        let mut key = [0; KEY_BYTES];
        getrandom::fill(&mut key).map_err(|_| KeyError::Random)?;
        let sealed = keys.seal(&key_context(&bound_to), &key)?;
        out.write_all(&head)?;
        out.write_all(&length_of(&sealed)?)?;
        out.write_all(&sealed)?;
        let (compressor, buffer) = (Compressor::new(LEVEL)?, Vec::new());
        Ok(Self { out, seal: Seal::new(&key, bound_to), compressor, buffer })
    }

    /// Writes a block.
    pub(super) fn block(&mut self, plain: &[u8]) -> Result<(), Error> {
        self.write(plain, false)
    }

    /// Writes the last block; gives back what was written to.
    pub(super) fn finish(mut self, plain: &[u8]) -> Result<W, Error> {
        self.write(plain, true)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn write(&mut self, plain: &[u8], is_last: bool) -> Result<(), Error> {
        self.buffer.clear();
        self.buffer.reserve(zstd::zstd_safe::compress_bound(plain.len()) + TAG_BYTES);
        self.compressor.compress_to_buffer(plain, &mut self.buffer)?;
        let nonce = self.seal.nonce(is_last).into();
        let sealed =
            self.seal.cipher.encrypt_in_place(&nonce, &self.seal.bound_to, &mut self.buffer);
        sealed.map_err(|_| KeyError::Sealed)?;
        self.out.write_all(&length_of(&self.buffer)?)?;
        Ok(self.out.write_all(&self.buffer)?)
    }
}

impl<R: BufRead> ArchiveReader<R> {
    /// Reads the header and the key.
    pub(super) fn open(mut input: R, keys: &Keys) -> Result<(Header, Self), Error> {
        let (header, head) = read_header(&mut input)?;
        let bound_to = Sha256::digest(&head).into();
        if header.key_file != keys.name() {
            return Err(BackupError::WrongKeys.into());
        }
        let sealed = read_part(&mut input, SEALED_KEY_BYTES_MAX)?.ok_or_else(|| damaged(0))?;
        let key = keys.open(&key_context(&bound_to), &sealed);
        let key = key.ok().and_then(|key| <[u8; KEY_BYTES]>::try_from(key).ok());
        let seal = Seal::new(&key.ok_or(BackupError::WrongKeys)?, bound_to);
        let decompressor = Decompressor::new()?;
        Ok((header, Self { input, seal, decompressor, is_over: false }))
    }

    /// The next block; none behind the last.
    pub(super) fn block(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if self.is_over {
            return Ok(None);
        }
        let number = self.seal.block;
        let length_max = zstd::zstd_safe::compress_bound(BLOCK_BYTES_MAX) + TAG_BYTES;
        let length_max = u32::try_from(length_max).unwrap_or(u32::MAX);
        let sealed = read_part(&mut self.input, length_max)?;
        let mut buffer = sealed.ok_or_else(|| damaged(number))?;
        // The one at the end of the file must have been written as the last.
        self.is_over = self.input.fill_buf()?.is_empty();
        let nonce = self.seal.nonce(self.is_over).into();
        let opened = self.seal.cipher.decrypt_in_place(&nonce, &self.seal.bound_to, &mut buffer);
        opened.map_err(|_| damaged(number))?;
        let length = zstd::zstd_safe::get_frame_content_size(&buffer).ok().flatten();
        let length = length.and_then(|length| usize::try_from(length).ok());
        let length = length.filter(|length| *length <= BLOCK_BYTES_MAX);
        let length = length.ok_or_else(|| damaged(number))?;
        let plain = self.decompressor.decompress(&buffer, length);
        plain.map(Some).map_err(|_| damaged(number).into())
    }

    /// The number of the block that was read last, from 1.
    pub(super) fn number(&self) -> u64 {
        self.seal.block
    }
}

/// The header, and all bytes up to its end.
fn read_header(input: &mut impl Read) -> Result<(Header, Vec<u8>), Error> {
    let mut head = Vec::new();
    let start = MAGIC.len() + size_of_val(&FORMAT);
    input.take(start as u64).read_to_end(&mut head)?;
    let format = head.strip_prefix(&MAGIC).and_then(|format| format.try_into().ok());
    let format = format.map(u32::from_le_bytes).ok_or(BackupError::NotABackup)?;
    if format != FORMAT {
        return Err(BackupError::NewerFormat { found: format, known: FORMAT }.into());
    }
    let text = read_part(input, HEADER_BYTES_MAX)?.ok_or_else(|| damaged(0))?;
    let header = serde_json::from_slice(&text).map_err(|_| damaged(0))?;
    head.extend_from_slice(&length_of(&text)?);
    head.extend_from_slice(&text);
    Ok((header, head))
}

fn length_of(bytes: &[u8]) -> io::Result<[u8; 4]> {
    Ok(u32::try_from(bytes.len()).map_err(io::Error::other)?.to_le_bytes())
}

/// A length and so many bytes; none if they are not there, or too many.
fn read_part(input: &mut impl Read, length_max: u32) -> io::Result<Option<Vec<u8>>> {
    let mut length = Vec::new();
    input.take(4).read_to_end(&mut length)?;
    let length = length.try_into().map(u32::from_le_bytes).ok();
    let Some(length) = length.filter(|length| *length <= length_max) else { return Ok(None) };
    let mut bytes = Vec::new();
    input.take(length.into()).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| u32::try_from(bytes.len()) == Ok(length)))
}

fn damaged(block: u64) -> BackupError {
    BackupError::Damaged { block }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::journal::Position;

    static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::generate().unwrap());
    const BLOCKS: [&[u8]; 4] = [b"one", &[7; 3000], b"", b"the last"];

    fn header() -> Header {
        Header {
            id: "id".into(),
            program: "0".into(),
            created_at: 7,
            key_file: KEYS.name(),
            schema: Vec::new(),
            journal: Position::default(),
        }
    }

    fn archive(keys: &Keys, blocks: &[&[u8]]) -> Vec<u8> {
        let mut writer = ArchiveWriter::begin(Vec::new(), &header(), keys).unwrap();
        let (last, others) = blocks.split_last().unwrap();
        for block in others {
            writer.block(block).unwrap();
        }
        writer.finish(last).unwrap()
    }

    fn read(archive: &[u8], keys: &Keys) -> Result<(Header, Vec<Vec<u8>>), Error> {
        let (header, mut reader) = ArchiveReader::open(archive, keys)?;
        let mut blocks = Vec::new();
        while let Some(block) = reader.block()? {
            blocks.push(block);
        }
        Ok((header, blocks))
    }

    /// Where the blocks begin in an archive, and where it ends.
    fn places(archive: &[u8]) -> Vec<usize> {
        let next = |at: usize| {
            let length = archive[at..at + 4].try_into().unwrap();
            at + 4 + u32::from_le_bytes(length) as usize
        };
        let first = next(next(MAGIC.len() + 4));
        let mut places = vec![first];
        while *places.last().unwrap() < archive.len() {
            places.push(next(*places.last().unwrap()));
        }
        places
    }

    #[test]
    fn what_is_written_comes_back() {
        let archive = archive(&KEYS, &BLOCKS);
        let (found, blocks) = read(&archive, &KEYS).unwrap();
        assert_eq!((found, &blocks[..]), (header(), &BLOCKS.map(<[u8]>::to_vec)[..]));
        assert_eq!(places(&archive).len(), BLOCKS.len() + 1);
        assert!(!archive.windows(8).any(|part| part == b"the last"));
        assert_ne!(archive, super::tests::archive(&KEYS, &BLOCKS), "each has its own key");
    }

    #[test]
    fn what_is_cut_off_or_goes_on_is_refused() {
        let archive = archive(&KEYS, &BLOCKS);
        for length in 0..archive.len() {
            read(&archive[..length], &KEYS).unwrap_err();
        }
        for more in [&[0][..], &[0; 4], &archive] {
            read(&[&archive, more].concat(), &KEYS).unwrap_err();
        }
    }

    #[test]
    fn blocks_that_are_moved_left_out_or_of_another_backup_are_refused() {
        let archive = archive(&KEYS, &BLOCKS);
        let other = super::tests::archive(&KEYS, &BLOCKS);
        let places = places(&archive);
        let block = |i: usize| &archive[places[i]..places[i + 1]];
        let rebuilt = |blocks: &[&[u8]]| {
            let all = [&[&archive[..places[0]]], blocks].concat();
            read(&all.concat(), &KEYS)
        };
        rebuilt(&[block(0), block(1), block(2), block(3)]).unwrap();
        for order in [[1, 0, 2, 3], [0, 2, 1, 3], [0, 1, 3, 2], [0, 0, 2, 3], [0, 1, 2, 2]] {
            rebuilt(&order.map(block)).unwrap_err();
        }
        rebuilt(&[block(0), block(1), block(3)]).unwrap_err();
        rebuilt(&[block(1), block(2), block(3)]).unwrap_err();
        let foreign = &other[places[1]..places[2]];
        rebuilt(&[block(0), foreign, block(2), block(3)]).unwrap_err();
        // The key of another backup, with its own header's bytes, opens none of these blocks.
        read(&[&other[..places[0]], &archive[places[0]..]].concat(), &KEYS).unwrap_err();
    }

    #[test]
    fn other_keys_and_other_files_are_told_apart() {
        let archive = archive(&KEYS, &BLOCKS);
        let told = |archive: &[u8], keys: &Keys| match read(archive, keys) {
            Err(Error::Backup(error)) => error,
            other => panic!("{other:?}"),
        };
        assert_eq!(told(&archive, &Keys::generate().unwrap()), BackupError::WrongKeys);
        // Written after a rotation of which the key file at hand knows nothing.
        let rotated = KEYS.rotated().unwrap();
        let later = super::tests::archive(&rotated, &BLOCKS);
        assert_eq!(told(&later, &KEYS), BackupError::WrongKeys);
        read(&archive, &rotated).unwrap();
        for file in [&b""[..], b"daohu", b"PK\x03\x04 and so on, for long"] {
            assert_eq!(told(file, &KEYS), BackupError::NotABackup);
        }
        let mut newer = archive.clone();
        newer[MAGIC.len()] = 2;
        assert_eq!(told(&newer, &KEYS), BackupError::NewerFormat { found: 2, known: FORMAT });
    }

    proptest! {
        #[test]
        fn one_byte_that_is_altered_is_enough(at in any::<prop::sample::Index>(), flip in 1_u8..) {
            let mut archive = archive(&KEYS, &BLOCKS);
            let at = at.index(archive.len());
            archive[at] ^= flip;
            prop_assert!(read(&archive, &KEYS).is_err());
        }
    }
}
