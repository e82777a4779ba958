//! Errors as problem documents (RFC 9457).

use crate::access::AccessError;
use crate::product::Refusal;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

/// Seconds that a client should wait when nothing better is known.
const RETRY_SECONDS: u32 = 1;

/// Why a request is refused. Names fields, never values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub status: StatusCode,
    /// Stable word for programs.
    pub code: &'static str,
    /// One sentence for people.
    pub detail: String,
    /// The field that is wrong.
    pub field: Option<&'static str>,
    /// Seconds after which to try again.
    pub retry_after: Option<u32>,
}

/// A problem document. `type` is always `about:blank`; `code` is for programs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document<'a> {
    /// `about:blank`: the title is the status's phrase.
    r#type: &'static str,
    /// The status's phrase.
    title: &'a str,
    /// The status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// One sentence for people; names fields, never values.
    detail: &'a str,
    /// Stable word for programs: `overloaded`.
    code: &'static str,
    /// The field that is wrong; absent if no single field is.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            field: None,
            retry_after: None,
        }
    }

    /// Try again later.
    pub(crate) fn overloaded(code: &'static str, retry_after: u32) -> Self {
        Self {
            retry_after: Some(retry_after.max(1)),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                code,
                "the server cannot take this now; try again later",
            )
        }
    }

    /// A field cannot be used.
    pub(crate) fn invalid(field: &'static str, reason: &str) -> Self {
        Self {
            field: Some(field),
            ..Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                format!("`{field}` {reason}"),
            )
        }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is no such thing")
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "a token or a session is needed",
        )
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    pub(crate) fn too_large(detail: &str) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something went wrong here; the log says what",
        )
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Overloaded { retry_after } => Self::overloaded("overloaded", retry_after),
            Refusal::Full { retry_after } => Self::overloaded("storage_full", retry_after),
            Refusal::ShuttingDown => Self::overloaded("shutting_down", RETRY_SECONDS),
            Refusal::BadFormat { reason } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_format", reason)
            }
            Refusal::Invalid { field, reason } => Self::invalid(field, &reason),
            Refusal::NotFound => Self::not_found(),
            Refusal::Conflict { reason } => Self::new(StatusCode::CONFLICT, "conflict", reason),
            Refusal::Internal => Self::internal(),
        }
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::NotFound => Self::not_found(),
            AccessError::Exists | AccessError::LastAdmin | AccessError::TooMany(_) => {
                Self::new(StatusCode::CONFLICT, "conflict", error.to_string())
            }
            AccessError::Invalid(field, reason) => Self::invalid(field, reason),
            AccessError::Throttled(seconds) => Self {
                retry_after: Some(seconds),
                ..Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "throttled",
                    "too many failed attempts; try again later",
                )
            },
            AccessError::Denied => Self::new(
                StatusCode::UNAUTHORIZED,
                "bad_credentials",
                "the token, link or password is wrong or no good any more",
            ),
            AccessError::Storage => Self::overloaded("storage_full", 10),
            AccessError::Entropy(_) => Self::internal(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let document = Document {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            field: self.field,
        };
        // Texts and numbers always serialise.
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"habitus\""),
            );
        }
        response
    }
}
