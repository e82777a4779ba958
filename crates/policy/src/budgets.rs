//! What may be done at most: an attacker must not be able to use the engine as a weapon (RELIABILITY S-19).

use habitus_model::math::{from_u64, to_u64};
use habitus_model::{AccountId, Action, EventTime, TenantId, Text};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// What may be done at most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Orders within one hour, of a tenant. As many again may be held for approval.
    pub actions_per_hour: u32,
    /// Orders and held orders about one account within one hour.
    pub actions_per_account_per_hour: u32,
    /// Share of the tenant's known accounts that may be contained within ten minutes without a person's approval;
    /// always at least one account.
    pub contained_share: f64,
}

impl Limits {
    /// Most that a file may allow in an hour: what the memory of a tenant is bounded by.
    pub const ACTIONS_PER_HOUR_MAX: u32 = 10_000;
}

impl Default for Limits {
    fn default() -> Self {
        // Three an hour for an account and 1 % of accounts in ten minutes: RELIABILITY S-19. A hundred an hour is one
        // every 36 seconds, more than any team reads.
        Self {
            actions_per_hour: 100,
            actions_per_account_per_hour: 3,
            contained_share: 0.01,
        }
    }
}

/// Most tenants whose budgets are kept apart; those beyond share one budget.
pub const TENANTS_MAX: usize = 1_024;

const HOUR_MS: i64 = 3_600_000;
const TEN_MINUTES_MS: i64 = 600_000;

/// What was done in the last hour, by the time of events. A pure function of the rulings made with it: equal rulings,
/// equal bytes. Bounded: a tenant holds at most twice [`Limits::ACTIONS_PER_HOUR_MAX`] entries.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Budgets {
    tenants: BTreeMap<TenantId, Spent>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Spent {
    /// The latest time at which something was to be done: a late event spends at this time, so windows never move
    /// backwards.
    latest: i64,
    done: VecDeque<Entry>,
    held: VecDeque<Entry>,
    /// Entries of both by account.
    by_account: BTreeMap<AccountId, u32>,
    /// When each account was last contained.
    contained: BTreeMap<AccountId, i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    at: i64,
    account: Option<AccountId>,
}

/// The budget of one tenant at one time.
#[derive(Debug)]
pub struct Spending<'b> {
    spent: &'b mut Spent,
    limits: Limits,
    contained_max: u64,
}

impl Budgets {
    /// The budget of a tenant at a time, with what has expired forgotten.
    pub(crate) fn at(
        &mut self,
        tenant: &TenantId,
        now: EventTime,
        (limits, accounts): (Limits, u64),
    ) -> Spending<'_> {
        let key = if self.tenants.len() < TENANTS_MAX || self.tenants.contains_key(tenant) {
            tenant.clone()
        } else {
            TenantId::new(Text::const_new(""))
        };
        let spent = self.tenants.entry(key).or_default();
        spent.forget(now.as_millis());
        // What is rounded down is a whole number, which `to_u64` keeps.
        let share = to_u64((from_u64(accounts) * limits.contained_share).floor());
        Spending {
            spent,
            limits,
            contained_max: share.max(1),
        }
    }

    /// Orders within the last hour of a tenant, up to its latest event.
    #[must_use]
    pub fn done(&self, tenant: &TenantId) -> usize {
        self.tenants.get(tenant).map_or(0, |spent| spent.done.len())
    }

    /// Accounts of a tenant that were contained within the last ten minutes, up to its latest event.
    #[must_use]
    pub fn contained(&self, tenant: &TenantId) -> usize {
        self.tenants.get(tenant).map_or(0, |spent| spent.contained.len())
    }
}

impl Default for Spent {
    fn default() -> Self {
        Self {
            latest: i64::MIN / 2,
            done: VecDeque::new(),
            held: VecDeque::new(),
            by_account: BTreeMap::new(),
            contained: BTreeMap::new(),
        }
    }
}

impl Spent {
    fn forget(&mut self, now: i64) {
        self.latest = self.latest.max(now);
        let horizon = self.latest - HOUR_MS;
        for list in [&mut self.done, &mut self.held] {
            while list.front().is_some_and(|entry| entry.at <= horizon) {
                let Some(entry) = list.pop_front() else { break };
                forget_one(&mut self.by_account, entry.account);
            }
        }
        let horizon = self.latest - TEN_MINUTES_MS;
        self.contained.retain(|_, at| *at > horizon);
    }

    fn note(&mut self, account: Option<&AccountId>) -> Entry {
        if let Some(account) = account {
            let count = self.by_account.entry(account.clone()).or_default();
            *count = count.saturating_add(1);
        }
        Entry {
            at: self.latest,
            account: account.cloned(),
        }
    }
}

fn forget_one(by_account: &mut BTreeMap<AccountId, u32>, account: Option<AccountId>) {
    let Some(account) = account else { return };
    let left = by_account.get_mut(&account).map(|count| {
        *count = count.saturating_sub(1);
        *count
    });
    if left == Some(0) {
        by_account.remove(&account);
    }
}

impl Spending<'_> {
    /// Whether the account has an action left in this hour; events without account have no such limit.
    pub(crate) fn has_for(&self, account: Option<&AccountId>) -> bool {
        let spent = account.and_then(|account| self.spent.by_account.get(account));
        account.is_none() || spent.copied().unwrap_or(0) < self.limits.actions_per_account_per_hour
    }

    /// Whether the hour has an action left.
    pub(crate) fn has_hour(&self) -> bool {
        has_room(&self.spent.done, self.limits)
    }

    /// Whether one more order may wait.
    pub(crate) fn may_hold(&self) -> bool {
        has_room(&self.spent.held, self.limits)
    }

    /// Whether the account may be contained: it is already, or few others are.
    pub(crate) fn may_contain(&self, account: &AccountId) -> bool {
        let others = u64::try_from(self.spent.contained.len()).unwrap_or(u64::MAX);
        self.spent.contained.contains_key(account) || others < self.contained_max
    }

    /// Notes an order.
    pub(crate) fn spend(&mut self, account: Option<&AccountId>, action: Action) {
        let entry = self.spent.note(account);
        self.spent.done.push_back(entry);
        if let (true, Some(account)) = (action.contains(), account) {
            let at = self.spent.latest;
            self.spent.contained.insert(account.clone(), at);
        }
    }

    /// Notes an order that waits.
    pub(crate) fn hold(&mut self, account: Option<&AccountId>) {
        let entry = self.spent.note(account);
        self.spent.held.push_back(entry);
    }
}

fn has_room(list: &VecDeque<Entry>, limits: Limits) -> bool {
    u32::try_from(list.len()).is_ok_and(|count| count < limits.actions_per_hour)
}
