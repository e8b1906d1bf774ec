//! The picture of all households that a server keeps: read once, and brought up to what stands in the database before every
//! answer, by what the journal says was written since.
//!
//! A command that runs once keeps none; it reads the area that it is asked about.

mod saved;
mod tail;

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use daohu_base::{AreaCode, AreaLevel, Day};
use daohu_census::{Assessment, Census};
use daohu_policy::Policy;
use serde::Serialize;
use tokio::{task::spawn_blocking, time::Instant};

use super::{
    counties::Shelf,
    earned::IncomeRules,
    fields::Fields,
    indices::{Ginis, Share},
    rulebook::{Book, Books},
    tallies::Tally,
};
use crate::{Context, Error, journal::tail::Mark};

/// Above so many records that were written in a county since, all of its households are read anew.
const RECORDS_MAX: usize = 20_000;

/// Somebody may write between two looks: then both are taken again, so often.
const PROOF_TRIES: u32 = 3;

/// How long an answer waits for others who read.
const PATIENCE: Duration = Duration::from_secs(5);

/// What an installation keeps of its households in memory; cheap to clone.
#[derive(Clone, Default)]
pub struct Live(Arc<Inner>);

#[derive(Default)]
struct Inner {
    is_kept: AtomicBool,
    /// Where it is saved, if it is.
    path: OnceLock<PathBuf>,
    /// Where it stood when it was saved last.
    saved: Mutex<Option<Arc<BTreeMap<String, Mark>>>>,
    /// Who reads what was written; others wait, and find it done.
    turn: tokio::sync::Mutex<()>,
    kept: RwLock<Option<Kept>>,
    books: Books,
}

/// Whether what is kept is what stands in the database.
#[derive(Clone, Debug, Serialize)]
pub struct Proof {
    /// Households that were compared.
    pub households: usize,
    /// Their members.
    pub members: usize,
    /// The id of the first household that differs; none where all are the same.
    pub difference: Option<i64>,
    /// What it took to have what is kept, brought up to the database.
    pub kept_seconds: f64,
    /// What it took to read all of it anew.
    pub anew_seconds: f64,
}

/// All households, as they stood when somebody last looked at the journal.
pub(super) struct Kept {
    pub(super) census: Census,
    /// The year of which all amounts are here.
    pub(super) year: i64,
    /// By which incomes a head were worked out.
    incomes: Arc<IncomeRules>,
    /// Where it stands in the journal of each county.
    pub(super) marks: Arc<BTreeMap<String, Mark>>,
    /// How the households of each county stand.
    pub(super) tallies: Shelf<Tally>,
    /// What indices of each county are put together from.
    pub(super) shares: Shelf<Share>,
    pub(super) ginis: Ginis,
    /// What the guarantees of a book say, without reasons.
    guarantees: Mutex<Option<(Arc<Book>, Arc<Assessment>)>>,
}

impl Kept {
    fn new(census: Census, (year, fields): (i64, &Fields), marks: BTreeMap<String, Mark>) -> Self {
        let (tallies, shares, ginis, guarantees) = Default::default();
        let (incomes, marks) = (Arc::clone(&fields.incomes), Arc::new(marks));
        Self { census, year, incomes, marks, tallies, shares, ginis, guarantees }
    }

    /// These counties were written: what they came to holds no longer.
    fn forget<'m>(&self, counties: impl Iterator<Item = &'m String> + Clone) {
        self.tallies.forget(counties.clone());
        self.shares.forget(counties.clone());
        self.ginis.forget(counties);
        *self.guarantees.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What the guarantees of a book say, if they were asked since somebody wrote; otherwise they are asked.
    pub(super) fn guarantees(
        &self,
        book: &Arc<Book>,
        ask: impl FnOnce() -> Arc<Assessment>,
    ) -> Arc<Assessment> {
        let mut known = self.guarantees.lock().unwrap_or_else(PoisonError::into_inner);
        let own = known.as_ref().filter(|(own, _)| Arc::ptr_eq(own, book));
        let found = own.map_or_else(ask, |(_, found)| Arc::clone(found));
        *known = Some((Arc::clone(book), Arc::clone(&found)));
        found
    }

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
        let is_counted_so = self.incomes.count_as(&fields.incomes);
        self.year == year && is_counted_so && self.census.has_columns_of(&fields.shape)
    }
}

