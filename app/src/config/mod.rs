//! The configuration: one TOML file, every option documented in [`options`], unknown keys refused.
//!
//! A flag or its variable overrides the file, the file overrides the default.

mod keys;
mod load;
pub mod options;
mod problem;
mod ranges;
mod serve;
mod telemetry;
mod values;

pub use keys::distance;
pub use load::{Depth, Loaded, load};
pub use problem::Problems;
pub use serve::{Fallback, Serve};
pub use telemetry::Telemetry;
pub use values::{ListKind, Size};

use crate::cli;
use habitus_engine::Config as EngineConfig;
use habitus_engine::models::{LearningRules, Promote};
use habitus_model::hash::HashKey;
use habitus_model::{Family, UtcOffset};
use habitus_normalize::Limits;
use habitus_policy::Thresholds;
use habitus_responders::{ExporterSettings, ResponderSettings};
use habitus_score::Weights;
use habitus_sources::live::SourceSettings;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The whole configuration. See `docs/configuration.md` for what each option means.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `[formats]`
    pub formats: Formats,
    /// `[limits]`
    pub limits: Limits,
    /// `[enrich]`
    pub enrich: Enrich,
    /// `[scoring]`
    pub scoring: Scoring,
    /// `[findings]`
    pub findings: Findings,
    /// `[replay]`
    pub replay: Replay,
    /// `[serve]`
    pub serve: Serve,
    /// `[telemetry]`
    pub telemetry: Telemetry,
    /// `[[source]]`
    pub source: Vec<SourceSettings>,
    /// `[[responder]]`
    pub responder: Vec<ResponderSettings>,
    /// `[[exporter]]`
    pub exporter: Vec<ExporterSettings>,
}

/// How records are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Formats {
    /// Format, or `auto`.
    pub default: String,
    /// Year of stamps without one.
    pub assume_year: Option<i16>,
    /// Time zone of stamps without one.
    #[serde(with = "values::offset")]
    pub utc_offset: UtcOffset,
}

/// What addresses are looked up in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Enrich {
    /// The built-in table of countries.
    pub embedded_countries: bool,
    /// City or country database.
    pub city_mmdb: Option<PathBuf>,
    /// Autonomous systems.
    pub asn_mmdb: Option<PathBuf>,
    /// VPNs, proxies, Tor, hosting.
    pub anonymous_ip_mmdb: Option<PathBuf>,
    /// Fixed and mobile access.
    pub connection_type_mmdb: Option<PathBuf>,
    /// Lists of networks.
    pub ip_list: Vec<NetworkList>,
}

/// One list of networks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkList {
    /// Its name.
    pub name: String,
    /// What being on it means.
    pub kind: ListKind,
    /// Its file.
    pub path: PathBuf,
}

/// How scores come about, and what follows from them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scoring {
    /// Score from which another factor is asked for.
    pub challenge_from: f64,
    /// Score from which a person should look.
    pub review_from: f64,
    /// Score from which an event is refused.
    pub deny_from: Option<f64>,
    /// Score from which new values wait in quarantine.
    pub quarantine_from: f64,
    /// Prior shares of the attacker profiles.
    pub priors: Priors,
    /// Weights of the families of evidence.
    pub weights: FamilyWeights,
    /// How verdicts move weights.
    pub learning: Learning,
}

/// How verdicts move weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Learning {
    /// Whether candidates are learned from labels.
    pub candidates: bool,
    /// Labels before the first candidate.
    pub labels_min: u16,
    /// Labels of one person that count.
    pub author_labels_max: f64,
    /// Who makes a candidate the champion.
    pub promote: Promote,
}

/// Prior shares of the attacker profiles; they sum to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Priors {
    pub opportunistic: f64,
    pub country_aware: f64,
    pub targeted: f64,
    pub token_theft: f64,
    pub insider: f64,
}

/// Weights of the families of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FamilyWeights {
    /// Where on the network an event comes from.
    pub network: f64,
    /// The client.
    pub device: f64,
    /// Network and client together.
    pub joint: f64,
    /// The hour of the week.
    pub clock: f64,
    /// The silence before the event.
    pub gap: f64,
    /// The speed between places.
    pub motion: f64,
    /// How an identity is proved.
    pub authentication: f64,
    /// Sessions and credentials.
    pub session: f64,
    /// What is used.
    pub resource: f64,
    /// What follows what.
    pub sequence: f64,
    /// Bursts of failures.
    pub burst: f64,
    /// Campaigns over several accounts.
    pub campaign: f64,
    /// What is new to a machine.
    pub machine: f64,
    /// How much is done.
    pub volume: f64,
    /// Most that one family may move the total, nats.
    pub family_nats_max: f64,
    /// Most that bursts of failures may move the total, nats.
    pub burst_nats_max: f64,
    /// Most that sessions, that prompts and ways in, and that volumes may move the total, nats.
    pub conduct_nats_max: f64,
    /// Most that what is used may move the total, nats.
    pub used_nats_max: f64,
}

/// What becomes a finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Findings {
    /// Score from which an event belongs to a finding.
    pub from_score: f64,
    /// Window, from its first event.
    pub window_hours: u16,
}

