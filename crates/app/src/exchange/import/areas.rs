//! What becomes of the rows of 行政区划, and of the villagers' groups that households name.

use std::collections::HashMap;

use daohu_base::AreaCode;
use daohu_db::Value;

use super::{decide::Decider, stage::Row, writes::Kind};
use crate::{
    Error,
    areas::Node,
    exchange::outcome::{Note, Outcome, Place},
    households::merge,
    quality::Cells,
    sheet::{AREAS, Record, area, household},
};

impl Decider<'_> {
    /// Decides the rows of 行政区划. Parents must exist, in the store or in the files.
    pub(super) fn decide_areas(&mut self, rows: &[Row], stored: &[Record]) -> Result<(), Error> {
        let code = |row: &Row| {
            Cells(&row.values).text(area::CODE).and_then(|code| AreaCode::parse(code).ok())
        };
        let mut seen: HashMap<AreaCode, Vec<Place>> = HashMap::new();
        for row in rows {
            if let Some(code) = code(row) {
                seen.entry(code).or_default().push(row.place);
            }
        }
        let stored: HashMap<&str, &Record> = stored
            .iter()
            .filter_map(|record| Some((Cells(&record.values).text(area::CODE)?, record)))
            .collect();
        let mut sorted: Vec<&Row> = rows.iter().filter(|row| !row.is_dead).collect();
        sorted.sort_by_key(|row| code(row).map(|code| code.level()));
        for row in sorted {
            let Some(code) = code(row) else { continue };
            if let Err(note) = self.accept_area(row, &code, &seen) {
                self.outcomes.record(row.place, Outcome::Rejected, vec![note])?;
                continue;
            }
            let outcome = self.decide_area(row, &code, stored.get(code.as_str()).copied())?;
            self.outcomes.record(row.place, outcome, row.notes.clone())?;
        }
        Ok(())
    }

    fn accept_area(
        &self,
        row: &Row,
        code: &AreaCode,
        seen: &HashMap<AreaCode, Vec<Place>>,
    ) -> Result<(), Note> {
        if let Some(twins) = seen.get(code).filter(|twins| twins.len() > 1) {
            return Err(self.duplicate(&AREAS, area::CODE, row, twins.iter().copied()));
        }
        let level = Cells(&row.values).int(area::LEVEL);
        if level != Some(i64::from(code.level().list_code())) {
            return Err(self.say(
                &AREAS,
                area::LEVEL,
                "area.level",
                "与代码位数不符",
                "does not fit the code's length",
            ));
        }
        let known = code.parent().is_none_or(|parent| self.tree.get(&parent).is_some());
        if !known {
            return Err(self.say(
                &AREAS,
                area::CODE,
                "area.no_parent",
                "上级区划不存在",
                "has no parent area",
            ));
        }
        if !self.areas.contains(code) {
            return Err(self.unknown(&AREAS, area::CODE, row));
        }
        Ok(())
    }

    fn decide_area(
        &mut self,
        row: &Row,
        code: &AreaCode,
        stored: Option<&Record>,
    ) -> Result<Outcome, Error> {
        let (county, key) = (code.county(), code.to_string());
        let mut record = Record {
            lead: Vec::new(),
            values: row.values.clone(),
            derived: Vec::new(),
            meta: self.author.meta(),
        };
        let outcome = match stored {
            None => {
                self.writes.create(&self.author, Kind::Area, &county, key, &record)?;
                Outcome::Created
            }
            Some(stored) => {
                let merged = merge(&stored.values, &row.values, self.clears(row.place));
                self.outcomes.clear(row.place, &merged);
                record = Record { values: merged.values, ..stored.clone() };
                if !merged.changed.is_empty() {
                    let (author, before) = (&self.author, &stored.values);
                    let changed = &merged.changed;
                    self.writes.update(
                        author,
                        Kind::Area,
                        &county,
                        key,
                        &mut record,
                        before,
                        changed,
                    )?;
                }
                if merged.changed.is_empty() { Outcome::Unchanged } else { Outcome::Updated }
            }
        };
        let today = self.checker.today.to_string();
        if let Some((code, node)) = crate::areas::node(&record, &today) {
            self.tree.insert(code, node);
        }
        Ok(outcome)
    }

    /// Puts the code of a villagers' group in the place of its name; a new name is a new group. False
    /// if the village has no code left for one.
    pub(super) fn resolve_group(
        &mut self,
        village: &AreaCode,
        values: &mut [Value],
    ) -> Result<bool, Error> {
        let Some(name) = Cells(values).text(household::GROUP_CODE).map(str::to_owned) else {
            return Ok(true);
        };
        let code = match self.tree.group(village, &name) {
            Some(code) => code.clone(),
            None => {
                let Some(code) = self.tree.next_group(village) else { return Ok(false) };
                self.create_group(&code, &name)?;
                code
            }
        };
        if let Some(slot) = values.get_mut(household::GROUP_CODE) {
            *slot = code.to_string().into();
        }
        Ok(true)
    }

    fn create_group(&mut self, code: &AreaCode, name: &str) -> Result<(), Error> {
        let mut values = vec![Value::Null; AREAS.columns.len()];
        let level = i64::from(code.level().list_code());
        let known = [
            (area::CODE, Value::from(code.as_str())),
            (area::NAME, name.into()),
            (area::LEVEL, level.into()),
        ];
        for (i, value) in known {
            if let Some(slot) = values.get_mut(i) {
                *slot = value;
            }
        }
        let (lead, derived) = (Vec::new(), Vec::new());
        let record = Record { lead, values, derived, meta: self.author.meta() };
        self.writes.create(&self.author, Kind::Area, &code.county(), code.to_string(), &record)?;
        let node = Node { name: name.to_owned(), ends_on: None, has_ended: false };
        self.tree.insert(code.clone(), node);
        Ok(())
    }
}
