//! What came before: the same id from the same source is the same event.
//!
//! An id is known if and only if its record is on stable storage: it is settled by the committer's callback, forgotten if the
//! record is not kept, and after a crash put in again from the log.

use super::clock;
use super::core::Core;
use super::reading::ReadRecord;
use habitus_journal::seen::{Hasher, Identity, Seen, SeenRecovery, SeenSettings, Work};
use habitus_journal::storage::RealFs;
use habitus_journal::{Keyring, Result};
use habitus_live::Arrival;
use habitus_model::{IngestTime, Millis, TenantId, Text};
use parking_lot::{Mutex, MutexGuard};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How often it is looked whether files are to be written: at 50,000 events a second memory fills in five seconds.
const LOOK: Duration = Duration::from_millis(200);
/// After a failure nothing is tried for so long: a full disk does not become empty in between.
const REST: Duration = Duration::from_secs(5);

/// The ids of the last seven days.
pub struct Gate {
    seen: Mutex<Seen>,
    hasher: Hasher,
    window: Millis,
}

impl Gate {
    /// Opens it in a directory of its own. What the log holds from [`SeenRecovery::restore_from`] on is to be put in again.
    ///
    /// # Errors
    /// As [`Seen::open`].
    pub fn open(path: &Path, keys: Keyring) -> Result<(Self, SeenRecovery)> {
        let settings = SeenSettings::new(keys);
        let window = settings.window;
        let (seen, recovery) = Seen::open(Arc::new(RealFs::own(path)?), settings)?;
        let gate = Self {
            hasher: seen.hasher(),
            seen: Mutex::new(seen),
            window,
        };
        Ok((gate, recovery))
    }

    /// What is known, for as long as the lock is held.
    pub fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock()
    }

    /// What tells a record from others: its tenant, its source, the ids of its events, and its bytes. Needs no lock.
    pub fn identity(&self, whose: (&TenantId, &Text), events: &[Arrival], raw: &[u8]) -> Identity {
        let (tenant, source) = whose;
        let ids = events.iter().map(|arrival| arrival.record.uid.as_str());
        self.hasher.identity((tenant, source.as_str()), ids, raw)
    }

    /// The identities of what one sender sent.
    pub fn identities(&self, whose: (&TenantId, &Text), records: &[ReadRecord]) -> Vec<Identity> {
        let each = records.iter();
        each.map(|record| self.identity(whose, &record.events, &record.raw))
            .collect()
    }

    /// Whether an event that came then may still matter.
    pub fn remembers(&self, ingested: IngestTime, now: IngestTime) -> bool {
        now.as_millis() - ingested.as_millis() <= self.window.0
    }

    /// Writes what is settled to a file, so that a start reads less of the log. Not while another file is written.
    pub fn write_out(&self) {
        let work = self.lock().write_out(clock::now());
        if let Some(Err(error)) = work.map(|work| self.carry_out(work)) {
            tracing::error!(%error, "what was seen cannot be written; the log is kept until it can");
        }
    }

    /// Does one piece of work that is due, and says whether there was one.
    fn tend(&self) -> Result<bool> {
        let due = self.lock().due(clock::now());
        let Some(work) = due else { return Ok(false) };
        let _span = tracing::info_span!("seen").entered();
        self.carry_out(work)?;
        Ok(true)
    }

    /// Everything that takes long is done while others ask: files are written, memory is given back, files are removed.
    fn carry_out(&self, work: Work) -> Result<()> {
        let outcome = work.run();
        let spent = self.lock().adopt(outcome)?;
        spent.clear()
    }
}

/// Keeps memory and the number of files small until the server ends.
pub fn tend(core: &Core) {
    let mut forgotten = 0;
    while !core.ending.load(Ordering::Acquire) {
        match core.gate.tend() {
            Ok(true) => {}
            Ok(false) => std::thread::sleep(LOOK),
            Err(error) => {
                tracing::error!(%error, "what was seen cannot be kept in order");
                std::thread::sleep(REST);
            }
        }
        let stats = core.gate.lock().stats();
        if stats.forgotten > forgotten {
            forgotten = stats.forgotten;
            tracing::warn!(
                forgotten,
                "more events than are remembered: duplicates of the oldest would be counted twice"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_journal::Position;
    use habitus_journal::seen::Sighting;

    fn at(ms: i64) -> IngestTime {
        IngestTime::from_millis(1_700_000_000_000 + ms).unwrap()
    }

    #[test]
    fn ids_are_known_for_seven_days_over_restarts_and_their_content_counts() {
        let dir = tempfile::tempdir().unwrap();
        let whose = (&TenantId::default(), &Text::new("idp"));
        let (gate, recovery) = Gate::open(dir.path(), Keyring::default()).unwrap();
        assert_eq!(recovery.restore_from, Position(0));
        let one = gate.identity(whose, &[], b"one");
        let other = gate.identity(whose, &[], b"other");
        assert_eq!(gate.lock().check(one, at(0)), Ok(Sighting::New));
        gate.lock().settle([one.fingerprint], Position(5));
        gate.write_out();
        drop(gate);
        let (gate, recovery) = Gate::open(dir.path(), Keyring::default()).unwrap();
        assert_eq!(recovery.restore_from, Position(5));
        let week = 7 * 86_400_000;
        assert_eq!(gate.lock().check(one, at(week)), Ok(Sighting::Duplicate));
        assert_eq!(gate.lock().check(other, at(week)), Ok(Sighting::Conflict));
        assert_eq!(gate.lock().check(one, at(week + 60_000)), Ok(Sighting::New));
        assert!(gate.remembers(at(0), at(week)) && !gate.remembers(at(0), at(week + 1)));
    }
}
