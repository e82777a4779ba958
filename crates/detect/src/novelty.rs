//! What network and device evidence have in common: how a new, a popular and a waiting value count.

use crate::attacker::scaled;
use crate::detector::View;
use habitus_model::evidence::PerProfile;
use habitus_model::math::{exp, exp2, ln};
use habitus_profile::attempts::is_attempt;
use habitus_profile::known::Familiarity;
use habitus_profile::recall::LevelSeen;

/// A value's popularity moves evidence by at most so many nats (SCORING 1).
pub const POPULARITY_NATS_MAX: f64 = 2.5;
/// Weight of evidence at an account's first visit: it can be odd, but there was hardly an account to take over yet.
/// Assumed.
pub const FIRST_VISIT: f64 = 0.4;
/// Evidence of a value in quarantine that ends by itself, of resources and of machines: so much of a new value's, halving every
/// day. Trust grows with quiet use (SCORING 13). Chosen on development seeds.
const PENDING_SHARE: f64 = 0.35;
const PENDING_HALF_LIFE_DAYS: f64 = 1.0;
/// Share of a new value's evidence that a network and a client which wait together keep at a login, until somebody vouches for
/// one or enough days of use have passed ([`habitus_profile::known::Release`]), and the most it says, nats. It halved every day
/// before, which made a patient attacker normal within a week (RELIABILITY 6.1). Bounded, because what was flagged once need
/// not be flagged as loudly each day: enough to ask for another factor (1 in 100), and not to wake somebody. Chosen on
/// development seeds 1 to 4: poisoned and found 50 % (enterprise), against 56 % with 0.6 and 2.5 nats, which cost 2.5 points of
/// same-country takeovers at 0.1 %.
const UNVOUCHED_SHARE: f64 = 0.5;
const UNVOUCHED_NATS_MAX: f64 = 2.0;

/// A probability of one value, kept within [`POPULARITY_NATS_MAX`] of `flat`, the one of any value.
#[must_use]
pub fn popularity(p: f64, flat: f64) -> f64 {
    flat * exp(ln(p / flat).clamp(-POPULARITY_NATS_MAX, POPULARITY_NATS_MAX))
}

/// Share of a new value's evidence that a value keeps so many days into its quarantine, in `(0, 1)`.
#[must_use]
pub fn pending(age_days: f64) -> f64 {
    PENDING_SHARE * exp2(-age_days / PENDING_HALF_LIFE_DAYS)
}

/// Whether a value waits in quarantine.
#[must_use]
pub fn waits(level: Option<LevelSeen>) -> bool {
    level.is_some_and(|level| matches!(level.familiarity, Familiarity::Pending { .. }))
}

/// Evidence of a network or client in quarantine for so many days, made from what it would say if it was new. Where something
/// `coarser` waits, what waits within it was said already.
#[must_use]
pub fn unvouched(view: &View<'_>, new: PerProfile, (age_days, coarser): (f64, bool)) -> PerProfile {
    let is_machine = view.seen.machine.is_some_and(|machine| machine.is_machine);
    let decayed = scaled(new, pending(age_days));
    // What goes on within a session was said of its login.
    if is_machine || coarser || !is_island(view) || !is_attempt(view.context) {
        return decayed;
    }
    let kept = scaled(new, UNVOUCHED_SHARE).map(|nats| nats.min(UNVOUCHED_NATS_MAX));
    let mut most = decayed;
    for (most, kept) in most.iter_mut().zip(kept) {
        *most = most.max(kept);
    }
    most
}

/// Whether neither network nor client is anything of the owner's yet: one that is known speaks for itself.
fn is_island(view: &View<'_>) -> bool {
    let seen = view.seen;
    let network = [seen.country, seen.asn, seen.prefix].into_iter().any(waits);
    network && (waits(seen.device.map(|device| device.seen)) || waits(seen.client))
}
