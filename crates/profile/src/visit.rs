//! The visit that may go on, and what was new as it began.

use crate::features::session::{Relation, SessionSeen};
use crate::hazard::Level;
use crate::journey::Journey;
use crate::recall::Sighting;
use habitus_model::Minutes;
use serde::{Deserialize, Serialize};

/// The visit an event may still belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastVisit {
    /// Prefix it came from.
    pub prefix: Option<u64>,
    /// Client family it came with.
    pub family: Option<u64>,
    /// Its latest event.
    pub at: Minutes,
    /// What was new as it began, if it began by a session that moved.
    pub fresh: Fresh,
}

/// What was new to an account as a visit began that no login begins. Whoever carries a session elsewhere has proven nothing:
/// what is new about the place stays new for as long as the visit goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fresh {
    /// One bit for each [`Level`].
    levels: u8,
    /// How far it was.
    pub(crate) journey: Option<Journey>,
}

impl Fresh {
    /// Of the first event of a visit.
    pub(crate) fn of(seen: &Sighting) -> Self {
        let session = seen.conduct.and_then(|conduct| conduct.session);
        let moved = |session: SessionSeen| {
            session.relation == Relation::Moved || session.shifted.is_some_and(|shift| shift.is_other)
        };
        if !session.is_some_and(moved) {
            return Self::default();
        }
        let levels = [
            (Level::Country, seen.country),
            (Level::Asn, seen.asn),
            (Level::Prefix, seen.prefix),
            (Level::Host, seen.host),
            (Level::Device, seen.device.map(|device| device.seen)),
            (Level::ClientKey, seen.client),
        ];
        let new = levels
            .into_iter()
            .filter(|(_, level)| level.is_some_and(|level| level.is_new()));
        Self {
            levels: new.fold(0, |bits, (level, _)| bits | bit(level)),
            journey: seen.journey,
        }
    }

    /// Whether nothing was.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.levels == 0
    }

    /// Whether this was.
    #[must_use]
    pub fn has(self, level: Level) -> bool {
        self.levels & bit(level) != 0
    }
}

fn bit(level: Level) -> u8 {
    1 << level.index()
}
