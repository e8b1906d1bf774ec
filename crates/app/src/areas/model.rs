//! The tree in memory, as imports and lists need it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::LazyLock,
};

use daohu_base::{AreaCode, AreaLevel, Day, Timestamp};
use daohu_db::Value;

use crate::{
    Lang,
    sheet::{AREAS, Layout, Record, area},
};

/// 行政区划
pub static AREA: LazyLock<Layout> = LazyLock::new(|| Layout::new(&AREAS, &["code"], &[], &[], &[]));

/// The levels whose areas may be poor ones, each with a flag of its own.
pub(crate) const POOR_LEVELS: [AreaLevel; 3] =
    [AreaLevel::County, AreaLevel::Township, AreaLevel::Village];

/// A node of the tree.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// The last day of the code.
    pub(crate) ends_on: Option<Day>,
    pub(crate) has_ended: bool,
}

/// That a code ended: on which day, and what follows it, by code and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) on: Day,
    pub(crate) followers: Vec<(AreaCode, String)>,
}

impl End {
    /// That the area of this code ended, to whoever names it.
    pub(crate) fn says(&self, code: &AreaCode, lang: Lang) -> String {
        let named = self.followers.iter().map(|(code, name)| match lang {
            Lang::Zh => format!("{code}（{name}）"),
            Lang::En => format!("{code} ({name})"),
        });
        let followers: Vec<String> = named.collect();
        match (lang, followers.is_empty()) {
            (Lang::Zh, true) => format!("{code} 已于 {} 停用", self.on),
            (Lang::Zh, false) => {
                format!("{code} 已于 {} 停用，由 {}接续", self.on, followers.join("、"))
            }
            (Lang::En, true) => format!("{code} ended on {}", self.on),
            (Lang::En, false) => {
                format!("{code} ended on {}, followed by {}", self.on, followers.join(", "))
            }
        }
    }
}

/// All areas, by code.
#[derive(Debug, Default)]
pub struct Tree {
    nodes: HashMap<AreaCode, Node>,
    groups: HashMap<(AreaCode, String), AreaCode>,
    group_serials: HashMap<AreaCode, u32>,
    followers: HashMap<AreaCode, Vec<AreaCode>>,
}

impl Tree {
    /// Adds that one area followed another.
    pub(super) fn follow(&mut self, predecessor: AreaCode, successor: AreaCode) {
        self.followers.entry(predecessor).or_default().push(successor);
    }

    /// When the code of an area ends, if that is known, and the areas in force that follow it: where one that
    /// followed it has ended too, those behind that one.
    pub(crate) fn end_of(&self, code: &AreaCode) -> Option<End> {
        let on = self.get(code)?.ends_on?;
        let (mut open, mut seen) = (vec![code], BTreeSet::from([code]));
        let mut followers = BTreeSet::new();
        while let Some(area) = open.pop() {
            for next in self.followers.get(area).into_iter().flatten() {
                match self.get(next) {
                    Some(node) if !node.has_ended => {
                        followers.insert((next.clone(), node.name.clone()));
                    }
                    _ if seen.insert(next) => open.push(next),
                    _ => {}
                }
            }
        }
        Some(End { on, followers: followers.into_iter().collect() })
    }

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

/// That one area followed another, and when that was put down.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) from: AreaCode,
    pub(super) to: AreaCode,
    pub(super) at: Timestamp,
}

/// An area, and all that followed it, one after the other.
pub(super) fn reached(start: &AreaCode, steps: &[Step]) -> BTreeSet<AreaCode> {
    let (mut found, mut open) = (BTreeSet::from([start.clone()]), vec![start]);
    while let Some(here) = open.pop() {
        for Step { to, .. } in steps.iter().filter(|step| step.from == *here) {
            if found.insert(to.clone()) {
                open.push(to);
            }
        }
    }
    found
}

