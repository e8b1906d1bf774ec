//! Indices of poverty of an area: how many are poor, how deeply, how unequal incomes are, and in how many ways.

use std::sync::Arc;

use daohu_base::{AreaCode, AreaLevel, Day, Scope};
use daohu_census::indices::{
    Asked, Bands, Chosen, Deprivations, Dimension, Groups, Headcount, Incomes, Ladder, Lines,
    Measure, Multidimensional, Persons, Poverty, distribution, mean_by, multidimensional_by,
    poverty_by,
};
use daohu_policy::{BadPack, Indices};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    picture::{Parts, Picture, Wanted, look, threads},
    rulebook::Rulebook,
};
use crate::{Context, Error};

/// Indices of an area and of the areas in it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct IndicesReport {
    /// The area's code.
    pub area: String,
    /// The year.
    pub year: i64,
    /// Which packs said what is poor.
    pub policy: String,
    /// Among whom: registered households.
    pub among: &'static str,
    /// All of it.
    pub whole: IndicesOf,
    /// By the areas of the level that was asked for.
    pub parts: Vec<IndicesOf>,
    /// Registered persons by income a head, between the bands' bounds; the last has no end.
    pub distribution: Vec<Band>,
}

/// Households and persons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "they say what they are")]
pub struct Counted {
    pub households: u64,
    pub persons: u64,
}

/// Persons with an income a head between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Band {
    /// From this amount on, in fen; none of the first.
    pub from_fen: Option<i64>,
    /// Below this amount, in fen; none of the last.
    pub below_fen: Option<i64>,
    /// Who has it.
    #[serde(flatten)]
    pub counted: Counted,
}

/// Indices of one area.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct IndicesOf {
    /// Its code.
    pub code: String,
    /// Its name; none where the tree has no such area.
    pub name: Option<String>,
    /// Households whose income and line are known, and those who share the income.
    pub known: Counted,
    /// Of whom they are not known: in no figure below.
    pub unknown: Counted,
    /// Below the line.
    pub poor: Counted,
    /// 贫困发生率: the poor among the rural population, in percent; none where that is not known.
    pub incidence_percent: Option<f64>,
    /// The rural population.
    pub rural_population: Option<i64>,
    /// FGT among registered persons: share of the poor, depth, severity.
    pub fgt: Option<[f64; 3]>,
    /// What the poor together lack to have the line, in fen a year.
    pub gap_fen: i64,
    /// Net income a head, in fen.
    pub income_per_head_fen: Option<i64>,
    /// Its growth since the year before, in percent.
    pub growth_percent: Option<f64>,
    /// Gini's coefficient of incomes a head, 0 to 1 where none is negative.
    pub gini: Option<f64>,
    /// Poor in many ways, by the guarantees that a household lacks.
    pub multidimensional: Ways,
}

/// Alkire and Foster's measure.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Ways {
    /// Persons of whom it is known whether they are.
    pub known: Counted,
    /// Who is.
    pub poor: Counted,
    /// Of whom it is not known.
    pub unknown: Counted,
    /// H: their share.
    pub incidence: Option<f64>,
    /// A: what share of the weights they lack on average.
    pub intensity: Option<f64>,
    /// M0: the product.
    pub m0: Option<f64>,
    /// What this area contributes to the M0 of the whole, 0 to 1.
    pub contribution: Option<f64>,
    /// By guarantee.
    pub dimensions: Vec<Way>,
}

/// One guarantee of the measure.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Way {
    /// Its id.
    pub guarantee: String,
    /// Persons who lack it.
    pub deprived: Counted,
    /// Those of them who are poor in many ways.
    pub censored: Counted,
    /// What it contributes to M0, 0 to 1.
    pub contribution: Option<f64>,
}

/// Which indices are asked for.
#[derive(Clone, Debug)]
pub struct IndicesAsked {
    /// The area.
    pub area: AreaCode,
    /// The year of incomes; guarantees are asked on its last day.
    pub year: i64,
    /// The level of the areas by which it is told.
    pub by: Option<AreaLevel>,
}

