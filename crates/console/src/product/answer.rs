//! Who asks, pages of answers, and refusals.

use habitus_model::{TenantId, Text};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use utoipa::ToSchema;

/// Who asks: for keeping tenants apart, and for the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// Name of the user, or `token:<id>`.
    pub name: Text,
    /// Whose data may be seen and changed.
    pub tenant: TenantId,
    /// Where the request came from; absent for what the console does by itself.
    pub address: Option<IpAddr>,
    /// Id of the request, as answered in `X-Request-Id`.
    pub request: Text,
}

/// One page of a longer list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The rows, at most as many as were asked for.
    pub items: Vec<T>,
    /// Give this as `cursor` for the next page; absent on the last page. Opaque.
    pub next: Option<String>,
    /// How many there are in all; absent if counting would cost too much.
    pub total: Option<u64>,
}

/// Why something is not done. Names fields, never values: it is shown and logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// More comes in than can be taken; the same may work later.
    #[error("overloaded")]
    Overloaded {
        /// Seconds after which to try again, at least 1.
        retry_after: u32,
    },
    /// No space on the disk.
    #[error("storage is full")]
    Full {
        /// Seconds after which to try again, at least 1.
        retry_after: u32,
    },
    /// The server is going down; another may take it.
    #[error("shutting down")]
    ShuttingDown,
    /// The content as a whole is in no known format.
    #[error("{reason}")]
    BadFormat {
        /// One sentence in lower case.
        reason: String,
    },
    /// A field of a command or query cannot be used.
    #[error("`{field}` {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// Completes the sentence that begins with the field: `is not a verdict`.
        reason: String,
    },
    /// There is no such thing, or it is another tenant's.
    #[error("not found")]
    NotFound,
    /// Its present state does not allow that.
    #[error("{reason}")]
    Conflict {
        /// One sentence in lower case.
        reason: String,
    },
    /// A fault of ours; details are in the log only.
    #[error("internal error")]
    Internal,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            next: None,
            total: None,
        }
    }
}
