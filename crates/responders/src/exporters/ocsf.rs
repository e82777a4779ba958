//! OCSF findings as they are, over HTTP or into a file.

use super::{Part, fitting};
use crate::exporter::all;
use crate::http::{Http, Post, header};
use crate::lines::Lines;
use crate::secret::SecretRef;
use crate::settings::{Tools, Wrong, keep_default, lines, rotate_bytes_default, secret_if};
use crate::{Exporter, Fault, Outcome, json};
use async_trait::async_trait;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;

/// OCSF findings over HTTP or into a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name of the exporter.
    pub name: String,
    /// Where to send to: https, or http within `allow_networks`. Either this or `path`.
    #[serde(default)]
    pub url: Option<String>,
    /// File to append to, one finding a line. Either this or `url`.
    #[serde(default)]
    pub path: Option<PathBuf>,
    /// Form of a request's body. Absent: `ndjson`. A file always has a finding a line.
    #[serde(default)]
    pub encoding: Encoding,
    /// Whole value of the `Authorization` header, by reference. Absent: no such header.
    #[serde(default)]
    pub authorization: Option<SecretRef>,
    /// Size in bytes from which a new file is begun. Absent: 67108864 (64 MiB).
    #[serde(default = "rotate_bytes_default")]
    pub rotate_bytes: u64,
    /// How many old files stay, as `path.1` (newest) and so on. Absent: 5.
    #[serde(default = "keep_default")]
    pub keep: u32,
    /// Networks that may be reached although they are not the public internet. Absent: none.
    #[serde(default)]
    pub allow_networks: Vec<String>,
    /// PEM file of the only authorities to trust. Absent: Mozilla's list.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

/// Form of a request's body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// A finding a line, `application/x-ndjson`.
    #[default]
    Ndjson,
    /// One JSON array, `application/json`.
    Array,
}

enum Target {
    Http {
        http: Box<Http>,
        url: Url,
        headers: Vec<(HeaderName, HeaderValue)>,
        encoding: Encoding,
    },
    File(Lines),
}

impl Part for Settings {
    fn name(&self) -> &str {
        &self.name
    }

    fn path(&self) -> Option<&PathBuf> {
        self.path.as_ref()
    }

    fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        self.path.iter_mut().chain(self.ca_file.iter_mut()).collect()
    }

    fn build(&self, tools: &Tools<'_>) -> Result<Arc<dyn Exporter>, Wrong> {
        let help = "give exactly one of `url` and `path`";
        match (&self.url, &self.path) {
            (Some(url), None) => {
                let url = tools.url(url, &self.allow_networks)?;
                let http = tools.http(&url, &self.allow_networks, self.ca_file.as_deref())?;
                let value = secret_if("authorization", self.authorization.as_ref())?;
                let value = value
                    .map(|value| header("authorization", value.expose()))
                    .transpose()?;
                let headers = value.map(|value| (AUTHORIZATION, value)).into_iter().collect();
                Ok(Arc::new(Target::Http {
                    http: Box::new(http),
                    url,
                    headers,
                    encoding: self.encoding,
                }))
            }
            (None, Some(path)) => Ok(Arc::new(Target::File(lines(
                path.clone(),
                self.rotate_bytes,
                self.keep,
            )?))),
            (Some(_), Some(_)) => Err(Wrong::new("url", "stands beside `path`", help)),
            (None, None) => Err(Wrong::new("url", "is missing, and so is `path`", help)),
        }
    }
}

#[async_trait]
impl Exporter for Target {
    fn kind(&self) -> &'static str {
        "ocsf"
    }

    async fn export(&self, findings: &[Value]) -> Vec<Outcome> {
        let bodies: Vec<Vec<u8>> = findings.iter().map(json::line).collect();
        match self {
            Target::File(lines) => {
                let mut text = bodies.join(&b'\n');
                text.push(b'\n');
                all(&written(lines, text, findings.len()).await, findings.len())
            }
            Target::Http {
                http,
                url,
                headers,
                encoding,
            } => {
                let mut outcomes = Vec::with_capacity(findings.len());
                let mut left = bodies.as_slice();
                while !left.is_empty() {
                    let (now, later) = left.split_at(fitting(left));
                    let body = encoding.body(now);
                    let post = Post {
                        url: url.clone(),
                        content_type: encoding.content_type(),
                        headers,
                        body,
                    };
                    let outcome = http
                        .post(post)
                        .await
                        .map_or_else(|outcome| outcome, |answer| answer.outcome());
                    outcomes.extend(all(&outcome, now.len()));
                    left = later;
                }
                outcomes
            }
        }
    }
}

impl Encoding {
    const fn content_type(self) -> &'static str {
        match self {
            Encoding::Ndjson => "application/x-ndjson",
            Encoding::Array => "application/json",
        }
    }

    fn body(self, bodies: &[Vec<u8>]) -> Vec<u8> {
        match self {
            Encoding::Ndjson => {
                let mut body = bodies.join(&b'\n');
                body.push(b'\n');
                body
            }
            Encoding::Array => {
                let mut body = vec![b'['];
                body.extend(bodies.join(&b','));
                body.push(b']');
                body
            }
        }
    }
}

async fn written(lines: &Lines, text: Vec<u8>, count: usize) -> Outcome {
    if count == 0 {
        return Outcome::failed(Fault::Order, "no finding");
    }
    match lines.append(text).await {
        Ok(()) => Outcome::done("written and synced"),
        Err(error) => Outcome::retry(format!("not written: {}", error.kind())),
    }
}
