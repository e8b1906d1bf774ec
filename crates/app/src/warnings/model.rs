//! What becomes of a warning. Pure.

use daohu_base::Day;
use daohu_policy::Warning as Rule;
use serde_json::json;

use crate::{
    follow_ups::State,
    journal::{Act, Action, Change},
    keys::{Keys, hex},
    sheet::Meta,
};

/// How the journal calls one.
pub(crate) const WARNING: &str = "warning";

/// What somebody said of a warning that he looked after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Closing {
    /// A code of 预警核查结论.
    pub(super) outcome: i64,
    pub(super) on: String,
    pub(super) by: String,
    pub(super) reason: String,
    /// From this day on the rule may raise another one.
    pub(super) again_on: String,
}

/// Something that somebody must look after because a rule is true of a household.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Warning {
    pub(super) county: String,
    pub(super) id: String,
    pub(super) household: i64,
    pub(super) rule: String,
    pub(super) level: String,
    pub(super) assign: String,
    pub(super) raised_on: String,
    /// The day that the rule was asked about.
    pub(super) looked_on: String,
    pub(super) due_on: String,
    /// Since when the rule is no longer true.
    pub(super) cleared_on: Option<String>,
    pub(super) closing: Option<Closing>,
    pub(super) meta: Meta,
}

/// When rules are asked: today, and about which day.
#[derive(Clone, Copy, Debug)]
pub(super) struct When {
    pub(super) today: Day,
    pub(super) on: Day,
}

/// What a run does about a household and a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Raise,
    /// The rule is no longer true.
    Clear,
    /// It is true again, before anybody closed it.
    Return,
}

/// A rule's day, counted from another one.
fn later(day: Day, days: i64) -> String {
    Day::from_epoch_days(day.epoch_days() + days).to_string()
}

/// What is to be done where the last warning of a household and rule is this one, and the rule is true or is not.
pub(super) fn step(last: Option<&Warning>, is_true: bool, when: When) -> Option<Step> {
    let Some(last) = last else { return is_true.then_some(Step::Raise) };
    if when.on.to_string() < last.looked_on {
        return None;
    }
    match (&last.closing, is_true) {
        (Some(closing), true) => {
            (closing.again_on <= when.today.to_string()).then_some(Step::Raise)
        }
        (Some(_), false) => None,
        (None, true) => last.cleared_on.is_some().then_some(Step::Return),
        (None, false) => last.cleared_on.is_none().then_some(Step::Clear),
    }
}

impl Warning {
    /// The warning that a rule raises.
    pub(super) fn new(
        keys: &Keys,
        (county, household): (&str, i64),
        rule: &Rule,
        when: When,
        meta: Meta,
    ) -> Self {
        let (id, raised_on) = (&rule.head.id, when.today.to_string());
        Self {
            county: county.to_owned(),
            id: hex(&keys.identity(&format!("warning {household}/{id}/{raised_on}"))),
            household,
            rule: id.clone(),
            level: rule.level.as_str().to_owned(),
            assign: rule.assign.as_str().to_owned(),
            raised_on,
            looked_on: when.on.to_string(),
            due_on: later(when.today, rule.handle_days),
            cleared_on: None,
            closing: None,
            meta,
        }
    }

    /// This one after its rule was asked again.
    pub(super) fn asked_again(&self, step: Step, when: When, act: &Act) -> Self {
        let cleared_on = (step == Step::Clear).then(|| when.today.to_string());
        let looked_on = when.on.to_string();
        Self { cleared_on, looked_on, meta: self.next(act), ..self.clone() }
    }

    /// This one after somebody looked after it; quiet for so many days.
    pub(super) fn closed(
        &self,
        act: &Act,
        (outcome, reason): (i64, String),
        quiet_days: i64,
    ) -> Self {
        let today = act.at.day();
        let (on, again_on) = (today.to_string(), later(today, quiet_days));
        let closing = Closing { outcome, on, by: act.actor.name.clone(), reason, again_on };
        Self { closing: Some(closing), meta: self.next(act), ..self.clone() }
    }

