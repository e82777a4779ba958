//! What people have said and done about a finding.

use crate::command::CommandId;
use crate::hit::Hit;
use crate::key::{FindingId, Novelty};
use habitus_model::{Context, EventTime, EventUid, IngestTime, RiskLevel, Text, Verdict};
use serde::{Deserialize, Serialize};

/// Notes kept with a finding; a further one is refused.
pub const NOTES_MAX: usize = 100;
/// Entries of history kept; beyond it the oldest gives way and is counted. The audit trail keeps all.
pub const HISTORY_MAX: usize = 100;
/// Commands that can be taken back.
pub const UNDO_MAX: usize = 20;

/// Where a finding stands (OCSF 1.8 `status_id` of Detection Finding).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has taken it up.
    #[default]
    New,
    /// Somebody works on it.
    InProgress,
    /// Done with.
    Closed,
}

/// A verdict that was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ruling {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in the analyst's words; absent if nothing was said.
    pub comment: Option<String>,
    /// The observation that decided it; absent if none was named.
    pub deciding: Option<Text>,
    /// Who.
    pub by: Text,
    /// When.
    pub at: IngestTime,
    /// Until when the same is expected again; absent: it is not.
    pub until: Option<EventTime>,
    /// The finding that tells the same, for a duplicate.
    pub duplicate_of: Option<FindingId>,
    /// The highest level that was judged.
    pub level: RiskLevel,
    /// What was new in what was judged.
    pub novelties: Vec<Novelty>,
    /// What entered the baseline by it.
    pub learned: Vec<Taught>,
    /// Events that were ahead of their turn when it was given, at most 256: they were seen, and are covered.
    pub awaited: Vec<EventUid>,
}

/// An event that a verdict teaches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Taught {
    /// The event.
    pub uid: EventUid,
    /// Who, when, where from, with what.
    pub context: Context,
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The command that wrote it.
    pub id: CommandId,
    /// Who.
    pub by: Text,
    /// When.
    pub at: IngestTime,
    /// The text. Written by people: escape it where it is shown.
    pub text: String,
}

/// One thing that happened to a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When; absent for what an event did, whose time is in the entry.
    pub at: Option<IngestTime>,
    /// Who; absent for what an event did.
    pub by: Option<Text>,
    /// What.
    pub what: Deed,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Given to somebody; absent: to nobody.
    Assigned(Option<Text>),
    /// A note was written.
    Noted,
    /// A verdict was given.
    Judged(Verdict),
    /// Put aside until then; absent: taken up again.
    Snoozed(Option<IngestTime>),
    /// Closed without a verdict.
    Closed,
    /// Opened again by a person; its verdict no longer stands.
    Reopened,
    /// Opened again by an event that the verdict does not cover.
    ReopenedBy {
        /// The event.
        event: EventUid,
        /// When it happened.
        time: EventTime,
    },
    /// A command was taken back.
    Undone(CommandId),
}

/// State, verdict, notes and history of one finding.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Triage {
    /// Where it stands.
    pub state: State,
    /// Who works on it; absent if nobody.
    pub assignee: Option<Text>,
    /// The latest verdict; whether it stands tells [`Triage::verdict`].
    pub ruling: Option<Ruling>,
    /// Put aside until then, or until something worse comes.
    pub snoozed_until: Option<IngestTime>,
    /// Notes, oldest first.
    pub notes: Vec<Note>,
    /// What happened, oldest first.
    pub history: Vec<Entry>,
    /// Entries that gave way to newer ones.
    pub history_dropped: u64,
    pub(crate) undo: Vec<Inverse>,
}

/// What a command changed, as it was before. A field that it did not touch is absent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Inverse {
    pub command: CommandId,
    pub state: Option<State>,
    pub assignee: Option<Option<Text>>,
    pub ruling: Option<Option<Box<Ruling>>>,
    pub snoozed: Option<Option<IngestTime>>,
    pub noted: bool,
}

impl State {
    /// The name in snake case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            State::New => "new",
            State::InProgress => "in_progress",
            State::Closed => "closed",
        }
    }

    /// By name; `None` for another word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [State::New, State::InProgress, State::Closed]
            .into_iter()
            .find(|state| state.name() == name)
    }

    /// OCSF `status_id` and caption.
    #[must_use]
    pub const fn ocsf(self) -> (u8, &'static str) {
        match self {
            State::New => (1, "New"),
            State::InProgress => (2, "In Progress"),
            State::Closed => (4, "Resolved"),
        }
    }
}

