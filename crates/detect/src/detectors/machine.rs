//! Machines: what is new to an account that changes nothing by chance (SCORING 12).
//!
//! Service accounts, workloads, runners and keys keep to their networks, tools, credentials and jobs, and nobody sits in
//! front of them. What the network and device detectors say by the hazards of all accounts is made up here to what machines
//! show. A machine's credential used by hand is found at once.

use crate::attacker::against;
use crate::detector::{Detector, View};
use habitus_model::evidence::PerProfile;
use habitus_model::math::ln;
use habitus_model::{Blind, DetectorId, Evidence, Fact, Family, Opinion, Reason, Signal};
use habitus_profile::features::machine::{Keeps, MachineSeen};
use habitus_profile::known::Familiarity;
use habitus_profile::recall::LevelSeen;

/// Machines.
pub struct Machine;

/// Events before a machine's habits mean anything.
const EVENTS_MIN: f64 = 10.0;
/// Probability that each attacker shows a credential, a job or hands that are new to the machine. Assumed: a leaked key is
/// the known one; a job cannot be imitated without its issuer.
const NEW_CREDENTIAL: PerProfile = [0.15, 0.15, 0.15, 0.10, 0.15];
const NEW_JOB: PerProfile = [0.90, 0.90, 0.80, 0.60, 0.30];
const HANDS: PerProfile = [0.40, 0.40, 0.30, 0.15, 0.50];
/// What is made up for network and tool, at most, nats: families' caps bound the rest.
const STRICTNESS_NATS_MAX: f64 = 4.0;
/// What is made up besides where the value waits in quarantine, of which other detectors say a third, nats.
const WAITING_NATS: f64 = 2.0;
const WORTH_SAYING_NATS: f64 = 0.05;

impl Detector for Machine {
    fn id(&self) -> DetectorId {
        DetectorId("machine")
    }

    fn family(&self) -> Family {
        Family::Machine
    }

    fn assess(&self, view: &View<'_>) -> Opinion {
        let Some(seen) = view.seen.machine.as_ref().filter(|seen| seen.is_machine) else {
            return Opinion::Evidence(Vec::new());
        };
        if seen.events < EVENTS_MIN {
            return Opinion::Abstain(Blind::ThinHistory);
        }
        let mut found = Vec::new();
        for keeps in Keeps::ALL {
            if seen.new.get(keeps.index()).copied().flatten() == Some(true) {
                found.push(new(view, seen, keeps));
            }
        }
        found.retain(|one: &Evidence| one.nats.iter().any(|nats| *nats >= WORTH_SAYING_NATS));
        Opinion::Evidence(found)
    }
}

fn new(view: &View<'_>, seen: &MachineSeen, keeps: Keeps) -> Evidence {
    let population = view.population.habits().machines().novelty(keeps);
    let steady = seen.steady.get(keeps.index()).copied().unwrap_or_default();
    let owner = steady.novelty(population);
    let said = |level: Option<LevelSeen>| strictness(level, owner);
    let unknown = |level: &LevelSeen| !matches!(level.familiarity, Familiarity::Known { .. });
    let country = view.seen.country.filter(unknown);
    let (signal, text, nats) = match keeps {
        Keeps::Network => (
            "machine_new_network",
            "a machine on a new network: {0} of its visits in {1} were",
            said(country.or(view.seen.asn)),
        ),
        Keeps::Tool => (
            "machine_new_tool",
            "a machine with a new tool: {0} of its visits in {1} were",
            said(view.seen.device.map(|device| device.seen)),
        ),
        Keeps::Credential => (
            "machine_new_credential",
            "a credential the machine never used: {0} of its visits in {1} were with one",
            accuses(against(NEW_CREDENTIAL, owner)),
        ),
        Keeps::Job => (
            "machine_new_job",
            "a job that the machine never ran for, or none: {0} of its visits in {1} were",
            accuses(against(NEW_JOB, owner)),
        ),
        Keeps::Hands => (
            "machine_by_hand",
            "a machine's account used by hand: {0} of its events in {1} were",
            accuses(against(HANDS, owner)),
        ),
    };
    Evidence {
        family: Family::Machine,
        signal: Signal(signal),
        nats,
        reason: Reason::new(text, vec![Fact::Share(owner), Fact::Count(steady.trials())]),
    }
}

/// By how much rarer a machine's novelty is than other detectors took it for; nothing if they did not speak. The insider
/// has the machine's own network and tools.
fn strictness(said: Option<LevelSeen>, owner: f64) -> PerProfile {
    let nats = said.map_or(0.0, |said| {
        let waits = if said.is_new() { 0.0 } else { WAITING_NATS };
        (ln(said.novelty) - ln(owner)).clamp(0.0, STRICTNESS_NATS_MAX) + waits
    });
    [nats, nats, nats, nats, 0.0]
}

fn accuses(nats: PerProfile) -> PerProfile {
    nats.map(|nats| nats.max(0.0))
}
