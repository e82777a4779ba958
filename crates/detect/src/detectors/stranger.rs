//! N: networks that an account comes back to and that nothing of the owner's vouches for (RELIABILITY 6.1).
//!
//! Who only has a password makes a place normal by coming quietly every day. That it was seen before says nothing as long as
//! nobody who is known to be the owner was there: the network detector is silent about it, and how often owners of the tenant
//! come back to such places, for how long and between what else, is measured here.

use crate::attacker::against;
use crate::detector::{Detector, View};
use habitus_model::evidence::PerProfile;
use habitus_model::{DetectorId, Evidence, Fact, Family, Opinion, Signal};

/// Networks that nothing vouches for.
pub struct Stranger;

/// Probability that a visit of each attacker falls into one of the cells: half of their visits are not the first, spread evenly
/// over some twenty cells. Assumed.
const RETURNS: PerProfile = [0.02, 0.02, 0.02, 0.02, f64::NAN];

impl Detector for Stranger {
    fn id(&self) -> DetectorId {
        DetectorId("stranger")
    }

    fn family(&self) -> Family {
        Family::Network
    }

    fn assess(&self, view: &View<'_>) -> Opinion {
        let Some(seen) = view.seen.stranger else {
            return Opinion::Evidence(Vec::new());
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
        Opinion::Evidence(vec![Evidence {
            family: Family::Network,
            signal: Signal("unvouched_network"),
            nats: against(RETURNS, owner),
            reason: view.because(text, facts),
        }])
    }
}
