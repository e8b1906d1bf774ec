//! Users, grants, sessions: types, rules and decisions.

use std::fmt;

use daohu_base::{AreaCode, Day, IdNumber, Timestamp};
use daohu_policy::{Policy, Role, Security};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    Error, FieldError,
    journal::{Action, Change, NO_COUNTY},
};

const NAME_CHARACTERS: std::ops::RangeInclusive<usize> = 3..=32;
const DISPLAY_NAME_CHARACTERS: std::ops::RangeInclusive<usize> = 1..=64;
/// Names under which the journal writes acts of no user.
const NAMES_RESERVED: [&str; 2] = ["system", "anonymous"];
const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;
/// A session's `used_at` is written at most this often: reading must not become writing.
const TOUCH_MS: i64 = MINUTE_MS;

/// A user, without the password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the columns of the table, described in the migration")]
pub struct User {
    pub id: String,
    pub name: String,
    pub display_name: String,
    pub must_change: bool,
    pub is_locked: bool,
    pub locked_until: Option<Timestamp>,
    pub password_at: Timestamp,
    pub created_at: Timestamp,
    pub created_by: String,
    pub updated_at: Timestamp,
    pub version: i64,
    // Left out where there is none: entries of the journal from before there were any stay what the
    // row says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_factor_at: Option<Timestamp>,
}

/// A role in an area for a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// Names it.
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// The role's name in the policy.
    pub role: String,
    /// Where; none for an administrator's role.
    pub area: Option<AreaCode>,
    /// The first day on which it holds.
    pub starts_on: Day,
    /// The first day on which it holds no more.
    pub ends_on: Option<Day>,
    /// Since when it stands.
    pub created_at: Timestamp,
    /// Who gave it.
    pub created_by: String,
    /// Its version.
    pub version: i64,
}

/// A user with an open session.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// The grants that hold today.
    pub grants: Vec<Grant>,
    /// The hash of the session's token.
    pub(crate) token_hash: String,
}

/// What sign-in looks at.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) user: User,
    pub(super) password_hash: String,
    pub(super) failures: i64,
}

/// An open session.
#[derive(Clone, Debug)]
pub(super) struct SessionRow {
    pub(super) token_hash: String,
    pub(super) user_id: String,
    pub(super) created_at: Timestamp,
    pub(super) used_at: Timestamp,
    pub(super) ends_at: Timestamp,
    pub(super) address: String,
    pub(super) agent: String,
}

/// What an attempt to sign in proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    WrongPassword,
    /// The password is right, and a code is wanted that was not given.
    NoCode,
    /// The password is right, the code is not.
    WrongCode,
    /// All that is asked for; with the code to be spent, where one is asked for.
    Whole(Option<Code>),
}

/// A code that is right, and how it is kept from being used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// That of this step.
    OfStep(i64),
    /// The recovery code with this hash.
    Recovery([u8; 16]),
}

/// What comes of an attempt to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Admitted,
    /// Neither a success nor a failure: the code is to follow.
    CodeWanted,
    /// The state to write; `locks_out` if this attempt was the last that is allowed.
    Refused {
        failures: i64,
        locked_until: Option<Timestamp>,
        locks_out: bool,
    },
}

impl Credentials {
    /// True if nothing that is brought admits the user now.
    pub(super) fn is_shut(&self, now: Timestamp) -> bool {
        self.user.is_locked || self.user.locked_until.is_some_and(|until| now < until)
    }

    /// Decides an attempt. While locked out nothing counts, so that nobody can be kept out for
    /// longer than the policy says by whoever keeps trying.
    pub(super) fn judge(&self, proof: Proof, now: Timestamp, limits: &Security) -> Verdict {
        if self.is_shut(now) {
            let (failures, locked_until) = (self.failures, self.user.locked_until);
            return Verdict::Refused { failures, locked_until, locks_out: false };
        }
        match proof {
            Proof::Whole(_) => return Verdict::Admitted,
            Proof::NoCode => return Verdict::CodeWanted,
            Proof::WrongPassword | Proof::WrongCode => {}
        }
        let failures = self.failures + 1;
        if failures < limits.lockout_failures {
            return Verdict::Refused { failures, locked_until: None, locks_out: false };
        }
        let until = now.plus_ms(limits.lockout_minutes.saturating_mul(MINUTE_MS));
        Verdict::Refused { failures: 0, locked_until: Some(until), locks_out: true }
    }
}

