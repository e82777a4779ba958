//! A finding: events that belong together, and what people have said about them.

use crate::accounts::Accounts;
use crate::behaviour::{self, Behaviour};
use crate::hit::Hit;
use crate::key::{FindingId, Key};
use crate::loss::Loss;
use crate::triage::{State, Taught, Triage};
use habitus_model::{EventTime, EventUid, RiskLevel, RiskScore};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Events kept whole: the first ones. The worst is kept beside them.
pub const EVIDENCES_MAX: usize = 20;
/// Events kept by id: the first ones. Further ones are counted, and a further one that comes twice is counted twice, unless
/// who calls takes out duplicates before, as every command does.
pub const EVENTS_MAX: usize = 256;
/// Findings of accounts that a campaign names.
pub const PARTS_MAX: usize = 1_024;

/// Events that belong together. Everything but [`Finding::triage`] follows from the set of its events: their order of
/// arrival, and duplicates, change nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Its id.
    pub id: FindingId,
    /// What the events have in common.
    pub key: Key,
    /// Start of the window.
    pub start: EventTime,
    /// Time of the first event.
    pub first: EventTime,
    /// Time of the last event.
    pub last: EventTime,
    /// How many events there are; of a storm, how many findings.
    pub count: u64,
    /// The event with the highest score.
    pub worst: Hit,
    /// The first events, in order of time, at most [`EVIDENCES_MAX`].
    pub earliest: Vec<Hit>,
    /// Ids of the first [`EVENTS_MAX`] events.
    pub events: BTreeSet<(EventTime, EventUid)>,
    /// Its accounts.
    pub accounts: Accounts,
    /// Events that a verdict on an earlier window said were to be expected.
    pub expected: u64,
    /// Of a campaign: the findings that it takes together, at most [`PARTS_MAX`].
    pub parts: BTreeSet<FindingId>,
    /// What people have said and done.
    pub triage: Triage,
    pub(crate) loss: Loss,
    pub(crate) via: Via,
}

/// The campaigns that a finding's events may belong to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Via {
    /// All to this one; absent: to none, because they have no address.
    One(Option<FindingId>),
    /// To several: it is no part of any.
    Several,
}

/// How an event joins a finding.
#[derive(Debug, Clone)]
pub(crate) struct Joining<'h> {
    pub hit: &'h Hit,
    pub via: Option<FindingId>,
    /// An earlier verdict said that it was to be expected.
    pub expected: bool,
}

/// What came of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joined {
    Duplicate,
    New,
}

impl Finding {
    pub(crate) fn new(key: Key, (id, start): (FindingId, EventTime), joining: &Joining<'_>) -> Self {
        let Joining { hit, via, expected } = joining;
        let mut accounts = Accounts::default();
        hit.context
            .account
            .iter()
            .for_each(|account| accounts.add(account));
        Self {
            id,
            key,
            start,
            first: hit.time(),
            last: hit.time(),
            count: 1,
            worst: (*hit).clone(),
            earliest: vec![(*hit).clone()],
            events: BTreeSet::from([(hit.time(), hit.uid.clone())]),
            accounts,
            expected: u64::from(*expected),
            parts: BTreeSet::new(),
            triage: Triage::default(),
            loss: hit.loss(),
            via: Via::One(via.clone()),
        }
    }

    /// Takes an event. O(log n) and a short move.
    pub(crate) fn add(&mut self, joining: &Joining<'_>) -> Joined {
        let Joining { hit, via, expected } = joining;
        if !self.name(hit) {
            return Joined::Duplicate;
        }
        self.count += 1;
        self.expected += u64::from(*expected);
        self.first = self.first.min(hit.time());
        self.last = self.last.max(hit.time());
        self.loss = self.loss.max(hit.loss());
        hit.context
            .account
            .iter()
            .for_each(|account| self.accounts.add(account));
        if self.via != Via::One(via.clone()) {
            self.via = Via::Several;
        }
        if hit.worse(&self.worst).is_gt() {
            self.worst = (*hit).clone();
        }
        let place = |kept: &Hit| (kept.time(), &kept.uid) < (hit.time(), &hit.uid);
        let at = self.earliest.partition_point(place);
        if at < EVIDENCES_MAX {
            self.earliest.insert(at, (*hit).clone());
            self.earliest.truncate(EVIDENCES_MAX);
        }
        Joined::New
    }

