//! What happens to every request before its route is looked for, and to every answer.

use crate::address::{self, ClientAddress, Peer};
use crate::core::{App, Core};
use crate::guard::{RequestId, RowNumber};
use crate::problem::Problem;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use habitus_model::Text;
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use tokio::time::Instant;

/// Name of the header that carries a request's id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that a trusted proxy may give.
const REQUEST_ID_MAX: usize = 64;

/// Headers of every answer. Pages load nothing but what this server gives, and no page may frame them.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Not `no-referrer`: with it browsers say `Origin: null` when our own forms are sent, and those would be refused.
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// The outermost middleware.
pub(crate) async fn edge(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let peer = request
        .extensions()
        .get::<Peer>()
        .map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.ip());
    let trusted = &app.settings.trusted_proxies;
    let client = address::client(peer, request.headers(), trusted);
    let id = request_id(&app, request.headers(), address::is_trusted(peer, trusted));
    request.extensions_mut().insert(ClientAddress(client));
    request.extensions_mut().insert(RequestId(id.clone()));

    let method = request.method().clone();
    let mut response = pass(&app, request, next).await;
    let row = response.extensions().get::<RowNumber>().map(|row| row.0);
    app.counters.answered(row, response.status(), started.elapsed());
    if response.status().is_server_error() {
        // Paths hold names of accounts and queries hold links: neither is logged.
        tracing::warn!(request = %id, %method, status = response.status().as_u16(), "request failed");
    }
    decorate(response.headers_mut(), &id, app.settings.https);
    response
}

async fn pass(app: &App, request: Request, next: Next) -> Response {
    if !is_known_host(&request, &app.settings.names) {
        return Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "unknown_host",
            "`Host` is not a name of this server",
        )
        .into_response();
    }
    // Probes must be answered when nothing else is: an orchestrator would restart what is merely busy.
    let is_probe = matches!(request.uri().path(), "/livez" | "/readyz");
    let _permit = if is_probe {
        None
    } else {
        match app.requests.try_acquire() {
            Ok(permit) => Some(permit),
            Err(_) => return Problem::overloaded("overloaded", 1).into_response(),
        }
    };
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!("a handler panicked");
            Problem::internal().into_response()
        }
    }
}

fn request_id(app: &Core, headers: &HeaderMap, trusted: bool) -> Text {
    let given = headers.get(&REQUEST_ID).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        trusted
            && (1..=REQUEST_ID_MAX).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    given
        .filter(plain)
        .map_or_else(|| Text::new(app.next_request_id()), Text::new)
}

/// Names that lead here. An address as such cannot be another site's name; a name can be pointed anywhere by its owner
/// (DNS rebinding).
fn is_known_host(request: &Request, names: &[String]) -> bool {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|value| value.to_str().ok())
        .or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
    let Some(host) = host else {
        // HTTP/1.0 probes send none, and no browser omits it.
        return true;
    };
    let Ok(uri) = host.parse::<Uri>() else {
        return false;
    };
    let Some(name) = uri.host() else {
        return false;
    };
    let name = name
        .trim_start_matches('[')
        .trim_end_matches(']')
        .trim_end_matches('.');
    name.parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn decorate(headers: &mut HeaderMap, id: &str, https: bool) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if https {
        // One year, as hstspreload.org asks for.
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_somebody_pointed_here_are_refused() {
        let names = ["habitus.example".to_owned()];
        let known = |host: &str| {
            let request = Request::builder()
                .header("host", host)
                .body(axum::body::Body::empty())
                .unwrap();
            is_known_host(&request, &names)
        };
        for host in [
            "localhost:7171",
            "127.0.0.1:7171",
            "[::1]:7171",
            "habitus.example",
            "HABITUS.example.:443",
        ] {
            assert!(known(host), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "",
            "a b",
        ] {
            assert!(!known(host), "{host}");
        }
    }
}
