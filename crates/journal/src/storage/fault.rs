//! A file system in memory that fails as real ones do: calls that fail, full disks, and power cuts that drop or reorder any
//! part of what was not synced.
//!
//! A power cut keeps any subset of the unsynced 512-byte sectors of each file, and any prefix of the unsynced changes to the
//! directory (file systems with a journal keep these in order). A sector that was not written holds what it held before, zeros,
//! or another file's old bytes. A failed sync drops what it should have written while reads still show it, as Linux does.

use super::{Access, Dir, File};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Disks write sectors whole.
const SECTOR_BYTES: usize = 512;

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `EIO`; a write has written some, a sync has lost all.
    Io,
    /// `ENOSPC`; a write has written some.
    Full,
    /// `EINTR`; nothing was done.
    Interrupted,
    /// A write writes, or a read reads, one byte only; other calls succeed.
    Short,
    /// `EROFS`; nothing was done.
    ReadOnly,
    /// The power is gone: this call and all later ones fail, until [`FaultFs::restart`].
    Cut,
}

/// What was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// [`Dir::open`].
    Open,
    /// [`Dir::rename`].
    Rename,
    /// [`Dir::remove`].
    Remove,
    /// [`Dir::list`].
    List,
    /// [`Dir::sync`].
    SyncDir,
    /// [`File::append`].
    Append,
    /// [`File::read_at`].
    Read,
    /// [`File::sync`].
    Sync,
    /// [`File::truncate`].
    Truncate,
}

/// The failing file system: one flat directory. Clones are the same directory.
#[derive(Debug, Clone, Default)]
pub struct FaultFs {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    files: Vec<Content>,
    names: BTreeMap<String, usize>,
    kept_names: BTreeMap<String, usize>,
    unsynced_names: Vec<NameChange>,
    /// Handles of an earlier life do nothing.
    life: u64,
    calls: u64,
    fault: Option<(u64, Fault)>,
    is_cut: bool,
    bytes_max: Option<usize>,
}

#[derive(Debug, Default)]
struct Content {
    seen: Vec<u8>,
    kept: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate(usize),
}

#[derive(Debug)]
enum NameChange {
    Set(String, usize),
    Rename(String, String),
    Remove(String),
}

struct FaultFile {
    fs: FaultFs,
    index: usize,
    life: u64,
}

impl FaultFs {
    /// An empty directory on a disk without limit.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the n-th call from now fail, counted from 0.
    pub fn fail(&self, nth: u64, fault: Fault) {
        let mut state = self.lock();
        state.fault = Some((state.calls.saturating_add(nth), fault));
    }

