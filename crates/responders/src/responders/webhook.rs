//! Signed HTTP requests after Standard Webhooks 1.0.0.

use super::Part;
use crate::http::{Http, Post, header};
use crate::responder::EVERY_ACTION;
use crate::secret::{Secret, SecretRef};
use crate::settings::{Tools, Wrong, secret, secret_if};
use crate::{Clock, Fault, Outcome, Responder, json, notice};
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use habitus_model::{Action, Order};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;
use std::path::PathBuf;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Standard Webhooks 1.0.0: a secret has 24 to 64 bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A signed HTTP request to a machine, which may carry out any action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name that policies use.
    pub name: String,
    /// Where to send to: https, or http within `allow_networks`. No credentials in it.
    pub url: String,
    /// Key of the signature: `whsec_` and 24 to 64 bytes in base64, by reference.
    pub secret: SecretRef,
    /// Key that is about to be replaced: while it is given, both sign. Absent: one signature.
    #[serde(default)]
    pub previous_secret: Option<SecretRef>,
    /// Whole value of the `Authorization` header, by reference. Absent: no such header.
    #[serde(default)]
    pub authorization: Option<SecretRef>,
    /// Networks that may be reached although they are not the public internet. Absent: none.
    #[serde(default)]
    pub allow_networks: Vec<String>,
    /// PEM file of the only authorities to trust. Absent: Mozilla's list.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

struct Webhook {
    http: Http,
    url: Url,
    keys: Vec<Zeroizing<Vec<u8>>>,
    authorization: Option<HeaderValue>,
    clock: Clock,
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
        let mut keys = vec![key("secret", &secret("secret", &self.secret)?)?];
        if let Some(previous) = secret_if("previous_secret", self.previous_secret.as_ref())? {
            keys.push(key("previous_secret", &previous)?);
        }
        let authorization = secret_if("authorization", self.authorization.as_ref())?;
        let authorization = authorization
            .map(|value| header("authorization", value.expose()))
            .transpose()?;
        Ok(Arc::new(Webhook {
            http,
            url,
            keys,
            authorization,
            clock: tools.clock.clone(),
        }))
    }
}

#[async_trait]
impl Responder for Webhook {
    fn kind(&self) -> &'static str {
        "webhook"
    }

    fn actions(&self) -> &'static [Action] {
        EVERY_ACTION
    }

    async fn carry_out(&self, order: &Order) -> Outcome {
        let body = json::line(&body(order));
        let Some(headers) = self.headers(&order.id, &body) else {
            return Outcome::failed(Fault::Order, "the order's id cannot be signed");
        };
        let post = Post {
            url: self.url.clone(),
            content_type: "application/json",
            headers: &headers,
            body,
        };
        match self.http.post(post).await {
            Ok(answer) => answer.outcome(),
            Err(outcome) => outcome,
        }
    }
}

impl Webhook {
    /// The id is the same over repeats, the time is that of the attempt.
    fn headers(&self, id: &str, body: &[u8]) -> Option<Vec<(HeaderName, HeaderValue)>> {
        if id.is_empty()
            || !id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        {
            // A full stop in it would make two signed contents one.
            return None;
        }
        let seconds = self.clock.now_ms().div_euclid(1_000);
        let signatures: Option<Vec<String>> =
            self.keys.iter().map(|key| sign(key, id, seconds, body)).collect();
        let mut headers = vec![
            (
                HeaderName::from_static("webhook-id"),
                HeaderValue::from_str(id).ok()?,
            ),
            (
                HeaderName::from_static("webhook-timestamp"),
                HeaderValue::from(seconds),
            ),
            (
                HeaderName::from_static("webhook-signature"),
                HeaderValue::from_str(&signatures?.join(" ")).ok()?,
            ),
        ];
        headers.extend(self.authorization.clone().map(|value| (AUTHORIZATION, value)));
        Some(headers)
    }
}

/// The body: a typed envelope around the notice.
pub(crate) fn body(order: &Order) -> Value {
    json!({
        "type": format!("habitus.order.{}", order.action.name()),
        "timestamp": notice::rfc3339(order.made),
        "data": notice::data(order),
    })
}

/// `v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64. `None` never happens: HMAC takes keys of any length.
fn sign(key: &[u8], id: &str, seconds: i64, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

fn key(field: &'static str, secret: &Secret) -> Result<Zeroizing<Vec<u8>>, Wrong> {
    let help = "make one with `echo whsec_$(openssl rand -base64 32)`";
    let text = secret.expose();
    let encoded = text.strip_prefix("whsec_").unwrap_or(text);
    let decoded = STANDARD.decode(encoded).map(Zeroizing::new);
    let decoded = decoded.map_err(|_| Wrong::new(field, "does not name a key in base64", help))?;
    if KEY_BYTES.contains(&decoded.len()) {
        Ok(decoded)
    } else {
        Err(Wrong::new(
            field,
            "names a key that is not 24 to 64 bytes long",
            help,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first vector is that of the upstream libraries.
    #[test]
    fn signatures_equal_the_published_vectors() {
        for (secret, id, seconds, body, expected) in [
            (
                "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1_614_265_330,
                r#"{"test": 2432232314}"#,
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
            (
                "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                "evt_0001",
                1_767_323_045,
                r#"{"type":"risk.incident.opened","timestamp":"2026-01-02T03:04:05Z","data":{"incident_id":"inc_0001"}}"#,
                "v1,AI9VsmV25DOFl9mfopWQxOCymrDxvZh9f23qdfH5e5k=",
            ),
        ] {
            let key = STANDARD.decode(secret).unwrap();
            assert_eq!(sign(&key, id, seconds, body.as_bytes()).unwrap(), expected);
        }
    }
}
