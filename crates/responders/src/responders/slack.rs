//! Messages in a Slack channel over an incoming webhook.

use super::Part;
use crate::http::{Http, Post};
use crate::responder::NOTIFY_ONLY;
use crate::secret::{Secret, SecretRef};
use crate::settings::{Tools, Wrong, secret};
use crate::text::clip;
use crate::{Fault, Outcome, Responder, json, notice};
use async_trait::async_trait;
use habitus_model::{Action, Order};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// Slack's limits in characters: of a `header`, of a section's text, of one field.
const HEADER_CHARS_MAX: usize = 150;
const SECTION_CHARS_MAX: usize = 3_000;
const FIELD_CHARS_MAX: usize = 2_000;

/// A message in a Slack channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name that policies use.
    pub name: String,
    /// The incoming webhook's URL, by reference: whoever has it can write to the channel.
    pub url: SecretRef,
    /// Where a finding is shown, with `{finding}` in place of its id. Absent: no button.
    #[serde(default)]
    pub link: Option<String>,
    /// Networks that may be reached although they are not the public internet. Absent: none.
    #[serde(default)]
    pub allow_networks: Vec<String>,
    /// PEM file of the only authorities to trust. Absent: Mozilla's list.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

struct Slack {
    http: Http,
    url: Secret,
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
        let url = secret("url", &self.url)?;
        let parsed = tools.url(url.expose(), &self.allow_networks)?;
        let http = tools.http(&parsed, &self.allow_networks, self.ca_file.as_deref())?;
        let link = notice::Link::new(self.link.as_deref())?;
        Ok(Arc::new(Slack { http, url, link }))
    }
}

#[async_trait]
impl Responder for Slack {
    fn kind(&self) -> &'static str {
        "slack"
    }

    fn actions(&self) -> &'static [Action] {
        NOTIFY_ONLY
    }

    async fn carry_out(&self, order: &Order) -> Outcome {
        let Ok(url) = Url::parse(self.url.expose()) else {
            return Outcome::failed(Fault::Responder, "the URL cannot be read");
        };
        let body = json::line(&body(order, self.link.as_ref()));
        let post = Post {
            url,
            content_type: "application/json",
            headers: &[],
            body,
        };
        match self.http.post(post).await {
            Ok(answer) => named(answer.outcome(), &answer.body),
            Err(outcome) => outcome,
        }
    }
}

/// Slack's error word, such as `channel_is_archived`, behind the reason; anything else it writes is left out.
fn named(outcome: Outcome, body: &[u8]) -> Outcome {
    let word = std::str::from_utf8(body).unwrap_or_default().trim();
    let is_word = (1..=40).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    match outcome {
        Outcome::Failed { why, fault } if is_word => Outcome::Failed {
            why: format!("{why} `{word}`"),
            fault,
        },
        other => other,
    }
}

/// The message. Text from logs stands in `plain_text` objects, in which nothing is a mention, a link or a format.
pub(crate) fn body(order: &Order, link: Option<&notice::Link>) -> Value {
    let about = &order.notice;
    let score = format!("{} ({})", notice::points(order), about.level.caption());
    let reasons: Vec<String> = notice::reasons(order)
        .iter()
        .map(|reason| format!("• {reason}"))
        .collect();
    let mut blocks = vec![
        json!({"type": "header", "text": plain(&notice::title(order), HEADER_CHARS_MAX)}),
        json!({"type": "section", "fields": [
            label("Account"), plain(&notice::account(order), FIELD_CHARS_MAX),
            label("Risk"), plain(&score, FIELD_CHARS_MAX),
            label("Decision"), plain(about.disposition.name(), FIELD_CHARS_MAX),
            label("Time"), plain(&notice::rfc3339(about.time), FIELD_CHARS_MAX),
            label("Finding"), plain(&notice::name(notice::subject_uid(order)), FIELD_CHARS_MAX),
        ]}),
    ];
    if !reasons.is_empty() {
        blocks.push(json!({"type": "section", "text": plain(&reasons.join("\n"), SECTION_CHARS_MAX)}));
    }
    if let Some(url) = link.and_then(|link| link.of(order)) {
        let button = json!({"type": "button", "text": plain("Open finding", 75), "url": url});
        blocks.push(json!({"type": "actions", "elements": [button]}));
    }
    let context = format!(
        "rule {} | policy {}",
        notice::name(&about.rule),
        notice::name(&about.policy)
    );
    blocks.push(json!({"type": "context", "elements": [plain(&context, FIELD_CHARS_MAX)]}));
    json!({
        "text": escape(&notice::headline(order), SECTION_CHARS_MAX),
        "mrkdwn": false, "link_names": false, "unfurl_links": false, "unfurl_media": false,
        "blocks": blocks,
    })
}

fn label(text: &'static str) -> Value {
    json!({"type": "mrkdwn", "text": format!("*{text}*"), "verbatim": true})
}

/// A text object. Slack refuses a message with an empty one.
fn plain(text: &str, chars_max: usize) -> Value {
    let text = if text.trim().is_empty() { "-" } else { text };
    json!({"type": "plain_text", "text": escape(text, chars_max), "emoji": false})
}

/// `&`, `<` and `>` as entities, and no more characters than Slack takes. What is cut is cut before, so that no entity is.
fn escape(text: &str, chars_max: usize) -> String {
    let mut room = chars_max;
    loop {
        let escaped = clip(text, room)
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        let excess = escaped.chars().count().saturating_sub(chars_max);
        if excess == 0 || room == 0 {
            return escaped;
        }
        // An entity is at most five characters; at least one original character goes each time.
        room = room.saturating_sub(excess.div_ceil(5));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_a_mention_and_no_entity_is_cut() {
        assert_eq!(escape("<!channel> & co", 100), "&lt;!channel&gt; &amp; co");
        let cut = escape(&"<".repeat(400), 150);
        assert!(cut.chars().count() <= 150, "{}", cut.len());
        assert_eq!(cut.replace("&lt;", "").as_str(), "…");
        assert_eq!(escape("abc", 3), "abc");
    }
}
