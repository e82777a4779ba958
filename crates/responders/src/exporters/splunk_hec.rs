//! Splunk over the HTTP Event Collector.

use super::{Part, fitting};
use crate::exporter::all;
use crate::http::{Answer, Http, Post, header};
use crate::secret::{Secret, SecretRef};
use crate::settings::{Tools, Wrong, secret};
use crate::{Exporter, Fault, Outcome, json};
use async_trait::async_trait;
use habitus_model::math;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Pause between two questions whether a batch is indexed: an indexer commonly takes seconds.
const ACK_PAUSE: Duration = Duration::from_millis(500);

/// Splunk's HTTP Event Collector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name of the exporter.
    pub name: String,
    /// Address of the collector, such as `https://splunk.example.com:8088`: https, or http within `allow_networks`.
    pub url: String,
    /// Token, by reference.
    pub token: SecretRef,
    /// Index. Absent: the token's own.
    #[serde(default)]
    pub index: Option<String>,
    /// `source` of the events. Absent: `habitus`.
    #[serde(default = "source_default")]
    pub source: String,
    /// `sourcetype` of the events. Absent: `habitus:finding`.
    #[serde(default = "sourcetype_default")]
    pub sourcetype: String,
    /// `host` of the events. Absent: the collector sees for itself.
    #[serde(default)]
    pub host: Option<String>,
    /// Whether a finding counts as done only when it is indexed. The token must have indexer acknowledgement on. Absent: no;
    /// "done" then means that Splunk has taken it, not that it cannot lose it.
    #[serde(default)]
    pub acknowledge: bool,
    /// Networks that may be reached although they are not the public internet. Absent: none.
    #[serde(default)]
    pub allow_networks: Vec<String>,
    /// PEM file of the only authorities to trust. Absent: Mozilla's list.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

struct SplunkHec {
    http: Http,
    event_url: Url,
    ack_url: Url,
    headers: Vec<(HeaderName, HeaderValue)>,
    settings: Settings,
    patience: Duration,
}

#[derive(Deserialize)]
struct HecAnswer {
    code: u16,
    #[serde(rename = "ackId")]
    ack_id: Option<u64>,
}

#[derive(Deserialize)]
struct AckAnswer {
    acks: Map<String, Value>,
}

impl Part for Settings {
    fn name(&self) -> &str {
        &self.name
    }

    fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        self.ca_file.iter_mut().collect()
    }

    fn build(&self, tools: &Tools<'_>) -> Result<Arc<dyn Exporter>, Wrong> {
        let base = tools.url(&self.url, &self.allow_networks)?;
        let http = tools.http(&base, &self.allow_networks, self.ca_file.as_deref())?;
        let token = secret("token", &self.token)?;
        let at = |path: &str| {
            let mut url = base.clone();
            url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
            url
        };
        Ok(Arc::new(SplunkHec {
            http,
            event_url: at("/services/collector/event"),
            ack_url: at("/services/collector/ack"),
            headers: headers(&token, self.acknowledge.then_some(self.name.as_str()))?,
            settings: self.clone(),
            patience: tools.limits().whole,
        }))
    }
}

#[async_trait]
impl Exporter for SplunkHec {
    fn kind(&self) -> &'static str {
        "splunk_hec"
    }

    async fn export(&self, findings: &[Value]) -> Vec<Outcome> {
        let bodies: Vec<Vec<u8>> = findings
            .iter()
            .map(|finding| json::line(&self.event(finding)))
            .collect();
        let mut outcomes = Vec::with_capacity(findings.len());
        let mut left = bodies.as_slice();
        while !left.is_empty() {
            let (now, later) = left.split_at(fitting(left));
            outcomes.extend(all(&self.send(now).await, now.len()));
            left = later;
        }
        outcomes
    }
}

impl SplunkHec {
    fn event(&self, finding: &Value) -> Value {
        let mut event = json!({
            "source": self.settings.source,
            "sourcetype": self.settings.sourcetype,
            "event": finding,
            "fields": fields(finding),
        });
        let time = finding
            .get("time")
            .and_then(Value::as_i64)
            .map(|ms| math::from_i64(ms) / 1_000.0);
        let more = [
            ("time", time.map(Value::from)),
            ("host", self.settings.host.clone().map(Value::from)),
            ("index", self.settings.index.clone().map(Value::from)),
        ];
        if let Some(object) = event.as_object_mut() {
            object.extend(
                more.into_iter()
                    .filter_map(|(name, value)| Some((name.to_owned(), value?))),
            );
        }
        event
    }

