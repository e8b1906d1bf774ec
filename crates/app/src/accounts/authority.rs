//! What a user may do: by which grants, and where. Rights of two grants never combine.

use daohu_base::{Actor, Scope};
use daohu_db::{FutureExt, Tx};
use daohu_policy::{Policy, Right};

use super::{grants, model::Grant, users};
use crate::{Context, Error};

/// A user under the grants that give what is asked for.
#[derive(Clone, Debug)]
pub struct Authority {
    /// Who acts, under which grants.
    pub actor: Actor,
    /// Where: the areas of exactly those grants.
    pub scope: Scope,
    /// The grants, each of which gives all the rights.
    pub grants: Vec<Grant>,
}

impl Authority {
    /// Of these grants, those that give every one of the rights; none if no grant does.
    pub fn of(policy: &Policy, name: &str, held: &[Grant], rights: &[Right]) -> Option<Self> {
        let gives = |grant: &&Grant| {
            let role = policy.role(&grant.role);
            role.is_some_and(|role| rights.iter().all(|right| role.allows(*right)))
        };
        let grants: Vec<Grant> = held.iter().filter(gives).cloned().collect();
        if grants.is_empty() {
            return None;
        }
        let authority = grants.iter().map(Grant::to_string).collect::<Vec<_>>().join(",");
        Some(Self {
            actor: Actor { name: name.to_owned(), authority },
            scope: Scope::of(grants.iter().filter_map(|grant| grant.area.clone())),
            grants,
        })
    }
}

/// What a user who is not there may do today: for work that was asked for earlier. None if the user
/// is locked, or holds no grant that gives the rights.
pub(crate) async fn authority(
    context: &Context,
    user_id: &str,
    rights: &[Right],
) -> Result<Option<Authority>, Error> {
    let (id, today) = (user_id.to_owned(), context.clock.now().day());
    let load = async move |tx: &mut Tx| {
        let Some(user) = users::sql::by_id(tx, &id).await? else { return Ok(None) };
        let mut held = grants::sql::of_user(tx, &id).await?;
        held.retain(|grant| grant.holds_on(today));
        Ok::<_, Error>(Some((user, held)))
    };
    let found = context.db.read(move |tx| async move { load(tx).await }.boxed()).await?;
    let found = found.filter(|(user, _)| !user.is_locked);
    Ok(found.and_then(|(user, held)| Authority::of(&context.policy, &user.name, &held, rights)))
}
