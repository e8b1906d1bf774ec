//! Bodies in little room. An entry holds the whole record, most of it names of columns that every other
//! entry repeats: packed with a dictionary that knows them, the journal takes a fifth of the room, on
//! the disk and on every way there.
//!
//! A packed body begins with the number of its dictionary; 0 says that the text follows as it is.

use std::sync::{LazyLock, Mutex, PoisonError};

use zstd::{
    bulk::{Compressor, Decompressor},
    dict::{DecoderDictionary, EncoderDictionary},
};

/// One whose bytes are in a database can never change: a better one gets the next number, and this
/// one stays. How it was made: `docs/adr/0009-journal-bodies-packed.md`.
const DICTIONARY_1: &[u8] = include_bytes!("dictionary_1.zdict");
/// The number of no dictionary.
const PLAIN: u8 = 0;
/// The number of the first dictionary.
const FIRST: u8 = 1;
/// The number of the one that packs; every number before it still unpacks.
const CURRENT: u8 = FIRST;
/// Of zstd: more is slower and gains next to nothing on texts this short.
const LEVEL: i32 = 1;
/// What a frame may claim to hold; a longer text stays as it is.
const BODY_BYTES_MAX: usize = 16 << 20;

static ENCODER: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY_1, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY_1));
static COMPRESSORS: Idle<Compressor<'static>> = Idle::new();
static DECOMPRESSORS: Idle<Decompressor<'static>> = Idle::new();

/// The packed form of a text.
pub(super) fn pack(text: &str) -> Vec<u8> {
    let compressed = COMPRESSORS.with(
        || Compressor::with_prepared_dictionary(&ENCODER),
        |compressor| compressor.compress(text.as_bytes()),
    );
    let is_worth_it =
        |compressed: &&Vec<u8>| compressed.len() < text.len() && text.len() <= BODY_BYTES_MAX;
    let (number, body) = match compressed.as_ref().filter(is_worth_it) {
        Some(compressed) => (CURRENT, compressed.as_slice()),
        None => (PLAIN, text.as_bytes()),
    };
    [&[number], body].concat()
}

/// The text of a packed form; none if it is no such form.
pub(super) fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let (number, body) = packed.split_first()?;
    match *number {
        PLAIN => Some(body.to_vec()),
        FIRST => {
            let length = zstd::zstd_safe::get_frame_content_size(body).ok()??;
            let length = usize::try_from(length).ok().filter(|length| *length <= BODY_BYTES_MAX)?;
            DECOMPRESSORS.with(
                || Decompressor::with_prepared_dictionary(&DECODER),
                |decompressor| decompressor.decompress(body, length),
            )
        }
        _ => None,
    }
}

/// Contexts that nobody uses at the moment: each is worth keeping, and there are never more than there
/// were users at once.
struct Idle<T>(Mutex<Vec<T>>);

impl<T> Idle<T> {
    const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// What `work` makes with a context; none if either fails.
    fn with<R>(
        &self,
        make: impl FnOnce() -> std::io::Result<T>,
        work: impl FnOnce(&mut T) -> std::io::Result<R>,
    ) -> Option<R> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut context = kept.map_or_else(make, Ok).ok()?;
        let made = work(&mut context).ok();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(context);
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_comes_back() {
        let record =
            r#"{"before":null,"after":{"county":"990102","id":9901020000001,"no":"H001"}}"#;
        let long = format!("{{\"after\":\"{}\"}}", "户".repeat(100_000));
        let longer = "户".repeat(BODY_BYTES_MAX / 3 + 1);
        for text in ["", "null", record, &long, &longer] {
            assert_eq!(unpack(&pack(text)).as_deref(), Some(text.as_bytes()));
        }
        let household = r#"{"before":null,"after":{"no":"H1","village":"990102100200","identified_year":2014,"poverty_kind":1,"main_cause":2,"is_relocated":0,"farmland_mu":2.5,"floor_area_m2":80,"is_unsafe":0,"water_is_safe":1}}"#;
        assert!(pack(household).len() < household.len() / 2);
    }

    #[test]
    fn what_is_no_packed_form_is_refused() {
        let mut packed = pack(r#"{"before":null,"after":{"county":"990102","id":9901020000001}}"#);
        assert_eq!(packed[0], CURRENT);
        for broken in [&[][..], &[CURRENT], &[9, 1, 2], &packed[..packed.len() - 1]] {
            assert_eq!(unpack(broken), None);
        }
        packed[0] = PLAIN;
        assert!(unpack(&packed).is_some_and(|text| text.len() == packed.len() - 1));
    }

    #[test]
    fn the_first_dictionary_is_the_first_dictionary() {
        // Whoever changes its bytes makes every journal that was written with it unreadable.
        let hash = <sha2::Sha256 as sha2::Digest>::digest(DICTIONARY_1);
        assert_eq!(
            crate::keys::hex(&hash),
            "dadf6b063c1e3779b0721068aed0e06ffe3aaa5c3dcb8dd1ea1276a1a9cfad57"
        );
    }
}
