//! Who asks, and whether they may: runs before every handler of the table.

use crate::access::{Permission, Principal, PrincipalKind, Secret, csrf_of};
use crate::address::Client;
use crate::core::App;
use crate::problem::Problem;
use crate::product::Who;
use crate::table::Face;
use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use habitus_model::Text;
use http::request::Parts;
use http::{HeaderMap, header};
use subtle::ConstantTimeEq;

/// Header of a token where `Authorization` belongs to somebody else: behind `auth_request` it is the visitor's.
const TOKEN_HEADER: &str = "habitus-token";
/// Header of the form token of requests that scripts make.
const CSRF_HEADER: &str = "x-csrf-token";
/// Largest form of a page, bytes.
const FORM_BYTES_MAX: usize = 64 * 1024;

/// What a route asks of who comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing.
    Nobody,
    /// To be somebody.
    Somebody,
    /// To have a permission.
    May(Permission),
}

/// One row's rule, as the guard applies it.
#[derive(Clone)]
pub(crate) struct Rule {
    pub app: App,
    pub need: Need,
    pub face: Face,
    pub row: usize,
}

/// Who asks, for handlers.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub principal: Principal,
    pub who: Who,
    /// The session's secret; absent for tokens.
    pub session: Option<Secret>,
}

/// Number of the row that answered, for metrics.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowNumber(pub usize);

/// Id of the request.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub Text);

/// How somebody presents themselves.
#[derive(Debug)]
enum Credential {
    Token(String),
    Session(Secret),
    /// Something that cannot be one of ours.
    Foreign,
    None,
}

impl Caller {
    /// The form token of this session; absent for tokens.
    pub(crate) fn csrf(&self) -> Option<String> {
        self.session.as_ref().map(csrf_of)
    }

    /// Whether it is a person.
    pub(crate) fn is_user(&self) -> bool {
        matches!(self.principal.kind, PrincipalKind::User(_))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // INVARIANT: the guard puts it there wherever somebody is needed.
        parts
            .extensions
            .get::<Caller>()
            .cloned()
            .ok_or_else(Problem::unauthenticated)
    }
}

/// The middleware around every row.
pub(crate) async fn guard(State(rule): State<Rule>, request: Request, next: Next) -> Response {
    let mut response = match admit(&rule, request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => rule.face.refuse(problem, rule.app.settings.https),
    };
    response.extensions_mut().insert(RowNumber(rule.row));
    response
}

async fn admit(rule: &Rule, mut request: Request) -> Result<Request, Problem> {
    if rule.need == Need::Nobody {
        check_origin(&request)?;
        return Ok(request);
    }
    let client = Client::of(&request);
    let (principal, session) = identify(rule, &request, &client)?;
    if let Need::May(permission) = rule.need
        && !principal.may(permission)
    {
        return Err(Problem::forbidden(format!(
            "this needs the permission `{}`",
            permission.name()
        )));
    }
    if let Some(session) = &session
        && !request.method().is_safe()
    {
        check_origin(&request)?;
        request = check_csrf(request, session).await?;
    }
    let who = Who {
        name: principal.name.clone(),
        tenant: principal.tenant.clone(),
        address: Some(client.address),
        request: client.request,
    };
    request.extensions_mut().insert(Caller {
        principal,
        who,
        session,
    });
    Ok(request)
}

fn identify(rule: &Rule, request: &Request, client: &Client) -> Result<(Principal, Option<Secret>), Problem> {
    let now = rule.app.now();
    match credential(request.headers(), rule.app.settings.https) {
        Credential::Token(token) => {
            let principal = rule.app.access.token(&token, client.address, now)?;
            Ok((principal, None))
        }
        Credential::Session(secret) => {
            let principal = rule.app.access.session(&secret, now);
            let principal = principal.ok_or_else(Problem::unauthenticated)?;
            Ok((principal, Some(secret)))
        }
        Credential::Foreign | Credential::None => Err(Problem::unauthenticated()),
    }
}

/// A token in any of the headers that shippers and proxies can be told to send, else the session's cookie.
fn credential(headers: &HeaderMap, https: bool) -> Credential {
    if let Some(value) = headers.get(TOKEN_HEADER) {
        return value.to_str().map_or(Credential::Foreign, |token| {
            Credential::Token(token.trim().to_owned())
        });
    }
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        return match value.to_str().ok().and_then(authorization) {
            Some(token) => Credential::Token(token),
            None => Credential::Foreign,
        };
    }
    match crate::cookie::session(headers, https) {
        Some(secret) => Credential::Session(secret),
        None => Credential::None,
    }
}

