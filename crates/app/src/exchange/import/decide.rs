//! What becomes of each row of a household: pure decisions on one group and what the store knows.
//!
//! Order of the rules: the row itself (in `stage`), its key, its household, its ID number, its
//! relation to the head. Of two rows that clash, the first in the files stays.

use daohu_base::{AreaCode, Scope};
use daohu_db::Value;

use super::{
    alike::Candidates,
    check::Checker,
    contest::{Contest, Contests},
    follow::Moves,
    group::{Existing, Group, village_of},
    registers::Brought,
    stage::Row,
    writes::{Author, Kind, Writes},
};
use crate::{
    Error, Lang,
    areas::Tree,
    exchange::outcome::{Note, Outcome, Outcomes, Place},
    households::{HouseholdRow, IdKind, IncomeRow, PersonRow, Serials, initials, merge},
    quality::Cells,
    sheet::{HOUSEHOLDS, INCOMES, Record, Sheet, household, income},
};

/// How many rows of the same key a note names.
const TWINS_SHOWN: usize = 3;

/// Everything that decisions need and that lasts for the whole import.
pub(super) struct Decider<'a> {
    pub(super) author: Author<'a>,
    pub(super) checker: Checker<'a>,
    pub(super) scope: &'a Scope,
    /// Where rows of the sheet of areas are taken.
    pub(super) areas: &'a Scope,
    pub(super) tree: Tree,
    pub(super) contests: Contests,
    pub(super) serials: Serials,
    pub(super) present: Vec<Vec<bool>>,
    pub(super) blank_clears: bool,
    pub(super) outcomes: Outcomes,
    pub(super) writes: Writes,
    pub(super) moves: Moves,
    /// Rows of this import that may be each other's duplicates.
    pub(super) candidates: Candidates,
    /// Who helps, as far as rows of this import say so.
    pub(super) brought: Brought,
}

/// A household that rows of a group can belong to.
#[derive(Clone, Debug)]
pub(super) struct Home {
    pub(super) county: String,
    pub(super) id: i64,
    pub(super) no: String,
    pub(super) village: String,
    /// The village where the store has it; none if it is new.
    pub(super) stored_village: Option<String>,
}

impl Home {
    /// True if the household goes to another village in this import.
    pub(super) fn moves(&self) -> bool {
        self.stored_village.as_ref().is_some_and(|stored| *stored != self.village)
    }
}

/// A decision that may still get notes before it is recorded.
pub(super) struct Decided {
    pub(super) place: Place,
    pub(super) outcome: Outcome,
    pub(super) notes: Vec<Note>,
}

impl Decided {
    pub(super) fn rejected(row: &Row, note: Note) -> Self {
        Self { place: row.place, outcome: Outcome::Rejected, notes: vec![note] }
    }

    pub(super) fn accepted(row: &Row, outcome: Outcome) -> Self {
        Self { place: row.place, outcome, notes: row.notes.clone() }
    }
}

/// A current or former member, as the rules about households see it.
pub(super) struct Member {
    pub(super) values: Vec<Value>,
    pub(super) is_current: bool,
    /// The row that says so, if this import has one.
    pub(super) decided: Option<Said>,
}

/// What says of a person that he is a member.
#[derive(Clone, Copy)]
pub(super) struct Said {
    /// The decision of the row.
    pub(super) decided: usize,
    /// The person, if the store knows him.
    pub(super) person: Option<i64>,
    /// What he has in common with others.
    pub(super) alike: Option<i64>,
}

