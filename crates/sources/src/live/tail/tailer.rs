//! All files of one source: which are followed, which are read next.

use super::candidates::{self, Candidate, Pattern, cannot, is_compressed, key_of, names_in, open};
use super::checkpoints::{Checkpoints, Entry, FileKey, Loaded};
use super::follow::{Chunk, Follow, Read};
use super::mark::{Mark, is_copy};
use super::{FILES_MAX, OPEN_FILES_MAX};
use crate::live::LiveError;
use crate::live::settings::{SourceSettings, Start};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;

/// Chunks of one round at most: with 1 MiB each this bounds what is in flight.
const CHUNKS_MAX: usize = 16;

/// A renamed file is let go after it was quiet for this long. Daemons write on into it until they are told to reopen
/// their log (logrotate(8), `delaycompress`), which takes them seconds.
const RENAMED_PATIENCE: Duration = Duration::from_secs(60);

/// The same for a deleted one: nobody can find it again, and its space is wanted back.
const DELETED_PATIENCE: Duration = Duration::from_secs(2);

/// Faults kept of one round.
const FAULTS_MAX: usize = 16;

/// The files of a source and how far they were read. Blocking; see [`super::run`] for how it is driven.
#[derive(Debug)]
pub(in crate::live) struct Tailer {
    patterns: Vec<Pattern>,
    store: Checkpoints,
    files: BTreeMap<FileKey, Follow>,
    /// Checkpoints of the last run whose file was not found yet.
    pending: Vec<Entry>,
    /// Where new files begin: at their end only in the first round of the first run.
    start: Start,
    rounds: u64,
    /// When the round began.
    now: Instant,
    is_dirty: bool,
    findings: Findings,
    /// Faults of the last round: what stays wrong is reported once.
    known_faults: BTreeSet<String>,
    /// The file after which the next round begins, so that a busy one does not starve the rest.
    turn: Option<FileKey>,
}

/// What rounds found out, for the source's health.
#[derive(Debug, Default, Clone)]
pub(super) struct Findings {
    pub(super) open: u64,
    pub(super) oversized: u64,
    pub(super) faults: Vec<String>,
}

impl Tailer {
    /// Reads the checkpoints in `directory`. Files are looked up in the first round.
    pub(in crate::live) fn open(settings: &SourceSettings, directory: &Path) -> Result<Self, LiveError> {
        let store = Checkpoints::open(directory, &settings.name)?;
        let patterns: Result<Vec<_>, String> =
            settings.paths.iter().map(|path| Pattern::parse(path)).collect();
        let patterns = patterns.map_err(|problem| LiveError::Setting {
            name: settings.name.clone(),
            problem,
        })?;
        let loaded = store.load().map_err(|source| LiveError::Checkpoints {
            name: settings.name.clone(),
            path: directory.to_owned(),
            source,
        })?;
        let mut findings = Findings::default();
        let (pending, start) = match loaded {
            Loaded::Nothing => (Vec::new(), settings.start.unwrap_or_default()),
            Loaded::Entries(entries) => (entries, Start::Beginning),
            Loaded::Damaged => {
                let fault = "the checkpoints are damaged: files are read from their beginning";
                findings.faults.push(fault.to_owned());
                (Vec::new(), Start::Beginning)
            }
        };
        Ok(Self {
            patterns,
            store,
            files: BTreeMap::new(),
            pending,
            start,
            rounds: 0,
            now: Instant::now(),
            // The first save marks that the source has run, also if it found nothing.
            is_dirty: true,
            findings,
            known_faults: BTreeSet::new(),
            turn: None,
        })
    }