impl SignedIn {
    /// True if a role that the user holds today needs a second factor.
    pub(crate) fn needs_second_factor(&self, policy: &Policy) -> bool {
        let mut roles = self.grants.iter().filter_map(|grant| policy.role(&grant.role));
        roles.any(|role| role.needs_second_factor)
    }
}

impl SessionRow {
    /// True if the session has ended, by age or by idleness.
    pub(super) fn has_ended(&self, now: Timestamp, limits: &Security) -> bool {
        let idle_ms = limits.session_idle_minutes.saturating_mul(MINUTE_MS);
        now >= self.ends_at || now >= self.used_at.plus_ms(idle_ms)
    }

    /// True if it is time to write that the session is in use.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        now >= self.used_at.plus_ms(TOUCH_MS)
    }

    /// What names the session to its owner: not the token, and of no use for signing in.
    pub(super) fn id(&self) -> &str {
        session_id(&self.token_hash)
    }
}

/// The name of the session with this hash.
pub(super) fn session_id(token_hash: &str) -> &str {
    token_hash.get(..16).unwrap_or(token_hash)
}

/// When a session that begins now ends at the latest.
pub(super) fn ends_at(now: Timestamp, limits: &Security) -> Timestamp {
    now.plus_ms(limits.session_absolute_hours.saturating_mul(HOUR_MS))
}

impl Grant {
    /// True if it holds on this day.
    pub fn holds_on(&self, day: Day) -> bool {
        self.starts_on <= day && !self.has_ended_on(day)
    }

    /// True if it holds no more on this day and afterwards.
    pub fn has_ended_on(&self, day: Day) -> bool {
        self.ends_on.is_some_and(|end| end <= day)
    }

    /// True if the other gives the same role in the same area.
    fn is_alike(&self, other: &Self) -> bool {
        self.role == other.role && self.area == other.area
    }

    /// True if this and the other give the same on some day. Each grant holds by itself: of two that overlap the
    /// later end would count, and who took one away would not see that the other goes on.
    pub(super) fn repeats(&self, other: &Self) -> bool {
        self.is_alike(other)
            && !self.has_ended_on(other.starts_on)
            && !other.has_ended_on(self.starts_on)
    }

    /// True if this gives all that the other does, on each of its days.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let lasts = match (self.ends_on, other.ends_on) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(end)) => own >= end,
        };
        self.is_alike(other) && self.starts_on <= other.starts_on && lasts
    }
}

impl fmt::Display for Grant {
    /// As the journal names an authority: `office_clerk@500242`, `security_admin`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.area {
            Some(area) => write!(f, "{}@{area}", self.role),
            None => f.write_str(&self.role),
        }
    }
}

/// Whether a user who holds `held` may be given the role as well. `held` may have grants that begin
/// later, but none that has ended.
pub(super) fn may_add(
    policy: &Policy,
    held: &[Grant],
    role: &Role,
    area: Option<&AreaCode>,
) -> Result<(), Error> {
    let is_exclusive = |name: &str| policy.role(name).is_some_and(|role| role.exclusive);
    let others = || held.iter().filter(|grant| grant.role != role.name);
    if others().any(|grant| role.exclusive || is_exclusive(&grant.role)) {
        return Err(Error::Refused("grant.exclusive"));
    }
    match (role.exclusive, area) {
        (true, Some(_)) => Err(invalid("area", "grant.area_not_wanted")),
        (false, None) => Err(invalid("area", "grant.area_missing")),
        _ => Ok(()),
    }
}

/// One field is wrong; the edge finds the words by the code.
pub(super) fn invalid(column: &str, code: &'static str) -> Error {
    let (column, message) = (column.to_owned(), String::new());
    Error::Invalid(vec![FieldError { column, value: None, code, message, ..FieldError::default() }])
}

