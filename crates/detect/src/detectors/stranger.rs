//! N: networks that an account comes back to and that nothing of the owner's vouches for (RELIABILITY 6.1).
//!
//! Who only has a password makes a place normal by coming quietly every day. That it was seen before says nothing as long as
//! nobody who is known to be the owner was there: the network detector is silent about it, and how often owners of the tenant
//! are at such places, for how long and between what else, is measured here.

use crate::attacker::against;
use crate::detector::{Detector, View};
use habitus_model::evidence::PerProfile;
use habitus_model::{Blind, DetectorId, Evidence, Fact, Family, Opinion, Signal};
use habitus_profile::attempts::is_attempt;

/// Networks that nothing vouches for.
pub struct Stranger;

/// Probability that a login of each attacker falls into one of the cells: half of their logins are from places they came back
/// to, spread evenly over some two dozen cells, of shorter use too. Assumed.
const RETURNS: PerProfile = [0.02, 0.02, 0.02, 0.02, f64::NAN];
/// The least and the most that is said of one login, nats: where owners often live so, that is no excuse, and it is enough to
/// ask for another factor (1 in 100) and not to wake somebody each day. What was new was said at the first one. With 7 from the
/// second day on enterprises' same-country takeovers at 0.1 % fell from 84 to 80 % (seeds 1-3).
const NATS: (f64, f64) = (-0.5, 4.0);

impl Detector for Stranger {
    fn id(&self) -> DetectorId {
        DetectorId("stranger")
    }

    fn family(&self) -> Family {
        Family::Network
    }

    fn assess(&self, view: &View<'_>) -> Opinion {
        // What goes on within a session was said of its login.
        let Some(seen) = view.seen.stranger.filter(|_| is_attempt(view.context)) else {
            return Opinion::Abstain(Blind::NotApplicable);
        };
        let owner = view.population.habits().strangers().share(seen.cell);
        let text = "the network was first seen {0} ago and used on {1} days, and nothing vouches for it: no device key, no \
                    code, no client that is known from elsewhere; {2} of visits are like this";
        let facts = || {
            vec![
                Fact::Days(seen.age_days),
                Fact::Count(f64::from(seen.days)),
                Fact::Share(owner),
            ]
        };
        let (least, most) = NATS;
        Opinion::Evidence(vec![Evidence {
            family: Family::Network,
            signal: Signal("unvouched_network"),
            nats: against(RETURNS, owner).map(|nats| nats.clamp(least, most)),
            reason: view.because(text, facts),
        }])
    }
}
