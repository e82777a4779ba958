//! Q: what attackers come for, done within the hour of a login that stood out (SCORING 7; FIELD rows on consents, mail rules
//! and factors after a takeover).
//!
//! The login may have been the owner's on a journey, and passed. Who made it does this, too: what spoke against the login speaks
//! against the deed, up to a bound. A deed by itself is judged by `resource` and `sequence`.

use crate::detector::{Detector, View};
use habitus_model::{Blind, DetectorId, Evidence, Fact, Family, Opinion, Signal, Status, Text};
use habitus_profile::features::doubt::DoubtSeen;

/// Sensitive deeds after a doubtful entrance.
pub struct Aftermath;

/// The most that a login says of what follows, nats: it was looked at once already, and owners travel. With 3 a point of replayed
/// sessions less is found on development seeds 1–3, with 6 lateral movement falls from 87.5 to 79.2 % and insiders of small companies
/// from 47 to 28 %, whose owners do sensitive things after odd logins, too.
const NATS_MAX: f64 = 4.0;

impl Detector for Aftermath {
    fn id(&self) -> DetectorId {
        DetectorId("aftermath")
    }

    fn family(&self) -> Family {
        Family::Sequence
    }

    fn assess(&self, view: &View<'_>) -> Opinion {
        let deed = view.context.conduct.as_ref().and_then(|conduct| conduct.deed);
        // Who comes in by the deed itself is judged by how.
        let comes_in = view.seen.is_visit && view.seen.keys.prefix.is_some();
        let comes_in = comes_in || view.context.activity.is_authentication();
        let goes_on = view.context.status == Status::Success && !comes_in;
        let (Some(deed), Some(doubt), true) = (deed, view.seen.doubt, goes_on) else {
            return Opinion::Abstain(Blind::NotApplicable);
        };
        let DoubtSeen { nats, minutes } = doubt;
        let nats = nats.min(NATS_MAX);
        let template = "it {0}, {1} after somebody came in who stood out";
        let reason = view.because(template, || {
            vec![
                Fact::Name(Text::const_new(deed.phrase())),
                Fact::Hours(minutes / 60.0),
            ]
        });
        Opinion::Evidence(vec![Evidence {
            family: Family::Sequence,
            signal: Signal("sensitive_aftermath"),
            // The insider came in as the owner does.
            nats: [nats, nats, nats, nats, 0.0],
            reason,
        }])
    }
}
