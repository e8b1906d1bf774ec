//! `http`: how soon the server is ready, what memory it holds, and how long a user waits. The
//! yardstick is `/healthz` of the same server, which costs what HTTP costs.

pub(super) mod keys;
mod writes;

use std::{thread, time::Instant};

use anyhow::{Context, anyhow, ensure};
use serde_json::Value;

use super::{
    figures::{Better, Figure, Figures},
    place::{Place, Sheets},
    product::as_float,
    server::{PASSWORD, Server},
    statistics::percentile,
};

use crate::client::{Client, encoded};
use keys::Keys;

/// Requests of one kind: enough for a 99th percentile that five values exceed.
const REQUESTS: usize = 500;
/// Requests that cost so little that more of them are affordable.
const QUICK_REQUESTS: usize = 2_000;
/// Users, so that searches by the tail of an ID number, 30 a minute for each, come to enough.
const USERS: usize = 8;
const TAILS_PER_USER: usize = 30;
/// Connections that read at once before memory is looked at again.
const CONNECTIONS: usize = 8;

const READY_S_BAR: f64 = 1.0;
const RESIDENT_MIB_BAR: f64 = 200.0;
const HOUSEHOLD_P50_MS_BAR: f64 = 1.0;
/// Lists and searches in a province.
const LARGE_P99_MS_BAR: f64 = 20.0;

pub(super) fn run(place: &Place<'_>, figures: &mut Figures) -> anyhow::Result<()> {
    figures.note(format!(
        "http: keep-alive connections, users with the whole area, requests one after another \
         ({REQUESTS} of a kind, {QUICK_REQUESTS} of `healthz` and `household`, {} of \
         `search_id_tail`). Lists and searches are asked twice: p50 and p99 are of the second time, \
         p99_first is of the first, when the rows may have to come from the disk; after that {CONNECTIONS} connections at once. \
         household_to_healthz is the yardstick: both p50, same connection.",
        USERS * TAILS_PER_USER
    ));
    let database = place.imported(Sheets::Basic)?;
    let keys = Keys::pick(&place.sample()?, &database, REQUESTS)?;
    let users: Vec<String> = (1..=USERS).map(|user| format!("bench-{user}")).collect();
    for user in &users {
        place.product.user(&database, user, PASSWORD, place.subject.area())?;
    }
    let server = Server::start(&place.product, &database, &place.folder.join("serve.log"))?;
    let ready = Figure::new("http.ready", server.ready_s, "s", Better::Less);
    figures.add(ready.bar(READY_S_BAR));
    add_memory(figures, "http.memory_ready", &server);

    let client = &mut server.sign_in(users.first().context("no user")?, PASSWORD)?;
    let paths = household_paths(client, &keys.numbers)?;
    measure_household(figures, client, &paths)?;
    measure_lists(figures, place, client, &keys)?;
    measure_tails(figures, place, (&server, &users), &keys.id_tails)?;
    measure_load(figures, client, &paths)?;
    // The server closes connections on which nothing is asked for a while.
    writes::measure(figures, place, &mut client.another()?, &paths)?;
    add_memory(figures, "http.memory_after_load", &server);
    Ok(())
}

/// Where each household of these numbers is read.
fn household_paths(client: &mut Client, numbers: &[String]) -> anyhow::Result<Vec<String>> {
    let mut paths = Vec::new();
    for number in numbers {
        let body = client.get(&format!("/api/v1/households?no={number}&fields=id"))?;
        let page: Value = serde_json::from_slice(&body)?;
        let id = page.pointer("/items/0/id").and_then(Value::as_i64);
        let id = id.with_context(|| format!("household {number} is not found"))?;
        paths.push(format!("/api/v1/households/{id}"));
    }
    Ok(paths)
}

fn measure_household(
    figures: &mut Figures,
    client: &mut Client,
    paths: &[String],
) -> anyhow::Result<()> {
    let health = ["/healthz".to_owned()];
    let health = timed(client, health.iter().cycle().take(QUICK_REQUESTS))?;
    let household = timed(client, paths.iter().cycle().take(QUICK_REQUESTS))?;
    let middle = |times: &[f64]| percentile(times, 50).context("nothing was measured");
    let ratio = middle(&household)? / middle(&health)?;
    add_times(figures, "healthz", &health, [None; 2])?;
    add_times(figures, "household", &household, [Some(HOUSEHOLD_P50_MS_BAR), None])?;
    figures.add(Figure::new("http.household_to_healthz", ratio, "×", Better::Less));
    Ok(())
}