impl Live {
    /// From now on households are kept: by who serves.
    pub fn keep(&self) {
        self.0.is_kept.store(true, Ordering::Relaxed);
    }

    /// They are saved in this file, and read from it at the start.
    pub fn save_in(&self, path: PathBuf) {
        // A second place is none: the first one is known to others.
        let _ = self.0.path.set(path);
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
        let marks = match marks {
            Some(marks) => marks,
            None => {
                // Before the new one is read: two of them would take twice the room.
                self.change(|kept| *kept = None);
                let Some(saved) = self.load(&fields, (policy, year)).await else {
                    let all = tail::read_all(context, fields, year).await?;
                    self.change(|kept| *kept = Some(all));
                    return Ok(());
                };
                let marks = Arc::clone(&saved.marks);
                self.change(|kept| *kept = Some(saved));
                marks
            }
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

    /// What was saved, if it suits.
    async fn load(&self, fields: &Fields, (policy, year): (&Policy, i64)) -> Option<Kept> {
        let path = self.0.path.get()?.clone();
        let (fields, policy) = (fields.clone(), policy.version().to_owned());
        let work = move || {
            if !path.exists() {
                return None;
            }
            match saved::load(&path, &fields, &policy) {
                Ok(kept) => Some(kept).filter(|kept| kept.suits(&fields, year)),
                Err(why) => {
                    tracing::warn!(%why, "the saved census is of no use: households are read from the database");
                    None
                }
            }
        };
        let kept = spawn_blocking(work).await.ok().flatten()?;
        *self.saved() = Some(Arc::clone(&kept.marks));
        Some(kept)
    }

    /// Saves what is kept, if it is told where, and if something was written since it was saved last; gives whether it did.
    pub async fn save(&self, context: &Context) -> Result<bool, Error> {
        let Some(path) = self.0.path.get().cloned() else { return Ok(false) };
        let (live, policy) = (self.clone(), context.policy.version().to_owned());
        let work = move || {
            live.look(|kept| {
                let Some(kept) = kept else { return Ok(false) };
                if live.saved().as_ref() == Some(&kept.marks) {
                    return Ok(false);
                }
                saved::save(&path, kept, &policy)?;
                *live.saved() = Some(Arc::clone(&kept.marks));
                Ok(true)
            })
        };
        let done: Result<bool, io::Error> =
            spawn_blocking(work).await.map_err(|_| Error::Cancelled)?;
        done.map_err(Error::File)
    }

    /// Whether what is kept, brought up to what stands in the database, is what all of it read anew is.
    pub async fn prove(&self, context: &Context) -> Result<Proof, Error> {
        let on = context.policy.monitoring().looked_at(context.clock.now().day());
        let fields = self.book(&context.policy, on)?.fields.clone();
        let mut tries = PROOF_TRIES;
        loop {
            let started = Instant::now();
            self.catch_up(context).await?;
            let kept_seconds = started.elapsed().as_secs_f64();
            let started = Instant::now();
            let anew = tail::read_all(context, fields.clone(), on.year()).await?;
            let anew_seconds = started.elapsed().as_secs_f64();
            tries -= 1;
            let compared = self.look(|kept| {
                let kept = kept?;
                let is_moved = *kept.marks != *anew.marks;
                // What was sealed between the two is another mark of the same records.
                let difference = kept.census.difference(&anew.census);
                (difference.is_none() || !is_moved || tries == 0).then_some(Proof {
                    households: anew.census.households(),
                    members: anew.census.members(),
                    difference,
                    kept_seconds,
                    anew_seconds,
                })
            });
            if let Some(proof) = compared {
                return Ok(proof);
            }
        }
    }

    fn saved(&self) -> MutexGuard<'_, Option<Arc<BTreeMap<String, Mark>>>> {
        self.0.saved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a policy asks on a day.
    pub(super) fn book(&self, policy: &Policy, on: Day) -> Result<Arc<Book>, Error> {
        Ok(self.0.books.of(policy, on)?)
    }

    /// What is kept, if anything is.
    pub(super) fn look<T>(&self, look: impl FnOnce(Option<&Kept>) -> T) -> T {
        look(self.0.kept.read().unwrap_or_else(PoisonError::into_inner).as_ref())
    }

    fn change(&self, change: impl FnOnce(&mut Option<Kept>)) {
        change(&mut self.0.kept.write().unwrap_or_else(PoisonError::into_inner));
    }
}
