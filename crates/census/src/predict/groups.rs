//! Whether some groups of households are judged otherwise than others.

use super::{
    Facts, Settings,
    figures::{Estimate, Ranking, mean},
    indicator, number,
};

/// The groups of a dimension.
#[derive(Clone, Debug, PartialEq)]
pub struct Groups {
    /// The dimension's place.
    pub dimension: usize,
    /// The groups that are large enough to be shown, by name.
    pub shown: Vec<GroupFigures>,
    /// How many are not shown.
    pub hidden: usize,
}

/// How good probabilities were for the households of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupFigures {
    /// The group's name.
    pub name: String,
    /// Its rows.
    pub rows: usize,
    /// The share of them in the state.
    pub observed: f64,
    /// The mean probability.
    pub predicted: f64,
    /// By how much the probability was too high (negative: too low) on average.
    pub excess: Estimate,
    /// None if either outcome is too rare in the group.
    pub auc: Option<Estimate>,
    /// The share of those not in the state whose probability was at or above the threshold; none if there are too few of them.
    pub false_alarms: Option<Estimate>,
    /// The share of those in the state whose probability was below the threshold; none if there are too few of them.
    pub misses: Option<Estimate>,
}

/// The groups of each dimension.
pub(super) fn groups(
    facts: &Facts,
    rows: &[usize],
    probabilities: &[f64],
    states: &[bool],
    settings: &Settings,
) -> Vec<Groups> {
    let dimensions = facts.labels.iter().zip(&facts.names).enumerate();
    let judged = dimensions.map(|(dimension, (labels, names))| {
        let mut parts = vec![Vec::new(); names.len()];
        for (row, said) in rows.iter().zip(probabilities.iter().zip(states)) {
            let label = labels.get(*row).and_then(|label| usize::try_from(*label).ok());
            if let Some(part) = label.and_then(|label| parts.get_mut(label)) {
                part.push((*said.0, *said.1));
            }
        }
        let own = || names.iter().zip(&parts).filter(|(_, part)| !part.is_empty());
        let is_shown = |part: &[(f64, bool)]| part.len() >= settings.group_rows_min.max(1);
        let large = own().filter(|(_, part)| is_shown(part));
        let mut shown: Vec<GroupFigures> =
            large.map(|(name, part)| judge(name, part, settings)).collect();
        shown.sort_by(|one, other| one.name.cmp(&other.name));
        Groups { dimension, hidden: own().count() - shown.len(), shown }
    });
    judged.collect()
}

fn judge(name: &str, part: &[(f64, bool)], settings: &Settings) -> GroupFigures {
    let errors = settings.standard_errors;
    let (probabilities, states): (Vec<f64>, Vec<bool>) = part.iter().copied().unzip();
    let need = settings.outcome_rows_min.max(2);
    let of = |state: bool, is_wrong: &dyn Fn(f64) -> bool| {
        let own: Vec<f64> = part
            .iter()
            .filter(|(_, own)| *own == state)
            .map(|(probability, _)| indicator(is_wrong(*probability)))
            .collect();
        (own.len() >= need).then(|| mean(own.into_iter(), errors))
    };
    let false_alarms = of(false, &|probability| probability >= settings.alarm_at);
    let misses = of(true, &|probability| probability < settings.alarm_at);
    let has_both = false_alarms.is_some() && misses.is_some();
    let excess = part.iter().map(|(probability, state)| probability - indicator(*state));
    GroupFigures {
        name: name.to_owned(),
        rows: part.len(),
        observed: number(states.iter().filter(|state| **state).count()) / number(part.len()),
        predicted: probabilities.iter().sum::<f64>() / number(part.len()),
        excess: mean(excess, errors),
        auc: has_both.then(|| Ranking::new(&probabilities, &states).auc(errors)),
        false_alarms,
        misses,
    }
}
