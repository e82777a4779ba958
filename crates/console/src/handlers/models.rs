//! `/v1/models`: whose verdicts count, who weighs in shadow, and what people decide about the two.

use super::findings::EmptyCommand;
use crate::core::App;
use crate::extract::{Command, Id, OptionalCommand};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::product::{ModelCommand, Models};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Highest weight, as in the configuration.
const WEIGHT_MAX: f64 = 10.0;
/// Least share of an attacker profile that can be proposed.
const SHARE_MIN: f64 = 0.001;

/// Weights and shares that are to run in shadow. What is absent is the configuration's.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProposeCommand {
    /// Weights of families.
    #[serde(default)]
    weights: ProposedWeights,
    /// Shares of attacker profiles; they are made to sum to 1.
    #[serde(default)]
    priors: ProposedPriors,
}

/// Weights of families, by their names.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProposedWeights {
    #[schema(minimum = 0, maximum = 10)]
    network: Option<f64>,
    #[schema(minimum = 0, maximum = 10)]
    device: Option<f64>,
    #[schema(minimum = 0, maximum = 10)]
    joint: Option<f64>,
    #[schema(minimum = 0, maximum = 10)]
    clock: Option<f64>,
    #[schema(minimum = 0, maximum = 10)]
    gap: Option<f64>,
    #[schema(minimum = 0, maximum = 10)]
    motion: Option<f64>,
    #[schema(minimum = 0, maximum = 10)]
    authentication: Option<f64>,
    #[schema(minimum = 0, maximum = 10)]
    session: Option<f64>,
    #[schema(minimum = 0, maximum = 10)]
    resource: Option<f64>,
    #[schema(minimum = 0, maximum = 10)]
    sequence: Option<f64>,
    #[schema(minimum = 0, maximum = 10)]
    burst: Option<f64>,
    #[schema(minimum = 0, maximum = 10)]
    campaign: Option<f64>,
    #[schema(minimum = 0, maximum = 10)]
    machine: Option<f64>,
    #[schema(minimum = 0, maximum = 10)]
    volume: Option<f64>,
}

/// Shares of attacker profiles, by their names.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProposedPriors {
    #[schema(minimum = 0.001, maximum = 1)]
    opportunistic: Option<f64>,
    #[schema(minimum = 0.001, maximum = 1)]
    country_aware: Option<f64>,
    #[schema(minimum = 0.001, maximum = 1)]
    targeted: Option<f64>,
    #[schema(minimum = 0.001, maximum = 1)]
    token_theft: Option<f64>,
    #[schema(minimum = 0.001, maximum = 1)]
    insider: Option<f64>,
}

/// What is named, by its name.
fn named(proposed: &impl Serialize) -> BTreeMap<String, f64> {
    let value = serde_json::to_value(proposed).unwrap_or_default();
    let fields = value.as_object().into_iter().flatten();
    fields
        .filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)))
        .collect()
}

/// The models of the tenant, with what speaks for and against the one in shadow.
#[utoipa::path(get, path = "/v1/models", operation_id = "listModels", tag = "models",
    responses((status = 200, description = "The models.", body = Models)))]
pub(crate) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Models>, Problem> {
    Ok(Json(app.product.models.models(&caller.who).await?))
}

/// Lets weights run in shadow, in place of the challenger there. Events are judged as before.
#[utoipa::path(post, path = "/v1/models", operation_id = "proposeModel", tag = "models", request_body = ProposeCommand,
    responses((status = 200, description = "In shadow.", body = Models)))]
pub(crate) async fn propose(
    State(app): State<App>,
    caller: Caller,
    Command(command): Command<ProposeCommand>,
) -> Result<Json<Models>, Problem> {
    let (weights, priors) = (named(&command.weights), named(&command.priors));
    if !weights.values().all(|weight| (0.0..=WEIGHT_MAX).contains(weight)) {
        return Err(Problem::invalid("weights", "are not between 0 and 10"));
    }
    if !priors.values().all(|share| (SHARE_MIN..=1.0).contains(share)) {
        return Err(Problem::invalid("priors", "are not between 0.001 and 1"));
    }
    carry_out(&app, &caller, ModelCommand::Propose { weights, priors }).await
}

/// Makes the challenger the champion, unless something speaks against it.
#[utoipa::path(post, path = "/v1/models/{id}/promote", operation_id = "promoteModel", tag = "models",
    params(("id" = String, Path, description = "The challenger.")), request_body = Option<EmptyCommand>,
    responses((status = 200, description = "Promoted.", body = Models)))]
pub(crate) async fn promote(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    OptionalCommand(EmptyCommand {}): OptionalCommand<EmptyCommand>,
) -> Result<Json<Models>, Problem> {
    carry_out(&app, &caller, ModelCommand::Promote(id)).await
}

/// Makes the champion before this one champion again; this one goes on in shadow.
#[utoipa::path(post, path = "/v1/models/rollback", operation_id = "rollBackModel", tag = "models",
    request_body = Option<EmptyCommand>,
    responses((status = 200, description = "Rolled back.", body = Models)))]
pub(crate) async fn roll_back(
    State(app): State<App>,
    caller: Caller,
    OptionalCommand(EmptyCommand {}): OptionalCommand<EmptyCommand>,
) -> Result<Json<Models>, Problem> {
    carry_out(&app, &caller, ModelCommand::Rollback).await
}

async fn carry_out(app: &App, caller: &Caller, command: ModelCommand) -> Result<Json<Models>, Problem> {
    Ok(Json(app.product.models.command(&caller.who, command).await?))
}
