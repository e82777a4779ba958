//! The console's own metrics.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the latency histogram, microseconds: around the goals of 1, 10, 25 and 50 ms (RELIABILITY 5.3).
const BOUNDS_MICROS: [u64; 9] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 250_000, 1_000_000,
];
/// Classes of statuses: 1xx to 5xx.
const CLASSES: usize = 5;

/// Requests by route and class of status, and how long they took. Labels are routes, never paths: their number is fixed.
#[derive(Debug)]
pub(crate) struct Counters {
    routes: Vec<Route>,
    refused: AtomicU64,
}

#[derive(Debug, Default)]
struct Route {
    classes: [AtomicU64; CLASSES],
    buckets: [AtomicU64; BOUNDS_MICROS.len()],
    micros: AtomicU64,
}

impl Counters {
    pub(crate) fn new(routes: usize) -> Self {
        Self {
            routes: (0..routes).map(|_| Route::default()).collect(),
            refused: AtomicU64::new(0),
        }
    }

    /// Notes an answer; `route` is absent for requests that reached none.
    pub(crate) fn answered(&self, route: Option<usize>, status: http::StatusCode, took: Duration) {
        let Some(route) = route.and_then(|route| self.routes.get(route)) else {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(count) = route.classes.get(class) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        route.micros.fetch_add(micros, Ordering::Relaxed);
        for (bound, bucket) in BOUNDS_MICROS.iter().zip(&route.buckets) {
            if micros <= *bound {
                bucket.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// In the text format of Prometheus. `names` are method and route, in the order of the table.
    pub(crate) fn text(&self, names: &[(String, String)]) -> String {
        let mut out = String::from(
            "# HELP habitus_http_requests_total Requests by route and class of status.\n# TYPE habitus_http_requests_total counter\n",
        );
        let used = || {
            names
                .iter()
                .zip(&self.routes)
                .filter(|(_, route)| route.total() > 0)
        };
        for ((method, path), route) in used() {
            for (class, count) in route.classes.iter().enumerate() {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let class = class + 1;
                    // Writing to memory does not fail.
                    let _ = writeln!(
                        out,
                        "habitus_http_requests_total{{method=\"{method}\",route=\"{path}\",code=\"{class}xx\"}} {count}"
                    );
                }
            }
        }
        out.push_str("# HELP habitus_http_request_duration_seconds Time until the head of the answer.\n# TYPE habitus_http_request_duration_seconds histogram\n");
        for ((method, path), route) in used() {
            route.histogram(&format!("method=\"{method}\",route=\"{path}\""), &mut out);
        }
        let _ = writeln!(
            out,
            "# HELP habitus_http_refused_total Requests that reached no route: overload, foreign host, unknown path.\n# TYPE habitus_http_refused_total counter\nhabitus_http_refused_total {}",
            self.refused.load(Ordering::Relaxed)
        );
        out
    }
}

impl Route {
    fn total(&self) -> u64 {
        self.classes
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .sum()
    }

    fn histogram(&self, labels: &str, out: &mut String) {
        const NAME: &str = "habitus_http_request_duration_seconds";
        for (bound, bucket) in BOUNDS_MICROS.iter().zip(&self.buckets) {
            let seconds = habitus_model::math::from_u64(*bound) / 1e6;
            let count = bucket.load(Ordering::Relaxed);
            // Writing to memory does not fail.
            let _ = writeln!(out, "{NAME}_bucket{{{labels},le=\"{seconds}\"}} {count}");
        }
        let total = self.total();
        let seconds = habitus_model::math::from_u64(self.micros.load(Ordering::Relaxed)) / 1e6;
        let _ = writeln!(
            out,
            "{NAME}_bucket{{{labels},le=\"+Inf\"}} {total}\n{NAME}_sum{{{labels}}} {seconds}\n{NAME}_count{{{labels}}} {total}"
        );
    }
}
