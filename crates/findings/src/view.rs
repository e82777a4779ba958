//! Findings as they are shown: what has settled and what is ahead of its turn, together.

use crate::cells::CellKey;
use crate::command::Act;
use crate::finding::{EVIDENCES_MAX, Finding, Joined, Joining};
use crate::index::Seat;
use crate::judge::Subject;
use crate::key::{FindingId, Grid, Key};
use crate::overlay::{Ahead, Belongs};
use crate::store::{CAMPAIGN_ACCOUNTS_MIN, Findings, Parked};
use crate::triage::State;
use habitus_model::{EventTime, Millis, RiskLevel, TenantId};
use std::collections::BTreeMap;

/// A finding as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The finding, with events that are ahead of their turn. Of a storm: the most urgent of what it folds.
    pub finding: Finding,
    /// Where it stands: its own state, or that of the campaign or storm which tells it, if nobody has taken it up itself.
    pub state: State,
    /// Whether the queue shows it.
    pub told: Told,
    /// It exists only ahead of its turn: when its event settles it keeps its id, or vanishes if nothing was wrong after all.
    pub provisional: bool,
    /// How many of its events are ahead of their turn.
    pub provisional_events: u64,
    /// The finding of the same key in the window before.
    pub continues: Option<FindingId>,
    /// The finding of the same key in the window after.
    pub continued_by: Option<FindingId>,
}

/// How a finding is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It stands in the queue.
    ByItself,
    /// A campaign tells it.
    ByCampaign(FindingId),
    /// A storm tells it.
    ByStorm(FindingId),
}

impl Findings {
    /// A finding, however it is told; `None` if there is none of this id.
    #[must_use]
    pub fn get(&self, id: &FindingId) -> Option<View> {
        self.view(id, &self.overlay.of(id).collect::<Vec<_>>())
    }

    /// A finding as it has settled, without what is ahead of its turn and may vanish.
    #[must_use]
    pub fn get_settled(&self, id: &FindingId) -> Option<View> {
        self.view(id, &[])
    }

    fn view(&self, id: &FindingId, ahead: &[&Ahead]) -> Option<View> {
        let settled = self.kept.found.get(id);
        if settled.is_none() && ahead.is_empty() {
            return self.storm_view(id);
        }
        let settled_count = settled.map_or(0, |finding| finding.count);
        let finding = self.merged(id, settled, ahead)?;
        if finding.key.is_campaign() && finding.accounts.count() < CAMPAIGN_ACCOUNTS_MIN {
            return None;
        }
        let told = self.told(&finding);
        let neighbour = |way: i64| self.neighbour(&finding, way);
        Some(View {
            state: self.state(&finding, &told),
            provisional: settled.is_none(),
            provisional_events: finding.count - settled_count,
            continues: neighbour(-1),
            continued_by: neighbour(1),
            told,
            finding,
        })
    }

    /// Takes out the findings whose window has ended by this time, the one that began first ahead: for who reads a log to
    /// its end and keeps nothing. Campaigns of too few accounts are let go with them.
    pub fn take_ended(&mut self, now: EventTime) -> Vec<View> {
        let latest = now.plus(Millis(-self.grid.window().0));
        let mut ended = Vec::new();
        while let Some(id) = self.index.begun_by(Some(latest)) {
            self.take_out(&id, &mut ended);
        }
        ended
    }

    /// Takes out all findings, like [`Findings::take_ended`].
    pub fn take_all(&mut self) -> Vec<View> {
        let mut all = Vec::new();
        while let Some(id) = self.index.begun_by(None) {
            self.take_out(&id, &mut all);
        }
        all
    }

    fn take_out(&mut self, id: &FindingId, taken: &mut Vec<View>) {
        taken.extend(self.get(id));
        self.index.remove(id);
        self.kept.found.remove(id);
    }

    /// The storms that fold something, or that somebody has taken up, with their cells.
    pub(crate) fn storms(&self) -> BTreeMap<FindingId, (TenantId, EventTime, Vec<CellKey>)> {
        let mut storms: BTreeMap<FindingId, (TenantId, EventTime, Vec<CellKey>)> = BTreeMap::new();
        for cell in &self.index.cells.stormy {
            if let Some((id, start)) = self.storm_of(cell) {
                let storm = storms
                    .entry(id)
                    .or_insert_with(|| (cell.0.clone(), start, Vec::new()));
                storm.2.push(cell.clone());
            }
        }
        storms
    }

    /// Tenant and start of a storm; `None` if there is none of this id.
    pub(crate) fn storm(&self, id: &FindingId) -> Option<(TenantId, EventTime)> {
        if let Some(storm) = self.kept.storms.get(id) {
            return Some((storm.tenant.clone(), storm.start));
        }
        self.storms().remove(id).map(|(tenant, start, _)| (tenant, start))
    }

