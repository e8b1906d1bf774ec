//! SQL of the access log.

use daohu_base::Timestamp;
use daohu_db::{Error, Filter, Row, Tx, Value};

use super::model::Access;

/// Where a list goes on: instant, household and mark of the last row.
pub(super) type Mark = (i64, i64, i64);

/// Which rows are wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// Of this user.
    pub(super) actor: Option<String>,
    /// From the first instant on, before the second.
    pub(super) between: Option<(Timestamp, Timestamp)>,
}

impl Wanted {
    /// Those of them from the first instant on, before the second.
    pub(super) fn between(&self, from: Timestamp, until: Timestamp) -> Self {
        let between = self.between.map_or((from, until), |(a, b)| (a.max(from), b.min(until)));
        Self { between: Some(between), ..self.clone() }
    }
}

/// A row with what its names stand for.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) access: Access,
    /// The user's, if there still is one of this name.
    pub(super) display_name: Option<String>,
    /// 户编号, where the reader may know it.
    pub(super) household_no: Option<String>,
}

impl Line {
    pub(super) fn mark(&self) -> Mark {
        (self.access.at, self.access.household, self.access.mark)
    }
}

/// Writes rows; of one that is there already the times are added up.
pub(crate) async fn write(tx: &mut Tx, rows: &[Access]) -> Result<(), Error> {
    let sql =
        "insert into accesses (county, household, mark, at, last_at, times, actor, authority, what,
                 person, area, address)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
               on conflict (county, household, mark) do update set
                 times = accesses.times + excluded.times,
                 last_at = case when excluded.last_at > accesses.last_at then excluded.last_at
                                else accesses.last_at end";
    for row in rows {
        let params: [Value; 12] = [
            row.county.as_str().into(),
            row.household.into(),
            row.mark.into(),
            row.at.into(),
            row.last_at.into(),
            row.times.into(),
            row.actor.as_str().into(),
            row.authority.as_str().into(),
            row.what.as_str().into(),
            row.person.into(),
            row.area.clone().into(),
            row.address.clone().into(),
        ];
        tx.execute(sql, &params).await?;
    }
    Ok(())
}

/// Rows of a county, latest first.
pub(super) async fn of_county(
    tx: &mut Tx,
    county: &str,
    wanted: &Wanted,
    before: Option<Mark>,
    limit: i64,
) -> Result<Vec<Line>, Error> {
    list(tx, filter(county, wanted, before), limit).await
}

/// Rows about one household that were written while it was in a county, latest first.
pub(super) async fn of_household(
    tx: &mut Tx,
    (county, household): (&str, i64),
    wanted: &Wanted,
    before: Option<Mark>,
    limit: i64,
) -> Result<Vec<Line>, Error> {
    let mut filter = filter(county, wanted, before);
    filter.and("a.household = ?", [household.into()]);
    list(tx, filter, limit).await
}

/// Rows about all households of an area, latest first.
pub(super) async fn of_area(
    tx: &mut Tx,
    (county, area): (&str, &str),
    wanted: &Wanted,
    before: Option<Mark>,
    limit: i64,
) -> Result<Vec<Line>, Error> {
    let mut filter = filter(county, wanted, before);
    filter.and("a.household = 0 and a.area = ?", [area.into()]);
    list(tx, filter, limit).await
}

/// The villages that a household lay in until a change of areas, each with the instant of that change; the first of
/// them first.
pub(super) async fn former_villages(
    tx: &mut Tx,
    (county, household): (&str, i64),
) -> Result<Vec<(String, Timestamp)>, Error> {
    let sql = "select f.village, c.created_at from former_villages f
               join area_changes c on c.id = f.change where f.county = $1 and f.household = $2
               order by c.created_at, c.id";
    let rows = tx.query(sql, &[county.into(), household.into()]).await?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), Timestamp(row.int(1)?)))).collect()
}

fn filter(county: &str, wanted: &Wanted, before: Option<Mark>) -> Filter {
    let mut filter = Filter::new();
    filter.and("a.county = ?", [county.into()]);
    if let Some(actor) = &wanted.actor {
        filter.and("a.actor = ?", [actor.as_str().into()]);
    }
    if let Some((from, until)) = wanted.between {
        filter.and("a.at >= ? and a.at < ?", [from.0.into(), until.0.into()]);
    }
    if let Some((at, household, mark)) = before {
        let mark = [at.into(), household.into(), mark.into()];
        filter.and_row("a.at, a.household, a.mark", "<", mark);
    }
    filter
}

async fn list(tx: &mut Tx, mut filter: Filter, limit: i64) -> Result<Vec<Line>, Error> {
    let limit = filter.param(limit);
    let sql = format!(
        "select a.county, a.household, a.mark, a.at, a.last_at, a.times, a.actor, a.authority, a.what,
                a.person, a.area, a.address, u.display_name
         from accesses a left join users u on u.name = a.actor{}
         order by a.at desc, a.household desc, a.mark desc limit {limit}",
        filter.clause()
    );
    tx.query(&sql, filter.params()).await?.iter().map(line).collect()
}

fn line(row: &Row) -> Result<Line, Error> {
    let text = |i| row.text(i).map(str::to_owned);
    let opt_text = |i| Ok::<_, Error>(row.opt_text(i)?.map(str::to_owned));
    let access = Access {
        county: text(0)?,
        household: row.int(1)?,
        mark: row.int(2)?,
        at: row.int(3)?,
        last_at: row.int(4)?,
        times: row.int(5)?,
        actor: text(6)?,
        authority: text(7)?,
        what: text(8)?,
        person: row.opt_int(9)?,
        area: opt_text(10)?,
        address: opt_text(11)?,
    };
    Ok(Line { access, display_name: opt_text(12)?, household_no: None })
}

/// The first county after one that has rows: by its index, whatever their number.
pub(super) async fn next_county(tx: &mut Tx, after: &str) -> Result<Option<String>, Error> {
    let sql = "select county from accesses where county > $1 order by county limit 1";
    let row = tx.query_opt(sql, &[after.into()]).await?;
    row.map(|row| row.text(0).map(str::to_owned)).transpose()
}

/// Deletes so many of a county's rows from before an instant; gives how many there were.
pub(super) async fn delete_before(
    tx: &mut Tx,
    county: &str,
    before: Timestamp,
    limit: i64,
) -> Result<u64, Error> {
    let sql = "delete from accesses where county = $1 and (household, mark) in (
                 select household, mark from accesses where county = $1 and at < $2
                 order by at limit $3)";
    tx.execute(sql, &[county.into(), before.0.into(), limit.into()]).await
}
