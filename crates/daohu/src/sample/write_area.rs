//! Rows of 行政区划.

use super::county::Spot;
use super::places::Point;
use super::sheet::Row;
use super::tree::AreaRow;

/// Puts an area above the townships into the row: it has no figures, a county at most a flag.
pub(super) fn upper(row: &mut Row, area: &AreaRow, poor_county: Option<bool>) {
    start(row, area);
    flag(row, poor_county);
    for _ in FIGURES_FROM - 1..COLUMNS {
        row.blank();
    }
}

/// Columns of the sheet, and the first one behind 是否贫困县.
const COLUMNS: usize = 14;
const FIGURES_FROM: usize = 6;

/// Puts a township or a village into the row.
pub(super) fn spot(row: &mut Row, spot: &Spot) {
    start(row, &spot.area);
    row.blank();
    flag(row, spot.poor.filter(|_| spot.town));
    flag(row, spot.poor.filter(|_| !spot.town));
    row.maybe(spot.rural.map(|(households, _)| households));
    row.maybe(spot.rural.map(|(_, people)| people));
    point(row, spot.centre);
    // 启用日期, 停用日期 and 前身代码 are history that nobody made up.
    row.blank();
    row.blank();
    row.blank();
}

/// 经度 and 纬度.
pub(super) fn point(row: &mut Row, point: Option<Point>) {
    match point {
        Some(Point { east, north }) => {
            row.degrees(east);
            row.degrees(north);
        }
        None => {
            row.blank();
            row.blank();
        }
    }
}

fn start(row: &mut Row, area: &AreaRow) {
    row.clear();
    row.text(&area.code);
    row.text(&area.name);
    row.text(&area.level);
    row.text(&area.kind);
}

fn flag(row: &mut Row, value: Option<bool>) {
    match value {
        Some(value) => row.flag(value),
        None => row.blank(),
    }
}
