//! How households stand: of an area, in lists, of one and why; indices, and what would be if.

use daohu_base::{AreaCode, AreaLevel, Day, Fen};
use daohu_census::Outcome;
use daohu_policy::Right;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    areas::{self, AreaMonitoring},
    explain::{Explanation, explain},
    indices::{IndicesAsked, IndicesReport, indices},
    listing::{self, Mark, Of, StandingView, Wants},
    model::in_words,
    trajectory::{Trajectory, trajectory},
    whatif::{Transfer, WhatIf, WhatIfReport, whatif},
};
use crate::{
    Context, Lang,
    accesses::{Seen, What},
    exchange::export::disclose,
    households::Named,
    http::{
        Answer, ApiError, App, Caller, Download, Json, ListFile, ListFormat, Listing, Page,
        PageRequest, Path, Permit, Query, Session, area_in_path, day,
    },
    policies::{Pack, api::PackFile},
};

/// The routes of the slice.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_area_monitoring))
        .routes(routes!(list_standings))
        .routes(routes!(get_household_monitoring))
        .routes(routes!(get_trajectory))
        .routes(routes!(get_area_indices))
        .routes(routes!(ask_what_if))
}

/// Which day, and by which areas.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LookAt {
    /// The day on which members, ages and the year of income are looked at, `YYYY-MM-DD`; if absent, the end of the last year
    /// whose accounts are closed, as the packs say.
    #[param(format = Date)]
    on: Option<String>,
    /// `city`, `county`, `township` or `village`: areas of this level are told of by themselves; none if absent.
    by: Option<String>,
}

/// Which households, which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListStandings {
    /// As of the area's figures.
    #[param(format = Date)]
    on: Option<String>,
    /// `guarantee` (if absent), `class`, `warning` or `coverage`: what kind of rule is meant.
    of: Option<String>,
    /// The rule's id; all guarantees together if absent.
    rule: Option<String>,
    /// `met`, `unmet` or `unknown`: what the rule says of the household. Of a class and of a warning, `met` is where it holds.
    outcome: String,
    /// `csv` or `xlsx`: the whole list as a file, which needs the right to export; a page of it if absent.
    format: Option<String>,
    /// Rows of the page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Which day's rules, and which day's records.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExplainOn {
    /// As of the area's figures.
    #[param(format = Date)]
    on: Option<String>,
    /// The records as they stood at the end of this day; those of now if absent.
    #[param(format = Date)]
    as_of: Option<String>,
}

/// Which year, and by which areas.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct IndicesIn {
    /// The year of incomes; the last whose accounts are closed, if absent.
    year: Option<i64>,
    /// `city`, `county`, `township` or `village`: areas of this level are told of by themselves; none if absent.
    by: Option<String>,
    /// A class of the packs, by its id: of its households alone. All registered ones if absent.
    class: Option<String>,
}

/// What is thought of.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskWhatIf {
    /// As of the area's figures.
    #[schema(format = Date)]
    on: Option<String>,
    /// `city`, `county`, `township` or `village`.
    by: Option<String>,
    /// Standards with other amounts.
    #[serde(default)]
    set: Vec<SetStandard>,
    /// So much for each who shares the income of a household.
    transfer: Option<AskTransfer>,
    /// Files of a pack that goes before all others.
    #[serde(default)]
    pack: Vec<PackFile>,
}

/// A standard with another amount.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetStandard {
    /// Its id: `line` …
    standard: String,
    /// As packs write it, money in yuan.
    amount: f64,
}

/// A transfer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskTransfer {
    /// For each person and year.
    per_head_fen: i64,
    /// The class whose households have it; all registered ones if absent.
    class: Option<String>,
}

/// The day that is asked for, or the one that screens look at.
fn looked_at(context: &Context, on: Option<&str>) -> Answer<Day> {
    let today = context.clock.now().day();
    Ok(day("on", on)?.unwrap_or_else(|| context.policy.monitoring().looked_at(today)))
}

