//! SQL of publications.

use daohu_db::{Error, Row, Tx};

use super::model::Publication;

const COLUMNS: &str = "p.id, p.pack, p.files, p.version, p.note, p.published_at, p.published_by";

/// The last publication of all; 0 before the first.
pub(super) async fn last(tx: &mut Tx) -> Result<i64, Error> {
    let row = tx.query_opt("select id from policy_packs order by id desc limit 1", &[]).await?;
    row.map_or(Ok(0), |row| row.int(0))
}

/// The last publication of each pack, the one that was published last at the end.
pub(super) async fn lasts(tx: &mut Tx) -> Result<Vec<Publication>, Error> {
    let sql = format!(
        "select {COLUMNS} from policy_packs p
         join (select pack, max(id) as id from policy_packs group by pack) l on l.id = p.id
         order by p.id"
    );
    tx.query(&sql, &[]).await?.iter().map(publication).collect()
}

/// All publications, the last first.
pub(super) async fn list(tx: &mut Tx) -> Result<Vec<Publication>, Error> {
    let sql = format!("select {COLUMNS} from policy_packs p order by p.id desc");
    tx.query(&sql, &[]).await?.iter().map(publication).collect()
}

/// Publications of one pack or of all, the last first, from before one of them on.
pub(super) async fn page(
    tx: &mut Tx,
    pack: Option<&str>,
    (before, limit): (Option<i64>, i64),
) -> Result<Vec<Publication>, Error> {
    let sql = format!(
        "select {COLUMNS} from policy_packs p where p.id < $1 and ($2 = '' or p.pack = $2)
         order by p.id desc limit $3"
    );
    let params = [before.unwrap_or(i64::MAX).into(), pack.unwrap_or_default().into(), limit.into()];
    tx.query(&sql, &params).await?.iter().map(publication).collect()
}

pub(super) async fn by_id(tx: &mut Tx, id: i64) -> Result<Option<Publication>, Error> {
    let sql = format!("select {COLUMNS} from policy_packs p where p.id = $1");
    tx.query_opt(&sql, &[id.into()]).await?.as_ref().map(publication).transpose()
}

pub(super) async fn insert(tx: &mut Tx, own: &Publication) -> Result<(), Error> {
    let sql =
        "insert into policy_packs (id, pack, files, version, note, published_at, published_by)
               values ($1, $2, $3, $4, $5, $6, $7)";
    let values = [
        own.id.into(),
        own.pack.as_str().into(),
        own.files.as_str().into(),
        own.version.as_str().into(),
        own.note.as_str().into(),
        own.published_at.into(),
        own.published_by.as_str().into(),
    ];
    tx.execute(sql, &values).await.map(|_| ())
}

fn publication(row: &Row) -> Result<Publication, Error> {
    Ok(Publication {
        id: row.int(0)?,
        pack: row.text(1)?.to_owned(),
        files: row.text(2)?.to_owned(),
        version: row.text(3)?.to_owned(),
        note: row.text(4)?.to_owned(),
        published_at: row.int(5)?,
        published_by: row.text(6)?.to_owned(),
    })
}
