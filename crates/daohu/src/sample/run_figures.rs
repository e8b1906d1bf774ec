//! The sheets of figures: 村, 计划 and 指标.

use super::figures::{targets, town_targets};
use super::income::years;
use super::plan::{CountyPlan, Stream};
use super::run::Writer;
use super::staff::Staff;
use super::village::Village;
use super::write_figure::{indicator, target};
use super::write_village::village;
use super::{Error, Sheet, Sink};

impl<S: Sink> Writer<'_, S> {
    /// 村, in the years of the incomes.
    pub(super) fn villages(
        &mut self,
        plan: &CountyPlan<'_>,
        staff: &Staff<'_>,
    ) -> Result<(), Error> {
        let mut dice = plan.dice(Stream::Villages);
        for place in &staff.villages {
            let size = place.spot.rural.unwrap_or_default();
            let drawn = Village::draw(&mut dice, plan.facts, place.is_poor(), size);
            for year in years(plan.year) {
                village(&mut self.row, &mut dice, &place.spot.area.code, &drawn, year);
                self.clean(Sheet::Villages)?;
            }
        }
        Ok(())
    }

    /// 计划: the county's, then each township's.
    pub(super) fn targets(
        &mut self,
        plan: &CountyPlan<'_>,
        staff: &Staff<'_>,
    ) -> Result<(), Error> {
        let targets = targets(plan, staff);
        let county = targets.iter().map(|(target, _)| (staff.county, *target));
        let county = county.filter(|(_, target)| target.value > 0);
        for (area, planned) in county.chain(town_targets(&targets, &staff.towns)) {
            target(&mut self.row, area, planned);
            self.clean(Sheet::Targets)?;
        }
        Ok(())
    }

    /// 指标, of counties that published some.
    pub(super) fn indicators(&mut self, plan: &CountyPlan<'_>) -> Result<(), Error> {
        for figure in plan.facts.indicators {
            indicator(&mut self.row, &plan.county.code, figure);
            self.clean(Sheet::Indicators)?;
        }
        Ok(())
    }
}
