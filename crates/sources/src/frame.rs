//! Cuts a stream of bytes into records, also where a file mixes formats.
//!
//! White space between records is skipped; a record's bytes are given without white space around them. What a record
//! is, is decided by the first byte of it:
//!
//! | it starts with | it is | it ends |
//! |---|---|---|
//! | `{` | a JSON object, on one line or many | at its closing brace, strings respected |
//! | `{"Records":[{`, `{"records":[{`, `{"value":[{`, a few scalar members before it allowed | a wrapper: its elements are the records; what stands before and after the list is skipped | |
//! | `[{` | an array: its elements are the records | |
//! | `<Event` | a Windows event | at `</Event>` |
//! | `<Events`, `<?xml`, `<!--` | skipped | |
//! | anything else | a line of text | at the line feed |
//!
//! Commas between objects are skipped also outside arrays, so that a part cut out of an array reads well.
//!
//! **A broken record does not swallow the rest.** An object that can be valid JSON no more (a raw line feed in a string,
//! a token that cannot stand where it stands) ends before the line where that shows; if a line in between starts with
//! `{` in column 0, it ends before that line already. The broken piece is given out as it is, for the normalizer to
//! reject with its line number. An `<Event` ends where another one starts a line. Looking at bytes a second time is
//! paid from a credit of bytes already framed, so the time stays linear whatever the input.
//!
//! **A record above the limit** is passed over, reported as [`Framed::Oversized`], and framing goes on after its end if
//! it is JSON, else at the next line. Memory is bounded by twice the limit and a block.

mod batch;
mod json;
mod window;
mod wrapper;
mod xml;

pub use batch::{Batch, Framed, RawRecord};

use crate::{Error, Limits};
use json::{Reach, Scan};
use memchr::{memchr, memchr_iter, memmem};
use std::io::{self, Read};
use window::Window;
use wrapper::Peek;
use xml::Opening;

/// How far a prolog, a comment or a tag that is skipped may reach.
const SKIP_BYTES_MAX: usize = 1024;

/// A UTF-8 byte order mark, as Windows tools write it in front of exports.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Frames one input. Measured with `examples/throughput.rs`: 0.6 ns a byte for NDJSON of 700-byte lines, 0.8 for text,
/// 2 to 3 for arrays and objects over several lines.
pub struct Framer<R> {
    input: String,
    window: Window<R>,
    record_bytes_max: usize,
    /// Line of the window's first byte, from 1.
    line: u64,
    list: List,
    started: bool,
    /// Bytes that may still be looked at a second time.
    credit: usize,
    /// Tests switch the short cut for whole lines off, to compare.
    short_cut: bool,
}

/// Whether records are elements of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    None,
    Array,
    /// The list of a wrapper object: members may follow it.
    Wrapper,
}

/// What follows an object outside lists.
enum Follower {
    Boundary,
    Junk,
}

impl<R: Read> Framer<R> {
    /// A framer of `reader`; `input` names it in errors.
    pub fn new(input: &str, reader: R, limits: &Limits) -> Self {
        Self {
            input: input.to_owned(),
            window: Window::new(reader),
            record_bytes_max: limits.record_bytes_max,
            line: 1,
            list: List::None,
            started: false,
            credit: limits.record_bytes_max,
            short_cut: true,
        }
    }

    /// Replaces the items of `batch` by the next ones; false at the end of input, with an empty batch.
    ///
    /// # Errors
    /// What the reader gives. Records framed before are in `batch`.
    pub fn fill(&mut self, batch: &mut Batch) -> Result<bool, Error> {
        batch.clear();
        while !batch.is_full() {
            match self.step(batch) {
                Ok(true) => {}
                Ok(false) => break,
                Err(source) => return Err(Error::from_read(&self.input, source)),
            }
        }
        Ok(!batch.is_empty())
    }

