//! `/v1/authorize`: forward authentication for nginx `auth_request`, Traefik `forwardAuth`, Caddy `forward_auth` and
//! oauth2-proxy.
//!
//! nginx takes 2xx, 401 and 403 and treats all else as its own failure, so these are the answers to every visit.

use super::assess::deadline;
use crate::address;
use crate::core::{App, Core};
use crate::extract::Query;
use crate::guard::Caller;
use crate::problem::Problem;
use crate::settings::AuthorizeRoute;
use crate::visit::{Ruling, Visit, bare_path, judge, route};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Deserialize;
use std::net::IpAddr;
use tokio::time::Instant;
use utoipa::IntoParams;

/// Asks for another factor (RFC 9470).
pub(crate) const STEP_UP: &str = "Bearer error=\"insufficient_user_authentication\", max_age=\"0\"";

/// Which route is asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthorizeQuery {
    /// Name of the configured route; `default` if absent.
    #[param(max_length = 64)]
    route: Option<String>,
}

/// Whether a visit may pass: 200 yes, 401 after another factor, 403 no. Unless the policy enforces, it may; what would be
/// done stands in `Habitus-Disposition`. `Habitus-Failure-Mode` says what happens when no decision can be made, and
/// `Habitus-Degraded` that this is what happened.
///
/// The visit is told in headers that the proxy sets: `X-Real-IP` or `X-Forwarded-For`, `X-Original-URI` or
/// `X-Forwarded-Uri`, `X-Original-Method` or `X-Forwarded-Method`, `X-Forwarded-Host`, `User-Agent`, and the account in
/// one of the headers configured for the route.
#[utoipa::path(get, path = "/v1/authorize", operation_id = "authorize", tag = "inline", params(AuthorizeQuery),
    responses(
        (status = 200, description = "It may pass."),
        (status = 401, description = "Another factor is needed, or the proxy's own token is no good."),
        (status = 403, description = "It may not pass, or the proxy's own token does not allow to ask."),
        (status = 404, description = "There is no route of that name."),
    ))]
pub(crate) async fn ask(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<AuthorizeQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&app, caller, &query, &headers).await
}

/// The same, for proxies that keep the visitor's method. The body is not read.
#[utoipa::path(post, path = "/v1/authorize", operation_id = "authorizeByPost", tag = "inline", params(AuthorizeQuery),
    responses(
        (status = 200, description = "It may pass."),
        (status = 401, description = "Another factor is needed, or the proxy's own token is no good."),
        (status = 403, description = "It may not pass, or the proxy's own token does not allow to ask."),
        (status = 404, description = "There is no route of that name."),
    ))]
pub(crate) async fn ask_by_post(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<AuthorizeQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&app, caller, &query, &headers).await
}

async fn answer(
    app: &Core,
    caller: Caller,
    query: &AuthorizeQuery,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let started = Instant::now();
    let Some(route) = route(app, query.route.as_deref()) else {
        return Err(Problem::not_found());
    };
    let mut route = route.clone();
    if let Some(bound) = &caller.principal.source {
        route.source = Some(bound.clone());
    }
    let visit = visit(app, &route, headers);
    let deadline = deadline(app, headers)?;
    let ruling = judge(app, caller.who, (&visit, &route), (started, deadline)).await;
    Ok(response(&ruling))
}

fn response(ruling: &Ruling) -> Response {
    let mut response = ruling.status.into_response();
    let headers = response.headers_mut();
    let mut put = |name: &'static str, value: &'static str| {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    };
    put("habitus-disposition", ruling.answer.disposition.name());
    put("habitus-failure-mode", ruling.fail.name());
    if let Some(mode) = ruling.answer.mode {
        put("habitus-mode", mode.name());
    }
    if ruling.answer.degraded {
        put("habitus-degraded", "true");
    }
    // The level goes to the application only. A refusal goes to the visitor, who could learn from it to stay below.
    if ruling.status == StatusCode::OK
        && let Some(level) = ruling.answer.risk_level
    {
        put("habitus-risk-level", level.name());
    }
    if ruling.status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(STEP_UP));
    }
    response
}

fn visit(app: &Core, route: &AuthorizeRoute, headers: &HeaderMap) -> Visit {
    let text = |name: &str| {
        let value = headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim);
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let either = |first: &str, second: &str| text(first).or_else(|| text(second));
    Visit {
        account: route.account_headers.iter().find_map(|name| text(name)),
        address: visitor(app, headers),
        agent: text("user-agent"),
        method: either("x-original-method", "x-forwarded-method"),
        host: either("x-original-host", "x-forwarded-host"),
        path: either("x-original-uri", "x-forwarded-uri").map(|uri| bare_path(&uri)),
    }
}

/// The visitor, as the proxy saw it: it holds a token, so its word counts, but not what the visitor wrote before it.
fn visitor(app: &Core, headers: &HeaderMap) -> Option<IpAddr> {
    let real = headers.get("x-real-ip").and_then(|value| value.to_str().ok());
    if let Some(address) = real.and_then(|text| text.trim().parse::<IpAddr>().ok()) {
        return Some(address.to_canonical());
    }
    let last = headers
        .get_all("x-forwarded-for")
        .iter()
        .next_back()?
        .to_str()
        .ok()?;
    let hop = last.rsplit(',').next()?.trim().parse::<IpAddr>().ok()?;
    Some(address::client(hop, headers, &app.settings.trusted_proxies))
}
