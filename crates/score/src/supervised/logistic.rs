//! Bayesian logistic regression of labels on what families contribute: `logit P(attack) = S(u) + u₀`, where `S(u)` is the exact
//! total with each weight multiplied by `1 + u_f`, and `u_f ~ N(0, 0.3²)` (SCORING 10). The mode is found by Fisher scoring.
//!
//! Labels are wrong now and then, so that the likelihood is `ε + (1 − 2ε)·σ`: a label that contradicts strong evidence pulls the
//! less the stronger the evidence is (robust logistic regression; Copas 1988).

use super::{Case, MOVE_MAX, TOGETHER_MAX};
use crate::fusion::{Prepared, Weights};
use habitus_model::Family;
use habitus_model::math::logistic;

/// Standard deviation of a weight's move (SCORING 10).
const MOVE_SD: f64 = 0.3;
/// Standard deviation of the intercept around what makes half of the cases attacks, nats. Wide: how many of what people look at are
/// attacks is the tenant's own.
const INTERCEPT_SD: f64 = 2.0;
/// Labels that are wrong. Assumed: analysts agree on nine of ten alerts.
const WRONG: f64 = 0.05;
/// Steps of Fisher scoring; the moves change by less than 1e-6 after eight on simulated labels.
const STEPS: usize = 12;
/// Longest step of one number: the likelihood is not concave where labels contradict the evidence.
const STEP_MAX: f64 = 0.5;
/// Moves and the intercept, which is the last.
const SIZE: usize = Family::COUNT + 1;

type Vector = [f64; SIZE];
type Matrix = [Vector; SIZE];

/// The move of each family's weight, within [`MOVE_MAX`] each and [`TOGETHER_MAX`] together.
pub(super) fn fit(cases: &[Case], base: &Weights) -> [f64; Family::COUNT] {
    let Some(start) = intercept(cases, base) else {
        return [0.0; Family::COUNT];
    };
    let mut at = [0.0; SIZE];
    set_intercept(&mut at, start);
    for _ in 0..STEPS {
        let (gradient, information) = slope(cases, base, (&at, start));
        let Some(step) = solve(information, gradient) else {
            break;
        };
        for (value, step) in at.iter_mut().zip(step) {
            *value += step.clamp(-STEP_MAX, STEP_MAX);
        }
        bound(&mut at);
    }
    let mut moves = [0.0; Family::COUNT];
    for (moved, value) in moves.iter_mut().zip(at) {
        *moved = value;
    }
    moves
}

/// What makes the mean case even odds; nothing without weight on cases.
fn intercept(cases: &[Case], base: &Weights) -> Option<f64> {
    let prepared = Prepared::new(base);
    let (mut sum, mut weight) = (0.0, 0.0);
    for case in cases {
        sum += case.weight * case.sums.total(&prepared).0;
        weight += case.weight;
    }
    (weight > 0.0).then(|| -sum / weight)
}

/// Gradient and Fisher information of the log posterior.
fn slope(cases: &[Case], base: &Weights, (at, start): (&Vector, f64)) -> (Vector, Matrix) {
    let prepared = Prepared::new(&moved(base, at));
    let mut gradient = [0.0; SIZE];
    let mut information = [[0.0; SIZE]; SIZE];
    for case in cases.iter().filter(|case| case.weight > 0.0) {
        let opened = case.sums.open(&prepared);
        let mut x = [1.0; SIZE];
        // A slope is by the moved weight's own size; the move is by the base's.
        for ((x, slope), moved) in x.iter_mut().zip(opened.slopes).zip(at) {
            *x = slope / (1.0 + moved);
        }
        let (pull, weight) = pull(case, opened.total.0 + intercept_of(at));
        for ((g, row), xi) in gradient.iter_mut().zip(&mut information).zip(x) {
            *g += pull * xi;
            for (cell, xj) in row.iter_mut().zip(x) {
                *cell += weight * xi * xj;
            }
        }
    }
    for (nth, ((g, row), value)) in gradient.iter_mut().zip(&mut information).zip(at).enumerate() {
        let (mean, sd) = if nth == Family::COUNT {
            (start, INTERCEPT_SD)
        } else {
            (0.0, MOVE_SD)
        };
        *g -= (value - mean) / (sd * sd);
        if let Some(cell) = row.get_mut(nth) {
            *cell += 1.0 / (sd * sd);
        }
    }
    (gradient, information)
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

fn moved(base: &Weights, at: &Vector) -> Weights {
    let mut weights = *base;
    for (weight, moved) in weights.families.iter_mut().zip(at) {
        *weight *= 1.0 + moved;
    }
    weights
}

fn intercept_of(at: &Vector) -> f64 {
    at.last().copied().unwrap_or(0.0)
}

fn set_intercept(at: &mut Vector, value: f64) {
    if let Some(last) = at.last_mut() {
        *last = value;
    }
}

/// Brings the moves back to where they may be.
fn bound(at: &mut Vector) {
    let intercept = intercept_of(at);
    for value in at.iter_mut() {
        *value = value.clamp(-MOVE_MAX, MOVE_MAX);
    }
    set_intercept(at, 0.0);
    let length = at.iter().map(|value| value * value).sum::<f64>().sqrt();
    if length > TOGETHER_MAX {
        for value in at.iter_mut() {
            *value *= TOGETHER_MAX / length;
        }
    }
    set_intercept(at, intercept);
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
