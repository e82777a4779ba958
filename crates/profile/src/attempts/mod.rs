//! Attempts to prove an identity, counted by several keys: failures lately against failures usually, how many names were
//! tried, how many of them exist, and how many attempts succeed (SCORING 5).
//!
//! Estimates rates on two clocks, half an hour and a season, and distinct names by a sketch. Kept by address, prefix, fleet
//! (one client in one autonomous system) and account, ahead of the account stage and in the order of the log, so that
//! nothing lags. Only failures make a key known; a success is counted where failures were. Fails against who tries each
//! account once a day from everywhere: [`crate::campaigns`] watches for those. About 140 bytes a key, bounded in number
//! ([`table`]).

mod distinct;
mod keys;
mod source;
pub mod table;

pub use distinct::Distinct;
pub use keys::{AttemptKeys, KeyKind};
pub use source::Burst;

use habitus_model::{Activity, Context, EventTime, FailureReason, Status, activity::AuthenticationActivity};
use serde::{Deserialize, Serialize};
use source::Source;
use table::{Generations, GenerationsState};

/// Most keys of each sort in each of two generations, in the order of [`KeyKind::ALL`]: 70 MiB when all are full. Tenants are
/// limited elsewhere.
const CAPACITY: [usize; KeyKind::COUNT] = [65_536, 32_768, 32_768, 65_536, 4_096];

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// An identity was proven.
    Success,
    /// It was not.
    Failure {
        /// No account has that name, as far as is known.
        unknown_name: bool,
    },
    /// The event is no attempt: it is looked at and not counted.
    Neither,
}

/// One event, as it is counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attempt {
    /// Keys.
    pub keys: AttemptKeys,
    /// When.
    pub time: EventTime,
    /// How it ended.
    pub outcome: Outcome,
    /// Fingerprint of the name that was tried; 0 for none.
    pub name: u64,
    /// It is a line that may go with another one on the same failure.
    pub accompanies: bool,
}

/// What the attempts of each key say at one event; absent where the event does not show the key or nothing failed there.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bursts {
    by: [Option<Burst>; 4],
}

/// The keys of all tenants.
#[derive(Debug, Clone)]
pub struct Attempts {
    tables: [Generations<Source>; KeyKind::COUNT],
}

/// All keys as plain data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptsState([GenerationsState<Source>; KeyKind::COUNT]);

/// Whether an event is an attempt to prove an identity. Lines that merely accompany one have another activity.
#[must_use]
pub fn is_attempt(context: &Context) -> bool {
    use AuthenticationActivity::{AuthenticationTicket, Logon, Preauth, ServiceTicketRequest};
    matches!(
        context.activity,
        Activity::Authentication(Logon | AuthenticationTicket | Preauth | ServiceTicketRequest)
    )
}

/// Whether an event may go with a failed attempt, or tell of one by itself: sshd closes connections of whom it was
/// authenticating, and at some log levels that is all it says.
#[must_use]
pub fn accompanies(context: &Context) -> bool {
    context.status == Status::Failure
        && context.account.is_some()
        && context.activity == Activity::Authentication(AuthenticationActivity::Other)
}

/// Whether an event is a failed attempt to prove an identity.
#[must_use]
pub fn is_failed_attempt(context: &Context) -> bool {
    is_attempt(context) && context.status == Status::Failure
}

/// How an event's attempt ended. `has_account` is whether somebody of that name is known, and is asked only where the source
/// does not say; `None`: too little is known of the tenant to tell.
#[must_use]
pub fn outcome(context: &Context, has_account: impl FnOnce() -> Option<bool>) -> Outcome {
    if !is_attempt(context) && !accompanies(context) {
        return Outcome::Neither;
    }
    match (context.status, context.failure) {
        (Status::Success, _) => Outcome::Success,
        (Status::Failure, Some(FailureReason::UserDoesNotExist)) => Outcome::Failure { unknown_name: true },
        (Status::Failure, None | Some(FailureReason::Other)) => Outcome::Failure {
            unknown_name: has_account() == Some(false),
        },
        (Status::Failure, Some(_)) => Outcome::Failure { unknown_name: false },
        (Status::Unknown | Status::Other, _) => Outcome::Neither,
    }
}

impl Bursts {
    /// The burst at one sort of key.
    #[must_use]
    pub fn get(&self, kind: KeyKind) -> Option<&Burst> {
        self.by.get(kind.index()).and_then(Option::as_ref)
    }

