//! What the log keeps of a record, and how it is read again.
//!
//! ```text
//! event    1 byte  layout, 2
//!          1 byte  length of the format's name; 0: it was recognised
//!                  name of the format
//!          8 bytes occurrence, little-endian; in layout 1 they are 4
//!                  the record as it came
//! command          JSON, as of models
//! tick             nothing: its ingest time says it
//! ```

use super::reading::Sent;
use habitus_journal::Entry;
use habitus_model::{IngestTime, TenantId, Text};

/// Kinds of entries, as the log numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A record of telemetry.
    Event,
    /// Time went on.
    Tick,
    /// What waits is settled now.
    Settle,
    /// Something a person did to findings.
    Command,
    /// Another policy is in force.
    Policy,
    /// A person lets a held order go, or declines it.
    Decide,
    /// Something a person asks of models.
    Models,
    /// A record whose id came before with another content: kept, and judged no second time.
    Conflict,
}

const LAYOUT: u8 = 2;

impl Kind {
    const ALL: [(Self, u8); 8] = [
        (Kind::Event, 1),
        (Kind::Tick, 2),
        (Kind::Settle, 3),
        (Kind::Command, 4),
        (Kind::Conflict, 5),
        (Kind::Policy, 6),
        (Kind::Decide, 7),
        (Kind::Models, 8),
    ];

    /// The number in the log.
    pub fn number(self) -> u8 {
        Self::ALL
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or(0, |(_, number)| *number)
    }

    /// The name, for exports.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Event => "event",
            Kind::Tick => "tick",
            Kind::Settle => "settle",
            Kind::Command => "command",
            Kind::Policy => "policy",
            Kind::Decide => "decide",
            Kind::Models => "models",
            Kind::Conflict => "conflict",
        }
    }

    /// By number; absent for one of a later version.
    pub fn of(number: u8) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == number)
            .map(|(kind, _)| *kind)
    }
}

/// The entry for a record.
pub fn event(kind: Kind, sent: &Sent, occurrence: u64, raw: &[u8]) -> Entry {
    let format = sent.format.as_deref().unwrap_or_default();
    let mut payload = Vec::with_capacity(raw.len() + format.len() + 10);
    payload.push(LAYOUT);
    payload.push(u8::try_from(format.len()).unwrap_or(0));
    payload.extend_from_slice(format.as_bytes());
    payload.extend_from_slice(&occurrence.to_le_bytes());
    payload.extend_from_slice(raw);
    Entry {
        kind: kind.number(),
        tenant: sent.tenant.clone(),
        source: sent.source.clone(),
        ingested: sent.ingest,
        payload,
    }
}

/// An entry without telemetry.
pub fn other(kind: Kind, tenant: &TenantId, now: IngestTime, payload: Vec<u8>) -> Entry {
    Entry {
        kind: kind.number(),
        tenant: tenant.clone(),
        source: Text::const_new("habitus"),
        ingested: now,
        payload,
    }
}

/// What was sent, its occurrence and its bytes; absent if the payload is of another layout.
pub fn read(entry: &Entry) -> Option<(Sent, u64, &[u8])> {
    let (layout, rest) = entry.payload.split_first()?;
    let (len, rest) = rest.split_first()?;
    let (format, rest) = rest.split_at_checked(usize::from(*len))?;
    let (occurrence, raw) = match *layout {
        1 => {
            let (bytes, raw) = rest.split_first_chunk::<4>()?;
            (u64::from(u32::from_le_bytes(*bytes)), raw)
        }
        LAYOUT => {
            let (bytes, raw) = rest.split_first_chunk::<8>()?;
            (u64::from_le_bytes(*bytes), raw)
        }
        _ => return None,
    };
    let format = std::str::from_utf8(format).ok()?;
    let sent = Sent {
        tenant: entry.tenant.clone(),
        source: entry.source.clone(),
        format: (!format.is_empty()).then(|| Text::new(format)),
        ingest: entry.ingested,
    };
    Some((sent, occurrence, raw))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_read_back() {
        for format in [None, Some(Text::new("okta"))] {
            let sent = Sent {
                tenant: TenantId::new("acme"),
                source: Text::new("idp"),
                format,
                ingest: IngestTime::from_millis(7).unwrap(),
            };
            let entry = event(Kind::Event, &sent, 3, b"{}");
            let (back, occurrence, raw) = read(&entry).unwrap();
            assert_eq!(
                (&back.format, back.ingest, occurrence, raw),
                (&sent.format, sent.ingest, 3, &b"{}"[..])
            );
            assert_eq!(Kind::of(entry.kind), Some(Kind::Event));
            for cut in 0..entry.payload.len() - 2 {
                let mut short = entry.clone();
                short.payload.truncate(cut);
                assert!(read(&short).is_none(), "{cut}");
            }
        }
        assert_eq!(Kind::of(99), None);
    }

    #[test]
    fn records_of_layout_1_read_as_they_were() {
        let mut entry = other(Kind::Event, &TenantId::default(), IngestTime::EPOCH, Vec::new());
        entry.payload = [&[1, 4], &b"okta"[..], &[3, 0, 0, 0], b"{}"].concat();
        let (sent, occurrence, raw) = read(&entry).unwrap();
        assert_eq!(
            (sent.format.as_deref(), occurrence, raw),
            (Some("okta"), 3, &b"{}"[..])
        );
        entry.payload[0] = 3;
        assert!(read(&entry).is_none(), "of a later version");
    }
}
