//! Elasticsearch's bulk interface, as far as shippers use it.
//!
//! <https://www.elastic.co/guide/en/elasticsearch/reference/8.17/docs-bulk.html>. Documents are kept as events; an item
//! that cannot be read as one gets 400, which shippers do not send again.

use super::events::events_body;
use super::hec::RECORDS_MAX;
use crate::core::{App, Core};
use crate::extract::Id;
use crate::guard::Caller;
use crate::problem::Problem;
use crate::product::{Content, IngestAnswer, Record, Submission};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use habitus_model::Text;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Version whose interface this is: the first with the present checks of clients, kept old so that none asks for more.
const VERSION: &str = "8.17.0";
/// Clients refuse to talk to a server without it.
const PRODUCT: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-elastic-product"),
    HeaderValue::from_static("Elasticsearch"),
);

/// One action of a body.
#[derive(Debug, PartialEq)]
struct Item {
    verb: &'static str,
    index: Option<String>,
    id: Option<String>,
    /// Place among the records; absent if the action is none we do.
    record: Option<usize>,
}

/// The line before a document.
#[derive(Deserialize)]
enum ActionLine {
    #[serde(rename = "create")]
    Create(Target),
    #[serde(rename = "index")]
    Index(Target),
    #[serde(rename = "update")]
    Update(Target),
    #[serde(rename = "delete")]
    Delete(Target),
}

#[derive(Deserialize)]
struct Target {
    #[serde(rename = "_index")]
    index: Option<String>,
    #[serde(rename = "_id")]
    id: Option<String>,
}

/// `POST /_bulk`.
pub(crate) async fn bulk(State(app): State<App>, caller: Caller, headers: HeaderMap, body: Body) -> Response {
    answer(&app, caller, (None, &headers, body))
        .await
        .unwrap_or_else(refuse)
}

/// `POST /{index}/_bulk`.
pub(crate) async fn bulk_of_index(
    State(app): State<App>,
    caller: Caller,
    Id(index): Id,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answer(&app, caller, (Some(&index), &headers, body))
        .await
        .unwrap_or_else(refuse)
}

/// `GET /_license`: Logstash and Beats ask for it.
pub(crate) async fn license() -> Response {
    with_product(
        Json(json!({"license": {"status": "active", "type": "basic", "uid": "habitus"}})).into_response(),
    )
}

/// `GET /_cluster/health`: Vector asks for it.
pub(crate) async fn cluster_health(State(app): State<App>) -> Response {
    let ready = app.product.operations.ready().await.ready && !*app.closing.borrow();
    let status = if ready { "green" } else { "red" };
    with_product(
        Json(json!({"cluster_name": "habitus", "status": status, "timed_out": false})).into_response(),
    )
}

/// `GET /`: every client's first question.
pub(crate) fn greeting() -> Response {
    let body = json!({
        "name": "habitus",
        "cluster_name": "habitus",
        "cluster_uuid": "habitus",
        "version": {
            "number": VERSION,
            "build_flavor": "default",
            "build_type": "deb",
            "build_hash": "0000000000000000000000000000000000000000",
            "build_date": "2026-01-01T00:00:00.000Z",
            "build_snapshot": false,
            "lucene_version": "9.12.0",
            "minimum_wire_compatibility_version": "7.17.0",
            "minimum_index_compatibility_version": "7.0.0",
        },
        "tagline": "You Know, for Search",
    });
    with_product(Json(body).into_response())
}

/// Refuses as Elasticsearch would. Overload is 429 there, which every shipper takes as "later".
pub(crate) fn refuse(problem: Problem) -> Response {
    let (status, kind) = match problem.status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => (problem.status, "security_exception"),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            (StatusCode::TOO_MANY_REQUESTS, "es_rejected_execution_exception")
        }
        StatusCode::PAYLOAD_TOO_LARGE => (problem.status, "content_too_long_exception"),
        status if status.is_server_error() => (status, "exception"),
        _ => (StatusCode::BAD_REQUEST, "illegal_argument_exception"),
    };
    let body = json!({"error": {"type": kind, "reason": problem.detail}, "status": status.as_u16()});
    let mut response = (status, Json(body)).into_response();
    let headers = response.headers_mut();
    if let Some(seconds) = problem.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("ApiKey"));
    }
    with_product(response)
}

async fn answer(
    app: &Core,
    caller: Caller,
    (index, headers, body): (Option<&str>, &HeaderMap, Body),
) -> Result<Response, Problem> {
    let collected = events_body(app, headers, body).await?;
    let (items, records) = parse(&collected.bytes, index)?;
    let kept = if records.is_empty() {
        IngestAnswer::default()
    } else {
        let submission = Submission {
            source: caller.principal.source.clone(),
            who: caller.who,
            format: None,
            content: Content::Records(records),
        };
        app.product.intake.ingest(submission).await?
    };
    Ok(with_product(Json(report(&items, &kept)).into_response()))
}

