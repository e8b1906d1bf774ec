//! SQL of the journal.

use std::ops::ControlFlow;

use daohu_db::{Column, Error, Filter, Row, Table, Tx, Type, Value};

use super::model::{Entry, Link, RecordRef, Root, START};

const ENTRY: [Column; 11] = [
    Column { name: "county", kind: Type::Text },
    Column { name: "stamp", kind: Type::Int },
    Column { name: "position", kind: Type::Int },
    Column { name: "at", kind: Type::Int },
    Column { name: "actor", kind: Type::Text },
    Column { name: "authority", kind: Type::Text },
    Column { name: "source", kind: Type::Text },
    Column { name: "kind", kind: Type::Text },
    Column { name: "record", kind: Type::Text },
    Column { name: "action", kind: Type::Text },
    Column { name: "body", kind: Type::Blob },
];

fn pending() -> Table {
    let key = &["county", "stamp", "position"];
    Table { name: "journal_pending", columns: ENTRY.to_vec(), key }
}

fn journal() -> Table {
    let place = [("sequence", Type::Int), ("chain", Type::Blob)];
    let place = place.map(|(name, kind)| Column { name, kind });
    let columns = ENTRY.into_iter().chain(place).collect();
    Table { name: "journal", columns, key: &["county", "sequence"] }
}

/// An entry with its place.
pub(super) struct Sealed {
    pub(super) entry: Entry,
    pub(super) sequence: i64,
    pub(super) chain: Link,
}

pub(super) async fn append(tx: &mut Tx, entries: Vec<Entry>) -> Result<(), Error> {
    let rows: Vec<Vec<Value>> = entries.into_iter().map(values).collect();
    tx.insert_rows(&pending(), &rows).await
}

pub(super) async fn insert_sealed(tx: &mut Tx, entries: Vec<Sealed>) -> Result<(), Error> {
    let row = |sealed: Sealed| {
        let mut row = values(sealed.entry);
        row.extend([sealed.sequence.into(), sealed.chain.to_vec().into()]);
        row
    };
    let rows: Vec<Vec<Value>> = entries.into_iter().map(row).collect();
    tx.insert_rows(&journal(), &rows).await
}

