//! What a write costs: an income put over HTTP, checked, journaled and on disk, beside a row that the
//! engine's own shell inserts in a transaction of its own.

use std::{fmt::Write, path::Path, time::Instant};

use anyhow::{Context, ensure};

use super::{Better, Client, Figure, Figures, Place, add_times, percentile};
use crate::bench::{product::as_float, store::Engine};

/// Rows of the yardstick, and requests.
const WRITES: usize = 300;
/// Years that the sample does not have; each run on a database that is kept takes the next.
const YEARS: std::ops::Range<u32> = 2016..2030;
const BODY: &str = r#"{"members": 3, "wage_fen": 1200000, "transfer_fen": 80000}"#;

pub(super) fn measure(
    figures: &mut Figures,
    place: &Place<'_>,
    client: &mut Client,
    households: &[String],
) -> anyhow::Result<()> {
    let year = free_year(client, households.first().context("no household")?)?;
    let mut times = Vec::new();
    for household in households.iter().skip(1).take(WRITES) {
        let path = format!("{household}/incomes/{year}");
        let start = Instant::now();
        let answer = client.send("PUT", &path, BODY)?;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
        ensure!(answer.status == 201, "PUT {path}: status {}", answer.status);
    }
    add_times(figures, "put_income", &times, [None; 2])?;
    let bare = bare_ms(place)?;
    let middle = percentile(&times, 50).context("nothing was measured")?;
    figures.add(Figure::new("http.put_income_bare", bare, "ms", Better::Neither));
    figures.add(Figure::new("http.put_income_to_bare", middle / bare, "×", Better::Less));
    figures.note(
        "http.put_income_to_bare: the median request beside the mean of as many single inserts by the \
         engine's shell into a table of the same columns, each durable like the product's."
            .to_owned(),
    );
    Ok(())
}

/// A year in which this household has no income; from now on it has.
fn free_year(client: &mut Client, household: &str) -> anyhow::Result<u32> {
    for year in YEARS {
        let answer = client.send("PUT", &format!("{household}/incomes/{year}"), BODY)?;
        match answer.status {
            201 => return Ok(year),
            // There is one already.
            412 | 428 => {}
            status => anyhow::bail!("PUT of an income: status {status}"),
        }
    }
    anyhow::bail!("every year is taken: begin with a new --keep folder")
}

/// Milliseconds of one insert.
fn bare_ms(place: &Place<'_>) -> anyhow::Result<f64> {
    let bare = place.store.fresh("bare-writes")?;
    let mut script = String::new();
    if place.store.engine() == Engine::Sqlite {
        script.push_str("pragma journal_mode = wal; pragma synchronous = full;\n");
    }
    let create = "create table incomes (county text, household bigint, year bigint, members bigint,
        wage_fen bigint, transfer_fen bigint, created_at bigint, created_by text, updated_at bigint,
        version bigint, primary key (county, household, year));";
    writeln!(script, "{create}")?;
    bare.run(&script, Path::new("."))?;
    let mut script = String::from(match place.store.engine() {
        Engine::Sqlite => "pragma synchronous = full;\n",
        Engine::Postgres => "",
    });
    for household in 0..WRITES {
        writeln!(
            script,
            "insert into incomes values ('500242', {household}, 2016, 3, 1200000, 80000, 0, 'x', 0, 1);"
        )?;
    }
    let start = Instant::now();
    bare.run(&script, Path::new("."))?;
    let seconds = start.elapsed().as_secs_f64();
    bare.remove()?;
    Ok(seconds * 1000.0 / as_float(u64::try_from(WRITES)?))
}
