//! What opening a chain does after a crash.
//!
//! The last file is read. What is broken in it and followed by a checkpoint of ours had reached the disk, so it is damage or
//! tampering: it stays as it is, for [`super::verify`] to name, and the chain goes on after it. What is broken and followed by
//! none was being written when the machine stopped: it is moved into a file beside, never deleted.

use super::checkpoint::{AuditKey, Checkpoint};
use super::entry::{Draft, Parsed};
use super::lines::Lines;
use super::{Audit, CHECKPOINTS_FILE, FILE_BYTES, Head, file_name, files};
use crate::bytes::{narrow, unhex, wide};
use crate::log::Reserve;
use crate::storage::{Access, Dir, read_whole, remove_unfinished, steady, write_whole};
use crate::{Error, Result};
use habitus_model::IngestTime;
use std::sync::Arc;

/// A file may be longer than [`FILE_BYTES`] by what one commit writes.
pub(super) const READ_BYTES_MAX: u64 = 4 * FILE_BYTES;

/// What opening found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuditRecovery {
    /// Entries of the chain, checkpoints included.
    pub entries: u64,
    /// Bytes that were being written when the process ended, now in a file beside.
    pub bytes_cut: u64,
    /// The last file is damaged before its last checkpoint.
    pub is_damaged: bool,
}

/// What the last file holds.
struct Walk {
    head: Head,
    /// Bytes that belong to the chain.
    sound: usize,
    is_damaged: bool,
}

/// Space for writing the last file anew.
const RESERVE_BYTES: u64 = FILE_BYTES + 1024 * 1024;

pub(super) fn open(dir: Arc<dyn Dir>, key: AuditKey, now: IngestTime) -> Result<(Audit, AuditRecovery)> {
    let reserve = Reserve::find(dir.clone(), narrow(RESERVE_BYTES))?;
    open_with((dir, reserve), key, now)
}

pub(super) fn open_with(
    (dir, mut reserve): (Arc<dyn Dir>, Reserve),
    key: AuditKey,
    now: IngestTime,
) -> Result<(Audit, AuditRecovery)> {
    remove_unfinished(dir.as_ref())?;
    let (name, walk, bytes_cut) = match files(dir.as_ref())?.pop() {
        Some((first, name)) => mend(dir.as_ref(), &key, (first, name), &mut reserve)?,
        None => {
            let walk = Walk {
                head: Head::START,
                sound: 0,
                is_damaged: false,
            };
            write_whole(dir.as_ref(), &file_name(0), &[])?;
            (file_name(0), walk, 0)
        }
    };
    let checkpoints = known_checkpoints(dir.as_ref(), &key)?;
    let lines: String = checkpoints.iter().map(Checkpoint::to_line).collect();
    // It can be made again: a full disk is no reason not to open.
    match write_whole(dir.as_ref(), CHECKPOINTS_FILE, &[lines.as_bytes()]) {
        Ok(()) | Err(Error::Full) => {}
        Err(error) => return Err(error),
    }
    let file = steady(|| dir.open(&name, Access::Append)).map_err(Error::io("open the audit chain"))?;
    let _ = reserve.hold();
    let recovery = AuditRecovery {
        entries: walk.head.next,
        bytes_cut,
        is_damaged: walk.is_damaged,
    };
    let mut audit = Audit {
        dir,
        key,
        file,
        bytes: wide(walk.sound),
        head: walk.head,
        pending: Vec::new(),
        ahead: walk.head,
        reserve,
        checkpoints,
        is_stopped: false,
    };
    if audit.head.next == 0 {
        let begin = Draft {
            actor: "habitus".into(),
            action: "begin".into(),
            ..Draft::default()
        };
        audit.append(begin, now)?;
    }
    if audit.checkpoints.is_empty() {
        // No chain is without a signature, also if the process ended before its first.
        audit.checkpoint(now)?;
    }
    Ok((audit, recovery))
}

/// Reads the last file, moves aside what does not belong, and makes sure that the rest is on the disk.
fn mend(
    dir: &dyn Dir,
    key: &AuditKey,
    (first, name): (u64, String),
    reserve: &mut Reserve,
) -> Result<(String, Walk, u64)> {
    let content = read_whole(dir, &name, READ_BYTES_MAX)?.unwrap_or_default();
    let start = start((dir, &key.lines), first)?;
    let walk = walk(&content, start, key)?;
    let (sound, rest) = content.split_at_checked(walk.sound).unwrap_or((&content, &[]));
    // Always, because the last write may stand in the page cache without ever having reached the disk.
    let rewrite = || {
        if !rest.is_empty() {
            write_whole(dir, &format!("{:020}.cut", walk.head.next), &[rest])?;
        }
        write_whole(dir, &name, &[sound])
    };
    match rewrite() {
        Err(Error::Full) if reserve.release()? => rewrite()?,
        other => other?,
    }
    let bytes_cut = wide(rest.len());
    Ok((name, walk, bytes_cut))
}

