//! Q: what attackers come for, done within the hour of a login that stood out (SCORING 7; FIELD rows on consents, mail rules
//! and factors after a takeover).
//!
//! The login may have been the owner's on a journey, and passed. Who made it does this, too: what spoke against the login speaks
//! against the deed, up to a bound. A deed by itself is judged by `resource` and `sequence`.

use crate::detector::{Detector, View};
use habitus_model::math::ln;
use habitus_model::{Blind, DetectorId, Evidence, Fact, Family, Opinion, Signal, Text};
use habitus_profile::features::doubt::DoubtSeen;

/// Sensitive deeds after a doubtful entrance.
pub struct Aftermath;

/// The most that an entrance says of what follows, nats: it was looked at once already. With 6 the same sessions are found on
/// development seeds 1–3 in enterprises and among consumers, and in small companies fewer (94.4 to 90.3 %).
const NATS_MAX: f64 = 4.0;
/// Share of attackers whose entrance stood out. Assumed: those who look like the owner do not.
const ATTACKERS: f64 = 0.8;

impl Detector for Aftermath {
    fn id(&self) -> DetectorId {
        DetectorId("aftermath")
    }

    fn family(&self) -> Family {
        Family::Sequence
    }

    fn assess(&self, view: &View<'_>) -> Opinion {
        // Who comes in by the deed itself is judged by how.
        let (Some(deed), Some(doubt)) = (view.seen.deed_within(view.context), view.seen.doubt) else {
            return Opinion::Abstain(Blind::NotApplicable);
        };
        let DoubtSeen { nats, minutes } = doubt;
        let owners = view.population.habits().aftermath().stood_out(deed);
        let nats = nats.min(NATS_MAX).min(ln(ATTACKERS / owners).max(0.0));
        let template =
            "it {0}, {1} after somebody came in who stood out: {2} of such deeds follow such an entrance";
        let reason = view.because(template, || {
            vec![
                Fact::Name(Text::const_new(deed.phrase())),
                Fact::Hours(minutes / 60.0),
                Fact::Share(owners),
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
