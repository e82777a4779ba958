//! Envoy's external authorisation, `envoy.service.auth.v3.Authorization/Check`, over gRPC.
//!
//! <https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/auth/v3/external_auth.proto>. One unary call needs of gRPC
//! a prefix of five bytes and a status in the trailers, which stand here; the messages carry the fields we read and write.

pub(crate) mod message;

use crate::core::{App, Core};
use crate::guard::Caller;
use crate::handlers::authorize::STEP_UP;
use crate::problem::Problem;
use crate::settings::AuthorizeRoute;
use crate::visit::{Ruling, Visit, bare_path, judge, route};
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use message::{
    CheckRequest, CheckResponse, Denied, HeaderOption, HeaderPair, HttpRequest, HttpResponse, HttpStatus,
    Ok200, Status,
};
use prost::Message as _;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::Instant;

/// Codes of gRPC (<https://grpc.github.io/grpc/core/md_doc_statuscodes.html>).
const INVALID_ARGUMENT: u8 = 3;
const PERMISSION_DENIED: u8 = 7;
const RESOURCE_EXHAUSTED: u8 = 8;
const INTERNAL: u8 = 13;
const UNAVAILABLE: u8 = 14;
const UNAUTHENTICATED: u8 = 16;
/// Flag and length before a message.
const PREFIX_BYTES: usize = 5;

/// `rpc Check(CheckRequest) returns (CheckResponse)`.
pub(crate) async fn check(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match answer(&app, caller, &headers, body).await {
        Ok(response) => reply(&response.encode_to_vec()),
        Err(problem) => refuse(&problem),
    }
}

/// Refuses as gRPC does: always 200, and the status beside it.
pub(crate) fn refuse(problem: &Problem) -> Response {
    let code = match problem.status {
        // Too many wrong tokens: this one is wrong too.
        StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS => UNAUTHENTICATED,
        StatusCode::FORBIDDEN => PERMISSION_DENIED,
        StatusCode::PAYLOAD_TOO_LARGE => RESOURCE_EXHAUSTED,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT => UNAVAILABLE,
        status if status.is_server_error() => INTERNAL,
        _ => INVALID_ARGUMENT,
    };
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-status", HeaderValue::from(u16::from(code)));
    headers.insert("grpc-message", HeaderValue::from_static(problem.code));
    response
}

async fn answer(
    app: &Core,
    caller: Caller,
    headers: &HeaderMap,
    body: Body,
) -> Result<CheckResponse, Problem> {
    let started = Instant::now();
    let limits = &app.settings.limits;
    // Compression of the call itself is named in `grpc-encoding` and flagged in the prefix; none is offered.
    let collected =
        crate::body::collect(body, &HeaderMap::new(), &app.budget, (limits, limits.body_bytes)).await?;
    let request = CheckRequest::decode(unprefixed(&collected.bytes)?).map_err(|_| malformed())?;
    let (visit, name) = visit(&request);
    let Some(route) = route(app, name.as_deref()) else {
        return Err(Problem::not_found());
    };
    let mut route = route.clone();
    if let Some(bound) = &caller.principal.source {
        route.source = Some(bound.clone());
    }
    let visit = Visit {
        account: account(&route, &request),
        ..visit
    };
    let deadline = timeout(headers).map_or(app.settings.inline.deadline, |said| {
        said.min(app.settings.inline.deadline)
    });
    let ruling = judge(app, caller.who, (&visit, &route), (started, deadline)).await;
    Ok(response(&ruling))
}

fn http_of(request: &CheckRequest) -> Option<&HttpRequest> {
    request.attributes.as_ref()?.request.as_ref()?.http.as_ref()
}

/// The visit, and the route that Envoy's configuration names for it.
fn visit(request: &CheckRequest) -> (Visit, Option<String>) {
    let attributes = request.attributes.clone().unwrap_or_default();
    let address = attributes.source.as_ref().and_then(|peer| {
        let socket = peer.address.as_ref()?.socket_address.as_ref()?;
        socket.address.parse::<IpAddr>().ok()
    });
    let route = attributes.context_extensions.get("route").cloned();
    let Some(http) = http_of(request) else {
        return (
            Visit {
                address,
                ..Visit::default()
            },
            route,
        );
    };
    let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let visit = Visit {
        account: None,
        address,
        agent: http.headers.get("user-agent").and_then(|agent| filled(agent)),
        method: filled(&http.method),
        host: filled(&http.host),
        path: filled(&http.path).map(|path| bare_path(&path)),
    };
    (visit, route)
}

