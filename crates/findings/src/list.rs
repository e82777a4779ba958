//! The queue: findings by what it may cost to overlook them.

use crate::cells::Rank;
use crate::finding::Finding;
use crate::key::FindingId;
use crate::loss::Loss;
use crate::store::Findings;
use crate::triage::State;
use crate::view::{Told, View};
use habitus_model::{EventTime, IngestTime, RiskLevel, TenantId, Text, Verdict};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Bound;

/// Most findings of one page.
pub const PAGE_MAX: usize = 500;

/// What to list. Everything absent: all that stands in the queue, in any state.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter {
    /// In one of these states; empty: in any.
    pub states: Vec<State>,
    /// At least this level.
    pub level: Option<RiskLevel>,
    /// That names this account.
    pub account: Option<Text>,
    /// Of this tenant.
    pub tenant: Option<TenantId>,
    /// That this person works on.
    pub assignee: Option<Text>,
    /// With this verdict, or without one.
    pub verdict: Option<Judged>,
    /// With an event at or after this time.
    pub since: Option<EventTime>,
    /// That has this in title, id, accounts, client, network, place or reasons; case does not matter.
    pub text: Option<String>,
    /// Those that campaigns and storms tell, too.
    pub scope: Scope,
    /// What time it is: what is put aside beyond it is left out. Absent: nothing is.
    pub now: Option<IngestTime>,
}

/// Whether a verdict stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// None does.
    Not,
    /// This one does.
    As(Verdict),
}

/// Which findings are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// Those of the queue.
    #[default]
    Queue,
    /// Those that campaigns and storms tell, too.
    All,
}

/// A place in the list: after this finding. Where ranks change between pages, a finding may be seen twice or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(Rank);

/// A part of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The findings, most urgent first.
    pub findings: Vec<View>,
    /// Where the next page begins; absent on the last.
    pub next: Option<Cursor>,
}

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// All.
    pub total: u64,
    /// By level, lowest first.
    pub levels: [u64; 5],
}

impl Cursor {
    /// From its text; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '_');
        let (points, odds) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Self(Rank {
            loss: Reverse(Loss::from_parts(points, odds)),
            id: FindingId::new(parts.next().filter(|id| !id.is_empty())?),
        }))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (points, odds) = self.0.loss.0.parts();
        write!(f, "{points}_{odds}_{}", self.0.id)
    }
}

impl Findings {
    /// A page of findings, at most [`PAGE_MAX`], most urgent first. Cost: linear in what is passed over.
    #[must_use]
    pub fn list(&self, filter: &Filter, after: Option<&Cursor>, limit: usize) -> Page {
        let limit = limit.clamp(1, PAGE_MAX);
        let sought = filter.sought();
        let beside = self.beside(filter, &sought, after);
        let mut beside = beside.into_iter().peekable();
        let settled = self.settled(filter, after.map(|cursor| &cursor.0));
        let mut settled = settled
            .filter(|finding| self.fits(filter, &sought, finding))
            .peekable();
        let mut findings = Vec::new();
        while findings.len() <= limit {
            let here = settled.peek().map(|finding| crate::index::rank(finding));
            let next_is_beside = match (&here, beside.peek()) {
                (Some(here), Some((there, _))) => there < here,
                (None, Some(_)) => true,
                (_, None) => false,
            };
            let view = if next_is_beside {
                beside.next().map(|(_, view)| view)
            } else {
                settled.next().and_then(|finding| self.get(&finding.id))
            };
            match view {
                Some(view) => findings.push(view),
                None => break,
            }
        }
        let has_more = findings.len() > limit;
        findings.truncate(limit);
        let last = findings.last().filter(|_| has_more);
        Page {
            next: last.map(|view| Cursor(crate::index::rank(&view.finding))),
            findings,
        }
    }

    /// How many findings a filter lets through, by level. Cost: linear in the findings.
    #[must_use]
    pub fn tally(&self, filter: &Filter) -> Tally {
        let sought = filter.sought();
        let mut tally = Tally::default();
        let beside = self.beside(filter, &sought, None);
        let settled = self
            .settled(filter, None)
            .filter(|finding| self.fits(filter, &sought, finding));
        for level in beside
            .values()
            .map(|view| view.finding.level())
            .chain(settled.map(Finding::level))
        {
            tally.total += 1;
            if let Some(count) = tally.levels.get_mut(usize::from(level.id())) {
                *count += 1;
            }
        }
        tally
    }

