//! Rows of 单位.

use super::key::Key;
use super::organisations::Organisation;
use super::sheet::Row;

/// Puts the unit into the row. Not everybody has the 统一社会信用代码 at hand.
pub(super) fn organisation(
    row: &mut Row,
    key: Key<'_>,
    organisation: &Organisation<'_>,
    credit_code: Option<String>,
) {
    row.clear();
    row.show(key);
    row.text(&organisation.name);
    row.text(organisation.level);
    row.text(organisation.kind.word());
    row.maybe(credit_code);
    row.maybe(organisation.area);
}
