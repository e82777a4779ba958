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

/// An entrance that was judged anew once others had been looked at.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    /// When it was.
    pub at: Minutes,
    /// Where it came from; absent: the source did not say.
    pub prefix: Option<u64>,
    /// Log-odds that it was noted with.
    pub before: f64,
    /// Log-odds that it ended with.
    pub after: f64,
}

impl Profile {
    /// Takes note of an entrance that was judged anew: what was noted of it is replaced. What the account did since stands as it
    /// was judged.
    pub fn revise_entrance(&mut self, revision: &Revision) {
        self.doubt = Doubt::revised(self.doubt, revision);
    }

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

    /// The doubt that is left after an entrance was judged anew.
    fn revised(earlier: Option<Self>, revision: &Revision) -> Option<Self> {
        let noted = |nats: f64| {
            (nats > 0.0).then(|| Self {
                at: revision.at,
                nats: to_f32(nats),
                prefix: revision.prefix,
            })
        };
        let after = noted(revision.after);
        match (earlier, after) {
            (Some(earlier), after) if Some(earlier) == noted(revision.before) => after,
            // A stronger doubt had been kept in its place, or has come since.
            (Some(earlier), Some(after)) if after.nats > earlier.nats && !after.is_over(earlier.at) => {
                Some(after)
            }
            // It was noted, and the owner has proven to be there since: else nothing had been noted.
            (None, Some(after)) if revision.before <= 0.0 => Some(after),
            (earlier, _) => earlier,
        }
    }

    fn is_over(&self, now: Minutes) -> bool {
        now.since(self.at) >= DOUBT_MINUTES
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOTED: Doubt = Doubt {
        at: Minutes(1_000),
        nats: 3.0,
        prefix: Some(7),
    };

    fn revision(before: f64, after: f64) -> Revision {
        Revision {
            at: NOTED.at,
            prefix: NOTED.prefix,
            before,
            after,
        }
    }

    fn left(earlier: Option<Doubt>, before: f64, after: f64) -> Option<f32> {
        Doubt::revised(earlier, &revision(before, after)).map(|doubt| doubt.nats)
    }

    #[test]
    fn what_was_noted_of_an_entrance_is_replaced() {
        assert_eq!(left(Some(NOTED), 3.0, 1.0), Some(1.0), "excused in part");
        assert_eq!(left(Some(NOTED), 3.0, -2.0), None, "excused");
        assert_eq!(left(Some(NOTED), 3.0, 6.0), Some(6.0), "one of a campaign");
        assert_eq!(left(None, -1.0, 2.0), Some(2.0), "it had not stood out alone");
    }

    #[test]
    fn other_entrances_stay_as_they_were_noted() {
        let stronger = Doubt { nats: 5.0, ..NOTED };
        assert_eq!(left(Some(stronger), 3.0, -2.0), Some(5.0));
        assert_eq!(left(Some(stronger), 3.0, 6.0), Some(6.0));
        let later = Doubt {
            at: Minutes(1_060),
            ..NOTED
        };
        assert_eq!(left(Some(later), 1.0, 6.0), Some(3.0), "its hour is over");
        assert_eq!(left(None, 3.0, 6.0), None, "a strong proof came since");
    }
}
