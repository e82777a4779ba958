//! What a detector says: evidence with a sign and a reason, or an abstention with its cause.

use crate::assessment::Blind;
use crate::{Asn, CountryCode, Text};
use serde::{Deserialize, Serialize};

/// Families of evidence (SCORING 0). Families of one cluster share what they know; fusion damps the overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// N: where on the network.
    Network,
    /// D: with what client.
    Device,
    /// ND: both at once.
    Joint,
    /// C: at what hour.
    Clock,
    /// G: after what silence.
    Gap,
    /// M: how fast between places.
    Motion,
    /// A: by what proof.
    Authentication,
    /// S: in what session.
    Session,
    /// R: towards what resource.
    Resource,
    /// Q: after what actions.
    Sequence,
    /// B: among how many attempts.
    Burst,
    /// X: together with which other accounts.
    Campaign,
    /// What is new to a machine, which changes nothing by chance.
    Machine,
    /// V: how much within an hour and a day.
    Volume,
}

impl Family {
    /// How many there are.
    pub const COUNT: usize = 14;
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Network,
        Self::Device,
        Self::Joint,
        Self::Clock,
        Self::Gap,
        Self::Motion,
        Self::Authentication,
        Self::Session,
        Self::Resource,
        Self::Sequence,
        Self::Burst,
        Self::Campaign,
        Self::Machine,
        Self::Volume,
    ];

    /// Its place in [`Family::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Network => 0,
            Self::Device => 1,
            Self::Joint => 2,
            Self::Clock => 3,
            Self::Gap => 4,
            Self::Motion => 5,
            Self::Authentication => 6,
            Self::Session => 7,
            Self::Resource => 8,
            Self::Sequence => 9,
            Self::Burst => 10,
            Self::Campaign => 11,
            Self::Machine => 12,
            Self::Volume => 13,
        }
    }

    /// The name in snake case, as verdicts and configuration write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Device => "device",
            Self::Joint => "joint",
            Self::Clock => "clock",
            Self::Gap => "gap",
            Self::Motion => "motion",
            Self::Authentication => "authentication",
            Self::Session => "session",
            Self::Resource => "resource",
            Self::Sequence => "sequence",
            Self::Burst => "burst",
            Self::Campaign => "campaign",
            Self::Machine => "machine",
            Self::Volume => "volume",
        }
    }
}

/// Attacker profiles: each detector says how likely its observation is under each (SCORING 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttackerProfile {
    /// Stuffing, spray, phishing kits: from anywhere, with anything.
    Opportunistic,
    /// A proxy in the victim's country.
    CountryAware,
    /// The victim's network and client are imitated.
    Targeted,
    /// A session or token is used elsewhere.
    TokenTheft,
    /// The owner's own device or the owner.
    Insider,
}

impl AttackerProfile {
    /// Every profile, in the order of all arrays by profile.
    pub const ALL: [AttackerProfile; 5] = [
        AttackerProfile::Opportunistic,
        AttackerProfile::CountryAware,
        AttackerProfile::Targeted,
        AttackerProfile::TokenTheft,
        AttackerProfile::Insider,
    ];

    /// The name in snake case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            AttackerProfile::Opportunistic => "opportunistic",
            AttackerProfile::CountryAware => "country_aware",
            AttackerProfile::Targeted => "targeted",
            AttackerProfile::TokenTheft => "token_theft",
            AttackerProfile::Insider => "insider",
        }
    }
}

/// One number per attacker profile, in the order of [`AttackerProfile::ALL`].
pub type PerProfile = [f64; 5];

/// A detector's id: the name of its file, metric label, configuration key and fixture folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct DetectorId(pub &'static str);

/// The name of one observation, as verdicts write it: `new_country`, `known_device`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Signal(pub &'static str);

/// One fact of a reason: a number or a name with its unit, rendered only when somebody reads it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum Fact {
    /// A count; rounded, with thousands separators.
    Count(f64),
    /// Days.
    Days(f64),
    /// Hours.
    Hours(f64),
    /// Kilometres.
    Km(f64),
    /// Kilometres per hour.
    KmPerHour(f64),
    /// A share in `[0, 1]`, shown as "1 in n" or per cent.
    Share(f64),
    /// A country.
    Country(CountryCode),
    /// An autonomous system.
    Asn(Asn),
    /// A name from the event.
    Name(Text),
    /// An hour of the local day, 0–23.
    Hour(u8),
}

/// Why: a sentence with holes, and the facts that fill them. Holes are `{0}`, `{1}`, …
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reason {
    /// The sentence, lower case, without a final stop.
    pub template: &'static str,
    /// The facts, in the order of the holes.
    pub facts: Vec<Fact>,
}

/// A signed log-likelihood ratio per attacker profile, with its reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// Family, for weights and clusters.
    pub family: Family,
    /// Name of the observation.
    pub signal: Signal,
    /// `ln p_attacker − ln p_legitimate`, nats, per attacker profile.
    pub nats: PerProfile,
    /// Why.
    pub reason: Reason,
}

/// What a detector says of one event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Opinion {
    /// Nothing can be said, and this is why. Not the same as 0: the score tells what it is blind to.
    Abstain(Blind),
    /// Observations, each with its own sign. Empty: looked, and found nothing worth saying.
    Evidence(Vec<Evidence>),
}

impl Reason {
    /// A sentence with facts.
    #[must_use]
    pub fn new(template: &'static str, facts: Vec<Fact>) -> Self {
        Self { template, facts }
    }
}
