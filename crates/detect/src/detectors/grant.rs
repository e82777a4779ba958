//! A: a way in that attackers look for and the account never used (FIELD row 40).
//!
//! Device codes are sent to victims, passwords without a browser and legacy protocols go around second factors. What an
//! account uses every day accuses nobody. Learned by successes.

use crate::attacker::against;
use crate::detector::{Detector, View};
use habitus_model::evidence::PerProfile;
use habitus_model::{Blind, DetectorId, Evidence, Fact, Family, Grant as Way, Opinion, Reason, Signal, Text};

/// Ways in.
pub struct Grant;

/// Probability that each attacker comes by this way. Assumed; that they are sought for is MITRE ATT&CK T1078 and T1528.
const fn attackers(way: Way) -> PerProfile {
    match way {
        Way::DeviceCode => [0.06, 0.06, 0.06, 0.10, f64::NAN],
        Way::Password => [0.08, 0.05, 0.03, 0.01, f64::NAN],
        Way::Legacy => [0.08, 0.05, 0.03, 0.01, f64::NAN],
        // Keys are looked at by those detectors that know machines.
        Way::Key => [0.01, 0.01, 0.01, 0.02, f64::NAN],
    }
}

impl Detector for Grant {
    fn id(&self) -> DetectorId {
        DetectorId("grant")
    }

    fn family(&self) -> Family {
        Family::Authentication
    }

    fn assess(&self, view: &View<'_>) -> Opinion {
        let seen = view.seen.conduct.as_ref().and_then(|conduct| conduct.grant);
        let Some((way, _)) = seen.filter(|(_, new)| *new && view.has_history()) else {
            return Opinion::Abstain(Blind::NotApplicable);
        };
        let owner = view.population.habits().grant(way);
        let reason = Reason::new(
            "{0}, which the account never used: {1} of visits bring it to an account for the first time",
            vec![Fact::Name(Text::const_new(way.phrase())), Fact::Share(owner)],
        );
        // A way that half the organisation just began to use excuses nobody.
        let nats = against(attackers(way), owner).map(|nats| nats.max(0.0));
        Opinion::Evidence(vec![Evidence {
            family: Family::Authentication,
            signal: Signal("new_weak_grant"),
            nats,
            reason,
        }])
    }
}
