//! The tree in memory, as imports and lists need it.

use std::{collections::HashMap, sync::LazyLock};

use daohu_base::{AreaCode, AreaLevel};
use daohu_db::Value;

use crate::sheet::{AREAS, Layout, Record, area};

/// 行政区划
pub static AREA: LazyLock<Layout> = LazyLock::new(|| Layout::new(&AREAS, &["code"], &[], &[], &[]));

/// The levels whose areas may be poor ones, each with a flag of its own.
pub(crate) const POOR_LEVELS: [AreaLevel; 3] =
    [AreaLevel::County, AreaLevel::Township, AreaLevel::Village];

/// A node of the tree.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) has_ended: bool,
}

/// All areas, by code.
#[derive(Debug, Default)]
pub struct Tree {
    nodes: HashMap<AreaCode, Node>,
    groups: HashMap<(AreaCode, String), AreaCode>,
    group_serials: HashMap<AreaCode, u32>,
}

impl Tree {
    /// Adds or replaces a node.
    pub(crate) fn insert(&mut self, code: AreaCode, node: Node) {
        if code.level() == AreaLevel::Group
            && let Some(village) = code.parent()
        {
            let tail = code.as_str().get(AreaLevel::Village.digits()..).unwrap_or_default();
            let serial = self.group_serials.entry(village.clone()).or_default();
            *serial = (*serial).max(tail.parse().unwrap_or_default());
            self.groups.insert((village, node.name.clone()), code.clone());
        }
        self.nodes.insert(code, node);
    }

    /// The node of a code.
    pub(crate) fn get(&self, code: &AreaCode) -> Option<&Node> {
        self.nodes.get(code)
    }

    /// True if rows may be registered in this village today.
    pub(crate) fn is_open_village(&self, code: &AreaCode) -> bool {
        code.level() == AreaLevel::Village && self.get(code).is_some_and(|node| !node.has_ended)
    }

    /// The group of this name in a village.
    pub(crate) fn group(&self, village: &AreaCode, name: &str) -> Option<&AreaCode> {
        self.groups.get(&(village.clone(), name.to_owned()))
    }

    /// The code that a new group of a village gets; none when all 99 are taken.
    pub(crate) fn next_group(&self, village: &AreaCode) -> Option<AreaCode> {
        let serial = self.group_serials.get(village).copied().unwrap_or_default() + 1;
        AreaCode::parse(&format!("{village}{serial:02}")).ok()
    }

    /// The names of all groups, by code.
    pub fn group_names(&self) -> HashMap<String, String> {
        let group = |(code, node): (&AreaCode, &Node)| (code.to_string(), node.name.clone());
        self.nodes.iter().filter(|(code, _)| code.level() == AreaLevel::Group).map(group).collect()
    }
}

/// The node of a stored area.
pub(crate) fn node(record: &Record, today: &str) -> Option<(AreaCode, Node)> {
    let text = |i: usize| record.values.get(i).and_then(Value::as_text);
    let code = AreaCode::parse(text(area::CODE)?).ok()?;
    let name = text(area::NAME).unwrap_or_default().to_owned();
    let has_ended = text(area::ENDS_ON).is_some_and(|end| end < today);
    Some((code, Node { name, has_ended }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_found_by_name_and_numbered_on() {
        let mut tree = Tree::default();
        let code = |text: &str| AreaCode::parse(text).unwrap();
        let node = |name: &str| Node { name: name.into(), has_ended: false };
        tree.insert(code("990102100200"), node("一村"));
        tree.insert(code("99010210020007"), node("七组"));
        let village = code("990102100200");
        assert_eq!(tree.group(&village, "七组").unwrap().as_str(), "99010210020007");
        assert_eq!(tree.next_group(&village).unwrap().as_str(), "99010210020008");
        assert!(tree.is_open_village(&village) && !tree.is_open_village(&code("990102100")));
        tree.insert(code("99010210020099"), node("末组"));
        assert_eq!(tree.next_group(&village), None);
    }
}
