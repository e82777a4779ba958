//! What profiles are told as an epoch ends, because the stage after the accounts judged otherwise than they had been taught.

use crate::clerk::Judged;
use crate::engine::{Engine, Record};
use crate::together::Late;
use habitus_model::{AccountId, Context, FailureReason, Minutes, Nats, RiskScore, Stratum};
use habitus_profile::features::doubt::Revision;
use habitus_profile::recall::Sighting;
use habitus_profile::{Adjudication, Keys, Profile};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the profile of one account is told of one event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hindsight {
    fingerprint: u64,
    account: AccountId,
    now: Minutes,
    /// What it took for the owner's, and campaigns say is not.
    taken_in: Option<Box<New>>,
    /// How it noted an entrance, and how that ended.
    entrance: Option<Revision>,
}

/// Values that were new to an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct New {
    country: Option<u64>,
    asn: Option<u64>,
    prefix: Option<u64>,
    host: Option<u64>,
    family: Option<u64>,
    client: Option<u64>,
}

/// An event by which somebody came in, and which the profile notes as such.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entrance {
    /// Where it came from; absent: the source did not say.
    pub prefix: Option<u64>,
}

impl Entrance {
    /// Of an event that shows how somebody came in; sources that name no address for deeds show it by logins alone. Who knows the
    /// password and is held up stands at the door; who guesses wrong stands nowhere.
    pub fn of(context: &Context, seen: &Sighting, stratum: Stratum) -> Option<Self> {
        let is_told = context.activity.is_authentication() || seen.keys.prefix.is_some();
        let is_inside = context.may_teach() || context.failure == Some(FailureReason::PolicyDenied);
        (is_told && is_inside && stratum != Stratum::Within).then_some(Self {
            prefix: seen.keys.prefix,
        })
    }
}

impl New {
    fn of(keys: &Keys) -> Self {
        Self {
            country: keys.country,
            asn: keys.asn,
            prefix: keys.prefix,
            host: keys.host,
            family: keys.family,
            client: keys.client,
        }
    }

    fn keys(&self) -> Keys {
        Keys {
            country: self.country,
            asn: self.asn,
            prefix: self.prefix,
            host: self.host,
            family: self.family,
            client: self.client,
            ..Keys::default()
        }
    }
}

impl Hindsight {
    fn tell(&self, profile: &mut Profile) {
        if let Some(new) = &self.taken_in {
            profile.adjudicate(&new.keys(), self.now, Adjudication::Retracted);
        }
        if let Some(revision) = &self.entrance {
            profile.revise_entrance(revision);
        }
    }
}

impl Engine {
    /// Notes what the profile of an event is to be told, if the revised verdict asks for it.
    pub(crate) fn look_back(
        &mut self,
        record: &Record,
        late: &Late,
        ((score, nats), judged): ((RiskScore, Nats), &Judged),
    ) {
        let now = record.context.time.minutes();
        let gate = self.config.quarantine_from;
        let crossed = score.get() < gate && judged.score.get() >= gate;
        let taken_in = (crossed && record.context.may_teach()).then(|| Box::new(New::of(&late.new)));
        let own = judged.own_nats.max(0.0);
        // A proof that cannot be phished leaves no doubt to revise.
        let entrance = late.entrance.filter(|_| !record.context.strong_factor);
        let entrance = entrance.map(|entrance| Revision {
            at: now,
            prefix: entrance.prefix,
            before: nats.0 - own,
            after: judged.log_odds.0 - own,
        });
        let Some(account) = record.context.account.clone() else {
            return;
        };
        if taken_in.is_none() && entrance.is_none() {
            return;
        }
        let hindsight = Hindsight {
            fingerprint: self.fingerprint(&record.context),
            account,
            now,
            taken_in,
            entrance,
        };
        if let Some(tenant) = self.tenants.get_mut(late.number) {
            Arc::make_mut(tenant).tell_later(hindsight);
        }
    }

    /// Tells the profiles of a tenant what is known in hindsight, in the order of the log. At the end of its epoch.
    pub(crate) fn tell_profiles(&mut self, number: usize) {
        let tenant = self.tenants.get_mut(number);
        let told = tenant.map(|tenant| Arc::make_mut(tenant).take_hindsight());
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        for hindsight in told.unwrap_or_default() {
            let fingerprint = hindsight.fingerprint;
            let shard = self.shard_of(fingerprint);
            let accounts = self.shards.get_mut(shard).map(|shard| &mut shard.accounts);
            let profile =
                accounts.and_then(|accounts| accounts.get_mut(fingerprint, number, &hindsight.account));
            if let Some(profile) = profile {
                hindsight.tell(profile);
            }
        }
    }
}
