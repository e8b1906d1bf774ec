//! `export`: everything as CSV, beside the engine's shell writing the same tables, and as XLSX.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use super::{
    figures::{Better, Figure, Figures},
    place::{Place, Sheets, clear},
    product::Cost,
    store::{Database, Engine},
};

/// The tables whose rows are exported.
const TABLES: [&str; 4] = ["areas", "households", "persons", "incomes"];

const CSV_RATE_BAR: f64 = 150_000.0;
const CSV_PEAK_MIB_BAR: f64 = 256.0;
const XLSX_PEAK_MIB_BAR: f64 = 512.0;

pub(super) fn run(place: &Place<'_>, figures: &mut Figures) -> anyhow::Result<()> {
    figures.note(
        "export_csv.ratio: against the engine's shell writing the same tables of the same database \
         as CSV (`select *`, numbers still sealed)."
            .to_owned(),
    );
    let database = place.imported(Sheets::Basic)?;
    let out = place.folder.join("export");
    let (mut ratios, mut dumps, mut costs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..place.pairs {
        let seconds = dump(&database, place.store.engine(), &out.join("tables"))?;
        let folder = emptied(&out.join("csv"))?;
        let cost = place.product.export(&database, place.subject.area(), "csv", &folder)?;
        ratios.push(cost.seconds / seconds);
        dumps.push(seconds);
        costs.push(cost);
    }
    figures.add(Figure::of("export_csv.ratio", &ratios, "×", Better::Less)?);
    figures.add(Figure::of("export_csv.shell", &dumps, "s", Better::Neither)?);
    let csv = |value: fn(&Cost) -> f64| costs.iter().map(value).collect::<Vec<_>>();
    let rate = Figure::of("export_csv.rate", &csv(Cost::rows_per_s), "rows/s", Better::More)?;
    figures.add(rate.bar(CSV_RATE_BAR));
    let peaks = csv(|cost| cost.peak_mib);
    let peak = Figure::of("export_csv.peak_memory", &peaks, "MiB", Better::Less)?;
    figures.add(peak.bar(CSV_PEAK_MIB_BAR));

    if place.subject.is_large {
        // Workbooks of millions of rows are for nobody.
        return clear(&out);
    }
    let file = emptied(&out.join("xlsx"))?.join("export.xlsx");
    let cost = place.product.export(&database, place.subject.area(), "xlsx", &file)?;
    figures.add(Figure::new("export_xlsx.rate", cost.rows_per_s(), "rows/s", Better::More));
    let peak = Figure::new("export_xlsx.peak_memory", cost.peak_mib, "MiB", Better::Less);
    figures.add(peak.bar(XLSX_PEAK_MIB_BAR));
    clear(&out)
}

/// The tables as CSV by the engine's shell; seconds.
fn dump(database: &Database<'_>, engine: Engine, folder: &Path) -> anyhow::Result<f64> {
    emptied(folder)?;
    let mut script = match engine {
        Engine::Sqlite => ".mode csv\n.headers on\n".to_owned(),
        Engine::Postgres => String::new(),
    };
    for table in TABLES {
        script.push_str(&match engine {
            Engine::Sqlite => format!(".once {table}.csv\nselect * from {table};\n"),
            Engine::Postgres => {
                format!("\\copy {table} to '{table}.csv' with (format csv, header)\n")
            }
        });
    }
    let start = Instant::now();
    database.run(&script, folder)?;
    Ok(start.elapsed().as_secs_f64())
}

/// The folder, with nothing in it.
fn emptied(folder: &Path) -> anyhow::Result<PathBuf> {
    clear(folder)?;
    fs::create_dir_all(folder)?;
    Ok(folder.to_owned())
}
