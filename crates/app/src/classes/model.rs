//! Which classes a household is of. Pure.

use daohu_policy::{HouseholdClass, Policy};

use crate::{
    households::{Home, Marks},
    quality::Cells,
    sheet::{household, person},
};

/// True for each class of the policy that the household is of.
pub(super) fn classes_of(policy: &Policy, home: &Home) -> Vec<bool> {
    let marks = Marks::new(policy);
    let facts = Facts::of(marks, home);
    let is_of = |class: &HouseholdClass| {
        let mut causes = class.causes.iter();
        let has_cause = class.causes.is_empty() || causes.any(|mark| facts.has_cause(marks, mark));
        has_cause
            && class.land_mu_min.is_none_or(|min| facts.land_mu >= min)
            && class.able_members_min.is_none_or(|min| facts.able_members >= min)
            && class.able_members_max.is_none_or(|max| facts.able_members <= max)
            && class.is_occupied.is_none_or(|is_occupied| facts.is_occupied == is_occupied)
    };
    policy.household_classes().iter().map(is_of).collect()
}

/// What classes are told by.
struct Facts {
    causes: Vec<i64>,
    land_mu: f64,
    able_members: usize,
    is_occupied: bool,
}

impl Facts {
    fn of(marks: Marks<'_>, home: &Home) -> Self {
        let cells = Cells(&home.household.0.values);
        let others = cells.text(household::OTHER_CAUSES).into_iter().flat_map(|c| c.split(' '));
        let mut causes: Vec<i64> = others.filter_map(|code| code.parse().ok()).collect();
        causes.extend(cells.int(household::MAIN_CAUSE));
        let land = [household::FARMLAND_MU, household::FOREST_MU];
        let members = home.current();
        let able = |member: &&&[daohu_db::Value]| {
            marks.has("劳动技能", Cells(member).int(person::LABOUR), "able")
        };
        let works = |member: &&[daohu_db::Value]| {
            let member = Cells(member);
            member.int(person::WORK_MONTHS).is_some_and(|months| months > 0)
                || member.flag(person::HAS_PUBLIC_POST) == Some(true)
        };
        let produces = cells.text(household::INDUSTRIES).is_some()
            || cells.flag(household::IN_COOPERATIVE) == Some(true)
            || cells.flag(household::WITH_ENTERPRISE) == Some(true);
        Self {
            causes,
            land_mu: land.into_iter().filter_map(|i| cells.real(i)).sum(),
            able_members: members.iter().filter(able).count(),
            is_occupied: produces || members.iter().any(works),
        }
    }

    fn has_cause(&self, marks: Marks<'_>, mark: &str) -> bool {
        self.causes.iter().any(|cause| marks.has("致贫原因", Some(*cause), mark))
    }
}
