//! `GET /v1/sources` and `GET /v1/changes`.

use crate::core::App;
use crate::guard::Caller;
use crate::problem::Problem;
use crate::product::{Changes, SourceHealth};
use axum::Json;
use axum::extract::State;

/// Every source and how it does.
#[utoipa::path(get, path = "/v1/sources", operation_id = "listSources", tag = "operations",
    responses((status = 200, description = "The sources.", body = Vec<SourceHealth>)))]
pub(crate) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Vec<SourceHealth>>, Problem> {
    Ok(Json(app.product.sources.sources(&caller.who).await?))
}

/// What changed for the tenant as a whole, and whether scores keep their promise.
#[utoipa::path(get, path = "/v1/changes", operation_id = "listChanges", tag = "operations",
    responses((status = 200, description = "The changes that stand.", body = Changes)))]
pub(crate) async fn changes(State(app): State<App>, caller: Caller) -> Result<Json<Changes>, Problem> {
    Ok(Json(app.product.sources.changes(&caller.who).await?))
}
