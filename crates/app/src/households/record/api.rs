//! `/households/{id}` and `/persons/{id}`

use axum::response::IntoResponse;
use daohu_base::{Day, Timestamp};
use daohu_policy::Right;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Any};
use utoipa::{IntoParams, ToSchema};

use super::{
    ops, reveal,
    story::{self, Told},
};
use crate::{
    accesses::{Seen, What},
    households::{
        Dossier,
        view::{HouseholdView, IncomeView, PersonView},
    },
    http::{Answer, At, ForReplay, Json, Page, PageRequest, Path, Query, Session, Versioned, day},
};

/// On which day.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AsOf {
    /// The day whose evening is shown, `YYYY-MM-DD`; the present if absent.
    #[param(format = Date)]
    as_of: Option<String>,
}

impl AsOf {
    pub(in crate::households) fn day(&self) -> Answer<Option<Day>> {
        day("as_of", self.as_of.as_deref())
    }
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StoryPage {
    /// Rows of the page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// One change of a household, a member, an income or a helper.
#[derive(Serialize, ToSchema)]
pub(crate) struct StoryEntry {
    at: At,
    /// The user, or `system`.
    actor: String,
    /// The grant that allowed it.
    authority: String,
    /// `api` or an import.
    source: String,
    /// `household`, `person`, `income`, `pairing`, or what was revealed.
    kind: String,
    /// The record's id.
    record: String,
    /// `created`, `updated`, `disclosed`.
    action: String,
    /// The columns that changed, as they were, numbers masked; null where the person belonged to a household outside the
    /// caller's area.
    #[schema(value_type = Option<Object>)]
    before: Option<Map<String, Any>>,
    /// The whole record as it was afterwards, numbers masked; null where the person belonged to a household outside the
    /// caller's area.
    #[schema(value_type = Option<Object>)]
    after: Option<Map<String, Any>>,
}

/// Why full numbers are needed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reveal {
    /// In words; it goes into the journal.
    #[schema(min_length = 1, max_length = 500)]
    pub(crate) reason: String,
}

/// A household's numbers in full. Told once: null if the same request is sent again.
#[derive(Serialize, ToSchema)]
pub(crate) struct RevealedHousehold {
    id: i64,
    phone: Option<String>,
    bank_card: Option<String>,
}

/// A person's numbers in full. Told once: null if the same request is sent again.
#[derive(Serialize, ToSchema)]
pub(crate) struct RevealedPerson {
    id: i64,
    id_number: Option<String>,
    phone: Option<String>,
}

impl From<Told> for StoryEntry {
    fn from(told: Told) -> Self {
        let Told { entry, before, after } = told;
        Self {
            at: At(Timestamp(entry.at)),
            actor: entry.actor,
            authority: entry.authority,
            source: entry.source,
            kind: entry.kind,
            record: entry.record,
            action: entry.action,
            before,
            after,
        }
    }
}

/// One household, numbers masked.
#[utoipa::path(get, path = "/households/{id}", tag = "households", params(("id" = i64, Path)),
    responses((status = 200, body = HouseholdView, headers(("ETag")))))]
pub(crate) async fn get_household(
    session: Session,
    Path(id): Path<i64>,
) -> Answer<Versioned<HouseholdView>> {
    let permit = session.require(Right::RegistryRead)?;
    let row = ops::get_household(permit.context(), permit.scope.clone(), id).await?;
    permit.note(What::Household, Seen::household(row.county(), id)).await?;
    Ok(Versioned(row.0.meta.version, HouseholdView::from(&row)))
}

/// Everything about a household, numbers masked; on a past day, as the journal tells it.
#[utoipa::path(get, path = "/households/{id}/dossier", tag = "households",
    params(("id" = i64, Path), AsOf), responses((status = 200, body = Dossier)))]
pub(crate) async fn get_dossier(
    session: Session,
    Path(id): Path<i64>,
    Query(query): Query<AsOf>,
) -> Answer<Json<Dossier>> {
    let permit = session.require(Right::RegistryRead)?;
    let as_of = query.day()?;
    let dossier = ops::dossier(permit.context(), permit.scope.clone(), id, as_of).await?;
    permit.note(What::Dossier, Seen::household(&dossier.county, id)).await?;
    Ok(Json(dossier))
}

/// The members of a household, present and gone, numbers masked.
#[utoipa::path(get, path = "/households/{id}/persons", tag = "households",
    params(("id" = i64, Path)), responses((status = 200, body = Vec<PersonView>)))]