    fn next(&self, act: &Act) -> Meta {
        Meta { updated_at: act.at.0, version: self.meta.version + 1, ..self.meta.clone() }
    }

    pub(super) fn state(&self) -> State {
        if self.closing.is_some() { State::Closed } else { State::Open }
    }

    /// How many days it was open, or has been.
    pub(super) fn age_days(&self, today: Day) -> i64 {
        let end = self.closing.as_ref().and_then(|own| Day::parse(&own.on).ok()).unwrap_or(today);
        let raised = Day::parse(&self.raised_on).unwrap_or(end);
        end.epoch_days() - raised.epoch_days()
    }

    /// As the journal names it: whose it is can be read from it.
    pub(super) fn key(&self) -> String {
        format!("{}/{}", self.household, self.id)
    }

    /// The journal's object.
    pub(super) fn to_journal(&self) -> String {
        let closing = self.closing.as_ref();
        json!({
            "county": self.county,
            "id": self.id,
            "household": self.household,
            "rule": self.rule,
            "level": self.level,
            "assign": self.assign,
            "raised_on": self.raised_on,
            "looked_on": self.looked_on,
            "due_on": self.due_on,
            "cleared_on": self.cleared_on,
            "outcome": closing.map(|own| own.outcome),
            "closed_on": closing.map(|own| &own.on),
            "closed_by": closing.map(|own| &own.by),
            "reason": closing.map(|own| &own.reason),
            "again_on": closing.map(|own| &own.again_on),
        })
        .to_string()
    }
}

/// The journal's entry of a warning that is new or changed.
pub(super) fn change(before: Option<&Warning>, after: &Warning) -> Change {
    Change {
        county: after.county.clone(),
        kind: WARNING,
        record: after.key(),
        action: if before.is_none() { Action::Created } else { Action::Updated },
        before: before.map(Warning::to_journal),
        after: Some(after.to_journal()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    fn warning(looked_on: &str) -> Warning {
        Warning {
            county: String::new(),
            id: String::new(),
            household: 1,
            rule: "water".to_owned(),
            level: String::new(),
            assign: String::new(),
            raised_on: looked_on.to_owned(),
            looked_on: looked_on.to_owned(),
            due_on: looked_on.to_owned(),
            cleared_on: None,
            closing: None,
            meta: Meta { created_at: 0, created_by: String::new(), updated_at: 0, version: 1 },
        }
    }

    #[test]
    fn each_state_has_its_step() {
        let open = warning("2020-01-01");
        let cleared = Warning { cleared_on: Some("2020-02-01".to_owned()), ..open.clone() };
        let closing = Closing {
            outcome: 1,
            on: "2020-03-01".to_owned(),
            by: String::new(),
            reason: String::new(),
            again_on: "2020-05-30".to_owned(),
        };
        let closed = Warning { closing: Some(closing), ..open.clone() };
        let at = |text: &str| When { today: day(text), on: day(text) };
        let now = at("2020-04-01");
        for (last, is_true, when, wanted) in [
            (None, true, now, Some(Step::Raise)),
            (None, false, now, None),
            (Some(&open), true, now, None),
            (Some(&open), false, now, Some(Step::Clear)),
            (Some(&cleared), false, now, None),
            (Some(&cleared), true, now, Some(Step::Return)),
            (Some(&closed), true, now, None),
            (Some(&closed), true, at("2020-05-29"), None),
            (Some(&closed), true, at("2020-05-30"), Some(Step::Raise)),
            (Some(&closed), false, at("2020-05-30"), None),
            (Some(&open), false, at("2019-12-31"), None),
            (Some(&cleared), true, at("2019-12-31"), None),
            (Some(&closed), true, When { today: day("2021-01-01"), on: day("2019-12-31") }, None),
        ] {
            assert_eq!(step(last, is_true, when), wanted, "{last:?} {is_true} {when:?}");
        }
    }
}
