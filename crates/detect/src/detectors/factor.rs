//! A: whether a second factor was asked for, and of what kind.
//!
//! Providers ask devices they do not remember. That they did not ask says that they know the device, which no log field
//! says; that a client which looks known was asked says that it only looks so. A factor that cannot be phished was in the
//! owner's hands. Never an accusation: a strong factor; nor, of itself, a prompt that was answered.

use crate::attacker::against;
use crate::detector::{Detector, View};
use habitus_model::evidence::PerProfile;
use habitus_model::{Blind, DetectorId, Evidence, Fact, Family, Opinion, Reason, Signal};
use habitus_profile::second_factor::FactorSeen;

/// Second factors.
pub struct Factor;

/// Probability that each attacker gets in where a factor that cannot be phished is shown: hardly, without the owner's
/// hands (NIST SP 800-63B-4, section 3.2.5); a stolen session shows what the owner did.
const STRONG: PerProfile = [0.01, 0.01, 0.01, 0.3, f64::NAN];
/// Least probability that an attacker is not asked: legacy protocols and replayed cookies go around the question. Assumed.
const BYPASS: f64 = 0.08;
const WORTH_SAYING_NATS: f64 = 0.02;

impl Detector for Factor {
    fn id(&self) -> DetectorId {
        DetectorId("factor")
    }

    fn family(&self) -> Family {
        Family::Authentication
    }

    fn assess(&self, view: &View<'_>) -> Opinion {
        let Some(seen) = view.seen.factor else {
            return Opinion::Abstain(Blind::NotApplicable);
        };
        let found = match (seen.strong, seen.shown) {
            (true, _) => strong(view, seen),
            (false, true) => weaker(view, seen).or_else(|| asked(view, seen)),
            // What a provider remembers of a device that nothing vouches for, an attacker may have taught it.
            (false, false) if view.seen.stranger.is_some() => None,
            (false, false) => Some(not_asked(view, seen)),
        };
        let worth = |one: &Evidence| one.nats.iter().any(|nats| nats.abs() >= WORTH_SAYING_NATS);
        Opinion::Evidence(found.filter(worth).into_iter().collect())
    }
}

fn strong(view: &View<'_>, seen: FactorSeen) -> Option<Evidence> {
    let share = seen.strong_share?;
    let reason = view.because(
        "a factor that cannot be phished, as in {0} of this account's",
        || vec![Fact::Share(share)],
    );
    // For accounts that seldom show one it is no news that thieves of sessions do: it excuses less and never accuses.
    let nats = against(STRONG, share).map(|nats| nats.min(0.0));
    Some(line("strong_factor", nats, reason))
}

/// Who always shows a key and now relays a code was perhaps talked out of it.
fn weaker(view: &View<'_>, seen: FactorSeen) -> Option<Evidence> {
    let share = seen.strong_share?;
    // Of a thief, too, it says no good: so that a stronger factor never raises what a weaker one lowers.
    let nats = against([0.95, 0.95, 0.9, 0.5, f64::NAN], (1.0 - share).max(0.05)).map(|nats| nats.max(0.0));
    let reason = view.because(
        "a factor that can be phished; {0} of this account's could not",
        || vec![Fact::Share(share)],
    );
    Some(line("weaker_factor", nats, reason))
}

fn asked(view: &View<'_>, seen: FactorSeen) -> Option<Evidence> {
    if is_new_family(view) {
        return None;
    }
    let stranger = seen.stranger.max(seen.usual);
    let nats = against([stranger, stranger, stranger, seen.usual, f64::NAN], seen.usual);
    let reason = view.because(
        "a second factor was asked of a client that looks known, as in {0} of visits with one",
        || vec![Fact::Share(seen.usual)],
    );
    Some(line("known_client_asked", nats, reason))
}

fn not_asked(view: &View<'_>, seen: FactorSeen) -> Evidence {
    let owner = 1.0 - seen.usual;
    let stranger = (1.0 - seen.stranger).max(BYPASS);
    let stolen = if is_new_family(view) {
        stranger
    } else {
        owner.max(stranger)
    };
    let nats = against([stranger, stranger, stranger, stolen, f64::NAN], owner);
    let facts = || vec![Fact::Share(owner)];
    if nats.first().is_some_and(|nats| *nats > 0.0) {
        let text =
            "no second factor was asked, though this account has one: {0} of visits with such a client";
        line("factor_not_asked", nats, view.because(text, facts))
    } else {
        let text = "no second factor was asked: the provider remembers the device, as in {0} of visits";
        line("remembered_device", nats, view.because(text, facts))
    }
}

fn is_new_family(view: &View<'_>) -> bool {
    view.seen.device.is_some_and(|device| device.seen.is_new())
}

fn line(signal: &'static str, nats: PerProfile, reason: Reason) -> Evidence {
    Evidence {
        family: Family::Authentication,
        signal: Signal(signal),
        nats,
        reason,
    }
}
