//! Writing `/pairings`, `/cadres` and `/villages`

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use daohu_db::Value;
use daohu_policy::Right;
use serde::Serialize;
use serde_json::Value as Any;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    ops::{self, Wanted},
    view::{ChangeCadre, ChangePairing, NewCadre, NewPairing, PutVillageYear},
};
use crate::{
    households::Reveal,
    http::{
        Answer, ApiError, App, Caller, Created, ForReplay, IfMatch, Json, Path, Permit, Session,
        Versioned,
    },
    registers::{
        Register,
        lists::{
            api as lists,
            view::{CadreView, PairingView, VillageYearView},
        },
    },
    sheet::{CADRES, PAIRINGS, Record, Sheet, VILLAGES, pairing},
};

/// The county, and the parts of the key of a pairing.
type PairingPath = Path<(String, String, String, String, String, String)>;

/// A cadre's telephone number in full. Told once: null if the same request is sent again.
#[derive(Serialize, ToSchema)]
pub(crate) struct RevealedCadre {
    no: String,
    phone: Option<String>,
}

/// The routes that write, and those of single records beside them.
pub(in crate::registers) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(lists::list_pairings, create_pairing))
        .routes(routes!(get_pairing, change_pairing))
        .routes(routes!(lists::list_cadres, create_cadre))
        .routes(routes!(lists::get_cadre, change_cadre))
        .routes(routes!(reveal_cadre))
        .routes(routes!(get_village_year, put_village_year))
}

fn register(sheet: &'static Sheet) -> Answer<&'static Register> {
    Register::of(sheet).ok_or_else(|| ApiError::new("record.not_found"))
}

/// Where a pairing can be read.
fn location(pairing: &Record) -> String {
    let part = |i: &usize| match pairing.values.get(*i) {
        Some(Value::Int(code)) => format!("{code:02}"),
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    };
    let key = [
        pairing::SUBJECT_KIND,
        pairing::SUBJECT,
        pairing::OBJECT_KIND,
        pairing::OBJECT,
        pairing::STARTS_ON,
    ];
    let key: Vec<String> = key.iter().map(part).collect();
    format!("/api/v1/pairings/{}/{}", pairing.county(), key.join("/"))
}

fn wanted_pairing(
    permit: &Permit,
    register: &'static Register,
    path: PairingPath,
) -> Answer<Wanted> {
    let Path((county, subject_kind, subject, object_kind, object, starts_on)) = path;
    let key = [&*subject_kind, &subject, &object_kind, &object, &starts_on];
    Ok(Wanted::read(permit.context(), register, Some(county), &key)?)
}

/// Begins a pairing: who helps whom, from which day on.
#[utoipa::path(post, path = "/pairings", tag = "registers", request_body = NewPairing,
    responses((status = 201, body = PairingView, headers(("Location"), ("ETag")))))]
pub(crate) async fn create_pairing(
    session: Session,
    caller: Caller,
    Json(body): Json<NewPairing>,
) -> Answer<Created<PairingView>> {
    let permit = session.require(Right::RegistryWrite)?;
    let mut body = body.0;
    let county = match body.remove("county") {
        None | Some(Any::Null) => None,
        Some(Any::String(county)) => Some(county),
        Some(_) => return Err(ApiError::field("county", "request.field_type")),
    };
    let (frame, register) = (permit.frame(&caller), register(&PAIRINGS)?);
    let record = ops::create(permit.context(), frame, register, county, &body).await?;
    let (location, version) = (location(&record), record.meta.version);
    Ok(Created { location, version, body: PairingView::from(&record) })
}

/// One pairing, by its county and its key.
#[utoipa::path(get, tag = "registers",
    path = "/pairings/{county}/{subject_kind}/{subject}/{object_kind}/{object}/{starts_on}",
    params(("county" = String, Path), ("subject_kind" = String, Path), ("subject" = String, Path),
        ("object_kind" = String, Path), ("object" = String, Path), ("starts_on" = String, Path)),
    responses((status = 200, body = PairingView, headers(("ETag")))))]
pub(crate) async fn get_pairing(
    session: Session,
    path: PairingPath,
) -> Answer<Versioned<PairingView>> {
    let permit = session.require(Right::RegistryRead)?;
    let register = register(&PAIRINGS)?;
    let wanted = wanted_pairing(&permit, register, path)?;
    let record = ops::get(permit.context(), permit.scope.clone(), register, wanted).await?;
    Ok(Versioned(record.meta.version, PairingView::from(&record)))
}

