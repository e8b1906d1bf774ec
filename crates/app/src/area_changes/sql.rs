//! SQL of changes of areas.

use std::collections::BTreeSet;

use daohu_base::{AreaCode, Scope};
use daohu_db::{Column, Error, Filter, Row, Table, Tx, Type, Value};

/// A change as stored.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) id: String,
    pub(super) changed_on: String,
    pub(super) document: Option<String>,
    pub(super) lines: String,
    pub(super) households: i64,
    pub(super) created_at: i64,
    pub(super) created_by: String,
}

impl Stored {
    /// The journal's object.
    pub(super) fn to_journal(&self) -> String {
        serde_json::json!({
            "changed_on": self.changed_on,
            "document": self.document,
            "lines": self.lines,
            "households": self.households,
        })
        .to_string()
    }
}

/// Which area followed which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Succession {
    pub(super) predecessor: String,
    pub(super) successor: String,
    pub(super) change: String,
    pub(super) changed_on: String,
    pub(super) is_whole: bool,
}

pub(super) async fn insert(tx: &mut Tx, change: &Stored) -> Result<(), Error> {
    let sql = "insert into area_changes (id, changed_on, document, lines, households, created_at,
                 created_by) values ($1, $2, $3, $4, $5, $6, $7)";
    let params = [
        change.id.as_str().into(),
        change.changed_on.as_str().into(),
        change.document.clone().into(),
        change.lines.as_str().into(),
        change.households.into(),
        change.created_at.into(),
        change.created_by.as_str().into(),
    ];
    tx.execute(sql, &params).await.map(drop)
}

pub(super) async fn insert_successions(tx: &mut Tx, rows: &[Succession]) -> Result<(), Error> {
    let columns = [
        ("predecessor", Type::Text),
        ("successor", Type::Text),
        ("change", Type::Text),
        ("changed_on", Type::Text),
        ("is_whole", Type::Int),
    ];
    let columns = columns.into_iter().map(|(name, kind)| Column { name, kind }).collect();
    let key = &["predecessor", "successor", "change"];
    let table = Table { name: "successions", columns, key };
    let row = |row: &Succession| -> Vec<Value> {
        let Succession { predecessor, successor, change, changed_on, is_whole } = row;
        let [a, b, c, d] = [predecessor, successor, change, changed_on].map(|t| t.as_str().into());
        vec![a, b, c, d, (*is_whole).into()]
    };
    tx.insert_rows(&table, &rows.iter().map(row).collect::<Vec<_>>()).await
}

/// The table of where households lay before.
pub(super) fn former_villages() -> Table {
    let columns = [
        ("county", Type::Text),
        ("household", Type::Int),
        ("change", Type::Text),
        ("village", Type::Text),
        ("ends_on", Type::Text),
    ];
    let columns = columns.into_iter().map(|(name, kind)| Column { name, kind }).collect();
    Table { name: "former_villages", columns, key: &["county", "household", "change"] }
}

/// What is known of earlier places of these households moves with them into another county.
pub(super) async fn move_former(
    tx: &mut Tx,
    counties: (&str, &str),
    households: &[i64],
) -> Result<(), Error> {
    const COLUMNS: &str = "household, change, village, ends_on";
    move_rows(tx, "former_villages", COLUMNS, counties, households).await
}

/// So do the memberships of those who left.
pub(super) async fn move_memberships(
    tx: &mut Tx,
    counties: (&str, &str),
    households: &[i64],
) -> Result<(), Error> {
    const COLUMNS: &str = "household, person, identity, relation, change_kind, change_on, created_at, created_by, updated_at, version";
    move_rows(tx, "memberships", COLUMNS, counties, households).await
}

/// Rows of these households, written under another county and taken out of the one they were in: the key of
/// a distributed table is never updated.
async fn move_rows(
    tx: &mut Tx,
    table: &'static str,
    columns: &'static str,
    (from, to): (&str, &str),
    households: &[i64],
) -> Result<(), Error> {
    let of = || {
        let mut filter = Filter::new();
        filter.and("county = ?", [from.into()]);
        filter.and_in("household", households.iter().copied().map(Value::from));
        filter
    };
    let mut filter = of();
    let to = filter.param(to);
    let clause = filter.clause();
    let sql = format!(
        "insert into {table} (county, {columns}) select {to}, {columns} from {table}{clause}"
    );
    tx.execute(&sql, filter.params()).await?;
    let filter = of();
    tx.execute(&format!("delete from {table}{}", filter.clause()), filter.params()).await.map(drop)
}

