//! What the console asks of the rest of habitus. `app` implements these traits; nothing here knows how.
//!
//! Every call names who asks, so that whoever answers can keep tenants apart and write the audit. Absence is
//! `None`, never 0 or an empty text. Every method is called concurrently and must not block its thread.

mod action;
mod answer;
mod change;
mod directory;
mod event;
mod finding;
mod model;
mod operation;
mod schema;
pub mod time;

pub use action::{ActionRow, ActionState, ActionsQuery, Decide, Decision};
pub use answer::{Page, Refusal, Who};
pub use change::{Changes, DriftAlarm, TenantChange, TenantChangeKind};
pub use directory::{Account, AccountRow, AccountsQuery, Habit, HabitValue, Session, SessionRow};
pub use event::{
    AssessAnswer, BlindLine, Content, ContributionLine, IngestAnswer, Question, Record, RejectedLine,
    Submission,
};
pub use finding::{
    Effect, EventLine, Finding, FindingChange, FindingCommand, FindingRow, FindingState, FindingsQuery,
    Labelled, Note, Outcome,
};
pub use model::{
    LabelCounts, ModelCommand, ModelComparison, ModelFound, ModelHappened, ModelMove, ModelMover,
    ModelOrigin, ModelRow, ModelStep, Models,
};
pub use operation::{
    AuditEntry, AuditNote, AuditQuery, Check, LiveSource, Message, MissingField, Readiness, RejectedSample,
    SourceHealth, SourceState,
};

pub(crate) use schema::verdict as verdict_schema;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use std::fmt;
use std::sync::Arc;

/// Takes events in.
#[async_trait]
pub trait Intake: Send + Sync {
    /// Answers once every accepted event is on stable storage. A record that cannot be read is in `rejected`, and
    /// the others are kept.
    async fn ingest(&self, submission: Submission) -> Result<IngestAnswer, Refusal>;
}

/// Decides inline.
#[async_trait]
pub trait Judge: Send + Sync {
    /// The decision on one event as of now; nothing is learned or kept. Answers before the deadline; the console
    /// answers with the configured default if it does not.
    async fn assess(&self, question: Question) -> Result<AssessAnswer, Refusal>;
}

/// Findings and the work on them.
#[async_trait]
pub trait Desk: Send + Sync {
    /// Findings in the order of the queue: open ones first, highest score first, latest first.
    async fn findings(&self, who: &Who, query: &FindingsQuery) -> Result<Page<FindingRow>, Refusal>;

    /// One finding with all that is known of it. [`Refusal::NotFound`] also for one of another tenant.
    async fn finding(&self, who: &Who, id: &str) -> Result<Finding, Refusal>;

    /// Does something to a finding, or tells what would happen.
    async fn command(&self, who: &Who, id: &str, command: FindingCommand) -> Result<Outcome, Refusal>;
}

/// Accounts and their sessions.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Accounts, highest present risk first.
    async fn accounts(&self, who: &Who, query: &AccountsQuery) -> Result<Page<AccountRow>, Refusal>;

    /// One account with its habits.
    async fn account(&self, who: &Who, id: &str) -> Result<Account, Refusal>;

    /// One session with its events.
    async fn session(&self, who: &Who, id: &str) -> Result<Session, Refusal>;
}

/// Where events come from, and how well.
#[async_trait]
pub trait Sources: Send + Sync {
    /// Every source that was configured or has sent anything.
    async fn sources(&self, who: &Who) -> Result<Vec<SourceHealth>, Refusal>;

    /// What changed for the tenant as a whole: what comes is no longer what came.
    async fn changes(&self, who: &Who) -> Result<Changes, Refusal>;
}

/// Orders: those that wait for a person, those under way, those that failed for good.
#[async_trait]
pub trait Actions: Send + Sync {
    /// Orders, latest first.
    async fn actions(&self, who: &Who, query: &ActionsQuery) -> Result<Page<ActionRow>, Refusal>;

    /// Approves, declines or retries one. [`Refusal::Conflict`] if its state does not allow that.
    async fn decide(&self, who: &Who, id: &str, decide: Decide) -> Result<ActionRow, Refusal>;
}

/// Champion and challenger.
#[async_trait]
pub trait Modelling: Send + Sync {
    /// The models of the tenant.
    async fn models(&self, who: &Who) -> Result<Models, Refusal>;

    /// Promotes, goes back or proposes, and tells how it stands then. [`Refusal::Conflict`] says what speaks against it.
    async fn command(&self, who: &Who, command: ModelCommand) -> Result<Models, Refusal>;
}

/// The audit chain. The console records sign-ins, changes of users and tokens, and reads of findings, accounts and
/// sessions; commands on findings and orders are recorded by those who carry them out.
#[async_trait]
pub trait Audit: Send + Sync {
    /// Appends an entry; it is on stable storage when this returns. What cannot be recorded must not be done.
    async fn record(&self, note: AuditNote) -> Result<(), Refusal>;

    /// Entries, latest first.
    async fn entries(&self, who: &Who, query: &AuditQuery) -> Result<Page<AuditEntry>, Refusal>;
}

/// What operators ask.
#[async_trait]
pub trait Operations: Send + Sync {
    /// Whether this process can do its work now.
    async fn ready(&self) -> Readiness;

    /// Metrics in the text format of Prometheus or OpenMetrics, without the console's own.
    async fn metrics(&self) -> String;
}

/// What happens, as it happens.
pub trait Live: Send + Sync {
    /// Messages with ids above `after`, then new ones as they come; from now on if absent. A reader who is too slow,
    /// or asks for messages no longer kept, gets one of kind `gap` and should read the state anew.
    fn subscribe(&self, who: &Who, after: Option<u64>) -> BoxStream<'static, Message>;
}

/// Everything behind the console. Cloning is cheap.
#[derive(Clone)]
pub struct Product {
    /// Takes events in.
    pub intake: Arc<dyn Intake>,
    /// Decides inline.
    pub judge: Arc<dyn Judge>,
    /// Findings.
    pub desk: Arc<dyn Desk>,
    /// Accounts and sessions.
    pub directory: Arc<dyn Directory>,
    /// Health of sources.
    pub sources: Arc<dyn Sources>,
    /// Orders.
    pub actions: Arc<dyn Actions>,
    /// Champion and challenger.
    pub models: Arc<dyn Modelling>,
    /// The audit chain.
    pub audit: Arc<dyn Audit>,
    /// Readiness and metrics.
    pub operations: Arc<dyn Operations>,
    /// Live messages.
    pub live: Arc<dyn Live>,
}

impl fmt::Debug for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Product").finish_non_exhaustive()
    }
}
