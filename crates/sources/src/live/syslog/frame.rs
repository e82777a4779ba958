//! Where a message of a stream ends (RFC 6587): by a count in front of it, or by a line feed.
//!
//! Senders mix both on one connection, so each message is looked at: `123 <34>…` is counted (RFC 6587 3.4.1: a number
//! without leading zero, a space, and a message, which starts with `<`); all else ends at the next line feed or NUL
//! (3.4.2). A count of more digits than [`COUNT_DIGITS_MAX`] is no count but text: it is bounded like any line.
//! What is too long is passed over in constant memory.

use memchr::memchr2;

/// Digits of a count at most: with 8, the number is below 100 MB, and a line that starts with the seconds since 1970 is
/// none.
const COUNT_DIGITS_MAX: usize = 8;

/// Bytes a decoder must be given at once to get on: a message and its count.
pub(super) const fn window_bytes_max(message_bytes_max: usize) -> usize {
    message_bytes_max + COUNT_DIGITS_MAX + 2
}

/// Finds messages in a stream that comes in pieces of any size.
#[derive(Debug)]
pub(super) struct Decoder {
    message_bytes_max: usize,
    state: State,
    /// Bytes of the window that hold no end of line, so that a line that drips in is not searched again and again.
    searched: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a message, or in one that is whole in the window soon.
    Message,
    /// Passing over this many bytes of a counted message.
    SkipCounted(usize),
    /// Passing over a line.
    SkipLine,
}

/// What the decoder found at the start of the window.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'w> {
    /// A message.
    Message(&'w [u8]),
    /// A message that is too long begins; it is passed over.
    Oversized,
    /// Nothing to give out: fillers, or bytes passed over.
    Nothing,
}

/// A step through the window.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step<'w> {
    /// Bytes to remove from the front of the window.
    pub(super) consumed: usize,
    /// What they were.
    pub(super) found: Found<'w>,
}

/// How a message begins.
enum Head {
    /// Counted: bytes of the count and its space, bytes of the message.
    Counted(usize, usize),
    Line,
    /// More bytes will tell.
    Open,
}

impl Decoder {
    pub(super) const fn new(message_bytes_max: usize) -> Self {
        Self {
            message_bytes_max,
            state: State::Message,
            searched: 0,
        }
    }

    /// The next step through `window`; absent if it takes more bytes, which is never so for a window of
    /// [`window_bytes_max`]. Cost: linear in the bytes consumed or not yet searched.
    pub(super) fn step<'w>(&mut self, window: &'w [u8]) -> Option<Step<'w>> {
        let step = match self.state {
            _ if window.is_empty() => None,
            State::Message => self.message(window),
            State::SkipCounted(left) => {
                let consumed = left.min(window.len());
                self.state = match left - consumed {
                    0 => State::Message,
                    left => State::SkipCounted(left),
                };
                Some(nothing(consumed))
            }
            State::SkipLine => match memchr2(b'\n', 0, window) {
                Some(end) => {
                    self.state = State::Message;
                    Some(nothing(end + 1))
                }
                None => Some(nothing(window.len())),
            },
        };
        if step.is_some() {
            self.searched = 0;
        }
        step
    }

    /// What is left at the end of the stream: a line that its sender did not end is one all the same; a counted
    /// message that is cut short is not.
    pub(super) fn finish<'w>(&self, window: &'w [u8]) -> Found<'w> {
        match (self.state, head(window)) {
            (State::Message, Head::Line | Head::Open) if !window.is_empty() => Found::Message(window),
            _ => Found::Nothing,
        }
    }

    /// Whether the stream is within a message that is passed over.
    pub(super) fn is_skipping(&self) -> bool {
        self.state != State::Message
    }

    fn message<'w>(&mut self, window: &'w [u8]) -> Option<Step<'w>> {
        let is_filler = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
        let fillers = window.iter().take_while(|byte| is_filler(byte)).count();
        if fillers > 0 {
            return Some(nothing(fillers));
        }
        match head(window) {
            Head::Open => None,
            Head::Line => self.line(window),
            Head::Counted(count, bytes) if bytes > self.message_bytes_max => {
                self.state = State::SkipCounted(bytes);
                Some(Step {
                    consumed: count,
                    found: Found::Oversized,
                })
            }
            Head::Counted(count, bytes) => window.get(count..count + bytes).map(|message| Step {
                consumed: count + bytes,
                found: Found::Message(message),
            }),
        }
    }

    fn line<'w>(&mut self, window: &'w [u8]) -> Option<Step<'w>> {
        let unsearched = window.get(self.searched..).unwrap_or_default();
        match memchr2(b'\n', 0, unsearched) {
            Some(end) => {
                let end = self.searched + end;
                let line = window.get(..end).unwrap_or_default();
                let found = if line.len() > self.message_bytes_max {
                    Found::Oversized
                } else {
                    Found::Message(line)
                };
                Some(Step {
                    consumed: end + 1,
                    found,
                })
            }
            None if window.len() > self.message_bytes_max => {
                self.state = State::SkipLine;
                Some(Step {
                    consumed: window.len(),
                    found: Found::Oversized,
                })
            }
            None => {
                self.searched = window.len();
                None
            }
        }
    }
}

const fn nothing(consumed: usize) -> Step<'static> {
    Step {
        consumed,
        found: Found::Nothing,
    }
}

fn head(window: &[u8]) -> Head {
    let digits = window
        .iter()
        .take(COUNT_DIGITS_MAX + 1)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if digits == 0 || digits > COUNT_DIGITS_MAX || window.first() == Some(&b'0') {
        return Head::Line;
    }
    match (window.get(digits), window.get(digits + 1)) {
        (None, _) | (Some(b' '), None) => Head::Open,
        (Some(b' '), Some(b'<')) => {
            let number = window.get(..digits).unwrap_or_default();
            let count = number.iter().fold(0_usize, |sum, digit| {
                sum.saturating_mul(10).saturating_add(usize::from(digit - b'0'))
            });
            Head::Counted(digits + 1, count)
        }
        _ => Head::Line,
    }
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