    /// Settled findings of which nothing is ahead of its turn, in order.
    fn settled<'a>(
        &'a self,
        filter: &Filter,
        after: Option<&Rank>,
    ) -> impl Iterator<Item = &'a Finding> + use<'a> {
        let order = match filter.scope {
            Scope::Queue => &self.index.queue,
            Scope::All => &self.index.all,
        };
        let from = after.map_or(Bound::Unbounded, |rank| Bound::Excluded(rank.clone()));
        let ranks = order.range((from, Bound::Unbounded));
        let found = ranks.filter_map(|rank| self.kept.found.get(&rank.id));
        found.filter(|finding| !self.overlay.knows(&finding.id))
    }

    /// Storms, and findings with events ahead of their turn.
    fn beside(&self, filter: &Filter, sought: &str, after: Option<&Cursor>) -> BTreeMap<Rank, View> {
        let storms = self.storms();
        let ids: BTreeSet<&FindingId> = self.overlay.findings().chain(storms.keys()).collect();
        let views = ids.into_iter().filter_map(|id| self.get(id));
        let views = views.filter(|view| filter.scope == Scope::All || view.told == Told::ByItself);
        let views = views.filter(|view| filter.matches(&view.finding, view.state, sought));
        let ranked = views.map(|view| (crate::index::rank(&view.finding), view));
        ranked
            .filter(|(rank, _)| after.is_none_or(|cursor| *rank > cursor.0))
            .collect()
    }

    fn fits(&self, filter: &Filter, sought: &str, finding: &Finding) -> bool {
        let state = match filter.scope {
            Scope::Queue => finding.state(),
            Scope::All => self.state(finding, &self.told(finding)),
        };
        filter.matches(finding, state, sought)
    }
}

impl Filter {
    fn sought(&self) -> String {
        self.text.as_deref().unwrap_or_default().trim().to_lowercase()
    }

    fn matches(&self, finding: &Finding, state: State, sought: &str) -> bool {
        let snoozed = finding
            .triage
            .snoozed_until
            .zip(self.now)
            .is_some_and(|(until, now)| until > now);
        !snoozed
            && (self.states.is_empty() || self.states.contains(&state))
            && self.level.is_none_or(|level| finding.level() >= level)
            && self
                .tenant
                .as_ref()
                .is_none_or(|tenant| tenant == finding.key.tenant())
            && self.since.is_none_or(|since| finding.last >= since)
            && self
                .assignee
                .as_ref()
                .is_none_or(|who| finding.triage.assignee.as_ref() == Some(who))
            && self.verdict.is_none_or(|judged| judged.fits(finding))
            && self
                .account
                .as_ref()
                .is_none_or(|account| finding.accounts.contains(account))
            && (sought.is_empty() || tells_of(finding, sought))
    }
}

impl Judged {
    fn fits(self, finding: &Finding) -> bool {
        let stands = finding.triage.verdict().map(|ruling| ruling.verdict);
        match self {
            Judged::Not => stands.is_none(),
            Judged::As(verdict) => stands == Some(verdict),
        }
    }
}

/// Whether a finding tells of something, in lower case. Cost: linear in its text.
fn tells_of(finding: &Finding, sought: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(sought);
    if has(finding.id.as_str()) || has(&finding.title()) {
        return true;
    }
    if finding.accounts.names().iter().any(|name| has(name.as_str())) {
        return true;
    }
    finding.evidence().iter().any(|hit| {
        let network = &hit.context.network;
        has(hit.uid.as_str())
            || has(&hit.context.client.label())
            || has(&hit.context.place.label())
            || network.ip.is_some_and(|ip| has(&ip.to_string()))
            || network.asn.is_some_and(|asn| has(&asn.to_string()))
            || network.organisation.as_ref().is_some_and(|name| has(name))
            || hit.lines.iter().any(|line| has(&line.text))
    })
}
