//! Reading households into the picture that is kept: all of them, or those that were written since.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::available_parallelism,
};

use daohu_base::Scope;
use daohu_census::{Census, Unfit};
use daohu_db::{FutureExt, Tx};

use super::{Kept, RECORDS_MAX};
use crate::{
    Context, Error,
    households::rows::{self, Which},
    journal::tail::{Mark, Records, Written, marks, written_behind},
    keys::Keys,
    monitoring::{fields::Fields, load::Loader},
};

/// The kinds of records that the picture is made of.
const KINDS: [&str; 4] = ["household", "person", "income", "membership"];
/// Households that are looked up together.
const LISTED: usize = 500;

/// Households that were written since somebody last looked.
pub(super) struct Found {
    /// Counties of which all are read anew.
    whole: Vec<String>,
    /// By id, those that are no more among them.
    touched: Vec<i64>,
    /// Those that there are, as they are now.
    now: Census,
    marks: Vec<(String, Mark)>,
}

impl Found {
    /// Errors: the census cannot take them, and must be read anew.
    pub(super) fn put_into(self, kept: &mut Kept) -> Result<(), Unfit> {
        let Self { whole, mut touched, now, marks } = self;
        for county in whole {
            let span = kept.census.span_of(&county);
            touched.extend(kept.census.ids().get(span).unwrap_or_default());
        }
        let gone: Vec<i64> = touched.into_iter().filter(|id| now.find(*id).is_none()).collect();
        if !gone.is_empty() || now.households() > 0 {
            kept.census.replace(&gone, now)?;
        }
        kept.forget(marks.iter().map(|(county, _)| county));
        Arc::make_mut(&mut kept.marks).extend(marks);
        Ok(())
    }
}

/// Reads all households: by several readers who share the counties.
pub(super) async fn read_all(context: &Context, fields: Fields, year: i64) -> Result<Kept, Error> {
    let cores = available_parallelism().map_or(1, NonZero::get);
    let left = context.policy.quality_reports().turns_left;
    let (keys, next) = (Arc::clone(&context.keys), Arc::new(AtomicUsize::new(0)));
    let of_fields = fields.clone();
    let read = async move |tx: &mut Tx| {
        let scope = Scope::all();
        let counties = rows::counties(tx, &scope).await?;
        let mut read = Vec::new();
        while let Some(county) = counties.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut loader = Loader::new(&keys, of_fields.clone(), year);
            loader.read(tx, (&scope, county, Which::All), |_| {}).await?;
            read.push((county.clone(), loader.finish()));
        }
        // All readers see the same picture of the data, and so the same journal.
        Ok::<_, Error>((read, marks(tx, &KINDS).await?))
    };
    let shared =
        context.db.read_shared((cores, left), move |tx| async move { read(tx).await }.boxed());
    let mut parts: Vec<(String, Census)> = Vec::new();
    let mut stands = BTreeMap::new();
    for (read, marks) in shared.await? {
        parts.extend(read);
        stands = marks;
    }
    parts.sort_by(|one, other| one.0.cmp(&other.0));
    let mut census = daohu_census::Builder::new(fields.shape.clone()).finish();
    for (_, part) in parts {
        census.append(part).map_err(|error| Error::File(std::io::Error::other(error)))?;
    }
    Ok(Kept::new(census, (year, &fields), stands))
}

/// Reads what was written behind the marks; none if nothing was.
pub(super) async fn read_since(
    context: &Context,
    fields: Fields,
    year: i64,
    marks: Arc<BTreeMap<String, Mark>>,
) -> Result<Option<Found>, Error> {
    let keys = Arc::clone(&context.keys);
    let read = async move |tx: &mut Tx| {
        let written = written_behind(tx, &marks, (&KINDS, RECORDS_MAX)).await?;
        if written.is_empty() {
            return Ok(None);
        }
        found(tx, (&keys, fields, year), written).await.map(Some)
    };
    context.db.read(move |tx| async move { read(tx).await }.boxed()).await
}

async fn found(
    tx: &mut Tx,
    (keys, fields, year): (&Keys, Fields, i64),
    written: Vec<Written>,
) -> Result<Found, Error> {
    let scope = Scope::all();
    let mut loader = Loader::new(keys, fields, year);
    let (mut whole, mut touched, mut marks) = (Vec::new(), Vec::new(), Vec::new());
    for Written { county, records, mark } in written {
        match records {
            Records::Any => {
                loader.read(tx, (&scope, &county, Which::All), |_| {}).await?;
                whole.push(county.clone());
            }
            Records::These(records) => {
                let households = households(tx, &county, &records).await?;
                for ids in households.chunks(LISTED) {
                    loader.read(tx, (&scope, &county, Which::These(ids)), |_| {}).await?;
                }
                touched.extend(households);
            }
        }
        marks.push((county, mark));
    }
    Ok(Found { whole, touched, now: loader.finish(), marks })
}

/// The households of a county that records belong to, or belonged to: who left one ended a membership of it.
async fn households(
    tx: &mut Tx,
    county: &str,
    records: &BTreeSet<(String, String)>,
) -> Result<Vec<i64>, Error> {
    let mut households = BTreeSet::new();
    let mut persons = Vec::new();
    for (kind, record) in records {
        let id = record.split('/').next().and_then(|id| id.parse::<i64>().ok());
        match (kind.as_str(), id) {
            ("person", Some(id)) => persons.push(id),
            (_, Some(id)) => drop(households.insert(id)),
            (_, None) => {}
        }
    }
    households.extend(rows::households_of(tx, county, &persons).await?);
    Ok(households.into_iter().collect())
}
