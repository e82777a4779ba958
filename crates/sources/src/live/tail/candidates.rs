//! Which files the configured paths mean right now.

use super::checkpoints::FileKey;
use std::collections::BTreeSet;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Paths looked at in one poll at most, whatever a pattern or a directory holds.
const ENTRIES_MAX: usize = 20_000;

/// Names of compressed files: what is in them was read before it was compressed.
const COMPRESSED: [&str; 7] = ["gz", "zst", "bz2", "xz", "lz4", "Z", "zip"];

/// First bytes of gzip and zstd, for rotated files that are compressed under their old name.
const COMPRESSED_MAGIC: [&[u8]; 2] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd"];

/// A file that a path means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    pub(super) key: FileKey,
    pub(super) len: u64,
}

/// What the paths mean, and what could not be looked at.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) files: Vec<Candidate>,
    pub(super) faults: Vec<String>,
    known: BTreeSet<FileKey>,
}

/// A configured path: a file, a directory, or a pattern.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    Path(PathBuf),
    Glob(String),
}

impl Pattern {
    /// Reads a configured path. A path that is there as it stands is no pattern, whatever its letters.
    pub(super) fn parse(path: &Path) -> Result<Self, String> {
        let text = path.to_str();
        match text.filter(|text| text.contains(['*', '?', '['])) {
            Some(text) if !path.exists() => {
                glob::Pattern::new(text).map_err(|error| format!("`paths`: {error}"))?;
                Ok(Self::Glob(text.to_owned()))
            }
            _ => Ok(Self::Path(path.to_owned())),
        }
    }
}

/// Looks all patterns up. Each file once, in the order of the patterns, by name within one. Cost: a `stat` a file.
pub(super) fn find(patterns: &[Pattern]) -> Found {
    let mut found = Found::default();
    for pattern in patterns {
        match pattern {
            Pattern::Path(path) => found.path(path),
            Pattern::Glob(text) => match glob::glob_with(text, glob_options()) {
                Ok(paths) => found.all(paths.map(|path| path.map_err(|error| io_of(&error))), text),
                Err(error) => found.faults.push(format!("`{text}`: {error}")),
            },
        }
    }
    found
}

/// `*` crosses no `/`, and hidden files are named only explicitly, as in a shell.
const fn glob_options() -> glob::MatchOptions {
    glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    }
}

fn io_of(error: &glob::GlobError) -> io::Error {
    io::Error::from(error.error().kind())
}

impl Found {
    fn path(&mut self, path: &Path) {
        match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => match names_in(path) {
                Ok(names) => self.all(names.into_iter().map(Ok), &path.display().to_string()),
                Err(error) => self.fault(path, &error),
            },
            Ok(meta) if meta.is_file() => self.file(path, &meta),
            Ok(_) => self.faults.push(format!("`{}` is no file", path.display())),
            // It may come.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.fault(path, &error),
        }
    }

    fn all(&mut self, paths: impl Iterator<Item = io::Result<PathBuf>>, of: &str) {
        for (n, path) in paths.enumerate() {
            if n >= ENTRIES_MAX {
                self.faults
                    .push(format!("`{of}` has more than {ENTRIES_MAX} entries"));
                return;
            }
            let path = match path {
                Ok(path) => path,
                Err(error) => {
                    self.faults
                        .push(format!("`{of}` cannot be looked up: {}", error.kind()));
                    continue;
                }
            };
            match fs::metadata(&path) {
                Ok(meta) if meta.is_file() => self.file(&path, &meta),
                // Directories within, sockets and pipes are no logs; a file may go between the list and the look.
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => self.fault(&path, &error),
            }
        }
    }

    fn file(&mut self, path: &Path, meta: &Metadata) {
        let key = key_of(meta);
        if !is_compressed_name(path) && self.known.insert(key) {
            self.files.push(Candidate {
                path: path.to_owned(),
                key,
                len: meta.len(),
            });
        }
    }

    fn fault(&mut self, path: &Path, error: &io::Error) {
        self.faults.push(cannot(path, "be looked up", error));
    }
}

/// A sentence about a path. Paths are configuration, no personal data.
pub(super) fn cannot(path: &Path, what: &str, error: &io::Error) -> String {
    format!("`{}` cannot {what}: {error}", path.display())
}

/// Names in a directory, sorted, without hidden ones.
pub(super) fn names_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)?.take(ENTRIES_MAX + 1) {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            names.push(entry.path());
        }
    }
    names.sort();
    Ok(names)
}

pub(super) fn key_of(meta: &Metadata) -> FileKey {
    FileKey {
        device: meta.dev(),
        inode: meta.ino(),
    }
}

/// Opens a file for reading. Never waits, also if it became a pipe since it was looked at.
pub(super) fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)?;
    let meta = file.metadata()?;
    if meta.is_file() {
        Ok((file, meta))
    } else {
        Err(io::Error::other("no file"))
    }
}

fn is_compressed_name(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| COMPRESSED.contains(&extension))
}

/// Whether a file begins as a compressed one does.
pub(super) fn is_compressed(mut file: &File) -> io::Result<bool> {
    let mut first = Vec::new();
    file.by_ref().take(4).read_to_end(&mut first)?;
    Ok(COMPRESSED_MAGIC.iter().any(|magic| first.starts_with(magic)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(paths: &[&Path]) -> Vec<String> {
        let patterns: Vec<_> = paths.iter().map(|path| Pattern::parse(path).unwrap()).collect();
        find(&patterns)
            .files
            .iter()
            .map(|file| file.path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn files_directories_and_patterns() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in ["b.log", "a.log", "a.log.1", "a.log.2.gz", ".hidden", "c[1].log"] {
            fs::write(at(name), name).unwrap();
        }
        fs::create_dir(at("sub")).unwrap();
        fs::write(at("sub/d.log"), "d").unwrap();
        std::os::unix::fs::symlink(at("b.log"), at("link.log")).unwrap();
        assert_eq!(names(&[dir.path()]), ["a.log", "a.log.1", "b.log", "c[1].log"]);
        assert_eq!(
            names(&[&at("link.log"), &at("b.log")]),
            ["link.log"],
            "one file, once"
        );
        assert_eq!(names(&[&at("a.log*")]), ["a.log", "a.log.1"]);
        assert_eq!(names(&[&at("c[1].log")]), ["c[1].log"]);
        assert_eq!(names(&[&at("*/*.log")]), ["d.log"]);
        assert_eq!(names(&[&at("**/?.log")]), ["a.log", "b.log", "d.log"]);
        assert_eq!(names(&[&at("not there")]), [] as [&str; 0]);
        assert!(Pattern::parse(&at("x[")).is_err());
    }

    #[test]
    fn what_is_no_file_is_never_opened() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let found = find(&[Pattern::Path(pipe.clone())]);
        assert!(found.files.is_empty() && found.faults[0].contains("is no file"));
        assert!(open(&pipe).is_err(), "and does not hang");
    }
}