    /// One request: objects one after another, which all are taken or none.
    async fn send(&self, bodies: &[Vec<u8>]) -> Outcome {
        let body = bodies.join(&b'\n');
        let post = Post {
            url: self.event_url.clone(),
            content_type: "application/json",
            headers: &self.headers,
            body,
        };
        let answer = match self.http.post(post).await {
            Ok(answer) => answer,
            Err(outcome) => return outcome,
        };
        let told = serde_json::from_slice::<HecAnswer>(&answer.body).ok();
        let outcome = judge(&answer, told.as_ref());
        if !self.settings.acknowledge || !outcome.is_done() {
            return outcome;
        }
        match told.and_then(|told| told.ack_id) {
            Some(id) => self.acknowledged(id).await,
            None => Outcome::failed(Fault::Responder, "taken, but the token gives no acknowledgement"),
        }
    }

    /// Waits until a batch is indexed, for as long as an attempt may take. If it is not known by then it may be soon: a
    /// repeat may double it.
    async fn acknowledged(&self, id: u64) -> Outcome {
        let waiting = timeout(self.patience, async {
            while !self.is_indexed(id).await {
                sleep(ACK_PAUSE).await;
            }
        });
        match waiting.await {
            Ok(()) => Outcome::done("indexed"),
            Err(_) => Outcome::unknown("taken, but not acknowledged as indexed in time"),
        }
    }

    async fn is_indexed(&self, id: u64) -> bool {
        let body = json::line(&json!({"acks": [id]}));
        let post = Post {
            url: self.ack_url.clone(),
            content_type: "application/json",
            headers: &self.headers,
            body,
        };
        let Ok(answer) = self.http.post(post).await else {
            return false;
        };
        let read = serde_json::from_slice::<AckAnswer>(&answer.body).ok();
        let indexed = read.and_then(|read| read.acks.get(&id.to_string()).and_then(Value::as_bool));
        indexed == Some(true)
    }
}

/// HEC's own codes say more than the status: which side is at fault, and whether waiting helps.
fn judge(answer: &Answer, told: Option<&HecAnswer>) -> Outcome {
    let Some(code) = told.map(|told| told.code) else {
        return answer.outcome();
    };
    let why = format!("answered {} code {code}", answer.status.as_u16());
    match code {
        0 if answer.status.is_success() => Outcome::done(why),
        // Server busy, internal error, queues full, shutting down.
        8 | 9 | 18..=20 | 23..=27 => Outcome::Retry {
            after: answer.retry_after,
            why,
        },
        // Token, index, channel and acknowledgement: the configuration of either side.
        1..=4 | 7 | 10 | 11 | 14 => Outcome::failed(Fault::Responder, why),
        // No data, invalid format, event missing or blank, indexed fields.
        5 | 6 | 12 | 13 | 15 | 16 => Outcome::failed(Fault::Order, why),
        _ => answer.outcome(),
    }
}

/// Indexed fields: what searches begin with. Flat text, as HEC asks.
fn fields(finding: &Value) -> Value {
    let names = [
        ("finding_uid", "/finding_info/uid"),
        ("risk_level", "/risk_level"),
        ("tenant", "/metadata/tenant_uid"),
    ];
    let found: Map<String, Value> = names
        .into_iter()
        .filter_map(|(name, path)| Some((name.to_owned(), finding.pointer(path)?.as_str()?.into())))
        .collect();
    Value::Object(found)
}

/// Token, and for acknowledgements a channel: an id of this exporter's own that stays the same, in the form of a UUID.
fn headers(token: &Secret, channel_of: Option<&str>) -> Result<Vec<(HeaderName, HeaderValue)>, Wrong> {
    let mut headers = vec![(
        AUTHORIZATION,
        header("token", &format!("Splunk {}", token.expose()))?,
    )];
    if let Some(name) = channel_of {
        let digest = crate::text::hex(&Sha256::digest(format!("habitus splunk_hec {name}").as_bytes()));
        let part = |range| digest.get(range).unwrap_or_default();
        // RFC 9562 5.8: version 8 is for ids made one's own way.
        let uuid = format!(
            "{}-{}-8{}-8{}-{}",
            part(0..8),
            part(8..12),
            part(13..16),
            part(17..20),
            part(20..32)
        );
        headers.push((
            HeaderName::from_static("x-splunk-request-channel"),
            header("name", &uuid)?,
        ));
    }
    Ok(headers)
}

fn source_default() -> String {
    "habitus".to_owned()
}

fn sourcetype_default() -> String {
    "habitus:finding".to_owned()
}
