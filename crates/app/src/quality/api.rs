//! `GET /areas/{code}/quality`, and the records that break a rule.

use std::collections::HashMap;

use daohu_base::{AreaCode, AreaLevel, Day, Scope};
use daohu_policy::{Level, Policy, Right, Rule};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    duties::Duty,
    judge::Record,
    ops::{self, Found, Mark, Report, Wanted},
    report::{Figures, score},
    trend,
};
use crate::{
    Context, Error, Lang,
    http::{
        Answer, ApiError, App, Caller, Json, Page, PageRequest, Path, Query, Session, area_in_path,
        day,
    },
    sheet::Sheet,
};

/// The routes of the slice.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_area_quality))
        .routes(routes!(list_findings))
        .routes(routes!(list_duties))
        .routes(routes!(list_rules))
        .merge(trend::routes())
}

/// On which day.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct JudgedOn {
    /// The day whose rules hold, and that ages are counted to, `YYYY-MM-DD`; today if absent.
    #[param(format = Date)]
    on: Option<String>,
}

/// Which findings, which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListFindings {
    /// The day whose rules hold, and that ages are counted to, `YYYY-MM-DD`; today if absent.
    #[param(format = Date)]
    on: Option<String>,
    /// Of one rule: `R17`.
    rule: Option<String>,
    /// Of rules of this level: `reject` or `warn`.
    level: Option<String>,
    /// Of households that this cadre answers for on the day.
    cadre: Option<String>,
    /// `false`: of households that nobody answers for on the day.
    is_answered: Option<bool>,
    /// Rows of the page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Whose findings, which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListDuties {
    /// The day whose rules hold, and that ages are counted to, `YYYY-MM-DD`; today if absent.
    #[param(format = Date)]
    on: Option<String>,
    /// Of one rule: `R17`.
    rule: Option<String>,
    /// Of rules of this level: `reject` or `warn`.
    level: Option<String>,
    /// Rows of the page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// How good the records of an area are.
#[derive(Serialize, ToSchema)]
pub struct AreaQuality {
    area: String,
    name: Option<String>,
    /// The day whose rules hold.
    #[schema(format = Date)]
    on: String,
    /// Households, persons and yearly incomes.
    rows: i64,
    /// Those that break no rule.
    clean: i64,
    /// The share of the rows that break no rule, cut to four decimals; null where there are no rows.
    score: Option<f64>,
    /// All rules, by id.
    rules: Vec<RuleHits>,
    /// Directly below, by code; none below a village.
    children: Vec<QualityLine>,
}

/// An area directly below.
#[derive(Serialize, ToSchema)]
pub(crate) struct QualityLine {
    area: String,
    name: Option<String>,
    rows: i64,
    clean: i64,
    score: Option<f64>,
    hits: HashMap<String, i64>,
}

/// A rule, and how many records break it. Rows are households, persons and incomes; of areas themselves
/// it is told in hits alone: `GET /areas/{code}/quality/findings?rule=…`
#[derive(Serialize, ToSchema)]
pub(crate) struct RuleHits {
    rule: String,
    /// `reject` or `warn`.
    level: String,
    /// False where it has no effect: not in force on the day, or what it looks at is not there yet.
    is_active: bool,
    hits: i64,
    says: String,
}

/// A rule as the pack has it.
#[derive(Serialize, ToSchema)]
pub(crate) struct RuleView {
    rule: String,
    /// `reject`: rows that break it are refused; `warn`: they go in, and are found.
    level: String,
    is_active: bool,
    says: String,
    says_en: String,
    /// What of it is not checked, and why; null where all of it is.
    unchecked: Option<String>,
    unchecked_en: Option<String>,
    /// What it looks at.
    needs: Vec<String>,
    #[schema(format = Date)]
    since: Option<String>,
    #[schema(format = Date)]
    until: Option<String>,
    source: String,
}

/// A record that breaks a rule.
#[derive(Serialize, ToSchema)]
pub(crate) struct FindingView {
    rule: String,
    /// `reject` or `warn`.
    level: String,
    says: String,
    /// The column to blame, by its header.
    column: String,
    /// `areas`, `households`, `persons` or `incomes`: which record it is.
    sheet: String,
    county: String,
    /// The area that it is, or the village that it lies in.
    area: String,
    /// Null where it is a township or more.
    village: Option<String>,
    /// The household's id; null where it is an area.
    household: Option<i64>,
    household_no: Option<String>,
    /// The person's id.
    person: Option<i64>,
    /// The person's or the area's name.
    name: Option<String>,
    /// The year of the income.
    year: Option<i64>,
    /// Numbers of the cadres who answer for the household, and are to see it put right.
    cadres: Vec<String>,
}

/// What a cadre is to see put right: `GET /areas/{code}/quality/findings?cadre=…`
#[derive(Serialize, ToSchema)]
pub struct DutyView {
    /// The cadre's number; null for what nobody answers for (`is_answered=false`).
    cadre: Option<String>,
    name: Option<String>,
    /// Households with findings. One that several answer for is told of each.
    households: i64,
    findings: i64,
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Reject => "reject",
        Level::Warn => "warn",
    }
}

