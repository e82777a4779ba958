//! What changed for the tenant as a whole.

use super::{schema, time};
use habitus_model::EventTime;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the tenant as a whole stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Changes {
    /// That scores do not keep their promise; absent: they do, as far as can be told.
    pub alarm: Option<DriftAlarm>,
    /// What is taken for a change of the tenant and no attack, the latest first.
    pub changes: Vec<TenantChange>,
}

/// Owners score high more often than scores say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DriftAlarm {
    /// When that was found.
    #[serde(with = "time")]
    #[schema(schema_with = schema::instant)]
    pub since: EventTime,
    /// When it was found again, the last time.
    #[serde(with = "time")]
    #[schema(schema_with = schema::instant)]
    pub last: EventTime,
}

/// Something that changed for many accounts at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TenantChange {
    /// What.
    pub kind: TenantChangeKind,
    /// To what: a prefix, a network, a client, `location data`. Never an account or a single address.
    pub value: String,
    /// Accounts that went with it, or their lines.
    pub movers: u32,
    /// When the first of them did.
    #[serde(with = "time")]
    #[schema(schema_with = schema::instant)]
    pub since: EventTime,
    /// When the last of them did.
    #[serde(with = "time")]
    #[schema(schema_with = schema::instant)]
    pub last: EventTime,
}

/// What can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TenantChangeKind {
    /// Accounts came to one prefix: an office.
    Prefix,
    /// Accounts came to one network: a VPN, a carrier.
    Provider,
    /// Lines that accounts know lie in another country: a location database was updated.
    Locations,
    /// Clients of accounts were updated to one version: a browser was released.
    Client,
}

impl TenantChange {
    /// In words. They hold what a network is called: to be made harmless where they are shown.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { value, movers, .. } = self;
        match self.kind {
            TenantChangeKind::Prefix | TenantChangeKind::Provider => {
                format!("{movers} accounts came to {value} with clients of their own")
            }
            TenantChangeKind::Client => format!("{movers} accounts were updated to {value}"),
            TenantChangeKind::Locations => {
                format!("{movers} lines that accounts know lie in another country")
            }
        }
    }
}
