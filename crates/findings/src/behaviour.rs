//! What findings are grouped by in kind, and names and titles for people.

use habitus_model::{Family, Status};
use serde::{Deserialize, Serialize};

/// What the events of a finding have in common in kind.
///
/// How somebody came in is one behaviour, whichever part of it stands out most: one takeover shows a new network at one login,
/// a new client at the next and an odd hour at a third, and is one thing to work on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Behaviour {
    /// Coming in: from where, with what, when, how fast, by what proof.
    Access,
    /// What a session does.
    Session,
    /// What is reached for.
    Resource,
    /// What follows what.
    Sequence,
    /// Guessing.
    Burst,
    /// Guessing at many accounts from many places.
    Spray,
    /// Several accounts from one neighbourhood.
    Campaign,
    /// More findings at once than people can read.
    Storm,
    /// How much is done.
    Volume,
}

impl Behaviour {
    /// The behaviour of an event, by its strongest evidence; absent if nothing accuses by itself. Guessing that succeeds is
    /// access: what is taken over then is the account. So is being part of a campaign, which groups by itself.
    #[must_use]
    pub const fn of(lead: Option<Family>, status: Status) -> Self {
        match (lead, status) {
            (Some(Family::Burst), Status::Success) => Self::Access,
            (Some(Family::Burst), _) => Self::Burst,
            (Some(Family::Session), _) => Self::Session,
            (Some(Family::Resource), _) => Self::Resource,
            (Some(Family::Sequence), _) => Self::Sequence,
            (Some(Family::Volume), _) => Self::Volume,
            (
                Some(
                    Family::Network
                    | Family::Device
                    | Family::Joint
                    | Family::Clock
                    | Family::Gap
                    | Family::Motion
                    | Family::Authentication
                    | Family::Campaign
                    | Family::Machine,
                )
                | None,
                _,
            ) => Self::Access,
        }
    }

    /// The name in snake case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Session => "session",
            Self::Resource => "resource",
            Self::Sequence => "sequence",
            Self::Volume => "volume",
            Self::Burst => "burst",
            Self::Spray => "spray",
            Self::Campaign => "campaign",
            Self::Storm => "storm",
        }
    }

    /// What the analytic that finds it is called.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Access => "Unusual access",
            Self::Session => title(Some(Family::Session)),
            Self::Resource => title(Some(Family::Resource)),
            Self::Sequence => title(Some(Family::Sequence)),
            Self::Volume => title(Some(Family::Volume)),
            Self::Burst => title(Some(Family::Burst)),
            Self::Spray => "Password spray",
            Self::Campaign => title(Some(Family::Campaign)),
            Self::Storm => "More findings at once than people can read",
        }
    }
}

/// What stands out, as a title.
#[must_use]
pub const fn title(family: Option<Family>) -> &'static str {
    match family {
        Some(Family::Network) => "Access from an unusual network or place",
        Some(Family::Device) => "Access with an unusual device or client",
        Some(Family::Joint) => "Unusual pair of network and client",
        Some(Family::Clock) => "Access at an unusual hour",
        Some(Family::Gap) => "Access after an unusual silence",
        Some(Family::Motion) => "Faster between places than people travel",
        Some(Family::Authentication) => "Unusual proof of identity",
        Some(Family::Session) => "Unusual session",
        Some(Family::Resource) => "Access to something unusual",
        Some(Family::Sequence) => "Unusual sequence of actions",
        Some(Family::Burst) => "Unusually many attempts",
        Some(Family::Campaign) => "Part of a campaign over several accounts",
        Some(Family::Machine) => "A machine account used in an unusual way",
        Some(Family::Volume) => "Unusually much done at once",
        None => "Unusual access",
    }
}
