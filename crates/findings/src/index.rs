//! Orders over the findings that are kept. All of it follows from them, and is built anew from a snapshot.

use crate::cells::{CellKey, CellRank, Cells, Rank};
use crate::finding::Finding;
use crate::key::{FindingId, Key, Novelty};
use crate::triage::State;
use habitus_model::{EventTime, TenantId, math};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Whether a finding is seen in the queue, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seat {
    /// A campaign of too few accounts: not a finding yet.
    Hidden,
    /// Part of a campaign.
    Part,
    /// Folded into a storm.
    Folded,
    /// In the queue.
    Shown,
}

/// A finding that came to sit elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Move {
    pub id: FindingId,
    pub from: Option<Seat>,
    pub to: Seat,
}

/// Where a finding was put in each order.
#[derive(Debug)]
struct Place {
    tenant: TenantId,
    key: Key,
    seat: Seat,
    rank: Rank,
    cell: Option<(CellKey, CellRank)>,
    giving_way: Turn,
    novelty: Option<(TenantId, Novelty)>,
    expects: bool,
    start: EventTime,
    bytes: usize,
}

/// When a finding gives way: smaller is sooner.
type Turn = (u8, i64, i64);

/// The orders.
#[derive(Debug)]
pub(crate) struct Index {
    places: BTreeMap<FindingId, Place>,
    /// What the queue shows.
    pub queue: BTreeSet<Rank>,
    /// The same with parts of campaigns and of storms.
    pub all: BTreeSet<Rank>,
    pub cells: Cells,
    /// Open findings by what is new in them.
    similar: BTreeMap<(TenantId, Novelty), BTreeSet<FindingId>>,
    /// Findings whose verdict says that more is to be expected.
    expecting: BTreeMap<Key, BTreeSet<FindingId>>,
    /// Who gives way first.
    giving_way: BTreeMap<TenantId, BTreeSet<(Turn, FindingId)>>,
    /// By the start of the window.
    by_start: BTreeSet<(EventTime, FindingId)>,
    bytes: BTreeMap<TenantId, usize>,
    bytes_total: usize,
}

impl Index {
    pub(crate) fn new(shown_max: usize) -> Self {
        Self {
            places: BTreeMap::new(),
            queue: BTreeSet::new(),
            all: BTreeSet::new(),
            cells: Cells::new(shown_max),
            similar: BTreeMap::new(),
            expecting: BTreeMap::new(),
            giving_way: BTreeMap::new(),
            by_start: BTreeSet::new(),
            bytes: BTreeMap::new(),
            bytes_total: 0,
        }
    }

    /// Puts a finding where it belongs. `seat` says hidden, part, or else.
    pub(crate) fn put(&mut self, finding: &Finding, seat: Seat) -> Vec<Move> {
        let mut place = Place::of(finding, seat);
        let old = self.places.remove(&finding.id);
        if let Some(old) = &old {
            self.take_out(&finding.id, old);
        }
        let moved = self
            .cells
            .change(old.as_ref().and_then(Place::cell), place.cell());
        if let Some((key, rank)) = &place.cell {
            place.seat = if self.cells.folds(key, rank) {
                Seat::Folded
            } else {
                Seat::Shown
            };
        }
        let mut moves = Vec::new();
        if old.as_ref().map(|old| old.seat) != Some(place.seat) {
            moves.push(Move {
                id: finding.id.clone(),
                from: old.map(|old| old.seat),
                to: place.seat,
            });
        }
        self.put_in(&finding.id, &place);
        self.places.insert(finding.id.clone(), place);
        self.reseat(moved, &mut moves);
        moves
    }

    /// Forgets a finding. Whether it was folded, and who moves up.
    pub(crate) fn remove(&mut self, id: &FindingId) -> Vec<Move> {
        let Some(place) = self.places.remove(id) else {
            return Vec::new();
        };
        self.take_out(id, &place);
        if let (Some((cell, _)), Seat::Folded) = (&place.cell, place.seat) {
            self.cells.drop_from(cell, 1);
        }
        let moved = self.cells.change(place.cell(), None);
        let mut moves = Vec::new();
        self.reseat(moved, &mut moves);
        moves
    }

    fn reseat(&mut self, moved: Vec<FindingId>, moves: &mut Vec<Move>) {
        for id in moved.into_iter().collect::<BTreeSet<_>>() {
            let Some(place) = self.places.get_mut(&id) else {
                continue;
            };
            let Some((key, rank)) = &place.cell else {
                continue;
            };
            let seat = if self.cells.folds(key, rank) {
                Seat::Folded
            } else {
                Seat::Shown
            };
            if seat == place.seat {
                continue;
            }
            if seat == Seat::Shown {
                self.queue.insert(place.rank.clone());
            } else {
                self.queue.remove(&place.rank);
            }
            moves.push(Move {
                id,
                from: Some(place.seat),
                to: seat,
            });
            place.seat = seat;
        }
    }

