//! What the disk itself needs for a sync, measured while the server works on it.

use crate::http::Failed;
use crate::latency::Latencies;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Bytes of one write: about what ten events are.
const BYTES: usize = 4_096;
/// Pause between two syncs: often enough for a quantile, seldom enough to be no load.
const PAUSE: Duration = Duration::from_millis(10);

/// A probe at work.
#[derive(Debug)]
pub struct Disk {
    done: Arc<AtomicBool>,
    thread: JoinHandle<Result<Latencies, Failed>>,
}

impl Disk {
    /// Begins to write and sync a file of its own in a directory.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn probe(dir: &Path) -> Result<Self, Failed> {
        let file = File::create(dir.join("probe"))?;
        let done = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&done);
        let thread = thread::spawn(move || sync_until(file, &told));
        Ok(Self { done, thread })
    }

    /// Ends, and tells what each write with its sync took.
    ///
    /// # Errors
    /// A sync that failed.
    pub fn end(self) -> Result<Latencies, Failed> {
        self.done.store(true, Ordering::Release);
        let joined = self.thread.join();
        joined.map_err(|_| Failed::new("the probe of the disk ended"))?
    }
}

fn sync_until(mut file: File, done: &AtomicBool) -> Result<Latencies, Failed> {
    let mut latencies = Latencies::default();
    while !done.load(Ordering::Acquire) {
        let began = Instant::now();
        file.write_all(&[7; BYTES])?;
        file.sync_data()?;
        latencies.add(began.elapsed());
        thread::sleep(PAUSE);
    }
    Ok(latencies)
}
