//! `/v1/accounts` and `/v1/sessions`. That a single one was read is in the audit.

use super::record;
use crate::core::App;
use crate::extract::{Id, Query, check_length, check_limit};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::product::{Account, AccountRow, AccountsQuery, Page, Session};
use axum::Json;
use axum::extract::State;

/// Accounts, highest present risk first.
#[utoipa::path(get, path = "/v1/accounts", operation_id = "listAccounts", tag = "accounts", params(AccountsQuery),
    responses((status = 200, description = "One page.", body = Page<AccountRow>)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<AccountsQuery>,
) -> Result<Json<Page<AccountRow>>, Problem> {
    check_limit(query.limit)?;
    check_length("search", query.search.as_ref(), 512)?;
    check_length("kind", query.kind.as_ref(), 16)?;
    check_length("cursor", query.cursor.as_ref(), 512)?;
    Ok(Json(app.product.directory.accounts(&caller.who, &query).await?))
}

/// One account with its habits.
#[utoipa::path(get, path = "/v1/accounts/{id}", operation_id = "getAccount", tag = "accounts",
    params(("id" = String, Path, description = "Its id.")),
    responses((status = 200, description = "The account.", body = Account)))]
pub(crate) async fn one(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<Account>, Problem> {
    let account = app.product.directory.account(&caller.who, &id).await?;
    record(&app, &caller, "account.read", (Some(&account.row.id), None)).await?;
    Ok(Json(account))
}

/// One session with its events.
#[utoipa::path(get, path = "/v1/sessions/{id}", operation_id = "getSession", tag = "accounts",
    params(("id" = String, Path, description = "Its id.")),
    responses((status = 200, description = "The session.", body = Session)))]
pub(crate) async fn session(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<Session>, Problem> {
    let session = app.product.directory.session(&caller.who, &id).await?;
    record(&app, &caller, "session.read", (Some(&session.row.id), None)).await?;
    Ok(Json(session))
}
