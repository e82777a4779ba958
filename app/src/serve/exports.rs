//! Findings on their way to SIEMs: rendered once, kept until the target has them, a batch at a time for each exporter.
//!
//! An outbox of their own, so that a SIEM that is away takes no room from orders. A record's id follows from exporter and news,
//! and news from the log: what is judged again after a crash is not exported again.

use super::clock;
use super::core::Core;
use super::metrics::ByExport;
use super::orders::outcome_of;
use super::store::{Layout, failure};
use crate::failure::Failure;
use arc_swap::ArcSwap;
use habitus_engine::MODEL;
use habitus_findings::{News, Occasion, View, Writer};
use habitus_journal::outbox::{Fate, Item, Lease, Outbox};
use habitus_journal::storage::RealFs;
use habitus_journal::{Error, Keyring};
use habitus_model::hash::content_digest;
use habitus_model::{IngestTime, TenantId, Text};
use habitus_responders::{Fault, Outcome as Went, Registry};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Records in one batch: with findings of 60 KB, the largest there are, about one request of 5 MiB.
const BATCH_MAX: usize = 64;
/// How long a record is tried, milliseconds: a month, in which somebody looks at a SIEM that is away.
const EXPIRES_MS: i64 = 30 * 86_400_000;
/// The worker looks at least so often.
const LOOK: Duration = Duration::from_secs(1);
/// Looks between two clean-ups of the outbox.
const LOOKS_TO_MAINTAIN: u32 = 60;

/// All exports.
pub struct Exports {
    outbox: Mutex<Outbox>,
    registry: Arc<ArcSwap<Registry>>,
    /// Exporters that have a batch under way.
    busy: Mutex<BTreeSet<Text>>,
    wake: Notify,
}

/// A record, and what it is about.
pub struct Record {
    news: News,
    content: Value,
}

/// What became of one try to export one record.
#[derive(Debug, Clone)]
pub struct Exported {
    /// Name of the exporter.
    pub exporter: Text,
    /// Whose finding.
    pub tenant: TenantId,
    /// The finding.
    pub finding: Text,
    /// Id of the record.
    pub record: Text,
    /// How it went, in lower case.
    pub result: &'static str,
    /// Detail without personal data.
    pub detail: String,
}

/// Is told what became of a batch.
pub type Tell = Arc<dyn Fn(Vec<Exported>) + Send + Sync>;

/// An exporter with a batch under way; free again when dropped, however the batch ends.
struct Busy(Arc<Exports>, Text);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.lock().remove(&self.1);
        self.0.wake.notify_one();
    }
}

impl Record {
    /// News of a finding as it is.
    pub fn new(view: &View, news: News) -> Self {
        let writer = Writer {
            model: MODEL,
            version: env!("CARGO_PKG_VERSION"),
        };
        Self {
            content: writer.record(view, &news),
            news,
        }
    }

    fn item(&self, exporter: &str, now: IngestTime) -> Item {
        Item {
            id: id_of(exporter, &self.news.record),
            responder: Text::new(exporter),
            payload: self.content.to_string().into_bytes(),
            expires: IngestTime::from_millis(now.as_millis() + EXPIRES_MS).unwrap_or(now),
        }
    }
}

/// The idempotency key of a record for an exporter. Names hold no `/`.
fn id_of(exporter: &str, record: &str) -> Text {
    Text::from(content_digest(format!("{exporter}/{record}").as_bytes()))
}

impl Exports {
    /// Opens the outbox of exports, to the exporters of a registry. What was given up is tried again: somebody may have
    /// mended the target before the start.
    ///
    /// # Errors
    /// A directory that cannot be used.
    pub fn open(layout: &Layout, keys: Keyring, registry: Arc<ArcSwap<Registry>>) -> Result<Self, Failure> {
        let dir = RealFs::own(&layout.part("exports"))
            .map(Arc::new)
            .map_err(failure)?;
        let (outbox, _) = Outbox::open(dir, keys).map_err(failure)?;
        let exports = Self {
            outbox: Mutex::new(outbox),
            registry,
            busy: Mutex::new(BTreeSet::new()),
            wake: Notify::new(),
        };
        exports.revive();
        Ok(exports)
    }

