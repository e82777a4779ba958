//! JSON around a syslog line or message: the systemd journal, Filebeat and other shippers.

use crate::format::{Options, Recognition};
use crate::json::Json;
use crate::stamp;
use crate::syslog::{Line, Stamp};
use habitus_model::{EventTime, TimeQuality};
use std::borrow::Cow;

/// What the shell says beside the message.
#[derive(Debug, Clone, Default)]
pub struct Shell<'a> {
    message: Cow<'a, str>,
    /// A journal's message comes without header.
    is_bare: bool,
    time: Option<EventTime>,
    host: Option<&'a str>,
    program: Option<&'a str>,
    uid: Option<&'a str>,
}

/// Members that name the program: ECS (`process.name`, `log.syslog.appname`), Filebeat's journald input
/// (`syslog.identifier`), fluentd's syslog input (`ident`), rsyslog's and syslog-ng's JSON templates.
const PROGRAMS: [&str; 8] = [
    "process.name",
    "log.syslog.appname",
    "syslog.identifier",
    "systemd.unit",
    "ident",
    "programname",
    "PROGRAM",
    "program",
];
const HOSTS: [&str; 6] = [
    "host.hostname",
    "host.name",
    "hostname",
    "HOST",
    "host",
    "fromhost",
];
const TIMES: [&str; 4] = ["@timestamp", "timestamp", "timereported", "time"];
const MESSAGES: [&str; 4] = ["event.original", "message", "MESSAGE", "msg"];

/// Whether an object holds one of our lines.
pub fn recognise(document: &Json<'_>) -> Recognition {
    if is_journal(document) {
        return Recognition::Certain;
    }
    if document.str("event.dataset") == Some("system.auth") {
        return Recognition::Certain;
    }
    let Some(message) = message_of(document) else {
        return Recognition::No;
    };
    let program = PROGRAMS.iter().find_map(|path| document.str(path));
    // An object with any message is no syslog line yet: our programs' names decide, in the shell or in the line.
    let line = Line::parse(&message, &Options::default());
    match line.program.or(program) {
        Some(program) if super::is_ours(program) => Recognition::Likely,
        _ => Recognition::No,
    }
}

impl<'a> Shell<'a> {
    /// Opens a shell; absent if there is no message in it.
    pub fn of(document: &'a Json<'a>, options: &Options) -> Option<Self> {
        let message = message_of(document)?;
        if is_journal(document) {
            return Some(Self {
                message,
                is_bare: true,
                // The sender's own time; the journal's is when it arrived (systemd.journal-fields(7)).
                time: ["_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP"]
                    .iter()
                    .find_map(|path| document.i64(path))
                    .and_then(stamp::epoch_integer),
                host: document.str("_HOSTNAME"),
                program: document
                    .str("SYSLOG_IDENTIFIER")
                    .or_else(|| document.str("_COMM")),
                uid: document.str("__CURSOR"),
            });
        }
        let first = |paths: &[&str]| paths.iter().find_map(|path| document.str(path));
        Some(Self {
            message,
            is_bare: false,
            time: first(&TIMES).and_then(|time| stamp::iso(time, options.utc_offset)),
            host: first(&HOSTS),
            program: first(&PROGRAMS),
            uid: first(&["event.id", "_id"]),
        })
    }

    /// The line inside, with what the shell knows where the line itself is silent. The shell's time is the reference
    /// for stamps without a year.
    pub fn line(&self, options: &Options) -> Line<'_> {
        let mut line = if self.is_bare {
            Line {
                stamp: Stamp::None,
                host: None,
                program: None,
                message: self.message.trim(),
                is_framed: true,
            }
        } else {
            let options = Options {
                reference_time: self.time.or(options.reference_time),
                ..options.clone()
            };
            Line::parse(&self.message, &options)
        };
        if let (Stamp::None, Some(time)) = (line.stamp, self.time) {
            line.stamp = Stamp::Known(time, TimeQuality::Source);
        }
        line.host = line.host.or(self.host);
        line.program = line.program.or(self.program);
        line
    }

    /// The record's own id.
    pub fn uid(&self) -> Option<&str> {
        self.uid
    }
}

/// `journalctl -o json` and systemd-journal-upload: every entry has its cursor or its time.
fn is_journal(document: &Json<'_>) -> bool {
    document.has("MESSAGE") && (document.has("__REALTIME_TIMESTAMP") || document.has("__CURSOR"))
}

/// The message; the journal writes one that is not UTF-8 as an array of bytes, and fields that occur twice as arrays.
fn message_of<'a>(document: &'a Json<'a>) -> Option<Cow<'a, str>> {
    MESSAGES.iter().find_map(|path| match document.at(path)? {
        Json::String(text) => Some(Cow::Borrowed(text.as_ref())),
        Json::Array(items) => bytes_of(items),
        _ => None,
    })
}

fn bytes_of<'a>(items: &'a [Json<'a>]) -> Option<Cow<'a, str>> {
    if let Some(Json::String(first)) = items.first() {
        return Some(Cow::Borrowed(first.as_ref()));
    }
    let bytes: Option<Vec<u8>> = items
        .iter()
        .map(|item| match item {
            Json::Integer(byte) => u8::try_from(*byte).ok(),
            _ => None,
        })
        .collect();
    Some(Cow::Owned(String::from_utf8_lossy(&bytes?).into_owned()))
}
