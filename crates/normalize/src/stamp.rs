//! Time stamps as logs write them.

use crate::format::Options;
use crate::json::Json;
use habitus_model::{EventTime, Rejection, TimeQuality, UtcOffset};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

/// Reads RFC 3339 and its relatives: `T` or a space between date and time, any number of fraction digits or none, `Z`,
/// `±hh:mm`, `±hhmm`, or no zone (then `zone` holds). Fractions beyond milliseconds are cut. Absent: not a stamp.
#[must_use]
pub fn iso(text: &str, zone: UtcOffset) -> Option<EventTime> {
    let text = text.trim();
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return EventTime::from_millis(stamp.as_millisecond());
    }
    let local: DateTime = text.parse().ok()?;
    // `parse::<DateTime>` ignores an offset it cannot place; a stamp that ends in one was caught above.
    at_offset(local, zone)
}

/// Reads an epoch number in seconds, milliseconds, microseconds or nanoseconds, told apart by magnitude: seconds stay
/// below 10^11 until the year 5138 (STANDARDS 0.2).
#[must_use]
pub fn epoch(number: f64) -> Option<EventTime> {
    if !number.is_finite() {
        return None;
    }
    let ms = match number.abs() {
        n if n < 1e11 => number * 1e3,
        n if n < 1e14 => number,
        n if n < 1e17 => number / 1e3,
        _ => number / 1e6,
    };
    // Truncation, not rounding: a stamp never moves into the future.
    EventTime::from_millis(habitus_model::math::to_i64(ms.floor()))
}

/// Like [`epoch`] for integers, without rounding of large ones.
#[must_use]
pub fn epoch_integer(number: i64) -> Option<EventTime> {
    let ms = match number.unsigned_abs() {
        n if n < 100_000_000_000 => number.checked_mul(1_000)?,
        n if n < 100_000_000_000_000 => number,
        n if n < 100_000_000_000_000_000 => number.div_euclid(1_000),
        _ => number.div_euclid(1_000_000),
    };
    EventTime::from_millis(ms)
}

/// The instant a JSON value names: a stamp as [`iso`] reads it, or an epoch number, also one in a string.
#[must_use]
pub fn value(json: &Json<'_>, zone: UtcOffset) -> Option<EventTime> {
    match json {
        Json::String(text) => iso(text, zone).or_else(|| epoch_integer(text.trim().parse().ok()?)),
        Json::Integer(number) => epoch_integer(*number),
        Json::Float(number) => epoch(*number),
        _ => None,
    }
}

/// The first of `stamps` that is there, or the input's reference time if none is.
///
/// # Errors
/// The first stamp that is there cannot be read; or there is neither a stamp nor a reference time. Both name `field`.
pub fn or_reference(
    stamps: &[Option<&Json<'_>>],
    field: &str,
    options: &Options,
) -> Result<(EventTime, TimeQuality), Rejection> {
    match stamps.iter().flatten().next() {
        Some(stamp) => value(stamp, options.utc_offset)
            .map(|time| (time, TimeQuality::Source))
            .ok_or_else(|| Rejection::invalid(field, "a time such as 2026-01-02T03:04:05Z")),
        None => options
            .reference_time
            .map(|time| (time, TimeQuality::Assumed))
            .ok_or_else(|| Rejection::missing(field)),
    }
}

/// Reads a BSD syslog stamp, `Dec 10 06:55:46` (RFC 3164 4.1.2), at the start of `text`; gives the stamp and the rest.
/// The year is the latest one that does not lie more than a day after the reference time. Absent: no such stamp, or no
/// reference time.
#[must_use]
pub fn bsd<'t>(text: &'t str, options: &Options) -> Option<(EventTime, TimeQuality, &'t str)> {
    let (month, rest) = word(text)?;
    let month = month_number(month)?;
    let (day, rest) = word(rest)?;
    let (clock, rest) = word(rest)?;
    let mut parts = clock.splitn(3, ':');
    let hour: i8 = parts.next()?.parse().ok()?;
    let minute: i8 = parts.next()?.parse().ok()?;
    let second: f64 = parts.next()?.parse().ok()?;
    let whole = habitus_model::math::to_i64(second.floor());
    let milli = habitus_model::math::to_i64(((second - second.floor()) * 1e3).floor());
    let time = Time::new(
        hour,
        minute,
        i8::try_from(whole.min(59)).ok()?,
        i32::try_from(milli).ok()? * 1_000_000,
    )
    .ok()?;
    let reference = options.reference_time?;
    let latest = Timestamp::from_millisecond(reference.as_millis()).ok()?;
    let year = Offset::UTC.to_datetime(latest).year();
    // 29 February may need to go back to a leap year: at most eight years apart (1896–1904).
    let found = (0..=8).find_map(|back| {
        let date = Date::new(year.checked_sub(back)?, month, day.parse().ok()?).ok()?;
        let stamp = at_offset(date.to_datetime(time), options.utc_offset)?;
        (stamp.since(reference).days() <= 1.0).then_some(stamp)
    })?;
    Some((found, TimeQuality::YearAssumed, rest))
}

