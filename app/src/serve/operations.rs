//! What operators ask: readiness and metrics.

use super::core::Shared;
use super::health::Totals;
use async_trait::async_trait;
use habitus_console::product::{self, Check, Readiness};
use habitus_model::math::{from_i64, from_u64};
use std::fmt::Write as _;
use std::sync::atomic::Ordering;

/// The door.
#[derive(Debug, Clone)]
pub struct Operations(pub Shared);

#[async_trait]
impl product::Operations for Operations {
    async fn ready(&self) -> Readiness {
        let core = &self.0;
        let stats = core.committer.get().map(habitus_journal::group::Committer::stats);
        let checks = [
            ("recovery", stats.is_some(), "the state is being restored"),
            (
                "running",
                !core.ending.load(Ordering::Acquire),
                "the server is going down",
            ),
            (
                "journal",
                stats.is_some_and(|stats| stats.failures == 0),
                "a write failed; the log must be opened again",
            ),
        ];
        let checks = checks.map(|(name, ok, error)| Check {
            name: name.to_owned(),
            ok,
            error: (!ok).then(|| error.to_owned()),
        });
        Readiness {
            ready: checks.iter().all(|check| check.ok),
            checks: checks.to_vec(),
        }
    }

    async fn metrics(&self) -> String {
        let core = &self.0;
        let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let reducer = core.reducer.read();
        core.metrics.waiting.set(gauge(reducer.waiting()));
        core.metrics.accounts.set(gauge(reducer.engine().accounts()));
        core.metrics.findings.set(gauge(reducer.findings().counts().kept));
        let (changes, drifts) = reducer.engine().standing_counts(super::clock::now().as_event());
        core.metrics.changes.set(gauge(changes));
        core.metrics.drifts.set(gauge(drifts));
        drop(reducer);
        let (waiting, leased, dead, _) = core.orders.counts();
        core.metrics.outbox.set(gauge(waiting + leased));
        core.metrics.dead.set(gauge(dead));
        let seen = core.gate.lock().stats();
        let ids = usize::try_from(seen.in_memory + seen.in_files).unwrap_or(usize::MAX);
        core.metrics.ids.set(gauge(ids));
        let (waiting, dead) = core.exports.counts();
        core.metrics.exports_waiting.set(gauge(waiting));
        core.metrics.exports_dead.set(gauge(dead));
        core.metrics.under_way.set(gauge(core.load.used()));
        let bytes = |bytes| i64::try_from(bytes).unwrap_or(i64::MAX);
        core.metrics.memory.set(bytes(core.memory.resident()));
        core.metrics.memory_ceiling.set(bytes(core.memory.ceiling()));
        let mut text = core.metrics.text();
        sources(core, &mut text);
        text
    }
}

/// Sources are named by operators or bound to tokens, and bounded in number: they may be labels.
fn sources(core: &Shared, text: &mut String) {
    const END: &str = "# EOF\n";
    let body = text.trim_end_matches(END).len();
    text.truncate(body);
    let totals = core.health.totals();
    let mut metric = |name: &str, (kind, help): (&str, &str), value: &dyn Fn(&Totals) -> Option<f64>| {
        let _ = write!(
            text,
            "# HELP habitus_source_{name} {help}.\n# TYPE habitus_source_{name} {kind}\n"
        );
        let suffix = if kind == "counter" { "_total" } else { "" };
        for (source, totals) in &totals {
            if let Some(value) = value(totals) {
                // Writing to memory does not fail.
                let _ = writeln!(
                    text,
                    "habitus_source_{name}{suffix}{{source=\"{}\"}} {value}",
                    escaped(source)
                );
            }
        }
    };
    metric(
        "last_event_timestamp_seconds",
        ("gauge", "When a source last sent anything"),
        &|one| one.last_heard.map(|at| from_i64(at.as_millis() / 1_000)),
    );
    metric(
        "expected_gap_seconds",
        ("gauge", "Longest silence that is usual for a source"),
        &|one| one.expected_gap_seconds,
    );
    metric(
        "skew_seconds",
        (
            "gauge",
            "Median of arrival minus event over the last 1,000 events of a source",
        ),
        &|one| one.skew_seconds,
    );
    metric(
        "dropped",
        ("counter", "Records of a source that are gone"),
        &|one| Some(from_u64(one.dropped)),
    );
    metric(
        "refused",
        ("counter", "Batches of a source that had to wait"),
        &|one| Some(from_u64(one.refused)),
    );
    text.push_str(END);
}

fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
