//! Why live sources cannot start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What keeps a source from starting. What happens later is in its [`Health`](super::Health), and is tried again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// A setting is missing, out of range or of another kind of source.
    #[error("source `{name}`: {problem}")]
    Setting {
        /// The source's name.
        name: String,
        /// What is wrong with which key.
        problem: String,
    },
    /// An address cannot be listened on.
    #[error("source `{name}` cannot listen on {address}: {source}")]
    Listen {
        /// The source's name.
        name: String,
        /// The address.
        address: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
    /// Certificates or keys cannot be used.
    #[error("`{path}` {problem}")]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it; nothing of its content.
        problem: String,
    },
    /// The directory for checkpoints cannot be used.
    #[error("source `{name}` cannot keep its checkpoints in `{path}`: {source}")]
    Checkpoints {
        /// The source's name.
        name: String,
        /// The directory.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}
