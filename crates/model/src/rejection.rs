//! Records that could not be understood.

use crate::Text;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a record became no event. Counted by kind; the rest of the input goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectionKind {
    /// No format recognises the record.
    Unrecognised,
    /// The record's syntax is broken (JSON, XML, UTF-8).
    Malformed,
    /// A limit was met: size, depth, number of keys, expansion.
    Limit,
    /// A field the format cannot do without is absent.
    MissingField,
    /// A field is there and cannot be read.
    InvalidField,
}

/// A record that became no event: what is wrong, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The sort of trouble, for counting.
    pub kind: RejectionKind,
    /// One sentence in lower case without a final stop. Names fields, never personal data.
    pub reason: Text,
}

impl RejectionKind {
    /// The name in snake case, as summaries and metrics write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            RejectionKind::Unrecognised => "unrecognised",
            RejectionKind::Malformed => "malformed",
            RejectionKind::Limit => "limit",
            RejectionKind::MissingField => "missing_field",
            RejectionKind::InvalidField => "invalid_field",
        }
    }
}

impl Rejection {
    /// A rejection of the given kind.
    #[must_use]
    pub fn new(kind: RejectionKind, reason: impl Into<Text>) -> Self {
        Self {
            kind,
            reason: reason.into(),
        }
    }

    /// A field the format cannot do without is absent.
    #[must_use]
    pub fn missing(field: &str) -> Self {
        Self::new(RejectionKind::MissingField, format!("`{field}` is missing"))
    }

    /// A field cannot be read; `expected` says what it should look like.
    #[must_use]
    pub fn invalid(field: &str, expected: &str) -> Self {
        Self::new(
            RejectionKind::InvalidField,
            format!("`{field}` is not {expected}"),
        )
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}
