//! Elasticsearch and OpenSearch over `_bulk`, as documents of the Elastic Common Schema.

use super::{Part, ecs, fitting, record_key};
use crate::exporter::all;
use crate::http::{Answer, Http, Post, header};
use crate::secret::SecretRef;
use crate::settings::{Tools, Wrong, secret_if};
use crate::{Exporter, Fault, Outcome, json};
use async_trait::async_trait;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// Asks for the items' outcome alone: without it an answer repeats shards, versions and ids, and outgrows the limit.
const FILTER: &str = "filter_path=errors,items.*.status,items.*.error.type";
/// Bytes of answer that one item takes with that filter, generously: what bounds a batch by the answer's limit.
const ANSWER_BYTES_PER_ITEM: usize = 128;

/// Elasticsearch or OpenSearch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name of the exporter.
    pub name: String,
    /// Address of the cluster without a path to an index: https, or http within `allow_networks`.
    pub url: String,
    /// Index or data stream. Absent: `habitus-findings`.
    #[serde(default = "index_default")]
    pub index: String,
    /// Whole value of the `Authorization` header, such as `ApiKey …`, by reference. Absent: no such header.
    #[serde(default)]
    pub authorization: Option<SecretRef>,
    /// Networks that may be reached although they are not the public internet. Absent: none.
    #[serde(default)]
    pub allow_networks: Vec<String>,
    /// PEM file of the only authorities to trust. Absent: Mozilla's list.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

struct EcsBulk {
    http: Http,
    url: Url,
    index: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    batch_max: usize,
}

#[derive(Deserialize)]
struct BulkAnswer {
    #[serde(default)]
    items: Vec<BulkItem>,
}

#[derive(Deserialize)]
struct BulkItem {
    create: BulkResult,
}

#[derive(Deserialize)]
struct BulkResult {
    status: u16,
    error: Option<BulkFault>,
}

#[derive(Deserialize)]
struct BulkFault {
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl Part for Settings {
    fn name(&self) -> &str {
        &self.name
    }

    fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        self.ca_file.iter_mut().collect()
    }

    fn build(&self, tools: &Tools<'_>) -> Result<Arc<dyn Exporter>, Wrong> {
        let mut url = tools.url(&self.url, &self.allow_networks)?;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
        if self.index.is_empty() || self.index.len() > 255 || !self.index.bytes().all(plain) {
            let help = "write lower-case letters, digits, `-`, `_` and `.`";
            return Err(Wrong::new("index", "is no name of an index", help));
        }
        let path = format!("{}/_bulk", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url.set_query(Some(FILTER));
        let http = tools.http(&url, &self.allow_networks, self.ca_file.as_deref())?;
        let value = secret_if("authorization", self.authorization.as_ref())?;
        let value = value
            .map(|value| header("authorization", value.expose()))
            .transpose()?;
        let headers = value.map(|value| (AUTHORIZATION, value)).into_iter().collect();
        let batch_max = (tools.limits().answer_bytes_max / ANSWER_BYTES_PER_ITEM).max(1);
        Ok(Arc::new(EcsBulk {
            http,
            url,
            index: self.index.clone(),
            headers,
            batch_max,
        }))
    }
}

#[async_trait]
impl Exporter for EcsBulk {
    fn kind(&self) -> &'static str {
        "ecs_bulk"
    }

    async fn export(&self, findings: &[Value]) -> Vec<Outcome> {
        let bodies: Vec<Vec<u8>> = findings.iter().map(|finding| self.lines(finding)).collect();
        let mut outcomes = Vec::with_capacity(findings.len());
        // Halves of what was too large are put back and wait on the stack; each is smaller, so this ends.
        let mut waiting = vec![bodies.as_slice()];
        while let Some(bodies) = waiting.pop() {
            if bodies.is_empty() {
                continue;
            }
            let (now, later) = bodies.split_at(fitting(bodies).min(self.batch_max));
            waiting.push(later);
            match self.bulk(now).await {
                Some(answered) => outcomes.extend(answered),
                None => {
                    let (first, second) = now.split_at(now.len() / 2);
                    waiting.extend([second, first]);
                }
            }
        }
        outcomes
    }
}

impl EcsBulk {
    /// Action and document. `create` with an id of ours: a repeat meets itself and is told 409.
    fn lines(&self, finding: &Value) -> Vec<u8> {
        let mut out = json::line(&json!({"create": {"_index": self.index, "_id": record_key(finding)}}));
        out.push(b'\n');
        out.extend(json::line(&ecs::document(finding)));
        out.push(b'\n');
        out
    }

    /// One request; `None` if it was too large and can be halved.
    async fn bulk(&self, bodies: &[Vec<u8>]) -> Option<Vec<Outcome>> {
        let count = bodies.len();
        let body = bodies.concat();
        let post = Post {
            url: self.url.clone(),
            content_type: "application/x-ndjson",
            headers: &self.headers,
            body,
        };
        let answer = match self.http.post(post).await {
            Ok(answer) => answer,
            Err(outcome) => return Some(all(&outcome, count)),
        };
        if answer.status.as_u16() == 413 && count > 1 {
            return None;
        }
        if !answer.status.is_success() {
            return Some(all(&answer.outcome(), count));
        }
        Some(items(&answer, count))
    }
}

/// The outcome of each item. An answer that cannot be read, or tells of another number of items, says nothing for sure.
fn items(answer: &Answer, count: usize) -> Vec<Outcome> {
    let read = serde_json::from_slice::<BulkAnswer>(&answer.body);
    match read {
        Ok(read) if read.items.len() == count => read
            .items
            .into_iter()
            .map(|item| item.create.outcome(answer))
            .collect(),
        _ => all(&Outcome::unknown("the answer cannot be read"), count),
    }
}

impl BulkResult {
    fn outcome(self, answer: &Answer) -> Outcome {
        let kind = self
            .error
            .and_then(|error| error.kind)
            .filter(|kind| is_word(kind));
        let named = kind.map_or_else(String::new, |kind| format!(" `{kind}`"));
        let why = format!("item answered {}{named}", self.status);
        match self.status {
            200..=299 => Outcome::done(why),
            409 => Outcome::done("already there"),
            429 | 500 | 502..=504 => Outcome::Retry {
                after: answer.retry_after,
                why,
            },
            401 | 403 | 404 => Outcome::failed(Fault::Responder, why),
            _ => Outcome::failed(Fault::Order, why),
        }
    }
}

/// Elasticsearch's error types are words; whatever else stands there may hold data.
fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn index_default() -> String {
    "habitus-findings".to_owned()
}
