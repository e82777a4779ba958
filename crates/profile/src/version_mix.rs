//! Which versions of a client the population runs: what a stranger's client would show.
//!
//! Estimates, per family of client, the distribution of versions over recent visits. Held against the version an account
//! showed last it says how often a stranger with that family would show the same, a newer or an older one: the
//! cross-account shuffle of SCORING 3, without the shuffling. Fails for families with more versions than there is room
//! for; the rarest are then forgotten.

use crate::observation::VersionChange;
use habitus_model::math::to_f32;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most families, and most versions of one: 256 × 32 × 12 bytes at most.
const FAMILIES_MAX: usize = 256;
const VERSIONS_MAX: usize = 32;
/// Visits that the prior weighs.
const PRIOR_WEIGHT: f64 = 10.0;
/// A stranger's version where nothing is known of the family: newer or older as it happens. Assumed.
const PRIOR: [f64; VersionChange::COUNT] = [0.35, 0.30, 0.25, 0.10];

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Held {
    os: u32,
    browser: u32,
    visits: f32,
}

/// The versions in use.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct VersionMix {
    families: BTreeMap<u64, Vec<Held>>,
}

/// Operating system and browser version; 0 is unknown.
pub type Versions = (u32, u32);

impl VersionMix {
    /// Counts one visit.
    pub fn learn(&mut self, family: u64, (os, browser): Versions) {
        if self.families.len() >= FAMILIES_MAX && !self.families.contains_key(&family) {
            return;
        }
        let held = self.families.entry(family).or_default();
        if let Some(known) = held
            .iter_mut()
            .find(|known| known.os == os && known.browser == browser)
        {
            known.visits += 1.0;
            return;
        }
        if held.len() >= VERSIONS_MAX {
            let rarest = held
                .iter()
                .enumerate()
                .min_by(|a, b| a.1.visits.total_cmp(&b.1.visits))
                .map(|(at, _)| at);
            if let Some(rarest) = rarest {
                held.swap_remove(rarest);
            }
        }
        held.push(Held {
            os,
            browser,
            visits: 1.0,
        });
    }

    /// Probability that a stranger with this family shows `change` against `before`. Cost: one pass over its versions.
    #[must_use]
    pub fn stranger(&self, family: u64, before: Versions, change: VersionChange) -> f64 {
        let held = self.families.get(&family).map_or(&[][..], Vec::as_slice);
        let (mut like, mut all) = (0.0, 0.0);
        for known in held {
            all += f64::from(known.visits);
            if compare(before, (known.os, known.browser)) == change {
                like += f64::from(known.visits);
            }
        }
        let prior = PRIOR.get(change.index()).copied().unwrap_or(0.1);
        if change == VersionChange::OtherModel {
            return prior;
        }
        (like + PRIOR_WEIGHT * prior) / (all + PRIOR_WEIGHT)
    }

    /// Forgets.
    pub fn scale(&mut self, factor: f64) {
        for held in self.families.values_mut() {
            for known in held.iter_mut() {
                known.visits = to_f32(f64::from(known.visits) * factor);
            }
            held.retain(|known| known.visits >= 0.05);
        }
        self.families.retain(|_, held| !held.is_empty());
    }
}

/// How one pair of versions compares with an earlier one; unknown versions compare as the same.
#[must_use]
pub fn compare(before: Versions, now: Versions) -> VersionChange {
    let older = |was: u32, is: u32| was != 0 && is != 0 && is < was;
    let newer = |was: u32, is: u32| was != 0 && is > was;
    if older(before.0, now.0) || older(before.1, now.1) {
        VersionChange::Downgrade
    } else if newer(before.0, now.0) || newer(before.1, now.1) {
        VersionChange::Upgrade
    } else {
        VersionChange::Same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_runs_what_the_population_runs() {
        let mut mix = VersionMix::default();
        for i in 0..1_000 {
            mix.learn(7, (10, if i % 10 == 0 { 119 } else { 120 }));
        }
        assert!(mix.stranger(7, (10, 120), VersionChange::Same) > 0.85);
        assert!(mix.stranger(7, (10, 119), VersionChange::Same) < 0.15);
        assert!(mix.stranger(7, (10, 119), VersionChange::Upgrade) > 0.85);
        assert!(
            (mix.stranger(8, (1, 1), VersionChange::Same) - 0.35).abs() < 1e-9,
            "unknown families have the prior"
        );
    }

    #[test]
    fn a_flood_of_versions_stays_bounded() {
        let mut mix = VersionMix::default();
        for i in 0..100_000u32 {
            mix.learn(u64::from(i % 1_000), (i, i));
        }
        assert!(
            mix.families.len() <= FAMILIES_MAX
                && mix.families.values().all(|held| held.len() <= VERSIONS_MAX)
        );
    }
}
