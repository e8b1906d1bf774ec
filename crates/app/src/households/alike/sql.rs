//! SQL of what persons have in common.

use daohu_base::{AreaLevel, Scope};
use daohu_db::{Error as DbError, Filter, Row, Tx, Value};

use crate::{
    Error, areas,
    households::{
        model::{PersonRow, layouts},
        sql::of_county,
    },
    keys::Keys,
    sheet::records,
};

/// Who may be one with whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alike {
    /// What they have in common; 0 where nothing is known of it.
    pub(crate) alike: i64,
    pub(crate) person: i64,
    pub(crate) household: i64,
    pub(crate) household_no: String,
    pub(crate) village: String,
    pub(crate) name: String,
    pub(crate) born_on: Option<String>,
    /// The blind index of the ID number.
    pub(crate) identity: Option<Vec<u8>>,
    pub(crate) is_current: bool,
}

impl Alike {
    /// The county that the person is stored under.
    pub(crate) fn county(&self) -> &str {
        self.village.get(..AreaLevel::County.digits()).unwrap_or(&self.village)
    }
}

/// The first county after this one in which the scope has persons.
pub(crate) async fn next_county(
    tx: &mut Tx,
    scope: &Scope,
    after: &str,
) -> Result<Option<String>, DbError> {
    let mut filter = Filter::new();
    filter.and("county > ?", [after.into()]);
    areas::rows::within(&mut filter, "(county >= ? and county < ?)", &scope.counties());
    let sql = format!("select county from persons{} order by county limit 1", filter.clause());
    let row = tx.query_opt(&sql, filter.params()).await?;
    row.map(|row| row.text(0).map(str::to_owned)).transpose()
}

/// What several persons of a county have in common, present or gone: the first of it, from `from` on.
pub(crate) async fn alikes(
    tx: &mut Tx,
    county: &str,
    from: i64,
    limit: i64,
) -> Result<Vec<i64>, DbError> {
    let params = [county.into(), from.into(), limit.into()];
    tx.query(ALIKES, &params).await?.iter().map(|row| row.int(0)).collect()
}

/// Read from the index of `alike`, in its order.
const ALIKES: &str = "select alike from persons where county = $1 and alike >= $2
                      group by alike having count(*) > 1 order by alike limit $3";

/// The current members of a county's households who have one of these in common.
pub(crate) async fn with_alike(
    tx: &mut Tx,
    county: &str,
    alikes: impl IntoIterator<Item = i64>,
) -> Result<Vec<Alike>, DbError> {
    let mut found = found_by(tx, county, "p.alike", alikes).await?;
    found.retain(|alike| alike.is_current);
    Ok(found)
}

/// Persons of a county, present or gone.
pub(crate) async fn those(
    tx: &mut Tx,
    county: &str,
    persons: impl IntoIterator<Item = i64>,
) -> Result<Vec<Alike>, DbError> {
    found_by(tx, county, "p.id", persons).await
}

async fn found_by(
    tx: &mut Tx,
    county: &str,
    column: &'static str,
    values: impl IntoIterator<Item = i64>,
) -> Result<Vec<Alike>, DbError> {
    let mut found = Vec::new();
    for mut filter in Filter::lists(column, values.into_iter().map(Value::from)) {
        filter.and("p.county = ?", [county.into()]);
        let sql = format!(
            "select p.alike, p.id, p.household, h.no, h.village, p.name, p.born_on, p.identity,
                    p.is_current
             from persons p join households h on h.county = p.county and h.id = p.household{}",
            filter.clause()
        );
        for row in tx.query(&sql, filter.params()).await? {
            found.push(alike(&row)?);
        }
    }
    Ok(found)
}

fn alike(row: &Row) -> Result<Alike, DbError> {
    Ok(Alike {
        alike: row.opt_int(0)?.unwrap_or_default(),
        person: row.int(1)?,
        household: row.int(2)?,
        household_no: row.text(3)?.to_owned(),
        village: row.text(4)?.to_owned(),
        name: row.text(5)?.to_owned(),
        born_on: row.opt_text(6)?.map(str::to_owned),
        identity: row.value(7)?.as_blob().map(<[u8]>::to_vec),
        is_current: row.flag(8)?,
    })
}

/// Persons of a county as stored, in no order.
pub(crate) async fn persons(
    tx: &mut Tx,
    keys: &Keys,
    county: &str,
    ids: impl IntoIterator<Item = i64>,
) -> Result<Vec<PersonRow>, Error> {
    let mut found = Vec::new();
    for filter in of_county("id", county, ids) {
        found.extend(records(tx, keys, &layouts::PERSON, &filter).await?);
    }
    Ok(found.into_iter().map(PersonRow).collect())
}

/// A person whose row does not say yet what it has in common with others.
pub(super) struct Unsaid {
    pub(super) county: String,
    pub(super) person: i64,
    pub(super) version: i64,
    pub(super) name: String,
    pub(super) born_on: String,
}

/// Some persons of a county whose rows were written before the column was there.
pub(super) async fn unsaid(tx: &mut Tx, county: &str, limit: i64) -> Result<Vec<Unsaid>, DbError> {
    let sql = "select id, version, name, born_on from persons
               where county = $1 and alike is null and born_on is not null limit $2";
    let unsaid = |row: &Row| {
        Ok(Unsaid {
            county: county.to_owned(),
            person: row.int(0)?,
            version: row.int(1)?,
            name: row.text(2)?.to_owned(),
            born_on: row.text(3)?.to_owned(),
        })
    };
    tx.query(sql, &[county.into(), limit.into()]).await?.iter().map(unsaid).collect()
}

/// Says it, if the row is still the version that was read.
pub(super) async fn say(tx: &mut Tx, of: &Unsaid, alike: Option<i64>) -> Result<u64, DbError> {
    let sql = "update persons set alike = $1 where county = $2 and id = $3 and version = $4";
    let params = [alike.into(), of.county.as_str().into(), of.person.into(), of.version.into()];
    tx.execute(sql, &params).await
}

#[cfg(test)]
mod tests {
    use daohu_db::{Engine, FutureExt};

    use super::*;
    use crate::households::testing::{explained, filled, reads_all, uses};

    #[tokio::test]
    async fn what_is_alike_is_found_in_the_index() {
        for engine in Engine::BOTH {
            let (_scratch, db) = filled(engine).await;
            let plan = async move |tx: &mut Tx| {
                // Everybody is alike one other.
                tx.execute("update persons set alike = id / 2", &[]).await?;
                if engine == Engine::Postgres {
                    tx.execute("analyze persons", &[]).await?;
                }
                let from = 990_102_000_000_000_i64 / 2;
                let params = ["990102".into(), from.into(), 50.into()];
                explained(tx, ALIKES, &params).await
            };
            let plan = db.write(move |tx| async move { plan(tx).await }.boxed()).await.unwrap();
            assert!(!reads_all(&plan) && uses(&plan, "persons_alike"), "{engine:?} {plan}");
        }
    }
}
