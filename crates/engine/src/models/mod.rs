//! What weighs a tenant's evidence: the champion, whose verdicts count, and a challenger that weighs the same evidence in shadow.
//!
//! People's verdicts are kept as `labels`; what they teach of weights and attackers is worked out anew from all that stand,
//! becomes a challenger, is compared on labels that taught nothing, on attacks that nobody here labelled, and on how much it would
//! flag, and is promoted by a person, unless the configuration lets it be promoted by itself. Labels, promotions and ways back are
//! entries of the log; everything else here follows from it.

mod compare;
mod golden;
mod labels;
mod orders;
mod shadow;

pub use compare::{Comparison, Found, Hindrance, HoldOut, Led, Mover, Standard, StandardKind};
pub use golden::Attack;
pub use labels::{LABELS_MAX, Lesson, Opinion, Tally};
pub use orders::{ModelChange, ModelRefused, Proposal};
pub use shadow::{LINES, Shadowed, Volume};

use crate::tenant::Tables;
use crate::total::Total;
use habitus_model::{Evidence, Grounds, IngestTime, Minutes, Stratum, Text};
use habitus_profile::reputation::Reputation;
use habitus_score::supervised::Moves;
use habitus_score::{Prepared, Sums, Weights};
use labels::Labels;
use serde::{Deserialize, Serialize};
use shadow::{Challenger, Former};

/// Steps of the models' history that are kept.
const HISTORY_MAX: usize = 20;
/// Labels that have changed before another candidate is made, and the share of all that must have.
const CHANGED_MIN: usize = 10;
/// Least move of anything that is worth a candidate.
const MOVE_MIN: f64 = 0.02;

/// How verdicts move weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearningRules {
    /// Whether candidates are learned. Labels are kept, and networks and clients have their reputation, either way.
    pub candidates: bool,
    /// Labels before the first candidate is made: below 30, rates of false alarms mean little.
    pub labels_min: usize,
    /// Labels of one person that count, by weight, unless a second one says the same.
    pub author_labels_max: f64,
    /// Who promotes.
    pub promote: Promote,
}

/// Who makes a challenger the champion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promote {
    /// A person.
    #[default]
    ByHand,
    /// Nobody has to, once nothing speaks against it; as an epoch ends.
    IfBetter,
}

impl Default for LearningRules {
    fn default() -> Self {
        Self {
            candidates: true,
            labels_min: 30,
            author_labels_max: 20.0,
            promote: Promote::ByHand,
        }
    }
}

/// One set of weights and shares of attackers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Its number: 0 is the configuration's, every other one is given once.
    pub number: u32,
    /// Where it is from.
    pub origin: Origin,
    /// When it was made; absent: it is the configuration's.
    pub made: Option<IngestTime>,
}

/// Where a model is from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Origin {
    /// The configuration.
    Configured,
    /// Labels.
    Learned {
        /// What they teach.
        moves: Box<Moves>,
        /// How many.
        labels: Tally,
    },
    /// Somebody proposed it.
    Given {
        /// What.
        proposal: Box<Proposal>,
        /// Who.
        by: Text,
    },
}

/// Something that happened to models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What.
    pub what: Happened,
    /// To which.
    pub model: u32,
    /// Who did it; absent: habitus itself.
    pub by: Option<Text>,
    /// When.
    pub at: IngestTime,
}

/// What happened to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// It became the challenger.
    Made,
    /// It became the champion.
    Promoted,
    /// It became the champion again, in place of the one that had replaced it.
    RolledBack,
}

/// The models and labels of one tenant. A few KiB; 60 KiB more for each of challenger and former champion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Models {
    labels: Labels,
    champion: Model,
    challenger: Option<Box<Challenger>>,
    former: Option<Box<Former>>,
    last_number: u32,
    changed: usize,
    history: Vec<Step>,
    #[serde(skip)]
    worked: Worked,
}

/// What follows from the rest and the configuration: no part of the state.
#[derive(Debug, Clone, Default)]
struct Worked {
    /// Absent: the configuration's own.
    champion: Option<Box<Prepared>>,
    reputation: Reputation,
}

impl PartialEq for Worked {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What is worked out of evidence beside the verdict.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Beside {
    pub grounds: Option<Grounds>,
    pub shadow: Option<Shadowed>,
}

impl Model {
    /// The configuration's.
    const fn configured() -> Self {
        Self {
            number: 0,
            origin: Origin::Configured,
            made: None,
        }
    }

    /// Its weights.
    #[must_use]
    pub fn weights(&self, configured: &Weights) -> Weights {
        match &self.origin {
            Origin::Configured => *configured,
            Origin::Learned { moves, .. } => moves.applied(configured),
            Origin::Given { proposal, .. } => proposal.applied(configured),
        }
    }
}

impl Default for Models {
    fn default() -> Self {
        Self {
            labels: Labels::default(),
            champion: Model::configured(),
            challenger: None,
            former: None,
            last_number: 0,
            changed: 0,
            history: Vec::new(),
            worked: Worked::default(),
        }
    }
}

impl Models {
    /// Whose verdicts count.
    #[must_use]
    pub const fn champion(&self) -> &Model {
        &self.champion
    }

