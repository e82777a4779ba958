//! Bayesian logistic regression of labels on what families contribute: `logit P(attack) = (1 + κ)·(S(u) − S̄) + u₀`, where `S(u)` is
//! the exact total with each weight multiplied by `1 + u_f`, `S̄` its mean before anything moves, and `u_f ~ N(0, 0.3²)` (SCORING 10). How
//! steep all of it is together, `κ`, and where it is even, `u₀`, are free: both are the calibration's, and not the weights'. The mode is
//! found by Fisher scoring. Attacks and owners weigh alike, however many there are of each.
//!
//! Labels are wrong now and then, so that the likelihood is `ε + (1 − 2ε)·σ`: a label that contradicts strong evidence pulls the
//! less the stronger the evidence is (robust logistic regression; Copas 1988).

use super::{Case, MOVE_MAX, TOGETHER_MAX};
use crate::fusion::{Prepared, Weights};
use habitus_model::Family;
use habitus_model::math::logistic;

/// Standard deviation of a weight's move (SCORING 10).
const MOVE_SD: f64 = 0.3;
/// Standard deviations of the intercept, nats, and of the common steepness. Wide, because nothing is known of them. Assumed.
const INTERCEPT_SD: f64 = 5.0;
const STEEPNESS_SD: f64 = 1.0;
/// Least and most of the steepness.
const STEEPNESS: (f64, f64) = (-0.8, 4.0);
/// Labels that are wrong. Assumed: analysts agree on nine of ten alerts.
const WRONG: f64 = 0.05;
/// Steps of Fisher scoring; the moves change by less than 1e-6 after eight on simulated labels.
const STEPS: usize = 12;
/// Longest step of one number: the likelihood is not concave where labels contradict the evidence.
const STEP_MAX: f64 = 0.5;
/// Moves, the steepness and the intercept.
const SIZE: usize = Family::COUNT + 2;

type Vector = [f64; SIZE];
type Matrix = [Vector; SIZE];

/// Where the search is.
#[derive(Debug, Clone, Copy, Default)]
struct At {
    moves: [f64; Family::COUNT],
    steepness: f64,
    intercept: f64,
}

/// The move of each family's weight, within [`MOVE_MAX`] each and [`TOGETHER_MAX`] together. Without both attacks and owners there is
/// nothing to tell apart, and nothing moves.
pub(super) fn fit(cases: &[Case], base: &Weights) -> [f64; Family::COUNT] {
    let cases = balanced(cases);
    let Some(mean) = mean(&cases, base) else {
        return [0.0; Family::COUNT];
    };
    let mut at = At::default();
    for _ in 0..STEPS {
        let (gradient, information) = slope(&cases, base, (&at, mean));
        let Some(step) = solve(information, gradient) else {
            break;
        };
        at.go(&step);
    }
    at.moves
}

/// The same with as much weight on attacks as on owners: that of the side with less.
fn balanced(cases: &[Case]) -> Vec<Case> {
    let of = |attack: bool| -> f64 {
        let side = cases.iter().filter(|case| case.side.is_attack() == attack);
        side.map(|case| case.weight).sum()
    };
    let (attacks, owners) = (of(true), of(false));
    let least = attacks.min(owners);
    let scaled = |case: &Case| {
        let all = if case.side.is_attack() { attacks } else { owners };
        let weight = if all > 0.0 { case.weight * least / all } else { 0.0 };
        Case {
            weight,
            ..case.clone()
        }
    };
    cases
        .iter()
        .map(scaled)
        .filter(|case| case.weight > 0.0)
        .collect()
}

/// Mean total before anything moves; nothing without cases.
fn mean(cases: &[Case], base: &Weights) -> Option<f64> {
    let prepared = Prepared::new(base);
    let (mut sum, mut weight) = (0.0, 0.0);
    for case in cases {
        sum += case.weight * case.sums.total(&prepared).0;
        weight += case.weight;
    }
    (weight > 0.0).then(|| sum / weight)
}

/// Gradient and Fisher information of the log posterior.
fn slope(cases: &[Case], base: &Weights, (at, mean): (&At, f64)) -> (Vector, Matrix) {
    let prepared = Prepared::new(&at.applied(base));
    let mut gradient = [0.0; SIZE];
    let mut information = [[0.0; SIZE]; SIZE];
    for case in cases {
        let opened = case.sums.open(&prepared);
        let above = opened.total.0 - mean;
        let x = at.direction(&opened.slopes, above);
        let (pull, weight) = pull(case, (1.0 + at.steepness) * above + at.intercept);
        for ((g, row), xi) in gradient.iter_mut().zip(&mut information).zip(x) {
            *g += pull * xi;
            for (cell, xj) in row.iter_mut().zip(x) {
                *cell += weight * xi * xj;
            }
        }
    }
    let priors = at.all().into_iter().zip(DEVIATIONS).enumerate();
    for ((nth, (value, sd)), (g, row)) in priors.zip(gradient.iter_mut().zip(&mut information)) {
        *g -= value / (sd * sd);
        if let Some(cell) = row.get_mut(nth) {
            *cell += 1.0 / (sd * sd);
        }
    }
    (gradient, information)
}

