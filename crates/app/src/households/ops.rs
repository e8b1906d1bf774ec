//! Use cases of the registry.

use daohu_base::{Day, Scope, Timestamp};
use daohu_db::{BoxFuture, FutureExt, Tx};
use daohu_policy::Policy;
use serde_json::{Map, Value as Json};

use super::{
    edit::sql::lock,
    model::{HouseholdRow, PersonRow, layouts},
    moves::{self, Link},
    sql,
};
use crate::{
    Context, Error, area_changes,
    areas::{self, AREA},
    journal::{self, Watched},
    keys::Keys,
    registers,
    sheet::{
        self, HOUSEHOLDS, INCOMES, Masking, PERSONS, Record, household, shown_journal, to_journal,
        to_json,
    },
};

/// A household as its dossier shows it.
#[derive(Clone, Debug, serde::Serialize, utoipa::ToSchema)]
pub struct Dossier {
    /// The household's id.
    pub id: i64,
    /// The six digits it is stored under.
    pub county: String,
    /// How often it changed.
    pub version: i64,
    /// The day whose state this is; none for the present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// Where it lies, from the province to the group, by the names of then.
    pub place: Vec<areas::ops::Place>,
    /// The columns of 户.
    pub household: Map<String, Json>,
    /// The columns of 人, head first.
    pub persons: Vec<Map<String, Json>>,
    /// The columns of 年度收入, newest first.
    pub incomes: Vec<Map<String, Json>>,
    /// The columns of 结对 for who helps the household and who did, with the name (`subject_name`).
    pub helpers: Vec<Map<String, Json>>,
    /// The households that members came from, the latest first.
    pub came_from: Vec<Link>,
    /// The households that members went to, the latest first.
    pub went_to: Vec<Link>,
}

/// What records are read with: the keys, the policy, and what the caller may see.
pub(super) type With<'a> = (&'a Keys, &'a Policy, &'a Scope);

/// The household of a number, `NO` or `COUNTY/NO`, within the scope.
///
/// Errors: not found (also outside the scope); ambiguous, with the choices, where several counties
/// have the number.
pub(crate) async fn find(
    tx: &mut Tx,
    keys: &Keys,
    scope: &Scope,
    reference: &str,
) -> Result<HouseholdRow, Error> {
    let (county, no) = match reference.split_once('/') {
        Some((county, no)) => (Some(county), no),
        None => (None, reference),
    };
    let mut found = sql::by_numbers(tx, keys, [no.to_owned()]).await?;
    found.retain(|row| {
        scope.covers(row.village()) && county.is_none_or(|county| row.county() == county)
    });
    let choices = || found.iter().map(|row| format!("{}/{}", row.county(), row.no())).collect();
    match found.len() {
        0 => Err(Error::NotFound("household")),
        1 => found.pop().ok_or(Error::NotFound("household")),
        _ => Err(Error::Ambiguous(choices())),
    }
}

/// The household that [`find`] finds, locked until the transaction ends.
pub(crate) async fn hold(
    tx: &mut Tx,
    keys: &Keys,
    scope: &Scope,
    reference: &str,
) -> Result<HouseholdRow, Error> {
    let found = find(tx, keys, scope, reference).await?;
    lock(tx, found.county(), found.id()).await?;
    // It may have moved out of the scope, or changed its number, until it was locked.
    find(tx, keys, scope, &format!("{}/{}", found.county(), found.no())).await
}

/// Everything about a household, numbers masked; on a past day, as the journal tells it.
pub async fn dossier(
    context: &Context,
    scope: Scope,
    reference: String,
    as_of: Option<Day>,
) -> Result<Dossier, Error> {
    let (keys, policy) = (context.keys.clone(), context.policy.clone());
    let read = context.db.read(move |tx| {
        async move {
            let row = find(tx, &keys, &scope, &reference).await?;
            dossier_of(tx, (&keys, &policy, &scope), &row, as_of).await
        }
        .boxed()
    });
    read.await
}

/// The dossier of a household that the caller may see.
pub(super) async fn dossier_of(
    tx: &mut Tx,
    with: With<'_>,
    row: &HouseholdRow,
    as_of: Option<Day>,
) -> Result<Dossier, Error> {
    let (keys, ..) = with;
    let counties = area_changes::rows::counties_before(tx, row.county()).await?;
    let mut dossier = match as_of {
        None => present(tx, keys, row).await?,
        Some(day) => past(tx, keys, row, &counties, day).await?,
    };
    let around = area_changes::rows::counties_around(tx, row.county()).await?;
    let mut reader = moves::Reader::new(with, &around, until(as_of));
    (dossier.came_from, dossier.went_to) = reader.links(tx, row.id()).await?;
    Ok(dossier)
}

