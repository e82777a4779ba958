//! What events are grouped by, and the ids that follow from it.
//!
//! Windows lie on a grid: an event's window is found from its time alone, never from the event that happened to come first.
//! So the same events give the same ids in whatever order they come, and a verdict given ahead of an event's turn belongs to
//! the finding that the event will belong to. The grid of each key is shifted by a hash of the key: with one common grid all
//! behaviour that goes on would open a new finding at the same instant, which is an alert storm of our own making. What goes
//! on over the end of a window continues in the next, and both say so.

use crate::behaviour::Behaviour;
use crate::hit::{Guessing, Hit};
use habitus_model::hash::{content_digest, symbol};
use habitus_model::network::stable_host;
use habitus_model::{AccountId, Asn, EventTime, Family, Millis, Prefix, TenantId, Text};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// A finding's id: 32 hexadecimal digits, a digest of key and window. The same log gives the same ids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FindingId(Text);

/// What the events of a finding have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Key {
    /// One account stands out by one behaviour.
    Account {
        /// Whose.
        tenant: TenantId,
        /// The account.
        account: AccountId,
        /// What stands out in kind.
        behaviour: Behaviour,
    },
    /// One address guesses: whichever names it tries.
    Source {
        /// Whose.
        tenant: TenantId,
        /// The address; of IPv6 the /64.
        host: IpAddr,
    },
    /// Many accounts are tried from many places.
    Spray {
        /// Whose.
        tenant: TenantId,
    },
    /// Nobody is named.
    Nobody {
        /// Whose.
        tenant: TenantId,
        /// What stands out in kind.
        behaviour: Behaviour,
    },
    /// Several accounts stand out from one neighbourhood.
    Campaign {
        /// Whose.
        tenant: TenantId,
        /// Where they come from.
        from: Neighbourhood,
    },
    /// More findings at once than people can read.
    Storm {
        /// Whose.
        tenant: TenantId,
    },
}

/// A part of the network that one attacker plausibly works from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Neighbourhood {
    /// Addresses side by side: /24 of IPv4, /48 of IPv6.
    Prefix(Prefix),
    /// One client from anywhere in one hosting provider or relay, whose addresses are rented by the hour. Of an access
    /// provider, whose subscribers have nothing in common, this is no neighbourhood.
    Provider {
        /// The provider.
        asn: Asn,
        /// The client's label.
        client: Text,
    },
}

/// What is new in an event: the value that its strongest evidence speaks of. Two events with the same one are similar.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Novelty {
    /// Family of the evidence.
    pub behaviour: Family,
    /// The value, as text: a network, a client, both, or the name of the observation.
    pub value: Text,
}

/// A grid of windows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grid {
    window: Millis,
}

impl FindingId {
    /// From text, as it came from a URL: whether there is such a finding is not known yet.
    #[must_use]
    pub fn new(id: impl Into<Text>) -> Self {
        Self(id.into())
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Key {
    /// The finding an event belongs to by whose behaviour it is. Guessing belongs to its source, or each name tried would be a
    /// finding; to the account if that is guessed at from many sources; and to nobody's but the tenant's if many accounts are tried
    /// from many, or each of two hundred sources would be one.
    #[must_use]
    pub fn of(hit: &Hit) -> Self {
        let context = &hit.context;
        let (tenant, behaviour) = (context.tenant.clone(), hit.behaviour());
        let guessing = hit.guessing();
        if guessing == Some(Guessing::Spray) {
            return Self::Spray { tenant };
        }
        let by_source = behaviour == Behaviour::Burst && guessing != Some(Guessing::Distributed);
        match (context.network.ip.filter(|_| by_source), &context.account) {
            (Some(ip), _) => Self::Source {
                tenant,
                host: stable_host(ip),
            },
            (None, Some(account)) => Self::Account {
                tenant,
                account: account.clone(),
                behaviour,
            },
            (None, None) => Self::Nobody { tenant, behaviour },
        }
    }

    /// The campaign an event may belong to; absent without an address.
    #[must_use]
    pub fn campaign_of(hit: &Hit) -> Option<Self> {
        Neighbourhood::of(hit).map(|from| Self::Campaign {
            tenant: hit.context.tenant.clone(),
            from,
        })
    }

    /// Whose it is.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        match self {
            Self::Account { tenant, .. }
            | Self::Source { tenant, .. }
            | Self::Nobody { tenant, .. }
            | Self::Campaign { tenant, .. }
            | Self::Spray { tenant }
            | Self::Storm { tenant } => tenant,
        }
    }

    /// What its events have in common in kind.
    #[must_use]
    pub const fn behaviour(&self) -> Behaviour {
        match self {
            Self::Account { behaviour, .. } | Self::Nobody { behaviour, .. } => *behaviour,
            Self::Source { .. } => Behaviour::Burst,
            Self::Spray { .. } => Behaviour::Spray,
            Self::Campaign { .. } => Behaviour::Campaign,
            Self::Storm { .. } => Behaviour::Storm,
        }
    }

