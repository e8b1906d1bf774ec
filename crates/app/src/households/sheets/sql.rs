//! SQL of the slice's sheets.

use std::ops::ControlFlow;

use daohu_base::Scope;
use daohu_db::{Error as DbError, Filter, Row, Tx, Value};

use crate::{
    Error, areas,
    households::layouts,
    sheet::{EachRow, HOUSEHOLDS, INCOMES, Layout, PERSONS, Sheet, person},
};

/// How the rows of a sheet lie, if it is one of this slice's.
pub(crate) fn layout(sheet: &Sheet) -> Option<&'static Layout> {
    let layouts: [&'static Layout; 3] = [&layouts::HOUSEHOLD, &layouts::PERSON, &layouts::INCOME];
    layouts.into_iter().find(|layout| layout.sheet.name == sheet.name)
}

/// Hands on the rows of a scope as [`Layout::select_values`] has them: households by county and number,
/// persons and incomes by those of their household and by id or year.
pub(crate) async fn each(
    tx: &mut Tx,
    layout: &Layout,
    scope: &Scope,
    each: EachRow<'_>,
) -> Result<(), Error> {
    match layout.sheet.name {
        name if name == HOUSEHOLDS.name => each_household(tx, scope, each).await,
        name if name == PERSONS.name => each_person(tx, scope, each).await,
        _ => each_income(tx, scope, each).await,
    }
}

/// How many rows [`each`] hands on.
pub(crate) async fn count(tx: &mut Tx, sheet: &Sheet, scope: &Scope) -> Result<u64, DbError> {
    const PERSONS_AND_PAST: &[&str] = &[
        "join persons p on p.county = h.county and p.household = h.id",
        "join memberships m on h.county = m.county and h.id = m.household
         join persons p on p.county = m.county and p.id = m.person and p.household <> m.household",
    ];
    let joins = match sheet.name {
        name if name == HOUSEHOLDS.name => &[""][..],
        name if name == PERSONS.name => PERSONS_AND_PAST,
        name if name == INCOMES.name => {
            &["join incomes i on i.county = h.county and i.household = h.id"]
        }
        _ => &[],
    };
    let filter = of_scope(scope);
    let mut rows = 0;
    for join in joins {
        let clause = filter.clause();
        let sql = format!("select cast(count(*) as bigint) from households h {join}{clause}");
        rows += tx.query_one(&sql, filter.params()).await?.int(0)?;
    }
    Ok(u64::try_from(rows).unwrap_or_default())
}

/// The households of a scope. Their county is that of their village; said beside it, a database of many
/// counties reads those in order of their numbers, and no others.
fn of_scope(scope: &Scope) -> Filter {
    let mut filter = Filter::new();
    areas::rows::within(&mut filter, "(h.county >= ? and h.county < ?)", &scope.counties());
    areas::rows::within(&mut filter, "(h.village >= ? and h.village < ?)", scope);
    filter
}

async fn each_household(tx: &mut Tx, scope: &Scope, each: EachRow<'_>) -> Result<(), Error> {
    let filter = of_scope(scope);
    let sql = households(&filter);
    tx.for_each(&sql, filter.params(), |row| each(row).map(ControlFlow::Continue)).await
}

fn households(filter: &Filter) -> String {
    let (columns, clause) = (layouts::HOUSEHOLD.select_values(str::to_owned), filter.clause());
    format!("select {columns} from households h{clause} order by county, no")
}

/// The members of each household and those who belonged to it before.
async fn each_person(tx: &mut Tx, scope: &Scope, each: EachRow<'_>) -> Result<(), Error> {
    let filter = of_scope(scope);
    let mut past = past_by_household(tx, &filter).await?.into_iter().peekable();
    let mut with_past = |row: &mut Row| {
        while let Some(mut past) = past.next_if(|past| before(past, row)) {
            each(&mut past)?;
        }
        each(row)
    };
    each_by_household(tx, &layouts::PERSON, &filter, PERSON_ID, &mut with_past).await?;
    past.try_for_each(|mut past| each(&mut past))
}

