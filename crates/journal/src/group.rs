//! Group commit: many threads append, one thread writes and syncs for all of them.
//!
//! While one group is being synced the next one gathers, so under load a sync serves many, and without load nobody waits for
//! company. [`GroupSettings::wait`] can trade latency for fewer syncs.

use crate::log::{Entry, Log, Position, Reader, Readers, Record};
use crate::{Error, Result};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Bytes that are committed together, unless one request alone has more: then each such part of it has a commit of its own.
pub const GROUP_BYTES: usize = 1024 * 1024;
/// The longest that a request may be made to wait for company (RELIABILITY section 4).
pub const WAIT_MAX: Duration = Duration::from_millis(5);

/// The journal as the rest of the product sees it. The log of this crate is the embedded form; a topic of a broker could be
/// another.
pub trait Journal: Send + Sync {
    /// Appends entries in their order. They are on stable storage when the ticket says so.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when too much waits, [`Error::Closed`], or what is wrong with an entry: nothing is taken.
    fn append(&self, entries: Vec<Entry>) -> Result<Ticket>;
    /// Reads what is committed, from a position.
    fn read_from(&self, position: Position) -> Box<dyn Iterator<Item = Result<Record>> + Send>;
}

/// How groups are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupSettings {
    /// Bytes that may wait, in frames. One request is taken by an empty queue whatever its size.
    pub queue_bytes_max: usize,
    /// How long the first request of a group waits for others; at most [`WAIT_MAX`]. Zero is best unless syncs are dear.
    pub wait: Duration,
}

/// What the committer has done since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupStats {
    /// Commits that succeeded.
    pub commits: u64,
    /// Records in them.
    pub records: u64,
    /// Commits with more than one request.
    pub shared: u64,
    /// Commits that failed.
    pub failures: u64,
    /// Requests refused because the queue was at its limit.
    pub refused: u64,
    /// Bytes that wait now.
    pub queued_bytes: usize,
}

/// Told when a request is on stable storage, or why not.
pub type Callback = Box<dyn FnOnce(Result<Range<Position>>) + Send>;

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Positions of its first entries, which are on stable storage: all of them, unless something failed.
    pub positions: Range<Position>,
    /// Why the others are not kept, as far as is known.
    pub failed: Option<Error>,
}

/// Told what of a request is on stable storage.
pub type KeptCallback = Box<dyn FnOnce(Kept) + Send>;

/// Takes the committed records, in order, in the committer's thread. While it blocks, nothing is committed: that is the
/// back-pressure.
pub type Consumer = Box<dyn FnMut(Vec<Record>) + Send>;

/// The promise of an answer.
#[derive(Debug)]
pub struct Ticket(Receiver<Result<Range<Position>>>);

/// The committer thread's handle; shared by all who append.
pub struct Committer {
    shared: Arc<Shared>,
    readers: Readers,
    thread: Mutex<Option<JoinHandle<Log>>>,
}

struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    settings: GroupSettings,
}

#[derive(Default)]
struct Queue {
    requests: VecDeque<Request>,
    stats: GroupStats,
    is_closed: bool,
}

struct Request {
    entries: Vec<Entry>,
    bytes: usize,
    callback: KeptCallback,
}

/// Answers everyone when the thread ends, however it ends.
struct Farewell(Arc<Shared>);

impl Default for GroupSettings {
    fn default() -> Self {
        Self {
            queue_bytes_max: 64 * 1024 * 1024,
            wait: Duration::ZERO,
        }
    }
}

impl Ticket {
    /// Waits for the answer: the positions, or why the entries are not kept. After [`Error::Full`] and other errors a part of a
    /// request larger than [`GROUP_BYTES`] may be kept; deduplication makes sending it again harmless.
    ///
    /// # Errors
    /// As [`Log::commit`]; [`Error::Closed`] if the committer ended without an answer: whether the entries are kept is not known.
    pub fn wait(self) -> Result<Range<Position>> {
        self.0.recv().unwrap_or(Err(Error::Closed))
    }
}

