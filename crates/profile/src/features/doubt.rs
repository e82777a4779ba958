//! What stood out as somebody came in, for what is done there next.
//!
//! A login that could be the owner's on a journey is let pass. What its visitor does within the hour is done by the same person: if it is
//! what attackers come for, the doubt about the login is doubt about the deed (SCORING 7: sensitive sequences after a login).

use crate::account::Profile;
use crate::recall::Sighting;
use habitus_model::math::to_f32;
use habitus_model::{Context, Minutes};
use serde::{Deserialize, Serialize};

/// So long what is done is held against how somebody came in; visits of attackers are over within the hour mostly. Assumed.
pub const DOUBT_MINUTES: f64 = 60.0;

/// The strongest doubt about who came in of late.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Doubt {
    at: Minutes,
    /// Log-odds of the event that raised it, above 0.
    nats: f32,
    /// Where it came from; absent: the source did not say.
    prefix: Option<u64>,
}

/// A doubt that an event stands under.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DoubtSeen {
    /// Log-odds of the event that raised it, above 0.
    pub nats: f64,
    /// Minutes ago.
    pub minutes: f64,
}

impl Profile {
    /// Takes note of how an event stood out by which somebody came in, as its log-odds.
    pub fn note_entrance(&mut self, seen: &Sighting, context: &Context, log_odds: f64) {
        self.doubt = Doubt::after(self.doubt, (seen, context), log_odds);
    }
}

impl Doubt {
    /// The doubt that is left after somebody came in with such log-odds, and a proof that cannot be phished or not.
    #[must_use]
    pub fn after(
        earlier: Option<Self>,
        (seen, context): (&Sighting, &Context),
        log_odds: f64,
    ) -> Option<Self> {
        let earlier = earlier.filter(|doubt| seen.now.since(doubt.at) < DOUBT_MINUTES);
        let same = |doubt: &Self| doubt.prefix == seen.keys.prefix;
        if context.strong_factor {
            // Whoever proves to be the owner here says nothing of who came in elsewhere.
            return earlier.filter(|doubt| !same(doubt));
        }
        let new = (log_odds > 0.0).then(|| Self {
            at: seen.now,
            nats: to_f32(log_odds),
            prefix: seen.keys.prefix,
        });
        match (earlier, new) {
            (Some(earlier), Some(new)) if earlier.nats >= new.nats => Some(earlier),
            (earlier, new) => new.or(earlier),
        }
    }

    /// The doubt, if an event follows it within the hour and not from elsewhere.
    #[must_use]
    pub fn sight(&self, seen: &Sighting) -> Option<DoubtSeen> {
        let minutes = seen.now.since(self.at);
        let elsewhere = self
            .prefix
            .zip(seen.keys.prefix)
            .is_some_and(|(there, here)| there != here);
        (minutes < DOUBT_MINUTES && !elsewhere).then_some(DoubtSeen {
            nats: f64::from(self.nats),
            minutes,
        })
    }
}