    /// Who weighs in shadow; absent: nobody.
    #[must_use]
    pub fn challenger(&self) -> Option<&Model> {
        self.challenger.as_ref().map(|challenger| &challenger.model)
    }

    /// Who was champion before, and would be again; absent: nobody.
    #[must_use]
    pub fn former(&self) -> Option<&Model> {
        self.former.as_ref().map(|former| &former.model)
    }

    /// What happened, latest last, at most 20 steps.
    #[must_use]
    pub fn history(&self) -> &[Step] {
        &self.history
    }

    /// The labels that stand.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.labels.tally()
    }

    /// What the champion weighs with.
    pub(crate) fn weights<'a>(&'a self, configured: &'a Prepared) -> &'a Prepared {
        self.worked.champion.as_deref().unwrap_or(configured)
    }

    /// What people have said of networks and clients.
    pub(crate) fn reputation(&self) -> &Reputation {
        &self.worked.reputation
    }

    /// What is kept of evidence that somebody reads, and what the challenger makes of it. Nothing of most.
    pub(crate) fn beside(&self, evidence: &[Evidence], (is_read, stratum): (bool, Stratum)) -> Beside {
        let challenger = self.challenger.as_deref();
        if !is_read && challenger.is_none() {
            return Beside::default();
        }
        let sums = Sums::of(evidence);
        Beside {
            grounds: is_read.then(|| sums.grounds(stratum)),
            shadow: challenger.and_then(|challenger| challenger.weigh(&sums)),
        }
    }

    /// Works out what follows from the configuration, after a change and after a start.
    pub(crate) fn prepare(&mut self, configured: &Weights) {
        self.worked.champion = match self.champion.origin {
            Origin::Configured => None,
            Origin::Learned { .. } | Origin::Given { .. } => {
                Some(Box::new(Prepared::new(&self.champion.weights(configured))))
            }
        };
        if let Some(challenger) = &mut self.challenger {
            challenger.prepare(configured);
        }
        self.worked.reputation = self.labels.reputation();
    }

    /// Counts what the challenger would flag of one event that is learned, before its total is.
    pub(crate) fn compare(&mut self, total: &Total) {
        if let Some(challenger) = &mut self.challenger {
            challenger.compare(total);
        }
    }

    /// See [`Tables::note_said`].
    pub(crate) fn note_said(&mut self, total: &Total, now: Minutes) {
        if let Some(challenger) = &mut self.challenger {
            challenger.note_said(total, now);
        }
    }

    /// See [`Tables::learn`].
    pub(crate) fn learn(&mut self, total: &Total, now: Minutes) {
        if let Some(challenger) = &mut self.challenger {
            challenger.learn(total, now);
        }
    }

    /// See [`Tables::settle`].
    pub(crate) fn settle(&mut self) {
        if let Some(challenger) = &mut self.challenger {
            challenger.settle();
        }
    }

    /// Makes a candidate, if labels have changed enough to teach something else than the champion and the challenger know.
    fn reconsider(
        &mut self,
        tables: &Tables,
        (configured, rules): (&Weights, &LearningRules),
        at: IngestTime,
    ) {
        let tally = self.labels.tally();
        let due = CHANGED_MIN.max(tally.all() / CHANGED_MIN);
        let given = self.challenger().map(|model| &model.origin);
        if !rules.candidates
            || self.changed < due
            || tally.all() < rules.labels_min
            // What somebody proposed stays until somebody has decided.
            || matches!(given, Some(Origin::Given { .. }))
        {
            return;
        }
        self.changed = 0;
        let moves = self.labels.learn(configured, rules);
        let known = [Some(&self.champion), self.challenger()];
        let is_news = known.into_iter().flatten().all(|model| model.differs(&moves));
        if is_news {
            let origin = Origin::Learned {
                moves: Box::new(moves),
                labels: tally,
            };
            self.challenge(origin, tables, (None, at));
            self.prepare(configured);
        }
    }

    /// Puts a model into the shadow, in place of the one there.
    fn challenge(&mut self, origin: Origin, tables: &Tables, (by, at): (Option<Text>, IngestTime)) {
        self.last_number += 1;
        let model = Model {
            number: self.last_number,
            origin,
            made: Some(at),
        };
        let (tables, reference) = self
            .challenger
            .as_ref()
            .map_or((tables, tables), |before| (&before.tables, &before.reference));
        let tables = (tables.weakened(), reference.weakened());
        self.challenger = Some(Box::new(Challenger::new(model, tables)));
        self.note(Happened::Made, (by, at), self.last_number);
    }

    fn note(&mut self, what: Happened, (by, at): (Option<Text>, IngestTime), model: u32) {
        self.history.push(Step { what, model, by, at });
        if self.history.len() > HISTORY_MAX {
            self.history.remove(0);
        }
    }
}

impl Model {
    /// Whether labels teach something else now.
    fn differs(&self, moves: &Moves) -> bool {
        let none = Moves::default();
        let own = match &self.origin {
            Origin::Configured => &none,
            Origin::Learned { moves, .. } => moves,
            Origin::Given { .. } => return true,
        };
        let all = own.families.iter().chain(&own.profiles);
        let other = moves.families.iter().chain(&moves.profiles);
        all.zip(other).any(|(own, other)| (own - other).abs() >= MOVE_MIN)
    }
}

#[cfg(test)]
mod tests;
