//! What a condition says about the score: which scores it needs, so that events below are never asked, and which rule
//! stands in the shadow of another.

use super::code::Code;
use super::syntax::{Binary, Literal};
use habitus_model::math::from_i64;

/// A floor that no score reaches: of a condition that never holds.
const NEVER: f64 = f64::INFINITY;

/// A range of scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lowest, and whether it is itself outside.
    low: (f64, bool),
    /// Highest, and whether it is itself outside.
    high: (f64, bool),
}

impl Interval {
    /// All scores.
    pub const ALL: Self = Self {
        low: (0.0, false),
        high: (100.0, false),
    };

    /// What both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let low = match self.low.0.partial_cmp(&other.low.0) {
            Some(std::cmp::Ordering::Less) => other.low,
            Some(std::cmp::Ordering::Greater) => self.low,
            _ => (self.low.0, self.low.1 || other.low.1),
        };
        let high = match self.high.0.partial_cmp(&other.high.0) {
            Some(std::cmp::Ordering::Less) => self.high,
            Some(std::cmp::Ordering::Greater) => other.high,
            _ => (self.high.0, self.high.1 || other.high.1),
        };
        Self { low, high }
    }

    /// Whether every score of `other` is in this.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self.and(other) == other
    }

    /// Whether no score is in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.low.0 > self.high.0 || (self.low.0 >= self.high.0 && (self.low.1 || self.high.1))
    }
}

/// Parts that must all hold.
pub fn conjuncts(code: &Code) -> &[Code] {
    match code {
        Code::And(parts) => parts,
        Code::Const(Literal::Bool(true)) => &[],
        other => std::slice::from_ref(other),
    }
}

/// The scores for which this part holds, if it speaks of nothing but the score.
pub fn score_interval(code: &Code) -> Option<Interval> {
    let whole = Interval::ALL;
    match code {
        Code::Order(operator, left, right) if is_score(left) => {
            let at = number(right)?;
            Some(match operator {
                Binary::AtLeast => Interval {
                    low: (at, false),
                    ..whole
                },
                Binary::More => Interval {
                    low: (at, true),
                    ..whole
                },
                Binary::AtMost => Interval {
                    high: (at, false),
                    ..whole
                },
                _ => Interval {
                    high: (at, true),
                    ..whole
                },
            })
        }
        Code::Equal(left, right) if is_score(left) => {
            let at = number(right)?;
            Some(Interval {
                low: (at, false),
                high: (at, false),
            })
        }
        Code::Equal(left, right) if is_level(left) => level_interval(right),
        _ => None,
    }
    .map(|interval| interval.and(whole))
}

/// Lowest score at which the condition may hold: a bound from below, never above the truth.
pub fn floor(code: &Code) -> f64 {
    match code {
        Code::Const(Literal::Bool(false)) => NEVER,
        Code::And(parts) => {
            let scores = parts.iter().filter_map(score_interval);
            let together = scores.fold(Interval::ALL, Interval::and);
            if together.is_empty() {
                return NEVER;
            }
            parts.iter().map(floor).fold(together.low.0, f64::max)
        }
        Code::Or(parts) => parts.iter().map(floor).fold(NEVER, f64::min),
        Code::In(item, list) if is_level(item) => match list.as_ref() {
            Code::List(words) => {
                let lows = words
                    .iter()
                    .map(|word| level_interval(word).map_or(0.0, |interval| interval.low.0));
                lows.fold(NEVER, f64::min)
            }
            _ => 0.0,
        },
        other => match score_interval(other) {
            Some(interval) if interval.is_empty() => NEVER,
            Some(interval) => interval.low.0,
            None => 0.0,
        },
    }
}

fn is_score(code: &Code) -> bool {
    matches!(code, Code::Variable(variable) if variable.path == "score")
}

fn is_level(code: &Code) -> bool {
    matches!(code, Code::Variable(variable) if variable.path == "level")
}

fn number(code: &Code) -> Option<f64> {
    match code {
        Code::Const(Literal::Int(number)) => Some(from_i64(*number)),
        Code::Const(Literal::Double(number)) => Some(*number),
        _ => None,
    }
}

/// Scores of a level, as `RiskScore::level` has them.
fn level_interval(code: &Code) -> Option<Interval> {
    let Code::Const(Literal::Text(level)) = code else {
        return None;
    };
    let (low, high) = match level.as_str() {
        "info" => (0.0, 20.0),
        "low" => (20.0, 40.0),
        "medium" => (40.0, 60.0),
        "high" => (60.0, 80.0),
        "critical" => {
            return Some(Interval {
                low: (80.0, false),
                ..Interval::ALL
            });
        }
        _ => return None,
    };
    Some(Interval {
        low: (low, false),
        high: (high, true),
    })
}
