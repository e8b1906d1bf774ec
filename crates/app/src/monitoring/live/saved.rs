//! The picture as a file, so that a server that starts reads what was written since, and not all there is.
//!
//! The file says under which packs it was made and where it stands in the journal of each county; a journal that is another one by
//! then has another chain there, and its county is read anew. It is beside the database and as secret as that: nobody else may
//! read it. Whatever is wrong with it, all households are read from the database instead.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use daohu_census::{Census, Unreadable};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Kept;
use crate::{exchange::Partial, journal::tail::Mark, monitoring::fields::Fields};

/// Of which the file is, in bytes: more than the counties of a country need.
const HEAD_BYTES_MAX: u64 = 64 << 20;

/// What stands before the census.
#[derive(Serialize, Deserialize)]
struct Head {
    /// Another program may read fields otherwise.
    program: String,
    /// Other packs may mean other codes.
    policy: String,
    year: i64,
    marks: BTreeMap<String, Mark>,
}

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
pub(super) enum Useless {
    #[error("it was altered")]
    Altered,
    #[error("it was made by {0}, under {1}")]
    Outdated(String, String),
    #[error(transparent)]
    Census(#[from] Unreadable),
    #[error(transparent)]
    Io(#[from] io::Error),
}

const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// Writes what is kept: either all of it is there afterwards, or what was there before.
pub(super) fn save(path: &Path, kept: &Kept, policy: &str) -> io::Result<()> {
    let marks = BTreeMap::clone(&kept.marks);
    let head =
        Head { program: PROGRAM.to_owned(), policy: policy.to_owned(), year: kept.year, marks };
    let head = serde_json::to_vec(&head)?;
    let mut partial = Partial::create(path)?;
    let file = partial.temporary.as_file_mut();
    file.write_all(&(head.len() as u64).to_le_bytes())?;
    file.write_all(&Sha256::digest(&head))?;
    file.write_all(&head)?;
    kept.census.write(file)?;
    partial.finish().map(drop)
}

/// Reads what was saved under the same packs.
pub(super) fn load(path: &Path, fields: &Fields, policy: &str) -> Result<Kept, Useless> {
    let mut file = File::open(path)?;
    let (mut length, mut digest) = ([0; 8], [0; 32]);
    file.read_exact(&mut length)?;
    file.read_exact(&mut digest)?;
    let length = u64::from_le_bytes(length);
    if length > HEAD_BYTES_MAX {
        return Err(Useless::Altered);
    }
    let mut head = Vec::new();
    Read::by_ref(&mut file).take(length).read_to_end(&mut head)?;
    if Sha256::digest(&head).as_slice() != digest {
        return Err(Useless::Altered);
    }
    let head: Head = serde_json::from_slice(&head).map_err(|_| Useless::Altered)?;
    if (head.program.as_str(), head.policy.as_str()) != (PROGRAM, policy) {
        return Err(Useless::Outdated(head.program, head.policy));
    }
    let census = Census::read(fields.shape.clone(), &mut file)?;
    Ok(Kept::new(census, (head.year, fields), head.marks))
}
