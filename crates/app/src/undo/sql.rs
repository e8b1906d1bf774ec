//! SQL of undoing.

use daohu_base::Timestamp;
use daohu_db::{Error, Filter, Row, Tx, Value};

use crate::journal::Span;

/// Keys asked for by one statement.
const IN_LIST: usize = 200;

pub(super) async fn insert(
    tx: &mut Tx,
    import: &str,
    (at, by): (Timestamp, &str),
    spans: &[Span],
) -> Result<(), Error> {
    let records: i64 = spans.iter().map(|span| span.last - span.first + 1).sum();
    let sql = "insert into imports (id, records, created_at, created_by) values ($1, $2, $3, $4)";
    tx.execute(sql, &[import.into(), records.into(), at.0.into(), by.into()]).await?;
    for Span { county, first, last } in spans {
        let sql = "insert into import_spans (import, county, first, last) values ($1, $2, $3, $4)";
        let row = [import.into(), county.as_str().into(), (*first).into(), (*last).into()];
        tx.execute(sql, &row).await?;
    }
    Ok(())
}

/// When an import was undone; nothing if there is no such import. Locked until the transaction ends.
pub(super) async fn undone_at(tx: &mut Tx, import: &str) -> Result<Option<Option<i64>>, Error> {
    let sql = "update imports set records = records where id = $1 returning undone_at";
    tx.query_opt(sql, &[import.into()]).await?.map(|row| row.opt_int(0)).transpose()
}

/// Where the entries of an import are.
pub(super) async fn spans(tx: &mut Tx, import: &str) -> Result<Vec<Span>, Error> {
    let sql = "select county, first, last from import_spans where import = $1 order by county";
    let span = |row: &Row| {
        Ok(Span { county: row.text(0)?.to_owned(), first: row.int(1)?, last: row.int(2)? })
    };
    tx.query(sql, &[import.into()]).await?.iter().map(span).collect()
}

pub(super) async fn set_undone(
    tx: &mut Tx,
    import: &str,
    (at, by): (Timestamp, &str),
) -> Result<(), Error> {
    let sql = "update imports set undone_at = $2, undone_by = $3 where id = $1";
    tx.execute(sql, &[import.into(), at.0.into(), by.into()]).await.map(drop)
}

/// Takes a membership away.
pub(super) async fn remove_membership(
    tx: &mut Tx,
    county: &str,
    (household, person): (i64, i64),
) -> Result<(), Error> {
    let sql = "delete from memberships where county = $1 and household = $2 and person = $3";
    tx.execute(sql, &[county.into(), household.into(), person.into()]).await.map(drop)
}

/// Puts a membership back as it was.
pub(super) async fn restore_membership(
    tx: &mut Tx,
    county: &str,
    (household, person): (i64, i64),
    was: [Value; 3],
    at: Timestamp,
) -> Result<(), Error> {
    let sql = "update memberships set relation = $4, change_kind = $5, change_on = $6,
                 updated_at = $7, version = version + 1
               where county = $1 and household = $2 and person = $3";
    let [relation, change_kind, change_on] = was;
    let key = [county.into(), household.into(), person.into()];
    let row = [relation, change_kind, change_on, at.0.into()];
    tx.execute(sql, &[&key[..], &row].concat()).await.map(drop)
}

/// Where something refers to records of these kinds, each by its key: what refers, and in which column.
pub(super) const REFERENCES: [(&str, &[(&str, &str)]); 4] = [
    (
        "household",
        &[
            ("persons", "household"),
            ("incomes", "household"),
            ("memberships", "household"),
            ("pairings", "household"),
        ],
    ),
    ("person", &[("judgements", "person"), ("judgements", "other"), ("memberships", "person")]),
    ("organisation", &[("cadres", "organisation"), ("pairings", "subject")]),
    ("cadre", &[("teams", "cadre"), ("pairings", "subject")]),
];

/// The columns that name an area.
pub(super) const AREA_REFERENCES: [(&str, &str); 12] = [
    ("households", "village"),
    ("households", "group_code"),
    ("persons", "village"),
    ("organisations", "area"),
    ("cadres", "area"),
    ("teams", "village"),
    ("villages", "village"),
    ("pairings", "object"),
    ("targets", "area"),
    ("indicators", "area"),
    ("grants", "area"),
    ("successions", "successor"),
];

/// Those of these keys that a column still names; of a county, where its table has counties of its own.
pub(super) async fn named_in(
    tx: &mut Tx,
    (table, column): (&'static str, &'static str),
    county: Option<&str>,
    keys: &[Value],
) -> Result<Vec<Value>, Error> {
    let mut found = Vec::new();
    for some in keys.chunks(IN_LIST) {
        let mut filter = Filter::new();
        filter.and_in(column, some.iter().cloned());
        if let Some(county) = county {
            filter.and("county = ?", [county.into()]);
        }
        let sql = format!("select distinct {column} from {table}{}", filter.clause());
        for row in tx.query(&sql, filter.params()).await? {
            found.push(row.value(0)?.clone());
        }
    }
    Ok(found)
}

/// The areas below one that are there.
pub(super) async fn any_below(tx: &mut Tx, code: &str) -> Result<bool, Error> {
    let sql = "select 1 from areas where code > $1 and code < $2 limit 1";
    let end = format!("{code}:");
    Ok(tx.query_opt(sql, &[code.into(), end.into()]).await?.is_some())
}

/// A person who has an ID number.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    pub(super) county: String,
    pub(super) person: i64,
    pub(super) household: i64,
    pub(super) is_current: bool,
}

/// Says who holds an ID number: of the persons who have it, the one who belongs to a household now, or else the
/// one written last; nobody if there is none. `tail` finds them; of a number that has none, `known` is who has it.
pub(super) async fn settle_holder(
    tx: &mut Tx,
    identity: &[u8],
    tail: Option<i64>,
    known: Option<Holder>,
) -> Result<(), Error> {
    let mut holder = known;
    if let Some(tail) = tail {
        let sql = "select county, id, household, is_current from persons
                   where id_tail = $1 and identity = $2 order by is_current, updated_at";
        for row in tx.query(sql, &[tail.into(), identity.to_vec().into()]).await? {
            let (county, person, household) = (row.text(0)?.to_owned(), row.int(1)?, row.int(2)?);
            holder = Some(Holder { county, person, household, is_current: row.flag(3)? });
        }
    }
    let Some(Holder { county, person, household, is_current }) = holder else {
        let sql = "delete from person_keys where identity = $1";
        return tx.execute(sql, &[identity.to_vec().into()]).await.map(drop);
    };
    let sql = "insert into person_keys (identity, county, person, household, is_current)
               values ($1, $2, $3, $4, $5)
               on conflict (identity) do update set county = excluded.county,
                 person = excluded.person, household = excluded.household,
                 is_current = excluded.is_current";
    let row: [Value; 5] = [
        identity.to_vec().into(),
        county.into(),
        person.into(),
        household.into(),
        is_current.into(),
    ];
    tx.execute(sql, &row).await.map(drop)
}
