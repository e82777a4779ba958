//! What is known of a simulated event: the truth no detector sees.

use crate::scenarios::ScenarioKind;
use habitus_model::Event;
use habitus_model::evidence::Family;
use serde::{Deserialize, Serialize};

/// What a legitimate login has about it that could be mistaken for a takeover. Where several apply, the first in
/// the order of [`Cohort::ALL`] is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cohort {
    /// The owner failed: a typo, a forgotten password.
    FailedByOwner,
    /// The owner denied an own prompt by mistake, or did not answer it in time.
    UnansweredByOwner,
    /// An authorised test of passwords.
    Pentest,
    /// A password is reset for everybody, and the logins right after.
    ResetWave,
    /// Among the first three logins of somebody whom a merger or a campaign brought.
    Influx,
    /// The account's first successful login.
    First,
    /// The account was silent for 90 days or more (in periods below 270 days: for a third of the period).
    Dormant,
    /// Away from home, at home or abroad.
    Travel,
    /// Through a commercial VPN, a relay, or the company's own gateway.
    Vpn,
    /// From the office's lines after it moved, in the first two weeks.
    OfficeMove,
    /// At night, to look after something that broke.
    OnCall,
    /// On somebody else's device.
    Borrowed,
    /// The first login with a device that will stay.
    NewDevice,
    /// One of the first three logins after moving house or changing provider, or from a network seldom used (a
    /// café, friends).
    NewNetwork,
    /// Over the mobile carrier.
    Mobile,
    /// A session that goes on over another network than it began on.
    SessionMoved,
    /// Something that the account has not used before.
    NewResource,
    /// Much at once, for a reason: month's end, a migration, a new laptop, a clean-up, a backup.
    Bulk,
    /// An administrator's directory action, or an owner's on the own account.
    Administration,
    /// A machine in the first day on another network.
    MachineMoved,
    /// A machine as ever.
    Machine,
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
    /// The same, with the victim's browser in another version; the victim's devices show no key.
    SimilarClientTakeover,
    /// The same, with the victim's exact user agent; the victim's devices show no key.
    IdenticalClientTakeover,
    /// The same, against a victim whose devices show a key, which the attacker's does not.
    KeyedClientTakeover,
}

/// Which planted attack an event belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Planted {
    /// What it is an example of.
    pub kind: ScenarioKind,
    /// Its number within the world; the events of one attack share it.
    pub campaign: u32,
}

/// The truth about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// By the account's owner.
    Legitimate(Cohort),
    /// By somebody else; always a successful login, and a probe: to be scored, not learned.
    Attack(AttackKind),
    /// Part of an attack of several events that stands in the log: learned from like anything else.
    Scenario(Planted),
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
    pub const ALL: [Cohort; 22] = [
        Cohort::FailedByOwner,
        Cohort::UnansweredByOwner,
        Cohort::Pentest,
        Cohort::ResetWave,
        Cohort::Influx,
        Cohort::First,
        Cohort::Dormant,
        Cohort::Travel,
        Cohort::Vpn,
        Cohort::OfficeMove,
        Cohort::OnCall,
        Cohort::Borrowed,
        Cohort::NewDevice,
        Cohort::NewNetwork,
        Cohort::Mobile,
        Cohort::SessionMoved,
        Cohort::NewResource,
        Cohort::Bulk,
        Cohort::Administration,
        Cohort::MachineMoved,
        Cohort::Machine,
        Cohort::Usual,
    ];

    /// The name in snake case, as reports write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Cohort::FailedByOwner => "failed_by_owner",
            Cohort::UnansweredByOwner => "unanswered_by_owner",
            Cohort::Pentest => "pentest",
            Cohort::ResetWave => "reset_wave",
            Cohort::Influx => "influx",
            Cohort::First => "first",
            Cohort::Dormant => "dormant",
            Cohort::Travel => "travel",
            Cohort::Vpn => "vpn",
            Cohort::OfficeMove => "office_move",
            Cohort::OnCall => "on_call",
            Cohort::Borrowed => "borrowed",
            Cohort::NewDevice => "new_device",
            Cohort::NewNetwork => "new_network",
            Cohort::Mobile => "mobile",
            Cohort::SessionMoved => "session_moved",
            Cohort::NewResource => "new_resource",
            Cohort::Bulk => "bulk",
            Cohort::Administration => "administration",
            Cohort::MachineMoved => "machine_moved",
            Cohort::Machine => "machine",
            Cohort::Usual => "usual",
        }
    }
}

impl Label {
    /// The name in snake case, as label files write it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Label::Legitimate(cohort) => cohort.name(),
            Label::Attack(kind) => kind.name(),
            Label::Scenario(planted) => planted.kind.name(),
        }
    }

    /// Whether somebody else than the owner did it.
    #[must_use]
    pub const fn is_attack(&self) -> bool {
        matches!(self, Label::Attack(_) | Label::Scenario(_))
    }
}

impl AttackKind {
    /// Every kind, the clumsiest first.
    pub const ALL: [AttackKind; 6] = [
        AttackKind::ForeignTakeover,
        AttackKind::SameCountryTakeover,
        AttackKind::SameProviderTakeover,
        AttackKind::SimilarClientTakeover,
        AttackKind::IdenticalClientTakeover,
        AttackKind::KeyedClientTakeover,
    ];

    /// The name in snake case, as reports write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            AttackKind::ForeignTakeover => "foreign_takeover",
            AttackKind::SameCountryTakeover => "same_country_takeover",
            AttackKind::SameProviderTakeover => "same_provider_takeover",
            AttackKind::SimilarClientTakeover => "similar_client_takeover",
            AttackKind::IdenticalClientTakeover => "identical_client_takeover",
            AttackKind::KeyedClientTakeover => "keyed_client_takeover",
        }
    }

    /// Families that the planted cause belongs to: an explanation is right if its strongest reason is of one of these.
    #[must_use]
    pub const fn causes(self) -> &'static [Family] {
        match self {
            AttackKind::ForeignTakeover => &[Family::Network, Family::Joint, Family::Motion],
            AttackKind::SameCountryTakeover
            | AttackKind::SameProviderTakeover
            | AttackKind::SimilarClientTakeover
            | AttackKind::IdenticalClientTakeover => &[Family::Network, Family::Joint, Family::Device],
            AttackKind::KeyedClientTakeover => &[Family::Device, Family::Joint],
        }
    }
}
