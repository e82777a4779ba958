//! C: at what hour, in the account's home time zone (SCORING 4).

use crate::detector::{Detector, View};
use habitus_model::math::ln;
use habitus_model::{Blind, DetectorId, Evidence, Fact, Family, Opinion, Signal};
use habitus_profile::features::clock::{Bin, uniform_density};

/// Hours of the week.
pub struct Clock;

/// Visits before the hours of an account mean anything.
const VISITS_MIN: f64 = 3.0;
/// Below this an hour is neither usual nor unusual.
const WORTH_SAYING_NATS: f64 = 0.02;

impl Detector for Clock {
    fn id(&self) -> DetectorId {
        DetectorId("clock")
    }

    fn family(&self) -> Family {
        Family::Clock
    }

    fn assess(&self, view: &View<'_>) -> Opinion {
        // Events of one visit are not independent: only its first one is held against the clock.
        if !view.seen.is_visit {
            return Opinion::Abstain(Blind::NotApplicable);
        }
        let Some(profile) = view
            .profile
            .filter(|profile| profile.clock.visits() >= VISITS_MIN)
        else {
            return Opinion::Abstain(Blind::ThinHistory);
        };
        let bin = Bin::of(view.context.time, profile.zone.unwrap_or_default());
        let population = view.population.clock().density(bin);
        let own = profile.clock.density(bin, population);
        let uniform = uniform_density(bin);
        let owner = ln(own);
        let log_ratio = |attacker: f64| ln(attacker) - owner;
        let stranger = log_ratio(0.5 * uniform + 0.5 * population);
        let nats = [
            stranger,
            log_ratio(population),
            log_ratio(0.5 * own + 0.5 * population),
            stranger,
            log_ratio(0.5 * own + 0.5 * uniform),
        ];
        if stranger.abs() < WORTH_SAYING_NATS {
            return Opinion::Evidence(Vec::new());
        }
        let facts = || {
            vec![
                Fact::Hour(bin.hour()),
                Fact::Count(profile.clock.near(bin)),
                Fact::Count(profile.clock.visits()),
            ]
        };
        let (signal, text) = match (stranger > 0.0, bin.is_weekend()) {
            (true, false) => (
                "unusual_hour",
                "around {0} on a weekday, home time: {1} of {2} recent visits",
            ),
            (true, true) => (
                "unusual_hour",
                "around {0} on a weekend, home time: {1} of {2} recent visits",
            ),
            (false, false) => (
                "usual_hour",
                "around {0} on a weekday is usual: {1} of {2} recent visits",
            ),
            (false, true) => (
                "usual_hour",
                "around {0} on a weekend is usual: {1} of {2} recent visits",
            ),
        };
        Opinion::Evidence(vec![Evidence {
            family: Family::Clock,
            signal: Signal(signal),
            nats,
            reason: view.because(text, facts),
        }])
    }
}
