//! Lists of households.

use daohu_base::Scope;
use daohu_db::FutureExt;

use super::{
    model::{Mark, Sort, Wanted, legs},
    sql::{self, Answered},
};
use crate::{Context, Error, FieldError, households::model::HouseholdRow, registers};

/// Households of a scope in an order, after the mark.
pub(super) async fn list(
    context: &Context,
    scope: Scope,
    (sort, wanted): (Sort, Wanted),
    after: Option<Mark>,
    limit: i64,
) -> Result<Vec<HouseholdRow>, Error> {
    let legs = legs(&scope);
    if sort == Sort::UpdatedDown && (legs.len() > 1 || legs.iter().any(|leg| !leg.is_one_county)) {
        let (code, message) = ("list.sort_needs_county", String::new());
        let column = "sort".to_owned();
        return Err(Error::Invalid(vec![FieldError {
            column,
            value: None,
            code,
            message,
            ..FieldError::default()
        }]));
    }
    let answered = wanted.is_answered.map(|is_answered| Answered {
        is_answered,
        kinds: registers::cadre_kinds(&context.policy),
        day: context.clock.now().day().to_string(),
    });
    let keys = context.keys.clone();
    let read = context.db.read(move |tx| {
        async move {
            let wanted = (sort, wanted.conditions.as_slice(), answered.as_ref());
            sql::list(tx, &keys, &scope, wanted, after.as_ref(), limit).await
        }
        .boxed()
    });
    read.await
}
