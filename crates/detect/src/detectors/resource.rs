//! R: towards what application, with what action, on what resource, as whom (SCORING 8).
//!
//! What is new to the account comes with a probability measured for it and its population, given how much new the last day
//! brought; which new thing it is, by how many accounts use it, and by whether those are the ones the account shares things
//! with. Attackers take what is useful, whosever it is: keys, privileges, secrets. What the events before said is
//! [`crate::belief`]. Learned by successes only.

use crate::detector::{Detector, View};
use crate::novelty::{pending, popularity};
use habitus_model::evidence::PerProfile;
use habitus_model::math::{exp, ln};
use habitus_model::{Blind, Deed, DetectorId, Evidence, Fact, Family, Opinion, Reason, Signal, Text};
use habitus_profile::edge_habits::EdgeHabits;
use habitus_profile::features::edges::{EdgeLevel, EdgeSeen, EdgesSeen};
use habitus_profile::known::Familiarity;

/// Applications, actions and resources.
pub struct Resource;

/// Probability that what each attacker uses is new to the account. Assumed; the insider has work to do besides.
const NEW: PerProfile = [0.60, 0.60, 0.50, 0.55, 0.45];
/// Share of attackers' choices that follow what owners take up; the others are any thing alike. Assumed.
const FOLLOWS: f64 = 0.5;
/// Share of owners' choices that are any thing alike, for an account that brings as many new things as its population's do
/// (SCORING 8 has a tenth for all): who brings more, such as an auditor, brings odder ones. Assumed, with its bounds.
const ODD: f64 = 0.03;
const ODD_MIN: f64 = 0.01;
const ODD_MAX: f64 = 0.5;
/// What one new thing says counts up to here, nats, and beyond as a tenth: owners do what they never did, too, and it takes several to be an intrusion. Without
/// it the first factor that a quiet account added weighed 14 nats, and replayed sessions were found in 85 % of cases at 0.05 %
/// instead of 90 % (seeds 1-3, with 7).
const NATS_MAX: f64 = 5.0;
/// Visits with which what is new to an account says half of that: who came last week with a merger has everything before him.
/// Assumed.
const SETTLED_VISITS: f64 = 5.0;
const WORTH_SAYING_NATS: f64 = 0.05;

/// How much more often attackers do this than any other new thing. Assumed; that they do is MITRE ATT&CK (see
/// `habitus_enrich::conduct`).
const fn wanted(deed: Option<Deed>) -> f64 {
    match deed {
        Some(Deed::MailRule | Deed::DefenceChanged) => 10.0,
        Some(Deed::KeyCreated | Deed::PrivilegeGranted | Deed::SecretRead | Deed::ConsentGranted) => 7.0,
        Some(Deed::FactorAdded | Deed::FactorRemoved | Deed::PasswordReset | Deed::AccountCreated) => 4.0,
        Some(Deed::MemberAdded | Deed::AccountDisabled | Deed::Recovery | Deed::SessionsRevoked) => 2.0,
        Some(Deed::SessionEnded) | None => 1.0,
    }
}

impl Detector for Resource {
    fn id(&self) -> DetectorId {
        DetectorId("resource")
    }

    fn family(&self) -> Family {
        Family::Resource
    }

    fn assess(&self, view: &View<'_>) -> Opinion {
        let Some(seen) = view
            .seen
            .conduct
            .as_ref()
            .and_then(|conduct| conduct.edges.as_ref())
        else {
            return Opinion::Evidence(Vec::new());
        };
        if !view.has_history() || seen.levels.iter().flatten().all(|edge| edge.trials <= 0.0) {
            return Opinion::Abstain(Blind::ThinHistory);
        }
        let habits = view.population.habits().edges();
        let mut found: Vec<Evidence> = Vec::new();
        for edge in seen.levels.iter().flatten().filter(|edge| edge.trials > 0.0) {
            match edge.familiarity {
                Familiarity::New => found.push(new(view, edge, habits)),
                Familiarity::Pending { age_days } => {
                    let mut waits = new(view, edge, habits);
                    waits.nats = waits.nats.map(|nats| nats * pending(age_days));
                    found.push(waits);
                }
                Familiarity::Known { .. } => {}
            }
        }
        if found.is_empty() {
            found.extend(usual(view, seen));
        }
        found.retain(|one| one.nats.iter().any(|nats| nats.abs() >= WORTH_SAYING_NATS));
        Opinion::Evidence(found)
    }
}