/// `Bearer T` (RFC 6750), `Splunk T` (HEC), `ApiKey base64(id:T)` (Elasticsearch), `Basic base64(user:T)`.
fn authorization(value: &str) -> Option<String> {
    let (scheme, rest) = value.trim().split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("splunk") {
        return Some(rest.to_owned());
    }
    let apikey = scheme.eq_ignore_ascii_case("apikey");
    if apikey && rest.starts_with("hbt_") {
        return Some(rest.to_owned());
    }
    if apikey || scheme.eq_ignore_ascii_case("basic") {
        let decoded = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
        let (_, token) = decoded.split_once(':')?;
        return Some(token.to_owned());
    }
    None
}

/// Requests that change something must not come from another site's page. Browsers say where a request comes from;
/// what is no browser says nothing.
fn check_origin(request: &Request) -> Result<(), Problem> {
    if request.method().is_safe() {
        return Ok(());
    }
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let foreign = || Err(Problem::forbidden("the request comes from another site"));
    if matches!(text("sec-fetch-site"), Some("cross-site" | "same-site")) {
        return foreign();
    }
    let Some(origin) = text("origin") else {
        return Ok(());
    };
    let host = text("host").or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
    let from = origin.split_once("://").map(|(_, host)| host);
    if from.is_none() || from != host {
        return foreign();
    }
    Ok(())
}

/// The form token, from the header or the form itself. The form is read here and handed on.
async fn check_csrf(request: Request, session: &Secret) -> Result<Request, Problem> {
    let expected = csrf_of(session);
    if let Some(value) = request.headers().get(CSRF_HEADER) {
        return same(value.as_bytes(), &expected).map(|()| request);
    }
    let is_form = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if !is_form {
        return same(b"", &expected).map(|()| request);
    }
    let (parts, body) = request.into_parts();
    let read = axum::body::to_bytes(body, FORM_BYTES_MAX);
    let Ok(Ok(bytes)) = tokio::time::timeout(std::time::Duration::from_secs(10), read).await else {
        return Err(Problem::too_large(
            "the form is too large or does not arrive in time",
        ));
    };
    let given = form_field(&bytes, "csrf").unwrap_or_default();
    same(given.as_bytes(), &expected)?;
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

fn same(given: &[u8], expected: &str) -> Result<(), Problem> {
    if given.ct_eq(expected.as_bytes()).into() {
        Ok(())
    } else {
        Err(Problem::forbidden("the form token is missing or wrong"))
    }
}

/// The first value of a field of a form.
fn form_field(bytes: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(bytes).find_map(|(key, value)| (key == name).then(|| value.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    #[test]
    fn tokens_are_found_where_shippers_put_them() {
        let encoded = STANDARD.encode("any:hbt_x");
        for value in [
            "Bearer hbt_x".to_owned(),
            "bearer  hbt_x".to_owned(),
            "Splunk hbt_x".to_owned(),
            "ApiKey hbt_x".to_owned(),
            format!("ApiKey {encoded}"),
            format!("Basic {encoded}"),
        ] {
            assert_eq!(authorization(&value).as_deref(), Some("hbt_x"), "{value}");
        }
        for value in ["hbt_x", "Digest hbt_x", "Basic !!!", "Basic aGJ0X3g="] {
            assert_eq!(authorization(value), None, "{value}");
        }
    }

    #[test]
    fn requests_of_other_sites_are_refused() {
        let check = |pairs: &[(&'static str, &str)], method: &Method| {
            let mut request = Request::builder().method(method);
            for (name, value) in pairs {
                request = request.header(*name, *value);
            }
            check_origin(&request.body(Body::empty()).unwrap()).is_ok()
        };
        let host = ("host", "habitus.example:7171");
        assert!(check(&[host], &Method::POST));
        assert!(check(
            &[host, ("origin", "https://habitus.example:7171")],
            &Method::POST
        ));
        assert!(!check(&[host, ("origin", "https://evil.example")], &Method::POST));
        assert!(!check(&[host, ("origin", "null")], &Method::POST));
        assert!(!check(&[host, ("sec-fetch-site", "cross-site")], &Method::POST));
        assert!(check(&[host, ("sec-fetch-site", "cross-site")], &Method::GET));
    }
}
