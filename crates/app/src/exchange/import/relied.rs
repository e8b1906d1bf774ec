//! What decisions rely on and the import itself does not write.
//!
//! Rows that it writes are guarded by their version. But whoever joins a household relies on its
//! village and its head, and whoever gets a number on who held it: on PostgreSQL clerks change those
//! between the reading and the writing. So the writing half takes the locks that an edit takes, and
//! looks again. On SQLite the writing transaction is open before anything is read, and it is the only
//! one: nothing can have changed.

use std::collections::{BTreeMap, HashMap, HashSet};

use daohu_db::{Engine, Error as DbError, Tx};
use serde::{Deserialize, Serialize};

use super::{decide::Home, group::Existing};
use crate::{
    Error,
    households::rows::{self, Holder},
};

/// What was read of households that a batch adds to, by county.
#[derive(Default)]
pub(super) struct Relied(BTreeMap<String, County>);

#[derive(Default)]
struct County {
    villages: BTreeMap<i64, String>,
    /// Households that get a head.
    headed: Vec<i64>,
    /// Their persons, with versions.
    persons: HashSet<(i64, i64)>,
}

impl Relied {
    /// Something is written below this household, because it is in its village.
    pub(super) fn on_village(&mut self, home: &Home) {
        if let Some(village) = &home.stored_village {
            self.county(home).villages.insert(home.id, village.clone());
        }
    }

    /// Somebody becomes the head, because none of the others is.
    pub(super) fn on_members(&mut self, home: &Home, existing: &Existing) {
        if home.stored_village.is_some() {
            let members = existing.persons_of(home.id).iter();
            let county = self.county(home);
            county.headed.push(home.id);
            county.persons.extend(members.map(|member| (member.id(), member.0.meta.version)));
        }
    }

    fn county(&mut self, home: &Home) -> &mut County {
        self.0.entry(home.county.clone()).or_default()
    }

    /// Locks the households, and refuses if they are not as they were read.
    pub(super) async fn check(self, tx: &mut Tx) -> Result<(), Error> {
        if tx.engine() == Engine::Sqlite {
            return Ok(());
        }
        for (county, County { villages, headed, persons }) in self.0 {
            let ids: Vec<i64> = villages.keys().copied().collect();
            let now = rows::lock_villages(tx, &county, &ids).await?;
            let stay = now.iter().filter(|(id, village)| villages.get(id) == Some(village));
            if stay.count() != villages.len() {
                return Err(DbError::Changed.into());
            }
            // Who is not there any more was taken elsewhere by this import.
            let now = rows::versions_of(tx, &county, &headed).await?;
            if !now.iter().all(|person| persons.contains(person)) {
                return Err(DbError::Changed.into());
            }
        }
        Ok(())
    }
}

/// Who is to hold an ID number, and who held it when that was decided.
#[derive(Serialize, Deserialize)]
pub(super) struct Claim {
    pub(super) identity: [u8; 16],
    pub(super) holder: Holder,
    pub(super) seen: Option<Holder>,
}

/// Writes who holds which number, if each is still held by whom it was.
pub(super) async fn write(tx: &mut Tx, claims: &[Claim]) -> Result<(), Error> {
    let (held, free): (Vec<&Claim>, Vec<&Claim>) =
        claims.iter().partition(|claim| claim.seen.is_some());
    if tx.engine() == Engine::Postgres && !held.is_empty() {
        let identities = held.iter().map(|claim| claim.identity);
        let now: HashMap<_, _> = rows::lock_holders(tx, identities).await?.into_iter().collect();
        if held.iter().any(|claim| now.get(&claim.identity) != claim.seen.as_ref()) {
            return Err(DbError::Changed.into());
        }
    }
    let rows = |claims: Vec<&Claim>| {
        let row = |claim: &Claim| claim.holder.row(claim.identity);
        claims.into_iter().map(row).collect::<Vec<_>>()
    };
    let table = rows::person_keys();
    // A number that nobody held must be new: one that somebody got meanwhile is a second key.
    tx.insert_rows(&table, &rows(free)).await?;
    Ok(tx.upsert_rows(&table, &rows(held)).await?)
}