    /// Name of the behaviour in snake case.
    #[must_use]
    pub const fn behaviour_name(&self) -> &'static str {
        self.behaviour().name()
    }

    /// Whose finding it is, for people: an account, `from 203.0.113.9`, `from 203.0.113.0/24`, `many accounts`, `nobody named`.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::Account { account, .. } => account.to_string(),
            Self::Source { host, .. } => format!("from {host}"),
            Self::Nobody { .. } => "nobody named".to_owned(),
            Self::Campaign { from, .. } => format!("from {from}"),
            Self::Spray { .. } => "many accounts".to_owned(),
            Self::Storm { .. } => "many at once".to_owned(),
        }
    }

    /// The grouping in words: `alice × access`, `from 203.0.113.0/24 × campaign`.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} × {}", self.subject(), self.behaviour_name())
    }

    /// Whether it is a campaign's.
    pub(crate) const fn is_campaign(&self) -> bool {
        matches!(self, Self::Campaign { .. })
    }

    /// Whether it is about several accounts by its nature.
    pub(crate) const fn is_of_many(&self) -> bool {
        matches!(self, Self::Campaign { .. } | Self::Spray { .. })
    }

    /// Unambiguous bytes: each part with its length, so that no name can imitate another part.
    fn bytes(&self) -> Vec<u8> {
        let kind = match self {
            Self::Account { .. } => "account",
            Self::Source { .. } => "source",
            Self::Nobody { .. } => "nobody",
            Self::Campaign { .. } => "campaign",
            Self::Spray { .. } => "spray",
            Self::Storm { .. } => "storm",
        };
        let subject = self.subject();
        let parts = [kind, self.tenant().as_str(), &subject, self.behaviour_name()];
        parts
            .iter()
            .flat_map(|part| [part.len().to_string().as_bytes(), b":", part.as_bytes()].concat())
            .collect()
    }
}

impl Neighbourhood {
    fn of(hit: &Hit) -> Option<Self> {
        let network = &hit.context.network;
        let rented = network.class.is_rented();
        match (network.asn, rented && !hit.context.client.is_unknown()) {
            (Some(asn), true) => Some(Self::Provider {
                asn,
                client: Text::new(hit.context.client.label()),
            }),
            (Some(_) | None, _) => network.ip.map(|ip| Self::Prefix(Prefix::of(ip))),
        }
    }
}

impl fmt::Display for Neighbourhood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(prefix) => prefix.fmt(f),
            Self::Provider { asn, client } => write!(f, "{asn} with {client}"),
        }
    }
}

impl Novelty {
    /// Of an event; absent if nothing accuses, or if the value is not known.
    #[must_use]
    pub fn of(hit: &Hit) -> Option<Self> {
        let lead = hit.lead()?;
        let behaviour = lead.family?;
        let client = || (!hit.context.client.is_unknown()).then(|| hit.context.client.label());
        let value = match behaviour {
            Family::Network | Family::Motion | Family::Session | Family::Campaign => network(hit)?,
            Family::Device => client()?,
            Family::Joint => format!("{} with {}", network(hit)?, client()?),
            Family::Burst => stable_host(hit.context.network.ip?).to_string(),
            Family::Clock
            | Family::Gap
            | Family::Authentication
            | Family::Resource
            | Family::Sequence
            | Family::Machine
            | Family::Volume => {
                format!("{} at {}", lead.signal, hit.context.activity.activity_name())
            }
        };
        Some(Self {
            behaviour,
            value: Text::from(value),
        })
    }
}

/// The provider where addresses are rented, else the prefix.
fn network(hit: &Hit) -> Option<String> {
    Some(match Neighbourhood::of(hit)? {
        Neighbourhood::Provider { asn, .. } => asn.to_string(),
        Neighbourhood::Prefix(prefix) => prefix.to_string(),
    })
}

impl Grid {
    /// Windows of this length, at least a minute.
    pub(crate) fn new(window: Millis) -> Self {
        Self {
            window: Millis(window.0.max(60_000)),
        }
    }

    /// The length.
    pub(crate) const fn window(self) -> Millis {
        self.window
    }

    /// Start of the key's window that holds this time.
    pub(crate) fn start(self, key: &Key, time: EventTime) -> EventTime {
        let window = self.window.0;
        let shift = i64::try_from(symbol(&key.bytes()) % window.unsigned_abs()).unwrap_or(0);
        let into = (time.as_millis() - shift).rem_euclid(window);
        time.plus(Millis(-into))
    }

    /// The id of the key's finding in the window that starts then.
    pub(crate) fn id(key: &Key, start: EventTime) -> FindingId {
        let mut bytes = key.bytes();
        bytes.extend_from_slice(&start.as_millis().to_be_bytes());
        FindingId(Text::from(content_digest(&bytes)))
    }

    /// Id and start of the key's finding at this time.
    pub(crate) fn place(self, key: &Key, time: EventTime) -> (FindingId, EventTime) {
        let start = self.start(key, time);
        (Self::id(key, start), start)
    }
}