    /// Looks the paths up and reads what is new: at most one chunk a file. Empty if nothing is new. The chunks are to be
    /// [`Self::accepted`] or given up before the next round.
    pub(super) fn round(&mut self, now: Instant) -> Vec<Chunk> {
        self.rounds += 1;
        self.now = now;
        let found = candidates::find(&self.patterns);
        let mut faults = found.faults;
        self.look_up(found.files, &mut faults);
        let chunks = self.read(&mut faults);
        self.close_some();
        faults.truncate(FAULTS_MAX);
        // What stays wrong is one fault, not four a second.
        let new = faults.iter().filter(|fault| !self.known_faults.contains(*fault));
        self.findings.faults.extend(new.cloned());
        self.known_faults = faults.into_iter().collect();
        chunks
    }

    /// The sink has a chunk: its file's place moves.
    pub(super) fn accepted(&mut self, chunk: &Chunk) {
        if let Some(follow) = self.files.get_mut(&chunk.key)
            && follow.offset == chunk.start
        {
            follow.offset = chunk.end;
            follow.mark = chunk.mark;
            self.is_dirty = true;
        }
    }

    /// Whether there is something to save.
    pub(super) const fn is_dirty(&self) -> bool {
        self.is_dirty
    }

    /// Saves all checkpoints.
    pub(super) fn save(&mut self) -> io::Result<()> {
        let followed = self.files.values().map(Follow::entry);
        self.store
            .save(followed.chain(self.pending.iter().cloned()).collect())?;
        self.is_dirty = false;
        Ok(())
    }

    /// What was found out since the last call.
    pub(super) fn take_findings(&mut self) -> Findings {
        self.findings.open = count(self.files.values().filter(|follow| follow.file.is_some()).count());
        std::mem::take(&mut self.findings)
    }

    /// Notes which files the paths mean, and takes up new ones.
    fn look_up(&mut self, found: Vec<Candidate>, faults: &mut Vec<String>) {
        for follow in self.files.values_mut() {
            follow.is_listed = false;
        }
        let mut new = Vec::new();
        for candidate in found {
            match self.files.get_mut(&candidate.key) {
                Some(follow) => {
                    follow.is_listed = true;
                    follow.quiet_since = None;
                    follow.path = candidate.path;
                }
                // An empty file has no content to be known by, and nothing to read.
                None if candidate.len > 0 => new.push(candidate),
                None => {}
            }
        }
        for candidate in new {
            if self.files.len() >= FILES_MAX {
                faults.push(format!("more than {FILES_MAX} files: some are not followed"));
                break;
            }
            let path = candidate.path.clone();
            if let Err(error) = self.take_up(candidate) {
                faults.push(cannot(&path, "be opened", &error));
            }
        }
        if self.rounds == 1 {
            self.find_pending();
        }
        self.start = Start::Beginning;
    }

    /// Follows a new file from where it was left, or from its start, or not yet: if it is a copy of one that is
    /// followed, made before that one is truncated.
    fn take_up(&mut self, candidate: Candidate) -> io::Result<()> {
        let (file, meta) = open(&candidate.path)?;
        let key = key_of(&meta);
        if let Some(follow) = self.files.get_mut(&key) {
            // Found a moment ago, as the rest of a file that another one replaced.
            follow.is_listed = true;
            return Ok(());
        }
        if key != candidate.key || is_compressed(&file)? {
            return Ok(());
        }
        let mut entry = Entry {
            path: candidate.path,
            key,
            offset: 0,
            mark: Mark::default(),
        };
        let mut replaced = None;
        if let Some(at) = self.checkpoint_of(&entry) {
            let old = self.pending.swap_remove(at);
            if meta.len() >= old.offset && old.mark.fits(&file, old.offset)? {
                (entry.offset, entry.mark) = (old.offset, old.mark);
            } else {
                replaced = Some(old);
            }
        } else if self.is_copy_of_followed(&entry, &file)? || self.files.contains_key(&key) {
            return Ok(());
        } else if self.start == Start::End {
            entry.offset = meta.len();
            entry.mark = Mark::of(&file, meta.len())?;
        }
        let mut follow = Follow::new(entry);
        follow.is_skipping =
            self.start == Start::End && follow.offset > 0 && !ends_line(&file, follow.offset)?;
        follow.file = Some(file);
        self.files.insert(key, follow);
        self.is_dirty = true;
        if let Some(old) = replaced {
            self.find_rest(&old);
        }
        Ok(())
    }