/// Counties with entries that wait to be sealed.
pub(super) async fn counties_pending(tx: &mut Tx) -> Result<Vec<String>, Error> {
    let sql = "select distinct county from journal_pending order by county";
    tx.query(sql, &[]).await?.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

/// The oldest entries of a county that wait to be sealed.
pub(super) async fn pending_of(tx: &mut Tx, county: &str, limit: i64) -> Result<Vec<Entry>, Error> {
    let sql = "select county, stamp, position, at, actor, authority, source, kind, record, action,
                      body
               from journal_pending where county = $1 order by stamp, position limit $2";
    tx.query(sql, &[county.into(), limit.into()]).await?.iter().map(entry).collect()
}

pub(super) async fn drop_pending(tx: &mut Tx, entry: &Entry) -> Result<(), Error> {
    let sql = "delete from journal_pending where county = $1 and stamp = $2 and position = $3";
    let key = [entry.county.as_str().into(), entry.stamp.into(), entry.position.into()];
    tx.execute(sql, &key).await.map(drop)
}

/// The head of a county's chain, locked until the transaction ends: the lease to seal it.
pub(super) async fn lock_head(tx: &mut Tx, county: &str) -> Result<(i64, Link), Error> {
    let sql = "insert into journal_heads (county, sequence, chain) values ($1, 0, $2)
               on conflict (county) do update set sequence = journal_heads.sequence
               returning sequence, chain";
    let row = tx.query_one(sql, &[county.into(), START.to_vec().into()]).await?;
    Ok((row.int(0)?, link(row.blob(1)?)?))
}

/// The place of the last sealed entry of a county, only to be told; 0 if it has none.
pub(super) async fn sequence(tx: &mut Tx, county: &str) -> Result<i64, Error> {
    let sql = "select sequence from journal_heads where county = $1";
    tx.query_opt(sql, &[county.into()]).await?.map_or(Ok(0), |row| row.int(0))
}

/// How many entries of a county wait to be sealed.
pub(super) async fn count_waiting(tx: &mut Tx, county: &str) -> Result<i64, Error> {
    let sql = "select cast(count(*) as bigint) from journal_pending where county = $1";
    tx.query_one(sql, &[county.into()]).await?.int(0)
}

pub(super) async fn set_head(
    tx: &mut Tx,
    county: &str,
    sequence: i64,
    chain: &Link,
) -> Result<(), Error> {
    let sql = "update journal_heads set sequence = $2, chain = $3 where county = $1";
    tx.execute(sql, &[county.into(), sequence.into(), chain.to_vec().into()]).await.map(drop)
}

/// The end of the root chain, locked through the head of the county `root` that never has entries.
pub(super) async fn lock_root(tx: &mut Tx) -> Result<(i64, Link), Error> {
    lock_head(tx, ROOT).await?;
    match tx.query_opt(LAST_ROOT, &[]).await? {
        Some(row) => Ok((row.int(0)?, link(row.blob(1)?)?)),
        None => Ok((0, START)),
    }
}

/// The end of the root chain, only to be told.
pub(super) async fn last_root(tx: &mut Tx) -> Result<(i64, Link), Error> {
    match tx.query_opt(LAST_ROOT, &[]).await? {
        Some(row) => Ok((row.int(0)?, compared_link(&row, 1)?)),
        None => Ok((0, START)),
    }
}

const LAST_ROOT: &str = "select number, chain from journal_roots order by number desc limit 1";

/// The name under which the root chain is locked.
pub(super) const ROOT: &str = "root";

pub(super) async fn insert_root(tx: &mut Tx, root: &Root, chain: &Link) -> Result<(), Error> {
    let sql = "insert into journal_roots (number, at, county, sequence, head, chain)
               values ($1, $2, $3, $4, $5, $6)";
    let params = [
        root.number.into(),
        root.at.into(),
        root.county.as_str().into(),
        root.sequence.into(),
        root.head.to_vec().into(),
        chain.to_vec().into(),
    ];
    tx.execute(sql, &params).await.map(drop)
}

pub(super) fn link(bytes: &[u8]) -> Result<Link, Error> {
    bytes.try_into().map_err(|_| Error::Column { index: 1, wanted: "32 bytes" })
}

fn values(entry: Entry) -> Vec<Value> {
    vec![
        entry.county.into(),
        entry.stamp.into(),
        entry.position.into(),
        entry.at.into(),
        entry.actor.into(),
        entry.authority.into(),
        entry.source.into(),
        entry.kind.into(),
        entry.record.into(),
        entry.action.into(),
        entry.body.into(),
    ]
}

pub(super) fn entry(row: &Row) -> Result<Entry, Error> {
    let int = |i| Ok::<_, Error>(row.value(i)?.as_int().unwrap_or(i64::MIN));
    let text = |i| Ok::<_, Error>(row.value(i)?.as_text().unwrap_or_default().to_owned());
    Ok(Entry {
        county: text(0)?,
        stamp: int(1)?,
        position: int(2)?,
        at: int(3)?,
        actor: text(4)?,
        authority: text(5)?,
        source: text(6)?,
        kind: text(7)?,
        record: text(8)?,
        action: text(9)?,
        body: bytes(row, 10)?,
    })
}

/// What stands in a column of bytes. SQLite keeps whatever is written into a column, of any type: that is
/// an entry which is not what was sealed, and no failure of the database.
fn bytes(row: &Row, i: usize) -> Result<Vec<u8>, Error> {
    Ok(match row.value(i)? {
        Value::Blob(bytes) => bytes.clone(),
        Value::Text(text) => text.clone().into_bytes(),
        _ => Vec::new(),
    })
}

/// A link that is only compared: what is none equals none.
fn compared_link(row: &Row, i: usize) -> Result<Link, Error> {
    Ok(link(&bytes(row, i)?).unwrap_or([0xff; 32]))
}

/// Takes sealed entries one by one; stops with `Break`.
pub(super) type Each<'a> = &'a mut (dyn FnMut(Sealed) -> Result<ControlFlow<()>, Error> + Send);

/// Hands on a county's sealed entries in the order of the chain.
pub(super) async fn each_sealed(tx: &mut Tx, county: &str, each: Each<'_>) -> Result<(), Error> {
    let sql = "select county, stamp, position, at, actor, authority, source, kind, record, action,
                      body, sequence, chain
               from journal where county = $1 order by sequence";
    tx.for_each(sql, &[county.into()], |row| each(sealed(row)?)).await
}

/// The heads of all counties.
pub(super) async fn heads(tx: &mut Tx) -> Result<Vec<(String, i64, Link)>, Error> {
    let sql = "select county, sequence, chain from journal_heads where county <> $1
               order by county";
    let rows = tx.query(sql, &[ROOT.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?, compared_link(row, 2)?)))
        .collect()
}

