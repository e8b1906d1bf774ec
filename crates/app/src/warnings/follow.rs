//! Looking at warnings, and closing them.

use daohu_base::{AreaCode, Day, Scope, Timestamp};
use daohu_db::{FutureExt, Tx};
use daohu_policy::Policy;

use super::{
    model::{Warning, change},
    sql::{self, Mark, Shown, Wanted},
};
use crate::{
    Context, Error,
    follow_ups::{self, AreaFollowUps, State},
    households::rows,
    sheet::Frame,
};

/// The code list of outcomes.
const OUTCOMES: &str = "预警核查结论";

/// An outcome's name; its code where the list has none.
pub(super) fn outcome_name(policy: &Policy, code: Option<&str>) -> String {
    let Some(code) = code else { return String::new() };
    let name =
        policy.list(OUTCOMES).zip(code.parse().ok()).and_then(|(list, code)| list.name_of(code));
    name.unwrap_or(code).to_owned()
}

/// The next warnings of a scope.
pub(super) async fn list(
    context: &Context,
    scope: Scope,
    wanted: Wanted,
    (after, limit): (Option<Mark>, i64),
) -> Result<Vec<Shown>, Error> {
    let read =
        async move |tx: &mut Tx| sql::shown(tx, &scope, &wanted, (after.as_ref(), limit)).await;
    context.db.read_scan(move |tx| async move { read(tx).await }.boxed()).await
}

async fn one(tx: &mut Tx, scope: &Scope, id: &str) -> Result<Shown, Error> {
    let wanted = Wanted { id: Some(id.to_owned()), ..Wanted::default() };
    let found = sql::shown(tx, scope, &wanted, (None, 1)).await?;
    found.into_iter().next().ok_or(Error::NotFound("warning"))
}

/// One warning.
pub(super) async fn get(context: &Context, scope: Scope, id: String) -> Result<Shown, Error> {
    let read = async move |tx: &mut Tx| one(tx, &scope, &id).await;
    context.db.read(move |tx| async move { read(tx).await }.boxed()).await
}

/// For how many days a rule says nothing of a household after somebody closed its warning; none where no pack has it any more.
fn quiet_days(policy: &Policy, own: &Warning, village: &str, today: Day) -> i64 {
    let rule = policy.warnings().find(&own.rule, village, today);
    rule.map(|rule| rule.repeat_days).unwrap_or_default()
}

/// Closes a warning: what came of it, and why it is said so.
///
/// Errors: it is closed already; the outcome is none of the pack's.
pub(super) async fn close(
    context: &Context,
    mut frame: Frame,
    (id, version): (String, i64),
    said: (&str, &str),
) -> Result<Shown, Error> {
    let said = follow_ups::said(context, OUTCOMES, said)?;
    let work = async move |tx: &mut Tx| {
        let read = one(tx, &frame.scope, &id).await?.warning;
        // Who takes the household away, moves it, or asks its rules is waited for.
        rows::lock(tx, &read.county, read.household).await?;
        let mut shown = one(tx, &frame.scope, &id).await?;
        let current = shown.warning.meta.version;
        if current != version {
            return Err(Error::Stale { what: "warning", current });
        }
        if shown.warning.state() == State::Closed {
            return Err(Error::Refused("follow_up.is_closed"));
        }
        frame.act.follow(Timestamp(shown.warning.meta.updated_at));
        let (own, today) = (&shown.warning, frame.act.at.day());
        let quiet_days = quiet_days(&frame.policy, own, &shown.village, today);
        let closed = own.closed(&frame.act, said, quiet_days);
        sql::save(tx, std::slice::from_ref(&closed)).await?;
        frame.record(tx, vec![change(Some(own), &closed)]).await?;
        shown.warning = closed;
        Ok(shown)
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}

/// What an area's warnings come to, and those of the areas below it that have any.
pub(super) async fn figures(
    context: &Context,
    scope: &Scope,
    area: AreaCode,
) -> Result<AreaFollowUps, Error> {
    let counted = async |scope: Scope, digits, today: String| {
        let read = async move |tx: &mut Tx| sql::counted(tx, &scope, (digits, &today)).await;
        let read = context.db.read_scan(move |tx| async move { read(tx).await }.boxed()).await;
        read.map_err(|error: daohu_db::Error| error.into())
    };
    follow_ups::figures(context, (scope, &area), OUTCOMES, counted).await
}
