//! Dates of TOML as instants.

use habitus_model::EventTime;
use toml::value::{Date, Datetime, Offset};

const MS_PER_DAY: i64 = 86_400_000;

/// The first instant after a day, UTC: until then, what expires on that day holds.
pub fn end_of_day(date: Date) -> Option<EventTime> {
    EventTime::from_millis((days(date) + 1) * MS_PER_DAY)
}

/// A date with a time; UTC if no offset is given. `None` without a date.
pub fn instant(stamp: &Datetime) -> Option<EventTime> {
    let date = days(stamp.date?) * MS_PER_DAY;
    let time = stamp.time.map_or(0, |time| {
        let seconds = i64::from(time.hour) * 3_600 + i64::from(time.minute) * 60;
        let milliseconds = i64::from(time.nanosecond.unwrap_or(0) / 1_000_000);
        (seconds + i64::from(time.second.unwrap_or(0))) * 1_000 + milliseconds
    });
    let offset = match stamp.offset {
        Some(Offset::Custom { minutes }) => i64::from(minutes) * 60_000,
        Some(Offset::Z) | None => 0,
    };
    EventTime::from_millis(date + time - offset)
}

/// Days since 1970-01-01 in the Gregorian calendar (Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2021).
fn days(date: Date) -> i64 {
    let (month, day) = (i64::from(date.month), i64::from(date.day));
    let year = i64::from(date.year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let month = (month + 9) % 12;
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_and_end_at_midnight() {
        let check = |text: &str, ms: i64| {
            let stamp: Datetime = text.parse().unwrap();
            assert_eq!(instant(&stamp), EventTime::from_millis(ms), "{text}");
        };
        check("1970-01-01", 0);
        check("2026-01-02T23:30:00Z", 1_767_396_600_000);
        check("2026-01-03T00:30:00+01:00", 1_767_396_600_000);
        check("2024-02-29T00:00:00.5Z", 1_709_164_800_500);
        let date = "2026-01-02".parse::<Datetime>().unwrap().date.unwrap();
        assert_eq!(end_of_day(date), EventTime::from_millis(1_767_398_400_000));
    }
}
