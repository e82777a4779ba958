//! What policy orders and responders carry out.

use crate::{AccountId, Disposition, EventTime, EventUid, RiskLevel, RiskScore, TenantId, Text};
use serde::{Deserialize, Serialize};

/// What a responder is asked to do. Only [`Action::Notify`] leaves the account as it is; the others contain it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Tell people or machines.
    Notify,
    /// Ask the account for another factor.
    Challenge,
    /// Refuse further access.
    Block,
    /// End sessions and tokens.
    Revoke,
}

/// How far decisions reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing is ordered; what would be is recorded.
    #[default]
    Observe,
    /// Notifications are sent; containment waits for a person's approval.
    Recommend,
    /// All orders are carried out, within budgets.
    Enforce,
}

/// What an order tells about, in words that stand alone. Text from logs is in it: each responder escapes for its target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The finding it belongs to; absent for an order about an event in no finding.
    pub finding: Option<Text>,
    /// The event that caused it.
    pub event: EventUid,
    /// Whose event it is.
    pub tenant: TenantId,
    /// The account; absent if nobody was named.
    pub account: Option<AccountId>,
    /// When it happened.
    pub time: EventTime,
    /// Score of the event.
    pub score: RiskScore,
    /// Its level.
    pub level: RiskLevel,
    /// What was decided.
    pub disposition: Disposition,
    /// What stands out, as a title.
    pub title: String,
    /// Why, strongest first; at most ten sentences.
    pub reasons: Vec<String>,
    /// The rule that ordered it.
    pub rule: Text,
    /// Version of the policy the rule is in.
    pub policy: Text,
}

/// One thing to be done by one responder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// 32 hexadecimal digits derived from event, rule, action and responder: the same decision gives the same id, which is
    /// the idempotency key at the responder.
    pub id: Text,
    /// Name of the configured responder.
    pub responder: Text,
    /// What to do.
    pub action: Action,
    /// Time of the record that caused it.
    pub made: EventTime,
    /// From when it must not be carried out any more, because the world has moved on.
    pub expires: EventTime,
    /// What about.
    pub notice: Notice,
}

impl Action {
    /// The name in snake case, as policies and webhooks write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Action::Notify => "notify",
            Action::Challenge => "challenge",
            Action::Block => "block",
            Action::Revoke => "revoke",
        }
    }

    /// Whether it takes something from the account, and so needs a budget or an approval.
    #[must_use]
    pub const fn contains(self) -> bool {
        !matches!(self, Action::Notify)
    }
}

impl Mode {
    /// The name in snake case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Mode::Observe => "observe",
            Mode::Recommend => "recommend",
            Mode::Enforce => "enforce",
        }
    }
}
