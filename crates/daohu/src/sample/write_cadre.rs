//! Rows of 干部.

use super::dice::Dice;
use super::key::Key;
use super::member::Sex;
use super::names;
use super::sheet::Row;
use super::write_household::phone;

/// Women among cadres, and cells left blank, per mille.
const WOMEN: u32 = 320;
const GAP: u32 = 20;
/// Telephones that are known, per mille.
const PHONES: u32 = 970;
/// Years of birth, first and last.
const BORN: (i32, i32) = (1958, 1991);

/// A cadre, without what is drawn by lot.
pub(super) struct Cadre<'a> {
    pub(super) key: Key<'a>,
    pub(super) unit: Option<Key<'a>>,
    /// 职务.
    pub(super) duty: &'static str,
    /// 角色, separated by 、 where there are several.
    pub(super) roles: &'static str,
    /// 所在区划代码.
    pub(super) area: &'a str,
}

/// Puts the cadre into the row, with a name, a sex and a telephone by lot.
pub(super) fn cadre(row: &mut Row, dice: &mut Dice, surnames: &[&'static str], cadre: &Cadre<'_>) {
    row.clear();
    row.show(cadre.key);
    let sex = if dice.chance(WOMEN) { Sex::Female } else { Sex::Male };
    let (first, last) = BORN;
    let surname = names::surname(dice, surnames);
    let born = dice.between(first, last);
    row.show(names::named(dice, surname, sex, born));
    row.text(if dice.chance(GAP) { "" } else { sex.word() });
    row.maybe(cadre.unit);
    row.text(if dice.chance(GAP) { "" } else { cadre.duty });
    row.text(cadre.roles);
    phone(row, dice, PHONES);
    row.text(cadre.area);
}
