//! Findings in batches to a SIEM.

use crate::Outcome;
use async_trait::async_trait;
use serde_json::Value;

/// Sends findings to one kind of target.
#[async_trait]
pub trait Exporter: Send + Sync {
    /// The kind, as the configuration and the file in `exporters/` name it.
    fn kind(&self) -> &'static str;

    /// One attempt at a batch of OCSF Detection Findings (class 2004). Gives exactly one outcome a finding, in their order,
    /// so that the caller repeats those that say retry or unknown and keeps the failed ones aside. A repeat is idempotent
    /// where the target can be (`ecs_bulk`); elsewhere `metadata.uid` tells the copies. A batch that is too large for one request
    /// is split.
    async fn export(&self, findings: &[Value]) -> Vec<Outcome>;
}

/// The same outcome for each of `count` findings.
pub(crate) fn all(outcome: &Outcome, count: usize) -> Vec<Outcome> {
    vec![outcome.clone(); count]
}
