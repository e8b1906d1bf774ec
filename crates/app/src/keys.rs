//! The key file: what encrypts, indexes and signs.
//!
//! Invariants: keys never enter the database or a backup; a sealed value is bound to the record it
//! belongs to and cannot be moved to another; nothing here prints a key. The file is the truth: keys
//! that were read from it follow it while the program runs ([`Keys::refresh`]).

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::Write,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// A key cannot be read, or does not open what it should.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key file is missing, unreadable or not one of ours.
    #[error("key file {path}: {reason}")]
    File {
        /// Where it should be.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The value was sealed with a key that the file does not hold, or was altered or moved.
    #[error("a sealed value does not open: wrong key file, or the value was altered")]
    Sealed,
    /// The machine gave no random bytes.
    #[error("the machine gives no random numbers")]
    Random,
}

/// The keys in use. Cheap to share behind an `Arc`.
pub struct Keys {
    ring: RwLock<Ring>,
    identity: Hmac<Sha256>,
    tail: Hmac<Sha256>,
    sign: SigningKey,
    nonce_high: u32,
    nonce_low: AtomicU64,
    source: Option<Source>,
}

/// What a rotation changes.
struct Ring {
    seal: BTreeMap<u16, Aes256Gcm>,
    file: KeyFile,
}

/// Where keys were read from.
struct Source {
    path: PathBuf,
    /// What the file was when it was last looked at.
    seen: Mutex<Option<Stamp>>,
}

/// Tells two versions of a file apart without reading them: inode, length, time of change.
type Stamp = (u64, u64, i64, i64);

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    format: u32,
    current: u16,
    seal: BTreeMap<u16, String>,
    identity: String,
    tail: String,
    sign: String,
}

const FORMAT: u32 = 1;
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
/// Key id (2) before the nonce.
const HEAD_BYTES: usize = 2 + NONCE_BYTES;

impl Keys {
    /// New random keys.
    pub fn generate() -> Result<Self, KeyError> {
        let seal = BTreeMap::from([(1, random_hex()?)]);
        let (identity, tail, sign) = (random_hex()?, random_hex()?, random_hex()?);
        Self::from_file(KeyFile { format: FORMAT, current: 1, seal, identity, tail, sign })
    }

