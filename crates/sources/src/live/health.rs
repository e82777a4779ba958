//! How a source is doing, readable at any time without waiting for it.

use super::settings::SourceKind;
use habitus_model::IngestTime;
use serde::Serialize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

/// No event yet: no time that [`IngestTime`] takes.
const NEVER: i64 = i64::MIN;

/// Counters of one source since it started. Written by its tasks, read by anyone; each number is exact, all of them
/// together are of about the same moment.
#[derive(Debug)]
pub struct Health {
    kind: SourceKind,
    last_event_ms: AtomicI64,
    pub(super) received: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) accepted: AtomicU64,
    pub(super) duplicates: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) oversized: AtomicU64,
    pub(super) open: AtomicU64,
    pub(super) turned_away: AtomicU64,
    pub(super) timed_out: AtomicU64,
    faults: AtomicU64,
    last_fault: Mutex<Option<Fault>>,
}

/// Something that went wrong, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// When, by our clock.
    pub at: IngestTime,
    /// What, for people: paths and addresses, never a record's content.
    pub text: String,
}

/// The values of a [`Health`] at one moment. Counts are since the source started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HealthReport {
    /// What kind of source.
    pub kind: SourceKind,
    /// When the last record came, by our clock; absent before the first.
    pub last_event: Option<IngestTime>,
    /// Records read: whole messages and lines.
    pub received: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Records that the sink stored as new events.
    pub accepted: u64,
    /// Records that the sink knew already.
    pub duplicates: u64,
    /// Records that no format understood.
    pub rejected: u64,
    /// Batches that the sink refused; each was tried again.
    pub refused: u64,
    /// Records that are gone: UDP beyond the queue, the kernel's own drops, what was in flight at a shutdown.
    pub dropped: u64,
    /// Records above the size limit, passed over.
    pub oversized: u64,
    /// Connections or files open now.
    pub open: u64,
    /// Connections closed at once because the limit was reached.
    pub turned_away: u64,
    /// Connections closed because a handshake, a message or the next message took too long.
    pub timed_out: u64,
    /// How many things went wrong.
    pub faults: u64,
    /// The last of them; absent if none did.
    pub last_fault: Option<Fault>,
}

impl Health {
    pub(super) fn new(kind: SourceKind) -> Self {
        Self {
            kind,
            last_event_ms: AtomicI64::new(NEVER),
            received: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            duplicates: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            oversized: AtomicU64::new(0),
            open: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
            timed_out: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            last_fault: Mutex::new(None),
        }
    }

    /// The values now.
    #[must_use]
    pub fn report(&self) -> HealthReport {
        let last_fault = match self.last_fault.lock() {
            Ok(fault) => fault.clone(),
            Err(poisoned) => poisoned.into_inner().clone(),
        };
        HealthReport {
            kind: self.kind,
            last_event: IngestTime::from_millis(self.last_event_ms.load(Relaxed)),
            received: self.received.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            accepted: self.accepted.load(Relaxed),
            duplicates: self.duplicates.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            refused: self.refused.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            oversized: self.oversized.load(Relaxed),
            open: self.open.load(Relaxed),
            turned_away: self.turned_away.load(Relaxed),
            timed_out: self.timed_out.load(Relaxed),
            faults: self.faults.load(Relaxed),
            last_fault,
        }
    }

    /// Counts records that came.
    pub(super) fn came(&self, records: u32, bytes: usize, now: IngestTime) {
        self.received.fetch_add(u64::from(records), Relaxed);
        add(&self.bytes, bytes);
        self.last_event_ms.store(now.as_millis(), Relaxed);
    }

    /// Notes what went wrong.
    pub(super) fn fault(&self, at: IngestTime, text: String) {
        self.faults.fetch_add(1, Relaxed);
        let fault = Some(Fault { at, text });
        match self.last_fault.lock() {
            Ok(mut last) => *last = fault,
            Err(poisoned) => *poisoned.into_inner() = fault,
        }
    }
}

/// Adds a length to a counter.
pub(super) fn add(counter: &AtomicU64, n: usize) {
    counter.fetch_add(u64::try_from(n).unwrap_or(u64::MAX), Relaxed);
}

/// Counts something as open as long as it lives.
pub(super) struct Open(std::sync::Arc<Health>);

impl Open {
    pub(super) fn new(health: &std::sync::Arc<Health>) -> Self {
        health.open.fetch_add(1, Relaxed);
        Self(std::sync::Arc::clone(health))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_what_was_counted() {
        let health = std::sync::Arc::new(Health::new(SourceKind::SyslogTcp));
        assert_eq!(health.report().last_event, None);
        let now = IngestTime::from_millis(1_000).unwrap();
        health.came(3, 30, now);
        let open = Open::new(&health);
        health.fault(now, "first".into());
        health.fault(now, "second".into());
        let report = health.report();
        assert_eq!((report.received, report.bytes, report.open), (3, 30, 1));
        assert_eq!(report.last_event, Some(now));
        assert_eq!(
            (report.faults, report.last_fault.unwrap().text),
            (2, "second".into())
        );
        drop(open);
        assert_eq!(health.report().open, 0);
    }
}