/// Counties that have sealed entries.
pub(super) async fn counties_sealed(tx: &mut Tx) -> Result<Vec<String>, Error> {
    let sql = "select distinct county from journal order by county";
    tx.query(sql, &[]).await?.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

/// The chain after an entry.
pub(super) async fn chain_at(
    tx: &mut Tx,
    county: &str,
    sequence: i64,
) -> Result<Option<Link>, Error> {
    let sql = "select chain from journal where county = $1 and sequence = $2";
    let row = tx.query_opt(sql, &[county.into(), sequence.into()]).await?;
    row.map(|row| compared_link(&row, 0)).transpose()
}

/// Sealed entries by their place in the chain.
pub(super) async fn sealed_between(
    tx: &mut Tx,
    county: &str,
    from: i64,
    to: i64,
) -> Result<Vec<Sealed>, Error> {
    let sql = "select county, stamp, position, at, actor, authority, source, kind, record, action,
                      body, sequence, chain
               from journal where county = $1 and sequence >= $2 and sequence <= $3";
    let rows = tx.query(sql, &[county.into(), from.into(), to.into()]).await?;
    rows.iter().map(sealed).collect()
}

fn sealed(row: &Row) -> Result<Sealed, Error> {
    Ok(Sealed { entry: entry(row)?, sequence: row.int(11)?, chain: compared_link(row, 12)? })
}

/// The root chain, from behind a number on.
pub(super) async fn roots(tx: &mut Tx, after: i64, limit: i64) -> Result<Vec<(Root, Link)>, Error> {
    let sql = "select number, at, county, sequence, head, chain from journal_roots
               where number > $1 order by number limit $2";
    let root = |row: &Row| {
        let root = Root {
            number: row.int(0)?,
            at: row.int(1)?,
            county: row.text(2)?.to_owned(),
            sequence: row.int(3)?,
            head: compared_link(row, 4)?,
        };
        Ok((root, compared_link(row, 5)?))
    };
    tx.query(sql, &[after.into(), limit.into()]).await?.iter().map(root).collect()
}

/// Entries that wait to be sealed.
pub(super) async fn count_pending(tx: &mut Tx) -> Result<u64, Error> {
    let row = tx.query_one("select cast(count(*) as bigint) from journal_pending", &[]).await?;
    Ok(u64::try_from(row.int(0)?).unwrap_or_default())
}

/// The rows of a table that the journal watches.
pub(super) async fn count_rows(tx: &mut Tx, table: &'static str) -> Result<u64, Error> {
    let sql = format!("select cast(count(*) as bigint) from {table}");
    Ok(u64::try_from(tx.query_one(&sql, &[]).await?.int(0)?).unwrap_or_default())
}

/// Records that were ever written, with their kinds, in the order of the index, from behind one on.
pub(super) async fn records(
    tx: &mut Tx,
    (record, county, kind): (&str, &str, &str),
    limit: i64,
) -> Result<Vec<(String, String, String)>, Error> {
    let (sealed, waiting) = (records_in("journal"), records_in("journal_pending"));
    let sql = format!("{sealed} union {waiting} order by record, county, kind limit $4");
    let rows = tx.query(&sql, &[record.into(), county.into(), kind.into(), limit.into()]).await?;
    let text = |row: &Row, i| row.text(i).map(str::to_owned);
    rows.iter().map(|row| Ok((text(row, 0)?, text(row, 1)?, text(row, 2)?))).collect()
}

/// Each part ends by itself: a page does not look at all that follow it.
fn records_in(table: &str) -> String {
    format!(
        "select record, county, kind from (select distinct record, county, kind from {table}
         where (record, county, kind) > ($1, $2, $3) order by record, county, kind limit $4) as {table}"
    )
}

/// The last entry that wrote a record up to an instant, with its place (0 while it waits to be sealed).
/// The chain's order is that of the writes; what waits was written after what is sealed.
pub(super) async fn last_entry(
    tx: &mut Tx,
    (county, kind, record): RecordRef<'_>,
    until: i64,
) -> Result<Option<(i64, Entry)>, Error> {
    let sql = "select county, stamp, position, at, actor, authority, source, kind, record, action,
                      body
               from journal_pending where county = $1 and kind = $2 and record = $3 and at <= $4
               order by stamp desc, position desc limit 1";
    let key = [county.into(), kind.into(), record.into(), until.into()];
    if let Some(row) = tx.query_opt(sql, &key).await? {
        return Ok(Some((0, entry(&row)?)));
    }
    let sql = "select county, stamp, position, at, actor, authority, source, kind, record, action,
                      body, sequence
               from journal where county = $1 and kind = $2 and record = $3 and at <= $4
               order by sequence desc limit 1";
    let row = tx.query_opt(sql, &key).await?;
    row.map(|row| Ok((row.int(11)?, entry(&row)?))).transpose()
}

