//! Tail calibration: how often a legitimate event of this tenant and kind of account scores at least as high
//! (SCORING 10).
//!
//! A histogram of log-odds with exponential forgetting; beyond its last hundred events an exponential tail, whose rate is
//! the mean excess (the peaks-over-threshold method with shape 0, Pickands 1975); before there are thousands of events
//! shrunk, on the scale of `ln p`, towards the bound that holds for any likelihood ratio, `p ≤ e^-s` (Markov). Monotone:
//! a higher total never gets a lower score. 2 KiB.

use habitus_model::math::{exp, half_life_factor, ln, whole};
use habitus_model::{Decayed, Minutes, Nats, Probability};
use serde::{Deserialize, Serialize};

/// Histogram from −8 to 40 nats in steps of a fifth: finer than what moves a score by two points.
const LOWEST: f64 = -8.0;
const STEP: f64 = 0.2;
const BINS: usize = 240;
/// Effective events with which the prior tail weighs as much as the tenant's own.
const PRIOR_EVENTS: f64 = 300.0;
/// Effective events with which a wider population's tail weighs as much as the own one, and from which on it does not count
/// (SCORING 10 backs off until 5,000; two dozen administrators made 1,500 events whose tail was too steep).
const WIDER_EVENTS: f64 = 10_000.0;
const ENOUGH_EVENTS: f64 = 50_000.0;
/// Events in the tail beyond which it is extrapolated: enough for a mean excess within 10 %.
const TAIL_EVENTS: f64 = 100.0;
/// Share of events that are a tail whose fall can be measured. Assumed: peaks over the 95th percentile are the usual choice
/// (McNeil & Frey 2000).
const TAIL_SHARE: f64 = 0.05;
/// Mean excess of the prior tail, nats, and its weight: a likelihood ratio's tail falls by e per nat or faster.
const PRIOR_EXCESS: f64 = 1.0;
const PRIOR_EXCESS_WEIGHT: f64 = 20.0;
/// Half-life of the counts, days (SCORING 10: 30 d).
const HALF_LIFE_DAYS: f64 = 30.0;

/// The calibration of one tenant and kind of account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    counts: Vec<f64>,
    total: f64,
    decayed: Decayed,
    #[serde(skip)]
    sums: Sums,
}

/// What [`Calibration::settle`] worked out of the counts: derived, and no part of the state.
#[derive(Debug, Clone, Default)]
struct Sums {
    holds: bool,
    /// Events above each bin.
    above: Vec<f64>,
    /// The highest bin from which on the tail holds enough events, and the tail there.
    anchor: Option<Anchor>,
}

impl PartialEq for Sums {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The edge from which the tail is extrapolated.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    index: usize,
    ln_tail: f64,
    mean_excess: f64,
}

impl Default for Calibration {
    fn default() -> Self {
        Self {
            counts: vec![0.0; BINS],
            total: 0.0,
            decayed: Decayed::default(),
            sums: Sums::default(),
        }
    }
}

impl Calibration {
    /// Probability that a legitimate event scores at least `s`. Cost: constant once settled, else one scan of the
    /// histogram's upper part; the same either way.
    #[must_use]
    pub fn tail(&self, s: Nats) -> Probability {
        let prior = prior_ln_tail(s.0);
        let own = self.own_ln_tail(s.0);
        let share = self.total / (self.total + PRIOR_EVENTS);
        Probability::new(exp(share * own + (1.0 - share) * prior))
    }

    /// The same, shrunk towards a wider population's calibration while it holds few events: a kind of account of which
    /// there are ten has no tail of its own. Cost: as [`Calibration::tail`], twice until it holds enough.
    #[must_use]
    pub fn tail_within(&self, s: Nats, wider: &Calibration) -> Probability {
        let own = self.tail(s);
        if self.total >= ENOUGH_EVENTS {
            return own;
        }
        let share = self.total / (self.total + WIDER_EVENTS);
        let wider = ln(wider.tail(s).get().max(f64::MIN_POSITIVE));
        Probability::new(exp(
            share * ln(own.get().max(f64::MIN_POSITIVE)) + (1.0 - share) * wider
        ))
    }

    /// The ends of the bin that a total lies in: what lies between them is not told apart. The outermost bins reach as far as totals do.
    #[must_use]
    pub fn bin_ends(s: Nats) -> (Nats, Nats) {
        let at = bin(s.0);
        (Nats(edge(at).min(s.0)), Nats(edge(at + 1).max(s.0)))
    }