    fn put_in(&mut self, id: &FindingId, place: &Place) {
        if place.seat == Seat::Shown {
            self.queue.insert(place.rank.clone());
        }
        if place.seat != Seat::Hidden {
            self.all.insert(place.rank.clone());
        }
        if let Some(novelty) = &place.novelty {
            self.similar
                .entry(novelty.clone())
                .or_default()
                .insert(id.clone());
        }
        if place.expects {
            self.expecting
                .entry(place.key.clone())
                .or_default()
                .insert(id.clone());
        }
        let giving_way = self.giving_way.entry(place.tenant.clone()).or_default();
        giving_way.insert((place.giving_way, id.clone()));
        self.by_start.insert((place.start, id.clone()));
        *self.bytes.entry(place.tenant.clone()).or_default() += place.bytes;
        self.bytes_total += place.bytes;
    }

    fn take_out(&mut self, id: &FindingId, place: &Place) {
        self.queue.remove(&place.rank);
        self.all.remove(&place.rank);
        if let Some(novelty) = &place.novelty {
            take(&mut self.similar, novelty, id);
        }
        if place.expects {
            take(&mut self.expecting, &place.key, id);
        }
        take(
            &mut self.giving_way,
            &place.tenant,
            &(place.giving_way, id.clone()),
        );
        self.by_start.remove(&(place.start, id.clone()));
        if let Some(bytes) = self.bytes.get_mut(&place.tenant) {
            *bytes = bytes.saturating_sub(place.bytes);
        }
        self.bytes_total = self.bytes_total.saturating_sub(place.bytes);
    }

    /// Where a finding sits; absent if there is none.
    pub(crate) fn seat(&self, id: &FindingId) -> Option<Seat> {
        self.places.get(id).map(|place| place.seat)
    }

    /// The cell of a folded finding.
    pub(crate) fn folded_in(&self, id: &FindingId) -> Option<&CellKey> {
        let place = self.places.get(id).filter(|place| place.seat == Seat::Folded)?;
        place.cell.as_ref().map(|(key, _)| key)
    }

    /// Open findings with this novelty.
    pub(crate) fn similar(&self, tenant: &TenantId, novelty: &Novelty) -> impl Iterator<Item = &FindingId> {
        let found = self.similar.get(&(tenant.clone(), novelty.clone()));
        found.into_iter().flatten()
    }

    /// Findings of this key whose verdict says that more is to be expected.
    pub(crate) fn expecting(&self, key: &Key) -> impl Iterator<Item = &FindingId> {
        self.expecting.get(key).into_iter().flatten()
    }

    /// The finding whose window began first, if that was no later than this.
    pub(crate) fn begun_by(&self, latest: Option<EventTime>) -> Option<FindingId> {
        let (start, id) = self.by_start.first()?;
        latest.is_none_or(|latest| *start <= latest).then(|| id.clone())
    }

    /// Bytes of all findings, roughly.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes_total
    }

    /// Who gives way next: of the tenant that takes most, so that none can push out another's.
    pub(crate) fn next_to_go(&self) -> Option<FindingId> {
        let (tenant, _) = self
            .bytes
            .iter()
            .max_by_key(|(tenant, bytes)| (**bytes, Reverse(*tenant)))?;
        let (_, id) = self.giving_way.get(tenant)?.first()?;
        Some(id.clone())
    }
}

impl Place {
    fn of(finding: &Finding, seat: Seat) -> Self {
        let tenant = finding.key.tenant().clone();
        let rank = rank(finding);
        let is_candidate = matches!(seat, Seat::Shown | Seat::Folded);
        let cell = is_candidate.then(|| {
            let place = CellRank {
                is_idle: !finding.triage.is_touched(),
                rank: rank.clone(),
            };
            (crate::cells::cell_of(&tenant, finding.first), place)
        });
        let is_open = finding.state() != State::Closed;
        let novelty = Novelty::of(&finding.worst).filter(|_| is_open && seat != Seat::Hidden);
        let ruling = finding.triage.ruling.as_ref();
        Self {
            novelty: novelty.map(|novelty| (tenant.clone(), novelty)),
            key: finding.key.clone(),
            seat,
            cell,
            giving_way: giving_way(finding, seat),
            expects: ruling.is_some_and(|ruling| ruling.until.is_some()),
            start: finding.start,
            bytes: finding.bytes(),
            rank,
            tenant,
        }
    }

    fn cell(&self) -> Option<(&CellKey, &CellRank)> {
        self.cell.as_ref().map(|(key, rank)| (key, rank))
    }
}

/// Where a finding stands in the queue.
pub(crate) fn rank(finding: &Finding) -> Rank {
    Rank {
        loss: Reverse(finding.loss()),
        id: finding.id.clone(),
    }
}

/// Closed ones, and campaigns that never were, give way by age; then untouched ones by what it may cost; what people work on
/// comes last.
fn giving_way(finding: &Finding, seat: Seat) -> Turn {
    let last = finding.last.as_millis();
    if seat == Seat::Hidden || finding.state() == State::Closed {
        return (0, last, 0);
    }
    if finding.triage.is_touched() {
        return (2, last, 0);
    }
    (1, math::to_i64(finding.loss().points() * 1e3), last)
}

/// Takes a value out of a map of sets, and the set with the last one.
fn take<K: Ord, V: Ord>(map: &mut BTreeMap<K, BTreeSet<V>>, key: &K, value: &V) {
    if let Some(set) = map.get_mut(key) {
        set.remove(value);
        if set.is_empty() {
            map.remove(key);
        }
    }
}
