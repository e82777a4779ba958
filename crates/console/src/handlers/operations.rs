//! `/livez`, `/readyz`, `/metrics` and `/openapi.json`.

use crate::core::App;
use crate::product::Readiness;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};

/// Whether the process answers at all. Asks nobody else.
#[utoipa::path(get, path = "/livez", operation_id = "live", tag = "operations",
    responses((status = 200, description = "It does.", body = String, content_type = "text/plain")))]
pub(crate) async fn livez() -> &'static str {
    "ok\n"
}

/// Whether the process can do its work now.
#[utoipa::path(get, path = "/readyz", operation_id = "ready", tag = "operations",
    responses(
        (status = 200, description = "It can.", body = Readiness),
        (status = 503, description = "It cannot, for the reasons given.", body = Readiness),
    ))]
pub(crate) async fn readyz(State(app): State<App>) -> (StatusCode, Json<Readiness>) {
    let readiness = app.product.operations.ready().await;
    let closing = *app.closing.borrow();
    let status = if readiness.ready && !closing {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness))
}

/// Metrics in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "operations",
    responses((status = 200, description = "The metrics.", body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    let own = app.counters.text(&app.row_names);
    let rest = app.product.operations.metrics().await;
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    // What ends the text must stand at its end: the console's own metrics come first.
    (kind, own + &rest).into_response()
}

/// This interface, described in OpenAPI 3.1.
#[utoipa::path(get, path = "/openapi.json", operation_id = "openapi", tag = "operations",
    responses((status = 200, description = "The document.", body = serde_json::Value)))]
pub(crate) async fn openapi(State(app): State<App>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], app.openapi.clone()).into_response()
}
