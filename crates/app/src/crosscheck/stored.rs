//! What the store holds of this slice, as the journal compares it and a rotation of keys seals it.

use daohu_db::{BoxFuture, FutureExt, Tx};

use super::{
    model::Lead,
    ops::{LEAD, LIST},
    sql::{self, CheckedList},
};
use crate::{Context, Error, journal::Watched, keys::Keys};

/// Rows sealed anew in one transaction.
const RESEAL_ROWS: i64 = 1_000;

/// The kinds of records that `journal verify --deep` compares with their rows.
pub fn watched() -> Vec<Watched> {
    vec![
        Watched { kind: LEAD, table: "leads", current: current_lead, household: None },
        Watched { kind: LIST, table: "checked_lists", current: current_list, household: None },
    ]
}

fn current_lead<'t>(
    tx: &'t mut Tx,
    keys: &'t Keys,
    county: &'t str,
    record: &'t str,
) -> BoxFuture<'t, Result<Option<String>, Error>> {
    async move {
        let Some((_, id)) = record.split_once('/') else { return Ok(None) };
        let found = sql::by_ids(tx, keys, county, &[id]).await?;
        Ok(found.first().filter(|lead| lead.key() == record).map(Lead::to_journal))
    }
    .boxed()
}

fn current_list<'t>(
    tx: &'t mut Tx,
    _: &'t Keys,
    _: &'t str,
    record: &'t str,
) -> BoxFuture<'t, Result<Option<String>, Error>> {
    async move { Ok(sql::list(tx, record).await?.as_ref().map(CheckedList::to_journal)) }.boxed()
}

/// Seals what lists said with the present key; gives how many leads had another.
pub async fn reseal(context: &Context) -> Result<u64, Error> {
    let (mut total, mut after) = (0, (String::new(), String::new()));
    loop {
        let (keys, from) = (context.keys.clone(), after);
        let step = async move |tx: &mut Tx| {
            let (mut count, mut last) = (0, None);
            for (county, id, cell) in sql::sealed(tx, (&from.0, &from.1), RESEAL_ROWS).await? {
                if !keys.is_current(&cell) {
                    count += sql::reseal(tx, &keys, (&county, &id), cell).await?;
                }
                last = Some((county, id));
            }
            Ok::<_, Error>((count, last))
        };
        let step = context.db.write(move |tx| async move { step(tx).await }.boxed()).await?;
        let (rows, Some(last)) = step else { return Ok(total + step.0) };
        total += rows;
        after = last;
    }
}