    /// Whether the fault that was asked for has happened.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        let state = self.lock();
        state.fault.is_some_and(|(at, _)| state.calls > at)
    }

    /// The disk's size from now on; `None` is without limit.
    pub fn limit(&self, bytes_max: Option<usize>) {
        self.lock().bytes_max = bytes_max;
    }

    /// Calls so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// The power comes back: what was not synced is partly gone, as the seed says. All open files are closed.
    pub fn restart(&self, seed: u64) {
        let mut state = self.lock();
        let mut dice = Dice(seed);
        let state = &mut *state;
        for file in &mut state.files {
            file.lose(&mut dice);
        }
        let changes = std::mem::take(&mut state.unsynced_names);
        let survive = dice.below(changes.len() + 1);
        for change in changes.into_iter().take(survive) {
            apply_name(&mut state.kept_names, change);
        }
        state.names = state.kept_names.clone();
        state.life += 1;
        state.fault = None;
        state.is_cut = false;
    }

    /// The process dies and starts again, the machine does not: nothing is lost, all open files are closed.
    pub fn reopen(&self) {
        let mut state = self.lock();
        state.life += 1;
        state.fault = None;
        state.is_cut = false;
    }

    /// Changes a file behind everyone's back, on the disk too.
    pub fn tamper(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.lock();
        let index = state.names.get(name).copied();
        if let Some(file) = index.and_then(|index| state.files.get_mut(index)) {
            change(&mut file.seen);
            file.kept.clone_from(&file.seen);
            file.unsynced.clear();
        }
    }

    /// A copy of a file's bytes as reads see them.
    #[must_use]
    pub fn content(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.lock();
        let index = state.names.get(name)?;
        state.files.get(*index).map(|file| file.seen.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts a call and says how it fails, if it does.
    fn call(&mut self, call: Call) -> io::Result<Option<Fault>> {
        if self.is_cut {
            return Err(ErrorKind::NotConnected.into());
        }
        let now = self.calls;
        self.calls += 1;
        let fault = self.fault.filter(|(at, _)| *at == now).map(|(_, fault)| fault);
        match fault {
            Some(Fault::Cut) => {
                self.is_cut = true;
                Err(ErrorKind::NotConnected.into())
            }
            Some(Fault::Interrupted) => Err(ErrorKind::Interrupted.into()),
            Some(Fault::ReadOnly) if !matches!(call, Call::Read | Call::List) => {
                Err(ErrorKind::ReadOnlyFilesystem.into())
            }
            Some(fault @ (Fault::Io | Fault::Full)) if !matches!(call, Call::Append | Call::Sync) => {
                Err(error(fault))
            }
            fault => Ok(fault),
        }
    }

    fn change_name(&mut self, change: NameChange) {
        let copy = match &change {
            NameChange::Set(name, index) => NameChange::Set(name.clone(), *index),
            NameChange::Rename(from, to) => NameChange::Rename(from.clone(), to.clone()),
            NameChange::Remove(name) => NameChange::Remove(name.clone()),
        };
        apply_name(&mut self.names, copy);
        self.unsynced_names.push(change);
    }

    fn used(&self) -> usize {
        let named = self.names.values().filter_map(|index| self.files.get(*index));
        named.map(|file| file.seen.len()).sum()
    }
}

fn error(fault: Fault) -> io::Error {
    match fault {
        Fault::Full => ErrorKind::StorageFull.into(),
        // What `EIO` becomes in the standard library.
        _ => io::Error::other("input/output error"),
    }
}

fn apply_name(names: &mut BTreeMap<String, usize>, change: NameChange) {
    match change {
        NameChange::Set(name, index) => {
            names.insert(name, index);
        }
        NameChange::Rename(from, to) => {
            if let Some(index) = names.remove(&from) {
                names.insert(to, index);
            }
        }
        NameChange::Remove(name) => {
            names.remove(&name);
        }
    }
}

impl Content {
    fn change(&mut self, change: Change) {
        apply(&mut self.seen, &change);
        self.unsynced.push(change);
    }

    fn sync(&mut self) {
        for change in std::mem::take(&mut self.unsynced) {
            apply(&mut self.kept, &change);
        }
    }

    /// Applies a random part of what was not synced.
    fn lose(&mut self, dice: &mut Dice) {
        let favour = dice.below(5);
        for change in std::mem::take(&mut self.unsynced) {
            match change {
                Change::Truncate(_) if dice.below(4) < favour => apply(&mut self.kept, &change),
                Change::Truncate(_) => {}
                Change::Write { offset, bytes } => self.write_some(offset, &bytes, (dice, favour)),
            }
        }
        self.seen.clone_from(&self.kept);
    }

    /// Writes each sector with the odds of `favour` in 4.
    fn write_some(&mut self, offset: usize, bytes: &[u8], (dice, favour): (&mut Dice, usize)) {
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            let in_sector = SECTOR_BYTES - at % SECTOR_BYTES;
            let (sector, after) = rest.split_at(in_sector.min(rest.len()));
            if dice.below(4) < favour {
                write(&mut self.kept, at, sector);
            } else if dice.below(8) == 0 && at >= self.kept.len() {
                // The file grew, the sector was not written: it shows what the disk held there.
                let stale: Vec<u8> = sector.iter().map(|_| dice.byte()).collect();
                write(&mut self.kept, at, &stale);
            }
            at += sector.len();
            rest = after;
        }
    }
}

fn apply(content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { offset, bytes } => write(content, *offset, bytes),
        Change::Truncate(len) => content.resize(*len, 0),
    }
}

fn write(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(place) = content.get_mut(offset..end) {
        place.copy_from_slice(bytes);
    }
}