    /// The checkpoint of a file: by device and inode, or else by path, since a device's number may change with a reboot
    /// and an inode with a move to another disk. The mark tells then whether it is the same file.
    fn checkpoint_of(&self, entry: &Entry) -> Option<usize> {
        let by_key = self.pending.iter().position(|old| old.key == entry.key);
        by_key.or_else(|| self.pending.iter().position(|old| old.path == entry.path))
    }

    /// Whether a file has the content of one that is followed and named alike. If that one was truncated meanwhile, its
    /// rest is looked for first, which may find this very file.
    fn is_copy_of_followed(&mut self, entry: &Entry, file: &File) -> io::Result<bool> {
        let alike = |follow: &&mut Follow| follow.is_listed && is_rotation_of(&entry.path, &follow.path);
        let mut replaced = Vec::new();
        let mut is_copied = false;
        for follow in self.files.values_mut().filter(alike) {
            if !follow.ensure_open()? {
                continue;
            }
            if let Some(original) = &follow.file {
                if !follow.mark.fits(original, follow.offset)? {
                    replaced.push(follow.key);
                } else if is_copy(file, original)? {
                    is_copied = true;
                }
            }
        }
        for key in replaced {
            self.replace(key);
        }
        Ok(is_copied)
    }

    /// After a restart: files that were renamed meanwhile, beside where they were.
    fn find_pending(&mut self) {
        for old in std::mem::take(&mut self.pending) {
            self.find_rest(&old);
        }
    }

    /// Looks beside `old`'s path for the file that has its content now, and follows that to its end.
    fn find_rest(&mut self, old: &Entry) {
        let Some(directory) = old.path.parent() else {
            return;
        };
        for path in names_in(directory).unwrap_or_default() {
            if !is_rotation_of(&path, &old.path) && path != old.path {
                continue;
            }
            let Ok((file, meta)) = open(&path) else { continue };
            let key = key_of(&meta);
            if path == old.path && key == old.key {
                // Where it was, and no path means it: it was taken out of the configuration.
                continue;
            }
            let fits = meta.len() >= old.offset && old.mark.fits(&file, old.offset).unwrap_or(false);
            // The mark of nothing fits everything: only the inode tells then.
            let is_it = fits && (old.offset > 0 || key == old.key);
            if is_it && !self.files.contains_key(&key) && self.files.len() < FILES_MAX {
                let mut follow = Follow::new(Entry {
                    path,
                    key,
                    offset: old.offset,
                    mark: old.mark,
                });
                follow.is_listed = false;
                follow.file = Some(file);
                self.files.insert(key, follow);
                self.is_dirty = true;
                return;
            }
        }
    }