    /// Frames one record, or skips something; false at the end of input.
    fn step(&mut self, batch: &mut Batch) -> io::Result<bool> {
        let Some(byte) = self.next_byte()? else {
            return Ok(false);
        };
        match (byte, self.list) {
            (b'{', List::None) => self.object_or_wrapper(batch)?,
            (b'{', List::Array | List::Wrapper) => self.object(Scan::new(), batch)?,
            (b',', List::Array | List::Wrapper) => self.advance(1),
            (b',', List::None) if self.blank_follows()? => self.advance(1),
            (b']', List::Array) => {
                self.advance(1);
                self.list = List::None;
            }
            (b']', List::Wrapper) => {
                self.advance(1);
                self.list = List::None;
                self.tail(batch)?;
            }
            (b'[', List::None) if self.array_opens()? => {
                self.advance(1);
                self.list = List::Array;
            }
            (b'<', _) => self.markup(batch)?,
            _ => {
                self.list = List::None;
                self.rest_of_line(0, batch)?;
            }
        }
        Ok(true)
    }

    /// Skips white space and gives the byte after it.
    fn next_byte(&mut self) -> io::Result<Option<u8>> {
        if !self.started {
            self.started = true;
            self.window.ensure(BOM.len())?;
            if self.window.bytes().starts_with(BOM) {
                self.window.consume(BOM.len());
            }
        }
        loop {
            let bytes = self.window.bytes();
            match bytes.iter().position(|b| !b.is_ascii_whitespace()) {
                Some(n) => {
                    let byte = bytes.get(n).copied();
                    self.advance(n);
                    return Ok(byte);
                }
                None => self.advance(bytes.len()),
            }
            if !self.window.more()? {
                return Ok(None);
            }
        }
    }

    fn blank_follows(&mut self) -> io::Result<bool> {
        self.window.ensure(2)?;
        Ok(self.window.bytes().get(1).is_none_or(u8::is_ascii_whitespace))
    }

    fn array_opens(&mut self) -> io::Result<bool> {
        Ok(self.peek(wrapper::peek_array)?.is_some())
    }

    /// Asks `look` about the bytes at hand, with more of them as long as it wants more.
    fn peek(&mut self, look: fn(&[u8]) -> Peek) -> io::Result<Option<usize>> {
        loop {
            match look(self.window.bytes()) {
                Peek::List(n) => return Ok(Some(n)),
                Peek::No => return Ok(None),
                Peek::More if self.window.more()? => {}
                Peek::More => return Ok(None),
            }
        }
    }

    fn object_or_wrapper(&mut self, batch: &mut Batch) -> io::Result<()> {
        if let Some(n) = self.peek(wrapper::peek)? {
            self.advance(n);
            self.list = List::Wrapper;
            return Ok(());
        }
        let whole = json::whole_line(self.within_limit()).filter(|_| self.short_cut);
        if let Some(n) = whole {
            self.emit(n, batch);
            return Ok(());
        }
        self.object(Scan::new(), batch)
    }

    /// What follows a wrapper's list, up to the closing brace: skipped, unless it holds more objects.
    fn tail(&mut self, batch: &mut Batch) -> io::Result<()> {
        let mut scan = Scan::after_member();
        let mut at = 0;
        loop {
            let bytes = self.within_limit();
            let reach = scan.run(bytes.get(at..).unwrap_or_default());
            match reach {
                Reach::Ended(n) if !bytes.get(..at + n).unwrap_or_default().contains(&b'{') => {
                    self.advance(at + n);
                    return Ok(());
                }
                Reach::More if bytes.len() <= self.record_bytes_max => at = bytes.len(),
                Reach::Ended(_) | Reach::Broken(_) | Reach::More => break,
            }
            if !self.window.more()? {
                break;
            }
        }
        self.object(Scan::after_member(), batch)
    }

    /// Frames the object that starts here, with `scan` as the state at its start.
    fn object(&mut self, mut scan: Scan, batch: &mut Batch) -> io::Result<()> {
        let mut at = 0;
        loop {
            // No further than the limit, however much was read: what comes out must not depend on the size of reads.
            match scan.run(self.within_limit().get(at..).unwrap_or_default()) {
                Reach::Ended(n) => return self.object_ended(at + n, batch),
                Reach::Broken(n) => return self.object_broken(at + n, &scan, batch),
                Reach::More => {}
            }
            at = self.within_limit().len();
            if at > self.record_bytes_max {
                return self.pass_over(scan, at, batch);
            }
            if !self.window.more()? {
                let cut = self.resume_at(scan.resume, at).unwrap_or(at);
                self.emit(cut, batch);
                return Ok(());
            }
        }
    }

