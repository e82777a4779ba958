//! The whole state as bytes: the same bytes for the same state, whatever the number of shards.

use crate::accounts::Held;
use crate::engine::{Config, Engine};
use crate::tenant::Tenant;
use habitus_model::TenantId;
use habitus_model::hash::content_digest;
use habitus_profile::attempts::{Attempts, AttemptsState};
use habitus_profile::campaigns::{Campaigns, CampaignsState};
use habitus_profile::notices::{Notices, NoticesState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the layout.
const VERSION: u32 = 3;

/// Why a snapshot could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The bytes are not a snapshot, or a damaged one.
    #[error("the snapshot is damaged or not a snapshot: {0}")]
    Damaged(#[from] postcard::Error),
    /// The layout is of another version.
    #[error(
        "the snapshot has layout {found}, this habitus reads {VERSION}: restore it with the version that wrote it"
    )]
    Version {
        /// The version found.
        found: u32,
    },
}

#[derive(Serialize, Deserialize)]
struct Layout {
    version: u32,
    position: u64,
    /// By name: the number of a tenant tells who came first, which is nobody's business.
    tenants: Vec<(TenantId, Tenant)>,
    attempts: AttemptsState,
    campaigns: CampaignsState,
    notices: NoticesState,
    accounts: Vec<Held>,
}

impl Engine {
    /// The state as bytes, tenants by name, accounts in the order of their tenant and id. Cost: linear in the state, which is copied.
    ///
    /// # Errors
    /// [`SnapshotError::Damaged`] if the encoder refuses, which no state of this engine makes it do.
    pub fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        let numbers: BTreeMap<usize, u32> = self.tenant_numbers.values().copied().zip(0..).collect();
        let renumbered = |held: &Held| {
            let mut held = held.clone();
            let number = usize::try_from(held.slot.tenant).unwrap_or(usize::MAX);
            held.slot.tenant = numbers.get(&number).copied().unwrap_or(u32::MAX);
            held
        };
        let shards = self.shards.iter().flat_map(|shard| shard.accounts.all());
        let mut accounts: Vec<Held> = shards.map(renumbered).collect();
        accounts.sort_unstable_by(|a, b| a.slot.cmp(&b.slot));
        let named = self.tenant_numbers.iter();
        let tenants = named
            .filter_map(|(id, number)| Some((id.clone(), self.tenants.get(*number)?.clone())))
            .collect();
        let attempts = self.attempts.state();
        let notices = self.notices.state();
        let layout = Layout {
            version: VERSION,
            position: self.position,
            tenants,
            attempts,
            campaigns: self.campaigns.state(),
            notices,
            accounts,
        };
        Ok(postcard::to_stdvec(&layout)?)
    }

    /// An engine in the state that [`Engine::snapshot`] wrote; any number of shards may be configured.
    ///
    /// # Errors
    /// See [`SnapshotError`].
    pub fn restore(config: Config, bytes: &[u8]) -> Result<Self, SnapshotError> {
        // The version stands first, so that another layout is told from damage.
        let (found, _) = postcard::take_from_bytes::<u32>(bytes)?;
        if found != VERSION {
            return Err(SnapshotError::Version { found });
        }
        let layout: Layout = postcard::from_bytes(bytes)?;
        let mut engine = Engine::new(config);
        engine.position = layout.position;
        engine.attempts = Attempts::from_state(layout.attempts);
        engine.campaigns = Campaigns::from_state(layout.campaigns);
        engine.notices = Notices::from_state(layout.notices);
        for (number, (id, tenant)) in layout.tenants.into_iter().enumerate() {
            engine.tenant_numbers.insert(id, number);
            engine.tenants.push(tenant);
        }
        for held in layout.accounts {
            let shard = engine.shard_of(held.fingerprint);
            if let Some(shard) = engine.shards.get_mut(shard) {
                shard.accounts.insert(held);
            }
        }
        engine.may_grow = engine.accounts() < engine.config.accounts_max;
        Ok(engine)
    }

    /// A digest of the state, as 32 hexadecimal digits. Cost: as [`Engine::snapshot`].
    ///
    /// # Errors
    /// As [`Engine::snapshot`].
    pub fn digest(&self) -> Result<String, SnapshotError> {
        Ok(content_digest(&self.snapshot()?))
    }
}
