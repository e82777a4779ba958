//! What follows from a verdict: the policy in force, and the budgets it spends.

use crate::entry::Arrival;
use habitus_findings::FindingId;
use habitus_model::{Assessment, Disposition};
use habitus_policy::{Budgets, EventFacts, Facts, Listed, Meaning, Policy, Problem, Ruling};
use serde::{Deserialize, Serialize};

/// What the source said beyond what scoring needs, for rules. Absent: it did not say.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Said {
    /// The source's own name for what happened.
    pub action: Option<Box<str>>,
    /// Application or host logged in to.
    pub service: Option<Box<str>>,
    /// Grant, credential or client kind.
    pub method: Option<Box<str>>,
    /// Normalised reason of a failure.
    pub failure: Option<Box<str>>,
    /// More than one factor was satisfied.
    pub mfa: Option<bool>,
    /// IP lists that hold the address, by name.
    pub lists: Vec<(Box<str>, List)>,
}

/// What being on a list asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum List {
    /// Nobody should come from there.
    Blocked,
    /// Never to be acted against.
    Safe,
    /// Nothing.
    Other,
}

/// The policy in force. Replaced by entries of the log only.
#[derive(Debug)]
pub struct Rules {
    policy: Policy,
    text: String,
    budgets: Budgets,
}

/// The rules as bytes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    text: String,
    budgets: Budgets,
}

impl Default for Rules {
    /// No rules: the thresholds of the configuration decide, in observe mode.
    fn default() -> Self {
        Self {
            policy: Policy::empty(),
            text: String::new(),
            budgets: Budgets::default(),
        }
    }
}

impl Rules {
    /// Puts another policy in force, if it holds; budgets stay spent.
    ///
    /// # Errors
    /// What is wrong with it; the last good one stays.
    pub fn replace(&mut self, text: String) -> Result<(), Vec<Problem>> {
        self.policy = Policy::parse(&text)?;
        self.text = text;
        Ok(())
    }

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Rules about a judged event, and spends.
    pub fn rule(
        &mut self,
        (arrival, assessment): (&Arrival, &Assessment),
        finding: Option<&FindingId>,
        known_accounts: usize,
    ) -> Ruling {
        let lists = arrival.said.listed();
        let facts = facts((arrival, assessment), &lists, finding);
        // A source's clock does not move budgets beyond the arrival.
        let now = arrival.record.context.time.min(arrival.origin.ingest.as_event());
        let known = u64::try_from(known_accounts).unwrap_or(u64::MAX);
        self.policy.rule(&facts, &mut self.budgets, now, known)
    }

    /// What the policy decides about an event that is asked about; nothing is spent.
    #[must_use]
    pub fn decide(&self, arrival: &Arrival, assessment: &Assessment) -> Disposition {
        let lists = arrival.said.listed();
        let facts = facts((arrival, assessment), &lists, None);
        let now = arrival.origin.ingest.as_event();
        self.policy.decide(&facts, now).disposition
    }

    /// The rules as they are kept.
    pub fn keep(&self) -> Kept {
        Kept {
            text: self.text.clone(),
            budgets: self.budgets.clone(),
        }
    }

    /// The rules that were kept. A policy that this version does not accept any more gives way to none.
    pub fn restore(kept: Kept) -> Self {
        let mut rules = Self {
            budgets: kept.budgets,
            ..Self::default()
        };
        let _ = rules.replace(kept.text);
        rules
    }
}

/// What rules may know of an event.
pub fn facts<'a>(
    (arrival, assessment): (&'a Arrival, &'a Assessment),
    lists: &'a [Listed<'a>],
    finding: Option<&'a FindingId>,
) -> Facts<'a> {
    let said = &arrival.said;
    Facts {
        event: EventFacts {
            source: Some(&arrival.origin.format),
            action: said.action.as_deref(),
            service: said.service.as_deref(),
            method: said.method.as_deref(),
            failure: said.failure.as_deref(),
            mfa: said.mfa,
        },
        lists,
        finding: finding.map(FindingId::as_str),
        ..Facts::of(&arrival.record.context, assessment)
    }
}

impl Said {
    /// The lists as the policy takes them.
    pub fn listed(&self) -> Vec<Listed<'_>> {
        self.lists
            .iter()
            .map(|(name, list)| Listed {
                name,
                meaning: match list {
                    List::Blocked => Meaning::Blocked,
                    List::Safe => Meaning::Safe,
                    List::Other => Meaning::Other,
                },
            })
            .collect()
    }
}
