//! What is counted: alarms are paid for by the login, the session, the prompted login, the machine's event, the day of
//! an account, or the day of a source, whatever a budget is written in.

use habitus_model::activity::AuthenticationActivity as Auth;
use habitus_model::event::LogonType;
use habitus_model::{AccountKind, Activity, Event, Status};
use serde::Serialize;

/// What one alarm is counted against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A successful login of a person.
    Login,
    /// A session after its login.
    Session,
    /// A login with its prompts for the second factor.
    Prompted,
    /// An event of a machine.
    MachineEvent,
    /// Everything an account does in a day. A failed login proves no identity: who guesses at sixty accounts is one source's
    /// alarm ([`Unit::SourceDay`]) and none of the sixty.
    AccountDay,
    /// Failed logins from one address in a day.
    SourceDay,
}

impl Unit {
    /// Every unit.
    pub const ALL: [Unit; 6] = [
        Unit::Login,
        Unit::Session,
        Unit::Prompted,
        Unit::MachineEvent,
        Unit::AccountDay,
        Unit::SourceDay,
    ];

    /// Its place in [`Unit::ALL`].
    pub(super) fn position(self) -> usize {
        Unit::ALL.iter().position(|unit| *unit == self).unwrap_or(0)
    }

    /// As reports write it, in the plural.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Unit::Login => "logins",
            Unit::Session => "sessions",
            Unit::Prompted => "prompted logins",
            Unit::MachineEvent => "machine events",
            Unit::AccountDay => "account-days",
            Unit::SourceDay => "days of a source",
        }
    }

    /// Whether an event is part of such a unit.
    #[must_use]
    pub fn holds(self, event: &Event) -> bool {
        let machine = event.account.kind == AccountKind::Service;
        let failed = is_login(event) && event.status == Status::Failure;
        match self {
            Unit::Login => is_login(event) && event.status == Status::Success && !machine,
            Unit::Session => event.session.is_some() && !is_login(event) && !is_prompt(event),
            Unit::Prompted => event.session.is_some() && is_prompt(event),
            Unit::MachineEvent => machine,
            Unit::AccountDay => event.account.is_somebody() && !failed,
            Unit::SourceDay => failed && event.src.ip.is_some(),
        }
    }
}

/// A person's login; a login to a host over the network is a use of the host.
fn is_login(event: &Event) -> bool {
    event.activity == Activity::Authentication(Auth::Logon) && event.auth.logon_type != LogonType::Network
}

fn is_prompt(event: &Event) -> bool {
    event.activity == Activity::Authentication(Auth::Preauth)
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_model::{EventTime, EventUid, SourceName, User};

    #[test]
    fn a_guess_at_a_password_is_an_alarm_of_its_source_and_not_of_the_account() {
        let Some((time, alice)) = EventTime::from_millis(0).zip(User::by_name("alice")) else {
            panic!("both are given");
        };
        let logon = Activity::Authentication(Auth::Logon);
        let mut event = Event::new(EventUid::new("1"), time, SourceName::new("t"), logon, "logon");
        event.account = alice;
        event.src.ip = "192.0.2.1".parse().ok();
        event.status = Status::Failure;
        assert!(Unit::SourceDay.holds(&event) && !Unit::AccountDay.holds(&event));
        event.status = Status::Success;
        assert!(!Unit::SourceDay.holds(&event) && Unit::AccountDay.holds(&event));
    }
}
