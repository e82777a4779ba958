//! What opening a log does, so that nothing has to be mended by hand.

use super::block::{BLOCK_BYTES_MAX, Frames, Role};
use super::cursor::{Cursor, Step};
use super::entry::{Position, Record};
use super::reader::{Readers, Tail};
use super::reserve::Reserve;
use super::segment::{self, SegmentHead, SegmentName};
use super::{Active, Entry, Log, Settings};
use crate::bytes::wide;
use crate::storage::{Access, Dir, File, remove_unfinished, steady};
use crate::{Error, Result};
use std::sync::Arc;

/// What opening found and did. Only the last segment is read; damage in others is counted by readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovery {
    /// Position of the next record.
    pub end: Position,
    /// Segments found.
    pub segments: u64,
    /// Committed records of the last segment that cannot be read any more.
    pub records_lost: u64,
    /// Records of the last commit before the process ended that are not there: it was under way and nobody was told that it
    /// succeeded, or else the disk is at fault.
    pub records_torn: u64,
    /// Bytes cut off after the last readable record.
    pub bytes_cut: u64,
    /// Records written once more, because they may not have reached the disk.
    pub records_repeated: u64,
    /// Positions between the end of the log and [`Settings::floor`]: records that were there when a snapshot was made.
    pub records_missing: u64,
    /// The last segment's head was unreadable, and with it the whole segment.
    pub is_segment_lost: bool,
}

/// What is known of the last segment.
struct Scan {
    end: Position,
    /// The records of the last block or damaged region, and the position it starts with.
    last: Vec<Record>,
    last_first: Position,
    ends_with_mark: bool,
    /// Records missing within the damaged region that was read last, and after its last readable one.
    missing: u64,
    missing_after: u64,
    /// Where the last readable thing ends.
    sound_until: u64,
    recovery: Recovery,
}

pub(super) fn open(dir: Arc<dyn Dir>, settings: Settings) -> Result<(Log, Recovery)> {
    remove_unfinished(dir.as_ref())?;
    let mut reserve = Reserve::find(dir.clone(), settings.reserve_bytes)?;
    let segments = segment::list(dir.as_ref())?;
    let Some(last) = segments.last() else {
        return begin(dir, settings, reserve, (settings_seed()?, Recovery::default()));
    };
    let seed = || known_seed(dir.as_ref(), &segments);
    let access = if last.is_sealed {
        Access::Read
    } else {
        Access::Append
    };
    let (file, head) = match segment::open(dir.as_ref(), last, access) {
        Ok(opened) => opened,
        Err(Error::Damaged(_)) => {
            let recovery = lost_segment(dir.as_ref(), last)?;
            return begin(dir.clone(), settings, reserve, (seed()?, recovery));
        }
        Err(error) => return Err(error),
    };
    let mut scan = scan(file, head, &settings)?;
    scan.recovery.segments = wide(segments.len());
    if last.is_sealed {
        return begin(dir, settings, reserve, (head.seed, scan.recovery));
    }
    let file = steady(|| dir.open(&last.file(), Access::Append)).map_err(Error::io("open a segment"))?;
    let mut active = Active {
        file,
        sealing: head.sealing(&settings.keys)?,
        bytes: scan.sound_until,
        is_closing: head.key != settings.keys.current().id(),
    };
    mend(&mut active, &mut scan, &mut reserve)?;
    if settings.floor > scan.end {
        return begin(dir, settings, reserve, (head.seed, scan.recovery));
    }
    let recovery = scan.recovery;
    Ok((assemble(dir, settings, (active, reserve), recovery.end), recovery))
}

fn settings_seed() -> Result<u64> {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).map_err(|_| Error::NoEntropy)?;
    Ok(u64::from_le_bytes(seed))
}

/// The seed that an intact segment names.
fn known_seed(dir: &dyn Dir, segments: &[SegmentName]) -> Result<u64> {
    let heads = segments
        .iter()
        .rev()
        .map(|name| segment::open(dir, name, Access::Read));
    match heads.flatten().next() {
        Some((_, head)) => Ok(head.seed),
        None => settings_seed(),
    }
}

/// Where to go on after a segment of which nothing can be read: beyond any position it can have held.
fn lost_segment(dir: &dyn Dir, name: &SegmentName) -> Result<Recovery> {
    let file = steady(|| dir.open(&name.file(), Access::Read)).map_err(Error::io("open a segment"))?;
    let len = file.length().map_err(Error::io("measure a segment"))?;
    let frames_max = len / wide(super::entry::FRAME_BYTES) + 1;
    Ok(Recovery {
        end: Position(name.base.0.saturating_add(frames_max)),
        is_segment_lost: true,
        ..Recovery::default()
    })
}

/// Begins a new segment after everything there is.
fn begin(
    dir: Arc<dyn Dir>,
    settings: Settings,
    mut reserve: Reserve,
    (seed, mut recovery): (u64, Recovery),
) -> Result<(Log, Recovery)> {
    recovery.records_missing = settings.floor.0.saturating_sub(recovery.end.0);
    recovery.end = recovery.end.max(settings.floor);
    recovery.segments += 1;
    let head = SegmentHead {
        base: recovery.end,
        seed,
        key: settings.keys.current().id(),
    };
    let active = with_reserve(&mut reserve, || Active::begin(dir.as_ref(), head, &settings.keys))?;
    Ok((assemble(dir, settings, (active, reserve), recovery.end), recovery))
}

