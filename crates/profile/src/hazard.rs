//! Novelty hazards: how often a visit brings something new, measured per bucket and backed off (SCORING 1).
//!
//! `h(level, bucket) = (new + s·h(parent)) / (trials + s)`: Beta counters whose parent is the same level over all idle
//! times and devices (of countries: for accounts whose home is as usual), whose parent is all of them, whose parent is a
//! built-in prior. Self-calibrating: where novelty is usual it earns nothing.

use crate::bucket::{Bucket, HomeBucket, IdleBucket, SizeBucket, TypeBucket};
use habitus_model::math::to_f32;
use serde::{Deserialize, Serialize};

/// What may be new, coarse to fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    /// Country, for the account.
    Country,
    /// Autonomous system within a known country.
    Asn,
    /// Prefix within a known autonomous system.
    Prefix,
    /// Address within a known prefix.
    Host,
    /// Family of client.
    Device,
    /// Bound client, where the account shows keys.
    ClientKey,
}

impl Level {
    const COUNT: usize = 6;

    pub(crate) const fn index(self) -> usize {
        match self {
            Level::Country => 0,
            Level::Asn => 1,
            Level::Prefix => 2,
            Level::Host => 3,
            Level::Device => 4,
            Level::ClientKey => 5,
        }
    }
}

/// Prior hazards per level and size of history, before a tenant has shown its own. Assumed, falling with the size of the
/// history; thirty trials of the tenant weigh as much.
const PRIOR: [[f64; SizeBucket::COUNT]; Level::COUNT] = [
    [0.05, 0.03, 0.02, 0.015, 0.012, 0.01, 0.008],
    [0.30, 0.22, 0.15, 0.10, 0.07, 0.04, 0.02],
    [0.45, 0.40, 0.35, 0.30, 0.25, 0.20, 0.15],
    [0.50, 0.45, 0.40, 0.40, 0.35, 0.30, 0.30],
    [0.30, 0.22, 0.15, 0.10, 0.06, 0.03, 0.012],
    [0.30, 0.22, 0.15, 0.10, 0.06, 0.03, 0.015],
];

/// Strength of the built-in prior, trials.
const PRIOR_TRIALS: f64 = 30.0;
/// Strength of a coarser bucket behind a finer one, trials (SCORING 1: s about 50).
const PARENT_TRIALS: f64 = 50.0;

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Beta {
    novel: f32,
    trials: f32,
}

impl Beta {
    fn mean(self, parent: f64, strength: f64) -> f64 {
        (f64::from(self.novel) + strength * parent) / (f64::from(self.trials) + strength)
    }

    fn learn(&mut self, novel: bool) {
        self.trials += 1.0;
        self.novel += f32::from(u8::from(novel));
    }

    fn scale(&mut self, factor: f64) {
        self.novel = to_f32(f64::from(self.novel) * factor);
        self.trials = to_f32(f64::from(self.trials) * factor);
    }
}

const HOMES: usize = SizeBucket::COUNT * HomeBucket::COUNT;
const FINE: usize = HOMES * IdleBucket::COUNT * TypeBucket::COUNT;

/// The counters of one population.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hazards {
    coarse: Vec<Beta>,
    homes: Vec<Beta>,
    fine: Vec<Beta>,
}

impl Default for Hazards {
    fn default() -> Self {
        Self {
            coarse: vec![Beta::default(); Level::COUNT * SizeBucket::COUNT],
            homes: vec![Beta::default(); Level::COUNT * HOMES],
            fine: vec![Beta::default(); Level::COUNT * FINE],
        }
    }
}

impl Hazards {
    /// Probability that a visit in this bucket brings something new at `level`, in `(0, 1)`.
    #[must_use]
    pub fn novelty(&self, level: Level, bucket: Bucket) -> f64 {
        let prior = PRIOR
            .get(level.index())
            .and_then(|row| row.get(bucket.size.index()))
            .copied()
            .unwrap_or(0.05);
        let coarse = self
            .coarse
            .get(coarse_index(level, bucket))
            .copied()
            .unwrap_or_default()
            .mean(prior, PRIOR_TRIALS);
        let home = self
            .homes
            .get(homes_index(level, bucket))
            .copied()
            .unwrap_or_default()
            .mean(coarse, PARENT_TRIALS);
        self.fine
            .get(fine_index(level, bucket))
            .copied()
            .unwrap_or_default()
            .mean(home, PARENT_TRIALS)
    }

    /// Trials and novelties counted for this level and size of history, for explanations.
    #[must_use]
    pub fn counts(&self, level: Level, bucket: Bucket) -> (f64, f64) {
        let beta = self
            .coarse
            .get(coarse_index(level, bucket))
            .copied()
            .unwrap_or_default();
        (f64::from(beta.novel), f64::from(beta.trials))
    }

    /// Learns one trial.
    pub fn learn(&mut self, level: Level, bucket: Bucket, novel: bool) {
        for beta in [
            self.coarse.get_mut(coarse_index(level, bucket)),
            self.homes.get_mut(homes_index(level, bucket)),
            self.fine.get_mut(fine_index(level, bucket)),
        ]
        .into_iter()
        .flatten()
        {
            beta.learn(novel);
        }
    }

    /// Forgets: multiplies every count.
    pub fn scale(&mut self, factor: f64) {
        for beta in self
            .coarse
            .iter_mut()
            .chain(&mut self.homes)
            .chain(&mut self.fine)
        {
            beta.scale(factor);
        }
    }
}

fn coarse_index(level: Level, bucket: Bucket) -> usize {
    level.index() * SizeBucket::COUNT + bucket.size.index()
}

/// Where the account lives tells of the countries it brings, and of nothing else.
fn at_home(level: Level, bucket: Bucket) -> usize {
    let home = if level == Level::Country {
        bucket.home.index()
    } else {
        0
    };
    bucket.size.index() * HomeBucket::COUNT + home
}

fn homes_index(level: Level, bucket: Bucket) -> usize {
    level.index() * HOMES + at_home(level, bucket)
}

fn fine_index(level: Level, bucket: Bucket) -> usize {
    let within = (at_home(level, bucket) * IdleBucket::COUNT + bucket.idle.index()) * TypeBucket::COUNT;
    level.index() * FINE + within + bucket.device.index()
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_model::DeviceType;

    fn bucket(visits: f64) -> Bucket {
        Bucket {
            size: SizeBucket::of(visits),
            idle: IdleBucket::of(0.1),
            device: TypeBucket::of(DeviceType::Desktop),
            home: HomeBucket::of(0.9),
        }
    }

    #[test]
    fn novelty_becomes_what_the_tenant_shows() {
        let mut hazards = Hazards::default();
        let before = hazards.novelty(Level::Asn, bucket(100.0));
        for i in 0..2_000 {
            hazards.learn(Level::Asn, bucket(100.0), i % 4 == 0);
        }
        let after = hazards.novelty(Level::Asn, bucket(100.0));
        assert!(before < 0.05 && (after - 0.25).abs() < 0.02, "{before} {after}");
        assert!(
            hazards.novelty(Level::Asn, bucket(1.0)) > 0.2,
            "other buckets keep their prior"
        );
    }
}
