//! `POST /v1/events`.

use crate::body::{Collected, collect};
use crate::core::{App, Core};
use crate::extract::Query;
use crate::guard::Caller;
use crate::problem::Problem;
use crate::product::{Content, IngestAnswer, Submission};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use habitus_model::Text;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use utoipa::IntoParams;

/// Longest name of a format or source, characters.
const NAME_MAX: usize = 64;

/// How events are to be read.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventsQuery {
    /// The log format; absent or `auto` means: found out for each record.
    format: Option<String>,
    /// The source's name; a token that is bound to a source needs none.
    #[param(max_length = 64, pattern = "^[A-Za-z0-9._@+-]{1,64}$")]
    source: Option<String>,
}

impl EventsQuery {
    /// The format and the source, checked.
    pub(crate) fn check(&self, app: &Core, caller: &Caller) -> Result<(Option<Text>, Option<Text>), Problem> {
        Ok((
            format(app, self.format.as_deref())?,
            source(caller, self.source.as_deref())?,
        ))
    }
}

/// Takes events in.
#[utoipa::path(
    post,
    path = "/v1/events",
    operation_id = "ingestEvents",
    tag = "events",
    params(EventsQuery),
    request_body(
        description = "Lines of a log, NDJSON or a JSON array; gzip or zstd if `Content-Encoding` says so. At most 16 MiB.",
        content((String = "application/x-ndjson"), (String = "text/plain")),
    ),
    responses((status = 200, description = "The accepted events are on stable storage.", body = IngestAnswer)),
)]
pub(crate) async fn ingest(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<IngestAnswer>, Problem> {
    let (format, source) = query.check(&app, &caller)?;
    check_type(&headers)?;
    let collected = events_body(&app, &headers, body).await?;
    let answer = app.product.intake.ingest(Submission {
        who: caller.who,
        source,
        format,
        content: Content::Whole(collected.bytes.clone()),
    });
    Ok(Json(answer.await?))
}

/// Reads a body of events, which may be large and compressed.
pub(crate) async fn events_body(app: &Core, headers: &HeaderMap, body: Body) -> Result<Collected, Problem> {
    let limits = &app.settings.limits;
    collect(body, headers, &app.budget, (limits, limits.body_bytes)).await
}

/// Any type will do, since `curl` and shippers say what they like, but not the parts of a form: what lies around the
/// parts would be read as events.
fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    if kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("multipart/")) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_type",
            "`Content-Type` is multipart; send the events themselves",
        ));
    }
    Ok(())
}

fn format(app: &Core, format: Option<&str>) -> Result<Option<Text>, Problem> {
    match format {
        None | Some("auto") => Ok(None),
        Some(name) => {
            let formats = &app.settings.formats;
            let known = formats.is_empty() || formats.iter().any(|format| format == name);
            if !known || name.is_empty() || name.chars().count() > NAME_MAX {
                return Err(Problem::invalid("format", "is not a format this server reads"));
            }
            Ok(Some(Text::new(name)))
        }
    }
}

/// The source a token is bound to, else the one that is named. A bound token gives no other's events.
fn source(caller: &Caller, named: Option<&str>) -> Result<Option<Text>, Problem> {
    let plain = |name: &str| {
        (1..=NAME_MAX).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'@' | b'+' | b'-'))
    };
    match (&caller.principal.source, named) {
        (Some(bound), Some(named)) if bound != named => {
            Err(Problem::forbidden("the token is bound to another source"))
        }
        (Some(bound), _) => Ok(Some(bound.clone())),
        (None, Some(named)) if !plain(named) => Err(Problem::invalid(
            "source",
            "is not 1 to 64 ASCII letters, digits and . _ @ + -",
        )),
        (None, named) => Ok(named.map(Text::new)),
    }
}
