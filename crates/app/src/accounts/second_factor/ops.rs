//! Enrolling, proving, taking away.

use daohu_base::{Masked, Timestamp};
use daohu_db::{FutureExt, Tx};
use serde_json::json;

use super::{
    sql,
    totp::{self, RECOVERY_BYTES},
};
use crate::{
    Context, Error,
    accounts::{
        model::{
            Code, Credentials, Proof, SignedIn, User, Verdict, factor_change, invalid, session_id,
        },
        passwords, sessions, users,
    },
    journal::{self, Act, Action, Change},
    keys::Keys,
};

/// Rows sealed anew in one transaction.
const RESEAL_ROWS: i64 = 1_000;

/// A secret on its way to an authenticator. Told once.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// For a picture that the authenticator reads.
    pub uri: Masked,
    /// For a keyboard: base 32.
    pub secret: Masked,
}

/// How a user's second factor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondFactorState {
    /// Since when codes are asked for; none if they are not.
    pub since: Option<Timestamp>,
    /// Recovery codes that were not used yet.
    pub recovery_codes: i64,
}

/// What the user gave to show who is there.
pub(super) struct Given {
    pub(super) password: Masked,
    /// A one-time code or a recovery code; empty for none.
    pub(super) code: Masked,
}

/// What only the user may do, however open the browser stands.
enum Deed {
    /// Keep this sealed secret until its first code comes.
    Start(Vec<u8>),
    /// Put these recovery codes in the place of the old ones.
    RenewCodes(Vec<Masked>),
    /// Do without codes; the other sessions end.
    Remove { session_kept: String },
}

/// What the credentials and the code that came with the right password prove.
pub(in crate::accounts) async fn examine(
    tx: &mut Tx,
    context: &Context,
    known: &Credentials,
    code: &Masked,
    now: Timestamp,
) -> Result<Proof, Error> {
    let (user, rules) = (&known.user, context.policy.second_factor());
    if user.second_factor_at.is_none() {
        return Ok(Proof::Whole(None));
    }
    if code.0.trim().is_empty() {
        return Ok(Proof::NoCode);
    }
    let code = totp::typed(&code.0);
    if totp::is_one_time(&code, rules) {
        let factor = sql::find(tx, &user.id).await?;
        // A row that is not there was taken out by hand: no code is right.
        let sealed = factor.and_then(|factor| Some((factor.secret?, factor.last_step)));
        let Some((sealed, last_step)) = sealed else { return Ok(Proof::WrongCode) };
        let secret = context.keys.open(&seal_context(&user.id), &sealed)?;
        let step = totp::step_of(&secret, &code, now, last_step, rules);
        return Ok(step.map_or(Proof::WrongCode, |step| Proof::Whole(Some(Code::OfStep(step)))));
    }
    let hash = code_hash(&context.keys, &user.id, &code);
    let is_known = sql::has_code(tx, &user.id, hash).await?;
    Ok(if is_known { Proof::Whole(Some(Code::Recovery(hash))) } else { Proof::WrongCode })
}

/// Keeps a code that was accepted from being accepted again.
pub(in crate::accounts) async fn spend(
    tx: &mut Tx,
    user: &User,
    proof: Proof,
) -> Result<Vec<Change>, Error> {
    match proof {
        Proof::Whole(Some(Code::OfStep(step))) => {
            sql::set_last_step(tx, &user.id, step).await?;
            Ok(Vec::new())
        }
        Proof::Whole(Some(Code::Recovery(hash))) => {
            sql::delete_code(tx, &user.id, hash).await?;
            let about = json!({ "recovery_codes": sql::count_codes(tx, &user.id).await? });
            Ok(vec![factor_change(&user.id, Action::RecoveryCodeUsed, &about)])
        }
        _ => Ok(Vec::new()),
    }
}

