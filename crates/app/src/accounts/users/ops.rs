//! Creating, changing, locking users; their passwords.

use daohu_base::Masked;
use daohu_db::{FutureExt, Tx};

use super::sql;
use crate::{
    Context, Error,
    accounts::{
        grants,
        model::{self, User, change},
        passwords, sessions,
    },
    journal::{self, Act, Change},
};

/// A user to be.
pub struct NewUser {
    /// To sign in with.
    pub name: String,
    /// As people call him or her.
    pub display_name: String,
    /// None: an initial one is made, to be changed at the first sign-in.
    pub password: Option<Masked>,
}

/// What of a user is to change.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// As people call him or her.
    pub display_name: Option<String>,
    /// Whether signing in is forbidden.
    pub is_locked: Option<bool>,
}

/// Which users are wanted.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Stands in the name or the display name.
    pub text: Option<String>,
    /// Locked, or not.
    pub is_locked: Option<bool>,
    /// Holds this role today.
    pub role: Option<String>,
}

/// Creates a user; returns the initial password if one was made. Nobody else will ever see it.
pub async fn create_user(
    context: &Context,
    act: Act,
    new: NewUser,
) -> Result<(User, Option<Masked>), Error> {
    let NewUser { name, display_name, password } = new;
    model::check_name(&name, act.at.day())?;
    model::check_display_name(&display_name)?;
    let (password_hash, initial) = choose(context, "password", &name, password).await?;
    let user = User {
        id: passwords::new_id(act.at)?,
        name,
        display_name,
        must_change: initial.is_some(),
        is_locked: false,
        locked_until: None,
        password_at: act.at,
        created_at: act.at,
        created_by: act.actor.name.clone(),
        updated_at: act.at,
        version: 1,
        second_factor_at: None,
    };
    let keys = context.keys.clone();
    let work = async move |tx: &mut Tx| {
        if sql::by_name(tx, &user.name).await?.is_some() {
            return Err(Error::Refused("user.name_taken"));
        }
        sql::insert(tx, &user, &password_hash).await?;
        journal::record(tx, &keys, &act, vec![change("user", &user.id, None, &user)]).await?;
        Ok(user)
    };
    let user = context.db.write(move |tx| async move { work(tx).await }.boxed()).await?;
    Ok((user, initial))
}

/// The user with this id.
pub async fn get_user(context: &Context, id: &str) -> Result<User, Error> {
    let id = id.to_owned();
    let found = context.db.read(move |tx| async move { sql::by_id(tx, &id).await }.boxed()).await?;
    found.ok_or(Error::NotFound("user"))
}

/// The user of this name.
pub async fn find_user(context: &Context, name: &str) -> Result<User, Error> {
    let name = name.to_owned();
    let find = async move |tx: &mut Tx| sql::by_name(tx, &name).await;
    let found = context.db.read(move |tx| async move { find(tx).await }.boxed()).await?;
    found.ok_or(Error::NotFound("user"))
}

/// Users ordered by name, after `after`.
pub async fn list_users(
    context: &Context,
    filter: UserFilter,
    after: Option<String>,
    limit: i64,
) -> Result<Vec<User>, Error> {
    let today = context.clock.now().day().to_string();
    let list = async move |tx: &mut Tx| {
        let role = filter.role.as_deref().map(|role| (role, today.as_str()));
        let (text, is_locked) = (filter.text.as_deref(), filter.is_locked);
        sql::list(tx, text, is_locked, role, after.as_deref(), limit).await
    };
    Ok(context.db.read(move |tx| async move { list(tx).await }.boxed()).await?)
}

