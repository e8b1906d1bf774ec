//! What becomes of the rows of 人: who joins, stays, leaves or moves.

use std::collections::{HashMap, HashSet};

use daohu_db::Value;

use super::{
    contest::{is_single, of_key},
    decide::{Decided, Decider, Home, Member, Reason, Said, with_no},
    group::{Existing, Group},
    relied::Claim,
    stage::Row,
    writes::Kind,
};
use crate::{
    Error,
    exchange::outcome::{Note, Outcome, Place},
    households::{
        Derived, IdKind, Marks, PersonRow, alike, merge,
        rows::{Holder, PastMembership},
    },
    keys::Keys,
    quality::Cells,
    sheet::{PERSONS, Record, person},
};

/// What the household has of the person of a row.
enum Known<'e> {
    /// A member, present or gone.
    Member(&'e PersonRow),
    /// Somebody who belongs to another household now.
    Past(&'e PastMembership),
    /// Nobody.
    Nobody,
}

impl Decider<'_> {
    /// Decides the rows of 人; gives the household's members as they stand afterwards.
    pub(super) fn decide_persons(
        &mut self,
        group: &Group,
        existing: &Existing,
        home: &Result<Home, Reason>,
        decided: &mut Vec<Decided>,
    ) -> Result<Vec<Member>, Error> {
        let home_id = home.as_ref().map_or(0, |home| home.id);
        let stored = existing.persons_of(home_id);
        let mut members: Vec<Member> = Vec::new();
        let mut touched: HashSet<i64> = HashSet::new();
        let twice = named_twice(group, existing, home_id, (self.checker.marks, self.author.keys));
        let mut accepted: Vec<(&Row, Derived, Known<'_>)> = Vec::new();
        for row in group.persons.iter().filter(|row| !row.is_dead) {
            let derived = Derived::of(self.checker.marks, self.author.keys, &row.values);
            match self.accept_person(group, existing, home, row, &derived) {
                Ok(known) => {
                    if let Known::Member(member) = known
                        && let Some(twins) = twice.get(&member.id())
                    {
                        let twins = twins.iter().copied();
                        let note = self.duplicate(&PERSONS, person::NAME, row, twins);
                        decided.push(Decided::rejected(row, note));
                        continue;
                    }
                    if let Known::Member(member) = known {
                        touched.insert(member.id());
                    }
                    accepted.push((row, derived, known));
                }
                Err(note) => decided.push(Decided::rejected(row, note)),
            }
        }
        for member in stored.iter().filter(|member| !touched.contains(&member.id())) {
            let (values, is_current) = (member.0.values.clone(), member.is_current());
            members.push(Member { values, is_current, decided: None });
        }
        let Ok(home) = home else { return Ok(members) };
        let mut heads = members.iter().filter(|m| m.is_current && self.is_head(&m.values)).count();
        heads += accepted
            .iter()
            .filter(|(row, derived, known)| {
                matches!(known, Known::Member(m) if m.is_current() && self.is_head(&m.0.values))
                    && derived.is_current
                    && self.is_head(&row.values)
            })
            .count();
        for (row, derived, known) in accepted {
            let is_head = derived.is_current && self.is_head(&row.values);
            let was_head = matches!(known, Known::Member(m)
                if m.is_current() && self.is_head(&m.0.values));
            if is_head && !was_head {
                if heads > 0 {
                    let note = self.note("R04", &PERSONS, person::RELATION);
                    decided.push(Decided::rejected(row, note));
                    if let Known::Member(member) = known {
                        let (values, is_current) = (member.0.values.clone(), member.is_current());
                        members.push(Member { values, is_current, decided: None });
                    }
                    continue;
                }
                heads += 1;
                self.writes.relied.on_members(home, existing);
            }
            let (outcome, values) = self.write_person(row, &derived, home, &known, existing)?;
            let person = known.person().or_else(|| existing.holder_of(&derived));
            // A row without the birth date that the record has computed nothing.
            let alike = row.alike.or_else(|| alike(&values));
            let said = Some(Said { decided: decided.len(), person, alike });
            members.push(Member { values, is_current: derived.is_current, decided: said });
            decided.push(Decided::accepted(row, outcome));
        }
        Ok(members)
    }

    /// The rules before the head's: key, household, ID number.
    fn accept_person<'e>(
        &self,
        group: &Group,
        existing: &'e Existing,
        home: &Result<Home, Reason>,
        row: &Row,
        derived: &Derived,
    ) -> Result<Known<'e>, Note> {
        if !is_single(group, row) {
            let twins = of_key(group, row).map(|twin| twin.place);
            return Err(self.duplicate(&PERSONS, person::ID_NUMBER, row, twins));
        }
        let home = match home {
            Ok(home) => home,
            Err(reason) => return Err(self.homeless(&PERSONS, person::HOUSEHOLD_NO, row, reason)),
        };
        let known = find(existing, home.id, row, derived);
        if derived.is_current
            && let Some(kept) = merged(existing, home.id, &known, derived)
        {
            return Err(self.was_merged(existing, kept));
        }
        if !derived.is_current || !derived.is_unique {
            return Ok(known);
        }
        let Some(identity) = derived.identity else { return Ok(known) };
        if let Some(contest) = self.contest(&identity)
            && contest.winner.as_ref().is_some_and(|(place, _)| *place != row.place)
        {
            return Err(self.held(&contest.winner_no));
        }
        match existing.holders.get(&identity) {
            Some(holder) if holder.is_current && holder.household != home.id => {
                let leaves = self.contest(&identity).and_then(|contest| contest.leaves);
                if leaves == Some(holder.household) {
                    return Ok(known);
                }
                let home = existing.kept.get(&holder.person);
                let home = home.filter(|home| self.scope.covers(&home.village));
                Err(self.held(home.map_or("", |home| home.household_no.as_str())))
            }
            _ => Ok(known),
        }
    }

    /// R02 with the household that holds the number, where the importer may know it.
    fn held(&self, no: &str) -> Note {
        let mut note = self.note("R02", &PERSONS, person::ID_NUMBER);
        if !no.is_empty() {
            note.message.push_str(&format!(" ({no})"));
        }
        note
    }

    /// That the person's record was merged into another one, and where that is, if the importer may know it.
    fn was_merged(&self, existing: &Existing, kept: i64) -> Note {
        let home = existing.kept.get(&kept).filter(|home| self.scope.covers(&home.village));
        let (zh, en) = match home {
            Some(home) => (
                format!("所指的人的记录已并入户 {} 的成员（编号 {kept}）", home.household_no),
                format!(
                    "is of a record merged into that of household {} ({kept})",
                    home.household_no
                ),
            ),
            None => (
                "所指的人的记录已并入另一条记录".into(),
                "is of a record merged into another".into(),
            ),
        };
        let zh = zh + "；如系误并，请先撤销合并";
        let en = en + "; undo the merge if it was a mistake";
        self.say(&PERSONS, person::NAME, "person.merged", &zh, &en)
    }

    /// Writes an accepted row; gives its outcome and the person's values afterwards.
    fn write_person(
        &mut self,
        row: &Row,
        derived: &Derived,
        home: &Home,
        known: &Known<'_>,
        existing: &Existing,
    ) -> Result<(Outcome, Vec<Value>), Error> {
        let moves_on = self.moves_on(row, derived, home);
        match known {
            // The number of a merged record is another record's: nobody moved.
            Known::Member(member) if moves_on && member.merged_into().is_none() => {
                let version = past_version(existing, home.id, member.id());
                let past = past_of(row, derived, home, member.id(), version);
                self.writes.past_membership(&self.author, &home.county, &past);
                Ok((Outcome::Updated, row.values.clone()))
            }
            Known::Member(member) => self.update_person((row, derived), home, member, existing),
            Known::Past(past) => {
                let past = self.kept(row, past);
                let person = existing.person(home.id, past.person);
                match person.filter(|_| !self.checker.marks.leaves(past.change_kind)) {
                    Some(mover) => {
                        let (_, values) = self.move_here(row, derived, home, mover, existing)?;
                        Ok((Outcome::Updated, values))
                    }
                    None => self.update_past(row, home, past, known),
                }
            }
            Known::Nobody if moves_on => {
                let id = self.contested_person(derived, &home.county)?;
                let past = past_of(row, derived, home, id, 0);
                self.writes.past_membership(&self.author, &home.county, &past);
                Ok((Outcome::Created, row.values.clone()))
            }
            Known::Nobody => self.join(row, derived, home, existing),
        }
    }

    /// True if the row tells of somebody leaving who joins another household of the same county in
    /// this import: then the person's record goes there, and only the membership stays here.
    fn moves_on(&self, row: &Row, derived: &Derived, home: &Home) -> bool {
        let contest = derived.identity.and_then(|identity| self.contests.get(&identity));
        let winner = contest.and_then(|contest| contest.winner.as_ref());
        !derived.is_current
            && winner.is_some_and(|(place, county)| *place != row.place && *county == home.county)
    }

    /// Somebody new to the household: a new person, or one who belonged elsewhere.
    fn join(
        &mut self,
        row: &Row,
        derived: &Derived,
        home: &Home,
        existing: &Existing,
    ) -> Result<(Outcome, Vec<Value>), Error> {
        let holder = derived.identity.and_then(|identity| existing.holders.get(&identity));
        // Who left a household elsewhere is, to this importer, what one of another county is: a new
        // person. What is known of him there stays there.
        let elsewhere = holder
            .filter(|holder| holder.county == home.county && holder.household != home.id)
            .and_then(|holder| existing.person(holder.household, holder.person))
            .filter(|mover| self.scope.covers(mover.village()));
        if let Some(mover) = elsewhere {
            if derived.is_current {
                return self.move_here(row, derived, home, mover, existing);
            }
            let past = past_of(row, derived, home, mover.id(), 0);
            self.writes.past_membership(&self.author, &home.county, &past);
            return Ok((Outcome::Created, row.values.clone()));
        }
        let id = self.contested_person(derived, &home.county)?;
        if !derived.is_current && self.is_recorded(derived, id) {
            // Left this household as well as the one that the record went to.
            let past = past_of(row, derived, home, id, 0);
            self.writes.past_membership(&self.author, &home.county, &past);
            return Ok((Outcome::Created, row.values.clone()));
        }
        let lead = vec![
            home.county.as_str().into(),
            id.into(),
            home.id.into(),
            home.village.as_str().into(),
        ];
        let values = row.values.clone();
        let derived_columns = derived.columns(&values, row.alike, None);
        let meta = self.author.meta();
        let record = Record { lead, values, derived: derived_columns, meta };
        self.writes.create(&self.author, Kind::Person, &home.county, id.to_string(), &record)?;
        // A number that left for another county is not taken back by a row about the past.
        if derived.is_current || holder.is_none() {
            self.hold(derived, home, id, existing);
        }
        Ok((Outcome::Created, record.values))
    }

    /// A person of another household of the county becomes a member of this one.
    fn move_here(
        &mut self,
        row: &Row,
        derived: &Derived,
        home: &Home,
        mover: &PersonRow,
        existing: &Existing,
    ) -> Result<(Outcome, Vec<Value>), Error> {
        let contest = derived.identity.and_then(|identity| self.contests.get(&identity));
        // A row by which the person leaves tells how; without one, the record does.
        if contest.is_none_or(|contest| contest.leaver.is_none()) {
            let cells = Cells(&mover.0.values);
            let past = PastMembership {
                household: mover.household(),
                person: mover.id(),
                identity: mover.identity().unwrap_or_default().to_vec(),
                relation: cells.int(person::RELATION),
                change_kind: cells.int(person::CHANGE_KIND),
                change_on: cells.text(person::CHANGE_ON).map(str::to_owned),
                version: past_version(existing, mover.household(), mover.id()),
            };
            self.writes.past_membership(&self.author, &home.county, &past);
        }
        let before = with_no(&mover.0.values, person::HOUSEHOLD_NO, &row.values);
        // How the person left the old household says nothing of the new one.
        let fresh = |i| matches!(i, person::CHANGE_KIND | person::CHANGE_ON);
        let merged = merge(&before, &row.values, fresh);
        let mut moved = mover.clone();
        moved.settle(&home.county, home.id, &home.village);
        let mut record = moved.0;
        record.values = merged.values;
        let alike = row.alike.or_else(|| alike(&record.values));
        record.derived = derived.columns(&record.values, alike, mover.merged_into());
        let (kind, key, changed) = (Kind::Person, mover.id().to_string(), &merged.changed);
        self.writes.update(&self.author, kind, &home.county, key, &mut record, &before, changed)?;
        self.moves.written(mover)?;
        self.hold(derived, home, mover.id(), existing);
        Ok((Outcome::Created, record.values))
    }

    fn update_person(
        &mut self,
        (row, derived): (&Row, &Derived),
        home: &Home,
        member: &PersonRow,
        existing: &Existing,
    ) -> Result<(Outcome, Vec<Value>), Error> {
        let before = with_no(&member.0.values, person::HOUSEHOLD_NO, &row.values);
        let clears = self.clears(row.place);
        let mut values = row.values.clone();
        // A number that stays keeps its kind.
        let kind = values.get_mut(person::ID_KIND);
        if let Some(kind) =
            kind.filter(|_| member.identity().is_some() && derived.identity.is_none())
            && !clears(person::ID_NUMBER)
        {
            *kind = Value::Null;
        }
        let merged = merge(&before, &values, clears);
        self.outcomes.clear(row.place, &merged);
        if merged.changed.is_empty() {
            return Ok((Outcome::Unchanged, merged.values));
        }
        let derived = Derived::of(self.checker.marks, self.author.keys, &merged.values);
        let mut settled = member.clone();
        settled.settle(&home.county, home.id, &home.village);
        let mut record = settled.0;
        record.values = merged.values;
        let alike = row.alike.or_else(|| alike(&record.values));
        record.derived = derived.columns(&record.values, alike, member.merged_into());
        let (kind, key, changed) = (Kind::Person, member.id().to_string(), &merged.changed);
        self.writes.update(&self.author, kind, &home.county, key, &mut record, &before, changed)?;
        if home.moves() {
            self.moves.written(member)?;
        }
        let had = member.identity().map(<[u8]>::to_vec);
        if had.as_deref() != derived.identity.as_ref().map(<[u8; 16]>::as_slice)
            || member.is_current() != derived.is_current
        {
            self.hold(&derived, home, member.id(), existing);
        }
        Ok((Outcome::Updated, record.values))
    }

    /// What the row says of an earlier membership; a blank keeps what is known of how it ended.
    fn kept(&self, row: &Row, stored: &PastMembership) -> PastMembership {
        let (cells, clears) = (Cells(&row.values), self.clears(row.place));
        let mut past = stored.clone();
        past.relation = cells.int(person::RELATION);
        let kind = cells.int(person::CHANGE_KIND);
        if kind.is_some() || clears(person::CHANGE_KIND) {
            past.change_kind = kind;
        }
        let day = cells.text(person::CHANGE_ON).map(str::to_owned);
        if day.is_some() || clears(person::CHANGE_ON) {
            past.change_on = day;
        }
        past
    }

    /// A row about somebody who belongs to another household now: only how it ended may change.
    fn update_past(
        &mut self,
        row: &Row,
        home: &Home,
        past: PastMembership,
        known: &Known<'_>,
    ) -> Result<(Outcome, Vec<Value>), Error> {
        let same = matches!(known, Known::Past(stored) if past.relation == stored.relation
            && past.change_kind == stored.change_kind
            && past.change_on == stored.change_on);
        if !same {
            self.writes.past_membership(&self.author, &home.county, &past);
        }
        let outcome = if same { Outcome::Unchanged } else { Outcome::Updated };
        Ok((outcome, row.values.clone()))
    }

    /// The id of a new person: the same for all rows of this import that share the number.
    fn contested_person(&mut self, derived: &Derived, county: &str) -> Result<i64, Error> {
        let known = derived.identity.and_then(|id| self.contests.get(&id)).and_then(|c| c.person);
        if let Some(id) = known.filter(|id| daohu_base::county_of_birth(*id) == county) {
            return Ok(id);
        }
        let id = self.next_id(county, IdKind::Person)?;
        if let Some(contest) = derived.identity.and_then(|id| self.contests.get_mut(&id)) {
            contest.person = Some(id);
        }
        Ok(id)
    }

    /// True if an earlier row of this import made the person's record; from now on it is made.
    fn is_recorded(&mut self, derived: &Derived, id: i64) -> bool {
        let contest = derived.identity.and_then(|identity| self.contests.get_mut(&identity));
        contest.is_some_and(|contest| contest.recorded.replace(id) == Some(id))
    }

    fn hold(&mut self, derived: &Derived, home: &Home, person: i64, existing: &Existing) {
        let Some(identity) = derived.identity.filter(|_| derived.is_unique) else { return };
        let (county, is_current) = (home.county.clone(), derived.is_current);
        let holder = Holder { county, person, household: home.id, is_current };
        let seen = existing.holders.get(&identity).cloned();
        self.writes.claim(Claim { identity, holder, seen });
    }

    fn is_head(&self, values: &[Value]) -> bool {
        self.checker.marks.is_head(Cells(values).int(person::RELATION))
    }

    /// R05 and R06, which need the members together.
    pub(super) fn doubt_members(&self, members: &[Member], decided: &mut [Decided]) {
        let current: Vec<&Member> = members.iter().filter(|member| member.is_current).collect();
        let values: Vec<&[Value]> = current.iter().map(|member| &*member.values).collect();
        for (i, note) in self.checker.doubt_family(&values) {
            let said = current.get(i).and_then(|member| member.decided);
            if let Some(decided) = said.and_then(|said| decided.get_mut(said.decided)) {
                decided.notes.push(note);
            }
        }
    }
}