/// A level between that of an area and the village.
fn level_below(area: &AreaCode, by: Option<&str>) -> Answer<Option<AreaLevel>> {
    let Some(by) = by else { return Ok(None) };
    let told = AreaLevel::City..=AreaLevel::Village;
    let level = AreaLevel::named(by).filter(|level| told.contains(level));
    let level = level.ok_or_else(|| ApiError::field("by", "monitor.unknown_level"))?;
    match level < area.level() {
        true => Err(ApiError::field("by", "monitor.level_above")),
        false => Ok(Some(level)),
    }
}

/// How the households of an area stand: who has all guarantees, who lacks which, of whom it is not known; classes, warnings and
/// coverage. 404 outside and above the scope, and below the villages.
#[utoipa::path(get, path = "/areas/{code}/monitoring", tag = "monitoring",
    params(("code" = String, Path), LookAt), responses((status = 200, body = AreaMonitoring)))]
pub(crate) async fn get_area_monitoring(
    session: Session,
    Path(code): Path<String>,
    Query(query): Query<LookAt>,
) -> Answer<Json<AreaMonitoring>> {
    let permit = session.require(Right::RegistryRead)?;
    let context = permit.context();
    let area = area_in_path(&code)?;
    let by = level_below(&area, query.by.as_deref())?;
    let on = looked_at(context, query.on.as_deref())?;
    Ok(Json(areas::monitoring(context, &permit.scope, (area, on), by).await?))
}

