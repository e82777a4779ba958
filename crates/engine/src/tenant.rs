//! What is shared by the accounts of one tenant: population and calibrations.

use crate::epoch;
use crate::together::Doubt;
use habitus_model::{AccountKind, Minutes, Nats, Probability};
use habitus_profile::told::Told;
use habitus_profile::{Observation, Population};
use habitus_score::Calibration;
use serde::{Deserialize, Serialize};

/// The tables of one tenant, changed at the end of epochs only.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Tenant {
    /// Hazards, popularity, rhythms.
    pub population: Population,
    visits: Strata,
    within: Strata,
    /// Its records so far, probes excepted.
    position: u64,
    /// Position at which its running epoch began.
    began: u64,
    /// What its running epoch has taught.
    pending: Vec<Delta>,
    /// What its accounts will be told to doubt as the epoch ends.
    doubts: Vec<Doubt>,
}

/// Calibrations by kind of account, and of all kinds together.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Strata {
    kinds: [Calibration; 6],
    all: Calibration,
}

/// What an event's total is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stratum {
    /// Logins and beginnings of visits.
    Visit,
    /// What is done within a visit: many events, hardly independent.
    Within,
}

/// What one record changes in its tenant's tables at the end of its epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delta {
    /// What the population learns; nothing within a visit.
    pub observation: Option<Observation>,
    /// What it tells beyond its visit.
    pub told: Option<Box<Told>>,
    /// Kind of account and total, for calibration. Absent: it goes on with a suspicion that was counted.
    pub total: Option<(AccountKind, Stratum, Nats)>,
    /// When.
    pub now: Minutes,
}

impl Tenant {
    /// Calibrated tail probability of a total for a kind of account. What is done within visits is rare only if it is both
    /// among its like and among visits: a hundred events of one visit are no hundred chances to be flagged.
    pub fn tail(&self, kind: AccountKind, stratum: Stratum, total: Nats) -> Probability {
        let visit = self.visits.tail(kind, total);
        match stratum {
            Stratum::Visit => visit,
            Stratum::Within => Probability::new(visit.get().max(self.within.tail(kind, total).get())),
        }
    }

    /// Records to come until its epoch ends, at least 1.
    pub fn until_epoch_end(&self) -> u64 {
        epoch::end_after(self.position) - self.position
    }

    /// Position at which its running epoch began.
    pub fn began(&self) -> u64 {
        self.began
    }

    /// Notes what an account is to doubt as the epoch ends.
    pub fn doubt(&mut self, doubt: Doubt) {
        self.doubts.push(doubt);
    }

    /// What accounts are to doubt, once the epoch has ended.
    pub fn take_doubts(&mut self) -> Vec<Doubt> {
        std::mem::take(&mut self.doubts)
    }

    /// Moves its log on by one record; whether that has ended its epoch, and so changed its tables. `spare` is memory that
    /// goes round: a long epoch's deltas take megabytes, which no tenant keeps while it learns nothing.
    // INVARIANT: epochs follow from the tenant's own log. What others do, and in which order among theirs, changes nothing.
    pub fn advance(&mut self, delta: Option<Delta>, spare: &mut Vec<Delta>) -> bool {
        if self.pending.capacity() == 0 && delta.is_some() {
            std::mem::swap(&mut self.pending, spare);
        }
        self.pending.extend(delta);
        let end = epoch::end_after(self.position);
        self.position += 1;
        if self.position < end {
            return false;
        }
        let mut taught = std::mem::take(&mut self.pending);
        for delta in &taught {
            self.learn(delta);
        }
        taught.clear();
        if taught.capacity() > spare.capacity() {
            *spare = taught;
        }
        self.began = self.position;
        self.settle();
        true
    }

    /// Prepares the tables for an epoch of reading. Changes no result.
    fn settle(&mut self) {
        self.visits.settle();
        self.within.settle();
    }

    /// Takes in what one record taught.
    fn learn(&mut self, delta: &Delta) {
        if let Some(observation) = &delta.observation {
            self.population.learn(observation);
        }
        if let Some(told) = &delta.told {
            self.population.hear(told, delta.now);
        }
        let Some((kind, stratum, total)) = delta.total else {
            return;
        };
        match stratum {
            Stratum::Visit => self.visits.learn(kind, total, delta.now),
            Stratum::Within => self.within.learn(kind, total, delta.now),
        }
    }
}

impl Strata {
    fn tail(&self, kind: AccountKind, total: Nats) -> Probability {
        let own = position(kind).and_then(|at| self.kinds.get(at));
        own.map_or(Probability::new(1.0), |own| own.tail_within(total, &self.all))
    }

    fn settle(&mut self) {
        for calibration in self.kinds.iter_mut().chain([&mut self.all]) {
            calibration.settle();
        }
    }

    fn learn(&mut self, kind: AccountKind, total: Nats, now: Minutes) {
        self.all.learn(total, now);
        if let Some(own) = position(kind).and_then(|at| self.kinds.get_mut(at)) {
            own.learn(total, now);
        }
    }
}

fn position(kind: AccountKind) -> Option<usize> {
    AccountKind::ALL.iter().position(|each| *each == kind)
}
