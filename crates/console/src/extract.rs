//! Parts of requests, whose errors are problem documents.

use crate::body;
use crate::core::App;
use crate::problem::Problem;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Longest id in a path, bytes. Nothing has a longer one.
const ID_MAX: usize = 1_024;
/// Rows of a page.
const PAGE_ROWS_MAX: u16 = 200;

/// The query.
#[derive(Debug)]
pub(crate) struct Query<T>(pub T);

/// The one id in the path.
#[derive(Debug)]
pub(crate) struct Id(pub String);

/// The JSON body of a command.
#[derive(Debug)]
pub(crate) struct Command<T>(pub T);

/// The same, where no body means the default.
#[derive(Debug)]
pub(crate) struct OptionalCommand<T>(pub T);

/// The form of a page.
#[derive(Debug)]
pub(crate) struct PageForm<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(query) => Ok(Self(query.0)),
            Err(rejection) => Err(bad_query(&rejection)),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path: Result<axum::extract::Path<String>, PathRejection> =
            axum::extract::Path::from_request_parts(parts, state).await;
        match path {
            Ok(id) if id.0.len() <= ID_MAX => Ok(Self(id.0)),
            Ok(_) | Err(_) => Err(Problem::not_found()),
        }
    }
}

impl<T: DeserializeOwned> FromRequest<App> for Command<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        check_json(request.headers())?;
        let bytes = small_body(request, app).await?;
        parse(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned + Default> FromRequest<App> for OptionalCommand<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let kind = check_json(request.headers());
        let bytes = small_body(request, app).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        kind?;
        // `null` says nothing as well as nothing does.
        parse::<Option<T>>(&bytes).map(|command| Self(command.unwrap_or_default()))
    }
}

impl<T: DeserializeOwned> FromRequest<App> for PageForm<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        if !is_type(request.headers(), "application/x-www-form-urlencoded") {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_type",
                "`Content-Type` is not application/x-www-form-urlencoded",
            ));
        }
        let bytes = small_body(request, app).await?;
        let form: Result<axum::Form<T>, _> = {
            let request = http::Request::post("/")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(axum::body::Body::from(bytes));
            match request {
                Ok(request) => axum::Form::from_request(request, &()).await,
                Err(_) => return Err(Problem::internal()),
            }
        };
        match form {
            Ok(form) => Ok(Self(form.0)),
            Err(_) => Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                "the form is not what this page sends",
            )),
        }
    }
}

/// Checks how many rows are asked for.
pub(crate) fn check_limit(limit: Option<u16>) -> Result<(), Problem> {
    match limit {
        Some(limit) if !(1..=PAGE_ROWS_MAX).contains(&limit) => {
            Err(Problem::invalid("limit", "is not between 1 and 200"))
        }
        _ => Ok(()),
    }
}

/// Checks the length of a text, characters.
pub(crate) fn check_length(
    field: &'static str,
    text: Option<&String>,
    longest: usize,
) -> Result<(), Problem> {
    match text {
        Some(text) if text.chars().count() > longest => Err(Problem::invalid(field, "is too long")),
        _ => Ok(()),
    }
}

async fn small_body(request: Request, app: &App) -> Result<Vec<u8>, Problem> {
    let (parts, body) = request.into_parts();
    let limits = &app.settings.limits;
    let collected = body::collect(body, &parts.headers, &app.budget, (limits, limits.command_bytes)).await?;
    Ok(collected.bytes.to_vec())
}

fn check_json(headers: &HeaderMap) -> Result<(), Problem> {
    if is_type(headers, "application/json") {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_type",
        "`Content-Type` is not application/json",
    ))
}

fn is_type(headers: &HeaderMap, wanted: &str) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case(wanted))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        // The parser's message may quote values; the place is enough.
        let (line, column) = (error.line(), error.column());
        match error.classify() {
            serde_json::error::Category::Data => Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                format!("the body is not what this command takes, at line {line} column {column}"),
            ),
            _ => Problem::new(
                StatusCode::BAD_REQUEST,
                "malformed",
                format!("the body is not JSON, at line {line} column {column}"),
            ),
        }
    })
}

fn bad_query(_: &QueryRejection) -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "bad_query",
        "a query parameter is unknown, given twice or not what it should be",
    )
}

/// A whole number however it is written: `85.0` is an integer to JSON Schema, and to clients that know one kind of number.
pub(crate) fn whole<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let text = number.to_string();
    let digits = text.strip_suffix(".0").unwrap_or(&text);
    digits.parse().map(Some).map_err(serde::de::Error::custom)
}