/// An area and all that it followed, each until the instant at which what came of it had another code.
pub(super) fn predecessors(area: &AreaCode, steps: &[Step]) -> BTreeMap<AreaCode, Timestamp> {
    let mut found = BTreeMap::from([(area.clone(), Timestamp(i64::MAX))]);
    let mut open = vec![area.clone()];
    while let Some(here) = open.pop() {
        let until = found.get(&here).copied().unwrap_or(Timestamp(i64::MAX));
        for Step { from, at, .. } in steps.iter().filter(|step| step.to == here) {
            let until = until.min(*at);
            // Of several ways the one counts that was open the longest.
            if found.get(from).is_none_or(|known| *known < until) {
                found.insert(from.clone(), until);
                open.push(from.clone());
            }
        }
    }
    found
}

/// The node of a stored area.
pub(crate) fn node(record: &Record, today: &str) -> Option<(AreaCode, Node)> {
    let text = |i: usize| record.values.get(i).and_then(Value::as_text);
    let code = AreaCode::parse(text(area::CODE)?).ok()?;
    let name = text(area::NAME).unwrap_or_default().to_owned();
    let end = text(area::ENDS_ON);
    let has_ended = end.is_some_and(|end| end < today);
    let ends_on = end.and_then(|end| Day::parse(end).ok());
    Some((code, Node { name, ends_on, has_ended }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_found_by_name_and_numbered_on() {
        let mut tree = Tree::default();
        let code = |text: &str| AreaCode::parse(text).unwrap();
        let node = |name: &str| Node { name: name.into(), ends_on: None, has_ended: false };
        tree.insert(code("990102100200"), node("一村"));
        tree.insert(code("99010210020007"), node("七组"));
        let village = code("990102100200");
        assert_eq!(tree.group(&village, "七组").unwrap().as_str(), "99010210020007");
        assert_eq!(tree.next_group(&village).unwrap().as_str(), "99010210020008");
        assert!(tree.is_open_village(&village) && !tree.is_open_village(&code("990102100")));
        tree.insert(code("99010210020099"), node("末组"));
        assert_eq!(tree.next_group(&village), None);
    }

    #[test]
    fn what_an_area_followed_ends_where_it_went_on() {
        let code = |text: &str| AreaCode::parse(text).unwrap();
        let [a, b, c] = ["990101", "990102", "990103"].map(code);
        let step = |from: &AreaCode, to: &AreaCode, at| Step {
            from: from.clone(),
            to: to.clone(),
            at: Timestamp(at),
        };
        let steps = [step(&a, &b, 5), step(&b, &c, 9), step(&a, &c, 7)];
        let told = predecessors(&c, &steps).into_iter().map(|(code, until)| (code, until.0));
        assert_eq!(told.collect::<Vec<_>>(), [(a.clone(), 7), (b, 9), (c, i64::MAX)]);
        assert_eq!(predecessors(&a, &steps).len(), 1);
    }

    #[test]
    fn an_area_that_ended_is_followed_by_those_in_force() {
        let mut tree = Tree::default();
        let code = |text: &str| AreaCode::parse(text).unwrap();
        let [a, b, c, d] =
            ["990101100200", "990101100201", "990101100202", "990101100203"].map(code);
        let day = Day::parse("2020-11-22").unwrap();
        for (code, name, has_ended) in
            [(&a, "甲村", true), (&b, "乙村", true), (&c, "丙村", false), (&d, "丁村", false)]
        {
            let ends_on = has_ended.then_some(day);
            tree.insert(code.clone(), Node { name: name.into(), ends_on, has_ended });
        }
        // Split into b, which was merged into c later on, and d, which lost a part to c.
        for (from, to) in [(&a, &b), (&a, &d), (&b, &c), (&d, &c)] {
            tree.follow(from.clone(), to.clone());
        }
        let end = tree.end_of(&a).unwrap();
        let followers = [(c.clone(), "丙村".to_owned()), (d.clone(), "丁村".to_owned())];
        assert_eq!(end, End { on: day, followers: followers.to_vec() });
        let says = "990101100200 ended on 2020-11-22, followed by 990101100202 (丙村), 990101100203 (丁村)";
        assert_eq!(end.says(&a, Lang::En), says);
        assert_eq!(tree.end_of(&c), None);
    }
}