fn assemble(
    dir: Arc<dyn Dir>,
    settings: Settings,
    (active, mut reserve): (Active, Reserve),
    end: Position,
) -> Log {
    // A disk without space for it is no failure yet: the first commit says that it is full.
    let _ = reserve.hold();
    let tail = Tail {
        end,
        base: active.sealing.base,
        bytes: active.bytes,
    };
    let readers = Readers::new(dir.clone(), settings.keys.clone(), tail);
    Log {
        dir,
        settings,
        active,
        pending: Frames::at(end),
        reserve,
        readers,
        is_stopped: false,
    }
}

/// Does what may need space, with the reserve's if there is no other.
fn with_reserve<T>(reserve: &mut Reserve, mut act: impl FnMut() -> Result<T>) -> Result<T> {
    match act() {
        Err(Error::Full) if reserve.release()? => act(),
        other => other,
    }
}

/// Reads the whole last segment.
fn scan(file: Box<dyn File>, head: SegmentHead, settings: &Settings) -> Result<Scan> {
    let len = file.length().map_err(Error::io("measure a segment"))?;
    let mut cursor = Cursor::new(file, head.sealing(&settings.keys)?);
    // Only for where the blocks of a sealed segment end.
    cursor.seek(head.base, None)?;
    let mut scan = Scan {
        end: head.base,
        last: Vec::new(),
        last_first: head.base,
        ends_with_mark: true,
        missing: 0,
        missing_after: 0,
        sound_until: cursor.offset(),
        recovery: Recovery::default(),
    };
    loop {
        match cursor.step(None)? {
            Step::End => break,
            Step::Block {
                role: Role::Mark,
                end,
                ..
            } => {
                scan.take_mark(end);
                scan.sound_until = cursor.offset();
            }
            Step::Block {
                role, first, records, ..
            } => {
                scan.take(records, (role == Role::Repetition).then_some(first));
                scan.sound_until = cursor.offset();
            }
            Step::Damage {
                records,
                end,
                sound_until,
            } => scan.take_damage(records, end, sound_until),
        }
    }
    scan.finish(len);
    Ok(scan)
}

impl Scan {
    /// Takes a block's records.
    fn take(&mut self, mut records: Vec<Record>, repeats_from: Option<Position>) {
        match repeats_from {
            // What stood before and is repeated was not certain, and is told by the repetition.
            Some(first) => self.end = self.end.min(first),
            // A block follows: what was missing before it had been committed.
            None => self.recovery.records_lost += self.missing,
        }
        (self.missing, self.missing_after) = (0, 0);
        self.last_first = self.end;
        records.retain(|record| record.position >= self.last_first);
        for record in &records {
            self.recovery.records_lost += record.position.0.saturating_sub(self.end.0);
            self.end = record.position.next();
        }
        self.ends_with_mark = false;
        self.last = records;
    }

    /// Takes a mark, which knows where the records before it end.
    fn take_mark(&mut self, end: Position) {
        self.recovery.records_lost += self.missing + end.0.saturating_sub(self.end.0);
        (self.missing, self.missing_after) = (0, 0);
        self.end = self.end.max(end);
        self.ends_with_mark = true;
    }

    /// Takes what could be read of a damaged region. Whether it was committed shows when something follows.
    fn take_damage(&mut self, records: Vec<Record>, end: Option<Position>, sound_until: u64) {
        self.last_first = self.end;
        self.last.clear();
        for record in records {
            if record.position >= self.end {
                self.missing += record.position.0 - self.end.0;
                self.end = record.position.next();
                self.last.push(record);
            }
        }
        self.missing_after = end.map_or(0, |end| end.0.saturating_sub(self.end.0));
        self.ends_with_mark = false;
        if !self.last.is_empty() {
            self.sound_until = self.sound_until.max(sound_until);
        }
    }

    fn finish(&mut self, len: u64) {
        self.recovery.end = self.end;
        self.recovery.records_torn = self.missing + self.missing_after;
        self.recovery.bytes_cut = len.saturating_sub(self.sound_until);
    }
}

/// Cuts off what is unreadable at the end, and makes sure that what is readable is on the disk.
fn mend(active: &mut Active, scan: &mut Scan, reserve: &mut Reserve) -> Result<()> {
    if scan.recovery.bytes_cut > 0 {
        steady(|| active.file.truncate(scan.sound_until)).map_err(Error::io("cut the log"))?;
    }
    if scan.ends_with_mark {
        return Ok(());
    }
    let frames = repetition(scan, active.sealing.seed);
    if !frames.bytes.is_empty() && frames.bytes.len() <= BLOCK_BYTES_MAX {
        scan.recovery.records_repeated = wide(scan.last.len());
        let block = active.sealing.block(&frames, Role::Repetition, None)?;
        with_reserve(reserve, || active.write(&block))?;
    }
    let mark = active.sealing.block(&Frames::at(scan.end), Role::Mark, None)?;
    with_reserve(reserve, || active.write(&mark))
}

/// The last records again, with stand-ins for those between them that did not survive.
fn repetition(scan: &Scan, seed: u64) -> Frames {
    let mut frames = Frames::at(scan.last_first);
    let mut expected = scan.last_first;
    for record in &scan.last {
        while expected < record.position {
            frames.push(seed, expected, &Entry::torn(record.entry.ingested));
            expected = expected.next();
        }
        frames.push(seed, record.position, &record.entry);
        expected = record.position.next();
    }
    frames
}