    /// Effective number of events behind it.
    #[must_use]
    pub fn events(&self) -> f64 {
        self.total
    }

    /// Learns the total of one event taken for legitimate.
    pub fn learn(&mut self, s: Nats, now: Minutes) {
        self.sums.holds = false;
        self.forget(now);
        if let Some(count) = self.counts.get_mut(bin(s.0)) {
            *count += 1.0;
            self.total += 1.0;
        }
    }

    /// Keeps the shape with so many effective events behind it at most.
    pub fn weaken(&mut self, events_max: f64) {
        if self.total <= events_max {
            return;
        }
        self.sums.holds = false;
        let factor = events_max / self.total;
        self.total = 0.0;
        for count in &mut self.counts {
            *count *= factor;
            self.total += *count;
        }
    }

    /// Works out what every tail needs, until something is learned. Changes no result. Cost: one scan of the histogram,
    /// nothing if it is settled.
    pub fn settle(&mut self) {
        if self.sums.holds {
            return;
        }
        let enough = self.enough();
        let (mut above, mut excess) = (0.0, 0.0);
        self.sums.above.clear();
        self.sums.above.resize(self.counts.len(), 0.0);
        self.sums.anchor = None;
        for (index, (count, sum)) in self.counts.iter().zip(&mut self.sums.above).enumerate().rev() {
            *sum = above;
            above += count;
            excess += STEP * above;
            if above >= enough && self.sums.anchor.is_none() {
                self.sums.anchor = Some(Anchor {
                    index,
                    ln_tail: ln(above / self.total),
                    mean_excess: mean_excess(excess, above, self.total),
                });
            }
        }
        self.sums.holds = true;
    }

    /// Events in the tail from which on it is extrapolated.
    fn enough(&self) -> f64 {
        TAIL_EVENTS.min(self.total / 4.0)
    }

    fn own_ln_tail(&self, s: f64) -> f64 {
        if self.total <= 0.0 {
            return 0.0;
        }
        if !self.sums.holds {
            return self.scanned_ln_tail(s);
        }
        let Some(anchor) = self.sums.anchor else {
            return 0.0;
        };
        let target = bin(s);
        if target > anchor.index {
            return (anchor.ln_tail - (s - edge(anchor.index)).max(0.0) / anchor.mean_excess).min(0.0);
        }
        let (above, count) = (self.sums.above.get(target), self.counts.get(target));
        above
            .zip(count)
            .map_or(0.0, |(above, count)| self.ln_within(s, (target, *above, *count)))
    }

    /// The tail at `s` within its bin.
    fn ln_within(&self, s: f64, (index, above, count): (usize, f64, f64)) -> f64 {
        let within = ((s - edge(index)) / STEP).clamp(0.0, 1.0);
        ln((above + count * (1.0 - within)) / self.total).min(0.0)
    }

    fn scanned_ln_tail(&self, s: f64) -> f64 {
        // From the top down, until either the bin of `s` is reached or the tail holds enough events to extrapolate from.
        let target = bin(s);
        let mut above = 0.0;
        let mut excess = 0.0;
        let enough = self.enough();
        for (index, count) in self.counts.iter().enumerate().rev() {
            if index == target && above + count >= enough {
                return self.ln_within(s, (index, above, *count));
            }
            above += count;
            excess += STEP * above;
            if above >= enough {
                // The bins above `target` reached the tail first: extrapolate from this edge.
                if index > target {
                    continue;
                }
                let mean = mean_excess(excess, above, self.total);
                return (ln(above / self.total) - (s - edge(index)).max(0.0) / mean).min(0.0);
            }
        }
        0.0
    }

    fn forget(&mut self, now: Minutes) {
        let Some(days) = self.decayed.days_due(now) else {
            return;
        };
        let factor = half_life_factor(days, HALF_LIFE_DAYS);
        self.total = 0.0;
        for count in &mut self.counts {
            *count *= factor;
            self.total += *count;
        }
    }
}

/// Mean excess over an edge, shrunk to the prior's. `excess` is summed to the upper ends of bins; events lie half a bin
/// lower. What lies above the edge is a tail only as far as it is rare: a quarter of two hundred events is their bulk, and where
/// these are alike it falls off so steeply that the first thing unusual would score as if one in a million did it.
fn mean_excess(excess: f64, above: f64, total: f64) -> f64 {
    let rare = (TAIL_SHARE * total / above).min(1.0);
    let (excess, above) = (excess * rare * rare, above * rare * rare);
    (excess - above * STEP / 2.0 + PRIOR_EXCESS * PRIOR_EXCESS_WEIGHT) / (above + PRIOR_EXCESS_WEIGHT)
}

