//! The few things the journal asks of a file system, so that tests can stand a failing one in its place.

mod real;

#[cfg(any(test, feature = "faults"))]
mod fault;

#[cfg(any(test, feature = "faults"))]
pub use fault::{Call, Fault, FaultFs};
pub use real::RealFs;

use crate::bytes::{narrow, wide};
use crate::{Error, Result};
use std::io::{self, ErrorKind};

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// An existing file, to be read.
    Read,
    /// An existing file, to be read and appended to.
    Append,
    /// A new file, or an existing one emptied.
    Create,
}

/// One flat directory. Its entries are on stable storage only after [`Dir::sync`].
pub trait Dir: Send + Sync {
    /// Opens a file of the directory.
    ///
    /// # Errors
    /// As the operating system says; `NotFound` for a missing file unless it is to be created.
    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn File>>;
    /// Gives a file another name, replacing what bore it: at once or not at all.
    ///
    /// # Errors
    /// As the operating system says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file. Those who have it open can still read it.
    ///
    /// # Errors
    /// As the operating system says; `NotFound` for a missing file.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Names of all files, sorted.
    ///
    /// # Errors
    /// As the operating system says.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Puts the entries (not the contents of files) on stable storage.
    ///
    /// # Errors
    /// As the operating system says; what is on disk is then unknown.
    fn sync(&self) -> io::Result<()>;
}

/// One open file. What was written is on stable storage only after [`File::sync`].
pub trait File: Send {
    /// Writes some of the bytes at the end, and says how many.
    ///
    /// # Errors
    /// As the operating system says, `Interrupted` among them.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// Reads some bytes from the offset, and says how many; 0 at the end.
    ///
    /// # Errors
    /// As the operating system says, `Interrupted` among them.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;
    /// Puts the content on stable storage.
    ///
    /// # Errors
    /// As the operating system says; what is on disk is then unknown, and a second call proves nothing.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file to a length.
    ///
    /// # Errors
    /// As the operating system says.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
    /// The length in bytes.
    ///
    /// # Errors
    /// As the operating system says.
    fn length(&self) -> io::Result<u64>;
}

/// The suffix of files that are not finished. They are removed when their directory is opened.
const UNFINISHED: &str = ".tmp";

/// Tries again after `Interrupted` at most so often: no call spins for ever.
const INTERRUPTIONS_MAX: u32 = 1_000;

/// Writes all bytes at the end, in as many calls as it takes.
pub(crate) fn append_all(file: &mut dyn File, mut bytes: &[u8]) -> io::Result<()> {
    let mut interruptions = 0;
    while !bytes.is_empty() {
        match file.append(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) => interrupted(error, &mut interruptions)?,
        }
    }
    Ok(())
}

/// Reads up to `len` bytes from the offset; fewer only at the end of the file.
pub(crate) fn read_up_to(file: &dyn File, offset: u64, len: usize) -> io::Result<Vec<u8>> {
    let len = len.min(narrow(file.length()?.saturating_sub(offset)));
    let mut bytes = vec![0; len];
    let mut filled = 0;
    let mut interruptions = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(offset.saturating_add(wide(filled)), rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) => interrupted(error, &mut interruptions)?,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// Syncs a file, trying again only when interrupted.
pub(crate) fn sync_file(file: &mut dyn File) -> io::Result<()> {
    let mut interruptions = 0;
    loop {
        match file.sync() {
            Ok(()) => return Ok(()),
            Err(error) => interrupted(error, &mut interruptions)?,
        }
    }
}

/// Calls a directory's operation, trying again only when interrupted.
pub(crate) fn steady<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut interruptions = 0;
    loop {
        match call() {
            Ok(value) => return Ok(value),
            Err(error) => interrupted(error, &mut interruptions)?,
        }
    }
}

/// `Ok` if the call is to be tried again.
fn interrupted(error: io::Error, so_far: &mut u32) -> io::Result<()> {
    *so_far += 1;
    if error.kind() == ErrorKind::Interrupted && *so_far <= INTERRUPTIONS_MAX {
        return Ok(());
    }
    Err(error)
}

/// Puts a whole file in place: after this it is on stable storage under its name, or (after an error) the old one is.
pub(crate) fn write_whole(dir: &dyn Dir, name: &str, parts: &[&[u8]]) -> Result<()> {
    let unfinished = format!("{name}{UNFINISHED}");
    let written = (|| {
        let mut file = steady(|| dir.open(&unfinished, Access::Create))?;
        for part in parts {
            append_all(file.as_mut(), part)?;
        }
        sync_file(file.as_mut())
    })();
    if let Err(error) = written {
        // What is left of it takes space, which may be what is missing; opening the directory would remove it too.
        let _ = dir.remove(&unfinished);
        return Err(Error::io("write a file")(error));
    }
    finish(dir, &unfinished, name)
}

/// Gives a finished and synced file its name, on stable storage.
pub(crate) fn finish(dir: &dyn Dir, unfinished: &str, name: &str) -> Result<()> {
    steady(|| dir.rename(unfinished, name)).map_err(Error::io("rename a file"))?;
    steady(|| dir.sync()).map_err(Error::io("sync a directory"))
}

/// Removes what was being written when the process ended.
pub(crate) fn remove_unfinished(dir: &dyn Dir) -> Result<()> {
    for name in steady(|| dir.list()).map_err(Error::io("list a directory"))? {
        if name.ends_with(UNFINISHED) {
            steady(|| dir.remove(&name)).map_err(Error::io("remove a file"))?;
        }
    }
    Ok(())
}

/// A whole file, if it is there and not longer than the limit.
pub(crate) fn read_whole(dir: &dyn Dir, name: &str, bytes_max: u64) -> Result<Option<Vec<u8>>> {
    let file = match steady(|| dir.open(name, Access::Read)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("open a file")(error)),
    };
    let len = file.length().map_err(Error::io("measure a file"))?;
    if len > bytes_max {
        return Err(Error::Damaged("a file longer than its limit"));
    }
    let bytes = read_up_to(file.as_ref(), 0, narrow(len)).map_err(Error::io("read a file"))?;
    Ok(Some(bytes))
}
