//! Figures for the operator, in Prometheus' text format. Routes, methods and statuses only: no
//! label names a person or a place.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::State,
    http::{Method, StatusCode, header},
    response::IntoResponse,
};

use super::App;

/// Upper bounds of the duration buckets; around the promise of 100 ms.
const BUCKETS_MS: [u64; 9] = [5, 10, 25, 50, 100, 250, 1_000, 5_000, 30_000];

/// Counts by route template, method and status.
#[derive(Default)]
pub(super) struct Metrics(Mutex<BTreeMap<(String, &'static str, u16), Histogram>>);

#[derive(Clone, Default)]
struct Histogram {
    /// Not cumulative; what is slower than the last bound is in `count` alone.
    buckets: [u64; BUCKETS_MS.len()],
    count: u64,
    sum: Duration,
}

impl Metrics {
    pub(super) fn observe(&self, route: &str, method: &Method, status: StatusCode, took: Duration) {
        let key = (route.to_owned(), method_name(method), status.as_u16());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let histogram = all.entry(key).or_default();
        histogram.count += 1;
        histogram.sum += took;
        let fits = |bound: &&u64| took <= Duration::from_millis(**bound);
        let place = BUCKETS_MS.iter().position(|bound| fits(&bound));
        if let Some(bucket) = place.and_then(|place| histogram.buckets.get_mut(place)) {
            *bucket += 1;
        }
    }

    fn text(&self) -> String {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut text = String::from(
            "# HELP daohu_http_request_duration_seconds Requests by route and outcome.\n\
             # TYPE daohu_http_request_duration_seconds histogram\n",
        );
        for ((route, method, status), histogram) in all {
            let labels = format!("route=\"{route}\",method=\"{method}\",status=\"{status}\"");
            // Writing to a String cannot fail.
            let _ = histogram.write(&mut text, &labels);
        }
        if let Some(bytes) = resident_bytes() {
            let _ = write!(
                text,
                "# HELP process_resident_memory_bytes Memory of the process.\n\
                 # TYPE process_resident_memory_bytes gauge\n\
                 process_resident_memory_bytes {bytes}\n"
            );
        }
        text
    }
}

impl Histogram {
    fn write(&self, text: &mut String, labels: &str) -> std::fmt::Result {
        const NAME: &str = "daohu_http_request_duration_seconds";
        let mut so_far = 0;
        for (bound_ms, count) in BUCKETS_MS.iter().zip(self.buckets) {
            so_far += count;
            let bound = Duration::from_millis(*bound_ms).as_secs_f64();
            writeln!(text, "{NAME}_bucket{{{labels},le=\"{bound}\"}} {so_far}")?;
        }
        writeln!(text, "{NAME}_bucket{{{labels},le=\"+Inf\"}} {}", self.count)?;
        writeln!(text, "{NAME}_sum{{{labels}}} {}", self.sum.as_secs_f64())?;
        writeln!(text, "{NAME}_count{{{labels}}} {}", self.count)
    }
}

/// Callers may invent methods; labels may not grow with them.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "OTHER",
    }
}

/// From `/proc/self/status`, which unlike `statm` needs no page size; none outside Linux.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    kib.checked_mul(1024)
}

pub(super) async fn get_metrics(State(app): State<App>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics().text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative() {
        let metrics = Metrics::default();
        for ms in [1, 7, 60_000] {
            let took = Duration::from_millis(ms);
            metrics.observe("/a/{id}", &Method::GET, StatusCode::OK, took);
        }
        let text = metrics.text();
        let labels = "route=\"/a/{id}\",method=\"GET\",status=\"200\"";
        for (le, count) in [("0.005", 1), ("0.01", 2), ("30", 2), ("+Inf", 3)] {
            let line = format!("_bucket{{{labels},le=\"{le}\"}} {count}\n");
            assert!(text.contains(&line), "{line}{text}");
        }
        assert!(text.contains(&format!("_count{{{labels}}} 3\n")));
        assert!(resident_bytes().is_some_and(|bytes| bytes > 1_000_000));
    }
}
