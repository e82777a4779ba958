//! One Windows event, whatever shape it came in.

use habitus_model::EventTime;
use habitus_model::account::named;
use std::borrow::Cow;

/// The parts of an event that mean the same in every shape. Absent fields are not in the record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WinRecord<'a> {
    /// `System/EventID`.
    pub id: u32,
    /// `System/Provider/@Name`.
    pub provider: Option<Cow<'a, str>>,
    /// `System/Channel`.
    pub channel: Option<Cow<'a, str>>,
    /// `System/Computer`: the host that logged.
    pub computer: Option<Cow<'a, str>>,
    /// `System/EventRecordID`: unique within a host's channel.
    pub record_id: Option<Cow<'a, str>>,
    /// `System/TimeCreated/@SystemTime`.
    pub time: Option<EventTime>,
    /// The audit's own verdict, from `System/Keywords`.
    pub audit: Option<Audit>,
    /// The account under which the event was written (`System/Security/@UserID`).
    pub writer: Writer<'a>,
    /// `EventData` or `UserData`: names and values in the record's order; the name of a value that has none is empty.
    pub data: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// Whether what was audited succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audit {
    /// Keyword "Audit Success".
    Success,
    /// Keyword "Audit Failure".
    Failure,
}

/// The account under which an event was written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Writer<'a> {
    /// Security identifier.
    pub sid: Option<Cow<'a, str>>,
    /// Account name, where the shipper looked it up.
    pub name: Option<Cow<'a, str>>,
    /// Its domain.
    pub domain: Option<Cow<'a, str>>,
}

impl WinRecord<'_> {
    /// The value of that name, trimmed; absent if it means nobody or nothing (`-`). Cost: linear in the fields.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.data
            .iter()
            .filter(|(key, _)| key == name)
            .find_map(|(_, value)| named(value))
    }

    /// The first of several names that has a value.
    pub fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    /// Whether the event is of the security log: its ids mean what Microsoft's audit reference says.
    pub fn is_security(&self) -> bool {
        // The ids of audits begin at 4608; 1100 to 1108 are the log service's own.
        const AUDIT_MIN: u32 = 4_608;
        match (self.channel.as_deref(), self.provider.as_deref()) {
            (Some(channel), _) => channel.eq_ignore_ascii_case("Security"),
            (None, Some(provider)) => provider == "Microsoft-Windows-Security-Auditing",
            (None, None) => self.id >= AUDIT_MIN,
        }
    }

    /// `HOST/CHANNEL/RECORD`; absent if one is missing.
    pub fn uid(&self) -> Option<String> {
        let (host, channel) = (self.computer.as_deref()?, self.channel.as_deref()?);
        Some(format!("{host}/{channel}/{}", self.record_id.as_deref()?))
    }
}

impl Audit {
    /// From `System/Keywords`, a mask of 64 bits (winmeta.xml: AuditFailure, AuditSuccess).
    pub const fn from_keywords(mask: u64) -> Option<Self> {
        const FAILURE: u64 = 0x0010_0000_0000_0000;
        const SUCCESS: u64 = 0x0020_0000_0000_0000;
        if mask & FAILURE != 0 {
            Some(Self::Failure)
        } else if mask & SUCCESS != 0 {
            Some(Self::Success)
        } else {
            None
        }
    }

    /// From words: hexadecimal or decimal mask, NXLog's `AUDIT_FAILURE`, Windows' "Audit Failure", Beats' "failure".
    pub fn from_words(words: &str) -> Option<Self> {
        let words = words.trim();
        if let Some(hex) = words.strip_prefix("0x").or_else(|| words.strip_prefix("0X")) {
            return u64::from_str_radix(hex, 16).ok().and_then(Self::from_keywords);
        }
        if let Ok(mask) = words.parse::<i64>() {
            return Self::from_keywords(mask.cast_unsigned());
        }
        match words.to_ascii_lowercase().as_str() {
            "audit_failure" | "audit failure" | "failure" => Some(Self::Failure),
            "audit_success" | "audit success" | "success" => Some(Self::Success),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_in_every_dress() {
        for words in [
            "0x8010000000000000",
            "-9218868437227405312",
            "AUDIT_FAILURE",
            "Audit Failure",
        ] {
            assert_eq!(Audit::from_words(words), Some(Audit::Failure), "{words}");
        }
        for words in [
            "0x8020000000000000",
            "-9214364837600034816",
            "AUDIT_SUCCESS",
            "success",
        ] {
            assert_eq!(Audit::from_words(words), Some(Audit::Success), "{words}");
        }
        assert_eq!(Audit::from_words("0x80000000000000"), None);
        assert_eq!(Audit::from_words("INFO"), None);
    }
}
