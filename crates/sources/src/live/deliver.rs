//! A batch on its way to the sink: tried until it is taken.

use super::contract::{Accepted, Label, LiveBatch, Refused, Sink};
use super::health::Health;
use super::run::Clock;
use habitus_model::IngestTime;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Shortest wait after a refusal, so that a sink that says "at once" is not asked in a busy loop.
const RETRY_MIN: Duration = Duration::from_millis(10);

/// Longest wait after a refusal, so that a source comes back by itself soon after the sink does.
const RETRY_MAX: Duration = Duration::from_secs(30);

/// What every source needs to hand batches over. Cheap to clone.
#[derive(Clone)]
pub(super) struct Delivery {
    pub(super) label: Arc<Label>,
    pub(super) sink: Arc<dyn Sink>,
    pub(super) health: Arc<Health>,
    pub(super) clock: Clock,
    pub(super) shutdown: CancellationToken,
}

/// The server stops, and the sink had refused: the batch was not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stopped;

impl Delivery {
    /// Hands a batch over, again and again until the sink takes it. After the shutdown began there is no second try.
    pub(super) async fn deliver(&self, batch: LiveBatch) -> Result<Accepted, Stopped> {
        loop {
            match self.sink.submit(batch.clone()).await {
                Ok(accepted) => {
                    self.count(accepted);
                    return Ok(accepted);
                }
                Err(Refused { retry_after, reason }) => {
                    self.health.refused.fetch_add(1, Relaxed);
                    self.fault(format!("refused: {reason}"));
                    let wait = tokio::time::sleep(retry_after.clamp(RETRY_MIN, RETRY_MAX));
                    tokio::select! {
                        () = wait => {}
                        () = self.shutdown.cancelled() => return Err(Stopped),
                    }
                }
            }
        }
    }

    /// Like [`Self::deliver`] where there is nobody to ask again: what is not delivered counts as dropped.
    pub(super) async fn deliver_or_drop(&self, batch: LiveBatch) -> Result<(), Stopped> {
        let records = batch.count;
        let result = self.deliver(batch).await;
        if result.is_err() {
            self.health.dropped.fetch_add(u64::from(records), Relaxed);
        }
        result.map(drop)
    }

    /// Notes something that went wrong.
    pub(super) fn fault(&self, text: String) {
        self.health.fault(self.now(), text);
    }

    /// Our clock.
    pub(super) fn now(&self) -> IngestTime {
        (self.clock)()
    }

    fn count(&self, accepted: Accepted) {
        let health = &self.health;
        health.accepted.fetch_add(u64::from(accepted.events), Relaxed);
        health
            .duplicates
            .fetch_add(u64::from(accepted.duplicates), Relaxed);
        health.rejected.fetch_add(u64::from(accepted.rejected), Relaxed);
    }
}