    /// The object ends at `end`. Outside lists, what follows on the line tells whether the line is JSON at all.
    fn object_ended(&mut self, end: usize, batch: &mut Batch) -> io::Result<()> {
        if self.list == List::None {
            match self.follower(end)? {
                Follower::Boundary => {}
                Follower::Junk => return self.rest_of_line(end, batch),
            }
        }
        self.emit(end, batch);
        Ok(())
    }

    fn follower(&mut self, end: usize) -> io::Result<Follower> {
        let mut at = end;
        let mut comma = false;
        loop {
            if at.saturating_sub(end) > self.record_bytes_max {
                return Ok(Follower::Boundary);
            }
            match self.window.bytes().get(at).copied() {
                Some(b' ' | b'\t' | b'\r') => at += 1,
                Some(b',') if !comma => {
                    comma = true;
                    at += 1;
                }
                Some(b'\n') => return Ok(Follower::Boundary),
                Some(b'{') if !comma => return Ok(Follower::Boundary),
                Some(_) => return Ok(Follower::Junk),
                None if self.window.more()? => {}
                None => return Ok(Follower::Boundary),
            }
        }
    }

    /// The object can be none any more from `at` on.
    fn object_broken(&mut self, at: usize, scan: &Scan, batch: &mut Batch) -> io::Result<()> {
        if scan.line_start == 0 {
            return self.rest_of_line(at, batch);
        }
        let cut = self.resume_at(scan.resume, at).unwrap_or(scan.line_start);
        self.emit(cut, batch);
        Ok(())
    }

    /// The place to go on at, if there is one and the credit pays for looking at what lies between it and `seen` again.
    fn resume_at(&mut self, resume: Option<usize>, seen: usize) -> Option<usize> {
        let resume = resume.filter(|at| *at > 0)?;
        self.credit = self.credit.checked_sub(seen.saturating_sub(resume))?;
        Some(resume)
    }

