//! Standard input, followed to its end.
//!
//! A thread of its own reads, since a terminal or pipe cannot be read otherwise than by waiting; it hands pieces over
//! one by one and waits while the sink refuses, so that whoever writes into the pipe waits too.

use super::FLUSH_AFTER;
use super::deliver::Delivery;
use super::health::{Open, add};
use super::lines::Lines;
use super::tail::RECORD_BYTES_MAX;
use bytes::Bytes;
use memchr::memchr;
use std::io::{ErrorKind, Read};
use std::sync::atomic::Ordering::Relaxed;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep_until};

/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;

/// Pieces between the thread and the source: one is cut into lines while the next is read.
const PIECES_MAX: usize = 2;

/// A batch is handed over at this size.
const BATCH_BYTES: usize = 512 * 1024;

/// Follows `input` to its end, then gives back control; what is left without a line feed is the last record.
pub(super) async fn run(delivery: Delivery, input: impl Read + Send + 'static) {
    let open = Open::new(&delivery.health);
    let (sender, pieces) = channel(PIECES_MAX);
    let reader = delivery.clone();
    let thread = std::thread::Builder::new().name("stdin".to_owned());
    // The thread is not waited for: it may sit in a read for ever. It ends with the next piece that nobody takes.
    if let Err(error) = thread.spawn(move || read(input, &sender, &reader)) {
        delivery.fault(format!("no thread: {error}"));
        return;
    }
    let mut cutter = Cutter::default();
    follow(&delivery, pieces, &mut cutter).await;
    cutter.finish(&delivery);
    if !cutter.lines.is_empty() {
        let batch = cutter.lines.take(&delivery.label);
        let _ = delivery.deliver_or_drop(batch).await;
    }
    drop(open);
}

fn read(mut input: impl Read, pieces: &Sender<Bytes>, delivery: &Delivery) {
    let mut piece = vec![0; READ_BYTES];
    loop {
        match input.read(&mut piece) {
            Ok(0) => return,
            Ok(n) => {
                let read = Bytes::copy_from_slice(piece.get(..n).unwrap_or_default());
                if pieces.blocking_send(read).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                delivery.fault(format!("standard input cannot be read: {error}"));
                return;
            }
        }
    }
}

/// Until the input ends or the server stops.
async fn follow(delivery: &Delivery, mut pieces: Receiver<Bytes>, cutter: &mut Cutter) {
    let mut flush_at = None;
    loop {
        if cutter.lines.is_empty() {
            flush_at = None;
        } else {
            let due = *flush_at.get_or_insert_with(|| Instant::now() + FLUSH_AFTER);
            if cutter.lines.len() >= BATCH_BYTES || due <= Instant::now() {
                let batch = cutter.lines.take(&delivery.label);
                if delivery.deliver_or_drop(batch).await.is_err() {
                    return;
                }
                continue;
            }
        }
        tokio::select! {
            piece = pieces.recv() => match piece {
                Some(piece) => cutter.cut(&piece, delivery),
                None => return,
            },
            () = sleep_until(flush_at.unwrap_or_else(Instant::now)), if flush_at.is_some() => {}
            () = delivery.shutdown.cancelled() => return,
        }
    }
}

/// Cuts pieces into lines.
#[derive(Debug, Default)]
struct Cutter {
    /// The line that has no end yet; at most [`RECORD_BYTES_MAX`].
    partial: Vec<u8>,
    /// Whether the rest of a line that is too long is being passed over.
    is_skipping: bool,
    lines: Lines,
}

impl Cutter {
    fn cut(&mut self, piece: &[u8], delivery: &Delivery) {
        let mut rest = piece;
        while let Some(end) = memchr(b'\n', rest) {
            let (line, behind) = rest.split_at(end);
            self.extend(line, delivery);
            self.finish(delivery);
            rest = behind.get(1..).unwrap_or_default();
        }
        self.extend(rest, delivery);
    }

    fn extend(&mut self, bytes: &[u8], delivery: &Delivery) {
        if self.is_skipping {
            return;
        }
        if self.partial.len().saturating_add(bytes.len()) > RECORD_BYTES_MAX {
            self.partial = Vec::new();
            self.is_skipping = true;
            add(&delivery.health.oversized, 1);
            return;
        }
        self.partial.extend_from_slice(bytes);
    }

    /// Ends the line.
    fn finish(&mut self, delivery: &Delivery) {
        self.is_skipping = false;
        let bytes = self.lines.push(&self.partial, None);
        self.partial.clear();
        if bytes > 0 {
            delivery.health.came(1, bytes, delivery.now());
        }
        debug_assert!(delivery.health.received.load(Relaxed) >= u64::from(self.lines.count()));
    }
}
