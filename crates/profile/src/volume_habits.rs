//! How much the accounts of a population do within an hour and within a day, people and machines apart.
//!
//! For each kind of deed and each span: mean and spread of the logarithm of a window's volume, over all accounts and around
//! each account's own mean, and how often windows reach so many deviations above what was expected of them. Before that is
//! measured a Student's t of four degrees stands in, whose tail is as heavy as volumes' are. Windows of a chatty account count
//! less. Fails where a tenant mixes trades that have nothing in common: until an account has windows of its own, it is held
//! against the mean of all.

use crate::features::volume::{Span, VolumeKind};
use serde::{Deserialize, Serialize};

/// Before a population is measured: mean of the logarithm of one more than a window's volume, its variance around an account's
/// mean and that of accounts' means, and the weight of all this, windows. Assumed: four deeds, from two to ten.
const PRIOR_MEAN: f64 = 1.6;
const PRIOR_WITHIN: f64 = 0.6;
const PRIOR_BETWEEN: f64 = 0.8;
const PRIOR_WEIGHT: f64 = 20.0;
/// Weight of the t distribution behind what is counted, windows. Assumed.
const TAIL_WEIGHT: f64 = 100.0;
/// Least variance of accounts' means, and of windows around them: counts are no exact science.
const VARIANCE_MIN: f64 = 0.1;
/// Windows counted from which a population says something of its own.
const MEASURED_MIN: f64 = 20.0;
/// Number of [`EDGES`].
const EDGE_COUNT: usize = 6;
/// Deviations above what was expected at which windows are counted.
const EDGES: [f64; EDGE_COUNT] = [1.0, 2.0, 3.0, 4.5, 7.0, 11.0];
/// Share of a Student's t of four degrees above each of [`EDGES`].
const T_ABOVE: [f64; EDGE_COUNT] = [
    0.186_950_483,
    0.058_058_262,
    0.019_970_984,
    0.005_411_275,
    0.001_096_065,
    0.000_194_086,
];

/// One window that ended, as its population counts it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct VolumeTold {
    /// What was done.
    pub kind: VolumeKind,
    /// Within what.
    pub span: Span,
    /// By a machine.
    pub is_machine: bool,
    /// Logarithm of one more than the volume, capped.
    pub ln_volume: f32,
    /// The same less the account's own mean. Absent: it has none yet.
    pub from_own_mean: Option<f32>,
    /// Deviations above what was expected, not capped.
    pub deviations: f32,
    /// How much it counts, in `(0, 1]`.
    pub weight: f32,
    /// Something in it was suspicious: it counts in the tail alone. A tail of what did not stand out would say of everything that
    /// it never happens, and attackers are few among those who do much at once.
    pub is_doubted: bool,
}

/// What is expected of an account that nothing is known of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Standard {
    /// Mean of the logarithm of one more than the volume.
    pub mean: f64,
    /// Variance around an account's own mean.
    pub within: f64,
    /// Windows of an account's own that its population's mean is worth: the fewer, the more accounts differ.
    pub behind: f64,
}

/// Windows of one kind and span.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct VolumeCell {
    weight: f64,
    sum: f64,
    squares: f64,
    own_weight: f64,
    own_squares: f64,
    counted: f64,
    reached: [f64; EDGE_COUNT],
    standard: Standard,
}

/// What a population shows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct VolumeHabits {
    people: [[VolumeCell; Span::COUNT]; VolumeKind::COUNT],
    machines: [[VolumeCell; Span::COUNT]; VolumeKind::COUNT],
}

/// Nothing was counted.
const NOTHING: VolumeCell = VolumeCell {
    weight: 0.0,
    sum: 0.0,
    squares: 0.0,
    own_weight: 0.0,
    own_squares: 0.0,
    counted: 0.0,
    reached: [0.0; EDGE_COUNT],
    standard: Standard {
        mean: PRIOR_MEAN,
        within: PRIOR_WITHIN,
        behind: PRIOR_WITHIN / PRIOR_BETWEEN,
    },
};

