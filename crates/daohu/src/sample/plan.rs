//! Who gets how much: the request turned into one work order per county.

use super::dice::{Dice, whole};
use super::facts::{Facts, PoorVillages, Totals, facts, totals};
use super::places::{Bounds, bounds};
use super::tree::{Size, Tree, is_town};
use super::{AreaRow, Error, Options, Place, YEARS};

/// Household numbers have eight digits behind the county code.
const HOUSEHOLDS_MAX: u64 = 99_999_999;

/// Which random stream serves what. A county's stream is its code times ten plus one of these; all
/// nine are taken. What is added draws from streams of its own, so that the rest stays as it was.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stream {
    Places = 1,
    People = 2,
    Dirt = 3,
    Villages = 4,
    Organisations = 5,
    Cadres = 6,
    Teams = 7,
    CadrePairings = 8,
    OrganisationPairings = 9,
}

const STREAMS: u64 = 10;

/// What to make of one county.
pub(super) struct CountyPlan<'a> {
    pub(super) county: &'a AreaRow,
    pub(super) facts: &'static Facts,
    pub(super) households: u64,
    /// The last year of income.
    pub(super) year: i32,
    /// Place among all counties, from which its ID numbers take their prefix.
    pub(super) rank: u32,
    pub(super) poor_county: Option<bool>,
    pub(super) poor_towns: Option<u32>,
    pub(super) poor_villages: PoorVillages,
    pub(super) bounds: Option<Bounds>,
    /// Townships and villages to make up if the area list has none.
    pub(super) size: Size,
    number: u64,
    seed: u64,
}

impl CountyPlan<'_> {
    /// A new pair of dice for the stream: the same throws each time.
    pub(super) fn dice(&self, stream: Stream) -> Dice {
        Dice::new(self.seed, self.number * STREAMS + stream as u64)
    }
}

/// Refuses what cannot be made, whatever the areas.
pub(super) fn check(options: &Options) -> Result<(), Error> {
    if !YEARS.contains(&options.year) {
        return Err(Error::Year(options.year));
    }
    if !(0.0..=1.0).contains(&options.dirty) {
        return Err(Error::Dirty(options.dirty));
    }
    Ok(())
}

/// The work orders, ordered by county code.
pub(super) fn plan<'a>(tree: &Tree<'a>, options: &Options) -> Result<Vec<CountyPlan<'a>>, Error> {
    let plans = match &options.place {
        Place::County { code } => {
            let county = tree.find(code).filter(|row| row.code.len() == 6);
            let county = county.ok_or_else(|| Error::UnknownPlace(code.clone()))?;
            let mut plan = county_plan(tree, county, options)?;
            plan.households = options.households;
            vec![plan]
        }
        Place::Province { code } => province(tree, code, options)?,
    };
    match plans.iter().find(|plan| plan.households > HOUSEHOLDS_MAX) {
        Some(plan) => Err(Error::TooManyHouseholds(plan.households)),
        None => Ok(plans),
    }
}

fn county_plan<'a>(
    tree: &Tree<'a>,
    county: &'a AreaRow,
    options: &Options,
) -> Result<CountyPlan<'a>, Error> {
    let code = county.code.as_str();
    let province = code.get(..2).unwrap_or_default();
    let peers = || tree.counties(province);
    let index = peers().take_while(|row| row.code.as_str() < code).count();
    let small = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let number = code.parse().map_err(|_| Error::Areas(format!("not a number: {code}")))?;
    let facts = facts(code).ok_or_else(|| Error::UnknownPlace(code.to_owned()))?;
    let mut plan = CountyPlan {
        county,
        facts,
        households: 0,
        year: i32::from(options.year),
        rank: tree.rank(code),
        poor_county: facts.poor_county,
        poor_towns: facts.poor_towns,
        poor_villages: facts.poor_villages,
        bounds: bounds(code, small(index), small(peers().count())),
        size: Size { towns: 0, villages: 0 },
        number,
        seed: options.seed,
    };
    plan.size = Size::draw(&mut plan.dice(Stream::Places));
    Ok(plan)
}

