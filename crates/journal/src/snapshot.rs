//! Snapshots: the state of the reducer with the position in the log up to which it has read, in one file, put in place at once.
//!
//! ```text
//! 0   8  "habitusS"
//! 8   2  version of the format
//! 10  8  key id, or zeros
//! 18 24  nonce
//! 42  8  bytes of the body when unpacked
//! 50     body: postcard, zstd, and encrypted if there is a key
//! -32    BLAKE3 of everything before
//! ```

use crate::bytes::{Take, narrow, wide};
use crate::crypto::Keyring;
use crate::log::Position;
use crate::storage::{Dir, read_whole, remove_unfinished, steady, write_whole};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_bytes::Bytes;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::Arc;

const MAGIC: [u8; 8] = *b"habitusS";
const VERSION: u16 = 1;
const HEAD_BYTES: usize = 50;
const DIGEST_BYTES: usize = 32;
const SUFFIX: &str = ".snap";
/// The newest, and one more in case it is damaged.
const KEPT: usize = 2;
/// Speed matters more than size here: the state is written often, and read once.
const ZSTD_LEVEL: i32 = 1;
/// Bytes of one snapshot, packed or not: more does not fit into the memory of the machines this is made for.
pub const SNAPSHOT_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;

/// State at a position.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// The next record to be read.
    pub position: Position,
    /// The outbox's position when the state was taken.
    pub outbox: Position,
    /// What it was made with: model, policy, tables, by name.
    pub versions: BTreeMap<String, String>,
    /// The state's parts by name, as their owners encode them.
    pub sections: BTreeMap<String, Vec<u8>>,
}

/// The body as it is written and read.
#[derive(Serialize, Deserialize)]
struct Body<'b> {
    position: Position,
    outbox: Position,
    versions: BTreeMap<String, String>,
    /// Copied at once: byte by byte, as a list of numbers is, they come to the same and take ten times as long.
    #[serde(borrow)]
    sections: BTreeMap<&'b str, &'b Bytes>,
}

impl<'b> Body<'b> {
    fn of(snapshot: &'b Snapshot) -> Self {
        let sections = snapshot.sections.iter();
        Self {
            position: snapshot.position,
            outbox: snapshot.outbox,
            versions: snapshot.versions.clone(),
            sections: sections
                .map(|(name, bytes)| (name.as_str(), Bytes::new(bytes)))
                .collect(),
        }
    }

    fn own(self) -> Snapshot {
        let sections = self.sections.into_iter();
        Snapshot {
            position: self.position,
            outbox: self.outbox,
            versions: self.versions,
            sections: sections
                .map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
                .collect(),
        }
    }
}

/// The snapshots in a directory.
pub struct Snapshots {
    dir: Arc<dyn Dir>,
    keys: Keyring,
}

/// What saving did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saved {
    /// Bytes of the file.
    pub bytes: u64,
    /// The position from which on the log must be kept: that of the oldest snapshot there is.
    pub keep_from: Position,
}

/// What loading found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    /// The newest one that is intact; `None` if there is none.
    pub snapshot: Option<Snapshot>,
    /// Newer ones that could not be used, and why.
    pub skipped: Vec<(String, Error)>,
}

