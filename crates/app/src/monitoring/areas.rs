//! How the households of an area and of those in it stand: guarantees, classes, warnings, coverage.

use std::{collections::BTreeMap, sync::Arc};

use daohu_base::{AreaCode, AreaLevel, Day, Scope};
use daohu_census::{Assessment, Outcome};
use daohu_policy::Head;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    model::{Counts, CoverageCounts, OverallCounts, counts, coverages, overall},
    picture::{Parts, Picture, Wanted, look},
    rulebook::Rulebook,
};
use crate::{Context, Error};

/// How the households of an area stand.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AreaMonitoring {
    area: String,
    name: Option<String>,
    /// The day on which members, ages and the year of income are looked at.
    #[schema(format = Date)]
    on: String,
    /// Which packs said so.
    policy: String,
    households: usize,
    /// All guarantees together.
    overall: OverallCounts,
    /// Each guarantee, in the order of the packs.
    guarantees: Vec<Counts>,
    /// Each class: met by those who belong to it.
    classes: Vec<Counts>,
    /// What there is to warn of: met where there is reason to.
    warnings: Vec<Counts>,
    /// What certain households must have: met and unmet among them.
    coverages: Vec<CoverageCounts>,
    /// Areas of the level that was asked for, by code; their counts add up to those above.
    children: Vec<AreaStates>,
}

/// How the households of an area in it stand.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct AreaStates {
    area: String,
    name: Option<String>,
    households: usize,
    overall: OverallCounts,
    /// Households that lack a guarantee, by guarantee.
    unmet: BTreeMap<String, usize>,
    /// Households of which it is not known.
    unknown: BTreeMap<String, usize>,
    /// Households that there is reason to warn of, by warning.
    warnings: BTreeMap<String, usize>,
}

/// How the households of an area stand on a day, and those of the areas of a level in it, if the whole of it lies inside the scope.
pub(super) async fn monitoring(
    context: &Context,
    scope: &Scope,
    (area, on): (AreaCode, Day),
    by: Option<AreaLevel>,
) -> Result<AreaMonitoring, Error> {
    let policy = Arc::clone(&context.policy);
    let book = context.live.book(&policy, on)?;
    let fields = book.fields.clone();
    let wanted = Wanted { area, fields, year: on.year(), asks_amounts: true };
    let told = move |picture: &Picture<'_>| {
        let rulebook = &book.rules;
        let guarantees = picture.ask(rulebook, &rulebook.guarantees.plan, on, &[]);
        let states = States::with(picture, rulebook, on, guarantees);
        let households = picture.census.households();
        let children = by.map(|by| states.by(picture, &picture.parts(Some(by), on)));
        Ok(AreaMonitoring {
            area: picture.area.to_string(),
            name: picture.name().map(str::to_owned),
            on: on.to_string(),
            policy: policy.version().to_owned(),
            households,
            overall: states.overall(households),
            guarantees: states.guarantees(),
            classes: states.classes(),
            warnings: states.warnings(),
            coverages: states.coverages(),
            children: children.unwrap_or_default(),
        })
    };
    look(context, scope, wanted, told).await
}

/// What all rules say of all households of a picture.
pub(super) struct States<'r> {
    rulebook: &'r Rulebook,
    guarantees: Assessment,
    classes: Assessment,
    warnings: Assessment,
    among: Assessment,
    coverages: Assessment,
}

impl<'r> States<'r> {
    /// Asks all but the guarantees, which were asked.
    pub(super) fn with(
        picture: &Picture<'_>,
        rulebook: &'r Rulebook,
        on: Day,
        guarantees: Assessment,
    ) -> Self {
        let ask = |asked: &super::rulebook::Asked| picture.ask(rulebook, &asked.plan, on, &[]);
        Self {
            rulebook,
            guarantees,
            classes: ask(&rulebook.classes),
            warnings: ask(&rulebook.warnings),
            among: ask(&rulebook.among),
            coverages: ask(&rulebook.coverages),
        }
    }

    pub(super) fn overall(&self, households: usize) -> OverallCounts {
        overall(&self.guarantees, households)
    }

    pub(super) fn guarantees(&self) -> Vec<Counts> {
        counts(&self.rulebook.guarantees.heads, &self.guarantees)
    }

    pub(super) fn classes(&self) -> Vec<Counts> {
        counts(&self.rulebook.classes.heads, &self.classes)
    }

    pub(super) fn warnings(&self) -> Vec<Counts> {
        counts(&self.rulebook.warnings.heads, &self.warnings)
    }

    pub(super) fn coverages(&self) -> Vec<CoverageCounts> {
        coverages(&self.rulebook.coverages.heads, (&self.among, &self.coverages))
    }

    fn by(&self, picture: &Picture<'_>, parts: &Parts) -> Vec<AreaStates> {
        let place = |place: u32| usize::try_from(place).unwrap_or(usize::MAX);
        let villages = picture.census.village_places();
        let part_of = |village: u32| parts.of_village.get(place(village)).copied().map(place);
        let mut told: Vec<AreaStates> = parts
            .lines
            .iter()
            .map(|part| AreaStates {
                area: part.code.clone(),
                name: part.name.clone(),
                ..AreaStates::default()
            })
            .collect();
        for (nth, village) in villages.iter().enumerate() {
            if let Some(own) = part_of(*village).and_then(|part| told.get_mut(part)) {
                own.households += 1;
                own.overall.add(self.guarantees.overall(nth));
            }
        }
        let mut count =
            |heads: &[Head],
             assessment: &Assessment,
             wanted: Outcome,
             slot: fn(&mut AreaStates) -> &mut BTreeMap<String, usize>| {
                for (head, judged) in heads.iter().zip(&assessment.rules) {
                    let mut found = vec![0; parts.lines.len()];
                    for (village, outcome) in villages.iter().zip(&judged.outcomes) {
                        let own = part_of(*village).and_then(|part| found.get_mut(part));
                        if let Some(own) = own.filter(|_| *outcome == wanted) {
                            *own += 1;
                        }
                    }
                    for (own, found) in told.iter_mut().zip(found) {
                        slot(own).insert(head.id.clone(), found);
                    }
                }
            };
        let guarantees = &self.rulebook.guarantees.heads;
        count(guarantees, &self.guarantees, Outcome::Unmet, |own| &mut own.unmet);
        count(guarantees, &self.guarantees, Outcome::Unknown, |own| &mut own.unknown);
        let warnings = &self.rulebook.warnings.heads;
        count(warnings, &self.warnings, Outcome::Met, |own| &mut own.warnings);
        told
    }
}
