//! `/suspects`

use daohu_base::{AreaCode, Scope, Timestamp};
use daohu_policy::Right;
use serde::{Deserialize, Serialize};
use serde_json::Value as Any;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    listing::{self, Listed, Mark, Wanted},
    merge,
    model::{Ground, Judgement, Verdict},
    ops::{self, Pair},
};
use crate::{
    Context, Error, Lang,
    accesses::{Seen, What},
    exchange::export::disclose,
    households::PersonView,
    http::{
        Answer, ApiError, App, At, Caller, Download, IfMatch, Json, ListFile, ListFormat, Listing,
        Page, PageRequest, Path, Permit, Query, Session, Versioned,
    },
};

/// The routes of the slice.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_suspects))
        .routes(routes!(count_suspects))
        .routes(routes!(get_suspects))
        .routes(routes!(judge_suspects))
        .routes(routes!(merge_suspects))
        .routes(routes!(undo_merge))
}

/// Which pairs, which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListSuspects {
    /// Pairs of which one person lies in this area, which must lie in the user's own.
    area: Option<String>,
    /// `open`, `different`, `same` or `merged`. If absent: all who are suspected, of whom nothing was
    /// judged or that they are one.
    verdict: Option<String>,
    /// `name`: written alike; `sound`: only sounding alike.
    ground: Option<String>,
    /// `csv` or `xlsx`: the whole list as a file, which needs the right to export; a page of it if absent.
    format: Option<String>,
    /// Rows of the page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Which pairs.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CountSuspects {
    /// As of the list.
    area: Option<String>,
    /// As of the list.
    verdict: Option<String>,
    /// As of the list.
    ground: Option<String>,
}

/// How many pairs a list has.
#[derive(Serialize, ToSchema)]
pub(crate) struct SuspectCount {
    pairs: i64,
}

/// Two persons who may be one.
#[derive(Serialize, ToSchema)]
pub struct SuspectView {
    county: String,
    /// Counts how often one of the two or what was judged of them changed.
    version: i64,
    ground: Ground,
    verdict: Verdict,
    /// Why it was judged so.
    reason: Option<String>,
    judged_at: Option<At>,
    /// Of a merged pair, the person whose record stays.
    kept: Option<i64>,
    /// The two, the smaller id first.
    #[schema(value_type = Vec<PersonView>, min_items = 2, max_items = 2)]
    persons: [PersonView; 2],
}

/// What is judged of a pair.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JudgeSuspects {
    /// `different`, `same`, or `open` to take back what was judged.
    verdict: Verdict,
    reason: String,
}

/// Which record of a pair stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MergeSuspects {
    /// The person whose record stays, with its household.
    keep: i64,
    reason: String,
}

/// Why a merge is undone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UndoMerge {
    reason: String,
}

impl SuspectView {
    fn new(
        judgement: Option<&Judgement>,
        (county, version, ground, verdict): (String, i64, Ground, Verdict),
        persons: [PersonView; 2],
    ) -> Self {
        let judgement = judgement.filter(|judgement| judgement.verdict == verdict);
        Self {
            county,
            version,
            ground,
            verdict,
            reason: judgement.map(|judgement| judgement.reason.clone()),
            judged_at: judgement.map(|judgement| At(Timestamp(judgement.meta.updated_at))),
            kept: judgement.and_then(|judgement| Some(judgement.merge.as_ref()?.kept)),
            persons,
        }
    }

    fn of(pair: &Pair) -> Self {
        let persons =
            [&pair.one, &pair.other].map(|side| PersonView::of(&side.row, side.home.no()));
        let frame = (pair.county().to_owned(), pair.version(), pair.ground(), pair.verdict());
        Self::new(pair.judgement.as_ref(), frame, persons)
    }

    fn listed(listed: &Listed) -> Self {
        let Listed { pair, persons: [one, other], .. } = listed;
        let persons = [(one, &pair.one), (other, &pair.other)];
        let persons = persons.map(|(row, alike)| PersonView::of(row, &alike.household_no));
        let version = ops::version([one, other], pair.judgement.as_ref());
        let frame = (pair.county.clone(), version, pair.ground(), pair.verdict());
        Self::new(pair.judgement.as_ref(), frame, persons)
    }
}

/// What a query wants of the pairs of a scope.
fn wanted(
    permit: &Permit,
    area: Option<&str>,
    verdict: Option<&str>,
    ground: Option<&str>,
) -> Answer<Wanted> {
    permit.within("area", area)?;
    let area = area.map(AreaCode::parse).transpose();
    let area = area.map_err(|_| ApiError::field("area", "area.bad_code"))?;
    let verdict = verdict.map(|name| {
        Verdict::named(name).ok_or_else(|| ApiError::field("verdict", "suspect.bad_verdict"))
    });
    let ground = ground.map(|name| match name {
        "name" => Ok(Ground::Name),
        "sound" => Ok(Ground::Sound),
        _ => Err(ApiError::field("ground", "suspect.bad_ground")),
    });
    let (verdict, ground) = (verdict.transpose()?, ground.transpose()?);
    Ok(Wanted { scope: permit.scope.clone(), area, verdict, ground })
}

