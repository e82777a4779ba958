//! Judging events ahead of their turn.
//!
//! Where events may arrive out of order, each waits until no earlier one is to be expected, and only then is learned: so the
//! order of arrival changes no state. A verdict cannot wait. It is given at once against the state plus what waits: copies of
//! the few profiles and sources that waiting events touch, thrown away when the engine has caught up with them. Tables that
//! accounts share are read as of the last epoch, as always.

use crate::accounts::{Held, Open, Slot};
use crate::clerk::Scribe;
use crate::engine::{Engine, Record};
use crate::stage::{Concluded, End, Routed, Shard};
use crate::together::is_visit;
use habitus_model::{Assessment, Context};
use habitus_profile::attempts::{Attempts, Bursts, KeyKind};
use habitus_profile::campaigns::{Campaigns, keys_of, tenant_key};
use habitus_profile::notices::{Notice, Notices};
use habitus_profile::{Adjudication, Keys};
use std::collections::BTreeMap;

/// Copies of what events touch that wait for their turn. No part of the state: it is not in snapshots.
#[derive(Debug, Default)]
pub struct Ahead {
    shard: Shard,
    /// How many waiting events touch an account, by fingerprint.
    accounts: BTreeMap<u64, u32>,
    attempts: Attempts,
    /// How many waiting events touch a key of attempts.
    tried: BTreeMap<(KeyKind, u64), u32>,
    campaigns: Campaigns,
    /// How many waiting events touch a key of campaigns.
    shown: BTreeMap<u64, u32>,
    /// How many waiting events a tenant has.
    tenants: BTreeMap<u64, u32>,
    notices: Notices,
    /// How many waiting events are noted of an account.
    noted: BTreeMap<u64, u32>,
}

impl Engine {
    /// Assesses a record against the state and what waits, and learns nothing. O(1).
    #[must_use]
    pub fn assess_ahead(&self, ahead: &Ahead, record: &Record) -> Assessment {
        let attempt = self.attempt(&record.context);
        let mut attempts = Attempts::default();
        for key in attempt.keys.all() {
            attempts.adopt(key, &ahead.attempts);
            attempts.adopt(key, &self.attempts);
        }
        let notice = self.notice_ahead(ahead, &record.context);
        let routed = self.routed_as_is(record, (attempts.look(&attempt), notice));
        let nobody = Shard::default();
        let shard = if ahead.accounts.contains_key(&routed.fingerprint) {
            &ahead.shard
        } else {
            self.shards
                .get(self.shard_of(routed.fingerprint))
                .unwrap_or(&nobody)
        };
        let (judged, late) = shard.judge(&routed, self.shared(), &Scribe);
        let mut campaigns = Campaigns::default();
        if let Some(late) = &late {
            campaigns.adopt(&late.showing, &ahead.campaigns);
            campaigns.adopt(&late.showing, &self.campaigns);
        }
        self.revised(record, (judged, late), &campaigns)
    }

    /// Assesses a record that will wait for its turn, and remembers it among what waits. O(1), and a copy of the account's
    /// profile if nothing of the account waited.
    pub fn look_ahead(&self, ahead: &mut Ahead, record: &Record) -> Assessment {
        let bursts = self.count_ahead(ahead, &record.context);
        let notice = self.notice_ahead(ahead, &record.context);
        self.note_ahead(ahead, &record.context);
        let routed = self.routed_as_is(record, (bursts, notice));
        if !ahead.accounts.contains_key(&routed.fingerprint) {
            self.adopt(ahead, &routed);
        }
        *ahead.accounts.entry(routed.fingerprint).or_default() += 1;
        let concluded = ahead.shard.process(&routed, self.shared(), &mut Scribe);
        self.conclude_ahead(ahead, record, concluded)
    }

    /// Says that a record's turn has come: what only it touched is dropped. O(log n) in what waits.
    pub fn caught_up(&self, ahead: &mut Ahead, record: &Record) {
        let fingerprint = self.fingerprint(&record.context);
        if ends(&mut ahead.accounts, fingerprint) {
            ahead.shard.accounts.remove(fingerprint);
        }
        for key in self.attempt(&record.context).keys.all() {
            if ends(&mut ahead.tried, key) {
                ahead.attempts.forget(key);
            }
        }
        for key in self.shown_keys(record) {
            if ends(&mut ahead.shown, key) {
                ahead.campaigns.forget(key);
            }
        }
        let tenant = tenant_key(&record.context, self.config.hash_key);
        if ends(&mut ahead.tenants, tenant) {
            ahead.campaigns.forget_pace(tenant);
        }
        if let Some((key, _)) = self.noted(&record.context)
            && ends(&mut ahead.noted, key)
        {
            ahead.notices.forget(key);
        }
    }

