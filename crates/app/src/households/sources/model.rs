//! Which entry wrote a column last.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

/// The columns that name a record and are no facts about it.
const KEYS: [&str; 2] = ["county", "id"];

/// What a record's entries come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// Of each column, the number of the entry that wrote it last.
    pub(super) columns: BTreeMap<String, usize>,
    /// False if older entries were not looked at, and some column was last written by one of them.
    pub(super) is_whole: bool,
}

/// Of what a record was after each of its entries, the latest first. `is_all` says that the last of them made the
/// record. A column that was emptied was written by the entry that emptied it; one that never was known, by none.
pub(super) fn last_written(after: &[Map<String, Json>], is_all: bool) -> Written {
    let mut columns = BTreeMap::new();
    let names = after.iter().flat_map(Map::keys).filter(|name| !KEYS.contains(&name.as_str()));
    let mut open: BTreeSet<&String> = names.collect();
    for (i, pair) in after.array_windows().enumerate() {
        let [later, earlier]: &[Map<String, Json>; 2] = pair;
        let changed = |name: &&String| later.get(*name) != earlier.get(*name);
        let (written, rest): (Vec<&String>, Vec<&String>) = open.into_iter().partition(changed);
        columns.extend(written.into_iter().map(|name| (name.clone(), i)));
        open = rest.into_iter().collect();
    }
    if is_all && let Some(last) = after.len().checked_sub(1) {
        columns.extend(std::mem::take(&mut open).into_iter().map(|name| (name.clone(), last)));
    }
    Written { columns, is_whole: open.is_empty() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn states(states: &[Json]) -> Vec<Map<String, Json>> {
        states.iter().map(|state| state.as_object().unwrap().clone()).collect()
    }

    fn columns(of: &[(&str, usize)]) -> BTreeMap<String, usize> {
        of.iter().map(|(name, i)| ((*name).to_owned(), *i)).collect()
    }

    #[test]
    fn the_last_entry_that_changed_a_column_wrote_it() {
        let after = states(&[
            json!({ "id": 1, "name": "丙", "phone": "1", "bank": "x" }),
            json!({ "id": 1, "name": "丙", "phone": "2", "bank": "x", "note": "n" }),
            json!({ "id": 1, "name": "乙", "phone": "1", "bank": "x", "note": "n" }),
        ]);
        let expected = [("bank", 2), ("name", 1), ("note", 0), ("phone", 0)];
        assert_eq!(
            last_written(&after, true),
            Written { columns: columns(&expected), is_whole: true }
        );
        // Without the first entry nobody knows who wrote what never changed since.
        let written = last_written(&after[..2], false);
        assert_eq!(
            written,
            Written { columns: columns(&[("note", 0), ("phone", 0)]), is_whole: false }
        );
        let nothing = Written { columns: columns(&[]), is_whole: true };
        assert_eq!(last_written(&[], true), nothing);
    }
}