/// A household that lay elsewhere on a day, and the village then.
#[derive(Clone, Debug)]
pub(crate) struct Elsewhere {
    pub(crate) household: i64,
    pub(crate) village: String,
}

/// The households of a county that on a day lay in another village than after the changes since, in this county or
/// another one; of several changes since, what comes last tells where it lay.
pub(crate) async fn elsewhere_on(
    tx: &mut Tx,
    county: &str,
    day: &str,
) -> Result<Vec<Elsewhere>, Error> {
    let sql = "select household, village from former_villages where county = $1 and ends_on >= $2
               order by ends_on desc, change desc";
    let row =
        |row: &Row| Ok(Elsewhere { household: row.int(0)?, village: row.text(1)?.to_owned() });
    tx.query(sql, &[county.into(), day.into()]).await?.iter().map(row).collect()
}

/// What followed areas of a subtree, or what these followed; the latest first.
pub(super) async fn successions(tx: &mut Tx, area: &AreaCode) -> Result<Vec<Succession>, Error> {
    let sql = "select predecessor, successor, change, changed_on, is_whole from successions
               where predecessor = $1 or successor = $1
               order by changed_on desc, change desc, predecessor, successor";
    let rows = tx.query(sql, &[area.as_str().into()]).await?;
    let row = |row: &Row| {
        Ok(Succession {
            predecessor: row.text(0)?.to_owned(),
            successor: row.text(1)?.to_owned(),
            change: row.text(2)?.to_owned(),
            changed_on: row.text(3)?.to_owned(),
            is_whole: row.flag(4)?,
        })
    };
    rows.iter().map(row).collect()
}

/// Which way is gone from counties to others.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// To those that rows of theirs came from.
    Before,
    /// To those that rows of theirs went to.
    After,
    /// To those that they became as a whole.
    Whole,
}

/// The counties that are one step from the counties of these areas, and perhaps some of them.
pub(super) async fn next_counties(
    tx: &mut Tx,
    way: Way,
    areas: &[AreaCode],
) -> Result<Vec<AreaCode>, Error> {
    // Codes in a range are found by an index of either column, whatever else was ever changed.
    let (of, range, what) = match way {
        Way::Before => {
            ("predecessor", "(successor >= ? and successor < ?)", "length(predecessor) = 12")
        }
        Way::After => {
            ("successor", "(predecessor >= ? and predecessor < ?)", "length(predecessor) = 12")
        }
        Way::Whole => (
            "successor",
            "(predecessor >= ? and predecessor < ?)",
            "length(predecessor) = 6 and is_whole = 1",
        ),
    };
    let mut found = BTreeSet::new();
    for some in areas.chunks(RANGES) {
        let mut filter = Filter::new();
        filter.and_any(range, some.iter().map(|area| [area.as_str().into(), area.end().into()]));
        filter.and(what, []);
        let sql = format!("select distinct substr({of}, 1, 6) from successions{}", filter.clause());
        for row in tx.query(&sql, filter.params()).await? {
            found.extend(AreaCode::parse(row.text(0)?).ok());
        }
    }
    Ok(found.into_iter().collect())
}

/// Ranges asked for by one statement.
const RANGES: usize = 100;

/// As [`stored`] reads them.
const STORED: &str = "id, changed_on, document, lines, households, created_at, created_by";

/// Changes of areas of a scope, the latest first, before a mark of instant and id.
pub(super) async fn list(
    tx: &mut Tx,
    scope: &Scope,
    before: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<Stored>, Error> {
    let mut filter = Filter::new();
    if let Some((at, id)) = before {
        filter.and_row("created_at, id", "<", vec![at.into(), id.into()]);
    }
    if let Some(ranges) = scope.ranges() {
        let both = |(a, b): (String, String)| {
            [a.clone().into(), b.clone().into(), a.into(), b.into()] as [Value; 4]
        };
        filter.and_any(
            "exists (select 1 from successions s where s.change = area_changes.id
                and (s.predecessor >= ? and s.predecessor < ? or s.successor >= ? and s.successor < ?))",
            ranges.into_iter().map(both),
        );
    }
    let limit = filter.param(limit);
    let sql = format!(
        "select {STORED} from area_changes{} order by created_at desc, id desc limit {limit}",
        filter.clause()
    );
    tx.query(&sql, filter.params()).await?.iter().map(stored).collect()
}

