//! Orders as they are shown, and what a person decides about them.

use super::{schema, time};
use habitus_model::{Action, EventTime, Mode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which orders are wanted. Absent means: not restricted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ActionsQuery {
    /// Only those in this state.
    pub state: Option<ActionState>,
    /// `next` of the page before.
    #[param(max_length = 512)]
    pub cursor: Option<String>,
    /// Rows of a page, 1 to 200; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u16>,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionState {
    /// Waits for a person's approval.
    Pending,
    /// In the outbox, or being tried again.
    Queued,
    /// Carried out.
    Done,
    /// Given up after the last try: a dead letter.
    Dead,
    /// A person said no.
    Declined,
    /// Too old to be carried out.
    Expired,
    /// Not ordered, because the mode is observe.
    Observed,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ActionRow {
    /// Its id, which is the idempotency key at the responder.
    pub id: String,
    /// Name of the responder.
    pub responder: String,
    /// What is to be done.
    #[schema(schema_with = schema::action)]
    pub action: Action,
    /// Where it stands.
    pub state: ActionState,
    /// The mode it was made in.
    #[schema(schema_with = schema::mode)]
    pub mode: Mode,
    /// The account; absent if nobody is named.
    pub account: Option<String>,
    /// The finding; absent if it belongs to none.
    pub finding: Option<String>,
    /// The rule that ordered it.
    pub rule: String,
    /// When it was made.
    #[serde(with = "time")]
    #[schema(schema_with = schema::instant)]
    pub made: EventTime,
    /// From when it must not be carried out any more.
    #[serde(with = "time")]
    #[schema(schema_with = schema::instant)]
    pub expires: EventTime,
    /// Times it was tried.
    pub attempts: u32,
    /// What went wrong last; absent if nothing did. Holds no secrets.
    pub error: Option<String>,
}

/// What a person decides about an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decide {
    /// The decision.
    pub decision: Decision,
    /// Why; absent if not said.
    pub reason: Option<String>,
}

/// Kinds of decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Carry out what waits.
    Approve,
    /// Never carry it out.
    Decline,
    /// Try a dead letter again.
    Retry,
}
