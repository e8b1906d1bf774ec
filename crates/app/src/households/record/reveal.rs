//! The one door through which full numbers leave: for a reason, and not before it is on record.

use daohu_base::Scope;
use daohu_db::{FutureExt, Tx};

use super::ops;
use crate::{
    Context, Error, FieldError,
    journal::{self, Act, Action, Change},
    sheet::{household, person},
};

/// Longest reason that the journal takes.
const REASON_CHARACTERS_MAX: usize = 500;

/// The full numbers of a household: telephone and bank card.
pub(super) struct HouseholdNumbers {
    pub(super) county: String,
    pub(super) phone: Option<String>,
    pub(super) bank_card: Option<String>,
}

/// The full numbers of a person: document and telephone.
pub(super) struct PersonNumbers {
    pub(super) county: String,
    pub(super) household: i64,
    pub(super) id_number: Option<String>,
    pub(super) phone: Option<String>,
}

/// The reason why a number is told, as the journal takes it, if it says enough.
pub(crate) fn check_reason(context: &Context, reason: &str) -> Result<String, Error> {
    let codes = ["reveal.reason_too_short", "reveal.reason_too_long"];
    check_reason_of(context, reason, codes)
}

/// As [`check_reason`], of another act: refused with the first code where it says too little, with the second
/// where it is too long.
pub(crate) fn check_reason_of(
    context: &Context,
    reason: &str,
    [too_short, too_long]: [&'static str; 2],
) -> Result<String, Error> {
    let reason = reason.trim();
    let characters = reason.chars().filter(|c| !c.is_whitespace()).count();
    let min = context.policy.security().reveal_reason_min_characters;
    let beyond = |code, limit: usize| {
        let limit = u64::try_from(limit).unwrap_or_default();
        Error::Invalid(vec![FieldError::beyond("reason", code, limit)])
    };
    if characters < min {
        return Err(beyond(too_short, min));
    }
    if reason.chars().count() > REASON_CHARACTERS_MAX {
        return Err(beyond(too_long, REASON_CHARACTERS_MAX));
    }
    Ok(reason.to_owned())
}

/// Kinds of their own: what was looked at is no state of the record.
pub(crate) fn disclosure(county: &str, kind: &'static str, record: String, reason: &str) -> Change {
    Change {
        county: county.to_owned(),
        kind,
        record,
        action: Action::Disclosed,
        before: None,
        after: Some(serde_json::json!({ "reason": reason }).to_string()),
    }
}

/// Tells the full numbers of a household of the scope.
pub(super) async fn household(
    context: &Context,
    act: Act,
    scope: Scope,
    id: i64,
    reason: &str,
) -> Result<HouseholdNumbers, Error> {
    let (reason, keys) = (check_reason(context, reason)?, context.keys.clone());
    let work = async move |tx: &mut Tx| {
        let row = ops::household(tx, &keys, &scope, id).await?;
        let change = disclosure(row.county(), "household_reveal", id.to_string(), &reason);
        journal::record(tx, &keys, &act, vec![change]).await?;
        let number = |i| row.text(i).map(str::to_owned);
        let (phone, bank_card) = (number(household::PHONE), number(household::BANK_CARD));
        Ok(HouseholdNumbers { county: row.county().to_owned(), phone, bank_card })
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}

/// Tells the full numbers of a person of the scope.
pub(super) async fn person(
    context: &Context,
    act: Act,
    scope: Scope,
    id: i64,
    reason: &str,
) -> Result<PersonNumbers, Error> {
    let (reason, keys) = (check_reason(context, reason)?, context.keys.clone());
    let work = async move |tx: &mut Tx| {
        let (row, home) = ops::person(tx, &keys, &scope, id).await?;
        let change = disclosure(row.county(), "person_reveal", id.to_string(), &reason);
        journal::record(tx, &keys, &act, vec![change]).await?;
        let number = |i| row.text(i).map(str::to_owned);
        let (id_number, phone) = (number(person::ID_NUMBER), number(person::PHONE));
        let (county, household) = (row.county().to_owned(), home.id());
        Ok(PersonNumbers { county, household, id_number, phone })
    };
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await
}
