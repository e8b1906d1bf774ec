//! What `journal verify --deep` compares: a grant put into the table by hand is a grant nobody gave.

use daohu_db::{BoxFuture, FutureExt, Tx};

use super::{
    grants,
    model::{User, journaled},
    users,
};
use crate::{Error, journal::Watched, keys::Keys};

type Row<'t> = BoxFuture<'t, Result<Option<String>, Error>>;

/// Accounts and grants. Failed attempts to sign in change an account without an entry of its own: they
/// are left out.
pub fn watched() -> Vec<Watched> {
    vec![
        Watched { kind: "user", table: "users", current: current_user, household: None },
        Watched { kind: "grant", table: "grants", current: current_grant, household: None },
    ]
}

fn current_user<'t>(tx: &'t mut Tx, _: &'t Keys, _: &'t str, record: &'t str) -> Row<'t> {
    async move {
        let user = users::sql::by_id(tx, record).await?;
        Ok(user.map(|user| journaled(&User { locked_until: None, ..user })))
    }
    .boxed()
}

fn current_grant<'t>(tx: &'t mut Tx, _: &'t Keys, _: &'t str, record: &'t str) -> Row<'t> {
    async move { Ok(grants::sql::by_id(tx, record).await?.as_ref().map(journaled)) }.boxed()
}
