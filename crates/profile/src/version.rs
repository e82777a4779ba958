//! The versions of one family of client, as an account last showed them.

use crate::keys::Keys;
use crate::observation::VersionChange;
use crate::version_mix::compare;
use habitus_model::{Client, DeviceType, Minutes};
use serde::{Deserialize, Serialize};

/// Visits needed before a share of them means anything.
const KEYED_VISITS_MIN: u8 = 3;

/// Versions of one family of client, as last seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Fingerprint of the family.
    pub family: u64,
    /// Operating system version, 16.16; 0 is unknown.
    pub os: u32,
    /// Browser major version; 0 is unknown.
    pub browser: u32,
    /// Fingerprint of the device model.
    pub model: Option<u64>,
    /// Fingerprint of the operating system family on this type of device.
    pub os_family: Option<u64>,
    /// Type of device.
    pub device: DeviceType,
    /// Last visit with this family.
    pub last: Minutes,
    /// Visits with this family, and how many of them showed a client key; both halve when they reach 200.
    pub visits: u8,
    /// See `visits`.
    pub keyed: u8,
    /// How often each change of version was seen, in the order of [`VersionChange`]; halves with `visits`. Two machines
    /// of one family change versions at every turn.
    pub changes: [u8; VersionChange::COUNT],
}

impl Version {
    /// The versions an event shows; absent if it shows no family.
    #[must_use]
    pub fn of(keys: &Keys, client: &Client) -> Option<Self> {
        Some(Self {
            family: keys.family?,
            os: client.os_version,
            browser: client.browser_version,
            model: keys.model,
            os_family: keys.os,
            device: client.device,
            last: Minutes(0),
            visits: 0,
            keyed: 0,
            changes: [0; VersionChange::COUNT],
        })
    }

    /// Share of visits with this family that showed a client key. Absent: too few visits to tell.
    #[must_use]
    pub fn keyed_share(&self) -> Option<f64> {
        (self.visits >= KEYED_VISITS_MIN).then(|| f64::from(self.keyed) / f64::from(self.visits))
    }

    /// Visits in which the version changed so, and visits in which it could have.
    #[must_use]
    pub fn changed(&self, change: VersionChange) -> (f64, f64) {
        let all = self.changes.iter().map(|count| f64::from(*count)).sum();
        (
            self.changes
                .get(change.index())
                .map_or(0.0, |count| f64::from(*count)),
            all,
        )
    }

    /// Takes over what is counted from `before`, and counts one visit.
    pub fn count(
        &mut self,
        before: Option<&Version>,
        now: Minutes,
        (keyed, change): (bool, Option<VersionChange>),
    ) {
        if let Some(before) = before {
            (self.visits, self.keyed, self.changes) = (before.visits, before.keyed, before.changes);
        }
        if self.visits >= 200 {
            self.visits /= 2;
            self.keyed /= 2;
            self.changes = self.changes.map(|count| count / 2);
        }
        self.visits += 1;
        self.keyed += u8::from(keyed);
        if let Some(count) = change.and_then(|change| self.changes.get_mut(change.index())) {
            *count += 1;
        }
        self.last = now;
    }
}

/// How the client's version compares with what was last seen of its family.
#[must_use]
pub fn version_change(before: &Version, now: &Version) -> VersionChange {
    if before.model != now.model && before.model.is_some() && now.model.is_some() {
        return VersionChange::OtherModel;
    }
    compare((before.os, before.browser), (now.os, now.browser))
}
