//! The account stage: one shard of accounts, and the order in which one event passes through it.

use crate::accounts::{Accounts, Held, Slot};
use crate::clerk::{Clerk, Judged};
use crate::engine::{Config, Learning, Record};
use crate::tenant::{Delta, Stratum, Tenant, Total};
use crate::together::Late;
use habitus_detect::{View, Words, belief, detectors};
use habitus_model::{Blind, Context, Evidence, Family, Opinion, RiskScore};
use habitus_profile::attempts::Bursts;
use habitus_profile::campaigns::showing;
use habitus_profile::features::session::Relation;
use habitus_profile::known::Arrival;
use habitus_profile::memory::is_failed_prompt;
use habitus_profile::notices::Notice;
use habitus_profile::recall::Sighting;
use habitus_profile::told::Told;
use habitus_profile::{Observation, Profile, Recall};
use habitus_score::{Prepared, confidence, weigh};
use std::sync::Arc;

/// One shard of accounts.
#[derive(Debug, Default)]
pub struct Shard {
    /// Its accounts.
    pub accounts: Accounts,
}

/// What every shard reads and none changes.
#[derive(Debug, Clone, Copy)]
pub struct Shared<'a> {
    /// Tables of tenants, as of the last epoch.
    pub tenants: &'a [Arc<Tenant>],
    /// The configuration.
    pub config: &'a Config,
    /// Its weights.
    pub weights: &'a Prepared,
}

/// What a shard hands on of one record; `N` is what its clerk notes.
#[derive(Debug)]
pub struct Concluded<N> {
    /// The conclusion.
    pub end: End<N>,
    /// What the tenant learns at the end of its epoch, if anything.
    pub delta: Option<Delta>,
}

/// How far a conclusion is.
#[derive(Debug)]
pub enum End<N> {
    /// Noted: nothing but the account itself speaks of it.
    Noted(N),
    /// The stage after the accounts may revise it.
    Open(Box<(Judged, Late)>),
}

/// A record with its routing, made before the stage so that tenants are numbered in the order of the log.
#[derive(Debug, Clone)]
pub struct Routed<'a> {
    /// The record.
    pub record: &'a Record,
    /// Index of its tenant; absent beyond the limit of tenants.
    pub tenant: Option<usize>,
    /// Fingerprint of tenant and account.
    pub fingerprint: u64,
    /// Position at which the epoch of its tenant began.
    pub epoch: u64,
    /// What the network stage says of its source and of attempts on its account; absent where nothing stands out.
    pub bursts: Option<Box<Bursts>>,
    /// What was done to its account of late.
    pub notice: Option<Notice>,
    /// Whether there is room for an account never seen.
    pub may_grow: bool,
}

impl Shard {
    /// Assesses a record and learns it. What others may revise is left open, everything else noted.
    pub fn process<C: Clerk>(
        &mut self,
        routed: &Routed<'_>,
        shared: Shared<'_>,
        clerk: &mut C,
    ) -> Concluded<C::Note> {
        let (judged, late, seen) = self.judge(routed, shared, clerk);
        let delta = self.take_in(routed, shared.config, (&judged, &seen));
        let end = match late {
            Some(late) => End::Open(Box::new((judged, late))),
            None => End::Noted(clerk.note(routed.record, judged)),
        };
        Concluded { end, delta }
    }

    fn take_in(
        &mut self,
        routed: &Routed<'_>,
        config: &Config,
        (judged, seen): (&Judged, &Sighting),
    ) -> Option<Delta> {
        let context = &routed.record.context;
        let (Some(tenant), Learning::Learn) = (routed.tenant, routed.record.learning) else {
            return None;
        };
        if !context.may_teach() {
            if is_failed_prompt(context) {
                self.note_failed_prompt(routed, tenant, seen);
            }
            return None;
        }
        let arrival = arrival(context, judged.score, config);
        let is_more = seen
            .suspected_minutes
            .is_some_and(|minutes| minutes < SUSPICION_MINUTES);
        let total = Total {
            kind: judged.kind,
            stratum: stratum(context, seen),
            nats: judged.log_odds,
            goes_on: is_more && arrival == Arrival::Suspicious,
            has_history: seen.visits > 0.0,
        };
        let (observation, told) = self.learn(routed, tenant, (seen, arrival, judged.own_nats));
        Some(Delta {
            observation,
            told,
            total,
            now: seen.now,
        })
    }

