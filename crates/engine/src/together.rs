//! The stage after the accounts: what an event shows together with other accounts', in the order of the log.
//!
//! Only the account's profile tells whether a network is new, so that campaigns are counted behind the account stage; and in
//! the order of the log, so that each victim sees the ones before it, however many shards there are. What it adds changes
//! the verdict, and what calibration learns of it, at once; the profile, which the shard has already taught, is told at the
//! end of the epoch to doubt what it took for the owner's.

use crate::changes::News;
use crate::clerk::{Clerk, Judged};
use crate::engine::{Engine, Learning, Record};
use crate::hindsight::Entrance;
use crate::stage::{Routed, Shared};
use crate::tenant::Delta;
use crate::total::Kept;
use habitus_detect::{Words, together};
use habitus_model::{AccountKind, Evidence, RiskScore, Stratum};
use habitus_profile::Keys;
use habitus_profile::campaigns::{Change, Novelty, Showing, Together};
use habitus_profile::recall::{LevelSeen, Sighting};
use habitus_score::weigh;
use std::sync::Arc;

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
    pub(crate) new: Keys,
    /// How somebody came in by it; absent: nobody did.
    pub(crate) entrance: Option<Entrance>,
}

impl Late {
    /// Whether the evidence of what is shown is kept, because others may add to it.
    pub const fn keeps(showing: &Showing) -> bool {
        match showing.novelty {
            Novelty::Pair | Novelty::NearbyPair | Novelty::Arrival | Novelty::Guess => true,
            Novelty::First => false,
        }
    }

    /// Of an event that shows something together with others. Copies the evidence of such events, and of no others.
    pub fn new(
        (number, showing): (usize, Showing),
        (stratum, entrance): (Stratum, Option<Entrance>),
        (seen, evidence): (&Sighting, &[Evidence]),
    ) -> Self {
        let keeps = Self::keeps(&showing);
        Self {
            showing,
            number,
            stratum,
            evidence: if keeps { evidence.to_vec() } else { Vec::new() },
            new: new_values(seen),
            entrance,
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

impl Engine {
    /// The stage after the accounts counts a visit of a record whose turn has come: the clock of what is slow.
    pub(crate) fn tick(&mut self, routed: &Routed<'_>, delta: Option<&Delta>) {
        if is_visit(delta) {
            self.campaigns.tick(routed.tenant_key, routed.record.context.time);
        }
    }

    /// The stage after the accounts, for one record whose turn has come: counts it, and revises what the account stage
    /// concluded.
    pub(crate) fn conclude_together<C: Clerk>(
        &mut self,
        record: &Record,
        (judged, late): (&mut Judged, &Late),
        delta: &mut Option<Delta>,
        clerk: &C,
    ) {
        let learns = record.learning == Learning::Learn;
        let together = if learns {
            self.campaigns.observe(&late.showing)
        } else {
            self.campaigns.look(&late.showing)
        };
        if learns && let Some(change) = &together.change {
            self.name_change(record, late.number, change);
        }
        let before = (judged.score, judged.log_odds);
        revise(record, judged, (late, &together), (self.shared(), clerk));
        if let Some(delta) = delta.as_mut() {
            (delta.total.nats, delta.total.score) = (judged.log_odds, judged.score);
            delta.total.shadow = judged.shadow;
            delta.total.kept = Kept(Some(judged.surprise));
        }
        if learns && before.1 != judged.log_odds {
            self.look_back(record, late, (before, judged));
        }
    }

    fn name_change(&mut self, record: &Record, number: usize, change: &Change) {
        let tenant = self.tenants.get_mut(number).map(Arc::make_mut);
        let named = tenant.and_then(|tenant| tenant.changes.note(change, &record.context).cloned());
        if let Some(named) = named {
            self.tell(&record.context.tenant, News::Changed(named));
        }
    }
}

/// Whether something begins a visit that is learned.
pub(crate) fn is_visit(delta: Option<&Delta>) -> bool {
    delta.is_some_and(|delta| delta.observation.is_some())
}

/// Fuses what others show with what the account showed. Explains what is read.
pub(crate) fn revise<C: Clerk>(
    record: &Record,
    judged: &mut Judged,
    (late, together): (&Late, &Together),
    (shared, clerk): (Shared<'_>, &C),
) {
    if together.is_alone() {
        return;
    }
    let mut more = together::evidence(&record.context, late.showing.novelty, together);
    if let Some(change) = together.change.filter(|_| judged.kind != AccountKind::Privileged) {
        more.extend(together::change(&record.context, &change, &late.evidence));
    }
    let (Some(tenant), false) = (shared.tenants.get(late.number), more.is_empty()) else {
        return;
    };
    let evidence: Vec<Evidence> = late.evidence.iter().cloned().chain(more).collect();
    let weighed = weigh(&evidence, tenant.models.weights(shared.weights));
    let said = tenant.say(judged.kind, late.stratum, weighed.log_odds);
    let score = RiskScore::from_tail(said.tail);
    let is_read = clerk.reads_all() == Words::Wanted || clerk.reads(record, score);
    let beside = tenant.models.beside(&evidence, (is_read, late.stratum));
    judged.grounds = beside.grounds;
    judged.shadow = beside.shadow;
    judged.log_odds = weighed.log_odds;
    judged.surprise = said.surprise;
    judged.score = score;
    judged.level = score.level();
    judged.profile = weighed.profile;
    judged.decision = shared.config.thresholds.decide(score, record.context.status);
    judged.contributions = is_read.then(|| weighed.lines(evidence));
}
