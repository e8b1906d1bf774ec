//! `GET /areas/{code}/quality`, and the records that break a rule.

use std::collections::HashMap;

use daohu_base::{AreaCode, AreaLevel, Day, Scope};
use daohu_policy::{Level, Policy, Right, Rule};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    duties,
    judge::Record,
    listing::{self, Found, Mark, Sort, Wanted},
    ops::{self, Report},
    report::{Figures, score},
    trend,
};
use crate::{
    Context, Error, Lang,
    exchange::export::disclose,
    http::{
        Answer, ApiError, App, Caller, Download, Json, ListFile, ListFormat, Listing, Page,
        PageRequest, Path, Permit, Query, Session, area_in_path, day,
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
    /// `household` (areas by code, then households by county and id, if absent), or `level` (rules that refuse rows
    /// first).
    sort: Option<String>,
    /// `csv` or `xlsx`: the whole list as a file, which needs the right to export; a page of it if absent.
    format: Option<String>,
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
pub struct FindingView {
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

/// A level as people read it.
pub fn level_in_words(name: &str, lang: Lang) -> &str {
    match name {
        "reject" => lang.pick("拒绝", "reject"),
        "warn" => lang.pick("提示", "warn"),
        other => other,
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

/// The first records of an area that break a rule, as the command line lists them: no more than so many.
pub async fn findings(
    context: &Context,
    (area, on): (AreaCode, Option<Day>),
    rule: &str,
    limit: usize,
    lang: Lang,
) -> Result<Vec<FindingView>, Error> {
    let of = (area, on.unwrap_or_else(|| context.clock.now().day()));
    let wanted = Wanted { rule: Some(rule.to_owned()), ..Wanted::default() };
    let (mut views, mut after) = (Vec::new(), None);
    // A page may be short, and there is more as long as there is a mark.
    while views.len() < limit {
        let (wanted, room) = ((wanted.clone(), Sort::Household), limit - views.len());
        let scope = Scope::all();
        let listed = listing::list(context, &scope, of.clone(), wanted, after, room.min(FINDINGS));
        let listed = listed.await?;
        let view = |found| view(&context.policy, found, lang);
        views.extend(listed.found.into_iter().filter_map(view));
        after = match listed.next {
            None => break,
            next => next,
        };
    }
    Ok(views)
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
/// right. A page ends when it is full, or when much was looked at for it: it may be short, even empty, and there is more
/// as long as there is `next`. As a file, the list has all rows, as many as the pack allows.
#[utoipa::path(get, path = "/areas/{code}/quality/findings", tag = "quality",
    params(("code" = String, Path), ListFindings),
    responses((status = 200, content(
        (Page<FindingView> = "application/json"),
        (inline(Download) = "text/csv"),
        (inline(Download) = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
pub(crate) async fn list_findings(
    session: Session,
    caller: Caller,
    Path(code): Path<String>,
    Query(query): Query<ListFindings>,
) -> Answer<Listing<FindingView>> {
    let format = ListFormat::wanted(query.format.as_deref())?;
    let permit = match format {
        None => session.require(Right::RegistryRead)?,
        Some(_) => session.require_all(&[Right::RegistryRead, Right::RegistryExport])?,
    };
    let context = permit.context();
    let of = area_and_day(context, &code, query.on.as_deref())?;
    let sort = Sort::named(query.sort.as_deref().unwrap_or("household"));
    let sort = sort.ok_or_else(|| ApiError::field("sort", "list.unknown_sort"))?;
    let wanted = Wanted {
        cadre: query.cadre,
        is_answered: query.is_answered,
        ..wanted(&context.policy, query.rule, query.level.as_deref())?
    };
    let page = PageRequest::<Mark>::new(sort.list(), query.limit, query.after.as_deref())?;
    if let Some(format) = format {
        return findings_file(&permit, of, (wanted, sort), (format, caller.lang)).await;
    }
    let (after, rows) = (page.after.clone(), page.rows());
    let listed = listing::list(context, &permit.scope, of, (wanted, sort), after, rows).await?;
    let view = |found| view(&context.policy, found, caller.lang);
    Ok(Listing::Page(page.cut(listed.found.into_iter().filter_map(view).collect(), listed.next)))
}

/// Findings that are read together for a file.
const FINDINGS: usize = 1_000;
/// The columns of a file of findings.
const FINDING_COLUMNS: [(&str, &str); 11] = [
    ("规则", "rule"),
    ("级别", "level"),
    ("问题", "says"),
    ("表", "sheet"),
    ("列", "column"),
    ("区划代码", "area"),
    ("户编号", "household_no"),
    ("人员编号", "person"),
    ("姓名", "name"),
    ("年度", "year"),
    ("帮扶责任人", "cadres"),
];

/// The whole list as a file: who takes it is journaled first.
async fn findings_file(
    permit: &Permit,
    of: (AreaCode, Day),
    (wanted, sort): (Wanted, Sort),
    (format, lang): (ListFormat, Lang),
) -> Answer<Listing<FindingView>> {
    let (context, scope) = (permit.context(), &permit.scope);
    crate::areas::ops::reported(scope, &of.0)?;
    crate::areas::ops::check_known(context, &of.0).await?;
    let told = serde_json::json!({
        "list": "findings", "on": of.1.to_string(), "rule": wanted.rule,
        "level": wanted.level.map(level), "cadre": wanted.cadre, "masked": true,
    });
    disclose(context, permit.act(), (std::slice::from_ref(&of.0), true), &told).await?;
    let rows_max = context.policy.exchange().list_rows_max;
    let mut file = ListFile::new(format, &FINDING_COLUMNS, lang, rows_max)?;
    let records_max = context.policy.quality_reports().file_records_max;
    let (mut after, mut looked_at) = (None, 0);
    loop {
        let wanted = (wanted.clone(), sort);
        let listed = listing::list(context, scope, of.clone(), wanted, after, FINDINGS).await?;
        for found in listed.found.into_iter().filter_map(|found| view(&context.policy, found, lang))
        {
            file.row(&found.cells(lang))?;
        }
        let Some(next) = listed.next else {
            return Ok(Listing::File(file.finish(&format!("问题数据-{}", of.0)).await?));
        };
        looked_at += listed.looked_at;
        if looked_at >= records_max {
            return Err(ApiError::new("list.too_many_records").detail(
                format!("最多检查 {records_max} 户"),
                format!("{records_max} households at most are looked at"),
            ));
        }
        after = Some(next);
    }
}

impl FindingView {
    /// As [`FINDING_COLUMNS`] names them.
    fn cells(&self, lang: Lang) -> [String; FINDING_COLUMNS.len()] {
        let number = |number: Option<i64>| number.map(|n| n.to_string()).unwrap_or_default();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        [
            self.rule.clone(),
            level_in_words(&self.level, lang).to_owned(),
            self.says.clone(),
            Sheet::called_by(&self.sheet, lang).to_owned(),
            self.column.clone(),
            self.area.clone(),
            text(&self.household_no),
            number(self.person),
            text(&self.name),
            number(self.year),
            self.cadres.join(" "),
        ]
    }
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

/// How much each cadre is to see put right in an area, by number; what nobody answers for comes first. A page
/// may be short, even empty, and there is more as long as there is `next`.
#[utoipa::path(get, path = "/areas/{code}/quality/cadres", tag = "quality",
    params(("code" = String, Path), ListDuties), responses((status = 200, body = Page<DutyView>)))]
pub(crate) async fn list_duties(
    session: Session,
    Path(code): Path<String>,
    Query(query): Query<ListDuties>,
) -> Answer<Json<Page<DutyView>>> {
    let permit = session.require(Right::RegistryRead)?;
    let context = permit.context();
    let of = area_and_day(context, &code, query.on.as_deref())?;
    let wanted = wanted(&context.policy, query.rule, query.level.as_deref())?;
    let list = "duties";
    let page = PageRequest::<Option<String>>::new(list, query.limit, query.after.as_deref())?;
    let (after, rows) = (page.after.clone(), page.rows());
    let (lines, next) = duties::page(context, &permit.scope, of, wanted, after, rows).await?;
    Ok(Json(page.cut(DutyView::all(context, lines).await?, next)))
}

impl DutyView {
    async fn all(context: &Context, lines: Vec<duties::Line>) -> Result<Vec<Self>, Error> {
        let names = duties::names(context, &lines).await?;
        let view = |(cadre, duty): duties::Line| Self {
            name: cadre.as_ref().and_then(|cadre| names.get(cadre).cloned()),
            cadre,
            households: duty.households,
            findings: duty.findings,
        };
        Ok(lines.into_iter().map(view).collect())
    }
}

/// Cadres that the command line reads together.
const CADRES: usize = 500;

/// How much each cadre is to see put right, as the command line shows it.
pub async fn worklist(
    context: &Context,
    area: AreaCode,
    on: Option<Day>,
    rule: Option<String>,
) -> Result<Vec<DutyView>, Error> {
    let of = (area, on.unwrap_or_else(|| context.clock.now().day()));
    let wanted = Wanted { rule, ..Wanted::default() };
    let (mut views, mut after) = (Vec::new(), None);
    loop {
        let scope = Scope::all();
        let page = duties::page(context, &scope, of.clone(), wanted.clone(), after, CADRES);
        let (lines, next) = page.await?;
        views.extend(DutyView::all(context, lines).await?);
        after = match next {
            Some(next) => Some(next),
            None => return Ok(views),
        };
    }
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
        since: rule.since.map(|day| day.to_string()),
        until: rule.until.map(|day| day.to_string()),
        source: rule.source.clone(),
    };
    Ok(Json(permit.context().policy.rules().into_iter().map(rule).collect()))
}
