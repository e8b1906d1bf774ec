//! Lists of households.

use daohu_base::Scope;
use daohu_db::FutureExt;

use super::{
    model::{Condition, Mark, Sort, legs},
    sql,
};
use crate::{Context, Error, FieldError, households::model::HouseholdRow};

/// Households of a scope in an order, after the mark.
pub(super) async fn list(
    context: &Context,
    scope: Scope,
    (sort, conditions): (Sort, Vec<Condition>),
    after: Option<Mark>,
    limit: i64,
) -> Result<Vec<HouseholdRow>, Error> {
    let legs = legs(&scope);
    if sort == Sort::UpdatedDown && (legs.len() > 1 || legs.iter().any(|leg| !leg.is_one_county)) {
        let (code, message) = ("list.sort_needs_county", String::new());
        let column = "sort".to_owned();
        return Err(Error::Invalid(vec![FieldError { column, value: None, code, message }]));
    }
    let keys = context.keys.clone();
    let read = context.db.read(move |tx| {
        async move {
            sql::list(tx, &keys, &scope, (sort, &conditions), after.as_ref(), limit).await
        }
        .boxed()
    });
    read.await
}
