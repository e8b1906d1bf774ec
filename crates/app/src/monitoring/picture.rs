//! An area with its households, as monitoring looks at it.

use std::{num::NonZero, sync::Arc, thread::available_parallelism, time::Instant};

use daohu_base::{AreaCode, AreaLevel, Day, Scope};
use daohu_census::{Assessment, Census, Plan, Question, assess};
use daohu_db::FutureExt;
use daohu_policy::Policy;

use super::{
    fields::Fields,
    load::{Loaded, load},
    rulebook::Rulebook,
};
use crate::{
    Context, Error,
    areas::{self, rows::AreaLine},
    households::rural_populations,
};

/// An area with its households.
pub(super) struct Picture {
    pub(super) area: AreaCode,
    pub(super) loaded: Loaded,
    pub(super) fields: Fields,
    /// What it took to read it.
    pub(super) load_seconds: f64,
    areas: Vec<(AreaLine, Option<i64>)>,
}

/// Areas of one level, with the one of each village.
pub(super) struct Parts {
    pub(super) lines: Vec<Part>,
    /// Of each village of the census, the place among the lines.
    pub(super) of_village: Vec<u32>,
}

/// An area of which something is told.
pub(super) struct Part {
    pub(super) code: String,
    /// None where the tree has no such area.
    pub(super) name: Option<String>,
    /// On the day that is asked about, if it is known.
    pub(super) rural_population: Option<i64>,
}

/// How many threads take part in an answer.
pub(super) fn threads() -> NonZero<usize> {
    available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

impl Picture {
    /// Reads an area, if the whole of it lies inside the scope; of one year all amounts. `policy` tells which fields there are.
    pub(super) async fn of(
        context: &Context,
        scope: &Scope,
        area: AreaCode,
        (policy, year): (&Policy, i64),
    ) -> Result<Self, Error> {
        let scope = areas::ops::reported(scope, &area)?;
        let fields = Fields::of(policy)?;
        let (keys, of_fields) = (Arc::clone(&context.keys), fields.clone());
        let started = Instant::now();
        let code = area.clone();
        let read = context.db.read_scan(move |tx| {
            async move {
                let areas = areas::rows::with_population(tx, &scope).await?;
                if areas.iter().all(|(line, _)| line.code != code.as_str()) {
                    return Err(Error::NotFound("area"));
                }
                Ok((load(tx, (&keys, of_fields), &scope, year).await?, areas))
            }
            .boxed()
        });
        let (loaded, areas) = read.await?;
        let load_seconds = started.elapsed().as_secs_f64();
        Ok(Self { area, loaded, fields, load_seconds, areas })
    }

    pub(super) fn census(&self) -> &Census {
        &self.loaded.census
    }

    /// What a plan says of all households, with what is added to their income.
    pub(super) fn ask(
        &self,
        rulebook: &Rulebook,
        plan: &Plan,
        on: Day,
        added: &[i64],
    ) -> Assessment {
        let census = self.census();
        let places = census.places(|village| rulebook.place_of(village));
        let question =
            Question { shape: &self.fields.shape, on, places: &places, added_fen: added };
        assess(census, plan, question, 0..census.households(), threads())
    }

    /// The poverty line of each village, in fen; none where no pack has it.
    pub(super) fn lines_fen(&self, rulebook: &Rulebook) -> Vec<Option<i64>> {
        let line = self.fields.standards.iter().position(|id| id == "line");
        #[expect(clippy::cast_possible_truncation, reason = "whole fen below 2^53")]
        let fen = |village: &String| rulebook.amount(village, line?).map(|fen| fen as i64);
        self.census().villages().iter().map(fen).collect()
    }

    /// The areas of a level that lie in this one, those included in which no household lives; itself, where no level is asked
    /// for.
    pub(super) fn parts(&self, by: Option<AreaLevel>, on: Day) -> Parts {
        let digits = by.map_or(self.area.as_str().len(), AreaLevel::digits);
        let today = on.to_string();
        let populations = rural_populations(&self.areas, &today);
        let of_level = self.areas.iter().map(|(line, _)| line);
        let of_level = of_level.filter(|line| line.code.len() == digits);
        let mut lines: Vec<Part> = of_level
            .map(|line| Part {
                code: line.code.clone(),
                name: Some(line.name.clone()),
                rural_population: populations.get(line.code.as_str()).and_then(|own| own.0),
            })
            .collect();
        lines.sort_by(|one, other| one.code.cmp(&other.code));
        let mut of_village = Vec::with_capacity(self.census().villages().len());
        for village in self.census().villages() {
            let code = village.get(..digits).unwrap_or(village);
            let place = lines.binary_search_by(|line| line.code.as_str().cmp(code));
            // What the tree does not have is told of all the same.
            let place = place.unwrap_or_else(|_| {
                let known = lines.iter().position(|line| line.code == code);
                known.unwrap_or_else(|| {
                    let (name, rural_population) = (None, None);
                    lines.push(Part { code: code.to_owned(), name, rural_population });
                    lines.len() - 1
                })
            });
            of_village.push(u32::try_from(place).unwrap_or(u32::MAX));
        }
        Parts { lines, of_village }
    }
}
