//! Models as they are shown, and what people ask of them.

use super::{schema, time};
use habitus_model::EventTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use utoipa::ToSchema;

/// The models of a tenant: whose verdicts count, who weighs in shadow, and how the two compare.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Models {
    /// The labels that stand.
    pub labels: LabelCounts,
    /// Whose verdicts count.
    pub champion: ModelRow,
    /// Who weighs the same events in shadow; absent: nobody.
    pub challenger: Option<ModelRow>,
    /// Who is champion again after a rollback; absent: there is nobody to go back to.
    pub former: Option<ModelRow>,
    /// The challenger beside the champion; absent without a challenger.
    pub comparison: Option<ModelComparison>,
    /// What happened, latest last, at most 20 steps.
    pub history: Vec<ModelStep>,
}

/// Labels by what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct LabelCounts {
    /// Confirmed attacks.
    pub attacks: u64,
    /// False positives.
    pub false_alarms: u64,
    /// Benign: unusual and expected.
    pub expected: u64,
    /// Tests, which teach nothing and count as attacks in comparisons.
    pub tests: u64,
}

/// One model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelRow {
    /// Its number; `0` is the configuration's.
    pub id: String,
    /// Where it is from.
    pub origin: ModelOrigin,
    /// When it was made; absent for the configuration's.
    #[serde(with = "time::option")]
    #[schema(schema_with = schema::instant_or_null)]
    pub made: Option<EventTime>,
    /// Who proposed it; absent if nobody did.
    pub by: Option<String>,
    /// The labels it learned from; absent if it did not.
    pub labels: Option<LabelCounts>,
    /// Weight of each family.
    pub weights: BTreeMap<String, f64>,
    /// Share of each attacker profile; they sum to 1.
    pub priors: BTreeMap<String, f64>,
}

/// Where a model is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelOrigin {
    /// The configuration.
    Configured,
    /// Labels.
    Learned,
    /// A person.
    Given,
}

/// A challenger beside the champion. Lists of three are of scores from 40, 60 and 80.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelComparison {
    /// Events that both have weighed.
    pub events: u64,
    /// Of these the champion flags.
    pub champion_flags: Vec<u64>,
    /// The challenger flags.
    pub challenger_flags: Vec<u64>,
    /// Both flag.
    pub both_flag: Vec<u64>,
    /// Labels that taught nothing: attacks.
    pub held_out_attacks: u64,
    /// The same: false alarms, and what was expected.
    pub held_out_owners: u64,
    /// On these the champion.
    pub champion: ModelFound,
    /// On these the challenger.
    pub challenger: ModelFound,
    /// Standard attacks, which nobody here has labelled.
    pub standard_attacks: u64,
    /// Of these the champion finds.
    pub champion_standard: Vec<u64>,
    /// The challenger finds.
    pub challenger_standard: Vec<u64>,
    /// Held-out findings that rank worse, at most 20.
    pub worse: Vec<ModelMover>,
    /// What speaks against promoting it; empty: nothing.
    pub hindrances: Vec<String>,
}

/// What a model finds among held-out labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelFound {
    /// Attacks.
    pub attacks: Vec<u64>,
    /// Owners.
    pub owners: Vec<u64>,
    /// Share of pairs in which the attack scores higher; absent without pairs.
    pub order: Option<f64>,
}

/// A finding that ranks worse with the challenger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelMover {
    /// The finding.
    pub finding: String,
    /// Whether it was an attack.
    pub attack: bool,
    /// What it scores with the champion.
    pub champion: f64,
    /// What it scores with the challenger.
    pub challenger: f64,
}

/// Something that happened to a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelStep {
    /// What.
    pub what: ModelHappened,
    /// To which model.
    pub id: String,
    /// Who did it; absent: habitus itself.
    pub by: Option<String>,
    /// When.
    #[serde(with = "time")]
    #[schema(schema_with = schema::instant)]
    pub at: EventTime,
}

/// What happened to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelHappened {
    /// It began to weigh in shadow.
    Made,
    /// It became the champion.
    Promoted,
    /// It became the champion again.
    RolledBack,
}

/// Weights and shares that differ by less are the same to people, who see two decimals.
const WORTH_SHOWING: f64 = 0.005;

/// A number that two models do not have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModelMove<'m> {
    /// `weight` of a family, or `share` of an attacker profile.
    pub what: &'static str,
    /// Name of the family or profile in snake case.
    pub name: &'m str,
    /// What it was; 0 if it had none.
    pub before: f64,
    /// What it is.
    pub after: f64,
}

impl fmt::Display for LabelCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            attacks,
            false_alarms,
            expected,
            tests,
        } = self;
        write!(
            f,
            "{attacks} attacks, {false_alarms} false alarms, {expected} expected, {tests} tests"
        )
    }
}

impl ModelRow {
    /// Where it is from, in words. They hold what somebody is called: to be made harmless where they are shown.
    #[must_use]
    pub fn origin_text(&self) -> String {
        match self.origin {
            ModelOrigin::Configured => "the configuration's".to_owned(),
            ModelOrigin::Learned => format!("learned from {}", self.labels.unwrap_or_default()),
            ModelOrigin::Given => format!("proposed by {}", self.by.as_deref().unwrap_or("somebody")),
        }
    }

    /// What it has other than another model, to two decimals. Cost: linear in its numbers.
    pub fn moves_from<'m>(&'m self, other: &'m Self) -> impl Iterator<Item = ModelMove<'m>> {
        let sorts = [
            ("weight", &other.weights, &self.weights),
            ("share", &other.priors, &self.priors),
        ];
        sorts.into_iter().flat_map(|(what, before, after)| {
            let each = after.iter().map(move |(name, after)| ModelMove {
                what,
                name: name.as_str(),
                before: before.get(name).copied().unwrap_or(0.0),
                after: *after,
            });
            each.filter(|moved| (moved.after - moved.before).abs() >= WORTH_SHOWING)
        })
    }
}

impl ModelHappened {
    /// In words, behind the model's number.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Made => "began to weigh in shadow",
            Self::Promoted => "became the champion",
            Self::RolledBack => "became the champion again",
        }
    }
}

/// What is asked of models.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelCommand {
    /// Make the challenger of this id the champion.
    Promote(String),
    /// Go back to the champion before.
    Rollback,
    /// Let these run in shadow: weights by family and shares by attacker profile; what is not named is the configuration's.
    Propose {
        /// Weights.
        weights: BTreeMap<String, f64>,
        /// Shares, in any scale.
        priors: BTreeMap<String, f64>,
    },
}
