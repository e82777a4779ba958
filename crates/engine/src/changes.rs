//! What changed for a whole tenant, as people are told: whether scores keep their promise, and where many accounts went.
//!
//! Changes are recognised by the stage after the accounts (`profile::campaigns`), in the order of the log; here they get a name and
//! stay for those who ask. No verdict depends on what is kept here.

use crate::engine::Engine;
use habitus_model::hash::HashKey;
use habitus_model::math::{from_u64, from_usize, to_u32};
use habitus_model::{Context, EventTime, Prefix, TenantId, Text};
use habitus_profile::attempts::Distinct;
use habitus_profile::campaigns::{Change, ChangeKind as Recognised, MOVERS_MIN};
use habitus_profile::observation::VersionChange;
use habitus_profile::recall::Sighting;
pub use habitus_score::drift::Alarm;
use serde::{Deserialize, Serialize};

/// Most changes kept of a tenant: what has moved nobody for the longest goes first.
const KEPT_MAX: usize = 32;
/// Days for which a change stands after somebody went with it: then half of those who come have come (half-life 3 days).
const STANDS_DAYS: f64 = 7.0;
/// Most that is told before anybody asks.
const NEWS_MAX: usize = 64;

/// Most releases of clients that are counted at a time, and days after which one that few use is no news: browsers release
/// every four weeks.
const RELEASES_MAX: usize = 64;
const RELEASE_DAYS: f64 = 14.0;
/// Share of a tenant's accounts that a release must reach to be a change of the tenant. Assumed.
const RELEASE_SHARE: f64 = 0.02;

/// What has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ChangeKind {
    /// Accounts came to one prefix.
    Prefix,
    /// Accounts came to one autonomous system.
    Provider,
    /// Lines of accounts lie in another country.
    Locations,
    /// Clients of accounts were updated to one version. Told, and nothing else: updates are nothing new (`profile::campaigns`).
    Client,
}

/// A change with its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedChange {
    key: u64,
    /// What has changed.
    pub kind: ChangeKind,
    /// To what: a network or prefix. Never an account or a single address.
    pub value: Text,
    /// Accounts that went with it, or their lines.
    pub movers: u32,
    /// When the first of them did.
    pub since: EventTime,
    /// When the last of them did.
    pub last: EventTime,
}

/// What is kept of one tenant.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Changes {
    named: Vec<NamedChange>,
    releases: Vec<Release>,
}

/// A version that clients are updated to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Release {
    key: u64,
    accounts: Distinct,
    since: EventTime,
}

/// That the client of an account was updated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Update {
    key: u64,
    account: u64,
    client: Text,
    time: EventTime,
}

impl Update {
    /// Of an event that shows a known client in a newer version; nothing of most.
    pub(crate) fn of(context: &Context, seen: &Sighting, key: HashKey) -> Option<Box<Self>> {
        let change = seen.device?.change?.kind;
        let (family, version) = (seen.keys.family?, context.client.browser_version);
        (change == VersionChange::Upgrade && version != 0).then(|| {
            Box::new(Self {
                key: key.fingerprint(&("release", family, version)),
                account: key.fingerprint(&context.account.as_ref().map(|account| account.as_str())),
                client: Text::from(context.client.label()),
                time: context.time,
            })
        })
    }
}

/// What began.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// Something is taken for a change of the tenant.
    Changed(NamedChange),
    /// Scores do not keep their promise.
    Drifts,
}

/// How a tenant stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Standing {
    /// That scores do not keep their promise. Absent: they do.
    pub alarm: Option<Alarm>,
    /// Changes, the latest first.
    pub changes: Vec<NamedChange>,
}

impl NamedChange {
    /// Whether it stands.
    #[must_use]
    pub fn stands(&self, now: EventTime) -> bool {
        now.since(self.last).days() < STANDS_DAYS
    }
}

impl Changes {
    /// Takes in that an event went with a change. The change, if it is new. O(changes).
    pub(crate) fn note(&mut self, change: &Change, context: &Context) -> Option<&NamedChange> {
        let kind = match change.kind {
            Recognised::Prefix => ChangeKind::Prefix,
            Recognised::Provider => ChangeKind::Provider,
            Recognised::Locations => ChangeKind::Locations,
        };
        self.put(NamedChange {
            key: change.key,
            kind,
            value: name(change.kind, context),
            movers: change.movers,
            since: change.since,
            last: context.time,
        })
    }

