//! SQL of judgements.

use daohu_base::Scope;
use daohu_db::{Column, Error as DbError, Filter, Row, Table, Tx, Type, Value};

use super::model::{Different, Judgement, Merge, Verdict};
use crate::{Error, areas, sheet::Meta};

/// Persons asked for by one statement.
const PERSONS: usize = 200;

const COLUMNS: &str = "county, person, other, verdict, reason, print, kept, kept_version,
                       ended_version, before, created_at, created_by, updated_at, version";

fn judgement(row: &Row) -> Result<Judgement, DbError> {
    let wrong = |wanted| DbError::Column { index: 3, wanted };
    let merge = match (row.opt_int(6)?, row.opt_int(7)?, row.opt_int(8)?, row.opt_text(9)?) {
        (Some(kept), Some(kept_version), Some(ended_version), Some(before)) => {
            let before = serde_json::from_str(before).map_err(|_| wrong("what was before"))?;
            Some(Merge { kept, kept_version, ended_version, before })
        }
        _ => None,
    };
    Ok(Judgement {
        county: row.text(0)?.to_owned(),
        person: row.int(1)?,
        other: row.int(2)?,
        verdict: Verdict::named(row.text(3)?).ok_or_else(|| wrong("a verdict"))?,
        reason: row.text(4)?.to_owned(),
        print: row.blob(5)?.to_vec(),
        merge,
        meta: Meta {
            created_at: row.int(10)?,
            created_by: row.text(11)?.to_owned(),
            updated_at: row.int(12)?,
            version: row.int(13)?,
        },
    })
}

async fn found(tx: &mut Tx, filter: &Filter, rest: &str) -> Result<Vec<Judgement>, DbError> {
    let sql = format!("select {COLUMNS} from judgements{}{rest}", filter.clause());
    tx.query(&sql, filter.params()).await?.iter().map(judgement).collect()
}

/// What was judged of two persons.
pub(super) async fn one(
    tx: &mut Tx,
    county: &str,
    (person, other): (i64, i64),
) -> Result<Option<Judgement>, DbError> {
    let mut filter = Filter::new();
    let key = [county.into(), person.into(), other.into()];
    filter.and("county = ? and person = ? and other = ?", key);
    Ok(found(tx, &filter, "").await?.pop())
}

/// What was judged of pairs of a county whose smaller id, or larger one, is among these.
pub(super) async fn of_persons(
    tx: &mut Tx,
    county: &str,
    (column, persons): (&'static str, &[i64]),
) -> Result<Vec<Judgement>, DbError> {
    let mut all = Vec::new();
    for some in persons.chunks(PERSONS) {
        let mut filter = Filter::new();
        filter.and("county = ?", [county.into()]);
        filter.and_in(column, some.iter().copied().map(Value::from));
        all.extend(found(tx, &filter, "").await?);
    }
    Ok(all)
}

fn told_apart(judgements: Vec<Judgement>) -> Different {
    let mut different = Different::default();
    let judgements = judgements.into_iter();
    judgements.filter(|j| j.verdict == Verdict::Different).for_each(|j| different.add(j));
    different
}

/// Who was judged to be two persons, of pairs of a county that have one of these.
pub(crate) async fn different_among(
    tx: &mut Tx,
    county: &str,
    persons: &[i64],
) -> Result<Different, DbError> {
    let mut all = of_persons(tx, county, ("person", persons)).await?;
    all.extend(of_persons(tx, county, ("other", persons)).await?);
    Ok(told_apart(all))
}

/// Who was judged to be two persons, of a county.
pub(crate) async fn different_in(tx: &mut Tx, county: &str) -> Result<Different, DbError> {
    let mut filter = Filter::new();
    let verdict = Verdict::Different.as_str().into();
    filter.and("verdict = ? and county = ?", [verdict, county.into()]);
    Ok(told_apart(found(tx, &filter, "").await?))
}

/// The next pairs of a scope's counties with this verdict, by county and ids.
pub(super) async fn next(
    tx: &mut Tx,
    scope: &Scope,
    verdict: Verdict,
    (county, person, other): (&str, i64, i64),
    limit: i64,
) -> Result<Vec<Judgement>, DbError> {
    let mut filter = Filter::new();
    filter.and("verdict = ?", [verdict.as_str().into()]);
    let mark = [county.into(), person.into(), other.into()];
    filter.and("(county, person, other) > (?, ?, ?)", mark);
    areas::rows::within(&mut filter, "(county >= ? and county < ?)", &scope.counties());
    let limit = filter.param(limit);
    found(tx, &filter, &format!(" order by county, person, other limit {limit}")).await
}

/// Writes a judgement, new or changed; one that somebody else wrote meanwhile is not overwritten.
pub(super) async fn save(tx: &mut Tx, judgement: &Judgement) -> Result<(), Error> {
    let Judgement { county, person, other, verdict, reason, print, merge, meta } = judgement;
    let merge = merge.as_ref();
    let before = merge.map(|merge| serde_json::to_string(&merge.before).unwrap_or_default());
    let row: Vec<Value> = vec![
        county.as_str().into(),
        (*person).into(),
        (*other).into(),
        verdict.as_str().into(),
        reason.as_str().into(),
        print.clone().into(),
        merge.map(|merge| merge.kept).into(),
        merge.map(|merge| merge.kept_version).into(),
        merge.map(|merge| merge.ended_version).into(),
        before.into(),
        meta.created_at.into(),
        meta.created_by.as_str().into(),
        meta.updated_at.into(),
        meta.version.into(),
    ];
    Ok(tx.upsert_rows(&table(), &[row]).await?)
}

/// Takes a judgement out of its county: it is written in another one.
pub(super) async fn remove(tx: &mut Tx, judgement: &Judgement) -> Result<(), DbError> {
    let sql = "delete from judgements where county = $1 and person = $2 and other = $3";
    let county = judgement.county.as_str().into();
    let key = [county, judgement.person.into(), judgement.other.into()];
    tx.execute(sql, &key).await.map(drop)
}

fn table() -> Table {
    use Type::{Blob, Int, Text};
    let columns = [
        ("county", Text),
        ("person", Int),
        ("other", Int),
        ("verdict", Text),
        ("reason", Text),
        ("print", Blob),
        ("kept", Int),
        ("kept_version", Int),
        ("ended_version", Int),
        ("before", Text),
        ("created_at", Int),
        ("created_by", Text),
        ("updated_at", Int),
        ("version", Int),
    ];
    let columns = columns.into_iter().map(|(name, kind)| Column { name, kind }).collect();
    Table { name: "judgements", columns, key: &["county", "person", "other"] }
}
