//! Who has to put right how much. Pure.

use std::collections::BTreeMap;

/// What a cadre has to put right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Duty {
    /// Households with findings.
    pub(super) households: i64,
    pub(super) findings: i64,
}

/// Counts by the cadre's number; without one, what nobody answers for.
#[derive(Debug, Default)]
pub(super) struct Duties(BTreeMap<Option<String>, Duty>);

impl Duties {
    /// Counts a household with so many findings for each who answers for it.
    pub(super) fn count(&mut self, cadres: &[String], findings: usize) {
        if findings == 0 {
            return;
        }
        let more = Duty { households: 1, findings: i64::try_from(findings).unwrap_or(i64::MAX) };
        if cadres.is_empty() {
            self.put(None, more);
        }
        for cadre in cadres {
            self.put(Some(cadre.clone()), more);
        }
    }

    /// Adds what another reader counted.
    pub(super) fn add(&mut self, other: Self) {
        other.0.into_iter().for_each(|(cadre, more)| self.put(cadre, more));
    }

    fn put(&mut self, cadre: Option<String>, more: Duty) {
        let duty = self.0.entry(cadre).or_default();
        duty.households += more.households;
        duty.findings += more.findings;
    }

    /// By number; what nobody answers for comes first.
    pub(super) fn told(self) -> Vec<(Option<String>, Duty)> {
        self.0.into_iter().collect()
    }
}
