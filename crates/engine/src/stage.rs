//! The account stage: one shard of accounts, and the order in which one event passes through it.

use crate::accounts::{Accounts, Held, Slot};
use crate::engine::{Config, Learning, Record};
use crate::tenant::{Delta, Tenant};
use habitus_detect::{View, detectors};
use habitus_model::{AccountKind, Assessment, Blind, Context, Evidence, Family, Opinion, RiskScore};
use habitus_profile::attempts::Burst;
use habitus_profile::known::Arrival;
use habitus_profile::recall::Sighting;
use habitus_profile::{Profile, Recall};
use habitus_score::{confidence, fuse};

/// One shard of accounts.
#[derive(Debug, Default)]
pub struct Shard {
    /// Its accounts.
    pub accounts: Accounts,
    /// What it concluded in the epoch that runs.
    pub outbox: Vec<Concluded>,
}

/// What a shard concluded of one record of an epoch.
#[derive(Debug)]
pub struct Concluded {
    /// Place of the record in the epoch.
    pub at: usize,
    /// The conclusion.
    pub assessment: Assessment,
    /// What its tenant learns at the end of the epoch.
    pub delta: Option<(usize, Delta)>,
}

/// A record with its routing, made before the stage so that tenants are numbered in the order of the log.
#[derive(Debug, Clone, Copy)]
pub struct Routed<'a> {
    /// The record.
    pub record: &'a Record,
    /// Index of its tenant; absent beyond the limit of tenants.
    pub tenant: Option<usize>,
    /// Fingerprint of tenant and account.
    pub fingerprint: u64,
    /// What the network stage says of its source.
    pub burst: Option<Burst>,
    /// Whether there is room for an account never seen.
    pub may_grow: bool,
}

impl Shard {
    /// Assesses a record and learns it. Gives the conclusion and what the tenant learns at the end of the epoch.
    pub fn process(
        &mut self,
        routed: &Routed<'_>,
        tenants: &[Tenant],
        config: &Config,
    ) -> (Assessment, Option<(usize, Delta)>) {
        let (assessment, seen) = self.assess(routed, tenants, config);
        let context = &routed.record.context;
        let (Some(tenant), true) = (
            routed.tenant,
            routed.record.learning == Learning::Learn && context.may_teach(),
        ) else {
            return (assessment, None);
        };
        let arrival = arrival(context, assessment.score, config);
        let observation = self.learn(routed, tenant, (&seen, arrival));
        let counts = seen.is_visit || context.activity.is_authentication();
        let delta = counts.then_some(Delta {
            observation,
            total: (assessment.kind, assessment.log_odds),
            now: seen.now,
        });
        (assessment, delta.map(|delta| (tenant, delta)))
    }

    /// Assesses a record and changes nothing.
    pub fn assess(&self, routed: &Routed<'_>, tenants: &[Tenant], config: &Config) -> (Assessment, Sighting) {
        let context = &routed.record.context;
        let nobody = Tenant::default;
        let unknown;
        let tenant = match routed.tenant.and_then(|index| tenants.get(index)) {
            Some(tenant) => tenant,
            None => {
                unknown = nobody();
                &unknown
            }
        };
        let profile = self.profile(routed);
        let recall = Recall {
            profile,
            population: &tenant.population,
            key: config.hash_key,
        };
        let seen = recall.sight(context);
        let view = View {
            context,
            seen: &seen,
            profile,
            population: &tenant.population,
            burst: routed.burst,
        };
        let (evidence, blind) = gather(&view);
        let kind = profile.map_or(context.kind, |profile| profile.kind);
        let assessment = conclude(routed, (evidence, blind), (kind, seen.visits), tenant, config);
        (assessment, seen)
    }

    fn profile(&self, routed: &Routed<'_>) -> Option<&Profile> {
        let account = routed.record.context.account.as_ref()?;
        self.accounts
            .get(routed.fingerprint, tenant_number(routed.tenant?), account)
    }

    fn learn(
        &mut self,
        routed: &Routed<'_>,
        tenant: usize,
        (seen, arrival): (&Sighting, Arrival),
    ) -> Option<habitus_profile::Observation> {
        let context = &routed.record.context;
        let account = context.account.as_ref()?;
        let number = tenant_number(tenant);
        if let Some(profile) = self.accounts.get_mut(routed.fingerprint, number, account) {
            return profile.learn(seen, context, arrival);
        }
        if !routed.may_grow {
            return None;
        }
        let mut profile = Profile::new(context.kind, seen.now);
        let observation = profile.learn(seen, context, arrival);
        let slot = Slot {
            tenant: number,
            account: account.clone(),
        };
        self.accounts.insert(Held {
            slot,
            fingerprint: routed.fingerprint,
            profile,
        });
        observation
    }
}

/// The learning gate (SCORING 13): what scored high waits in quarantine, what a strong factor proved does not.
fn arrival(context: &Context, score: RiskScore, config: &Config) -> Arrival {
    if context.strong_factor {
        Arrival::Strong
    } else if score.get() >= config.quarantine_from {
        Arrival::Suspicious
    } else {
        Arrival::Clean
    }
}

fn gather(view: &View<'_>) -> (Vec<Evidence>, Vec<(Family, Blind)>) {
    let mut evidence = Vec::with_capacity(10);
    let mut blind = Vec::new();
    for detector in detectors::ALL {
        match detector.assess(view) {
            Opinion::Evidence(found) => evidence.extend(found),
            Opinion::Abstain(why) => blind.push((detector.family(), why)),
        }
    }
    (evidence, blind)
}

fn conclude(
    routed: &Routed<'_>,
    (evidence, blind): (Vec<Evidence>, Vec<(Family, Blind)>),
    (kind, visits): (AccountKind, f64),
    tenant: &Tenant,
    config: &Config,
) -> Assessment {
    let Record { context, uid, .. } = routed.record;
    let fused = fuse(evidence, &config.weights);
    let score = RiskScore::from_tail(tenant.tail(kind, fused.log_odds));
    Assessment {
        uid: uid.clone(),
        time: context.time,
        tenant: context.tenant.clone(),
        account: context.account.clone(),
        kind,
        log_odds: fused.log_odds,
        score,
        level: score.level(),
        confidence: confidence(visits, &blind),
        profile: fused.profile,
        contributions: fused.contributions,
        blind,
        decision: config.thresholds.decide(score, context.status),
    }
}

fn tenant_number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
