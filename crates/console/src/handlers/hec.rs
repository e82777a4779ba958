//! Splunk's HTTP Event Collector, as far as shippers use it.
//!
//! <https://docs.splunk.com/Documentation/Splunk/latest/Data/FormateventsforHTTPEventCollector>. Unlike Splunk's, an
//! answer of 200 means that the events are on stable storage; acknowledgement ids are therefore not offered.

mod parse;

use super::events::events_body;
use crate::core::{App, Core};
use crate::extract::Query;
use crate::guard::Caller;
use crate::problem::Problem;
use crate::product::{Content, Record, Submission};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use habitus_model::Text;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use parse::{Fault, Parsed};
use serde::Deserialize;
use serde_json::json;

/// Records of one request.
pub(super) const RECORDS_MAX: usize = 100_000;

/// What the raw endpoint is told in its query. Splunk ignores what it does not know, and so do we.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct RawQuery {
    host: Option<String>,
    sourcetype: Option<String>,
}

/// `POST /services/collector/event`: JSON objects, one after another.
pub(crate) async fn event(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let collected = match events_body(&app, &headers, body).await {
        Ok(collected) => collected,
        Err(problem) => return refuse(&problem),
    };
    let Parsed { records, fault } = parse::events(&collected.bytes);
    submit(&app, caller, (records, fault)).await
}

/// `POST /services/collector/raw`: lines.
pub(crate) async fn raw(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<RawQuery>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let collected = match events_body(&app, &headers, body).await {
        Ok(collected) => collected,
        Err(problem) => return refuse(&problem),
    };
    let label = query.sourcetype.map(Text::new);
    let host = query.host.map(Text::new);
    let lines = parse::lines(&collected.bytes).take(RECORDS_MAX + 1);
    let records: Vec<Record> = lines
        .map(|content| Record {
            content,
            label: label.clone(),
            time: None,
            host: host.clone(),
            place: None,
        })
        .collect();
    let fault = (records.len() > RECORDS_MAX).then_some(Fault::TooMany);
    submit(&app, caller, (records, fault)).await
}

/// `GET /services/collector/health`.
pub(crate) async fn health(State(app): State<App>) -> Response {
    let readiness = app.product.operations.ready().await;
    if readiness.ready && !*app.closing.borrow() {
        answer(StatusCode::OK, 17, "HEC is healthy")
    } else {
        answer(
            StatusCode::SERVICE_UNAVAILABLE,
            18,
            "HEC is unhealthy, queues are full",
        )
    }
}

/// `POST /services/collector/ack`: there is nothing to wait for.
pub(crate) async fn ack() -> Response {
    answer(StatusCode::BAD_REQUEST, 14, "ACK is disabled")
}

/// Refuses as Splunk would.
pub(crate) fn refuse(problem: &Problem) -> Response {
    let (status, code, text) = match (problem.status, problem.code) {
        (_, "unauthenticated") => (StatusCode::UNAUTHORIZED, 2, "Token is required"),
        // Whoever is slowed down came with wrong tokens, and should hear that rather than "busy".
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) | (_, "throttled") => {
            (StatusCode::FORBIDDEN, 4, "Invalid token")
        }
        (_, "shutting_down") => (StatusCode::SERVICE_UNAVAILABLE, 23, "Server is shutting down"),
        (StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS, _) => {
            (StatusCode::SERVICE_UNAVAILABLE, 9, "Server is busy")
        }
        (StatusCode::PAYLOAD_TOO_LARGE, _) => (StatusCode::PAYLOAD_TOO_LARGE, 27, "Request entity too large"),
        (StatusCode::INTERNAL_SERVER_ERROR, _) => {
            (StatusCode::INTERNAL_SERVER_ERROR, 8, "Internal server error")
        }
        (StatusCode::REQUEST_TIMEOUT, _) => (StatusCode::REQUEST_TIMEOUT, 6, "Invalid data format"),
        (_, _) => (StatusCode::BAD_REQUEST, 6, "Invalid data format"),
    };
    let mut response = answer(status, code, text);
    if let Some(seconds) = problem.retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Keeps what was readable, and then tells of the first fault: whoever sends does not send a refused batch again, and
/// what stood before the fault must not be lost with it.
async fn submit(app: &Core, caller: Caller, (records, fault): (Vec<Record>, Option<Fault>)) -> Response {
    if matches!(fault, Some(Fault::TooMany)) {
        return refuse(&Problem::too_large("too many events in one request"));
    }
    if !records.is_empty() {
        let kept = app.product.intake.ingest(Submission {
            source: caller.principal.source.clone(),
            who: caller.who,
            format: None,
            content: Content::Records(records),
        });
        if let Err(refusal) = kept.await {
            return refuse(&refusal.into());
        }
    }
    match fault {
        None => answer(StatusCode::OK, 0, "Success"),
        Some(Fault::Empty) => answer(StatusCode::BAD_REQUEST, 5, "No data"),
        Some(Fault::TooMany) => answer(StatusCode::PAYLOAD_TOO_LARGE, 27, "Request entity too large"),
        Some(Fault::Malformed(at)) => at_event(6, "Invalid data format", at),
        Some(Fault::NoEvent(at)) => at_event(12, "Event field is required", at),
        Some(Fault::BlankEvent(at)) => at_event(13, "Event field cannot be blank", at),
    }
}

fn answer(status: StatusCode, code: u8, text: &str) -> Response {
    (status, Json(json!({"text": text, "code": code}))).into_response()
}

fn at_event(code: u8, text: &str, at: usize) -> Response {
    let body = json!({"text": text, "code": code, "invalid-event-number": at});
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}