    /// Whether anybody is told at all.
    pub fn is_idle(&self) -> bool {
        self.registry.load().exporters().next().is_none()
    }

    /// Takes records for every exporter; they are on stable storage when it returns. The same again changes nothing.
    ///
    /// # Errors
    /// An outbox that is full or cannot be written: then none may have been taken.
    pub fn take(&self, records: &[Record]) -> Result<(), Error> {
        let (registry, now) = (self.registry.load(), clock::now());
        let mut outbox = self.outbox.lock();
        let mut items = Vec::new();
        for (exporter, _) in registry.exporters() {
            let told = |id: &str| outbox.knows(&id_of(exporter, id));
            let wanted = records.iter().filter(|record| {
                // Who was never told of a finding is not told that a campaign tells it now.
                record.news.occasion != Occasion::Joined || told(record.news.finding.as_str())
            });
            items.extend(wanted.map(|record| record.item(exporter, now)));
        }
        outbox.put(&items, now)?;
        drop(outbox);
        self.wake.notify_one();
        Ok(())
    }

    /// Tries again what was given up.
    pub fn revive(&self) {
        let now = clock::now();
        let expires = IngestTime::from_millis(now.as_millis() + EXPIRES_MS).unwrap_or(now);
        let mut outbox = self.outbox.lock();
        for letter in outbox.dead() {
            if let Err(error) = outbox.retry(&letter.item.id, expires, now) {
                tracing::error!(%error, "an export that was given up cannot be tried again");
                return;
            }
        }
        drop(outbox);
        self.wake.notify_one();
    }

    /// Records that wait or are under way, and those given up.
    pub fn counts(&self) -> (usize, usize) {
        let counts = self.outbox.lock().counts();
        (counts.waiting + counts.leased, counts.dead)
    }

    /// Exports until the process ends; each try of each record of a batch is told to `told`.
    pub async fn carry_out(self: Arc<Self>, told: Tell) {
        for look in (0..LOOKS_TO_MAINTAIN).cycle() {
            let this = Arc::clone(&self);
            // Handing out is on stable storage before it counts, and so waits for the disk.
            let due = tokio::task::spawn_blocking(move || this.due(look)).await;
            for (exporter, leases) in due.unwrap_or_default() {
                let (this, told) = (Arc::clone(&self), Arc::clone(&told));
                tokio::spawn(async move { this.send(exporter, leases, told).await });
            }
            let _ = tokio::time::timeout(LOOK, self.wake.notified()).await;
        }
    }

    /// What is due for exporters that have nothing under way; they have from now on. Every so many looks the outbox is tended.
    fn due(&self, look: u32) -> BTreeMap<Text, Vec<Lease>> {
        let now = clock::now();
        let mut outbox = self.outbox.lock();
        let mut busy = self.busy.lock();
        if look == 0 {
            match outbox.maintain(now) {
                Ok(dropped) if dropped.is_empty() => {}
                Ok(dropped) => {
                    tracing::error!(records = dropped.len(), "exports that were given up made room")
                }
                Err(error) => tracing::error!(%error, "the outbox of exports cannot be looked after"),
            }
        }
        let due = outbox.due_but_for(&busy, now, BATCH_MAX).unwrap_or_else(|error| {
            tracing::error!(%error, "the outbox of exports cannot be read");
            habitus_journal::outbox::Due::default()
        });
        let mut batches: BTreeMap<Text, Vec<Lease>> = BTreeMap::new();
        for lease in due.leases {
            batches
                .entry(lease.item.responder.clone())
                .or_default()
                .push(lease);
        }
        busy.extend(batches.keys().cloned());
        batches
    }