/// First pages of lists, and searches.
fn measure_lists(
    figures: &mut Figures,
    place: &Place<'_>,
    client: &mut Client,
    keys: &Keys,
) -> anyhow::Result<()> {
    let list = vec!["/api/v1/households".to_owned(); REQUESTS];
    let townships = keys.townships.iter();
    let townships = townships.map(|code| format!("/api/v1/households?area={code}")).collect();
    let kinds: [(&str, Vec<String>); 5] = [
        ("list", list),
        ("list_township", townships),
        ("search_number", searches(&keys.numbers)),
        ("search_name_prefix", searches(&keys.name_prefixes)),
        ("search_initials", searches(&keys.initials)),
    ];
    for (name, paths) in kinds {
        // The first time rows come from the disk, on a machine that has just done something else.
        let first = timed(client, paths.iter())?;
        let first = percentile(&first, 99).context("nothing was measured")?;
        let times = timed(client, paths.iter())?;
        add_times(figures, name, &times, list_bars(place))?;
        let name = format!("http.{name}.p99_first");
        figures.add(Figure::new(&name, first, "ms", Better::Less));
    }
    Ok(())
}

fn measure_tails(
    figures: &mut Figures,
    place: &Place<'_>,
    (server, users): (&Server, &[String]),
    tails: &[String],
) -> anyhow::Result<()> {
    let paths = searches(tails);
    let mut times = Vec::new();
    for (user, paths) in users.iter().zip(paths.chunks(TAILS_PER_USER)) {
        // Not sooner: the server closes connections on which nothing is asked.
        let mut client = server.sign_in(user, PASSWORD)?;
        times.extend(timed(&mut client, paths.iter())?);
    }
    add_times(figures, "search_id_tail", &times, list_bars(place))
}

fn searches(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| format!("/api/v1/search?q={}", encoded(text))).collect()
}

/// Several connections read at once.
fn measure_load(figures: &mut Figures, client: &Client, paths: &[String]) -> anyhow::Result<()> {
    let clients = (0..CONNECTIONS).map(|_| client.another()).collect::<anyhow::Result<Vec<_>>>()?;
    let start = Instant::now();
    let readers: Vec<_> = clients
        .into_iter()
        .map(|mut client| {
            let paths = paths.to_vec();
            thread::spawn(move || timed(&mut client, paths.iter().cycle().take(QUICK_REQUESTS)))
        })
        .collect();
    let mut requests = 0;
    for reader in readers {
        let times = reader.join().map_err(|_| anyhow!("a reader failed"))??;
        requests += times.len();
    }
    let rate = as_float(u64::try_from(requests)?) / start.elapsed().as_secs_f64();
    figures.add(Figure::new("http.household_rate", rate, "req/s", Better::More));
    Ok(())
}

/// Milliseconds of each request.
pub(super) fn timed<'p>(
    client: &mut Client,
    paths: impl Iterator<Item = &'p String>,
) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::new();
    for path in paths {
        let start = Instant::now();
        client.get(path)?;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    ensure!(!times.is_empty(), "there was nothing to ask for");
    Ok(times)
}

/// A bar for the 99th percentile in a province; a county is only told.
fn list_bars(place: &Place<'_>) -> [Option<f64>; 2] {
    [None, place.subject.is_large.then_some(LARGE_P99_MS_BAR)]
}

/// The median and the 99th percentile, each with its bar if it has one.
fn add_times(
    figures: &mut Figures,
    name: &str,
    times: &[f64],
    [p50_bar, p99_bar]: [Option<f64>; 2],
) -> anyhow::Result<()> {
    // What HTTP itself costs says nothing about the product's change for the worse.
    let better = if name == "healthz" { Better::Neither } else { Better::Less };
    for (percent, bar) in [(50, p50_bar), (99, p99_bar)] {
        let value = percentile(times, percent).context("nothing was measured")?;
        let figure = Figure::new(&format!("http.{name}.p{percent}"), value, "ms", better);
        figures.add(bar.map_or(figure.clone(), |bar| figure.bar(bar)));
    }
    Ok(())
}

fn add_memory(figures: &mut Figures, name: &str, server: &Server) {
    match server.resident_mib() {
        Some(mib) => {
            let figure = Figure::new(name, mib, "MiB", Better::Less);
            figures.add(figure.bar(RESIDENT_MIB_BAR));
        }
        None => figures.note(format!("{name}: this system does not tell")),
    }
}
