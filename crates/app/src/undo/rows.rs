//! What an import leaves, in its own transaction, so that it can be undone; and whether it was.

use std::collections::HashMap;

use daohu_base::Timestamp;
use daohu_db::Tx;

use super::sql;
use crate::{Error, journal::Span};

/// Remembers where the entries of an import are.
pub(crate) async fn remember(
    tx: &mut Tx,
    import: &str,
    (at, by): (Timestamp, &str),
    spans: &[Span],
) -> Result<(), Error> {
    Ok(sql::insert(tx, import, (at, by), spans).await?)
}

/// When which of these imports were undone.
pub(crate) async fn undone_at(
    tx: &mut Tx,
    imports: &[String],
) -> Result<HashMap<String, Timestamp>, Error> {
    Ok(sql::undone_of(tx, imports).await?)
}
