//! The stage after the accounts: what an event shows together with other accounts', in the order of the log.
//!
//! Only the account's profile tells whether a network is new, so that campaigns are counted behind the account stage; and in
//! the order of the log, so that each victim sees the ones before it, however many shards there are. What it adds changes
//! the verdict, and what calibration learns of it, at once; the profile, which the shard has already taught, is told at the
//! end of the epoch to doubt what it took for the owner's.

use crate::clerk::{Clerk, Scribe};
use crate::engine::{Engine, Learning, Record};
use crate::stage::{Concluded, Routed, Shared};
use crate::tenant::{Delta, Stratum, Tenant};
use habitus_detect::{Words, together};
use habitus_model::hash::HashKey;
use habitus_model::{AccountId, Assessment, Context, Evidence, Minutes, RiskScore};
use habitus_profile::campaigns::{Campaigns, Novelty, Showing, Together, showing, tenant_key};
use habitus_profile::recall::{LevelSeen, Sighting};
use habitus_profile::{Adjudication, Keys};
use habitus_score::weigh;
use serde::{Deserialize, Serialize};

/// What of an event's assessment is kept for the stage after the accounts.
#[derive(Debug, Clone, PartialEq)]
pub struct Late {
    /// What it shows.
    pub showing: Showing,
    /// Index of its tenant.
    pub number: usize,
    stratum: Stratum,
    /// The evidence that the account stage fused; empty for an account's first success, which is counted only.
    evidence: Vec<Evidence>,
    /// Values that were new to the account.
    new: Keys,
}

/// A profile that took for the owner's what campaigns say is not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Doubt {
    fingerprint: u64,
    account: AccountId,
    country: Option<u64>,
    asn: Option<u64>,
    prefix: Option<u64>,
    host: Option<u64>,
    family: Option<u64>,
    client: Option<u64>,
    now: Minutes,
}

impl Late {
    /// Of an event that shows something together with others; `None` of most.
    pub fn of(
        context: &Context,
        seen: &Sighting,
        (number, stratum, key): (usize, Stratum, HashKey),
    ) -> Option<Box<Self>> {
        Some(Box::new(Self {
            showing: showing(context, seen, key)?,
            number,
            stratum,
            evidence: Vec::new(),
            new: new_values(seen),
        }))
    }

    /// Keeps what the account shows, to be weighed once more. An account's first success is counted only.
    pub fn keep(&mut self, evidence: &[Evidence]) {
        match self.showing.novelty {
            Novelty::Pair | Novelty::NearbyPair | Novelty::Arrival | Novelty::Guess => {
                self.evidence = evidence.to_vec();
            }
            Novelty::First => {}
        }
    }
}

/// The values of an event that its account did not know. Below a new level everything is new.
fn new_values(seen: &Sighting) -> Keys {
    let mut below = false;
    let mut new = |level: Option<LevelSeen>, key: Option<u64>| {
        below |= level.is_some_and(|level| level.is_new());
        key.filter(|_| below)
    };
    let keys = &seen.keys;
    let (country, asn) = (new(seen.country, keys.country), new(seen.asn, keys.asn));
    let (prefix, host) = (new(seen.prefix, keys.prefix), new(seen.host, keys.host));
    Keys {
        country,
        asn,
        prefix,
        host,
        family: keys
            .family
            .filter(|_| seen.device.is_some_and(|device| device.seen.is_new())),
        client: keys
            .client
            .filter(|_| seen.client.is_some_and(|client| client.is_new())),
        ..Keys::default()
    }
}

/// Whether what was learned begins a visit: the clock of what is slow.
pub(crate) fn is_visit(delta: Option<&Delta>) -> bool {
    delta.is_some_and(|delta| delta.observation.is_some())
}

