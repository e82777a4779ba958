//! What accounts show together: takeovers that share a network or a client, and guesses too slow to be a burst.
//!
//! Counted in a stage of its own *after* the accounts, in the order of the log: whether a network is new can only be told
//! from the account's profile, and a victim must be seen by the next one. Events that show nothing new pass by. Kept by
//! prefix, autonomous system, fleet, device and tenant, bounded in number.

mod guesses;
mod movings;
mod pace;
mod recent;
mod showing;
mod takeovers;

pub use guesses::SlowGuessing;
pub use movings::{Change, ChangeKind, MOVERS_MIN};
pub use pace::Pace;
pub use showing::{CampaignKind, Novelty, Showing, keys_of, showing, tenant_key};
pub use takeovers::Companions;

use crate::attempts::table::{Generations, GenerationsState};
use guesses::Guesses;
use habitus_model::EventTime;
use movings::{Moving, Step, Usual};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use takeovers::Takeovers;

/// Most keys of each of the two watches in each of two generations: 30 MiB when all are full.
const CAPACITY: usize = 65_536;

/// Most keys to which accounts moved, in each of two generations: 4 MiB when all are full. Only a success of an account with a
/// history makes one.
const MOVINGS_CAPACITY: usize = 16_384;

/// What an event shows together with others.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Together {
    /// Other accounts whose network and client are both new, by the key that says most.
    pub companions: Option<Companions>,
    /// Slow guessing, by the key that says most; only beyond its alarm.
    pub guessing: Option<SlowGuessing>,
    /// A change of the tenant that the event goes with: its client is the account's own.
    pub change: Option<Change>,
}

/// The campaigns of all tenants.
#[derive(Debug, Clone)]
pub struct Campaigns {
    takeovers: Generations<Takeovers>,
    guesses: Generations<Guesses>,
    movings: Generations<Moving>,
    paces: BTreeMap<u64, Pace>,
}

/// All campaigns as plain data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CampaignsState {
    takeovers: GenerationsState<Takeovers>,
    guesses: GenerationsState<Guesses>,
    movings: GenerationsState<Moving>,
    paces: BTreeMap<u64, Pace>,
}

impl Together {
    /// Whether nobody else shows anything.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.companions.is_none() && self.guessing.is_none() && self.change.is_none()
    }
}

impl Default for Campaigns {
    fn default() -> Self {
        Self {
            takeovers: Generations::new(CAPACITY),
            guesses: Generations::new(CAPACITY),
            movings: Generations::new(MOVINGS_CAPACITY),
            paces: BTreeMap::new(),
        }
    }
}

/// Sorts of key that guesses are counted by.
const GUESSED_BY: [CampaignKind; 3] = [CampaignKind::Prefix, CampaignKind::Fleet, CampaignKind::Tenant];
/// Sorts of key that takeovers are counted by.
const TAKEN_BY: [CampaignKind; 4] = [
    CampaignKind::Prefix,
    CampaignKind::Asn,
    CampaignKind::Fleet,
    CampaignKind::Device,
];

/// Sorts of key that accounts move to; of the tenant are their lines that lie elsewhere. The first that is a change speaks.
const MOVED_BY: [CampaignKind; 3] = [CampaignKind::Tenant, CampaignKind::Prefix, CampaignKind::Asn];

impl Campaigns {
    /// Counts a login of a tenant: the clock of what is slow. O(log tenants).
    pub fn tick(&mut self, tenant: u64, time: EventTime) {
        self.paces
            .entry(tenant)
            .or_insert_with(|| Pace::new(time))
            .tick(time);
    }

    /// What an event shows together with others, and nothing changed. O(1).
    #[must_use]
    pub fn look(&self, showing: &Showing) -> Together {
        self.counted(showing).together
    }

    /// Counts an event, and tells what it shows together with others. O(1).
    pub fn observe(&mut self, showing: &Showing) -> Together {
        let counted = self.counted(showing);
        for taken in counted.takeovers.into_iter().flatten() {
            self.takeovers.put(taken);
        }
        for guessed in counted.guesses.into_iter().flatten() {
            self.guesses.put(guessed);
        }
        for moved in counted.movings.into_iter().flatten() {
            self.movings.put(moved);
        }
        let pace = self
            .paces
            .entry(showing.tenant)
            .or_insert_with(|| Pace::new(showing.time));
        pace.count(showing.novelty, showing.time, counted.share_usual);
        counted.together
    }

    /// Takes over what `from` knows of an event's keys, unless it is known here already. O(1).
    pub fn adopt(&mut self, showing: &Showing, from: &Campaigns) {
        for key in showing.keys.into_iter().flatten() {
            if self.takeovers.find(key).is_none()
                && let Some(taken) = from.takeovers.find(key)
            {
                self.takeovers.put(*taken);
            }
            if self.guesses.find(key).is_none()
                && let Some(guessed) = from.guesses.find(key)
            {
                self.guesses.put(*guessed);
            }
            if self.movings.find(key).is_none()
                && let Some(moved) = from.movings.find(key)
            {
                self.movings.put(*moved);
            }
        }
        self.adopt_pace(showing.tenant, from);
    }

    /// Takes over what `from` knows of a tenant's pace, unless it is known here already. O(log tenants).
    pub fn adopt_pace(&mut self, tenant: u64, from: &Campaigns) {
        if let Some(pace) = from.paces.get(&tenant) {
            self.paces.entry(tenant).or_insert(*pace);
        }
    }

    /// Forgets a tenant's pace. O(log tenants).
    pub fn forget_pace(&mut self, tenant: u64) {
        self.paces.remove(&tenant);
    }

    /// Forgets a key. O(1).
    pub fn forget(&mut self, key: u64) {
        self.takeovers.forget(key);
        self.guesses.forget(key);
        self.movings.forget(key);
    }