/// True if the rule is in force and all that it looks at is part of the product.
fn is_active(rule: &Rule, on: Day) -> bool {
    rule.is_in_force(on) && rule.needs.iter().all(|need| Sheet::named(need).is_some())
}

impl AreaQuality {
    fn new(policy: &Policy, (area, on): (&AreaCode, Day), report: Report, lang: Lang) -> Self {
        let Report { area: own, below, names } = report;
        let rule = |rule: &&Rule| RuleHits {
            rule: rule.id.clone(),
            level: level(rule.level).to_owned(),
            is_active: is_active(rule, on),
            hits: own.hits.get(rule.id.as_str()).copied().unwrap_or_default(),
            says: lang.pick(&rule.says, &rule.says_en).to_owned(),
        };
        let line = |(area, figures): (String, Figures)| QualityLine {
            name: names.get(&area).cloned(),
            rows: figures.rows,
            clean: figures.clean,
            score: score(figures.rows, figures.clean),
            hits: figures.hits.into_iter().map(|(rule, hits)| (rule.to_owned(), hits)).collect(),
            area,
        };
        Self {
            area: area.to_string(),
            name: names.get(area.as_str()).cloned(),
            on: on.to_string(),
            rows: own.rows,
            clean: own.clean,
            score: score(own.rows, own.clean),
            rules: policy.rules().iter().map(rule).collect(),
            children: below.into_iter().map(line).collect(),
        }
    }

    /// Leaves one rule alone.
    pub fn only(&mut self, rule: &str) {
        self.rules.retain(|hits| hits.rule == rule);
        self.children.iter_mut().for_each(|child| child.hits.retain(|name, _| name == rule));
    }
}

/// The quality of an area's records as the command line shows it.
pub async fn quality(
    context: &Context,
    area: AreaCode,
    on: Option<Day>,
    lang: Lang,
) -> Result<AreaQuality, Error> {
    let on = on.unwrap_or_else(|| context.clock.now().day());
    let report = ops::report(context, &Scope::all(), area.clone(), on).await?;
    Ok(AreaQuality::new(&context.policy, (&area, on), report, lang))
}

fn area_and_day(context: &Context, code: &str, on: Option<&str>) -> Answer<(AreaCode, Day)> {
    let area = area_in_path(code)?;
    let on = day("on", on)?;
    Ok((area, on.unwrap_or_else(|| context.clock.now().day())))
}

/// How many records of an area and of those directly below it break which rules; 404 outside and above
/// the scope, and below the villages.
#[utoipa::path(get, path = "/areas/{code}/quality", tag = "quality",
    params(("code" = String, Path), JudgedOn), responses((status = 200, body = AreaQuality)))]
pub(crate) async fn get_area_quality(
    session: Session,
    caller: Caller,
    Path(code): Path<String>,
    Query(query): Query<JudgedOn>,
) -> Answer<Json<AreaQuality>> {
    let permit = session.require(Right::RegistryRead)?;
    let context = permit.context();
    let (area, on) = area_and_day(context, &code, query.on.as_deref())?;
    let report = ops::report(context, &permit.scope, area.clone(), on).await?;
    Ok(Json(AreaQuality::new(&context.policy, (&area, on), report, caller.lang)))
}

/// The records of an area that break a rule, areas first, then household by household: what is to be put
/// right.
#[utoipa::path(get, path = "/areas/{code}/quality/findings", tag = "quality",
    params(("code" = String, Path), ListFindings),
    responses((status = 200, body = Page<FindingView>)))]
pub(crate) async fn list_findings(
    session: Session,
    caller: Caller,
    Path(code): Path<String>,
    Query(query): Query<ListFindings>,
) -> Answer<Json<Page<FindingView>>> {
    let permit = session.require(Right::RegistryRead)?;
    let context = permit.context();
    let (area, on) = area_and_day(context, &code, query.on.as_deref())?;
    let policy = &context.policy;
    let wanted = Wanted {
        cadre: query.cadre,
        is_answered: query.is_answered,
        ..wanted(policy, query.rule, query.level.as_deref())?
    };
    let page = PageRequest::<Mark>::new("findings", query.limit, query.after.as_deref())?;
    let (after, rows) = (page.after.clone(), page.rows());
    let listed = ops::findings(context, &permit.scope, (area, on), wanted, after, rows);
    let (found, next) = listed.await?;
    let views = found.into_iter().filter_map(|found| view(policy, found, caller.lang)).collect();
    Ok(Json(page.cut(views, next)))
}

