//! Syslog lines: RFC 5424, RFC 3164, rsyslog's file formats, and what loggers make of them.
//!
//! Finds time, host, program and message; knows nothing of what a message means. Lenient in what it takes: the priority
//! may be absent, the stamp may be BSD or ISO or absent, the host may be absent or named twice.

use crate::format::Options;
use crate::stamp::{self, word};
use habitus_model::{EventTime, TimeQuality};

/// Most words in front of the program's tag: host, a relay's host, a facility. RFC 3164 4.1.2 knows one.
const WORDS_BEFORE_TAG_MAX: usize = 3;

/// A syslog line, taken apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line<'t> {
    /// The stamp.
    pub stamp: Stamp,
    /// The host that logged. Absent if the line names none.
    pub host: Option<&'t str>,
    /// The program's name without path, process id and PAM module. Absent if the line has no tag.
    pub program: Option<&'t str>,
    /// What the program said, trimmed.
    pub message: &'t str,
    /// Whether there was a priority, a stamp or a tag with a process id: a syslog line beyond doubt.
    pub is_framed: bool,
}

/// What stands where the time should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stamp {
    /// A time, and how it is known.
    Known(EventTime, TimeQuality),
    /// Something that looks like a stamp and cannot be read: a 31 June, or no year and no reference time.
    Unreadable,
    /// Nothing (or RFC 5424's nil value).
    None,
}

impl<'t> Line<'t> {
    /// Takes a line apart. Cost: linear in the line.
    #[must_use]
    pub fn parse(text: &'t str, options: &Options) -> Self {
        let text = text.trim();
        let (has_priority, rest) = priority(text);
        if let Some(line) = rfc5424(rest, options) {
            return line;
        }
        let (stamp, rest) = stamp_of(rest, options);
        let has_header = has_priority || stamp != Stamp::None;
        let (host, tag, message) = host_and_tag(facility(rest), has_header);
        Self {
            stamp,
            host,
            program: tag.and_then(program_of),
            message: message_id(message.trim()),
            is_framed: has_header || tag.is_some(),
        }
    }
}

/// A record in another format behind a syslog header, and the header's time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Payload<'t> {
    /// The record: an object of JSON or an event of Windows as XML.
    pub record: &'t str,
    /// The header's stamp. Absent if there is none that can be read.
    pub time: Option<EventTime>,
}

/// The payload of a line whose message is one; absent for lines of text and for records that come bare. Cost: one scan
/// for most lines, else linear in the line.
#[must_use]
pub fn payload<'t>(text: &'t str, options: &Options) -> Option<Payload<'t>> {
    let behind_first = text.as_bytes().get(1..)?;
    let at = memchr::memchr2(b'{', b'<', behind_first)? + 1;
    if text.starts_with("<Event") || text.starts_with("<?xml") {
        return None;
    }
    let line = Line::parse(text, options);
    let (line, record) = if is_payload(cee(line.message)) {
        (line, cee(line.message))
    } else {
        // Behind a header without host and program the record's first word would be taken for them.
        let (head, record) = text.split_at_checked(at)?;
        let head = Line::parse(head, options);
        if !cee(head.message).is_empty() {
            return None;
        }
        (head, record)
    };
    let time = match line.stamp {
        Stamp::Known(time, _) => Some(time),
        Stamp::Unreadable | Stamp::None => None,
    };
    (line.is_framed && is_payload(record)).then_some(Payload { record, time })
}

fn is_payload(text: &str) -> bool {
    ["{", "<Event ", "<Event>", "<?xml "]
        .iter()
        .any(|opening| text.starts_with(opening))
}

/// Strips the cookie that rsyslog and syslog-ng write before JSON (Common Event Expression, CLS 1.0).
fn cee(message: &str) -> &str {
    message.strip_prefix("@cee:").map_or(message, str::trim_start)
}