impl Decider<'_> {
    /// Decides all rows of a group and adds what is to be written.
    pub(super) fn decide(&mut self, group: &Group, existing: &Existing) -> Result<(), Error> {
        let mut households = Vec::new();
        let mut homes = self.decide_households(group, existing, &mut households)?;
        for row in existing.households.get(&group.no).into_iter().flatten() {
            let known = homes.iter().any(|home| home.id == row.id());
            if !known && self.scope.covers(row.village()) {
                homes.push(home_of(row));
            }
        }
        let home = self.home(group, &homes);
        let mut persons = Vec::new();
        let written = self.writes.records();
        let members = self.decide_persons(group, existing, &home, &mut persons)?;
        self.doubt_members(&members, &mut persons);
        if let Ok(home) = &home {
            self.suspect(existing, home, &members, &mut persons);
        }
        let current = members.iter().filter(|member| member.is_current);
        let current: Vec<&[Value]> = current.map(|member| &*member.values).collect();
        for (row, decided) in
            group.households.iter().filter(|row| !row.is_dead).zip(&mut households)
        {
            if decided.outcome != Outcome::Rejected {
                decided.notes.extend(self.checker.doubt_household(&row.values, &current));
            }
        }
        let mut incomes = Vec::new();
        self.decide_incomes(group, existing, &home, &members, &mut incomes)?;
        let mut pairings = Vec::new();
        self.decide_pairings(group, existing, &home, &mut pairings)?;
        if let Ok(home) = &home
            && self.writes.records() > written
        {
            self.writes.relied.on_village(home);
        }
        let decided = households.into_iter().chain(persons).chain(incomes).chain(pairings);
        for decided in decided {
            self.outcomes.record(decided.place, decided.outcome, decided.notes)?;
        }
        Ok(())
    }

    /// The household of the group's persons and incomes, or why there is none.
    fn home(&self, group: &Group, homes: &[Home]) -> Result<Home, Reason> {
        match homes {
            [home] => Ok(home.clone()),
            [] if group.households.is_empty() => Err(Reason::Unknown),
            [] => Err(Reason::HouseholdRejected),
            several => {
                Err(Reason::Ambiguous(several.iter().map(|home| home.county.clone()).collect()))
            }
        }
    }

    /// Decides the rows of 户; gives the households that stand afterwards.
    fn decide_households(
        &mut self,
        group: &Group,
        existing: &Existing,
        decided: &mut Vec<Decided>,
    ) -> Result<Vec<Home>, Error> {
        let mut homes = Vec::new();
        let county = |row: &Row| village_of(row).map(|village| village.county());
        for row in group.households.iter().filter(|row| !row.is_dead) {
            let others = group.households.iter().filter(|other| other.place != row.place);
            let mut twins = others.filter(|other| county(other) == county(row)).peekable();
            if twins.peek().is_some() {
                let note =
                    self.duplicate(&HOUSEHOLDS, household::NO, row, twins.map(|twin| twin.place));
                decided.push(Decided::rejected(row, note));
                continue;
            }
            let village = village_of(row).filter(|village| {
                self.tree.is_open_village(village) && self.scope.contains(village)
            });
            let Some(village) = village else {
                let note = self.no_village(row);
                decided.push(Decided::rejected(row, note));
                continue;
            };
            let mut stored = existing.households.get(&group.no).into_iter().flatten();
            let stored = stored.find(|stored| stored.county() == village.county());
            // The number belongs to a household elsewhere, which a row cannot fetch from there.
            if stored.is_some_and(|stored| !self.scope.covers(stored.village())) {
                let note = self.unknown(&HOUSEHOLDS, household::NO, row);
                decided.push(Decided::rejected(row, note));
                continue;
            }
            let mut values = row.values.clone();
            if !self.resolve_group(&village, &mut values)? {
                let (zh, en) = (
                    "在该村是新的，而该村的村民小组已满99个",
                    "is new to a village that has 99 groups",
                );
                let (sheet, i) = (&HOUSEHOLDS, household::GROUP_CODE);
                let note = self.say(sheet, i, "area.groups_full", zh, en);
                decided.push(Decided::rejected(row, note));
                continue;
            }
            let (home, outcome) = match stored {
                Some(stored) => self.update_household(row, stored, values)?,
                None => self.create_household(&village, values)?,
            };
            homes.push(home);
            decided.push(Decided::accepted(row, outcome));
        }
        Ok(homes)
    }

    fn create_household(
        &mut self,
        village: &AreaCode,
        values: Vec<Value>,
    ) -> Result<(Home, Outcome), Error> {
        let county = village.county();
        let id = self.next_id(&county, IdKind::Household)?;
        let record = Record {
            lead: vec![county.as_str().into(), id.into()],
            derived: head_initials(&values),
            values,
            meta: self.author.meta(),
        };
        self.writes.create(&self.author, Kind::Household, &county, id.to_string(), &record)?;
        let village = village.to_string();
        let no = Cells(&record.values).text(household::NO).unwrap_or_default().to_owned();
        Ok((Home { county, id, no, village, stored_village: None }, Outcome::Created))
    }

    fn update_household(
        &mut self,
        row: &Row,
        stored: &HouseholdRow,
        values: Vec<Value>,
    ) -> Result<(Home, Outcome), Error> {
        let merged = merge(&stored.0.values, &values, self.clears(row.place));
        self.outcomes.clear(row.place, &merged);
        let village = Cells(&merged.values).text(household::VILLAGE).unwrap_or_default().to_owned();
        let home = Home { village, ..home_of(stored) };
        if merged.changed.is_empty() {
            return Ok((home, Outcome::Unchanged));
        }
        let mut record = stored.0.clone();
        record.derived = head_initials(&merged.values);
        record.values = merged.values;
        let key = home.id.to_string();
        let before = &stored.0.values;
        let (kind, changed) = (Kind::Household, &merged.changed);
        self.writes.update(&self.author, kind, &home.county, key, &mut record, before, changed)?;
        if home.moves() {
            self.moves.home(&home)?;
        }
        Ok((home, Outcome::Updated))
    }

    /// A member whom no row wrote goes along with the household.
    pub(super) fn follow(&mut self, member: &PersonRow, village: &str) -> Result<(), Error> {
        let mut moved = member.clone();
        moved.settle(member.county(), member.household(), village);
        let (kind, key, before) = (Kind::Person, member.id().to_string(), &member.0.values);
        self.writes.update(&self.author, kind, member.county(), key, &mut moved.0, before, &[])
    }

    fn decide_incomes(
        &mut self,
        group: &Group,
        existing: &Existing,
        home: &Result<Home, Reason>,
        members: &[Member],
        decided: &mut Vec<Decided>,
    ) -> Result<(), Error> {
        let year = |row: &Row| Cells(&row.values).int(income::YEAR);
        let members: Vec<&[Value]> = members.iter().map(|m| m.values.as_slice()).collect();
        let stored = home.as_ref().map_or(&[][..], |home| existing.incomes_of(home.id));
        let mut years: Vec<(Option<usize>, Vec<Value>)> =
            stored.iter().map(|stored| (None, stored.0.values.clone())).collect();
        for row in group.incomes.iter().filter(|row| !row.is_dead) {
            let others = group.incomes.iter().filter(|other| other.place != row.place);
            let mut twins = others.filter(|other| year(other) == year(row)).peekable();
            if twins.peek().is_some() {
                let note =
                    self.duplicate(&INCOMES, income::YEAR, row, twins.map(|twin| twin.place));
                decided.push(Decided::rejected(row, note));
                continue;
            }
            let home = match home {
                Ok(home) => home,
                Err(reason) => {
                    let note = self.homeless(&INCOMES, income::HOUSEHOLD_NO, row, reason);
                    decided.push(Decided::rejected(row, note));
                    continue;
                }
            };
            let stored = existing.incomes_of(home.id).iter().find(|s| Some(s.year()) == year(row));
            let (outcome, values) = self.decide_income(row, home, stored)?;
            let mut accepted = Decided::accepted(row, outcome);
            accepted.notes.extend(self.checker.doubt_income(&values, &members));
            years.retain(|(_, other)| Cells(other).int(income::YEAR) != year(row));
            years.push((Some(decided.len()), values));
            decided.push(accepted);
        }
        let values: Vec<&[Value]> = years.iter().map(|(_, values)| &**values).collect();
        let village = home.as_ref().map_or("", |home| home.village.as_str());
        for (i, note) in self.checker.doubt_incomes(village, &values) {
            let row = years.get(i).and_then(|(row, _)| *row);
            if let Some(decided) = row.and_then(|row| decided.get_mut(row)) {
                decided.notes.push(note);
            }
        }
        Ok(())
    }

    fn decide_income(
        &mut self,
        row: &Row,
        home: &Home,
        stored: Option<&IncomeRow>,
    ) -> Result<(Outcome, Vec<Value>), Error> {
        let year = Cells(&row.values).int(income::YEAR).unwrap_or_default();
        let key = format!("{}/{year}", home.id);
        let Some(stored) = stored else {
            let lead = vec![home.county.as_str().into(), home.id.into()];
            let (values, derived) = (row.values.clone(), Vec::new());
            let record = Record { lead, values, derived, meta: self.author.meta() };
            self.writes.create(&self.author, Kind::Income, &home.county, key, &record)?;
            return Ok((Outcome::Created, record.values));
        };
        let before = with_no(&stored.0.values, income::HOUSEHOLD_NO, &row.values);
        let merged = merge(&before, &row.values, self.clears(row.place));
        self.outcomes.clear(row.place, &merged);
        if merged.changed.is_empty() {
            return Ok((Outcome::Unchanged, merged.values));
        }
        let mut record = stored.0.clone();
        record.values = merged.values;
        let (kind, changed) = (Kind::Income, &merged.changed);
        self.writes.update(&self.author, kind, &home.county, key, &mut record, &before, changed)?;
        Ok((Outcome::Updated, record.values))
    }

    /// The next id of a county.
    pub(super) fn next_id(&mut self, county: &str, kind: IdKind) -> Result<i64, Error> {
        let next = self.serials.entry((county.to_owned(), kind)).or_insert(1);
        let id = kind.born(county, *next).ok_or(Error::Refused("registry.ids_used_up"))?;
        *next += 1;
        Ok(id)
    }

    /// Whether a blank in a column of this row erases what is stored.
    pub(super) fn clears(&self, place: Place) -> impl Fn(usize) -> bool + use<> {
        let present = self.present.get(usize::from(place.table)).cloned().unwrap_or_default();
        let clears = self.blank_clears;
        move |i| clears && present.get(i).copied().unwrap_or_default()
    }

    /// The contest for a number, if several rows want it.
    pub(super) fn contest(&self, identity: &[u8; 16]) -> Option<&Contest> {
        self.contests.get(identity)
    }

    /// The note of a rule.
    pub(super) fn note(&self, rule: &str, sheet: &Sheet, i: usize) -> Note {
        let says =
            |note: Option<Note>| note.unwrap_or_else(|| self.say(sheet, i, rule, rule, rule));
        says(self.checker.note(rule, sheet, i))
    }

    /// The note of R03, with what is not known.
    pub(super) fn unknown(&self, sheet: &Sheet, i: usize, row: &Row) -> Note {
        let mut note = self.note("R03", sheet, i);
        if let Some(given) = Cells(&row.values).text(i) {
            note.message += &match self.checker.lang {
                Lang::Zh => format!("（{}：{given}）", note.column),
                Lang::En => format!(" ({}: {given})", note.column),
            };
            note.value = Some(given.to_owned());
        }
        note
    }

    /// The note that a household's village is not one in use; of one that was, what follows it.
    fn no_village(&self, row: &Row) -> Note {
        let mut note = self.unknown(&HOUSEHOLDS, household::VILLAGE, row);
        let village = village_of(row).filter(|village| self.scope.contains(village));
        if let Some((village, end)) = village.and_then(|v| self.tree.end_of(&v).map(|end| (v, end)))
        {
            let lang = self.checker.lang;
            note.message += &format!("{}{}", lang.pick("；", "; "), end.says(&village, lang));
        }
        note
    }

    /// The note that a key stands in other rows too: at these places, its own among them.
    pub(super) fn duplicate(
        &self,
        sheet: &Sheet,
        i: usize,
        row: &Row,
        twins: impl Iterator<Item = Place>,
    ) -> Note {
        let others = twins.filter(|place| *place != row.place).take(TWINS_SHOWN);
        let others: Vec<String> = others
            .map(|place| {
                let file = self.outcomes.file(place.table);
                let file = file.filter(|_| place.table != row.place.table);
                match (file, self.checker.lang) {
                    (None, Lang::Zh) => format!("第{}行", place.row),
                    (None, Lang::En) => format!("row {}", place.row),
                    (Some(file), Lang::Zh) => format!("{file} 第{}行", place.row),
                    (Some(file), Lang::En) => format!("{file} row {}", place.row),
                }
            })
            .collect();
        let zh = format!("的关键字与{}相同，都不导入", others.join("、"));
        let en = format!("has the same key as {}: none of them goes in", others.join(", "));
        self.say(sheet, i, "row.duplicate_key", &zh, &en)
    }

    pub(super) fn homeless(&self, sheet: &Sheet, i: usize, row: &Row, reason: &Reason) -> Note {
        match reason {
            Reason::Unknown => self.unknown(sheet, i, row),
            Reason::HouseholdRejected => {
                let (zh, en) =
                    ("所属的户被拒绝，本行不导入", "belongs to a household that was refused");
                self.say(sheet, i, "row.household_rejected", zh, en)
            }
            Reason::Ambiguous(counties) => {
                let counties = counties.join("、");
                let zh = format!("在几个县都有：{counties}；请在文件中加上户表");
                let en =
                    format!("stands in several counties: {counties}; add the sheet of households");
                self.say(sheet, i, "row.ambiguous_household", &zh, &en)
            }
        }
    }

    pub(super) fn say(&self, sheet: &Sheet, i: usize, code: &str, zh: &str, en: &str) -> Note {
        let column = sheet.columns.get(i).map_or("", |column| column.header).to_owned();
        let message = match self.checker.lang {
            Lang::Zh => format!("“{column}”{zh}"),
            Lang::En => format!("{column} {en}"),
        };
        Note { column, value: None, code: code.to_owned(), message }
    }
}

/// Why a row has no household to belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Unknown,
    HouseholdRejected,
    Ambiguous(Vec<String>),
}

fn home_of(row: &HouseholdRow) -> Home {
    let (county, village) = (row.county().to_owned(), row.village().to_owned());
    let (id, no) = (row.id(), row.no().to_owned());
    Home { county, id, no, stored_village: Some(village.clone()), village }
}

fn head_initials(values: &[Value]) -> Vec<Value> {
    vec![Cells(values).text(household::HEAD_NAME).map(initials).into()]
}

/// Stored values with 户编号 filled in, which these tables do not hold themselves.
pub(super) fn with_no(stored: &[Value], i: usize, row: &[Value]) -> Vec<Value> {
    let mut values = stored.to_vec();
    if let (Some(slot), Some(no)) = (values.get_mut(i), row.get(i)) {
        slot.clone_from(no);
    }
    values
}
