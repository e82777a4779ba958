//! What is shared by the accounts of one tenant: population and calibrations.

use crate::epoch;
use habitus_model::{AccountKind, Minutes, Nats, Probability};
use habitus_profile::{Observation, Population};
use habitus_score::Calibration;
use serde::{Deserialize, Serialize};

/// The tables of one tenant, changed at the end of epochs only.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Tenant {
    /// Hazards, popularity, rhythms.
    pub population: Population,
    calibrations: [Calibration; 6],
    /// Its records so far, probes excepted.
    position: u64,
    /// What its running epoch has taught.
    pending: Vec<Delta>,
}

/// What one record changes in its tenant's tables at the end of its epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delta {
    /// What the population learns; nothing within a visit.
    pub observation: Option<Observation>,
    /// Kind of account and total, for calibration.
    pub total: (AccountKind, Nats),
    /// When.
    pub now: Minutes,
}

impl Tenant {
    /// Calibrated tail probability of a total for a kind of account.
    pub fn tail(&self, kind: AccountKind, total: Nats) -> Probability {
        let all = AccountKind::ALL.iter().position(|each| *each == kind);
        let calibration = all.and_then(|index| self.calibrations.get(index));
        calibration.map_or(Probability::new(1.0), |calibration| calibration.tail(total))
    }

    /// Records to come until its epoch ends, at least 1.
    pub fn until_epoch_end(&self) -> u64 {
        epoch::end_after(self.position) - self.position
    }

    /// Moves its log on by one record; whether that has ended its epoch, and so changed its tables.
    // INVARIANT: epochs follow from the tenant's own log. What others do, and in which order among theirs, changes nothing.
    pub fn advance(&mut self, delta: Option<Delta>) -> bool {
        self.pending.extend(delta);
        let end = epoch::end_after(self.position);
        self.position += 1;
        if self.position < end {
            return false;
        }
        for delta in std::mem::take(&mut self.pending) {
            self.learn(&delta);
        }
        true
    }

    /// Takes in what one record taught.
    fn learn(&mut self, delta: &Delta) {
        if let Some(observation) = &delta.observation {
            self.population.learn(observation);
        }
        let (kind, total) = delta.total;
        let index = AccountKind::ALL.iter().position(|each| *each == kind);
        if let Some(calibration) = index.and_then(|index| self.calibrations.get_mut(index)) {
            calibration.learn(total, delta.now);
        }
    }
}
