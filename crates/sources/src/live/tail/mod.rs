//! Follows files that are appended to, across rotation, truncation and restarts.
//!
//! Every 250 ms the paths are looked up and what is new in their files is read, up to the last line feed. A file is
//! known by its device and inode, and by a mark of its content ([`mark`]): its first bytes and those before the place
//! reached. So it is the same file under another name, and another one under the same name or the same inode.
//!
//! | what happens | what is seen | what is done |
//! |---|---|---|
//! | renamed, a new one made | the path has another inode | the old one is read to its end, for a minute more; the new one from its start |
//! | copied and truncated | shorter than the place reached, or another mark | the rest is read from the copy, if there is one; then on from the start |
//! | deleted | no path, no links | read to its end |
//! | compressed | `.gz` and the like, or such first bytes | left out: it was read before |
//! | restart | checkpoints | on from the place reached, also if it was renamed or copied meanwhile |
//!
//! A checkpoint is saved only behind what the sink accepted: after a crash some lines come again, none is missing.
//! Polling, because inotify says nothing about network file systems and overflows under load.

mod candidates;
mod checkpoints;
mod follow;
mod mark;
mod tailer;
#[cfg(test)]
mod tests;

pub(super) use tailer::Tailer;

use super::contract::{Checkpoint, LiveBatch};
use super::deliver::Delivery;
use follow::Chunk;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Longest line in bytes; longer ones are passed over and counted (RELIABILITY S-04: 1 MiB).
pub const RECORD_BYTES_MAX: usize = 1024 * 1024;

/// Files that one source follows at once; further ones wait until others end.
pub const FILES_MAX: usize = 4_096;

/// Files that one source holds open at once: the busiest ones. Others are opened when they have grown.
pub const OPEN_FILES_MAX: usize = 256;

/// How often files are looked at: a login is seen within a quarter of a second, and 4,096 calls of `stat` a poll are
/// about 1 % of a core.
const POLL_EVERY: Duration = Duration::from_millis(250);

/// Checkpoints are saved this often while lines come, and whenever none come: the lines that come again after a crash
/// are those of a second.
const SAVE_EVERY: Duration = Duration::from_secs(1);

/// Follows files until the shutdown.
pub(super) async fn run(mut tailer: Tailer, delivery: Delivery) {
    let mut saved = Instant::now();
    while !delivery.shutdown.is_cancelled() {
        // Files are read on a thread that may wait for a disk; the state goes there and comes back.
        let round = tokio::task::spawn_blocking(move || {
            let chunks = tailer.round(Instant::now());
            (tailer, chunks)
        });
        let chunks;
        match round.await {
            Ok((back, read)) => (tailer, chunks) = (back, read),
            Err(error) => {
                delivery.fault(format!("following files has stopped: {error}"));
                return;
            }
        }
        report(&mut tailer, &delivery);
        let is_idle = chunks.is_empty();
        hand_over(&mut tailer, chunks, &delivery).await;
        if is_idle || saved.elapsed() >= SAVE_EVERY {
            match save(tailer, &delivery).await {
                Some(back) => tailer = back,
                None => return,
            }
            saved = Instant::now();
        }
        if is_idle {
            tokio::select! {
                () = sleep(POLL_EVERY) => {}
                () = delivery.shutdown.cancelled() => {}
            }
        }
    }
    save(tailer, &delivery).await;
}

/// Hands chunks over, all at once: they are of different files, so their order is none.
async fn hand_over(tailer: &mut Tailer, chunks: Vec<Chunk>, delivery: &Delivery) {
    let mut answers: FuturesUnordered<_> = chunks
        .into_iter()
        .map(|chunk| async move {
            let batch = batch(&chunk, delivery);
            delivery
                .health
                .came(batch.count, batch.records.len(), delivery.now());
            let answer = delivery.deliver(batch).await;
            (chunk, answer)
        })
        .collect();
    while let Some((chunk, answer)) = answers.next().await {
        if answer.is_ok() {
            tailer.accepted(&chunk);
        }
    }
}

fn batch(chunk: &Chunk, delivery: &Delivery) -> LiveBatch {
    LiveBatch {
        source: delivery.label.clone(),
        records: chunk.records.clone(),
        count: chunk.lines,
        origin: None,
        checkpoint: Some(Checkpoint {
            device: chunk.key.device,
            inode: chunk.key.inode,
            offset: chunk.start,
        }),
    }
}

/// Carries what a round found out into the source's health.
fn report(tailer: &mut Tailer, delivery: &Delivery) {
    let found = tailer.take_findings();
    delivery.health.open.store(found.open, Relaxed);
    delivery.health.oversized.fetch_add(found.oversized, Relaxed);
    for fault in found.faults {
        delivery.fault(fault);
    }
}

/// Saves checkpoints where they moved. Absent if saving has a bug: what is not known to be saved is not gone on from.
async fn save(mut tailer: Tailer, delivery: &Delivery) -> Option<Tailer> {
    if !tailer.is_dirty() {
        return Some(tailer);
    }
    let saving = tokio::task::spawn_blocking(move || {
        let saved = tailer.save();
        (tailer, saved)
    });
    match saving.await {
        Ok((tailer, saved)) => {
            if let Err(error) = saved {
                // What was accepted stays accepted; the next save tries again.
                delivery.fault(format!("checkpoints cannot be saved: {error}"));
            }
            Some(tailer)
        }
        Err(error) => {
            delivery.fault(format!("following files has stopped: {error}"));
            None
        }
    }
}
