//! What the model is compared with: last year's state, and income alone.
//!
//! Both learn of all earlier years, the one included that the model is calibrated on: they are given no less than it.

use super::{
    Panel, Settings, TooLittle,
    curve::Bend,
    learn::{Design, Sum, drawn, sigmoid},
    model::{enough, share, states},
};

/// The frequency of the state among those who were in it last year, who were not, and of whom it is not known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LastState {
    /// In the order of [`place`].
    frequencies: [f64; 3],
}

fn place(state: Option<bool>) -> usize {
    match state {
        Some(false) => 0,
        Some(true) => 1,
        None => 2,
    }
}

impl LastState {
    /// Learned of these rows; where there is none of a kind, the frequency of all.
    pub(super) fn train(panel: &Panel, rows: &[usize]) -> Self {
        let all = share(panel.outcomes(), rows);
        let frequencies = [Some(false), Some(true), None].map(|state| {
            let own = rows.iter().copied().filter(|row| panel.facts().state(*row) == state);
            let own: Vec<usize> = own.collect();
            if own.is_empty() { all } else { share(panel.outcomes(), &own) }
        });
        Self { frequencies }
    }

    pub(super) fn probability(&self, panel: &Panel, row: usize) -> f64 {
        let place = place(panel.facts().state(row));
        self.frequencies.get(place).copied().unwrap_or_default()
    }
}

/// A logistic regression on one feature, as a straight line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct IncomeAlone {
    sum: Sum,
}

impl IncomeAlone {
    /// Learned of these rows. The line runs from the lowest to the highest quantile of the settings' knots: what lies
    /// outside is taken for these, as the model does, so that it is not beaten by mistyped incomes.
    pub(super) fn train(
        panel: &Panel,
        rows: &[usize],
        settings: &Settings,
    ) -> Result<Self, TooLittle> {
        enough(panel.outcomes(), rows, settings)?;
        let rows = drawn(panel.facts(), rows.to_vec(), settings);
        let income = [panel.facts().shape.income];
        let design = Design::new(panel.facts(), &income, &rows, Bend::Nowhere, settings);
        // One straight line needs no penalty but what holds parted outcomes together.
        let penalty = settings.penalties.iter().copied().fold(f64::INFINITY, f64::min);
        let sum = design.logistic(&states(panel.outcomes(), &rows), penalty)?;
        Ok(Self { sum })
    }

    pub(super) fn probability(&self, panel: &Panel, row: usize) -> f64 {
        let facts = panel.facts();
        let value = facts.value(facts.shape.income, row);
        let curves = self.sum.curves.iter().map(|curve| curve.at(value));
        sigmoid(self.sum.base + curves.sum::<f64>())
    }
}
