//! The operating system's files.

use super::{Access, Dir, File};
use crate::{Error, Result};
use std::fs::{self, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The file by whose lock one process says that the directory is its own.
const LOCK: &str = "lock";
/// Only the owner reads and writes: what is kept here is personal.
const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;

/// A directory of the operating system.
#[derive(Debug)]
pub struct RealFs {
    path: PathBuf,
    /// Held as long as the directory is used; the operating system lets go of it when the process dies.
    _lock: Option<fs::File>,
}

#[derive(Debug)]
struct RealFile(fs::File);

impl RealFs {
    /// Takes the directory for this process alone, and makes it if it is missing.
    ///
    /// # Errors
    /// [`Error::InUse`] if another process has it; [`Error::Io`] if it cannot be made or locked.
    pub fn own(path: &Path) -> Result<Self> {
        make(path).map_err(Error::io("make a directory"))?;
        let lock = options(Access::Create)
            .open(path.join(LOCK))
            .map_err(Error::io("open the lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: Some(lock),
            }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse),
            Err(TryLockError::Error(error)) => Err(Error::io("lock a directory")(error)),
        }
    }

    /// Looks into an existing directory that another process may own. For reading.
    #[must_use]
    pub fn look(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            _lock: None,
        }
    }
}

/// Makes a directory with its parents, each on stable storage.
fn make(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        make(parent)?;
    }
    match fs::DirBuilder::new().mode(DIR_MODE).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    fs::File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

fn options(access: Access) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).mode(FILE_MODE);
    match access {
        Access::Read => {}
        Access::Append => {
            options.append(true);
        }
        Access::Create => {
            options.append(true).create(true);
        }
    }
    options
}

impl Dir for RealFs {
    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn File>> {
        let file = options(access).open(self.path.join(name))?;
        if access == Access::Create {
            // Not `O_TRUNC`, which the standard library does not combine with `O_APPEND`.
            file.set_len(0)?;
        }
        Ok(Box::new(RealFile(file)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            // Names that are no text are not ours.
            let name = entry.file_name().into_string().ok();
            names.extend(name.filter(|name| name != LOCK));
        }
        names.sort();
        Ok(names)
    }

    fn sync(&self) -> io::Result<()> {
        fs::File::open(&self.path)?.sync_all()
    }
}

impl File for RealFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        FileExt::read_at(&self.0, into, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}
