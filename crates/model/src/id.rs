//! Ids: opaque names that must not be confused with one another.

use crate::Text;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(Text);

        impl $name {
            /// From any string; the caller has checked that it is not empty.
            #[must_use]
            pub fn new(id: impl Into<Text>) -> Self {
                Self(id.into())
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// One event: OCSF `metadata.uid`. The source's own id where it has one, else derived from the record.
    EventUid
}
id! {
    /// Whose data it is; baselines never cross tenants.
    TenantId
}
id! {
    /// The account whose behaviour an event shows: normalised so that one account has one id across sources.
    /// See [`crate::User::account_id`].
    AccountId
}
id! {
    /// The log format an event came from, as `--format` names it.
    SourceName
}

impl EventUid {
    /// Line and place in a list, if the id was derived from a record without an id of its own:
    /// `<16 hexadecimal digits>-<line>`, or `…-<line>-<place>`. Lines beyond 2^40 are no lines.
    #[must_use]
    pub fn derived_from(&self) -> Option<(u64, u64)> {
        let (digest, rest) = self.0.split_at_checked(16)?;
        let place = rest.strip_prefix('-')?;
        if !digest.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let (line, index) = place.split_once('-').unwrap_or((place, "0"));
        let line: u64 = line.parse().ok().filter(|line| *line < 1 << 40)?;
        Some((line, index.parse().ok()?))
    }

    /// Whether the id was derived from a record without an id of its own.
    #[must_use]
    pub fn is_derived(&self) -> bool {
        self.derived_from().is_some()
    }
}

impl Default for TenantId {
    /// The tenant of installations that serve one organisation.
    fn default() -> Self {
        Self::new("default")
    }
}
