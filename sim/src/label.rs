//! What is known of a simulated event: the truth no detector sees.

use habitus_model::Event;
use serde::{Deserialize, Serialize};

/// What a legitimate login has about it that could be mistaken for a takeover. Where several apply, the first in
/// the order of [`Cohort::ALL`] is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cohort {
    /// The owner failed: a typo, a forgotten password.
    FailedByOwner,
    /// The account's first successful login.
    First,
    /// The account was silent for 90 days or more (in periods below 270 days: for a third of the period).
    Dormant,
    /// Away from home, at home or abroad.
    Travel,
    /// Through a commercial VPN, a relay, or the company's own gateway.
    Vpn,
    /// On somebody else's device.
    Borrowed,
    /// The first login with a device that will stay.
    NewDevice,
    /// One of the first three logins after moving house or changing provider, or from a network seldom used (a
    /// café, friends).
    NewNetwork,
    /// Over the mobile carrier.
    Mobile,
    /// Nothing of the above.
    Usual,
}

/// How much an attacker who has the password took care to look like the owner (SCORING 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttackKind {
    /// From a country that is not usual for the tenant, with the attacker's own client.
    ForeignTakeover,
    /// From the victim's country and another provider, with a client that is popular there.
    SameCountryTakeover,
    /// From the victim's own provider and another prefix, with a popular client of the victim's operating system.
    SameProviderTakeover,
}

/// The truth about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// By the account's owner.
    Legitimate(Cohort),
    /// By somebody else; always a successful login.
    Attack(AttackKind),
}

/// An event and the truth about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Labelled {
    /// What the log says.
    pub event: Event,
    /// What is true.
    pub label: Label,
}

impl Cohort {
    /// Every cohort, in order of precedence.
    pub const ALL: [Cohort; 10] = [
        Cohort::FailedByOwner,
        Cohort::First,
        Cohort::Dormant,
        Cohort::Travel,
        Cohort::Vpn,
        Cohort::Borrowed,
        Cohort::NewDevice,
        Cohort::NewNetwork,
        Cohort::Mobile,
        Cohort::Usual,
    ];

    /// The name in snake case, as reports write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Cohort::FailedByOwner => "failed_by_owner",
            Cohort::First => "first",
            Cohort::Dormant => "dormant",
            Cohort::Travel => "travel",
            Cohort::Vpn => "vpn",
            Cohort::Borrowed => "borrowed",
            Cohort::NewDevice => "new_device",
            Cohort::NewNetwork => "new_network",
            Cohort::Mobile => "mobile",
            Cohort::Usual => "usual",
        }
    }
}

impl AttackKind {
    /// Every kind, the clumsiest first.
    pub const ALL: [AttackKind; 3] = [
        AttackKind::ForeignTakeover,
        AttackKind::SameCountryTakeover,
        AttackKind::SameProviderTakeover,
    ];

    /// The name in snake case, as reports write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            AttackKind::ForeignTakeover => "foreign_takeover",
            AttackKind::SameCountryTakeover => "same_country_takeover",
            AttackKind::SameProviderTakeover => "same_provider_takeover",
        }
    }
}
