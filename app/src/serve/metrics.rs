//! What is counted and timed, for Prometheus. No account, address or tenant is ever a label.

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

/// Bounds of latencies, seconds: from a tenth of a millisecond to ten seconds.
const SECONDS: [f64; 16] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Bounds of the time from an event to its verdict, seconds: to a day, because sources deliver late.
const LONG: [f64; 12] = [
    0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0, 1_800.0, 7_200.0, 86_400.0,
];

/// What came of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types, reason = "labels are written as the variants are named")]
pub enum Taken {
    accepted,
    duplicate,
    conflict,
    rejected,
    ignored,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByResult {
    pub result: Taken,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByLevel {
    pub level: &'static str,
    pub kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByVerdict {
    pub verdict: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByAction {
    pub action: &'static str,
    pub result: &'static str,
}

/// Exporters are named by operators, and few.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByExport {
    pub exporter: String,
    pub result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByHook {
    pub hook: &'static str,
}

/// What others wait for while the state is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types, reason = "labels are written as the variants are named")]
pub enum Holding {
    /// Some events are judged: inline decisions wait.
    batch,
    /// A picture is taken for a snapshot: judging waits.
    picture,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByHolding {
    pub by: Holding,
}

/// All of it.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Records by what came of them.
    pub events: Family<ByResult, Counter>,
    /// Verdicts that made or joined a finding.
    pub flags: Family<ByLevel, Counter>,
    /// From the event's time to its verdict.
    pub detect: Histogram,
    /// From admission to stable storage.
    pub commit: Histogram,
    /// Inline decisions.
    pub hook: Family<ByHook, Histogram, fn() -> Histogram>,
    /// Longest stretches in which the state is held.
    pub hold: Family<ByHolding, Histogram, fn() -> Histogram>,
    /// Inline decisions that gave the default.
    pub fallback: Family<ByHook, Counter>,
    /// Analysts' verdicts.
    pub verdicts: Family<ByVerdict, Counter>,
    /// Tries of orders.
    pub actions: Family<ByAction, Counter>,
    /// Tries of records for SIEMs.
    pub exports: Family<ByExport, Counter>,
    /// Events judged late, and events from the future.
    pub late: Counter,
    pub future: Counter,
    /// Depths that are looked at when asked.
    pub waiting: Gauge,
    pub under_way: Gauge,
    pub memory: Gauge,
    pub memory_ceiling: Gauge,
    pub accounts: Gauge,
    pub findings: Gauge,
    pub changes: Gauge,
    pub drifts: Gauge,
    pub outbox: Gauge,
    pub dead: Gauge,
    pub exports_waiting: Gauge,
    pub exports_dead: Gauge,
    pub position: Gauge,
    pub ids: Gauge,
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let seconds: fn() -> Histogram = || Histogram::new(SECONDS);
        let mut metrics = Self {
            registry: Registry::with_prefix("habitus"),
            events: Family::default(),
            flags: Family::default(),
            detect: Histogram::new(LONG),
            commit: Histogram::new(SECONDS),
            hook: Family::new_with_constructor(seconds),
            hold: Family::new_with_constructor(seconds),
            fallback: Family::default(),
            verdicts: Family::default(),
            actions: Family::default(),
            exports: Family::default(),
            late: Counter::default(),
            future: Counter::default(),
            waiting: Gauge::default(),
            under_way: Gauge::default(),
            memory: Gauge::default(),
            memory_ceiling: Gauge::default(),
            accounts: Gauge::default(),
            findings: Gauge::default(),
            changes: Gauge::default(),
            drifts: Gauge::default(),
            outbox: Gauge::default(),
            dead: Gauge::default(),
            exports_waiting: Gauge::default(),
            exports_dead: Gauge::default(),
            position: Gauge::default(),
            ids: Gauge::default(),
        };
        // A rate needs a beginning: what must not happen is there from the start, at zero.
        drop(metrics.fallback.get_or_create(&super::judge::HOOK));
        metrics.register();
        metrics
    }

    /// The state was held since then.
    pub fn held(&self, by: Holding, since: Instant) {
        let seconds = since.elapsed().as_secs_f64();
        self.hold.get_or_create(&ByHolding { by }).observe(seconds);
    }

    /// As text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to memory does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    fn register(&mut self) {
        let r = &mut self.registry;
        let info = Info::new(vec![
            ("version", env!("CARGO_PKG_VERSION")),
            ("model", habitus_engine::MODEL),
        ]);
        r.register("build", "Version of the program and of the scoring model", info);
        r.register("events", "Records by what came of them", self.events.clone());
        r.register(
            "flags",
            "Verdicts that made or joined a finding",
            self.flags.clone(),
        );
        r.register(
            "detect_latency_seconds",
            "From the time of an event to its verdict",
            self.detect.clone(),
        );
        r.register(
            "commit_latency_seconds",
            "From admission of a request to stable storage",
            self.commit.clone(),
        );
        r.register("hook_latency_seconds", "Inline decisions", self.hook.clone());
        r.register(
            "state_hold_seconds",
            "How long the state is held at a time",
            self.hold.clone(),
        );
        r.register(
            "hook_fallback",
            "Inline decisions that gave the default",
            self.fallback.clone(),
        );
        r.register("verdicts", "Verdicts of analysts", self.verdicts.clone());
        r.register("actions", "Tries of orders by result", self.actions.clone());
        r.register(
            "exports",
            "Tries of findings for SIEMs by result",
            self.exports.clone(),
        );
        r.register(
            "events_late",
            "Events that came later than the lateness",
            self.late.clone(),
        );
        r.register("events_future", "Events from the future", self.future.clone());
        self.register_depths();
    }

    fn register_depths(&mut self) {
        let r = &mut self.registry;
        r.register(
            "queue_events",
            "Events that wait for earlier ones",
            self.waiting.clone(),
        );
        r.register("intake_bytes", "Bytes under way", self.under_way.clone());
        r.register("memory_bytes", "Memory of the process", self.memory.clone());
        r.register(
            "memory_ceiling_bytes",
            "Memory above which nothing is taken in",
            self.memory_ceiling.clone(),
        );
        r.register("accounts", "Accounts remembered", self.accounts.clone());
        r.register("findings", "Findings kept", self.findings.clone());
        r.register(
            "tenant_changes",
            "Changes of whole tenants that stand",
            self.changes.clone(),
        );
        r.register(
            "drift_alarms",
            "Tenants whose scores are high more often than they say",
            self.drifts.clone(),
        );
        r.register("outbox_orders", "Orders that wait", self.outbox.clone());
        r.register("outbox_dead", "Orders given up", self.dead.clone());
        r.register(
            "export_records",
            "Findings that wait for SIEMs",
            self.exports_waiting.clone(),
        );
        r.register(
            "export_dead",
            "Findings given up for SIEMs",
            self.exports_dead.clone(),
        );
        r.register("dedupe_ids", "Event ids remembered", self.ids.clone());
        r.register(
            "journal_position",
            "Position after the last entry judged",
            self.position.clone(),
        );
    }
}
