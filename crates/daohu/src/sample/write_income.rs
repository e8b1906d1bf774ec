//! Rows of 年度收入.

use super::dice::Dice;
use super::income::Income;
use super::sheet::Row;

/// Puts a year's income into the row. A part of 转移性收入 that is nothing is sometimes blank, one
/// that is something never, so that the given parts add up.
pub(super) fn income(row: &mut Row, dice: &mut Dice, household: &str, income: &Income) {
    row.clear();
    row.text(household);
    row.show(income.year);
    row.show(income.people);
    row.yuan(income.wage);
    row.yuan(income.production);
    row.yuan(income.property);
    row.yuan(income.transfers());
    for part in [
        income.birth_control,
        income.dibao,
        income.tekun,
        income.pension,
        income.ecology,
        income.other,
    ] {
        if part == 0 && dice.chance(200) {
            row.blank();
        } else {
            row.yuan(part);
        }
    }
    row.yuan(income.cost);
    if dice.chance(35) {
        row.blank();
    } else {
        row.yuan(income.medical);
    }
}
