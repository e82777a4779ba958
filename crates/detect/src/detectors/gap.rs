//! G: after what silence (SCORING 4). A dormant account that wakes is more often somebody else's than one in use.

use crate::detector::{Detector, View};
use habitus_model::math::{exp, ln};
use habitus_model::{Blind, DetectorId, Evidence, Fact, Family, Opinion, Reason, Signal};
use habitus_profile::Profile;
use habitus_profile::features::gap::Rhythm;

/// Silence before a visit.
pub struct Gap;

/// Gaps needed before an account has a rhythm.
const GAPS_MIN: f64 = 2.0;
/// An attacker's visit falls into a silence of any length: a normal three times as wide as the usual rhythm.
const ATTACKER_WIDTH: f64 = 3.0;
/// Bounds of this evidence, nats (SCORING 4): silence accuses more than regularity excuses.
const NATS_MIN: f64 = -1.0;
const NATS_MAX: f64 = 3.0;
/// Bounds of the evidence of activity, nats: from accounts in use all day to those used once in a season.
const ACTIVITY_NATS_MIN: f64 = -2.0;
const ACTIVITY_NATS_MAX: f64 = 3.0;
const WORTH_SAYING_NATS: f64 = 0.02;

impl Detector for Gap {
    fn id(&self) -> DetectorId {
        DetectorId("gap")
    }

    fn family(&self) -> Family {
        Family::Gap
    }

    fn assess(&self, view: &View<'_>) -> Opinion {
        if !view.seen.is_visit {
            return Opinion::Abstain(Blind::NotApplicable);
        }
        let (Some(minutes), Some(profile)) = (view.seen.gap_minutes, view.profile) else {
            return Opinion::Abstain(Blind::ThinHistory);
        };
        if profile.gap.count() < GAPS_MIN {
            return Opinion::Abstain(Blind::ThinHistory);
        }
        let activity = activity(view, profile);
        let rhythm = profile.gap.rhythm(view.population.rhythm());
        let nats = evidence(minutes, rhythm);
        if nats.abs() < WORTH_SAYING_NATS {
            return Opinion::Evidence(vec![activity]);
        }
        let (signal, text) = if nats > 0.0 {
            (
                "dormant",
                "silent for {0} before this; visits are usually {1} apart",
            )
        } else {
            (
                "usual_rhythm",
                "{0} since the last visit; visits are usually {1} apart",
            )
        };
        let facts = || vec![Fact::Hours(minutes / 60.0), Fact::Hours(exp(rhythm.mean) / 60.0)];
        Opinion::Evidence(vec![activity, line(signal, nats, view.because(text, facts))])
    }
}

/// Attackers pick accounts, owners make visits: of the visits to an account that is seldom used a larger share is an
/// attacker's. The ratio of rates is the prior odds `p(u|A) / p(u|L)` of Freeman et al. (NDSS 2016, eq. 7).
fn activity(view: &View<'_>, profile: &Profile) -> Evidence {
    let usual_days = exp(view.population.rhythm().mean) / 1_440.0;
    let age_days = view.seen.now.days_since(profile.first_seen);
    let days_per_visit = (age_days + usual_days) / (f64::from(profile.visits_ever()) + 1.0);
    let nats = ln(days_per_visit / usual_days).clamp(ACTIVITY_NATS_MIN, ACTIVITY_NATS_MAX);
    let (signal, text) = if nats > 0.0 {
        (
            "seldom_used",
            "this account is used every {0}, less than others: a stranger's visit weighs more among its own",
        )
    } else {
        (
            "often_used",
            "this account is used every {0}, more than others: most of its visits are its owner's",
        )
    };
    line(
        signal,
        nats,
        view.because(text, || vec![Fact::Days(days_per_visit)]),
    )
}

fn line(signal: &'static str, nats: f64, reason: Reason) -> Evidence {
    Evidence {
        family: Family::Gap,
        signal: Signal(signal),
        nats: [nats, nats, nats, nats, 0.0],
        reason,
    }
}

fn evidence(minutes: f64, rhythm: Rhythm) -> f64 {
    let z = (ln(minutes.max(1.0)) - rhythm.mean) / rhythm.deviation;
    // One-sided: a second visit right after the first is nobody's mark.
    let z = z.max(0.0);
    let ratio = 0.5 * z * z * (1.0 - 1.0 / (ATTACKER_WIDTH * ATTACKER_WIDTH)) - ln(ATTACKER_WIDTH);
    ratio.clamp(NATS_MIN, NATS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_accuses_and_haste_does_not() {
        let daily = Rhythm {
            mean: ln(1_440.0),
            deviation: 0.8,
        };
        assert!(evidence(1_440.0, daily) < 0.0);
        assert!(evidence(5.0, daily) < 0.0);
        assert!(evidence(1_440.0 * 200.0, daily) > 2.0);
    }
}
