//! 指标: the columns of areas' statistics.

use super::column;
use crate::sheet::{Kind::*, Sheet};

/// More than any figure of statistics.
const FIGURE_MAX: f64 = 1e15;

/// 指标: A figure of an area's statistics.
pub static INDICATORS: Sheet = Sheet {
    name: "indicators",
    title: "指标",
    columns: &[
        column("区划代码", "area", Area(None), true, "The area.", &[]),
        column("期间", "period", Period, true, "A year, quarters or a month of it.", &[]),
        column("指标", "indicator", Text(100), true, "What was measured.", &[]),
        column("数值", "figure", Quantity(-FIGURE_MAX, FIGURE_MAX), true, "The figure.", &[]),
        column("计量单位", "unit", Text(20), false, "The unit of the figure.", &[]),
        column("来源", "source", Text(200), false, "Who published it, and when.", &[]),
    ],
};

/// Positions in [`INDICATORS`].
pub mod indicator {
    positions! { 0; AREA PERIOD INDICATOR FIGURE UNIT SOURCE }
}
