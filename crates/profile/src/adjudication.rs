//! What a person's verdict on an event changes in the account's profile.

use crate::account::Profile;
use crate::keys::Keys;
use crate::known::{Known, Retention};
use crate::retentions::{ASNS, CLIENTS, COUNTRIES, FAMILIES, HOSTS, PREFIXES};
use habitus_model::Minutes;

/// What a person said of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adjudication {
    /// It was the owner: what was new in it is known from now on.
    Owner,
    /// It was not: what waits in quarantine because of it is forgotten.
    Attacker,
    /// That it was the owner is taken back: what is known by the event waits in quarantine again.
    Retracted,
}

impl Profile {
    /// Applies a verdict on an event with these values. Cost: a few short scans.
    pub fn adjudicate(&mut self, keys: &Keys, now: Minutes, said: Adjudication) {
        let sets: [(&mut Known, Option<u64>, &Retention); 6] = [
            (&mut self.countries, keys.country, &COUNTRIES),
            (&mut self.asns, keys.asn, &ASNS),
            (&mut self.prefixes, keys.prefix, &PREFIXES),
            (&mut self.hosts, keys.host, &HOSTS),
            (&mut self.families, keys.family, &FAMILIES),
            (&mut self.clients, keys.client, &CLIENTS),
        ];
        for (set, key, retention) in sets {
            match (key, said) {
                (Some(key), Adjudication::Owner) => set.admit(key, now, retention),
                (Some(key), Adjudication::Attacker) => set.refuse(key),
                (Some(key), Adjudication::Retracted) => set.doubt(key, now),
                (None, _) => {}
            }
        }
    }
}