/// The entries that wrote a record up to an instant, the latest first, with their places: as [`last_entry`].
pub(super) async fn history(
    tx: &mut Tx,
    (county, kind, record): RecordRef<'_>,
    until: i64,
    limit: i64,
) -> Result<Vec<(Option<i64>, Entry)>, Error> {
    let sql = "select county, stamp, position, at, actor, authority, source, kind, record, action,
                      body
               from journal_pending where county = $1 and kind = $2 and record = $3 and at <= $4
               order by stamp desc, position desc limit $5";
    let key = [county.into(), kind.into(), record.into(), until.into()];
    let rows = tx.query(sql, &[&key[..], &[limit.into()]].concat()).await?;
    let mut entries = Vec::new();
    for row in &rows {
        entries.push((None, entry(row)?));
    }
    let sql = "select county, stamp, position, at, actor, authority, source, kind, record, action,
                      body, sequence
               from journal where county = $1 and kind = $2 and record = $3 and at <= $4
               order by sequence desc limit $5";
    let rest = limit.saturating_sub(i64::try_from(rows.len()).unwrap_or(limit));
    for row in tx.query(sql, &[&key[..], &[rest.into()]].concat()).await? {
        entries.push((Some(row.int(11)?), entry(&row)?));
    }
    Ok(entries)
}

/// The last entries of these records (kind and key) of a county before a place in its chain.
pub(super) async fn entries_before(
    tx: &mut Tx,
    county: &str,
    records: &[(String, String)],
    sequence: i64,
) -> Result<Vec<Entry>, Error> {
    let mut found = Vec::new();
    for some in records.chunks(RECORDS) {
        let mut filter = Filter::new();
        filter.and_in("record", some.iter().map(|(_, record)| record.as_str().into()));
        filter.and("county = ?", [county.into()]);
        filter.and("sequence < ?", [sequence.into()]);
        // Of a key there may be records of several kinds.
        let sql =
            format!("select max(sequence) from journal{} group by record, kind", filter.clause());
        let last = tx.query(&sql, filter.params()).await?;
        let mut filter = Filter::new();
        filter.and("county = ?", [county.into()]);
        let last: Vec<Value> =
            last.iter().map(|row| row.value(0).cloned()).collect::<Result<_, _>>()?;
        filter.and_in("sequence", last);
        let sql = format!(
            "select county, stamp, position, at, actor, authority, source, kind, record, action,
                    body
             from journal{}",
            filter.clause()
        );
        for row in tx.query(&sql, filter.params()).await? {
            found.push(entry(&row)?);
        }
    }
    Ok(found)
}

/// Those of these records (kind and key) of a county that have an entry behind a place in its chain, or one
/// that waits to be sealed.
pub(super) async fn written_since(
    tx: &mut Tx,
    county: &str,
    records: &[(String, String)],
    last: i64,
) -> Result<Vec<(String, String)>, Error> {
    let mut found = Vec::new();
    for some in records.chunks(RECORDS) {
        for (table, since) in [("journal", Some(last)), ("journal_pending", None)] {
            let mut filter = Filter::new();
            filter.and_in("record", some.iter().map(|(_, record)| record.as_str().into()));
            filter.and("county = ?", [county.into()]);
            if let Some(last) = since {
                filter.and("sequence > ?", [last.into()]);
            }
            let sql = format!("select kind, record from {table}{}", filter.clause());
            for row in tx.query(&sql, filter.params()).await? {
                let record = (row.text(0)?.to_owned(), row.text(1)?.to_owned());
                if some.contains(&record) && !found.contains(&record) {
                    found.push(record);
                }
            }
        }
    }
    Ok(found)
}

/// Records asked for by one statement.
const RECORDS: usize = 500;

/// How often a record was written up to an instant.
pub(super) async fn count_entries(
    tx: &mut Tx,
    (county, kind, record): RecordRef<'_>,
    until: i64,
) -> Result<i64, Error> {
    let mut count = 0;
    for table in ["journal", "journal_pending"] {
        let sql = format!(
            "select cast(count(*) as bigint) from {table}
             where county = $1 and kind = $2 and record = $3 and at <= $4"
        );
        let key = [county.into(), kind.into(), record.into(), until.into()];
        count += tx.query_one(&sql, &key).await?.int(0)?;
    }
    Ok(count)
}

