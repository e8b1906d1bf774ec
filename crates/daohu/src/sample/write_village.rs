//! Rows of 村.

use super::dice::Dice;
use super::sheet::Row;
use super::village::Village;

/// Cells left blank, per mille.
const GAP: u32 = 15;

/// Puts a year of the village into the row.
pub(super) fn village(row: &mut Row, dice: &mut Dice, code: &str, village: &Village, year: i32) {
    let now = village.year(year);
    let [road, bus, power, broadband, clinic, culture, trade] = now.has;
    row.clear();
    row.text(code);
    row.show(year);
    row.maybe((!dice.chance(GAP)).then_some(village.hamlets));
    row.show(now.households);
    row.show(now.people);
    row.maybe((!dice.chance(GAP)).then_some(now.workers));
    row.maybe((!dice.chance(GAP)).then_some(now.away));
    row.yuan(now.collective_fen);
    for flag in [road, bus, power, broadband, clinic] {
        row.flag(flag);
    }
    row.show(now.doctors);
    row.flag(culture);
    row.show(now.safe_water);
    row.maybe((!dice.chance(GAP)).then_some(now.cooperatives));
    row.flag(trade);
    row.text(village.cause);
    row.text(village.trade);
}
