//! When browsers and operating systems come out, so that versions advance with simulated time.

/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// A Safari release: epoch milliseconds, version, and the iOS version its user agent claims.
struct Safari {
    from: i64,
    version: &'static str,
    ios: &'static str,
}

const fn safari(year: i64, month: i64, day: i64, version: &'static str, ios: &'static str) -> Safari {
    Safari {
        from: date(year, month, day),
        version,
        ios,
    }
}

/// Apple's release notes; dates after 2025 continue the rhythm of the years before. From iOS 26 on the user agent's
/// system version stays at 18.
static SAFARI: [Safari; 22] = [
    safari(2023, 9, 18, "17.0", "17_0"),
    safari(2023, 10, 25, "17.1", "17_1"),
    safari(2023, 12, 11, "17.2", "17_2"),
    safari(2024, 1, 22, "17.3", "17_3"),
    safari(2024, 3, 5, "17.4", "17_4"),
    safari(2024, 5, 13, "17.5", "17_5"),
    safari(2024, 7, 29, "17.6", "17_6"),
    safari(2024, 9, 16, "18.0", "18_0"),
    safari(2024, 10, 28, "18.1", "18_1"),
    safari(2024, 12, 11, "18.2", "18_2"),
    safari(2025, 1, 27, "18.3", "18_3"),
    safari(2025, 3, 31, "18.4", "18_4"),
    safari(2025, 5, 12, "18.5", "18_5"),
    safari(2025, 7, 29, "18.6", "18_6"),
    safari(2025, 9, 15, "26.0", "18_6"),
    safari(2025, 11, 3, "26.1", "18_7"),
    safari(2025, 12, 12, "26.2", "18_7"),
    safari(2026, 2, 11, "26.3", "18_7"),
    safari(2026, 3, 24, "26.4", "18_7"),
    safari(2026, 5, 11, "26.5", "18_7"),
    safari(2026, 7, 27, "26.6", "18_7"),
    safari(2026, 9, 14, "27.0", "18_7"),
];

/// Epoch milliseconds of a day at midnight UTC (days from civil, Hinnant 2013; years after 1970).
pub(crate) const fn date(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y / 400;
    let of_era = y - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    days * DAY_MS
}

/// Chrome's major version out at `ms`: 120 on 2023-12-05, then one each 4 weeks (Chromium release cycle).
pub(crate) fn chrome(ms: i64) -> i64 {
    120 + (ms - date(2023, 12, 5)).div_euclid(28 * DAY_MS)
}

/// Chrome's build number and patch at `ms`: about 66 builds a version, a patch each week.
pub(crate) fn chrome_build(ms: i64) -> (i64, i64) {
    let major = chrome(ms);
    let week = (ms - date(2023, 12, 5)).div_euclid(7 * DAY_MS).rem_euclid(4);
    let base = (major * 37).rem_euclid(60);
    (6_099 + (major - 120) * 66, 60 + base + week * 31)
}

/// Firefox's major version out at `ms`: 121 on 2023-12-19, then one each 4 weeks (Firefox release calendar).
pub(crate) fn firefox(ms: i64) -> i64 {
    121 + (ms - date(2023, 12, 19)).div_euclid(28 * DAY_MS)
}

/// Samsung Internet's major version and the Chromium version within, at `ms`: 23 on 2023-10-01, then one each 90
/// days, some 3 Chromium versions apart (Samsung's release notes, rounded).
pub(crate) fn samsung(ms: i64) -> (i64, i64) {
    let steps = (ms - date(2023, 10, 1)).div_euclid(90 * DAY_MS);
    (23 + steps, 115 + 3 * steps)
}

/// Safari's version and the iOS version in its user agent, at `ms`.
pub(crate) fn apple(ms: i64) -> (&'static str, &'static str) {
    let out = SAFARI.iter().rev().find(|release| release.from <= ms);
    out.map_or(("17.0", "17_0"), |release| (release.version, release.ios))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(1970, 1, 1), 0);
        assert_eq!(date(2025, 1, 6), 1_736_121_600_000);
        assert_eq!(date(2024, 3, 1) - date(2024, 2, 28), 2 * DAY_MS);
    }

    #[test]
    fn browsers_advance_every_four_weeks() {
        let t = date(2025, 1, 20);
        assert_eq!(chrome(t + 28 * DAY_MS), chrome(t) + 1);
        assert_eq!(firefox(t + 28 * DAY_MS), firefox(t) + 1);
        assert_eq!(apple(date(2025, 2, 1)), ("18.3", "18_3"));
        assert!(SAFARI.windows(2).all(|pair| pair[0].from < pair[1].from));
    }
}
