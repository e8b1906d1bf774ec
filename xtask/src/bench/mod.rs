//! `cargo xtask bench`: how fast the product is and what memory it takes, beside yardsticks.
//!
//! Machines differ, so that the claims are ratios to a yardstick that runs in turn with the product,
//! and memory. Rates and times are told, and have a bar only where a user would feel it.

mod bare;
mod export;
mod figures;
mod http;
mod import;
mod import_xlsx;
mod monitor;
mod options;
mod place;
mod product;
mod reports;
mod server;
mod statistics;
mod store;
mod suspects;
mod unchanged;

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use crate::{
    Workspace,
    command::{cargo, succeed},
    postgres::Cluster,
};
use figures::{Baseline, Figures};
use options::Options;
use place::{Place, Subject, clear};
use product::Product;
use store::{Engine, Store};

const HELP: &str = "\
cargo xtask bench [PART...] [OPTION...]

Measures the product beside yardsticks, prints a table, and exits with 1 if a bar is missed.

Parts (default: all)
  import       CSV into an empty registry, beside the same files loaded by the engine's own shell
               (sqlite3 .import, psql \\copy) into bare tables with the same unique keys and indexes:
               areas, households, persons, incomes. All sheets of the sample once, rate and memory
  import-xlsx  the same rows as a workbook, beside calamine reading its cells
  export       CSV beside the engine's shell writing the same tables; XLSX
  unchanged    the same files again: every row unchanged; bytes on the disk, beside bare tables
  http         readiness, memory, waiting for a household, a list, a search; beside /healthz
  monitor      the national guarantees asked of all households, beside DuckDB, numpy and a hand-written
               pass over arrays (python3 with venv); bars from a million households on
  reports      coverage over HTTP, the quality of all records, what it costs to suspect a new person
               (also in ten times the county), a backup beside a copy of the file; on all sheets

Options
  --households N        of the county 500242 (default 32377), two years of incomes
  --large               adds a province of 2200000 households; large imports keep 70 % of the rate,
                        lists and searches 20 ms, a quality report 60 s; without bare tables; long, and
                        some 70 GB of disk
  --large-households N  the same with so many
  --engine E            sqlite (default), postgres (a throw-away server) or both
  --pairs N             turns of yardstick and product (default 3; one in a large run); ratios are
                        medians of pairs
  --json FILE           writes the figures
  --baseline FILE       names every figure that is more than 10 % worse than in this earlier JSON
  --keep DIR            works in DIR and leaves samples and SQLite databases there; what is there
                        is used: `bench import --large --keep DIR`, then `bench http --large --keep
                        DIR`. Otherwise target/bench, cleared before and after
  --daohu PATH          measures this program in place of building one

Needs the shell sqlite3, and for PostgreSQL psql. Nothing else should run on the machine.";

/// Something to measure, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Import,
    ImportXlsx,
    Export,
    Unchanged,
    Http,
    Reports,
    Monitor,
}

impl Part {
    /// In the order in which they run.
    const ALL: [Self; 7] = [
        Self::Import,
        Self::ImportXlsx,
        Self::Export,
        Self::Unchanged,
        Self::Http,
        Self::Reports,
        Self::Monitor,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::ImportXlsx => "import-xlsx",
            Self::Export => "export",
            Self::Unchanged => "unchanged",
            Self::Http => "http",
            Self::Reports => "reports",
            Self::Monitor => "monitor",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }

    fn run(self, place: &Place<'_>, figures: &mut Figures) -> anyhow::Result<()> {
        match self {
            Self::Import => import::run(place, figures),
            Self::ImportXlsx => import_xlsx::run(place, figures),
            Self::Export => export::run(place, figures),
            Self::Unchanged => unchanged::run(place, figures),
            Self::Http => http::run(place, figures),
            Self::Reports => reports::run(place, figures),
            Self::Monitor => monitor::run(place, figures),
        }
    }
}

/// The programs that are measured.
struct Programs {
    daohu: PathBuf,
    stream_cells: PathBuf,
    yardsticks: Option<monitor::Yardsticks>,
}

