//! Models as they are shown, and what people ask of them.

use super::{schema, time};
use habitus_model::EventTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
