//! What a policy says without meaning it: rules that never hold, that stand in the shadow of an earlier one, or that
//! contradict it.
//!
//! The checks are honest rather than complete. A condition is taken as its parts joined by `&&`: the range of scores
//! that it asks for, and everything else by its text. One rule shadows another if its range covers the other's and all
//! its other parts are among the other's. Two rules that only together cover a third are not found.

use crate::cel::{Code, Interval, conjuncts, score_interval};
use crate::file::{Placed, Reader};
use crate::problem::Problem;
use habitus_model::Action;
use std::collections::BTreeSet;

/// A condition as far as it can be compared.
struct Shape {
    scores: Interval,
    others: BTreeSet<String>,
}

impl Shape {
    fn of(code: &Code) -> Self {
        let mut shape = Self {
            scores: Interval::ALL,
            others: BTreeSet::new(),
        };
        for part in conjuncts(code) {
            match score_interval(part) {
                Some(interval) => shape.scores = shape.scores.and(interval),
                None => {
                    shape.others.insert(format!("{part:?}"));
                }
            }
        }
        shape
    }

    /// Whether this holds for every event for which `other` does.
    fn covers(&self, other: &Self) -> bool {
        self.scores.covers(other.scores) && self.others.is_subset(&other.others)
    }
}

/// Looks at every rule against those above it. O(rules²).
pub fn rules(placed: &[Placed], reader: &mut Reader) {
    let shapes: Vec<Shape> = placed
        .iter()
        .map(|placed| Shape::of(placed.rule.when.code()))
        .collect();
    for (at, (later, shape)) in placed.iter().zip(&shapes).enumerate() {
        if later.rule.when.floor() > 100.0 {
            let message = format!("the rule `{}` never holds", later.rule.name);
            reader.push(Problem::warning(Some(later.when.clone()), message).label("false for every event"));
            continue;
        }
        let above = placed.iter().zip(&shapes).take(at);
        let shadows = above.filter(|(_, above)| above.covers(shape));
        for (earlier, above) in shadows {
            let found = compare(earlier, later, shape.covers(above));
            if let Some(problem) = found {
                reader.push(problem);
                break;
            }
        }
    }
}

/// What is wrong with a rule whose every event an earlier rule takes too.
fn compare(earlier: &Placed, later: &Placed, is_same: bool) -> Option<Problem> {
    let (first, second) = (&earlier.rule, &later.rule);
    let (first_name, name) = (&first.name, &second.name);
    if let (true, Some(decided), Some(other)) = (is_same, first.disposition, second.disposition)
        && decided != other
    {
        let message = format!(
            "`{name}` and `{first_name}` ask the same and decide `{}` and `{}`",
            other.name(),
            decided.name()
        );
        let problem = Problem::error(later.disposition.clone(), message).label("a conflict");
        return Some(problem.help(format!(
            "the first rule that matches decides: `{first_name}` always wins"
        )));
    }
    let adds_nothing = second.actions.iter().all(|step| first.actions.contains(step));
    if is_same && adds_nothing && (second.disposition.is_none() || second.disposition == first.disposition) {
        let message = format!("the rule `{name}` only does what `{first_name}` does");
        return Some(Problem::warning(Some(later.when.clone()), message).label("the same condition"));
    }
    first.disposition?;
    let tells = second.actions.iter().any(|step| step.action == Action::Notify);
    let contains = second.actions.iter().any(|step| step.action.contains());
    if !tells {
        let message = format!("the rule `{name}` is never reached: `{first_name}` decides first");
        let problem = Problem::warning(Some(later.when.clone()), message);
        return Some(
            problem
                .label("unreachable")
                .help(format!("move it above `{first_name}`, or take it out")),
        );
    }
    if second.disposition.is_some() || contains {
        let message = format!("the rule `{name}` only notifies: `{first_name}` decides first");
        let problem = Problem::warning(Some(later.when.clone()), message);
        return Some(
            problem
                .label("never decides")
                .help(format!("move it above `{first_name}`")),
        );
    }
    None
}