/// The program in a tag: `/usr/sbin/sshd[77]` and `sshd(pam_unix)[77]` are `sshd`.
#[must_use]
pub fn program_of(tag: &str) -> Option<&str> {
    let tag = tag.trim_start_matches('[').trim_end_matches([':', ']']);
    let name = tag.split(['[', '(', ':']).next().unwrap_or(tag);
    let name = name.rsplit('/').next().unwrap_or(name).trim_end_matches(']');
    (!name.is_empty()).then_some(name)
}

/// `<34>` at the start (RFC 5424 6.2.1: at most 191).
fn priority(text: &str) -> (bool, &str) {
    let inner = text.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    match inner {
        Some((number, rest)) if number.parse::<u8>().is_ok_and(|n| n <= 191) => (true, rest.trim_start()),
        _ => (false, text),
    }
}

/// `1 STAMP HOST APP PROCID MSGID SD MSG` (RFC 5424 6).
fn rfc5424<'t>(text: &'t str, options: &Options) -> Option<Line<'t>> {
    let rest = text.strip_prefix("1 ")?;
    let (time, rest) = word(rest)?;
    let stamp = match (time, stamp::iso(time, options.utc_offset)) {
        ("-", _) => Stamp::None,
        (_, Some(time)) => Stamp::Known(time, TimeQuality::Source),
        (_, None) => return None,
    };
    let (host, rest) = word(rest)?;
    let (app, rest) = word(rest)?;
    let (_process, rest) = word(rest)?;
    let (_message_id, rest) = word(rest)?;
    let message = after_structured_data(rest)?;
    Some(Line {
        stamp,
        host: (host != "-").then_some(host),
        program: if app == "-" { None } else { program_of(app) },
        message: message.trim_start().trim_start_matches('\u{feff}').trim(),
        is_framed: true,
    })
}

/// What follows `-` or `[id key="value" …][…]`; inside a value `"`, `\` and `]` are escaped by `\` (RFC 5424 6.3.3).
fn after_structured_data(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix('-') {
        return Some(rest);
    }
    let (mut in_element, mut in_value, mut escaped) = (false, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_value => escaped = true,
            b'"' if in_element => in_value = !in_value,
            b'[' if !in_element => in_element = true,
            b']' if in_element && !in_value => in_element = false,
            _ if in_element => {}
            _ => return text.get(at..),
        }
    }
    (!in_element).then_some("")
}

fn stamp_of<'t>(text: &'t str, options: &Options) -> (Stamp, &'t str) {
    if let Some((time, quality, rest)) = stamp::bsd(text, options) {
        return (Stamp::Known(time, quality), rest);
    }
    if let Some(rest) = skip_bsd(text) {
        return (Stamp::Unreadable, rest);
    }
    iso_stamp(text, options).unwrap_or((Stamp::None, text))
}

/// The rest after something of the shape `Dec 10 06:55:46` that did not read as a time.
fn skip_bsd(text: &str) -> Option<&str> {
    let (month, rest) = word(text)?;
    let (day, rest) = word(rest)?;
    let (clock, rest) = word(rest)?;
    let is_month = month.len() == 3 && month.bytes().all(|b| b.is_ascii_alphabetic());
    (is_month && day.parse::<u8>().is_ok() && clock.matches(':').count() == 2).then_some(rest)
}

/// `2026-01-05T10:00:00.123456+01:00`, or date and time as two words (macOS: `2026-01-05 10:00:00.123456+0100`),
/// with or without a word `UTC` behind.
fn iso_stamp<'t>(text: &'t str, options: &Options) -> Option<(Stamp, &'t str)> {
    let (first, rest) = word(text)?;
    if !first.starts_with(|c: char| c.is_ascii_digit()) || !first.contains('-') {
        return None;
    }
    if let Some(time) = first.contains('T').then(|| stamp::iso(first, options.utc_offset)) {
        let stamp = time.map_or(Stamp::Unreadable, |time| Stamp::Known(time, TimeQuality::Source));
        return Some((stamp, rest));
    }
    let (clock, rest) = word(rest)?;
    let (zone, rest) = match rest.strip_prefix("UTC ") {
        Some(rest) => ("Z", rest),
        None => ("", rest),
    };
    let time = stamp::iso(&format!("{first}T{clock}{zone}"), options.utc_offset)?;
    Some((Stamp::Known(time, TimeQuality::Source), rest))
}

