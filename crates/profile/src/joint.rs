//! How new a network is, in one word, and how that goes with a known or a new client.

use crate::bucket::SizeBucket;
use serde::{Deserialize, Serialize};

/// How new the network of a visit is to its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NetworkNovelty {
    /// The address is known.
    KnownHost,
    /// The prefix is known.
    KnownPrefix,
    /// The autonomous system is known.
    KnownAsn,
    /// The country is known.
    KnownCountry,
    /// Not even the country is known.
    NewCountry,
    /// Nothing tells where it is, and the prefix is new.
    Unplaced,
}

impl NetworkNovelty {
    const COUNT: usize = 6;

    fn index(self) -> usize {
        match self {
            NetworkNovelty::KnownHost => 0,
            NetworkNovelty::KnownPrefix => 1,
            NetworkNovelty::KnownAsn => 2,
            NetworkNovelty::KnownCountry => 3,
            NetworkNovelty::NewCountry => 4,
            NetworkNovelty::Unplaced => 5,
        }
    }
}

/// Joint counts of network outcome and device novelty per size of history (SCORING 1, "ND").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Joint {
    counts: Vec<f64>,
}

impl Default for Joint {
    fn default() -> Self {
        Self {
            counts: vec![0.0; SizeBucket::COUNT * NetworkNovelty::COUNT * 2],
        }
    }
}

/// Weight of independence behind each cell, visits that would be expected of it: a cell where little is expected says little
/// (gamma-Poisson shrinkage, DuMouchel 1999). The weight is assumed.
const JOINT_SHRINKAGE: f64 = 2.0;

impl Joint {
    fn at(size: SizeBucket, network: NetworkNovelty, new_device: bool) -> usize {
        (size.index() * NetworkNovelty::COUNT + network.index()) * 2 + usize::from(new_device)
    }

    /// `ln p(i,j) / p(i)p(j)`, shrunk towards 0.
    #[must_use]
    pub fn lift(&self, size: SizeBucket, network: NetworkNovelty, new_device: bool) -> f64 {
        let start = size.index() * NetworkNovelty::COUNT * 2;
        let cells = self
            .counts
            .get(start..start + NetworkNovelty::COUNT * 2)
            .unwrap_or_default();
        let total: f64 = cells.iter().sum();
        let both = self
            .counts
            .get(Self::at(size, network, new_device))
            .copied()
            .unwrap_or(0.0);
        let other = self
            .counts
            .get(Self::at(size, network, !new_device))
            .copied()
            .unwrap_or(0.0);
        let device: f64 = cells.iter().skip(usize::from(new_device)).step_by(2).sum();
        // Half a visit in each margin keeps the ratio finite; with no visits it is 1.
        let row = (both + other + 0.5) / (total + 3.0);
        let column = (device + 0.5) / (total + 1.0);
        let chance = row * column;
        habitus_model::math::ln((both + JOINT_SHRINKAGE) / (total * chance + JOINT_SHRINKAGE))
    }

    /// Counts one visit.
    pub fn learn(&mut self, size: SizeBucket, network: NetworkNovelty, new_device: bool) {
        if let Some(count) = self.counts.get_mut(Self::at(size, network, new_device)) {
            *count += 1.0;
        }
    }

    /// Forgets.
    pub fn scale(&mut self, factor: f64) {
        for count in &mut self.counts {
            *count *= factor;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_joint_table_says_nothing() {
        let joint = Joint::default();
        for network in [NetworkNovelty::KnownHost, NetworkNovelty::NewCountry] {
            assert!(joint.lift(SizeBucket::of(5.0), network, true).abs() < 1e-9);
        }
    }

    #[test]
    fn what_goes_together_is_lifted() {
        let mut joint = Joint::default();
        let size = SizeBucket::of(20.0);
        for _ in 0..500 {
            joint.learn(size, NetworkNovelty::KnownHost, false);
        }
        for _ in 0..50 {
            joint.learn(size, NetworkNovelty::NewCountry, true);
        }
        assert!(joint.lift(size, NetworkNovelty::NewCountry, true) > 1.0);
        assert!(joint.lift(size, NetworkNovelty::KnownHost, true) < -1.0);
    }
}
