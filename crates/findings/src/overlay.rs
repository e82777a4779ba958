//! Events that were judged and have not been settled yet: shown with the others, and no part of the state.
//!
//! Where events may come out of order, a verdict is given on arrival and again when the event's turn has come. Until then the
//! event is held here. Nothing of it is in snapshots or digests: what settles decides.

use crate::hit::Hit;
use crate::key::{FindingId, Key};
use crate::loss::Loss;
use habitus_model::{EventTime, EventUid, TenantId};
use std::collections::{BTreeMap, BTreeSet};

/// Events held; beyond it the least urgent one gives way and is counted.
pub const PROVISIONAL_MAX: usize = 20_000;

/// An event is known by its tenant and id.
pub(crate) type Name = (TenantId, EventUid);

/// A finding that an event belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Belongs {
    pub id: FindingId,
    pub key: Key,
    pub start: EventTime,
}

/// An event with the findings it belongs to: its own, and the campaign it may be of.
#[derive(Debug, Clone)]
pub(crate) struct Ahead {
    pub hit: Hit,
    pub own: Belongs,
    pub campaign: Option<Belongs>,
}

/// The events.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    held: BTreeMap<Name, Ahead>,
    by_finding: BTreeMap<FindingId, BTreeSet<Name>>,
    by_loss: BTreeSet<(Loss, Name)>,
    pub dropped: u64,
}

impl Overlay {
    /// Holds an event; one of the same name is replaced.
    pub(crate) fn put(&mut self, ahead: Ahead) {
        let name = (ahead.hit.context.tenant.clone(), ahead.hit.uid.clone());
        self.take(&name);
        self.by_loss.insert((ahead.hit.loss(), name.clone()));
        for belongs in ahead.belongs() {
            self.by_finding
                .entry(belongs.id.clone())
                .or_default()
                .insert(name.clone());
        }
        self.held.insert(name, ahead);
        if self.held.len() > PROVISIONAL_MAX
            && let Some((_, least)) = self.by_loss.first().cloned()
        {
            self.take(&least);
            self.dropped += 1;
        }
    }

    /// Lets an event go.
    pub(crate) fn take(&mut self, name: &Name) -> Option<Ahead> {
        let ahead = self.held.remove(name)?;
        self.by_loss.remove(&(ahead.hit.loss(), name.clone()));
        for belongs in ahead.belongs() {
            if let Some(names) = self.by_finding.get_mut(&belongs.id) {
                names.remove(name);
                if names.is_empty() {
                    self.by_finding.remove(&belongs.id);
                }
            }
        }
        Some(ahead)
    }

    /// The events of a finding.
    pub(crate) fn of(&self, id: &FindingId) -> impl Iterator<Item = &Ahead> {
        let names = self.by_finding.get(id);
        names.into_iter().flatten().filter_map(|name| self.held.get(name))
    }

    /// Findings that have events here.
    pub(crate) fn findings(&self) -> impl Iterator<Item = &FindingId> {
        self.by_finding.keys()
    }

    /// Whether a finding has events here.
    pub(crate) fn knows(&self, id: &FindingId) -> bool {
        self.by_finding.contains_key(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }
}

impl Ahead {
    /// The findings it belongs to.
    pub(crate) fn belongs(&self) -> impl Iterator<Item = &Belongs> {
        std::iter::once(&self.own).chain(&self.campaign)
    }
}
