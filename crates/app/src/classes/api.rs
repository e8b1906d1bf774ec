//! `GET /areas/{code}/classes`, and the households of each.

use daohu_policy::Right;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::ops::{self, Mark};
use crate::{
    households::{Home, HouseholdView},
    http::{Answer, ApiError, App, Json, Page, PageRequest, Path, Query, Session, area_in_path},
};

/// The routes of the slice.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_area_classes)).routes(routes!(list_class_households))
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ClassPage {
    /// Rows of the page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// A class that poor households are helped by, and how many of an area are of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClassCount {
    name: String,
    title: String,
    title_en: String,
    /// `GET /areas/{code}/classes/{name}/households` lists them.
    households: i64,
    /// Those who belong to them now.
    persons: i64,
    source: String,
}

/// How many households of an area are of each class; one may be of several. 404 outside and above the
/// scope, and below the villages.
#[utoipa::path(get, path = "/areas/{code}/classes", tag = "classes",
    params(("code" = String, Path)), responses((status = 200, body = Vec<ClassCount>)))]
pub(crate) async fn get_area_classes(
    session: Session,
    Path(code): Path<String>,
) -> Answer<Json<Vec<ClassCount>>> {
    let permit = session.require(Right::RegistryRead)?;
    let context = permit.context();
    let counts = ops::counts(context, &permit.scope, area_in_path(&code)?).await?;
    let classes = context.policy.household_classes().iter().zip(counts);
    let view = |(class, count): (&daohu_policy::HouseholdClass, ops::Count)| ClassCount {
        name: class.name.clone(),
        title: class.title.clone(),
        title_en: class.title_en.clone(),
        households: count.households,
        persons: count.persons,
        source: class.source.clone(),
    };
    Ok(Json(classes.map(view).collect()))
}

/// The households of an area that are of a class. A page may be short, even empty, and there is more as long as there
/// is `next`.
#[utoipa::path(get, path = "/areas/{code}/classes/{name}/households", tag = "classes",
    params(("code" = String, Path), ("name" = String, Path), ClassPage),
    responses((status = 200, body = Page<HouseholdView>)))]
pub(crate) async fn list_class_households(
    session: Session,
    Path((code, name)): Path<(String, String)>,
    Query(query): Query<ClassPage>,
) -> Answer<Json<Page<HouseholdView>>> {
    let permit = session.require(Right::RegistryRead)?;
    let context = permit.context();
    let mut classes = context.policy.household_classes().iter();
    let nth = classes.position(|class| class.name == name);
    let nth = nth.ok_or_else(|| ApiError::new("record.not_found"))?;
    let page = PageRequest::<Mark>::new("class", query.limit, query.after.as_deref())?;
    let wanted = (area_in_path(&code)?, nth);
    let listed = ops::households(context, &permit.scope, wanted, page.after.clone(), page.rows());
    let (homes, next) = listed.await?;
    let views = homes.iter().map(|home: &Home| HouseholdView::from(&home.household)).collect();
    Ok(Json(page.cut(views, next)))
}
