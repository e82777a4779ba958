//! Findings of a replay: grouped as the server groups them, and written when their window has ended.

use habitus_engine::{Learning, MODEL};
use habitus_findings::{Findings, Hit, Lifecycle, Settings, View, Writer};
use habitus_model::{Millis, RiskScore};
use serde_json::Value;

/// Memory for findings whose window has not ended, bytes; beyond it they are written early.
const OPEN_BYTES_MAX: usize = 512 << 20;

/// Groups flagged events that come in order of time. Memory: the findings of one window.
pub struct Grouping {
    from_score: f64,
    findings: Findings,
}

impl Grouping {
    /// A grouping of events with at least this score, in windows of so many hours.
    pub fn new(from_score: f64, window_hours: u16) -> Self {
        let settings = Settings {
            window: Millis::from_hours(i64::from(window_hours)),
            // Nobody is paged by a file, so nothing folds, and all that is found is written.
            storm_from: usize::MAX,
            findings_max: usize::MAX,
            bytes_max: usize::MAX,
        };
        Self {
            from_score,
            findings: Findings::new(settings),
        }
    }

    /// Whether an event belongs to a finding. Probes are questions, and make none.
    pub fn wants(&self, learning: Learning, score: RiskScore) -> bool {
        learning == Learning::Learn && score.get() >= self.from_score
    }

    /// Takes the next event; the findings that are complete by its time are appended to `closed`.
    pub fn push(&mut self, hit: &Hit, closed: &mut Vec<View>) {
        closed.extend(self.findings.take_ended(hit.time()));
        self.findings.settle(hit);
        if self.findings.counts().bytes > OPEN_BYTES_MAX {
            self.finish(closed);
        }
    }

    /// Ends all that is still open.
    pub fn finish(&mut self, closed: &mut Vec<View>) {
        closed.extend(self.findings.take_all());
    }
}

/// A finding as one OCSF object. One that a campaign tells, too, says so.
pub fn to_ocsf(view: &View) -> Value {
    let writer = Writer {
        model: MODEL,
        version: env!("CARGO_PKG_VERSION"),
    };
    writer.to_ocsf(view, Lifecycle::Create)
}

#[cfg(test)]
mod tests {
    #[test]
    fn points_are_the_same_everywhere() {
        assert!((habitus_findings::POINTS_PER_NAT - habitus_score::POINTS_PER_NAT).abs() < 1e-12);
    }
}