/// Ends a pairing: its last day, and why. What ended keeps its row; null takes an end back.
#[utoipa::path(patch, tag = "registers", request_body = ChangePairing,
    path = "/pairings/{county}/{subject_kind}/{subject}/{object_kind}/{object}/{starts_on}",
    params(("county" = String, Path), ("subject_kind" = String, Path), ("subject" = String, Path),
        ("object_kind" = String, Path), ("object" = String, Path), ("starts_on" = String, Path),
        ("If-Match" = String, Header)),
    responses((status = 200, body = PairingView, headers(("ETag")))))]
pub(crate) async fn change_pairing(
    session: Session,
    caller: Caller,
    path: PairingPath,
    IfMatch(version): IfMatch,
    Json(body): Json<ChangePairing>,
) -> Answer<Versioned<PairingView>> {
    let permit = session.require(Right::RegistryWrite)?;
    let (frame, register) = (permit.frame(&caller), register(&PAIRINGS)?);
    let wanted = (wanted_pairing(&permit, register, path)?, version);
    let record = ops::change(permit.context(), frame, register, wanted, &body.0).await?;
    Ok(Versioned(record.meta.version, PairingView::from(&record)))
}

/// Registers a cadre.
#[utoipa::path(post, path = "/cadres", tag = "registers", request_body = NewCadre,
    responses((status = 201, body = CadreView, headers(("Location"), ("ETag")))))]
pub(crate) async fn create_cadre(
    session: Session,
    caller: Caller,
    Json(body): Json<NewCadre>,
) -> Answer<Created<CadreView>> {
    let permit = session.require(Right::RegistryWrite)?;
    let (frame, register) = (permit.frame(&caller), register(&CADRES)?);
    let record = ops::create(permit.context(), frame, register, None, &body.0).await?;
    let location = format!("/api/v1/cadres/{}", register.key_of(&record.values));
    Ok(Created { location, version: record.meta.version, body: CadreView::from(&record) })
}

/// Changes columns of a cadre by name; null clears, what is absent stays.
#[utoipa::path(patch, path = "/cadres/{no}", tag = "registers", request_body = ChangeCadre,
    params(("no" = String, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = CadreView, headers(("ETag")))))]
pub(crate) async fn change_cadre(
    session: Session,
    caller: Caller,
    Path(no): Path<String>,
    IfMatch(version): IfMatch,
    Json(body): Json<ChangeCadre>,
) -> Answer<Versioned<CadreView>> {
    let permit = session.require(Right::RegistryWrite)?;
    let (frame, register) = (permit.frame(&caller), register(&CADRES)?);
    let wanted = (Wanted::read(permit.context(), register, None, &[&no])?, version);
    let record = ops::change(permit.context(), frame, register, wanted, &body.0).await?;
    Ok(Versioned(record.meta.version, CadreView::from(&record)))
}

/// A cadre's telephone number in full, for a reason that is journaled.
#[utoipa::path(post, path = "/cadres/{no}/reveal", tag = "registers", request_body = Reveal,
    params(("no" = String, Path)), responses((status = 200, body = RevealedCadre)))]
pub(crate) async fn reveal_cadre(
    session: Session,
    Path(no): Path<String>,
    Json(body): Json<Reveal>,
) -> Answer<impl IntoResponse> {
    let permit = session.require_to_reveal()?;
    let (context, scope) = (permit.context(), permit.scope.clone());
    let phone = ops::reveal(context, permit.act(), scope, no.clone(), &body.reason).await?;
    let again = ForReplay::json(&RevealedCadre { no: no.clone(), phone: None });
    Ok((again, Json(RevealedCadre { no, phone })))
}

/// What a village had in one year.
#[utoipa::path(get, path = "/villages/{village}/{year}", tag = "registers",
    params(("village" = String, Path), ("year" = String, Path)),
    responses((status = 200, body = VillageYearView, headers(("ETag")))))]
pub(crate) async fn get_village_year(
    session: Session,
    Path((village, year)): Path<(String, String)>,
) -> Answer<Versioned<VillageYearView>> {
    let permit = session.require(Right::RegistryRead)?;
    let register = register(&VILLAGES)?;
    let wanted = Wanted::read(permit.context(), register, None, &[&village, &year])?;
    let record = ops::get(permit.context(), permit.scope.clone(), register, wanted).await?;
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
    let permit = session.require(Right::RegistryWrite)?;
    let (frame, register) = (permit.frame(&caller), register(&VILLAGES)?);
    let wanted = Wanted::read(permit.context(), register, None, &[&village, &year])?;
    let wanted = (wanted, if_match.map(|IfMatch(version)| version));
    let (record, is_new) = ops::put(permit.context(), frame, register, wanted, &body.0).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Versioned(record.meta.version, VillageYearView::from(&record))).into_response())
}
