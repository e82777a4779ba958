//! What people ask to be done about findings.

use crate::key::FindingId;
use habitus_model::{EventTime, IngestTime, Text, Verdict};
use serde::{Deserialize, Serialize};

/// Longest note or comment, characters.
pub const TEXT_CHARS_MAX: usize = 4_000;
/// Longest time that anything can be expected for, days: an exception is looked at again each quarter.
pub const EXPECTED_DAYS_MAX: i64 = 90;

/// A command's id: the same id again is the same command, and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct CommandId(pub Text);

/// One thing that a person asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Its id, from whoever asks.
    pub id: CommandId,
    /// The finding it is about.
    pub finding: FindingId,
    /// Who asks.
    pub by: Text,
    /// When it reached us.
    pub at: IngestTime,
    /// What is asked.
    pub act: Act,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Give it to somebody, who then works on it; absent: to nobody.
    Assign(Option<Text>),
    /// Write a note.
    Note(String),
    /// Judge it.
    Judge(Ask),
    /// Put it aside until then, or until something worse comes; absent: take it up again.
    Snooze(Option<IngestTime>),
    /// Close it without a verdict.
    Close,
    /// Open it again; its verdict no longer stands, and what it taught is unlearned.
    Reopen,
    /// Take a command back, in all findings it changed; absent: the last one of this finding.
    Undo(Option<CommandId>),
}

/// A verdict as it is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    /// The verdict.
    pub verdict: Verdict,
    /// Why; absent if nothing is said.
    pub comment: Option<String>,
    /// The observation that decides it (the signal of a contribution); absent if none is named.
    pub deciding: Option<Text>,
    /// Until when the same is expected again, at most 90 days ahead; only with `benign` and `test`.
    pub until: Option<EventTime>,
    /// The finding that tells the same; only with `duplicate`, where it may be absent.
    pub duplicate_of: Option<FindingId>,
    /// How far it reaches.
    pub reach: Reach,
}

/// How far a verdict reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// This finding.
    #[default]
    This,
    /// This and the open ones that are similar.
    Similar,
}

/// Why a command changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such finding: it never was, or it had to give way to newer ones.
    #[error("no such finding")]
    NotFound,
    /// No command of this finding, or not this one, can be taken back: at most the last 20 can.
    #[error("nothing to take back")]
    NothingToUndo,
    /// A later command changed the same.
    #[error("a later command changed the same; take that one back first")]
    Overtaken,
    /// The text is empty, or has more than 4,000 characters.
    #[error("`text` must have 1 to 4,000 characters")]
    Length,
    /// 100 notes are kept with a finding.
    #[error("the finding has 100 notes")]
    NotesFull,
    /// Only what is benign or a test can be expected again, and for 90 days at most.
    #[error("`until` goes with `benign` and `test`, and reaches 90 days at most")]
    Until,
    /// `duplicate_of` without `duplicate`, or itself.
    #[error("`duplicate_of` names another finding, and goes with `duplicate`")]
    DuplicateOf,
    /// Too many commands wait for findings that are not settled yet.
    #[error("too many commands wait for findings that are not settled yet")]
    Busy,
}

impl Ask {
    /// A verdict on one finding without more words.
    #[must_use]
    pub const fn new(verdict: Verdict) -> Self {
        Self {
            verdict,
            comment: None,
            deciding: None,
            until: None,
            duplicate_of: None,
            reach: Reach::This,
        }
    }

    /// Whether it can be asked of this finding then. `at` bounds how long anything can be expected.
    pub(crate) fn check(&self, finding: &FindingId, at: IngestTime) -> Result<(), Refused> {
        let expectable = matches!(self.verdict, Verdict::Benign | Verdict::Test);
        let latest = at.as_millis().saturating_add(EXPECTED_DAYS_MAX * 86_400_000);
        if self
            .until
            .is_some_and(|until| !expectable || until.as_millis() > latest)
        {
            return Err(Refused::Until);
        }
        let of = self.duplicate_of.as_ref();
        if of.is_some_and(|of| self.verdict != Verdict::Duplicate || of == finding) {
            return Err(Refused::DuplicateOf);
        }
        self.comment.as_deref().map_or(Ok(()), check_text)
    }
}

impl Act {
    /// Whether it can be asked of this finding then, as far as the words go.
    pub(crate) fn check(&self, finding: &FindingId, at: IngestTime) -> Result<(), Refused> {
        match self {
            Act::Note(text) => check_text(text),
            Act::Assign(Some(who)) => check_text(who),
            Act::Judge(ask) => ask.check(finding, at),
            Act::Assign(None) | Act::Snooze(_) | Act::Close | Act::Reopen | Act::Undo(_) => Ok(()),
        }
    }
}

fn check_text(text: &str) -> Result<(), Refused> {
    if text.trim().is_empty() || text.chars().nth(TEXT_CHARS_MAX).is_some() {
        return Err(Refused::Length);
    }
    Ok(())
}