impl Snapshots {
    /// The snapshots of a directory, which need not hold any.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open(dir: Arc<dyn Dir>, keys: Keyring) -> Result<Self> {
        remove_unfinished(dir.as_ref())?;
        Ok(Self { dir, keys })
    }

    /// Puts a snapshot on stable storage and removes those it makes needless. Takes memory for the packed and the unpacked form.
    ///
    /// # Errors
    /// [`Error::Full`] or [`Error::Io`]: the older ones are still there.
    pub fn save(&self, snapshot: &Snapshot) -> Result<Saved> {
        let name = format!("{:020}{SUFFIX}", snapshot.position.0);
        let (head, body, digest) = self.encode(snapshot)?;
        write_whole(self.dir.as_ref(), &name, &[&head, &body, &digest])?;
        let names = self.names()?;
        let (needless, kept) = names.split_at(names.len().saturating_sub(KEPT));
        for name in needless {
            match steady(|| self.dir.remove(name)) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(Error::io("remove a snapshot")(error));
                }
                _ => {}
            }
        }
        let oldest = kept.first().and_then(|name| position(name));
        Ok(Saved {
            bytes: wide(head.len() + body.len() + digest.len()),
            keep_from: oldest.unwrap_or(snapshot.position),
        })
    }

    /// The newest intact snapshot.
    ///
    /// # Errors
    /// [`Error::KeyMissing`] or [`Error::KeyUnknown`] for one that is encrypted otherwise; [`Error::Io`]. Damage is none.
    pub fn load(&self) -> Result<Loaded> {
        let mut loaded = Loaded::default();
        for name in self.names()?.into_iter().rev() {
            let Some(bytes) = read_whole(self.dir.as_ref(), &name, SNAPSHOT_BYTES_MAX)? else {
                continue;
            };
            match self.decode(&bytes) {
                Ok(snapshot) => {
                    loaded.snapshot = Some(snapshot);
                    break;
                }
                Err(error @ (Error::Damaged(_) | Error::NewerFormat(_))) => {
                    loaded.skipped.push((name, error))
                }
                Err(error) => return Err(error),
            }
        }
        Ok(loaded)
    }

    /// The position from which on the log must be kept; `None` without snapshots.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn keep_from(&self) -> Result<Option<Position>> {
        Ok(self.names()?.first().and_then(|name| position(name)))
    }

    /// Names of all, oldest first.
    fn names(&self) -> Result<Vec<String>> {
        let mut names = steady(|| self.dir.list()).map_err(Error::io("list snapshots"))?;
        names.retain(|name| position(name).is_some());
        names.sort();
        Ok(names)
    }

    fn encode(&self, snapshot: &Snapshot) -> Result<(Vec<u8>, Vec<u8>, [u8; DIGEST_BYTES])> {
        let raw = postcard::to_stdvec(&Body::of(snapshot)).map_err(|_| Error::Encoding("a snapshot"))?;
        let packed = zstd::bulk::compress(&raw, ZSTD_LEVEL).map_err(|_| Error::Encoding("a snapshot"))?;
        let cipher = self.keys.current();
        let nonce = cipher.nonce()?;
        let mut head = MAGIC.to_vec();
        head.extend_from_slice(&VERSION.to_le_bytes());
        head.extend_from_slice(&cipher.id());
        head.extend_from_slice(&nonce);
        head.extend_from_slice(&wide(raw.len()).to_le_bytes());
        drop(raw);
        let body = cipher.seal(&nonce, &head, packed)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&head).update(&body);
        Ok((head, body, *hasher.finalize().as_bytes()))
    }

    fn decode(&self, bytes: &[u8]) -> Result<Snapshot> {
        let damaged = Error::Damaged("a snapshot");
        let (content, digest) = bytes
            .split_last_chunk::<DIGEST_BYTES>()
            .ok_or(Error::Damaged("a snapshot cut short"))?;
        if blake3::hash(content).as_bytes() != digest {
            return Err(damaged);
        }
        let (head, body) = content.split_at_checked(HEAD_BYTES).ok_or(damaged.clone())?;
        let mut take = Take::new(head);
        if take.array() != Some(MAGIC) {
            return Err(damaged);
        }
        match take.u16() {
            Some(VERSION) => {}
            other => return Err(Error::NewerFormat(other.unwrap_or_default())),
        }
        let fields = (|| Some((take.array()?, take.array()?, take.u64()?)))();
        let (key, nonce, raw_bytes) = fields.ok_or(damaged.clone())?;
        let cipher = self.keys.named(key)?;
        let packed = cipher.open(&nonce, head, body.to_vec()).ok_or(damaged.clone())?;
        let raw_bytes = narrow(raw_bytes.min(SNAPSHOT_BYTES_MAX));
        let raw = zstd::bulk::decompress(&packed, raw_bytes).map_err(|_| damaged.clone())?;
        let body: Body<'_> = postcard::from_bytes(&raw).map_err(|_| damaged)?;
        Ok(body.own())
    }
}

