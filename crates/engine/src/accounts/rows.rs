//! Rows of bytes, one behind the other in blocks of one size.
//!
//! A box for each row, and one buffer for the rows of a piece likewise, wander through the size classes of the allocator as accounts
//! come again, and leave a hole in each: of a million consumers as many bytes lay idle as were used. Blocks of one size fit wherever
//! one was given back. A row that is taken out leaves a hole among the rows; when holes are above a share, all rows move together.

use super::number::{NUMBER_MAX, number_bytes, read_number};
use std::borrow::Cow;
use std::sync::Arc;

/// Bytes of a block: with what counts its holders a kilobyte. Half of the last one is idle, where 64 consumers fill about fifteen.
const BLOCK: usize = 1_024 - 2 * size_of::<usize>();

/// Holes are closed from this share of all bytes on: a row that is written moves some eleven others, and a tenth is idle
/// at most but for the last block.
const HOLES_SHARE: usize = 12;

type Block = Arc<[u8; BLOCK]>;

/// The rows. A copy shares the blocks.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    blocks: Vec<Block>,
    /// Bytes up to the end of the last row.
    end: usize,
    /// Bytes of rows that were taken out.
    holes: usize,
}

/// Where a row begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowAt(pub u32);

impl Rows {
    /// The row that begins there: where it crosses blocks, a copy.
    pub fn get(&self, at: RowAt) -> Option<Cow<'_, [u8]>> {
        let (begin, length) = self.span(at)?;
        let (block, offset) = (begin / BLOCK, begin % BLOCK);
        if let Some(row) = self.blocks.get(block)?.get(offset..offset + length) {
            return Some(Cow::Borrowed(row));
        }
        let mut row = Vec::with_capacity(length);
        self.copy((begin, length), &mut row)?;
        Some(Cow::Owned(row))
    }

    /// Copies the row that begins there behind what is in `out`.
    pub fn copy_to(&self, at: RowAt, out: &mut Vec<u8>) -> Option<()> {
        self.copy(self.span(at)?, out)
    }

    /// Every so many bytes one of the row that begins there.
    pub fn each(&self, at: RowAt, step: usize) -> impl Iterator<Item = u8> + '_ {
        let (begin, length) = self.span(at).unwrap_or_default();
        let places = (begin..begin + length).step_by(step);
        places.filter_map(|place| self.blocks.get(place / BLOCK)?.get(place % BLOCK).copied())
    }

    /// Bytes of the row that begins there. O(1).
    pub fn length(&self, at: RowAt) -> usize {
        self.span(at).map_or(0, |(_, length)| length)
    }

    /// Whether holes should be closed before a row of so many bytes is written: there are many, and it would take another block.
    pub fn wants_closing(&self, length: usize) -> bool {
        self.holes > self.end / HOLES_SHARE && self.end + length + NUMBER_MAX > self.blocks.len() * BLOCK
    }

    /// Writes a row behind the others.
    pub fn push(&mut self, row: &[u8]) -> RowAt {
        let at = RowAt(u32::try_from(self.end).unwrap_or(u32::MAX));
        let length = u64::try_from(row.len()).unwrap_or(u64::MAX);
        self.write(number_bytes(length, &mut [0; NUMBER_MAX]));
        self.write(row);
        at
    }

    /// Takes a row out. O(1).
    pub fn remove(&mut self, at: RowAt) {
        let begin = usize::try_from(at.0).unwrap_or(usize::MAX);
        self.holes += self.span(at).map_or(0, |(row, length)| row + length - begin);
    }

    /// Begins to close all holes: whoever holds rows keeps each of them. Cost: a copy of all rows.
    pub fn closing<'r>(&'r mut self, spare: &'r mut Rows) -> Closing<'r> {
        spare.end = 0;
        Closing { rows: self, spare }
    }

    /// Bytes of all blocks, holes and room included.
    pub fn size(&self) -> usize {
        self.blocks.len() * (BLOCK + 2 * size_of::<usize>()) + self.blocks.capacity() * size_of::<Block>()
    }

    /// Where the bytes of a row are, behind its length, and how many.
    fn span(&self, at: RowAt) -> Option<(usize, usize)> {
        let at = usize::try_from(at.0).ok()?;
        let here = self.blocks.get(at / BLOCK)?.get(at % BLOCK..)?;
        if let Some((length, rest)) = read_number(here) {
            return Some((at + here.len() - rest.len(), usize::try_from(length).ok()?));
        }
        let mut bytes = Vec::with_capacity(NUMBER_MAX);
        self.copy((at, NUMBER_MAX.min(self.end.checked_sub(at)?)), &mut bytes)?;
        let (length, rest) = read_number(&bytes)?;
        Some((at + bytes.len() - rest.len(), usize::try_from(length).ok()?))
    }

    fn copy(&self, span: (usize, usize), out: &mut Vec<u8>) -> Option<()> {
        self.for_each_block(span, |here| out.extend_from_slice(here))
    }

    /// Hands on the bytes of a span, those of each block at once. Absent: they end before it does.
    fn for_each_block(&self, (begin, length): (usize, usize), mut take: impl FnMut(&[u8])) -> Option<()> {
        let (mut at, end) = (begin, begin.checked_add(length)?);
        while at < end {
            let block = self.blocks.get(at / BLOCK)?;
            let here = block.get(at % BLOCK..BLOCK.min(at % BLOCK + end - at))?;
            take(here);
            at += here.len();
        }
        Some(())
    }

    fn write(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.end / BLOCK >= self.blocks.len() {
                self.blocks.push(Arc::new([0; BLOCK]));
            }
            let Some(block) = self.blocks.get_mut(self.end / BLOCK) else {
                return;
            };
            let room = Arc::make_mut(block)
                .get_mut(self.end % BLOCK..)
                .unwrap_or_default();
            let (now, later) = bytes.split_at(bytes.len().min(room.len()));
            for (place, byte) in room.iter_mut().zip(now) {
                *place = *byte;
            }
            self.end += now.len();
            bytes = later;
        }
    }
}