    /// The state as data, the same for the same log.
    #[must_use]
    pub fn state(&self) -> CampaignsState {
        CampaignsState {
            takeovers: self.takeovers.state(),
            guesses: self.guesses.state(),
            movings: self.movings.state(),
            paces: self.paces.clone(),
        }
    }

    /// From data.
    #[must_use]
    pub fn from_state(state: CampaignsState) -> Self {
        Self {
            takeovers: Generations::from_state(state.takeovers, CAPACITY),
            guesses: Generations::from_state(state.guesses, CAPACITY),
            movings: Generations::from_state(state.movings, MOVINGS_CAPACITY),
            paces: state.paces,
        }
    }

    fn counted(&self, showing: &Showing) -> Counted {
        let pace = self
            .paces
            .get(&showing.tenant)
            .copied()
            .unwrap_or_else(|| Pace::new(showing.time));
        let mut counted = Counted::default();
        self.count_guesses(showing, &pace, &mut counted);
        self.count_takeovers(showing, &pace, &mut counted);
        self.count_movings(showing, &pace, &mut counted);
        counted
    }

    fn count_guesses(&self, showing: &Showing, pace: &Pace, counted: &mut Counted) {
        let (mut inhabited, mut guessed_here) = (false, false);
        for (kind, slot) in GUESSED_BY.into_iter().zip(&mut counted.guesses) {
            let Some(key) = showing.keys.get(kind.index()).copied().flatten() else {
                continue;
            };
            let known = self.guesses.find(key);
            let counts = matches!(showing.novelty, Novelty::Guess | Novelty::Arrival);
            if known.is_none() && !counts {
                continue;
            }
            // Where people work, a wrong password is nobody's campaign.
            if kind == CampaignKind::Tenant && (inhabited || showing.novelty == Novelty::Arrival) {
                continue;
            }
            let held = known.copied().unwrap_or_else(|| Guesses::new(key, showing, pace));
            let next = held.with(kind, showing, pace);
            inhabited |= next.is_inhabited();
            guessed_here |= kind == CampaignKind::Prefix && held.is_guessed_from(showing.time);
            // That somebody guesses somewhere accuses nobody who comes from where nobody does.
            if kind == CampaignKind::Tenant && showing.novelty == Novelty::Pair && !guessed_here {
                continue;
            }
            let reading = next.reading(kind, pace);
            let best = counted.together.guessing.map_or(0.0, |best| best.nats);
            if reading.alarms() && reading.nats > best && accused(showing.novelty) {
                counted.together.guessing = Some(reading);
            }
            counted.share_usual = counted.share_usual.min(next.share_usual(pace));
            *slot = Some(next);
        }
    }

    fn count_takeovers(&self, showing: &Showing, pace: &Pace, counted: &mut Counted) {
        if showing.novelty == Novelty::Guess {
            return;
        }
        for (kind, slot) in TAKEN_BY.into_iter().zip(&mut counted.takeovers) {
            let Some(key) = showing.keys.get(kind.index()).copied().flatten() else {
                continue;
            };
            let known = self.takeovers.find(key).copied();
            let held = known.unwrap_or_else(|| Takeovers::new(key, showing.time));
            let next = held.with(kind, showing, pace);
            *slot = Some(next);
            let reading = match showing.novelty {
                Novelty::Pair | Novelty::NearbyPair => next.reading(kind, pace),
                Novelty::Arrival => next.of_arrival(kind, pace),
                Novelty::First | Novelty::Guess => continue,
            };
            let best = counted.together.companions.map_or(0.0, |best| best.nats);
            if reading.nats > best {
                counted.together.companions = Some(reading);
                counted.share_usual = counted.share_usual.min(1.0 / (1.0 + reading.nats));
            }
        }
    }

    fn count_movings(&self, showing: &Showing, pace: &Pace, counted: &mut Counted) {
        let mut crowded = false;
        for (kind, slot) in MOVED_BY.into_iter().zip(&mut counted.movings) {
            // Whom one prefix explains says nothing of its provider, on which half a country may live.
            if kind == CampaignKind::Asn && crowded {
                continue;
            }
            let key = showing.keys.get(kind.index()).copied().flatten();
            let Some((key, step)) = key.zip(Step::of(kind, showing)) else {
                continue;
            };
            let known = self.movings.find(key).copied();
            if known.is_none() && step == Step::Other {
                continue;
            }
            let taken = self.takeovers.find(key);
            let usual = Usual {
                pace,
                settled: taken.map_or(0.0, |taken| taken.settled(showing.time)),
            };
            let held = known.unwrap_or_else(|| Moving::new(key, showing.time));
            let next = held.with(step, showing.time, &usual);
            *slot = Some(next);
            crowded |= kind == CampaignKind::Prefix && next.is_crowded();
            if showing.may_be_excused(kind) && counted.together.change.is_none() {
                counted.together.change = next.change(kind);
            }
        }
    }
}

/// Whether slow guessing speaks of an event like this.
const fn accused(novelty: Novelty) -> bool {
    match novelty {
        Novelty::Guess | Novelty::Pair => true,
        Novelty::NearbyPair | Novelty::Arrival | Novelty::First => false,
    }
}

/// What an event changes, and what it shows.
struct Counted {
    takeovers: [Option<Takeovers>; 4],
    guesses: [Option<Guesses>; 3],
    movings: [Option<Moving>; 3],
    together: Together,
    share_usual: f64,
}

impl Default for Counted {
    fn default() -> Self {
        Self {
            takeovers: [None; 4],
            guesses: [None; 3],
            movings: [None; 3],
            together: Together::default(),
            share_usual: 1.0,
        }
    }
}

#[cfg(test)]
mod tests;
