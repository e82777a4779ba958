//! How far each file was read, kept over restarts.

use super::mark::Mark;
use crate::live::LiveError;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Version of the file's format.
const VERSION: u32 = 1;

/// Largest file of checkpoints that is read: 4,096 files with paths of 4 KiB.
const BYTES_MAX: u64 = 32 * 1024 * 1024;

/// A file on a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct FileKey {
    pub(super) device: u64,
    pub(super) inode: u64,
}

/// How far a file was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Where it was last seen.
    pub(super) path: PathBuf,
    #[serde(flatten)]
    pub(super) key: FileKey,
    /// Bytes that the sink accepted.
    pub(super) offset: u64,
    /// The mark of those bytes.
    pub(super) mark: Mark,
}

#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    version: u32,
    files: Vec<Entry>,
}

/// What was stored.
#[derive(Debug)]
pub(super) enum Loaded {
    /// Nothing: the source has never run.
    Nothing,
    /// The checkpoints of the last run.
    Entries(Vec<Entry>),
    /// Something that cannot be read. It was put aside.
    Damaged,
}

/// The file with a source's checkpoints: JSON, replaced as a whole.
#[derive(Debug, Clone)]
pub(super) struct Checkpoints {
    directory: PathBuf,
    file: PathBuf,
    aside: PathBuf,
}

impl Checkpoints {
    /// The checkpoints of the source `name` in `directory`, which is made if it is not there.
    pub(super) fn open(directory: &Path, name: &str) -> Result<Self, LiveError> {
        let checkpoints = Self {
            directory: directory.to_owned(),
            file: directory.join(format!("{name}.json")),
            aside: directory.join(format!("{name}.json.damaged")),
        };
        let made = fs::create_dir_all(directory);
        made.map_err(|source| LiveError::Checkpoints {
            name: name.to_owned(),
            path: directory.to_owned(),
            source,
        })?;
        Ok(checkpoints)
    }

    /// What the last run stored.
    pub(super) fn load(&self) -> io::Result<Loaded> {
        let mut text = Vec::new();
        match File::open(&self.file) {
            Ok(file) => file.take(BYTES_MAX).read_to_end(&mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Loaded::Nothing),
            Err(error) => return Err(error),
        };
        match serde_json::from_slice::<Stored>(&text) {
            Ok(stored) if stored.version == VERSION => Ok(Loaded::Entries(stored.files)),
            Ok(_) | Err(_) => {
                fs::rename(&self.file, &self.aside)?;
                Ok(Loaded::Damaged)
            }
        }
    }

    /// Replaces what is stored: a crash leaves the old state or the new one. On disk when it returns.
    pub(super) fn save(&self, files: Vec<Entry>) -> io::Result<()> {
        let stored = Stored {
            version: VERSION,
            files,
        };
        let text = serde_json::to_vec(&stored).map_err(io::Error::other)?;
        let mut temporary = tempfile::NamedTempFile::new_in(&self.directory)?;
        temporary.write_all(&text)?;
        temporary.as_file().sync_all()?;
        temporary.persist(&self.file).map_err(|error| error.error)?;
        File::open(&self.directory)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(offset: u64) -> Entry {
        Entry {
            path: "/var/log/auth.log".into(),
            key: FileKey {
                device: 64_769,
                inode: 1_234,
            },
            offset,
            mark: Mark::default(),
        }
    }

    fn entries(checkpoints: &Checkpoints) -> Option<Vec<Entry>> {
        match checkpoints.load().unwrap() {
            Loaded::Entries(entries) => Some(entries),
            Loaded::Nothing | Loaded::Damaged => None,
        }
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let checkpoints = Checkpoints::open(&dir.path().join("deep/er"), "auth").unwrap();
        assert!(matches!(checkpoints.load().unwrap(), Loaded::Nothing));
        for offset in [1, 2] {
            checkpoints.save(vec![entry(offset)]).unwrap();
            assert_eq!(entries(&checkpoints), Some(vec![entry(offset)]));
        }
        let left = fs::read_dir(dir.path().join("deep/er")).unwrap().count();
        assert_eq!(left, 1, "no temporary files stay");
    }

    #[test]
    fn damage_is_seen_at_every_length_and_put_aside() {
        let dir = tempfile::tempdir().unwrap();
        let checkpoints = Checkpoints::open(dir.path(), "auth").unwrap();
        checkpoints.save(vec![entry(7)]).unwrap();
        let whole = fs::read(dir.path().join("auth.json")).unwrap();
        for cut in 0..whole.len() {
            fs::write(dir.path().join("auth.json"), &whole[..cut]).unwrap();
            assert!(
                matches!(checkpoints.load().unwrap(), Loaded::Damaged),
                "cut at {cut}"
            );
            assert!(dir.path().join("auth.json.damaged").exists());
            assert!(matches!(checkpoints.load().unwrap(), Loaded::Nothing));
        }
        let newer = r#"{"version": 2, "files": []}"#;
        fs::write(dir.path().join("auth.json"), newer).unwrap();
        assert!(matches!(checkpoints.load().unwrap(), Loaded::Damaged));
    }
}