/// Which findings, if there are such rules and levels.
fn wanted(policy: &Policy, rule: Option<String>, of: Option<&str>) -> Answer<Wanted> {
    if rule.as_deref().is_some_and(|rule| policy.rule(rule).is_none()) {
        return Err(ApiError::field("rule", "quality.unknown_rule"));
    }
    let level = match of {
        None => None,
        Some(of) => Some(
            [Level::Reject, Level::Warn]
                .into_iter()
                .find(|known| level(*known) == of)
                .ok_or_else(|| ApiError::field("level", "quality.unknown_level"))?,
        ),
    };
    Ok(Wanted { rule, level, ..Wanted::default() })
}

/// How much each cadre is to see put right in an area, by number; what nobody answers for comes first.
#[utoipa::path(get, path = "/areas/{code}/quality/cadres", tag = "quality",
    params(("code" = String, Path), ListDuties), responses((status = 200, body = Page<DutyView>)))]
pub(crate) async fn list_duties(
    session: Session,
    Path(code): Path<String>,
    Query(query): Query<ListDuties>,
) -> Answer<Json<Page<DutyView>>> {
    let permit = session.require(Right::RegistryRead)?;
    let context = permit.context();
    let (area, on) = area_and_day(context, &code, query.on.as_deref())?;
    let wanted = wanted(&context.policy, query.rule, query.level.as_deref())?;
    let list = "duties";
    let page = PageRequest::<Option<String>>::new(list, query.limit, query.after.as_deref())?;
    let duties = ops::duties(context, &permit.scope, (area, on), wanted).await?;
    let is_next =
        |(cadre, _): &(Option<String>, Duty)| page.after.as_ref().is_none_or(|after| cadre > after);
    let next = duties.into_iter().filter(is_next).take(page.rows() + 1).collect();
    let page = page.page(next, |(cadre, _)| cadre.clone());
    let names = ops::names(context, &page.items).await?;
    Ok(Json(page.map(|duty| DutyView::new(duty, &names))))
}

impl DutyView {
    fn new((cadre, duty): (Option<String>, Duty), names: &HashMap<String, String>) -> Self {
        Self {
            name: cadre.as_ref().and_then(|cadre| names.get(cadre).cloned()),
            cadre,
            households: duty.households,
            findings: duty.findings,
        }
    }
}

/// How much each cadre is to see put right, as the command line shows it.
pub async fn worklist(
    context: &Context,
    area: AreaCode,
    on: Option<Day>,
    rule: Option<String>,
) -> Result<Vec<DutyView>, Error> {
    let on = on.unwrap_or_else(|| context.clock.now().day());
    let wanted = Wanted { rule, ..Wanted::default() };
    let duties = ops::duties(context, &Scope::all(), (area, on), wanted).await?;
    let names = ops::names(context, &duties).await?;
    Ok(duties.into_iter().map(|duty| DutyView::new(duty, &names)).collect())
}

fn view(policy: &Policy, found: Found, lang: Lang) -> Option<FindingView> {
    let rule = policy.rule(found.finding.rule)?;
    let area = AreaCode::parse(&found.area).ok()?;
    let (household, household_no) = found.home.unzip();
    let (sheet, person, year) = match found.record {
        Record::Area => ("areas", None, None),
        Record::Household => ("households", None, None),
        Record::Person(id) => ("persons", Some(id), None),
        Record::Income(year) => ("incomes", None, Some(year)),
    };
    let column = found.finding.sheet.columns.get(found.finding.column);
    Some(FindingView {
        rule: rule.id.clone(),
        level: level(rule.level).to_owned(),
        says: lang.pick(&rule.says, &rule.says_en).to_owned(),
        column: column.map_or("", |column| column.header).to_owned(),
        sheet: sheet.to_owned(),
        county: area.county(),
        village: (area.level() == AreaLevel::Village).then(|| found.area.clone()),
        area: found.area,
        household,
        household_no,
        person,
        name: found.name,
        year,
        cadres: found.cadres,
    })
}

/// The rules that records are judged by, by id.
#[utoipa::path(get, path = "/quality/rules", tag = "quality", params(JudgedOn),
    responses((status = 200, body = Vec<RuleView>)))]
pub(crate) async fn list_rules(
    session: Session,
    Query(query): Query<JudgedOn>,
) -> Answer<Json<Vec<RuleView>>> {
    let permit = session.own();
    let on = day("on", query.on.as_deref())?;
    let on = on.unwrap_or_else(|| permit.context().clock.now().day());
    let words = |words: &str| (!words.is_empty()).then(|| words.to_owned());
    let rule = |rule: &Rule| RuleView {
        rule: rule.id.clone(),
        level: level(rule.level).to_owned(),
        is_active: is_active(rule, on),
        says: rule.says.clone(),
        says_en: rule.says_en.clone(),
        unchecked: words(&rule.unchecked),
        unchecked_en: words(&rule.unchecked_en),
        needs: rule.needs.clone(),
        since: rule.since.clone(),
        until: rule.until.clone(),
        source: rule.source.clone(),
    };
    Ok(Json(permit.context().policy.rules().into_iter().map(rule).collect()))
}
