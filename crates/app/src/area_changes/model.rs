//! What a change of areas makes of the tree: lines in, plan out.

use std::collections::{BTreeMap, BTreeSet};

use daohu_base::{AreaCode, AreaLevel};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::FieldError;

/// One line of a change: what becomes of an area, or of a part of it.
///
/// | change | lines |
/// |---|---|
/// | rename | `from` = `to`, with the new `name` |
/// | new code | `from` → `to`; what lies below follows with the same last digits |
/// | merge | several `from` → the same `to`, which may be one of them |
/// | split | one village → several `to`, each with its groups or households; one without them takes the rest |
/// | end | `from` without `to`: nothing may be left in it |
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AreaChangeLine)]
pub struct Line {
    /// The code in force until now.
    pub from: String,
    /// The code from the day on; absent where the area ends.
    #[serde(default)]
    pub to: Option<String>,
    /// The name of `to`; absent for that of `from`, or the one it has.
    #[serde(default)]
    pub name: Option<String>,
    /// The villagers' groups that go there, by name or code: of a village that is split.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The households that go there, by 户编号: of a village that is split.
    #[serde(default)]
    pub households: Vec<String>,
}

/// An area in force before the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Before {
    pub(super) name: String,
    /// Its code has ended already: it is there only so that nobody uses it again.
    pub(super) has_ended: bool,
}

/// The tree before, by code.
pub(super) type Tree = BTreeMap<AreaCode, Before>;

/// Where an area goes, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) to: AreaCode,
    /// Groups and households that go there; neither: what no other target takes.
    pub(super) groups: BTreeSet<AreaCode>,
    pub(super) households: BTreeSet<String>,
}

impl Target {
    fn whole(to: AreaCode) -> Self {
        Self { to, groups: BTreeSet::new(), households: BTreeSet::new() }
    }

    /// True if it takes what no other takes.
    pub(super) fn takes_rest(&self) -> bool {
        self.groups.is_empty() && self.households.is_empty()
    }
}

/// An area that begins with the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct New {
    pub(super) name: String,
    /// What it is made of, the first first.
    pub(super) sources: Vec<AreaCode>,
    /// True if all of its sources are wholly in it, and nothing else is.
    pub(super) is_whole: bool,
}

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Areas that go somewhere else, wholly or in part; one that goes on is among its own targets. None
    /// at all for those that end.
    pub(super) targets: BTreeMap<AreaCode, Vec<Target>>,
    /// Areas that begin.
    pub(super) new: BTreeMap<AreaCode, New>,
    /// Areas that go on under another name.
    pub(super) renamed: BTreeMap<AreaCode, String>,
    /// The names of groups by village, as they will be: what new ones are called must differ.
    group_names: BTreeMap<AreaCode, BTreeSet<String>>,
}

/// As the column of the sheet 行政区划 has it.
const NAME_CHARACTERS_MAX: usize = 100;

/// What a line may say wrong: the row from 1, the column, the value and the code of the words.
fn fault(row: usize, column: &str, value: Option<&str>, code: &'static str) -> FieldError {
    let value = value.map(str::to_owned);
    let column = format!("lines.{row}.{column}");
    FieldError { column, value, code, ..FieldError::default() }
}

/// The line that says what becomes of an area, or of what it lies in, or that makes it; 0 if none does.
fn row_over(read: &[Read<'_>], code: &AreaCode) -> usize {
    let makes = |line: &Read<'_>| line.to.as_ref().is_some_and(|to| to.contains(code));
    let over = read.iter().filter(|line| line.from.contains(code) || makes(line));
    over.max_by_key(|line| line.from.level()).map_or(0, |line| line.row)
}

/// A line whose codes were read.
struct Read<'a> {
    row: usize,
    line: &'a Line,
    from: AreaCode,
    to: Option<AreaCode>,
}

