//! What indices are put together from: of each village what its households come to, so that those of areas add up.

use std::{num::NonZero, ops::Range};

use daohu_base::Day;
use daohu_census::{
    Census, Question, assess,
    indices::{
        Asked, Bands, Causes, Chosen, Deprivations, Distribution, Flows, Groups, Headcount,
        Incomes, Lines, Mean, Measure, Multidimensional, Persons, Poverty, Tally, causes_by,
        distribution, distribution_by, flows_by, mean_by, multidimensional, multidimensional_by,
        poverty_by,
    },
};
use daohu_policy::{
    BadPack, CodeSet, Indices, Policy,
    expr::{FieldKind, FieldRef, Level},
};

use super::super::{
    counties::{Sum, Villages},
    picture::threads,
    rulebook::Book,
};

/// What some households come to.
#[derive(Clone, Debug, Default)]
pub(in crate::monitoring) struct Share {
    pub(super) poverty: Poverty,
    pub(super) mean: Mean,
    /// Of the year before.
    pub(super) before: Mean,
    pub(super) ways: Multidimensional,
    pub(super) bands: Distribution,
    /// By the main cause.
    pub(super) causes: Causes,
    /// From below or not below the line of the year before to below or not below that of the year.
    pub(super) flows: Flows,
}

impl Sum for Share {
    fn add(&mut self, other: &Self) {
        self.poverty.join(&other.poverty);
        self.mean.join(&other.mean);
        self.before.join(&other.before);
        self.ways.join(&other.ways);
        self.bands.join(&other.bands);
        self.causes.join(&other.causes);
        self.flows.join(&other.flows);
    }
}

/// States of a flow: below the line, and not below it.
pub(super) const BELOW: u8 = 0;
pub(super) const NOT_BELOW: u8 = 1;
const STATES: u8 = 2;

/// By which measures shares are counted.
#[derive(Clone)]
pub(super) struct Measures {
    on: Day,
    measure: Measure,
    bands: Bands,
    /// The guarantees of the measure, by their places in the plan.
    pub(super) dimensions: Vec<(String, usize)>,
    /// The field of the main cause with the codes that it may have, and what these are called.
    cause: Option<(FieldRef, CodeSet)>,
    pub(super) causes: Vec<(String, String)>,
}

/// The field that is the main cause.
const CAUSE: &str = "main_cause";

impl Measures {
    pub(super) fn of(policy: &Policy, book: &Book, on: Day) -> Result<Self, BadPack> {
        let pack: &Indices = policy.indices();
        let bad = |reason: String| BadPack { file: "indices.toml".to_owned(), reason };
        let ids = &book.rules.guarantees.plan.ids;
        // A guarantee that is not asked on the day weighs nothing.
        let dimensions = pack.dimensions.iter().filter_map(|own| {
            let place = ids.iter().position(|id| *id == own.guarantee)?;
            Some((own, place))
        });
        let (dimensions, weights): (Vec<_>, Vec<_>) =
            dimensions.map(|(own, place)| ((own.guarantee.clone(), place), own.weight)).unzip();
        let measure = Measure::new(weights, pack.cutoff).map_err(|error| bad(error.to_string()))?;
        let bounds = pack.income_bands_yuan.iter().map(|yuan| yuan * 100).collect();
        let bands = Bands::new(bounds).map_err(|error| bad(error.to_string()))?;
        let fields = &book.fields.shape.vocabulary.household;
        let place = fields.iter().position(|field| field.name == CAUSE);
        let list = place.and_then(|place| match &fields.get(place)?.kind {
            FieldKind::Code(list) => policy.list(list),
            _ => None,
        });
        let values = || list.iter().flat_map(|list| list.values());
        let codes: CodeSet = values().filter_map(|value| value.code.parse::<i64>().ok()).collect();
        let cause =
            place.zip(list).map(|(place, _)| (FieldRef { level: Level::Household, place }, codes));
        let name = |code: u8| list?.name_of(code).map(str::to_owned);
        let causes =
            codes.iter().map(|code| (format!("{code:02}"), name(code).unwrap_or_default()));
        Ok(Self { on, measure, bands, dimensions, cause, causes: causes.collect() })
    }