    /// Reads files in turn: those that were rotated away first, since what they hold is older.
    fn read(&mut self, faults: &mut Vec<String>) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        for key in self.order() {
            if chunks.len() >= CHUNKS_MAX {
                break;
            }
            let (now, oversized) = (self.now, &mut self.findings.oversized);
            let Some(follow) = self.files.get_mut(&key) else {
                continue;
            };
            match read_one(follow, now, oversized) {
                Ok(Read::Lines(chunk)) => {
                    follow.read_in = self.rounds;
                    follow.quiet_since = None;
                    if follow.is_listed {
                        self.turn = Some(key);
                    }
                    chunks.push(chunk);
                }
                Ok(Read::Nothing) if follow.is_listed => {}
                Ok(Read::Nothing) => self.wait_or_let_go(key),
                Ok(Read::Replaced) => self.replace(key),
                Err(error) => {
                    faults.push(cannot(&follow.path, "be read", &error));
                    follow.file = None;
                }
            }
        }
        chunks
    }

    /// A file that no path means has nothing new: it is let go when it was quiet for long enough. If it is not open, it
    /// is looked for once more under another name.
    fn wait_or_let_go(&mut self, key: FileKey) {
        let Some(follow) = self.files.get_mut(&key) else {
            return;
        };
        let is_done = follow.is_leaving(self.now);
        follow.quiet_since.get_or_insert(self.now);
        if !is_done && follow.file.is_some() {
            return;
        }
        let is_lost = follow.file.is_none();
        if let Some(follow) = self.files.remove(&key)
            && is_lost
        {
            self.find_rest(&follow.entry());
        }
        self.is_dirty = true;
    }

    fn order(&self) -> Vec<FileKey> {
        let after_turn = |key: &FileKey| self.turn.is_some_and(|turn| *key <= turn);
        let mut order: Vec<(bool, bool, FileKey)> = self
            .files
            .values()
            .map(|follow| (follow.is_listed, after_turn(&follow.key), follow.key))
            .collect();
        order.sort_unstable();
        order.into_iter().map(|(_, _, key)| key).collect()
    }

    /// A file's content is another one: what was not read of the old one is in a copy, if there is one.
    fn replace(&mut self, key: FileKey) {
        let Some(follow) = self.files.get_mut(&key) else {
            return;
        };
        let old = follow.entry();
        follow.restart();
        self.is_dirty = true;
        if old.offset > 0 {
            self.find_rest(&old);
        }
    }

    /// Closes the files that were quiet for longest. Listed ones first: the others are found by their handle alone.
    fn close_some(&mut self) {
        let open = self.files.values().filter(|follow| follow.file.is_some());
        let mut open: Vec<_> = open
            .map(|follow| (!follow.is_listed, follow.read_in, follow.key))
            .collect();
        if open.len() <= OPEN_FILES_MAX {
            return;
        }
        open.sort_unstable();
        let excess = open.len() - OPEN_FILES_MAX;
        for (_, _, key) in open.into_iter().take(excess) {
            if let Some(follow) = self.files.get_mut(&key) {
                follow.file = None;
            }
        }
    }
}

/// Reads one file. One that is about to be let go is read to its very end.
fn read_one(follow: &mut Follow, now: Instant, oversized: &mut u64) -> io::Result<Read> {
    let to_end = follow.is_leaving(now);
    if follow.ensure_open()? {
        return follow.read(oversized, to_end);
    }
    Ok(Read::Nothing)
}

impl Follow {
    /// Whether it was quiet for long enough after its name was gone.
    fn is_leaving(&self, now: Instant) -> bool {
        let meta = self.file.as_ref().map(File::metadata);
        let patience = match meta {
            Some(Ok(meta)) if meta.nlink() > 0 => RENAMED_PATIENCE,
            _ => DELETED_PATIENCE,
        };
        let quiet = self.quiet_since.map(|since| now.saturating_duration_since(since));
        !self.is_listed && quiet.is_some_and(|quiet| quiet >= patience)
    }
}

/// Whether `path` is named as rotations of `original` are: in the same directory, and the name begins with the
/// original's up to its last dot, then goes on with a separator (`auth.log.1`, `auth.log-20260105`, `auth-2026.log`).
fn is_rotation_of(path: &Path, original: &Path) -> bool {
    let stem = original.file_stem().map(std::ffi::OsStr::as_encoded_bytes);
    let name = path.file_name().map(std::ffi::OsStr::as_encoded_bytes);
    path.parent() == original.parent()
        && path != original
        && matches!((name, stem), (Some(name), Some(stem))
            if name.strip_prefix(stem).is_some_and(|rest| rest.first().is_some_and(|byte| b".-_".contains(byte))))
}

/// Whether a line ends right before `offset`.
fn ends_line(file: &File, offset: u64) -> io::Result<bool> {
    use std::os::unix::fs::FileExt;
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset.saturating_sub(1))?;
    Ok(byte == *b"\n")
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
