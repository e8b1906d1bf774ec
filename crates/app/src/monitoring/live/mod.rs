//! The picture of all households that a server keeps: read once, and brought up to what stands in the database before every
//! answer, by what the journal says was written since.
//!
//! A command that runs once keeps none; it reads the area that it is asked about.

mod tail;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use daohu_base::{AreaCode, AreaLevel, Day};
use daohu_census::Census;
use daohu_policy::Policy;

use super::{
    fields::Fields,
    rulebook::{Book, Shelf},
};
use crate::{Context, Error, journal::tail::Mark};

/// Above so many records that were written in a county since, all of its households are read anew.
const RECORDS_MAX: usize = 20_000;

/// How long an answer waits for others who read.
const PATIENCE: Duration = Duration::from_secs(5);

/// What an installation keeps of its households in memory; cheap to clone.
#[derive(Clone, Default)]
pub struct Live(Arc<Inner>);

#[derive(Default)]
struct Inner {
    is_kept: AtomicBool,
    /// Who reads what was written; others wait, and find it done.
    turn: tokio::sync::Mutex<()>,
    kept: RwLock<Option<Kept>>,
    shelf: Shelf,
}

/// All households, as they stood when somebody last looked at the journal.
pub(super) struct Kept {
    pub(super) census: Census,
    /// The year of which all amounts are here.
    pub(super) year: i64,
    /// Where it stands in the journal of each county.
    pub(super) marks: Arc<BTreeMap<String, Mark>>,
}

impl Kept {
    /// The households of an area; none where these are all that there are.
    pub(super) fn part(&self, area: &AreaCode) -> Option<Census> {
        let all = self.census.villages();
        if all.iter().all(|village| village.starts_with(area.as_str())) {
            return None;
        }
        let county = area.at(AreaLevel::County);
        let span = match county {
            Some(county) => self.census.span_of(county.as_str()),
            None => 0..self.census.households(),
        };
        Some(self.census.only(|village| village.starts_with(area.as_str()), span).0)
    }

    /// True if it can be brought up to answer questions under these fields, and about the amounts of this year.
    fn suits(&self, fields: &Fields, year: i64) -> bool {
        self.year == year && self.census.has_columns_of(&fields.shape)
    }
}

impl Live {
    /// From now on households are kept: by who serves.
    pub fn keep(&self) {
        self.0.is_kept.store(true, Ordering::Relaxed);
    }

    /// True where they are.
    pub fn is_kept(&self) -> bool {
        self.0.is_kept.load(Ordering::Relaxed)
    }

    /// Brings the picture up to what stands in the database now, under the policy in force; reads all of it if there is none
    /// that could be.
    pub async fn catch_up(&self, context: &Context) -> Result<(), Error> {
        let policy = &context.policy;
        let on = policy.monitoring().looked_at(context.clock.now().day());
        let (fields, year) = (self.book(policy, on)?.fields.clone(), on.year());
        // Where all of a province is read, nobody waits for it.
        let turn = tokio::time::timeout(PATIENCE, self.0.turn.lock()).await;
        let _turn = turn.map_err(|_| Error::Refused("monitor.starting"))?;
        let marks = self.look(|kept| {
            kept.filter(|kept| kept.suits(&fields, year)).map(|kept| Arc::clone(&kept.marks))
        });
        let Some(marks) = marks else {
            // Before the new one is read: two of them would take twice the room.
            self.change(|kept| *kept = None);
            let all = tail::read_all(context, fields, year).await?;
            self.change(|kept| *kept = Some(all));
            return Ok(());
        };
        let found = tail::read_since(context, fields.clone(), year, marks).await?;
        if let Some(found) = found {
            self.change(|slot| {
                let Some(kept) = slot else { return };
                // Packs may have other standards by now, of the same columns.
                kept.census.take_shape(fields.shape);
                if let Err(error) = found.put_into(kept) {
                    tracing::error!(%error, "what was written does not go into the census: it is read anew");
                    *slot = None;
                }
            });
        }
        Ok(())
    }

    /// What a policy asks on a day.
    pub(super) fn book(&self, policy: &Policy, on: Day) -> Result<Arc<Book>, Error> {
        Ok(self.0.shelf.of(policy, on)?)
    }

    /// What is kept, if anything is.
    pub(super) fn look<T>(&self, look: impl FnOnce(Option<&Kept>) -> T) -> T {
        look(self.0.kept.read().unwrap_or_else(PoisonError::into_inner).as_ref())
    }

    fn change(&self, change: impl FnOnce(&mut Option<Kept>)) {
        change(&mut self.0.kept.write().unwrap_or_else(PoisonError::into_inner));
    }
}