/// The position a snapshot's name tells; `None` for other files.
fn position(name: &str) -> Option<Position> {
    let digits = name.strip_suffix(SUFFIX).filter(|digits| digits.len() == 20)?;
    Some(Position(digits.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Key;
    use crate::storage::{Fault, FaultFs};
    use crate::testing::soak;

    fn open(fs: &FaultFs) -> Snapshots {
        Snapshots::open(Arc::new(fs.clone()), Keyring::of(Key::new([3; 32]))).unwrap()
    }

    fn at(position: u64) -> Snapshot {
        let blob = (0..3_000 + position * 7)
            .map(|i| u8::try_from(i * i % 253).unwrap())
            .collect();
        Snapshot {
            position: Position(position),
            outbox: Position(position / 2),
            versions: [("model".to_owned(), "7".to_owned())].into(),
            sections: [("engine".to_owned(), blob), ("findings".to_owned(), vec![])].into(),
        }
    }

    #[test]
    fn the_newest_intact_one_is_loaded_and_two_are_kept() {
        let fs = FaultFs::new();
        let snapshots = open(&fs);
        assert_eq!(snapshots.load().unwrap(), Loaded::default());
        for position in [5, 10, 15] {
            snapshots.save(&at(position)).unwrap();
        }
        assert_eq!(snapshots.keep_from().unwrap(), Some(Position(10)));
        assert_eq!(snapshots.load().unwrap().snapshot, Some(at(15)));
        let name = "00000000000000000015.snap";
        let content = fs.content(name).unwrap();
        for place in (0..content.len()).step_by(7) {
            fs.tamper(name, |bytes| bytes[place] ^= 4);
            let loaded = snapshots.load().unwrap();
            assert_eq!(loaded.snapshot, Some(at(10)), "byte {place}");
            assert_eq!(loaded.skipped.len(), 1);
            fs.tamper(name, |bytes| bytes.clone_from(&content));
        }
        for len in 0..content.len() {
            fs.tamper(name, |bytes| bytes.truncate(len));
            assert_eq!(snapshots.load().unwrap().snapshot, Some(at(10)), "cut at {len}");
            fs.tamper(name, |bytes| bytes.clone_from(&content));
        }
        let other = Snapshots::open(Arc::new(fs), Keyring::default()).unwrap();
        assert!(matches!(other.load(), Err(Error::KeyMissing(_))));
    }

    #[test]
    fn power_cuts_and_failing_calls_leave_the_last_saved_one_or_a_newer() {
        for fault in [
            Fault::Cut,
            Fault::Io,
            Fault::Full,
            Fault::Interrupted,
            Fault::Short,
        ] {
            for seed in 0..40 * soak() {
                let fs = FaultFs::new();
                let snapshots = open(&fs);
                let mut saved = None;
                fs.fail(seed % 40, fault);
                for position in [3, 6, 9, 12] {
                    match snapshots.save(&at(position)) {
                        Ok(kept) => {
                            saved = Some(position);
                            assert!(kept.keep_from <= Position(position));
                        }
                        Err(_) => assert!(!matches!(fault, Fault::Interrupted | Fault::Short)),
                    }
                }
                fs.restart(seed);
                let loaded = open(&fs).load().unwrap();
                assert!(
                    loaded.skipped.is_empty(),
                    "{fault:?} {seed}: an unfinished one has a name"
                );
                let found = loaded.snapshot.as_ref().map(|snapshot| snapshot.position.0);
                assert!(found >= saved, "{fault:?} {seed}: {found:?} of {saved:?}");
                assert_eq!(loaded.snapshot, found.map(at));
                // The log may have been cut up to here.
                assert!(open(&fs).keep_from().unwrap().map(|position| position.0) <= found);
            }
        }
    }
}
