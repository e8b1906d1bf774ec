//! Grants in areas that ended.

use std::collections::BTreeMap;

use daohu_base::AreaCode;
use daohu_db::Tx;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::sql;
use crate::{
    Error,
    accounts::{
        model::{Grant, change},
        passwords, sessions, users,
    },
    journal::{Act, Change},
};

/// What became of a user's grant in an area that ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FollowedGrant {
    /// The user's name; null for who may not see accounts.
    pub user: Option<String>,
    /// The role.
    pub role: String,
    /// The area that ended.
    #[schema(value_type = String)]
    pub from: AreaCode,
    /// Where it holds now. Nowhere: the area lies in one that is larger than it, and whoever gives roles has to
    /// say whether the user is to see all of that.
    #[schema(value_type = Vec<String>)]
    pub to: Vec<AreaCode>,
}

/// Ends the grants in areas that ended, and gives the same roles in those that follow them, for as long as
/// they were given. The sessions of these users end. Also gives what the caller has to journal.
pub(crate) async fn follow_areas(
    tx: &mut Tx,
    act: &Act,
    followers: &BTreeMap<AreaCode, Vec<AreaCode>>,
) -> Result<(Vec<FollowedGrant>, Vec<Change>), Error> {
    let today = act.at.day();
    let (mut found, mut changes) = (Vec::new(), Vec::new());
    for before in sql::in_areas(tx, followers.keys()).await? {
        let area = before.area.clone();
        let Some((from, to)) = area.and_then(|area| followers.get_key_value(&area)) else {
            continue;
        };
        let user = users::sql::lock(tx, &before.user_id).await?.ok_or(Error::NotFound("user"))?;
        // Who takes grants away locks the user: what was read before may not hold any more.
        let held = sql::of_user(tx, &user.id).await?;
        let Some(before) = held.iter().find(|grant| grant.id == before.id).cloned() else {
            continue;
        };
        if before.has_ended_on(today) {
            continue;
        }
        let mut ended = before.clone();
        // A grant that was to begin later ends before it begins.
        ended.ends_on = Some(today.max(before.starts_on));
        ended.version += 1;
        sql::end(tx, &ended, act.at).await?;
        changes.extend(sessions::ops::end_all(tx, &user.id, None).await?);
        changes.push(change("grant", &ended.id, Some(&before), &ended));
        for area in to {
            let grant = Grant {
                id: passwords::new_id(act.at)?,
                area: Some(area.clone()),
                starts_on: today.max(before.starts_on),
                created_at: act.at,
                created_by: act.actor.name.clone(),
                version: 1,
                ..before.clone()
            };
            // One that the user has there already takes its place only if it lasts as long.
            if held.iter().any(|held| held.covers(&grant)) {
                continue;
            }
            sql::insert(tx, &grant).await?;
            changes.push(change("grant", &grant.id, None, &grant));
        }
        let (user, role) = (Some(user.name), before.role);
        found.push(FollowedGrant { user, role, from: from.clone(), to: to.clone() });
    }
    found.sort_by(|one, other| (&one.user, &one.role).cmp(&(&other.user, &other.role)));
    Ok((found, changes))
}