/// Whether a user may have this name.
pub(super) fn check_name(name: &str, today: Day) -> Result<(), Error> {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let begins_well = name.bytes().next().is_some_and(is_plain);
    let is_well = name.bytes().all(|b| is_plain(b) || matches!(b, b'.' | b'_' | b'-'));
    if !begins_well || !is_well || !NAME_CHARACTERS.contains(&name.len()) {
        return Err(invalid("name", "user.bad_name"));
    }
    if NAMES_RESERVED.contains(&name) {
        return Err(invalid("name", "user.name_reserved"));
    }
    // The journal shows names; it must not show ID numbers.
    if IdNumber::parse(&name.to_ascii_uppercase(), today).is_ok() {
        return Err(invalid("name", "user.name_is_id_number"));
    }
    Ok(())
}

/// Whether a user may be called this.
pub(super) fn check_display_name(name: &str) -> Result<(), Error> {
    let is_well = DISPLAY_NAME_CHARACTERS.contains(&name.chars().count())
        && name.trim() == name
        && !name.chars().any(char::is_control);
    if is_well { Ok(()) } else { Err(invalid("display_name", "user.bad_display_name")) }
}

/// The journal's entry of a changed record that belongs to no county.
pub(super) fn change<T: Serialize>(
    kind: &'static str,
    record: &str,
    before: Option<&T>,
    after: &T,
) -> Change {
    let after = columns(after);
    let changed = before.map(columns).map(|mut before| {
        before.retain(|column, value| after.get(column) != Some(value));
        Value::Object(before).to_string()
    });
    let action = if changed.is_some() { Action::Updated } else { Action::Created };
    let (record, after) = (record.to_owned(), Some(Value::Object(after).to_string()));
    Change { county: NO_COUNTY.to_owned(), kind, record, action, before: changed, after }
}

/// The record as its journal entries write it.
pub(super) fn journaled<T: Serialize>(record: &T) -> String {
    Value::Object(columns(record)).to_string()
}

fn columns<T: Serialize>(record: &T) -> Map<String, Value> {
    match serde_json::to_value(record) {
        Ok(Value::Object(columns)) => columns,
        _ => Map::new(),
    }
}

/// The journal's entry of what happened to a user's session.
pub(super) fn session_change(user_id: &str, action: Action, about: &Value) -> Change {
    event("session", user_id, action, about)
}

/// The journal's entry of what happened to a user's second factor.
pub(super) fn factor_change(user_id: &str, action: Action, about: &Value) -> Change {
    event("second_factor", user_id, action, about)
}