/// The households of an area of which a rule says so, by county and id: as many as the area's figures count. As a file, the list
/// has all rows, as many as the pack allows.
#[utoipa::path(get, path = "/areas/{code}/monitoring/households", tag = "monitoring",
    params(("code" = String, Path), ListStandings),
    responses((status = 200, content(
        (Page<StandingView> = "application/json"),
        (inline(Download) = "text/csv"),
        (inline(Download) = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
pub(crate) async fn list_standings(
    session: Session,
    caller: Caller,
    Path(code): Path<String>,
    Query(query): Query<ListStandings>,
) -> Answer<Listing<StandingView>> {
    let format = ListFormat::wanted(query.format.as_deref())?;
    let permit = match format {
        None => session.require(Right::RegistryRead)?,
        Some(_) => session.require_all(&[Right::RegistryRead, Right::RegistryExport])?,
    };
    let context = permit.context();
    let of = (area_in_path(&code)?, looked_at(context, query.on.as_deref())?);
    let kind = Of::named(query.of.as_deref().unwrap_or("guarantee"));
    let kind = kind.ok_or_else(|| ApiError::field("of", "monitor.unknown_kind"))?;
    let outcome = [Outcome::Met, Outcome::Unmet, Outcome::Unknown];
    let outcome = outcome.into_iter().find(|own| own.as_str() == query.outcome);
    let outcome = outcome.ok_or_else(|| ApiError::field("outcome", "monitor.unknown_outcome"))?;
    if query.rule.is_none() && kind != Of::Guarantees {
        return Err(ApiError::field("rule", "monitor.unknown_rule"));
    }
    let wants = Wants { of: kind, rule: query.rule, outcome };
    let page = PageRequest::<Mark>::new("standings", query.limit, query.after.as_deref())?;
    if let Some(format) = format {
        return file(&permit, of, wants, (format, caller.lang)).await;
    }
    let go_on = (page.after.clone(), page.rows());
    let listed = listing::list(context, &permit.scope, of, wants, go_on).await?;
    Ok(Listing::Page(page.cut(listed.rows, listed.next)))
}

/// Households that are read together for a file.
const ROWS: usize = 1_000;
/// The columns of a file of households, before those of the guarantees.
const COLUMNS: [(&str, &str); 6] = [
    ("区县", "county"),
    ("村", "village"),
    ("户编号", "household_no"),
    ("户主姓名", "head_name"),
    ("人均纯收入（元）", "income_per_head_yuan"),
    ("总体状态", "overall"),
];

/// The whole list as a file: who takes it is journaled first.
async fn file(
    permit: &Permit,
    of: (AreaCode, Day),
    wants: Wants,
    (format, lang): (ListFormat, Lang),
) -> Answer<Listing<StandingView>> {
    let (context, scope) = (permit.context(), &permit.scope);
    crate::areas::ops::reported(scope, &of.0)?;
    crate::areas::ops::check_known(context, &of.0).await?;
    let told = serde_json::json!({
        "list": "standings", "on": of.1.to_string(), "rule": wants.rule,
        "outcome": wants.outcome.as_str(), "masked": true,
    });
    disclose(context, permit.act(), (std::slice::from_ref(&of.0), true), &told).await?;
    let heads: Vec<_> = context
        .policy
        .guarantees()
        .at(of.0.as_str(), of.1)
        .into_iter()
        .map(|own| &own.head)
        .collect();
    let columns = heads.iter().map(|head| (head.title.as_str(), head.title_en.as_str()));
    let columns: Vec<(&str, &str)> = COLUMNS.into_iter().chain(columns).collect();
    let rows_max = context.policy.exchange().list_rows_max;
    let mut file = ListFile::new(format, &columns, lang, rows_max)?;
    let mut after = None;
    loop {
        let go_on = (after, ROWS);
        let listed = listing::list(context, scope, of.clone(), wants.clone(), go_on).await?;
        for row in listed.rows {
            let income = row.income_per_head_fen.map(|fen| Fen(fen).to_string());
            let mut cells = vec![
                row.county,
                row.village,
                row.no,
                row.head_name.unwrap_or_default(),
                income.unwrap_or_default(),
                in_words(row.overall, lang).to_owned(),
            ];
            cells.extend(heads.iter().map(|head| {
                let own = row.guarantees.get(&head.id).copied().unwrap_or_default();
                in_words(own, lang).to_owned()
            }));
            file.row(&cells)?;
        }
        after = listed.next;
        if after.is_none() {
            return Ok(Listing::File(file.finish(&format!("户情-{}", of.0)).await?));
        }
    }
}

/// What the rules say of a household and why: the parts of the rules that decided it, the values that they looked at, and who wrote
/// these; on a past day, of the records as they stood then.
#[utoipa::path(get, path = "/households/{id}/monitoring", tag = "monitoring",
    params(("id" = i64, Path), ExplainOn), responses((status = 200, body = Explanation)))]
pub(crate) async fn get_household_monitoring(
    session: Session,
    Path(id): Path<i64>,
    Query(query): Query<ExplainOn>,
) -> Answer<Json<Explanation>> {
    let permit = session.require(Right::RegistryRead)?;
    let context = permit.context();
    let on = looked_at(context, query.on.as_deref())?;
    let as_of = day("as_of", query.as_of.as_deref())?;
    let scope = permit.scope.clone();
    let told = explain(context, scope, (Named::Id(id), on), as_of).await?;
    permit.note(What::Dossier, Seen::household(&told.county, id)).await?;
    Ok(Json(told))
}

/// Which part of a trajectory.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TrajectoryOf {
    /// Events before this day: `next` of the part before.
    before: Option<String>,
    /// Events of the part: 1 to 50, 20 if absent.
    #[param(minimum = 1, maximum = 50)]
    limit: Option<u32>,
}

/// The trajectory of a household: each day on which its state changed, the last one first, with the rules that say something else
/// since and what was written that day; its spells of poverty; its incomes beside the line.
#[utoipa::path(get, path = "/households/{id}/trajectory", tag = "monitoring",
    params(("id" = i64, Path), TrajectoryOf), responses((status = 200, body = Trajectory)))]