    /// Passes over an object that is too large, whose first `at` bytes were scanned. A line within the limit is held
    /// until it ends, to go on there if the object breaks in it.
    fn pass_over(&mut self, mut scan: Scan, mut at: usize, batch: &mut Batch) -> io::Result<()> {
        let line = self.line;
        let mut passed = 0;
        loop {
            let held = scan.run(self.window.bytes().get(at..).unwrap_or_default());
            let line_start = scan.line_start.checked_sub(passed);
            match held {
                Reach::More => {
                    at = self.window.bytes().len();
                    let n = line_start.filter(|start| at - start <= self.record_bytes_max);
                    let n = n.unwrap_or(at);
                    passed += n;
                    self.advance(n);
                    at -= n;
                    if self.window.more()? {
                        continue;
                    }
                    passed += at;
                    self.advance(at);
                }
                Reach::Ended(n) => {
                    passed += at + n;
                    self.advance(at + n);
                }
                Reach::Broken(n) => {
                    let broken = at + n;
                    let start = line_start.filter(|start| broken - start <= self.record_bytes_max);
                    let n = start.unwrap_or(broken);
                    passed += n;
                    self.advance(n);
                    if start.is_none() {
                        passed += self.skip_line()?;
                    }
                }
            }
            break;
        }
        batch.push_oversized(line, u64::try_from(passed).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Frames the line that starts here, whose line feed is not before `from`.
    fn rest_of_line(&mut self, from: usize, batch: &mut Batch) -> io::Result<()> {
        let mut at = from;
        loop {
            let bytes = self.window.bytes();
            if let Some(n) = memchr(b'\n', bytes.get(at..).unwrap_or_default()) {
                self.line_of(at + n, batch);
                return Ok(());
            }
            at = bytes.len();
            if at > self.record_bytes_max {
                let line = self.line;
                self.advance(at);
                let passed = at + self.skip_line()?;
                batch.push_oversized(line, u64::try_from(passed).unwrap_or(u64::MAX));
                return Ok(());
            }
            if !self.window.more()? {
                self.emit(at, batch);
                return Ok(());
            }
        }
    }

    /// Gives out a line of `n` bytes. All of them count, white space at its end too: whether more of it comes is not
    /// known while the line arrives.
    fn line_of(&mut self, n: usize, batch: &mut Batch) {
        if n > self.record_bytes_max {
            batch.push_oversized(self.line, u64::try_from(n).unwrap_or(u64::MAX));
            self.advance(n);
        } else {
            self.emit(n, batch);
        }
    }

    /// Skips to the end of the line; gives the number of bytes skipped.
    fn skip_line(&mut self) -> io::Result<usize> {
        let mut passed = 0;
        loop {
            let bytes = self.window.bytes();
            let end = memchr(b'\n', bytes);
            let n = end.unwrap_or(bytes.len());
            passed += n;
            self.advance(n);
            if end.is_some() || !self.window.more()? {
                return Ok(passed);
            }
        }
    }

    /// Something that starts with `<`.
    fn markup(&mut self, batch: &mut Batch) -> io::Result<()> {
        self.list = List::None;
        self.window.ensure(SKIP_BYTES_MAX)?;
        let bytes = self.window.bytes();
        match xml::opening(bytes) {
            Opening::Event => self.element(batch),
            Opening::Text => self.rest_of_line(0, batch),
            Opening::Skip(end) => {
                let head = bytes.get(..SKIP_BYTES_MAX).unwrap_or(bytes);
                match memmem::find(head, end) {
                    Some(n) => {
                        self.advance(n + end.len());
                        Ok(())
                    }
                    None => self.rest_of_line(0, batch),
                }
            }
        }
    }

    fn element(&mut self, batch: &mut Batch) -> io::Result<()> {
        let mut scan = xml::Scan::default();
        let mut at = 0;
        loop {
            // No further than the limit, however much was read: what comes out must not depend on the size of reads.
            match scan.run(self.within_limit(), &mut at) {
                Reach::Ended(n) => {
                    self.emit(n, batch);
                    return Ok(());
                }
                Reach::Broken(n) => {
                    let resume = self.object_line(n);
                    let cut = self.resume_at(resume, n).unwrap_or(n);
                    self.emit(cut, batch);
                    return Ok(());
                }
                Reach::More => {}
            }
            let seen = self.within_limit().len();
            if seen > self.record_bytes_max || !self.window.more()? {
                return self.element_without_end(seen, batch);
            }
        }
    }

    /// No end within the limit or the input: only the first line is given up, as long as the credit lasts.
    fn element_without_end(&mut self, seen: usize, batch: &mut Batch) -> io::Result<()> {
        let first_line = memchr(b'\n', self.within_limit());
        match self.resume_at(first_line, seen) {
            Some(n) => self.emit(n, batch),
            None if seen > self.record_bytes_max => return self.rest_of_line(seen, batch),
            None => self.emit(seen, batch),
        }
        Ok(())
    }

    /// What is held of the input, up to one byte beyond the longest record.
    fn within_limit(&self) -> &[u8] {
        let bytes = self.window.bytes();
        bytes.get(..=self.record_bytes_max).unwrap_or(bytes)
    }

    /// Where the first line within `..end` starts that opens an object in column 0.
    fn object_line(&self, end: usize) -> Option<usize> {
        let bytes = self.window.bytes().get(..end).unwrap_or_default();
        memmem::find(bytes, b"\n{").map(|n| n + 1)
    }

    /// Gives out the first `n` bytes as a record, or says that they are too many.
    fn emit(&mut self, n: usize, batch: &mut Batch) {
        let bytes = self.window.bytes().get(..n).unwrap_or_default().trim_ascii();
        if bytes.len() > self.record_bytes_max {
            batch.push_oversized(self.line, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        } else if !bytes.is_empty() {
            batch.push_record(self.line, bytes);
        }
        self.advance(n);
    }

    /// Leaves the first `n` bytes behind.
    fn advance(&mut self, n: usize) {
        let bytes = self.window.bytes().get(..n).unwrap_or_default();
        let feeds = memchr_iter(b'\n', bytes).count();
        self.line = self.line.saturating_add(u64::try_from(feeds).unwrap_or(u64::MAX));
        self.credit = self.credit.saturating_add(n);
        self.window.consume(n);
    }
}

#[cfg(test)]
mod tests;