impl Plan {
    /// Decides what becomes of the tree.
    ///
    /// Errors: everything that is wrong with the lines, by row and column.
    pub(super) fn make(tree: &Tree, lines: &[Line]) -> Result<Self, Vec<FieldError>> {
        let read = read_lines(tree, lines)?;
        let mut plan = Self::default();
        let mut faults = plan.take_lines(tree, &read);
        if faults.is_empty() {
            plan.follow(tree, &read, &mut faults);
        }
        if faults.is_empty() {
            plan.name_new(tree, &read, &mut faults);
            plan.check_parents(tree, &read, &mut faults);
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        plan.take_groups(tree);
        Ok(plan)
    }

    /// Puts the lines where they are looked up, and refuses those that contradict each other.
    fn take_lines(&mut self, tree: &Tree, read: &[Read<'_>]) -> Vec<FieldError> {
        let mut faults = Vec::new();
        for Read { row, line, from, to } in read {
            let Some(to) = to else {
                if self.targets.insert(from.clone(), Vec::new()).is_some() {
                    faults.push(fault(*row, "from", Some(&line.from), "area_change.twice"));
                }
                continue;
            };
            let mut target = Target::whole(to.clone());
            target.households.extend(line.households.iter().cloned());
            for group in &line.groups {
                match group_of(tree, from, group) {
                    Some(code) => drop(target.groups.insert(code)),
                    None => {
                        faults.push(fault(*row, "groups", Some(group), "area_change.no_group"));
                    }
                }
            }
            if !target.takes_rest() && from.level() != AreaLevel::Village {
                faults.push(fault(*row, "groups", None, "area_change.only_villages"));
            }
            let has_ended = self.targets.get(from).is_some_and(Vec::is_empty);
            let targets = self.targets.entry(from.clone()).or_default();
            if has_ended || targets.iter().any(|other| overlap(other, &target)) {
                faults.push(fault(*row, "from", Some(&line.from), "area_change.twice"));
            }
            targets.push(target);
        }
        // What stays where it is and as it is needs no line.
        let stays = |from: &AreaCode, targets: &[Target]| matches!(targets, [only] if only.to == *from && only.takes_rest());
        for Read { line, from, to, row } in read {
            let is_alone = self.targets.get(from).is_some_and(|targets| stays(from, targets));
            if is_alone && to.as_ref() == Some(from) {
                match &line.name {
                    Some(name) => drop(self.renamed.insert(from.clone(), name.trim().to_owned())),
                    None => faults.push(fault(*row, "name", None, "area_change.nothing")),
                }
                self.targets.remove(from);
            }
        }
        faults
    }

    /// What lies below an area that goes somewhere goes with it, unless a line says otherwise.
    fn follow(&mut self, tree: &Tree, read: &[Read<'_>], faults: &mut Vec<FieldError>) {
        let mut given: BTreeSet<AreaCode> =
            self.targets.values().flatten().map(|target| target.to.clone()).collect();
        for (code, area) in tree {
            if area.has_ended
                || code.level() == AreaLevel::Group
                || self.targets.contains_key(code)
                || self.renamed.contains_key(code)
            {
                continue;
            }
            let Some(parent) = code.parent() else { continue };
            let Some([target]) = self.targets.get(&parent).map(Vec::as_slice) else { continue };
            if target.to == parent {
                continue;
            }
            let tail = code.as_str().get(parent.as_str().len()..).unwrap_or_default();
            let Ok(to) = AreaCode::parse(&format!("{}{tail}", target.to)) else { continue };
            // A code that another area has, or gets: which one this is to have, nobody can guess.
            if tree.contains_key(&to) || !given.insert(to.clone()) {
                let row = row_over(read, code);
                faults.push(fault(row, "from", Some(code.as_str()), "area_change.code_taken"));
            }
            self.targets.insert(code.clone(), vec![Target::whole(to)]);
        }
    }

    /// Names what begins.
    fn name_new(&mut self, tree: &Tree, read: &[Read<'_>], faults: &mut Vec<FieldError>) {
        let row_of = |to: &AreaCode| read.iter().find(|read| read.to.as_ref() == Some(to));
        let mut takers: BTreeMap<AreaCode, Vec<AreaCode>> = BTreeMap::new();
        for (from, targets) in &self.targets {
            for target in targets {
                takers.entry(target.to.clone()).or_default().push(from.clone());
            }
        }
        for (to, sources) in takers {
            let said = read
                .iter()
                .filter(|read| read.to.as_ref() == Some(&to))
                .find_map(|read| read.line.name.as_deref().map(|name| name.trim().to_owned()));
            if let Some(before) = tree.get(&to) {
                // The day's old codes are no new ones: who reads them later must know which is meant.
                if before.has_ended || self.ends(&to) {
                    let row = row_of(&to).map_or(0, |read| read.row);
                    faults.push(fault(row, "to", Some(to.as_str()), "area_change.code_used"));
                }
                if let Some(name) = said.filter(|name| *name != before.name) {
                    self.renamed.insert(to.clone(), name);
                }
                continue;
            }
            let of_source = || match sources.as_slice() {
                [only] if self.is_whole(only) => tree.get(only).map(|area| area.name.clone()),
                _ => None,
            };
            let Some(name) = said.or_else(of_source) else {
                let row = row_of(&to).map_or(0, |read| read.row);
                faults.push(fault(row, "name", None, "area_change.no_name"));
                continue;
            };
            let is_whole = sources.iter().all(|source| self.is_whole(source));
            self.new.insert(to, New { name, sources, is_whole });
        }
        let made: Vec<(AreaCode, bool)> = self
            .new
            .iter()
            .map(|(to, new)| (to.clone(), new.is_whole && self.is_made_of(to, &new.sources)))
            .collect();
        for (to, is_whole) in made {
            if let Some(new) = self.new.get_mut(&to) {
                new.is_whole = is_whole;
            }
        }
    }

    /// True if all of the area goes to one place, or stays: no part of it, and nothing below it, elsewhere.
    pub(super) fn is_whole(&self, from: &AreaCode) -> bool {
        let place = match self.targets.get(from).map(Vec::as_slice) {
            None => from,
            Some([only]) => &only.to,
            Some(_) => return false,
        };
        let below =
            self.targets.range(from.clone()..).take_while(|(below, _)| from.contains(below));
        below.flat_map(|(_, targets)| targets).all(|target| place.contains(&target.to))
    }

    /// True if an area that begins has nothing in it but what its sources had.
    fn is_made_of(&self, to: &AreaCode, sources: &[AreaCode]) -> bool {
        let of_them = |source: &AreaCode| sources.iter().any(|whole| whole.contains(source));
        let below = self.new.range(to.clone()..).take_while(|(below, _)| to.contains(below));
        below.flat_map(|(_, new)| &new.sources).all(of_them)
    }

    /// Every area in force afterwards has a parent in force, and whatever ended has nothing left in it.
    fn check_parents(&self, tree: &Tree, read: &[Read<'_>], faults: &mut Vec<FieldError>) {
        let open = tree.iter().filter(|(code, area)| !area.has_ended && !self.ends(code));
        let open = open.map(|(code, _)| code).chain(self.new.keys());
        for code in open.filter(|code| code.level() != AreaLevel::Group) {
            let Some(parent) = code.parent() else { continue };
            let is_old = tree.get(&parent).is_some_and(|parent| !parent.has_ended);
            let is_open = is_old && !self.ends(&parent) || self.new.contains_key(&parent);
            if is_open {
                continue;
            }
            let code_of_fault = match self.new.contains_key(code) {
                true => "area.no_parent",
                false => "area_change.left_behind",
            };
            let row = row_over(read, code);
            faults.push(fault(row, "from", Some(code.as_str()), code_of_fault));
        }
    }

    /// True if the area is there before and not afterwards.
    pub(super) fn ends(&self, code: &AreaCode) -> bool {
        self.targets
            .get(code)
            .is_some_and(|targets| !targets.iter().any(|target| target.to == *code))
    }

    /// Areas that end.
    pub(super) fn ended(&self) -> impl Iterator<Item = &AreaCode> {
        self.targets.keys().filter(|code| self.ends(code))
    }

    /// Areas that end and that roles may have been given in: no groups.
    pub(super) fn granted(&self) -> impl Iterator<Item = &AreaCode> {
        self.ended().filter(|code| code.level() != AreaLevel::Group)
    }

    /// The households that lines name, each with its village.
    pub(super) fn named_households(&self) -> BTreeSet<(AreaCode, String)> {
        let of = |(from, targets): (&AreaCode, &Vec<Target>)| {
            let named = targets.iter().flat_map(|target| target.households.clone());
            let from = from.clone();
            named.map(move |no| (from.clone(), no)).collect::<Vec<_>>()
        };
        self.targets.iter().flat_map(of).collect()
    }

    /// Where what names the whole of an area that ended is to point: the first place that takes the rest,
    /// or the first at all.
    pub(super) fn heir(&self, code: &AreaCode) -> Option<&AreaCode> {
        let targets = self.targets.get(code).filter(|_| self.ends(code))?;
        let rest = targets.iter().find(|target| target.takes_rest());
        rest.or(targets.first()).map(|target| &target.to)
    }

    /// The areas that an ended one is wholly followed by: made of nothing but it and what lay in it. A
    /// right in it becomes a right in these, which is never more than it was.
    pub(super) fn followers(&self, code: &AreaCode) -> Vec<AreaCode> {
        if !self.ends(code) {
            return Vec::new();
        }
        let of_it = |to: &AreaCode| {
            // Also what lines of their own put below it.
            let below = self.new.range(to.clone()..).take_while(|(below, _)| to.contains(below));
            below.flat_map(|(_, new)| &new.sources).all(|source| code.contains(source))
        };
        let mut found: Vec<AreaCode> = Vec::new();
        // By code: an area comes before what lies in it.
        let new = self.new.keys().filter(|to| to.level() != AreaLevel::Group);
        for to in new {
            if of_it(to) && !found.iter().any(|above| above.contains(to)) {
                found.push(to.clone());
            }
        }
        found
    }

    /// The target of a household of a village that changes: by its number, by its group, or the rest.
    pub(super) fn target_of(
        &self,
        village: &AreaCode,
        no: &str,
        group: Option<&AreaCode>,
    ) -> Option<&AreaCode> {
        let targets = self.targets.get(village)?;
        let by_no = targets.iter().find(|target| target.households.contains(no));
        let by_group = || {
            let group = group?;
            targets.iter().find(|target| target.groups.contains(group))
        };
        let rest = || targets.iter().find(|target| target.takes_rest());
        by_no.or_else(by_group).or_else(rest).map(|target| &target.to)
    }

    /// Groups of villages that go as a whole, or are named by a part, go along.
    fn take_groups(&mut self, tree: &Tree) {
        let groups = tree.iter().filter(|(code, _)| code.level() == AreaLevel::Group);
        for (code, area) in groups.clone().filter(|(_, area)| !area.has_ended) {
            let Some(village) = code.parent() else { continue };
            if !self.ends(&village) && !self.leaves(&village, code) {
                self.group_names.entry(village).or_default().insert(area.name.clone());
            }
        }
        let open = groups.filter(|(_, area)| !area.has_ended).map(|(code, _)| code.clone());
        for code in open.collect::<Vec<_>>() {
            let Some(village) = code.parent() else { continue };
            let to = match self.target_of(&village, "", Some(&code)) {
                Some(to) if *to != village => to.clone(),
                _ => continue,
            };
            self.group_in(tree, &code, &to);
        }
    }

    /// True if a part of a village that goes elsewhere names the group.
    fn leaves(&self, village: &AreaCode, group: &AreaCode) -> bool {
        self.target_of(village, "", Some(group)).is_some_and(|to| to != village)
    }

    /// The group of another village that a group goes to: with its last digits if they are free there, and
    /// with its name, behind that of its village where the name is taken. None if there is no code left.
    pub(super) fn group_in(
        &mut self,
        tree: &Tree,
        group: &AreaCode,
        village: &AreaCode,
    ) -> Option<AreaCode> {
        let there = |target: &&Target| village.contains(&target.to);
        let known = self.targets.get(group).and_then(|targets| targets.iter().find(there));
        if let Some(known) = known {
            return Some(known.to.clone());
        }
        let before = tree.get(group)?;
        let tail = group.as_str().get(AreaLevel::Village.digits()..)?;
        let is_free = |code: &AreaCode| !tree.contains_key(code) && !self.new.contains_key(code);
        let serials = (1..100).map(|serial| format!("{village}{serial:02}"));
        let mut codes = std::iter::once(format!("{village}{tail}")).chain(serials);
        let code = codes.find_map(|code| AreaCode::parse(&code).ok().filter(is_free))?;
        let names = self.group_names.entry(village.clone()).or_default();
        let mut name = before.name.clone();
        if names.contains(&name) {
            let of = group.parent().and_then(|village| tree.get(&village));
            name = format!("{}{name}", of.map_or("", |village| village.name.as_str()));
        }
        names.insert(name.clone());
        // Whether the group ends is said by whether its village, or the part that names it, goes.
        let old = group.parent()?;
        let goes = self.ends(&old) || self.leaves(&old, group);
        let targets = self.targets.entry(group.clone()).or_default();
        if !goes && targets.is_empty() {
            targets.push(Target::whole(group.clone()));
        }
        targets.push(Target::whole(code.clone()));
        let sources = vec![group.clone()];
        self.new.insert(code.clone(), New { name, sources, is_whole: goes });
        Some(code)
    }
}

/// Reads the codes of the lines.
fn read_lines<'a>(tree: &Tree, lines: &'a [Line]) -> Result<Vec<Read<'a>>, Vec<FieldError>> {
    let (mut read, mut faults) = (Vec::new(), Vec::new());
    if lines.is_empty() {
        faults.push(fault(0, "from", None, "area_change.nothing"));
    }
    for (row, line) in (1..).zip(lines) {
        let mut parse = |column, text: &str| match AreaCode::parse(text) {
            Ok(code) if code.level() != AreaLevel::Group => Some(code),
            Ok(_) => {
                faults.push(fault(row, column, Some(text), "area_change.group"));
                None
            }
            Err(_) => {
                faults.push(fault(row, column, Some(text), "area.bad_code"));
                None
            }
        };
        let from = parse("from", &line.from);
        let to = line.to.as_deref().map(|text| parse("to", text));
        // A code that cannot be read is a fault already.
        let (Some(from), false) = (from, matches!(to, Some(None))) else { continue };
        let to = to.flatten();
        if tree.get(&from).is_none_or(|area| area.has_ended) {
            faults.push(fault(row, "from", Some(&line.from), "area_change.unknown"));
        }
        let name = line.name.as_deref().map(str::trim);
        if name.is_some_and(|name| name.is_empty() || name.chars().count() > NAME_CHARACTERS_MAX) {
            faults.push(fault(row, "name", line.name.as_deref(), "area_change.bad_name"));
        }
        if to.as_ref().is_some_and(|to| to.level() != from.level()) {
            faults.push(fault(row, "to", line.to.as_deref(), "area_change.other_level"));
        }
        read.push(Read { row, line, from, to });
    }
    if faults.is_empty() { Ok(read) } else { Err(faults) }
}

/// A group of a village by its name or code.
fn group_of(tree: &Tree, village: &AreaCode, text: &str) -> Option<AreaCode> {
    let inside = tree.range(village.clone()..).take_while(|(code, _)| village.contains(code));
    let mut groups = inside.filter(|(code, area)| {
        code.level() == AreaLevel::Group
            && !area.has_ended
            && (area.name == text || code.as_str() == text)
    });
    groups.next().map(|(code, _)| code.clone())
}

/// Two parts of one area that both take something.
fn overlap(one: &Target, other: &Target) -> bool {
    one.to == other.to
        || one.takes_rest() && other.takes_rest()
        || !one.groups.is_disjoint(&other.groups)
        || !one.households.is_disjoint(&other.households)
}

#[cfg(test)]
mod tests;
