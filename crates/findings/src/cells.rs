//! The fuse against alert storms.
//!
//! Time is cut into cells of ten minutes. Of the findings that begin in one cell of one tenant, the most urgent stay in the
//! queue, and the others fold into one storm finding. Which ones fold follows from the findings and not from who was first: an
//! attacker who floods the queue and then strikes (RELIABILITY 6.5) would otherwise hide in the storm of his own making. What
//! a person has taken up never folds.

use crate::key::FindingId;
use crate::loss::Loss;
use habitus_model::{EventTime, TenantId};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Length of a cell, milliseconds.
const CELL_MS: i64 = 600_000;
/// Cells whose counts of dropped findings are kept; ten weeks of one tenant's worst.
const DROPPED_MAX: usize = 10_000;

/// A tenant and the number of a cell.
pub(crate) type CellKey = (TenantId, i64);

/// Where a finding stands among others, the most urgent first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    pub loss: Reverse<Loss>,
    pub id: FindingId,
}

/// The same in a cell, where what people have taken up stands first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CellRank {
    pub is_idle: bool,
    pub rank: Rank,
}

/// The cells.
#[derive(Debug)]
pub(crate) struct Cells {
    shown_max: usize,
    cells: BTreeMap<CellKey, Cell>,
    /// Cells that fold something or did.
    pub(crate) stormy: BTreeSet<CellKey>,
    dropped: BTreeMap<CellKey, u64>,
}

#[derive(Debug, Default)]
struct Cell {
    shown: BTreeSet<CellRank>,
    folded: BTreeSet<CellRank>,
}

/// The cell of a finding that begins then.
pub(crate) fn cell_of(tenant: &TenantId, first: EventTime) -> CellKey {
    (tenant.clone(), first.as_millis().div_euclid(CELL_MS))
}

/// When a cell begins; absent beyond the years that times can have.
pub(crate) fn begin(cell: &CellKey) -> Option<EventTime> {
    EventTime::from_millis(cell.1.saturating_mul(CELL_MS))
}

impl Cells {
    pub(crate) fn new(shown_max: usize) -> Self {
        Self {
            shown_max: shown_max.max(1),
            cells: BTreeMap::new(),
            stormy: BTreeSet::new(),
            dropped: BTreeMap::new(),
        }
    }

    /// Moves a finding from one place to another, either of which may be none. Gives all whose folding may have changed.
    pub(crate) fn change(
        &mut self,
        from: Option<(&CellKey, &CellRank)>,
        to: Option<(&CellKey, &CellRank)>,
    ) -> Vec<FindingId> {
        if from == to {
            return Vec::new();
        }
        if let Some((key, rank)) = from
            && let Some(cell) = self.cells.get_mut(key)
        {
            let _ = cell.shown.remove(rank) || cell.folded.remove(rank);
        }
        if let Some((key, rank)) = to {
            self.cells
                .entry(key.clone())
                .or_default()
                .shown
                .insert(rank.clone());
        }
        let mut moved: Vec<FindingId> = to.map(|(_, rank)| rank.rank.id.clone()).into_iter().collect();
        let both = [from, to].into_iter().flatten().map(|(key, _)| key);
        for key in both.collect::<BTreeSet<_>>() {
            self.balance(key, &mut moved);
        }
        moved
    }

    /// Makes the shown ones the most urgent ones again.
    fn balance(&mut self, key: &CellKey, moved: &mut Vec<FindingId>) {
        let mut folds = false;
        if let Some(cell) = self.cells.get_mut(key) {
            while let Some(id) = cell.step(self.shown_max) {
                moved.push(id);
            }
            folds = !cell.folded.is_empty();
            if cell.shown.is_empty() && !folds {
                self.cells.remove(key);
            }
        }
        if folds || self.dropped.contains_key(key) {
            self.stormy.insert(key.clone());
        } else {
            self.stormy.remove(key);
        }
    }

    /// Whether the finding is folded.
    pub(crate) fn folds(&self, key: &CellKey, rank: &CellRank) -> bool {
        self.cells.get(key).is_some_and(|cell| cell.folded.contains(rank))
    }

    /// Folded findings of a cell, the most urgent first.
    pub(crate) fn folded(&self, key: &CellKey) -> impl Iterator<Item = &FindingId> {
        let cell = self.cells.get(key);
        cell.into_iter()
            .flat_map(|cell| cell.folded.iter().map(|rank| &rank.rank.id))
    }

    /// How many findings a cell has folded, those included that had to give way since.
    pub(crate) fn count(&self, key: &CellKey) -> u64 {
        let kept = self.cells.get(key).map_or(0, |cell| cell.folded.len());
        let dropped = self.dropped.get(key).copied().unwrap_or(0);
        dropped.saturating_add(u64::try_from(kept).unwrap_or(u64::MAX))
    }

    /// Counts folded findings that had to give way.
    pub(crate) fn drop_from(&mut self, key: &CellKey, count: u64) {
        *self.dropped.entry(key.clone()).or_default() += count;
        self.stormy.insert(key.clone());
        if self.dropped.len() > DROPPED_MAX
            && let Some(oldest) = self.dropped.keys().min_by_key(|key| key.1).cloned()
        {
            self.dropped.remove(&oldest);
            self.balance(&oldest, &mut Vec::new());
        }
    }

    /// Counts of dropped findings, for snapshots.
    pub(crate) const fn dropped(&self) -> &BTreeMap<CellKey, u64> {
        &self.dropped
    }
}

impl Cell {
    /// One step towards balance; the finding that moved, or `None` if all is well.
    fn step(&mut self, shown_max: usize) -> Option<FindingId> {
        let last_is_idle = self.shown.last().is_some_and(|rank| rank.is_idle);
        if self.shown.len() > shown_max && last_is_idle {
            let rank = self.shown.pop_last()?;
            let id = rank.rank.id.clone();
            self.folded.insert(rank);
            return Some(id);
        }
        let overtakes = self.folded.first() < self.shown.last() && !self.folded.is_empty();
        if (self.shown.len() < shown_max || overtakes) && !self.folded.is_empty() {
            let rank = self.folded.pop_first()?;
            let id = rank.rank.id.clone();
            self.shown.insert(rank);
            return Some(id);
        }
        None
    }
}
