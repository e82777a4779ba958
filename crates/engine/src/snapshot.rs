//! The whole state as bytes: the same bytes for the same state, whatever the number of shards.
//!
//! In two steps, so that an engine need not stand still for long: [`Engine::picture`] takes pointers to everything, and any
//! thread makes bytes of the picture while the engine goes on.

use crate::accounts::{Held, Label, Newcomer, Piece};
use crate::engine::{Config, Engine};
use crate::tenant::Tenant;
use habitus_model::TenantId;
use habitus_model::hash::content_digest;
use habitus_model::packed::{PackError, Packer, Unpacker};
use habitus_profile::Profile;
use habitus_profile::attempts::{Attempts, AttemptsState};
use habitus_profile::campaigns::{Campaigns, CampaignsState};
use habitus_profile::notices::{Notices, NoticesState};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// Version of the layout.
const VERSION: u32 = 7;

/// Why a snapshot could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The bytes are not a snapshot, or a damaged one.
    #[error("the snapshot is damaged or not a snapshot: {0}")]
    Damaged(#[from] postcard::Error),
    /// The bytes hold something that is no profile.
    #[error("the snapshot is damaged or not a snapshot: {0}")]
    Profile(#[from] PackError),
    /// The layout is of another version.
    #[error(
        "the snapshot has layout {found}, this habitus reads {VERSION}: restore it with the version that wrote it"
    )]
    Version {
        /// The version found.
        found: u32,
    },
}

/// What is read behind the version; [`Writing`] has the same fields in the same order.
#[derive(Deserialize)]
struct Layout<'b> {
    position: u64,
    /// By name: the number of a tenant tells who came first, which is nobody's business.
    tenants: Vec<(TenantId, Tenant)>,
    attempts: AttemptsState,
    campaigns: CampaignsState,
    notices: NoticesState,
    #[serde(borrow)]
    accounts: Vec<HeldBytes<'b>>,
}

/// What is written, from where it stands: copying a million profiles takes longer than writing them.
#[derive(Serialize)]
struct Writing<'p> {
    version: u32,
    position: u64,
    tenants: Vec<(&'p TenantId, &'p Tenant)>,
    attempts: AttemptsState,
    campaigns: CampaignsState,
    notices: NoticesState,
    accounts: Vec<HeldBytes<'p>>,
}

/// An account, with the tenant's number in the snapshot and its profile packed, as it is whether it is at hand or not.
#[derive(Serialize, Deserialize)]
struct HeldBytes<'p> {
    tenant: u32,
    #[serde(borrow)]
    account: Cow<'p, str>,
    fingerprint: u64,
    since: u64,
    #[serde(borrow, with = "serde_bytes")]
    profile: Cow<'p, [u8]>,
}

impl<'p> HeldBytes<'p> {
    /// `numbers`: those in the snapshot, by those of the engine.
    fn of(held: Held<'p>, numbers: &[u32], packer: &mut Packer) -> Result<Self, SnapshotError> {
        let profile = held.packed_profile(packer)?;
        let label = held.label().unwrap_or_default();
        let number = usize::try_from(label.tenant).ok();
        let number = number.and_then(|number| numbers.get(number).copied());
        Ok(Self {
            tenant: number.unwrap_or(u32::MAX),
            account: label.account,
            fingerprint: held.fingerprint,
            since: label.since,
            profile,
        })
    }

    /// The account, once its profile has been seen to be one.
    fn newcomer(&self, unpacker: &mut Unpacker) -> Result<Newcomer, SnapshotError> {
        unpacker.unpack::<Profile>(&self.profile)?;
        let label = Label {
            tenant: self.tenant,
            account: Cow::Borrowed(&self.account),
            since: self.since,
        };
        Ok(Newcomer::packed(self.fingerprint, &label, &self.profile))
    }
}

/// The state of an engine as it was, shared with the engine as far as that has not changed since.
#[derive(Debug)]
pub struct Picture {
    position: u64,
    /// By name, with the numbers that accounts know them by.
    tenants: Vec<(TenantId, usize, Arc<Tenant>)>,
    attempts: Attempts,
    campaigns: Campaigns,
    notices: Notices,
    pieces: Vec<Arc<Piece>>,
}