/// The first word of a text and what follows it, white space trimmed on both sides.
#[must_use]
pub fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (first, rest) = text.split_at_checked(end)?;
    if first.is_empty() {
        None
    } else {
        Some((first, rest.trim_start()))
    }
}

fn at_offset(local: DateTime, zone: UtcOffset) -> Option<EventTime> {
    let offset = Offset::from_seconds(i32::from(zone.minutes()) * 60).ok()?;
    EventTime::from_millis(offset.to_timestamp(local).ok()?.as_millisecond())
}

fn month_number(name: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let at = MONTHS.iter().position(|month| name.eq_ignore_ascii_case(month))?;
    i8::try_from(at + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> Option<i64> {
        iso(text, UtcOffset::default()).map(EventTime::as_millis)
    }

    #[test]
    fn fractions_are_optional_and_zones_vary() {
        let expected = Some(1_767_323_045_000);
        for text in [
            "2026-01-02T03:04:05Z",
            "2026-01-02 03:04:05",
            "2026-01-02T03:04:05.000000000Z",
            "2026-01-02T04:04:05+01:00",
            "2026-01-02T04:04:05+0100",
            "2026-01-02T03:04:05",
        ] {
            assert_eq!(ms(text), expected, "{text}");
        }
        assert_eq!(ms("2018-01-09T21:20:02.7215374Z"), Some(1_515_532_802_721));
        assert_eq!(ms("soon"), None);
    }

    #[test]
    fn epochs_tell_their_unit_by_size() {
        for n in [
            1_767_323_045,
            1_767_323_045_000,
            1_767_323_045_000_000,
            1_767_323_045_000_000_000,
        ] {
            assert_eq!(epoch_integer(n).unwrap().as_millis(), 1_767_323_045_000);
        }
        assert_eq!(epoch(1_767_323_045.5).unwrap().as_millis(), 1_767_323_045_500);
    }

    #[test]
    fn json_values_are_stamps_or_epochs_and_absence_takes_the_reference() {
        let zone = UtcOffset::default();
        for text in [
            "1767323045",
            "\"1767323045\"",
            "1767323045.5",
            "\"2026-01-02T03:04:05Z\"",
        ] {
            let json = crate::json::parse(text.as_bytes(), &crate::Limits::default()).unwrap();
            assert_eq!(
                value(&json, zone).map(|t| t.as_millis() / 1_000),
                Some(1_767_323_045),
                "{text}"
            );
        }
        let mut options = Options::default();
        assert!(or_reference(&[None], "time", &options).is_err());
        assert!(or_reference(&[None, Some(&Json::Bool(true))], "time", &options).is_err());
        options.reference_time = EventTime::from_millis(7);
        assert_eq!(
            or_reference(&[None], "time", &options).unwrap(),
            (EventTime::from_millis(7).unwrap(), TimeQuality::Assumed)
        );
    }

    #[test]
    fn a_missing_year_is_the_latest_that_is_not_future() {
        let options = Options {
            reference_time: iso("2026-01-15T00:00:00Z", UtcOffset::default()),
            ..Options::default()
        };
        let (stamp, quality, rest) = bsd("Dec 10 06:55:46 host sshd[1]: x", &options).unwrap();
        assert_eq!(Some(stamp), iso("2025-12-10T06:55:46Z", UtcOffset::default()));
        assert_eq!((quality, rest), (TimeQuality::YearAssumed, "host sshd[1]: x"));
        let (leap, _, _) = bsd("Feb 29 00:00:00 h", &options).unwrap();
        assert_eq!(Some(leap), iso("2024-02-29T00:00:00Z", UtcOffset::default()));
        assert!(bsd("Dec 10 06:55:46 h", &Options::default()).is_none());
        assert!(bsd("Dec 99 06:55:46 h", &options).is_none());
    }
}
