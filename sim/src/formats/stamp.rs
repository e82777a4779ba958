//! Times as text.

use habitus_model::EventTime;

const DAY_MS: i64 = 86_400_000;

/// `2025-01-06T08:09:10.123Z`.
pub(super) fn millis(time: EventTime) -> String {
    let (seconds, rest) = split(time);
    format!("{seconds}.{rest:03}Z")
}

/// `2025-01-06T08:09:10Z`: what is finer is lost, as it is in the real log.
pub(super) fn seconds(time: EventTime) -> String {
    format!("{}Z", split(time).0)
}

fn split(time: EventTime) -> (String, i64) {
    let ms = time.as_millis();
    let (year, month, day) = civil(ms.div_euclid(DAY_MS));
    let of_day = ms.rem_euclid(DAY_MS);
    let (hour, minute, second) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1_000 % 60);
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    (text, of_day % 1_000)
}

/// Year, month and day of a day counted from the epoch (civil from days, Hinnant 2013).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        let check = |ms, expected| assert_eq!(millis(EventTime::from_millis(ms).unwrap()), expected);
        check(0, "1970-01-01T00:00:00.000Z");
        check(1_736_121_600_000, "2025-01-06T00:00:00.000Z");
        check(1_709_251_199_999, "2024-02-29T23:59:59.999Z");
        check(1_709_251_200_000, "2024-03-01T00:00:00.000Z");
    }
}