/// The end of the chain before the file: the last line of the file before it.
fn start((dir, lines): (&dyn Dir, &Lines), first: u64) -> Result<Head> {
    let Some((_, name)) = files(dir)?.into_iter().rfind(|(number, _)| *number < first) else {
        return Ok(Head {
            next: first,
            ..Head::START
        });
    };
    let content = read_whole(dir, &name, READ_BYTES_MAX)?.unwrap_or_default();
    let mut head = Head {
        next: first,
        ..Head::START
    };
    // Counting since the last checkpoint, without checking: that is what `verify` is for.
    for line in content
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let line = lines.open_or_empty(line)?;
        if let Some(parsed) = Parsed::new(&line) {
            head.hash = parsed.hash;
            match parsed.entry().as_ref().and_then(Checkpoint::of) {
                Some(checkpoint) => (head.since, head.checked) = (0, checkpoint.time),
                None => head.since += 1,
            }
        }
    }
    Ok(head)
}

fn walk(content: &[u8], start: Head, key: &AuditKey) -> Result<Walk> {
    let public = key.public();
    let mut walk = Walk {
        head: start,
        sound: 0,
        is_damaged: false,
    };
    let mut at = 0;
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        let length = line.len();
        let Some(line) = line.strip_suffix(b"\n") else {
            continue;
        };
        let line = key.lines.open_or_empty(line)?;
        let Some(parsed) = Parsed::new(&line) else {
            continue;
        };
        let Some(entry) = parsed.entry() else { continue };
        let checkpoint = Checkpoint::of(&entry);
        let is_next =
            walk.sound + length == at && entry.seq == walk.head.next && parsed.follows(&walk.head.hash);
        // Ours, and so written after everything before it: whatever is broken in between has been tampered with.
        let resumes = checkpoint.as_ref().is_some_and(|checkpoint| {
            let covered = unhex(&checkpoint.hash).is_some_and(|hash| parsed.follows(&hash));
            entry.seq >= walk.head.next && covered && checkpoint.is_signed_by(&public)
        });
        if !is_next && !resumes {
            continue;
        }
        walk.is_damaged |= !is_next;
        walk.head.next = entry.seq;
        match checkpoint {
            Some(checkpoint) => walk.head.checkpoint(parsed.hash, checkpoint.time),
            None => walk.head.advance(parsed.hash),
        }
        walk.sound = at;
    }
    Ok(walk)
}

/// All checkpoints of the chain that the key signed: those copied out before, and those of the files after them.
fn known_checkpoints(dir: &dyn Dir, key: &AuditKey) -> Result<Vec<Checkpoint>> {
    let public = key.public();
    let exported = read_whole(dir, CHECKPOINTS_FILE, READ_BYTES_MAX)?.unwrap_or_default();
    let lines = exported.split(|byte| *byte == b'\n');
    let mut checkpoints: Vec<Checkpoint> = lines
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    checkpoints.retain(|checkpoint| checkpoint.is_signed_by(&public));
    checkpoints.sort_by_key(|checkpoint| checkpoint.through);
    checkpoints.dedup_by_key(|checkpoint| checkpoint.through);
    let known = checkpoints.last().map(|checkpoint| checkpoint.through);
    let files = files(dir)?;
    let from = files
        .partition_point(|(first, _)| known.is_some_and(|known| *first <= known))
        .saturating_sub(1);
    for (_, name) in files.iter().skip(from) {
        let content = read_whole(dir, name, READ_BYTES_MAX)?.unwrap_or_default();
        let marker = super::CHECKPOINT_ACTION.as_bytes();
        for line in content.split(|byte| *byte == b'\n') {
            let line = key.lines.open_or_empty(line)?;
            // Most lines are none; looking is cheaper than parsing.
            if !line.windows(marker.len()).any(|window| window == marker) {
                continue;
            }
            let entry = Parsed::new(&line).and_then(|parsed| parsed.entry());
            let found = entry.as_ref().and_then(Checkpoint::of);
            let is_new = |found: &Checkpoint| known.is_none_or(|known| found.through > known);
            checkpoints.extend(found.filter(|found| is_new(found) && found.is_signed_by(&public)));
        }
    }
    Ok(checkpoints)
}