fn event(kind: &'static str, user_id: &str, action: Action, about: &Value) -> Change {
    let (county, record) = (NO_COUNTY.to_owned(), user_id.to_owned());
    Change { county, kind, record, action, before: None, after: Some(about.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy::embedded().unwrap()
    }

    fn grant(role: &str, area: Option<&str>) -> Grant {
        Grant {
            id: "1".into(),
            user_id: "1".into(),
            role: role.into(),
            area: area.map(|code| AreaCode::parse(code).unwrap()),
            starts_on: Day::parse("2020-01-01").unwrap(),
            ends_on: None,
            created_at: Timestamp(0),
            created_by: "system".into(),
            version: 1,
        }
    }

    fn code<T>(result: Result<T, Error>) -> &'static str {
        match result {
            Ok(_) => "ok",
            Err(Error::Refused(code)) => code,
            Err(Error::Invalid(fields)) => fields[0].code,
            Err(_) => "other",
        }
    }

    #[test]
    fn administrators_stand_alone() {
        let policy = policy();
        let village = ("village_clerk", Some("500242100201"));
        for (held, (role, area), expected) in [
            (vec![], ("security_admin", None), "ok"),
            (vec![], ("security_admin", Some("500242")), "grant.area_not_wanted"),
            (vec![], ("cadre", None), "grant.area_missing"),
            (vec![("security_admin", None)], ("audit_admin", None), "grant.exclusive"),
            (vec![("security_admin", None)], village, "grant.exclusive"),
            (vec![village], ("system_admin", None), "grant.exclusive"),
            (vec![village], ("village_clerk", Some("500242100202")), "ok"),
            (vec![village], ("leader", Some("500242")), "ok"),
        ] {
            let held: Vec<Grant> = held.into_iter().map(|(role, area)| grant(role, area)).collect();
            let area = area.map(|code| AreaCode::parse(code).unwrap());
            let result = may_add(&policy, &held, policy.role(role).unwrap(), area.as_ref());
            assert_eq!(code(result), expected, "{role} beside {held:?}");
        }
    }

    #[test]
    fn one_role_goes_on_in_a_second_grant_and_is_not_given_twice() {
        let of = |from: &str, to: Option<&str>| {
            let day = |text: &str| Day::parse(text).unwrap();
            let (starts_on, ends_on) = (day(from), to.map(day));
            Grant { starts_on, ends_on, ..grant("cadre", Some("500242")) }
        };
        let held = of("2020-01-01", Some("2020-02-01"));
        for (other, repeats, covers) in [
            (of("2020-02-01", None), false, false),
            (of("2019-12-01", Some("2020-01-01")), false, false),
            (of("2020-01-31", None), true, false),
            (of("2020-01-10", Some("2020-02-01")), true, true),
            (of("2019-12-01", Some("2020-01-02")), true, false),
        ] {
            assert_eq!(
                (held.repeats(&other), other.repeats(&held)),
                (repeats, repeats),
                "{other:?}"
            );
            assert_eq!(held.covers(&other), covers, "{other:?}");
        }
        assert!(of("2020-01-01", None).covers(&of("2021-01-01", None)));
        let elsewhere = Grant { area: None, ..held.clone() };
        assert!(!elsewhere.repeats(&held) && !elsewhere.covers(&held));
    }

    #[test]
    fn a_grant_holds_from_its_first_day_until_the_day_it_ends() {
        let mut grant = grant("cadre", Some("500242"));
        grant.ends_on = Some(Day::parse("2020-02-01").unwrap());
        for (day, holds) in [
            ("2019-12-31", false),
            ("2020-01-01", true),
            ("2020-01-31", true),
            ("2020-02-01", false),
        ] {
            assert_eq!(grant.holds_on(Day::parse(day).unwrap()), holds, "{day}");
        }
        assert_eq!(grant.to_string(), "cadre@500242");
    }

    #[test]
    fn names_are_plain_and_no_id_numbers() {
        let today = Day::parse("2020-01-01").unwrap();
        for (name, expected) in [
            ("li.na-2", "ok"),
            ("007", "ok"),
            ("ab", "user.bad_name"),
            ("Lina", "user.bad_name"),
            ("李娜李娜", "user.bad_name"),
            (".lina", "user.bad_name"),
            ("system", "user.name_reserved"),
            ("990102197001010112", "user.name_is_id_number"),
        ] {
            assert_eq!(code(check_name(name, today)), expected, "{name}");
        }
        assert_eq!(code(check_display_name("李娜")), "ok");
        assert_eq!(code(check_display_name(" 李娜")), "user.bad_display_name");
        assert_eq!(code(check_display_name("")), "user.bad_display_name");
    }

    #[test]
    fn the_last_failure_locks_out_for_a_while() {
        let policy = policy();
        let limits = policy.security();
        let now = Timestamp(1_000_000);
        let mut user = Credentials {
            user: User {
                id: "1".into(),
                name: "a".into(),
                display_name: "A".into(),
                must_change: false,
                is_locked: false,
                locked_until: None,
                password_at: now,
                created_at: now,
                created_by: "system".into(),
                updated_at: now,
                version: 1,
                second_factor_at: None,
            },
            password_hash: String::new(),
            failures: limits.lockout_failures - 1,
        };
        let end = now.plus_ms(limits.lockout_minutes * MINUTE_MS);
        let refused = |failures, locked_until, locks_out| Verdict::Refused {
            failures,
            locked_until,
            locks_out,
        };
        let right = Proof::Whole(None);
        assert_eq!(user.judge(right, now, limits), Verdict::Admitted);
        assert_eq!(user.judge(Proof::NoCode, now, limits), Verdict::CodeWanted);
        for wrong in [Proof::WrongPassword, Proof::WrongCode] {
            assert_eq!(user.judge(wrong, now, limits), refused(0, Some(end), true));
        }
        (user.failures, user.user.locked_until) = (0, Some(end));
        // Until then not even that the password is right is told.
        for proof in [right, Proof::NoCode] {
            assert_eq!(user.judge(proof, end.plus_ms(-1), limits), refused(0, Some(end), false));
        }
        assert_eq!(user.judge(right, end, limits), Verdict::Admitted);
        user.user.is_locked = true;
        assert_eq!(user.judge(right, end, limits), refused(0, Some(end), false));
    }
}
