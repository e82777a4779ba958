//! A: how many prompts for a second factor failed in a row (SCORING 7).
//!
//! A sequential test: each failure counts by how seldom owners fail after as many, which is learned. Whoever has the
//! password and not the phone fails nearly always; whose prompt is answered at once has mostly asked for it. An approval
//! after denials excuses nobody: people give in. What was denied elsewhere is not held against an owner at home. Acts on the
//! account that is attacked: its owner is shown nothing but what happens in its name.

use crate::detector::{Detector, View};
use habitus_model::activity::AuthenticationActivity;
use habitus_model::evidence::PerProfile;
use habitus_model::math::ln;
use habitus_model::{
    Activity, Blind, DetectorId, Evidence, Fact, Family, Opinion, PromptKind, PromptOutcome, Reason, Signal,
};
use habitus_profile::features::prompts::PromptSeen;
use habitus_profile::joint::NetworkNovelty;
use habitus_profile::prompt_habits::PromptHabits;

/// Prompts that failed.
pub struct Prompts;

/// Probability that a prompt fails which the owner did not ask for (SCORING 7: about one in a hundred approves at once).
const FAILS: f64 = 0.97;
/// Probability that a prompt which the owner did not ask for is satisfied at once, by kind: one in a hundred taps it away
/// unseen, and phishers relay the rest; `ln` of these bounds what an answer excuses at 2.5, 4 and 7 nats (SCORING 7).
const ANSWERED: [f64; PromptKind::COUNT] = [0.082, 0.018, 0.0009, 0.082];
/// Probability that it is satisfied after several that failed: a code that was guessed or given away. A tap out of weariness
/// is what the failures were for: it excuses nothing. Assumed.
const GIVES_IN: [f64; PromptKind::COUNT] = [1.0, 0.02, 0.01, 0.05];
/// Probability that a prompt which the owner did not ask for is refused, and not just left alone: the owner is there to wonder.
/// Assumed.
const DENIED: f64 = 0.5;
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
        let Some(seen) = seen else {
            return Opinion::Abstain(Blind::NotApplicable);
        };
        let habits = view.population.habits().prompts();
        let found = match seen.outcome {
            PromptOutcome::Failed | PromptOutcome::Denied | PromptOutcome::Sent => failed(seen, habits),
            PromptOutcome::Satisfied if is_of_others(view, seen) => {
                let own = PromptSeen {
                    failed: 0,
                    denied: 0,
                    ..seen
                };
                answered(view, own, habits)
            }
            PromptOutcome::Satisfied if seen.failed >= FAILURES_MIN => given_in(seen, habits),
            PromptOutcome::Satisfied => answered(view, seen, habits),
        };
        match found {
            None if seen.failed == 0 => Opinion::Abstain(Blind::NotApplicable),
            found => Opinion::Evidence(found.into_iter().collect()),
        }
    }
}

/// Whether the failures were on another network, and this is one that the account knows.
fn is_of_others(view: &View<'_>, seen: PromptSeen) -> bool {
    use NetworkNovelty::{KnownHost, KnownPrefix};
    seen.elsewhere && matches!(view.seen.network_novelty, Some(KnownHost | KnownPrefix))
}

fn failed(seen: PromptSeen, habits: &PromptHabits) -> Option<Evidence> {
    let before = seen.failed.checked_sub(1)?;
    let facts = vec![
        Fact::Count(f64::from(seen.failed)),
        Fact::Share(habits.fails(seen.kind, before)),
    ];
    let text = "{0} prompts for a second factor in a row were denied, ignored or answered wrongly; owners fail one after \
                as many in {1} of cases";
    let nats = bout(seen, habits);
    Some(line("prompts_failed", nats, Reason::new(text, facts)))
}

fn given_in(seen: PromptSeen, habits: &PromptHabits) -> Option<Evidence> {
    let gives_in = GIVES_IN.get(seen.kind.index()).copied().unwrap_or(0.05);
    let satisfied = (ln(gives_in) - ln(1.0 - habits.fails(seen.kind, seen.failed))).min(0.0);
    // Owners who mistype and then get it right are excused no further than to where they began.
    let nats = (bout(seen, habits) + satisfied).max(0.0);
    let text = "a second factor was satisfied after {0} prompts that failed: people give in";
    let reason = Reason::new(text, vec![Fact::Count(f64::from(seen.failed))]);
    Some(line("approved_after_denials", nats, reason))
}

/// A prompt that stands in the log by itself and was answered. Of one that is part of a login, the login says where it was
/// asked for, and whether it was at all.
fn answered(view: &View<'_>, seen: PromptSeen, habits: &PromptHabits) -> Option<Evidence> {
    let by_itself = view.context.activity == Activity::Authentication(AuthenticationActivity::Preauth);
    if !by_itself || !view.has_history() {
        return None;
    }
    let attacker = ANSWERED.get(seen.kind.index()).copied().unwrap_or(0.082);
    let satisfied = (ln(attacker) - ln(1.0 - habits.fails(seen.kind, seen.failed))).min(0.0);
    let text = "the prompt was answered: who has the password alone is seldom answered";
    let reason = Reason::new(text, Vec::new());
    let nats = bout(seen, habits) + satisfied;
    Some(line("prompt_answered", nats.min(0.0), reason))
}

/// The evidence of the failures of a bout, nats, at least 0.
fn bout(seen: PromptSeen, habits: &PromptHabits) -> f64 {
    let counted = seen.failed.min(FAILURES_MAX);
    let nats = |before| (ln(FAILS) - ln(habits.fails(seen.kind, before))).max(0.0);
    let failed: f64 = (0..counted).map(nats).sum();
    // Most sources do not say which were refused: that one was not says nothing.
    let refused = (ln(DENIED) - ln(habits.denies())).max(0.0);
    failed + f64::from(seen.denied.min(FAILURES_MAX)) * refused
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