impl Known<'_> {
    /// The person, if it is somebody.
    fn person(&self) -> Option<i64> {
        match self {
            Self::Member(member) => Some(member.id()),
            Self::Past(past) => Some(past.person),
            Self::Nobody => None,
        }
    }
}

/// The person whose record stays, if the record that a row is about, or that has its number, was merged.
fn merged(existing: &Existing, home: i64, known: &Known<'_>, derived: &Derived) -> Option<i64> {
    match known {
        Known::Member(member) => member.merged_into(),
        Known::Past(past) => existing.person(home, past.person)?.merged_into(),
        Known::Nobody => {
            let holder = existing.holders.get(&derived.identity?)?;
            existing.person(holder.household, holder.person)?.merged_into()
        }
    }
}

/// The member that a row is about: by number, or by name and birth date while the row and the record have
/// none that says otherwise. An older file knows nothing of a number that came later.
fn find<'e>(existing: &'e Existing, home: i64, row: &Row, derived: &Derived) -> Known<'e> {
    let members = existing.persons_of(home);
    if let Some(identity) = derived.identity {
        if let Some(member) = members.iter().find(|m| m.identity() == Some(&identity)) {
            return Known::Member(member);
        }
        let mut past = existing.past_of(home).iter();
        if let Some(past) = past.find(|past| past.identity == identity) {
            return Known::Past(past);
        }
    }
    let cells = Cells(&row.values);
    let same = |member: &&PersonRow| {
        member.text(person::NAME) == cells.text(person::NAME)
            && member.text(person::BORN_ON) == cells.text(person::BORN_ON)
    };
    let without = members.iter().filter(same).find(|member| member.identity().is_none());
    let later = || members.iter().filter(same).find(|_| derived.identity.is_none());
    without.or_else(later).map_or(Known::Nobody, Known::Member)
}

