//! All findings: what settles, what is ahead, and what gives way.

use crate::cells::{self, CellKey};
use crate::command::{Command, CommandId};
use crate::effect::Effects;
use crate::finding::{Finding, Joined, Joining, Via};
use crate::hit::Hit;
use crate::index::{Index, Move, Seat};
use crate::key::{FindingId, Grid, Key};
use crate::overlay::{Ahead, Belongs, Overlay};
use crate::triage::{State, Triage};
use habitus_model::{EventTime, EventUid, Millis, RiskLevel, Shelves, TenantId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Accounts that make a campaign. Two may be a couple in a hotel. Assumed.
pub const CAMPAIGN_ACCOUNTS_MIN: u64 = 3;

/// How findings are made and kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Length of a window; at least a minute. Default 24 hours.
    pub window: Millis,
    /// Findings that begin in the same ten minutes of one tenant and stay in the queue; further ones fold into a storm.
    /// Default 50: what one shift of analysts can read. Assumed.
    pub storm_from: usize,
    /// Findings kept. Default 100,000.
    pub findings_max: usize,
    /// Memory for findings, bytes, roughly. Default 256 MiB: beyond it the oldest closed ones give way first, then untouched
    /// ones by what it may cost to overlook them.
    pub bytes_max: usize,
}

/// What changed in a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The finding.
    pub id: FindingId,
    /// What.
    pub what: What,
}

/// A sort of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It is new in the queue: people should be told.
    Opened,
    /// It has a further event.
    Grew,
    /// It has reached a higher level.
    Worsened(RiskLevel),
    /// It was closed, and an event has opened it again.
    Reopened,
    /// A person has done something.
    Touched,
    /// It is now told by a campaign.
    Joined,
    /// It is now told by a storm: nobody should be told one by one.
    Folded,
    /// It had to give way, or the campaign it was part of; it is no longer kept.
    Evicted,
}

/// What the findings hold, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Findings kept, parts of campaigns and storms included.
    pub kept: usize,
    /// Findings in the queue, whatever their state.
    pub queued: usize,
    /// Findings that had to give way since the beginning.
    pub evicted: u64,
    /// Events held ahead of their turn.
    pub provisional: usize,
    /// Such events that had to give way.
    pub provisional_dropped: u64,
    /// Memory, bytes, roughly.
    pub bytes: usize,
}

/// A storm that somebody has taken up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Storm {
    pub tenant: TenantId,
    pub start: EventTime,
    pub triage: Triage,
}

/// A command that waits for its finding to settle, with the events that were ahead of their turn when it was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parked {
    pub command: Command,
    pub awaited: Vec<EventUid>,
}

/// What is in snapshots. A copy shares the findings until they change.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub found: Shelves<FindingId, Finding>,
    pub storms: BTreeMap<FindingId, Storm>,
    /// Commands that wait for their finding to settle.
    pub parked: BTreeMap<FindingId, Vec<Parked>>,
    /// Recent commands with the findings they changed.
    pub done: BTreeMap<CommandId, Vec<FindingId>>,
    pub done_order: VecDeque<CommandId>,
    /// What commands that waited do, until the caller has taken it.
    pub late: Vec<Effects>,
    pub evicted: u64,
}

/// All findings. A pure function of what it is given: the same calls give the same state, byte for byte.
#[derive(Debug)]
pub struct Findings {
    pub(crate) settings: Settings,
    pub(crate) grid: Grid,
    pub(crate) kept: Kept,
    pub(crate) index: Index,
    pub(crate) overlay: Overlay,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            window: Millis::from_hours(24),
            storm_from: 50,
            findings_max: 100_000,
            bytes_max: 256 << 20,
        }
    }
}

