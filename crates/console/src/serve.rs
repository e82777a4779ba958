//! Connections: accepted, encrypted, limited, and ended in good order.

use crate::address::Peer;
use crate::core::App;
use crate::settings::Limits;
use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tower::Service as _;

/// Header lines of a request.
const HEADERS_MAX: usize = 100;
/// Requests of one HTTP/2 connection at the same time.
const STREAMS_MAX: u32 = 100;
/// Streams that a client may open and reset before it is cut off (CVE-2023-44487).
const RESETS_MAX: usize = 50;
/// After this long without a sign of life an HTTP/2 peer is asked for one.
const PING_AFTER: Duration = Duration::from_secs(20);
/// Pause after accepting failed, for want of descriptors as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Pause between looks at a connection that has not yet said enough.
const PEEK_PAUSE: Duration = Duration::from_millis(5);
/// What an HTTP/2 client says first (RFC 9113 3.4) begins so, and no method of HTTP/1 does.
const HTTP2_BEGINS: &[u8] = b"PRI";

#[derive(Clone)]
struct Server {
    app: App,
    router: Router,
    tls: Option<TlsAcceptor>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Http1,
    Http2,
}

/// Serves until `shutdown` completes, and then until what is under way is done or the drain time is over.
pub(crate) async fn serve(
    (app, router): (App, Router),
    listeners: Vec<TcpListener>,
    tls: Option<Arc<ServerConfig>>,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let server = Server {
        tls: tls.map(|config| TlsAcceptor::from(with_alpn(&config))),
        router,
        app: app.clone(),
    };
    let limits = app.settings.limits.clone();
    let permits = Arc::new(Semaphore::new(limits.connections));
    let mut acceptors = JoinSet::new();
    for listener in listeners {
        acceptors.spawn(accept(listener, server.clone(), Arc::clone(&permits)));
    }
    shutdown.await;
    app.closing.send_replace(true);
    acceptors.shutdown().await;
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    // Every connection holds a permit: when all are back, all are done.
    if tokio::time::timeout(limits.drain_time, permits.acquire_many(all))
        .await
        .is_err()
    {
        tracing::warn!("some requests were not done in time and are cut off");
    }
    Ok(())
}

async fn accept(listener: TcpListener, server: Server, permits: Arc<Semaphore>) {
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let server = server.clone();
                tokio::spawn(async move {
                    server.connection(stream, peer).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

impl Server {
    async fn connection(self, stream: TcpStream, peer: SocketAddr) {
        // Answers are small and wanted now.
        let _ = stream.set_nodelay(true);
        let head_time = self.app.settings.limits.head_time;
        let closing = self.app.closing.subscribe();
        let Some(acceptor) = self.tls.clone() else {
            let version = tokio::time::timeout(head_time, version_of(&stream)).await;
            if let Ok(Some(version)) = version {
                self.talk(stream, (version, peer), closing).await;
            }
            return;
        };
        let Ok(Ok(stream)) = tokio::time::timeout(head_time, acceptor.accept(stream)).await else {
            return;
        };
        let version = match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => Version::Http2,
            _ => Version::Http1,
        };
        self.talk(stream, (version, peer), closing).await;
    }

    async fn talk<S>(
        self,
        stream: S,
        (version, peer): (Version, SocketAddr),
        mut closing: watch::Receiver<bool>,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let limits = self.app.settings.limits.clone();
        let router = self.router;
        let asked = Arc::new(AtomicBool::new(false));
        let asking = Arc::clone(&asked);
        let service = service_fn(move |mut request: Request<Incoming>| {
            asking.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(Peer(peer));
            router.clone().call(request.map(Body::new))
        });
        let io = TokioIo::new(stream);
        // What a peer does wrong is its own affair: errors of connections are not logged.
        match version {
            Version::Http1 => {
                let mut connection = pin!(http1_builder(&limits).serve_connection(io, service));
                tokio::select! {
                    _ = connection.as_mut() => return,
                    () = told(&mut closing) => connection.as_mut().graceful_shutdown(),
                }
                let _ = connection.await;
            }
            Version::Http2 => {
                let mut connection = pin!(http2_builder(&limits).serve_connection(io, service));
                let idle = idle(&asked, limits.head_time);
                tokio::select! {
                    _ = connection.as_mut() => return,
                    () = idle => return,
                    () = told(&mut closing) => connection.as_mut().graceful_shutdown(),
                }
                let _ = connection.await;
            }
        }
    }
}

async fn told(closing: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = closing.wait_for(|closing| *closing).await;
}

/// Completes if nothing is asked in the time for a head: hyper does not limit how long an HTTP/2 client greets.
async fn idle(asked: &AtomicBool, head_time: Duration) {
    tokio::time::sleep(head_time).await;
    if asked.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}

/// Which protocol a connection without TLS speaks; absent if it is closed before it says.
async fn version_of(stream: &TcpStream) -> Option<Version> {
    let mut begins = [0; HTTP2_BEGINS.len()];
    loop {
        let seen = stream.peek(&mut begins).await.ok()?;
        let said = begins.get(..seen)?;
        if said.is_empty() {
            return None;
        }
        if said == HTTP2_BEGINS {
            return Some(Version::Http2);
        }
        if !HTTP2_BEGINS.starts_with(said) {
            return Some(Version::Http1);
        }
        tokio::time::sleep(PEEK_PAUSE).await;
    }
}

fn http1_builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_headers(HEADERS_MAX)
        // hyper's own smallest is 8 KiB.
        .max_buf_size(limits.head_bytes.max(8 * 1024))
        .half_close(false);
    builder
}

fn http2_builder(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(STREAMS_MAX)
        .max_pending_accept_reset_streams(RESETS_MAX)
        .max_local_error_reset_streams(RESETS_MAX)
        .keep_alive_interval(PING_AFTER)
        .keep_alive_timeout(limits.head_time);
    builder
}

/// The configuration with the protocols we speak.
fn with_alpn(config: &ServerConfig) -> Arc<ServerConfig> {
    let mut config = config.clone();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}