impl Ruling {
    /// Whether a further event of the same finding is covered by the verdict, so that a closed finding stays closed.
    ///
    /// Nothing covers what is worse than what was judged. A true positive covers nothing: an attack that goes on must be
    /// seen. What is benign is covered until it expires, if that was said, else not at all. A false positive, bad data, a
    /// test and a duplicate cover what is new in the same way, in the same finding.
    #[must_use]
    pub fn covers(&self, hit: &Hit) -> bool {
        if self.awaited.contains(&hit.uid) {
            return true;
        }
        if hit.level > self.level || !self.knows(hit) {
            return false;
        }
        match self.verdict {
            Verdict::TruePositive | Verdict::Unsure => false,
            Verdict::Benign => self.expects(hit.time()),
            Verdict::FalsePositive | Verdict::BadData | Verdict::Test | Verdict::Duplicate => true,
        }
    }

    /// Whether the same in a later window is expected, too: what is benign or a test, until it expires.
    #[must_use]
    pub fn covers_later(&self, hit: &Hit) -> bool {
        self.expects(hit.time()) && self.covers(hit)
    }

    /// Whether a verdict on a storm covers what folds into it later.
    pub(crate) fn covers_fold(&self, worst: &Hit) -> bool {
        let covers = match self.verdict {
            Verdict::TruePositive | Verdict::Unsure => false,
            Verdict::Benign => self.expects(worst.time()),
            Verdict::FalsePositive | Verdict::BadData | Verdict::Test | Verdict::Duplicate => true,
        };
        covers && worst.level <= self.level
    }

    fn expects(&self, time: EventTime) -> bool {
        self.until.is_some_and(|until| time <= until)
    }

    fn knows(&self, hit: &Hit) -> bool {
        Novelty::of(hit).is_some_and(|novelty| self.novelties.contains(&novelty))
    }
}

impl Triage {
    /// The verdict, if it stands: an event that it does not cover has opened the finding again otherwise.
    #[must_use]
    pub fn verdict(&self) -> Option<&Ruling> {
        self.ruling
            .as_ref()
            .filter(|ruling| self.state == State::Closed || !ruling.verdict.closes())
    }

    /// Whether a person has had a hand in it, and has not taken it back.
    #[must_use]
    pub fn is_touched(&self) -> bool {
        self.state != State::New
            || self.assignee.is_some()
            || self.ruling.is_some()
            || self.snoozed_until.is_some()
            || !self.notes.is_empty()
    }

    /// Where it stands when it is opened again.
    pub(crate) fn open_state(&self) -> State {
        if self.assignee.is_some() {
            State::InProgress
        } else {
            State::New
        }
    }

    /// Opens it again if the event is not covered. Whether it did.
    pub(crate) fn meet(&mut self, hit: &Hit, worst: RiskLevel) -> bool {
        if hit.level > worst {
            self.snoozed_until = None;
        }
        let covered = self.ruling.as_ref().is_some_and(|ruling| ruling.covers(hit));
        if self.state != State::Closed || covered {
            return false;
        }
        self.reopen_by(hit);
        true
    }

    pub(crate) fn reopen_by(&mut self, hit: &Hit) {
        self.state = self.open_state();
        self.record(Entry {
            at: None,
            by: None,
            what: Deed::ReopenedBy {
                event: hit.uid.clone(),
                time: hit.time(),
            },
        });
    }

    pub(crate) fn record(&mut self, entry: Entry) {
        if self.history.len() >= HISTORY_MAX {
            self.history.remove(0);
            self.history_dropped += 1;
        }
        self.history.push(entry);
    }

    pub(crate) fn remember(&mut self, inverse: Inverse) {
        if self.undo.len() >= UNDO_MAX {
            self.undo.remove(0);
        }
        self.undo.push(inverse);
    }

    /// The same without history and what can be taken back: what undoing restores.
    pub(crate) fn outcome(&self) -> Self {
        Self {
            history: Vec::new(),
            history_dropped: 0,
            undo: Vec::new(),
            ..self.clone()
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        let ruling =
            |ruling: &Ruling| 200 + ruling.learned.len() * size_of::<Taught>() + ruling.awaited.len() * 40;
        let undo: usize = self
            .undo
            .iter()
            .map(|inverse| 100 + inverse.ruling.iter().flatten().map(|r| ruling(r)).sum::<usize>())
            .sum();
        let notes: usize = self.notes.iter().map(|note| 100 + note.text.len()).sum();
        undo + notes + self.ruling.as_ref().map_or(0, ruling) + self.history.len() * size_of::<Entry>()
    }
}