impl Committer {
    /// Starts the thread, which owns the log from now on.
    ///
    /// # Errors
    /// [`Error::Io`] if the machine gives no thread.
    pub fn start(log: Log, settings: GroupSettings, consumer: Consumer) -> Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            wake: Condvar::new(),
            settings,
        });
        let readers = log.readers();
        let of_thread = shared.clone();
        let thread = thread::Builder::new()
            .name("committer".to_owned())
            .spawn(move || run(&of_thread, log, consumer))
            .map_err(Error::io("start the committer"))?;
        Ok(Self {
            shared,
            readers,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Appends entries; the callback is called in the committer's thread and must not block. It hears of a request that is kept in
    /// part as of one that is not: see [`Committer::append_kept`].
    ///
    /// # Errors
    /// As [`Journal::append`]; the callback is then not called.
    pub fn append_then(&self, entries: Vec<Entry>, callback: Callback) -> Result<()> {
        let whole = |kept: Kept| kept.failed.map_or(Ok(kept.positions), Err);
        self.append_kept(entries, Box::new(move |kept| callback(whole(kept))))
    }

    /// Appends entries, and tells how many of them are kept: a request larger than [`GROUP_BYTES`] is committed in parts, and the
    /// disk may be full in between. The callback is called in the committer's thread, in the order of the log, and must not block.
    ///
    /// # Errors
    /// As [`Journal::append`]; the callback is then not called.
    pub fn append_kept(&self, entries: Vec<Entry>, callback: KeptCallback) -> Result<()> {
        let mut bytes = 0;
        for entry in &entries {
            entry.check()?;
            bytes += entry.frame_bytes();
        }
        let mut queue = self.shared.lock();
        if queue.is_closed {
            return Err(Error::Closed);
        }
        let queued = queue.stats.queued_bytes;
        if queued > 0 && queued.saturating_add(bytes) > self.shared.settings.queue_bytes_max {
            queue.stats.refused += 1;
            return Err(Error::Overloaded);
        }
        queue.stats.queued_bytes += bytes;
        queue.requests.push_back(Request {
            entries,
            bytes,
            callback,
        });
        drop(queue);
        self.shared.wake.notify_one();
        Ok(())
    }

    /// Readers of what is committed.
    #[must_use]
    pub fn readers(&self) -> Readers {
        self.readers.clone()
    }

    /// What was done so far.
    #[must_use]
    pub fn stats(&self) -> GroupStats {
        self.shared.lock().stats
    }

    /// Takes no more, commits what waits, ends the thread and gives the log back. `None` if it was closed before, or if the
    /// thread ended by a panic of a callback or of the consumer.
    pub fn close(&self) -> Option<Log> {
        self.shared.lock().is_closed = true;
        self.shared.wake.notify_one();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()?;
        thread.join().ok()
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.close();
    }
}

impl Journal for Committer {
    fn append(&self, entries: Vec<Entry>) -> Result<Ticket> {
        let (sender, receiver) = mpsc::sync_channel(1);
        // Nobody listening any more is no failure.
        let callback = Box::new(move |answer| drop(sender.send(answer)));
        self.append_then(entries, callback)?;
        Ok(Ticket(receiver))
    }

    fn read_from(&self, position: Position) -> Box<dyn Iterator<Item = Result<Record>> + Send> {
        let reader: Reader = self.readers.from(position);
        Box::new(reader)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for requests and takes those of one group; empty when closed and all is done.
    fn next_group(&self) -> Vec<Request> {
        let idle = |queue: &mut Queue| queue.requests.is_empty() && !queue.is_closed;
        let waited = self.wake.wait_while(self.lock(), idle);
        let mut queue = waited.unwrap_or_else(PoisonError::into_inner);
        if !self.settings.wait.is_zero() && queue.stats.queued_bytes < GROUP_BYTES && !queue.is_closed {
            drop(queue);
            thread::sleep(self.settings.wait.min(WAIT_MAX));
            queue = self.lock();
        }
        let mut group: Vec<Request> = Vec::new();
        let mut bytes = 0;
        while let Some(next) = queue.requests.front() {
            bytes += next.bytes;
            if bytes > GROUP_BYTES && !group.is_empty() {
                break;
            }
            group.extend(queue.requests.pop_front());
        }
        group
    }
}

impl Drop for Farewell {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.is_closed = true;
        let requests = std::mem::take(&mut queue.requests);
        drop(queue);
        for request in requests {
            (request.callback)(Kept {
                positions: Position(0)..Position(0),
                failed: Some(Error::Closed),
            });
        }
    }
}

/// The thread.
fn run(shared: &Arc<Shared>, mut log: Log, mut consumer: Consumer) -> Log {
    let _farewell = Farewell(shared.clone());
    loop {
        let group = shared.next_group();
        if group.is_empty() {
            return log;
        }
        let requests = group.len();
        let bytes: usize = group.iter().map(|request| request.bytes).sum();
        let committed = commit_group(&mut log, group);
        let mut queue = shared.lock();
        queue.stats.queued_bytes = queue.stats.queued_bytes.saturating_sub(bytes);
        queue.stats.commits += committed.commits;
        queue.stats.records += crate::bytes::wide(committed.records.len());
        queue.stats.shared += u64::from(requests > 1 && committed.commits > 0);
        queue.stats.failures += committed.failures;
        drop(queue);
        for answer in committed.answers {
            answer();
        }
        if !committed.records.is_empty() {
            consumer(committed.records);
        }
    }
}

/// What came of a group.
struct Committed {
    records: Vec<Record>,
    answers: Vec<Box<dyn FnOnce()>>,
    commits: u64,
    failures: u64,
}

fn commit_group(log: &mut Log, group: Vec<Request>) -> Committed {
    let mut entries = Vec::new();
    let mut waiting = Vec::new();
    for request in group {
        waiting.push((request.entries.len(), request.callback));
        entries.extend(request.entries);
    }
    let mut committed = Committed {
        records: Vec::with_capacity(entries.len()),
        answers: Vec::with_capacity(waiting.len()),
        commits: 0,
        failures: 0,
    };
    let mut first = log.end();
    let outcome = commit_parts(log, entries, &mut committed);
    let kept_end = Position(
        first
            .0
            .saturating_add(crate::bytes::wide(committed.records.len())),
    );
    for (count, callback) in waiting {
        let end = Position(first.0.saturating_add(crate::bytes::wide(count)));
        let kept = Kept {
            positions: first.min(kept_end)..end.min(kept_end),
            failed: outcome.clone().err().filter(|_| end > kept_end),
        };
        committed.answers.push(Box::new(move || callback(kept)));
        first = end;
    }
    committed
}

/// Commits entries in parts of [`GROUP_BYTES`], until one fails.
fn commit_parts(log: &mut Log, entries: Vec<Entry>, committed: &mut Committed) -> Result<()> {
    let mut entries = entries.into_iter().peekable();
    while entries.peek().is_some() {
        let mut bytes = 0;
        let mut part = Vec::new();
        while let Some(entry) =
            entries.next_if(|entry| part.is_empty() || bytes + entry.frame_bytes() <= GROUP_BYTES)
        {
            bytes += entry.frame_bytes();
            part.push(entry);
        }
        let positions = log
            .append(&part)
            .and_then(|positions| log.commit().map(|()| positions));
        let positions = positions.inspect_err(|_| committed.failures += 1)?;
        committed.commits += 1;
        let numbered = (positions.start.0..positions.end.0).zip(part);
        committed.records.extend(numbered.map(|(position, entry)| Record {
            position: Position(position),
            entry,
        }));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
