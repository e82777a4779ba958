//! Listens on TCP and serves connections, with TLS or without.

use super::connection::{Connection, End};
use crate::live::LiveError;
use crate::live::deliver::Delivery;
use crate::live::health::Open;
use crate::live::settings::SourceSettings;
use rustls::ServerConfig;
use socket2::SockRef;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// From the connection to the end of the TLS handshake: a few round trips.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);

/// Wait after a failed `accept`: out of file descriptors it fails again at once, and must not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound listener.
pub(in crate::live) struct Listener {
    socket: TcpListener,
    connections_max: usize,
    idle: Duration,
    acceptor: Option<TlsAcceptor>,
}

impl Listener {
    /// Binds `address`; with `tls`, connections must speak TLS.
    pub(in crate::live) async fn bind(
        settings: &SourceSettings,
        address: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
    ) -> Result<Self, LiveError> {
        let socket = TcpListener::bind(address)
            .await
            .map_err(|source| LiveError::Listen {
                name: settings.name.clone(),
                address,
                source,
            })?;
        Ok(Self {
            socket,
            connections_max: settings.connections_max(),
            idle: settings.idle(),
            acceptor: tls.map(TlsAcceptor::from),
        })
    }

    /// The address it listens on, with the port that was given for port 0.
    pub(in crate::live) fn address(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()
    }
}

/// Serves connections until the shutdown, then waits for those that are open: each hands over what it has read.
pub(in crate::live) async fn run(listener: Listener, delivery: Delivery) {
    let places = Arc::new(Semaphore::new(listener.connections_max));
    // A set of its own, so that connections end with their listener.
    let mut tasks = JoinSet::new();
    loop {
        while tasks.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = listener.socket.accept() => accepted,
            () = delivery.shutdown.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(connection) => connection,
            Err(error) => {
                delivery.fault(format!("no connection accepted: {error}"));
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            turn_away(stream, &delivery).await;
            continue;
        };
        let (delivery, acceptor, idle) = (delivery.clone(), listener.acceptor.clone(), listener.idle);
        tasks.spawn(async move {
            let open = Open::new(&delivery.health);
            serve(stream, peer.ip().to_canonical(), (&delivery, acceptor, idle)).await;
            drop((open, place));
        });
    }
    while tasks.join_next().await.is_some() {}
}

/// Closes a connection in order, so that the sender reads an end and no reset.
async fn turn_away(mut stream: TcpStream, delivery: &Delivery) {
    delivery.health.turned_away.fetch_add(1, Relaxed);
    // Shutting the writing half down only queues a packet; it does not wait for the sender.
    let _ = stream.shutdown().await;
}

async fn serve(stream: TcpStream, peer: IpAddr, with: (&Delivery, Option<TlsAcceptor>, Duration)) -> End {
    let (delivery, acceptor, idle) = with;
    // Finds senders that went away without a word; quiet ones stay.
    let _ = SockRef::from(&stream).set_keepalive(true);
    let connection = Connection::new(delivery, peer, idle);
    let Some(acceptor) = acceptor else {
        return connection.run(stream).await;
    };
    let handshake = timeout(HANDSHAKE_TIME_MAX, acceptor.accept(stream));
    let shaken = tokio::select! {
        shaken = handshake => shaken,
        () = delivery.shutdown.cancelled() => return End::Stopped,
    };
    match shaken {
        Ok(Ok(stream)) => Connection::new(delivery, peer, idle).run(stream).await,
        Ok(Err(error)) => {
            delivery.fault(format!("TLS handshake failed: {error}"));
            End::Closed
        }
        Err(_) => {
            delivery.health.timed_out.fetch_add(1, Relaxed);
            End::TimedOut
        }
    }
}
