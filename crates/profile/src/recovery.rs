//! How often a visit follows a change of the account's factor or password within a day.
//!
//! Estimates it by what is new about the visit, because owners change factors with their phones: a new client after a reset
//! is usual, a new network with a new client is not. Changes are noted whoever makes them (see [`crate::notices`]).

use crate::joint::NetworkNovelty;
use crate::notices::Notice;
use habitus_model::{Deed, Minutes};
use serde::{Deserialize, Serialize};

/// A change counts for so many minutes (FIELD row 38: 12 hours after a reset; a day covers the night).
const RECENT_MINUTES: f64 = 1_440.0;
/// Weight of [`PRIOR`], visits.
const PRIOR_WEIGHT: f64 = 100.0;
/// Probability that a visit follows a change within a day that others made and that its owner made, in the order of
/// [`RecoveryCell`]. Assumed.
const PRIOR: [[f64; Changer::COUNT]; RecoveryCell::COUNT] =
    [[0.001, 0.001], [0.015, 0.025], [0.001, 0.001], [0.004, 0.006]];

/// Who made a change.
///
/// Owners add a factor with a new phone and recover a password they forgot. Resets and removals are made by a help desk, which can
/// be deceived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changer {
    /// A help desk or an administrator, mostly: a factor was removed, a password reset.
    Other,
    /// The owner, mostly: a factor was added, a password recovered by self-service.
    Owner,
}

impl Changer {
    const COUNT: usize = 2;

    /// Who mostly makes such a change.
    #[must_use]
    pub const fn of(deed: Deed) -> Self {
        match deed {
            Deed::FactorRemoved | Deed::PasswordReset => Self::Other,
            _ => Self::Owner,
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::Other => 0,
            Self::Owner => 1,
        }
    }
}

/// What is new about a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryCell {
    /// Its network, from the autonomous system on.
    pub network: bool,
    /// Its client.
    pub client: bool,
}

/// A change of factor or password before an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recovered {
    /// What was changed.
    pub deed: Deed,
    /// Minutes ago.
    pub minutes: f64,
    /// What is new about the visit.
    pub cell: RecoveryCell,
}

/// What a population shows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RecoveryHabits {
    /// Visits after a change, by who made it, and all visits.
    counts: [([f64; Changer::COUNT], f64); RecoveryCell::COUNT],
}

impl RecoveryCell {
    /// Number of cells.
    pub const COUNT: usize = 4;

    /// The cell of a visit.
    #[must_use]
    pub fn of(network: Option<NetworkNovelty>, new_client: bool) -> Self {
        Self {
            network: matches!(
                network,
                Some(NetworkNovelty::KnownCountry | NetworkNovelty::NewCountry | NetworkNovelty::Unplaced)
            ),
            client: new_client,
        }
    }

    fn index(self) -> usize {
        2 * usize::from(self.network) + usize::from(self.client)
    }
}

impl Recovered {
    /// The change before an event; absent if there was none within a day.
    #[must_use]
    pub fn of(notice: &Notice, now: Minutes, cell: RecoveryCell) -> Option<Self> {
        let (deed, minutes) = notice.latest_change(now)?;
        (minutes <= RECENT_MINUTES).then_some(Self { deed, minutes, cell })
    }
}

impl RecoveryHabits {
    /// Probability that a visit of this sort follows a change of this sort within a day, in `(0, 1)`.
    #[must_use]
    pub fn recent(&self, cell: RecoveryCell, changer: Changer) -> f64 {
        let (recent, all) = self.counts.get(cell.index()).copied().unwrap_or_default();
        let of = |each: &[f64; Changer::COUNT]| each.get(changer.index()).copied().unwrap_or(0.0);
        let prior = PRIOR.get(cell.index()).map_or(0.01, of);
        (of(&recent) + PRIOR_WEIGHT * prior) / (all + PRIOR_WEIGHT)
    }

    /// Counts a visit.
    pub fn visited(&mut self, cell: RecoveryCell) {
        if let Some((_, all)) = self.counts.get_mut(cell.index()) {
            *all += 1.0;
        }
    }

    /// Says of a visit that it followed a change.
    pub fn changed(&mut self, cell: RecoveryCell, deed: Deed) {
        let recent = self.counts.get_mut(cell.index());
        let recent = recent.and_then(|(recent, _)| recent.get_mut(Changer::of(deed).index()));
        if let Some(recent) = recent {
            *recent += 1.0;
        }
    }

    /// Forgets.
    pub fn scale(&mut self, factor: f64) {
        for (recent, all) in &mut self.counts {
            recent.iter_mut().for_each(|recent| *recent *= factor);
            *all *= factor;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_counts_for_a_day() {
        let notice = Notice {
            factor_removed: Some(Minutes(100)),
            ..Notice::default()
        };
        let cell = RecoveryCell::of(Some(NetworkNovelty::NewCountry), true);
        assert!(Recovered::of(&notice, Minutes(160), cell).is_some_and(|change| change.minutes == 60.0));
        assert_eq!(Recovered::of(&notice, Minutes(3_000), cell), None);
    }

    #[test]
    fn where_resets_come_with_new_networks_they_accuse_less() {
        let mut habits = RecoveryHabits::default();
        let cell = RecoveryCell::of(Some(NetworkNovelty::NewCountry), true);
        let [by_other, by_owner] =
            [Changer::Other, Changer::Owner].map(|changer| habits.recent(cell, changer));
        for _ in 0..100 {
            habits.visited(cell);
            habits.changed(cell, Deed::FactorAdded);
        }
        assert!(habits.recent(cell, Changer::Owner) > 10.0 * by_owner);
        // What owners do themselves says nothing of what a help desk did.
        assert!(habits.recent(cell, Changer::Other) < by_other);
    }
}