    /// What nobody comes to.
    pub(super) fn nothing(&self) -> Share {
        let asked = Asked { chosen: Chosen::All, threads: NonZero::<usize>::MIN };
        let nobody = Persons::new(&[]);
        let lacking =
            Deprivations::new(&self.measure, 0, self.dimensions.iter().map(|_| &[][..]).collect());
        let ways = lacking.map(|own| multidimensional(&own, nobody, asked)).unwrap_or_default();
        let causes = self.causes.iter().map(|_| Headcount::default()).collect();
        Share {
            ways,
            bands: distribution(Incomes::new(&[], nobody), &self.bands, asked),
            causes: Causes { by_code: causes, ..Causes::default() },
            ..Share::default()
        }
    }

    /// What the villages of the households between two places come to, of those households that are chosen among them.
    pub(super) fn by_village(
        &self,
        census: &Census,
        (book, before): (&Book, &Book),
        span: Range<usize>,
        is_chosen: Option<&[bool]>,
    ) -> Vec<(String, Share)> {
        let on = self.on;
        let known = Villages::of(census, span.clone());
        let villages = census.village_places();
        let chosen = is_chosen.map_or(Chosen::Between(span.start, span.end), Chosen::Where);
        let asked = Asked { chosen, threads: threads() };
        let groups = Groups::through(villages, &known.numbers, known.places.len());
        let [own, own_before] = [book, before].map(|book| {
            known.spread(census, None, |village| book.rules.line_fen(village, &book.fields))
        });
        let [line, line_before] = [&own, &own_before].map(|own| Lines::OfVillages(villages, own));
        let [incomes, incomes_before] = [on.year(), on.year() - 1].map(|year| census.incomes(year));
        let members = census.members_on(on, span.clone());
        let persons = Persons::from(span.start, &members);

        let places = known.spread(census, 0, |village| book.rules.place_of(village));
        let shape = &*book.fields.shape;
        let question = Question { shape, on, places: &places, added_fen: &[] };
        let said = assess(census, &book.rules.guarantees.plan, question, span, threads());
        let outcomes = self.dimensions.iter().filter_map(|(_, place)| said.rules.get(*place));
        let outcomes = outcomes.map(|rule| &rule.outcomes[..]).collect();
        // The measure has a weight for each of them.
        let lacking = Deprivations::new(&self.measure, said.from, outcomes);
        let ways = lacking
            .map_or_else(|_| Vec::new(), |own| multidimensional_by(&own, persons, asked, groups));
        let codes =
            self.cause.and_then(|(field, listed)| Some((census.codes(shape, field)?, listed)));
        let causes = codes.map_or_else(
            || known.places.iter().map(|_| Causes::default()).collect(),
            |(codes, listed)| causes_by(codes, listed, persons, asked, groups),
        );
        let state =
            |is_poor: Option<bool>| is_poor.map(|poor| if poor { BELOW } else { NOT_BELOW });
        let from = |nth| state(incomes_before.is_poor(line_before, nth));
        let to = |nth| state(incomes.is_poor(line, nth));
        let flows = flows_by(STATES, from, to, persons, asked, groups);
        let poverty = poverty_by(incomes, line, asked, groups);
        let means = mean_by(incomes, asked, groups);
        let means_before = mean_by(incomes_before, asked, groups);
        let bands = distribution_by(incomes, &self.bands, asked, groups);

        let all = poverty.into_iter().zip(means).zip(means_before).zip(ways).zip(bands);
        let all = all.zip(causes).zip(flows);
        let share = |((((((poverty, mean), before), ways), bands), causes), flows)| Share {
            poverty,
            mean,
            before,
            ways,
            bands,
            causes,
            flows,
        };
        known.with(census, all.map(share).collect())
    }
}
