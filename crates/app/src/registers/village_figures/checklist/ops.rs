//! Reading the checklist of villages.

use std::{collections::BTreeMap, ops::ControlFlow};

use daohu_base::{AreaCode, Scope};
use daohu_db::{FutureExt, Tx, Value};

use super::{
    model::{Asked, Checklist, Outcome},
    sql,
};
use crate::{
    Context, Error, areas,
    registers::village_figures::{model::Report, ops::report},
};

/// What is counted of an area, with its own name and those of the areas below.
pub(super) struct Told {
    pub(super) report: Report,
    pub(super) names: BTreeMap<String, String>,
}

/// Which villages are wanted.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) year: i64,
    /// An item, or the whole list.
    pub(super) name: String,
    pub(super) outcome: Outcome,
    pub(super) is_poor: Option<bool>,
}

/// A village of a list.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) code: String,
    /// None where the tree has no area of this code.
    pub(super) name: Option<String>,
    /// What it told in the item's column, and what that is a share of.
    pub(super) told: (Value, Option<Value>),
}

/// How the villages of an area stand with the checklist, in a year and the years before, if the whole of the area lies inside
/// the scope.
pub(super) async fn checklist(
    context: &Context,
    scope: &Scope,
    area: AreaCode,
    year: Option<i64>,
) -> Result<Told, Error> {
    let scope = areas::ops::reported(scope, &area)?;
    let (policy, today) = (context.policy.clone(), context.clock.now().day().to_string());
    let work = async move |tx: &mut Tx| {
        let list = Checklist::new(&policy)?;
        let (report, names) = report(tx, (&scope, &area), (year, &today), list).await?;
        Ok(Told { report, names })
    };
    context.db.read_scan(move |tx| async move { work(tx).await }.boxed()).await
}

/// The next villages of an area that stand so with what is asked for, by code; 404 where that is not asked of the year.
pub(super) async fn villages(
    context: &Context,
    scope: &Scope,
    (area, wanted): (AreaCode, Wanted),
    after: Option<String>,
    limit: usize,
) -> Result<Vec<Found>, Error> {
    let scope = areas::ops::reported(scope, &area)?;
    areas::ops::check_known(context, &area).await?;
    let policy = context.policy.clone();
    let work = async move |tx: &mut Tx| {
        let list = Checklist::new(&policy)?;
        let Wanted { year, ref name, outcome, is_poor } = wanted;
        let asked: Asked = list.named(name, year).ok_or(Error::NotFound("item"))?;
        let mut found = Vec::new();
        let each = |code: &str, name: Option<&str>, values: &[Value]| {
            if list.outcome(asked, year, values) == Some(outcome) {
                let told = list.item(asked).map(|item| item.told(values));
                let told = told.map(|(value, of)| (value.clone(), of.cloned()));
                let (code, name) = (code.to_owned(), name.map(str::to_owned));
                found.push(Found { code, name, told: told.unwrap_or_default() });
            }
            if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        sql::each_village(tx, (&scope, year), is_poor, after.as_deref(), each).await?;
        Ok(found)
    };
    context.db.read_scan(move |tx| async move { work(tx).await }.boxed()).await
}
