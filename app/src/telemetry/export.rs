//! Sending, in a thread of its own: what waits is bounded, and what cannot be sent is dropped and counted.

use super::layer::Otlp;
use super::wire::{self, LogRecord, Span};
use parking_lot::Mutex;
use reqwest::{Client, StatusCode, redirect};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// Spans, and as many lines, that wait: about 2 MB.
const WAITING_MAX: usize = 4_096;
/// Of one request; the default of OpenTelemetry's batch processors.
const AT_ONCE: usize = 512;
const EVERY: Duration = Duration::from_secs(1);
/// One request, connecting included.
const REQUEST: Duration = Duration::from_secs(5);
/// A request that the collector could not take is sent so often.
const TRIES: u32 = 3;

/// What waits.
#[derive(Debug, Default)]
pub struct Shared {
    waiting: Mutex<Waiting>,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    spans: Vec<Span>,
    logs: Vec<LogRecord>,
}

/// The thread that sends. Dropping it sends the rest, and waits for that.
#[derive(Debug)]
pub struct Exporter {
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Shared {
    /// Takes a span, if there is room.
    pub fn span(&self, span: Span) {
        self.push(|waiting| &mut waiting.spans, span);
    }

    /// Takes a line, if there is room.
    pub fn log(&self, log: LogRecord) {
        self.push(|waiting| &mut waiting.logs, log);
    }

    fn push<T>(&self, of: impl FnOnce(&mut Waiting) -> &mut Vec<T>, one: T) {
        let mut waiting = self.waiting.lock();
        let queue = of(&mut waiting);
        if queue.len() < WAITING_MAX {
            queue.push(one);
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Exporter {
    /// Starts sending to a collector, such as `http://127.0.0.1:4318`.
    ///
    /// # Errors
    /// No TLS, runtime or thread to be had.
    pub fn start(endpoint: &str) -> io::Result<Self> {
        // One provider of cryptography for all of rustls; a second call changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(REQUEST)
            .redirect(redirect::Policy::none())
            .build()
            .map_err(io::Error::other)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let shared = Arc::new(Shared::default());
        let sender = Sender {
            client,
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            shared: Arc::clone(&shared),
        };
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("telemetry".to_owned())
            .spawn(move || runtime.block_on(sender.run(stopped)))?;
        Ok(Self {
            shared,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// What hands it spans and lines.
    pub fn layer(&self) -> Otlp {
        Otlp::new(Arc::clone(&self.shared))
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Sender {
    client: Client,
    endpoint: String,
    shared: Arc<Shared>,
}

impl Sender {
    async fn run(self, mut stopped: oneshot::Receiver<()>) {
        let mut told = 0;
        loop {
            let is_over = tokio::time::timeout(EVERY, &mut stopped).await.is_ok();
            if is_over {
                // A collector that is gone keeps nobody from ending.
                let _ = tokio::time::timeout(REQUEST, self.send_all()).await;
                return;
            }
            self.send_all().await;
            let dropped = self.shared.dropped.load(Ordering::Relaxed);
            if dropped > told {
                // To standard error alone: telling the collector that it is gone fills what waits for it.
                tracing::warn!(target: "telemetry", dropped = dropped - told, "spans and lines could not be exported");
                told = dropped;
            }
        }
    }

    async fn send_all(&self) {
        let Waiting { spans, logs } = std::mem::take(&mut *self.shared.waiting.lock());
        for some in spans.chunks(AT_ONCE) {
            self.send("/v1/traces", (wire::traces(some.to_vec()), some.len()))
                .await;
        }
        for some in logs.chunks(AT_ONCE) {
            self.send("/v1/logs", (wire::logs(some.to_vec()), some.len()))
                .await;
        }
    }

    async fn send(&self, path: &str, (body, count): (Vec<u8>, usize)) {
        let url = format!("{}{path}", self.endpoint);
        for attempt in 1..=TRIES {
            let request = self
                .client
                .post(&url)
                .header("content-type", "application/x-protobuf");
            match request
                .body(body.clone())
                .send()
                .await
                .map(|answer| answer.status())
            {
                Ok(status) if status.is_success() => return,
                Ok(status) if !may_pass(status) => break,
                _ if attempt < TRIES => tokio::time::sleep(EVERY * attempt).await,
                _ => {}
            }
        }
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.shared.dropped.fetch_add(count, Ordering::Relaxed);
    }
}

/// Whether the same request may be taken later (OTLP 1.x, "Retryable Response Codes").
fn may_pass(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}
