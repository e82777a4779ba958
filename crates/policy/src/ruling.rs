//! What a policy rules, as it is recorded.

use habitus_model::{Action, Disposition, Mode, Order, Text};
use serde::{Deserialize, Serialize};

/// What a policy rules about one event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ruling {
    /// What is decided; in observe mode, what is recommended.
    pub disposition: Disposition,
    /// What decided: `rule NAME`, `safelist NAME`, `break-glass account`, or the threshold.
    pub because: Text,
    /// The mode in which it was ruled.
    pub mode: Mode,
    /// Version of the policy.
    pub policy: Text,
    /// Names of the rules that match, in the order of the file.
    pub rules: Vec<Text>,
    /// What is to be carried out.
    pub orders: Vec<Order>,
    /// What waits for a person's approval.
    pub held: Vec<Held>,
    /// What is not done, and why.
    pub suppressed: Vec<Suppressed>,
    /// Rules that could not be evaluated; they were skipped.
    pub errors: Vec<Failed>,
}

/// An order that waits for a person's approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// The order, as it would be carried out.
    pub order: Order,
    /// Why it waits.
    pub why: Hold,
}

/// Why an order waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// The mode is `recommend`, in which people contain.
    Recommend,
    /// The rule asks for it.
    RequireApproval,
    /// More would be contained in ten minutes than the budget allows: the mass-action guard.
    ContainedShare,
    /// More would be done in an hour than the budget allows.
    ActionsPerHour,
}

/// An action that is not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressed {
    /// The rule that asked for it.
    pub rule: Text,
    /// What was asked for.
    pub action: Action,
    /// By whom.
    pub responder: Text,
    /// Why it is not done.
    pub why: Suppression,
}

/// Why an action is not done.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suppression {
    /// The mode is `observe`: it would be done otherwise.
    Observe,
    /// An entry of the safelist holds.
    Safelist(Text),
    /// The account is a break-glass account.
    BreakGlass,
    /// What was tried failed: containment for failures acts on the source, never on the victim.
    FailedEvent,
    /// Nobody is named who could be contained.
    NoAccount,
    /// The account has had its actions of this hour.
    ActionsPerAccount,
    /// The hour's actions are used up.
    ActionsPerHour,
}

/// A rule or an entry of the safelist that could not be evaluated for an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// Its name.
    pub rule: Text,
    /// Why; names no value.
    pub fault: Text,
}
