//! The area tree: what the caller hands in, and what is made up below counties without a file.

use std::io::Read;

use super::Error;
use super::dice::Dice;

/// One row of an area file. Codes carry no padding zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AreaRow {
    /// 区划代码: 2, 4, 6, 9 or 12 digits.
    pub code: String,
    /// 名称.
    pub name: String,
    /// 级别.
    pub level: String,
    /// 类型, may be empty.
    pub kind: String,
}

/// Reads an area file: a header line, then 区划代码, 名称, 级别 and 类型 as the first columns.
///
/// # Errors
/// When the text is not CSV, or a row has fewer than four cells.
pub(crate) fn read_areas(input: impl Read) -> Result<Vec<AreaRow>, Error> {
    let mut areas = Vec::new();
    for record in csv::Reader::from_reader(input).into_records() {
        let record = record?;
        let cell = |column| record.get(column).map(str::to_owned);
        let (Some(code), Some(name), Some(level), Some(kind)) =
            (cell(0), cell(1), cell(2), cell(3))
        else {
            return Err(Error::Areas(format!("four cells are needed: {record:?}")));
        };
        areas.push(AreaRow { code, name, level, kind });
    }
    Ok(areas)
}

/// The area list, ordered by code, so that everything below an area follows it.
pub(super) struct Tree<'a> {
    rows: Vec<&'a AreaRow>,
}

const COUNTY_DIGITS: usize = 6;
const TOWN_DIGITS: usize = 9;
const VILLAGE_DIGITS: usize = 12;

impl<'a> Tree<'a> {
    pub(super) fn new(areas: &'a [AreaRow]) -> Self {
        let mut rows: Vec<_> = areas.iter().collect();
        rows.sort_by(|a, b| a.code.as_bytes().cmp(b.code.as_bytes()));
        rows.dedup_by(|a, b| a.code == b.code);
        Self { rows }
    }

    pub(super) fn find(&self, code: &str) -> Option<&'a AreaRow> {
        let found = self.rows.binary_search_by(|row| row.code.as_str().cmp(code)).ok()?;
        self.rows.get(found).copied()
    }

    /// All counties whose code starts with the prefix.
    pub(super) fn counties(&self, prefix: &str) -> impl Iterator<Item = &'a AreaRow> {
        self.below(prefix).filter(|row| row.code.len() == COUNTY_DIGITS)
    }

    /// The place of a county among all counties of the list.
    pub(super) fn rank(&self, code: &str) -> u32 {
        let before = self.counties("").take_while(|row| row.code.as_str() < code).count();
        u32::try_from(before).unwrap_or(u32::MAX)
    }

    /// Townships and villages of the county, in the order of their codes: those of the list if it
    /// has villages there, otherwise made-up ones.
    pub(super) fn places(&self, county: &str, size: Size) -> Vec<AreaRow> {
        let deep = |row: &&AreaRow| matches!(row.code.len(), TOWN_DIGITS | VILLAGE_DIGITS);
        let listed: Vec<AreaRow> = self.below(county).filter(deep).cloned().collect();
        if listed.iter().all(is_town) { invent(county, size) } else { listed }
    }

    fn below(&self, prefix: &str) -> impl Iterator<Item = &'a AreaRow> {
        let start = self.rows.partition_point(|row| row.code.as_str() < prefix);
        let rest = self.rows.get(start..).unwrap_or_default().iter().copied();
        rest.take_while(move |row| row.code.starts_with(prefix))
    }
}

/// How many townships and villages to make up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) towns: u32,
    pub(super) villages: u32,
}

impl Size {
    /// A county of ordinary size; the numbering has room for a hundred towns.
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let towns = 12 + dice.below(13);
        Self { towns, villages: towns * 8 + dice.below(towns * 6) }
    }
}

/// Made-up townships and villages, in the order of their codes. Numbering follows the national
/// rule: towns from 100, village committees from 200.
fn invent(county: &str, size: Size) -> Vec<AreaRow> {
    let mut places = Vec::new();
    for town in 1..=size.towns {
        let name = format!("第{town}镇");
        let code = format!("{county}{}", 99 + town);
        places.push(area(code.clone(), name.clone(), "乡", "镇"));
        // The first towns take the villages that do not divide evenly.
        let extra = u32::from(town <= size.villages % size.towns.max(1));
        for village in 1..=size.villages / size.towns.max(1) + extra {
            let code = format!("{code}{}", 199 + village);
            places.push(area(code, format!("{name}{village}村"), "村", "行政村"));
        }
    }
    places
}

fn area(code: String, name: String, level: &str, kind: &str) -> AreaRow {
    AreaRow { code, name, level: level.to_owned(), kind: kind.to_owned() }
}

/// Whether the row is a township, by its code.
pub(super) fn is_town(row: &AreaRow) -> bool {
    row.code.len() == TOWN_DIGITS
}
