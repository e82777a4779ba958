//! Events on their way in, and what is answered.

use super::{Who, schema};
use bytes::Bytes;
use habitus_model::{Disposition, EventTime, Mode, RiskLevel, Text};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// Content that somebody sends, decompressed and within the limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// Who sends.
    pub who: Who,
    /// The source's name: bound to the token, else as the sender says; absent if neither does.
    pub source: Option<Text>,
    /// The log format as `--format` names it; absent means: found out for each record.
    pub format: Option<Text>,
    /// What is sent.
    pub content: Content,
}

/// How records lie in what was sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A file's content: lines, or a JSON array. `line` of a rejection counts lines, or elements, from 1.
    Whole(Bytes),
    /// Records already taken apart by a shipper's protocol. `line` of a rejection counts these from 1.
    Records(Vec<Record>),
}

/// One record as a shipper wraps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The record itself.
    pub content: Bytes,
    /// What the sender calls its kind (Splunk's `sourcetype`, Elasticsearch's index); a hint, never trusted.
    pub label: Option<Text>,
    /// When the sender says it happened, for records that do not say it themselves.
    pub time: Option<EventTime>,
    /// The machine it is about, as the sender says.
    pub host: Option<Text>,
    /// What tells it from equal records that carry no id: the same whenever this one is sent again. Absent if the sender has
    /// no such thing, as only files have.
    pub place: Option<u64>,
}

/// What became of the records sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct IngestAnswer {
    /// Events now on stable storage.
    pub accepted: u64,
    /// Events that were there before: the same source and event id.
    pub duplicates: u64,
    /// Records that could not be read, in order: all of [`Content::Records`], the first thousand of [`Content::Whole`].
    pub rejected: Vec<RejectedLine>,
}

/// A record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RejectedLine {
    /// Line or element of what was sent, from 1.
    pub line: u64,
    /// Why, naming fields and never values.
    pub error: String,
}

/// One event about which a decision is wanted now.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Who asks.
    pub who: Who,
    /// The source's name; see [`Submission::source`].
    pub source: Option<Text>,
    /// The log format; absent means: found out.
    pub format: Option<Text>,
    /// The event.
    pub event: Bytes,
    /// How long the asker waits, from now.
    pub deadline: Duration,
}

/// A verdict: the same names as in `--verdicts FILE`, and what an inline answer adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AssessAnswer {
    /// `metadata.uid` of the event; absent if it could not be read.
    pub uid: Option<String>,
    /// When it happened, milliseconds since 1970; absent if it could not be read.
    pub time: Option<i64>,
    /// The account; absent if nobody is named.
    pub account: Option<String>,
    /// 0 to 100; absent if nothing was computed.
    pub risk_score: Option<f64>,
    /// Uncapped total in nats; absent if nothing was computed.
    pub log_odds: Option<f64>,
    /// The level of the score; absent if nothing was computed.
    #[schema(schema_with = schema::level_or_null)]
    pub risk_level: Option<RiskLevel>,
    /// 0 to 1; absent if nothing was computed.
    pub confidence: Option<f64>,
    /// What is recommended.
    #[schema(schema_with = schema::disposition)]
    pub disposition: Disposition,
    /// Lines that sum to `log_odds`.
    pub contributions: Vec<ContributionLine>,
    /// What could not be judged, and why.
    pub blind: Vec<BlindLine>,
    /// Whether this is the configured default, or computed with parts missing.
    pub degraded: bool,
    /// Why it is degraded, in lower case; absent if it is not.
    pub degraded_reason: Option<String>,
    /// Version of the model; absent if nothing was computed.
    pub model: Option<String>,
    /// Version of the policy; absent if none was asked.
    pub policy: Option<String>,
    /// How far decisions reach: proxies turn visitors away in `enforce` only. Absent if nothing was computed, or where a
    /// verdict of the past is shown.
    #[schema(schema_with = schema::mode_or_null)]
    pub mode: Option<Mode>,
}

/// One line of the explanation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContributionLine {
    /// Name of the observation: `new_country`.
    pub signal: String,
    /// Nats; negative speaks for the owner.
    pub log_odds: f64,
    /// The same as points of the score.
    pub points: f64,
    /// Why, as a sentence without a full stop. May hold text that an attacker wrote.
    pub text: String,
}

/// A family of evidence that could not speak.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlindLine {
    /// The family: `network`.
    pub family: String,
    /// Why: `no_place`.
    pub why: String,
}

impl AssessAnswer {
    /// The answer when nothing was computed.
    #[must_use]
    pub fn degraded(disposition: Disposition, reason: &str) -> Self {
        Self {
            uid: None,
            time: None,
            account: None,
            risk_score: None,
            log_odds: None,
            risk_level: None,
            confidence: None,
            disposition,
            contributions: Vec::new(),
            blind: Vec::new(),
            degraded: true,
            degraded_reason: Some(reason.to_owned()),
            model: None,
            policy: None,
            mode: None,
        }
    }
}
