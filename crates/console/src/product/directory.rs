//! Accounts and sessions as they are shown.

use super::{EventLine, FindingRow, schema, time};
use habitus_model::{EventTime, RiskLevel};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which accounts are wanted. Absent means: not restricted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AccountsQuery {
    /// Part of the id, in any case.
    #[param(max_length = 512)]
    pub search: Option<String>,
    /// Only of this kind: `human`, `privileged`, `shared`, `service`, `vendor`, `unknown`.
    #[param(max_length = 16)]
    pub kind: Option<String>,
    /// `next` of the page before.
    #[param(max_length = 512)]
    pub cursor: Option<String>,
    /// Rows of a page, 1 to 200; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u16>,
}

/// An account in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AccountRow {
    /// Its id.
    pub id: String,
    /// Kind: `human`, `service`.
    pub kind: String,
    /// Highest score of its open findings, 0 to 100; absent if none is open.
    pub risk_score: Option<f64>,
    /// Level of that score.
    #[schema(schema_with = schema::level_or_null)]
    pub risk_level: Option<RiskLevel>,
    /// Successful logins its habits were learned from.
    pub logins: u64,
    /// Its last event; absent if it has none that counts.
    #[serde(with = "time::option")]
    #[schema(schema_with = schema::instant_or_null)]
    pub last_seen: Option<EventTime>,
    /// Findings not closed.
    pub open_findings: u64,
}

/// An account with its habits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// As in the list.
    #[serde(flatten)]
    pub row: AccountRow,
    /// Its first event; absent if unknown.
    #[serde(with = "time::option")]
    #[schema(schema_with = schema::instant_or_null)]
    pub first_seen: Option<EventTime>,
    /// How much is known of it, 0 to 1.
    pub maturity: f64,
    /// What it does as a rule: places, networks, devices, hours.
    pub habits: Vec<Habit>,
    /// Its findings, latest first, at most fifty.
    pub findings: Vec<FindingRow>,
    /// Its sessions, latest first, at most fifty.
    pub sessions: Vec<SessionRow>,
    /// Its last events, latest first, at most fifty.
    pub events: Vec<EventLine>,
}

/// One habit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Habit {
    /// What of: `countries`, `networks`, `devices`, `hours`.
    pub name: String,
    /// The values, most frequent first.
    pub values: Vec<HabitValue>,
}

/// One value of a habit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HabitValue {
    /// The value. May be written by an attacker.
    pub value: String,
    /// Its share of what was seen, 0 to 1.
    pub share: f64,
    /// When it was seen last; absent if that is not kept.
    #[serde(with = "time::option")]
    #[schema(schema_with = schema::instant_or_null)]
    pub last_seen: Option<EventTime>,
}

/// A session in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SessionRow {
    /// Its id.
    pub id: String,
    /// The account; absent if nobody is named.
    pub account: Option<String>,
    /// Its first event.
    #[serde(with = "time")]
    #[schema(schema_with = schema::instant)]
    pub first_seen: EventTime,
    /// Its last event.
    #[serde(with = "time")]
    #[schema(schema_with = schema::instant)]
    pub last_seen: EventTime,
    /// Highest score of its events; absent if none has one.
    pub risk_score: Option<f64>,
    /// Events in it.
    pub count: u64,
}

/// A session with its events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// As in the list.
    #[serde(flatten)]
    pub row: SessionRow,
    /// Events in order of time, at most two hundred.
    pub events: Vec<EventLine>,
}
