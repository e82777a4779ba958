//! The one thing a responder does.

use crate::Outcome;
use async_trait::async_trait;
use habitus_model::{Action, Order};

/// Carries out orders at one kind of target.
#[async_trait]
pub trait Responder: Send + Sync {
    /// The kind, as the configuration and the file in `responders/` name it.
    fn kind(&self) -> &'static str;

    /// The actions it can carry out. One that only tells people does not accept an order to block: "done" would then say
    /// that somebody was blocked.
    fn actions(&self) -> &'static [Action];

    /// One attempt, finished within the guard's whole time limit; never panics. The order's id is the idempotency key.
    async fn carry_out(&self, order: &Order) -> Outcome;
}

/// What responders accept that only tell.
pub(crate) const NOTIFY_ONLY: &[Action] = &[Action::Notify];

/// What responders accept behind which a machine can do anything.
pub(crate) const EVERY_ACTION: &[Action] =
    &[Action::Notify, Action::Challenge, Action::Block, Action::Revoke];
