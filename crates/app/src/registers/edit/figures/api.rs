//! Writing `/villages`, `/targets` and `/indicators`

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use daohu_policy::Right;
use serde_json::{Map, Value as Any};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::super::{
    api::register,
    ops,
    view::{PutIndicator, PutTarget, PutVillageYear},
};
use crate::{
    http::{Answer, App, Caller, IfMatch, Json, Path, Session, Versioned},
    registers::lists::view::{IndicatorView, TargetView, VillageYearView},
    sheet::{INDICATORS, Record, Sheet, TARGETS, VILLAGES},
};

/// The sheet, the key as an address spells it, and the version that a request was made on.
type Wanted<'a> = (&'static Sheet, &'a [&'a str], Option<IfMatch>);

/// The routes of single records under their keys.
pub(in crate::registers) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_village_year, put_village_year))
        .routes(routes!(get_target, put_target))
        .routes(routes!(get_indicator, put_indicator))
}

async fn get(session: &Session, sheet: &'static Sheet, key: &[&str]) -> Answer<Record> {
    let permit = session.require(Right::RegistryRead)?;
    let register = register(sheet)?;
    let wanted = ops::Wanted::read(permit.context(), register, None, key)?;
    Ok(ops::get(permit.context(), permit.scope.clone(), register, wanted).await?)
}

async fn put(
    session: &Session,
    caller: &Caller,
    (sheet, key, if_match): Wanted<'_>,
    body: &Map<String, Any>,
) -> Answer<(Record, StatusCode)> {
    let permit = session.require(Right::RegistryWrite)?;
    let (frame, register) = (permit.frame(caller), register(sheet)?);
    let wanted = ops::Wanted::read(permit.context(), register, None, key)?;
    let wanted = (wanted, if_match.map(|IfMatch(version)| version));
    let (record, is_new) = ops::put(permit.context(), frame, register, wanted, body).await?;
    Ok((record, if is_new { StatusCode::CREATED } else { StatusCode::OK }))
}

/// What a village had in one year.
#[utoipa::path(get, path = "/villages/{village}/{year}", tag = "registers",
    params(("village" = String, Path), ("year" = String, Path)),
    responses((status = 200, body = VillageYearView, headers(("ETag")))))]
pub(crate) async fn get_village_year(
    session: Session,
    Path((village, year)): Path<(String, String)>,
) -> Answer<Versioned<VillageYearView>> {
    let record = get(&session, &VILLAGES, &[&village, &year]).await?;
    Ok(Versioned(record.meta.version, VillageYearView::from(&record)))
}

/// Puts what a village had in a year; what is absent is not known. A record that is there already needs
/// `If-Match`.
#[utoipa::path(put, path = "/villages/{village}/{year}", tag = "registers",
    request_body = PutVillageYear,
    params(("village" = String, Path), ("year" = String, Path),
        ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = VillageYearView, headers(("ETag"))),
        (status = 201, body = VillageYearView, headers(("ETag")))))]
pub(crate) async fn put_village_year(
    session: Session,
    caller: Caller,
    Path((village, year)): Path<(String, String)>,
    if_match: Option<IfMatch>,
    Json(body): Json<PutVillageYear>,
) -> Answer<Response> {
    let wanted: Wanted = (&VILLAGES, &[&village, &year], if_match);
    let (record, status) = put(&session, &caller, wanted, &body.0).await?;
    Ok((status, Versioned(record.meta.version, VillageYearView::from(&record))).into_response())
}

/// What an area is to reach in a year, of one thing that is counted.
#[utoipa::path(get, path = "/targets/{area}/{year}/{indicator}", tag = "registers",
    params(("area" = String, Path), ("year" = String, Path), ("indicator" = String, Path)),
    responses((status = 200, body = TargetView, headers(("ETag")))))]
pub(crate) async fn get_target(
    session: Session,
    Path((area, year, indicator)): Path<(String, String, String)>,
) -> Answer<Versioned<TargetView>> {
    let record = get(&session, &TARGETS, &[&area, &year, &indicator]).await?;
    Ok(Versioned(record.meta.version, TargetView::from(&record)))
}

/// Puts what an area is to reach in a year. A record that is there already needs `If-Match`.
#[utoipa::path(put, path = "/targets/{area}/{year}/{indicator}", tag = "registers",
    request_body = PutTarget,
    params(("area" = String, Path), ("year" = String, Path), ("indicator" = String, Path),
        ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = TargetView, headers(("ETag"))),
        (status = 201, body = TargetView, headers(("ETag")))))]
pub(crate) async fn put_target(
    session: Session,
    caller: Caller,
    Path((area, year, indicator)): Path<(String, String, String)>,
    if_match: Option<IfMatch>,
    Json(body): Json<PutTarget>,
) -> Answer<Response> {
    let wanted: Wanted = (&TARGETS, &[&area, &year, &indicator], if_match);
    let (record, status) = put(&session, &caller, wanted, &body.0).await?;
    Ok((status, Versioned(record.meta.version, TargetView::from(&record))).into_response())
}

/// One figure of an area's statistics.
#[utoipa::path(get, path = "/indicators/{area}/{period}/{indicator}", tag = "registers",
    params(("area" = String, Path), ("period" = String, Path), ("indicator" = String, Path)),
    responses((status = 200, body = IndicatorView, headers(("ETag")))))]
pub(crate) async fn get_indicator(
    session: Session,
    Path((area, period, indicator)): Path<(String, String, String)>,
) -> Answer<Versioned<IndicatorView>> {
    let record = get(&session, &INDICATORS, &[&area, &period, &indicator]).await?;
    Ok(Versioned(record.meta.version, IndicatorView::from(&record)))
}

/// Puts a figure of an area's statistics. A record that is there already needs `If-Match`.
#[utoipa::path(put, path = "/indicators/{area}/{period}/{indicator}", tag = "registers",
    request_body = PutIndicator,
    params(("area" = String, Path), ("period" = String, Path), ("indicator" = String, Path),
        ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = IndicatorView, headers(("ETag"))),
        (status = 201, body = IndicatorView, headers(("ETag")))))]
pub(crate) async fn put_indicator(
    session: Session,
    caller: Caller,
    Path((area, period, indicator)): Path<(String, String, String)>,
    if_match: Option<IfMatch>,
    Json(body): Json<PutIndicator>,
) -> Answer<Response> {
    let wanted: Wanted = (&INDICATORS, &[&area, &period, &indicator], if_match);
    let (record, status) = put(&session, &caller, wanted, &body.0).await?;
    Ok((status, Versioned(record.meta.version, IndicatorView::from(&record))).into_response())
}
