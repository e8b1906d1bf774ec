//! Signing in and out, and the requests between.

use std::{net::IpAddr, time::Duration};

use daohu_base::{Actor, Masked, Timestamp};
use daohu_db::{FutureExt, Tx};
use daohu_policy::Security;
use serde_json::{Value, json};

use super::sql;
use crate::{
    Context, Error,
    accounts::{
        model::{
            Credentials, Proof, SessionRow, SignedIn, User, Verdict, ends_at, factor_change,
            invalid, session_change, session_id,
        },
        passwords, second_factor, users,
    },
    journal::{self, Act, Action, Change},
};

/// Names of browsers are as long as they like.
const AGENT_CHARACTERS_MAX: usize = 200;
/// Under which record the journal keeps attempts on names that nobody has. The name itself is not
/// kept: people type passwords there.
const NOBODY: &str = "nobody";
/// How long a request waits for its session to be written as used; it is written again soon.
const TOUCH_WAIT: Duration = Duration::from_millis(200);
const REFUSED: Error = Error::Refused("session.refused");

/// What an attempt to sign in brings.
pub(super) struct Attempt {
    pub(super) name: String,
    pub(super) password: Masked,
    /// A one-time code or a recovery code; empty for none.
    pub(super) code: Masked,
}

/// Where an attempt to sign in comes from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) address: IpAddr,
    pub(crate) agent: String,
}

/// Ends all sessions: of a database that was restored, whoever sits before a browser signs in again. They
/// were not ended by anybody, so there is no entry for each.
pub(crate) async fn end_everybodys(tx: &mut Tx) -> Result<(), Error> {
    Ok(sql::delete_all(tx).await?)
}

/// Deletes the sessions that have ended, as each sign-in does: also where nobody signs in.
pub async fn forget_ended(context: &Context) -> Result<(), Error> {
    let now = context.clock.now();
    let idle_since = idle_since(now, context.policy.security());
    let work = async move |tx: &mut Tx| sql::delete_ended(tx, now, idle_since).await;
    Ok(context.db.write(move |tx| async move { work(tx).await }.boxed()).await?)
}

/// Who carries this token, if its session has not ended.
pub async fn authenticate(context: &Context, token: &str) -> Result<Option<SignedIn>, Error> {
    let now = context.clock.now();
    let token_hash = passwords::token_hash(token);
    let load = async move |tx: &mut Tx| Ok::<_, Error>(sql::find(tx, &token_hash).await?);
    let found = context.db.read(move |tx| async move { load(tx).await }.boxed()).await?;
    let Some((user, session, mut grants)) = found else { return Ok(None) };
    grants.retain(|grant| grant.holds_on(now.day()));
    if user.is_locked || session.has_ended(now, context.policy.security()) {
        return Ok(None);
    }
    let signed_in = SignedIn { user, grants, token_hash: session.token_hash.clone() };
    if session.is_due(now) {
        let touch = async move |tx: &mut Tx| sql::touch(tx, &session.token_hash, now).await;
        let written = context.db.write(move |tx| async move { touch(tx).await }.boxed());
        // While an import holds the store, who only wants to read does not wait for it; and where
        // nothing can be written, as on a full disk, reading goes on.
        if let Ok(Err(error)) = tokio::time::timeout(TOUCH_WAIT, written).await {
            tracing::warn!(%error, "the session's use is not written");
        }
    }
    Ok(Some(signed_in))
}

/// Signs in; returns the token for the cookie. Whatever the reason of a refusal, it takes as long,
/// writes as much and says the same; only who knows the password hears that a code is wanted or wrong.
pub(super) async fn sign_in(
    context: &Context,
    attempted: Attempt,
    origin: Origin,
) -> Result<String, Error> {
    let Attempt { name, password, code } = attempted;
    let find = async move |tx: &mut Tx| users::sql::credentials(tx, &name).await;
    let found = context.db.read(move |tx| async move { find(tx).await }.boxed()).await?;
    let hash = found.as_ref().map(|known| known.password_hash.as_str());
    let is_right = context.passwords.verify(&password, hash).await?;

    let token = passwords::token()?;
    let token_hash = passwords::token_hash(&token);
    let context_ = context.clone();
    let work = async move |tx: &mut Tx| match found {
        Some(known) => {
            let code = is_right.then_some(&code);
            attempt(tx, &context_, known, code, token_hash, &origin).await
        }
        None => {
            let act = act(&context_, "anonymous");
            let about = json!({ "address": origin.address.to_string() });
            let change = session_change(NOBODY, Action::SignInFailed, &about);
            journal::record(tx, &context_.keys, &act, vec![change]).await?;
            Ok(Err(REFUSED))
        }
    };
    // A refusal is written too: it is no error of the transaction.
    let done = context.db.write(move |tx| async move { work(tx).await }.boxed()).await?;
    done.map(|()| token)
}