impl Dir for FaultFs {
    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn File>> {
        let mut state = self.lock();
        state.call(Call::Open)?;
        let index = match (state.names.get(name).copied(), access) {
            (Some(index), Access::Read | Access::Append) => index,
            (None, Access::Read | Access::Append) => return Err(ErrorKind::NotFound.into()),
            (Some(index), Access::Create) => {
                if let Some(file) = state.files.get_mut(index) {
                    file.change(Change::Truncate(0));
                }
                index
            }
            (None, Access::Create) => {
                let index = state.files.len();
                state.files.push(Content::default());
                state.change_name(NameChange::Set(name.to_owned(), index));
                index
            }
        };
        let life = state.life;
        Ok(Box::new(FaultFile {
            fs: self.clone(),
            index,
            life,
        }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.call(Call::Rename)?;
        if !state.names.contains_key(from) {
            return Err(ErrorKind::NotFound.into());
        }
        state.change_name(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.call(Call::Remove)?;
        if !state.names.contains_key(name) {
            return Err(ErrorKind::NotFound.into());
        }
        state.change_name(NameChange::Remove(name.to_owned()));
        Ok(())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut state = self.lock();
        state.call(Call::List)?;
        Ok(state.names.keys().cloned().collect())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.lock();
        state.call(Call::SyncDir)?;
        for change in std::mem::take(&mut state.unsynced_names) {
            apply_name(&mut state.kept_names, change);
        }
        Ok(())
    }
}

impl FaultFile {
    /// Counts the call and hands the file over, if the handle is of this life.
    fn with<T>(
        &self,
        call: Call,
        act: impl FnOnce(&mut Content, Option<Fault>, usize) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.fs.lock();
        if state.life != self.life {
            return Err(ErrorKind::NotConnected.into());
        }
        let fault = state.call(call)?;
        let free = state
            .bytes_max
            .map_or(usize::MAX, |bytes_max| bytes_max.saturating_sub(state.used()));
        match state.files.get_mut(self.index) {
            Some(file) => act(file, fault, free),
            None => Err(ErrorKind::NotFound.into()),
        }
    }
}

impl File for FaultFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(Call::Append, |file, fault, free| {
            let fits = bytes.len().min(free);
            let written = match fault {
                Some(Fault::Io | Fault::Full) => fits / 2,
                Some(Fault::Short) => fits.min(1),
                _ => fits,
            };
            let bytes = bytes.get(..written).unwrap_or_default().to_vec();
            let offset = file.seen.len();
            file.change(Change::Write { offset, bytes });
            match fault {
                Some(fault @ (Fault::Io | Fault::Full)) => Err(error(fault)),
                _ if written == 0 => Err(ErrorKind::StorageFull.into()),
                _ => Ok(written),
            }
        })
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.with(Call::Read, |file, fault, _| {
            let offset = usize::try_from(offset).unwrap_or(usize::MAX);
            let rest = file.seen.get(offset..).unwrap_or_default();
            let len = match fault {
                Some(Fault::Short) => rest.len().min(into.len()).min(1),
                _ => rest.len().min(into.len()),
            };
            for (to, from) in into.iter_mut().zip(rest).take(len) {
                *to = *from;
            }
            Ok(len)
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        self.with(Call::Sync, |file, fault, _| match fault {
            Some(fault @ (Fault::Io | Fault::Full)) => {
                file.unsynced.clear();
                Err(error(fault))
            }
            _ => {
                file.sync();
                Ok(())
            }
        })
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.with(Call::Truncate, |file, _, _| {
            file.change(Change::Truncate(usize::try_from(len).unwrap_or(usize::MAX)));
            Ok(())
        })
    }

    fn length(&self) -> io::Result<u64> {
        let state = self.fs.lock();
        if state.life != self.life || state.is_cut {
            return Err(ErrorKind::NotConnected.into());
        }
        let len = state.files.get(self.index).map_or(0, |file| file.seen.len());
        Ok(u64::try_from(len).unwrap_or(u64::MAX))
    }
}

/// `SplitMix64` (Steele, Lea, Flood 2014): enough for choosing what a power cut destroys.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.roll() % end).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.roll() >> 56).unwrap_or(0)
    }
}
