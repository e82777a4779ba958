//! Where a Windows `<Event>` element ends: a resumable scan from tag to tag.

use super::json::Reach;
use memchr::{memchr, memmem};

const CDATA: &[u8] = b"<![CDATA[";
const END: &[u8] = b"</Event>";

/// The longest text that must be seen whole to decide.
const LOOKAHEAD_BYTES: usize = 9;

/// What stands at a `<` in front of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// An `<Event …>`.
    Event,
    /// Something around events that is passed over: it ends with this text.
    Skip(&'static [u8]),
    /// No XML of this kind: a syslog priority, say.
    Text,
}

/// What `bytes`, which start with `<`, are the opening of. Nine bytes decide.
pub(super) fn opening(bytes: &[u8]) -> Opening {
    if is_tag(bytes, b"<Event") {
        return Opening::Event;
    }
    if is_tag(bytes, b"<Events") || is_tag(bytes, b"</Events") || is_tag(bytes, b"</Event") {
        return Opening::Skip(b">");
    }
    if bytes.starts_with(b"<?xml") {
        return Opening::Skip(b"?>");
    }
    if bytes.starts_with(b"<!--") {
        return Opening::Skip(b"-->");
    }
    Opening::Text
}

fn is_tag(bytes: &[u8], name: &[u8]) -> bool {
    bytes.starts_with(name)
        && bytes
            .get(name.len())
            .is_some_and(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/'))
}

/// The state of a scan between slices.
#[derive(Debug, Default)]
pub(super) struct Scan {
    in_cdata: bool,
    opened: bool,
}

impl Scan {
    /// Goes on from `at` in `record`, which holds the record from its `<Event` on. `More` moves `at` to where to go
    /// on. `Broken` is the place where the element can be no more: `</Events`, or an `<Event` that stands first on
    /// its line, for writers do not nest events.
    pub(super) fn run(&mut self, record: &[u8], at: &mut usize) -> Reach {
        if !self.opened {
            let Some(end) = memchr(b'>', record) else {
                *at = record.len();
                return Reach::More;
            };
            self.opened = true;
            *at = end + 1;
            if end.checked_sub(1).and_then(|i| record.get(i)) == Some(&b'/') {
                return Reach::Ended(end + 1);
            }
        }
        loop {
            let rest = record.get(*at..).unwrap_or_default();
            if self.in_cdata {
                let Some(n) = memmem::find(rest, b"]]>") else {
                    *at = record.len().saturating_sub(2).max(*at);
                    return Reach::More;
                };
                self.in_cdata = false;
                *at += n + 3;
                continue;
            }
            let Some(n) = memchr(b'<', rest) else {
                *at = record.len();
                return Reach::More;
            };
            *at += n;
            if let Some(progress) = self.tag(record, at) {
                return progress;
            }
        }
    }

    /// Decides about the `<` at `at`; `None` means go on.
    fn tag(&mut self, record: &[u8], at: &mut usize) -> Option<Reach> {
        let rest = record.get(*at..).unwrap_or_default();
        if rest.starts_with(END) {
            return Some(Reach::Ended(*at + END.len()));
        }
        if rest.len() < LOOKAHEAD_BYTES {
            return Some(Reach::More);
        }
        if is_tag(rest, b"</Events") || (is_tag(rest, b"<Event") && first_on_line(record, *at)) {
            return Some(Reach::Broken(*at));
        }
        if rest.starts_with(CDATA) {
            self.in_cdata = true;
            *at += CDATA.len();
        } else {
            *at += 1;
        }
        None
    }
}

/// Whether only blanks stand between the start of the line and `at`. The line the record starts on does not count.
fn first_on_line(record: &[u8], at: usize) -> bool {
    let before = record.get(..at).unwrap_or_default();
    let ink = before.iter().rposition(|b| !matches!(b, b' ' | b'\t'));
    ink.and_then(|i| before.get(i)) == Some(&b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(record: &[u8]) -> Reach {
        Scan::default().run(record, &mut 0)
    }

    #[test]
    fn an_element_ends_at_its_closing_tag() {
        assert_eq!(end(b"<Event x='1'><A/></Event>tail"), Reach::Ended(25));
        assert_eq!(end(b"<Event/>tail"), Reach::Ended(8));
        assert_eq!(end(b"<Event><![CDATA[</Event>]]></Event>"), Reach::Ended(35));
        assert_eq!(end(b"<Event><A></A>"), Reach::More);
    }

    #[test]
    fn a_new_event_on_its_own_line_ends_an_open_one() {
        assert_eq!(end(b"<Event><A>\n  <Event x='1'>"), Reach::Broken(13));
        assert_eq!(end(b"<Event><A></Events>"), Reach::Broken(10));
        assert_eq!(end(b"<Event><EventData> </EventData>"), Reach::More);
    }

    #[test]
    fn priorities_are_text() {
        assert_eq!(opening(b"<34>1 2003-10-11T22"), Opening::Text);
        assert_eq!(opening(b"<EventData>"), Opening::Text);
        assert_eq!(opening(b"<Event xmlns="), Opening::Event);
        assert_eq!(opening(b"<Events>"), Opening::Skip(b">"));
    }
}
