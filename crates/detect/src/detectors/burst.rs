//! B: among how many failed attempts from the same source (SCORING 5).
//!
//! Speaks on every event of a source that guesses, its successes included: what gets in after fifty failures is hardly
//! the owner. Acts on the source, never on the victim. One key only yet, the address; sprays over many addresses, slow
//! campaigns and counters by account are still to come.

use crate::attacker::scaled;
use crate::detector::{Detector, View};
use habitus_model::{Blind, DetectorId, Evidence, Fact, Family, Opinion, Signal, Status, Text};

/// Bursts of failures.
pub struct Burst;

/// Share of the likelihood ratio that counts: failures of one client that repeats itself are not independent. Assumed.
const INDEPENDENCE: f64 = 0.5;
/// The most a burst says, nats. Above the cap of other families: a count cannot be one wrong row of a table.
const NATS_MAX: f64 = 10.0;
const WORTH_SAYING_NATS: f64 = 0.05;
/// From so many names on it is names that are tried, not passwords (FIELD rows 29, 31, 34).
const MANY_NAMES: f64 = 4.5;

impl Detector for Burst {
    fn id(&self) -> DetectorId {
        DetectorId("burst")
    }

    fn family(&self) -> Family {
        Family::Burst
    }

    fn assess(&self, view: &View<'_>) -> Opinion {
        let Some(burst) = view.burst else {
            return Opinion::Abstain(Blind::NoAddress);
        };
        let nats = (INDEPENDENCE * burst.surprise()).min(NATS_MAX);
        if nats < WORTH_SAYING_NATS {
            return Opinion::Evidence(Vec::new());
        }
        let address = || {
            let ip = view.context.network.ip;
            Text::from(ip.map_or_else(|| "?".to_owned(), |ip| ip.to_string()))
        };
        let facts = || {
            vec![
                Fact::Count(burst.failures),
                Fact::Name(address()),
                Fact::Count(burst.names.max(1.0)),
            ]
        };
        let succeeded = view.context.status == Status::Success;
        let (signal, text) = match (succeeded, burst.names >= MANY_NAMES) {
            (true, _) => (
                "success_after_failures",
                "a success after about {0} failed attempts from {1} within the hour, on {2} names",
            ),
            (false, true) => (
                "many_names_tried",
                "about {0} failed attempts from {1} within the hour, on {2} names",
            ),
            (false, false) => (
                "many_failures",
                "about {0} failed attempts from {1} within the hour",
            ),
        };
        // A careful attacker does not guess; a thief of tokens need not; the owner forgot a password now and then.
        let nats = scaled([1.0, 0.8, 0.3, 0.3, 0.0], nats);
        Opinion::Evidence(vec![Evidence {
            family: Family::Burst,
            signal: Signal(signal),
            nats,
            reason: view.because(text, facts),
        }])
    }
}
