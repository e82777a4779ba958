//! The tests of a policy file.

use crate::policy::Policy;
use crate::problem::Problem;
use crate::specimen::Specimen;
use habitus_model::{Disposition, Text};
use std::ops::Range;

/// One test.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Name, unique in the file.
    pub name: Text,
    /// The event.
    pub specimen: Specimen,
    /// What must follow.
    pub expected: Expected,
    /// Where `expect` stands.
    pub span: Range<usize>,
}

/// What must follow; what is absent is not looked at.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expected {
    /// The disposition.
    pub disposition: Option<Disposition>,
    /// Names of the actions, in any order.
    pub actions: Option<Vec<Text>>,
    /// Names of the rules that match, in the order of the file.
    pub rules: Option<Vec<Text>>,
}

/// Runs a test as if the policy were enforced and budgets were full; gives an error for each thing that differs.
pub fn run(policy: &Policy, trial: &Trial) -> Vec<Problem> {
    let lists = trial.specimen.listed();
    let facts = trial.specimen.facts(&lists);
    let decided = policy.decide(&facts, trial.specimen.context.time);
    let mut problems = Vec::new();
    let mut differs = |what: &str, found: String, wanted: String| {
        let message = format!("test `{}`: {what} {found}, expected {wanted}", trial.name);
        problems.push(Problem::error(Some(trial.span.clone()), message).label("not what follows"));
    };
    if let Some(wanted) = trial.expected.disposition
        && wanted != decided.disposition
    {
        differs(
            "disposition is",
            code(decided.disposition.name()),
            code(wanted.name()),
        );
    }
    if let Some(wanted) = &trial.expected.actions {
        let mut found: Vec<&str> = decided
            .wanted
            .iter()
            .map(|wanted| wanted.step.action.name())
            .collect();
        let mut wanted: Vec<&str> = wanted.iter().map(Text::as_str).collect();
        found.sort_unstable();
        wanted.sort_unstable();
        if found != wanted {
            differs("actions are", list(&found), list(&wanted));
        }
    }
    if let Some(wanted) = &trial.expected.rules {
        let found: Vec<&str> = decided.rules.iter().map(Text::as_str).collect();
        let wanted: Vec<&str> = wanted.iter().map(Text::as_str).collect();
        if found != wanted {
            differs("matching rules are", list(&found), list(&wanted));
        }
    }
    for failed in &decided.errors {
        let message = format!(
            "test `{}`: the rule `{}` fails: {}",
            trial.name, failed.rule, failed.fault
        );
        problems.push(Problem::error(Some(trial.span.clone()), message));
    }
    problems
}

fn code(word: &str) -> String {
    format!("`{word}`")
}

fn list(names: &[&str]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    code(&names.join(", "))
}