/// The indices of an area, if the whole of it lies inside the scope.
pub async fn indices(
    context: &Context,
    scope: &Scope,
    asked: IndicesAsked,
) -> Result<IndicesReport, Error> {
    let IndicesAsked { area, year, by } = asked;
    let policy = &context.policy;
    let on = Day::new(year, 12, 31).ok_or(Error::NotFound("year"))?;
    let book = context.live.book(policy, on)?;
    let fields = book.fields.clone();
    let asks_amounts = book.rules.guarantees.asks_amounts(&fields);
    let wanted = Wanted { area, fields, year, asks_amounts };
    let policy = Arc::clone(policy);
    let told = move |picture: &Picture<'_>| {
        let asker = Asker::new(picture, &book.rules, (policy.indices(), on))?;
        let (whole, parts) = (picture.parts(None, on), by.map(|by| picture.parts(Some(by), on)));
        let [whole] = &asker.of(&whole, None)[..] else { return Err(Error::NotFound("area")) };
        let m0 = &whole.1;
        let parts = parts.map_or_else(Vec::new, |parts| asker.of(&parts, Some(m0)));
        Ok(IndicesReport {
            area: picture.tree.area.to_string(),
            year,
            policy: policy.version().to_owned(),
            among: "registered",
            whole: whole.0.clone(),
            parts: parts.into_iter().map(|(own, _)| own).collect(),
            distribution: asker.bands()?,
        })
    };
    look(context, scope, wanted, told).await
}

/// What is asked of a picture, and by which measures.
struct Asker<'p> {
    picture: &'p Picture<'p>,
    on: Day,
    /// Of each village, in fen.
    lines: Vec<Option<i64>>,
    members: Vec<i32>,
    measure: Measure,
    assessment: daohu_census::Assessment,
    /// The guarantees of the measure, by their places in the plan.
    dimensions: Vec<(String, usize)>,
    pack: &'p Indices,
}

impl<'p> Asker<'p> {
    fn new(
        picture: &'p Picture<'p>,
        rulebook: &Rulebook,
        (pack, on): (&'p Indices, Day),
    ) -> Result<Self, Error> {
        let census = picture.census;
        let bad = |reason: String| BadPack { file: "indices.toml".to_owned(), reason };
        let ids = &rulebook.guarantees.plan.ids;
        // A guarantee that is not asked on the day weighs nothing.
        let dimensions = pack.dimensions.iter().filter_map(|own| {
            let place = ids.iter().position(|id| *id == own.guarantee)?;
            Some((own, place))
        });
        let (dimensions, weights): (Vec<_>, Vec<_>) =
            dimensions.map(|(own, place)| ((own.guarantee.clone(), place), own.weight)).unzip();
        let measure = Measure::new(weights, pack.cutoff).map_err(|error| bad(error.to_string()))?;
        Ok(Self {
            picture,
            on,
            lines: picture.lines_fen(rulebook),
            members: census.members_on(on),
            measure,
            assessment: picture.ask(rulebook, &rulebook.guarantees.plan, on, &[]),
            dimensions,
            pack,
        })
    }

    fn incomes(&self) -> Incomes<'_> {
        self.picture.census.incomes(self.on.year())
    }

    /// The indices of each part.
    fn of(
        &self,
        parts: &Parts,
        whole: Option<&Multidimensional>,
    ) -> Vec<(IndicesOf, Multidimensional)> {
        let census = self.picture.census;
        let asked = Asked { chosen: Chosen::All, threads: threads() };
        let villages = census.village_places();
        let groups = || Groups::through(villages, &parts.of_village, parts.lines.len());
        let lines = Lines::OfVillages(villages, &self.lines);
        let poverty = poverty_by(self.incomes(), lines, asked, groups());
        let means = mean_by(self.incomes(), asked, groups());
        let before = mean_by(census.incomes(self.on.year() - 1), asked, groups());
        let ginis = self.ginis(parts);
        let ways = self.ways(groups());
        let mut told = Vec::with_capacity(parts.lines.len());
        for ((((part, poverty), (mean, before)), gini), ways) in
            parts.lines.iter().zip(&poverty).zip(means.iter().zip(&before)).zip(ginis).zip(ways)
        {
            let own = IndicesOf {
                code: part.code.clone(),
                name: part.name.clone(),
                known: counted(poverty.counted),
                unknown: Counted {
                    households: poverty.unknown.households,
                    persons: poverty.unknown.persons,
                },
                poor: counted(poverty.poor),
                incidence_percent: incidence_percent(poverty, part.rural_population),
                rural_population: part.rural_population,
                fgt: poverty.fgt().map(|fgt| [fgt.p0, fgt.p1, fgt.p2]),
                gap_fen: i64::try_from(poverty.gap_fen()).unwrap_or(i64::MAX),
                income_per_head_fen: mean.fen(),
                growth_percent: mean.growth_since(before).map(|growth| growth * 100.0),
                gini,
                multidimensional: self.told(&ways, whole),
            };
            told.push((own, ways));
        }
        told
    }

