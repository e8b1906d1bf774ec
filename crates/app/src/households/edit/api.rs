//! `PATCH /households/{id}`, `PATCH /persons/{id}`, `PUT /households/{id}/incomes/{year}`

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use daohu_policy::Right;

use super::{ops, persons};
use crate::{
    accesses::{Seen, What},
    households::view::{
        ChangeHousehold, ChangePerson, HouseholdView, IncomeView, PersonView, PutIncome,
    },
    http::{Answer, ApiError, Caller, IfMatch, Json, Path, Session, Versioned},
};

/// Years that a registry may tell of.
const YEARS: std::ops::RangeInclusive<i64> = 1900..=2200;

/// Changes columns of a household by name; null clears, what is absent stays. Codes are written as
/// code or name, a group by its name or code.
#[utoipa::path(patch, path = "/households/{id}", tag = "households",
    request_body = ChangeHousehold,
    params(("id" = i64, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = HouseholdView, headers(("ETag")))))]
pub(crate) async fn change_household(
    session: Session,
    caller: Caller,
    Path(id): Path<i64>,
    IfMatch(version): IfMatch,
    Json(body): Json<ChangeHousehold>,
) -> Answer<Versioned<HouseholdView>> {
    let permit = session.require(Right::RegistryWrite)?;
    let frame = permit.frame(&caller);
    let row = ops::change_household(permit.context(), frame, id, version, &body.0).await?;
    permit.note(What::Household, Seen::household(row.county(), id)).await?;
    Ok(Versioned(row.0.meta.version, HouseholdView::from(&row)))
}

/// Changes columns of a person by name; null clears, what is absent stays.
#[utoipa::path(patch, path = "/persons/{id}", tag = "persons", request_body = ChangePerson,
    params(("id" = i64, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = PersonView, headers(("ETag")))))]
pub(crate) async fn change_person(
    session: Session,
    caller: Caller,
    Path(id): Path<i64>,
    IfMatch(version): IfMatch,
    Json(body): Json<ChangePerson>,
) -> Answer<Versioned<PersonView>> {
    let permit = session.require(Right::RegistryWrite)?;
    let frame = permit.frame(&caller);
    let changed = persons::change_person(permit.context(), frame, id, version, &body.0).await?;
    let (row, home) = changed;
    permit.note(What::Person, Seen::person(home.county(), home.id(), id)).await?;
    Ok(Versioned(row.0.meta.version, PersonView::of(&row, home.no())))
}

/// Puts a household's income of a year; what is absent is not known. An income that is there already
/// needs `If-Match`.
#[utoipa::path(put, path = "/households/{id}/incomes/{year}", tag = "households",
    request_body = PutIncome,
    params(("id" = i64, Path), ("year" = i64, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = IncomeView, headers(("ETag"))),
        (status = 201, body = IncomeView, headers(("ETag")))))]
pub(crate) async fn put_income(
    session: Session,
    caller: Caller,
    Path((id, year)): Path<(i64, i64)>,
    if_match: Option<IfMatch>,
    Json(body): Json<PutIncome>,
) -> Answer<Response> {
    let permit = session.require(Right::RegistryWrite)?;
    if !YEARS.contains(&year) {
        return Err(ApiError::field("year", "income.bad_year"));
    }
    let (frame, version) = (permit.frame(&caller), if_match.map(|IfMatch(version)| version));
    let put = ops::put_income(permit.context(), frame, (id, year), version, &body.0).await?;
    permit.note(What::Incomes, Seen::household(put.row.county(), id)).await?;
    let view = IncomeView::of(&put.row, &put.no);
    let status = if put.is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Versioned(put.row.0.meta.version, view)).into_response())
}