/// Skips a facility and level that some daemons write behind the stamp: `<4.6>`, `<auth.info>` (FreeBSD syslogd -vv).
fn facility(text: &str) -> &str {
    match word(text) {
        Some((first, rest)) if first.starts_with('<') && first.ends_with('>') => rest,
        _ => text,
    }
}

/// Skips the message id of Solaris: `[ID 800047 auth.info] `.
fn message_id(text: &str) -> &str {
    text.strip_prefix("[ID ")
        .and_then(|rest| rest.split_once("] "))
        .map_or(text, |(_, rest)| rest)
}

/// Host, tag and message. Without a stamp only a tag with a process id counts, since any message may hold a colon.
fn host_and_tag(text: &str, has_header: bool) -> (Option<&str>, Option<&str>, &str) {
    let mut rest = text;
    let mut host = None;
    for _ in 0..=WORDS_BEFORE_TAG_MAX {
        let Some((first, after)) = word(rest) else { break };
        if is_tag(first, has_header) {
            return (host, Some(first), after);
        }
        host = host.or(Some(first));
        rest = after;
    }
    match word(text) {
        // A header without a tag: the first word is the host, the rest is the message.
        Some((host, rest)) if has_header => (Some(host), None, rest),
        _ => (None, None, text),
    }
}

