//! How an attempt went.

use std::time::Duration;

/// How one attempt to carry out an order, or to export a finding, went.
///
/// No text in it holds personal data, secrets or what the other side wrote: only codes and words of our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It happened. A repeat is not needed.
    Done {
        /// What the other side answered, in our words.
        detail: String,
    },
    /// It did not happen and may work later.
    Retry {
        /// How long the other side asks to wait, at most a day; absent if it does not say.
        after: Option<Duration>,
        /// Why it did not work.
        why: String,
    },
    /// It did not happen and will not by repeating.
    Failed {
        /// Why.
        why: String,
        /// Whether other orders to the same responder would fail too.
        fault: Fault,
    },
    /// It was sent and nobody answered: it may have happened. A repeat carries the same idempotency key; where the target
    /// has no use for one (`slack`, `email`, `syslog`, `file`), people may see it twice.
    Unknown {
        /// What was seen.
        why: String,
    },
}

/// What is at fault when something fails for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// This order or finding: others may pass.
    Order,
    /// The responder's configuration, credential or target: every other order would fail too, so the queue should pause
    /// and a person should look, instead of throwing its orders away.
    Responder,
}

impl Outcome {
    /// The name in lower case, for metrics and records.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Outcome::Done { .. } => "done",
            Outcome::Retry { .. } => "retry",
            Outcome::Failed { .. } => "failed",
            Outcome::Unknown { .. } => "unknown",
        }
    }

    /// Whether it happened for sure.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self, Outcome::Done { .. })
    }

    pub(crate) fn done(detail: impl Into<String>) -> Self {
        Outcome::Done {
            detail: detail.into(),
        }
    }

    pub(crate) fn retry(why: impl Into<String>) -> Self {
        Outcome::Retry {
            after: None,
            why: why.into(),
        }
    }

    pub(crate) fn failed(fault: Fault, why: impl Into<String>) -> Self {
        Outcome::Failed {
            why: why.into(),
            fault,
        }
    }

    pub(crate) fn unknown(why: impl Into<String>) -> Self {
        Outcome::Unknown { why: why.into() }
    }
}