pub(crate) async fn list_persons(
    session: Session,
    Path(id): Path<i64>,
) -> Answer<Json<Vec<PersonView>>> {
    let permit = session.require(Right::RegistryRead)?;
    let (county, persons) = ops::persons(permit.context(), permit.scope.clone(), id).await?;
    permit.note(What::Members, Seen::household(&county, id)).await?;
    Ok(Json(persons))
}

/// The yearly incomes of a household, newest first.
#[utoipa::path(get, path = "/households/{id}/incomes", tag = "households",
    params(("id" = i64, Path)), responses((status = 200, body = Vec<IncomeView>)))]
pub(crate) async fn list_incomes(
    session: Session,
    Path(id): Path<i64>,
) -> Answer<Json<Vec<IncomeView>>> {
    let permit = session.require(Right::RegistryRead)?;
    let (county, incomes) = ops::incomes(permit.context(), permit.scope.clone(), id).await?;
    permit.note(What::Incomes, Seen::household(&county, id)).await?;
    Ok(Json(incomes))
}

/// Who changed a household, its members and its incomes, latest first; numbers masked.
#[utoipa::path(get, path = "/households/{id}/journal", tag = "households",
    params(("id" = i64, Path), StoryPage), responses((status = 200, body = Page<StoryEntry>)))]
pub(crate) async fn get_household_journal(
    session: Session,
    Path(id): Path<i64>,
    Query(query): Query<StoryPage>,
) -> Answer<Json<Page<StoryEntry>>> {
    let permit = session.require(Right::RegistryRead)?;
    let page = PageRequest::<(i64, i64, i64)>::new(
        "household journal",
        query.limit,
        query.after.as_deref(),
    )?;
    let (scope, fetch) = (permit.scope.clone(), page.fetch());
    let (county, told) = story::story(permit.context(), scope, id, page.after, fetch).await?;
    permit.note(What::Journal, Seen::household(&county, id)).await?;
    Ok(Json(page.page(told, Told::mark).map(StoryEntry::from)))
}

/// One person, numbers masked.
#[utoipa::path(get, path = "/persons/{id}", tag = "persons", params(("id" = i64, Path)),
    responses((status = 200, body = PersonView, headers(("ETag")))))]
pub(crate) async fn get_person(
    session: Session,
    Path(id): Path<i64>,
) -> Answer<Versioned<PersonView>> {
    let permit = session.require(Right::RegistryRead)?;
    let (row, home) = ops::get_person(permit.context(), permit.scope.clone(), id).await?;
    permit.note(What::Person, Seen::person(home.county(), home.id(), id)).await?;
    Ok(Versioned(row.0.meta.version, PersonView::of(&row, home.no())))
}

/// A household's telephone and bank card in full, for a reason that is journaled.
#[utoipa::path(post, path = "/households/{id}/reveal", tag = "households",
    request_body = Reveal, params(("id" = i64, Path)),
    responses((status = 200, body = RevealedHousehold)))]
pub(crate) async fn reveal_household(
    session: Session,
    Path(id): Path<i64>,
    Json(body): Json<Reveal>,
) -> Answer<impl IntoResponse> {
    let permit = session.require_to_reveal()?;
    let (context, scope) = (permit.context(), permit.scope.clone());
    let numbers = reveal::household(context, permit.act(), scope, id, &body.reason).await?;
    let again = ForReplay::json(&RevealedHousehold { id, phone: None, bank_card: None });
    let reveal::HouseholdNumbers { county, phone, bank_card } = numbers;
    permit.note(What::Numbers, Seen::household(&county, id)).await?;
    Ok((again, Json(RevealedHousehold { id, phone, bank_card })))
}

/// A person's document number and telephone in full, for a reason that is journaled.
#[utoipa::path(post, path = "/persons/{id}/reveal", tag = "persons",
    request_body = Reveal, params(("id" = i64, Path)),
    responses((status = 200, body = RevealedPerson)))]
pub(crate) async fn reveal_person(
    session: Session,
    Path(id): Path<i64>,
    Json(body): Json<Reveal>,
) -> Answer<impl IntoResponse> {
    let permit = session.require_to_reveal()?;
    let (context, scope) = (permit.context(), permit.scope.clone());
    let numbers = reveal::person(context, permit.act(), scope, id, &body.reason).await?;
    let again = ForReplay::json(&RevealedPerson { id, id_number: None, phone: None });
    let reveal::PersonNumbers { county, household, id_number, phone } = numbers;
    permit.note(What::Numbers, Seen::person(&county, household, id)).await?;
    Ok((again, Json(RevealedPerson { id, id_number, phone })))
}
