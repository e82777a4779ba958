//! The account stage: one shard of accounts, and the order in which one event passes through it.

use crate::accounts::{Accounts, Held, Slot};
use crate::engine::{Config, Learning, Record};
use crate::tenant::{Delta, Stratum, Tenant};
use habitus_detect::detectors::resource;
use habitus_detect::{View, detectors};
use habitus_model::{AccountKind, Assessment, Blind, Context, Evidence, Family, Opinion, RiskScore};
use habitus_profile::attempts::Burst;
use habitus_profile::known::Arrival;
use habitus_profile::memory::is_failed_prompt;
use habitus_profile::notices::Notice;
use habitus_profile::recall::Sighting;
use habitus_profile::told::Told;
use habitus_profile::{Observation, Profile, Recall};
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
    /// What was done to its account of late.
    pub notice: Option<Notice>,
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
        let (Some(tenant), Learning::Learn) = (routed.tenant, routed.record.learning) else {
            return (assessment, None);
        };
        if !context.may_teach() {
            if is_failed_prompt(context) {
                self.note_failed_prompt(routed, tenant, &seen);
            }
            return (assessment, None);
        }
        let arrival = arrival(context, assessment.score, config);
        let nats = edge_nats(&assessment, &seen);
        let is_more = seen
            .suspected_minutes
            .is_some_and(|minutes| minutes < SUSPICION_MINUTES);
        let counts = !(is_more && arrival == Arrival::Suspicious);
        let (observation, told) = self.learn(routed, tenant, (&seen, arrival, nats));
        let delta = Delta {
            observation,
            told,
            total: counts.then_some((assessment.kind, stratum(context, &seen), assessment.log_odds)),
            now: seen.now,
        };
        (assessment, Some((tenant, delta)))
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
        let mut seen = recall.sight(context);
        seen.notice = routed.notice;
        let view = View {
            context,
            seen: &seen,
            profile,
            population: &tenant.population,
            burst: routed.burst,
        };
        let (evidence, blind) = gather(&view);
        let kind = profile.map_or(context.kind, Profile::behaves_as);
        let assessment = conclude(routed, (evidence, blind), (kind, &seen), tenant, config);
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
        (seen, arrival, nats): (&Sighting, Arrival, f64),
    ) -> (Option<Observation>, Option<Box<Told>>) {
        let context = &routed.record.context;
        let Some(account) = context.account.as_ref() else {
            return (None, None);
        };
        let number = tenant_number(tenant);
        if let Some(profile) = self.accounts.get_mut(routed.fingerprint, number, account) {
            let told = profile.learn_conduct(seen, context, (arrival, nats));
            return (profile.learn(seen, context, arrival), told);
        }
        if !routed.may_grow {
            return (None, None);
        }
        let mut profile = Profile::new(context.kind, seen.now);
        let told = profile.learn_conduct(seen, context, (arrival, nats));
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
        (observation, told)
    }

    /// Names that never succeeded have no profile, and get none by failing.
    fn note_failed_prompt(&mut self, routed: &Routed<'_>, tenant: usize, seen: &Sighting) {
        let context = &routed.record.context;
        let Some(account) = context.account.as_ref() else {
            return;
        };
        let held = self
            .accounts
            .get_mut(routed.fingerprint, tenant_number(tenant), account);
        if let Some(profile) = held {
            profile.note_failed_prompt(seen, context);
        }
    }
}

/// Suspicious events of one account within an hour are one chance to be wrong about it.
const SUSPICION_MINUTES: f64 = 60.0;

/// Logins and beginnings of visits are one population of totals, what is done within visits another.
fn stratum(context: &Context, seen: &Sighting) -> Stratum {
    if seen.is_visit || context.activity.is_authentication() {
        Stratum::Visit
    } else {
        Stratum::Within
    }
}

/// What the new things an event uses say, nats, at least 0; earlier ones not counted again.
fn edge_nats(assessment: &Assessment, seen: &Sighting) -> f64 {
    let new = seen.conduct.and_then(|conduct| conduct.edges);
    if new.is_none_or(|edges| edges.new_ones().next().is_none()) {
        return 0.0;
    }
    let own = assessment.contributions.iter();
    own.filter(|line| line.family == Some(Family::Resource) && line.signal != resource::EXPLORATION)
        .map(|line| line.nats.0.max(0.0))
        .sum()
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
    let mut looked = [None; detectors::ALL.len()];
    for (detector, looked) in detectors::ALL.iter().zip(&mut looked) {
        let family = detector.family();
        match detector.assess(view) {
            Opinion::Evidence(found) => {
                *looked = Some(family);
                evidence.extend(found);
            }
            // A family is blind if all its detectors are: the first says why.
            Opinion::Abstain(why) if blind.iter().all(|(told, _)| *told != family) => {
                blind.push((family, why))
            }
            Opinion::Abstain(_) => {}
        }
    }
    blind.retain(|(family, _)| !looked.contains(&Some(*family)));
    (evidence, blind)
}

fn conclude(
    routed: &Routed<'_>,
    (evidence, blind): (Vec<Evidence>, Vec<(Family, Blind)>),
    (kind, seen): (AccountKind, &Sighting),
    tenant: &Tenant,
    config: &Config,
) -> Assessment {
    let Record { context, uid, .. } = routed.record;
    let fused = fuse(evidence, &config.weights);
    let score = RiskScore::from_tail(tenant.tail(kind, stratum(context, seen), fused.log_odds));
    Assessment {
        uid: uid.clone(),
        time: context.time,
        tenant: context.tenant.clone(),
        account: context.account.clone(),
        kind,
        log_odds: fused.log_odds,
        score,
        level: score.level(),
        confidence: confidence(seen.visits, &blind),
        profile: fused.profile,
        contributions: fused.contributions,
        blind,
        decision: config.thresholds.decide(score, context.status),
    }
}

fn tenant_number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