async fn present(tx: &mut Tx, keys: &Keys, row: &HouseholdRow) -> Result<Dossier, Error> {
    let (county, id) = (row.county(), row.id());
    let with_no = |sheet, record: &Record| {
        let mut object = to_json(sheet, &record.values, Masking::Masked);
        object.insert("household_no".to_owned(), row.no().into());
        object
    };
    let persons = sql::persons_of(tx, keys, county, &[id]).await?;
    let with_id = |person: &PersonRow| {
        let mut object = with_no(&PERSONS, &person.0);
        object.insert("id".to_owned(), person.id().into());
        object
    };
    let persons = persons.iter().map(with_id).collect();
    let mut incomes = sql::incomes_of(tx, keys, county, &[id]).await?;
    incomes.sort_by_key(|income| std::cmp::Reverse(income.year()));
    let (came_from, went_to) = Default::default();
    Ok(Dossier {
        id,
        county: county.to_owned(),
        version: row.0.meta.version,
        as_of: None,
        place: place_of(tx, keys, row.text(household::GROUP_CODE), row.village(), None).await?,
        household: to_json(&HOUSEHOLDS, &row.0.values, Masking::Masked),
        persons,
        incomes: incomes.iter().map(|income| with_no(&INCOMES, &income.0)).collect(),
        helpers: registers::helpers_of(tx, keys, (&[county.to_owned()], id), None).await?,
        came_from,
        went_to,
    })
}

/// The last instant that is told of: of a day in China, or for good.
pub(super) fn until(as_of: Option<Day>) -> Timestamp {
    as_of.map_or(Timestamp(i64::MAX), |day| Timestamp::end_of(day).plus_ms(-1))
}

/// Who belonged to a household at an instant, or had belonged to no other since, as the journal tells it.
pub(super) async fn members_then(
    tx: &mut Tx,
    keys: &Keys,
    (counties, id): (&[String], i64),
    until: Timestamp,
) -> Result<Vec<(i64, Map<String, Json>)>, Error> {
    let Some(county) = counties.first() else { return Ok(Vec::new()) };
    let mut candidates: Vec<i64> =
        sql::persons_of(tx, keys, county, &[id]).await?.iter().map(|p| p.id()).collect();
    candidates
        .extend(sql::past_memberships_of(tx, county, &[id]).await?.iter().map(|past| past.person));
    candidates.sort_unstable();
    // Who came back belongs here twice.
    candidates.dedup();
    let mut found = Vec::new();
    for person in candidates {
        let record = person.to_string();
        let then = journal::state_in(tx, keys, counties, ("person", &record), until).await?;
        let here = |after: &Map<String, Json>| after.get("household") == Some(&Json::from(id));
        found.extend(then.map(|(_, after)| (person, after)).filter(|(_, after)| here(after)));
    }
    Ok(found)
}

async fn past(
    tx: &mut Tx,
    keys: &Keys,
    row: &HouseholdRow,
    counties: &[String],
    day: Day,
) -> Result<Dossier, Error> {
    let until = until(Some(day));
    let (county, id) = (row.county().to_owned(), row.id());
    let record = id.to_string();
    let then = journal::state_in(tx, keys, counties, ("household", &record), until).await?;
    let (version, household) = then.ok_or(Error::NotFound("household"))?;
    let persons = members_then(tx, keys, (counties, id), until).await?;
    let persons = persons.into_iter().map(|(_, after)| after).collect();
    let mut incomes = Vec::new();
    for income in sql::incomes_of(tx, keys, &county, &[id]).await? {
        let record = format!("{id}/{}", income.year());
        let then = journal::state_in(tx, keys, counties, ("income", &record), until).await?;
        incomes.extend(then.map(|(_, after)| after));
    }
    let helpers = registers::helpers_of(tx, keys, (counties, id), Some(until)).await?;
    let as_of = Some(day.to_string());
    let shown = |sheet, objects: Vec<_>| {
        objects.into_iter().map(|object| shown_journal(sheet, object)).collect()
    };
    let text = |name: &str| household.get(name).and_then(Json::as_str).unwrap_or_default();
    let (group, village) = (text("group_code").to_owned(), text("village").to_owned());
    let place = place_of(tx, keys, Some(&group), &village, Some(until)).await?;
    let (persons, incomes) = (shown(&PERSONS, persons), shown(&INCOMES, incomes));
    let household = shown_journal(&HOUSEHOLDS, household);
    let (came_from, went_to) = Default::default();
    Ok(Dossier {
        id,
        county,
        version,
        as_of,
        place,
        household,
        persons,
        incomes,
        helpers,
        came_from,
        went_to,
    })
}

