//! `GET /v1/sources`.

use crate::core::App;
use crate::guard::Caller;
use crate::problem::Problem;
use crate::product::SourceHealth;
use axum::Json;
use axum::extract::State;

/// Every source and how it does.
#[utoipa::path(get, path = "/v1/sources", operation_id = "listSources", tag = "operations",
    responses((status = 200, description = "The sources.", body = Vec<SourceHealth>)))]
pub(crate) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Vec<SourceHealth>>, Problem> {
    Ok(Json(app.product.sources.sources(&caller.who).await?))
}
