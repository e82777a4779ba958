//! An event while it waits for its turn: what scoring and findings need of it, and where it belongs in the order.

use crate::failure::Failure;
use habitus_engine::{Learning, Record};
use habitus_model::hash::symbol_of;
use habitus_model::{Context, EventUid, Text};
use habitus_sources::SortKey;
use serde::{Deserialize, Serialize};

/// An event whose turn has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What the engine gets.
    pub record: Record,
    /// The log format it came in.
    pub source: Text,
}

#[derive(Serialize)]
struct Stored<'a> {
    source: &'a str,
    uid: &'a EventUid,
    context: &'a Context,
}

#[derive(Deserialize)]
struct Taken {
    source: Text,
    uid: EventUid,
    context: Context,
}

/// Place within one millisecond: probes first, then events without an id of their own in the order of their lines, then
/// events with one in the order of its hash. So the order does not depend on the order of files, nor on that of lines where
/// events have ids; and equal events are neighbours.
const PROBE: u32 = 0;
const BY_LINE: u32 = 1;
const BY_UID: u32 = 2;

impl Item {
    /// Appends the event to `out`.
    pub fn store(source: &str, uid: &EventUid, context: &Context, out: &mut Vec<u8>) -> Result<(), Failure> {
        let stored = Stored { source, uid, context };
        *out = postcard::to_extend(&stored, std::mem::take(out))?;
        Ok(())
    }

    /// The event that [`Item::store`] wrote.
    pub fn take(key: SortKey, bytes: &[u8]) -> Result<Self, Failure> {
        let Taken { source, uid, context } = postcard::from_bytes(bytes)?;
        let learning = if key.file == PROBE {
            Learning::Probe
        } else {
            Learning::Learn
        };
        Ok(Self {
            record: Record {
                uid,
                context,
                learning,
            },
            source,
        })
    }

    /// Whether `other`, which has an equal key, is this event over again: the same id of the same tenant for the same
    /// happening. One record may tell of several happenings.
    pub fn is_same(&self, other: &Item) -> bool {
        let (a, b) = (&self.record, &other.record);
        let (c, d) = (&a.context, &b.context);
        a.uid == b.uid
            && c.tenant == d.tenant
            && c.activity == d.activity
            && c.account == d.account
            && c.status == d.status
    }
}

/// The place of an event in the order.
pub fn sort_key(uid: &EventUid, context: &Context, learning: Learning) -> SortKey {
    let time = context.time.as_millis();
    let hash = || symbol_of(&[context.tenant.as_str().as_bytes(), &[0], uid.as_str().as_bytes()]);
    let (file, line) = match (learning, line_of(uid)) {
        (Learning::Probe, _) => (PROBE, hash()),
        (Learning::Learn, Some(line)) => (BY_LINE, line),
        (Learning::Learn, _) => (BY_UID, hash()),
    };
    SortKey { time, file, line }
}

/// The place in the order of an event whose id was derived from its record.
fn line_of(uid: &EventUid) -> Option<u64> {
    let (line, index) = uid.derived_from()?;
    Some((line << 24) | index.min((1 << 24) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_tell_their_line() {
        let line = |uid: &str| line_of(&EventUid::new(uid));
        assert_eq!(line("0123456789abcdef-7"), Some(7 << 24));
        assert_eq!(line("0123456789abcdef-7-2"), Some((7 << 24) | 2));
        assert!(line("0123456789abcdef-8") > line("0123456789abcdef-7-65000"));
        for own in [
            "e-1",
            "0123456789abcdef",
            "0123456789abcdeg-7",
            "6f0c1e7a-0000-4000-8000-000000000001",
            "é23456789abcdef-é",
        ] {
            assert_eq!(line(own), None, "{own}");
        }
    }
}