impl Picture {
    /// The state as bytes, tenants by name, accounts in the order of their tenant and id. Cost: linear in the state.
    ///
    /// # Errors
    /// [`SnapshotError`] if the encoder refuses, which no state of an engine makes it do.
    pub fn bytes(&self) -> Result<Vec<u8>, SnapshotError> {
        let layout = Writing {
            version: VERSION,
            position: self.position,
            tenants: self
                .tenants
                .iter()
                .map(|(id, _, tenant)| (id, tenant.as_ref()))
                .collect(),
            attempts: self.attempts.state(),
            campaigns: self.campaigns.state(),
            notices: self.notices.state(),
            accounts: self.accounts()?,
        };
        Ok(postcard::to_stdvec(&layout)?)
    }

    /// Pieces of accounts that the engine has not changed since. Cost: linear in the pieces.
    #[must_use]
    pub fn shared_pieces(&self) -> usize {
        let shared = self.pieces.iter().filter(|piece| Arc::strong_count(piece) > 1);
        shared.count()
    }

    fn accounts(&self) -> Result<Vec<HeldBytes<'_>>, SnapshotError> {
        let mut numbers = vec![u32::MAX; self.tenants.len()];
        for (rank, (_, number, _)) in (0..).zip(&self.tenants) {
            if let Some(place) = numbers.get_mut(*number) {
                *place = rank;
            }
        }
        let held = self.pieces.iter().flat_map(|piece| piece.all());
        let mut packer = Packer::default();
        let accounts = held.map(|held| HeldBytes::of(held, &numbers, &mut packer));
        let mut accounts = accounts.collect::<Result<Vec<_>, _>>()?;
        accounts.sort_unstable_by(|a, b| (a.tenant, &a.account).cmp(&(b.tenant, &b.account)));
        Ok(accounts)
    }
}

impl Engine {
    /// The state as it is now, to be made bytes of while the engine goes on. Cost: a pointer for every 64 accounts and for every
    /// tenant, and copies of some small tables; the first change of a piece after it costs a copy of the piece.
    #[must_use]
    pub fn picture(&self) -> Picture {
        let named = self.tenant_numbers.iter();
        let tenants = named.filter_map(|(id, number)| {
            let tenant = self.tenants.get(*number)?;
            Some((id.clone(), *number, Arc::clone(tenant)))
        });
        Picture {
            position: self.position,
            tenants: tenants.collect(),
            attempts: self.attempts.clone(),
            campaigns: self.campaigns.clone(),
            notices: self.notices.clone(),
            pieces: self
                .shards
                .iter()
                .flat_map(|shard| shard.accounts.picture())
                .collect(),
        }
    }

    /// The state as bytes, as [`Picture::bytes`] makes them.
    ///
    /// # Errors
    /// As [`Picture::bytes`].
    pub fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        self.picture().bytes()
    }

    /// An engine in the state that [`Engine::snapshot`] wrote; any number of shards may be configured.
    ///
    /// # Errors
    /// See [`SnapshotError`].
    pub fn restore(config: Config, bytes: &[u8]) -> Result<Self, SnapshotError> {
        // The version stands first, so that another layout is told from damage.
        let (found, rest) = postcard::take_from_bytes::<u32>(bytes)?;
        if found != VERSION {
            return Err(SnapshotError::Version { found });
        }
        let layout: Layout<'_> = postcard::from_bytes(rest)?;
        let mut engine = Engine::new(config);
        engine.position = layout.position;
        engine.attempts = Attempts::from_state(layout.attempts);
        engine.campaigns = Campaigns::from_state(layout.campaigns);
        engine.notices = Notices::from_state(layout.notices);
        for (number, (id, tenant)) in layout.tenants.into_iter().enumerate() {
            engine.tenant_numbers.insert(id, number);
            engine.tenants.push(Arc::new(tenant));
            engine.prepare(number);
        }
        let mut unpacker = Unpacker::default();
        for account in &layout.accounts {
            let shard = engine.shard_of(account.fingerprint);
            if let Some(shard) = engine.shards.get_mut(shard) {
                shard.accounts.insert(account.newcomer(&mut unpacker)?);
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
