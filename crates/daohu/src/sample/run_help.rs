//! The sheets of those who help: 单位, 干部, 工作队 and 结对.
//!
//! Invariants: the helpers of households, the leaders, the members of teams, the officers and the
//! technicians are different people. A household has exactly one current helper, and never two at
//! a time. A pairing needs no household at hand, only its place in the county, so that memory does
//! not grow with the households.

use super::calendar::Day;
use super::credit_code::credit_code;
use super::dice::Dice;
use super::key::Key;
use super::organisations::organisations;
use super::plan::{CountyPlan, Stream};
use super::run::Writer;
use super::staff::{Staff, Village};
use super::term::Term;
use super::tree::Tree;
use super::write_cadre::{Cadre, cadre};
use super::write_organisation::organisation;
use super::write_pairing::{Helped, Helper, pairing};
use super::write_team::member;
use super::{Error, Sheet, Sink};

/// Units whose credit code is not known, per mille.
const NO_CREDIT_CODE: u32 = 80;

/// 职务 of the leaders; they sit in the first of the county's units.
const LEADER_DUTIES: [&str; 4] = ["县委常委", "县人大常委会副主任", "副县长", "县政协副主席"];
const HEAD_DUTY: &str = "主要负责人";
const DUTIES: &[&str] = &["科员", "副主任科员", "主任科员", "股长", "办公室主任", "工程师"];
const TECHNICIAN_DUTIES: &[&str] = &["农艺师", "助理农艺师", "畜牧师", "林业工程师"];
const OFFICER_DUTY: &str = "村级挂职扶贫专干";

/// Pairs of helpers, per mille, who were transferred into each other's place.
const TRANSFERRED: u32 = 20;