pub(super) async fn one(tx: &mut Tx, id: &str) -> Result<Option<Stored>, Error> {
    let sql = format!("select {STORED} from area_changes where id = $1");
    tx.query_opt(&sql, &[id.into()]).await?.map(|row| stored(&row)).transpose()
}

fn stored(row: &Row) -> Result<Stored, Error> {
    Ok(Stored {
        id: row.text(0)?.to_owned(),
        changed_on: row.text(1)?.to_owned(),
        document: row.opt_text(2)?.map(str::to_owned),
        lines: row.text(3)?.to_owned(),
        households: row.int(4)?,
        created_at: row.int(5)?,
        created_by: row.text(6)?.to_owned(),
    })
}

/// The numbers of these that households of a county have already.
pub(super) async fn taken(
    tx: &mut Tx,
    county: &str,
    numbers: &[String],
) -> Result<Vec<String>, Error> {
    let mut filter = Filter::new();
    filter.and("county = ?", [county.into()]);
    filter.and_in("no", numbers.iter().map(|no| Value::from(no.as_str())));
    let sql = format!("select no from households{} order by no", filter.clause());
    tx.query(&sql, filter.params())
        .await?
        .iter()
        .map(|row| row.text(0).map(str::to_owned))
        .collect()
}

/// Locks the households of a village, and who helps them, until the transaction ends: nobody changes them
/// meanwhile. Gives how many households there are.
pub(super) async fn lock_village(tx: &mut Tx, village: &AreaCode) -> Result<u64, Error> {
    let place = [village.county().into(), village.as_str().into()];
    let sql = "update households set version = version where county = $1 and village = $2";
    let households = tx.execute(sql, &place).await?;
    let sql = "update pairings set version = version where county = $1 and household in
                 (select id from households where county = $1 and village = $2)";
    tx.execute(sql, &place).await?;
    Ok(households)
}

/// The latest instant at which one of these areas, a household of theirs or its members were written.
pub(super) async fn last_written(tx: &mut Tx, areas: &BTreeSet<AreaCode>) -> Result<i64, Error> {
    const TABLES: [(&str, &str); 3] =
        [("areas", "code"), ("households", "village"), ("persons", "village")];
    let mut last = 0;
    for (table, column) in TABLES {
        for filter in Filter::lists(column, areas.iter().map(|area| area.as_str().into())) {
            let sql = format!("select max(updated_at) from {table}{}", filter.clause());
            let row = tx.query_one(&sql, filter.params()).await?;
            last = last.max(row.opt_int(0)?.unwrap_or_default());
        }
    }
    Ok(last)
}

/// Those of these areas that were changed on a later day already.
pub(super) async fn changed_after(
    tx: &mut Tx,
    areas: &BTreeSet<AreaCode>,
    on: &str,
) -> Result<Vec<String>, Error> {
    let mut found = BTreeSet::new();
    for column in ["predecessor", "successor"] {
        for mut filter in Filter::lists(column, areas.iter().map(|area| area.as_str().into())) {
            filter.and("changed_on > ?", [on.into()]);
            let sql = format!("select distinct {column} from successions{}", filter.clause());
            for row in tx.query(&sql, filter.params()).await? {
                found.insert(row.text(0)?.to_owned());
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// Says of the ID numbers that these persons hold in which county their rows are now; one that somebody who stays
/// holds by now is left as it is.
pub(super) async fn move_holders(
    tx: &mut Tx,
    (from, to): (&str, &str),
    (identities, persons): (Vec<Value>, &[i64]),
) -> Result<(), Error> {
    let mut filter = Filter::new();
    let to = filter.param(to);
    filter.and("county = ?", [from.into()]);
    filter.and_in("identity", identities);
    filter.and_in("person", persons.iter().copied().map(Value::from));
    let sql = format!("update person_keys set county = {to}{}", filter.clause());
    tx.execute(&sql, filter.params()).await.map(drop)
}

/// Takes the rows of these households out of a county: they are in another one already.
pub(super) async fn leave(tx: &mut Tx, county: &str, households: &[i64]) -> Result<(), Error> {
    let tables = [
        ("persons", "household"),
        ("incomes", "household"),
        ("pairings", "household"),
        ("households", "id"),
    ];
    for (table, column) in tables {
        let mut filter = Filter::new();
        filter.and("county = ?", [county.into()]);
        filter.and_in(column, households.iter().copied().map(Value::from));
        tx.execute(&format!("delete from {table}{}", filter.clause()), filter.params()).await?;
    }
    Ok(())
}