    /// Applies a person's verdict on an event to its account's profile. Returns whether there is such a profile.
    pub fn adjudicate(&mut self, ahead: &mut Ahead, context: &Context, said: Adjudication) -> bool {
        let Some((account, tenant)) = context
            .account
            .as_ref()
            .zip(self.tenant_numbers.get(&context.tenant))
        else {
            return false;
        };
        let fingerprint = self.fingerprint(context);
        let keys = Keys::of(context, self.config.hash_key);
        let slot = Slot {
            tenant: u32::try_from(*tenant).unwrap_or(u32::MAX),
            account: account.clone(),
        };
        let shard = self.shard_of(fingerprint);
        let here = self.shards.get_mut(shard).map(|shard| &mut shard.accounts);
        let mut found = false;
        for accounts in here.into_iter().chain([&mut ahead.shard.accounts]) {
            if let Some(profile) = accounts.get_mut(fingerprint, slot.tenant, &slot.account) {
                profile.adjudicate(&keys, context.time.minutes(), said);
                found = true;
            }
        }
        found
    }

    /// What a record would be assessed as if a person's verdict on it had been applied. O(1), and a copy of the profile.
    #[must_use]
    pub fn assess_after(&self, ahead: &Ahead, record: &Record, said: Adjudication) -> Assessment {
        let routed = self.routed_as_is(
            record,
            (Bursts::default(), self.notice_ahead(ahead, &record.context)),
        );
        let mut alone = Ahead::default();
        self.adopt(&mut alone, &routed);
        let Context { account, time, .. } = &record.context;
        let number = routed
            .tenant
            .map_or(u32::MAX, |tenant| u32::try_from(tenant).unwrap_or(u32::MAX));
        let profile = account
            .as_ref()
            .and_then(|account| alone.shard.accounts.get_mut(routed.fingerprint, number, account));
        let Some(profile) = profile else {
            return self.assess_ahead(ahead, record);
        };
        profile.adjudicate(
            &Keys::of(&record.context, self.config.hash_key),
            time.minutes(),
            said,
        );
        self.assess_in(&alone.shard, &routed, &self.campaigns)
    }

    fn notice_ahead(&self, ahead: &Ahead, context: &Context) -> Option<Notice> {
        let key = self.fingerprint(context);
        ahead.notices.of(key).or_else(|| self.notices.of(key))
    }

    fn note_ahead(&self, ahead: &mut Ahead, context: &Context) {
        if let Some((key, deed)) = self.noted(context) {
            ahead.notices.adopt(key, &self.notices);
            *ahead.noted.entry(key).or_default() += 1;
            ahead.notices.note(key, deed, context.time.minutes());
        }
    }

    fn count_ahead(&self, ahead: &mut Ahead, context: &Context) -> Bursts {
        let attempt = self.attempt(context);
        for key in attempt.keys.all() {
            ahead.attempts.adopt(key, &self.attempts);
            *ahead.tried.entry(key).or_default() += 1;
        }
        ahead.attempts.observe(&attempt)
    }

    /// The stage after the accounts, on the copies.
    fn conclude_ahead(
        &self,
        ahead: &mut Ahead,
        record: &Record,
        concluded: Concluded<Assessment>,
    ) -> Assessment {
        let tenant = tenant_key(&record.context, self.config.hash_key);
        *ahead.tenants.entry(tenant).or_default() += 1;
        for key in self.shown_keys(record) {
            *ahead.shown.entry(key).or_default() += 1;
        }
        ahead.campaigns.adopt_pace(tenant, &self.campaigns);
        if is_visit(concluded.delta.as_ref()) {
            ahead.campaigns.tick(tenant, record.context.time);
        }
        let (judged, late) = match concluded.end {
            End::Noted(assessment) => return assessment,
            End::Open(open) => *open,
        };
        let showing = late.showing;
        ahead.campaigns.adopt(&showing, &self.campaigns);
        let assessment = self.revised(record, (judged, Some(late)), &ahead.campaigns);
        ahead.campaigns.observe(&showing);
        assessment
    }

    fn shown_keys(&self, record: &Record) -> impl Iterator<Item = u64> + use<> {
        let key = self.config.hash_key;
        let keys = Keys::of(&record.context, key);
        keys_of(&record.context, &keys, key).into_iter().flatten()
    }

    fn adopt(&self, ahead: &mut Ahead, routed: &Routed<'_>) {
        let (Some(tenant), Some(account)) = (routed.tenant, routed.record.context.account.as_ref()) else {
            return;
        };
        let slot = Slot {
            tenant: u32::try_from(tenant).unwrap_or(u32::MAX),
            account: account.clone(),
        };
        let shard = self.shards.get(self.shard_of(routed.fingerprint));
        let profile = shard.and_then(|shard| shard.accounts.get(routed.fingerprint, slot.tenant, account));
        if let Some(profile) = profile {
            let open = Open::new(slot, routed.epoch, profile.into_owned());
            ahead.shard.accounts.insert(Held::open(routed.fingerprint, open));
        }
    }
}

/// Takes one off a count; whether it was the last.
fn ends<K: Ord>(counts: &mut BTreeMap<K, u32>, key: K) -> bool {
    let Some(count) = counts.get_mut(&key) else {
        return false;
    };
    *count -= 1;
    let last = *count == 0;
    if last {
        counts.remove(&key);
    }
    last
}