impl Findings {
    /// None yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            grid: Grid::new(settings.window),
            kept: Kept::default(),
            index: Index::new(settings.storm_from),
            overlay: Overlay::default(),
            settings,
        }
    }

    /// Takes a flagged event whose turn has come. The same events in any order give the same findings; an event that came
    /// before changes nothing. O(log n).
    pub fn settle(&mut self, hit: &Hit) -> Vec<Change> {
        self.overlay.take(&(hit.context.tenant.clone(), hit.uid.clone()));
        let (own, campaign) = self.belongs(hit);
        let mut changes = Vec::new();
        let joining = Joining {
            hit,
            via: campaign.as_ref().map(|campaign| campaign.id.clone()),
            expected: self.is_expected(hit, &own),
        };
        let part = own.id.clone();
        let is_new = self.index.seat(&part).is_none();
        if self.join(own, &joining, &mut changes) == Joined::Duplicate {
            return changes;
        }
        if is_new {
            self.unpark(&part, &mut changes);
        }
        if let Some(campaign) = campaign {
            let id = campaign.id.clone();
            let before = self.index.seat(&id);
            let joining = Joining {
                via: None,
                expected: false,
                ..joining
            };
            self.join(campaign, &joining, &mut changes);
            self.tie(&id, part, &mut changes);
            if matches!(before, None | Some(Seat::Hidden)) {
                self.take_over(&id, &mut changes);
                self.unpark(&id, &mut changes);
            }
        }
        self.make_room(&mut changes);
        told_once(changes)
    }

    /// Holds an event that has been judged ahead of its turn: views show it until it settles or is retracted. Settled state
    /// does not change.
    pub fn provisional(&mut self, hit: Hit) {
        let (own, campaign) = self.belongs(&hit);
        self.overlay.put(Ahead { hit, own, campaign });
    }

    /// Lets a provisional event go that is no longer flagged. Settling one lets it go by itself.
    pub fn retract(&mut self, tenant: &TenantId, uid: &EventUid) {
        let Some(gone) = self.overlay.take(&(tenant.clone(), uid.clone())) else {
            return;
        };
        for belongs in gone.belongs() {
            if !self.overlay.knows(&belongs.id) && !self.kept.found.contains_key(&belongs.id) {
                self.kept.parked.remove(&belongs.id);
            }
        }
    }

    /// The finding that an event belongs to, or would belong to: its id does not depend on what else has come.
    #[must_use]
    pub fn id_of(&self, hit: &Hit) -> FindingId {
        self.belongs(hit).0.id
    }

    /// What is held.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            kept: self.index.all.len(),
            queued: self.index.queue.len(),
            evicted: self.kept.evicted,
            provisional: self.overlay.len(),
            provisional_dropped: self.overlay.dropped,
            bytes: self.index.bytes(),
        }
    }

    pub(crate) fn belongs(&self, hit: &Hit) -> (Belongs, Option<Belongs>) {
        let belongs = |key: Key| {
            let (id, start) = self.grid.place(&key, hit.time());
            Belongs { id, key, start }
        };
        (belongs(Key::of(hit)), Key::campaign_of(hit).map(belongs))
    }

    /// Whether a verdict on an earlier window of the same said that this was to be expected.
    fn is_expected(&self, hit: &Hit, own: &Belongs) -> bool {
        let rulings = self.index.expecting(&own.key).filter(|id| **id != own.id);
        let mut rulings = rulings.filter_map(|id| self.kept.found.get(id)?.triage.verdict());
        rulings.any(|ruling| ruling.covers_later(hit))
    }

    fn join(&mut self, to: Belongs, joining: &Joining<'_>, changes: &mut Vec<Change>) -> Joined {
        let Belongs { id, key, start } = to;
        let Some(finding) = self.kept.found.get_mut(&id) else {
            let finding = Finding::new(key, (id.clone(), start), joining);
            self.kept.found.insert(id.clone(), finding);
            self.put(&id, changes);
            return Joined::New;
        };
        let worst = finding.level();
        if finding.add(joining) == Joined::Duplicate {
            return Joined::Duplicate;
        }
        let reopened = !joining.expected && finding.triage.meet(joining.hit, worst);
        let level = finding.level();
        if self.index.seat(&id) != Some(Seat::Hidden) {
            let what = match (reopened, level > worst) {
                (true, _) => What::Reopened,
                (false, true) => What::Worsened(level),
                (false, false) => What::Grew,
            };
            changes.push(Change { id: id.clone(), what });
        }
        self.put(&id, changes);
        Joined::New
    }

    /// Ties a finding to the campaign its event may be of.
    fn tie(&mut self, id: &FindingId, part: FindingId, changes: &mut Vec<Change>) {
        let campaign = self.kept.found.get_mut(id);
        if campaign.is_some_and(|campaign| campaign.tie(part)) {
            self.put(id, changes);
        }
    }

    /// With enough accounts the campaign tells its parts from now on.
    fn take_over(&mut self, id: &FindingId, changes: &mut Vec<Change>) {
        let formed = self
            .kept
            .found
            .get(id)
            .filter(|_| self.index.seat(id) != Some(Seat::Hidden));
        let parts: Vec<FindingId> = formed
            .into_iter()
            .flat_map(|campaign| campaign.parts.iter().cloned())
            .collect();
        for part in parts {
            self.put(&part, changes);
        }
    }

    /// Puts a finding where it belongs after a change, and tells who came to sit elsewhere.
    pub(crate) fn put(&mut self, id: &FindingId, changes: &mut Vec<Change>) {
        let Some(finding) = self.kept.found.get(id) else {
            return;
        };
        let seat = self.seat(finding);
        let moves = self.index.put(finding, seat);
        self.tell(moves, changes);
    }

    fn tell(&mut self, moves: Vec<Move>, changes: &mut Vec<Change>) {
        for Move { id, from, to } in moves {
            let what = match (from, to) {
                (_, Seat::Hidden) => continue,
                (_, Seat::Part) => What::Joined,
                (_, Seat::Folded) => {
                    self.wake_storm(&id, changes);
                    What::Folded
                }
                (_, Seat::Shown) => What::Opened,
            };
            changes.push(Change { id, what });
        }
    }

    /// A closed storm opens again when it folds what its verdict does not cover.
    fn wake_storm(&mut self, folded: &FindingId, changes: &mut Vec<Change>) {
        let cell = self.index.folded_in(folded).cloned();
        let Some((id, _)) = cell.and_then(|cell| self.storm_of(&cell)) else {
            return;
        };
        let (Some(storm), Some(finding)) = (self.kept.storms.get_mut(&id), self.kept.found.get(folded))
        else {
            return;
        };
        let covered = storm
            .triage
            .ruling
            .as_ref()
            .is_some_and(|ruling| ruling.covers_fold(&finding.worst));
        if storm.triage.state == State::Closed && !covered {
            storm.triage.reopen_by(&finding.worst);
            changes.push(Change {
                id,
                what: What::Reopened,
            });
        }
    }

    /// Id and start of the storm that a cell belongs to.
    pub(crate) fn storm_of(&self, cell: &CellKey) -> Option<(FindingId, EventTime)> {
        let key = Key::Storm {
            tenant: cell.0.clone(),
        };
        Some(self.grid.place(&key, cells::begin(cell)?))
    }

    /// Whether a finding is hidden, part of a campaign, or a candidate for the queue.
    fn seat(&self, finding: &Finding) -> Seat {
        if finding.key.is_campaign() && finding.accounts.count() < CAMPAIGN_ACCOUNTS_MIN {
            return Seat::Hidden;
        }
        if self.campaign_of(finding).is_some() {
            return Seat::Part;
        }
        Seat::Shown
    }

    /// The campaign that tells all of a finding; absent if there is none.
    pub(crate) fn campaign_of(&self, finding: &Finding) -> Option<&FindingId> {
        let Via::One(Some(id)) = &finding.via else {
            return None;
        };
        let campaign = self.kept.found.get(id)?;
        (campaign.accounts.count() >= CAMPAIGN_ACCOUNTS_MIN).then_some(&campaign.id)
    }

    fn make_room(&mut self, changes: &mut Vec<Change>) {
        let Settings {
            findings_max,
            bytes_max,
            ..
        } = self.settings;
        while self.kept.found.len() > findings_max || self.index.bytes() > bytes_max {
            let Some(id) = self.index.next_to_go() else {
                return;
            };
            self.evict(&id, changes);
        }
    }

    fn evict(&mut self, id: &FindingId, changes: &mut Vec<Change>) {
        let was_seen = self.index.seat(id).is_some_and(|seat| seat != Seat::Hidden);
        let moves = self.index.remove(id);
        let gone = self.kept.found.remove(id);
        self.tell(moves, changes);
        if was_seen {
            self.kept.evicted += 1;
            changes.push(Change {
                id: id.clone(),
                what: What::Evicted,
            });
        }
        for part in gone.into_iter().flat_map(|gone| gone.parts) {
            self.put(&part, changes);
        }
    }
}

/// What opens and is told by another in the same breath was never news.
fn told_once(mut changes: Vec<Change>) -> Vec<Change> {
    let elsewhere: Vec<FindingId> = changes
        .iter()
        .filter(|change| matches!(change.what, What::Joined | What::Folded))
        .map(|change| change.id.clone())
        .collect();
    changes.retain(|change| change.what != What::Opened || !elsewhere.contains(&change.id));
    changes
}
