//! Indices of poverty of an area: how many are poor, how deeply, how unequal incomes are, in how many ways, from what, and who
//! went below the line or above it.

mod ginis;
mod shares;

use std::sync::Arc;

use daohu_base::{AreaCode, AreaLevel, Day, Scope};
use daohu_census::{
    Census, Outcome,
    indices::{Dimension, Flows, Headcount, Multidimensional, Poverty, Unknown},
};
use daohu_policy::{Indices, Policy};
use serde::Serialize;
use utoipa::ToSchema;

pub(super) use self::{ginis::Ginis, shares::Share};
use self::{
    ginis::ginis,
    shares::{BELOW, Measures, NOT_BELOW},
};
use super::{
    counties::{Counties, by_part},
    picture::{Part, Parts, Picture, Summed, SumsWanted, Tree, Wanted, look, summed},
    rulebook::Book,
};
use crate::{Context, Error, sheet::refused};

/// Indices of an area and of the areas in it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct IndicesReport {
    /// The area's code.
    pub area: String,
    /// The year.
    pub year: i64,
    /// Which packs said what is poor.
    pub policy: String,
    /// Among whom: `registered` households, or those of this class.
    pub among: String,
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

impl Counted {
    pub(super) fn join(&mut self, other: Self) {
        self.households += other.households;
        self.persons += other.persons;
    }
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
    /// Households by their main cause of poverty, in the order of the list.
    pub causes: Vec<CauseOf>,
    /// Of whom it is not known.
    pub cause_unknown: Counted,
    /// Who was below the line in the year before or not, and is now.
    pub flows: Vec<Flow>,
}

/// Households with a main cause of poverty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CauseOf {
    /// Its code.
    pub code: String,
    /// What it is called.
    pub name: String,
    /// Who has it, and who belongs to them on the last day of the year.
    #[serde(flatten)]
    pub counted: Counted,
}

/// Households by where they stood in the year before and stand now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Flow {
    /// `below` the line of the year before, `not_below`, or `unknown`.
    pub before: &'static str,
    /// The same of the year.
    pub after: &'static str,
    /// Who, and who belongs to them on the last day of the year.
    #[serde(flatten)]
    pub counted: Counted,
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
    /// The class of which households must be; all registered ones where none is named.
    pub class: Option<String>,
}

/// The indices of an area, if the whole of it lies inside the scope.
pub async fn indices(
    context: &Context,
    scope: &Scope,
    asked: IndicesAsked,
) -> Result<IndicesReport, Error> {
    let IndicesAsked { area, year, by, class } = asked;
    let policy = &context.policy;
    let last_day = |year| Day::new(year, 12, 31).ok_or(Error::NotFound("year"));
    let (on, on_before) = (last_day(year)?, last_day(year - 1)?);
    let (book, before) = (context.live.book(policy, on)?, context.live.book(policy, on_before)?);
    let measures = Measures::of(policy, &book, on)?;
    let teller = Teller { policy: Arc::clone(policy), measures, on, by, class };
    let asks_amounts = book.rules.guarantees.asks_amounts(&book.fields);
    let Some(class) = &teller.class else {
        let wanted = SumsWanted {
            area,
            deepest: AreaLevel::Village,
            book: Arc::clone(&book),
            year,
            asks_amounts,
        };
        let measures = teller.measures.clone();
        let ask =
            move |census: &Census, span| measures.by_village(census, (&book, &before), span, None);
        let tell = move |own: Summed<'_, Share>| {
            teller.told(&own.tree, own.census, &own.counties, (None, own.ginis))
        };
        return summed(context, scope, wanted, (|kept| &kept.shares, ask), tell).await;
    };
    let plan = book.rules.classes.only(class);
    let plan = plan.ok_or_else(|| refused("class", "monitor.unknown_rule"))?;
    let fields = book.fields.clone();
    let asks_amounts = asks_amounts || plan.asks_amounts(&fields);
    let wanted = Wanted { area, fields, year, asks_amounts };
    let tell = move |picture: &Picture<'_>| {
        let said = picture.ask(&book.rules, &plan.plan, on, &[]);
        let outcomes = said.rules.first().map(|rule| &rule.outcomes[..]).unwrap_or_default();
        let is_chosen: Vec<bool> = outcomes.iter().map(|own| *own == Outcome::Met).collect();
        let (census, all) = (picture.census, 0..picture.census.households());
        let books: (&Book, &Book) = (&book, &before);
        let shares = teller.measures.by_village(census, books, all, Some(&is_chosen));
        teller.told(&picture.tree, census, &Counties::of(shares), (Some(&is_chosen), None))
    };
    look(context, scope, wanted, tell).await
}

/// Tells what shares come to.
struct Teller {
    policy: Arc<Policy>,
    measures: Measures,
    on: Day,
    by: Option<AreaLevel>,
    class: Option<String>,
}

