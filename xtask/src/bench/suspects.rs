//! What it costs to suspect a new person of being another who is registered already.
//!
//! An import does it among much else. Two files of new households are tried that differ in one thing:
//! in the one, every person has the name and the birth date of somebody of the same township; in the
//! other, names are the same and nobody was born on such days. The difference is what it costs to
//! find, compare and report them. What both have in common, the time of a person whom nobody is alike, is
//! told beside it: it must not grow with the registry.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};

use super::{
    figures::{Better, Figure, Figures},
    http::keys::picked,
    place::{Place, clear},
    product::as_float,
    store::Database,
};

/// New persons, each in a household of its own.
const PERSONS: usize = 10_000;
/// The check of one.
const CHECK_US_BAR: f64 = 100.0;
/// Most of them must be found: of the sample's persons some have gone, and are nobody's duplicates.
const SUSPECTED_SHARE: f64 = 0.8;
/// Nobody of the sample was born before; so many days are taken from here.
const EARLY_YEAR: usize = 1901;
const DAYS_OF_MONTH: usize = 28;
const DAYS_OF_YEAR: usize = 12 * DAYS_OF_MONTH;
const EARLY_YEARS: usize = 3;
/// Numbers of one birth date in a prefix; the sample uses no prefix from the first on.
const PER_PREFIX: usize = 1_000;
const PREFIX: usize = 999_000;

pub(super) fn measure(
    place: &Place<'_>,
    figures: &mut Figures,
    database: &Database<'_>,
    name: &str,
) -> anyhow::Result<()> {
    figures.note(format!(
        "reports.suspect_check: {PERSONS} new persons who are alike somebody of the township, less as many \
         whom nobody is alike, for each person, in a dry run; new_person is one of the latter with the \
         household, _tenfold is in ten times the households."
    ));
    let persons = persons(&place.sample()?)?;
    let folder = place.folder.join("suspects");
    let unlike = write(&folder.join("unlike"), &persons, true)?;
    let alike = write(&folder.join("alike"), &persons, false)?;
    let count = as_float(u64::try_from(persons.len())?);
    let (mut checks, mut news) = (Vec::new(), Vec::new());
    for _ in 0..place.pairs {
        let base = place.product.try_import(database, &unlike)?;
        let more = place.product.try_import(database, &alike)?;
        let share = as_float(more.suspected) / count;
        ensure!(base.suspected == 0, "{} persons are alike somebody", base.suspected);
        ensure!(share >= SUSPECTED_SHARE, "only {} persons are suspected", more.suspected);
        news.push(base.cost.seconds * 1e6 / count);
        checks.push((more.cost.seconds - base.cost.seconds) * 1e6 / count);
    }
    clear(&folder)?;
    let check = Figure::of(&format!("reports.suspect_check{name}"), &checks, "µs", Better::Less)?;
    figures.add(check.bar(CHECK_US_BAR));
    figures.add(Figure::of(&format!("reports.new_person{name}"), &news, "µs", Better::Less)?);
    Ok(())
}

/// Somebody of the sample.
struct Known {
    name: String,
    /// `YYYYMMDD`
    born: String,
    village: String,
}

/// Persons of the sample with the villages that they live in.
fn persons(sample: &Path) -> anyhow::Result<Vec<Known>> {
    let rows = csv::Reader::from_path(sample.join("persons.csv"))?;
    let rows = picked(rows, ["姓名", "证件号码", "户编号"], PERSONS)?;
    let mut villages: HashMap<&str, String> =
        rows.iter().map(|[.., no]| (no.as_str(), String::new())).collect();
    let mut homes = csv::Reader::from_path(sample.join("households.csv"))?;
    let header = homes.headers()?.clone();
    let place = |name: &str| {
        let place = header.iter().position(|column| column == name);
        place.with_context(|| format!("a sample without {name}"))
    };
    let (no, village) = (place("户编号")?, place("行政村代码")?);
    let mut record = csv::StringRecord::new();
    while homes.read_record(&mut record)? {
        if let Some(known) = record.get(no).and_then(|no| villages.get_mut(no)) {
            *known = record.get(village).unwrap_or_default().to_owned();
        }
    }
    let known = |[name, id, no]: &[String; 3]| {
        let born = id.get(6..14)?.to_owned();
        let village = villages.get(no.as_str()).filter(|village| !village.is_empty())?;
        Some(Known { name: name.clone(), born, village: village.clone() })
    };
    Ok(rows.iter().filter_map(known).collect())
}

/// Writes the persons as new ones, each in a new household of the same village.
fn write(folder: &Path, persons: &[Known], is_unlike: bool) -> anyhow::Result<PathBuf> {
    clear(folder)?;
    fs::create_dir_all(folder)?;
    let mut homes = csv::Writer::from_path(folder.join("households.csv"))?;
    let mut members = csv::Writer::from_path(folder.join("persons.csv"))?;
    homes.write_record(["户编号", "行政村代码"])?;
    members.write_record(["户编号", "姓名", "证件号码", "与户主关系"])?;
    for (nth, person) in persons.iter().enumerate() {
        let no = format!("N{nth:08}");
        let born = if is_unlike { early_day(nth) } else { person.born.clone() };
        let (prefix, serial) = (PREFIX + nth / PER_PREFIX, nth % PER_PREFIX);
        let id = with_check(&format!("{prefix}{born}{serial:03}"));
        homes.write_record([&no, &person.village])?;
        members.write_record([no.as_str(), &person.name, &id, "户主"])?;
    }
    homes.flush()?;
    members.flush()?;
    Ok(folder.to_owned())
}

fn early_day(nth: usize) -> String {
    let day = nth % (EARLY_YEARS * DAYS_OF_YEAR);
    let (year, day) = (EARLY_YEAR + day / DAYS_OF_YEAR, day % DAYS_OF_YEAR);
    format!("{year}{:02}{:02}", 1 + day / DAYS_OF_MONTH, 1 + day % DAYS_OF_MONTH)
}

/// Seventeen digits with the check character of GB 11643 behind them.
fn with_check(digits: &str) -> String {
    const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
    // Horner's rule: the weights are the powers of two from 2¹⁷ on, all modulo 11.
    let sum = digits.chars().fold(0, |sum, digit| (sum + digit.to_digit(10).unwrap_or(0)) * 2 % 11);
    let check = CHECKS.get(usize::try_from(sum).unwrap_or_default()).unwrap_or(&'1');
    format!("{digits}{check}")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn numbers_have_their_check_character() {
        assert_eq!(with_check("99010219900101001"), "990102199001010015");
    }

    #[test]
    fn who_is_unlike_shares_no_day_with_those_who_are_like() {
        let days: HashSet<String> = (0..PERSONS).map(early_day).collect();
        assert_eq!(days.len(), EARLY_YEARS * DAYS_OF_YEAR);
        assert!(days.iter().all(|day| day.starts_with("190") && day.len() == 8));
    }
}