    /// Reads a key file.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let seen = Mutex::new(stamp(path));
        let mut keys = Self::from_file(KeyFile::read(path)?)?;
        keys.source = Some(Source { path: path.to_owned(), seen });
        Ok(keys)
    }

    /// Reads the key file again if it was changed: a rotation is for every program that has the keys.
    /// A file that does not hold all the keys in use is left alone, and the log says so once.
    pub fn refresh(&self) {
        let Some(source) = &self.source else { return };
        let mut seen = source.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the file is read: if it changes meanwhile, it is read once more.
        let found = stamp(&source.path);
        if *seen == found {
            return;
        }
        *seen = found;
        match KeyFile::read(&source.path).and_then(|file| self.follow(file)) {
            Ok(current) => tracing::info!(current, "the key file was read again"),
            Err(error) => tracing::error!(%error, "the keys read before stay in use"),
        }
    }

    fn follow(&self, file: KeyFile) -> Result<u16, KeyError> {
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        if !file.continues(&ring.file) {
            let path = self.source.as_ref().map(|source| source.path.display().to_string());
            let reason = "it does not hold the keys in use".to_owned();
            return Err(KeyError::File { path: path.unwrap_or_default(), reason });
        }
        *ring = Ring { seal: file.ciphers()?, file };
        Ok(ring.file.current)
    }

    /// Writes the key file, readable by its owner alone; refuses to overwrite unless `replace`.
    pub fn save(&self, path: &Path, replace: bool) -> Result<(), KeyError> {
        let bad = |reason: String| KeyError::File { path: path.display().to_string(), reason };
        let text = self.with_ring(|ring| serde_json::to_string_pretty(&ring.file));
        let text = text.map_err(|e| bad(e.to_string()))?;
        let target = if replace { path.with_extension("new") } else { path.to_owned() };
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(!replace).create(true).truncate(replace);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&target).map_err(|e| bad(e.to_string()))?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(|e| bad(e.to_string()))?;
        if replace {
            fs::rename(&target, path).map_err(|e| bad(e.to_string()))?;
        }
        // The name must outlive a power cut like the bytes: without the keys nothing can be read.
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            let synced = fs::File::open(folder).and_then(|folder| folder.sync_all());
            synced.map_err(|e| bad(e.to_string()))?;
        }
        Ok(())
    }

    /// The same keys with a new one for sealing; the old ones still open what they sealed.
    pub fn rotated(&self) -> Result<Self, KeyError> {
        let mut file = self.with_ring(|ring| ring.file.clone());
        file.current = file.current.checked_add(1).ok_or(KeyError::Random)?;
        file.seal.insert(file.current, random_hex()?);
        Self::from_file(file)
    }

    fn from_file(file: KeyFile) -> Result<Self, KeyError> {
        let mac = |key: &str| -> Result<Hmac<Sha256>, KeyError> {
            let key: [u8; KEY_BYTES] = unhex(key).ok_or(KeyError::Random)?;
            <Hmac<Sha256> as KeyInit>::new_from_slice(&key).map_err(|_| KeyError::Random)
        };
        let mut nonce = [0u8; 12];
        getrandom::fill(&mut nonce).map_err(|_| KeyError::Random)?;
        let [a, b, c, d, low @ ..] = nonce;
        Ok(Self {
            identity: mac(&file.identity)?,
            tail: mac(&file.tail)?,
            sign: SigningKey::from_bytes(&unhex(&file.sign).ok_or(KeyError::Random)?),
            nonce_high: u32::from_be_bytes([a, b, c, d]),
            nonce_low: AtomicU64::new(u64::from_be_bytes(low)),
            ring: RwLock::new(Ring { seal: file.ciphers()?, file }),
            source: None,
        })
    }

    fn with_ring<T>(&self, look: impl FnOnce(&Ring) -> T) -> T {
        look(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Encrypts `plain`, bound to `context` (the record it belongs to).
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        // A random start and a counter: no nonce repeats under one key, without a call per value.
        let low = self.nonce_low.fetch_add(1, Ordering::Relaxed);
        let mut nonce = [0; NONCE_BYTES];
        let parts = self.nonce_high.to_be_bytes().into_iter().chain(low.to_be_bytes());
        nonce.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        let payload = Payload { msg: plain, aad: context.as_bytes() };
        self.with_ring(|ring| {
            let id = ring.file.current;
            let cipher = ring.seal.get(&id).ok_or(KeyError::Sealed)?;
            let sealed = cipher.encrypt(&nonce.into(), payload).map_err(|_| KeyError::Sealed)?;
            let mut out = Vec::with_capacity(HEAD_BYTES + sealed.len());
            out.extend_from_slice(&id.to_be_bytes());
            out.extend_from_slice(&nonce);
            out.extend_from_slice(&sealed);
            Ok(out)
        })
    }

    /// Opens what [`Keys::seal`] made for the same context.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, KeyError> {
        let (head, body) = sealed.split_at_checked(HEAD_BYTES).ok_or(KeyError::Sealed)?;
        let (id, nonce) = head.split_at_checked(2).ok_or(KeyError::Sealed)?;
        let id = u16::from_be_bytes(id.try_into().map_err(|_| KeyError::Sealed)?);
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| KeyError::Sealed)?;
        if !self.with_ring(|ring| ring.seal.contains_key(&id)) {
            // Another program rotated the keys and was quicker to use the new one.
            self.refresh();
        }
        let payload = Payload { msg: body, aad: context.as_bytes() };
        self.with_ring(|ring| {
            let cipher = ring.seal.get(&id).ok_or(KeyError::Sealed)?;
            cipher.decrypt(&nonce.into(), payload).map_err(|_| KeyError::Sealed)
        })
    }

    /// True if the value was sealed with the key now in use.
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        self.with_ring(|ring| sealed.starts_with(&ring.file.current.to_be_bytes()))
    }

    /// The blind index of an ID number: equal numbers have equal indexes, and nothing else shows.
    pub fn identity(&self, number: &str) -> [u8; 16] {
        let mut mac = self.identity.clone();
        mac.update(number.as_bytes());
        let full = mac.finalize().into_bytes();
        let mut half = [0; 16];
        half.iter_mut().zip(full).for_each(|(to, from)| *to = from);
        half
    }

    /// The blind index of the last six characters of an ID number.
    pub fn tail(&self, last_six: &str) -> i64 {
        let mut mac = self.tail.clone();
        mac.update(last_six.as_bytes());
        let full = mac.finalize().into_bytes();
        let mut first = [0; 8];
        first.iter_mut().zip(full).for_each(|(to, from)| *to = from);
        i64::from_be_bytes(first)
    }

    /// What tells this key file from those of other installations, and stays when keys are rotated. It is
    /// a blind index like those of numbers: no key follows from it.
    pub fn name(&self) -> String {
        hex(&self.identity("the name of the key file"))
    }

    /// Signs a text; hex.
    pub fn sign(&self, text: &str) -> String {
        hex(&self.sign.sign(text.as_bytes()).to_bytes())
    }

    /// True if [`Keys::sign`] of this key file made the signature.
    pub fn verify(&self, text: &str, signature: &str) -> bool {
        let key: VerifyingKey = self.sign.verifying_key();
        let bytes = unhex::<64>(signature);
        bytes.is_some_and(|b| key.verify(text.as_bytes(), &Signature::from_bytes(&b)).is_ok())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys(current {})", self.with_ring(|ring| ring.file.current))
    }
}

