//! One connection of a TCP or TLS listener.

use super::frame::{Decoder, Found, window_bytes_max};
use super::{CONNECTION_BATCH_BYTES, MESSAGE_BYTES_MAX};
use crate::live::FLUSH_AFTER;
use crate::live::deliver::{Delivery, Stopped};
use crate::live::lines::Lines;
use bytes::{Buf, BufMut, BytesMut};
use std::io;
use std::net::IpAddr;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, sleep_until};

/// From a message's first byte to its last. A sender writes a message at once; who takes longer holds a place.
const MESSAGE_TIME_MAX: Duration = Duration::from_secs(30);

/// How much is read at once from a quiet connection, and from one that always has more.
const READ_BYTES_MIN: usize = 2 * 1024;
const READ_BYTES_MAX: usize = 64 * 1024;

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The sender closed it.
    Closed,
    /// The sender was silent, or slow within a message.
    TimedOut,
    /// The server stops.
    Stopped,
}

/// Reads messages until the connection ends, and hands them over. While a batch waits for the sink nothing is read,
/// so that the sender's window closes.
pub(super) struct Connection<'d> {
    delivery: &'d Delivery,
    peer: IpAddr,
    idle: Duration,
    decoder: Decoder,
    window: BytesMut,
    lines: Lines,
    read_bytes: usize,
    /// When the message in the window began, or the silence.
    waits_since: Instant,
    flush_at: Option<Instant>,
}

/// What happened on a connection.
enum Event {
    Read(io::Result<usize>),
    TimeIsUp,
    Shutdown,
}

impl<'d> Connection<'d> {
    pub(super) fn new(delivery: &'d Delivery, peer: IpAddr, idle: Duration) -> Self {
        Self {
            delivery,
            peer,
            idle,
            decoder: Decoder::new(MESSAGE_BYTES_MAX),
            window: BytesMut::new(),
            lines: Lines::default(),
            read_bytes: READ_BYTES_MIN,
            waits_since: Instant::now(),
            flush_at: None,
        }
    }

    /// Runs to the connection's end.
    pub(super) async fn run(mut self, mut stream: impl AsyncRead + Unpin) -> End {
        loop {
            match self.event(&mut stream).await {
                Event::Read(Ok(0)) => return self.close(End::Closed).await,
                Event::Read(Ok(n)) => {
                    // A sender that fills the buffer is busy; memory follows it, and goes when it is quiet.
                    if n >= self.read_bytes {
                        self.read_bytes = (self.read_bytes * 2).min(READ_BYTES_MAX);
                    }
                    if self.decode().await.is_err() {
                        return End::Stopped;
                    }
                }
                Event::Read(Err(error)) => {
                    self.delivery.fault(format!("connection lost: {}", error.kind()));
                    return self.close(End::Closed).await;
                }
                Event::TimeIsUp if self.flush_at.is_some() => {
                    if self.flush().await.is_err() {
                        return End::Stopped;
                    }
                }
                Event::TimeIsUp => {
                    self.delivery.health.timed_out.fetch_add(1, Relaxed);
                    return self.close(End::TimedOut).await;
                }
                Event::Shutdown => return self.close(End::Stopped).await,
            }
        }
    }

    async fn event(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Event {
        let is_within = !self.window.is_empty() || self.decoder.is_skipping();
        let patience = if is_within {
            MESSAGE_TIME_MAX.min(self.idle)
        } else {
            self.idle
        };
        let until = self.flush_at.unwrap_or(self.waits_since + patience);
        let room = window_bytes_max(MESSAGE_BYTES_MAX).saturating_sub(self.window.len());
        let wanted = room.min(self.read_bytes);
        self.window.reserve(wanted);
        let mut buffer = (&mut self.window).limit(wanted);
        tokio::select! {
            read = stream.read_buf(&mut buffer) => Event::Read(read),
            () = sleep_until(until) => Event::TimeIsUp,
            () = self.delivery.shutdown.cancelled() => Event::Shutdown,
        }
    }

    /// Takes all whole messages out of the window.
    async fn decode(&mut self) -> Result<(), Stopped> {
        let mut consumed = 0;
        while let Some(step) = self.decoder.step(self.window.get(consumed..).unwrap_or_default()) {
            consumed += step.consumed;
            match step.found {
                Found::Message(message) => {
                    let bytes = self.lines.push(message, Some(self.peer));
                    if bytes > 0 {
                        self.delivery.health.came(1, bytes, self.delivery.now());
                    }
                }
                Found::Oversized => {
                    self.delivery.health.oversized.fetch_add(1, Relaxed);
                }
                Found::Nothing => {}
            }
            if self.lines.len() >= CONNECTION_BATCH_BYTES {
                self.flush().await?;
            }
        }
        self.consume(consumed);
        if self.flush_at.is_none() && !self.lines.is_empty() {
            self.flush_at = Some(Instant::now() + FLUSH_AFTER);
        }
        Ok(())
    }

    fn consume(&mut self, consumed: usize) {
        // A message that is passed over has begun when it was first seen: dripping on does not buy time.
        if consumed > 0 && !self.decoder.is_skipping() {
            self.waits_since = Instant::now();
        }
        self.window.advance(consumed.min(self.window.len()));
    }

    /// Hands over what is gathered, and lets memory go that a quiet connection does not need.
    async fn flush(&mut self) -> Result<(), Stopped> {
        self.flush_at = None;
        if self.lines.is_empty() {
            return Ok(());
        }
        let is_quiet = self.lines.len() < READ_BYTES_MAX / 2;
        let batch = self.lines.take(&self.delivery.label);
        self.delivery.deliver_or_drop(batch).await?;
        // The time that the sink took is not the sender's.
        self.waits_since = Instant::now();
        if is_quiet && self.window.is_empty() {
            self.window = BytesMut::new();
            self.read_bytes = READ_BYTES_MIN;
        }
        Ok(())
    }

    /// Hands over what is left.
    async fn close(mut self, end: End) -> End {
        if let Found::Message(message) = self.decoder.finish(&self.window) {
            let bytes = self.lines.push(message, Some(self.peer));
            if bytes > 0 {
                self.delivery.health.came(1, bytes, self.delivery.now());
            }
        }
        match self.flush().await {
            Ok(()) => end,
            Err(Stopped) => End::Stopped,
        }
    }
}
