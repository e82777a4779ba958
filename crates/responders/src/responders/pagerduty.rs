//! Alerts at PagerDuty over the Events API v2.

use super::Part;
use crate::http::{Http, Post};
use crate::responder::NOTIFY_ONLY;
use crate::secret::{Secret, SecretRef};
use crate::settings::{Tools, Wrong, secret};
use crate::text::{self, clip};
use crate::{Outcome, Responder, json, notice};
use async_trait::async_trait;
use habitus_model::{Action, Order, RiskLevel};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

/// Events API v2: longest `summary` and `dedup_key`, characters.
const SUMMARY_CHARS_MAX: usize = 1_024;
const DEDUP_KEY_CHARS_MAX: usize = 255;

/// An alert at PagerDuty. Orders about one finding are one alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name that policies use.
    pub name: String,
    /// Integration key of the service, by reference.
    pub routing_key: SecretRef,
    /// Where events go. Absent: `https://events.pagerduty.com/v2/enqueue`; accounts in Europe use `events.eu.pagerduty.com`.
    #[serde(default = "url_default")]
    pub url: String,
    /// Where a finding is shown, with `{finding}` in place of its id. Absent: no link.
    #[serde(default)]
    pub link: Option<String>,
    /// Networks that may be reached although they are not the public internet. Absent: none.
    #[serde(default)]
    pub allow_networks: Vec<String>,
    /// PEM file of the only authorities to trust. Absent: Mozilla's list.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

struct Pagerduty {
    http: Http,
    url: Url,
    routing_key: Secret,
    link: Option<notice::Link>,
}

impl Part for Settings {
    fn name(&self) -> &str {
        &self.name
    }

    fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        self.ca_file.iter_mut().collect()
    }

    fn build(&self, tools: &Tools<'_>) -> Result<Arc<dyn Responder>, Wrong> {
        let url = tools.url(&self.url, &self.allow_networks)?;
        let http = tools.http(&url, &self.allow_networks, self.ca_file.as_deref())?;
        let routing_key = secret("routing_key", &self.routing_key)?;
        let link = notice::Link::new(self.link.as_deref())?;
        Ok(Arc::new(Pagerduty {
            http,
            url,
            routing_key,
            link,
        }))
    }
}

#[async_trait]
impl Responder for Pagerduty {
    fn kind(&self) -> &'static str {
        "pagerduty"
    }

    fn actions(&self) -> &'static [Action] {
        NOTIFY_ONLY
    }

    async fn carry_out(&self, order: &Order) -> Outcome {
        let body = json::line(&body(order, self.routing_key.expose(), self.link.as_ref()));
        let post = Post {
            url: self.url.clone(),
            content_type: "application/json",
            headers: &[],
            body,
        };
        match self.http.post(post).await {
            Ok(answer) => answer.outcome(),
            Err(outcome) => outcome,
        }
    }
}

/// The event. Its severity is the level's: PagerDuty has no "high".
pub(crate) fn body(order: &Order, routing_key: &str, link: Option<&notice::Link>) -> Value {
    let about = &order.notice;
    let mut event = json!({
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": dedup_key(notice::subject_uid(order)),
        "client": "habitus",
        "payload": {
            "summary": clip(&notice::headline(order), SUMMARY_CHARS_MAX),
            "source": source(order),
            "severity": severity(about.level),
            "timestamp": notice::rfc3339(about.time),
            "component": "identity",
            "group": notice::name(about.tenant.as_str()),
            "class": notice::name(&about.rule),
            "custom_details": notice::data(order),
        },
    });
    if let (Some(url), Some(object)) = (link.and_then(|link| link.of(order)), event.as_object_mut()) {
        object.insert("links".to_owned(), json!([{"href": url, "text": "Open finding"}]));
    }
    event
}

/// Whose account it is. PagerDuty refuses an event without a source.
fn source(order: &Order) -> Cow<'_, str> {
    let account = notice::account(order);
    if account.trim().is_empty() {
        Cow::Borrowed("habitus")
    } else {
        account
    }
}

const fn severity(level: RiskLevel) -> &'static str {
    match level {
        RiskLevel::Critical => "critical",
        RiskLevel::High => "error",
        RiskLevel::Medium => "warning",
        RiskLevel::Low | RiskLevel::Info => "info",
    }
}

/// The id itself, or its SHA-256 where it is too long or not plain: cutting would make two findings one alert.
fn dedup_key(uid: &str) -> Cow<'_, str> {
    let is_plain = uid.len() <= DEDUP_KEY_CHARS_MAX && uid.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain {
        Cow::Borrowed(uid)
    } else {
        Cow::Owned(text::hex(&Sha256::digest(uid.as_bytes())))
    }
}

fn url_default() -> String {
    "https://events.pagerduty.com/v2/enqueue".to_owned()
}
