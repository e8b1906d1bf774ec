//! Predicting the next year of an area's households, and looking how good that was.

use std::{
    collections::BTreeMap, num::NonZero, path::PathBuf, sync::Arc, thread::available_parallelism,
};

use daohu_base::{AreaCode, Scope};
use daohu_census::predict::{self, Model, Settings, model_card};
use daohu_db::FutureExt;
use daohu_policy::Prospect;
use rustc_hash::FxHashMap;
use serde::Serialize;

use super::{
    about::{Data, about, id, meaning},
    csv,
    load::{Loaded, Named, load},
    model::{Explained, Line, Predicted, Report, Silence, reasons},
    shape::settings,
    told::{ToldCohort, cohorts},
};
use crate::{Context, Error, Lang, areas};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The area.
    pub area: AreaCode,
    /// The year at whose end it is asked: nothing after it is looked at.
    pub year: i64,
    /// What is predicted.
    pub prospect: Prospect,
    /// The language of reasons.
    pub lang: Lang,
}

/// How good predictions would have been, year by year.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tested {
    /// The area's code.
    pub area: String,
    /// The last year that was looked at.
    pub year: i64,
    /// What is predicted: `above_line` or `below_again`.
    pub prospect: &'static str,
    /// What that means, in both languages.
    pub meaning: [String; 2],
    /// Which packs it follows.
    pub policy: String,
    /// All households of the area.
    pub households: usize,
    /// By year, earlier ones first.
    pub cohorts: Vec<ToldCohort>,
    /// The model card, as Markdown.
    #[serde(skip)]
    pub card: String,
}

/// What was read for a question.
struct Read {
    asked: Asked,
    loaded: Loaded,
    settings: Settings,
    reasons_shown: usize,
    policy: String,
    /// Code and name.
    area: String,
}

/// Predicts the year after the one that is asked about, if the whole area lies inside the scope; into a file too, a line
/// for each household.
pub async fn run(
    context: &Context,
    scope: &Scope,
    asked: Asked,
    out: Option<PathBuf>,
) -> Result<Result<Report, Silence>, Error> {
    let read = read(context, scope, asked).await?;
    apart(move || {
        let report = match report(&read) {
            Ok(report) => report,
            Err(silence) => return Ok(Err(silence)),
        };
        if let Some(out) = &out {
            csv::write(out, &report, read.reasons_shown)?;
        }
        Ok(Ok(report))
    })
    .await
}

/// Predicts each year from those before it, and compares with what came. `note` is what the card says of the data besides.
pub async fn backtest(
    context: &Context,
    scope: &Scope,
    asked: Asked,
    note: Option<String>,
) -> Result<Tested, Error> {
    let read = read(context, scope, asked).await?;
    apart(move || Ok(tested(&read, note.as_deref()))).await
}

/// Predicts a household of the area, `NO` or `COUNTY/NO`, and tells all that its probability is made of.
pub async fn explain(
    context: &Context,
    scope: &Scope,
    asked: Asked,
    household: String,
) -> Result<Result<Explained, Silence>, Error> {
    let read = read(context, scope, asked).await?;
    apart(move || {
        let household = found(&read.loaded.households, &household)?;
        Ok(explained(&read, household))
    })
    .await
}

async fn read(context: &Context, scope: &Scope, asked: Asked) -> Result<Read, Error> {
    let scope = areas::ops::reported(scope, &asked.area)?;
    let (keys, policy) = (Arc::clone(&context.keys), Arc::clone(&context.policy));
    let (area, question) = (asked.area.clone(), (asked.prospect, asked.year));
    let work = context.db.read_scan(move |tx| {
        async move {
            let lines = areas::ops::lines_of(tx, &scope, &area).await?;
            let names: FxHashMap<String, String> =
                lines.into_iter().map(|line| (line.code, line.name)).collect();
            let code = area.to_string();
            let name = names.get(&code).map_or(code.clone(), |name| format!("{code} {name}"));
            let loaded = load(tx, (&keys, &policy), (&scope, names), question).await?;
            Ok::<_, Error>((loaded, name))
        }
        .boxed()
    });
    let (loaded, area) = work.await?;
    let pack = context.policy.prediction();
    Ok(Read {
        asked,
        loaded,
        settings: settings(pack),
        reasons_shown: pack.reasons_shown,
        policy: context.policy.version().to_owned(),
        area,
    })
}

/// Learning takes seconds: not on a thread that others' requests wait for.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Cancelled)?
}

