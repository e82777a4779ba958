//! A sink that collects, and sources that are started and stopped.

use async_trait::async_trait;
use habitus_model::IngestTime;
use habitus_sources::live::{
    Accepted, HealthReport, LiveBatch, LiveError, Refused, Running, Sink, SourceSettings, Wiring, spawn,
};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Keeps all batches; refuses while it is told to.
#[derive(Default)]
pub struct Collector {
    batches: Mutex<Vec<LiveBatch>>,
    pub refuses: AtomicBool,
    pub submitted: AtomicU64,
}

#[async_trait]
impl Sink for Collector {
    async fn submit(&self, batch: LiveBatch) -> Result<Accepted, Refused> {
        self.submitted.fetch_add(1, SeqCst);
        if self.refuses.load(SeqCst) {
            return Err(Refused {
                retry_after: Duration::from_millis(20),
                reason: "the disk is full".to_owned(),
            });
        }
        let newlines = batch.records.iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(newlines, batch.count as usize);
        assert!(batch.records.ends_with(b"\n"));
        let events = batch.count;
        self.batches.lock().unwrap().push(batch);
        Ok(Accepted {
            events,
            ..Accepted::default()
        })
    }
}

impl Collector {
    /// The lines of all batches, in the order in which they were taken.
    pub fn lines(&self) -> Vec<String> {
        let batches = self.batches.lock().unwrap();
        let lines = batches.iter().flat_map(LiveBatch::iter);
        lines
            .map(|(_, line)| String::from_utf8_lossy(line).into_owned())
            .collect()
    }

    pub fn batches(&self) -> Vec<LiveBatch> {
        self.batches.lock().unwrap().clone()
    }

    /// Waits until there are `n` lines; fails after `seconds`.
    pub async fn wait_for(&self, n: usize, seconds: u64) -> Vec<String> {
        let mut have = 0;
        for _ in 0..seconds * 50 {
            let batches = self.batches();
            have = batches.iter().map(|batch| batch.count as usize).sum();
            if have >= n {
                return self.lines();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{have} lines of {n} after {seconds} s");
    }
}

/// Sources that run.
pub struct Started {
    pub running: Running,
    pub shutdown: CancellationToken,
    pub sink: Arc<Collector>,
}

pub fn wiring(sink: Arc<dyn Sink>, checkpoints: &Path) -> Wiring {
    Wiring {
        sink,
        clock: Arc::new(|| IngestTime::from_millis(1_767_607_200_000).unwrap()),
        checkpoints: checkpoints.to_owned(),
        tls: BTreeMap::new(),
        shutdown: CancellationToken::new(),
    }
}

impl Started {
    pub async fn with(
        settings: &[SourceSettings],
        sink: Arc<Collector>,
        state: &Path,
    ) -> Result<Self, LiveError> {
        let wiring = wiring(sink.clone(), state);
        let running = spawn(settings, &wiring).await?;
        Ok(Self {
            running,
            shutdown: wiring.shutdown,
            sink,
        })
    }

    /// One source, with a new sink.
    pub async fn one(settings: SourceSettings) -> Self {
        let state = PathBuf::from("/nonexistent");
        Self::with(&[settings], Arc::new(Collector::default()), &state)
            .await
            .unwrap()
    }

    pub fn address(&self) -> SocketAddr {
        self.running.sources()[0].address.unwrap()
    }

    pub fn health(&self) -> HealthReport {
        self.running.sources()[0].health.report()
    }

    /// Waits until the health is as `is_so` says; fails after 20 s.
    pub async fn wait_health(&self, what: &str, is_so: impl Fn(&HealthReport) -> bool) -> HealthReport {
        for _ in 0..1_000 {
            let health = self.health();
            if is_so(&health) {
                return health;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{what}: {:?}", self.health());
    }

    /// Stops in order and gives what came.
    pub async fn stop(mut self) -> (HealthReport, Vec<String>) {
        self.shutdown.cancel();
        assert!(self.running.join(Duration::from_secs(10)).await, "stops in time");
        (self.health(), self.sink.lines())
    }
}

pub fn listen(mut settings: SourceSettings) -> SourceSettings {
    settings.listen = Some("127.0.0.1:0".parse().unwrap());
    settings
}