    /// Gini's coefficient of each part: each needs an order of its own.
    fn ginis(&self, parts: &Parts) -> Vec<Option<f64>> {
        let mut places: Vec<Vec<u32>> = parts.lines.iter().map(|_| Vec::new()).collect();
        for (nth, village) in (0..).zip(self.picture.census.village_places()) {
            let village = usize::try_from(*village).unwrap_or(usize::MAX);
            let part = parts.of_village.get(village).and_then(|part| usize::try_from(*part).ok());
            if let Some(own) = part.and_then(|part| places.get_mut(part)) {
                own.push(nth);
            }
        }
        let gini = |own: Vec<u32>| {
            let asked = Asked { chosen: Chosen::Places(&own), threads: threads() };
            Ladder::of(self.incomes(), asked).gini()
        };
        places.into_iter().map(gini).collect()
    }

    fn ways(&self, groups: Groups<'_>) -> Vec<Multidimensional> {
        let outcomes = self.dimensions.iter().filter_map(|(_, place)| {
            self.assessment.rules.get(*place).map(|rule| &rule.outcomes[..])
        });
        let lacking = Deprivations::new(&self.measure, 0, outcomes.collect());
        let asked = Asked { chosen: Chosen::All, threads: threads() };
        let persons = Persons::new(&self.members);
        // The measure has a weight for each of them.
        lacking.map_or_else(|_| Vec::new(), |own| multidimensional_by(&own, persons, asked, groups))
    }

    fn told(&self, ways: &Multidimensional, whole: Option<&Multidimensional>) -> Ways {
        let way = |((guarantee, _), own): (&(String, usize), &Dimension)| Way {
            guarantee: guarantee.clone(),
            deprived: counted(own.deprived),
            censored: counted(own.censored),
            contribution: ways.contribution(own),
        };
        Ways {
            known: counted(ways.counted),
            poor: counted(ways.poor),
            unknown: Counted { households: ways.unknown.households, persons: ways.unknown.persons },
            incidence: ways.incidence().share(),
            intensity: ways.intensity(),
            m0: ways.m0(),
            contribution: whole.and_then(|whole| ways.contribution_to(whole)),
            dimensions: self.dimensions.iter().zip(&ways.dimensions).map(way).collect(),
        }
    }

    fn bands(&self) -> Result<Vec<Band>, Error> {
        let bounds: Vec<i64> = self.pack.income_bands_yuan.iter().map(|yuan| yuan * 100).collect();
        let bad = |error: daohu_census::indices::NotAscending| BadPack {
            file: "indices.toml".to_owned(),
            reason: error.to_string(),
        };
        let bands = Bands::new(bounds.clone()).map_err(bad)?;
        let asked = Asked { chosen: Chosen::All, threads: threads() };
        let counts = distribution(self.incomes(), &bands, asked).bands;
        let from = std::iter::once(None).chain(bounds.iter().copied().map(Some));
        let below = bounds.iter().copied().map(Some).chain([None]);
        let band = |((from_fen, below_fen), own): ((Option<i64>, Option<i64>), &Headcount)| Band {
            from_fen,
            below_fen,
            counted: counted(*own),
        };
        Ok(from.zip(below).zip(&counts).map(band).collect())
    }
}

fn counted(own: Headcount) -> Counted {
    Counted { households: own.households, persons: own.persons }
}

/// In percent, among a rural population that is known.
fn incidence_percent(poverty: &Poverty, population: Option<i64>) -> Option<f64> {
    let population = u64::try_from(population?).ok()?;
    poverty.incidence(population).share().map(|share| share * 100.0)
}
