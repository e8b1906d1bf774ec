//! `GET /households`

use daohu_policy::Right;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    model::{FILTERS, Mark, Sort, Wanted},
    ops,
};
use crate::{
    households::view::HouseholdView,
    http::{Answer, ApiError, Caller, Json, Page, PageRequest, Query, Session},
    sheet::{HOUSEHOLDS, conditions},
};

/// Which households, which columns, which page. Filters take codes or names; several values are
/// separated by commas, and `unknown` is where a column is not known.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListHouseholds {
    /// Households of this area, which must lie in the user's own.
    area: Option<String>,
    /// 户编号. Several counties may have it: then the list has several rows.
    no: Option<String>,
    poverty_kind: Option<String>,
    main_cause: Option<String>,
    exit_status: Option<String>,
    residence_kind: Option<String>,
    unsafe_grade: Option<String>,
    /// `true` or `false`.
    is_unsafe: Option<String>,
    /// `true` or `false`.
    water_is_safe: Option<String>,
    /// `true` or `false`.
    is_relocated: Option<String>,
    identified_year: Option<String>,
    exit_year: Option<String>,
    planned_exit_year: Option<String>,
    monitoring_kind: Option<String>,
    /// Whether a cadre answers for the household today: a pairing in force.
    is_answered: Option<bool>,
    /// `no` (by county and number, if absent), `-no`, `village`, or `-updated_at` (within a county).
    sort: Option<String>,
    /// The columns wanted, separated by commas; all if absent. `id`, `county` and `version` are
    /// always there.
    fields: Option<String>,
    /// Rows of the page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// What every row of a list has.
const ALWAYS: [&str; 3] = ["id", "county", "version"];
/// Columns of a row beside those of the sheet.
const BESIDE: [&str; 3] = ["created_at", "created_by", "updated_at"];

/// The columns that a list is asked for; all if none are named.
fn fields(text: Option<&str>) -> Answer<Option<Vec<&str>>> {
    let Some(text) = text else { return Ok(None) };
    let names: Vec<&str> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let is_known = |name: &str| {
        let of_sheet = HOUSEHOLDS.columns.iter().any(|column| column.name == name);
        of_sheet || ALWAYS.contains(&name) || BESIDE.contains(&name)
    };
    match names.iter().find(|name| !is_known(name)) {
        Some(_) => Err(ApiError::field("fields", "list.unknown_column")),
        None => Ok(Some(names)),
    }
}

/// The households of the user's area. Filters take codes or names, several of them separated by commas;
/// `unknown` stands for the rows where a column is not known.
#[utoipa::path(get, path = "/households", tag = "households", params(ListHouseholds),
    responses((status = 200, body = Page<HouseholdView>)))]
pub(crate) async fn list_households(
    session: Session,
    caller: Caller,
    Query(query): Query<ListHouseholds>,
) -> Answer<Json<Page<HouseholdView>>> {
    let permit = session.require(Right::RegistryRead)?;
    let scope = permit.within("area", query.area.as_deref())?;
    let sort = Sort::named(query.sort.as_deref().unwrap_or("no"));
    let sort = sort.ok_or_else(|| ApiError::field("sort", "list.unknown_sort"))?;
    let fields = fields(query.fields.as_deref())?;
    let page = PageRequest::<Mark>::new(sort.list(), query.limit, query.after.as_deref())?;
    let wanted = [
        query.no,
        query.poverty_kind,
        query.main_cause,
        query.exit_status,
        query.residence_kind,
        query.unsafe_grade,
        query.is_unsafe,
        query.water_is_safe,
        query.is_relocated,
        query.identified_year,
        query.exit_year,
        query.planned_exit_year,
        query.monitoring_kind,
    ];
    let wanted = FILTERS.into_iter().zip(wanted);
    let conditions = conditions(&permit.context().policy, &HOUSEHOLDS, wanted, caller.lang)?;
    let (after, fetch) = (page.after.clone(), page.fetch());
    let wanted = Wanted { conditions, is_answered: query.is_answered };
    let rows = ops::list(permit.context(), scope, (sort, wanted), after, fetch).await?;
    let page = page.page(rows, |row| sort.mark(row));
    Ok(Json(page.map(|row| {
        let mut view = HouseholdView::from(&row);
        if let Some(fields) = &fields {
            view.0.retain(|name, _| {
                ALWAYS.contains(&name.as_str()) || fields.contains(&name.as_str())
            });
        }
        view
    })))
}
