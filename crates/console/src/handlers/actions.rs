//! `/v1/actions`: orders that wait for a person, and dead letters.

use crate::core::{App, Core};
use crate::extract::{Id, OptionalCommand, Query, check_length, check_limit};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::product::{ActionRow, ActionsQuery, Decide, Decision, Page};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

/// Longest reason, characters.
const REASON_MAX: usize = 1_000;

/// Why something is decided.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReasonCommand {
    /// In words; absent if not said.
    #[schema(max_length = 1000)]
    reason: Option<String>,
}

/// Orders, latest first. `state=pending` waits for a person, `state=dead` was given up.
#[utoipa::path(get, path = "/v1/actions", operation_id = "listActions", tag = "actions", params(ActionsQuery),
    responses((status = 200, description = "One page.", body = Page<ActionRow>)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ActionsQuery>,
) -> Result<Json<Page<ActionRow>>, Problem> {
    check_limit(query.limit)?;
    check_length("cursor", query.cursor.as_ref(), 512)?;
    Ok(Json(app.product.actions.actions(&caller.who, &query).await?))
}

/// Lets an order that waits be carried out.
#[utoipa::path(post, path = "/v1/actions/{id}/approve", operation_id = "approveAction", tag = "actions",
    params(("id" = String, Path, description = "The order.")), request_body = Option<ReasonCommand>,
    responses((status = 200, description = "Approved.", body = ActionRow)))]
pub(crate) async fn approve(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    OptionalCommand(command): OptionalCommand<ReasonCommand>,
) -> Result<Json<ActionRow>, Problem> {
    decide(&app, &caller, &id, (Decision::Approve, command)).await
}

/// Refuses an order that waits.
#[utoipa::path(post, path = "/v1/actions/{id}/decline", operation_id = "declineAction", tag = "actions",
    params(("id" = String, Path, description = "The order.")), request_body = Option<ReasonCommand>,
    responses((status = 200, description = "Declined.", body = ActionRow)))]
pub(crate) async fn decline(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    OptionalCommand(command): OptionalCommand<ReasonCommand>,
) -> Result<Json<ActionRow>, Problem> {
    decide(&app, &caller, &id, (Decision::Decline, command)).await
}

/// Tries a dead letter again.
#[utoipa::path(post, path = "/v1/actions/{id}/retry", operation_id = "retryAction", tag = "actions",
    params(("id" = String, Path, description = "The order.")), request_body = Option<ReasonCommand>,
    responses((status = 200, description = "Queued again.", body = ActionRow)))]
pub(crate) async fn retry(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    OptionalCommand(command): OptionalCommand<ReasonCommand>,
) -> Result<Json<ActionRow>, Problem> {
    decide(&app, &caller, &id, (Decision::Retry, command)).await
}

async fn decide(
    app: &Core,
    caller: &Caller,
    id: &str,
    (decision, command): (Decision, ReasonCommand),
) -> Result<Json<ActionRow>, Problem> {
    check_length("reason", command.reason.as_ref(), REASON_MAX)?;
    let decide = Decide {
        decision,
        reason: command.reason,
    };
    Ok(Json(app.product.actions.decide(&caller.who, id, decide).await?))
}
