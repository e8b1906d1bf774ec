//! Reading registers.

use daohu_base::Scope;
use daohu_db::{FutureExt, Tx, Value};

use super::sql;
use crate::{
    Context, Error,
    registers::{Register, sql as rows},
    sheet::{Condition, Record},
};

/// Which records are wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) conditions: Vec<Condition>,
    /// Of the village that a record is about, as the tree of areas has it.
    pub(super) of_village: Vec<Condition>,
    /// In force on this day.
    pub(super) on: Option<String>,
    /// The name begins with it.
    pub(super) text: Option<String>,
    /// From the last key to the first.
    pub(super) is_down: bool,
}

/// The next records of a scope by their key.
pub(super) async fn list(
    context: &Context,
    register: &'static Register,
    (scope, wanted): (Scope, Wanted),
    after: Option<Vec<Value>>,
    limit: i64,
) -> Result<Vec<Record>, Error> {
    let keys = context.keys.clone();
    let work = async move |tx: &mut Tx| {
        let after = after.as_deref();
        sql::list(tx, &keys, register, (&scope, &wanted), after, limit).await
    };
    context.db.read(move |tx| async move { work(tx).await }.boxed()).await
}

/// The organisation or cadre of a number, if its area lies in the scope; of no area, if all does.
pub(super) async fn get(
    context: &Context,
    register: &'static Register,
    scope: Scope,
    no: String,
) -> Result<Record, Error> {
    let keys = context.keys.clone();
    let work = async move |tx: &mut Tx| {
        let found = rows::looked_up(tx, &keys, register, Vec::new(), vec![no.into()]).await?;
        let is_seen = |record: &Record| match register.area_of(&record.values) {
            Some(area) => scope.contains(&area),
            None => scope == Scope::all(),
        };
        found.into_iter().find(is_seen).ok_or(Error::NotFound(register.kind))
    };
    context.db.read(move |tx| async move { work(tx).await }.boxed()).await
}
