//! Who has to put right how much.
//!
//! A page is read cadre by cadre: of those who come next, only the households that they answer for are judged.
//! What nobody answers for is one line, which stands first and is counted for the first page alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use daohu_base::{AreaCode, Day, Scope};
use daohu_db::{FutureExt, Tx};

use super::{listing::Wanted, ops, reader::Reader};
use crate::{
    Context, Error, areas,
    households::rows::Which,
    registers::{self, rows as pairings},
};

/// Cadres whose households are judged together.
const CADRES: usize = 50;
/// Households that are asked for by one statement.
const HOMES: usize = 500;

/// What a cadre has to put right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Duty {
    /// Households with findings.
    pub(super) households: i64,
    pub(super) findings: i64,
}

impl Duty {
    /// Counts a household with so many findings.
    pub(super) fn count(&mut self, findings: usize) {
        if findings > 0 {
            self.households += 1;
            self.findings += i64::try_from(findings).unwrap_or(i64::MAX);
        }
    }

    /// The sum of two.
    pub(super) fn plus(self, other: Self) -> Self {
        let households = self.households + other.households;
        Self { households, findings: self.findings + other.findings }
    }
}

/// By the cadre's number; without one, what nobody answers for.
pub(super) type Line = (Option<String>, Duty);

/// The next cadres who have something to put right in an area, by number, behind one; what nobody answers for
/// comes first. Gives the last cadre that was looked at, if there may be more.
pub(super) async fn page(
    context: &Context,
    scope: &Scope,
    (area, on): (AreaCode, Day),
    wanted: Wanted,
    after: Option<Option<String>>,
    rows: usize,
) -> Result<(Vec<Line>, Option<Option<String>>), Error> {
    let scope = areas::ops::reported(scope, &area)?;
    areas::ops::check_known(context, &area).await?;
    let mut lines = Vec::new();
    if after.is_none() {
        let (policy, wanted) = (context.policy.clone(), wanted.clone());
        let wants = move |finding| wanted.wants(&policy, finding);
        let nobodys = ops::unanswered(context, scope.clone(), (area.clone(), on), wants).await?;
        lines.extend((nobodys.findings > 0).then_some((None, nobodys)));
    }
    let (keys, policy) = (context.keys.clone(), context.policy.clone());
    let work = async move |tx: &mut Tx| {
        let most = policy.quality_reports().page_records_max;
        let mut reader = Reader::new(&keys, &policy, scope, on);
        let (mut last, mut looked_at) = (after.flatten(), 0);
        loop {
            let room = rows.saturating_sub(lines.len());
            if room == 0 || looked_at >= most {
                return Ok((lines, Some(last)));
            }
            let on = on.to_string();
            let behind = last.as_deref().unwrap_or_default();
            let (kinds, of) = (&reader.kinds, (behind, room.min(CADRES)));
            let cadres = pairings::cadres_behind(tx, &reader.scope, kinds, &on, of).await?;
            let Some(next) = cadres.last() else { return Ok((lines, None)) };
            last = Some(next.clone());
            let homes = pairings::answered_by(tx, &cadres, kinds, &on).await?;
            let (duties, judged) =
                judge(tx, &mut reader, (&area, homes), |found| wanted.wants(&policy, found))
                    .await?;
            looked_at += judged;
            let of_these = duties.into_iter().filter(|(cadre, _)| cadres.contains(cadre));
            lines.extend(of_these.map(|(cadre, duty)| (Some(cadre), duty)));
        }
    };
    context.db.read_scan(move |tx| async move { work(tx).await }.boxed()).await
}

/// Judges these households as far as they lie in the area; gives what each cadre has to put right of them, and
/// how many they are.
async fn judge(
    tx: &mut Tx,
    reader: &mut Reader<'_>,
    (area, homes): (&AreaCode, Vec<(String, i64)>),
    wants: impl Fn(super::model::Finding) -> bool,
) -> Result<(BTreeMap<String, Duty>, usize), Error> {
    let mut by_county: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
    for (county, household) in homes {
        by_county.entry(county).or_default().insert(household);
    }
    let around = Scope::of([area.clone()]).counties();
    by_county.retain(|county, _| around.covers(county));
    let (mut duties, mut judged) = (BTreeMap::<String, Duty>::new(), 0);
    for (county, homes) in by_county {
        let homes: Vec<i64> = homes.into_iter().collect();
        for some in homes.chunks(HOMES) {
            reader.enter(&county, 0);
            while let Some(homes) = reader.next_few(tx, Which::These(some)).await? {
                judged += homes.len();
                for home in &homes {
                    let found = reader.judge(home);
                    let findings = found.iter().filter(|(_, finding)| wants(*finding)).count();
                    for cadre in reader.cadres(home).iter().filter(|_| findings > 0) {
                        duties.entry(cadre.clone()).or_default().count(findings);
                    }
                }
            }
        }
    }
    Ok((duties, judged))
}

/// The names of the cadres of these lines.
pub(super) async fn names(
    context: &Context,
    lines: &[Line],
) -> Result<HashMap<String, String>, Error> {
    let cadres: Vec<String> = lines.iter().filter_map(|(cadre, _)| cadre.clone()).collect();
    let read = async move |tx: &mut Tx| registers::cadre_names(tx, cadres).await;
    context.db.read(move |tx| async move { read(tx).await }.boxed()).await
}
