//! Starts sources and waits for them.

use super::contract::{Label, Sink};
use super::deliver::Delivery;
use super::health::Health;
use super::settings::{SourceKind, SourceSettings};
use super::syslog::{self, Listener, Socket};
use super::{LiveError, stdin, tail, tls};
use habitus_model::IngestTime;
use rustls::ServerConfig;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Our clock: only the app reads one.
pub type Clock = Arc<dyn Fn() -> IngestTime + Send + Sync>;

/// What sources are given. Everything in it is shared by all of them.
#[derive(Clone)]
pub struct Wiring {
    /// Where batches go.
    pub sink: Arc<dyn Sink>,
    /// What time it is, for health reports.
    pub clock: Clock,
    /// Where `tail` keeps its checkpoints: one file for each source. Made if it is not there.
    pub checkpoints: PathBuf,
    /// TLS by name of source, for certificates that the caller manages (an `rustls` resolver can renew them). A
    /// `syslog_tls` that is not here reads its own files.
    pub tls: BTreeMap<String, Arc<ServerConfig>>,
    /// Cancelled when the server stops.
    pub shutdown: CancellationToken,
}

/// A source that was started.
#[derive(Clone)]
pub struct RunningSource {
    /// Its name, tenant and format.
    pub label: Arc<Label>,
    /// How it is doing.
    pub health: Arc<Health>,
    /// Where it listens, with the port that the system chose for port 0; absent for files and standard input.
    pub address: Option<SocketAddr>,
}

/// The sources that were started. Dropped, it aborts them.
pub struct Running {
    sources: Vec<RunningSource>,
    tasks: JoinSet<()>,
}

impl Running {
    /// The sources in the order of the configuration, those too that have ended since.
    #[must_use]
    pub fn sources(&self) -> &[RunningSource] {
        &self.sources
    }

    /// Waits until all sources have ended: by themselves (standard input ends), or after [`Wiring::shutdown`]. What
    /// still runs after `grace` is aborted. True if all ended by themselves within it.
    pub async fn join(&mut self, grace: Duration) -> bool {
        let all = async { while self.tasks.join_next().await.is_some() {} };
        let ended = tokio::time::timeout(grace, all).await.is_ok();
        self.tasks.shutdown().await;
        ended
    }
}

/// A source that is bound and not yet running: what can fail has been done.
enum Ready {
    Stream(Listener),
    Datagrams(Socket),
    Files(tail::Tailer),
    Stdin,
}

/// Starts sources. All of them are bound before the first one runs, so that an error starts nothing.
///
/// # Errors
/// Settings that do not fit; an address that cannot be listened on; certificates or a directory for checkpoints that
/// cannot be used. Files that are not there are no error: they may come.
pub async fn spawn(settings: &[SourceSettings], wiring: &Wiring) -> Result<Running, LiveError> {
    let mut names = BTreeSet::new();
    let mut ready = Vec::with_capacity(settings.len());
    for source in settings {
        source.check()?;
        let again = !names.insert(source.name.as_str());
        let stdin_again = source.kind == SourceKind::Stdin
            && settings.iter().filter(|other| other.kind == source.kind).count() > 1;
        if again || stdin_again {
            let problem = if again {
                "the name is used twice"
            } else {
                "standard input has one reader"
            };
            return Err(LiveError::Setting {
                name: source.name.clone(),
                problem: problem.to_owned(),
            });
        }
        ready.push((source, prepare(source, wiring).await?));
    }
    let mut running = Running {
        sources: Vec::with_capacity(ready.len()),
        tasks: JoinSet::new(),
    };
    for (source, ready) in ready {
        running.start(source, ready, wiring);
    }
    Ok(running)
}

async fn prepare(source: &SourceSettings, wiring: &Wiring) -> Result<Ready, LiveError> {
    let address = source
        .listen
        .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
    match source.kind {
        SourceKind::SyslogTcp => Listener::bind(source, address, None).await.map(Ready::Stream),
        SourceKind::SyslogTls => {
            let config = match wiring.tls.get(&source.name) {
                Some(config) => Arc::clone(config),
                None => tls::server_config(source)?,
            };
            Listener::bind(source, address, Some(config))
                .await
                .map(Ready::Stream)
        }
        SourceKind::SyslogUdp => Socket::bind(&source.name, address).await.map(Ready::Datagrams),
        SourceKind::Tail => tail::Tailer::open(source, &wiring.checkpoints).map(Ready::Files),
        SourceKind::Stdin => Ok(Ready::Stdin),
    }
}

impl Running {
    fn start(&mut self, source: &SourceSettings, ready: Ready, wiring: &Wiring) {
        let delivery = Delivery {
            label: Arc::new(Label {
                name: source.name.clone(),
                tenant: source.tenant.clone(),
                format: source.format.clone(),
            }),
            sink: Arc::clone(&wiring.sink),
            health: Arc::new(Health::new(source.kind)),
            clock: Arc::clone(&wiring.clock),
            shutdown: wiring.shutdown.clone(),
        };
        let address = match &ready {
            Ready::Stream(listener) => listener.address(),
            Ready::Datagrams(socket) => socket.address(),
            Ready::Files(_) | Ready::Stdin => None,
        };
        self.sources.push(RunningSource {
            label: Arc::clone(&delivery.label),
            health: Arc::clone(&delivery.health),
            address,
        });
        self.tasks.spawn(supervised(ready, delivery));
    }
}

/// Runs a source. A panic, which would be a bug, ends this source alone and is in its health.
async fn supervised(ready: Ready, delivery: Delivery) {
    let source = delivery.clone();
    let mut task = JoinSet::new();
    task.spawn(async move {
        match ready {
            Ready::Stream(listener) => syslog::run(listener, source).await,
            Ready::Datagrams(socket) => syslog::run_udp(socket, source).await,
            Ready::Files(tailer) => tail::run(tailer, source).await,
            Ready::Stdin => stdin::run(source, std::io::stdin()).await,
        }
    });
    if let Some(Err(error)) = task.join_next().await
        && error.is_panic()
    {
        delivery.fault("the source has stopped: a bug in habitus".to_owned());
    }
}
