//! What leads and warnings have in common: somebody looks after each until he says what came of it, and of those that he
//! looked after some were so.

use std::collections::BTreeMap;

use daohu_base::{AreaCode, AreaLevel, Scope};
use daohu_policy::CodeSet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Context, Error, Lang, areas,
    households::{self, Marks},
    sheet::refused,
};

/// Where something that somebody looks after is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FollowUpState)]
pub(crate) enum State {
    /// Somebody is to look after it.
    Open,
    /// Somebody did, and said what came of it.
    Closed,
}

impl State {
    /// As stored and as written in requests.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }

    /// The state of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Open, Self::Closed].into_iter().find(|state| state.as_str() == name)
    }
}

/// A level of the packs, in words.
pub(crate) fn level_says(level: &str, lang: Lang) -> &str {
    match level {
        "high" => lang.pick("高", "high"),
        "medium" => lang.pick("中", "medium"),
        "low" => lang.pick("低", "low"),
        other => other,
    }
}

/// Who looks after it, in words.
pub(crate) fn assignee_says(assignee: &str, lang: Lang) -> &str {
    match assignee {
        "responsible_cadre" => lang.pick("帮扶责任人", "responsible cadre"),
        "village" => lang.pick("村", "village"),
        "township" => lang.pick("乡镇", "township"),
        "county" => lang.pick("县", "county"),
        other => other,
    }
}

/// What came of it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Close {
    /// A code of 线索核查结论 for a lead, of 预警核查结论 for a warning, or its name.
    pub(crate) outcome: String,
    /// What was found.
    pub(crate) reason: String,
}

/// The outcome and the reason that somebody gives, if the outcome is of a list and the reason says something.
pub(crate) fn said(
    context: &Context,
    list: &str,
    (outcome, reason): (&str, &str),
) -> Result<(i64, String), Error> {
    let codes = ["follow_up.reason_too_short", "follow_up.reason_too_long"];
    let reason = households::check_reason_of(context, reason, codes)?;
    let outcome = context.policy.list(list).and_then(|list| list.parse(outcome).ok());
    let outcome = outcome.ok_or_else(|| refused("outcome", "follow_up.bad_outcome"))?;
    Ok((outcome.into(), reason))
}

/// What the follow-ups of an area come to, and those of the areas below it that have any, as they are counted of a scope by the
/// areas whose codes have so many digits, on a day; outcomes are of a list.
pub(crate) async fn figures(
    context: &Context,
    (scope, area): (&Scope, &AreaCode),
    list: &str,
    counted: impl AsyncFnOnce(Scope, usize, String) -> Result<Vec<Counted>, Error>,
) -> Result<AreaFollowUps, Error> {
    let scope = areas::ops::reported(scope, area)?;
    areas::ops::check_known(context, area).await?;
    let below = area.level().below().unwrap_or(AreaLevel::Village).min(AreaLevel::Village);
    let today = context.clock.now().day().to_string();
    let counted = counted(scope, below.digits(), today).await?;
    let confirmed = Marks::new(&context.policy).set(list, "confirmed");
    Ok(AreaFollowUps::new(area, &counted, &confirmed))
}

/// Those of one place, origin, state and outcome, and how many of them are past their day.
pub(crate) struct Counted {
    pub(crate) area: String,
    /// The check or the rule that they come from.
    pub(crate) of: String,
    pub(crate) state: State,
    pub(crate) outcome: Option<i64>,
    pub(crate) count: i64,
    pub(crate) overdue: i64,
}

/// How many there are, and what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    open: i64,
    overdue: i64,
    closed: i64,
    confirmed: i64,
}

/// How many of one origin there are, and what came of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FollowUpCounts {
    /// The check of a lead, the rule of a warning.
    of: String,
    /// As many as are listed with it and the state `open`.
    open: i64,
    /// Of these, those past their day.
    overdue: i64,
    closed: i64,
    /// Of the closed ones, those that were so.
    confirmed: i64,
    /// Confirmed of closed, with one decimal; null where none is closed.
    precision_percent: Option<f64>,
}

/// Those of an area.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AreaFollowUpCounts {
    area: String,
    counts: Vec<FollowUpCounts>,
}

/// Those of an area and of the areas directly below it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AreaFollowUps {
    area: AreaFollowUpCounts,
    /// The areas that have any. They add up to the area's own.
    children: Vec<AreaFollowUpCounts>,
}

/// Tallies by check or rule.
type Tallies = BTreeMap<String, Tally>;

impl Tally {
    fn add(&mut self, counted: &Counted, confirmed: &CodeSet) {
        match counted.state {
            State::Open => {
                self.open += counted.count;
                self.overdue += counted.overdue;
            }
            State::Closed => {
                self.closed += counted.count;
                let is_confirmed = confirmed.has(counted.outcome);
                self.confirmed += if is_confirmed { counted.count } else { 0 };
            }
        }
    }

    fn told(self, of: String) -> FollowUpCounts {
        let Self { open, overdue, closed, confirmed } = self;
        #[expect(clippy::cast_precision_loss, reason = "a share with one decimal")]
        let percent = |closed: i64| (confirmed * 1000 / closed) as f64 / 10.0;
        let precision_percent = Some(closed).filter(|closed| *closed > 0).map(percent);
        FollowUpCounts { of, open, overdue, closed, confirmed, precision_percent }
    }
}

impl AreaFollowUps {
    /// What an area comes to, and the areas below it that have any: by construction its own are their sums.
    fn new(area: &AreaCode, counted: &[Counted], confirmed: &CodeSet) -> Self {
        let (mut whole, mut parts) = (Tallies::new(), BTreeMap::<String, Tallies>::new());
        for counted in counted {
            whole.entry(counted.of.clone()).or_default().add(counted, confirmed);
            if counted.area != area.as_str() {
                let part = parts.entry(counted.area.clone()).or_default();
                part.entry(counted.of.clone()).or_default().add(counted, confirmed);
            }
        }
        let told = |area: String, own: Tallies| AreaFollowUpCounts {
            area,
            counts: own.into_iter().map(|(of, tally)| tally.told(of)).collect(),
        };
        let children = parts.into_iter().map(|(code, own)| told(code, own)).collect();
        Self { area: told(area.to_string(), whole), children }
    }
}
