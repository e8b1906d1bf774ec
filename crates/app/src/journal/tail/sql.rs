//! SQL of what was written last.

use daohu_db::{Error, Filter, Row, Tx, Value};

/// Which entry, and what it wrote.
pub(super) struct Line {
    pub(super) county: String,
    /// Stamp and position: what tells an entry from every other, before and after it is sealed.
    pub(super) entry: (i64, i64),
    pub(super) kind: String,
    pub(super) record: String,
}

fn line(row: &Row) -> Result<Line, Error> {
    let text = |i| row.text(i).map(str::to_owned);
    Ok(Line {
        county: text(0)?,
        entry: (row.int(1)?, row.int(2)?),
        kind: text(3)?,
        record: text(4)?,
    })
}

const LINE: &str = "select county, stamp, position, kind, record from";

fn of_kinds(filter: &mut Filter, kinds: &[&str]) {
    filter.and_in("kind", kinds.iter().copied().map(Value::from));
}

/// What waits to be sealed, of all counties.
pub(super) async fn waiting(tx: &mut Tx, kinds: &[&str]) -> Result<Vec<Line>, Error> {
    let mut filter = Filter::new();
    of_kinds(&mut filter, kinds);
    let sql = format!("{LINE} journal_pending{} order by county, stamp, position", filter.clause());
    tx.query(&sql, filter.params()).await?.iter().map(line).collect()
}

/// The first entries of a county that were sealed behind a place.
pub(super) async fn sealed(
    tx: &mut Tx,
    (county, behind): (&str, i64),
    kinds: &[&str],
    limit: i64,
) -> Result<Vec<Line>, Error> {
    let mut filter = Filter::new();
    filter.and("county = ? and sequence > ?", [county.into(), behind.into()]);
    of_kinds(&mut filter, kinds);
    let limit = filter.param(limit);
    let sql = format!("{LINE} journal{} order by sequence limit {limit}", filter.clause());
    tx.query(&sql, filter.params()).await?.iter().map(line).collect()
}
