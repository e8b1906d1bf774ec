//! The order of work: plan, then county by county all sheets but the pairings of units and teams,
//! which come behind those of all cadres: each for all counties once more.

use super::county::{Spot, spots};
use super::dice::Dice;
use super::dirt::{Dirt, Fate, Surroundings};
use super::household::{County, Household};
use super::key::Key;
use super::number::Issuer;
use super::places::Bounds;
use super::plan::{self, CountyPlan, Stream};
use super::staff::Staff;
use super::tree::Tree;
use super::write_household::Address;
use super::{AreaRow, Counts, Error, Options, Row, Sheet, Sink};
use super::{write_area, write_household, write_income, write_person};

/// Households of a village lie within about a kilometre of its centre, and form groups of this
/// size; a village has no more groups than its codes have numbers for.
const HOUSEHOLD_REACH: i32 = 1_000;
const GROUP: u64 = 22;
const GROUPS_MAX: u64 = 99;

/// Makes the sample that `options` ask for and hands its rows to the sink.
///
/// `areas` are the rows of `country.csv` and of any county files. Townships and villages are made
/// up for counties that have none there.
///
/// # Errors
/// When the options cannot be met, or the sink fails.
pub(crate) fn write(
    areas: &[AreaRow],
    options: &Options,
    sink: &mut impl Sink,
) -> Result<Counts, Error> {
    plan::check(options)?;
    let tree = Tree::new(areas);
    let plans = plan::plan(&tree, options)?;
    let mut writer = Writer { sink, counts: Counts::default(), row: Row::default() };
    let mut above = String::new();
    for plan in &plans {
        let spots = spots(&tree, plan);
        let staff = Staff::new(plan, &spots);
        writer.areas(&tree, plan, &spots, &mut above)?;
        writer.organisations(&tree, plan, &staff)?;
        writer.villages(plan, &staff)?;
        writer.cadres(plan, &staff)?;
        writer.teams(plan, &staff)?;
        writer.county(plan, &spots, options)?;
        writer.cadre_pairings(plan, &staff)?;
        writer.targets(plan, &staff)?;
        writer.indicators(plan)?;
    }
    for plan in &plans {
        let spots = spots(&tree, plan);
        writer.organisation_pairings(plan, &Staff::new(plan, &spots))?;
    }
    for plan in &plans {
        let spots = spots(&tree, plan);
        writer.team_pairings(plan, &Staff::new(plan, &spots))?;
    }
    Ok(writer.counts)
}

/// The sink with its counts and the one row buffer.
pub(super) struct Writer<'a, S: Sink> {
    sink: &'a mut S,
    counts: Counts,
    pub(super) row: Row,
}

impl<S: Sink> Writer<'_, S> {
    /// The county with what is below it, and before it the areas above that are not written yet.
    fn areas(
        &mut self,
        tree: &Tree<'_>,
        plan: &CountyPlan<'_>,
        spots: &[Spot],
        above: &mut String,
    ) -> Result<(), Error> {
        let code = plan.county.code.as_str();
        for upper in [2, 4].into_iter().filter_map(|length| code.get(..length)) {
            if above.starts_with(upper) {
                continue;
            }
            let area = tree.find(upper).ok_or_else(|| Error::UnknownPlace(upper.to_owned()))?;
            write_area::upper(&mut self.row, area, None);
            self.clean(Sheet::Areas)?;
            upper.clone_into(above);
        }
        write_area::upper(&mut self.row, plan.county, plan.poor_county);
        self.clean(Sheet::Areas)?;
        for spot in spots {
            write_area::spot(&mut self.row, spot);
            self.clean(Sheet::Areas)?;
        }
        Ok(())
    }

    fn county(
        &mut self,
        plan: &CountyPlan<'_>,
        spots: &[Spot],
        options: &Options,
    ) -> Result<(), Error> {
        let code = plan.county.code.as_str();
        let mut county = County {
            facts: plan.facts,
            year: i32::from(options.year),
            issuer: Issuer::new(code, plan.rank),
        };
        let mut dice = plan.dice(Stream::People);
        let mut dirt = Dirt::new(plan.dice(Stream::Dirt), options.dirty);
        let mut household = Household::default();
        let mut place = 0;
        for spot in spots {
            let group = GROUP.max(spot.households.div_ceil(GROUPS_MAX));
            for index in 0..spot.households {
                household.redraw(&mut dice, &mut county, spot.mood)?;
                let number = Key::household(code, place).to_string();
                place += 1;
                let address = Address {
                    number: &number,
                    village: &spot.area.code,
                    group: index / group + 1,
                    street: spot.area.kind == "社区",
                    point: home(&mut dice, plan.bounds, spot),
                };
                self.household(&mut dice, &mut dirt, &address, &household, &county)?;
            }
        }
        Ok(())
    }

    /// The rows of one household.
    fn household(
        &mut self,
        dice: &mut Dice,
        dirt: &mut Dirt,
        address: &Address<'_>,
        household: &Household,
        county: &County<'_>,
    ) -> Result<(), Error> {
        write_household::household(&mut self.row, dice, address, household, county.facts);
        let mut around = Surroundings::default();
        let fate = dirt.spoil(Sheet::Households, &mut self.row, around);
        self.put(Sheet::Households, fate, false)?;
        let orphan = fate.is_rejected();
        for member in &household.members {
            write_person::person(&mut self.row, dice, address.number, member, county.year);
            let fate = dirt.spoil(Sheet::Persons, &mut self.row, around);
            // The head comes first, so it stands before anybody else can take its place.
            around.head_stands |= member.relation == "户主" && !fate.is_rejected();
            self.put(Sheet::Persons, fate, orphan)?;
        }
        for income in &household.incomes {
            write_income::income(&mut self.row, dice, address.number, income);
            let fate = dirt.spoil(Sheet::Incomes, &mut self.row, around);
            self.put(Sheet::Incomes, fate, orphan)?;
        }
        Ok(())
    }

    /// Hands over the row, which nobody spoils.
    pub(super) fn clean(&mut self, sheet: Sheet) -> Result<(), Error> {
        self.put(sheet, Fate::Clean, false)
    }

    fn put(&mut self, sheet: Sheet, fate: Fate, orphan: bool) -> Result<(), Error> {
        let copies = if fate == Fate::Twice { 2 } else { 1 };
        for _ in 0..copies {
            self.sink.row(sheet, &self.row)?;
        }
        let counts = self.counts.of_mut(sheet);
        counts.rows += copies;
        match fate {
            Fate::Rejected | Fate::Twice => counts.rejectable += copies,
            Fate::Clean | Fate::Cleaned if orphan => counts.orphaned += copies,
            Fate::Cleaned => counts.cleanable += copies,
            Fate::Clean => {}
        }
        Ok(())
    }
}

/// A household's location near its village; none where the village has none.
fn home(dice: &mut Dice, bounds: Option<Bounds>, spot: &Spot) -> Option<super::places::Point> {
    Some(bounds?.near(spot.centre?, HOUSEHOLD_REACH, dice))
}
