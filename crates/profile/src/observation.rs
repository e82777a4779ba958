//! What one learned visit tells the population: a small value that can wait for the end of an epoch.

use crate::bucket::{Bucket, IdleBucket};
use crate::features::clock::Bin;
use crate::features::strangers::StrangerCell;
use crate::hazard::Level;
use crate::joint::NetworkNovelty;
use crate::journey::Journey;
use crate::second_factor::FactorHabit;
use crate::teleport::TeleportCell;
use crate::version_mix::Versions;
use habitus_model::{Minutes, NetworkClass};
use serde::{Deserialize, Serialize};

/// How the version of a known client changed. Never the user agent as a whole: browsers update every four weeks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum VersionChange {
    /// The same.
    Same,
    /// Newer operating system or browser, nothing older.
    Upgrade,
    /// Something older.
    Downgrade,
    /// Another model of device.
    OtherModel,
}

impl VersionChange {
    /// Number of outcomes.
    pub const COUNT: usize = 4;

    /// Position in tables.
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            VersionChange::Same => 0,
            VersionChange::Upgrade => 1,
            VersionChange::Downgrade => 2,
            VersionChange::OtherModel => 3,
        }
    }
}

/// Whether a visit showed a client key where the account's history makes one likely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyHabit {
    /// The family of client is new to the account: the habit is that of its other clients.
    pub new_family: bool,
    /// No key was shown.
    pub absent: bool,
}

/// A value that an account knows for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewValue {
    /// Fingerprint.
    pub value: u64,
    /// The account had a history before; its very first value is no arrival.
    pub arrival: bool,
}

/// A network that is new to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewNetwork {
    /// Whether its country is new as well.
    pub abroad: bool,
    /// Whether the account was on rented networks before.
    pub rents: bool,
    /// Its class.
    pub class: NetworkClass,
}

/// One visit, as the population sees it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// When.
    pub now: Minutes,
    /// Bucket of the visit.
    pub bucket: Bucket,
    /// Peer group of the account.
    pub group: Option<u64>,
    /// The account's first visit.
    pub new_account: bool,
    /// Levels tried, and whether each was new; in the order of [`Level`].
    pub levels: [Option<bool>; 6],
    /// Country new to the account.
    pub new_country: Option<NewValue>,
    /// Autonomous system new to the account.
    pub new_asn: Option<NewValue>,
    /// Class of a network new to the account.
    pub new_network: Option<NewNetwork>,
    /// Distance of a country new to the account.
    pub journey: Option<Journey>,
    /// In a country new to the account: whether its network is one the account knows from elsewhere.
    pub provider_abroad: Option<bool>,
    /// Client family new to the account.
    pub new_family: Option<NewValue>,
    /// Change of version of a known client, after a silence of that client.
    pub version: Option<(IdleBucket, VersionChange)>,
    /// Family and versions of the client.
    pub running: Option<(u64, Versions)>,
    /// Network outcome and whether the client was new.
    pub joint: Option<(NetworkNovelty, bool)>,
    /// Hour of the week.
    pub clock: Option<Bin>,
    /// Silence before the visit, minutes.
    pub gap_minutes: Option<f64>,
    /// Whether a comparison of places showed a jump.
    pub teleport: Option<(TeleportCell, bool)>,
    /// Whether a client key was shown where one is usual.
    pub key: Option<KeyHabit>,
    /// Whether a second factor was shown by an account that has one.
    pub factor: Option<FactorHabit>,
    /// Whether the network is one that nothing vouches for, and which sort. Absent: no trial.
    pub stranger: Option<Option<StrangerCell>>,
}

const LEVELS: [Level; 6] = [
    Level::Country,
    Level::Asn,
    Level::Prefix,
    Level::Host,
    Level::Device,
    Level::ClientKey,
];

impl Observation {
    /// An observation that says nothing yet.
    #[must_use]
    pub fn new(now: Minutes, bucket: Bucket, group: Option<u64>) -> Self {
        Self {
            now,
            bucket,
            group,
            new_account: false,
            levels: [None; 6],
            new_country: None,
            new_asn: None,
            new_network: None,
            journey: None,
            provider_abroad: None,
            new_family: None,
            version: None,
            running: None,
            joint: None,
            clock: None,
            gap_minutes: None,
            teleport: None,
            key: None,
            factor: None,
            stranger: None,
        }
    }

    /// Notes a trial at a level.
    pub fn tried(&mut self, level: Level, novel: bool) {
        if let Some(slot) = LEVELS
            .iter()
            .position(|each| *each == level)
            .and_then(|at| self.levels.get_mut(at))
        {
            *slot = Some(novel);
        }
    }

    /// The levels tried.
    pub fn trials(&self) -> impl Iterator<Item = (Level, bool)> + '_ {
        LEVELS
            .iter()
            .zip(self.levels)
            .filter_map(|(level, novel)| novel.map(|novel| (*level, novel)))
    }
}
