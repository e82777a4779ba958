//! What network and device evidence have in common: how a new, a popular and a waiting value count.

use habitus_model::math::{exp, exp2, ln};

/// A value's popularity moves evidence by at most so many nats (SCORING 1).
pub const POPULARITY_NATS_MAX: f64 = 2.5;
/// Weight of evidence at an account's first visit: it can be odd, but there was hardly an account to take over yet.
/// Assumed.
pub const FIRST_VISIT: f64 = 0.4;
/// Evidence of a value in quarantine: so much of a new value's, halving every day. Trust grows with quiet use, and the
/// quarantine itself ends after three days (SCORING 13). Chosen on development seeds.
const PENDING_SHARE: f64 = 0.35;
const PENDING_HALF_LIFE_DAYS: f64 = 1.0;

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
