//! SQL of the trend.

use std::collections::BTreeMap;

use daohu_base::{AreaCode, Day};
use daohu_db::{Column, Error, Row, Table, Tx, Type, Value};

use super::model::{Last, Point};
use crate::quality::report::Figures;

fn table() -> Table {
    let columns = [
        ("county", Type::Text),
        ("area", Type::Text),
        ("judged_on", Type::Text),
        ("row_count", Type::Int),
        ("clean_count", Type::Int),
        ("hits", Type::Text),
        ("sequence", Type::Int),
    ];
    let columns = columns.map(|(name, kind)| Column { name, kind }).to_vec();
    Table { name: "quality_trend", columns, key: &["county", "area", "judged_on"] }
}

/// The last points of a county's areas before a day.
pub(super) async fn lasts(
    tx: &mut Tx,
    (county, day): (&str, &str),
) -> Result<BTreeMap<String, Point>, Error> {
    let sql = "select t.judged_on, t.row_count, t.clean_count, t.hits, t.area
               from (select area, max(judged_on) as judged_on from quality_trend
                     where county = $1 and judged_on < $2 group by area) l
               join quality_trend t
                 on t.county = $1 and t.area = l.area and t.judged_on = l.judged_on";
    let rows = tx.query(sql, &[county.into(), day.into()]).await?;
    rows.iter().map(|row| Ok((row.text(4)?.to_owned(), point(row)?))).collect()
}

/// Stores points of a county's areas, in place of all that the day has.
pub(super) async fn replace(
    tx: &mut Tx,
    (county, on): (&str, &str),
    figures: &BTreeMap<String, Figures>,
    sequence: i64,
) -> Result<(), Error> {
    let sql = "delete from quality_trend where judged_on = $1 and county = $2";
    tx.execute(sql, &[on.into(), county.into()]).await?;
    let row = |(area, figures): (&String, &Figures)| -> Vec<Value> {
        vec![
            county.into(),
            area.as_str().into(),
            on.into(),
            figures.rows.into(),
            figures.clean.into(),
            serde_json::json!(figures.hits).to_string().into(),
            sequence.into(),
        ]
    };
    let rows: Vec<Vec<Value>> = figures.iter().map(row).collect();
    tx.upsert_rows(&table(), &rows).await
}

/// When the county was judged last, and how many rows it had.
pub(super) async fn last(tx: &mut Tx, county: &str) -> Result<Option<Last>, Error> {
    let sql = "select judged_on, sequence, row_count from quality_trend
               where county = $1 and area = $1 order by judged_on desc limit 1";
    let last = |row: Row| {
        Ok(Last { on: row.text(0)?.to_owned(), sequence: row.int(1)?, rows: row.int(2)? })
    };
    tx.query_opt(sql, &[county.into()]).await?.map(last).transpose()
}

/// The points of an area within these days, by day; behind the last one before them, unless the first day has one.
pub(super) async fn points(
    tx: &mut Tx,
    area: &AreaCode,
    (from, until): (Day, Day),
) -> Result<Vec<Point>, Error> {
    let sql = "select judged_on, row_count, clean_count, hits from quality_trend
               where county = $1 and area = $2 and judged_on <= $4
                 and judged_on >= coalesce((select max(judged_on) from quality_trend
                   where county = $1 and area = $2 and judged_on <= $3), $3)
               order by judged_on";
    let days = [from.to_string().into(), until.to_string().into()];
    let params = [&[area.county().into(), area.as_str().into()][..], &days[..]].concat();
    tx.query(sql, &params).await?.iter().map(point).collect()
}

fn point(row: &Row) -> Result<Point, Error> {
    let hits = serde_json::from_str(row.text(3)?);
    Ok(Point {
        on: row.text(0)?.to_owned(),
        taken_on: Some(row.text(0)?.to_owned()),
        rows: row.int(1)?,
        clean: row.int(2)?,
        hits: hits.map_err(|_| Error::Column { index: 3, wanted: "counts by rule" })?,
        parts: None,
    })
}

/// Deletes the points of the first day that there are, if it is not behind `last`; false if it is. A day at
/// once: others write in between.
pub(super) async fn forget_first(tx: &mut Tx, last: Day) -> Result<bool, Error> {
    let sql = "delete from quality_trend where judged_on <= $1
                 and judged_on = (select min(judged_on) from quality_trend)";
    Ok(tx.execute(sql, &[last.to_string().into()]).await? > 0)
}