/// Pairs of persons who may be one: of two households of a township, with names that sound alike and the
/// same birth date. Both lie in the user's area. A page may be short, even empty, and there is more as long as there is `next`.
/// As a file, the list has all pairs, as many as the pack allows.
#[utoipa::path(get, path = "/suspects", tag = "suspects", params(ListSuspects),
    responses((status = 200, content(
        (Page<SuspectView> = "application/json"),
        (inline(Download) = "text/csv"),
        (inline(Download) = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
pub(crate) async fn list_suspects(
    session: Session,
    caller: Caller,
    Query(query): Query<ListSuspects>,
) -> Answer<Listing<SuspectView>> {
    let ListSuspects { area, verdict, ground, format, limit, after } = query;
    let format = ListFormat::wanted(format.as_deref())?;
    let permit = match format {
        None => session.require(Right::RegistryRead)?,
        Some(_) => session.require_all(&[Right::RegistryRead, Right::RegistryExport])?,
    };
    let wanted = wanted(&permit, area.as_deref(), verdict.as_deref(), ground.as_deref())?;
    let list = match wanted.verdict {
        None | Some(Verdict::Open) => "suspects",
        Some(verdict) => verdict.as_str(),
    };
    let page = PageRequest::<Mark>::new(list, limit, after.as_deref())?;
    if let Some(format) = format {
        return suspects_file(&permit, wanted, (format, caller.lang)).await;
    }
    let (after, rows) = (page.after.clone(), page.rows());
    let (found, next) = listing::list(permit.context(), wanted, after, rows).await?;
    Ok(Listing::Page(page.cut(found, next).map(|listed| SuspectView::listed(&listed))))
}

/// The columns of a file of pairs.
const PAIR_COLUMNS: [(&str, &str); 14] = [
    ("依据", "ground"),
    ("结论", "verdict"),
    ("理由", "reason"),
    ("保留人员编号", "kept"),
    ("甲户编号", "household_no of one"),
    ("甲行政村代码", "village of one"),
    ("甲人员编号", "id of one"),
    ("甲姓名", "name of one"),
    ("甲证件号码", "id_number of one"),
    ("乙户编号", "household_no of the other"),
    ("乙行政村代码", "village of the other"),
    ("乙人员编号", "id of the other"),
    ("乙姓名", "name of the other"),
    ("乙证件号码", "id_number of the other"),
];

/// The whole list as a file: who takes it is journaled first.
async fn suspects_file(
    permit: &Permit,
    wanted: Wanted,
    (format, lang): (ListFormat, Lang),
) -> Answer<Listing<SuspectView>> {
    let context = permit.context();
    let areas = match &wanted.area {
        Some(area) => std::slice::from_ref(area),
        None => wanted.scope.areas().unwrap_or_default(),
    };
    let told = serde_json::json!({
        "list": "suspects", "verdict": wanted.verdict, "ground": wanted.ground, "masked": true,
    });
    disclose(context, permit.act(), (areas, true), &told).await?;
    let rows_max = context.policy.exchange().list_rows_max;
    let mut file = ListFile::new(format, &PAIR_COLUMNS, lang, rows_max)?;
    let mut after = None;
    loop {
        let (found, next) = listing::list(context, wanted.clone(), after, PAIRS).await?;
        for listed in &found {
            file.row(&cells(listed, lang))?;
        }
        if next.is_none() {
            return Ok(Listing::File(file.finish("疑似同一人").await?));
        }
        after = next;
    }
}

/// As [`PAIR_COLUMNS`] names them, numbers masked.
fn cells(listed: &Listed, lang: Lang) -> Vec<String> {
    let view = SuspectView::listed(listed);
    let mut cells = vec![
        view.ground.says(lang).to_owned(),
        view.verdict.says(lang).to_owned(),
        view.reason.unwrap_or_default(),
        view.kept.map(|kept| kept.to_string()).unwrap_or_default(),
    ];
    for PersonView(person) in &view.persons {
        let cell = |name: &&str| match person.get(*name) {
            Some(Any::String(text)) => text.clone(),
            Some(Any::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        cells.extend(["household_no", "village", "id", "name", "id_number"].iter().map(cell));
    }
    cells
}

/// How many pairs the list has.
#[utoipa::path(get, path = "/suspects/count", tag = "suspects", params(CountSuspects),
    responses((status = 200, body = SuspectCount)))]
pub(crate) async fn count_suspects(
    session: Session,
    Query(query): Query<CountSuspects>,
) -> Answer<Json<SuspectCount>> {
    let permit = session.require(Right::RegistryRead)?;
    let CountSuspects { area, verdict, ground } = query;
    let wanted = wanted(&permit, area.as_deref(), verdict.as_deref(), ground.as_deref())?;
    Ok(Json(SuspectCount { pairs: listing::count(permit.context(), wanted).await? }))
}

/// Two persons who may be one, or of whom that was judged, in either order.
#[utoipa::path(get, path = "/suspects/{person}/{other}", tag = "suspects",
    params(("person" = i64, Path), ("other" = i64, Path)),
    responses((status = 200, body = SuspectView, headers(("ETag")))))]
pub(crate) async fn get_suspects(
    session: Session,
    Path(ids): Path<(i64, i64)>,
) -> Answer<Versioned<SuspectView>> {
    let permit = session.require(Right::RegistryRead)?;
    let pair = ops::get(permit.context(), permit.scope.clone(), ids).await?;
    told(&permit, &pair).await
}

/// The two records, whose being looked at is noted.
async fn told(permit: &Permit, pair: &Pair) -> Answer<Versioned<SuspectView>> {
    for side in [&pair.one, &pair.other] {
        let (county, household) = (side.row.county(), side.row.household());
        let seen = Seen::person(county, household, side.row.id());
        permit.note(What::Person, seen).await?;
    }
    Ok(Versioned(pair.version(), SuspectView::of(pair)))
}

/// Says that two are different persons, which is not asked again until a name, birth date or ID number of
/// one changes; or that they are one, to be merged.
#[utoipa::path(post, path = "/suspects/{person}/{other}/judgement", tag = "suspects",
    request_body = JudgeSuspects,
    params(("person" = i64, Path), ("other" = i64, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = SuspectView, headers(("ETag")))))]
