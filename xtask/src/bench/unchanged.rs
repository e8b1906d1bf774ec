//! `unchanged`: the same files imported again, when there is nothing to store, and what the
//! database takes on the disk; both beside bare tables.
//!
//! The time that the journal costs cannot be taken apart from outside: it is a part of what the first
//! import takes beyond this one. Its room can.

use anyhow::ensure;

use super::{
    bare::{self, Indexes},
    figures::{Better, Figure, Figures},
    place::{Place, Sheets},
    product::{Cost, as_float},
};

pub(super) fn run(place: &Place<'_>, figures: &mut Figures) -> anyhow::Result<()> {
    let engine = place.store.engine();
    let (sample, files) = (place.sample()?, place.files(Sheets::Basic)?);
    let database = place.imported(Sheets::Basic)?;
    // A province in bare tables takes the engine hours and teaches nothing new.
    let with_bare = !place.subject.is_large;
    let (mut costs, mut ratios, mut bare_bytes) = (Vec::new(), Vec::new(), None);
    for _ in 0..place.pairs {
        let seconds = match with_bare {
            true => {
                let bare = place.store.fresh("bare")?;
                let seconds = bare::load(&bare, engine, &sample, Indexes::UniqueAndLookUp)?;
                bare_bytes = Some(bare.bytes()?);
                bare.remove()?;
                Some(seconds)
            }
            false => None,
        };
        let again = place.product.import(&database, &files)?;
        let (unchanged, rows) = (again.unchanged, again.cost.rows);
        ensure!(unchanged == rows, "{unchanged} of {rows} rows unchanged: they were imported");
        ratios.extend(seconds.map(|seconds| again.cost.seconds / seconds));
        costs.push(again.cost);
    }
    if with_bare {
        figures.note(bare::described(engine));
        figures.add(Figure::of("unchanged.ratio", &ratios, "×", Better::Less)?);
    }
    let rates: Vec<f64> = costs.iter().map(Cost::rows_per_s).collect();
    figures.add(Figure::of("unchanged.rate", &rates, "rows/s", Better::More)?);
    let peaks: Vec<f64> = costs.iter().map(|cost| cost.peak_mib).collect();
    figures.add(Figure::of("unchanged.peak_memory", &peaks, "MiB", Better::Less)?);

    let rows = costs.first().map_or(0, |cost| cost.rows);
    let bytes = database.bytes()?;
    let per_row = |bytes: u64| as_float(bytes) / as_float(rows);
    figures.add(Figure::new("disk.per_row", per_row(bytes), "B", Better::Less));
    let journal = as_float(database.journal_bytes()?) * 100.0 / as_float(bytes);
    figures.add(Figure::new("disk.journal_share", journal, "%", Better::Less));
    if let Some(bare) = bare_bytes {
        figures.add(Figure::new("disk.per_row_bare", per_row(bare), "B", Better::Neither));
        let ratio = as_float(bytes) / as_float(bare);
        figures.add(Figure::new("disk.ratio", ratio, "×", Better::Less));
    }
    Ok(())
}