/// True if a row of persons comes before another: by county, number of the household and id.
fn before(one: &Row, other: &Row) -> bool {
    fn key(row: &Row) -> (Option<&str>, Option<&str>, Option<i64>) {
        let county = row.0.first().and_then(Value::as_text);
        let no = row.0.last().and_then(Value::as_text);
        (county, no, row.0.get(PERSON_ID).and_then(Value::as_int))
    }
    key(one) < key(other)
}

/// Rows of those who moved to another household, with how they left this one; whoever came back is a
/// member again and has one row. Few: who moves is rare, so they are held in memory.
async fn past_by_household(tx: &mut Tx, filter: &Filter) -> Result<Vec<Row>, DbError> {
    let how = [person::RELATION, person::CHANGE_KIND, person::CHANGE_ON];
    let how = how.map(|i| PERSONS.columns.get(i).map(|column| column.name));
    let columns = layouts::PERSON.select_values(|column| {
        let table = if how.contains(&Some(column)) { "m" } else { "p" };
        format!("{table}.{column}")
    });
    let sql = format!(
        "select {columns}, h.no from memberships m
         join households h on h.county = m.county and h.id = m.household
         join persons p on p.county = m.county and p.id = m.person
           and p.household <> m.household{}
         order by h.county, h.no, p.id",
        filter.clause()
    );
    tx.query(&sql, filter.params()).await
}

async fn each_income(tx: &mut Tx, scope: &Scope, each: EachRow<'_>) -> Result<(), Error> {
    each_by_household(tx, &layouts::INCOME, &of_scope(scope), INCOME_YEAR, each).await
}

/// Where a row of [`Layout::select_values`] has the person's id, and the year of an income.
const PERSON_ID: usize = 1;
const INCOME_YEAR: usize = 2;

/// Hands on the rows of a table household by household, the household's county first and its number last,
/// and those of each household by the integer at `nth`.
///
/// The few rows of a household are put in order here: PostgreSQL does not see that its index has them
/// in order already, and would sort them all, which takes it longer than to find them.
async fn each_by_household(
    tx: &mut Tx,
    layout: &Layout,
    filter: &Filter,
    nth: usize,
    each: EachRow<'_>,
) -> Result<(), Error> {
    let columns = layout.select_values(|column| format!("t.{column}"));
    let sql = format!(
        "select {columns}, h.no from households h
         join {} t on t.county = h.county and t.household = h.id{}
         order by h.county, h.no",
        layout.table.name,
        filter.clause()
    );
    fn household(row: &Row) -> (Option<&Value>, Option<&Value>) {
        (row.0.last(), row.0.first())
    }
    let (mut rows, mut spare) = (Vec::<Row>::new(), Vec::<Row>::new());
    let mut hand_on = |rows: &mut Vec<Row>, spare: &mut Vec<Row>| {
        rows.sort_by_key(|row| row.0.get(nth).and_then(Value::as_int));
        rows.drain(..).try_for_each(|mut row| {
            each(&mut row)?;
            spare.push(row);
            Ok::<_, Error>(())
        })
    };
    tx.for_each(&sql, filter.params(), |row| {
        if rows.first().is_some_and(|first| household(first) != household(row)) {
            hand_on(&mut rows, &mut spare)?;
        }
        rows.push(std::mem::replace(row, spare.pop().unwrap_or_default()));
        Ok::<_, Error>(ControlFlow::Continue(()))
    })
    .await?;
    hand_on(&mut rows, &mut spare)
}

#[cfg(test)]
mod tests {
    use daohu_base::AreaCode;
    use daohu_db::{Engine, FutureExt, testing::Scratch};

    use super::*;
    use crate::{
        households::testing::{explained, filled, reads_all},
        schema::MIGRATIONS,
    };

