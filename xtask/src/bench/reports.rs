//! `reports`: what offices wait for: who answers for whom, the quality of all records, the look for
//! persons who are there already, and the nightly backup.

use std::fs;

use super::{
    figures::{Better, Figure, Figures},
    http::timed,
    place::{Place, Sheets, clear},
    product::as_float,
    server::{PASSWORD, Server},
    store::Database,
    suspects,
};

/// The day that records are judged on: the first after the sample's last year is closed.
const DAY: &str = "2016-03-01";
/// Requests for the coverage of the county.
const COVERAGES: usize = 50;
const USER: &str = "bench-reports";
/// A county with so many times the households, in which a new person costs no more.
const LARGER: u64 = 10;

const COVERAGE_MS_BAR: f64 = 50.0;
/// Of a province, on two cores.
const QUALITY_S_BAR: f64 = 60.0;
const QUALITY_PEAK_MIB_BAR: f64 = 512.0;
const BACKUP_MB_PER_S_BAR: f64 = 100.0;
const MB: f64 = 1_000_000.0;

pub(super) fn run(place: &Place<'_>, figures: &mut Figures) -> anyhow::Result<()> {
    let database = place.imported(Sheets::All)?;
    if !place.subject.is_large {
        coverage(place, figures, &database)?;
    }
    quality(place, figures, &database)?;
    suspects::measure(place, figures, &database, "")?;
    if !place.subject.is_large {
        let larger = place.times(LARGER);
        let database = larger.imported(Sheets::Basic)?;
        suspects::measure(&larger, figures, &database, "_tenfold")?;
    }
    backup(place, figures, &database)
}

fn coverage(
    place: &Place<'_>,
    figures: &mut Figures,
    database: &Database<'_>,
) -> anyhow::Result<()> {
    let area = place.subject.area();
    place.product.user(database, USER, PASSWORD, area)?;
    let server = Server::start(&place.product, database, &place.folder.join("serve.log"))?;
    let mut client = server.sign_in(USER, PASSWORD)?;
    let path = format!("/api/v1/areas/{area}/coverage");
    let times = timed(&mut client, std::iter::repeat_n(&path, COVERAGES))?;
    let time = Figure::of("reports.coverage", &times, "ms", Better::Less)?;
    figures.add(time.bar(COVERAGE_MS_BAR));
    Ok(())
}

fn quality(
    place: &Place<'_>,
    figures: &mut Figures,
    database: &Database<'_>,
) -> anyhow::Result<()> {
    figures.note(
        "reports.quality_time: `daohu quality` from start to exit; its bar is for a province on two \
         cores."
            .to_owned(),
    );
    let (mut times, mut rates, mut peaks) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..place.pairs {
        let cost = place.product.quality(database, place.subject.area(), DAY)?;
        times.push(cost.seconds);
        rates.push(cost.rows_per_s());
        peaks.push(cost.peak_mib);
    }
    let time = Figure::of("reports.quality_time", &times, "s", Better::Less)?;
    let peak = Figure::of("reports.quality_peak_memory", &peaks, "MiB", Better::Less)?;
    figures.add(if place.subject.is_large { time.bar(QUALITY_S_BAR) } else { time });
    figures.add(Figure::of("reports.quality_rate", &rates, "rows/s", Better::More)?);
    figures.add(peak.bar(QUALITY_PEAK_MIB_BAR));
    Ok(())
}

fn backup(place: &Place<'_>, figures: &mut Figures, database: &Database<'_>) -> anyhow::Result<()> {
    figures.note(
        "reports.backup_rate: what the database takes on the disk, in MB of 1000 kB, for each second \
         of `daohu backup`; copy_rate is the file copied and flushed."
            .to_owned(),
    );
    let folder = place.folder.join("backup");
    let megabytes = as_float(database.bytes()?) / MB;
    let (mut rates, mut copies) = (Vec::new(), Vec::new());
    for _ in 0..place.pairs {
        clear(&folder)?;
        fs::create_dir_all(&folder)?;
        copies.extend(database.copy_to(&folder.join("copy"))?.map(|seconds| megabytes / seconds));
        rates.push(megabytes / place.product.backup(database, &folder.join("backup"))?);
    }
    clear(&folder)?;
    let rate = Figure::of("reports.backup_rate", &rates, "MB/s", Better::More)?;
    figures.add(rate.bar(BACKUP_MB_PER_S_BAR));
    if !copies.is_empty() {
        figures.add(Figure::of("reports.copy_rate", &copies, "MB/s", Better::Neither)?);
    }
    Ok(())
}
