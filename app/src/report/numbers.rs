//! Numbers and times for people.

use habitus_model::EventTime;

/// A count with thousands separated: `1,234,567`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A time in UTC: `2026-01-02 15:04:05 UTC`.
pub fn stamp(time: EventTime) -> String {
    format(time, "%Y-%m-%d %H:%M:%S UTC")
}

/// A day in UTC, counted from 1970: `2026-01-02`.
pub fn day(days: i64) -> String {
    EventTime::from_millis(days.saturating_mul(86_400_000))
        .map_or_else(String::new, |time| format(time, "%Y-%m-%d"))
}

fn format(time: EventTime, pattern: &str) -> String {
    match jiff::Timestamp::from_millisecond(time.as_millis()) {
        Ok(instant) => instant.strftime(pattern).to_string(),
        // INVARIANT: event times lie in the years that timestamps reach.
        Err(_) => time.as_millis().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(
            stamp(EventTime::from_millis(0).unwrap()),
            "1970-01-01 00:00:00 UTC"
        );
        assert_eq!(
            stamp(EventTime::from_millis(-1).unwrap()),
            "1969-12-31 23:59:59 UTC"
        );
        assert_eq!(day(20_454), "2026-01-01");
    }
}