    /// Ten households; in the order of their ids their numbers go down.
    const TEN: &str = "
        with recursive n(i) as (select cast(0 as bigint) union all select i + 1 from n where i < 9)
        insert into households (county, id, no, village, created_at, created_by, updated_at, version)
        select '990101', i, 'H' || cast(19 - i as text), '990101100200', 0, 'x', 0, 1 from n";
    /// Five members of each but the first and the last, the last come first.
    const MEMBERS: &str = "
        with recursive n(i) as (select cast(49 as bigint) union all select i - 1 from n where i > 0)
        insert into persons (county, id, household, village, name, relation, is_current,
                             created_at, created_by, updated_at, version)
        select '990101', i, i % 10, '990101100200', 'z', 1, 1, 0, 'x', 0, 1 from n
        where i % 10 between 1 and 8";
    /// Memberships in the household before a person's own, and in the next one.
    const PAST: [&str; 2] = [
        "insert into memberships (county, household, person, identity, relation,
                                  created_at, created_by, updated_at, version)
         select '990101', household - 1, id, $1, 1, 0, 'x', 0, 1 from persons
         where id % 5 = 1 or id in (12, 32, 48)",
        "insert into memberships (county, household, person, identity, relation,
                                  created_at, created_by, updated_at, version)
         select '990101', household + 1, id, $1, 1, 0, 'x', 0, 1 from persons
         where id % 5 = 3",
    ];
    const YEARS: &str = "
        with recursive n(i) as (select cast(2019 as bigint) union all select i - 1 from n where i > 2010)
        insert into incomes (county, household, year, created_at, created_by, updated_at, version)
        select '990101', h.id, n.i, 0, 'x', 0, 1 from n cross join households h";

    /// The household's number, and the integer at `nth`, of all rows.
    async fn keys(tx: &mut Tx, layout: &Layout, nth: usize) -> Result<Vec<(String, i64)>, Error> {
        let mut keys = Vec::new();
        each(tx, layout, &Scope::all(), &mut |row| {
            keys.push((row.text(row.0.len() - 1)?.to_owned(), row.int(nth)?));
            Ok(())
        })
        .await?;
        Ok(keys)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn rows_of_a_household_come_in_order_however_the_database_finds_them() {
        for engine in Engine::BOTH {
            let (_scratch, db) = Scratch::migrated(engine, &MIGRATIONS).await;
            let read = async move |tx: &mut Tx| {
                for sql in [TEN, MEMBERS, YEARS] {
                    tx.execute(sql, &[]).await?;
                }
                for sql in PAST {
                    tx.execute(sql, &[vec![0_u8].into()]).await?;
                }
                let members = keys(tx, &layouts::PERSON, PERSON_ID).await?;
                Ok::<_, Error>((members, keys(tx, &layouts::INCOME, INCOME_YEAR).await?))
            };
            let read = db.write(move |tx| async move { read(tx).await }.boxed()).await;
            let (members, years) = read.unwrap();
            assert_eq!((members.len(), years.len()), (40 + 10 + 3 + 10, 100), "{engine:?}");
            assert!(members.is_sorted(), "{engine:?} {members:?}");
            assert!(years.is_sorted(), "{engine:?} {years:?}");
        }
    }

    #[tokio::test]
    async fn households_of_other_counties_are_not_read() {
        for engine in Engine::BOTH {
            let (_scratch, db) = filled(engine).await;
            for area in ["990101", "990101100", "990101100200"] {
                let filter = of_scope(&Scope::of(AreaCode::parse(area)));
                let plan = async move |tx: &mut Tx| {
                    tx.prefer_streams().await?;
                    explained(tx, &households(&filter), filter.params()).await
                };
                let plan = db.read(move |tx| async move { plan(tx).await }.boxed()).await.unwrap();
                assert!(!reads_all(&plan) && !plan.contains("TEMP"), "{area}: {plan}");
                assert!(plan.contains("county>?") || plan.contains("Cond: ((county >="), "{plan}");
            }
        }
    }

    #[test]
    fn the_columns_are_where_they_are_looked_for() {
        let nth = |layout: &Layout, nth| {
            let columns = layout.select_values(str::to_owned);
            columns.split(", ").nth(nth).map(str::to_owned)
        };
        assert_eq!(nth(&layouts::PERSON, PERSON_ID).as_deref(), Some("id"));
        assert_eq!(nth(&layouts::INCOME, INCOME_YEAR).as_deref(), Some("year"));
    }
}