/// How a user's second factor stands.
pub async fn second_factor_of(context: &Context, id: &str) -> Result<SecondFactorState, Error> {
    let id = id.to_owned();
    let work = async move |tx: &mut Tx| {
        let user = users::sql::by_id(tx, &id).await?.ok_or(Error::NotFound("user"))?;
        let recovery_codes = sql::count_codes(tx, &id).await?;
        Ok(SecondFactorState { since: user.second_factor_at, recovery_codes })
    };
    context.db.read(move |tx| async move { work(tx).await }.boxed()).await
}

/// Makes a secret, which waits for its first code. Who has a second factor already shows it.
pub(super) async fn start(
    context: &Context,
    act: Act,
    who: &SignedIn,
    given: Given,
) -> Result<Enrolment, Error> {
    let (secret, enrolment) = make(context, &who.user.name)?;
    let sealed = context.keys.seal(&seal_context(&who.user.id), &secret)?;
    prove(context, act, who, given, Deed::Start(sealed)).await?;
    Ok(enrolment)
}

/// Puts the secret that waits in force, if this is its code; gives the recovery codes. The user's other
/// sessions end: they began without it.
pub(super) async fn confirm(
    context: &Context,
    mut act: Act,
    who: &SignedIn,
    code: Masked,
) -> Result<Vec<Masked>, Error> {
    let codes = recovery_codes(context)?;
    let (context_, told) = (context.clone(), codes.clone());
    let (id, kept) = (who.user.id.clone(), who.token_hash.clone());
    let mut work = async move |tx: &mut Tx| {
        let before = users::sql::lock(tx, &id).await?.ok_or(Error::NotFound("user"))?;
        let pending = sql::find(tx, &id).await?.and_then(|factor| factor.pending);
        let pending = pending.ok_or(Error::Refused("second_factor.not_started"))?;
        let secret = context_.keys.open(&seal_context(&id), &pending)?;
        let (code, rules) = (totp::typed(&code.0), context_.policy.second_factor());
        let step = totp::is_one_time(&code, rules)
            .then(|| totp::step_of(&secret, &code, act.at, -1, rules))
            .flatten();
        let step = step.ok_or_else(|| invalid("code", "session.bad_code"))?;
        let keys = &context_.keys;
        let changes = activate(tx, keys, &mut act, &before, (step, &codes), Some(&kept)).await?;
        journal::record(tx, keys, &act, changes).await
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await?;
    Ok(told)
}

/// Gives a user a second factor that is in force at once: for whoever hands it out on paper.
pub async fn enrol(
    context: &Context,
    mut act: Act,
    id: &str,
) -> Result<(Enrolment, Vec<Masked>), Error> {
    let user = users::ops::get_user(context, id).await?;
    let (secret, enrolment) = make(context, &user.name)?;
    let sealed = context.keys.seal(&seal_context(id), &secret)?;
    let codes = recovery_codes(context)?;
    let (id, keys, told) = (id.to_owned(), context.keys.clone(), codes.clone());
    let work = async move |tx: &mut Tx| {
        let before = users::sql::lock(tx, &id).await?.ok_or(Error::NotFound("user"))?;
        if before.second_factor_at.is_some() {
            return Err(Error::Refused("second_factor.active"));
        }
        sql::set_pending(tx, &id, sealed).await?;
        let changes = activate(tx, &keys, &mut act, &before, (-1, &codes), None).await?;
        journal::record(tx, &keys, &act, changes).await
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await?;
    Ok((enrolment, told))
}

/// Puts the secret that waits in force, with recovery codes, and ends sessions but the one to keep.
async fn activate(
    tx: &mut Tx,
    keys: &Keys,
    act: &mut Act,
    before: &User,
    (step, codes): (i64, &[Masked]),
    session_kept: Option<&str>,
) -> Result<Vec<Change>, Error> {
    let mut user = before.clone();
    sql::activate(tx, &user.id, step).await?;
    replace_codes(tx, keys, &user.id, codes).await?;
    user.second_factor_at = Some(act.at);
    let mut changes = sessions::ops::end_all(tx, &user.id, session_kept).await?;
    changes.push(users::ops::save(tx, act, before, &mut user, None).await?);
    let about = json!({ "recovery_codes": codes.len() });
    changes.push(factor_change(&user.id, Action::Enrolled, &about));
    Ok(changes)
}

/// Makes new recovery codes; the old ones are no good any more.
pub(super) async fn renew_codes(
    context: &Context,
    act: Act,
    who: &SignedIn,
    given: Given,
) -> Result<Vec<Masked>, Error> {
    let codes = recovery_codes(context)?;
    prove(context, act, who, given, Deed::RenewCodes(codes.clone())).await?;
    Ok(codes)
}

/// Takes the user's own second factor away; refused while a role needs it.
pub(super) async fn remove(
    context: &Context,
    act: Act,
    who: &SignedIn,
    given: Given,
    is_needed: bool,
) -> Result<(), Error> {
    if is_needed {
        return Err(Error::Refused("second_factor.needed"));
    }
    prove(context, act, who, given, Deed::Remove { session_kept: who.token_hash.clone() }).await
}

/// Takes the second factor from a user who lost it. All sessions end.
pub async fn reset_second_factor(context: &Context, mut act: Act, id: &str) -> Result<(), Error> {
    let (id, keys) = (id.to_owned(), context.keys.clone());
    let mut work = async move |tx: &mut Tx| {
        let user = users::sql::lock(tx, &id).await?.ok_or(Error::NotFound("user"))?;
        if user.name == act.actor.name {
            return Err(Error::Refused("second_factor.own_reset"));
        }
        let changes = take_away(tx, &mut act, &user, Action::Reset, None).await?;
        journal::record(tx, &keys, &act, changes).await
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}

async fn take_away(
    tx: &mut Tx,
    act: &mut Act,
    before: &User,
    action: Action,
    session_kept: Option<&str>,
) -> Result<Vec<Change>, Error> {
    must_be_active(before)?;
    let mut user = before.clone();
    sql::delete(tx, &user.id).await?;
    user.second_factor_at = None;
    let mut changes = sessions::ops::end_all(tx, &user.id, session_kept).await?;
    changes.push(users::ops::save(tx, act, before, &mut user, None).await?);
    changes.push(factor_change(&user.id, action, &json!({})));
    Ok(changes)
}

/// Carries the deed out if it is the user who asks: who shows it with the password and, where there is a second factor, a
/// code. A wrong code counts as a failed attempt to sign in.
async fn prove(
    context: &Context,
    mut act: Act,
    who: &SignedIn,
    given: Given,
    deed: Deed,
) -> Result<(), Error> {
    sessions::ops::check_own_password(context, who, "password", &given.password).await?;
    let (id, name) = (who.user.id.clone(), who.user.name.clone());
    let about = json!({ "session": session_id(&who.token_hash) });
    let context_ = context.clone();
    let work = async move |tx: &mut Tx| {
        users::sql::lock(tx, &id).await?.ok_or(Error::NotFound("user"))?;
        let known = users::sql::credentials(tx, &name).await?.ok_or(Error::NotFound("user"))?;
        if known.is_shut(act.at) {
            return Err(Error::Refused("account.locked_out"));
        }
        let proof = examine(tx, &context_, &known, &given.code, act.at).await?;
        let verdict = known.judge(proof, act.at, context_.policy.security());
        let (done, changes) = match verdict {
            Verdict::Admitted => {
                let mut changes = spend(tx, &known.user, proof).await?;
                changes.extend(deed.carry_out(tx, &context_.keys, &mut act, &known.user).await?);
                (Ok(()), changes)
            }
            Verdict::CodeWanted => return Ok(Err(invalid("code", "session.code_wanted"))),
            Verdict::Refused { .. } => {
                let changes = sessions::ops::refuse(tx, &known.user, proof, verdict, about).await?;
                (Err(invalid("code", "session.bad_code")), changes)
            }
        };
        journal::record(tx, &context_.keys, &act, changes).await?;
        Ok::<_, Error>(done)
    };
    // A refusal is written too: it is no error of the transaction.
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await?
}

impl Deed {
    async fn carry_out(
        self,
        tx: &mut Tx,
        keys: &Keys,
        act: &mut Act,
        user: &User,
    ) -> Result<Vec<Change>, Error> {
        match self {
            Self::Start(sealed) => {
                sql::set_pending(tx, &user.id, sealed).await?;
                Ok(vec![factor_change(&user.id, Action::Started, &json!({}))])
            }
            Self::RenewCodes(codes) => {
                must_be_active(user)?;
                replace_codes(tx, keys, &user.id, &codes).await?;
                let about = json!({ "recovery_codes": codes.len() });
                Ok(vec![factor_change(&user.id, Action::RecoveryCodesRenewed, &about)])
            }
            Self::Remove { session_kept } => {
                take_away(tx, act, user, Action::Removed, Some(&session_kept)).await
            }
        }
    }
}

fn must_be_active(user: &User) -> Result<(), Error> {
    user.second_factor_at.map(drop).ok_or(Error::Refused("second_factor.none"))
}

/// A new secret, and the same as it is told.
fn make(context: &Context, name: &str) -> Result<(Vec<u8>, Enrolment), Error> {
    let rules = context.policy.second_factor();
    let secret = passwords::random_bytes(rules.secret_bytes)?;
    let uri = Masked(totp::uri(&secret, name, rules));
    let enrolment = Enrolment { uri, secret: Masked(totp::base32(&secret)) };
    Ok((secret, enrolment))
}

fn recovery_codes(context: &Context) -> Result<Vec<Masked>, Error> {
    let code = |_| passwords::random::<RECOVERY_BYTES>().map(|b| Masked(totp::recovery_code(&b)));
    (0..context.policy.second_factor().recovery_codes).map(code).collect()
}

async fn replace_codes(
    tx: &mut Tx,
    keys: &Keys,
    user_id: &str,
    codes: &[Masked],
) -> Result<(), Error> {
    sql::delete_codes(tx, user_id).await?;
    for code in codes {
        let hash = code_hash(keys, user_id, &totp::typed(&code.0));
        sql::insert_code(tx, user_id, hash).await?;
    }
    Ok(())
}

/// How a recovery code is stored. With a key: a copy of the table alone opens nothing, however long
/// somebody tries.
fn code_hash(keys: &Keys, user_id: &str, typed: &str) -> [u8; 16] {
    keys.identity(&format!("recovery_code/{user_id}/{typed}"))
}

/// What a secret is bound to.
fn seal_context(user_id: &str) -> String {
    format!("second_factor/{user_id}")
}

/// Seals every secret with the present key; gives how many rows had another. Recovery codes are hashed
/// with a key that a rotation leaves.
pub async fn reseal(context: &Context) -> Result<u64, Error> {
    let (mut total, mut after) = (0, String::new());
    loop {
        let (keys, from) = (context.keys.clone(), after);
        let step = async move |tx: &mut Tx| reseal_some(tx, &keys, &from).await;
        let step = context.db.write(move |tx| async move { step(tx).await }.boxed()).await?;
        let (rows, Some(last)) = step else { return Ok(total) };
        total += rows;
        after = last;
    }
}

async fn reseal_some(
    tx: &mut Tx,
    keys: &Keys,
    after: &str,
) -> Result<(u64, Option<String>), Error> {
    let (mut count, mut last) = (0, None);
    for (user_id, secrets) in sql::page(tx, after, RESEAL_ROWS).await? {
        let bound = seal_context(&user_id);
        let old: Vec<_> = secrets.into_iter().flatten().filter(|s| !keys.is_current(s)).collect();
        count += u64::from(!old.is_empty());
        for old in old {
            let new = keys.seal(&bound, &keys.open(&bound, &old)?)?;
            sql::reseal(tx, &user_id, (&old, new)).await?;
        }
        last = Some(user_id);
    }
    Ok((count, last))
}
