//! What the log holds, as the reducer takes it.

use crate::rules::Said;
use habitus_engine::Record;
use habitus_engine::models::ModelChange;
use habitus_findings::Command;
use habitus_model::hash::symbol_of;
use habitus_model::{EventTime, IngestTime, TenantId, Text};
use serde::{Deserialize, Serialize};

/// Where an event stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Place {
    /// Position of its record.
    pub position: u64,
    /// Which of the record's events it is.
    pub index: u32,
}

/// Where an event came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// Where in the log.
    pub place: Place,
    /// When it came.
    pub ingest: IngestTime,
    /// Name of the source that sent it.
    pub source: Text,
    /// Log format.
    pub format: Text,
    /// Session it belongs to; absent if the source names none.
    pub session: Option<Text>,
    /// Its id was derived from its text, which carries no id: then the log decides among events of one instant.
    pub id_is_derived: bool,
}

/// An event as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// Where from.
    pub origin: Origin,
    /// The event with what the tables know of it.
    pub record: Record,
    /// What rules may ask beyond that.
    pub said: Said,
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// An event.
    Event(Box<Arrival>),
    /// Time went on, and nothing came.
    Tick(IngestTime),
    /// Something a person did to a finding.
    Command(Box<Command>),
    /// Another policy is in force from here on.
    Policy(String),
    /// Something a person did to a tenant's models.
    Models(Box<ModelOrder>),
    /// Everything that waits is to be settled now: before a controlled end, and where a past is loaded.
    Settle,
}

/// What somebody asks of a tenant's models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelOrder {
    /// Its id, from whoever asks.
    pub id: Text,
    /// Whose models.
    pub tenant: TenantId,
    /// Who asks.
    pub by: Text,
    /// When it reached us.
    pub at: IngestTime,
    /// What is asked.
    pub change: ModelChange,
}

/// Turn of an event: by time, then within one millisecond events without ids in the log's order, then events with ids in
/// the order of the ids' hashes. So arrival decides only where nothing else does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Turn {
    time: EventTime,
    has_id: bool,
    by: u64,
    index: u32,
    /// Two events of one id from two sources.
    position: u64,
}

impl Turn {
    /// The turn of an event.
    #[must_use]
    pub fn of(arrival: &Arrival) -> Self {
        let Place { position, index } = arrival.origin.place;
        let Record { context, uid, .. } = &arrival.record;
        let by = if arrival.origin.id_is_derived {
            position
        } else {
            symbol_of(&[context.tenant.as_str().as_bytes(), &[0], uid.as_str().as_bytes()])
        };
        Self {
            time: context.time,
            has_id: !arrival.origin.id_is_derived,
            by,
            index,
            position,
        }
    }

    /// When the event happened.
    #[must_use]
    pub fn time(&self) -> EventTime {
        self.time
    }
}
