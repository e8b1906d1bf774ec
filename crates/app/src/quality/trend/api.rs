//! `GET /areas/{code}/quality/trend`

use std::collections::BTreeMap;

use daohu_base::{AreaCode, Day, Scope};
use daohu_policy::Right;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    model::{self, Point},
    ops,
};
use crate::{
    Context, Error,
    http::{Answer, ApiError, App, Json, Path, Query, Session, area_in_path, day},
    quality::report::score,
};

/// The routes of the trend.
pub(in crate::quality) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_quality_trend))
}

/// Which days: 400 at most.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Period {
    /// The first day, `YYYY-MM-DD`; 399 days before the last if absent.
    #[param(format = Date)]
    from: Option<String>,
    /// The last day, `YYYY-MM-DD`; today if absent.
    #[param(format = Date)]
    until: Option<String>,
}

/// How good the records of an area were, day by day.
#[derive(Serialize, ToSchema)]
pub struct QualityTrend {
    area: String,
    #[schema(format = Date)]
    from: String,
    #[schema(format = Date)]
    until: String,
    /// By day. A day without one was as the day before, but for what time alone changes, such as ages. The first day has one
    /// wherever the area had any up to then.
    points: Vec<QualityPoint>,
}

/// What the quality report of an area came to, by the rules of the day on which it was taken.
#[derive(Serialize, ToSchema)]
pub(crate) struct QualityPoint {
    #[schema(format = Date)]
    on: String,
    /// Households, persons and yearly incomes.
    rows: i64,
    /// Those that break no rule.
    clean: i64,
    /// The share of the rows that break no rule, cut to four decimals; null where there are no rows.
    score: Option<f64>,
    /// Records that break a rule, by the rule; a rule that none breaks is left out.
    hits: BTreeMap<String, i64>,
    /// Of a city or province: the counties that are in the sum, each with its last point up to the day; else null.
    counties: Option<i64>,
    /// Counties that have no point up to the day, and are not in the sum.
    without: Option<i64>,
    /// The day on which it was taken: an earlier one where the first day asked for has none of its own. Of a city or
    /// province, the day of the oldest point in the sum.
    #[schema(format = Date)]
    oldest_on: Option<String>,
}

/// A county that was judged.
#[derive(Serialize)]
pub struct Recorded {
    county: String,
    /// Points of today: its own, and those of areas that are not as their last points say; none where a later picture of
    /// the county was stored meanwhile.
    points: usize,
}

impl QualityTrend {
    fn new(area: &AreaCode, (from, until): (Day, Day), points: Vec<Point>) -> Self {
        let point = |Point { on, taken_on, rows, clean, hits, parts }| {
            let score = score(rows, clean);
            let (counties, without) = parts.map(|parts| (parts.counties, parts.without)).unzip();
            QualityPoint { on, rows, clean, score, hits, counties, without, oldest_on: taken_on }
        };
        Self {
            area: area.to_string(),
            from: from.to_string(),
            until: until.to_string(),
            points: points.into_iter().map(point).collect(),
        }
    }
}

/// The trend of an area over the days before today, as the command line shows it.
pub async fn trend(context: &Context, area: AreaCode) -> Result<QualityTrend, Error> {
    let days = model::last_days(context.clock.now().day());
    let points = ops::points(context, &Scope::all(), area.clone(), days).await?;
    Ok(QualityTrend::new(&area, days, points))
}

/// Judges the counties of an area now, and keeps what their areas come to as today's points.
pub async fn record(context: &Context, area: AreaCode) -> Result<Vec<Recorded>, Error> {
    let done = ops::record_all(context, area).await?;
    Ok(done.into_iter().map(|(county, points)| Recorded { county, points }).collect())
}

/// How good the records of an area were, day by day; of a city or province, the sums of its counties on each day on which
/// one has a point, each with its last one. Of a county, township or village it is what the server found at its first look of a
/// day at which something of the county had been written since its last point, and what `daohu quality --record` found; not how
/// the day ended: what is written later on is in the point of a later day. While any server of the database imports, it does
/// not look. Points stay with the code that their area had:
/// where a code changed, ask for the earlier one (`GET /areas/{code}/successions`) for the days before. 404 as for
/// `GET /areas/{code}/quality`.
#[utoipa::path(get, path = "/areas/{code}/quality/trend", tag = "quality",
    params(("code" = String, Path), Period), responses((status = 200, body = QualityTrend)))]
pub(crate) async fn get_quality_trend(
    session: Session,
    Path(code): Path<String>,
    Query(query): Query<Period>,
) -> Answer<Json<QualityTrend>> {
    let permit = session.require(Right::RegistryRead)?;
    let context = permit.context();
    let area = area_in_path(&code)?;
    let (from, until) =
        (day("from", query.from.as_deref())?, day("until", query.until.as_deref())?);
    let days = model::period(from, until, context.clock.now().day())
        .ok_or_else(|| ApiError::field("from", "quality.bad_period"))?;
    let points = ops::points(context, &permit.scope, area.clone(), days).await?;
    Ok(Json(QualityTrend::new(&area, days, points)))
}