/// Counts a visit of the record's tenant, if it is one.
pub(crate) fn tick(
    routed: &Routed<'_>,
    delta: Option<&Delta>,
    (shared, campaigns): (Shared<'_>, &mut Campaigns),
) {
    if is_visit(delta) {
        let context = &routed.record.context;
        campaigns.tick(tenant_key(context, shared.config.hash_key), context.time);
    }
}

/// The stage after the accounts, for one record whose turn has come: counts it, and revises what the account stage
/// concluded. Gives what its account is to doubt.
pub(crate) fn conclude<C: Clerk>(
    routed: &Routed<'_>,
    concluded: &mut Concluded,
    shared: Shared<'_>,
    (campaigns, clerk): (&mut Campaigns, &C),
) -> Option<Doubt> {
    tick(routed, concluded.delta.as_ref(), (shared, campaigns));
    let late = concluded.late.take()?;
    let record = routed.record;
    let learns = record.learning == Learning::Learn;
    let together = if learns {
        campaigns.observe(&late.showing)
    } else {
        campaigns.look(&late.showing)
    };
    let before = concluded.judged.score;
    revise(record, concluded, (&late, &together), (shared, clerk));
    let gate = shared.config.quarantine_from;
    let crossed = before.get() < gate && concluded.judged.score.get() >= gate;
    if !(crossed && learns && record.context.may_teach()) {
        return None;
    }
    Doubt::of(record, routed.fingerprint, &late.new)
}

/// What the stage after the accounts makes of a conclusion, with nothing counted.
pub(crate) fn revised(
    record: &Record,
    mut concluded: Concluded,
    shared: Shared<'_>,
    campaigns: &Campaigns,
) -> Assessment {
    if let Some(late) = concluded.late.take() {
        let together = campaigns.look(&late.showing);
        revise(record, &mut concluded, (&late, &together), (shared, &Scribe));
    }
    concluded.judged.assessment(record)
}

/// Fuses what others show with what the account showed.
fn revise<C: Clerk>(
    record: &Record,
    concluded: &mut Concluded,
    (late, together): (&Late, &Together),
    (shared, clerk): (Shared<'_>, &C),
) {
    if together.is_alone() {
        return;
    }
    let more = together::evidence(&record.context, late.showing.novelty, together);
    let (Some(tenant), false) = (shared.tenants.get(late.number), more.is_empty()) else {
        return;
    };
    let evidence: Vec<Evidence> = late.evidence.iter().cloned().chain(more).collect();
    let weighed = weigh(&evidence, shared.weights);
    let judged = &mut concluded.judged;
    let score = RiskScore::from_tail(tenant.tail(judged.kind, late.stratum, weighed.log_odds));
    judged.log_odds = weighed.log_odds;
    judged.score = score;
    judged.level = score.level();
    judged.profile = weighed.profile;
    judged.decision = shared.config.thresholds.decide(score, record.context.status);
    let is_read = clerk.reads_all() == Words::Wanted || clerk.reads(record, score);
    judged.contributions = is_read.then(|| weighed.lines(evidence));
    if let Some(delta) = &mut concluded.delta {
        delta.total.2 = judged.log_odds;
    }
}

impl Engine {
    /// Tells the profiles of a tenant what to doubt, in the order of the log. At the end of its epoch.
    pub(crate) fn settle_doubts(&mut self, number: usize) {
        let doubts = self.tenants.get_mut(number).map(Tenant::take_doubts);
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        for doubt in doubts.unwrap_or_default() {
            let shard = self.shard_of(doubt.fingerprint);
            let accounts = self.shards.get_mut(shard).map(|shard| &mut shard.accounts);
            let profile =
                accounts.and_then(|accounts| accounts.get_mut(doubt.fingerprint, number, &doubt.account));
            if let Some(profile) = profile {
                profile.adjudicate(&doubt.keys(), doubt.now, Adjudication::Retracted);
            }
        }
    }
}

impl Doubt {
    fn of(record: &Record, fingerprint: u64, new: &Keys) -> Option<Self> {
        Some(Self {
            fingerprint,
            account: record.context.account.clone()?,
            country: new.country,
            asn: new.asn,
            prefix: new.prefix,
            host: new.host,
            family: new.family,
            client: new.client,
            now: record.context.time.minutes(),
        })
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