/// The tail before anything is known: Markov's bound on a likelihood ratio.
fn prior_ln_tail(s: f64) -> f64 {
    -s.max(0.0)
}

fn bin(s: f64) -> usize {
    usize::try_from(whole((s - LOWEST) / STEP))
        .unwrap_or(0)
        .min(BINS - 1)
}

fn edge(index: usize) -> f64 {
    LOWEST + STEP * habitus_model::math::from_usize(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exponential(n: u32) -> Calibration {
        let mut calibration = Calibration::default();
        for i in 0..n {
            // Quantiles of a unit exponential shifted to −2.
            let p = (f64::from(i) + 0.5) / f64::from(n);
            calibration.learn(Nats(-2.0 - ln(1.0 - p)), Minutes(1));
        }
        calibration
    }

    #[test]
    fn shares_above_are_what_they_say() {
        let calibration = exponential(200_000);
        for p in [1e-1, 1e-2, 1e-3, 1e-4, 1e-5] {
            let tail = calibration.tail(Nats(-2.0 - ln(p))).get();
            assert!((0.85..1.15).contains(&(tail / p)), "{p}: {tail}");
        }
    }

    #[test]
    fn a_small_kind_leans_on_the_whole() {
        let (small, whole) = (exponential(200), exponential(50_000));
        let s = Nats(-2.0 - ln(1e-4));
        let mut narrow = Calibration::default();
        for _ in 0..200 {
            narrow.learn(Nats(-6.0), Minutes(1));
        }
        assert!(narrow.tail_within(s, &whole).get() > narrow.tail(s).get() * 1.5);
        let ratio = small.tail_within(s, &whole).get() / whole.tail(s).get();
        assert!((0.5..3.0).contains(&ratio), "{ratio}");
        assert!(whole.tail_within(s, &narrow).get() == whole.tail(s).get());
    }

    #[test]
    fn what_is_weakened_says_about_the_same_and_soon_something_else() {
        let (whole, mut weak) = (exponential(50_000), exponential(50_000));
        weak.weaken(1_000.0);
        let s = Nats(-2.0 - ln(1e-2));
        let ratio = weak.tail(s).get() / whole.tail(s).get();
        assert!((0.5..2.0).contains(&ratio), "{ratio}");
        let (mut moved, mut slow) = (weak, whole);
        for _ in 0..2_000 {
            moved.learn(Nats(5.0), Minutes(1));
            slow.learn(Nats(5.0), Minutes(1));
        }
        assert!(moved.tail(Nats(4.0)).get() > 0.4 && slow.tail(Nats(4.0)).get() < 0.1);
    }

    #[test]
    fn a_few_events_that_are_alike_make_nothing_one_in_a_thousand() {
        let mut calibration = Calibration::default();
        for _ in 0..210 {
            calibration.learn(Nats(-3.25), Minutes(1));
        }
        let tail = calibration.tail(Nats(2.2)).get();
        assert!((1e-3..0.1).contains(&tail), "{tail}");
    }

    #[test]
    fn before_anything_is_known_the_bound_holds() {
        let tail = Calibration::default().tail(Nats(ln(1_000.0))).get();
        assert!((tail - 1e-3).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn settling_changes_no_tail(
            seen in prop::collection::vec(-10.0f64..45.0, 0..600), at in prop::collection::vec(-12.0f64..60.0, 50)
        ) {
            let mut calibration = Calibration::default();
            for (minute, s) in (1..).zip(seen) {
                calibration.learn(Nats(s), Minutes(minute * 700));
            }
            let scanned: Vec<u64> = at.iter().map(|s| calibration.tail(Nats(*s)).get().to_bits()).collect();
            calibration.settle();
            let settled: Vec<u64> = at.iter().map(|s| calibration.tail(Nats(*s)).get().to_bits()).collect();
            prop_assert_eq!(scanned, settled);
        }

        #[test]
        fn a_higher_total_never_scores_lower(
            seen in prop::collection::vec(-10.0f64..45.0, 0..600), a in -10.0f64..50.0, more in 0.0f64..10.0
        ) {
            let mut calibration = Calibration::default();
            for s in seen {
                calibration.learn(Nats(s), Minutes(1));
            }
            prop_assert!(calibration.tail(Nats(a + more)).get() <= calibration.tail(Nats(a)).get() + 1e-12);
        }
    }
}
