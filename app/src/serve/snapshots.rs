//! Snapshots of the whole state; `recovery` comes back from them.
//!
//! The reducer's thread takes a picture, which is pointers, and goes on; a thread of its own makes bytes of it and puts them on
//! stable storage, which takes seconds where there are a million accounts. One at a time.

use super::clock;
use super::core::{Shared, Work};
use super::metrics::Holding;
use super::patience::give_way;
use crate::failure::Failure;
use habitus_engine::MODEL;
use habitus_journal::Position;
use habitus_journal::snapshot::{Saved, Snapshot, Snapshots};
use habitus_live::Picture;
use habitus_model::IngestTime;
use habitus_policy::Held;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// The part that holds the reducer's state.
pub const STATE: &str = "state";
/// The part that holds what is shown of people.
pub const VIEW: &str = "view";
/// The part that holds orders that wait for a person.
pub const HELD: &str = "held";
/// The part that holds how long sources are usually silent.
pub const SILENCES: &str = "silences";

/// After one that could not be written, milliseconds until the next: a full disk does not become empty in between.
const REST_MS: i64 = 10_000;

/// When snapshots are taken.
#[derive(Debug, Clone, Copy)]
pub struct Rhythm {
    /// After so many entries.
    pub entries: u64,
    /// After so many milliseconds in which any came.
    pub millis: i64,
}

/// Who waits until a snapshot is on stable storage.
type Told = oneshot::Sender<()>;

/// Takes snapshots.
pub struct Keeper {
    snapshots: Arc<Snapshots>,
    rhythm: Rhythm,
    /// The next entry to be judged.
    position: u64,
    saved: u64,
    saved_at: IngestTime,
    /// Not before, because the last one failed.
    rests_until: IngestTime,
    /// The one that is being written: the position it was taken at, if it could be.
    writing: Option<JoinHandle<Option<u64>>>,
    /// Who asked for one while another was being written.
    waiting: Vec<Told>,
}

/// A snapshot to be written.
struct Job {
    core: Shared,
    snapshots: Arc<Snapshots>,
    position: u64,
    picture: Picture,
    held: Vec<Held>,
    policy: String,
    told: Vec<Told>,
}

impl Keeper {
    /// For a state that is at a position.
    pub fn new(snapshots: Arc<Snapshots>, rhythm: Rhythm, position: u64) -> Self {
        Self {
            snapshots,
            rhythm,
            position,
            saved: position,
            saved_at: clock::now(),
            rests_until: IngestTime::EPOCH,
            writing: None,
            waiting: Vec::new(),
        }
    }

    /// The state is at a position; begins a snapshot if it is time.
    pub fn reached(&mut self, position: u64, core: &Shared) {
        self.position = position;
        if self.writing.is_some() {
            return;
        }
        let (entries, now) = (position.saturating_sub(self.saved), clock::now());
        let millis = now.as_millis() - self.saved_at.as_millis();
        let is_time = entries >= self.rhythm.entries || (entries > 0 && millis >= self.rhythm.millis);
        if is_time && now >= self.rests_until {
            self.begin(Vec::new(), core);
        }
    }

    /// Begins a snapshot of what there is now, or as soon as the one before is written; who is told waits for it.
    pub fn ask(&mut self, told: Told, core: &Shared) {
        match self.writing {
            Some(_) => self.waiting.push(told),
            None => self.begin(vec![told], core),
        }
    }

    /// One is written, or could not be; begins the next if somebody waits for it.
    pub fn finished(&mut self, core: &Shared) {
        let Some(writing) = self.writing.take() else {
            return;
        };
        match writing.join() {
            Ok(Some(position)) => self.saved = position,
            Ok(None) | Err(_) => self.rest(),
        }
        if !self.waiting.is_empty() {
            let told = std::mem::take(&mut self.waiting);
            self.begin(told, core);
        }
    }

    /// Waits for the one that is being written, and leaves one of the last state behind.
    pub fn end(mut self, core: &Shared) {
        self.finished(core);
        // For those who waited another was begun, of the last state.
        self.finished(core);
        if self.position != self.saved {
            self.job(Vec::new(), core).run();
        }
    }

    fn begin(&mut self, told: Vec<Told>, core: &Shared) {
        if self.position == self.saved {
            tell(told);
            return;
        }
        self.saved_at = clock::now();
        let job = self.job(told, core);
        let write = move || {
            give_way();
            let core = Arc::clone(&job.core);
            let saved = job.run();
            // A reducer that has ended asks for itself.
            let _ = core.work.send(Work::SnapshotEnded);
            saved
        };
        match thread::Builder::new().name("snapshot".to_owned()).spawn(write) {
            Ok(writing) => self.writing = Some(writing),
            Err(error) => {
                tracing::error!(%error, "no thread can be had for a snapshot");
                self.rest();
            }
        }
    }

    fn rest(&mut self) {
        let until = clock::now().as_millis() + REST_MS;
        self.rests_until = IngestTime::from_millis(until).unwrap_or(self.rests_until);
    }