pub(crate) async fn get_trajectory(
    session: Session,
    Path(id): Path<i64>,
    Query(query): Query<TrajectoryOf>,
) -> Answer<Json<Trajectory>> {
    let permit = session.require(Right::RegistryRead)?;
    let before = day("before", query.before.as_deref())?;
    let limit = query.limit.unwrap_or(EVENTS);
    if !(1..=EVENTS_MAX).contains(&limit) {
        return Err(ApiError::beyond("limit", "page.bad_limit", EVENTS_MAX.into()));
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let scope = permit.scope.clone();
    let told = trajectory(permit.context(), scope, Named::Id(id), (before, limit)).await?;
    permit.note(What::Dossier, Seen::household(&told.county, id)).await?;
    Ok(Json(told))
}

/// Events of a part of a trajectory, where nobody says how many; each asks all rules anew.
const EVENTS: u32 = 20;
const EVENTS_MAX: u32 = 50;

/// Indices of poverty of an area: incidence, depth and severity, inequality, in how many ways households are poor, from what causes,
/// and who went below the line or above it since the year before. 404 outside and above the scope, and below the villages.
#[utoipa::path(get, path = "/areas/{code}/indices", tag = "monitoring",
    params(("code" = String, Path), IndicesIn), responses((status = 200, body = IndicesReport)))]
pub(crate) async fn get_area_indices(
    session: Session,
    Path(code): Path<String>,
    Query(query): Query<IndicesIn>,
) -> Answer<Json<IndicesReport>> {
    let permit = session.require(Right::RegistryRead)?;
    let context = permit.context();
    let area = area_in_path(&code)?;
    let by = level_below(&area, query.by.as_deref())?;
    let year = match query.year {
        Some(year) => year,
        None => looked_at(context, None)?.year(),
    };
    if [year, year - 1].into_iter().any(|year| Day::new(year, 12, 31).is_none()) {
        return Err(ApiError::field("year", "monitor.bad_year"));
    }
    let asked = IndicesAsked { area, year, by, class: query.class };
    Ok(Json(indices(context, &permit.scope, asked).await?))
}

/// What another line, other rules or a transfer would come to: who would fall below, who would rise above, and the cost. Nothing is
/// changed. 404 outside and above the scope, and below the villages; 422 with all that is wrong with a pack.
#[utoipa::path(post, path = "/areas/{code}/what-if", tag = "monitoring",
    params(("code" = String, Path)), request_body = AskWhatIf,
    responses((status = 200, body = WhatIfReport)))]
pub(crate) async fn ask_what_if(
    session: Session,
    Path(code): Path<String>,
    Json(body): Json<AskWhatIf>,
) -> Answer<Json<WhatIfReport>> {
    let permit = session.require(Right::RegistryRead)?;
    let context = permit.context();
    let area = area_in_path(&code)?;
    let by = level_below(&area, body.by.as_deref())?;
    let on = looked_at(context, body.on.as_deref())?;
    let is_standard = |id: &str| context.policy.standards().iter().any(|own| own.id == id);
    if body.set.iter().any(|own| !is_standard(&own.standard) || !own.amount.is_finite()) {
        return Err(ApiError::field("set", "monitor.unknown_standard"));
    }
    let is_class = |id: &String| context.policy.classes().find(id, area.as_str(), on).is_some();
    let class = body.transfer.as_ref().and_then(|own| own.class.as_ref());
    if class.is_some_and(|class| !is_class(class)) {
        return Err(ApiError::field("transfer", "monitor.unknown_rule"));
    }
    let files: Vec<_> = body.pack.into_iter().map(PackFile::into_pair).collect();
    let pack = (!files.is_empty()).then(|| Pack { name: "what-if".to_owned(), files });
    let transfer =
        body.transfer.map(|own| Transfer { per_head: Fen(own.per_head_fen), class: own.class });
    let set = body.set.into_iter().map(|own| (own.standard, own.amount.to_string())).collect();
    let asked = WhatIf { area, on, set, transfer, pack, by };
    let told = whatif(context, &permit.scope, asked).await?;
    let bad = |found: Vec<daohu_policy::BadPack>| {
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        let told = told.join("\n");
        ApiError::new("monitor.bad_pack").detail(told.clone(), told)
    };
    Ok(Json(told.map_err(bad)?))
}
