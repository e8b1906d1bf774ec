//! `GET /areas/{code}/village-checklist`, and the villages of each of its counts.

use daohu_db::Value;
use daohu_policy::{Right, VillageGroup};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    model::{Checklist, Item, Outcome},
    ops::{self, Found, Wanted},
};
use crate::{
    Error,
    http::{Answer, App, At, Json, Page, PageRequest, Path, Query, Session, area_in_path},
    registers::village_figures::{
        api::OfYear,
        model::{Counts, Group},
    },
};

/// The routes of the checklist.
pub(in crate::registers) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_village_checklist))
        .routes(routes!(list_checklist_villages))
}

/// Which villages, which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListChecklistVillages {
    /// The year of which they told.
    #[param(minimum = 0, maximum = 9999)]
    year: u16,
    /// How they stand with the item.
    #[param(inline)]
    outcome: Outcome,
    /// `true`: poor villages alone; `false`: the others.
    is_poor: Option<bool>,
    /// Rows of the page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// How the villages of an area stand with the checklist of the policy pack (四通四有), as their records of a year say. An
/// area's counts are the sums of those below it.
#[derive(Serialize, ToSchema)]
pub(crate) struct VillageChecklist {
    /// When it was counted.
    as_of: At,
    year: i64,
    /// In which the items are told.
    groups: Vec<ChecklistGroup>,
    area: AreaChecklist,
    /// By code; none below a village.
    children: Vec<AreaChecklist>,
    /// The area in each earlier year that a village told of, with the items of that year.
    before: Vec<ChecklistOfYear>,
}

/// Items that are told together.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChecklistGroup {
    name: String,
    title: String,
    title_en: String,
}

/// The villages of an area and the checklist.
#[derive(Serialize, ToSchema)]
pub(crate) struct AreaChecklist {
    code: String,
    /// Null where the tree has no area of this code though a village of it told something.
    name: Option<String>,
    all: ChecklistCounts,
    /// Those that are poor ones now.
    poor: ChecklistCounts,
}

/// The villages of an area and the checklist in a year.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChecklistOfYear {
    year: i64,
    all: ChecklistCounts,
    /// Those that are poor ones now.
    poor: ChecklistCounts,
}

/// Villages, and how they stand. `recorded` is the sum of `met_all`, `unmet_some` and `undecided`, and of each item's `met`,
/// `unmet` and `unknown`. `GET /areas/{code}/village-checklist/{item}/villages` lists the villages of each count; those of
/// the three counts of the whole list if the item is `all`.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChecklistCounts {
    /// With a record of the year: what is counted.
    recorded: i64,
    /// In force at the end of the year, or today in this one, without a record:
    /// `GET /areas/{code}/village-figures/unrecorded`.
    unrecorded: i64,
    /// That meet every item: `outcome=met`.
    met_all: i64,
    /// That fail at least one: `outcome=unmet`.
    unmet_some: i64,
    /// That are not known to fail any, nor to meet all: `outcome=unknown`.
    undecided: i64,
    /// Those that are asked of the year, in the order of the pack.
    items: Vec<ChecklistItem>,
}

/// Villages and one item.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChecklistItem {
    name: String,
    title: String,
    title_en: String,
    /// The `name` of its group.
    group: String,
    met: i64,
    unmet: i64,
    /// A cell that tells of it is empty: neither yes nor no.
    unknown: i64,
    /// `met` and `unmet`: the denominator of the share.
    told: i64,
    /// `met` among `told`, in percent, cut to two decimals: 100 where none is unmet. Null where none told, and of an
    /// item that is met by what is told, which cannot be unmet.
    share_percent: Option<f64>,
    source: String,
}

/// A village, and what it told.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChecklistVillage {
    code: String,
    /// Null where the tree has no area of this code.
    name: Option<String>,
    /// In the item's column; null if it is empty, and of the whole list.
    value: Option<ToldValue>,
    /// What the value is to be a share of; null if that cell is empty, and of items that ask for no share.
    of: Option<i64>,
}

/// What stands in a cell: money in fen, codes of a list joined by spaces.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ToldValue {
    Flag(bool),
    Number(i64),
    Text(String),
}

impl ChecklistCounts {
    /// The counts of a group, with the items that are asked of the year.
    fn new(list: &Checklist<'_>, year: i64, group: Group) -> Self {
        let Group { recorded, unrecorded, columns: _, checked } = group;
        let item = |(nth, item): (usize, &Item<'_>)| {
            let counts = checked.nth(nth);
            let share = counts.share().filter(|_| item.can_be_unmet());
            let item = item.item;
            ChecklistItem {
                name: item.name.clone(),
                title: item.title.clone(),
                title_en: item.title_en.clone(),
                group: item.group.clone(),
                met: counts.met,
                unmet: counts.unmet,
                unknown: counts.unknown,
                told: counts.told(),
                share_percent: share.map(|hundredths| f64::from(hundredths) / 100.0),
                source: item.source.clone(),
            }
        };
        Self {
            recorded,
            unrecorded,
            met_all: checked.whole.met,
            unmet_some: checked.whole.unmet,
            undecided: checked.whole.unknown,
            items: list.asked_of(year).map(item).collect(),
        }
    }
}