    /// Everything of the state as it is now: pointers, so that judging goes on at once.
    fn job(&self, told: Vec<Told>, core: &Shared) -> Job {
        let reducer = core.reducer.read();
        let began = Instant::now();
        let (picture, policy) = (reducer.picture(), reducer.rules().policy().version().to_owned());
        drop(reducer);
        core.metrics.held(Holding::picture, began);
        Job {
            core: Arc::clone(core),
            snapshots: Arc::clone(&self.snapshots),
            position: self.position,
            picture,
            held: core.orders.held(),
            policy,
            told,
        }
    }
}

fn tell(told: Vec<Told>) {
    for told in told {
        // Nobody listening any more is no failure.
        let _ = told.send(());
    }
}

impl Job {
    /// Puts it on stable storage; its position if it is there.
    fn run(self) -> Option<u64> {
        let _span = tracing::info_span!("snapshot", position = self.position).entered();
        let began = clock::now();
        // What is before a snapshot need not be read again to know what was seen.
        self.core.gate.write_out();
        match self.save() {
            Ok(saved) => {
                let millis = clock::now().as_millis() - began.as_millis();
                tracing::info!(
                    position = self.position,
                    bytes = saved.bytes,
                    millis,
                    "snapshot taken"
                );
                tell(self.told);
                Some(self.position)
            }
            Err(error) => {
                tracing::error!(%error, "a snapshot cannot be written; the log keeps all since the last");
                None
            }
        }
    }

    fn save(&self) -> Result<Saved, Failure> {
        let snapshot = Snapshot {
            position: Position(self.position),
            outbox: Position(0),
            versions: BTreeMap::from([
                ("model".to_owned(), MODEL.to_owned()),
                ("policy".to_owned(), self.policy.clone()),
            ]),
            sections: BTreeMap::from([
                (STATE.to_owned(), self.picture.state()?),
                (VIEW.to_owned(), self.picture.view()?),
                (HELD.to_owned(), postcard::to_stdvec(&self.held)?),
                (
                    SILENCES.to_owned(),
                    postcard::to_stdvec(&self.core.health.silences())?,
                ),
            ]),
        };
        self.snapshots.save(&snapshot).map_err(super::store::failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Loaded;
    use crate::serve::start::Server;
    use crate::serve::store::Layout;
    use habitus_journal::Keyring;
    use habitus_journal::storage::{Access, Dir, File, RealFs};
    use parking_lot::Mutex;
    use std::io;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// A disk on which nothing can be made until the test says so.
    struct Stuck {
        disk: RealFs,
        tried: Mutex<Sender<String>>,
        may: Mutex<Receiver<()>>,
    }

    impl Dir for Stuck {
        fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn File>> {
            if access == Access::Create {
                self.tried.lock().send(name.to_owned()).unwrap();
                self.may.lock().recv().unwrap();
            }
            self.disk.open(name, access)
        }

        fn rename(&self, from: &str, to: &str) -> io::Result<()> {
            self.disk.rename(from, to)
        }

        fn remove(&self, name: &str) -> io::Result<()> {
            self.disk.remove(name)
        }

        fn list(&self) -> io::Result<Vec<String>> {
            self.disk.list()
        }

        fn sync(&self) -> io::Result<()> {
            self.disk.sync()
        }
    }

    #[tokio::test]
    async fn judging_goes_on_while_a_disk_is_stuck_and_who_asks_waits_for_a_snapshot_of_that_time() {
        let place = tempfile::tempdir().unwrap();
        let layout = Layout(place.path().join("data"));
        let server = Server::start(&Loaded::default(), &layout).unwrap();
        let core = &server.core;
        let (tried, tries) = channel();
        let (go, may) = channel();
        let stuck = Stuck {
            disk: RealFs::own(&place.path().join("snapshots")).unwrap(),
            tried: Mutex::new(tried),
            may: Mutex::new(may),
        };
        let snapshots = Arc::new(Snapshots::open(Arc::new(stuck), Keyring::default()).unwrap());
        let often = Rhythm {
            entries: 10,
            millis: i64::MAX,
        };
        let mut keeper = Keeper::new(Arc::clone(&snapshots), often, 0);
        keeper.reached(9, core);
        assert!(keeper.writing.is_none(), "it is not time yet");
        keeper.reached(10, core);
        assert!(tries.recv().unwrap().starts_with("00000000000000000010"));
        // The state is nobody's, whatever the disk does, and a second snapshot waits for the first.
        assert!(core.reducer.try_write().is_some());
        keeper.reached(25, core);
        let (tell, mut told) = oneshot::channel();
        keeper.ask(tell, core);
        assert!(tries.try_recv().is_err() && told.try_recv().is_err());
        go.send(()).unwrap();
        keeper.finished(core);
        assert_eq!(keeper.saved, 10);
        assert!(
            told.try_recv().is_err(),
            "the first was of a time before it was asked for"
        );
        assert!(tries.recv().unwrap().starts_with("00000000000000000025"));
        go.send(()).unwrap();
        keeper.finished(core);
        assert_eq!((keeper.saved, told.try_recv()), (25, Ok(())));
        assert_eq!(snapshots.load().unwrap().snapshot.unwrap().position, Position(25));
        keeper.end(core);
        assert!(tries.try_recv().is_err(), "nothing happened since the last");
        server.stop();
    }
}
