//! The accounts of a finding, however many.

use habitus_model::AccountId;
use habitus_model::hash::symbol;
use habitus_model::math::{from_u64, from_usize, to_u64};
use serde::{Deserialize, Serialize};

/// Accounts kept by name in one finding.
pub const ACCOUNTS_MAX: usize = 256;

/// A set of accounts that is exact up to [`ACCOUNTS_MAX`] and an estimate beyond: the names with the smallest hashes are kept,
/// and the largest of these tells how many there are (k minimum values, Bar-Yossef et al. 2002; standard error 6 % with 256).
/// What is kept depends on what was added, not on the order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Accounts {
    /// In order of the hash.
    held: Vec<(u64, AccountId)>,
    full: bool,
}

impl Accounts {
    /// Adds one. O(log n) and a short move.
    pub(crate) fn add(&mut self, account: &AccountId) {
        let key = (symbol(account.as_str().as_bytes()), account.clone());
        if let Err(at) = self.held.binary_search(&key) {
            self.held.insert(at, key);
            if self.held.len() > ACCOUNTS_MAX {
                self.held.pop();
                self.full = true;
            }
        }
    }

    /// How many there are: exact up to [`ACCOUNTS_MAX`], an estimate beyond.
    #[must_use]
    pub fn count(&self) -> u64 {
        let known = u64::try_from(self.held.len()).unwrap_or(u64::MAX);
        match (self.full, self.held.last()) {
            (true, Some((largest, _))) => {
                let share = from_u64(*largest) / from_u64(u64::MAX);
                known.max(to_u64((from_usize(self.held.len()) - 1.0) / share.max(1e-12)))
            }
            _ => known,
        }
    }

    /// Whether [`Accounts::count`] is exact, and [`Accounts::names`] is everyone.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        !self.full
    }

    /// The names kept, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&AccountId> {
        let mut names: Vec<&AccountId> = self.held.iter().map(|(_, name)| name).collect();
        names.sort_unstable();
        names
    }

    /// Whether this account is among those kept.
    #[must_use]
    pub fn contains(&self, account: &str) -> bool {
        self.held.iter().any(|(_, name)| name.as_str() == account)
    }

    /// Bytes on the heap, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.held.len() * (size_of::<(u64, AccountId)>() + 16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_exact_and_many_are_estimated() {
        let mut accounts = Accounts::default();
        for n in 0..200 {
            accounts.add(&AccountId::new(format!("a{n}")));
            accounts.add(&AccountId::new(format!("a{n}")));
        }
        assert_eq!((accounts.count(), accounts.is_exact()), (200, true));
        for n in 0..20_000 {
            accounts.add(&AccountId::new(format!("a{n}")));
        }
        assert_eq!(
            (accounts.names().len(), accounts.is_exact()),
            (ACCOUNTS_MAX, false)
        );
        assert!(
            (16_000..24_000).contains(&accounts.count()),
            "{}",
            accounts.count()
        );
    }
}