    /// Takes in that a client was updated, in a tenant of so many accounts. The change that this makes. O(releases).
    pub(crate) fn note_update(&mut self, update: &Update, accounts: u64) -> Option<&NamedChange> {
        let is_late = |since: EventTime| update.time.since(since).days() > RELEASE_DAYS;
        let at = self.releases.iter().position(|known| known.key == update.key);
        let at = at.unwrap_or_else(|| {
            if self.releases.len() >= RELEASES_MAX {
                self.releases.remove(0);
            }
            self.releases.push(Release {
                key: update.key,
                accounts: Distinct::default(),
                since: update.time,
            });
            self.releases.len() - 1
        });
        let release = self
            .releases
            .get_mut(at)
            .filter(|release| !is_late(release.since))?;
        release.accounts.insert(update.account);
        let movers = release.accounts.estimate();
        let least = (RELEASE_SHARE * from_u64(accounts)).max(from_usize(MOVERS_MIN));
        let since = release.since;
        if movers < least {
            return None;
        }
        self.put(NamedChange {
            key: update.key,
            kind: ChangeKind::Client,
            value: update.client.clone(),
            movers: to_u32(movers),
            since,
            last: update.time,
        })
    }

    fn put(&mut self, change: NamedChange) -> Option<&NamedChange> {
        let at = self.named.iter().position(|known| known.key == change.key);
        if let Some(known) = at.and_then(|at| self.named.get_mut(at)) {
            let is_new = known.since < change.since && !known.stands(change.last);
            (known.movers, known.since) = (change.movers, change.since);
            known.last = known.last.max(change.last);
            let known = at.and_then(|at| self.named.get(at));
            return known.filter(|_| is_new);
        }
        if self.named.len() >= KEPT_MAX {
            let eldest = self.named.iter().map(|known| known.last).min();
            self.named.retain(|known| Some(known.last) != eldest);
        }
        self.named.push(change);
        self.named.last()
    }
}

fn name(kind: Recognised, context: &Context) -> Text {
    let network = || context.network.label();
    let unknown = || Text::const_new("an unknown network");
    match kind {
        Recognised::Prefix => {
            let prefix = context.network.ip.map(|ip| Prefix::of(ip).label());
            prefix.unwrap_or_else(unknown)
        }
        Recognised::Provider => network().unwrap_or_else(unknown),
        Recognised::Locations => Text::const_new("location data"),
    }
}

impl Engine {
    /// How a tenant stands at a time; nothing of a tenant never seen.
    #[must_use]
    pub fn standing(&self, tenant: &TenantId, now: EventTime) -> Standing {
        let number = self.tenant_numbers.get(tenant);
        let Some(tenant) = number.and_then(|number| self.tenants.get(*number)) else {
            return Standing::default();
        };
        let changes = tenant.changes.named.iter().filter(|change| change.stands(now));
        let mut changes: Vec<NamedChange> = changes.cloned().collect();
        changes.sort_by_key(|change| std::cmp::Reverse((change.since, change.key)));
        Standing {
            alarm: tenant.alarm(now.minutes()),
            changes,
        }
    }

    /// Changes and alarms that stand, of all tenants together.
    #[must_use]
    pub fn standing_counts(&self, now: EventTime) -> (usize, usize) {
        let changes = |tenant: &crate::tenant::Tenant| {
            let standing = tenant.changes.named.iter().filter(|change| change.stands(now));
            standing.count()
        };
        let alarms = self
            .tenants
            .iter()
            .filter(|tenant| tenant.alarm(now.minutes()).is_some());
        (
            self.tenants.iter().map(|tenant| changes(tenant)).sum(),
            alarms.count(),
        )
    }

    /// What began since it was last asked; no part of the state.
    pub fn take_news(&mut self) -> Vec<(TenantId, News)> {
        std::mem::take(&mut self.news)
    }

    pub(crate) fn tell(&mut self, tenant: &TenantId, news: News) {
        if self.news.len() < NEWS_MAX {
            self.news.push((tenant.clone(), news));
        }
    }
}
