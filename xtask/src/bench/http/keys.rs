//! What is asked for: households and persons of the sample, picked evenly and in no order.

use std::{io::Read, path::Path};

use anyhow::{Context, ensure};

use crate::bench::store::Database;

/// The same picks in every run.
const SEED: u64 = 20_151_129;
/// Characters of an ID number by which it is searched.
const TAIL: usize = 6;

/// Texts to ask for, of each kind so many.
pub(super) struct Keys {
    pub(super) numbers: Vec<String>,
    pub(super) townships: Vec<String>,
    /// The first two characters of a person's name.
    pub(super) name_prefixes: Vec<String>,
    pub(super) initials: Vec<String>,
    pub(super) id_tails: Vec<String>,
}

impl Keys {
    /// Picks from the files of a sample. Only the product knows the initials: they come from the
    /// database.
    pub(super) fn pick(
        sample: &Path,
        database: &Database<'_>,
        count: usize,
    ) -> anyhow::Result<Self> {
        const TOWNSHIP_DIGITS: usize = 9;
        let households = csv::Reader::from_path(sample.join("households.csv"))?;
        let households = picked(households, ["户编号", "行政村代码"], count)?;
        let persons = csv::Reader::from_path(sample.join("persons.csv"))?;
        let persons = picked(persons, ["姓名", "证件号码"], count)?;
        let numbers: Vec<String> = households.iter().map(|[number, _]| number.clone()).collect();
        let townships = households.iter().filter_map(|[_, village]| village.get(..TOWNSHIP_DIGITS));
        let prefix = |name: &String| name.chars().take(2).collect();
        let tail = |id: &String| id.get(id.len().checked_sub(TAIL)?..).map(str::to_owned);
        Ok(Self {
            townships: townships.map(str::to_owned).collect(),
            name_prefixes: persons.iter().map(|[name, _]| prefix(name)).collect(),
            id_tails: persons.iter().filter_map(|[_, id]| tail(id)).collect(),
            initials: initials(database, &numbers)?,
            numbers,
        })
    }
}

/// The initials of the heads of these households.
fn initials(database: &Database<'_>, numbers: &[String]) -> anyhow::Result<Vec<String>> {
    let quoted: Vec<String> = numbers.iter().map(|number| format!("'{number}'")).collect();
    let query = format!(
        "select head_initials from households where no in ({}) and head_initials <> '';",
        quoted.join(", ")
    );
    let initials = database.run(&query, Path::new("."))?;
    Ok(initials.lines().map(str::to_owned).collect())
}

/// Columns of rows picked with equal chance, in random order; rows without one are passed over.
pub(in crate::bench) fn picked<const N: usize>(
    mut reader: csv::Reader<impl Read>,
    columns: [&str; N],
    count: usize,
) -> anyhow::Result<Vec<[String; N]>> {
    let headers = reader.headers()?.clone();
    let place = |column: &str| {
        let place = headers.iter().position(|name| name == column);
        place.with_context(|| format!("a sample without {column}"))
    };
    let mut places = [0; N];
    for (at, column) in places.iter_mut().zip(columns) {
        *at = place(column)?;
    }
    let mut random = Random(SEED);
    let mut picked: Vec<[String; N]> = Vec::new();
    let mut record = csv::StringRecord::new();
    let mut seen = 0;
    while reader.read_record(&mut record)? {
        let cells = places.map(|column| record.get(column).unwrap_or_default());
        if cells.iter().any(|cell| cell.is_empty()) {
            continue;
        }
        seen += 1;
        // The first rows fill the places; each later row takes a random one, ever more rarely.
        let at = random.below(seen)?;
        let row = cells.map(str::to_owned);
        if picked.len() < count {
            picked.push(row);
            let last = picked.len() - 1;
            picked.swap(at.min(last), last);
        } else if let Some(place) = picked.get_mut(at) {
            *place = row;
        }
    }
    ensure!(!picked.is_empty(), "nothing to ask for in the sample");
    Ok(picked)
}

/// SplitMix64: a few lines, and the same numbers everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> anyhow::Result<usize> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(limit)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(rows: usize, count: usize) -> Vec<usize> {
        let lines: String = (0..rows).map(|row| format!("x,{row},y\n")).collect();
        let text = format!("a,b,c\nx,,y\n{lines}");
        let picked = picked(csv::Reader::from_reader(text.as_bytes()), ["b", "c"], count).unwrap();
        picked.iter().map(|[b, _]| b.parse().unwrap()).collect()
    }

    #[test]
    fn picks_are_spread_over_all_rows_and_always_the_same() {
        let picks = pick(10_000, 400);
        assert_eq!(picks.len(), 400);
        assert_eq!(picks, pick(10_000, 400));
        let early = picks.iter().filter(|row| **row < 5_000).count();
        assert!((150..250).contains(&early), "{early}");
        assert!(!picks.is_sorted());
    }

    #[test]
    fn a_small_sample_gives_each_row_once() {
        let mut picks = pick(5, 400);
        assert!(!picks.is_sorted());
        picks.sort_unstable();
        assert_eq!(picks, [0, 1, 2, 3, 4]);
    }
}
