//! What every use case works with.

use std::sync::{Arc, PoisonError, RwLock};

use daohu_base::Clock;
use daohu_db::Db;
use daohu_policy::Policy;

use crate::{accounts::Passwords, keys::Keys, monitoring::Live};

/// The things of one installation, handed down from `main`: there are no globals. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// The store.
    pub db: Db,
    /// The policy that this piece of work follows from its begin to its end.
    pub policy: Arc<Policy>,
    /// What encrypts, indexes and signs.
    pub keys: Arc<Keys>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How passwords are hashed.
    pub passwords: Passwords,
    /// The policy that the next piece of work follows.
    pub next: NextPolicy,
    /// The households in memory, where they are kept.
    pub live: Live,
}

/// A policy that was taken up; see [`Context::current`].
#[derive(Clone)]
pub struct NextPolicy(Arc<RwLock<Arc<Policy>>>);

impl Context {
    /// An installation under a policy.
    pub fn new(
        db: Db,
        policy: Arc<Policy>,
        (keys, passwords): (Arc<Keys>, Passwords),
        clock: Arc<dyn Clock>,
    ) -> Self {
        let next = NextPolicy(Arc::new(RwLock::new(Arc::clone(&policy))));
        Self { db, policy, keys, clock, passwords, next, live: Live::default() }
    }

    /// The same under the policy that was taken up last: for a new piece of work.
    pub fn current(&self) -> Self {
        let next = self.next.0.read().unwrap_or_else(PoisonError::into_inner);
        Self { policy: Arc::clone(&next), ..self.clone() }
    }

    /// From the next piece of work on, of this context and of all its clones, another policy is followed.
    pub fn take_up(&self, policy: Arc<Policy>) {
        *self.next.0.write().unwrap_or_else(PoisonError::into_inner) = policy;
    }
}
