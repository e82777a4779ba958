//! What was done to accounts of late, by themselves or by others: factors, passwords, sessions, access.
//!
//! Kept by account, ahead of the account stage and in the order of the log, because who does it is often another account.
//! Only deeds that succeeded are noted. Fails where an administrator names an account otherwise than its own events do.
//! About 56 bytes an account, bounded in number: when half the room is new, what was not seen since is forgotten.

use habitus_model::{Context, Deed, Minutes, Status};
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

/// Most accounts in each of two generations.
const GENERATION_MAX: usize = 32_768;

/// When what was done to an account, last. Absent: not that anybody noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Notice {
    /// A second factor was removed or reset.
    pub factor_removed: Option<Minutes>,
    /// A second factor was added.
    pub factor_added: Option<Minutes>,
    /// The password was reset, by self-service or by somebody else.
    pub password_reset: Option<Minutes>,
    /// All sessions were ended.
    pub revoked: Option<Minutes>,
    /// The account was disabled, and not enabled since.
    pub disabled: Option<Minutes>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Noted {
    key: u64,
    notice: Notice,
}

/// The notices of all tenants, in two generations.
#[derive(Debug, Clone, Default)]
pub struct Notices {
    young: HashTable<Noted>,
    old: HashTable<Noted>,
}

/// All notices as plain data, in order of their keys.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct NoticesState {
    young: Vec<Noted>,
    old: Vec<Noted>,
}

/// Whether an event is a deed that is noted of the account it was done to.
#[must_use]
pub fn is_noted(context: &Context) -> bool {
    let deed = context.conduct.as_ref().and_then(|conduct| conduct.deed);
    context.status == Status::Success
        && deed.is_some_and(|deed| {
            matches!(
                deed,
                Deed::FactorAdded
                    | Deed::FactorRemoved
                    | Deed::PasswordReset
                    | Deed::Recovery
                    | Deed::SessionsRevoked
                    | Deed::AccountDisabled
                    | Deed::AccountCreated
            )
        })
}

impl Notice {
    fn note(&mut self, deed: Deed, now: Minutes) {
        match deed {
            Deed::FactorAdded => self.factor_added = Some(now),
            Deed::FactorRemoved => self.factor_removed = Some(now),
            Deed::PasswordReset | Deed::Recovery => self.password_reset = Some(now),
            Deed::SessionsRevoked => self.revoked = Some(now),
            Deed::AccountDisabled => self.disabled = Some(now),
            Deed::AccountCreated => self.disabled = None,
            Deed::SessionEnded
            | Deed::PrivilegeGranted
            | Deed::MemberAdded
            | Deed::KeyCreated
            | Deed::ConsentGranted
            | Deed::MailRule
            | Deed::SecretRead
            | Deed::DefenceChanged => {}
        }
    }

    /// What of factor and password was changed last, and how many minutes ago.
    #[must_use]
    pub fn latest_change(&self, now: Minutes) -> Option<(Deed, f64)> {
        let changes = [
            (Deed::FactorRemoved, self.factor_removed),
            (Deed::FactorAdded, self.factor_added),
            (Deed::PasswordReset, self.password_reset),
        ];
        let past = changes
            .into_iter()
            .filter_map(|(deed, at)| at.filter(|at| *at <= now).map(|at| (deed, now.since(at))));
        past.min_by(|a, b| a.1.total_cmp(&b.1))
    }
}

impl Notices {
    /// What was done to an account. O(1).
    #[must_use]
    pub fn of(&self, key: u64) -> Option<Notice> {
        if self.young.is_empty() && self.old.is_empty() {
            return None;
        }
        self.find(key).map(|noted| noted.notice)
    }

    /// Notes a deed that was done to an account. O(1).
    pub fn note(&mut self, key: u64, deed: Deed, now: Minutes) {
        let mut noted = self.find(key).copied().unwrap_or(Noted {
            key,
            notice: Notice::default(),
        });
        noted.notice.note(deed, now);
        if let Some(held) = self.young.find_mut(key, |held| held.key == key) {
            *held = noted;
            return;
        }
        if self.young.len() >= GENERATION_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert_unique(key, noted, |held| held.key);
    }

    /// Takes over what `from` noted of an account, unless it is held here already. O(1).
    pub fn adopt(&mut self, key: u64, from: &Notices) {
        if self.find(key).is_none()
            && let Some(noted) = from.find(key)
        {
            self.young.insert_unique(key, *noted, |held| held.key);
        }
    }

    /// Forgets an account. O(1).
    pub fn forget(&mut self, key: u64) {
        for table in [&mut self.young, &mut self.old] {
            if let Ok(entry) = table.find_entry(key, |noted| noted.key == key) {
                entry.remove();
            }
        }
    }

    /// The state as data, the same for the same log.
    #[must_use]
    pub fn state(&self) -> NoticesState {
        let sorted = |table: &HashTable<Noted>| {
            let mut all: Vec<Noted> = table.iter().copied().collect();
            all.sort_unstable_by_key(|noted| noted.key);
            all
        };
        NoticesState {
            young: sorted(&self.young),
            old: sorted(&self.old),
        }
    }

    /// From data.
    #[must_use]
    pub fn from_state(state: NoticesState) -> Self {
        let table = |all: Vec<Noted>| {
            let mut table = HashTable::with_capacity(all.len());
            for noted in all {
                table.insert_unique(noted.key, noted, |held: &Noted| held.key);
            }
            table
        };
        Self {
            young: table(state.young),
            old: table(state.old),
        }
    }

    fn find(&self, key: u64) -> Option<&Noted> {
        let is_it = |noted: &Noted| noted.key == key;
        self.young.find(key, is_it).or_else(|| self.old.find(key, is_it))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_change_is_told_and_an_enabled_account_is_enabled() {
        let mut notices = Notices::default();
        assert_eq!(notices.of(1), None);
        notices.note(1, Deed::FactorRemoved, Minutes(10));
        notices.note(1, Deed::PasswordReset, Minutes(30));
        let change = notices.of(1).and_then(|notice| notice.latest_change(Minutes(40)));
        assert_eq!(change, Some((Deed::PasswordReset, 10.0)));
        notices.note(1, Deed::AccountDisabled, Minutes(50));
        assert!(notices.of(1).is_some_and(|notice| notice.disabled.is_some()));
        notices.note(1, Deed::AccountCreated, Minutes(60));
        assert!(notices.of(1).is_some_and(|notice| notice.disabled.is_none()));
    }

    #[test]
    fn a_flood_of_accounts_stays_bounded_and_state_is_kept() {
        let mut notices = Notices::default();
        for key in 0..200_000 {
            notices.note(key, Deed::FactorAdded, Minutes(1));
        }
        assert!(notices.young.len() + notices.old.len() <= 2 * GENERATION_MAX);
        let restored = Notices::from_state(notices.state());
        assert_eq!(restored.state(), notices.state());
        assert!(restored.of(199_999).is_some());
    }
}
