//! Rows of 计划 and 指标.

use super::facts::{Indicator, Target};
use super::sheet::Row;

/// Puts an area's target into the row.
pub(super) fn target(row: &mut Row, area: &str, target: Target) {
    row.clear();
    row.text(area);
    row.show(target.year);
    row.text(target.planned.word());
    row.show(target.value);
}

/// Puts an area's published figure into the row.
pub(super) fn indicator(row: &mut Row, area: &str, indicator: &Indicator) {
    row.clear();
    row.text(area);
    row.text(indicator.period);
    row.text(indicator.name);
    row.text(indicator.value);
    row.text(indicator.unit);
    row.text(indicator.source);
}