/// Members that several rows are about, and where these stand: two numbers for somebody without one.
/// Which is right, nobody can tell.
pub(super) fn named_twice(
    group: &Group,
    existing: &Existing,
    home: i64,
    (marks, keys): (Marks<'_>, &Keys),
) -> HashMap<i64, Vec<Place>> {
    let mut named: HashMap<i64, Vec<Place>> = HashMap::new();
    let has_number = |row: &Row| Cells(&row.values).text(person::ID_NUMBER).is_some();
    if existing.persons_of(home).iter().all(|member| member.identity().is_some())
        && group.persons.iter().all(has_number)
    {
        return named;
    }
    for row in group.persons.iter().filter(|row| !row.is_dead && is_single(group, row)) {
        let derived = Derived::of(marks, keys, &row.values);
        if let Known::Member(member) = find(existing, home, row, &derived) {
            named.entry(member.id()).or_default().push(row.place);
        }
    }
    named.retain(|_, places| places.len() > 1);
    named
}

/// True if the row is about one of these members.
pub(super) fn is_about(
    members: &HashMap<i64, Vec<Place>>,
    existing: &Existing,
    home: i64,
    (row, derived): (&Row, &Derived),
) -> bool {
    !members.is_empty()
        && matches!(find(existing, home, row, derived), Known::Member(m) if members.contains_key(&m.id()))
}

/// The version of an earlier membership; zero if there was none.
fn past_version(existing: &Existing, household: i64, person: i64) -> i64 {
    let mut past = existing.past_of(household).iter();
    past.find(|past| past.person == person).map_or(0, |past| past.version)
}

fn past_of(row: &Row, derived: &Derived, home: &Home, person: i64, version: i64) -> PastMembership {
    let cells = Cells(&row.values);
    PastMembership {
        household: home.id,
        person,
        identity: derived.identity.map(|identity| identity.to_vec()).unwrap_or_default(),
        relation: cells.int(person::RELATION),
        change_kind: cells.int(person::CHANGE_KIND),
        change_on: cells.text(person::CHANGE_ON).map(str::to_owned),
        version,
    }
}
