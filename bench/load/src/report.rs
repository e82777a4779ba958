//! The figures beside their limits: for people, for machines, and as a page of the documentation.

use crate::latency::Latencies;
use crate::measure::{LOAD, Measured, OVERLOAD};
use serde::Serialize;
use std::fmt::Write as _;
use std::time::Duration;

/// Limits of the decisions (RELIABILITY 5.3), milliseconds: median and 99th percentile.
const ASSESS_MS: (f64, f64) = (1.0, 10.0);
/// An acknowledgement may take so many syncs of the same disk at the 99th percentile.
const SYNCS: f64 = 3.0;
/// From event to finding, milliseconds, 99th percentile.
const FINDING_MS: f64 = 250.0;
/// What is accepted under overload may take so many times the 99th percentile at 70 % load (RELIABILITY R-09).
const OVERLOADED: f64 = 3.0;

/// All figures.
#[derive(Debug, Serialize)]
pub struct Report {
    cores: usize,
    decisions_per_second: f64,
    events_per_second: f64,
    measures: Vec<Measure>,
    bars: Vec<Bar>,
}

/// Quantiles of one thing, milliseconds.
#[derive(Debug, Serialize)]
struct Measure {
    name: &'static str,
    count: usize,
    refused: u64,
    p50: f64,
    p99: f64,
    p999: f64,
}

/// A figure and its limit, milliseconds.
#[derive(Debug, Serialize)]
struct Bar {
    name: &'static str,
    measured: f64,
    limit: f64,
    /// Measured by limit.
    ratio: f64,
    holds: bool,
}

impl Report {
    /// Of what was measured.
    pub fn new(mut measured: Measured) -> Self {
        let assess = Measure::new(
            "decision",
            &mut measured.assess.latencies,
            measured.assess.refused,
        );
        let latencies = &mut measured.acknowledge.latencies;
        let acknowledge = Measure::new("acknowledgement", latencies, measured.acknowledge.refused);
        let sync = Measure::new("sync of the same disk", &mut measured.sync, 0);
        let missed = u64::try_from(measured.missed).unwrap_or(u64::MAX);
        let finding = Measure::new("event to finding", &mut measured.finding, missed);
        let latencies = &mut measured.overload.latencies;
        let overload = Measure::new("accepted under overload", latencies, measured.overload.refused);
        let bars = vec![
            Bar::new("decision, p50", assess.p50, ASSESS_MS.0),
            Bar::new("decision, p99", assess.p99, ASSESS_MS.1),
            Bar::new(
                "acknowledgement, p99, by three syncs",
                acknowledge.p99,
                SYNCS * sync.p99,
            ),
            Bar::new("event to finding, p99", finding.p99, FINDING_MS),
            Bar::new(
                "accepted under overload, p99, by three times that at 70 %",
                overload.p99,
                OVERLOADED * acknowledge.p99,
            ),
            Bar::new("findings missed", crate::latency::float(measured.missed), 0.0),
        ];
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            decisions_per_second: measured.decisions,
            events_per_second: measured.events,
            measures: vec![assess, acknowledge, sync, finding, overload],
            bars,
        }
    }

    /// Whether every limit holds.
    pub fn holds(&self) -> bool {
        self.bars.iter().all(|bar| bar.holds)
    }

    /// As Markdown tables.
    pub fn table(&self) -> String {
        let mut out = format!(
            "Capacity: {:.0} decisions a second, {:.0} events a second. Load: {:.0} % of each.\n\n\
             | latency, ms | requests | refused | p50 | p99 | p99.9 |\n|---|---:|---:|---:|---:|---:|\n",
            self.decisions_per_second,
            self.events_per_second,
            LOAD * 100.0
        );
        for one in &self.measures {
            let Measure {
                name,
                count,
                refused,
                p50,
                p99,
                p999,
            } = one;
            // Writing to memory does not fail.
            let _ = writeln!(
                out,
                "| {name} | {count} | {refused} | {p50:.2} | {p99:.2} | {p999:.2} |"
            );
        }
        out.push_str("\n| limit | measured | at most | ratio | |\n|---|---:|---:|---:|---|\n");
        for bar in &self.bars {
            let word = if bar.holds { "holds" } else { "missed" };
            let _ = writeln!(
                out,
                "| {} | {:.2} | {:.2} | {:.2} | {word} |",
                bar.name, bar.measured, bar.limit, bar.ratio
            );
        }
        out
    }

    /// As a page of the documentation.
    pub fn page(&self, command: &str) -> String {
        format!(
            "# Latency\n\nMade by `{command}` on {} cores that the generator shares with the server; not edited by hand.\n\n\
             Requests are due at fixed times, and latency counts from when one was due (open loop), so a stall is seen by all \
             that was due meanwhile. Capacity is what comes through when every connection asks again as soon as it is \
             answered; of events it is what is judged, too. An acknowledgement is the answer to ten events, which are on \
             stable storage by then. The sync is 4 KiB written and synced beside the server's own, in the same minutes. A \
             finding counts when the live stream tells it. Under overload {OVERLOAD:.0} times the capacity is due over many \
             connections; the rest is refused with the time to come again, and the latency of what is accepted counts from when \
             it was sent.\n\n{}",
            self.cores,
            self.table()
        )
    }
}

impl Measure {
    fn new(name: &'static str, latencies: &mut Latencies, refused: u64) -> Self {
        let mut at = |share: f64| ms(latencies.quantile(share));
        let (p50, p99, p999) = (at(0.5), at(0.99), at(0.999));
        Self {
            name,
            count: latencies.count(),
            refused,
            p50,
            p99,
            p999,
        }
    }
}

impl Bar {
    fn new(name: &'static str, measured: f64, limit: f64) -> Self {
        let ratio = if limit > 0.0 { measured / limit } else { measured };
        Self {
            name,
            measured,
            limit,
            ratio,
            holds: measured <= limit,
        }
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Outcome;

    fn of(ms: u64) -> Latencies {
        let mut latencies = Latencies::default();
        latencies.add(Duration::from_millis(ms));
        latencies
    }

    fn measured(ms: u64, missed: usize) -> Measured {
        let outcome = || Outcome {
            latencies: of(ms),
            ..Outcome::default()
        };
        Measured {
            decisions: 1_000.0,
            assess: outcome(),
            events: 10_000.0,
            acknowledge: outcome(),
            sync: of(1),
            finding: of(ms),
            missed,
            overload: outcome(),
        }
    }

    #[test]
    fn limits_hold_or_are_missed() {
        assert!(Report::new(measured(1, 0)).holds());
        assert!(!Report::new(measured(1, 1)).holds());
        let missed = Report::new(measured(5, 0));
        assert!(!missed.holds());
        let page = missed.page("the command");
        assert!(
            page.contains("| decision, p50 | 5.00 | 1.00 | 5.00 | missed |"),
            "{page}"
        );
        assert!(page.contains("| acknowledgement, p99, by three syncs | 5.00 | 3.00 | 1.67 | missed |"));
        assert!(page.contains("the command"));
    }
}
