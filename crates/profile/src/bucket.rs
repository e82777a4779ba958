//! Buckets in which novelty is counted (SCORING 1): how long the history, how long the silence, what sort of device.

use habitus_model::DeviceType;
use serde::{Deserialize, Serialize};

/// Size of an account's history, in visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SizeBucket(u8);

/// Days since the last visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IdleBucket(u8);

/// Device type, coarse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TypeBucket(u8);

/// How many of the population live where the account does: whose home is nobody else's is on a journey or behind a
/// VPN, and will bring another country when it comes home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HomeBucket(u8);

/// All four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Bucket {
    /// Size of the history.
    pub size: SizeBucket,
    /// Silence before this visit.
    pub idle: IdleBucket,
    /// Device type of this visit.
    pub device: TypeBucket,
    /// Home of the account.
    pub home: HomeBucket,
}

impl SizeBucket {
    /// Number of size buckets: 1, 2, 3–4, 5–8, 9–16, 17–64, 65 and more.
    pub const COUNT: usize = 7;

    /// The bucket of an effective number of earlier visits.
    #[must_use]
    pub fn of(visits: f64) -> Self {
        let upper = [1.5, 2.5, 4.5, 8.5, 16.5, 64.5];
        Self(count_below(&upper, visits))
    }

    /// Position in tables.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// Words for explanations: "3rd to 4th visit".
    #[must_use]
    pub fn phrase(self) -> &'static str {
        const WORDS: [&str; SizeBucket::COUNT] = [
            "one visit",
            "two visits",
            "3–4 visits",
            "5–8 visits",
            "9–16 visits",
            "17–64 visits",
            "65 visits or more",
        ];
        WORDS.get(self.index()).copied().unwrap_or("some visits")
    }
}

impl IdleBucket {
    /// Number of idle buckets: under 1, 7, 30 days, and longer.
    pub const COUNT: usize = 4;

    /// The bucket of a silence in days.
    #[must_use]
    pub fn of(days: f64) -> Self {
        Self(count_below(&[1.0, 7.0, 30.0], days))
    }

    /// Position in tables.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl TypeBucket {
    /// Number of type buckets: phone or tablet, computer, other.
    pub const COUNT: usize = 3;

    /// The bucket of a device type.
    #[must_use]
    pub fn of(device: DeviceType) -> Self {
        match device {
            DeviceType::Mobile | DeviceType::Tablet => Self(0),
            DeviceType::Desktop => Self(1),
            DeviceType::Unknown | DeviceType::Automation => Self(2),
        }
    }

    /// Position in tables.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl HomeBucket {
    /// Number of home buckets: up to half a percent, up to a tenth of the population's accounts, and more.
    pub const COUNT: usize = 3;

    /// The bucket of the share of accounts that know the account's home country, in `[0, 1]`.
    #[must_use]
    pub fn of(share: f64) -> Self {
        Self(count_below(&[0.005, 0.1], share))
    }

    /// Position in tables.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

fn count_below(upper: &[f64], value: f64) -> u8 {
    u8::try_from(upper.iter().filter(|bound| value >= **bound).count()).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_as_documented() {
        assert_eq!(SizeBucket::of(1.0).index(), 0);
        assert_eq!(SizeBucket::of(4.0).index(), 2);
        assert_eq!(SizeBucket::of(65.0).index(), SizeBucket::COUNT - 1);
        assert_eq!(IdleBucket::of(0.0).index(), 0);
        assert_eq!(IdleBucket::of(400.0).index(), IdleBucket::COUNT - 1);
    }
}