impl Default for VolumeCell {
    fn default() -> Self {
        NOTHING
    }
}

impl VolumeCell {
    /// Whether so many windows were counted that the population says something of its own.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        self.weight >= MEASURED_MIN
    }

    /// What is expected of an account that nothing is known of.
    #[must_use]
    pub const fn standard(&self) -> Standard {
        self.standard
    }

    /// Worked out as windows are learned, because each event asks for it.
    fn work_out(&mut self) {
        let all = self.weight + PRIOR_WEIGHT;
        let mean = (self.sum + PRIOR_WEIGHT * PRIOR_MEAN) / all;
        let within = (self.own_squares + PRIOR_WEIGHT * PRIOR_WITHIN) / (self.own_weight + PRIOR_WEIGHT);
        let prior = PRIOR_WITHIN + PRIOR_BETWEEN + PRIOR_MEAN * PRIOR_MEAN;
        let total = (self.squares + PRIOR_WEIGHT * prior) / all - mean * mean;
        let within = within.max(VARIANCE_MIN);
        self.standard = Standard {
            mean,
            within,
            behind: within / (total - within).max(VARIANCE_MIN),
        };
    }

    /// One window in so many reaches so many deviations above what was expected of it, at least 1; grows with them. Between two
    /// edges as the t does from the lower one on, and no further than the higher one is. Cost: two roots, half a dozen divisions.
    #[must_use]
    pub fn one_in(&self, deviations: f64) -> f64 {
        if deviations <= 0.0 {
            return 1.0;
        }
        let at = EDGES.iter().filter(|edge| deviations >= **edge).count();
        let (t, below) = at
            .checked_sub(1)
            .and_then(|at| self.at_edge(at))
            .unwrap_or((0.5, 1.0));
        let above = self.at_edge(at).map_or(f64::INFINITY, |(_, above)| above);
        (below * (t * t_one_in(deviations)).max(1.0)).min(above)
    }

    /// Share of the t above an edge, and one window in how many reaches it. Absent: there is no such edge.
    fn at_edge(&self, at: usize) -> Option<(f64, f64)> {
        let (reached, t) = self.reached.get(at).zip(T_ABOVE.get(at))?;
        Some((*t, (self.counted + TAIL_WEIGHT) / (reached + TAIL_WEIGHT * t)))
    }

    fn learn(&mut self, told: &VolumeTold) {
        let (weight, ln_volume) = (f64::from(told.weight), f64::from(told.ln_volume));
        self.counted += weight;
        for (reached, edge) in self.reached.iter_mut().zip(EDGES) {
            if f64::from(told.deviations) >= edge {
                *reached += weight;
            }
        }
        if told.is_doubted {
            return;
        }
        self.weight += weight;
        self.sum += weight * ln_volume;
        self.squares += weight * ln_volume * ln_volume;
        if let Some(distance) = told.from_own_mean.map(f64::from) {
            self.own_weight += weight;
            self.own_squares += weight * distance * distance;
        }
        self.work_out();
    }

    fn scale(&mut self, factor: f64) {
        let sums = [
            &mut self.weight,
            &mut self.sum,
            &mut self.squares,
            &mut self.own_weight,
            &mut self.own_squares,
            &mut self.counted,
        ];
        for sum in sums.into_iter().chain(&mut self.reached) {
            *sum *= factor;
        }
        self.work_out();
    }
}

impl VolumeHabits {
    /// What windows of a kind and span come to, among machines or among people.
    #[must_use]
    pub fn cell(&self, is_machine: bool, (kind, span): (VolumeKind, Span)) -> &VolumeCell {
        let [of_kinds, index] = [kind.index(), span.index()];
        let table = if is_machine { &self.machines } else { &self.people };
        table
            .get(of_kinds)
            .and_then(|spans| spans.get(index))
            .unwrap_or(const { &NOTHING })
    }

