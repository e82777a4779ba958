//! `GET /v1/audit`.

use crate::core::App;
use crate::extract::{Query, check_length, check_limit};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::product::{AuditEntry, AuditQuery, Page};
use axum::Json;
use axum::extract::State;

/// Entries of the audit chain, latest first.
#[utoipa::path(get, path = "/v1/audit", operation_id = "listAudit", tag = "operations", params(AuditQuery),
    responses((status = 200, description = "One page.", body = Page<AuditEntry>)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Page<AuditEntry>>, Problem> {
    check_limit(query.limit)?;
    check_length("actor", query.actor.as_ref(), 128)?;
    check_length("action", query.action.as_ref(), 64)?;
    check_length("cursor", query.cursor.as_ref(), 512)?;
    Ok(Json(app.product.audit.entries(&caller.who, &query).await?))
}
