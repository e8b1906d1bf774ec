//! `/areas`: names are open to all who are signed in, figures only inside the scope.
//!
//! Which counties, townships and villages are poor ones is open like the names: the lists are published
//! (公告), say something of a place and nothing of anybody in it, and people must tell places apart that
//! they do not work in.

use std::borrow::Cow;

use daohu_base::{AreaCode, AreaLevel};
use daohu_policy::Right;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Any};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, Type},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::ops;
use crate::{
    http::{
        Answer, ApiError, App, Json, Page, PageRequest, Path, Query, Session, Versioned,
        area_in_path,
    },
    sheet::{AREAS, Masking, schema, to_json},
};

/// What everybody may know of an area.
#[derive(Serialize, ToSchema)]
pub(crate) struct AreaName {
    code: String,
    name: String,
    /// `01` province to `06` group.
    level: String,
    /// What kind of area of its level, by the list 区划类型.
    kind: Option<String>,
    is_poor_county: Option<bool>,
    is_poor_township: Option<bool>,
    is_poor_village: Option<bool>,
    /// The last day of the code.
    #[schema(format = Date)]
    ends_on: Option<String>,
}

/// An area with its figures: the columns of the sheet 行政区划.
#[derive(Serialize)]
pub(crate) struct AreaView(Map<String, Any>);

impl PartialSchema for AreaView {
    fn schema() -> RefOr<Schema> {
        let version = ObjectBuilder::new().schema_type(Type::Integer);
        schema(&AREAS).property("version", version).into()
    }
}

impl ToSchema for AreaView {
    fn name() -> Cow<'static, str> {
        "AreaView".into()
    }
}

/// Which areas, which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListAreas {
    /// The areas below this one: its children, or those of `level`.
    parent: Option<String>,
    /// `01` province to `06` group.
    level: Option<String>,
    /// Counties that are poor ones, or are known not to be.
    is_poor_county: Option<bool>,
    /// Townships that are poor ones, or are known not to be.
    is_poor_township: Option<bool>,
    /// Villages that are poor ones, or are known not to be.
    is_poor_village: Option<bool>,
    /// `true`: without those whose code has ended.
    in_force: Option<bool>,
    /// The beginning of the name.
    q: Option<String>,
    /// Rows of the page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// The routes of the slice.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_areas)).routes(routes!(get_area))
}

fn level(text: &str) -> Answer<AreaLevel> {
    let code = text.parse::<u8>().ok();
    let found = AreaLevel::ALL.into_iter().find(|level| Some(level.list_code()) == code);
    found.ok_or_else(|| ApiError::field("level", "area.bad_level"))
}

/// The names of areas, by code.
#[utoipa::path(get, path = "/areas", tag = "areas", params(ListAreas),
    responses((status = 200, body = Page<AreaName>)))]
pub(crate) async fn list_areas(
    session: Session,
    Query(query): Query<ListAreas>,
) -> Answer<Json<Page<AreaName>>> {
    let permit = session.own();
    let parent = query.parent.as_deref().map(AreaCode::parse).transpose();
    let today = permit.context().clock.now().day().to_string();
    let wanted = ops::WantedAreas {
        parent: parent.map_err(|_| ApiError::field("parent", "area.bad_code"))?,
        level: query.level.as_deref().map(level).transpose()?,
        is_poor: [query.is_poor_county, query.is_poor_township, query.is_poor_village],
        in_force_on: query.in_force.filter(|wanted| *wanted).map(|_| today),
        text: query.q.filter(|text| !text.is_empty()),
    };
    let page = PageRequest::<String>::new("areas", query.limit, query.after.as_deref())?;
    let areas = ops::list(permit.context(), wanted, page.after.clone(), page.fetch()).await?;
    let page = page.page(areas, |area| area.code.clone());
    Ok(Json(page.map(|area| {
        let [is_poor_county, is_poor_township, is_poor_village] = area.is_poor;
        AreaName {
            code: area.code,
            name: area.name,
            level: format!("{:02}", area.level),
            kind: area.kind.map(|kind| format!("{kind:02}")),
            is_poor_county,
            is_poor_township,
            is_poor_village,
            ends_on: area.ends_on,
        }
    })))
}

/// One area with its figures; 404 outside and above the scope.
#[utoipa::path(get, path = "/areas/{code}", tag = "areas", params(("code" = String, Path)),
    responses((status = 200, body = AreaView, headers(("ETag")))))]
pub(crate) async fn get_area(
    session: Session,
    Path(code): Path<String>,
) -> Answer<Versioned<AreaView>> {
    let permit = session.require(Right::RegistryRead)?;
    let code = area_in_path(&code)?;
    let area = ops::get(permit.context(), &permit.scope, code).await?;
    let mut view = to_json(&AREAS, &area.values, Masking::Masked);
    view.insert("version".to_owned(), area.meta.version.into());
    Ok(Versioned(area.meta.version, AreaView(view)))
}
