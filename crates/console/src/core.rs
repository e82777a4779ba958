//! What every request handler shares.

use crate::access::{Access, AccessError};
use crate::budget::Budget;
use crate::counters::Counters;
use crate::problem::Problem;
use crate::product::Product;
use crate::settings::{Clock, Settings};
use bytes::Bytes;
use habitus_model::EventTime;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Semaphore, watch};

/// Shared by all handlers.
pub(crate) struct Core {
    pub product: Product,
    pub access: Arc<Access>,
    pub settings: Settings,
    pub clock: Clock,
    pub budget: Budget,
    pub requests: Arc<Semaphore>,
    pub streams: Arc<Semaphore>,
    /// Password checks at the same time: each takes 19 MiB and a core.
    pub checks: Arc<Semaphore>,
    pub counters: Counters,
    pub openapi: Bytes,
    /// Method and path of each row of the table.
    pub row_names: Vec<(String, String)>,
    /// Becomes true when the server shuts down: streams end.
    pub closing: watch::Sender<bool>,
    request_prefix: String,
    request_count: AtomicU64,
}

/// Handle to it.
pub(crate) type App = Arc<Core>;

/// Password checks at the same time.
const CHECKS_MAX: usize = 2;

impl Core {
    pub(crate) fn new(
        (product, access): (Product, Arc<Access>),
        settings: Settings,
        clock: Clock,
        (openapi, row_names): (Bytes, Vec<(String, String)>),
    ) -> Self {
        let limits = settings.limits.clone();
        // Ids need not be secret, only differ between runs; without entropy the time serves.
        let started = clock.now().as_millis().unsigned_abs();
        let prefix =
            crate::access::entropy::bytes::<4>().map_or(started, |b| u64::from(u32::from_le_bytes(b)));
        Self {
            product,
            access,
            settings,
            clock,
            budget: Budget::new(limits.bodies_bytes),
            requests: Arc::new(Semaphore::new(limits.requests)),
            streams: Arc::new(Semaphore::new(limits.streams)),
            checks: Arc::new(Semaphore::new(CHECKS_MAX)),
            counters: Counters::new(row_names.len()),
            openapi,
            row_names,
            closing: watch::Sender::new(false),
            request_prefix: format!("{prefix:08x}"),
            request_count: AtomicU64::new(0),
        }
    }

    pub(crate) fn now(&self) -> EventTime {
        self.clock.now()
    }

    pub(crate) fn next_request_id(&self) -> String {
        let count = self.request_count.fetch_add(1, Ordering::Relaxed);
        format!("{}-{count:x}", self.request_prefix)
    }

    /// Runs something on access that may wait for the disk.
    pub(crate) async fn with_access<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Access) -> Result<T, AccessError> + Send + 'static,
    ) -> Result<T, Problem> {
        Ok(self.access_result(work).await?)
    }

    /// The same, for those who tell errors apart.
    pub(crate) async fn access_result<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Access) -> Result<T, AccessError> + Send + 'static,
    ) -> Result<T, AccessError> {
        let access = Arc::clone(&self.access);
        match tokio::task::spawn_blocking(move || work(&access)).await {
            Ok(done) => done,
            // It panicked or the runtime is going down: nothing was stored that is known of.
            Err(_) => Err(AccessError::Storage),
        }
    }
}