fn province<'a>(
    tree: &Tree<'a>,
    code: &str,
    options: &Options,
) -> Result<Vec<CountyPlan<'a>>, Error> {
    if tree.find(code).is_none_or(|row| row.code.len() != 2) {
        return Err(Error::UnknownPlace(code.to_owned()));
    }
    let mut plans = tree
        .counties(code)
        .map(|county| county_plan(tree, county, options))
        .collect::<Result<Vec<_>, _>>()?;
    if plans.is_empty() {
        return Err(Error::NoCounty(code.to_owned()));
    }
    let number = code.parse().map_err(|_| Error::Areas(format!("not a number: {code}")))?;
    let mut dice = Dice::new(options.seed, number);
    let weights: Vec<u64> = plans.iter().map(|plan| weight(plan.county, &mut dice)).collect();
    for (plan, share) in plans.iter_mut().zip(apportion(options.households, &weights)) {
        plan.households = share;
    }
    if let Some(totals) = totals(code) {
        flag(&mut plans, &weights, totals, tree);
    }
    Ok(plans)
}

/// Poor households live in counties rather than in city districts.
fn weight(county: &AreaRow, dice: &mut Dice) -> u64 {
    let base = match county.kind.as_str() {
        "市辖区" => 350.0,
        "县级市" => 800.0,
        _ => 1150.0,
    };
    u64::try_from(whole(base * dice.real(0.7, 1.3))).unwrap_or(1)
}

/// Shares the published totals out: the counties with the most poor people are the poor ones.
fn flag(plans: &mut [CountyPlan<'_>], weights: &[u64], totals: &Totals, tree: &Tree<'_>) {
    let known: Vec<(u64, u64)> = plans
        .iter()
        .map(|plan| {
            let places = tree.places(&plan.county.code, plan.size);
            let towns = places.iter().filter(|row| is_town(row)).count();
            (wide(towns), wide(places.len() - towns))
        })
        .collect();
    let limits = |pick: fn(&(u64, u64)) -> u64| known.iter().map(pick).collect::<Vec<u64>>();
    let towns = within(u64::from(totals.poor_towns), weights, &limits(|size| size.0));
    let villages = within(u64::from(totals.poor_villages), weights, &limits(|size| size.1));
    let mut order: Vec<usize> = (0..plans.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(weights.get(*index).copied()));
    let poor = usize::try_from(totals.poor_counties).unwrap_or(0).min(order.len());
    let (poor, _) = order.split_at(poor);
    for (index, ((plan, towns), villages)) in plans.iter_mut().zip(towns).zip(villages).enumerate()
    {
        plan.poor_county = Some(poor.contains(&index));
        plan.poor_towns = u32::try_from(towns).ok();
        plan.poor_villages = PoorVillages::Exactly(u32::try_from(villages).unwrap_or(0));
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Splits a total by weight into whole parts that add up to it: rounded down, then one more for
/// the largest remainders. Without any weight the parts are even.
pub(super) fn apportion(total: u64, weights: &[u64]) -> Vec<u64> {
    let sum = weights.iter().copied().map(u128::from).sum::<u128>().max(1);
    let exact = |weight: u64| u128::from(total) * u128::from(weight);
    let mut parts: Vec<u64> =
        weights.iter().map(|weight| u64::try_from(exact(*weight) / sum).unwrap_or(0)).collect();
    let mut order: Vec<(std::cmp::Reverse<u128>, usize)> = weights
        .iter()
        .enumerate()
        .map(|(index, weight)| (std::cmp::Reverse(exact(*weight) % sum), index))
        .collect();
    order.sort_unstable();
    let mut left = total - parts.iter().sum::<u64>();
    for (_, index) in order.iter().cycle().take_while(|_| !weights.is_empty()) {
        if left == 0 {
            break;
        }
        if let Some(part) = parts.get_mut(*index) {
            *part += 1;
            left -= 1;
        }
    }
    parts
}

/// Like `apportion`, with a limit for each part. What does not fit goes to the parts with room,
/// so the result adds up to the total or to all limits, whichever is less.
pub(super) fn within(total: u64, weights: &[u64], limits: &[u64]) -> Vec<u64> {
    let mut parts: Vec<u64> = apportion(total, weights)
        .into_iter()
        .zip(limits)
        .map(|(part, limit)| part.min(*limit))
        .collect();
    let mut left = total.saturating_sub(parts.iter().sum());
    for (part, limit) in parts.iter_mut().zip(limits) {
        let more = left.min(limit.saturating_sub(*part));
        *part += more;
        left -= more;
    }
    parts
}
