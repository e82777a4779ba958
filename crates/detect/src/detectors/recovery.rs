//! A: access that follows a change of factor or password, or that should have ended (FIELD rows 38, 41).
//!
//! Who takes an account over through a help desk has the factor reset and comes from a new place. Owners do the same with a
//! new phone; how often is learned, by what is new. On a network and client the account knows a change says nothing.

use crate::attacker::against;
use crate::detector::{Detector, View};
use habitus_model::evidence::PerProfile;
use habitus_model::{Blind, Deed, DetectorId, Evidence, Fact, Family, Opinion, Reason, Signal, Status, Text};
use habitus_profile::recovery::{Changer, Recovered};

/// Changes of factor and password, and access that ended.
pub struct Recovery;

/// Probability that each attacker comes after a change that others made, and after one that the owner makes: a share of takeovers
/// goes through recovery, most of it through the help desk (MGM 2023, FIELD row 38). Assumed.
const AFTER_OTHERS: PerProfile = [0.12, 0.12, 0.16, 0.04, f64::NAN];
const AFTER_OWNER: PerProfile = [0.05, 0.05, 0.08, 0.02, f64::NAN];
/// They come at once: a later visit counts for less. Assumed.
const AT_ONCE_MINUTES: f64 = 180.0;
const LATER: f64 = 0.4;
/// Probability that an account that was disabled lets its owner in, and an attacker. Assumed: the log misses that it was
/// enabled again, or sessions go on.
const DISABLED_OWNER: f64 = 0.002;
const DISABLED: PerProfile = [0.3, 0.3, 0.3, 0.3, 0.1];

impl Detector for Recovery {
    fn id(&self) -> DetectorId {
        DetectorId("recovery")
    }

    fn family(&self) -> Family {
        Family::Authentication
    }

    fn assess(&self, view: &View<'_>) -> Opinion {
        if view.seen.notice.is_none() || view.context.status != Status::Success {
            return Opinion::Abstain(Blind::NotApplicable);
        }
        let found = [disabled(view), recovered(view)];
        if found.iter().all(Option::is_none) {
            return Opinion::Abstain(Blind::NotApplicable);
        }
        Opinion::Evidence(found.into_iter().flatten().collect())
    }
}

fn disabled(view: &View<'_>) -> Option<Evidence> {
    let at = view.seen.notice.as_ref()?.disabled?;
    let reason = Reason::new(
        "the account was disabled {0} ago and is used",
        vec![Fact::Hours(view.seen.now.since(at) / 60.0)],
    );
    Some(line(
        "disabled_account",
        against(DISABLED, DISABLED_OWNER),
        reason,
    ))
}

fn recovered(view: &View<'_>) -> Option<Evidence> {
    let Recovered { deed, minutes, cell } = view.seen.recovered()?;
    if !cell.network && !cell.client {
        return None;
    }
    let changer = Changer::of(deed);
    let owner = view.population.habits().recovery().recent(cell, changer);
    let soon = if minutes <= AT_ONCE_MINUTES { 1.0 } else { LATER };
    let attackers = match changer {
        Changer::Other => AFTER_OTHERS,
        Changer::Owner => AFTER_OWNER,
    };
    let nats = against(attackers.map(|p| p * soon), owner).map(|nats| nats.max(0.0));
    let change = match deed {
        Deed::FactorRemoved => "a second factor was removed",
        Deed::FactorAdded => "a second factor was added",
        Deed::PasswordReset | Deed::Recovery => "the password was reset",
        // Nothing else is noted as a change (`Notice::latest_change`).
        Deed::SessionEnded
        | Deed::SessionsRevoked
        | Deed::AccountDisabled
        | Deed::AccountCreated
        | Deed::PrivilegeGranted
        | Deed::MemberAdded
        | Deed::KeyCreated
        | Deed::ConsentGranted
        | Deed::MailRule
        | Deed::SecretRead
        | Deed::DefenceChanged => return None,
    };
    let text = if cell.network {
        "{2} {0} before, and this is a new network: {1} of such visits follow a change"
    } else {
        "{2} {0} before, and this is a new client: {1} of such visits follow a change"
    };
    let reason = Reason::new(
        text,
        vec![
            Fact::Hours(minutes / 60.0),
            Fact::Share(owner),
            Fact::Name(Text::const_new(change)),
        ],
    );
    Some(line("after_recovery", nats, reason))
}

fn line(signal: &'static str, nats: PerProfile, reason: Reason) -> Evidence {
    Evidence {
        family: Family::Authentication,
        signal: Signal(signal),
        nats,
        reason,
    }
}