/// Judges an attempt on a user's account and writes what comes of it. `code` is what came with the
/// password, if that was the right one.
async fn attempt(
    tx: &mut Tx,
    context: &Context,
    seen: Credentials,
    code: Option<&Masked>,
    token_hash: String,
    origin: &Origin,
) -> Result<Result<(), Error>, Error> {
    // Attempts on one account follow one another, or too many could be made at once.
    users::sql::lock(tx, &seen.user.id).await?.ok_or(REFUSED)?;
    let known = users::sql::credentials(tx, &seen.user.name).await?.ok_or(REFUSED)?;
    let (user, act) = (&known.user, act(context, &seen.user.name));
    // A password that was changed since it was compared is not the password any more. Who is shut out
    // is not told that it was right.
    let is_open = known.password_hash == seen.password_hash && !known.is_shut(act.at);
    let proof = match code.filter(|_| is_open) {
        Some(code) => second_factor::ops::examine(tx, context, &known, code, act.at).await?,
        None => Proof::WrongPassword,
    };
    let verdict = known.judge(proof, act.at, context.policy.security());
    let (done, changes) = match verdict {
        Verdict::Admitted => {
            users::sql::set_failures(tx, &user.id, 0, None).await?;
            let mut changes = second_factor::ops::spend(tx, user, proof).await?;
            changes.push(insert(tx, context, &act, user, token_hash, origin).await?);
            (Ok(()), changes)
        }
        Verdict::CodeWanted => return Ok(Err(Error::Refused("session.code_wanted"))),
        Verdict::Refused { .. } => {
            let about = json!({ "address": origin.address.to_string() });
            let mut changes = vec![session_change(&user.id, Action::SignInFailed, &about)];
            changes.extend(refuse(tx, user, proof, verdict, about).await?);
            let is_code = proof == Proof::WrongCode;
            (Err(if is_code { Error::Refused("session.bad_code") } else { REFUSED }), changes)
        }
    };
    journal::record(tx, &context.keys, &act, changes).await?;
    Ok(done)
}

/// Counts a refused attempt; the caller journals the changes.
pub(in crate::accounts) async fn refuse(
    tx: &mut Tx,
    user: &User,
    proof: Proof,
    verdict: Verdict,
    mut about: Value,
) -> Result<Vec<Change>, Error> {
    let Verdict::Refused { failures, locked_until, locks_out } = verdict else {
        return Ok(Vec::new());
    };
    users::sql::set_failures(tx, &user.id, failures, locked_until).await?;
    let mut changes = Vec::new();
    if proof == Proof::WrongCode {
        changes.push(factor_change(&user.id, Action::CodeRefused, &about));
    }
    if locks_out {
        if let Value::Object(about) = &mut about {
            about.insert("locked_until".to_owned(), json!(locked_until.map(|until| until.0)));
        }
        changes.push(session_change(&user.id, Action::LockedOut, &about));
    }
    Ok(changes)
}

async fn insert(
    tx: &mut Tx,
    context: &Context,
    act: &Act,
    user: &User,
    token_hash: String,
    origin: &Origin,
) -> Result<Change, Error> {
    let limits = context.policy.security();
    sql::delete_ended(tx, act.at, idle_since(act.at, limits)).await?;
    let session = SessionRow {
        token_hash,
        user_id: user.id.clone(),
        created_at: act.at,
        used_at: act.at,
        ends_at: ends_at(act.at, limits),
        address: origin.address.to_string(),
        agent: origin.agent.chars().take(AGENT_CHARACTERS_MAX).collect(),
    };
    sql::insert(tx, &session).await?;
    let about = json!({ "session": session.id(), "address": session.address });
    Ok(session_change(&user.id, Action::SignedIn, &about))
}

