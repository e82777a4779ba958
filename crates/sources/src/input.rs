//! Which files to read, and how far reading has come.

use crate::Error;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One input: a file, or standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// Standard input, written `-`.
    Stdin,
    /// A file.
    File {
        /// Its path.
        path: PathBuf,
        /// Its size in bytes; absent for pipes and devices, whose size says nothing.
        bytes: Option<u64>,
    },
}

/// How many bytes were read, as they lie on disk. Cheap to share: clones count together.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    consumed: Arc<AtomicU64>,
}

impl Progress {
    /// Nothing read yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes read so far, of all inputs.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.consumed.load(Ordering::Relaxed)
    }

    /// The counter itself.
    #[must_use]
    pub fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.consumed)
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.consumed.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// What the arguments mean: `-` is standard input, a directory means the files in it, by name.
///
/// Directories are not descended into; names that start with a dot are left out, as shells do. Nothing is opened yet, so
/// any number of files may be named.
///
/// # Errors
/// A path that is not there, a directory without files, `-` twice.
pub fn resolve(args: &[impl AsRef<Path>]) -> Result<Vec<Location>, Error> {
    let mut all = Vec::with_capacity(args.len());
    for path in args.iter().map(AsRef::as_ref) {
        if path == Path::new("-") {
            if all.contains(&Location::Stdin) {
                return Err(Error::StdinTwice);
            }
            all.push(Location::Stdin);
            continue;
        }
        let meta = fs::metadata(path).map_err(|source| open_error(path, source))?;
        if meta.is_dir() {
            all.extend(files_in(path)?);
        } else {
            all.push(file(path.to_owned(), &meta));
        }
    }
    Ok(all)
}

/// The sum of all sizes; absent if one is not known.
#[must_use]
pub fn total_bytes(locations: &[Location]) -> Option<u64> {
    locations.iter().try_fold(0_u64, |sum, location| match location {
        Location::Stdin => None,
        Location::File { bytes, .. } => bytes.map(|bytes| sum.saturating_add(bytes)),
    })
}

impl Location {
    /// The name to show: the path, or `standard input`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Location::Stdin => "standard input".to_owned(),
            Location::File { path, .. } => path.display().to_string(),
        }
    }

    /// Opens it.
    ///
    /// # Errors
    /// The file is gone or may not be read.
    pub fn open(&self) -> Result<Box<dyn Read + Send>, Error> {
        match self {
            Location::Stdin => Ok(Box::new(io::stdin())),
            Location::File { path, .. } => match File::open(path) {
                Ok(file) => Ok(Box::new(file)),
                Err(source) => Err(open_error(path, source)),
            },
        }
    }
}

fn file(path: PathBuf, meta: &fs::Metadata) -> Location {
    Location::File {
        path,
        bytes: meta.is_file().then_some(meta.len()),
    }
}

fn files_in(dir: &Path) -> Result<Vec<Location>, Error> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(|source| open_error(dir, source))? {
        let entry = entry.map_err(|source| open_error(dir, source))?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden {
            names.push(entry.path());
        }
    }
    // The order in which a file system lists names is no order.
    names.sort();
    let mut files = Vec::with_capacity(names.len());
    for path in names {
        let meta = fs::metadata(&path).map_err(|source| open_error(&path, source))?;
        if meta.is_file() {
            files.push(file(path, &meta));
        }
    }
    if files.is_empty() {
        return Err(Error::EmptyDirectory { path: dir.to_owned() });
    }
    Ok(files)
}

pub(crate) fn open_error(path: &Path, source: io::Error) -> Error {
    Error::Open {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_means_its_files_by_name() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.log", "a.log", ".hidden", "c.log"] {
            fs::write(dir.path().join(name), name).unwrap();
        }
        fs::create_dir(dir.path().join("sub")).unwrap();
        let found = resolve(&[dir.path()]).unwrap();
        let names: Vec<_> = found
            .iter()
            .map(|l| l.name().rsplit('/').next().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["a.log", "b.log", "c.log"]);
        assert_eq!(total_bytes(&found), Some(15));
        let mut text = String::new();
        found[0].open().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "a.log");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(
            resolve(&[dir.path()]),
            Err(Error::EmptyDirectory { .. })
        ));
        let missing = dir.path().join("no.log");
        let text = resolve(&[&missing]).unwrap_err().to_string();
        assert!(text.contains("no.log"), "{text}");
        assert!(matches!(resolve(&["-", "-"]), Err(Error::StdinTwice)));
        assert_eq!(total_bytes(&resolve(&["-"]).unwrap()), None);
    }
}