    /// Every burst, narrow keys first.
    pub fn all(&self) -> impl Iterator<Item = &Burst> {
        self.by.iter().flatten()
    }

    /// Whether nothing was ever seen to fail at any key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by.iter().all(Option::is_none)
    }
}

impl Default for Attempts {
    fn default() -> Self {
        Self {
            tables: CAPACITY.map(Generations::new),
        }
    }
}

impl Attempts {
    /// What the attempts say at this event, itself included, and nothing changed. O(1).
    #[must_use]
    pub fn look(&self, attempt: &Attempt) -> Bursts {
        let odds = self.odds(attempt);
        let mut bursts = Bursts::default();
        for (kind, slot) in KeyKind::ALL.into_iter().zip(&mut bursts.by) {
            *slot = self
                .counted(kind, attempt, odds)
                .map(|source| source.reading(kind, odds));
        }
        bursts
    }

    /// Counts this event, and tells what the attempts say. Only failures make a key known. O(1).
    pub fn observe(&mut self, attempt: &Attempt) -> Bursts {
        let odds = self.odds(attempt);
        let mut bursts = Bursts::default();
        let mut surprise = 0.0_f64;
        for (kind, slot) in KeyKind::ALL.into_iter().zip(&mut bursts.by) {
            let Some(source) = self.counted(kind, attempt, odds) else {
                continue;
            };
            let burst = source.reading(kind, odds);
            surprise = surprise.max(burst.surprise());
            *slot = Some(burst);
            if attempt.outcome != Outcome::Neither
                && let Some(table) = self.tables.get_mut(kind.index())
            {
                table.put(source);
            }
        }
        self.count_tenant(attempt, surprise);
        bursts
    }

    /// Takes over what `from` counted of a key, unless it is held here already. O(1).
    pub fn adopt(&mut self, (kind, key): (KeyKind, u64), from: &Attempts) {
        let theirs = from.tables.get(kind.index()).and_then(|table| table.find(key));
        let own = self.tables.get_mut(kind.index());
        if let Some((source, table)) = theirs.zip(own)
            && table.find(key).is_none()
        {
            table.put(*source);
        }
    }

    /// Forgets a key. O(1).
    pub fn forget(&mut self, (kind, key): (KeyKind, u64)) {
        if let Some(table) = self.tables.get_mut(kind.index()) {
            table.forget(key);
        }
    }

    /// The state as data, the same for the same log.
    #[must_use]
    pub fn state(&self) -> AttemptsState {
        AttemptsState(self.tables.each_ref().map(Generations::state))
    }

    /// From data.
    #[must_use]
    pub fn from_state(state: AttemptsState) -> Self {
        let mut capacities = CAPACITY.into_iter();
        Self {
            tables: state
                .0
                .map(|table| Generations::from_state(table, capacities.next().unwrap_or_default())),
        }
    }

    /// The key's counts with this event; absent if the event does not show it, or is no failure and none was before.
    fn counted(&self, kind: KeyKind, attempt: &Attempt, odds: f64) -> Option<Source> {
        let key = attempt.keys.get(kind)?;
        let known = self.tables.get(kind.index())?.find(key);
        let failed = matches!(attempt.outcome, Outcome::Failure { .. });
        let source = match known {
            Some(source) => source.at(attempt.time),
            None if failed => Source::new(key, attempt.time),
            None => return None,
        };
        Some(source.counting(kind, attempt, odds))
    }

    /// Failures for one success that the tenant usually has.
    fn odds(&self, attempt: &Attempt) -> f64 {
        let key = attempt.keys.get(KeyKind::Tenant);
        let tenant = key.and_then(|key| self.tables.get(KeyKind::Tenant.index())?.find(key));
        tenant.map_or_else(|| Source::new(0, attempt.time).odds(), Source::odds)
    }

    fn count_tenant(&mut self, attempt: &Attempt, surprise: f64) {
        let key = attempt.keys.get(KeyKind::Tenant);
        let table = self.tables.get_mut(KeyKind::Tenant.index());
        if attempt.outcome == Outcome::Neither {
            return;
        }
        if let Some((key, table)) = key.zip(table) {
            let tenant = table.find(key).map_or_else(
                || Source::new(key, attempt.time),
                |tenant| tenant.at(attempt.time),
            );
            table.put(tenant.counting_usual(attempt, 1.0 / (1.0 + surprise)));
        }
    }
}

#[cfg(test)]
mod tests;
