//! An event's total, and what tables say of it.

use crate::models::Shadowed;
use habitus_model::{AccountKind, Nats, Probability, RiskScore, Stratum};
use serde::{Deserialize, Serialize};

/// What the tables of a tenant say of a total.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Said {
    /// How often a legitimate event has at least this total.
    pub tail: Probability,
    /// `−ln p` as the histograms of its stratum show, before what came corrects it.
    pub surprise: Nats,
}

/// An event's total, for calibration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Total {
    /// Kind of account.
    pub kind: AccountKind,
    /// What it is compared with.
    pub stratum: Stratum,
    /// The total.
    pub nats: Nats,
    /// The score that was said of it.
    pub score: RiskScore,
    /// The total of the model in shadow; absent: there was none.
    pub shadow: Option<Shadowed>,
    /// Whether it goes on with a suspicion that was counted: the hundred events of one attack are one.
    pub goes_on: bool,
    /// What is not worked out again.
    #[serde(skip)]
    pub kept: Kept,
    /// Whether its account had a history. Scores of first visits promise nothing.
    pub has_history: bool,
}

/// The surprise of a total, where the tables that said it are those of its epoch's end; absent: they are others, or a snapshot was
/// read. Follows from them, and is no part of the state.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kept(pub Option<Nats>);

impl PartialEq for Kept {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
