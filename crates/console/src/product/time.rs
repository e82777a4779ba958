//! Instants as RFC 3339 in UTC with milliseconds, as the API writes them: `2026-01-02T03:04:05.678Z`.

use habitus_model::EventTime;
use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

/// RFC 3339 in UTC with milliseconds.
#[must_use]
pub fn text(time: EventTime) -> String {
    Timestamp::from_millisecond(time.as_millis()).map_or_else(|_| String::new(), |at| format!("{at:.3}"))
}

/// From RFC 3339 with any offset; `None` if it is none, or outside the years 1 to 9999.
#[must_use]
pub fn parse(text: &str) -> Option<EventTime> {
    let at: Timestamp = text.parse().ok()?;
    EventTime::from_millis(at.as_millisecond())
}

pub(crate) fn serialize<S: Serializer>(time: &EventTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(*time))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EventTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| D::Error::custom("not a time of RFC 3339"))
}

/// The same for instants that may be unknown.
pub(crate) mod option {
    use super::{Deserialize, Deserializer, EventTime, Serializer};
    use serde::de::Error as _;

    #[expect(
        clippy::ref_option,
        reason = "serde's `with` hands over a reference to the field"
    )]
    pub fn serialize<S: Serializer>(time: &Option<EventTime>, serializer: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::serialize(time, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<EventTime>, D::Error> {
        Option::<String>::deserialize(deserializer)?
            .map(|text| super::parse(&text).ok_or_else(|| D::Error::custom("not a time of RFC 3339")))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_read_back() {
        let at = EventTime::from_millis(1_767_323_045_678).unwrap();
        assert_eq!(text(at), "2026-01-02T03:04:05.678Z");
        assert_eq!(parse("2026-01-02T04:04:05.678+01:00"), Some(at));
        assert_eq!(parse("yesterday"), None);
    }
}
