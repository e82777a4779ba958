//! What is put into the outbox, and what it tells.

use crate::log::{Damage, Recovery};
use habitus_model::{IngestTime, Millis, Text};
use serde::{Deserialize, Serialize};

/// An order as it is put: opaque to the outbox but for these fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The idempotency key.
    pub id: Text,
    /// Who carries it out.
    pub responder: Text,
    /// What is to be done, as the caller encodes it.
    pub payload: Vec<u8>,
    /// From when it must not be carried out any more.
    pub expires: IngestTime,
}

/// An order handed out to be carried out now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The order.
    pub item: Item,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// Until when an outcome is awaited.
    pub until: IngestTime,
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Done.
    Delivered,
    /// It may work later: timeouts, 429, 5xx.
    Failed {
        /// A short reason without personal data.
        why: Text,
        /// How long the target asked to be left alone (`Retry-After`); absent if it did not.
        retry_after: Option<Millis>,
    },
    /// It will never work: a dead letter at once.
    Refused {
        /// A short reason without personal data.
        why: Text,
    },
}

/// What became of an order after an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Finished.
    Done,
    /// It is tried again at this time.
    Again(IngestTime),
    /// It is a dead letter.
    Dead,
    /// No such order waits for an outcome: it was finished before, or the outcome is of a try that was given up.
    Unknown,
}

/// What is due now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Due {
    /// To be carried out.
    pub leases: Vec<Lease>,
    /// Became dead letters because their time had passed.
    pub expired: Vec<Text>,
    /// Given up by whoever had leased them; they are tried again or have become dead letters.
    pub lapsed: Vec<Text>,
}

/// An order that was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The order.
    pub item: Item,
    /// Tries that failed.
    pub attempts: u32,
    /// Since when it is dead.
    pub since: IngestTime,
    /// Why.
    pub why: Text,
}

/// How many orders there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Waiting for their time or their responder.
    pub waiting: usize,
    /// Handed out.
    pub leased: usize,
    /// Dead letters.
    pub dead: usize,
    /// Finished, and still remembered.
    pub done: usize,
}

/// What opening found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboxRecovery {
    /// Of the file.
    pub log: Recovery,
    /// Of reading it.
    pub damage: Damage,
    /// Orders that were under way: whether they were carried out is not known, so they are tried again.
    pub under_way: usize,
}
