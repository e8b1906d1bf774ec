//! SQL of coverage. What is in force on a day is asked for in each statement.

use std::{collections::HashMap, ops::ControlFlow};

use daohu_base::Scope;
use daohu_db::{Error as DbError, Filter, Row, Tx, Value, prefix_end};
use daohu_policy::Helper;
use rustc_hash::{FxHashMap, FxHashSet};

use super::model::{AreaPairing, Member};
use crate::{areas::rows::within, registers::sql::in_force};

/// Which codes of 主体类型 are what helps.
pub(super) type Kinds = [(Helper, Vec<i64>); 3];

/// The households of a county, as far as the scope reaches, and those that are wanted besides, each with its
/// village.
pub(super) async fn each_household(
    tx: &mut Tx,
    (scope, county): (&Scope, &str),
    wanted: &FxHashMap<i64, &str>,
    mut each: impl FnMut(i64, &str) + Send,
) -> Result<(), DbError> {
    let mut filter = Filter::new();
    filter.and("county = ?", [county.into()]);
    // A condition on the village would let an index be chosen that has no ids; nor is an order needed.
    let ranges = scope.ranges();
    let rest = format!("from households{}", filter.clause());
    tx.for_each_pair(("id", "village"), &rest, filter.params(), |id, village| {
        let is_in =
            |(from, to): &(String, String)| village >= from.as_str() && village < to.as_str();
        if ranges.as_ref().is_none_or(|ranges| ranges.iter().any(is_in)) || wanted.contains_key(&id)
        {
            each(id, village);
        }
    })
    .await
}

/// Who answers for which household of a county.
pub(super) async fn each_answer(
    tx: &mut Tx,
    (county, day): (&str, &str),
    kinds: &[i64],
    mut each: impl FnMut(i64, &str) + Send,
) -> Result<(), DbError> {
    let mut filter = Filter::new();
    filter.and("p.county = ?", [county.into()]);
    filter.and("p.household is not null", []);
    filter.and_in("p.subject_kind", kinds.iter().copied().map(Value::from));
    in_force(&mut filter, day);
    // Not as pairs: a cadre has few households, and to gather them takes longer than to send them.
    let sql = format!("select p.household, p.subject from pairings p{}", filter.clause());
    tx.for_each(&sql, filter.params(), |row| {
        each(row.int(0)?, row.text(1)?);
        Ok(ControlFlow::Continue(()))
    })
    .await
}

/// The roles of these cadres, who answer for households of a county: nearly all are its own, and are read together.
pub(super) async fn roles_of(
    tx: &mut Tx,
    county: &str,
    cadres: &[String],
) -> Result<HashMap<String, String>, DbError> {
    let mut own = Filter::new();
    own.and("area >= ? and area < ?", [county.into(), prefix_end(county).into()]);
    let wanted: FxHashSet<&str> = cadres.iter().map(String::as_str).collect();
    let mut roles = HashMap::new();
    read_roles(tx, &own, |no, bears| {
        if wanted.contains(no) {
            roles.insert(no.to_owned(), bears.to_owned());
        }
    })
    .await?;
    let others = cadres.iter().filter(|no| !roles.contains_key(no.as_str()));
    for filter in Filter::lists("no", others.map(|no| no.as_str().into()).collect::<Vec<_>>()) {
        read_roles(tx, &filter, |no, bears| {
            roles.insert(no.to_owned(), bears.to_owned());
        })
        .await?;
    }
    Ok(roles)
}

async fn read_roles(
    tx: &mut Tx,
    filter: &Filter,
    mut each: impl FnMut(&str, &str) + Send,
) -> Result<(), DbError> {
    let sql = format!("select no, roles from cadres{}", filter.clause());
    tx.for_each(&sql, filter.params(), |row| {
        each(row.text(0)?, row.text(1)?);
        Ok(ControlFlow::Continue(()))
    })
    .await
}

/// What helps the areas of a scope, themselves or those below them.
pub(super) async fn area_pairings(
    tx: &mut Tx,
    (scope, day): (&Scope, &str),
    kinds: &Kinds,
) -> Result<Vec<AreaPairing>, DbError> {
    let mut filter = Filter::new();
    within(&mut filter, "(p.county >= ? and p.county < ?)", &scope.counties());
    filter.and("p.household is null", []);
    within(&mut filter, "(p.object >= ? and p.object < ?)", scope);
    in_force(&mut filter, day);
    let sql = format!(
        "select p.object, p.subject_kind, p.subject, c.roles, o.level from pairings p
         left join cadres c on c.no = p.subject
         left join organisations o on o.no = p.subject{}",
        filter.clause()
    );
    let mut found = Vec::new();
    for row in tx.query(&sql, filter.params()).await? {
        let kind = row.int(1)?;
        let Some((helper, _)) = kinds.iter().find(|(_, codes)| codes.contains(&kind)) else {
            continue;
        };
        found.push(AreaPairing {
            area: row.text(0)?.to_owned(),
            helper: *helper,
            no: row.text(2)?.to_owned(),
            roles: row.opt_text(3)?.unwrap_or_default().to_owned(),
            level: row.opt_int(4)?,
        });
    }
    Ok(found)
}

/// The members of the teams of a scope.
pub(super) async fn members(
    tx: &mut Tx,
    (scope, day): (&Scope, &str),
) -> Result<Vec<Member>, DbError> {
    let mut filter = Filter::new();
    within(&mut filter, "(p.county >= ? and p.county < ?)", &scope.counties());
    within(&mut filter, "(p.village >= ? and p.village < ?)", scope);
    in_force(&mut filter, day);
    let sql = format!(
        "select p.village, p.no, p.cadre, c.roles from teams p
         left join cadres c on c.no = p.cadre{}",
        filter.clause()
    );
    let member = |row: &Row| {
        Ok(Member {
            village: row.text(0)?.to_owned(),
            team: row.text(1)?.to_owned(),
            cadre: row.text(2)?.to_owned(),
            roles: row.opt_text(3)?.unwrap_or_default().to_owned(),
        })
    };
    tx.query(&sql, filter.params()).await?.iter().map(member).collect()
}

/// How many cadres of a scope have each set of roles.
pub(super) async fn cadres_by_roles(
    tx: &mut Tx,
    scope: &Scope,
) -> Result<Vec<(String, i64)>, DbError> {
    let mut filter = Filter::new();
    within(&mut filter, "(area >= ? and area < ?)", scope);
    let sql = format!(
        "select roles, cast(count(*) as bigint) from cadres{} group by roles",
        filter.clause()
    );
    let rows = tx.query(&sql, filter.params()).await?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?))).collect()
}
