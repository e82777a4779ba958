//! Syslog over UDP (RFC 5426): one datagram, one message.
//!
//! UDP knows no back-pressure: what the sink does not take in time fills a bounded queue, then is dropped and counted.
//! What the kernel drops, because its own buffer is full, is counted too, where it says so ([`super::kernel`]).

use super::{CONNECTION_BATCH_BYTES, MESSAGE_BYTES_MAX, UDP_QUEUE_BATCHES_MAX, kernel};
use crate::live::contract::LiveBatch;
use crate::live::deliver::Delivery;
use crate::live::lines::Lines;
use crate::live::{FLUSH_AFTER, LiveError};
use socket2::SockRef;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, sleep_until, timeout};

/// Asked of the kernel as its buffer; it gives `net.core.rmem_max` at most. At 300 bytes a message 8 MiB hold about
/// 10,000 of them with the kernel's own bookkeeping.
const KERNEL_BUFFER_BYTES: usize = 8 * 1024 * 1024;

/// How often the kernel is asked what it dropped.
const KERNEL_ASK_EVERY: Duration = Duration::from_secs(1);

/// Wait after a failed read of the socket, so that an error that stays does not spin.
const ERROR_PAUSE: Duration = Duration::from_millis(100);

/// How long a socket is asked for datagrams after the shutdown: the answer is there or not.
const LAST_LOOK: Duration = Duration::from_millis(20);

/// Datagrams read in a row before other tasks get their turn.
const DATAGRAMS_IN_A_ROW_MAX: usize = 256;

/// A bound socket.
pub(in crate::live) struct Socket {
    socket: UdpSocket,
}

impl Socket {
    /// Binds `address`.
    pub(in crate::live) async fn bind(name: &str, address: SocketAddr) -> Result<Self, LiveError> {
        let socket = UdpSocket::bind(address)
            .await
            .map_err(|source| LiveError::Listen {
                name: name.to_owned(),
                address,
                source,
            })?;
        // A smaller buffer drops sooner, and is counted; so this may fail.
        let _ = SockRef::from(&socket).set_recv_buffer_size(KERNEL_BUFFER_BYTES);
        Ok(Self { socket })
    }

    /// The address it listens on, with the port that was given for port 0.
    pub(in crate::live) fn address(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()
    }
}

/// Reads datagrams until the shutdown; hands over what is queued then.
pub(in crate::live) async fn run(socket: Socket, delivery: Delivery) {
    let (queue, queued) = channel(UDP_QUEUE_BATCHES_MAX);
    let mut task = JoinSet::new();
    task.spawn(hand_over(delivery.clone(), queued));
    let mut receiver = Udp {
        socket: socket.socket,
        delivery,
        queue,
        lines: Lines::default(),
        flush_at: None,
        kernel_dropped: None,
        datagram: vec![0; MESSAGE_BYTES_MAX],
    };
    receiver.run().await;
    drop(receiver);
    let _ = task.join_next().await;
}

async fn hand_over(delivery: Delivery, mut queued: Receiver<LiveBatch>) {
    while let Some(batch) = queued.recv().await {
        // After the shutdown a refusal drops this batch and the next is tried once too: each is counted.
        let _ = delivery.deliver_or_drop(batch).await;
    }
}

struct Udp {
    socket: UdpSocket,
    delivery: Delivery,
    queue: Sender<LiveBatch>,
    lines: Lines,
    flush_at: Option<Instant>,
    /// The kernel's count when it was last asked; absent before the first time.
    kernel_dropped: Option<u64>,
    datagram: Vec<u8>,
}

impl Udp {
    async fn run(&mut self) {
        let mut ask = interval(KERNEL_ASK_EVERY);
        loop {
            let flush_at = self.flush_at;
            tokio::select! {
                readable = self.socket.readable() => match readable {
                    Ok(()) => self.read().await,
                    Err(error) => self.failed(&error).await,
                },
                () = sleep_until(flush_at.unwrap_or_else(Instant::now)), if flush_at.is_some() => self.flush(),
                _ = ask.tick() => self.count_kernel_drops(),
                () = self.delivery.shutdown.cancelled() => break,
            }
        }
        // What lies in the kernel's buffer now is taken along.
        if timeout(LAST_LOOK, self.socket.readable()).await.is_ok() {
            self.read().await;
        }
        self.flush();
        self.count_kernel_drops();
    }

    /// Takes what lies in the kernel's buffer, up to a share.
    async fn read(&mut self) {
        for _ in 0..DATAGRAMS_IN_A_ROW_MAX {
            match self.socket.try_recv_from(&mut self.datagram) {
                Ok((n, from)) => self.message(n, from.ip().to_canonical()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    self.failed(&error).await;
                    break;
                }
            }
        }
        if self.flush_at.is_none() && !self.lines.is_empty() {
            self.flush_at = Some(Instant::now() + FLUSH_AFTER);
        }
    }

    fn message(&mut self, n: usize, from: IpAddr) {
        let datagram = self.datagram.get(..n).unwrap_or_default();
        let bytes = self.lines.push(datagram, Some(from));
        if bytes > 0 {
            self.delivery.health.came(1, bytes, self.delivery.now());
        }
        if self.lines.len() >= CONNECTION_BATCH_BYTES {
            self.flush();
        }
    }

    /// Queues what is gathered; a full queue drops it.
    fn flush(&mut self) {
        self.flush_at = None;
        if self.lines.is_empty() {
            return;
        }
        let records = u64::from(self.lines.count());
        let batch = self.lines.take(&self.delivery.label);
        if self.queue.try_send(batch).is_err() {
            self.delivery.health.dropped.fetch_add(records, Relaxed);
        }
    }

    async fn failed(&self, error: &io::Error) {
        self.delivery
            .fault(format!("datagrams cannot be read: {}", error.kind()));
        sleep(ERROR_PAUSE).await;
    }

    fn count_kernel_drops(&mut self) {
        let Ok(address) = self.socket.local_addr() else {
            return;
        };
        let Some(dropped) = kernel::udp_drops(&SockRef::from(&self.socket), address) else {
            return;
        };
        let since = dropped.saturating_sub(self.kernel_dropped.unwrap_or(0));
        self.kernel_dropped = Some(dropped);
        if since > 0 {
            self.delivery.health.dropped.fetch_add(since, Relaxed);
            self.delivery
                .fault("the kernel's buffer overflowed: raise net.core.rmem_max".to_owned());
        }
    }
}
