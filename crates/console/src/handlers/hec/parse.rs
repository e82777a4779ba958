//! Bodies of the event collector.

use super::RECORDS_MAX;
use crate::product::Record;
use bytes::Bytes;
use habitus_model::{EventTime, Text, math};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Below this a number of time is seconds, and below the next milliseconds: the years 2400 and 10000, as Vector guesses.
const SECONDS_BELOW: f64 = 13_569_465_600.0;
const MILLIS_BELOW: f64 = 253_402_300_800_000.0;

/// What could be read, and the first thing that could not.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Parsed {
    pub records: Vec<Record>,
    pub fault: Option<Fault>,
}

/// What is wrong with a body; the number is that of the event, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Empty,
    TooMany,
    Malformed(usize),
    NoEvent(usize),
    BlankEvent(usize),
}

/// The wrapper of an event. What else stands in it is ignored.
#[derive(Deserialize)]
struct Wrapper<'a> {
    #[serde(borrow)]
    event: Option<&'a RawValue>,
    #[serde(borrow)]
    time: Option<&'a RawValue>,
    host: Option<String>,
    sourcetype: Option<String>,
}

/// JSON objects, one after another.
pub(super) fn events(body: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    for (at, wrapper) in serde_json::Deserializer::from_slice(body)
        .into_iter::<Wrapper<'_>>()
        .enumerate()
    {
        if at >= RECORDS_MAX {
            parsed.fault = Some(Fault::TooMany);
            return parsed;
        }
        let record = wrapper
            .map_err(|_| Fault::Malformed(at))
            .and_then(|wrapper| record(&wrapper, at));
        match record {
            Ok(record) => parsed.records.push(record),
            Err(fault) => {
                parsed.fault = Some(fault);
                return parsed;
            }
        }
    }
    if parsed.records.is_empty() {
        parsed.fault = Some(Fault::Empty);
    }
    parsed
}

/// Lines that are not blank.
pub(super) fn lines(body: &Bytes) -> impl Iterator<Item = Bytes> {
    body.split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
        .map(|line| body.slice_ref(line))
}

fn record(wrapper: &Wrapper<'_>, at: usize) -> Result<Record, Fault> {
    let raw = wrapper.event.map(RawValue::get).ok_or(Fault::NoEvent(at))?;
    let content = if raw.starts_with('"') {
        let line: String = serde_json::from_str(raw).map_err(|_| Fault::Malformed(at))?;
        Bytes::from(line)
    } else {
        Bytes::copy_from_slice(raw.as_bytes())
    };
    if content.trim_ascii().is_empty() {
        return Err(Fault::BlankEvent(at));
    }
    Ok(Record {
        content,
        label: wrapper.sourcetype.as_deref().map(Text::new),
        time: wrapper.time.and_then(|time| instant(time.get())),
        host: wrapper.host.as_deref().map(Text::new),
        place: None,
    })
}

/// A number, or a text with one: seconds, milliseconds or nanoseconds since 1970.
fn instant(raw: &str) -> Option<EventTime> {
    let number: f64 = raw.trim_matches('"').parse().ok()?;
    let millis = match number {
        seconds if seconds < SECONDS_BELOW => seconds * 1e3,
        millis if millis < MILLIS_BELOW => millis,
        nanos => nanos / 1e6,
    };
    EventTime::from_millis(math::to_i64(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(parsed: &Parsed) -> Vec<&str> {
        parsed
            .records
            .iter()
            .map(|record| std::str::from_utf8(&record.content).unwrap())
            .collect()
    }

    #[test]
    fn objects_may_follow_each_other_in_any_way() {
        let parsed = events(
            b"{\"event\":{\"a\":1},\"fields\":{\"x\":1}}{\"event\":\"line\\nwith\"}\n\n {\"event\":[1]} ",
        );
        assert_eq!(texts(&parsed), ["{\"a\":1}", "line\nwith", "[1]"]);
        assert_eq!(parsed.fault, None);
    }

    #[test]
    fn what_stands_before_a_fault_is_kept() {
        for (body, fault) in [
            ("{\"event\":1}{\"event\":", Fault::Malformed(1)),
            ("{\"event\":1}{\"time\":1}", Fault::NoEvent(1)),
            ("{\"event\":1}{\"event\":null}", Fault::NoEvent(1)),
            ("{\"event\":1}{\"event\":\"  \"}", Fault::BlankEvent(1)),
            ("{\"event\":1}[]", Fault::Malformed(1)),
        ] {
            let parsed = events(body.as_bytes());
            assert_eq!((parsed.records.len(), parsed.fault), (1, Some(fault)), "{body}");
        }
        assert_eq!(events(b" \n ").fault, Some(Fault::Empty));
    }

    #[test]
    fn times_are_seconds_millis_or_nanos() {
        let at = EventTime::from_millis(1_767_323_045_123);
        for time in [
            "1767323045.123",
            "\"1767323045.123\"",
            "1767323045123",
            "1767323045123000000",
        ] {
            assert_eq!(instant(time), at, "{time}");
        }
        assert_eq!(instant("\"soon\""), None);
    }

    #[test]
    fn deep_nesting_does_not_overflow() {
        let deep = format!("{{\"event\":{}", "[".repeat(200_000));
        assert_eq!(events(deep.as_bytes()).fault, Some(Fault::Malformed(0)));
    }
}
