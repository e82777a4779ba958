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

impl Default for TenantId {
    /// The tenant of installations that serve one organisation.
    fn default() -> Self {
        Self::new("default")
    }
}
