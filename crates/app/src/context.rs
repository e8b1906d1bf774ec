//! What every use case works with.

use std::sync::Arc;

use daohu_base::Clock;
use daohu_db::Db;
use daohu_policy::Policy;

use crate::{accounts::Passwords, keys::Keys};

/// The things of one installation, handed down from `main`: there are no globals. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// The store.
    pub db: Db,
    /// The policy in force.
    pub policy: Arc<Policy>,
    /// What encrypts, indexes and signs.
    pub keys: Arc<Keys>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How passwords are hashed.
    pub passwords: Passwords,
}
