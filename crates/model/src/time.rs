//! Time as data: what the source claims, when it reached us, and spans between.

use serde::{Deserialize, Serialize};

/// When the event happened, as its source says: milliseconds since the Unix epoch, UTC. May lie; may be in the
/// future.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventTime(i64);

/// When the record reached habitus: milliseconds since the Unix epoch, UTC. Never the source's claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IngestTime(i64);

/// A span in milliseconds; may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Millis(pub i64);

/// Minutes since the Unix epoch, as profiles keep them: 4 bytes reach from 1970 to the year 10136.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Minutes(pub u32);

/// When counts were last decayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Decayed(Minutes);

/// Minutes east of UTC, -1080 to 1080 (OCSF `timezone_offset`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct UtcOffset(i16);

const MS_PER_MINUTE: i64 = 60_000;
const MINUTES_PER_DAY: i64 = 1_440;
/// 9999-12-31T23:59:59.999Z: the last instant that RFC 3339 can write.
const MS_MAX: i64 = 253_402_300_799_999;
/// 0001-01-01T00:00:00Z: the first one we accept.
const MS_MIN: i64 = -62_135_596_800_000;

impl EventTime {
    /// From milliseconds since the epoch; `None` outside the years 1 to 9999.
    #[must_use]
    pub const fn from_millis(ms: i64) -> Option<Self> {
        if ms < MS_MIN || ms > MS_MAX {
            None
        } else {
            Some(Self(ms))
        }
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The span from `earlier` to this; negative if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: EventTime) -> Millis {
        Millis(self.0 - earlier.0)
    }

    /// Whole minutes since the epoch, clamped to 0 before 1970.
    #[must_use]
    pub fn minutes(self) -> Minutes {
        Minutes(u32::try_from(self.0.div_euclid(MS_PER_MINUTE).max(0)).unwrap_or(u32::MAX))
    }

    /// Hour of the local day (0–23) and whether it is a weekend (Saturday, Sunday) at the given offset.
    #[must_use]
    pub fn local_hour(self, offset: UtcOffset) -> (u8, bool) {
        let minutes = self.0.div_euclid(MS_PER_MINUTE) + i64::from(offset.0);
        let hour = u8::try_from(minutes.rem_euclid(MINUTES_PER_DAY) / 60).unwrap_or(0);
        // 1970-01-01 was a Thursday: day 2 is Saturday, day 3 Sunday.
        let weekday = minutes.div_euclid(MINUTES_PER_DAY).rem_euclid(7);
        (hour, weekday == 2 || weekday == 3)
    }

    /// This instant moved by `span`, clamped to the accepted years.
    #[must_use]
    pub fn plus(self, span: Millis) -> Self {
        Self(self.0.saturating_add(span.0).clamp(MS_MIN, MS_MAX))
    }
}

impl IngestTime {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The instant as a time of events, where arrival stands in for it.
    #[must_use]
    pub const fn as_event(self) -> EventTime {
        EventTime(self.0)
    }

    /// From milliseconds since the epoch; `None` outside the years 1 to 9999.
    #[must_use]
    pub const fn from_millis(ms: i64) -> Option<Self> {
        if ms < MS_MIN || ms > MS_MAX {
            None
        } else {
            Some(Self(ms))
        }
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }
}

impl Millis {
    /// A span of whole hours.
    #[must_use]
    pub const fn from_hours(hours: i64) -> Self {
        Self(hours * 3_600_000)
    }

    /// A span of whole minutes.
    #[must_use]
    pub const fn from_minutes(minutes: i64) -> Self {
        Self(minutes * MS_PER_MINUTE)
    }

    /// In hours.
    #[must_use]
    pub fn hours(self) -> f64 {
        crate::math::from_i64(self.0) / 3_600_000.0
    }

    /// In days.
    #[must_use]
    pub fn days(self) -> f64 {
        self.hours() / 24.0
    }

    /// In minutes.
    #[must_use]
    pub fn minutes(self) -> f64 {
        self.hours() * 60.0
    }
}

impl Minutes {
    /// Minutes from `earlier` to this, 0 if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Minutes) -> f64 {
        f64::from(self.0.saturating_sub(earlier.0))
    }

    /// Days from `earlier` to this, 0 if `earlier` is later.
    #[must_use]
    pub fn days_since(self, earlier: Minutes) -> f64 {
        self.since(earlier) / 1_440.0
    }
}

impl Decayed {
    /// When that was; the epoch before anything was counted.
    #[must_use]
    pub const fn at(self) -> Minutes {
        self.0
    }

    /// Days by which the counts are to be decayed now; absent on the day they were. Once a day is cheaper than a time stamp
    /// for each count, and exact enough for half-lives of weeks.
    pub fn days_due(&mut self, now: Minutes) -> Option<f64> {
        if self.0 == Minutes(0) {
            self.0 = now;
        }
        let days = now.days_since(self.0);
        if days < 1.0 {
            return None;
        }
        self.0 = now;
        Some(days)
    }
}

impl UtcOffset {
    /// From minutes east of UTC; `None` beyond ±18 hours.
    #[must_use]
    pub const fn from_minutes(minutes: i16) -> Option<Self> {
        if minutes < -1_080 || minutes > 1_080 {
            None
        } else {
            Some(Self(minutes))
        }
    }

    /// The offset of the sun at a longitude (degrees east, -180 to 180), to the hour. Good to about one hour of
    /// civil time, which the clock's circular kernel covers; daylight saving is not modelled.
    #[must_use]
    pub fn from_longitude(degrees: f64) -> Self {
        let hours = crate::math::to_i64((degrees / 15.0).clamp(-12.0, 14.0));
        Self(i16::try_from(hours * 60).unwrap_or(0))
    }

    /// Minutes east of UTC.
    #[must_use]
    pub const fn minutes(self) -> i16 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_decay_once_a_day_and_late_events_change_nothing() {
        let mut decayed = Decayed::default();
        assert_eq!(decayed.days_due(Minutes(5_000)), None);
        assert_eq!(decayed.days_due(Minutes(6_000)), None);
        assert_eq!(decayed.days_due(Minutes(5_000 + 2_880)), Some(2.0));
        assert_eq!(decayed.days_due(Minutes(5_000)), None);
        assert_eq!(decayed.at(), Minutes(7_880));
    }

    fn at(ms: i64) -> EventTime {
        EventTime::from_millis(ms).unwrap()
    }

    #[test]
    fn weekends_and_hours_are_local() {
        // 2026-01-02T23:30:00Z is a Friday; at +60 minutes it is Saturday 00:30.
        let t = at(1_767_396_600_000);
        assert_eq!(t.local_hour(UtcOffset::default()), (23, false));
        assert_eq!(t.local_hour(UtcOffset::from_minutes(60).unwrap()), (0, true));
    }

    #[test]
    fn times_before_1970_do_not_wrap() {
        assert_eq!(at(-1).minutes(), Minutes(0));
        assert_eq!(at(-1).local_hour(UtcOffset::default()).0, 23);
    }

    #[test]
    fn years_beyond_rfc_3339_are_refused() {
        assert_eq!(EventTime::from_millis(i64::MAX), None);
    }
}
