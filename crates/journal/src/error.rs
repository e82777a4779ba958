//! What can go wrong, told apart by what the caller can do about it.

use std::io;

/// Why the journal could not do what it was asked. Holds no byte of any record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The disk is full. Nothing was kept; the same call succeeds once there is space again.
    #[error("the disk is full")]
    Full,
    /// The file system failed. After a failed write or sync nothing more is accepted until the store is opened again.
    #[error("could not {doing}: {kind}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The operating system's word for it.
        kind: io::ErrorKind,
    },
    /// An earlier write or sync failed: what the disk holds is not known until the store is opened again.
    #[error("stopped after a failed write: open it again")]
    Stopped,
    /// More bytes than one record may have.
    #[error("a record of {bytes} bytes; at most {bytes_max} are kept")]
    TooLarge {
        /// Bytes given.
        bytes: usize,
        /// Bytes allowed.
        bytes_max: usize,
    },
    /// A tenant or source name longer than a frame can hold.
    #[error("`{field}` is longer than {bytes_max} bytes")]
    NameTooLong {
        /// The field, never its value.
        field: &'static str,
        /// Bytes allowed.
        bytes_max: usize,
    },
    /// The kind is one the journal keeps for itself.
    #[error("record kind {0} is reserved")]
    ReservedKind(u8),
    /// More was appended than one commit may hold: commit first.
    #[error("more than one commit may hold")]
    BlockFull,
    /// What is on disk is encrypted and no key was given.
    #[error("encrypted with key `{0}`, and no key is configured")]
    KeyMissing(String),
    /// What is on disk is encrypted with a key that is not among those given.
    #[error("encrypted with key `{0}`, which is not among the configured ones")]
    KeyUnknown(String),
    /// Written by a newer version of this program.
    #[error("written in format {0}, which this version cannot read")]
    NewerFormat(u16),
    /// Bytes on disk do not match their checksum.
    #[error("damaged: {0}")]
    Damaged(&'static str),
    /// The queue in front of the committer is at its limit: try again later.
    #[error("overloaded: the queue is at its limit")]
    Overloaded,
    /// The committer has stopped.
    #[error("closed")]
    Closed,
    /// Another process has the directory open.
    #[error("another process uses this directory")]
    InUse,
    /// The machine gave no random bytes.
    #[error("no random bytes from the machine")]
    NoEntropy,
    /// A key's file can be read by others than its owner.
    #[error("the key file can be read by others: set its mode to 600")]
    KeyExposed,
    /// A value could not be encoded.
    #[error("could not encode {0}")]
    Encoding(&'static str),
    /// The Parquet writer or reader refused.
    #[error("parquet: {0}")]
    Parquet(String),
}

/// The result of everything here.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Tells a full disk from other failures.
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Error {
        move |error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full,
            kind => Error::Io { doing, kind },
        }
    }
}
