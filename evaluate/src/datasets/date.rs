//! Dates as data sets write them, all taken as UTC.

/// `2020-02-03 12:43:30.772`, `2017-07-07T09:03:29Z`: year first, a blank or a T between, milliseconds or none.
pub(super) fn iso(text: &str) -> Option<i64> {
    let text = text.trim_end_matches('Z');
    let (date, time) = text.split_once([' ', 'T'])?;
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    at((year, month, day), time)
}

/// `01/02/2010 06:49:00`: month first.
pub(super) fn american(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(' ')?;
    let mut parts = date.split('/');
    let (month, day, year) = (parts.next()?, parts.next()?, parts.next()?);
    at((year, month, day), time)
}

fn at((year, month, day): (&str, &str, &str), time: &str) -> Option<i64> {
    let mut parts = time.split(':');
    let (hour, minute) = (parts.next()?, parts.next()?);
    let second = parts.next().unwrap_or("0");
    let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
    let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0);
    let day = day_of(number(year)?, number(month)?, number(day)?)?;
    let of_day = number(hour)? * 3_600 + number(minute)? * 60 + number(second)?;
    let millis: String = fraction.chars().chain("000".chars()).take(3).collect();
    (of_day < 86_401).then(|| number(&millis).map(|millis| (day * 86_400 + of_day) * 1_000 + millis))?
}

/// Days from the epoch (days from civil, Hinnant 2013).
fn day_of(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_date = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    let y = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (y.div_euclid(400), y.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    is_date.then_some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_written() {
        assert_eq!(iso("2025-01-06 00:00:00"), Some(1_736_121_600_000));
        assert_eq!(iso("2025-01-06T00:00:00.5Z"), Some(1_736_121_600_500));
        assert_eq!(iso("2025-01-06 00:00:00.772"), Some(1_736_121_600_772));
        assert_eq!(american("01/06/2025 01:00:00"), Some(1_736_125_200_000));
        for wrong in [
            "",
            "2025-01-06",
            "2025-13-06 00:00:00",
            "43:30.8",
            "2025-01-06 99:00:00",
        ] {
            assert_eq!(iso(wrong), None, "{wrong}");
        }
    }
}
