//! Giving and taking roles.

use std::collections::HashMap;

use daohu_base::{AreaCode, AreaLevel, Day};
use daohu_db::{FutureExt, Tx};
use daohu_policy::{Policy, Role};

use super::sql;
use crate::{
    Context, Error,
    accounts::{
        model::{self, Grant, change, invalid},
        passwords, sessions, users,
    },
    areas,
    journal::{self, Act},
};

/// A grant to be.
#[derive(Clone, Debug)]
pub struct NewGrant {
    /// The role's name in the policy.
    pub role: String,
    /// Where; none for an administrator's role.
    pub area: Option<AreaCode>,
    /// The first day on which it holds; none for today.
    pub starts_on: Option<Day>,
    /// The first day on which it holds no more.
    pub ends_on: Option<Day>,
}

/// All grants of a user, past and future ones too, oldest first.
pub async fn grants_of(context: &Context, user_id: &str) -> Result<Vec<Grant>, Error> {
    let id = user_id.to_owned();
    let work = async move |tx: &mut Tx| {
        users::sql::by_id(tx, &id).await?.ok_or(Error::NotFound("user"))?;
        Ok(sql::of_user(tx, &id).await?)
    };
    context.db.read(move |tx| async move { work(tx).await }.boxed()).await
}

/// An error if this could not be the first grant of an account.
pub async fn check_grant(
    context: &Context,
    role: &str,
    area: Option<&AreaCode>,
) -> Result<(), Error> {
    model::may_add(&context.policy, &[], known_role(&context.policy, role)?, area)?;
    let area = area.cloned();
    let read =
        context.db.read(move |tx| async move { check_area(tx, area.as_ref()).await }.boxed());
    read.await
}

/// An error if the tree does not have this area. While there is no tree, whoever is to import it needs
/// a role first.
async fn check_area(tx: &mut Tx, area: Option<&AreaCode>) -> Result<(), Error> {
    let Some(area) = area else { return Ok(()) };
    if area.level() == AreaLevel::Group {
        return Err(invalid("area", "area.is_group"));
    }
    if areas::ops::is_known(tx, area).await? || !areas::ops::any(tx).await? {
        return Ok(());
    }
    Err(invalid("area", "grant.unknown_area"))
}

fn known_role<'p>(policy: &'p Policy, role: &str) -> Result<&'p Role, Error> {
    policy.role(role).ok_or_else(|| invalid("role", "grant.unknown_role"))
}

/// Gives a role. The user's sessions end, so that the next one begins with the new rights.
pub async fn add_grant(
    context: &Context,
    act: Act,
    user_id: &str,
    new: NewGrant,
) -> Result<Grant, Error> {
    let today = act.at.day();
    let starts_on = new.starts_on.unwrap_or(today);
    if new.ends_on.is_some_and(|end| end <= starts_on) {
        return Err(invalid("ends_on", "grant.bad_period"));
    }
    let grant = Grant {
        id: passwords::new_id(act.at)?,
        user_id: user_id.to_owned(),
        role: new.role,
        area: new.area,
        starts_on,
        ends_on: new.ends_on,
        created_at: act.at,
        created_by: act.actor.name.clone(),
        version: 1,
    };
    let (keys, policy) = (context.keys.clone(), context.policy.clone());
    let work = async move |tx: &mut Tx| {
        let role = known_role(&policy, &grant.role)?;
        let user = users::sql::lock(tx, &grant.user_id).await?.ok_or(Error::NotFound("user"))?;
        if user.name == act.actor.name {
            return Err(Error::Refused("grant.to_self"));
        }
        let mut held = sql::of_user(tx, &grant.user_id).await?;
        held.retain(|grant| !grant.has_ended_on(today));
        if held.iter().any(|held| held.repeats(&grant)) {
            return Err(Error::Refused("grant.duplicate"));
        }
        model::may_add(&policy, &held, role, grant.area.as_ref())?;
        if let Some(area) = &grant.area {
            // An undo that takes it away is over, or waits.
            areas::rows::lock(tx, &[area.clone()].into()).await?;
        }
        check_area(tx, grant.area.as_ref()).await?;
        sql::insert(tx, &grant).await?;
        let mut changes = sessions::ops::end_all(tx, &grant.user_id, None).await?;
        changes.push(change("grant", &grant.id, None, &grant));
        journal::record(tx, &keys, &act, changes).await?;
        Ok(grant)
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}

/// Takes a role from today on; the grant stays as history. The user's sessions end.
pub async fn end_grant(
    context: &Context,
    mut act: Act,
    user_id: &str,
    grant_id: &str,
) -> Result<(), Error> {
    let (user_id, grant_id) = (user_id.to_owned(), grant_id.to_owned());
    let (keys, policy) = (context.keys.clone(), context.policy.clone());
    let mut work = async move |tx: &mut Tx| {
        let today = act.at.day();
        users::sql::lock(tx, &user_id).await?.ok_or(Error::NotFound("user"))?;
        let held = sql::of_user(tx, &user_id).await?;
        let before = held.into_iter().find(|grant| grant.id == grant_id);
        let before = before.ok_or(Error::NotFound("grant"))?;
        if before.has_ended_on(today) {
            return Err(Error::Refused("grant.ended"));
        }
        keep_administrators(tx, &policy, &user_id, Some(&before), today).await?;
        act.follow(before.created_at);
        let mut grant = before.clone();
        grant.ends_on = Some(today);
        grant.version += 1;
        sql::end(tx, &grant, act.at).await?;
        let mut changes = sessions::ops::end_all(tx, &user_id, None).await?;
        changes.push(change("grant", &grant.id, Some(&before), &grant));
        journal::record(tx, &keys, &act, changes).await?;
        Ok(())
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}

/// Refuses to go on if the user is the last who may sign in and holds an administrator's role: the
/// role of this grant, or any.
pub(in crate::accounts) async fn keep_administrators(
    tx: &mut Tx,
    policy: &Policy,
    user_id: &str,
    ending: Option<&Grant>,
    today: Day,
) -> Result<(), Error> {
    let user = users::sql::by_id(tx, user_id).await?.ok_or(Error::NotFound("user"))?;
    if user.is_locked {
        // Not an active holder: nothing is lost.
        return Ok(());
    }
    let mut held = sql::of_user(tx, user_id).await?;
    held.retain(|grant| grant.holds_on(today) && ending.is_none_or(|e| e.id == grant.id));
    for role in policy.roles().iter().filter(|role| role.exclusive) {
        if held.iter().any(|grant| grant.role == role.name) {
            sql::lock_role(tx, &role.name).await?;
            if sql::other_holders(tx, &role.name, user_id, today).await? == 0 {
                return Err(Error::Refused("account.last_administrator"));
            }
        }
    }
    Ok(())
}

/// The names of the areas of these grants, as far as they are known.
pub(in crate::accounts) async fn area_names(
    context: &Context,
    grants: &[Grant],
) -> Result<HashMap<String, String>, Error> {
    let codes: Vec<String> =
        grants.iter().filter_map(|grant| grant.area.as_ref().map(AreaCode::to_string)).collect();
    let read = context.db.read(move |tx| async move { areas::ops::names(tx, codes).await }.boxed());
    read.await
}