/// How files are replayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Replay {
    /// Memory for putting events in order.
    pub memory: Size,
    /// Threads; absent means the number of cores.
    pub threads: Option<u16>,
    /// Directory for temporary files; absent means the system's.
    pub temp_dir: Option<PathBuf>,
}

impl Default for Formats {
    fn default() -> Self {
        Self {
            default: "auto".to_owned(),
            assume_year: None,
            utc_offset: UtcOffset::default(),
        }
    }
}

impl Default for Enrich {
    fn default() -> Self {
        Self {
            embedded_countries: true,
            city_mmdb: None,
            asn_mmdb: None,
            anonymous_ip_mmdb: None,
            connection_type_mmdb: None,
            ip_list: Vec::new(),
        }
    }
}

impl Default for Scoring {
    fn default() -> Self {
        let (thresholds, engine) = (Thresholds::default(), EngineConfig::default());
        Self {
            challenge_from: thresholds.challenge_from,
            review_from: thresholds.review_from,
            deny_from: thresholds.deny_from,
            quarantine_from: engine.quarantine_from,
            priors: Priors::default(),
            weights: FamilyWeights::default(),
            learning: Learning::default(),
        }
    }
}

impl Default for Learning {
    fn default() -> Self {
        let usual = LearningRules::default();
        Self {
            candidates: usual.candidates,
            labels_min: u16::try_from(usual.labels_min).unwrap_or(u16::MAX),
            author_labels_max: usual.author_labels_max,
            promote: usual.promote,
        }
    }
}

impl Default for Priors {
    fn default() -> Self {
        let [opportunistic, country_aware, targeted, token_theft, insider] = Weights::default().priors;
        Self {
            opportunistic,
            country_aware,
            targeted,
            token_theft,
            insider,
        }
    }
}

impl Default for FamilyWeights {
    fn default() -> Self {
        let usual = Weights::default();
        Self {
            network: usual.of(Family::Network),
            device: usual.of(Family::Device),
            joint: usual.of(Family::Joint),
            clock: usual.of(Family::Clock),
            gap: usual.of(Family::Gap),
            motion: usual.of(Family::Motion),
            authentication: usual.of(Family::Authentication),
            session: usual.of(Family::Session),
            resource: usual.of(Family::Resource),
            sequence: usual.of(Family::Sequence),
            burst: usual.of(Family::Burst),
            campaign: usual.of(Family::Campaign),
            machine: usual.of(Family::Machine),
            volume: usual.of(Family::Volume),
            family_nats_max: usual.family_nats_max,
            burst_nats_max: usual.burst_nats_max,
            conduct_nats_max: usual.conduct_nats_max,
            used_nats_max: usual.used_nats_max,
        }
    }
}

impl Default for Findings {
    fn default() -> Self {
        // The usual alert budget, one legitimate event in 1,000 (SCORING 10); a day is one person's shift and sleep.
        Self {
            from_score: 60.0,
            window_hours: 24,
        }
    }
}

impl Default for Replay {
    fn default() -> Self {
        Self {
            memory: Size(cli::Bytes(256 << 20)),
            threads: None,
            temp_dir: None,
        }
    }
}

impl FamilyWeights {
    /// The weight of a family.
    pub const fn of(&self, family: Family) -> f64 {
        match family {
            Family::Network => self.network,
            Family::Device => self.device,
            Family::Joint => self.joint,
            Family::Clock => self.clock,
            Family::Gap => self.gap,
            Family::Motion => self.motion,
            Family::Authentication => self.authentication,
            Family::Session => self.session,
            Family::Resource => self.resource,
            Family::Sequence => self.sequence,
            Family::Burst => self.burst,
            Family::Campaign => self.campaign,
            Family::Machine => self.machine,
            Family::Volume => self.volume,
        }
    }
}

impl Config {
    /// The engine's part, for a number of shards.
    pub fn engine(&self, shards: usize) -> EngineConfig {
        let Scoring {
            priors,
            weights,
            learning,
            ..
        } = &self.scoring;
        EngineConfig {
            hash_key: HashKey::REPLAY,
            weights: Weights {
                priors: [
                    priors.opportunistic,
                    priors.country_aware,
                    priors.targeted,
                    priors.token_theft,
                    priors.insider,
                ],
                families: Family::ALL.map(|family| weights.of(family)),
                family_nats_max: weights.family_nats_max,
                burst_nats_max: weights.burst_nats_max,
                conduct_nats_max: weights.conduct_nats_max,
                used_nats_max: weights.used_nats_max,
            },
            thresholds: Thresholds {
                challenge_from: self.scoring.challenge_from,
                review_from: self.scoring.review_from,
                deny_from: self.scoring.deny_from,
            },
            quarantine_from: self.scoring.quarantine_from,
            learning: LearningRules {
                candidates: learning.candidates,
                labels_min: usize::from(learning.labels_min),
                author_labels_max: learning.author_labels_max,
                promote: learning.promote,
            },
            shards,
            ..EngineConfig::default()
        }
    }
}
