//! The account stage: one shard of accounts, and the order in which one event passes through it.

use crate::accounts::{Accounts, Held, Open, Slot};
use crate::changes::Update;
use crate::clerk::{Clerk, Judged};
use crate::engine::{Config, Learning, Record};
use crate::hindsight::Entrance;
use crate::tenant::{Delta, Tenant};
use crate::together::Late;
use crate::total::{Kept, Total};
use habitus_detect::{View, Words, belief, detectors, reputation};
use habitus_model::{Blind, Context, Evidence, Family, Opinion, RiskScore, Stratum};
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
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

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
    /// Hash of the tenant alone.
    pub tenant_key: u64,
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
    /// A shard that keeps so many accounts at hand, and the others packed.
    pub(crate) fn packing(at_hand: usize) -> Self {
        Self {
            accounts: Accounts::packing(at_hand),
        }
    }

    /// Assesses a record and learns it. What others may revise is left open, everything else noted.
    pub fn process<C: Clerk>(
        &mut self,
        routed: &Routed<'_>,
        shared: Shared<'_>,
        clerk: &mut C,
    ) -> Concluded<C::Note> {
        let at = self.fetch(routed);
        let profile = at.and_then(|at| self.accounts.at(at));
        let seen = sight(profile, routed, shared);
        let (judged, late) = judge_seen((profile, &seen), routed, shared, clerk);
        let delta = self.take_in((routed, at), shared.config, (&judged, &seen));
        let end = match late {
            Some(late) => End::Open(Box::new((judged, late))),
            None => End::Noted(clerk.note(routed.record, judged)),
        };
        Concluded { end, delta }
    }

    fn take_in(
        &mut self,
        (routed, at): (&Routed<'_>, Option<usize>),
        config: &Config,
        (judged, seen): (&Judged, &Sighting),
    ) -> Option<Delta> {
        let context = &routed.record.context;
        let (Some(tenant), Learning::Learn) = (routed.tenant, routed.record.learning) else {
            return None;
        };
        if !context.may_teach() {
            if let Some(profile) = at.and_then(|at| self.accounts.at_mut(at)) {
                note_failure(profile, (context, seen), judged);
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
            score: judged.score,
            shadow: judged.shadow,
            goes_on: is_more && arrival == Arrival::Suspicious,
            kept: Kept(Some(judged.surprise)),
            has_history: seen.visits > 0.0,
        };
        let update = Update::of(context, seen, config.hash_key);
        let (observation, told) = self.learn((routed, at), tenant, (seen, arrival, judged));
        Some(Delta {
            observation,
            told,
            update,
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
    ) -> (Judged, Option<Late>) {
        let profile = self.profile(routed);
        let seen = sight(profile.as_deref(), routed, shared);
        judge_seen((profile.as_deref(), &seen), routed, shared, clerk)
    }

    fn profile(&self, routed: &Routed<'_>) -> Option<Cow<'_, Profile>> {
        let account = routed.record.context.account.as_ref()?;
        self.accounts
            .get(routed.fingerprint, tenant_number(routed.tenant?), account)
    }

    /// Takes the account to hand, if it is held; its number.
    fn fetch(&mut self, routed: &Routed<'_>) -> Option<usize> {
        let account = routed.record.context.account.as_ref()?;
        self.accounts
            .fetch(routed.fingerprint, tenant_number(routed.tenant?), account)
    }

    fn learn(
        &mut self,
        (routed, at): (&Routed<'_>, Option<usize>),
        tenant: usize,
        (seen, arrival, judged): (&Sighting, Arrival, &Judged),
    ) -> (Option<Observation>, Option<Box<Told>>) {
        let context = &routed.record.context;
        let Some(account) = context.account.as_ref() else {
            return (None, None);
        };
        let teach = |profile: &mut Profile| {
            let told = profile.learn_conduct(seen, context, (arrival, judged.own_nats));
            note_entrance(profile, (context, seen), judged);
            (profile.learn(seen, context, arrival), told)
        };
        if let Some(profile) = at.and_then(|at| self.accounts.at_mut(at)) {
            return teach(profile);
        }
        if !routed.may_grow {
            return (None, None);
        }
        let mut profile = Profile::new(context.kind, seen.now);
        let taught = teach(&mut profile);
        let slot = Slot {
            tenant: tenant_number(tenant),
            account: account.clone(),
        };
        let open = Open::new(slot, routed.epoch, profile);
        self.accounts.insert(Held::open(routed.fingerprint, open));
        taught
    }
}

/// A tenant beyond the limit of tenants knows nothing.
static UNKNOWN: LazyLock<Tenant> = LazyLock::new(Tenant::default);

fn tenant_of<'a>(routed: &Routed<'_>, shared: Shared<'a>) -> &'a Tenant {
    let known = routed.tenant.and_then(|index| shared.tenants.get(index));
    known.map_or(&UNKNOWN, |tenant| tenant.as_ref())
}

/// What a record shows. Large, so it is made where it stays.
fn sight(profile: Option<&Profile>, routed: &Routed<'_>, shared: Shared<'_>) -> Sighting {
    let recall = Recall {
        profile,
        population: &tenant_of(routed, shared).population,
        key: shared.config.hash_key,
    };
    let mut seen = recall.sight(&routed.record.context);
    seen.notice = routed.notice;
    seen
}

fn judge_seen<C: Clerk>(
    (profile, seen): (Option<&Profile>, &Sighting),
    routed: &Routed<'_>,
    shared: Shared<'_>,
    clerk: &C,
) -> (Judged, Option<Late>) {
    let (context, tenant) = (&routed.record.context, tenant_of(routed, shared));
    let shown = routed.tenant.zip(showing(context, seen, shared.config.hash_key));
    let is_revised = shown.as_ref().is_some_and(|(_, showing)| Late::keeps(showing));
    let view = View {
        context,
        seen,
        profile,
        population: &tenant.population,
        bursts: routed.bursts.as_deref(),
        words: if is_revised {
            Words::Wanted
        } else {
            clerk.reads_all()
        },
    };
    let (evidence, blind) = gather(&view, (tenant, routed.fingerprint));
    let stratum = stratum(context, seen);
    let entrance = || Entrance::of(context, seen, stratum);
    let mut late = shown.map(|shown| Late::new(shown, (stratum, entrance()), (seen, &evidence)));
    let judged = conclude((&view, routed), (evidence, blind), (tenant, shared), clerk);
    if let Some(late) = &mut late {
        late.showing.suspicious = judged.score.get() >= NO_CHANGE_FROM;
    }
    (judged, late)
}

/// Failures teach nothing about identity; names that never succeeded have no profile, and get none by failing. But who fails a
/// second factor, or knows the password and is held up, stands at the door.
fn note_failure(profile: &mut Profile, (context, seen): (&Context, &Sighting), judged: &Judged) {
    if is_failed_prompt(context) {
        profile.note_failed_prompt(seen, context);
    }
    note_entrance(profile, (context, seen), judged);
}

/// What it used and did is no matter of how it came in, and adds up elsewhere (`profile::belief`).
fn note_entrance(profile: &mut Profile, (context, seen): (&Context, &Sighting), judged: &Judged) {
    if Entrance::of(context, seen, stratum(context, seen)).is_some() {
        profile.note_entrance(seen, context, judged.log_odds.0 - judged.own_nats.max(0.0));
    }
}

/// From here on, 1 in 1,000, an event is no sign that its tenant changed: people who move to a new office with their own
/// clients score 45 (`tests/changes.rs`), two in a thousand of them 60 or more (enterprise, seeds 1-3).
const NO_CHANGE_FROM: f64 = 60.0;

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

fn gather(view: &View<'_>, (tenant, account): (&Tenant, u64)) -> (Vec<Evidence>, Vec<(Family, Blind)>) {
    // Few events have more lines: growing would copy them all.
    let mut evidence = Vec::with_capacity(16);
    let mut blind = Vec::with_capacity(Family::COUNT);
    let mut looked = [false; Family::COUNT];
    for detector in detectors::ALL {
        let family = detector.family();
        match detector.assess(view) {
            Opinion::Evidence(found) => {
                if let Some(looked) = looked.get_mut(family.index()) {
                    *looked = true;
                }
                evidence.extend(found);
            }
            Opinion::Abstain(why) => abstained(&mut blind, family, why),
        }
    }
    blind.retain(|(family, _)| looked.get(family.index()) != Some(&true));
    evidence.extend(belief::evidence(view, &evidence));
    evidence.extend(reputation::evidence(view, tenant.models.reputation(), account));
    (evidence, blind)
}

/// A family is blind if all its detectors are: the first that could have spoken says why.
fn abstained(blind: &mut Vec<(Family, Blind)>, family: Family, why: Blind) {
    match blind.iter_mut().find(|(told, _)| *told == family) {
        None => blind.push((family, why)),
        Some((_, told)) if *told == Blind::NotApplicable => *told = why,
        Some(_) => {}
    }
}

/// Fuses, calibrates and decides; explains what is read.
fn conclude<C: Clerk>(
    (view, routed): (&View<'_>, &Routed<'_>),
    (evidence, blind): (Vec<Evidence>, Vec<(Family, Blind)>),
    (tenant, shared): (&Tenant, Shared<'_>),
    clerk: &C,
) -> Judged {
    let (context, seen) = (view.context, view.seen);
    let kind = view.profile.map_or(context.kind, Profile::behaves_as);
    let stratum = stratum(context, seen);
    let weighed = weigh(&evidence, tenant.models.weights(shared.weights));
    let said = tenant.say(kind, stratum, weighed.log_odds);
    let score = RiskScore::from_tail(said.tail);
    let is_read = clerk.reads_all() == Words::Wanted || clerk.reads(routed.record, score);
    let beside = tenant.models.beside(&evidence, (is_read, stratum));
    let own_nats = seen
        .conduct
        .as_ref()
        .map_or(0.0, |_| belief::step(&evidence, seen));
    let lines = match view.words {
        Words::Wanted => Some(weighed.lines(evidence)),
        // The same once more, with words: dearer for the few, and cheaper for the many.
        Words::Spared if is_read => {
            let words = Words::Wanted;
            let view = View { words, ..*view };
            Some(weighed.lines(gather(&view, (tenant, routed.fingerprint)).0))
        }
        Words::Spared => None,
    };
    Judged {
        kind,
        log_odds: weighed.log_odds,
        surprise: said.surprise,
        score,
        level: score.level(),
        confidence: confidence(seen.visits, &blind),
        profile: weighed.profile,
        own_nats,
        contributions: lines.filter(|_| is_read),
        grounds: beside.grounds,
        shadow: beside.shadow,
        blind,
        decision: shared.config.thresholds.decide(score, context.status),
    }
}

fn tenant_number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
