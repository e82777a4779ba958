//! Where a JSON object ends: an iterative, resumable scan that also notices when the text can be no JSON object any
//! more, so that a cut-off record does not swallow what follows it.
//!
//! The scan is a pushdown automaton over the tokens of RFC 8259: it accepts every valid object, and a few invalid ones
//! (a trailing comma, odd literals), which the normalizer then rejects with a reason. It does not recurse; depth
//! costs one byte a level.

use memchr::{memchr, memchr_iter, memchr3};

/// Nesting beyond which a text is taken as broken. The normalizer's own limit is far lower; this one bounds memory
/// while an oversized record is passed over.
const DEPTH_MAX: usize = 1 << 20;

/// How far a scan came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The object ends before this offset from the start of the scanned slice.
    Ended(usize),
    /// The text can be no JSON object from this offset on.
    Broken(usize),
    /// The slice is used up.
    More,
}

/// What the last token was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    Start,
    Open,
    Comma,
    Colon,
    Key,
    Value,
    Literal,
}

/// The state of a scan between slices. Offsets count from the start of the record.
#[derive(Debug)]
pub(super) struct Scan {
    closers: Vec<u8>,
    last: Last,
    in_string: bool,
    /// The last byte was a backslash in a string.
    escaped: bool,
    offset: usize,
    /// Where the current line starts; 0 on the first line.
    pub(super) line_start: usize,
    /// The first later line that starts with `{` in column 0: where to go on if this record proves broken.
    pub(super) resume: Option<usize>,
}

impl Scan {
    /// A scan that starts at a `{`.
    pub(super) fn new() -> Self {
        Self {
            closers: Vec::new(),
            last: Last::Start,
            in_string: false,
            escaped: false,
            offset: 0,
            line_start: 0,
            resume: None,
        }
    }

    /// A scan that starts inside an object, after a member.
    pub(super) fn after_member() -> Self {
        Self {
            closers: vec![b'}'],
            last: Last::Value,
            ..Self::new()
        }
    }

    /// Goes through the next `slice` of the record.
    pub(super) fn run(&mut self, slice: &[u8]) -> Reach {
        let mut at = 0;
        let progress = loop {
            if self.in_string {
                match self.string(slice.get(at..).unwrap_or_default()) {
                    Reach::Ended(n) => at += n,
                    Reach::Broken(n) => break Reach::Broken(at + n),
                    Reach::More => break Reach::More,
                }
            }
            let Some(&byte) = slice.get(at) else {
                break Reach::More;
            };
            if !self.token(byte, self.offset + at) {
                break Reach::Broken(at);
            }
            at += 1;
            if self.closers.is_empty() {
                break Reach::Ended(at);
            }
        };
        self.offset = self.offset.saturating_add(slice.len());
        progress
    }

    /// Goes to the end of a string; a raw line feed in it is proof that the record was cut off.
    fn string(&mut self, slice: &[u8]) -> Reach {
        let mut at = 0;
        if std::mem::take(&mut self.escaped) {
            match slice.first() {
                None => {
                    self.escaped = true;
                    return Reach::More;
                }
                Some(b'\n') => return Reach::Broken(0),
                Some(_) => at = 1,
            }
        }
        loop {
            let rest = slice.get(at..).unwrap_or_default();
            let Some(n) = memchr3(b'"', b'\\', b'\n', rest) else {
                return Reach::More;
            };
            at += n;
            match (slice.get(at), slice.get(at + 1)) {
                (Some(b'"'), _) => {
                    self.in_string = false;
                    return Reach::Ended(at + 1);
                }
                (Some(b'\\'), None) => {
                    self.escaped = true;
                    return Reach::More;
                }
                (Some(b'\\'), Some(b'\n')) => return Reach::Broken(at + 1),
                (Some(b'\\'), Some(_)) => at += 2,
                _ => return Reach::Broken(at),
            }
        }
    }

    /// Takes one byte outside strings; false if it cannot stand here.
    fn token(&mut self, byte: u8, offset: usize) -> bool {
        let literal = self.last == Last::Literal;
        if literal && !is_literal(byte) {
            self.last = Last::Value;
        }
        match byte {
            b' ' | b'\t' | b'\r' => true,
            b'\n' => {
                self.line_start = offset.saturating_add(1);
                true
            }
            b'"' => self.open_string(),
            b':' => self.follow(Last::Key, Last::Colon),
            b',' => self.follow(Last::Value, Last::Comma),
            b'{' => self.open(b'}', offset),
            b'[' => self.open(b']', offset),
            b'}' | b']' => self.close(byte),
            _ if is_literal(byte) => {
                let fits = literal || self.value_expected();
                self.last = Last::Literal;
                fits
            }
            _ => false,
        }
    }

    fn follow(&mut self, wanted: Last, next: Last) -> bool {
        let fits = self.last == wanted;
        self.last = next;
        fits
    }

    fn open_string(&mut self) -> bool {
        self.in_string = true;
        let in_object = self.closers.last() == Some(&b'}');
        if in_object && matches!(self.last, Last::Open | Last::Comma) {
            self.last = Last::Key;
            return true;
        }
        let fits = self.value_expected();
        self.last = Last::Value;
        fits
    }

    fn open(&mut self, closer: u8, offset: usize) -> bool {
        if closer == b'}' && offset > 0 && offset == self.line_start && self.resume.is_none() {
            self.resume = Some(offset);
        }
        let fits = self.value_expected() && self.closers.len() < DEPTH_MAX;
        self.closers.push(closer);
        self.last = Last::Open;
        fits
    }

    /// A trailing comma passes: where the record ends is plain, and the normalizer says what is wrong with it.
    fn close(&mut self, byte: u8) -> bool {
        let fits = matches!(self.last, Last::Value | Last::Open | Last::Comma);
        self.last = Last::Value;
        fits && self.closers.pop() == Some(byte)
    }

    fn value_expected(&self) -> bool {
        match self.last {
            Last::Start | Last::Colon => true,
            Last::Open | Last::Comma => self.closers.last() == Some(&b']'),
            Last::Key | Last::Value | Last::Literal => false,
        }
    }
}

const fn is_literal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

/// The length of the first line of `bytes`, which start with `{`, if it is one whole record without a closer look.
///
/// The rule: the line ends with `}`, the next line starts with `{` in column 0, and nowhere in the line a `}` is
/// followed by a `{` with only blanks between. Why that is enough: in valid JSON a `}` outside strings followed by
/// white space and a `{` occurs only between two top-level values, and no string contains a line feed; so the end
/// of the line is the end of a record, and no record ends earlier in it. If the line is not valid JSON, the scan would
/// give it out whole as well. `None` means look closer, not that it is none.
pub(super) fn whole_line(bytes: &[u8]) -> Option<usize> {
    let end = memchr(b'\n', bytes)?;
    if bytes.get(end + 1) != Some(&b'{') {
        return None;
    }
    let line = bytes.get(..end)?.trim_ascii_end();
    if line.last() != Some(&b'}') {
        return None;
    }
    for at in memchr_iter(b'}', line) {
        match line.get(at + 1) {
            None | Some(b'}' | b',' | b']' | b'"') => {}
            Some(b'{') => return None,
            Some(_) => {
                let rest = line.get(at + 1..).unwrap_or_default().trim_ascii_start();
                if rest.first() == Some(&b'{') {
                    return None;
                }
            }
        }
    }
    Some(line.len())
}