/// Standard deviation of each number's prior.
const DEVIATIONS: Vector = {
    let mut all = [MOVE_SD; SIZE];
    all[Family::COUNT] = STEEPNESS_SD;
    all[Family::COUNT + 1] = INTERCEPT_SD;
    all
};

impl At {
    /// As one vector.
    fn all(&self) -> Vector {
        let mut all = [0.0; SIZE];
        let rest = [self.steepness, self.intercept];
        for (place, value) in all.iter_mut().zip(self.moves.iter().chain(&rest)) {
            *place = *value;
        }
        all
    }

    /// How the logit of a case changes with each number. A slope is by the moved weight's own size; the move is by the base's.
    fn direction(&self, slopes: &[f64; Family::COUNT], above: f64) -> Vector {
        let mut x = [0.0; SIZE];
        let of_moves = slopes
            .iter()
            .zip(self.moves)
            .map(|(slope, moved)| (1.0 + self.steepness) * slope / (1.0 + moved));
        for (place, value) in x.iter_mut().zip(of_moves.chain([above, 1.0])) {
            *place = value;
        }
        x
    }

    fn applied(&self, base: &Weights) -> Weights {
        let mut weights = *base;
        for (weight, moved) in weights.families.iter_mut().zip(self.moves) {
            *weight *= 1.0 + moved;
        }
        weights
    }

    /// One step, back to where it may be.
    fn go(&mut self, step: &Vector) {
        let rest = [&mut self.steepness, &mut self.intercept];
        for (value, step) in self.moves.iter_mut().chain(rest).zip(step) {
            *value += step.clamp(-STEP_MAX, STEP_MAX);
        }
        self.steepness = self.steepness.clamp(STEEPNESS.0, STEEPNESS.1);
        for value in &mut self.moves {
            *value = value.clamp(-MOVE_MAX, MOVE_MAX);
        }
        let length = self.moves.iter().map(|value| value * value).sum::<f64>().sqrt();
        if length > TOGETHER_MAX {
            for value in &mut self.moves {
                *value *= TOGETHER_MAX / length;
            }
        }
    }
}

/// How much a case pulls its logit, and how much it knows of it.
fn pull(case: &Case, logit: f64) -> (f64, f64) {
    let sigma = logistic(logit);
    let steep = (1.0 - 2.0 * WRONG) * sigma * (1.0 - sigma);
    let attack = WRONG + (1.0 - 2.0 * WRONG) * sigma;
    let pull = if case.side.is_attack() {
        steep / attack
    } else {
        -steep / (1.0 - attack)
    };
    (
        case.weight * pull,
        case.weight * steep * steep / (attack * (1.0 - attack)),
    )
}

/// Solves a symmetric positive definite system by Cholesky's method; nothing if it is not positive definite.
#[expect(
    clippy::indexing_slicing,
    reason = "indices run below SIZE, the length of every row and column"
)]
fn solve(mut a: Matrix, mut b: Vector) -> Option<Vector> {
    for j in 0..SIZE {
        for k in 0..j {
            a[j][j] -= a[j][k] * a[j][k];
        }
        if !(a[j][j] > 0.0 && a[j][j].is_finite()) {
            return None;
        }
        a[j][j] = a[j][j].sqrt();
        for i in j + 1..SIZE {
            for k in 0..j {
                a[i][j] -= a[i][k] * a[j][k];
            }
            a[i][j] /= a[j][j];
        }
    }
    for i in 0..SIZE {
        for k in 0..i {
            b[i] -= a[i][k] * b[k];
        }
        b[i] /= a[i][i];
    }
    for i in (0..SIZE).rev() {
        for k in i + 1..SIZE {
            b[i] -= a[k][i] * b[k];
        }
        b[i] /= a[i][i];
    }
    Some(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::needless_range_loop, reason = "rows and columns are two indices")]
    fn systems_are_solved() {
        let mut a = [[0.0; SIZE]; SIZE];
        let mut x = [0.0; SIZE];
        for i in 0..SIZE {
            x[i] = habitus_model::math::from_usize(i) - 4.0;
            for j in 0..SIZE {
                a[i][j] =
                    1.0 / habitus_model::math::from_usize(1 + i.abs_diff(j)) + if i == j { 3.0 } else { 0.0 };
            }
        }
        let mut b = [0.0; SIZE];
        for i in 0..SIZE {
            b[i] = (0..SIZE).map(|j| a[i][j] * x[j]).sum();
        }
        let solved = solve(a, b).unwrap();
        for (solved, x) in solved.iter().zip(x) {
            assert!((solved - x).abs() < 1e-9);
        }
        assert!(solve([[0.0; SIZE]; SIZE], b).is_none());
    }
}
