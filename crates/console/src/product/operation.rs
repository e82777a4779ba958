//! Health of sources, readiness, audit and live messages.

use super::{schema, time};
use habitus_model::{EventTime, TenantId, Text};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A source and how it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SourceHealth {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: SourceState,
    /// The same in words: `silent for 840 seconds, usually for no more than 20`.
    pub text: String,
    /// The formats it was last seen to send.
    pub formats: Vec<String>,
    /// Its last event by its own clock; absent if it never sent any.
    #[serde(with = "time::option")]
    #[schema(schema_with = schema::instant_or_null)]
    pub last_event: Option<EventTime>,
    /// Events since the server started.
    pub events: u64,
    /// Events a minute over the last five minutes; absent before that is known.
    pub per_minute: Option<f64>,
    /// Seconds by which events arrive after they happen, 95th percentile; absent before that is known.
    pub lag_seconds: Option<f64>,
    /// Seconds for which it is usually silent at most; absent before that is known.
    pub expected_gap_seconds: Option<f64>,
    /// Events that had come before, since the server started.
    pub duplicates: u64,
    /// Records rejected since the server started.
    pub rejected: u64,
    /// Batches that had to come again since the server started.
    pub refused: u64,
    /// Records that are gone since the server started: UDP cannot wait.
    pub dropped: u64,
    /// Why records were rejected, most frequent first, at most ten.
    pub samples: Vec<RejectedSample>,
    /// Seconds its clock is ahead, negative if it is behind or delivers late, median of the last 1,000 events; absent before
    /// that is known.
    pub skew_seconds: Option<f64>,
    /// Seconds that are added to its times because its clock is off; 0 where it is right, or further off than ten minutes.
    pub corrected_seconds: f64,
    /// Fields it does not give, and what that blinds.
    pub missing: Vec<MissingField>,
    /// What habitus counts itself where it listens or reads; absent for those who send over HTTP.
    pub live: Option<LiveSource>,
}

/// What habitus counts of a source that it listens to or reads, since it started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LiveSource {
    /// Kind of source, as the configuration names it: `syslog_tcp`, `tail`.
    pub kind: String,
    /// Whole messages or lines.
    pub received: u64,
    /// Those above the size limit, passed over.
    pub oversized: u64,
    /// Connections or files open now.
    pub open: u64,
    /// Connections closed at once because the limit was reached.
    pub turned_away: u64,
    /// Connections closed because a handshake or a message took too long.
    pub timed_out: u64,
    /// The last thing that went wrong: paths and addresses, never a record's content. Absent if nothing did.
    pub last_fault: Option<String>,
    /// When that was.
    #[serde(with = "time::option")]
    #[schema(schema_with = schema::instant_or_null)]
    pub last_fault_at: Option<EventTime>,
}

/// Where a source stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// Sends as usual.
    Ok,
    /// Sends less than it used to.
    Silent,
    /// Most of what it sends cannot be read.
    Failing,
    /// Has not sent anything yet.
    Waiting,
}

/// A reason for rejections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RejectedSample {
    /// The reason; names fields, never values.
    pub error: String,
    /// How often.
    pub count: u64,
}

/// A field a source does not give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MissingField {
    /// The field, as OCSF names it.
    pub field: String,
    /// Families of evidence that cannot speak without it.
    pub blinds: Vec<String>,
}

/// Whether the process can do its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// Whether every check passed.
    pub ready: bool,
    /// The checks.
    pub checks: Vec<Check>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// What is checked: `journal`, `disk`, `recovery`.
    pub name: String,
    /// Whether it passed.
    pub ok: bool,
    /// What is wrong; absent if it passed.
    pub error: Option<String>,
}

/// Which audit entries are wanted. Absent means: not restricted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// Only what this user or token did.
    #[param(max_length = 128)]
    pub actor: Option<String>,
    /// Only this action: `finding.verdict`.
    #[param(max_length = 64)]
    pub action: Option<String>,
    /// `next` of the page before.
    #[param(max_length = 512)]
    pub cursor: Option<String>,
    /// Rows of a page, 1 to 200; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u16>,
}

/// One entry of the audit chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Its place in the chain, from 1.
    pub position: u64,
    /// When.
    #[serde(with = "time")]
    #[schema(schema_with = schema::instant)]
    pub time: EventTime,
    /// Who; absent if habitus itself.
    pub actor: Option<String>,
    /// From where; absent if not over the network.
    pub address: Option<String>,
    /// What: `finding.verdict`, `account.read`.
    pub action: String,
    /// To what; absent if to nothing in particular.
    pub object: Option<String>,
    /// How it went, or with what detail; absent if there is nothing to add.
    pub detail: Option<String>,
}

/// Something that is to enter the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditNote {
    /// Whose chain; absent for what concerns the whole installation.
    pub tenant: Option<TenantId>,
    /// Who; absent if nobody is known, as at a failed sign-in.
    pub actor: Option<Text>,
    /// From where.
    pub address: Option<std::net::IpAddr>,
    /// Id of the request; absent if there was none.
    pub request: Option<Text>,
    /// What: `session.create`, `token.revoke`.
    pub action: &'static str,
    /// To what.
    pub object: Option<Text>,
    /// Detail without secrets.
    pub detail: Option<String>,
}

/// A live message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id; ids grow.
    pub id: u64,
    /// What it is about: `finding`, `verdict`, `action`, `source`, `gap`.
    pub kind: &'static str,
    /// The object as JSON on one line.
    pub json: String,
}
