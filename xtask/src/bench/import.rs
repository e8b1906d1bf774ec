//! `import`: CSV into an empty registry, beside the same files in bare tables. A large import is
//! measured against the small one: its rate must not fall much. Both are of the sheets that the yardstick
//! has; all sheets of the sample together are only told.

use super::{
    bare::{self, Indexes},
    figures::{Better, Figure, Figures},
    place::{Place, Sheets},
    product::{Cost, Imported},
};

/// Times of the bare tables with their look-up indexes.
const RATIO_BAR: f64 = 3.0;
const PEAK_MIB_BAR: f64 = 256.0;
/// The share of the small import's rate that the large one must keep.
const LARGE_RATE_BAR: f64 = 0.70;
const RATE: &str = "import.rate";

pub(super) fn run(place: &Place<'_>, figures: &mut Figures) -> anyhow::Result<()> {
    if place.subject.is_large {
        return run_large(place, figures);
    }
    let engine = place.store.engine();
    figures.note(bare::described(engine));
    let sample = place.sample()?;
    let bare = |indexes, imported: Option<&Imported>| {
        let database = place.store.fresh("bare")?;
        let seconds = bare::load(&database, engine, &sample, indexes)?;
        if let Some(imported) = imported {
            bare::check(&database, imported)?;
        }
        database.remove().map(|()| seconds)
    };
    let (mut costs, mut bares) = (Vec::new(), Vec::new());
    let (mut ratios, mut unique_ratios) = (Vec::new(), Vec::new());
    for _ in 0..place.pairs {
        let seconds = bare(Indexes::UniqueAndLookUp, None)?;
        let (database, imported) = place.import(Sheets::Basic)?;
        let unique_seconds = bare(Indexes::Unique, Some(&imported))?;
        place.adopt(database, Sheets::Basic)?;
        bares.push(seconds);
        ratios.push(imported.cost.seconds / seconds);
        unique_ratios.push(imported.cost.seconds / unique_seconds);
        costs.push(imported.cost);
    }
    figures.add(Figure::of("import.ratio", &ratios, "×", Better::Less)?.bar(RATIO_BAR));
    figures.add(Figure::of("import.ratio_unique_only", &unique_ratios, "×", Better::Less)?);
    figures.add(Figure::of("import.bare_tables", &bares, "s", Better::Neither)?);
    add_costs(figures, &costs)?;
    all_sheets(place, figures)
}

/// The whole sample, who helps and what villages have with it.
fn all_sheets(place: &Place<'_>, figures: &mut Figures) -> anyhow::Result<()> {
    let (database, imported) = place.import(Sheets::All)?;
    place.adopt(database, Sheets::All)?;
    let cost = imported.cost;
    figures.add(Figure::new("import_all.rate", cost.rows_per_s(), "rows/s", Better::More));
    figures.add(Figure::new("import_all.peak_memory", cost.peak_mib, "MiB", Better::Less));
    Ok(())
}

fn run_large(place: &Place<'_>, figures: &mut Figures) -> anyhow::Result<()> {
    let (database, imported) = place.import(Sheets::Basic)?;
    place.adopt(database, Sheets::Basic)?;
    let small = figures.value(&format!("{}.{RATE}", place.store.engine().name()));
    if let Some(small) = small {
        let share = imported.cost.rows_per_s() / small;
        let figure = Figure::new("import.share_of_small_rate", share, "×", Better::More);
        figures.add(figure.bar(LARGE_RATE_BAR));
    }
    add_costs(figures, &[imported.cost])
}

fn add_costs(figures: &mut Figures, costs: &[Cost]) -> anyhow::Result<()> {
    let of = |value: fn(&Cost) -> f64| costs.iter().map(value).collect::<Vec<_>>();
    figures.add(Figure::of("import.time", &of(|cost| cost.seconds), "s", Better::Less)?);
    figures.add(Figure::of(RATE, &of(Cost::rows_per_s), "rows/s", Better::More)?);
    let peak = Figure::of("import.peak_memory", &of(|cost| cost.peak_mib), "MiB", Better::Less)?;
    figures.add(peak.bar(PEAK_MIB_BAR));
    Ok(())
}
