//! What attempts are counted by.

use habitus_model::hash::HashKey;
use habitus_model::network::stable_host;
use habitus_model::{Context, Prefix};

/// A sort of key: one attacker may stand out by any, and hide from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// One address; of IPv6 the /64.
    Address,
    /// Addresses side by side: /24 or /48.
    Prefix,
    /// One family of client, with one TLS fingerprint where it is known, in one autonomous system: a tool on rented addresses.
    Fleet,
    /// The account that is tried: counted are failures from *different* addresses.
    Account,
    /// All of the tenant: what is usual there.
    Tenant,
}

impl KeyKind {
    /// Number of sorts.
    pub const COUNT: usize = 5;
    /// Every sort, in the order of arrays by sort.
    pub const ALL: [KeyKind; KeyKind::COUNT] = [
        KeyKind::Address,
        KeyKind::Prefix,
        KeyKind::Fleet,
        KeyKind::Account,
        KeyKind::Tenant,
    ];

    /// Position in arrays by sort.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            KeyKind::Address => 0,
            KeyKind::Prefix => 1,
            KeyKind::Fleet => 2,
            KeyKind::Account => 3,
            KeyKind::Tenant => 4,
        }
    }
}

/// The keys of one event, in the order of [`KeyKind::ALL`]. Absent: the event does not show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AttemptKeys(pub [Option<u64>; KeyKind::COUNT]);

impl AttemptKeys {
    /// The keys of an event. Tenants share none. Cost: five short SipHashes.
    #[must_use]
    pub fn of(context: &Context, key: HashKey) -> Self {
        let tenant = context.tenant.as_str();
        let ip = context.network.ip;
        let client = &context.client;
        let fleet = context.network.asn.filter(|_| !client.is_unknown()).map(|asn| {
            let os = client.os.as_deref().unwrap_or("");
            let browser = client.browser.as_deref().unwrap_or("");
            let tls = client.tls_fingerprint.as_deref().unwrap_or("");
            key.fingerprint(&("fleet", tenant, asn.get(), (client.device.id(), os, browser, tls)))
        });
        let account = context.account.as_ref();
        Self([
            ip.map(|ip| key.fingerprint(&("source", tenant, stable_host(ip)))),
            ip.map(|ip| key.fingerprint(&("sources", tenant, Prefix::of(ip)))),
            fleet,
            account.map(|account| key.fingerprint(&("tried", tenant, account.as_str()))),
            Some(key.fingerprint(&("tenant", tenant))),
        ])
    }

    /// Every key with its sort.
    pub fn all(self) -> impl Iterator<Item = (KeyKind, u64)> {
        let keys = KeyKind::ALL.into_iter().zip(self.0);
        keys.filter_map(|(kind, key)| key.map(|key| (kind, key)))
    }

    /// The key of one sort.
    #[must_use]
    pub fn get(&self, kind: KeyKind) -> Option<u64> {
        self.0.get(kind.index()).copied().flatten()
    }
}
