//! 计划: the columns of targets.

use super::column;
use crate::sheet::{Kind::*, Sheet};

/// More than any area has of anything.
const FIGURE_MAX: f64 = 1e15;

/// 计划: What an area is to reach in a year.
pub static TARGETS: Sheet = Sheet {
    name: "targets",
    title: "计划",
    columns: &[
        column("区划代码", "area", Area(None), true, "The area.", &[]),
        column("年度", "year", Year, true, "The year.", &[]),
        column("指标", "indicator", Code("计划指标"), true, "What is counted.", &[]),
        column("目标值", "target", Quantity(0.0, FIGURE_MAX), true, "How many.", &[]),
    ],
};

/// Positions in [`TARGETS`].
pub mod target {
    positions! { 0; AREA YEAR INDICATOR TARGET }
}
