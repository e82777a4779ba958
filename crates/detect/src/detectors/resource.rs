//! R: towards what application, with what action, on what resource (SCORING 8).
//!
//! What is new to the account comes with a probability measured for it and its tenant, given how much new the last day
//! brought; which new thing it is, by how many accounts use it. Attackers take what is useful: keys, privileges, secrets.
//! What new things of the last day said adds up, so that who explores is found by the fifth, not by the first. Learned by
//! successes only.

use crate::detector::{Detector, View};
use crate::novelty::{pending, popularity};
use habitus_model::evidence::PerProfile;
use habitus_model::math::ln;
use habitus_model::{Blind, Deed, DetectorId, Evidence, Fact, Family, Opinion, Reason, Signal, Text};
use habitus_profile::edge_habits::{EdgeCell, EdgeHabits};
use habitus_profile::features::edges::{EdgeLevel, EdgeSeen, EdgesSeen};
use habitus_profile::known::Familiarity;

/// Applications, actions and resources.
pub struct Resource;

/// What the new things of the last day say together. A signal of its own, so that it is not counted again.
pub const EXPLORATION: Signal = Signal("exploration");

/// Probability that what each attacker uses is new to the account. Assumed; the insider has work to do besides.
const NEW: PerProfile = [0.60, 0.60, 0.50, 0.55, 0.45];
/// Shape of the spread of hazards between accounts; as for networks (`habitus_profile::recall`).
const HAZARD_SHAPE: f64 = 0.7;
/// Share of the evidence of earlier new things that counts again: they depend on each other. Assumed.
const DEPENDENCE: f64 = 0.85;
/// The most that earlier new things say, nats.
const EXPLORATION_NATS_MAX: f64 = 10.0;
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
        if !view.has_history() || seen.levels.iter().flatten().all(|edge| edge.trials.0 <= 0.0) {
            return Opinion::Abstain(Blind::ThinHistory);
        }
        let habits = view.population.habits().edges();
        let mut found: Vec<Evidence> = Vec::new();
        for edge in seen.levels.iter().flatten().filter(|edge| edge.trials.0 > 0.0) {
            match edge.familiarity {
                Familiarity::New => found.push(new(view, (edge, seen.lately), habits)),
                Familiarity::Pending { age_days } => {
                    let mut waits = new(view, (edge, seen.lately), habits);
                    waits.nats = waits.nats.map(|nats| nats * pending(age_days));
                    found.push(waits);
                }
                Familiarity::Known { .. } => {}
            }
        }
        if found.is_empty() {
            found.extend(usual(seen, habits));
        } else {
            found.extend(exploration(seen));
        }
        found.retain(|one| one.nats.iter().any(|nats| nats.abs() >= WORTH_SAYING_NATS));
        Opinion::Evidence(found)
    }
}

/// Probability that the account's next use of this level is of something new to it, in `(0, 1)`.
fn novelty(edge: &EdgeSeen, lately: f64, habits: &EdgeHabits) -> f64 {
    let (trials, novel) = edge.trials;
    let population = habits.novelty(EdgeCell::of(edge.level, lately, trials));
    let own = (novel + HAZARD_SHAPE) / (trials + HAZARD_SHAPE / population);
    // Novelties come in bursts: within one the account's quiet days say little.
    let floor = if lately >= 0.5 { 0.5 * population } else { 0.0 };
    own.max(floor).clamp(1e-5, 0.98)
}

fn new(view: &View<'_>, (edge, lately): (&EdgeSeen, f64), habits: &EdgeHabits) -> Evidence {
    let conduct = view.context.conduct.as_deref();
    let deed = conduct
        .and_then(|conduct| conduct.deed)
        .filter(|deed| match edge.level {
            EdgeLevel::Application => false,
            EdgeLevel::Action => true,
            EdgeLevel::Resource => *deed == Deed::SecretRead,
        });
    let flat = habits.flat(edge.level);
    let arrival = popularity(habits.arrival(edge.level, edge.key), flat);
    let hazard = novelty(edge, lately, habits);
    let attacker = 0.5 * arrival + 0.5 * flat * wanted(deed);
    let nats = NEW.map(|new| ln(new * attacker) - ln(hazard * arrival));
    let named = conduct.and_then(|conduct| edge.level.of(conduct));
    let name = named.map_or(Text::const_new("this"), |named| named.name.clone());
    let mut facts = vec![
        Fact::Name(name),
        Fact::Share(hazard),
        Fact::Count(habits.users(edge.level, edge.key)),
    ];
    let (signal, text) = match (edge.level, deed) {
        (EdgeLevel::Application, _) => (
            "new_application",
            "the account never used {0}: {1} of its uses are of a new application, and {2} accounts use this one",
        ),
        (EdgeLevel::Action, None) => (
            "new_action",
            "the account never did {0}: {1} of what it does is new, and {2} accounts do this",
        ),
        (EdgeLevel::Action, Some(deed)) => {
            facts.push(Fact::Name(Text::const_new(deed.phrase())));
            (
                "new_sensitive_action",
                "the account never did {0}, which {3}: {1} of what it does is new, and {2} accounts do this",
            )
        }
        (EdgeLevel::Resource, _) => (
            "new_resource",
            "the account never used {0}: {1} of its uses are of a new resource, and {2} accounts use this one",
        ),
    };
    line(Signal(signal), nats, Reason::new(text, facts))
}

/// All of it is known: said once, of the finest.
fn usual(seen: &EdgesSeen, habits: &EdgeHabits) -> Option<Evidence> {
    let edge = seen.levels.iter().flatten().rfind(|edge| edge.trials.0 > 0.0)?;
    let hazard = novelty(edge, seen.lately, habits);
    let nats = NEW.map(|new| (ln(1.0 - new) - ln(1.0 - hazard)).min(0.0));
    let text = "the account used this before; {0} of its uses are of something new";
    Some(line(
        Signal("usual_use"),
        nats,
        Reason::new(text, vec![Fact::Share(hazard)]),
    ))
}

fn exploration(seen: &EdgesSeen) -> Option<Evidence> {
    let nats = (DEPENDENCE * seen.lately_nats).min(EXPLORATION_NATS_MAX);
    let text = "about {0} other things were new to the account within a day";
    (nats > 0.0).then(|| {
        line(
            EXPLORATION,
            [nats; 5],
            Reason::new(text, vec![Fact::Count(seen.lately)]),
        )
    })
}

fn line(signal: Signal, nats: PerProfile, reason: Reason) -> Evidence {
    Evidence {
        family: Family::Resource,
        signal,
        nats,
        reason,
    }
}