impl From<&VillageGroup> for ChecklistGroup {
    fn from(group: &VillageGroup) -> Self {
        let VillageGroup { name, title, title_en } = group.clone();
        Self { name, title, title_en }
    }
}

impl ToldValue {
    /// What a cell says; none if it is empty.
    fn of(item: &Item<'_>, value: Value) -> Option<Self> {
        match value {
            Value::Int(code) if item.is_code() => Some(Self::Text(format!("{code:02}"))),
            Value::Int(flag) if item.is_flag() => Some(Self::Flag(flag != 0)),
            Value::Int(number) => Some(Self::Number(number)),
            Value::Text(text) => Some(Self::Text(text)),
            Value::Null | Value::Real(_) | Value::Blob(_) => None,
        }
    }
}

/// How the villages of an area and of those directly below it stand with the checklist, in a year and the years
/// before; 404 outside and above the scope, and below the villages.
#[utoipa::path(get, path = "/areas/{code}/village-checklist", tag = "registers",
    params(("code" = String, Path), OfYear), responses((status = 200, body = VillageChecklist)))]
pub(crate) async fn get_village_checklist(
    session: Session,
    Path(code): Path<String>,
    Query(query): Query<OfYear>,
) -> Answer<Json<VillageChecklist>> {
    let permit = session.require(Right::RegistryRead)?;
    let (area, context) = (area_in_path(&code)?, permit.context());
    let (as_of, year) = (At(context.clock.now()), query.year.map(i64::from));
    let told = ops::checklist(context, &permit.scope, area.clone(), year).await?;
    let list = Checklist::new(&context.policy).map_err(Error::from)?;
    let year = told.report.year;
    let line = |(code, Counts { all, poor }): (String, Counts)| AreaChecklist {
        name: told.names.get(&code).cloned(),
        code,
        all: ChecklistCounts::new(&list, year, all),
        poor: ChecklistCounts::new(&list, year, poor),
    };
    let before = |(year, Counts { all, poor }): (i64, Counts)| ChecklistOfYear {
        year,
        all: ChecklistCounts::new(&list, year, all),
        poor: ChecklistCounts::new(&list, year, poor),
    };
    let groups = context.policy.village_checklist().groups();
    Ok(Json(VillageChecklist {
        as_of,
        year,
        groups: groups.iter().map(ChecklistGroup::from).collect(),
        area: line((area.to_string(), told.report.area)),
        children: told.report.children.into_iter().map(line).collect(),
        before: told.report.before.into_iter().map(before).collect(),
    }))
}

/// The villages of an area that meet an item of the checklist, fail it, or are not known to do either, by code; of
/// the whole list if the item is `all`. 404 also for an item that is not asked of the year.
#[utoipa::path(get, path = "/areas/{code}/village-checklist/{item}/villages", tag = "registers",
    params(("code" = String, Path), ("item" = String, Path), ListChecklistVillages),
    responses((status = 200, body = Page<ChecklistVillage>)))]
pub(crate) async fn list_checklist_villages(
    session: Session,
    Path((code, name)): Path<(String, String)>,
    Query(query): Query<ListChecklistVillages>,
) -> Answer<Json<Page<ChecklistVillage>>> {
    let list = "checklist villages";
    let page = PageRequest::<String>::new(list, query.limit, query.after.as_deref())?;
    let permit = session.require(Right::RegistryRead)?;
    let (area, context) = (area_in_path(&code)?, permit.context());
    let ListChecklistVillages { year, outcome, is_poor, .. } = query;
    let wanted = Wanted { year: i64::from(year), name: name.clone(), outcome, is_poor };
    let rows = page.rows() + 1;
    let listed =
        ops::villages(context, &permit.scope, (area, wanted), page.after.clone(), rows).await?;
    let list = Checklist::new(&context.policy).map_err(Error::from)?;
    let item = list.named(&name, i64::from(year)).and_then(|asked| list.item(asked));
    let view = |village: Found| {
        let (value, of) = village.told;
        ChecklistVillage {
            code: village.code,
            name: village.name,
            value: item.and_then(|item| ToldValue::of(item, value)),
            of: of.as_ref().and_then(Value::as_int),
        }
    };
    Ok(Json(page.page(listed, |village| village.code.clone()).map(view)))
}