/// Changes a user that the caller read at `version`. Locking ends all sessions.
pub async fn change_user(
    context: &Context,
    mut act: Act,
    id: &str,
    version: i64,
    wanted: UserChange,
) -> Result<User, Error> {
    if let Some(name) = &wanted.display_name {
        model::check_display_name(name)?;
    }
    let (id, keys, policy) = (id.to_owned(), context.keys.clone(), context.policy.clone());
    let work = async move |tx: &mut Tx| {
        let before = sql::lock(tx, &id).await?.ok_or(Error::NotFound("user"))?;
        if before.version != version {
            return Err(Error::Stale { what: "user", current: before.version });
        }
        let mut user = before.clone();
        user.display_name = wanted.display_name.unwrap_or(user.display_name);
        user.is_locked = wanted.is_locked.unwrap_or(user.is_locked);
        let mut changes = Vec::new();
        if user.is_locked && !before.is_locked {
            grants::ops::keep_administrators(tx, &policy, &id, None, act.at.day()).await?;
            changes.extend(sessions::ops::end_all(tx, &id, None).await?);
        }
        changes.push(save(tx, &mut act, &before, &mut user, None).await?);
        journal::record(tx, &keys, &act, changes).await?;
        Ok(user)
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}

/// Gives a user another password; returns it if it was made here. All sessions end.
pub async fn set_password(
    context: &Context,
    act: Act,
    id: &str,
    password: Option<Masked>,
) -> Result<(User, Option<Masked>), Error> {
    let name = get_user(context, id).await?.name;
    let (hash, initial) = choose(context, "password", &name, password).await?;
    let user = replace_password(context, act, id, hash, initial.is_some(), None).await?;
    Ok((user, initial))
}

/// Gives a user an initial password, over the interface. Whoever resets passwords could become
/// anybody; the three administrators must stay apart, so theirs are reset on the server only.
pub(crate) async fn reset_password(
    context: &Context,
    act: Act,
    id: &str,
) -> Result<(User, Option<Masked>), Error> {
    let today = act.at.day();
    let held = grants::ops::grants_of(context, id).await?;
    let mut held = held.iter().filter(|grant| !grant.has_ended_on(today));
    let is_exclusive = |name: &str| context.policy.role(name).is_some_and(|role| role.exclusive);
    if held.any(|grant| is_exclusive(&grant.role)) {
        return Err(Error::Refused("user.reset_on_server"));
    }
    set_password(context, act, id, None).await
}

/// Writes a password's hash and ends the user's sessions but the one to keep.
pub(in crate::accounts) async fn replace_password(
    context: &Context,
    mut act: Act,
    id: &str,
    password_hash: String,
    must_change: bool,
    session_kept: Option<String>,
) -> Result<User, Error> {
    let (id, keys) = (id.to_owned(), context.keys.clone());
    let mut work = async move |tx: &mut Tx| {
        let before = sql::lock(tx, &id).await?.ok_or(Error::NotFound("user"))?;
        let mut user = before.clone();
        (user.must_change, user.password_at) = (must_change, act.at);
        let mut changes = sessions::ops::end_all(tx, &id, session_kept.as_deref()).await?;
        changes.push(save(tx, &mut act, &before, &mut user, Some(&password_hash)).await?);
        journal::record(tx, &keys, &act, changes).await?;
        Ok(user)
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}

/// Writes the user as its next version; what an administrator touched is no longer shut out.
pub(in crate::accounts) async fn save(
    tx: &mut Tx,
    act: &mut Act,
    before: &User,
    user: &mut User,
    password_hash: Option<&str>,
) -> Result<Change, Error> {
    act.follow(before.updated_at);
    user.locked_until = None;
    user.updated_at = act.at;
    user.version += 1;
    sql::update(tx, user, password_hash).await?;
    Ok(change("user", &user.id, Some(before), user))
}

/// The hash of the given password, or of one made here.
async fn choose(
    context: &Context,
    column: &str,
    name: &str,
    given: Option<Masked>,
) -> Result<(String, Option<Masked>), Error> {
    let limits = context.policy.security();
    if let Some(password) = given {
        passwords::check_password(column, &password.0, name, limits)?;
        return Ok((context.passwords.hash(&password).await?, None));
    }
    let initial = passwords::initial_password(name, limits)?;
    Ok((context.passwords.hash(&initial).await?, Some(initial)))
}
