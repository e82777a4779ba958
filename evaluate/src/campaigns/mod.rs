//! Attacks of several events in the log: whether each is found, when, and at what price in false alarms.

mod found;
mod report;
mod run;
mod unit;

pub use found::{Found, Ground, Hunt, Search, Until};
pub(crate) use report::estimate;
pub use report::{ScenarioReport, StreamRegime, StreamScorer, StreamWorld, summarise_streams};
pub use run::{Enrich, Seen, StreamOutcome, StreamScores, run_activity, run_stream};
pub use unit::Unit;

use habitus_sim::ScenarioKind;

/// What alarms about a kind of attack are counted against.
#[must_use]
pub const fn unit_of(kind: ScenarioKind) -> Unit {
    match kind {
        ScenarioKind::SessionTheft => Unit::Session,
        ScenarioKind::PushFatigue => Unit::Prompted,
        ScenarioKind::BruteForce
        | ScenarioKind::PasswordSpray
        | ScenarioKind::SlowSpray
        | ScenarioKind::CredentialStuffing => Unit::SourceDay,
        ScenarioKind::TakeoverCampaign
        | ScenarioKind::HelpDeskReset
        | ScenarioKind::DormantAccount
        | ScenarioKind::LowAndSlow
        | ScenarioKind::Poisoning => Unit::Login,
        ScenarioKind::ServiceKeyLeak | ScenarioKind::WrongWorkflow => Unit::MachineEvent,
        ScenarioKind::InsiderExploration
        | ScenarioKind::PrivilegeEscalation
        | ScenarioKind::LateralMovement
        | ScenarioKind::BulkDownload
        | ScenarioKind::CreationSpike => Unit::AccountDay,
    }
}
