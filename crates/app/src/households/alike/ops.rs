//! Saying what persons have in common, where their rows do not yet.

use daohu_base::Scope;
use daohu_db::{FutureExt, Tx};

use super::sql;
use crate::{
    Context, Error,
    households::model::sounds_alike,
};

/// Rows of one transaction: whoever stops in between goes on where it stopped.
const ROWS: i64 = 1_000;

/// Computes what persons have in common whose rows were written before that was a column; gives how many.
/// It follows from the name and the birth date, so that the journal has no entry of it.
pub async fn fill_alike(context: &Context) -> Result<u64, Error> {
    let (mut total, mut county) = (0, String::new());
    loop {
        let after = county.clone();
        let next = async move |tx: &mut Tx| sql::next_county(tx, &Scope::all(), &after).await;
        let next = context.db.read(move |tx| async move { next(tx).await }.boxed()).await?;
        let Some(next) = next else { return Ok(total) };
        county = next;
        loop {
            let county = county.clone();
            let work = async move |tx: &mut Tx| fill_some(tx, &county).await;
            let filled = context.db.write(move |tx| async move { work(tx).await }.boxed()).await?;
            if filled == 0 {
                break;
            }
            total += filled;
        }
    }
}

async fn fill_some(tx: &mut Tx, county: &str) -> Result<u64, Error> {
    let mut filled = 0;
    for unsaid in sql::unsaid(tx, county, ROWS).await? {
        let alike = sounds_alike(&unsaid.name, &unsaid.born_on);
        filled += sql::say(tx, &unsaid, Some(alike)).await?;
    }
    Ok(filled)
}
