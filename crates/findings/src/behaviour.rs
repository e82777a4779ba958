//! Names and titles of behaviours, for people.

use habitus_model::Family;

/// A family's name in snake case, as verdicts write it.
#[must_use]
pub const fn name(family: Family) -> &'static str {
    match family {
        Family::Network => "network",
        Family::Device => "device",
        Family::Joint => "joint",
        Family::Clock => "clock",
        Family::Gap => "gap",
        Family::Motion => "motion",
        Family::Authentication => "authentication",
        Family::Session => "session",
        Family::Resource => "resource",
        Family::Sequence => "sequence",
        Family::Burst => "burst",
        Family::Campaign => "campaign",
        Family::Machine => "machine",
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
        None => "Unusual access",
    }
}
