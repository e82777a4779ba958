//! Space set aside, so that opening and closing work on a full disk.

use crate::bytes::wide;
use crate::storage::{Access, Dir, steady, write_whole};
use crate::{Error, Result};
use std::io::ErrorKind;
use std::sync::Arc;

const NAME: &str = "reserve";
/// Written piecewise; not zeros alone, because some file systems store no zeros.
const PIECE_BYTES: usize = 64 * 1024;

/// A file that is there to be removed.
pub(crate) struct Reserve {
    dir: Arc<dyn Dir>,
    bytes: usize,
    is_held: bool,
}

impl Reserve {
    /// Looks whether the space is set aside already. Zero bytes ask for none.
    pub(crate) fn find(dir: Arc<dyn Dir>, bytes: usize) -> Result<Self> {
        let is_held = match steady(|| dir.open(NAME, Access::Read)) {
            Ok(file) => file.length().is_ok_and(|held| held >= wide(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => bytes == 0,
            Err(error) => return Err(Error::io("open the reserve")(error)),
        };
        Ok(Self { dir, bytes, is_held })
    }

    /// Sets the space aside, if it is not.
    ///
    /// # Errors
    /// [`Error::Full`] while there is no such space: then nothing new is to be accepted.
    pub(crate) fn hold(&mut self) -> Result<()> {
        if self.is_held {
            return Ok(());
        }
        let piece: Vec<u8> = (0..PIECE_BYTES)
            .map(|i| u8::try_from(i % 251).unwrap_or(0))
            .collect();
        let mut parts = vec![piece.as_slice(); self.bytes / PIECE_BYTES];
        parts.extend(piece.get(..self.bytes % PIECE_BYTES));
        write_whole(self.dir.as_ref(), NAME, &parts)?;
        self.is_held = true;
        Ok(())
    }

    /// Gives the space back; `false` if there was none.
    pub(crate) fn release(&mut self) -> Result<bool> {
        if self.bytes == 0 {
            return Ok(false);
        }
        self.is_held = false;
        match steady(|| self.dir.remove(NAME)) {
            Ok(()) => {
                // Some file systems give blocks back only with the change of the directory.
                steady(|| self.dir.sync()).map_err(Error::io("sync the log"))?;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::io("remove the reserve")(error)),
        }
    }
}
