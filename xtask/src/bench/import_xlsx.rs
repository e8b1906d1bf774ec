//! `import-xlsx`: the same rows as a workbook. What it costs beside the import of the CSV files is
//! measured against calamine, which reads the workbook's cells and does nothing with them.

use std::{process::Command, time::Instant};

use super::{
    figures::{Better, Figure, Figures},
    place::{Place, Sheets},
};
use crate::command::output;

/// The time beyond that of the CSV import, in times of merely reading the cells.
const RATIO_BAR: f64 = 1.5;
const PEAK_MIB_BAR: f64 = 512.0;

pub(super) fn run(place: &Place<'_>, figures: &mut Figures) -> anyhow::Result<()> {
    figures.note(
        "import_xlsx.ratio: (time of the XLSX import − time of the CSV import) ÷ time of calamine \
         reading every cell of the same workbook in a process of its own. The workbook is the \
         product's export of the imported sample."
            .to_owned(),
    );
    let workbook = place.workbook()?;
    let (mut ratios, mut times) = (Vec::new(), Vec::new());
    let (mut reads, mut peaks) = (Vec::new(), Vec::new());
    for _ in 0..place.pairs {
        let start = Instant::now();
        output(Command::new(place.stream_cells).arg(&workbook))?;
        let read = start.elapsed().as_secs_f64();
        let (database, csv) = place.import(Sheets::Basic)?;
        database.remove()?;
        let database = place.store.fresh("trial")?;
        let xlsx = place.product.import(&database, std::slice::from_ref(&workbook))?;
        database.remove()?;
        ratios.push((xlsx.cost.seconds - csv.cost.seconds) / read);
        times.push(xlsx.cost.seconds);
        peaks.push(xlsx.cost.peak_mib);
        reads.push(read);
    }
    figures.add(Figure::of("import_xlsx.ratio", &ratios, "×", Better::Less)?.bar(RATIO_BAR));
    figures.add(Figure::of("import_xlsx.calamine", &reads, "s", Better::Neither)?);
    figures.add(Figure::of("import_xlsx.time", &times, "s", Better::Less)?);
    let peak = Figure::of("import_xlsx.peak_memory", &peaks, "MiB", Better::Less)?;
    figures.add(peak.bar(PEAK_MIB_BAR));
    Ok(())
}
