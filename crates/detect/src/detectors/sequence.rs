//! Q: after what actions (SCORING 8).
//!
//! What the account does next, given what it did before, compared with what anybody would do: somebody else at the account
//! does things in another order, and other things. A step says little; the steps of a session add up (`crate::belief`).
//! Learned by successes that raised no suspicion; who does things in no order, or as everybody does, is neither accused nor
//! excused.

use crate::detector::{Detector, View};
use habitus_model::math::ln;
use habitus_model::{Blind, DetectorId, Evidence, Fact, Family, Opinion, Signal, Text};
use habitus_profile::features::sequence::Before;

/// The order of actions.
pub struct Sequence;

/// Actions that were counted before the account's order means anything. Assumed.
const COUNTED_MIN: f64 = 20.0;
/// A step says at most so much, nats (SCORING 8).
const STEP_NATS_MAX: f64 = 2.0;
/// Share of a step's likelihood ratio that counts: actions of one task follow from each other. Assumed.
const INDEPENDENCE: f64 = 0.5;
/// Probability that an attacker does what anybody would do; else what the owner would, to reach the same things. Assumed.
const STRANGER: f64 = 0.7;
const WORTH_SAYING_NATS: f64 = 0.05;

impl Detector for Sequence {
    fn id(&self) -> DetectorId {
        DetectorId("sequence")
    }

    fn family(&self) -> Family {
        Family::Sequence
    }

    fn assess(&self, view: &View<'_>) -> Opinion {
        let Some(step) = view
            .seen
            .conduct
            .as_ref()
            .and_then(|conduct| conduct.step.as_ref())
        else {
            return Opinion::Evidence(Vec::new());
        };
        if step.counted() < COUNTED_MIN {
            return Opinion::Abstain(Blind::ThinHistory);
        }
        let anybody = view
            .population
            .habits()
            .sequences()
            .probability(step.before, step.next);
        let owner = step.probability(anybody);
        let attacker = STRANGER * anybody + (1.0 - STRANGER) * owner;
        let nats = INDEPENDENCE * (ln(attacker) - ln(owner)).clamp(-STEP_NATS_MAX, STEP_NATS_MAX);
        // How often somebody goes on with the same is a volume.
        let goes_on = step.before == Before::NOTHING.then(step.next).then(step.next);
        let nats = if goes_on { nats.min(0.0) } else { nats };
        if nats.abs() < WORTH_SAYING_NATS {
            return Opinion::Evidence(Vec::new());
        }
        let (signal, template) = if nats > 0.0 {
            (
                "unusual_action",
                "{0} is not what the account does after what it did: {1} of its steps, and {2} of anybody's",
            )
        } else {
            (
                "usual_action",
                "{0} is what the account does after what it did: {1} of its steps, and {2} of anybody's",
            )
        };
        let action = view
            .context
            .conduct
            .as_ref()
            .and_then(|conduct| conduct.action.as_ref());
        let reason = view.because(template, || {
            let name = action.map_or(Text::const_new("this"), |action| action.name.clone());
            vec![Fact::Name(name), Fact::Share(owner), Fact::Share(anybody)]
        });
        Opinion::Evidence(vec![Evidence {
            family: Family::Sequence,
            signal: Signal(signal),
            nats: [nats; 5],
            reason,
        }])
    }
}
