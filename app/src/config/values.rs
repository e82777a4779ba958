//! Values that TOML writes as text.

use crate::cli::Bytes;
use habitus_enrich::IpListKind;
use habitus_model::UtcOffset;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A size in bytes: a whole number, or text with a unit such as `"256M"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub Bytes);

/// What being on a list of networks means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListKind {
    /// The organisation's own egress.
    Corporate,
    /// VPN services, proxies, privacy relays.
    Relay,
    /// Tor exits.
    Tor,
    /// Networks nobody should come from.
    Blocked,
    /// Networks that are never to be acted against.
    Safe,
}

impl From<ListKind> for IpListKind {
    fn from(kind: ListKind) -> Self {
        match kind {
            ListKind::Corporate => IpListKind::Corporate,
            ListKind::Relay => IpListKind::Relay,
            ListKind::Tor => IpListKind::Tor,
            ListKind::Blocked => IpListKind::Blocked,
            ListKind::Safe => IpListKind::Safe,
        }
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = self.0.0;
        if bytes > 0 && bytes.is_multiple_of(1 << 20) {
            return serializer.collect_str(&format_args!("{}M", bytes >> 20));
        }
        serializer.serialize_u64(bytes)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a size such as 1048576 or \"256M\"")]
        enum Written {
            Number(u64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(bytes) => Ok(Self(Bytes(bytes))),
            Written::Text(text) => text.parse().map(Self).map_err(D::Error::custom),
        }
    }
}

/// Offsets from UTC: `"+01:00"`, `"-0330"`, `"Z"`.
pub mod offset {
    use super::{Deserializer, Serializer, UtcOffset};
    use serde::Deserialize;
    use serde::de::Error as _;

    pub fn serialize<S: Serializer>(offset: &UtcOffset, serializer: S) -> Result<S::Ok, S::Error> {
        let minutes = offset.minutes();
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
        serializer.collect_str(&format_args!("{sign}{hours:02}:{minutes:02}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UtcOffset, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| {
            D::Error::custom("an offset from UTC is written as \"+01:00\", \"-03:30\" or \"Z\"")
        })
    }

    fn parse(text: &str) -> Option<UtcOffset> {
        if text.eq_ignore_ascii_case("z") {
            return Some(UtcOffset::default());
        }
        let (sign, rest) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(rest), _) => (1, rest),
            (_, Some(rest)) => (-1, rest),
            _ => return None,
        };
        let digits = rest.replacen(':', "", 1);
        if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let number: i16 = digits.parse().ok()?;
        let (hours, minutes) = (number / 100, number % 100);
        (minutes < 60).then(|| UtcOffset::from_minutes(sign * (hours * 60 + minutes)))?
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn offsets_are_hours_and_minutes() {
            let minutes = |text| parse(text).map(UtcOffset::minutes);
            assert_eq!(minutes("+01:00"), Some(60));
            assert_eq!(minutes("-0330"), Some(-210));
            assert_eq!(minutes("Z"), Some(0));
            for bad in ["", "1", "+1", "+25:00", "+01:60", "+a1:00", "+01:00:00"] {
                assert_eq!(minutes(bad), None, "{bad}");
            }
        }
    }
}
