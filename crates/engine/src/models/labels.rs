//! What people have said of findings, as far as weights learn from it: one label a finding, of its worst event.

use super::LearningRules;
use habitus_model::hash::symbol;
use habitus_model::{
    AccountKind, Context, EventTime, Grounds, IngestTime, Minutes, RiskScore, Text, Verdict,
};
use habitus_profile::reputation::{Mark, Marked, Reputation, Said};
use habitus_score::supervised::influence::{self, Limits};
use habitus_score::supervised::{Case, Moves, Side, learn};
use habitus_score::{Sums, Weights};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Labels kept of a tenant, about 400 bytes each; the one said first gives way.
pub const LABELS_MAX: usize = 1_024;
/// People whose word on one finding is kept, the latest.
const VOTES_MAX: usize = 4;
/// One account in so many is held out: what is said of it teaches weights nothing, and tells whether they are good.
const HELD_OUT_OF: u64 = 4;

/// One verdict, as it stands or stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opinion {
    /// What was said.
    pub verdict: Verdict,
    /// Who said it.
    pub by: Text,
    /// When.
    pub at: IngestTime,
}

/// A verdict on a finding has changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson<'a> {
    /// The finding.
    pub finding: Text,
    /// What stood before; absent: nothing.
    pub before: Option<Opinion>,
    /// What stands now; absent: nothing.
    pub after: Option<Opinion>,
    /// Its worst event.
    pub context: &'a Context,
    /// Kind of account it was judged as.
    pub kind: AccountKind,
    /// What it scored.
    pub score: RiskScore,
    /// Its evidence.
    pub grounds: &'a Grounds,
}

/// Labels by what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Attacks.
    pub attacks: usize,
    /// False alarms.
    pub false_alarms: usize,
    /// What was unusual and expected.
    pub expected: usize,
    /// Tests, which teach nothing and count as attacks where models are compared.
    pub tests: usize,
}

impl Tally {
    /// Those that teach.
    #[must_use]
    pub const fn all(&self) -> usize {
        self.attacks + self.false_alarms + self.expected
    }
}

/// What stands of one finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Labelled {
    /// The last of them stands.
    votes: Vec<Vote>,
    account: u64,
    pub(super) kind: AccountKind,
    score: RiskScore,
    pub(super) grounds: Grounds,
    marked: Marked,
    time: EventTime,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Vote {
    verdict: Verdict,
    by: Text,
    at: IngestTime,
}

/// The labels of one tenant, by finding.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Labels(BTreeMap<Text, Labelled>);

/// A label where models are compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trial<'l> {
    pub finding: &'l Text,
    pub label: &'l Labelled,
    pub is_attack: bool,
}

impl Labels {
    /// Takes a changed verdict in; whether a label has changed.
    pub(super) fn take(&mut self, lesson: &Lesson<'_>, (account, marked): (u64, Marked)) -> bool {
        let before = self.0.get(&lesson.finding).map(|label| label.votes.clone());
        let mut votes = before.clone().unwrap_or_default();
        // Who takes a word back gives way to the one before.
        if let Some(gone) = &lesson.before
            && lesson.after.as_ref().is_none_or(|after| after.at < gone.at)
        {
            votes.retain(|vote| vote.by != gone.by);
        }
        let Some(after) = lesson.after.as_ref().filter(|after| teaches(after.verdict)) else {
            return self.0.remove(&lesson.finding).is_some();
        };
        votes.retain(|vote| vote.by != after.by);
        votes.push(Vote {
            verdict: after.verdict,
            by: after.by.clone(),
            at: after.at,
        });
        let beyond = votes.len().saturating_sub(VOTES_MAX);
        votes.drain(..beyond);
        if before.as_ref() == Some(&votes) {
            return false;
        }
        let label = Labelled {
            votes,
            account,
            kind: lesson.kind,
            score: lesson.score,
            grounds: lesson.grounds.clone(),
            marked,
            time: lesson.context.time,
        };
        self.0.insert(lesson.finding.clone(), label);
        self.make_room();
        true
    }

