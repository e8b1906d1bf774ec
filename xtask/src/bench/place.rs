//! The folder of a run: samples, workbooks and databases, made once and used by every part.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};

use super::{
    monitor::Yardsticks,
    product::{Imported, Product},
    store::{Database, Store},
};
use crate::command::output;

/// The first year whose incomes stay in the sample: an import of two years.
const FIRST_YEAR: u32 = 2014;
/// The last year of the sample.
const LAST_YEAR: &str = "2015";
/// All that is random in the sample.
const SEED: &str = "7";

/// Where a province's sample is, and a county's.
const PROVINCE: [&str; 2] = ["--province", "52"];
const COUNTY: [&str; 2] = ["--county", "500242"];

/// The sheets that the yardsticks have as well, with the areas that their rows lie in.
const BASIC: [&str; 4] = ["areas", "households", "persons", "incomes"];

/// Which sheets of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sheets {
    /// Those of [`BASIC`]: rates and ratios are about them.
    Basic,
    All,
}

/// What is measured: so many made-up households in one area.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    pub(super) is_large: bool,
    pub(super) households: u64,
}

impl Subject {
    fn area_argument(self) -> [&'static str; 2] {
        if self.is_large { PROVINCE } else { COUNTY }
    }

    /// The area that holds all of it.
    pub(super) fn area(self) -> &'static str {
        let [_, code] = self.area_argument();
        code
    }

    fn name(self) -> String {
        format!("{}-{}", self.area(), self.households)
    }
}

/// A part's view of the run.
pub(super) struct Place<'r> {
    pub(super) folder: &'r Path,
    pub(super) store: &'r Store,
    pub(super) product: Product<'r>,
    pub(super) subject: Subject,
    /// How often a yardstick and the product take turns.
    pub(super) pairs: usize,
    /// The built yardstick of workbooks.
    pub(super) stream_cells: &'r Path,
    /// Those of monitoring, where it is measured.
    pub(super) yardsticks: Option<&'r Yardsticks>,
}

impl Place<'_> {
    /// The folder with the sample's CSV files.
    pub(super) fn sample(&self) -> anyhow::Result<PathBuf> {
        self.made(&format!("{}-csv", self.subject.name()), |folder| {
            let households = self.subject.households.to_string();
            let mut command = self.product.command(["sample", "--json", "--format", "csv"]);
            command.args(self.subject.area_argument()).args(["--households", &households]);
            command.args(["--seed", SEED, "--year", LAST_YEAR]).arg("--out").arg(folder);
            output(&mut command)?;
            keep_last_years(&folder.join("incomes.csv"))
        })
    }

    /// The files of these sheets.
    pub(super) fn files(&self, sheets: Sheets) -> anyhow::Result<Vec<PathBuf>> {
        let sample = self.sample()?;
        Ok(match sheets {
            Sheets::All => vec![sample],
            Sheets::Basic => BASIC.iter().map(|name| sample.join(format!("{name}.csv"))).collect(),
        })
    }

    /// The same rows as one workbook, as the product exports them.
    pub(super) fn workbook(&self) -> anyhow::Result<PathBuf> {
        self.made(&format!("{}.xlsx", self.subject.name()), |file| {
            let database = self.imported(Sheets::Basic)?;
            self.product.export(&database, self.subject.area(), "xlsx", file).map(drop)
        })
    }

    /// The database with these sheets of the sample in it.
    pub(super) fn imported(&self, sheets: Sheets) -> anyhow::Result<Database<'_>> {
        let database = self.store.named(&self.database_name(sheets));
        if database.exists()? {
            return Ok(database);
        }
        let (trial, _) = self.import(sheets)?;
        self.adopt(trial, sheets)
    }

    /// Imports the sample into a database of its own.
    pub(super) fn import(&self, sheets: Sheets) -> anyhow::Result<(Database<'_>, Imported)> {
        let files = self.files(sheets)?;
        let database = self.store.fresh("trial")?;
        let imported = self.product.import(&database, &files)?;
        Ok((database, imported))
    }

    /// Makes a database the one that every part uses.
    pub(super) fn adopt<'s>(
        &'s self,
        database: Database<'s>,
        sheets: Sheets,
    ) -> anyhow::Result<Database<'s>> {
        database.renamed(&self.database_name(sheets))
    }

    /// The same run with so many times the households in the area.
    pub(super) fn times(&self, factor: u64) -> Self {
        let households = self.subject.households * factor;
        Self { subject: Subject { households, ..self.subject }, ..*self }
    }

    fn database_name(&self, sheets: Sheets) -> String {
        let all = if sheets == Sheets::All { "-all" } else { "" };
        format!("{}{all}-{}", self.subject.name(), self.store.engine().name())
    }

    /// A file or folder that is there whole or not at all.
    fn made(
        &self,
        name: &str,
        make: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<PathBuf> {
        let whole = self.folder.join(name);
        if !whole.exists() {
            eprintln!("  making {name}");
            // The product looks at the end of the name.
            let part = self.folder.join(format!("part-{name}"));
            clear(&part)?;
            make(&part)?;
            fs::rename(&part, &whole)?;
        }
        Ok(whole)
    }
}

/// Removes a file or folder, if it is there.
pub(super) fn clear(path: &Path) -> anyhow::Result<()> {
    let removed = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false if path.exists() => fs::remove_file(path),
        false => Ok(()),
    };
    removed.with_context(|| format!("{}", path.display()))
}

/// Rewrites a file of incomes without the years before.
fn keep_last_years(file: &Path) -> anyhow::Result<()> {
    let less = file.with_extension("less");
    let mut reader = csv::Reader::from_path(file)?;
    let mut writer = csv::Writer::from_path(&less)?;
    let headers = reader.headers()?.clone();
    let year = headers.iter().position(|name| name == "年度").context("incomes without 年度")?;
    writer.write_record(&headers)?;
    let mut record = csv::StringRecord::new();
    let mut kept = 0_u64;
    while reader.read_record(&mut record)? {
        let year = record.get(year).and_then(|year| year.parse::<u32>().ok());
        if year.context("an income without its year")? >= FIRST_YEAR {
            writer.write_record(&record)?;
            kept += 1;
        }
    }
    writer.flush()?;
    ensure!(kept > 0, "the sample has no incomes from {FIRST_YEAR} on");
    Ok(fs::rename(less, file)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incomes_before_the_last_years_are_left_out() {
        let name = format!("daohu-bench-incomes-{}.csv", std::process::id());
        let file = std::env::temp_dir().join(name);
        fs::write(&file, "户编号,年度\n1,2013\n1,2014\n1,2015\n2,2012\n").unwrap();
        keep_last_years(&file).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "户编号,年度\n1,2014\n1,2015\n");
        fs::remove_file(&file).unwrap();
    }
}