/// Where a household lies: its group, or its village where no group is known.
async fn place_of(
    tx: &mut Tx,
    keys: &Keys,
    group: Option<&str>,
    village: &str,
    until: Option<Timestamp>,
) -> Result<Vec<areas::ops::Place>, Error> {
    let code = group.filter(|group| group.starts_with(village)).unwrap_or(village);
    areas::ops::place(tx, keys, code, until).await
}

/// The kinds of records that `journal verify --deep` compares with their rows.
pub fn watched() -> Vec<Watched> {
    let watch = |kind, table, current, household| Watched { kind, table, current, household };
    vec![
        watch("area", "areas", current_area, None),
        watch("household", "households", current_household, Some(household_of_id)),
        watch("person", "persons", current_person, Some(household_of_person)),
        watch("income", "incomes", current_income, Some(household_of_id)),
        watch("membership", "memberships", current_membership, Some(household_of_id)),
    ]
}

type Named<'t> = BoxFuture<'t, Result<Option<String>, Error>>;

/// Of a record whose key begins with the household's: `ID` or `ID/…`.
fn household_of_id<'t>(tx: &'t mut Tx, county: &'t str, record: &'t str) -> Named<'t> {
    async move {
        let id = record.split('/').next().and_then(|id| id.parse().ok()).unwrap_or_default();
        Ok(sql::household_no(tx, county, id).await?.map(|no| format!("{county}/{no}")))
    }
    .boxed()
}

fn household_of_person<'t>(tx: &'t mut Tx, county: &'t str, record: &'t str) -> Named<'t> {
    async move {
        let person = record.parse().unwrap_or_default();
        let Some(id) = sql::household_of(tx, county, person).await? else { return Ok(None) };
        Ok(sql::household_no(tx, county, id).await?.map(|no| format!("{county}/{no}")))
    }
    .boxed()
}

type Row<'t> = BoxFuture<'t, Result<Option<String>, Error>>;

fn current_area<'t>(tx: &'t mut Tx, keys: &'t Keys, _: &'t str, record: &'t str) -> Row<'t> {
    async move {
        let row = areas::rows::one(tx, keys, record).await?;
        Ok(row.map(|row| to_journal(&AREA, &row)))
    }
    .boxed()
}

fn current_household<'t>(
    tx: &'t mut Tx,
    keys: &'t Keys,
    county: &'t str,
    record: &'t str,
) -> Row<'t> {
    async move {
        let id = record.parse().unwrap_or_default();
        let row = sql::household(tx, keys, county, id).await?;
        Ok(row.map(|row| to_journal(&layouts::HOUSEHOLD, &row.0)))
    }
    .boxed()
}

fn current_person<'t>(tx: &'t mut Tx, keys: &'t Keys, county: &'t str, record: &'t str) -> Row<'t> {
    async move {
        let row = sql::person(tx, keys, county, record.parse().unwrap_or_default()).await?;
        Ok(row.map(|row| to_journal(&layouts::PERSON, &row.0)))
    }
    .boxed()
}

fn current_income<'t>(tx: &'t mut Tx, keys: &'t Keys, county: &'t str, record: &'t str) -> Row<'t> {
    async move {
        let Some((household, year)) = record.split_once('/') else { return Ok(None) };
        let household = household.parse().unwrap_or_default();
        let rows = sql::incomes_of(tx, keys, county, &[household]).await?;
        let year: i64 = year.parse().unwrap_or_default();
        let row = rows.into_iter().find(|row| row.year() == year);
        Ok(row.map(|row| to_journal(&layouts::INCOME, &row.0)))
    }
    .boxed()
}

fn current_membership<'t>(
    tx: &'t mut Tx,
    _: &'t Keys,
    county: &'t str,
    record: &'t str,
) -> Row<'t> {
    async move {
        let Some((household, person)) = record.split_once('/') else { return Ok(None) };
        let household = household.parse().unwrap_or_default();
        let person: i64 = person.parse().unwrap_or_default();
        let rows = sql::past_memberships_of(tx, county, &[household]).await?;
        let row = rows.into_iter().find(|row: &sql::PastMembership| row.person == person);
        Ok(row.map(|row| row.to_journal(county)))
    }
    .boxed()
}

/// Seals every number with the present key; gives how many rows had another.
pub async fn reseal(context: &Context) -> Result<u64, Error> {
    let (households, persons) = (&layouts::HOUSEHOLD, &layouts::PERSON);
    Ok(sheet::reseal(context, households).await? + sheet::reseal(context, persons).await?)
}