/// Some entries, whichever are at hand.
pub(super) async fn some(tx: &mut Tx, limit: i64) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    for table in ["journal", "journal_pending"] {
        let sql = format!(
            "select county, stamp, position, at, actor, authority, source, kind, record, action,
                    body
             from {table} limit $1"
        );
        for row in tx.query(&sql, &[limit.into()]).await? {
            entries.push(entry(&row)?);
        }
    }
    Ok(entries)
}

/// The latest entries of a record before a mark of instant, stamp and position.
pub(super) async fn latest_of(
    tx: &mut Tx,
    (county, kind, record): RecordRef<'_>,
    before: (i64, i64, i64),
    limit: i64,
) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    for table in ["journal", "journal_pending"] {
        let sql = format!(
            "select county, stamp, position, at, actor, authority, source, kind, record, action,
                    body
             from {table} where county = $1 and kind = $2 and record = $3
                            and (at, stamp, position) < ($4, $5, $6)
             order by at desc, stamp desc, position desc limit $7"
        );
        let (at, stamp, position) = before;
        let key = [county.into(), kind.into(), record.into()];
        let mark = [at.into(), stamp.into(), position.into(), limit.into()];
        for row in tx.query(&sql, &[&key[..], &mark].concat()).await? {
            entries.push(entry(&row)?);
        }
    }
    Ok(entries)
}

/// What of a county's journal is wanted.
pub(super) struct Wanted<'a> {
    pub(super) county: &'a str,
    pub(super) kind: Option<&'a str>,
    pub(super) record: Option<&'a str>,
}

impl Wanted<'_> {
    fn filter(&self) -> Filter {
        let mut filter = Filter::new();
        filter.and("county = ?", [self.county.into()]);
        if let Some(kind) = self.kind {
            filter.and("kind = ?", [kind.into()]);
        }
        if let Some(record) = self.record {
            filter.and("record = ?", [record.into()]);
        }
        filter
    }
}

/// Entries that wait to be sealed, latest first, before a mark of stamp and position.
pub(super) async fn latest_pending(
    tx: &mut Tx,
    wanted: &Wanted<'_>,
    before: Option<(i64, i64)>,
    limit: i64,
) -> Result<Vec<Entry>, Error> {
    let mut filter = wanted.filter();
    if let Some((stamp, position)) = before {
        filter.and("(stamp, position) < (?, ?)", [stamp.into(), position.into()]);
    }
    let limit = filter.param(limit);
    let sql = format!(
        "select county, stamp, position, at, actor, authority, source, kind, record, action, body
         from journal_pending{} order by stamp desc, position desc limit {limit}",
        filter.clause()
    );
    tx.query(&sql, filter.params()).await?.iter().map(entry).collect()
}

/// Sealed entries with their places, latest first: before a sequence, or of earlier transactions
/// than a mark of those that waited when they were listed.
pub(super) async fn latest_sealed(
    tx: &mut Tx,
    wanted: &Wanted<'_>,
    before: Option<i64>,
    pending: Option<(i64, i64)>,
    limit: i64,
) -> Result<Vec<(i64, Entry)>, Error> {
    let mut filter = wanted.filter();
    if let Some(sequence) = before {
        filter.and("sequence < ?", [sequence.into()]);
    }
    if let Some((stamp, position)) = pending {
        filter.and("(stamp, position) < (?, ?)", [stamp.into(), position.into()]);
    }
    let limit = filter.param(limit);
    let sql = format!(
        "select county, stamp, position, at, actor, authority, source, kind, record, action, body,
                sequence
         from journal{} order by sequence desc limit {limit}",
        filter.clause()
    );
    let line = |row: &Row| Ok((row.int(11)?, entry(row)?));
    tx.query(&sql, filter.params()).await?.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use daohu_db::{Engine, FutureExt, testing::Scratch};

    use super::*;

    #[tokio::test]
    async fn pages_of_records_are_read_from_their_index() {
        let (_scratch, db) = Scratch::migrated(Engine::Sqlite, &crate::schema::MIGRATIONS).await;
        let explain = format!("explain query plan {}", records_in("journal"));
        let read = async move |tx: &mut Tx| {
            let params = ["1".into(), "990101".into(), "person".into(), 10.into()];
            tx.query(&explain, &params).await
        };
        let rows = db.read(move |tx| async move { read(tx).await }.boxed()).await.unwrap();
        let plan: Vec<&str> = rows.iter().map(|row| row.text(3).unwrap()).collect();
        let plan = plan.join("; ");
        assert!(plan.contains("SEARCH journal USING COVERING INDEX journal_record"), "{plan}");
        assert!(!plan.contains("TEMP"), "{plan}");
    }
}