/// Measures, tells, and compares.
pub(crate) fn run(workspace: &Workspace, args: Vec<OsString>) -> anyhow::Result<()> {
    let Some(options) = Options::parse(args)? else {
        println!("{HELP}");
        return Ok(());
    };
    let settings = options.settings();
    let read = |file: &PathBuf| {
        let text = fs::read(file)?;
        Baseline::read(&text, &settings)
    };
    let named = |file: &PathBuf| read(file).with_context(|| format!("{}", file.display()));
    let baseline = options.baseline.as_ref().map(named).transpose()?;

    let mut figures = Figures::default();
    // What was measured before something failed is told all the same.
    let measured = measure(workspace, &options, &mut figures);
    if !figures.is_empty() {
        println!("\n{}", figures.table());
    }
    if let Some(file) = options.json.as_ref().filter(|_| !figures.is_empty()) {
        let text = format!("{:#}\n", figures.json(&settings));
        fs::write(file, text).with_context(|| format!("{}", file.display()))?;
    }
    for worse in baseline.iter().flat_map(|baseline| figures.worse_than(baseline)) {
        println!("{worse}");
    }
    measured?;
    let missed = figures.missed();
    if !missed.is_empty() {
        bail!("{} bars are missed: {}", missed.len(), missed.join(", "));
    }
    Ok(())
}

fn measure(workspace: &Workspace, options: &Options, figures: &mut Figures) -> anyhow::Result<()> {
    let programs = build(workspace, options)?;
    let folder = match &options.keep {
        Some(folder) => std::path::absolute(folder)?,
        None => workspace.target.join("bench"),
    };
    if options.keep.is_none() {
        clear(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    for engine in &options.engines {
        measure_engine(workspace, options, (&programs, &folder, *engine), figures)?;
    }
    match options.keep {
        Some(_) => Ok(()),
        None => clear(&folder),
    }
}

fn measure_engine(
    workspace: &Workspace,
    options: &Options,
    (programs, folder, engine): (&Programs, &Path, Engine),
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let store = match engine {
        Engine::Sqlite => Store::Sqlite(folder.to_owned()),
        Engine::Postgres => {
            let cluster = Cluster::start(workspace)?;
            figures.note(format!("postgres: {}, a throw-away server", cluster.version()));
            Store::Postgres(Box::new(cluster), folder.to_owned())
        }
    };
    store.check()?;
    let county = Subject { is_large: false, households: options.households };
    let province = options.large.map(|households| Subject { is_large: true, households });
    for subject in [Some(county), province].into_iter().flatten() {
        let large = if subject.is_large { ".large" } else { "" };
        figures.begin(&format!("{}{large}", engine.name()));
        let place = Place {
            folder,
            store: &store,
            product: Product(&programs.daohu),
            subject,
            pairs: if subject.is_large { 1 } else { options.pairs },
            stream_cells: &programs.stream_cells,
            yardsticks: programs.yardsticks.as_ref(),
        };
        for part in Part::ALL.into_iter().filter(|part| options.parts.contains(part)) {
            eprintln!("── {} on {}{large}", part.name(), engine.name());
            part.run(&place, figures).with_context(|| part.name())?;
        }
    }
    Ok(())
}

/// Builds what is measured, with optimisation.
fn build(workspace: &Workspace, options: &Options) -> anyhow::Result<Programs> {
    let release = workspace.target.join("release");
    let daohu = match &options.daohu {
        Some(daohu) => std::path::absolute(daohu)?,
        None => {
            succeed(&mut cargo(workspace, ["build", "--release", "--bin", "daohu"]))?;
            release.join("daohu")
        }
    };
    let stream_cells = release.join("examples/stream_cells");
    if options.parts.contains(&Part::ImportXlsx) {
        let args = ["build", "--release", "-p", "xtask", "--example", "stream_cells"];
        succeed(&mut cargo(workspace, args))?;
    }
    let mut yardsticks = None;
    if options.parts.contains(&Part::Monitor) {
        let args = ["build", "--release", "-p", "xtask", "--example", "fused_pass"];
        succeed(&mut cargo(workspace, args))?;
        yardsticks = Some(monitor::Yardsticks {
            python: monitor::install(workspace)?,
            script: workspace.root.join("xtask/yardsticks/monitor.py"),
            fused_pass: release.join("examples/fused_pass"),
        });
    }
    Ok(Programs { daohu, stream_cells, yardsticks })
}
