//! Attacks of several events that stand in the log. Adding one: a file here with a `play`, and a line in [`LIST`].

mod brute_force;
mod bulk_download;
mod creation_spike;
mod credential_stuffing;
mod dormant_account;
mod help_desk_reset;
mod insider_exploration;
mod lateral_movement;
mod low_and_slow;
mod password_spray;
mod poisoning;
mod privilege_escalation;
mod push_fatigue;
mod service_key_leak;
mod session_theft;
mod slow_spray;
mod stage;
mod takeover_campaign;
mod wrong_workflow;

use crate::rng::Rng;
use habitus_model::evidence::Family;
use serde::{Deserialize, Serialize};
pub(crate) use stage::Stage;

/// What a planted attack is an example of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScenarioKind {
    /// A stolen session goes on over another network or with another client.
    SessionTheft,
    /// A victim is asked again and again until one prompt is approved, or not.
    PushFatigue,
    /// Many passwords are tried on one account.
    BruteForce,
    /// One password a day is tried on each account, from 200 sources.
    PasswordSpray,
    /// A few sources try one account after another, some an hour, for weeks.
    SlowSpray,
    /// A list of leaked names and passwords is tried within hours; a few are right.
    CredentialStuffing,
    /// Several accounts are taken over from one provider with one client.
    TakeoverCampaign,
    /// The help desk is talked into removing a victim's factors; the attacker adds one and logs in.
    HelpDeskReset,
    /// A machine's credential is used from elsewhere with another tool.
    ServiceKeyLeak,
    /// A workflow that is not the machine's own uses its account.
    WrongWorkflow,
    /// An account that nobody used for weeks is used by somebody else.
    DormantAccount,
    /// An owner opens one sensitive thing after another that is not the owner's business.
    InsiderExploration,
    /// Somebody without administrative rights gives rights and keys to the own account.
    PrivilegeEscalation,
    /// An account goes from host to host that it never used.
    LateralMovement,
    /// An attacker with the password comes once a day, looks at little, and goes.
    LowAndSlow,
    /// An attacker logs in quietly each day, so that the network and the device become normal.
    Poisoning,
    /// Many things are fetched quickly, by an owner who leaves or by whoever has the account.
    BulkDownload,
    /// A taken key makes many resources, to mine with.
    CreationSpike,
}

/// A kind with how many of it a world usually has, and how one is played.
pub(crate) struct Scenario {
    pub kind: ScenarioKind,
    pub usual: u32,
    /// Plays one; gives up with `None` where the world has nothing that fits.
    pub play: fn(&mut Rng, &mut Stage<'_>) -> Option<()>,
}

/// Every scenario. The usual numbers keep attacks rare among the events and still give intervals over five worlds.
#[rustfmt::skip]
pub(crate) const LIST: [Scenario; 18] = [
    Scenario { kind: ScenarioKind::SessionTheft, usual: 24, play: session_theft::play },
    Scenario { kind: ScenarioKind::PushFatigue, usual: 24, play: push_fatigue::play },
    Scenario { kind: ScenarioKind::BruteForce, usual: 6, play: brute_force::play },
    Scenario { kind: ScenarioKind::PasswordSpray, usual: 1, play: password_spray::play },
    Scenario { kind: ScenarioKind::SlowSpray, usual: 1, play: slow_spray::play },
    Scenario { kind: ScenarioKind::CredentialStuffing, usual: 1, play: credential_stuffing::play },
    Scenario { kind: ScenarioKind::TakeoverCampaign, usual: 2, play: takeover_campaign::play },
    Scenario { kind: ScenarioKind::HelpDeskReset, usual: 6, play: help_desk_reset::play },
    Scenario { kind: ScenarioKind::ServiceKeyLeak, usual: 12, play: service_key_leak::play },
    Scenario { kind: ScenarioKind::WrongWorkflow, usual: 12, play: wrong_workflow::play },
    Scenario { kind: ScenarioKind::DormantAccount, usual: 6, play: dormant_account::play },
    Scenario { kind: ScenarioKind::InsiderExploration, usual: 12, play: insider_exploration::play },
    Scenario { kind: ScenarioKind::PrivilegeEscalation, usual: 8, play: privilege_escalation::play },
    Scenario { kind: ScenarioKind::LateralMovement, usual: 8, play: lateral_movement::play },
    Scenario { kind: ScenarioKind::LowAndSlow, usual: 4, play: low_and_slow::play },
    Scenario { kind: ScenarioKind::Poisoning, usual: 4, play: poisoning::play },
    Scenario { kind: ScenarioKind::BulkDownload, usual: 12, play: bulk_download::play },
    Scenario { kind: ScenarioKind::CreationSpike, usual: 12, play: creation_spike::play },
];

impl ScenarioKind {
    /// Every kind.
    pub const ALL: [ScenarioKind; 18] = [
        ScenarioKind::SessionTheft,
        ScenarioKind::PushFatigue,
        ScenarioKind::BruteForce,
        ScenarioKind::PasswordSpray,
        ScenarioKind::SlowSpray,
        ScenarioKind::CredentialStuffing,
        ScenarioKind::TakeoverCampaign,
        ScenarioKind::HelpDeskReset,
        ScenarioKind::ServiceKeyLeak,
        ScenarioKind::WrongWorkflow,
        ScenarioKind::DormantAccount,
        ScenarioKind::InsiderExploration,
        ScenarioKind::PrivilegeEscalation,
        ScenarioKind::LateralMovement,
        ScenarioKind::LowAndSlow,
        ScenarioKind::Poisoning,
        ScenarioKind::BulkDownload,
        ScenarioKind::CreationSpike,
    ];