fn account(route: &AuthorizeRoute, request: &CheckRequest) -> Option<String> {
    let http = http_of(request)?;
    // Envoy writes keys in lower case.
    route
        .account_headers
        .iter()
        .find_map(|name| http.headers.get(&name.to_ascii_lowercase()))
        .filter(|account| !account.trim().is_empty())
        .cloned()
}

fn response(ruling: &Ruling) -> CheckResponse {
    let mut said = vec![
        pair("habitus-disposition", ruling.answer.disposition.name()),
        pair("habitus-failure-mode", ruling.fail.name()),
    ];
    if let Some(mode) = ruling.answer.mode {
        said.push(pair("habitus-mode", mode.name()));
    }
    if ruling.answer.degraded {
        said.push(pair("habitus-degraded", "true"));
    }
    let (code, http) = if ruling.status == StatusCode::OK {
        if let Some(level) = ruling.answer.risk_level {
            said.push(pair("habitus-risk-level", level.name()));
        }
        (0, HttpResponse::Ok(Ok200 { headers: said }))
    } else {
        let challenged = ruling.status == StatusCode::UNAUTHORIZED;
        if challenged {
            said.push(pair("www-authenticate", STEP_UP));
        }
        let code = if challenged {
            UNAUTHENTICATED
        } else {
            PERMISSION_DENIED
        };
        let denied = Denied {
            status: Some(HttpStatus {
                code: i32::from(ruling.status.as_u16()),
            }),
            headers: said,
            body: String::new(),
        };
        (code, HttpResponse::Denied(denied))
    };
    CheckResponse {
        status: Some(Status {
            code: i32::from(code),
            message: String::new(),
        }),
        http_response: Some(http),
    }
}

fn pair(key: &str, value: &str) -> HeaderOption {
    HeaderOption {
        header: Some(HeaderPair {
            key: key.to_owned(),
            value: value.to_owned(),
        }),
    }
}

/// `grpc-timeout`: digits and a unit.
fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let number: u64 = text.get(..text.len().checked_sub(1)?)?.parse().ok()?;
    match text.chars().next_back()? {
        'H' => Some(Duration::from_secs(number.saturating_mul(3_600))),
        'M' => Some(Duration::from_secs(number.saturating_mul(60))),
        'S' => Some(Duration::from_secs(number)),
        'm' => Some(Duration::from_millis(number)),
        'u' => Some(Duration::from_micros(number)),
        'n' => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

fn unprefixed(body: &[u8]) -> Result<&[u8], Problem> {
    let (prefix, message) = body.split_at_checked(PREFIX_BYTES).ok_or_else(malformed)?;
    let (flag, length) = prefix.split_first().ok_or_else(malformed)?;
    let length: [u8; 4] = length.try_into().map_err(|_| malformed())?;
    let told = usize::try_from(u32::from_be_bytes(length)).ok();
    if *flag != 0 || told != Some(message.len()) {
        return Err(malformed());
    }
    Ok(message)
}

fn malformed() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "malformed",
        "the message is not a CheckRequest",
    )
}

fn reply(message: &[u8]) -> Response {
    let mut framed = BytesMut::with_capacity(PREFIX_BYTES + message.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::<Bytes>::from(framed.freeze()).with_trailers(async move { Some(Ok(trailers)) });
    let mut response = Response::new(Body::new(body));
    let kind = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_have_units() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", text.parse().unwrap());
            timeout(&headers)
        };
        assert_eq!(of("200m"), Some(Duration::from_millis(200)));
        assert_eq!(of("1S"), Some(Duration::from_secs(1)));
        for text in ["", "S", "1", "-1S", "1x"] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn prefixes_must_fit() {
        assert_eq!(unprefixed(&[0, 0, 0, 0, 2, 7, 8]).unwrap(), [7, 8]);
        for bad in [&[][..], &[0, 0, 0, 0], &[1, 0, 0, 0, 1, 7], &[0, 0, 0, 0, 9, 7]] {
            assert!(unprefixed(bad).is_err());
        }
    }
}
