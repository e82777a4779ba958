//! `GET /v1/stream`: live messages as server-sent events.

use crate::core::App;
use crate::guard::Caller;
use crate::problem::Problem;
use crate::product::Message;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{Stream, StreamExt as _};
use http::{HeaderMap, StatusCode};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// Pause after which a comment shows that the stream lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a stream lives: then the client comes again and is asked anew who it is. What it may see is checked at the
/// start only, so this is the longest time that a revoked token goes on reading.
const LIFE: Duration = Duration::from_secs(15 * 60);

/// One message of the stream.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is written field by field")]
pub(crate) struct StreamMessage {
    /// Its id; ids grow.
    id: String,
    /// What it is about: `finding`, `verdict`, `action`, `source`, `gap`.
    event: String,
    /// The object, as JSON on one line.
    data: String,
}

/// Live messages: findings, verdicts, actions, sources. `Last-Event-ID` resumes after that message; a message of kind
/// `gap` says that some are no longer kept, and the state should be read anew. A stream ends after a quarter of an hour.
#[utoipa::path(get, path = "/v1/stream", operation_id = "stream", tag = "findings",
    params(("last-event-id" = Option<u64>, Header, description = "Id of the last message that was seen.")),
    responses((status = 200, description = "Messages, until either side ends it.", body = StreamMessage, content_type = "text/event-stream")))]
pub(crate) async fn stream(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let after = last_id(&headers)?;
    let permit = Arc::clone(&app.streams)
        .try_acquire_owned()
        .map_err(|_| Problem::overloaded("too_many_streams", 5))?;
    let mut closing = app.closing.subscribe();
    let ended = async move {
        // A sender that is gone means the same as one that says so.
        let told = closing.wait_for(|closing| *closing);
        tokio::select! { _ = told => {}, () = tokio::time::sleep(LIFE) => {} }
    };
    let messages = app.product.live.subscribe(&caller.who, after);
    let events = messages.take_until(Box::pin(ended)).map(move |message| {
        // The permit lives as long as the stream.
        let _held = &permit;
        Ok(event(&message))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

fn event(message: &Message) -> Event {
    // Line ends in the data would end the field: JSON on one line has none, and what has is sent as several lines.
    Event::default()
        .id(message.id.to_string())
        .event(message.kind)
        .data(message.json.replace(['\r', '\0'], " "))
}

fn last_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let id = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    id.map(Some).ok_or_else(|| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "bad_header",
            "`Last-Event-ID` is not the id of a message",
        )
    })
}
