//! The network stage: where a record belongs, and what is counted of it ahead of the accounts.
//!
//! In the order of the log, so that nothing lags and the number of shards decides nothing.

use crate::accounts::Held;
use crate::engine::{Engine, Learning, Record};
use crate::hashed::Hashed;
use crate::stage::Routed;
use habitus_model::{Context, Deed};
use habitus_profile::attempts::{Attempt, AttemptKeys, Burst, Bursts, Outcome, accompanies, outcome};
use habitus_profile::campaigns::tenant_key;
use habitus_profile::notices::{Notice, is_noted};
use std::sync::Arc;

impl Engine {
    pub(crate) fn route<'r>(&mut self, record: &'r Record, hashed: &Hashed) -> Routed<'r> {
        let context = &record.context;
        let mut tenant = self.tenant_numbers.get(&context.tenant).copied();
        // A probe leaves no trace, not even the number of a tenant.
        if tenant.is_none()
            && record.learning == Learning::Learn
            && self.tenants.len() < self.config.tenants_max
        {
            tenant = Some(self.tenants.len());
            self.tenant_numbers
                .insert(context.tenant.clone(), self.tenants.len());
            self.tenants.push(Arc::default());
        }
        Routed {
            record,
            tenant,
            fingerprint: hashed.fingerprint,
            tenant_key: hashed.tenant,
            epoch: self.began(tenant),
            bursts: self.count(record, hashed.attempt),
            notice: self.heed(record, hashed.fingerprint),
            may_grow: self.may_grow,
        }
    }

    /// What was done to the account before; then notes what this record does, to whomever.
    fn heed(&mut self, record: &Record, fingerprint: u64) -> Option<Notice> {
        let before = self.notices.of(fingerprint);
        if record.learning == Learning::Learn
            && let Some((key, deed)) = self.noted(&record.context)
        {
            self.notices.note(key, deed, record.context.time.minutes());
        }
        before
    }

    /// What is to be noted of a record, and of which account.
    pub(crate) fn noted(&self, context: &Context) -> Option<(u64, Deed)> {
        let conduct = context.conduct.as_ref().filter(|_| is_noted(context))?;
        let target = conduct.target.as_ref().or(context.account.as_ref())?;
        let key = self.fingerprint_of(&context.tenant, target.as_str());
        Some((key, conduct.deed?))
    }

    /// A record with the state as it is: not even its tenant is numbered.
    pub(crate) fn routed_as_is<'r>(
        &self,
        record: &'r Record,
        (bursts, notice): (Bursts, Option<Notice>),
    ) -> Routed<'r> {
        let tenant = self.tenant_numbers.get(&record.context.tenant).copied();
        Routed {
            record,
            tenant,
            fingerprint: self.fingerprint(&record.context),
            tenant_key: tenant_key(&record.context, self.config.hash_key),
            epoch: self.began(tenant),
            bursts: standing_out(bursts),
            notice,
            may_grow: self.may_grow,
        }
    }

    fn began(&self, tenant: Option<usize>) -> u64 {
        let tenant = tenant.and_then(|number| self.tenants.get(number));
        tenant.map_or(0, |tenant| tenant.began())
    }

    /// The network stage: attempts are counted in the order of the log, ahead of the accounts, and lag nothing.
    fn count(&mut self, record: &Record, keys: AttemptKeys) -> Option<Box<Bursts>> {
        let attempt = self.attempt_by(keys, &record.context);
        standing_out(match record.learning {
            Learning::Learn => self.attempts.observe(&attempt),
            Learning::Probe => self.attempts.look(&attempt),
        })
    }

    /// An event, as the network stage counts it.
    pub(crate) fn attempt(&self, context: &Context) -> Attempt {
        self.attempt_by(AttemptKeys::of(context, self.config.hash_key), context)
    }

    fn attempt_by(&self, keys: AttemptKeys, context: &Context) -> Attempt {
        let name = || {
            let account = context.account.as_ref();
            account.map_or(0, |account| self.config.hash_key.fingerprint(account.as_str()))
        };
        let outcome = outcome(context, || self.has_account(context));
        let failed = matches!(outcome, Outcome::Failure { .. });
        Attempt {
            keys,
            time: context.time,
            outcome,
            name: if failed { name() } else { 0 },
            accompanies: accompanies(context),
        }
    }

    /// Whether the name of an event is one of its tenant's accounts, as of the last epoch. `None`: the tenant has hardly any
    /// accounts yet.
    fn has_account(&self, context: &Context) -> Option<bool> {
        const ACCOUNTS_MIN: u64 = 20;
        let number = self.tenant_numbers.get(&context.tenant)?;
        let (account, tenant) = context.account.as_ref().zip(self.tenants.get(*number))?;
        if tenant.population.accounts() < ACCOUNTS_MIN {
            return None;
        }
        let fingerprint = self.fingerprint(context);
        let shard = self.shards.get(self.shard_of(fingerprint))?;
        let held = shard
            .accounts
            .held(fingerprint, u32::try_from(*number).ok()?, account);
        let label = held.and_then(Held::label);
        // INVARIANT: who came within the epoch is not known yet, or the number of shards and batches would decide.
        Some(label.is_some_and(|label| label.since < tenant.began()))
    }
}

/// Bursts worth handing on: of most events nothing stands out, and they cost no allocation.
fn standing_out(bursts: Bursts) -> Option<Box<Bursts>> {
    let stands_out = |burst: &Burst| burst.failures > burst.expected;
    bursts.all().any(stands_out).then(|| Box::new(bursts))
}