impl Teller {
    fn told(
        &self,
        tree: &Tree,
        census: &Census,
        counties: &Counties<Share>,
        chosen: (Option<&[bool]>, Option<&Ginis>),
    ) -> Result<IndicesReport, Error> {
        let year = self.on.year();
        let of = |by: Option<AreaLevel>| {
            let pieces = counties.pieces(&tree.area, by);
            let parts: Parts = tree.parts(by, self.on, pieces.iter().map(|(code, _)| *code));
            let sums = by_part(&parts, &pieces);
            let codes: Vec<&str> = parts.lines.iter().map(|part| part.code.as_str()).collect();
            let ginis = ginis(census, year, &codes, chosen);
            let told = parts.lines.into_iter().zip(sums).zip(ginis);
            told.map(|((part, share), gini)| (part, share, gini)).collect::<Vec<_>>()
        };
        let nobody = self.measures.nothing();
        let whole = of(None).into_iter().next().ok_or(Error::NotFound("area"))?;
        let m0 = whole.1.as_ref().map(|share| share.ways.clone());
        let tell = |(part, share, gini): (Part, Option<Share>, Option<f64>), m0: Option<&_>| {
            self.indices_of(part, share.as_ref().unwrap_or(&nobody), (gini, m0))
        };
        let distribution = self.bands(whole.1.as_ref().unwrap_or(&nobody));
        let parts = self.by.map_or_else(Vec::new, |by| of(Some(by)));
        Ok(IndicesReport {
            area: tree.area.to_string(),
            year,
            policy: self.policy.version().to_owned(),
            among: self.class.clone().unwrap_or_else(|| "registered".to_owned()),
            whole: tell(whole, None),
            parts: parts.into_iter().map(|own| tell(own, m0.as_ref())).collect(),
            distribution,
        })
    }

    fn indices_of(
        &self,
        part: Part,
        share: &Share,
        (gini, whole): (Option<f64>, Option<&Multidimensional>),
    ) -> IndicesOf {
        let poverty = &share.poverty;
        let causes = self.measures.causes.iter().zip(&share.causes.by_code);
        IndicesOf {
            known: counted(poverty.counted),
            unknown: unknown(&poverty.unknown),
            poor: counted(poverty.poor),
            incidence_percent: incidence_percent(poverty, part.rural_population),
            rural_population: part.rural_population,
            fgt: poverty.fgt().map(|fgt| [fgt.p0, fgt.p1, fgt.p2]),
            gap_fen: i64::try_from(poverty.gap_fen()).unwrap_or(i64::MAX),
            income_per_head_fen: share.mean.fen(),
            growth_percent: share.mean.growth_since(&share.before).map(|growth| growth * 100.0),
            gini,
            multidimensional: self.ways(&share.ways, whole),
            causes: causes
                .map(|((code, name), own)| CauseOf {
                    code: code.clone(),
                    name: name.clone(),
                    counted: counted(*own),
                })
                .collect(),
            cause_unknown: unknown(&share.causes.unknown),
            flows: flows(&share.flows),
            code: part.code,
            name: part.name,
        }
    }

    fn ways(&self, ways: &Multidimensional, whole: Option<&Multidimensional>) -> Ways {
        let way = |((guarantee, _), own): (&(String, usize), &Dimension)| Way {
            guarantee: guarantee.clone(),
            deprived: counted(own.deprived),
            censored: counted(own.censored),
            contribution: ways.contribution(own),
        };
        Ways {
            known: counted(ways.counted),
            poor: counted(ways.poor),
            unknown: unknown(&ways.unknown),
            incidence: ways.incidence().share(),
            intensity: ways.intensity(),
            m0: ways.m0(),
            contribution: whole.and_then(|whole| ways.contribution_to(whole)),
            dimensions: self.measures.dimensions.iter().zip(&ways.dimensions).map(way).collect(),
        }
    }

    fn bands(&self, share: &Share) -> Vec<Band> {
        let Indices { income_bands_yuan, .. } = self.policy.indices();
        let bounds: Vec<i64> = income_bands_yuan.iter().map(|yuan| yuan * 100).collect();
        let from = std::iter::once(None).chain(bounds.iter().copied().map(Some));
        let below = bounds.iter().copied().map(Some).chain([None]);
        let band = |((from_fen, below_fen), own): ((Option<i64>, Option<i64>), &Headcount)| Band {
            from_fen,
            below_fen,
            counted: counted(*own),
        };
        from.zip(below).zip(&share.bands.bands).map(band).collect()
    }
}

/// Each state before with each state after.
fn flows(own: &Flows) -> Vec<Flow> {
    let states = [(Some(BELOW), "below"), (Some(NOT_BELOW), "not_below"), (None, "unknown")];
    let from = |(before, from): (Option<u8>, &'static str)| {
        states.map(|(after, to)| Flow {
            before: from,
            after: to,
            counted: counted(own.between(before, after)),
        })
    };
    states.into_iter().flat_map(from).collect()
}

fn counted(own: Headcount) -> Counted {
    Counted { households: own.households, persons: own.persons }
}

fn unknown(own: &Unknown) -> Counted {
    Counted { households: own.households, persons: own.persons }
}

/// In percent, among a rural population that is known.
fn incidence_percent(poverty: &Poverty, population: Option<i64>) -> Option<f64> {
    let population = u64::try_from(population?).ok()?;
    poverty.incidence(population).share().map(|share| share * 100.0)
}
