//! Listening, and ending when asked.

use super::clock;
use super::intake::Intake;
use super::made::{console_clock, console_settings};
use super::start::Server;
use super::store::Layout;
use crate::config::{Loaded, Serve};
use crate::failure::{Failure, Trouble};
use habitus_console::Console;
use habitus_normalize::FormatChoice;
use habitus_sources::live::{self, Wiring};
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Sources get so long to hand over what they hold.
const SOURCES_GRACE: Duration = Duration::from_secs(10);

/// A server that listens.
pub struct Running {
    server: Server,
    console: Console,
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    sources: live::Running,
    layout: Layout,
    shutdown: CancellationToken,
    signals: Signals,
}

/// What tells the server to end or to read its configuration again. Listened to before anybody is told that it runs.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Failure> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

impl Running {
    /// Starts everything but answering.
    ///
    /// # Errors
    /// Whatever keeps it from serving, with how to mend it.
    pub async fn start(loaded: &Loaded) -> Result<Self, Failure> {
        let serve = &loaded.config.serve;
        // One provider of cryptography for all of rustls; a second call, in tests, changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let tls = tls(loaded)?;
        refuse_open_doors(serve, tls.is_some())?;
        let listener = bind(serve.listen).await?;
        let address = listener.local_addr()?;
        let layout = Layout(serve.data_dir.clone());
        let mut server = Server::start(loaded, &layout)?;
        let shutdown = CancellationToken::new();
        let sources = sources(loaded, &server, (&layout, shutdown.clone())).await?;
        server.core.health.run(sources.sources());
        server.background();
        // Who allows plain HTTP says that a proxy has TLS: then browsers come over it.
        let https = tls.is_some() || serve.dangerously_allow_plain_http;
        let settings = console_settings(serve, https)?;
        let console = Console::new(
            server.product(),
            Arc::clone(&server.access),
            settings,
            console_clock(),
        );
        Ok(Self {
            server,
            console,
            listener,
            address,
            tls,
            sources,
            layout,
            shutdown,
            signals: Signals::listen()?,
        })
    }

    /// Where it listens, as a URL.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Path of a link that signs an admin in, if none could otherwise.
    pub fn link(&self) -> Option<&str> {
        self.server.link.as_deref()
    }

    /// What was found at start, for people.
    pub fn recovery(&self) -> &str {
        &self.server.recovery
    }

    /// The server behind it.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Answers until SIGINT or SIGTERM, and then ends in good order. SIGHUP reads the configuration again.
    ///
    /// # Errors
    /// Signals that cannot be listened to.
    pub async fn serve(mut self, load: impl Fn() -> Result<Loaded, Failure>) -> Result<(), Failure> {
        let signals = &mut self.signals;
        let shutdown = self.shutdown.clone();
        let ended = self
            .console
            .serve(vec![self.listener], self.tls, shutdown.clone().cancelled_owned());
        let answering = tokio::spawn(ended);
        loop {
            tokio::select! {
                _ = signals.interrupt.recv() => break,
                _ = signals.terminate.recv() => break,
                _ = signals.hangup.recv() => reload(&self.server, load(), &self.layout),
            }
        }
        shutdown.cancel();
        let (_, _) = tokio::join!(answering, self.sources.join(SOURCES_GRACE));
        let server = self.server;
        let stopped = tokio::task::spawn_blocking(move || server.stop()).await;
        stopped.map_err(|_| Failure::new(Trouble::Bug, "the server did not end in good order"))
    }
}

fn reload(server: &Server, loaded: Result<Loaded, Failure>, layout: &Layout) {
    let read = loaded.and_then(|loaded| server.reload(&loaded, layout).map(|()| loaded.version()));
    match &read {
        Ok(_) => tracing::info!("configuration, tables and policy were read again"),
        Err(failure) => tracing::error!(%failure, "the last good configuration stays"),
    }
    server.note_reload(&read.map_err(|failure| failure.trouble()));
}

async fn sources(
    loaded: &Loaded,
    server: &Server,
    (layout, shutdown): (&Layout, CancellationToken),
) -> Result<live::Running, Failure> {
    let mut settings = loaded.config.source.clone();
    for source in &mut settings {
        if let Err(error) = source.format.parse::<FormatChoice>() {
            let message = format!("source `{}`: `format`: {error}", source.name);
            return Err(Failure::new(Trouble::Configuration, message)
                .help("`auto` recognises each record; `habitus normalize --help` lists the formats"));
        }
        for path in &mut source.paths {
            *path = loaded.base().join(&path);
        }
    }
    let wiring = Wiring {
        sink: Arc::new(Intake(Arc::clone(&server.core))),
        clock: Arc::new(clock::now),
        checkpoints: layout.part("sources"),
        tls: std::collections::BTreeMap::new(),
        shutdown,
    };
    live::spawn(&settings, &wiring)
        .await
        .map_err(|error| Failure::new(Trouble::Configuration, error.to_string()))
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::new(
            Trouble::Unavailable,
            format!("cannot listen on {address}: {error}"),
        )
        .help("choose another address with --listen; port 0 takes a free one")
    })
}

/// Nothing is open: beyond this machine there must be TLS, or somebody who says that a proxy has it.
fn refuse_open_doors(serve: &Serve, has_tls: bool) -> Result<(), Failure> {
    if serve.listen.ip().is_loopback() || has_tls || serve.dangerously_allow_plain_http {
        return Ok(());
    }
    let message = format!(
        "{} can be reached from other machines, and there is no TLS",
        serve.listen
    );
    Err(Failure::new(Trouble::Configuration, message).help(
        "set `serve.tls_cert` and `serve.tls_key`, or `serve.dangerously_allow_plain_http = true` behind a proxy that has TLS",
    ))
}

/// The certificate that the configuration names; absent if it names none.
///
/// # Errors
/// One that cannot be used.
pub fn tls(loaded: &Loaded) -> Result<Option<Arc<ServerConfig>>, Failure> {
    let serve = &loaded.config.serve;
    let (cert, key) = match (&serve.tls_cert, &serve.tls_key) {
        (None, None) => return Ok(None),
        (Some(cert), Some(key)) => (loaded.base().join(cert), loaded.base().join(key)),
        _ => {
            let message = "`serve.tls_cert` and `serve.tls_key` belong together";
            return Err(Failure::new(Trouble::Configuration, message).help("set both, or none"));
        }
    };
    let wrong = |path: &Path, error: String| {
        let message = format!("`{}` cannot be used: {error}", path.display());
        Failure::new(Trouble::Configuration, message).help("write PEM files, as ACME clients and openssl do")
    };
    let chain = CertificateDer::pem_file_iter(&cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| wrong(&cert, error.to_string()))?;
    let secret = PrivateKeyDer::from_pem_file(&key).map_err(|error| wrong(&key, error.to_string()))?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| wrong(&cert, error.to_string()))?;
    Ok(Some(Arc::new(config)))
}