    /// The name in snake case, as reports write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            ScenarioKind::SessionTheft => "session_theft",
            ScenarioKind::PushFatigue => "push_fatigue",
            ScenarioKind::BruteForce => "brute_force",
            ScenarioKind::PasswordSpray => "password_spray",
            ScenarioKind::SlowSpray => "slow_spray",
            ScenarioKind::CredentialStuffing => "credential_stuffing",
            ScenarioKind::TakeoverCampaign => "takeover_campaign",
            ScenarioKind::HelpDeskReset => "help_desk_reset",
            ScenarioKind::ServiceKeyLeak => "service_key_leak",
            ScenarioKind::WrongWorkflow => "wrong_workflow",
            ScenarioKind::DormantAccount => "dormant_account",
            ScenarioKind::InsiderExploration => "insider_exploration",
            ScenarioKind::PrivilegeEscalation => "privilege_escalation",
            ScenarioKind::LateralMovement => "lateral_movement",
            ScenarioKind::LowAndSlow => "low_and_slow",
            ScenarioKind::Poisoning => "poisoning",
            ScenarioKind::BulkDownload => "bulk_download",
            ScenarioKind::CreationSpike => "creation_spike",
        }
    }

    /// Families that the planted cause belongs to: an explanation is right if its strongest reason is of one of these.
    #[must_use]
    pub const fn causes(self) -> &'static [Family] {
        match self {
            ScenarioKind::SessionTheft => &[Family::Session],
            ScenarioKind::PushFatigue => &[Family::Authentication],
            ScenarioKind::BruteForce => &[Family::Burst],
            ScenarioKind::PasswordSpray | ScenarioKind::SlowSpray | ScenarioKind::CredentialStuffing => {
                &[Family::Burst, Family::Campaign]
            }
            ScenarioKind::TakeoverCampaign => &[
                Family::Network,
                Family::Device,
                Family::Joint,
                Family::Campaign,
                Family::Motion,
            ],
            ScenarioKind::HelpDeskReset => &[Family::Authentication, Family::Sequence],
            ScenarioKind::LowAndSlow | ScenarioKind::Poisoning => {
                &[Family::Network, Family::Device, Family::Joint]
            }
            // A key is a session that lasts.
            ScenarioKind::ServiceKeyLeak => &[
                Family::Machine,
                Family::Session,
                Family::Network,
                Family::Device,
                Family::Joint,
            ],
            ScenarioKind::WrongWorkflow => &[Family::Machine, Family::Authentication, Family::Resource],
            ScenarioKind::DormantAccount => &[Family::Gap, Family::Network, Family::Device, Family::Joint],
            ScenarioKind::InsiderExploration | ScenarioKind::LateralMovement => {
                &[Family::Resource, Family::Sequence]
            }
            // Part of them is planted by somebody who comes in as a stranger.
            ScenarioKind::PrivilegeEscalation => &[
                Family::Resource,
                Family::Sequence,
                Family::Network,
                Family::Device,
                Family::Joint,
                Family::Motion,
            ],
            ScenarioKind::BulkDownload | ScenarioKind::CreationSpike => &[
                Family::Volume,
                Family::Machine,
                Family::Network,
                Family::Device,
                Family::Joint,
                Family::Motion,
            ],
        }
    }
}
