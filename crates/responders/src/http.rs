//! Requests through the guard.

use crate::guard::{Reach, Unreached};
use crate::settings::Wrong;
use crate::{Clock, Fault, Outcome};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use reqwest::{Client, Method, StatusCode, Url, redirect, retry};
use std::error::Error;
use std::time::Duration;

/// Longest wait that another side may ask for: a day. An order has expired by then.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(86_400);

/// How we introduce ourselves.
const AGENT: &str = concat!("habitus/", env!("CARGO_PKG_VERSION"));

/// Sends requests of one responder.
#[derive(Debug)]
pub(crate) struct Http {
    client: Client,
    answer_bytes_max: usize,
    clock: Clock,
}

/// One request with a body.
pub(crate) struct Post<'a> {
    pub(crate) url: Url,
    pub(crate) content_type: &'static str,
    pub(crate) headers: &'a [(HeaderName, HeaderValue)],
    pub(crate) body: Vec<u8>,
}

/// What came back: the status is complete, the body as far as it was read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Vec<u8>,
}

impl Http {
    pub(crate) fn new(reach: Reach, tls: rustls::ClientConfig, clock: Clock) -> Result<Self, String> {
        let limits = reach.limits();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .dns_resolver(reach)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            // Repeating is the outbox's: here a second copy would go out unseen.
            .retry(retry::never())
            .connect_timeout(limits.connect)
            .timeout(limits.whole)
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(Duration::from_secs(30))
            .build()
            .map_err(|_| "no HTTP client can be made".to_owned())?;
        Ok(Self {
            client,
            answer_bytes_max: limits.answer_bytes_max,
            clock,
        })
    }

    /// One request. `Err` is an outcome: nothing was sent, or nobody answered.
    pub(crate) async fn post(&self, post: Post<'_>) -> Result<Answer, Outcome> {
        let mut headers: HeaderMap = post.headers.iter().cloned().collect();
        headers.insert(
            reqwest::header::CONTENT_TYPE,
            HeaderValue::from_static(post.content_type),
        );
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let request = self
            .client
            .request(Method::POST, post.url)
            .headers(headers)
            .body(post.body);
        let mut response = request.send().await.map_err(|error| unanswered(&error))?;
        let mut body = Vec::new();
        // The status has told what happened. A body that breaks off, drips or never ends changes nothing about that.
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = self.answer_bytes_max.saturating_sub(body.len());
            body.extend(chunk.iter().take(room));
            if body.len() >= self.answer_bytes_max {
                break;
            }
        }
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| wait(value.to_str().ok()?, self.clock.now_ms()));
        Ok(Answer {
            status: response.status(),
            retry_after,
            body,
        })
    }
}

impl Answer {
    /// What the status says by itself, by the error classes common to all connectors.
    pub(crate) fn outcome(&self) -> Outcome {
        let code = self.status.as_u16();
        let why = format!("answered {code}");
        match code {
            200..=299 => Outcome::done(why),
            408 | 425 | 429 | 500 | 502..=504 | 506..=599 => Outcome::Retry {
                after: self.retry_after,
                why,
            },
            // A redirect would go where nobody checked.
            300..=399 => Outcome::failed(Fault::Responder, format!("{why}: redirects are not followed")),
            401 | 403 | 407 => {
                Outcome::failed(Fault::Responder, format!("{why}: the credential is not accepted"))
            }
            404 | 405 | 410 | 501 | 505 => {
                Outcome::failed(Fault::Responder, format!("{why}: nothing takes orders there"))
            }
            _ => Outcome::failed(Fault::Order, why),
        }
    }
}

/// A header whose value is left out of every debug output.
pub(crate) fn header(field: &'static str, value: &str) -> Result<HeaderValue, Wrong> {
    let help = "the value may hold printable ASCII only";
    let mut value =
        HeaderValue::from_str(value).map_err(|_| Wrong::new(field, "names no header value", help))?;
    value.set_sensitive(true);
    Ok(value)
}

/// What to do when there is no answer: before a connection stands nothing can have happened, afterwards it may have.
fn unanswered(error: &reqwest::Error) -> Outcome {
    if let Some(Unreached::Refused(why)) = cause::<Unreached>(error) {
        return Outcome::failed(Fault::Responder, Unreached::Refused(why).to_string());
    }
    if error.is_builder() {
        return Outcome::failed(Fault::Responder, "the request cannot be made");
    }
    if !error.is_connect() {
        let why = if error.is_timeout() {
            "no answer in time"
        } else {
            "the connection broke before an answer"
        };
        return Outcome::unknown(why);
    }
    if error.is_timeout() {
        return Outcome::retry(Unreached::Late.to_string());
    }
    if let Some(tls) = tls_error(error) {
        return Outcome::retry(format!("TLS: {tls}"));
    }
    let kind = cause::<std::io::Error>(error).map(std::io::Error::kind);
    Outcome::retry(kind.map_or_else(
        || "no connection".to_owned(),
        |kind| format!("no connection: {kind}"),
    ))
}

/// The first cause of a type.
fn cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// TLS errors hide inside I/O errors, which show them as source only from within.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        let inner = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// RFC 9110 10.2.3: seconds or a date, at most a day; a date that has passed is no wait at all.
fn wait(value: &str, now_ms: i64) -> Option<Duration> {
    let wanted = match value.trim().parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = rfc2822::DateTimeParser::new()
                .parse_timestamp(value.trim())
                .ok()?;
            let left = at.duration_since(Timestamp::from_millisecond(now_ms).ok()?);
            Duration::try_from(left).unwrap_or_default()
        }
    };
    Some(wanted.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_seconds_or_a_date_and_bounded() {
        // 2015-10-21T07:27:00Z, a minute before the date of the RFC's example.
        let now = 1_445_412_420_000;
        for (value, expected) in [
            ("120", Some(120)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(60)),
            ("Wed, 21 Oct 2015 07:00:00 GMT", Some(0)),
            ("99999999999", Some(86_400)),
            ("-5", None),
            ("soon", None),
        ] {
            assert_eq!(wait(value, now), expected.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn every_status_has_a_class() {
        for (code, expected) in [
            (200, "done"),
            (204, "done"),
            (302, "failed"),
            (400, "failed"),
            (401, "failed"),
            (408, "retry"),
            (410, "failed"),
            (422, "failed"),
            (425, "retry"),
            (429, "retry"),
            (500, "retry"),
            (501, "failed"),
            (503, "retry"),
            (522, "retry"),
        ] {
            let status = StatusCode::from_u16(code).unwrap();
            let answer = Answer {
                status,
                retry_after: None,
                body: Vec::new(),
            };
            assert_eq!(answer.outcome().name(), expected, "{code}");
        }
    }
}
