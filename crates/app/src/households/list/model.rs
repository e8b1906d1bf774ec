//! What a list may ask for, and the legs that it is read in.

use daohu_base::{AreaLevel, Scope};
use serde::{Deserialize, Serialize};

use crate::{
    households::model::HouseholdRow,
    sheet::{Condition, household},
};

/// An order that an index holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// By county and number.
    No,
    /// The same backwards.
    NoDown,
    /// By village and number.
    Village,
    /// Latest change first.
    UpdatedDown,
}

/// The last row of a page in terms of its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Mark {
    /// County or village, and number.
    Text(String, String),
    /// Instant and id.
    Number(i64, i64),
}

impl Sort {
    /// The order of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "no" => Self::No,
            "-no" => Self::NoDown,
            "village" => Self::Village,
            "-updated_at" => Self::UpdatedDown,
            _ => return None,
        })
    }

    /// Names the list, so that a page mark of another order is refused.
    pub(super) const fn list(self) -> &'static str {
        match self {
            Self::No => "households by no",
            Self::NoDown => "households by -no",
            Self::Village => "households by village",
            Self::UpdatedDown => "households by -updated_at",
        }
    }

    /// Where a page that ends with this row goes on.
    pub(super) fn mark(self, row: &HouseholdRow) -> Mark {
        match self {
            Self::No | Self::NoDown => Mark::Text(row.county().to_owned(), row.no().to_owned()),
            Self::Village => Mark::Text(row.village().to_owned(), row.no().to_owned()),
            Self::UpdatedDown => Mark::Number(row.0.meta.updated_at, row.id()),
        }
    }
}

/// Which households of a scope are wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) conditions: Vec<Condition>,
    /// With or without a cadre who answers for the household.
    pub(super) is_answered: Option<bool>,
}

/// A half-open range of codes.
pub(super) type Range = (String, String);

/// A part of the scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leg {
    /// The counties, or the one county.
    pub(super) counties: Range,
    /// True if it lies within one county.
    pub(super) is_one_county: bool,
    /// The villages, where the leg is less than a county.
    pub(super) villages: Vec<Range>,
}

/// The legs of a scope, by county.
pub(super) fn legs(scope: &Scope) -> Vec<Leg> {
    let Some(areas) = scope.areas() else {
        let counties = (String::new(), ":".to_owned());
        return vec![Leg { counties, is_one_county: false, villages: Vec::new() }];
    };
    let mut legs: Vec<Leg> = Vec::new();
    for area in areas {
        let county = area.at(AreaLevel::County);
        let is_one_county = county.is_some();
        let around = county.as_ref().unwrap_or(area);
        let counties = (around.to_string(), around.end());
        let is_part = area.level() > AreaLevel::County;
        let village = is_part.then(|| (area.to_string(), area.end()));
        match legs.last_mut().filter(|leg| leg.counties == counties) {
            Some(leg) => leg.villages.extend(village),
            None => legs.push(Leg { counties, is_one_county, villages: Vec::from_iter(village) }),
        }
    }
    legs
}

/// The columns that a list can be filtered by.
pub(super) const FILTERS: [usize; 13] = [
    household::NO,
    household::POVERTY_KIND,
    household::MAIN_CAUSE,
    household::EXIT_STATUS,
    household::RESIDENCE_KIND,
    household::UNSAFE_GRADE,
    household::IS_UNSAFE,
    household::WATER_IS_SAFE,
    household::IS_RELOCATED,
    household::IDENTIFIED_YEAR,
    household::EXIT_YEAR,
    household::PLANNED_EXIT_YEAR,
    household::MONITORING_KIND,
];

#[cfg(test)]
mod tests {
    use daohu_base::AreaCode;

    use super::*;

    #[test]
    fn townships_of_a_county_are_one_leg_and_counties_follow_each_other() {
        let codes = ["990102101", "990102102200", "98", "990102100", "9903"];
        let codes = codes.iter().filter_map(|code| AreaCode::parse(code).ok());
        let legs = legs(&Scope::of(codes));
        let counties: Vec<&str> = legs.iter().map(|leg| leg.counties.0.as_str()).collect();
        assert_eq!(counties, ["98", "990102", "9903"]);
        assert_eq!(legs[1].villages.len(), 3);
        assert_eq!(
            legs.iter().map(|leg| leg.is_one_county).collect::<Vec<_>>(),
            [false, true, false]
        );
    }
}