fn new(view: &View<'_>, edge: &EdgeSeen, habits: &EdgeHabits) -> Evidence {
    let conduct = view.context.conduct.as_deref();
    let deed = conduct
        .and_then(|conduct| conduct.deed)
        .filter(|deed| match edge.level {
            EdgeLevel::Application | EdgeLevel::Identity | EdgeLevel::Origin => false,
            EdgeLevel::Action => true,
            EdgeLevel::Sort | EdgeLevel::Resource => *deed == Deed::SecretRead,
        });
    let flat = habits.flat(edge.level);
    let anybody = popularity(habits.arrival(edge.level, edge.key), flat);
    let odd = (ODD * edge.novelty / edge.usual).clamp(ODD_MIN, ODD_MAX);
    let owner = (1.0 - odd) * anybody * exp(edge.ln_lift) + odd * flat;
    let attacker = FOLLOWS * anybody + (1.0 - FOLLOWS) * flat * wanted(deed);
    let settled = view.seen.visits / (view.seen.visits + SETTLED_VISITS);
    let nats = NEW.map(|new| settled * bounded(ln(new * attacker) - ln(edge.novelty * owner)));
    let (signal, template) = words(edge, deed);
    let reason = view.because(template, || {
        let name = conduct.and_then(|conduct| edge.level.name(conduct));
        let mut facts = vec![
            Fact::Name(name.cloned().unwrap_or(Text::const_new("this"))),
            Fact::Share(edge.novelty),
            Fact::Count(habits.users(edge.level, edge.key)),
        ];
        facts.extend(deed.map(|deed| Fact::Name(Text::const_new(deed.phrase()))));
        facts
    });
    line(Signal(signal), nats, reason)
}

/// Bounded, and still in order.
fn bounded(nats: f64) -> f64 {
    if nats <= NATS_MAX {
        nats
    } else {
        NATS_MAX + 0.1 * (nats - NATS_MAX)
    }
}

/// From so many nats on it is said that those who use a thing share none of the account's. A factor of two.
const STRANGE_NATS: f64 = 0.7;

/// Name and sentence of something new.
fn words(edge: &EdgeSeen, deed: Option<Deed>) -> (&'static str, &'static str) {
    let strange = edge.ln_lift <= -STRANGE_NATS;
    match (edge.level, deed) {
        (EdgeLevel::Application, _) if strange => (
            "new_application",
            "the account never used {0}: {1} of its uses are of a new application, and the {2} accounts that use this one \
             use other things than it",
        ),
        (EdgeLevel::Application, _) => (
            "new_application",
            "the account never used {0}: {1} of its uses are of a new application, and {2} accounts use this one",
        ),
        (EdgeLevel::Sort, _) => (
            "new_sort",
            "the account never used anything like it ({0}): {1} of its uses are of a new sort, and {2} accounts use this one",
        ),
        (EdgeLevel::Action, None) => (
            "new_action",
            "the account never did {0}: {1} of what it does is new, and {2} accounts do this",
        ),
        (EdgeLevel::Action, Some(_)) => (
            "new_sensitive_action",
            "the account never did {0}, which {3}: {1} of what it does is new, and {2} accounts do this",
        ),
        (EdgeLevel::Resource, _) if strange => (
            "new_resource",
            "the account never used {0}: {1} of its uses are of a new resource, and the {2} accounts that use this one use \
             other things than it",
        ),
        (EdgeLevel::Resource, _) => (
            "new_resource",
            "the account never used {0}: {1} of its uses are of a new resource, and {2} accounts use this one",
        ),
        (EdgeLevel::Origin, _) => (
            "new_origin",
            "the account never came from {0}: {1} of its uses are from a new computer, and {2} accounts come from this one",
        ),
        (EdgeLevel::Identity, _) => (
            "new_identity",
            "another identity stands behind the account or is taken on by it, for the first time: {1} of such uses are of a \
             new one, and {2} accounts know this one",
        ),
    }
}

/// All of it is known: said once, of the finest.
fn usual(view: &View<'_>, seen: &EdgesSeen) -> Option<Evidence> {
    let edge = seen.levels.iter().flatten().rfind(|edge| edge.trials > 0.0)?;
    let hazard = edge.novelty;
    let nats = NEW.map(|new| (ln(1.0 - new) - ln(1.0 - hazard)).min(0.0));
    let text = "the account used this before; {0} of its uses are of something new";
    let reason = view.because(text, || vec![Fact::Share(hazard)]);
    Some(line(Signal("usual_use"), nats, reason))
}

fn line(signal: Signal, nats: PerProfile, reason: Reason) -> Evidence {
    Evidence {
        family: Family::Resource,
        signal,
        nats,
        reason,
    }
}
