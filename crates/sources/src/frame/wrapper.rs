//! Objects that wrap many events, recognised by their first members, so that their elements can be streamed.

use memchr::memchr3;

/// Members whose array of objects is a list of events: CloudTrail log files (`Records`, AWS CloudTrail user guide,
/// "CloudTrail log file examples"), Azure Event Hub and storage (`records`, Azure Monitor, "resource logs schema"),
/// Microsoft Graph collections (`value`, OData 4.01 JSON, section 12).
const NAMES: [&[u8]; 3] = [b"Records", b"records", b"value"];

/// Scalar members that may stand before the list: `@odata.context`, `@odata.nextLink`, `@odata.count` and a few more.
const LEADING_MEMBERS_MAX: usize = 8;

/// How far into an object the list may start; the tokens in Graph's next links have a few hundred bytes.
const LOOKAHEAD_BYTES: usize = 4096;

/// What the first members of an object say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peek {
    /// An ordinary object.
    No,
    /// A wrapper; its list starts after this many bytes, behind the `[`.
    List(usize),
    /// The bytes at hand do not decide.
    More,
}

/// Looks whether `bytes`, which start with `{`, start a wrapper. Bounded by [`LOOKAHEAD_BYTES`].
pub(super) fn peek(bytes: &[u8]) -> Peek {
    let cut = bytes.get(..LOOKAHEAD_BYTES);
    let mut cursor = Cursor {
        bytes: cut.unwrap_or(bytes),
        at: 1,
    };
    match cursor.members() {
        Some(peek) => peek,
        None if cut.is_some() => Peek::No,
        None => Peek::More,
    }
}

/// Looks whether `bytes`, which start with `[`, start an array of objects: the next byte is `{`, or `]` for an empty
/// one. Text lines start with `[` too (`[2024-01-01 …`).
pub(super) fn peek_array(bytes: &[u8]) -> Peek {
    let cut = bytes.get(..LOOKAHEAD_BYTES);
    let mut cursor = Cursor {
        bytes: cut.unwrap_or(bytes),
        at: 1,
    };
    match cursor.blank() {
        Some(b'{' | b']') => Peek::List(1),
        Some(_) => Peek::No,
        None if cut.is_some() => Peek::No,
        None => Peek::More,
    }
}

/// A reading position; every method gives `None` when the bytes are used up.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn members(&mut self) -> Option<Peek> {
        for _ in 0..=LEADING_MEMBERS_MAX {
            if self.blank()? != b'"' {
                return Some(Peek::No);
            }
            let key = self.string()?;
            if self.blank()? != b':' {
                return Some(Peek::No);
            }
            self.at += 1;
            match self.blank()? {
                b'[' if NAMES.contains(&key) => {
                    self.at += 1;
                    let list = self.at;
                    return Some(match self.blank()? {
                        b'{' | b']' => Peek::List(list),
                        _ => Peek::No,
                    });
                }
                b'{' | b'[' | b'}' | b']' | b'\n' => return Some(Peek::No),
                b'"' => {
                    self.string()?;
                }
                _ => self.scalar()?,
            }
            if self.blank()? != b',' {
                return Some(Peek::No);
            }
            self.at += 1;
        }
        Some(Peek::No)
    }

    /// Skips white space and gives the byte after it.
    fn blank(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            if !byte.is_ascii_whitespace() {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// The raw text of the string that starts here. A line feed in it ends it: the scan will find it broken.
    fn string(&mut self) -> Option<&'a [u8]> {
        self.at += 1;
        let start = self.at;
        loop {
            let rest = self.bytes.get(self.at..)?;
            self.at += memchr3(b'"', b'\\', b'\n', rest)?;
            if *self.bytes.get(self.at)? == b'\\' {
                self.at += 2;
                continue;
            }
            let text = self.bytes.get(start..self.at);
            self.at += 1;
            return text;
        }
    }

    fn scalar(&mut self) -> Option<()> {
        while !matches!(*self.bytes.get(self.at)?, b',' | b'}' | b']' | b'\n') {
            self.at += 1;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappers_are_known_by_their_first_list() {
        assert_eq!(peek(br#"{"Records":[{"a":1}]}"#), Peek::List(12));
        assert_eq!(peek(b"{\n \"records\" : [ ]}"), Peek::List(16));
        let graph = br#"{"@odata.context":"https://g/$m#x","@odata.count":2,"value":[{"#;
        assert_eq!(peek(graph), Peek::List(graph.len() - 1));
    }

    #[test]
    fn events_are_no_wrappers() {
        assert_eq!(peek(br#"{"value":[1,2]}"#), Peek::No);
        assert_eq!(peek(br#"{"value":"x","a":{}}"#), Peek::No);
        assert_eq!(peek(br#"{"actor":{"value":[{}]}}"#), Peek::No);
        assert_eq!(
            peek(br#"{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"value":[{}]}"#),
            Peek::No
        );
        assert_eq!(peek(br"{}"), Peek::No);
        assert_eq!(peek(br#"{"Rec"#), Peek::More);
        assert_eq!(peek(&[b"{\"a\":\"".as_slice(), &[b'x'; 5000]].concat()), Peek::No);
    }

    #[test]
    fn stamped_text_is_no_array() {
        assert_eq!(peek_array(b"[2024-01-01] x"), Peek::No);
        assert_eq!(peek_array(b"[ \n {"), Peek::List(1));
        assert_eq!(peek_array(b"[[{}]]"), Peek::No);
        assert_eq!(peek_array(b"[  "), Peek::More);
    }
}
