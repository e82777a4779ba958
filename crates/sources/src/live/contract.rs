//! What a source gives and what the sink answers.

use async_trait::async_trait;
use bytes::Bytes;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Where batches go. The app implements it.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Takes a batch. Answers [`Accepted`] only when its records are on stable storage: the source then forgets them.
    ///
    /// Sources call it from many tasks at once and wait for each answer; the future is never dropped while it waits,
    /// except when the runtime ends.
    ///
    /// # Errors
    /// [`Refused`]: not now. The source keeps the batch and comes again. A batch with records that nobody can read is
    /// no reason to refuse it, it would come for ever: it is accepted, and its records counted as rejected.
    async fn submit(&self, batch: LiveBatch) -> Result<Accepted, Refused>;
}

/// Who a batch is from, as configured. Shared by all batches of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The source's name, unique in the configuration.
    pub name: String,
    /// The tenant its events belong to.
    pub tenant: String,
    /// The log format, or `auto`.
    pub format: String,
}

/// Records of one source, in the order in which they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveBatch {
    /// Whose they are.
    pub source: Arc<Label>,
    /// The records, each ended by one line feed, which stands nowhere else. Not necessarily UTF-8. Lines may be blank.
    /// At most a batch's limit and one record large: 2 MiB at most.
    pub records: Bytes,
    /// Line feeds in `records`.
    pub count: u32,
    /// The address that sent them. Absent for files and standard input, and where one UDP batch holds messages of
    /// several senders; a UDP address may be forged.
    pub origin: Option<IpAddr>,
    /// Where in a file they stand; absent for all but files.
    pub checkpoint: Option<Checkpoint>,
}

impl LiveBatch {
    /// The records without their line feeds, each with where it starts in `records`, blank ones left out.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let mut start = 0;
        self.records
            .split(|byte| *byte == b'\n')
            .map(move |line| {
                let at = start;
                start += line.len() + 1;
                (at, line)
            })
            .filter(|(_, line)| !line.trim_ascii().is_empty())
    }
}

/// A place in a file: `records` of the batch are its bytes from `offset` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Number of the device.
    pub device: u64,
    /// Number of the file on the device.
    pub inode: u64,
    /// Where the batch's first byte stands.
    pub offset: u64,
}

impl Checkpoint {
    /// An id of the record that starts at `at` in the batch: the same whenever the same bytes are read again from the
    /// same place of the same file, which happens after a crash. 128 bits of BLAKE3 over inode, offset and record.
    ///
    /// Equal lines at different places have different ids. The device is left out, since its number may change with a
    /// reboot; an inode that is used again is told apart by offset and record, which holds a time.
    #[must_use]
    pub fn record_id(&self, at: usize, record: &[u8]) -> u128 {
        let offset = self.offset.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.inode.to_le_bytes());
        hasher.update(&offset.to_le_bytes());
        hasher.update(record);
        let mut id = [0; 16];
        hasher.finalize_xof().fill(&mut id);
        u128::from_le_bytes(id)
    }
}

/// A batch is on stable storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Accepted {
    /// Records that are new.
    pub events: u32,
    /// Records that were known already.
    pub duplicates: u32,
    /// Records that no format understands.
    pub rejected: u32,
}

/// A batch was not taken, and nothing of it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// How long to wait before the next try. Sources wait between 10 ms and 30 s whatever stands here.
    pub retry_after: Duration,
    /// Why, for people; no content of records.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_given_with_their_places() {
        let label = Label {
            name: "a".into(),
            tenant: "t".into(),
            format: "auto".into(),
        };
        let batch = LiveBatch {
            source: Arc::new(label),
            records: Bytes::from_static(b"one\n\n \ntwo\n"),
            count: 4,
            origin: None,
            checkpoint: None,
        };
        let all: Vec<_> = batch.iter().collect();
        assert_eq!(all, [(0, &b"one"[..]), (7, &b"two"[..])]);
    }

    #[test]
    fn ids_depend_on_place_and_content_only() {
        let at = |device, inode, offset| Checkpoint {
            device,
            inode,
            offset,
        };
        let id = at(1, 2, 100).record_id(7, b"x");
        assert_eq!(
            id,
            at(9, 2, 107).record_id(0, b"x"),
            "another reading of the same bytes"
        );
        assert_ne!(
            id,
            at(1, 2, 100).record_id(8, b"x"),
            "the same line at another place"
        );
        assert_ne!(id, at(1, 3, 100).record_id(7, b"x"));
        assert_ne!(id, at(1, 2, 100).record_id(7, b"y"));
    }
}