    /// How many findings a storm folds.
    pub(crate) fn collapsed(&self, id: &FindingId) -> u64 {
        let cells = self.storms().remove(id).map(|(_, _, cells)| cells);
        cells
            .into_iter()
            .flatten()
            .map(|cell| self.index.cells.count(&cell))
            .sum()
    }

    /// The highest level that a storm folds; the lowest if it folds nothing any more.
    pub(crate) fn storm_worst(&self, id: &FindingId) -> RiskLevel {
        let storm = self.storm_view(id);
        storm.map_or(RiskLevel::Info, |view| view.finding.level())
    }

    /// A storm, told by the most urgent of what it folds.
    fn storm_view(&self, id: &FindingId) -> Option<View> {
        let (tenant, start, cells) = self.storms().remove(id)?;
        let count = cells.iter().map(|cell| self.index.cells.count(cell)).sum();
        let folded = cells
            .iter()
            .flat_map(|cell| self.index.cells.folded(cell).take(EVIDENCES_MAX));
        let mut folded: Vec<&Finding> = folded.filter_map(|id| self.kept.found.get(id)).collect();
        folded.sort_by_key(|finding| crate::index::rank(finding));
        let mut finding: Option<Finding> = None;
        for hit in folded.iter().take(EVIDENCES_MAX).map(|finding| &finding.worst) {
            let joining = Joining {
                hit,
                via: None,
                expected: false,
            };
            let key = || Key::Storm {
                tenant: tenant.clone(),
            };
            match &mut finding {
                Some(finding) => drop(finding.add(&joining)),
                none => *none = Some(Finding::new(key(), (id.clone(), start), &joining)),
            }
        }
        let mut finding = finding?;
        finding.count = count;
        if let Some(storm) = self.kept.storms.get(id) {
            finding.triage = storm.triage.clone();
        }
        Some(View {
            state: finding.triage.state,
            told: Told::ByItself,
            provisional: false,
            provisional_events: 0,
            continues: None,
            continued_by: None,
            finding,
        })
    }

    /// A finding with its events ahead of their turn, and what people have asked for it.
    fn merged(&self, id: &FindingId, settled: Option<&Finding>, ahead: &[&Ahead]) -> Option<Finding> {
        let mut finding = settled.cloned();
        for ahead in ahead {
            let campaign = ahead.campaign.as_ref();
            let is_own = ahead.own.id == *id;
            let Belongs { id, key, start } = if is_own { &ahead.own } else { campaign? };
            let joining = Joining {
                hit: &ahead.hit,
                via: campaign.filter(|_| is_own).map(|campaign| campaign.id.clone()),
                expected: false,
            };
            match &mut finding {
                Some(finding) => {
                    let worst = finding.level();
                    // What it will open again when it settles is shown open now.
                    if finding.add(&joining) == Joined::New {
                        finding.triage.meet(&ahead.hit, worst);
                    }
                }
                none => *none = Some(Finding::new(key.clone(), (id.clone(), *start), &joining)),
            }
        }
        let mut finding = finding?;
        for Parked { command, .. } in self.kept.parked.get(id).into_iter().flatten() {
            match &command.act {
                Act::Judge(ask) => {
                    let ruling = Subject::Finding(&finding).ruling(ask, command);
                    finding.triage.judge(command, ruling);
                }
                Act::Undo(of) => finding.triage.undo_if_possible(command, of.as_ref()),
                // What cannot be done will be let go when the finding settles, too.
                Act::Assign(_) | Act::Note(_) | Act::Snooze(_) | Act::Close | Act::Reopen => {
                    let _ = finding.triage.simple(command);
                }
            }
        }
        Some(finding)
    }

    pub(crate) fn told(&self, finding: &Finding) -> Told {
        if let Some(campaign) = self.campaign_of(finding) {
            return Told::ByCampaign(campaign.clone());
        }
        let cell = self.index.folded_in(&finding.id);
        match cell.and_then(|cell| self.storm_of(cell)) {
            Some((storm, _)) => Told::ByStorm(storm),
            None => Told::ByItself,
        }
    }

    pub(crate) fn state(&self, finding: &Finding, told: &Told) -> State {
        let own = finding.state();
        if finding.triage.is_touched() {
            return own;
        }
        let teller = match told {
            Told::ByItself => None,
            Told::ByCampaign(id) => self.kept.found.get(id).map(Finding::state),
            Told::ByStorm(id) => self.kept.storms.get(id).map(|storm| storm.triage.state),
        };
        teller.filter(|state| *state == State::Closed).unwrap_or(own)
    }

    fn neighbour(&self, finding: &Finding, way: i64) -> Option<FindingId> {
        let start = finding.start.plus(Millis(self.grid.window().0 * way));
        let id = Grid::id(&finding.key, start);
        let is_there = self.index.seat(&id).is_some_and(|seat| seat != Seat::Hidden);
        is_there.then_some(id)
    }
}