pub(crate) async fn judge_suspects(
    session: Session,
    caller: Caller,
    Path(ids): Path<(i64, i64)>,
    IfMatch(version): IfMatch,
    Json(body): Json<JudgeSuspects>,
) -> Answer<Versioned<SuspectView>> {
    let permit = session.require(Right::RegistryWrite)?;
    let (frame, wanted) = (permit.frame(&caller), (ids, version));
    let judged = ops::judge(permit.context(), frame, wanted, body.verdict, &body.reason).await?;
    told(&permit, &judged).await
}

/// Merges two records of one person: one stays, in its household, with the other's number where it has none;
/// the other leaves its household by that day.
#[utoipa::path(post, path = "/suspects/{person}/{other}/merge", tag = "suspects",
    request_body = MergeSuspects,
    params(("person" = i64, Path), ("other" = i64, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = SuspectView, headers(("ETag")))))]
pub(crate) async fn merge_suspects(
    session: Session,
    caller: Caller,
    Path(ids): Path<(i64, i64)>,
    IfMatch(version): IfMatch,
    Json(body): Json<MergeSuspects>,
) -> Answer<Versioned<SuspectView>> {
    let permit = session.require(Right::RegistryWrite)?;
    let (frame, wanted) = (permit.frame(&caller), (ids, version));
    let merged = merge::merge(permit.context(), frame, wanted, body.keep, &body.reason).await?;
    told(&permit, &merged).await
}

/// Undoes a merge: both records say again what they said before. Refused where one was changed since, other than by going
/// where its village went: then who holds both areas undoes it, also across counties.
#[utoipa::path(post, path = "/suspects/{person}/{other}/undo", tag = "suspects",
    request_body = UndoMerge,
    params(("person" = i64, Path), ("other" = i64, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = SuspectView, headers(("ETag")))))]
pub(crate) async fn undo_merge(
    session: Session,
    caller: Caller,
    Path(ids): Path<(i64, i64)>,
    IfMatch(version): IfMatch,
    Json(body): Json<UndoMerge>,
) -> Answer<Versioned<SuspectView>> {
    let permit = session.require(Right::RegistryWrite)?;
    let (frame, wanted) = (permit.frame(&caller), (ids, version));
    let undone = merge::undo(permit.context(), frame, wanted, &body.reason).await?;
    told(&permit, &undone).await
}

/// Pairs that the command line, or a file, reads together.
const PAIRS: usize = 500;

/// The pairs of an area as the command line shows them.
pub async fn listed(
    context: &Context,
    area: &AreaCode,
    verdict: Option<Verdict>,
) -> Result<Vec<SuspectView>, Error> {
    crate::areas::ops::check_known(context, area).await?;
    let area = Some(area.clone());
    let wanted = Wanted { scope: Scope::all(), area, verdict, ground: None };
    let (mut views, mut after) = (Vec::new(), None);
    loop {
        let (found, next) = listing::list(context, wanted.clone(), after, PAIRS).await?;
        views.extend(found.iter().map(SuspectView::listed));
        if next.is_none() {
            return Ok(views);
        }
        after = next;
    }
}