impl KeyFile {
    fn read(path: &Path) -> Result<Self, KeyError> {
        let bad = |reason: String| KeyError::File { path: path.display().to_string(), reason };
        let text = fs::read_to_string(path).map_err(|e| bad(e.to_string()))?;
        let file: Self = serde_json::from_str(&text).map_err(|e| bad(e.to_string()))?;
        if file.format != FORMAT {
            return Err(bad(format!("format {} is not known", file.format)));
        }
        let keys = file.seal.values().chain([&file.identity, &file.tail, &file.sign]);
        if keys.into_iter().any(|key| unhex::<KEY_BYTES>(key).is_none()) {
            return Err(bad("a key is not 32 bytes of hex".to_owned()));
        }
        Ok(file)
    }

    /// True if it is the other one after rotations: what that one's keys made can still be used.
    fn continues(&self, other: &Self) -> bool {
        self.seal.contains_key(&self.current)
            && other.seal.iter().all(|(id, key)| self.seal.get(id) == Some(key))
            && (&self.identity, &self.tail, &self.sign)
                == (&other.identity, &other.tail, &other.sign)
    }

    fn ciphers(&self) -> Result<BTreeMap<u16, Aes256Gcm>, KeyError> {
        let cipher = |(id, key): (&u16, &String)| {
            let key: [u8; KEY_BYTES] = unhex(key).ok_or(KeyError::Random)?;
            Ok((*id, Aes256Gcm::new(&key.into())))
        };
        self.seal.iter().map(cipher).collect()
    }
}

/// Nothing if there is no such file.
fn stamp(path: &Path) -> Option<Stamp> {
    let found = fs::metadata(path).ok()?;
    Some((found.ino(), found.len(), found.mtime(), found.mtime_nsec()))
}

/// Random lower-case letters and digits that nobody can guess.
pub fn random_token() -> Result<String, KeyError> {
    random_hex()
}

fn random_hex() -> Result<String, KeyError> {
    let mut key = [0u8; KEY_BYTES];
    getrandom::fill(&mut key).map_err(|_| KeyError::Random)?;
    Ok(hex(&key))
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of a hexadecimal text of exactly this length.
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != N * 2 {
        return None;
    }
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(i * 2..i * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_where_it_belongs() {
        let keys = Keys::generate().unwrap();
        let sealed = keys.seal("persons/1", b"990102197001010112").unwrap();
        assert_eq!(keys.open("persons/1", &sealed).unwrap(), b"990102197001010112");
        assert!(keys.open("persons/2", &sealed).is_err());
        let mut altered = sealed.clone();
        altered[20] ^= 1;
        assert!(keys.open("persons/1", &altered).is_err());
        assert_ne!(keys.seal("persons/1", b"x").unwrap(), keys.seal("persons/1", b"x").unwrap());
    }

    #[test]
    fn a_rotated_file_opens_what_the_old_one_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let old = Keys::generate().unwrap();
        let sealed = old.seal("a", b"b").unwrap();
        old.save(&path, false).unwrap();
        assert!(old.save(&path, false).is_err(), "a key file is not overwritten by accident");
        old.rotated().unwrap().save(&path, true).unwrap();
        let new = Keys::load(&path).unwrap();
        assert_eq!(new.open("a", &sealed).unwrap(), b"b");
        assert!(!new.is_current(&sealed) && new.is_current(&new.seal("a", b"b").unwrap()));
        assert_eq!((new.identity("x"), new.name()), (old.identity("x"), old.name()));
        assert_ne!(new.name(), Keys::generate().unwrap().name());
        assert!(new.verify("text", &old.sign("text")) && !new.verify("Text", &old.sign("text")));
    }

    #[test]
    fn keys_follow_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        Keys::generate().unwrap().save(&path, false).unwrap();
        let running = Keys::load(&path).unwrap();
        let rotated = running.rotated().unwrap();
        rotated.save(&path, true).unwrap();
        // What the new key sealed opens at once; that the key is in use follows.
        let sealed = rotated.seal("a", b"b").unwrap();
        assert_eq!(running.open("a", &sealed).unwrap(), b"b");
        assert!(running.is_current(&sealed));
        assert_eq!(rotated.open("a", &running.seal("a", b"c").unwrap()).unwrap(), b"c");
        // Without anything to open, it takes a look at the file.
        rotated.rotated().unwrap().save(&path, true).unwrap();
        assert!(running.is_current(&sealed));
        running.refresh();
        assert!(!running.is_current(&sealed));
    }

    #[test]
    fn a_file_without_the_keys_in_use_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let first = Keys::generate().unwrap();
        first.save(&path, false).unwrap();
        let running = Keys::load(&path).unwrap();
        let sealed = running.seal("a", b"b").unwrap();
        let other = Keys::generate().unwrap().rotated().unwrap();
        other.save(&path, true).unwrap();
        assert!(running.open("a", &other.seal("a", b"b").unwrap()).is_err());
        for text in ["{", "{}"] {
            fs::write(&path, text).unwrap();
            running.refresh();
        }
        fs::remove_file(&path).unwrap();
        running.refresh();
        assert!(running.is_current(&sealed) && running.open("a", &sealed).is_ok());
        // And when the right one is back, it is followed.
        first.rotated().unwrap().save(&path, false).unwrap();
        running.refresh();
        assert!(!running.is_current(&sealed) && running.open("a", &sealed).is_ok());
    }
}
