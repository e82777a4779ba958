//! What the reducer tells.

use crate::entry::{Arrival, ModelOrder};
use habitus_engine::changes::News as TenantNews;
use habitus_engine::models::ModelRefused;
use habitus_findings::{Applied, Change, CommandId, FindingId, Findings, News, Refused};
use habitus_model::{Assessment, TenantId};
use habitus_policy::{Problem, Ruling};

/// How final a verdict is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Given on arrival, ahead of the event's turn; a settled one follows.
    Provisional,
    /// Given in turn, and learned.
    Settled,
    /// The event came later than the lateness allows: judged as it came, and learned.
    Late,
    /// The event's time lies in the future: judged at its arrival, never learned.
    Future,
}

/// One thing that came of the log.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// A verdict.
    Verdict {
        /// The event.
        arrival: Box<Arrival>,
        /// What is thought of it.
        assessment: Box<Assessment>,
        /// How final.
        stage: Stage,
        /// The finding it belongs to; absent if it is not flagged.
        finding: Option<FindingId>,
        /// What follows; absent if a verdict before this one ruled, and this one is no worse.
        ruling: Option<Box<Ruling>>,
    },
    /// A policy that does not hold: the last good one stays in force.
    PolicyRefused(Vec<Problem>),
    /// Findings changed.
    Findings {
        /// Every change.
        changes: Vec<Change>,
        /// What of them other systems are told.
        news: Vec<News>,
    },
    /// What came of something that somebody asked of models.
    Models {
        /// What was asked.
        order: Box<ModelOrder>,
        /// Nothing, or why nothing changed.
        result: Result<(), ModelRefused>,
    },
    /// Something began for a tenant as a whole.
    Tenant {
        /// Whose.
        tenant: TenantId,
        /// What.
        news: TenantNews,
    },
    /// What came of a command.
    Command {
        /// Which.
        id: CommandId,
        /// How it went.
        result: Result<Applied, Refused>,
    },
}

impl Output {
    /// Changes that have just been made; absent if nothing changed.
    pub(crate) fn findings(findings: &Findings, changes: &[Change]) -> Option<Self> {
        (!changes.is_empty()).then(|| Self::Findings {
            changes: changes.to_vec(),
            news: findings.news(changes),
        })
    }

    pub(crate) fn verdict(
        arrival: Arrival,
        assessment: Assessment,
        (stage, finding): (Stage, Option<FindingId>),
        ruling: Option<Ruling>,
    ) -> Self {
        Self::Verdict {
            arrival: Box::new(arrival),
            assessment: Box::new(assessment),
            stage,
            finding,
            ruling: ruling.map(Box::new),
        }
    }
}
