//! `POST /v1/assess`, and what every inline decision has in common.

use super::events::{EventsQuery, events_body};
use crate::core::{App, Core};
use crate::extract::Query;
use crate::guard::Caller;
use crate::problem::Problem;
use crate::product::{AssessAnswer, Question, Refusal};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use habitus_model::Disposition;
use http::HeaderMap;
use std::time::Duration;
use tokio::time::Instant;

/// Header in which the asker says how long it waits, milliseconds.
const DEADLINE_HEADER: &str = "habitus-deadline-ms";
/// What is kept of the deadline for writing the answer.
const MARGIN: Duration = Duration::from_millis(2);

/// The decision on one event as of now. Nothing is learned or kept. There is always an answer: if none can be computed
/// before the deadline, or the event cannot be read, it is the configured default, marked `degraded`.
#[utoipa::path(
    post,
    path = "/v1/assess",
    operation_id = "assess",
    tag = "inline",
    params(
        EventsQuery,
        ("habitus-deadline-ms" = Option<u32>, Header, minimum = 1, maximum = 5000, description = "How long the asker waits, milliseconds."),
    ),
    request_body(
        description = "One event, in any format that `/v1/events` takes.",
        content((serde_json::Value = "application/json"), (String = "text/plain")),
    ),
    responses((status = 200, description = "The decision.", body = AssessAnswer)),
)]
pub(crate) async fn assess(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<AssessAnswer>, Problem> {
    let started = Instant::now();
    let deadline = deadline(&app, &headers)?;
    let (format, source) = query.check(&app, &caller)?;
    let collected = events_body(&app, &headers, body).await?;
    let question = Question {
        who: caller.who,
        source,
        format,
        event: collected.bytes.clone(),
        deadline,
    };
    Ok(Json(
        decide(&app, question, (started, app.settings.inline.default)).await,
    ))
}

/// Asks, and answers with `default` when no answer comes in time.
pub(crate) async fn decide(
    app: &Core,
    mut question: Question,
    (started, default): (Instant, Disposition),
) -> AssessAnswer {
    let left = question
        .deadline
        .saturating_sub(started.elapsed())
        .saturating_sub(MARGIN);
    if left.is_zero() {
        return AssessAnswer::degraded(default, "the deadline was over before the event was read");
    }
    question.deadline = left;
    match tokio::time::timeout(left, app.product.judge.assess(question)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(refusal)) => AssessAnswer::degraded(default, &reason(refusal)),
        Err(_) => AssessAnswer::degraded(default, "not computed before the deadline"),
    }
}

/// The deadline the asker names, else the configured one.
pub(crate) fn deadline(app: &Core, headers: &HeaderMap) -> Result<Duration, Problem> {
    let inline = &app.settings.inline;
    let Some(value) = headers.get(DEADLINE_HEADER) else {
        return Ok(inline.deadline);
    };
    let ms: Option<u64> = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    match ms.map(Duration::from_millis) {
        Some(deadline) if !deadline.is_zero() && deadline <= inline.deadline_max => Ok(deadline),
        _ => Err(Problem::invalid(
            "habitus-deadline-ms",
            "is not a number of milliseconds between 1 and the configured longest",
        )),
    }
}

fn reason(refusal: Refusal) -> String {
    match refusal {
        Refusal::BadFormat { reason } => format!("the event cannot be read: {reason}"),
        other => other.to_string(),
    }
}
