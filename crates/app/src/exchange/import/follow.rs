//! Members of households that move to another village.
//!
//! They follow when all rows are decided: a row of the same import may change a member, or take one
//! to another household, whichever of the two is decided first. So each record is written once.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
};

use daohu_db::Tx;
use serde::{Deserialize, Serialize};

use super::decide::Home;
use crate::{
    Error,
    exchange::spill::{Sorted, Spill},
    households::{PersonRow, rows},
    keys::Keys,
};

/// Memory for moves and the persons that rows wrote.
const MOVES_BYTES: usize = 4 << 20;
/// Households whose members are read together.
const HOMES: usize = 200;

/// What is noted while rows are decided, sorted by county and household.
pub(super) struct Moves(Spill);

#[derive(Serialize, Deserialize)]
enum Item {
    /// A household moves to a village.
    Home { county: String, household: i64, village: String },
    /// A row wrote the record of a person that is stored as one of this household.
    Written { household: i64, person: i64 },
}

impl Moves {
    pub(super) fn new(folder: &Arc<Path>) -> Self {
        Self(Spill::new(MOVES_BYTES, folder))
    }

    /// Notes that a household moves.
    pub(super) fn home(&mut self, home: &Home) -> Result<(), Error> {
        let (county, household, village) = (home.county.clone(), home.id, home.village.clone());
        // No person has this id: the household comes before its members.
        self.note(&home.county, household, 0, &Item::Home { county, household, village })
    }

    /// Notes that a row wrote the record of this person, as the store has it.
    pub(super) fn written(&mut self, stored: &PersonRow) -> Result<(), Error> {
        let (household, person) = (stored.household(), stored.id());
        self.note(stored.county(), household, person, &Item::Written { household, person })
    }

    fn note(
        &mut self,
        county: &str,
        household: i64,
        person: i64,
        item: &Item,
    ) -> Result<(), Error> {
        let key = [county.as_bytes(), &household.to_be_bytes(), &person.to_be_bytes()].concat();
        let item = postcard::to_allocvec(item).map_err(std::io::Error::other)?;
        Ok(self.0.push(&key, &item)?)
    }

    /// Ends the notes.
    pub(super) fn followers(self) -> Result<Followers, Error> {
        let mut items = self.0.sorted()?;
        let next = take(&mut items)?;
        Ok(Followers { items, next })
    }
}

fn take(items: &mut Sorted) -> Result<Option<Item>, Error> {
    let Some((_, item)) = items.next()? else { return Ok(None) };
    Ok(Some(postcard::from_bytes(&item).map_err(std::io::Error::other)?))
}

/// Hands out the members that are still to be written.
pub(super) struct Followers {
    items: Sorted,
    next: Option<Item>,
}

/// Some households of a county that moved.
#[derive(Default)]
struct Batch {
    county: String,
    /// Where they moved.
    villages: HashMap<i64, String>,
    written: HashSet<i64>,
}

impl Followers {
    /// The next members, each with the village where the household is now; none at the end.
    pub(super) async fn batch(
        &mut self,
        tx: &mut Tx,
        keys: &Keys,
    ) -> Result<Option<Vec<(PersonRow, String)>>, Error> {
        let Batch { county, villages, written } = self.homes()?;
        if villages.is_empty() {
            return Ok(None);
        }
        let mut households: Vec<i64> = villages.keys().copied().collect();
        households.sort_unstable();
        let members = rows::persons_of(tx, keys, &county, &households).await?;
        let rest = members.into_iter().filter(|member| !written.contains(&member.id()));
        let with_village = |member: PersonRow| {
            let village = villages.get(&member.household())?.clone();
            Some((member, village))
        };
        Ok(Some(rest.filter_map(with_village).collect()))
    }

    fn homes(&mut self) -> Result<Batch, Error> {
        let mut batch = Batch::default();
        while let Some(item) = self.next.take() {
            match item {
                Item::Home { ref county, .. }
                    if !batch.villages.is_empty()
                        && (*county != batch.county || batch.villages.len() == HOMES) =>
                {
                    self.next = Some(item);
                    return Ok(batch);
                }
                Item::Home { county, household, village } => {
                    batch.county = county;
                    batch.villages.insert(household, village);
                }
                // Most households of whom a row is written stay where they are.
                Item::Written { household, person } => {
                    if batch.villages.contains_key(&household) {
                        batch.written.insert(person);
                    }
                }
            }
            self.next = take(&mut self.items)?;
        }
        Ok(batch)
    }
}