    /// Judges a record and changes nothing. Reasons are made for what the clerk reads and what others may revise.
    pub fn judge<C: Clerk>(
        &self,
        routed: &Routed<'_>,
        shared: Shared<'_>,
        clerk: &C,
    ) -> (Judged, Option<Late>, Sighting) {
        let Shared { tenants, config, .. } = shared;
        let context = &routed.record.context;
        let unknown;
        let tenant = match routed.tenant.and_then(|index| tenants.get(index)) {
            Some(tenant) => tenant.as_ref(),
            None => {
                unknown = Tenant::default();
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
        let shown = routed.tenant.zip(showing(context, &seen, config.hash_key));
        let is_revised = shown.as_ref().is_some_and(|(_, showing)| Late::keeps(showing));
        let view = View {
            context,
            seen: &seen,
            profile,
            population: &tenant.population,
            bursts: routed.bursts.as_deref(),
            words: if is_revised {
                Words::Wanted
            } else {
                clerk.reads_all()
            },
        };
        let (evidence, blind) = gather(&view);
        let late = shown.map(|shown| Late::new(shown, stratum(context, &seen), (&seen, &evidence)));
        let judged = conclude((&view, routed.record), (evidence, blind), (tenant, shared), clerk);
        (judged, late, seen)
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
            since: routed.epoch,
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

/// Logins and beginnings of visits are one population of totals, sessions that were carried elsewhere another, and what is done
/// within visits a third.
fn stratum(context: &Context, seen: &Sighting) -> Stratum {
    let session = seen.conduct.as_ref().and_then(|conduct| conduct.session);
    if session.is_some_and(|session| session.relation == Relation::Moved) {
        Stratum::Moved
    } else if seen.is_visit || context.activity.is_authentication() {
        Stratum::Visit
    } else {
        Stratum::Within
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
    // Few events have more lines: growing would copy them all.
    let mut evidence = Vec::with_capacity(16);
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
    evidence.extend(belief::evidence(view, &evidence));
    (evidence, blind)
}

/// Fuses, calibrates and decides; explains what is read.
fn conclude<C: Clerk>(
    (view, record): (&View<'_>, &Record),
    (evidence, blind): (Vec<Evidence>, Vec<(Family, Blind)>),
    (tenant, shared): (&Tenant, Shared<'_>),
    clerk: &C,
) -> Judged {
    let (context, seen) = (view.context, view.seen);
    let kind = view.profile.map_or(context.kind, Profile::behaves_as);
    let weighed = weigh(&evidence, shared.weights);
    let score = RiskScore::from_tail(tenant.tail(kind, stratum(context, seen), weighed.log_odds));
    let is_read = clerk.reads_all() == Words::Wanted || clerk.reads(record, score);
    let own_nats = seen.conduct.as_ref().map_or(0.0, |_| belief::step(&evidence));
    let lines = match view.words {
        Words::Wanted => Some(weighed.lines(evidence)),
        // The same once more, with words: dearer for the few, and cheaper for the many.
        Words::Spared if is_read => {
            let words = Words::Wanted;
            Some(weighed.lines(gather(&View { words, ..*view }).0))
        }
        Words::Spared => None,
    };
    Judged {
        kind,
        log_odds: weighed.log_odds,
        score,
        level: score.level(),
        confidence: confidence(seen.visits, &blind),
        profile: weighed.profile,
        own_nats,
        contributions: lines.filter(|_| is_read),
        blind,
        decision: shared.config.thresholds.decide(score, context.status),
    }
}

fn tenant_number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
