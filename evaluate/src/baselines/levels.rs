//! The two features of Freeman et al. with their levels, and counts of them.

use crate::scorer::Login;
use habitus_model::hash::HashKey;
use habitus_model::{AccountId, Status, math};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;

/// The values of one feature, finest level first. Absent is a value of its own.
pub(super) type Values<const L: usize> = [u64; L];

/// Address, autonomous system, country.
pub(super) fn network(login: Login<'_>) -> Values<3> {
    let network = &login.context.network;
    let country = login.context.place.country;
    [
        key(&network.ip),
        key(&network.asn.map(|asn| asn.get())),
        key(&country),
    ]
}

/// User agent, browser with version, operating system with version, type of device.
pub(super) fn client(login: Login<'_>) -> Values<4> {
    let client = &login.context.client;
    let agent = &login.event.client.user_agent;
    [
        key(&agent.as_deref()),
        key(&(client.browser.as_deref(), client.browser_version)),
        key(&(client.os.as_deref(), client.os_version)),
        key(&client.device.id()),
    ]
}

/// The account of a login that may teach: named and successful.
pub(super) fn learnable<'a>(login: Login<'a>) -> Option<&'a AccountId> {
    let account = login.context.account.as_ref();
    account.filter(|_| login.context.status == Status::Success)
}

/// A value as a number. Collisions of 64 bits do not happen at these sizes.
pub(super) fn key<T: Hash + ?Sized>(value: &T) -> u64 {
    HashKey::REPLAY.fingerprint(value)
}

/// How often each value of each level was seen.
#[derive(Debug, Clone)]
pub(super) struct Counts<const L: usize> {
    pub total: f64,
    counts: BTreeMap<(usize, u64), f64>,
    distinct: [f64; L],
}

impl<const L: usize> Default for Counts<L> {
    fn default() -> Self {
        Self {
            total: 0.0,
            counts: BTreeMap::new(),
            distinct: [0.0; L],
        }
    }
}

impl<const L: usize> Counts<L> {
    pub(super) fn add(&mut self, values: &Values<L>) {
        self.total += 1.0;
        for ((level, value), distinct) in values.iter().enumerate().zip(&mut self.distinct) {
            let count = self.counts.entry((level, *value)).or_insert(0.0);
            if *count == 0.0 {
                *distinct += 1.0;
            }
            *count += 1.0;
        }
    }

    /// How often a value was seen at a level.
    pub(super) fn count(&self, level: usize, value: u64) -> f64 {
        self.counts.get(&(level, value)).copied().unwrap_or(0.0)
    }

    /// The mass of unseen values at a level: `M = 1 + Σ distinct values of the coarser levels`.
    pub(super) fn unseen(&self, level: usize) -> f64 {
        1.0 + self.distinct.iter().skip(level + 1).sum::<f64>()
    }
}

/// Which values of other levels occur together with a value: the distinct values of a sub-history.
#[derive(Debug, Clone, Default)]
pub(super) struct Company {
    pairs: BTreeSet<(usize, u64, usize, u64)>,
    sizes: BTreeMap<(usize, u64), usize>,
}

impl Company {
    pub(super) fn add(&mut self, values: &[u64]) {
        for (level, value) in values.iter().enumerate() {
            // The finest level does not count towards `M`.
            for (other, with) in values.iter().enumerate().skip(1) {
                if self.pairs.insert((level, *value, other, *with)) {
                    *self.sizes.entry((level, *value)).or_default() += 1;
                }
            }
        }
    }

    /// The mass of unseen values of the finest level in the sub-history of a value.
    pub(super) fn unseen(&self, level: usize, value: u64) -> f64 {
        let size = self.sizes.get(&(level, value)).copied().unwrap_or(0);
        1.0 + math::from_usize(size)
    }
}
