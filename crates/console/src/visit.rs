//! A visit to somebody's application, as proxies tell of it, and the event it is judged as.

use crate::core::Core;
use crate::handlers::assess::decide;
use crate::product::{AssessAnswer, Question, Who};
use crate::settings::{AuthorizeRoute, Fail};
use bytes::Bytes;
use habitus_model::{Disposition, EventTime, Mode, Text};
use http::StatusCode;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::Instant;

/// Longest value that is taken from a proxy, characters.
const VALUE_MAX: usize = 1_024;

/// What a proxy tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Visit {
    pub account: Option<String>,
    pub address: Option<IpAddr>,
    pub agent: Option<String>,
    pub method: Option<String>,
    pub host: Option<String>,
    /// Path without its query, which may hold secrets.
    pub path: Option<String>,
}

/// What the proxy is told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ruling {
    pub answer: AssessAnswer,
    /// 200, 401 for another factor, 403.
    pub status: StatusCode,
    pub fail: Fail,
}

impl Visit {
    /// An OCSF authentication, which is what an accepted identity at a proxy is.
    fn event(&self, now: EventTime) -> Bytes {
        let cut = |text: &Option<String>| {
            text.as_ref()
                .map(|text| text.chars().take(VALUE_MAX).collect::<String>())
        };
        let event = serde_json::json!({
            "class_uid": 3002,
            "category_uid": 3,
            "activity_id": 1,
            "status_id": 1,
            "severity_id": 1,
            "time": now.as_millis(),
            "metadata": {"version": "1.8.0", "product": {"name": "forward authentication", "vendor_name": "habitus"}},
            "user": {"name": cut(&self.account)},
            "src_endpoint": {"ip": self.address.map(|address| address.to_string())},
            "service": {"name": cut(&self.host)},
            "http_request": {
                "user_agent": cut(&self.agent),
                "http_method": cut(&self.method),
                "url": {"hostname": cut(&self.host), "path": cut(&self.path)},
            },
        });
        Bytes::from(event.to_string())
    }
}

/// Judges a visit. There is always a ruling.
pub(crate) async fn judge(
    app: &Core,
    who: Who,
    (visit, route): (&Visit, &AuthorizeRoute),
    (started, deadline): (Instant, Duration),
) -> Ruling {
    let question = Question {
        who,
        source: route.source.clone(),
        format: Some(Text::new("ocsf")),
        event: visit.event(app.now()),
        deadline,
    };
    let default = match route.fail {
        Fail::Open => Disposition::Allow,
        Fail::Closed => Disposition::Deny,
    };
    let mut answer = decide(app, question, (started, default)).await;
    if answer.degraded && answer.risk_score.is_none() {
        // Whoever could not compute anything does not know this route's default.
        answer.disposition = default;
    }
    // INVARIANT: nobody is turned away for a score unless a policy that people approved enforces.
    let status = match (answer.mode, answer.disposition) {
        (Some(Mode::Observe | Mode::Recommend), _) | (_, Disposition::Allow | Disposition::Review) => {
            StatusCode::OK
        }
        (_, Disposition::Challenge) => StatusCode::UNAUTHORIZED,
        (_, Disposition::Deny | Disposition::Revoke) => StatusCode::FORBIDDEN,
    };
    Ruling {
        answer,
        status,
        fail: route.fail,
    }
}

/// The route of this name, or the one named `default`.
pub(crate) fn route<'a>(app: &'a Core, name: Option<&str>) -> Option<&'a AuthorizeRoute> {
    let wanted = name.unwrap_or("default");
    app.settings
        .inline
        .routes
        .iter()
        .find(|route| route.name == wanted)
}

/// A path without query and fragment.
pub(crate) fn bare_path(uri: &str) -> String {
    uri.split(['?', '#']).next().unwrap_or_default().to_owned()
}
