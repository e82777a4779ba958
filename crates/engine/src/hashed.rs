//! What the stages ahead of the accounts and behind them know a record by.

use habitus_model::hash::HashKey;
use habitus_model::{AccountId, Context};
use habitus_profile::attempts::{AttemptKeys, KeyKind};
use habitus_profile::campaigns::tenant_key;

/// Hashes of a record. Those stages stand in the order of the log, on one thread; hashes any thread can work out beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashed {
    /// Of tenant and account.
    pub(crate) fingerprint: u64,
    /// What attempts are counted by.
    pub(crate) attempt: AttemptKeys,
    /// Of the tenant.
    pub(crate) tenant: u64,
}

impl Hashed {
    /// Of a record's context, with the key of the engine's configuration. Cost: six short SipHashes.
    #[must_use]
    pub fn of(context: &Context, key: HashKey) -> Self {
        let account = context.account.as_ref().map_or("", AccountId::as_str);
        let attempt = AttemptKeys::of(context, key);
        Self {
            fingerprint: key.fingerprint(&(context.tenant.as_str(), account)),
            attempt,
            // Both stages know a tenant by the same hash.
            tenant: attempt
                .get(KeyKind::Tenant)
                .unwrap_or_else(|| tenant_key(context, key)),
        }
    }
}