    /// Counts a window.
    pub fn learn(&mut self, told: &VolumeTold) {
        let table = if told.is_machine {
            &mut self.machines
        } else {
            &mut self.people
        };
        let spans = table.get_mut(told.kind.index());
        if let Some(cell) = spans.and_then(|spans| spans.get_mut(told.span.index())) {
            cell.learn(told);
        }
    }

    /// Forgets.
    pub fn scale(&mut self, factor: f64) {
        for cell in self.people.iter_mut().chain(&mut self.machines).flatten() {
            cell.scale(factor);
        }
    }
}

/// One value in so many of a Student's t of four degrees lies so far above the mean. With `u = t / √(t² + 4)` its share above
/// is `(1 − u)² (2 + u) / 4` (Abramowitz & Stegun 1964, 26.7.4), here without the difference.
fn t_one_in(t: f64) -> f64 {
    let root = (t * t + 4.0).sqrt();
    let (u, rest) = (t / root, 4.0 / ((root + t) * root));
    4.0 / (rest * rest * (2.0 + u))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn window(deviations: f64, weight: f64) -> VolumeTold {
        VolumeTold {
            kind: VolumeKind::Read,
            span: Span::Hour,
            is_machine: false,
            ln_volume: 2.0,
            from_own_mean: Some(0.1),
            deviations: habitus_model::math::to_f32(deviations),
            weight: habitus_model::math::to_f32(weight),
            is_doubted: false,
        }
    }

    #[test]
    fn the_table_is_the_tail_of_the_t() {
        for (edge, above) in EDGES.into_iter().zip(T_ABOVE) {
            assert!((1.0 / t_one_in(edge) - above).abs() < 1e-8, "{edge}");
        }
        assert!((t_one_in(0.0) - 2.0).abs() < 1e-12);
        // Percentiles of the t of four degrees (Abramowitz & Stegun 1964, table 26.10).
        assert!((t_one_in(2.132) - 20.0).abs() < 0.02 && (t_one_in(4.604) - 200.0).abs() < 0.2);
    }

    #[test]
    fn where_windows_often_reach_far_that_says_little() {
        let (mut calm, mut wild) = (VolumeCell::default(), VolumeCell::default());
        for nth in 0..2_000 {
            calm.learn(&window(0.0, 1.0));
            wild.learn(&window(if nth % 50 == 0 { 8.0 } else { 0.0 }, 1.0));
        }
        assert!(calm.one_in(8.0) > 10_000.0, "{}", calm.one_in(8.0));
        assert!(wild.one_in(8.0) < 100.0, "{}", wild.one_in(8.0));
        assert!(!VolumeCell::default().is_measured() && calm.is_measured());
    }

    #[test]
    fn people_and_machines_are_apart() {
        let mut habits = VolumeHabits::default();
        (0..100).for_each(|_| {
            habits.learn(&VolumeTold {
                is_machine: true,
                ..window(0.0, 1.0)
            })
        });
        let at = (VolumeKind::Read, Span::Hour);
        assert!(habits.cell(true, at).is_measured() && !habits.cell(false, at).is_measured());
        habits.scale(0.1);
        assert!(!habits.cell(true, at).is_measured());
    }

    proptest! {
        #[test]
        fn further_above_is_never_more_usual(
            windows in prop::collection::vec((-3.0f64..15.0, 0.01f64..1.0), 0..200), a in -2.0f64..30.0, b in -2.0f64..30.0
        ) {
            let mut cell = VolumeCell::default();
            windows.iter().for_each(|(deviations, weight)| cell.learn(&window(*deviations, *weight)));
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(cell.one_in(low) <= cell.one_in(high) * (1.0 + 1e-12) && cell.one_in(low) >= 1.0);
            let standard = cell.standard();
            prop_assert!(standard.within > 0.0 && standard.behind > 0.0 && standard.mean.is_finite());
        }
    }
}