/// `sshd[77]:`, `su(pam_unix)[77]:`, `[sshd]`; `sudo:` only behind a stamp or a priority.
fn is_tag(word: &str, has_header: bool) -> bool {
    if let Some(inner) = word.strip_prefix('[').and_then(|w| w.strip_suffix(']')) {
        return has_header && !inner.is_empty() && inner.bytes().all(is_name_byte);
    }
    let Some(tag) = word.strip_suffix(':') else {
        return false;
    };
    let (name, has_process) = match tag.strip_suffix(']').and_then(|t| t.rsplit_once('[')) {
        Some((name, process)) => (name, process.bytes().all(|b| b.is_ascii_digit())),
        None => (tag, false),
    };
    // GNOME's display manager closes a bracket that it never opened: `gdm-password][77]:`.
    let name = name.trim_end_matches(']');
    (has_process || has_header) && !name.is_empty() && name.bytes().all(is_name_byte)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_./()@+".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_model::UtcOffset;

    fn options() -> Options {
        Options {
            reference_time: stamp::iso("2026-01-15T00:00:00Z", UtcOffset::default()),
            ..Options::default()
        }
    }

    fn parts(text: &str) -> (Option<&str>, Option<&str>, &str) {
        let line = Line::parse(text, &options());
        (line.host, line.program, line.message)
    }

    #[test]
    fn headers_in_every_dress() {
        for text in [
            "<38>1 2026-01-05T10:00:00.5Z web01 sshd 77 - - Hello there",
            "<38>1 2026-01-05T10:00:00.5Z web01 sshd 77 - [a@1 k=\"x\\\"]y\"][b@1] \u{feff}Hello there",
            "1 2026-01-05T10:00:00.5Z web01 sshd 77 - - Hello there",
            "Jan  5 10:00:00 web01 sshd[77]: Hello there",
            "<38>Jan  5 10:00:00 web01 sshd[77]: [ID 800047 auth.info] Hello there",
            "Jan  5 10:00:00 <auth.info> web01 /usr/sbin/sshd[77]: Hello there",
            "Jan  5 10:00:00 web01 relay sshd(pam_unix)[77]: Hello there",
            "2026-01-05T10:00:00.123456+01:00 web01 sshd[77]: Hello there",
            "2026-01-05 10:00:00.123456+0100  web01 sshd[77]: Hello there",
            "2026-01-05 10:00:00 UTC web01 sshd: Hello there",
            "Jan  5 10:00:00 web01 sshd][77]: Hello there",
            "web01 sshd[77]: Hello there",
        ] {
            assert_eq!(
                parts(text),
                (Some("web01"), Some("sshd"), "Hello there"),
                "{text}"
            );
        }
    }

    #[test]
    fn hosts_and_tags_may_be_absent() {
        assert_eq!(parts("Jan  5 10:00:00 sshd[77]: Hi"), (None, Some("sshd"), "Hi"));
        assert_eq!(parts("Jan  5 10:00:00 [sshd] Hi"), (None, Some("sshd"), "Hi"));
        assert_eq!(
            parts("Jan  5 10:00:00 web01 last message"),
            (Some("web01"), None, "last message")
        );
        assert_eq!(parts("fatal: Timeout"), (None, None, "fatal: Timeout"));
    }

    #[test]
    fn payloads_are_found_behind_every_header() {
        let json = r#"{"a": "b: c", "d": {"e": 1}}"#;
        for head in [
            "<134>1 2026-01-05T10:00:00Z h okta - - - ",
            "<134>1 2026-01-05T10:00:00Z h okta 7 id [x@1 k=\"{\"] ",
            "<134>Jan  5 10:00:00 h okta[7]: ",
            "<134>Jan  5 10:00:00 h ",
            "<134>Jan  5 10:00:00 ",
            "2026-01-05T10:00:00Z h app: @cee: ",
            "h app[7]: ",
            "<134>",
        ] {
            let line = format!("{head}{json}");
            let found = payload(&line, &options()).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(found.record, json, "{line}");
            let time = stamp::iso("2026-01-05T10:00:00Z", UtcOffset::default());
            assert_eq!(found.time, time.filter(|_| head.contains("10:00:00")), "{line}");
        }
        let xml = "Jan  5 10:00:00 h win: <Event xmlns='x'></Event>";
        assert_eq!(
            payload(xml, &options()).unwrap().record,
            "<Event xmlns='x'></Event>"
        );
        for none in [
            json,
            "just {words}",
            "<Event><a/></Event>",
            "Jan  5 10:00:00 h sshd[7]: Invalid user {x} from 203.0.113.7",
            "Jan  5 10:00:00 h sshd[7]: Invalid user <Event> from 203.0.113.7",
            "Jan  5 10:00:00 h app: text {\"a\":1}",
        ] {
            assert_eq!(payload(none, &options()), None, "{none}");
        }
    }

    #[test]
    fn stamps_are_known_unreadable_or_absent() {
        let stamp = |text: &str, options: &Options| Line::parse(text, options).stamp;
        let known =
            |text: &str, quality| Stamp::Known(stamp::iso(text, UtcOffset::default()).unwrap(), quality);
        assert_eq!(
            stamp("Dec 10 06:55:46 h sshd[1]: x", &options()),
            known("2025-12-10T06:55:46Z", TimeQuality::YearAssumed)
        );
        assert_eq!(
            stamp("2026-01-05 10:00:00.123456+0100  h sshd[1]: x", &options()),
            known("2026-01-05T09:00:00.123Z", TimeQuality::Source)
        );
        assert_eq!(
            stamp("Dec 10 06:55:46 h sshd[1]: x", &Options::default()),
            Stamp::Unreadable
        );
        assert_eq!(
            stamp("Jun 31 06:55:46 h sshd[1]: x", &options()),
            Stamp::Unreadable
        );
        assert_eq!(stamp("<38>1 - h sshd 1 - - x", &options()), Stamp::None);
        assert_eq!(stamp("h sshd[1]: x", &options()), Stamp::None);
    }
}
