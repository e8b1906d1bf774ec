//! Running the product's command and reading what it reports.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, ensure};
use serde_json::Value;

use super::store::Database;
use crate::command::{check, output};

const MIB: f64 = 1024.0 * 1024.0;

/// The built command.
#[derive(Clone, Copy)]
pub(super) struct Product<'p>(pub(super) &'p Path);

/// What a run of it took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    /// From start to exit, seen from outside.
    pub(super) seconds: f64,
    pub(super) rows: u64,
    pub(super) peak_mib: f64,
}

/// An import that refused no row.
#[derive(Debug)]
pub(super) struct Imported {
    pub(super) cost: Cost,
    rows: BTreeMap<String, u64>,
    pub(super) unchanged: u64,
    /// Rows that may be another person.
    pub(super) suspected: u64,
    is_stored: bool,
}

impl Cost {
    pub(super) fn rows_per_s(&self) -> f64 {
        as_float(self.rows) / self.seconds
    }
}

impl Imported {
    pub(super) fn rows_of(&self, sheet: &str) -> u64 {
        self.rows.get(sheet).copied().unwrap_or_default()
    }
}

impl Product<'_> {
    pub(super) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(self.0);
        command.args(args).stdin(Stdio::null());
        // What this shell is set to must not choose the database.
        for name in ["DAOHU_DB", "DAOHU_KEYS", "DAOHU_FILES"] {
            command.env_remove(name);
        }
        command
    }

    /// The command with its database and keys.
    pub(super) fn with(&self, database: &Database<'_>, args: &[&str]) -> Command {
        let mut command = self.command(args);
        command.arg("--db").arg(database.url()).arg("--keys").arg(database.keys());
        command
    }

    /// Imports folders or files; an error unless all of it went in.
    pub(super) fn import(
        &self,
        database: &Database<'_>,
        paths: &[PathBuf],
    ) -> anyhow::Result<Imported> {
        let imported = self.read(database, &["import", "--json"], paths)?;
        ensure!(imported.is_stored, "nothing of {paths:?} was imported");
        Ok(imported)
    }

    /// Says what an import would do, storing nothing; an error unless all of it would go in.
    pub(super) fn try_import(
        &self,
        database: &Database<'_>,
        folder: &Path,
    ) -> anyhow::Result<Imported> {
        self.read(database, &["import", "--json", "--dry-run"], &[folder.to_owned()])
    }

    fn read(
        &self,
        database: &Database<'_>,
        args: &[&str],
        paths: &[PathBuf],
    ) -> anyhow::Result<Imported> {
        let mut command = self.with(database, args);
        let (seconds, report) = timed(command.args(paths))?;
        let sheets = report.get("sheets").and_then(Value::as_object).context("no sheets")?;
        let count = |name: &str| {
            let counts = sheets.values().filter_map(|sheet| sheet.get(name)?.as_u64());
            counts.sum::<u64>()
        };
        ensure!(count("rejected") == 0, "not every row of {paths:?} goes in");
        let of_sheet = |sheet: &Value| sheet.get("rows").and_then(Value::as_u64);
        let rows = sheets.iter().filter_map(|(name, sheet)| Some((name.clone(), of_sheet(sheet)?)));
        let cost = Cost { seconds, rows: count("rows"), peak_mib: peak_mib(&report)? };
        let is_stored = report.get("committed") == Some(&Value::Bool(true));
        let [unchanged, suspected] = ["unchanged", "suspected"].map(count);
        Ok(Imported { cost, rows: rows.collect(), unchanged, suspected, is_stored })
    }

    /// Exports everything of an area.
    pub(super) fn export(
        &self,
        database: &Database<'_>,
        area: &str,
        format: &str,
        out: &Path,
    ) -> anyhow::Result<Cost> {
        let args = ["export", "--json", "--what", "all", "--area", area, "--format", format];
        let mut command = self.with(database, &args);
        let (seconds, report) = timed(command.arg("--out").arg(out))?;
        let rows = report.get("rows").and_then(Value::as_u64).context("no rows")?;
        Ok(Cost { seconds, rows, peak_mib: peak_mib(&report)? })
    }

    /// Asks the guarantees of an area so many times, and writes a line for each household; gives what it told.
    pub(super) fn monitor(
        &self,
        database: &Database<'_>,
        area: &str,
        (day, times): (&str, &str),
        out: &Path,
    ) -> anyhow::Result<Value> {
        let args = ["monitor", "run", "--json", "--area", area, "--on", day, "--repeat", times];
        let (_, report) = timed(self.with(database, &args).arg("--out").arg(out))?;
        Ok(report)
    }

    /// Judges all records of an area on a day.
    pub(super) fn quality(
        &self,
        database: &Database<'_>,
        area: &str,
        day: &str,
    ) -> anyhow::Result<Cost> {
        let args = ["quality", "--json", "--area", area, "--on", day];
        let (seconds, report) = timed(&mut self.with(database, &args))?;
        let rows = report.get("rows").and_then(Value::as_u64).context("no rows")?;
        Ok(Cost { seconds, rows, peak_mib: peak_mib(&report)? })
    }

    /// Writes a backup; seconds.
    pub(super) fn backup(&self, database: &Database<'_>, out: &Path) -> anyhow::Result<f64> {
        let mut command = self.with(database, &["backup", "--json"]);
        Ok(timed(command.arg("--out").arg(out))?.0)
    }

    /// Gives a user this password; a new user also gets the role in the area.
    pub(super) fn user(
        &self,
        database: &Database<'_>,
        name: &str,
        password: &str,
        area: &str,
    ) -> anyhow::Result<()> {
        let list = output(&mut self.with(database, &["user", "list", "--json"]))?;
        let list: Value = serde_json::from_slice(&list)?;
        let mut users = list.as_array().into_iter().flatten();
        let args: &[&str] = match users.any(|user| user.get("name") == Some(&Value::from(name))) {
            true => &["user", "passwd"],
            false => &["user", "add", "--role", "office_clerk", "--area", area],
        };
        let mut command = self.with(database, args);
        command.args(["--password-stdin", "--name", name]);
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn()?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(password.as_bytes())?;
        }
        let status = child.wait()?;
        check(&command, status)
    }
}

/// Runs to the end: seconds, and the JSON that was printed.
fn timed(command: &mut Command) -> anyhow::Result<(f64, Value)> {
    let start = Instant::now();
    let printed = output(command)?;
    let seconds = start.elapsed().as_secs_f64();
    let report = serde_json::from_slice(&printed).with_context(|| format!("{command:?}"))?;
    Ok((seconds, report))
}

fn peak_mib(report: &Value) -> anyhow::Result<f64> {
    let bytes = report.get("peak_rss_bytes").and_then(Value::as_u64);
    Ok(as_float(bytes.context("no peak_rss_bytes")?) / MIB)
}

/// The memory that a running process holds; none where the system does not tell.
pub(super) fn resident_mib(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u32 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(f64::from(kib) / 1024.0)
}

/// Counts of rows and bytes stay far below 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "counts and sizes, not money")]
pub(super) fn as_float(count: u64) -> f64 {
    count as f64
}