    async fn send(self: Arc<Self>, exporter: Text, leases: Vec<Lease>, told: Tell) {
        let read = |lease: &Lease| serde_json::from_slice::<Value>(&lease.item.payload).unwrap_or_default();
        let records: Vec<Value> = leases.iter().map(read).collect();
        let busy = Busy(Arc::clone(&self), exporter);
        let registry = self.registry.load_full();
        let found = registry.exporters().find(|(name, _)| *name == busy.1);
        let outcomes = match found {
            Some((_, part)) => part.export(&records).await,
            None => Vec::new(),
        };
        let done = tokio::task::spawn_blocking(move || {
            let missing = Went::Failed {
                why: "no exporter of that name is configured".to_owned(),
                fault: Fault::Responder,
            };
            let outcomes = outcomes.into_iter().chain(std::iter::repeat(missing));
            let mut all = Vec::with_capacity(leases.len());
            for ((lease, record), went) in leases.iter().zip(&records).zip(outcomes) {
                busy.0.finish(lease, &went);
                all.push(exported(lease, record, &went));
            }
            told(all);
        });
        let _ = done.await;
    }

    fn finish(&self, lease: &Lease, went: &Went) {
        let (outcome, why) = outcome_of(went);
        let done = self
            .outbox
            .lock()
            .done((&lease.item.id, lease.attempt), outcome, clock::now());
        match done {
            Ok(Fate::Dead) => {
                tracing::error!(exporter = %lease.item.responder, %why, "an export is given up")
            }
            Ok(Fate::Done | Fate::Again(_) | Fate::Unknown) => {}
            Err(error) => tracing::error!(%error, "an outcome cannot be kept"),
        }
    }
}

fn exported(lease: &Lease, record: &Value, went: &Went) -> Exported {
    let text = |path: &str| record.pointer(path).and_then(Value::as_str);
    Exported {
        exporter: lease.item.responder.clone(),
        tenant: text("/metadata/tenant_uid").map_or_else(TenantId::default, TenantId::new),
        finding: Text::new(text("/finding_info/uid").unwrap_or_default()),
        record: Text::new(text("/metadata/uid").unwrap_or_default()),
        result: went.name(),
        detail: outcome_of(went).1,
    }
}

impl Core {
    /// Tells the exporters what is new. What cannot be kept for them is counted, logged and in the audit.
    pub fn tell_exporters(&self, news: Vec<News>) {
        if news.is_empty() || self.exports.is_idle() {
            return;
        }
        let reducer = self.reducer.read();
        let known = |news: News| {
            let view = reducer.findings().get_settled(&news.finding)?;
            Some(Record::new(&view, news))
        };
        let records: Vec<Record> = news.into_iter().filter_map(known).collect();
        drop(reducer);
        if let Err(error) = self.exports.take(&records) {
            tracing::error!(%error, records = records.len(), "findings cannot be kept for export");
            for record in &records {
                self.tell_export(&Exported {
                    exporter: Text::const_new("all"),
                    tenant: TenantId::default(),
                    finding: Text::new(record.news.finding.as_str()),
                    record: record.news.record.clone(),
                    result: "not_kept",
                    detail: error.to_string(),
                });
            }
        }
    }

    /// Counts the tries of a batch, and records that personal data went out, or did not.
    pub fn tell_exports(&self, all: &[Exported]) {
        for exported in all {
            self.tell_export(exported);
        }
        self.records.commit();
    }

    fn tell_export(&self, exported: &Exported) {
        let label = ByExport {
            exporter: exported.exporter.to_string(),
            result: exported.result,
        };
        self.metrics.exports.get_or_create(&label).inc();
        let policy = self.reducer.read().rules().policy().version().to_owned();
        let detail = json!({
            "exporter": exported.exporter.as_str(),
            "record": exported.record.as_str(),
            "result": exported.result,
            "why": exported.detail,
        });
        let subject = Some(exported.finding.clone());
        self.records
            .note(&exported.tenant, "finding.export", subject, (detail, &policy));
    }
}
