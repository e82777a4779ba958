//! A: how many prompts for a second factor failed in a row (SCORING 7).
//!
//! A sequential test: each failure counts by how seldom owners fail after as many, which is learned. Whoever has the
//! password and not the phone fails nearly always. An approval after denials excuses nobody: people give in. Acts on the
//! account that is attacked: its owner is shown nothing but what happens in its name.

use crate::detector::{Detector, View};
use habitus_model::evidence::PerProfile;
use habitus_model::math::ln;
use habitus_model::{
    Blind, DetectorId, Evidence, Fact, Family, Opinion, PromptKind, PromptOutcome, Reason, Signal,
};
use habitus_profile::features::prompts::PromptSeen;
use habitus_profile::prompt_habits::PromptHabits;

/// Prompts that failed.
pub struct Prompts;

/// Probability that a prompt fails which the owner did not ask for (SCORING 7: about one in a hundred approves at once).
const FAILS: f64 = 0.97;
/// Probability that it is satisfied after several that failed: a tap out of weariness, a code that was guessed or given away.
/// Assumed.
const GIVES_IN: [f64; PromptKind::COUNT] = [0.10, 0.02, 0.01, 0.05];
/// From so many failures on an approval is worth a word (SCORING 7).
const FAILURES_MIN: u8 = 2;
/// Most failures that count: after them the total is what it is.
const FAILURES_MAX: u8 = 8;

impl Detector for Prompts {
    fn id(&self) -> DetectorId {
        DetectorId("prompts")
    }

    fn family(&self) -> Family {
        Family::Authentication
    }

    fn assess(&self, view: &View<'_>) -> Opinion {
        let seen = view.seen.conduct.as_ref().and_then(|conduct| conduct.prompt);
        let Some(seen) = seen.filter(|seen| seen.failed > 0) else {
            return Opinion::Abstain(Blind::NotApplicable);
        };
        let habits = view.population.habits().prompts();
        Opinion::Evidence(evidence(seen, habits).into_iter().collect())
    }
}

fn evidence(seen: PromptSeen, habits: &PromptHabits) -> Option<Evidence> {
    let failed = bout(seen, habits);
    let last = habits.fails(seen.kind, seen.failed - 1);
    let facts = vec![Fact::Count(f64::from(seen.failed)), Fact::Share(last)];
    match seen.outcome {
        PromptOutcome::Failed | PromptOutcome::Sent => {
            let text = "{0} prompts for a second factor in a row were denied, ignored or answered wrongly; owners fail \
                        one after as many in {1} of cases";
            Some(line("prompts_failed", failed, Reason::new(text, facts)))
        }
        PromptOutcome::Satisfied if seen.failed >= FAILURES_MIN => {
            let gives_in = GIVES_IN.get(seen.kind.index()).copied().unwrap_or(0.05);
            let satisfied = ln(gives_in) - ln(1.0 - habits.fails(seen.kind, seen.failed));
            let text = "a second factor was satisfied after {0} prompts that failed: people give in";
            let reason = Reason::new(text, facts);
            // Owners who mistype and then get it right are excused no further than to where they began.
            Some(line(
                "approved_after_denials",
                (failed + satisfied).max(0.0),
                reason,
            ))
        }
        PromptOutcome::Satisfied => None,
    }
}

/// The evidence of the failures of a bout, nats, at least 0.
fn bout(seen: PromptSeen, habits: &PromptHabits) -> f64 {
    let counted = seen.failed.min(FAILURES_MAX);
    let nats = |before| (ln(FAILS) - ln(habits.fails(seen.kind, before))).max(0.0);
    (0..counted).map(nats).sum()
}

fn line(signal: &'static str, nats: f64, reason: Reason) -> Evidence {
    // Who stole a session is asked for nothing, and an insider's prompts are the owner's.
    let nats: PerProfile = [nats, nats, nats, 0.0, 0.0];
    Evidence {
        family: Family::Authentication,
        signal: Signal(signal),
        nats,
        reason,
    }
}