/// Rows whose holes are being closed.
#[derive(Debug)]
pub struct Closing<'r> {
    rows: &'r mut Rows,
    spare: &'r mut Rows,
}

impl Closing<'_> {
    /// Keeps a row; where it is from the end on.
    pub fn keep(&mut self, at: RowAt) -> RowAt {
        let Some((row, length)) = self.rows.span(at) else {
            return self.spare.push(&[]);
        };
        let kept = RowAt(u32::try_from(self.spare.end).unwrap_or(u32::MAX));
        let begin = usize::try_from(at.0).unwrap_or(usize::MAX);
        // With its length, as it stands.
        let span = (begin, row + length - begin);
        let (rows, spare) = (&self.rows, &mut self.spare);
        let copied = rows.for_each_block(span, |here| spare.write(here));
        // INVARIANT: a row that has a span lies in the blocks.
        debug_assert!(copied.is_some());
        kept
    }

    /// Leaves the rows that were kept; the blocks that are not needed any more are spare for the next.
    pub fn end(self) {
        let Self { rows, spare } = self;
        std::mem::swap(rows, spare);
        rows.holes = 0;
        let needed = rows.end.div_ceil(BLOCK);
        spare
            .blocks
            .extend(rows.blocks.drain(needed.min(rows.blocks.len())..));
        // Blocks that a picture shares would be copied to be written, and more than one piece's are never wanted.
        spare.blocks.retain(|block| Arc::strong_count(block) == 1);
        spare.blocks.truncate(needed + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: usize, length: usize) -> Vec<u8> {
        (0..length)
            .map(|at| u8::try_from((number + at) % 251).unwrap())
            .collect()
    }

    #[test]
    fn rows_are_read_as_they_were_written_wherever_blocks_end() {
        let mut rows = Rows::default();
        let lengths = [0, 1, 126, 127, 128, 300, BLOCK - 2, BLOCK, 3 * BLOCK + 5];
        let placed: Vec<_> = (0..400)
            .map(|number| {
                let written = row(number, lengths[number * 7 % lengths.len()] + number % 3);
                (rows.push(&written), written)
            })
            .collect();
        for (at, written) in &placed {
            assert_eq!(rows.get(*at).unwrap().as_ref(), written);
            assert_eq!(rows.length(*at), written.len());
            let mut copy = vec![7];
            rows.copy_to(*at, &mut copy).unwrap();
            assert_eq!(&copy[1..], written);
            assert!(rows.each(*at, 64).eq(written.iter().step_by(64).copied()));
        }
        assert_eq!(rows.get(RowAt(u32::MAX)), None);
    }

    #[test]
    fn a_copy_stays_as_it_is_and_shares_what_is_not_written() {
        let mut rows = Rows::default();
        let first: Vec<_> = (0..40).map(|number| rows.push(&row(number, 200))).collect();
        let copy = rows.clone();
        let shared = |rows: &Rows| {
            let blocks = rows.blocks.iter().zip(&copy.blocks);
            blocks.filter(|(one, other)| Arc::ptr_eq(one, other)).count()
        };
        rows.push(&row(1, 10));
        assert_eq!(shared(&rows), copy.blocks.len() - 1);
        let mut spare = Rows::default();
        let mut closing = rows.closing(&mut spare);
        closing.keep(first[39]);
        closing.end();
        assert!(spare.blocks.len() <= 2, "{}", spare.blocks.len());
        for (number, at) in first.iter().enumerate() {
            assert_eq!(copy.get(*at).unwrap().as_ref(), row(number, 200));
        }
        assert_eq!(rows.get(RowAt(0)).unwrap().as_ref(), row(39, 200));
    }
}
