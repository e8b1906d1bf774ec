//! Writing `/organisations`, `/cadres`, `/teams` and `/pairings`

use axum::response::IntoResponse;
use daohu_db::Value;
use daohu_policy::Right;
use serde::Serialize;
use serde_json::Value as Any;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    figures,
    ops::{self, Wanted},
    view::{
        ChangeCadre, ChangeOrganisation, ChangePairing, ChangeTeamMember, NewCadre,
        NewOrganisation, NewPairing, NewTeamMember,
    },
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
            view::{CadreView, OrganisationView, PairingView, TeamMemberView},
        },
    },
    sheet::{CADRES, ORGANISATIONS, PAIRINGS, Record, Sheet, TEAMS, pairing},
};

/// The county, and the parts of the key of a pairing.
type PairingPath = Path<(String, String, String, String, String, String)>;

/// The county, and the parts of the key of a time in a team.
type TeamPath = Path<(String, String, String, String)>;

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
        .routes(routes!(lists::list_organisations, create_organisation))
        .routes(routes!(lists::get_organisation, change_organisation))
        .routes(routes!(lists::list_team_members, create_team_member))
        .routes(routes!(get_team_member, change_team_member))
        .merge(figures::api::routes())
}

/// The register of a sheet.
pub(super) fn register(sheet: &'static Sheet) -> Answer<&'static Register> {
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

/// Registers an organisation.
#[utoipa::path(post, path = "/organisations", tag = "registers", request_body = NewOrganisation,
    responses((status = 201, body = OrganisationView, headers(("Location"), ("ETag")))))]
pub(crate) async fn create_organisation(
    session: Session,
    caller: Caller,
    Json(body): Json<NewOrganisation>,
) -> Answer<Created<OrganisationView>> {
    let permit = session.require(Right::RegistryWrite)?;
    let (frame, register) = (permit.frame(&caller), register(&ORGANISATIONS)?);
    let record = ops::create(permit.context(), frame, register, None, &body.0).await?;
    let location = format!("/api/v1/organisations/{}", register.key_of(&record.values));
    let version = record.meta.version;
    Ok(Created { location, version, body: OrganisationView::from(&record) })
}

/// Changes columns of an organisation by name; null clears, what is absent stays.
#[utoipa::path(patch, path = "/organisations/{no}", tag = "registers",
    request_body = ChangeOrganisation,
    params(("no" = String, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = OrganisationView, headers(("ETag")))))]
pub(crate) async fn change_organisation(
    session: Session,
    caller: Caller,
    Path(no): Path<String>,
    IfMatch(version): IfMatch,
    Json(body): Json<ChangeOrganisation>,
) -> Answer<Versioned<OrganisationView>> {
    let permit = session.require(Right::RegistryWrite)?;
    let (frame, register) = (permit.frame(&caller), register(&ORGANISATIONS)?);
    let wanted = (Wanted::read(permit.context(), register, None, &[&no])?, version);
    let record = ops::change(permit.context(), frame, register, wanted, &body.0).await?;
    Ok(Versioned(record.meta.version, OrganisationView::from(&record)))
}

fn wanted_member(permit: &Permit, register: &'static Register, path: TeamPath) -> Answer<Wanted> {
    let Path((county, no, cadre, starts_on)) = path;
    let key = [&*no, &cadre, &starts_on];
    Ok(Wanted::read(permit.context(), register, Some(county), &key)?)
}

/// Begins a cadre's time in a village's team.
#[utoipa::path(post, path = "/teams", tag = "registers", request_body = NewTeamMember,
    responses((status = 201, body = TeamMemberView, headers(("Location"), ("ETag")))))]
pub(crate) async fn create_team_member(
    session: Session,
    caller: Caller,
    Json(body): Json<NewTeamMember>,
) -> Answer<Created<TeamMemberView>> {
    let permit = session.require(Right::RegistryWrite)?;
    let (frame, register) = (permit.frame(&caller), register(&TEAMS)?);
    let record = ops::create(permit.context(), frame, register, None, &body.0).await?;
    let (county, key) = (record.county(), register.key_of(&record.values));
    let (location, version) = (format!("/api/v1/teams/{county}/{key}"), record.meta.version);
    Ok(Created { location, version, body: TeamMemberView::from(&record) })
}

/// A cadre's time in a team, by its county and its key.
#[utoipa::path(get, path = "/teams/{county}/{no}/{cadre}/{starts_on}", tag = "registers",
    params(("county" = String, Path), ("no" = String, Path), ("cadre" = String, Path),
        ("starts_on" = String, Path)),
    responses((status = 200, body = TeamMemberView, headers(("ETag")))))]
pub(crate) async fn get_team_member(
    session: Session,
    path: TeamPath,
) -> Answer<Versioned<TeamMemberView>> {
    let permit = session.require(Right::RegistryRead)?;
    let register = register(&TEAMS)?;
    let wanted = wanted_member(&permit, register, path)?;
    let record = ops::get(permit.context(), permit.scope.clone(), register, wanted).await?;
    Ok(Versioned(record.meta.version, TeamMemberView::from(&record)))
}

/// Ends a cadre's time in a team, or says who leads it and which village of the county it helps.
#[utoipa::path(patch, path = "/teams/{county}/{no}/{cadre}/{starts_on}", tag = "registers",
    request_body = ChangeTeamMember,
    params(("county" = String, Path), ("no" = String, Path), ("cadre" = String, Path),
        ("starts_on" = String, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = TeamMemberView, headers(("ETag")))))]
pub(crate) async fn change_team_member(
    session: Session,
    caller: Caller,
    path: TeamPath,
    IfMatch(version): IfMatch,
    Json(body): Json<ChangeTeamMember>,
) -> Answer<Versioned<TeamMemberView>> {
    let permit = session.require(Right::RegistryWrite)?;
    let (frame, register) = (permit.frame(&caller), register(&TEAMS)?);
    let wanted = (wanted_member(&permit, register, path)?, version);
    let record = ops::change(permit.context(), frame, register, wanted, &body.0).await?;
    Ok(Versioned(record.meta.version, TeamMemberView::from(&record)))
}