    pub(super) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for label in self.0.values() {
            match label.verdict() {
                Some(Verdict::TruePositive) => tally.attacks += 1,
                Some(Verdict::FalsePositive) => tally.false_alarms += 1,
                Some(Verdict::Benign) => tally.expected += 1,
                Some(Verdict::Test) => tally.tests += 1,
                Some(Verdict::BadData | Verdict::Unsure | Verdict::Duplicate) | None => {}
            }
        }
        tally
    }

    /// What the labels of all accounts but those held out teach.
    pub(super) fn learn(&self, configured: &Weights, rules: &LearningRules) -> Moves {
        let said: Vec<(&Labelled, influence::Label)> = self
            .0
            .values()
            .filter_map(|label| Some((label, label.influence()?)))
            .collect();
        let labels: Vec<influence::Label> = said.iter().map(|(_, label)| label.clone()).collect();
        let limits = Limits {
            author_labels: rules.author_labels_max,
        };
        let weights = influence::weights(&labels, limits);
        let cases: Vec<Case> = said
            .iter()
            .zip(weights)
            .filter(|((label, _), _)| !label.is_held_out())
            .map(|((label, said), weight)| Case {
                sums: Sums::kept(&label.grounds),
                side: said.side,
                weight,
            })
            .collect();
        learn(&cases, configured)
    }

    /// The labels that taught nothing, those of tests among them.
    pub(super) fn held_out(&self) -> impl Iterator<Item = Trial<'_>> {
        self.0.iter().filter_map(|(finding, label)| {
            let verdict = label.verdict()?;
            let is_test = verdict == Verdict::Test;
            (is_test || label.is_held_out()).then_some(Trial {
                finding,
                label,
                is_attack: is_test || verdict == Verdict::TruePositive,
            })
        })
    }

    /// What they say of networks and clients.
    pub(super) fn reputation(&self) -> Reputation {
        let mut marks: Vec<(IngestTime, Mark)> = self.0.values().filter_map(Labelled::mark).collect();
        marks.sort_by_key(|(at, mark)| (*at, mark.account, mark.author, mark.time));
        let marks: Vec<Mark> = marks.into_iter().map(|(_, mark)| mark).collect();
        Reputation::of(&marks)
    }

    fn make_room(&mut self) {
        if self.0.len() <= LABELS_MAX {
            return;
        }
        let first = self
            .0
            .iter()
            .min_by_key(|(id, label)| (label.at(), (*id).clone()));
        if let Some(first) = first.map(|(id, _)| id.clone()) {
            self.0.remove(&first);
        }
    }
}

impl Labelled {
    fn verdict(&self) -> Option<Verdict> {
        self.votes.last().map(|vote| vote.verdict)
    }

    fn at(&self) -> Option<IngestTime> {
        self.votes.last().map(|vote| vote.at)
    }

    fn is_held_out(&self) -> bool {
        self.account.is_multiple_of(HELD_OUT_OF)
    }

    /// As far as its influence goes; nothing if it teaches weights nothing.
    fn influence(&self) -> Option<influence::Label> {
        let stands = self.votes.last()?;
        let side = match stands.verdict {
            Verdict::TruePositive => Side::Attack,
            Verdict::FalsePositive => Side::FalseAlarm,
            Verdict::Benign => Side::Expected,
            Verdict::BadData | Verdict::Unsure | Verdict::Test | Verdict::Duplicate => return None,
        };
        let agree = self.votes.iter().filter(|vote| vote.verdict == stands.verdict);
        Some(influence::Label {
            author: stands.by.clone(),
            seconded: agree.count() > 1,
            at: stands.at,
            account: self.account,
            source: self.marked.first().copied().flatten(),
            side,
            score: self.score,
        })
    }

    fn mark(&self) -> Option<(IngestTime, Mark)> {
        let stands = self.votes.last()?;
        let said = match stands.verdict {
            Verdict::TruePositive => Said::Takeover,
            Verdict::FalsePositive => Said::Owner,
            Verdict::Benign | Verdict::BadData | Verdict::Unsure | Verdict::Test | Verdict::Duplicate => {
                return None;
            }
        };
        let mark = Mark {
            marked: self.marked,
            account: self.account,
            author: symbol(stands.by.as_bytes()),
            said,
            time: Minutes(self.time.minutes().0),
        };
        Some((stands.at, mark))
    }
}

/// Whether a verdict is a label.
const fn teaches(verdict: Verdict) -> bool {
    match verdict {
        Verdict::TruePositive | Verdict::FalsePositive | Verdict::Benign | Verdict::Test => true,
        Verdict::BadData | Verdict::Unsure | Verdict::Duplicate => false,
    }
}