impl<S: Sink> Writer<'_, S> {
    /// 单位.
    pub(super) fn organisations(
        &mut self,
        tree: &Tree<'_>,
        plan: &CountyPlan<'_>,
        staff: &Staff<'_>,
    ) -> Result<(), Error> {
        let mut dice = plan.dice(Stream::Organisations);
        for (place, unit) in (0..).zip(organisations(tree, staff)) {
            let is_known = !dice.chance(NO_CREDIT_CODE);
            let code = is_known.then(|| credit_code(unit.kind.authority(), plan.rank, place + 1));
            organisation(&mut self.row, Key::unit(staff.county, place), &unit, code);
            self.clean(Sheet::Organisations)?;
        }
        Ok(())
    }

    /// 干部, role by role in the order of their numbers.
    pub(super) fn cadres(&mut self, plan: &CountyPlan<'_>, staff: &Staff<'_>) -> Result<(), Error> {
        let mut dice = plan.dice(Stream::Cadres);
        self.technicians(plan, staff, &mut dice)?;
        self.leaders(plan, staff, &mut dice)?;
        self.helpers(plan, staff, &mut dice)?;
        self.members(plan, staff, &mut dice)?;
        self.officers(plan, staff, &mut dice)
    }

    fn cadre(
        &mut self,
        plan: &CountyPlan<'_>,
        dice: &mut Dice,
        row: &Cadre<'_>,
    ) -> Result<(), Error> {
        cadre(&mut self.row, dice, plan.facts.surnames, row);
        self.clean(Sheet::Cadres)
    }

    fn technicians(
        &mut self,
        plan: &CountyPlan<'_>,
        staff: &Staff<'_>,
        dice: &mut Dice,
    ) -> Result<(), Error> {
        let mut next = 0;
        for village in &staff.villages {
            if village.technician != Some(next) {
                continue;
            }
            let centre = village.town.map(|town| staff.government(town) + 1);
            let town = village.town.and_then(|town| staff.towns.get(town));
            let row = Cadre {
                key: Key::technician(staff.county, next),
                unit: centre.map(|unit| Key::unit(staff.county, unit)),
                duty: dice.pick(TECHNICIAN_DUTIES),
                roles: "农技员",
                area: town.map_or(staff.county, |town| &town.area.code),
            };
            self.cadre(plan, dice, &row)?;
            next += 1;
        }
        Ok(())
    }

    fn leaders(
        &mut self,
        plan: &CountyPlan<'_>,
        staff: &Staff<'_>,
        dice: &mut Dice,
    ) -> Result<(), Error> {
        let seats = (staff.first_county_unit()..staff.helping_units()).zip(LEADER_DUTIES).cycle();
        for (place, (unit, duty)) in (0..staff.leaders).zip(seats) {
            let row = Cadre {
                key: Key::leader(staff.county, place),
                unit: Some(Key::unit(staff.county, unit)),
                duty,
                roles: "县级领导",
                area: staff.county,
            };
            self.cadre(plan, dice, &row)?;
        }
        Ok(())
    }

    /// 帮扶干部. The first one of each of the county's units is its head.
    fn helpers(
        &mut self,
        plan: &CountyPlan<'_>,
        staff: &Staff<'_>,
        dice: &mut Dice,
    ) -> Result<(), Error> {
        let mut heads: Vec<u64> = (staff.first_county_unit()..staff.helping_units()).collect();
        for place in 0..staff.helpers {
            let village = staff.village_of_helper(place);
            let unit = village.and_then(|village| staff.home_of(village));
            let before = heads.len();
            heads.retain(|head| Some(*head) != unit);
            let leads = heads.len() < before;
            let town = village.filter(|village| village.unit.is_none());
            let town = town.and_then(|village| staff.towns.get(village.town?));
            let row = Cadre {
                key: Key::helper(staff.county, place),
                unit: unit.map(|unit| Key::unit(staff.county, unit)),
                duty: if leads { HEAD_DUTY } else { dice.pick(DUTIES) },
                roles: if leads { "部门负责人、帮扶干部" } else { "帮扶干部" },
                area: town.map_or(staff.county, |town| &town.area.code),
            };
            self.cadre(plan, dice, &row)?;
        }
        Ok(())
    }

    /// 驻村队员 of all teams; the first of a poor village's team is its 第一书记.
    fn members(
        &mut self,
        plan: &CountyPlan<'_>,
        staff: &Staff<'_>,
        dice: &mut Dice,
    ) -> Result<(), Error> {
        let mut place = 0;
        for village in &staff.villages {
            let unit = staff.home_of(village).map(|unit| Key::unit(staff.county, unit));
            for index in 0..village.members {
                let row = Cadre {
                    key: Key::member(staff.county, place),
                    unit,
                    duty: dice.pick(DUTIES),
                    roles: if index == 0 && village.is_poor() {
                        "第一书记"
                    } else {
                        "驻村队员"
                    },
                    area: &village.spot.area.code,
                };
                self.cadre(plan, dice, &row)?;
                place += 1;
            }
        }
        Ok(())
    }

    fn officers(
        &mut self,
        plan: &CountyPlan<'_>,
        staff: &Staff<'_>,
        dice: &mut Dice,
    ) -> Result<(), Error> {
        for (place, village) in officers(staff) {
            let government = village.town.map(|town| staff.government(town));
            let row = Cadre {
                key: Key::officer(staff.county, place),
                unit: government.map(|unit| Key::unit(staff.county, unit)),
                duty: OFFICER_DUTY,
                roles: "扶贫专干",
                area: &village.spot.area.code,
            };
            self.cadre(plan, dice, &row)?;
        }
        Ok(())
    }

    /// 工作队: the first member of each leads it.
    pub(super) fn teams(&mut self, plan: &CountyPlan<'_>, staff: &Staff<'_>) -> Result<(), Error> {
        let mut place = 0;
        for (team, village, since) in teams(plan, staff) {
            for index in 0..village.members {
                let team = (team, village.spot.area.code.as_str());
                let cadre = Key::member(staff.county, place);
                member(&mut self.row, team, cadre, index == 0, since);
                self.clean(Sheet::Teams)?;
                place += 1;
            }
        }
        Ok(())
    }

    /// 结对 of cadres, in the order of their numbers.
    pub(super) fn cadre_pairings(
        &mut self,
        plan: &CountyPlan<'_>,
        staff: &Staff<'_>,
    ) -> Result<(), Error> {
        let mut dice = plan.dice(Stream::CadrePairings);
        let term = Term::new(plan.year);
        // A technician's villages are neighbours in the list.
        for village in &staff.villages {
            let Some(technician) = village.technician else { continue };
            let cadre = Key::technician(staff.county, technician);
            let helped = Helped::Village(&village.spot.area.code);
            self.pairing(Helper::Cadre(cadre), helped, (term.begin(&mut dice), None))?;
        }
        for place in 0..staff.leaders {
            let cadre = Key::leader(staff.county, place);
            let since = term.begin(&mut dice);
            for town in staff.towns_of(place) {
                self.pairing(Helper::Cadre(cadre), Helped::Town(&town.area.code), (since, None))?;
            }
        }
        self.household_pairings(staff, term, &mut dice)?;
        for (place, village) in officers(staff) {
            let cadre = Key::officer(staff.county, place);
            let helped = Helped::Village(&village.spot.area.code);
            self.pairing(Helper::Cadre(cadre), helped, (term.begin(&mut dice), None))?;
        }
        Ok(())
    }

    /// 结对 of helpers with their households. Now and then two helpers who follow each other were
    /// transferred into each other's place: their households have a history, and the number of
    /// helpers stays what it is.
    fn household_pairings(
        &mut self,
        staff: &Staff<'_>,
        term: Term,
        dice: &mut Dice,
    ) -> Result<(), Error> {
        let mut first = 0;
        while first < staff.helpers {
            let pair = [first, first + 1];
            if first + 1 < staff.helpers && dice.chance(TRANSFERRED) {
                let since = term.begin_early(dice);
                let until = Term::change(dice, since);
                for helper in pair {
                    for block in pair {
                        let own = (since, Some(until));
                        let term = if helper == block { own } else { (until.plus(1), None) };
                        self.block(staff, helper, block, term)?;
                    }
                }
            } else {
                for helper in pair.into_iter().filter(|helper| *helper < staff.helpers) {
                    self.block(staff, helper, helper, (term.begin(dice), None))?;
                }
            }
            first += 2;
        }
        Ok(())
    }

    /// The pairings of a helper with a block of households: its own, or that of another.
    fn block(
        &mut self,
        staff: &Staff<'_>,
        helper: u64,
        block: u64,
        term: (Day, Option<Day>),
    ) -> Result<(), Error> {
        let cadre = Helper::Cadre(Key::helper(staff.county, helper));
        for place in staff.households_of(block) {
            let household = Key::household(staff.county, place);
            self.pairing(cadre, Helped::Household(household), term)?;
        }
        Ok(())
    }

    /// 结对 of units.
    pub(super) fn organisation_pairings(
        &mut self,
        plan: &CountyPlan<'_>,
        staff: &Staff<'_>,
    ) -> Result<(), Error> {
        let mut dice = plan.dice(Stream::OrganisationPairings);
        let term = Term::new(plan.year);
        for unit in 0..staff.helping_units() {
            let helper = Helper::Organisation(Key::unit(staff.county, unit));
            let since = term.begin(&mut dice);
            if let Some(town) = staff.town_of(unit) {
                self.pairing(helper, Helped::Town(&town.area.code), (since, None))?;
            }
            for village in staff.villages_of(unit) {
                self.pairing(helper, Helped::Village(&village.spot.area.code), (since, None))?;
            }
        }
        Ok(())
    }

    /// 结对 of teams.
    pub(super) fn team_pairings(
        &mut self,
        plan: &CountyPlan<'_>,
        staff: &Staff<'_>,
    ) -> Result<(), Error> {
        for (team, village, since) in teams(plan, staff) {
            let helped = Helped::Village(&village.spot.area.code);
            self.pairing(Helper::Team(team), helped, (since, None))?;
        }
        Ok(())
    }

    fn pairing(
        &mut self,
        helper: Helper<'_>,
        helped: Helped<'_>,
        (since, until): (Day, Option<Day>),
    ) -> Result<(), Error> {
        pairing(&mut self.row, helper, helped, since, until);
        self.clean(Sheet::Pairings)
    }
}

/// The teams with their villages and the day on which they begin, the same each time.
fn teams<'s>(
    plan: &CountyPlan<'_>,
    staff: &'s Staff<'_>,
) -> impl Iterator<Item = (Key<'s>, &'s Village<'s>, Day)> {
    let mut dice = plan.dice(Stream::Teams);
    let term = Term::new(plan.year);
    let villages = staff.villages.iter().filter(|village| village.members > 0);
    (0..).zip(villages).map(move |(place, village)| {
        (Key::team(staff.county, place), village, term.begin(&mut dice))
    })
}

/// The officers, one after the other, with their villages.
fn officers<'s>(staff: &'s Staff<'_>) -> impl Iterator<Item = (u64, &'s Village<'s>)> {
    let villages = staff.villages.iter();
    (0..).zip(villages.flat_map(|v| (0..v.officers).map(move |_| v)))
}
