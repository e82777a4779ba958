//! What can go wrong with bytes: what, where, and how to mend it.

use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why an input cannot be read on. Trouble with a single record is no error; it is a
/// [`Framed`](crate::Framed) item, and the rest goes on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A path cannot be opened or listed.
    #[error("cannot open `{}`: {source}; check the path and that it may be read", path.display())]
    Open {
        /// The path as given.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A directory was given and holds no file.
    #[error("no files in `{}`; name a file, or a directory that holds log files itself", path.display())]
    EmptyDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// `-` was given more than once.
    #[error("standard input is given more than once; name `-` once only")]
    StdinTwice,
    /// Reading failed in the middle.
    #[error("cannot read `{input}` on: {source}; check the disk or the pipe it comes from")]
    Read {
        /// The input's name.
        input: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// Compressed data is cut off or damaged.
    #[error(
        "`{input}` is no sound {format} data after {output_bytes} bytes of output: {source}; fetch the file again, or test it with `{format} -t`"
    )]
    Corrupt {
        /// The input's name.
        input: String,
        /// `gzip` or `zstd`.
        format: &'static str,
        /// Bytes that came out before the damage.
        output_bytes: u64,
        /// What the decoder says.
        source: io::Error,
    },
    /// A decompression bomb, by its ratio.
    #[error(
        "`{input}` expands more than {ratio_max}:1 ({input_bytes} bytes gave {output_bytes}); send it uncompressed or in smaller parts, or raise the ratio limit if the sender is trusted"
    )]
    Ratio {
        /// The input's name.
        input: String,
        /// The limit.
        ratio_max: u32,
        /// Compressed bytes consumed.
        input_bytes: u64,
        /// Bytes that came out.
        output_bytes: u64,
    },
    /// More output than the limit.
    #[error(
        "`{input}` holds more than {output_bytes_max} bytes; send it in smaller parts, or raise the size limit"
    )]
    TooLarge {
        /// The input's name.
        input: String,
        /// The limit.
        output_bytes_max: u64,
    },
    /// Compressed data inside compressed data.
    #[error(
        "`{input}` is {inner} data inside {outer} data; nested compression is refused: decompress it once and give the result"
    )]
    Nested {
        /// The input's name.
        input: String,
        /// The outer format.
        outer: &'static str,
        /// The inner format.
        inner: &'static str,
    },
    /// A compression or encoding that is recognised and not supported.
    #[error("`{input}` is {format} data, which is not read; convert it first: `{mend}`")]
    Unsupported {
        /// The input's name.
        input: String,
        /// What it is.
        format: &'static str,
        /// A command that mends it.
        mend: &'static str,
    },
    /// An `.evtx` file whose file header cannot be read.
    #[error("`{input}` is no readable Windows event log: {reason}; export it again with `wevtutil epl`")]
    Evtx {
        /// The input's name.
        input: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The directory for temporary files cannot be used.
    #[error("cannot write temporary files in `{}`: {source}; free space there, or name another directory with --temp-dir", dir.display())]
    Temporary {
        /// The directory.
        dir: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A temporary file does not hold what was written to it.
    #[error("a temporary file in `{}` came back damaged ({what}); check that disk, or name another directory with --temp-dir", dir.display())]
    TemporaryDamaged {
        /// The directory.
        dir: PathBuf,
        /// What does not fit.
        what: &'static str,
    },
    /// A record too large to be sorted.
    #[error(
        "a record of {bytes} bytes cannot be sorted, the limit is {bytes_max}; this is a bug in its producer"
    )]
    TooLargeToSort {
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// A thread panicked.
    #[error(
        "a {role} thread panicked at batch {batch}; this is a bug, please report it with the panic's message on standard error"
    )]
    Panicked {
        /// `worker` or `reader`.
        role: &'static str,
        /// The batch, counted from 0 in the order of input.
        batch: u64,
    },
    /// A thread could not be started.
    #[error("cannot start a thread: {source}; lower --threads, or raise the limit on processes")]
    Spawn {
        /// What the operating system says.
        source: io::Error,
    },
}

impl Error {
    /// The error inside `source` if this crate put it there, else a [`Error::Read`] of `input`.
    pub(crate) fn from_read(input: &str, source: io::Error) -> Self {
        match source.downcast::<Error>() {
            Ok(error) => error,
            Err(source) => Error::Read {
                input: input.to_owned(),
                source,
            },
        }
    }

    pub(crate) fn temporary(dir: &Path, source: io::Error) -> Self {
        Error::Temporary {
            dir: dir.to_owned(),
            source,
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        io::Error::other(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_travel_through_io_errors() {
        let error = Error::from_read("x", Error::StdinTwice.into());
        assert!(matches!(error, Error::StdinTwice), "{error}");
        let error = Error::from_read("x", io::Error::other("gone"));
        assert!(matches!(error, Error::Read { .. }), "{error}");
    }

    #[test]
    fn messages_are_sentences_without_a_stop() {
        let error = Error::temporary(Path::new("/no"), io::Error::other("disk full"));
        let text = error.to_string();
        assert!(text.contains("/no") && text.contains("--temp-dir"), "{text}");
        assert!(!text.ends_with('.') && text.starts_with(char::is_lowercase));
    }
}
