//! `/v1/tokens`.

use super::record;
use crate::access::{NewToken, Scope, Token};
use crate::core::App;
use crate::extract::{Command, Id};
use crate::guard::Caller;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use habitus_model::{Millis, TenantId, Text};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longest life of a token that has an end, days: ten years.
const DAYS_MAX: u16 = 3_650;

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenCommand {
    /// What it is for.
    #[schema(min_length = 1, max_length = 128, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]+$")]
    name: String,
    /// What it may be used for.
    #[schema(min_items = 1)]
    scopes: Vec<Scope>,
    /// The source whose events it gives; absent if the sender says.
    #[schema(max_length = 64, pattern = "^[A-Za-z0-9._@+-]{1,64}$")]
    source: Option<String>,
    /// Days until it expires; absent if never.
    #[schema(minimum = 1, maximum = 3650)]
    #[serde(default, deserialize_with = "crate::extract::whole")]
    days: Option<u16>,
    /// Whose data; absent means the maker's own. Only makers of the tenant `default` may name another.
    #[schema(max_length = 64, pattern = "^[A-Za-z0-9._@+-]{1,64}$")]
    tenant: Option<String>,
}

/// A token that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewTokenAnswer {
    /// As it is listed.
    #[serde(flatten)]
    token: Token,
    /// The secret, shown this once.
    secret: String,
}

/// Every token that is still good, latest first.
#[utoipa::path(get, path = "/v1/tokens", operation_id = "listTokens", tag = "access",
    responses((status = 200, description = "The tokens.", body = Vec<Token>)))]
pub(crate) async fn list(State(app): State<App>, caller: Caller) -> Json<Vec<Token>> {
    let mut tokens = app.access.tokens(app.now());
    tokens.retain(|token| governs(&caller, &token.tenant));
    Json(tokens)
}

/// Makes a token.
#[utoipa::path(post, path = "/v1/tokens", operation_id = "createToken", tag = "access", request_body = TokenCommand,
    responses((status = 201, description = "Made; the secret is shown this once.", body = NewTokenAnswer)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Command(command): Command<TokenCommand>,
) -> Result<(StatusCode, Json<NewTokenAnswer>), Problem> {
    let now = app.now();
    if command.days.is_some_and(|days| !(1..=DAYS_MAX).contains(&days)) {
        return Err(Problem::invalid("days", "is not between 1 and 3650"));
    }
    let tenant = tenant_of(&caller, command.tenant)?;
    let day = |days: u16| now.plus(Millis::from_hours(24 * i64::from(days)));
    let detail = format!("name `{}`, scopes {:?}", command.name, command.scopes);
    let new = NewToken {
        name: command.name,
        scopes: command.scopes,
        source: command.source.map(Text::new),
        tenant,
        expires: command.days.map(day),
    };
    let creator = caller.who.name.clone();
    let (token, secret) = app
        .with_access(move |access| access.create_token(new, &creator, now))
        .await?;
    if let Err(problem) = record(&app, &caller, "token.create", (Some(&token.id), Some(detail))).await {
        // INVARIANT: no token without an entry in the audit.
        app.with_access(move |access| access.revoke_token(&token.id))
            .await?;
        return Err(problem);
    }
    Ok((StatusCode::CREATED, Json(NewTokenAnswer { token, secret })))
}

/// Takes a token back, at once.
#[utoipa::path(delete, path = "/v1/tokens/{id}", operation_id = "revokeToken", tag = "access",
    params(("id" = String, Path, description = "The token.")),
    responses((status = 204, description = "It is no good any more.")))]
pub(crate) async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    let known = app.access.tokens(app.now());
    if !known
        .iter()
        .any(|token| token.id == id && governs(&caller, &token.tenant))
    {
        return Err(Problem::not_found());
    }
    record(&app, &caller, "token.revoke", (Some(&id), None)).await?;
    app.with_access(move |access| access.revoke_token(&id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether somebody manages this tenant: their own, or all if they belong to the tenant `default`.
pub(crate) fn governs(caller: &Caller, tenant: &TenantId) -> bool {
    caller.who.tenant == *tenant || caller.who.tenant == TenantId::default()
}

/// The tenant a command names, if its maker may.
pub(crate) fn tenant_of(caller: &Caller, named: Option<String>) -> Result<TenantId, Problem> {
    let tenant = named.map_or_else(|| caller.who.tenant.clone(), TenantId::new);
    if governs(caller, &tenant) {
        Ok(tenant)
    } else {
        Err(Problem::forbidden("this is another tenant"))
    }
}
