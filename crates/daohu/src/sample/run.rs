//! The order of work: plan, then county by county areas, households, persons and incomes.

use super::county::{Spot, spots};
use super::dice::Dice;
use super::dirt::{Dirt, Fate, Surroundings};
use super::household::{County, Household};
use super::number::Issuer;
use super::places::Bounds;
use super::plan::{self, CountyPlan};
use super::tree::Tree;
use super::write_household::Address;
use super::{AreaRow, Counts, Error, Options, Row, Sheet, SheetCounts, Sink};
use super::{write_area, write_household, write_income, write_person};

/// Households of a village lie within about a kilometre of its centre, and form groups of this
/// size.
const HOUSEHOLD_REACH: i32 = 1_000;
const GROUP: u64 = 22;

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
        writer.areas(&tree, plan, &spots, &mut above)?;
        writer.county(plan, &spots, options)?;
    }
    Ok(writer.counts)
}

/// The sink with its counts and the one row buffer.
struct Writer<'a, S: Sink> {
    sink: &'a mut S,
    counts: Counts,
    row: Row,
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
            self.put(Sheet::Areas, Fate::Clean, false)?;
            upper.clone_into(above);
        }
        write_area::upper(&mut self.row, plan.county, plan.poor_county);
        self.put(Sheet::Areas, Fate::Clean, false)?;
        for spot in spots {
            write_area::spot(&mut self.row, spot);
            self.put(Sheet::Areas, Fate::Clean, false)?;
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
        let mut dice = plan.people_dice();
        let mut dirt = Dirt::new(plan.dirt_dice(), options.dirty);
        let mut household = Household::default();
        let mut serial = 0_u64;
        for spot in spots {
            for index in 0..spot.households {
                serial += 1;
                household.redraw(&mut dice, &mut county, spot.mood)?;
                let number = format!("{code}{serial:08}");
                let address = Address {
                    number: &number,
                    village: &spot.area.code,
                    group: index / GROUP + 1,
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

    fn put(&mut self, sheet: Sheet, fate: Fate, orphan: bool) -> Result<(), Error> {
        let copies = if fate == Fate::Twice { 2 } else { 1 };
        for _ in 0..copies {
            self.sink.row(sheet, &self.row)?;
        }
        let counts = self.of(sheet);
        counts.rows += copies;
        match fate {
            Fate::Rejected | Fate::Twice => counts.rejectable += copies,
            Fate::Clean | Fate::Cleaned if orphan => counts.orphaned += copies,
            Fate::Cleaned => counts.cleanable += copies,
            Fate::Clean => {}
        }
        Ok(())
    }

    fn of(&mut self, sheet: Sheet) -> &mut SheetCounts {
        match sheet {
            Sheet::Areas => &mut self.counts.areas,
            Sheet::Households => &mut self.counts.households,
            Sheet::Persons => &mut self.counts.persons,
            Sheet::Incomes => &mut self.counts.incomes,
        }
    }
}

/// A household's location near its village; none where the village has none.
fn home(dice: &mut Dice, bounds: Option<Bounds>, spot: &Spot) -> Option<super::places::Point> {
    Some(bounds?.near(spot.centre?, HOUSEHOLD_REACH, dice))
}
