//! Findings as they are shown, and what people do to them.

use super::{ActionRow, AssessAnswer, schema, time};
use habitus_model::{EventTime, RiskLevel, Text, Verdict};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which findings are wanted. Absent means: not restricted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FindingsQuery {
    /// Only those in this state.
    pub state: Option<FindingState>,
    /// Only those of this account.
    #[param(max_length = 512)]
    pub account: Option<String>,
    /// Only those whose score is at least this.
    #[param(minimum = 0, maximum = 100)]
    pub min_score: Option<f64>,
    /// Only those assigned to this user.
    #[param(max_length = 128)]
    pub assignee: Option<String>,
    /// `next` of the page before.
    #[param(max_length = 512)]
    pub cursor: Option<String>,
    /// Rows of a page, 1 to 200; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u16>,
}

/// Where the work on a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// Nobody has looked.
    New,
    /// Somebody works on it.
    InProgress,
    /// A verdict closed it.
    Closed,
}

/// A finding in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FindingRow {
    /// Its id; the same log gives the same ids.
    pub id: String,
    /// The account; absent for findings about a source of attempts or a campaign.
    pub account: Option<String>,
    /// Kind of account: `human`, `service`; absent if there is no account.
    pub kind: Option<String>,
    /// What stands out.
    pub title: String,
    /// The behaviour it is about, such as `access`; absent before that is known.
    pub behaviour: Option<String>,
    /// Where the work stands.
    pub state: FindingState,
    /// Highest score of its events, 0 to 100.
    pub risk_score: f64,
    /// Level of that score.
    #[schema(schema_with = schema::level)]
    pub risk_level: RiskLevel,
    /// Events in it.
    pub count: u64,
    /// Time of the first.
    #[serde(with = "time")]
    #[schema(schema_with = schema::instant)]
    pub first_seen: EventTime,
    /// Time of the last.
    #[serde(with = "time")]
    #[schema(schema_with = schema::instant)]
    pub last_seen: EventTime,
    /// Who works on it; absent if nobody.
    pub assignee: Option<String>,
    /// The verdict; absent if there is none.
    #[schema(schema_with = schema::verdict_or_null)]
    pub verdict: Option<Verdict>,
}

/// A finding with all that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// As in the list.
    #[serde(flatten)]
    pub row: FindingRow,
    /// What differs from the account's habit, as a sentence.
    pub sentence: String,
    /// What its events have in common: tenant, account or network, behaviour, window; and how it is told, if not by itself.
    pub key: Vec<Labelled>,
    /// The assessment of the event with the highest score.
    pub assessment: AssessAnswer,
    /// Events, the first twenty and the worst among them, in order of time.
    pub events: Vec<EventLine>,
    /// Notes, oldest first.
    pub notes: Vec<Note>,
    /// What happened to it, oldest first.
    pub history: Vec<FindingChange>,
    /// Others like it, at most twenty.
    pub similar: Vec<FindingRow>,
    /// Orders it caused, latest first, at most twenty.
    pub actions: Vec<ActionRow>,
}

/// One event as a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventLine {
    /// `metadata.uid`.
    pub uid: String,
    /// When it happened.
    #[serde(with = "time")]
    #[schema(schema_with = schema::instant)]
    pub time: EventTime,
    /// Its score; absent if it has none.
    pub risk_score: Option<f64>,
    /// What happened, as a short sentence.
    pub text: String,
    /// Fields worth showing: address, place, network, client, resource. Values may be written by an attacker.
    pub facts: Vec<Labelled>,
}

/// A value with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Labelled {
    /// The name.
    pub label: String,
    /// The value.
    pub value: String,
}

/// What somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Note {
    /// Who.
    pub author: String,
    /// When.
    #[serde(with = "time")]
    #[schema(schema_with = schema::instant)]
    pub time: EventTime,
    /// What.
    pub text: String,
}

/// One step of a finding's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FindingChange {
    /// Who; absent if habitus itself.
    pub author: Option<String>,
    /// When.
    #[serde(with = "time")]
    #[schema(schema_with = schema::instant)]
    pub time: EventTime,
    /// What, as a short sentence: `verdict benign`.
    pub text: String,
}

/// Something to be done to a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindingCommand {
    /// Gives a verdict.
    Verdict {
        /// The verdict.
        verdict: Verdict,
        /// The contribution that decided; absent if not said.
        signal: Option<Text>,
        /// Why, in words; absent if not said.
        note: Option<String>,
        /// For how many days the same is expected again, 1 to 90, with `benign` and `test`; absent: it is not.
        expected_days: Option<u16>,
        /// Whether similar open findings get the same verdict.
        similar: bool,
        /// Whether only to tell what would happen.
        dry_run: bool,
    },
    /// Gives it to somebody; `None` to nobody.
    Assign {
        /// Name of a user.
        assignee: Option<Text>,
    },
    /// Adds a note.
    Note {
        /// 1 to 4,000 characters.
        text: String,
    },
    /// Takes the last verdict back, with all that it taught and closed.
    Undo,
    /// Opens it again and keeps the verdict in the history.
    Reopen,
}

/// What a command did, or would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Outcome {
    /// The finding afterwards; as it is now if nothing was done.
    pub finding: FindingRow,
    /// The effect of a verdict or of taking it back; absent for other commands.
    pub effect: Option<Effect>,
    /// Whether nothing was done.
    pub dry_run: bool,
}

/// What a verdict changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Effect {
    /// All of it as one sentence.
    pub text: String,
    /// Ids of the events that enter their account's baseline; empty if none.
    pub learns: Vec<String>,
    /// Ids of the events that an earlier verdict let in and that leave it again.
    pub unlearns: Vec<String>,
    /// The score of the worst event, as it was given.
    pub score_before: f64,
    /// The score the same event would have afterwards; absent if it does not change.
    pub score_after: Option<f64>,
    /// Ids of the findings it closes, this one included.
    pub closes: Vec<String>,
    /// Ids of the findings it opens again.
    pub opens: Vec<String>,
    /// Ids of open findings in which the same stands out, at most 100: they close too if that is asked for. Of a preview only.
    pub similar: Vec<String>,
    /// After a false positive: an entry for the policy's safelist, which keeps actions away from the same until it expires. It holds
    /// once somebody has put it into the policy. Absent: nothing is proposed.
    pub exception: Option<String>,
}
