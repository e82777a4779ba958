//! What a reducer is made with.

use habitus_engine::Config;
use habitus_model::Millis;

/// Limits and configuration. Part of what decides: the same settings and log give the same state.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The engine's own.
    pub engine: Config,
    /// How long an event waits for earlier ones, by event time, before it is learned.
    pub lateness: Millis,
    /// How far behind the fastest source of its tenant one may be and still hold the others back, by event time; at least the
    /// lateness counts. What is further behind is judged late.
    pub hold: Millis,
    /// How far an event's time may lie ahead of its arrival: beyond it the time is not believed (RELIABILITY 6.4).
    pub future: Millis,
    /// Most events that wait; beyond it the earliest is learned early. About 1 KiB each.
    pub waiting_max: usize,
    /// Score from which an event belongs to a finding, 0–100.
    pub findings_from: f64,
    /// How findings are made.
    pub findings: habitus_findings::Settings,
}

impl Default for Settings {
    /// Two minutes of lateness: what identity providers' logs show between shards of one feed; what comes later is
    /// judged as late. Ten minutes of hold: as far as a source's times are corrected and not set aside (RELIABILITY 6.4); feeds
    /// that are polled are minutes behind those that are pushed. Five minutes of future: the tolerance of Kerberos (RFC 4120) and most token checks.
    fn default() -> Self {
        Self {
            engine: Config::default(),
            lateness: Millis::from_minutes(2),
            hold: Millis::from_minutes(10),
            future: Millis::from_minutes(5),
            waiting_max: 100_000,
            findings_from: 60.0,
            findings: habitus_findings::Settings::default(),
        }
    }
}