/// Pairs of lines: what to do, and the document.
fn parse(body: &Bytes, default_index: Option<&str>) -> Result<(Vec<Item>, Vec<Record>), Problem> {
    let mut items = Vec::new();
    let mut records = Vec::new();
    let mut lines = body
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty());
    while let Some(line) = lines.next() {
        if items.len() >= RECORDS_MAX {
            return Err(Problem::too_large("too many actions in one request"));
        }
        let action: ActionLine = serde_json::from_slice(line)
            .map_err(|_| malformed("a line is neither create, index, update nor delete"))?;
        let (verb, target, is_kept) = match action {
            ActionLine::Create(target) => ("create", target, true),
            ActionLine::Index(target) => ("index", target, true),
            ActionLine::Update(target) => ("update", target, false),
            ActionLine::Delete(target) => ("delete", target, false),
        };
        let index = target.index.or_else(|| default_index.map(str::to_owned));
        if verb != "delete" {
            let document = lines
                .next()
                .ok_or_else(|| malformed("the last action has no document"))?;
            if is_kept {
                records.push(record(body.slice_ref(document.trim_ascii()), index.as_deref()));
            }
        }
        items.push(Item {
            verb,
            index,
            id: target.id,
            record: is_kept.then_some(records.len()),
        });
    }
    Ok((items, records))
}

fn record(content: Bytes, index: Option<&str>) -> Record {
    Record {
        content,
        label: index.map(Text::new),
        time: None,
        host: None,
        place: None,
    }
}

/// One line for each action. Records count from 1.
fn report(items: &[Item], kept: &IngestAnswer) -> Value {
    let rejected: BTreeMap<u64, &str> = kept
        .rejected
        .iter()
        .map(|rejected| (rejected.line, rejected.error.as_str()))
        .collect();
    let mut errors = false;
    let lines: Vec<Value> = items
        .iter()
        .map(|item| {
            let error = match item.record {
                None => Some("habitus keeps events; it does not update or delete"),
                Some(at) => u64::try_from(at).ok().and_then(|at| rejected.get(&at).copied()),
            };
            errors |= error.is_some();
            line(item, error)
        })
        .collect();
    json!({"took": 0, "errors": errors, "items": lines})
}

fn line(item: &Item, error: Option<&str>) -> Value {
    let status = if error.is_some() { 400 } else { 201 };
    let mut inner = json!({"_index": item.index, "_id": item.id, "status": status});
    if let Some(inner) = inner.as_object_mut() {
        match error {
            Some(reason) => {
                let error = json!({"type": "document_parsing_exception", "reason": reason});
                inner.insert("error".to_owned(), error);
            }
            None => {
                inner.insert("result".to_owned(), Value::from("created"));
            }
        }
    }
    json!({item.verb: inner})
}

fn malformed(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed", detail)
}

fn with_product(mut response: Response) -> Response {
    let (name, value) = PRODUCT;
    response.headers_mut().insert(name, value);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::RejectedLine;

    #[test]
    fn each_action_gets_its_line() {
        let body = Bytes::from_static(
            b"{\"create\":{}}\n{\"a\":1}\n{\"delete\":{\"_id\":\"x\"}}\n{\"index\":{\"_index\":\"other\"}}\nbad\n",
        );
        let (items, records) = parse(&body, Some("logs")).unwrap();
        assert_eq!(records.len(), 2);
        assert_eq!(records[0].label.as_deref(), Some("logs"));
        assert_eq!(records[1].label.as_deref(), Some("other"));
        let kept = IngestAnswer {
            accepted: 1,
            duplicates: 0,
            rejected: vec![RejectedLine {
                line: 2,
                error: "no".to_owned(),
            }],
        };
        let report = report(&items, &kept);
        assert_eq!(report["errors"], true);
        assert_eq!(report["items"][0]["create"]["status"], 201);
        assert_eq!(report["items"][1]["delete"]["status"], 400);
        assert_eq!(report["items"][2]["index"]["status"], 400);
    }

    #[test]
    fn bodies_that_are_none_are_refused() {
        for body in ["{\"create\":{}}\n", "nonsense\n", "{\"drop\":{}}\n{}\n", "[]\n"] {
            assert!(parse(&Bytes::from(body), None).is_err(), "{body}");
        }
        assert!(parse(&Bytes::new(), None).unwrap().0.is_empty());
    }
}
