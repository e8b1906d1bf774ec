//! Looking at leads, and closing them.

use daohu_base::{AreaCode, Scope, Timestamp};
use daohu_db::{FutureExt, Tx};

use super::{
    ops::change,
    sql::{self, Shown, Wanted},
};
use crate::{
    Context, Error,
    follow_ups::{self, AreaFollowUps, State},
    households::rows,
    sheet::Frame,
};

/// The code list of outcomes.
pub(super) const OUTCOMES: &str = "线索核查结论";

/// Where a list goes on: county and id.
pub(super) type Mark = (String, String);

/// The next leads of a scope.
pub(super) async fn list(
    context: &Context,
    scope: Scope,
    wanted: Wanted,
    (after, limit): (Option<Mark>, i64),
) -> Result<Vec<Shown>, Error> {
    let keys = context.keys.clone();
    let read = async move |tx: &mut Tx| {
        sql::shown(tx, &keys, &scope, (&wanted, None), (after.as_ref(), limit)).await
    };
    context.db.read_scan(move |tx| async move { read(tx).await }.boxed()).await
}

async fn one(
    tx: &mut Tx,
    keys: &crate::keys::Keys,
    scope: &Scope,
    id: &str,
) -> Result<Shown, Error> {
    let any = Wanted::default();
    let found = sql::shown(tx, keys, scope, (&any, Some(id)), (None, 1)).await?;
    found.into_iter().next().ok_or(Error::NotFound("lead"))
}

/// One lead.
pub(super) async fn get(context: &Context, scope: Scope, id: String) -> Result<Shown, Error> {
    let keys = context.keys.clone();
    let read = async move |tx: &mut Tx| one(tx, &keys, &scope, &id).await;
    context.db.read(move |tx| async move { read(tx).await }.boxed()).await
}

/// Closes a lead: what came of it, and why it is said so.
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
        let read = one(tx, &frame.keys, &frame.scope, &id).await?;
        // Who takes the household away, or moves it, is waited for.
        rows::lock(tx, &read.lead.county, read.lead.household).await?;
        let mut shown = one(tx, &frame.keys, &frame.scope, &id).await?;
        let current = shown.lead.meta.version;
        if current != version {
            return Err(Error::Stale { what: "lead", current });
        }
        if shown.lead.state == State::Closed {
            return Err(Error::Refused("follow_up.is_closed"));
        }
        frame.act.follow(Timestamp(shown.lead.meta.updated_at));
        let closed = shown.lead.closed(&frame.act, said);
        sql::save(tx, &frame.keys, std::slice::from_ref(&closed)).await?;
        frame.record(tx, vec![change(Some(&shown.lead), &closed)]).await?;
        shown.lead = closed;
        Ok(shown)
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}

/// What an area's leads come to, and those of the areas below it that have any.
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