    /// Remembers the event's id; false if it is known.
    fn name(&mut self, hit: &Hit) -> bool {
        let name = (hit.time(), hit.uid.clone());
        let beyond = self.events.len() >= EVENTS_MAX && self.events.last().is_some_and(|last| name > *last);
        if beyond {
            return true;
        }
        let is_new = self.events.insert(name);
        if self.events.len() > EVENTS_MAX {
            self.events.pop_last();
        }
        is_new
    }

    /// Names a finding that this campaign takes together; whether it was not named before.
    pub(crate) fn tie(&mut self, part: FindingId) -> bool {
        let is_new = self.parts.insert(part);
        if self.parts.len() > PARTS_MAX {
            self.parts.pop_last();
        }
        is_new
    }

    /// What stands out and whose it is: `Access at an unusual hour: alice@example.com`.
    #[must_use]
    pub fn title(&self) -> String {
        let about = if self.accounts.is_exact() { "" } else { "about " };
        match &self.key {
            Key::Campaign { from, .. } => {
                format!(
                    "Campaign over {about}{} accounts: from {from}",
                    self.accounts.count()
                )
            }
            Key::Spray { .. } => format!("Password spray over {about}{} accounts", self.accounts.count()),
            Key::Storm { .. } => format!("Alert storm: {} more findings at once", self.count),
            Key::Account { .. } | Key::Source { .. } | Key::Nobody { .. } => {
                format!("{}: {}", self.what(), self.key.subject())
            }
        }
    }

    /// The event that tells how it came about: the first that reached its level. What follows may score higher, and follows from it;
    /// and while the level stands, so does what the finding is called.
    #[must_use]
    pub fn telling(&self) -> &Hit {
        let level = self.level();
        let mut kept = self.earliest.iter();
        kept.find(|hit| hit.level == level).unwrap_or(&self.worst)
    }

    /// What stands out in the event that tells how it came about, without whose it is. Guessing is called so whatever else stands
    /// out.
    #[must_use]
    pub fn what(&self) -> &'static str {
        match self.key.behaviour() {
            Behaviour::Access => behaviour::title(self.telling().lead_family()),
            other => other.title(),
        }
    }

    /// Its highest score.
    #[must_use]
    pub const fn score(&self) -> RiskScore {
        self.worst.score
    }

    /// Its highest level.
    #[must_use]
    pub const fn level(&self) -> RiskLevel {
        self.worst.level
    }

    /// What it may cost to overlook it: the order of the queue.
    #[must_use]
    pub fn loss(&self) -> Loss {
        if self.key.is_of_many() {
            self.loss.in_campaign()
        } else {
            self.loss
        }
    }

    /// The events kept whole, in order of time: the first ones, and the worst.
    #[must_use]
    pub fn evidence(&self) -> Vec<&Hit> {
        let mut hits: Vec<&Hit> = self.earliest.iter().collect();
        if !hits
            .iter()
            .any(|hit| hit.uid == self.worst.uid && hit.time() == self.worst.time())
        {
            hits.push(&self.worst);
            hits.sort_by(|a, b| (a.time(), &a.uid).cmp(&(b.time(), &b.uid)));
        }
        hits
    }

    /// Where it stands: as people say, or closed because all of it was to be expected.
    #[must_use]
    pub fn state(&self) -> State {
        if self.expected == self.count && !self.triage.is_touched() {
            State::Closed
        } else {
            self.triage.state
        }
    }

    /// The events that a verdict can teach: successes among those kept whole. So one verdict moves a baseline by 21 events at
    /// most, whatever an attacker has repeated (RELIABILITY G11), and failures teach nothing about identity.
    #[must_use]
    pub fn teachable(&self) -> Vec<Taught> {
        let teaching = self.evidence().into_iter().filter(|hit| hit.context.may_teach());
        teaching
            .map(|hit| Taught {
                uid: hit.uid.clone(),
                context: hit.context.clone(),
            })
            .collect()
    }

    /// Bytes it takes, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let hits: usize = self.earliest.iter().map(Hit::bytes).sum();
        let names: usize = self.events.iter().map(|(_, uid)| 40 + uid.as_str().len()).sum();
        let parts = self.parts.len() * 64;
        size_of::<Self>()
            + hits
            + names
            + parts
            + self.worst.bytes()
            + self.accounts.bytes()
            + self.triage.bytes()
    }
}
