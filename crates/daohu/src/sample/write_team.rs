//! Rows of 工作队: one for each member.

use super::calendar::Day;
use super::key::Key;
use super::sheet::Row;

/// Puts a member who is still with the team into the row.
pub(super) fn member(
    row: &mut Row,
    (team, village): (Key<'_>, &str),
    cadre: Key<'_>,
    leads: bool,
    since: Day,
) {
    row.clear();
    row.show(team);
    row.text(village);
    row.show(cadre);
    row.flag(leads);
    row.day(Some(since));
    // 结束日期 and 结束原因.
    row.blank();
    row.blank();
}
