//! What a copy holds: each file with its length and BLAKE3, so that a copy that is not whole is noticed by name.

use crate::failure::{Failure, Trouble};
use habitus_model::IngestTime;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Its name in the copy. It is written last: a copy without it was not finished.
pub const MANIFEST: &str = "backup.json";
const FORMAT: u16 = 1;

/// What a copy holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    format: u16,
    /// The version that made it.
    pub version: String,
    /// When, in milliseconds since the epoch.
    pub made: i64,
    /// Its files.
    pub files: Vec<Held>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Its path below the data directory.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Of its content, hexadecimal.
    pub blake3: String,
}

impl Manifest {
    /// Of a copy that begins now.
    pub fn new(now: IngestTime) -> Self {
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            made: now.as_millis(),
            files: Vec::new(),
        }
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Notes a file.
    pub fn push(&mut self, name: String, bytes: u64, digest: blake3::Hash) {
        let blake3 = digest.to_hex().to_string();
        self.files.push(Held { name, bytes, blake3 });
    }

    /// As it is written.
    ///
    /// # Errors
    /// None, but for bugs.
    pub fn text(&self) -> Result<String, Failure> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// As it was written.
    ///
    /// # Errors
    /// One that cannot be read, is of a later version, or names what is no file of a data directory.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |what: &str| Failure::new(Trouble::Data, format!("`{MANIFEST}` of the copy {what}"));
        let manifest: Self = serde_json::from_str(text).map_err(|_| wrong("cannot be read"))?;
        if manifest.format != FORMAT {
            return Err(wrong("is of a later version").help("use the version that made it, or a later one"));
        }
        if manifest.files.iter().any(|file| !is_ours(&file.name)) {
            return Err(wrong("names a file that no data directory has"));
        }
        Ok(manifest)
    }

    /// Retention may remove what lies between a snapshot that was copied and the log that was copied after it.
    pub fn refuse_gap(&self) -> Result<(), Failure> {
        let numbers = |part: &'static str| {
            let names = self
                .files
                .iter()
                .filter_map(move |file| file.name.strip_prefix(part));
            names.filter_map(|name| name.split('.').next()?.parse::<u64>().ok())
        };
        let snapshot = numbers("snapshots/").max().unwrap_or(0);
        if numbers("log/").min().is_some_and(|first| first > snapshot) {
            let message = "retention removed a part of the log while it was copied";
            return Err(Failure::new(Trouble::Unavailable, message).help("try again"));
        }
        Ok(())
    }

    /// Holds the files of a directory against it.
    ///
    /// # Errors
    /// The first file that is not as it was copied.
    pub fn check(&self, dir: &Path) -> Result<(), Failure> {
        for held in &self.files {
            let content = File::open(dir.join(&held.name)).and_then(|file| {
                let mut content = Hashed::new(file);
                io::copy(&mut content, &mut io::sink())?;
                Ok(content.finish())
            });
            let is_whole = content
                .is_ok_and(|(bytes, digest)| bytes == held.bytes && digest.to_hex().as_str() == held.blake3);
            if !is_whole {
                let message = format!("`{}` is missing or not as it was copied", held.name);
                return Err(
                    Failure::new(Trouble::Data, message).help("take another copy; this one is damaged")
                );
            }
        }
        Ok(())
    }
}

/// Whether a name stays below the directory it is meant for: one or two plain words.
pub fn is_ours(name: &str) -> bool {
    let plain = |word: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '%');
        !word.is_empty() && !word.starts_with('.') && word.chars().all(allowed)
    };
    name.split('/').count() <= 2 && name.split('/').all(plain)
}

/// Content that is hashed while it is read.
pub struct Hashed<R> {
    content: R,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl<R: Read> Hashed<R> {
    /// Of what is read from here on.
    pub fn new(content: R) -> Self {
        Self {
            content,
            hasher: blake3::Hasher::new(),
            bytes: 0,
        }
    }

    /// Bytes that were read, and their hash.
    pub fn finish(self) -> (u64, blake3::Hash) {
        (self.bytes, self.hasher.finalize())
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read(into)?;
        self.hasher.update(into.get(..read).unwrap_or_default());
        self.bytes += u64::try_from(read).unwrap_or(0);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_directory() {
        for good in [
            "policy.toml",
            "log/00000000000000000000.seg",
            "sources/auth%2Flog.json",
        ] {
            assert!(is_ours(good), "{good}");
        }
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "log/../x",
            "log/a/b",
            "log/",
            ".hidden",
            "log/.ssh",
            "a b",
            "a\0",
        ] {
            assert!(!is_ours(bad), "{bad}");
        }
        let hostile =
            r#"{"format":1,"version":"0","made":0,"files":[{"name":"../x","bytes":1,"blake3":""}]}"#;
        assert_eq!(Manifest::parse(hostile).unwrap_err().trouble(), Trouble::Data);
        assert!(
            Manifest::parse(r#"{"format":2,"version":"9","made":0,"files":[]}"#)
                .unwrap_err()
                .advice()
                .is_some()
        );
    }

    #[test]
    fn a_gap_between_snapshot_and_log_is_no_copy() {
        let with = |names: &[&str]| {
            let mut manifest = Manifest::new(IngestTime::EPOCH);
            for name in names {
                manifest.push((*name).to_owned(), 0, blake3::hash(b""));
            }
            manifest.refuse_gap().is_ok()
        };
        assert!(
            with(&[])
                && with(&["log/000.seg"])
                && with(&["snapshots/050.snap", "log/020.seg", "log/060.seg"])
        );
        assert!(!with(&["log/001.seg"]) && !with(&["snapshots/050.snap", "log/051.seg"]));
    }
}