/// Ends the caller's own session.
pub(super) async fn sign_out(context: &Context, act: Act, who: &SignedIn) -> Result<(), Error> {
    let (user_id, token_hash) = (who.user.id.clone(), who.token_hash.clone());
    let keys = context.keys.clone();
    let work = async move |tx: &mut Tx| {
        if !sql::delete(tx, &token_hash).await? {
            return Ok(());
        }
        let changes = vec![signed_out(&user_id, &token_hash)];
        journal::record(tx, &keys, &act, changes).await
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}

/// The caller's sessions that have not ended, the last used first.
pub(super) async fn own_sessions(
    context: &Context,
    who: &SignedIn,
) -> Result<Vec<SessionRow>, Error> {
    let user_id = who.user.id.clone();
    let list = async move |tx: &mut Tx| sql::of_user(tx, &user_id).await;
    let mut all = context.db.read(move |tx| async move { list(tx).await }.boxed()).await?;
    let (now, limits) = (context.clock.now(), context.policy.security());
    all.retain(|session| !session.has_ended(now, limits));
    Ok(all)
}

/// Ends one of the caller's sessions.
pub(super) async fn end_own(
    context: &Context,
    act: Act,
    who: &SignedIn,
    id: &str,
) -> Result<(), Error> {
    let (user_id, id, keys) = (who.user.id.clone(), id.to_owned(), context.keys.clone());
    let work = async move |tx: &mut Tx| {
        let all = sql::of_user(tx, &user_id).await?;
        let session = all.iter().find(|session| session.id() == id);
        let session = session.ok_or(Error::NotFound("session"))?;
        sql::delete(tx, &session.token_hash).await?;
        let changes = vec![signed_out(&user_id, &session.token_hash)];
        journal::record(tx, &keys, &act, changes).await
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}

/// Ends the caller's sessions but the one that asks.
pub(super) async fn end_others(context: &Context, act: Act, who: &SignedIn) -> Result<(), Error> {
    let (user_id, kept) = (who.user.id.clone(), who.token_hash.clone());
    let keys = context.keys.clone();
    let work = async move |tx: &mut Tx| {
        let changes = end_all(tx, &user_id, Some(&kept)).await?;
        journal::record(tx, &keys, &act, changes).await
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}

/// Ends a user's sessions but the one to keep; the caller journals the changes.
pub(in crate::accounts) async fn end_all(
    tx: &mut Tx,
    user_id: &str,
    kept: Option<&str>,
) -> Result<Vec<Change>, Error> {
    let mut changes = Vec::new();
    for session in sql::of_user(tx, user_id).await? {
        if kept != Some(session.token_hash.as_str()) {
            sql::delete(tx, &session.token_hash).await?;
            changes.push(signed_out(user_id, &session.token_hash));
        }
    }
    Ok(changes)
}

/// Changes the caller's own password; the other sessions end.
pub(super) async fn change_password(
    context: &Context,
    act: Act,
    who: &SignedIn,
    old: Masked,
    new: Masked,
) -> Result<(), Error> {
    passwords::check_password("new", &new.0, &who.user.name, context.policy.security())?;
    check_own_password(context, who, "old", &old).await?;
    if old == new {
        return Err(invalid("new", "password.unchanged"));
    }
    let hash = context.passwords.hash(&new).await?;
    let kept = Some(who.token_hash.clone());
    users::ops::replace_password(context, act, &who.user.id, hash, false, kept).await.map(drop)
}

/// Refuses what is not the caller's own password. `column` names the field that it was sent in.
pub(in crate::accounts) async fn check_own_password(
    context: &Context,
    who: &SignedIn,
    column: &str,
    password: &Masked,
) -> Result<(), Error> {
    let name = who.user.name.clone();
    let find = async move |tx: &mut Tx| users::sql::credentials(tx, &name).await;
    let known = context.db.read(move |tx| async move { find(tx).await }.boxed()).await?;
    let known = known.ok_or(Error::NotFound("user"))?;
    let is_right = context.passwords.verify(password, Some(&known.password_hash)).await?;
    if is_right { Ok(()) } else { Err(invalid(column, "password.wrong")) }
}

fn signed_out(user_id: &str, token_hash: &str) -> Change {
    let about = json!({ "session": session_id(token_hash) });
    session_change(user_id, Action::SignedOut, &about)
}

fn act(context: &Context, name: &str) -> Act {
    let actor = Actor { name: name.to_owned(), authority: "sign-in".to_owned() };
    Act::new(actor, &*context.clock, "api")
}

fn idle_since(now: Timestamp, limits: &Security) -> Timestamp {
    now.plus_ms(limits.session_idle_minutes.saturating_mul(-60_000))
}