fn threads() -> NonZero<usize> {
    available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

impl Read {
    /// The year that is asked about.
    fn year(&self) -> i32 {
        // A year that the calendar does not have has no rows.
        i32::try_from(self.asked.year).unwrap_or(i32::MAX)
    }

    fn model(&self) -> Result<Model, Silence> {
        Ok(Model::train(&self.loaded.panel, self.year(), &self.settings)?)
    }

    /// What is predicted of rows, with the strongest reasons.
    fn predicted(&self, model: &Model, rows: &[usize]) -> Vec<Predicted> {
        let facts = self.loaded.panel.facts();
        let language = csv::language(self.asked.lang);
        let said = model.predict(facts, rows, threads());
        let own = |(row, said): (&usize, &predict::Prediction)| {
            let named = self.named(*row)?;
            let why = model.explain(facts, *row);
            let reasons = why.words(facts.shape(), language, self.reasons_shown);
            let names = (named.no.as_str(), named.county.as_str(), named.township.as_str());
            Some(Predicted::new(names, self.year().saturating_add(1), said, reasons))
        };
        rows.iter().zip(&said).filter_map(own).collect()
    }

    fn named(&self, row: usize) -> Option<&Named> {
        let (household, _) = self.loaded.panel.facts().row(row)?;
        self.loaded.households.get(&household)
    }
}

fn report(read: &Read) -> Result<Report, Silence> {
    let model = read.model()?;
    let rows = read.loaded.panel.facts().rows_of(read.year());
    let mut predictions = read.predicted(&model, &rows);
    predictions.sort_by(|one, other| {
        (&one.county, &one.household_no).cmp(&(&other.county, &other.household_no))
    });
    let alarm_at = read.settings.alarm_at;
    let mut townships: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for own in &predictions {
        townships.entry(&own.township).or_default().push(own.probability);
    }
    let line = |(township, own): (&&str, &Vec<f64>)| {
        Some(Line {
            township: (*township).to_owned(),
            asked: own.len(),
            expected_share: mean(own)?,
            at_or_above: above(own, alarm_at),
        })
    };
    let all: Vec<f64> = predictions.iter().map(|own| own.probability).collect();
    Ok(Report {
        area: read.asked.area.to_string(),
        year: read.year(),
        predicted_year: read.year().saturating_add(1),
        prospect: id(read.asked.prospect),
        meaning: meaning(read.asked.prospect),
        policy: read.policy.clone(),
        households: read.loaded.households.len(),
        asked: rows.len(),
        trained_on: model.trained_on().to_vec(),
        rows_trained: model.rows(),
        penalty: model.penalty(),
        calibrated_on: model.calibration().map(|(year, _)| year),
        expected_share: mean(&all),
        alarm_at,
        at_or_above: above(&all, alarm_at),
        townships: townships.iter().filter_map(line).collect(),
        predictions,
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts of households stay below 2^53")]
fn mean(own: &[f64]) -> Option<f64> {
    (!own.is_empty()).then(|| own.iter().sum::<f64>() / own.len() as f64)
}

fn above(own: &[f64], at: f64) -> usize {
    own.iter().filter(|probability| **probability >= at).count()
}

fn tested(read: &Read, note: Option<&str>) -> Tested {
    let (panel, prospect) = (&read.loaded.panel, read.asked.prospect);
    let tested = predict::backtest(panel, &read.settings, threads());
    let shape = panel.facts().shape();
    let data = Data {
        area: &read.area,
        year: read.asked.year,
        households: read.loaded.households.len(),
        rows: panel.facts().rows(),
        policy: &read.policy,
        note,
    };
    Tested {
        area: read.asked.area.to_string(),
        year: read.asked.year,
        prospect: id(prospect),
        meaning: meaning(prospect),
        policy: read.policy.clone(),
        households: data.households,
        cohorts: cohorts(&tested, shape),
        card: model_card(&about(prospect, &data), shape, &tested, &read.settings),
    }
}

/// The household of a number.
fn found(households: &FxHashMap<i64, Named>, reference: &str) -> Result<i64, Error> {
    let (county, no) = match reference.split_once('/') {
        Some((county, no)) => (Some(county), no),
        None => (None, reference),
    };
    let is_it = |own: &Named| own.no == no && county.is_none_or(|county| own.county == county);
    let mut those: Vec<(&i64, &Named)> = households.iter().filter(|(_, own)| is_it(own)).collect();
    those.sort_by_key(|(id, _)| **id);
    match those.as_slice() {
        [] => Err(Error::NotFound("household")),
        [(id, _)] => Ok(**id),
        _ => Err(Error::Ambiguous(
            those.iter().map(|(_, own)| format!("{}/{}", own.county, own.no)).collect(),
        )),
    }
}

fn explained(read: &Read, household: i64) -> Result<Explained, Silence> {
    let facts = read.loaded.panel.facts();
    let mut rows = facts.rows_of(read.year()).into_iter();
    let row = rows.find(|row| facts.row(*row).is_some_and(|(own, _)| own == household));
    let row = row.ok_or(Silence::NotAsked)?;
    let model = read.model()?;
    let predicted = read.predicted(&model, &[row]).pop().ok_or(Silence::NotAsked)?;
    let why = model.explain(facts, row);
    Ok(Explained {
        predicted,
        prospect: id(read.asked.prospect),
        meaning: meaning(read.asked.prospect),
        average: why.average(),
        average_log_odds: why.base,
        log_odds: why.log_odds,
        contributions: reasons(&why, facts.shape(), csv::language(read.asked.lang)),
    })
}
