//! `GET /search`

use daohu_policy::Right;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    model::{Match, cleaned},
    ops::{self, Found},
};
use crate::http::{Answer, ApiError, Json, Query, Session};

/// Rows unless the request says otherwise.
const LIMIT_DEFAULT: usize = 20;
/// Most rows.
const LIMIT_MAX: usize = 50;

/// What is looked for, and where.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Search {
    /// 户编号, name, initials of the name's pinyin, whole ID number or its last six characters.
    #[param(min_length = 1, max_length = 50)]
    q: String,
    /// In this area, which must lie in the user's own.
    area: Option<String>,
    /// Rows: 1 to 50, 20 if absent.
    #[param(minimum = 1, maximum = 50)]
    limit: Option<usize>,
}

/// What was found.
#[derive(Serialize, ToSchema)]
pub(crate) struct SearchAnswer {
    items: Vec<SearchItem>,
    /// In which ways the text was looked for, the likeliest first.
    looked_for: Vec<Match>,
    /// True if there is more than is shown: narrow the text or the area.
    more: bool,
}

/// What kind of record was found.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FoundKind {
    Household,
    Person,
}

/// A household or person.
#[derive(Serialize, ToSchema)]
pub(crate) struct SearchItem {
    kind: FoundKind,
    /// How it matches.
    #[serde(rename = "match")]
    how: Match,
    id: i64,
    /// The household's id.
    household: i64,
    /// 户编号
    no: String,
    /// The person's name, or the head's.
    name: Option<String>,
    /// The village's code.
    village: String,
    village_name: Option<String>,
    /// A person's number, masked.
    id_number: Option<String>,
    /// False for a person who left the household.
    is_current: bool,
}

impl From<Found> for SearchItem {
    fn from(found: Found) -> Self {
        let kind = if found.is_person { FoundKind::Person } else { FoundKind::Household };
        Self {
            kind,
            how: found.how,
            id: found.id,
            household: found.household,
            no: found.no,
            name: found.name,
            village: found.village,
            village_name: found.village_name,
            id_number: found.id_number,
            is_current: found.is_current,
        }
    }
}

/// Households and persons by number, name or initials, inside the user's area.
#[utoipa::path(get, path = "/search", tag = "households", params(Search),
    responses((status = 200, body = SearchAnswer)))]
pub(crate) async fn search_registry(
    session: Session,
    Query(query): Query<Search>,
) -> Answer<Json<SearchAnswer>> {
    let permit = session.require(Right::RegistryRead)?;
    let scope = permit.within("area", query.area.as_deref())?;
    let text = cleaned(&query.q).ok_or_else(|| ApiError::field("q", "search.bad_text"))?;
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let max = u64::try_from(LIMIT_MAX).unwrap_or_default();
        return Err(ApiError::beyond("limit", "page.bad_limit", max));
    }
    if ops::asks_for_id(&text, &scope) {
        let rate = permit.context().policy.security().id_tail_searches_per_minute;
        permit.limit("id tail search", rate)?;
    }
    let answered = ops::search(permit.context(), scope, text, limit).await?;
    Ok(Json(SearchAnswer {
        items: answered.found.into_iter().map(SearchItem::from).collect(),
        looked_for: answered.asked,
        more: answered.is_cut,
    }))
}
