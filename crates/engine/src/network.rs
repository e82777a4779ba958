//! The network stage: attempts are counted ahead of the accounts, in the order of the log.

use crate::engine::{Engine, Learning, Record};
use habitus_model::Context;
use habitus_profile::attempts::{Attempt, AttemptKeys, Burst, Bursts, Outcome, accompanies, outcome};

impl Engine {
    /// The network stage: attempts are counted in the order of the log, ahead of the accounts, and lag nothing.
    pub(crate) fn count(&mut self, record: &Record) -> Option<Box<Bursts>> {
        let attempt = self.attempt(&record.context);
        standing_out(match record.learning {
            Learning::Learn => self.attempts.observe(&attempt),
            Learning::Probe => self.attempts.look(&attempt),
        })
    }

    /// An event, as the network stage counts it.
    pub(crate) fn attempt(&self, context: &Context) -> Attempt {
        let name = || {
            let account = context.account.as_ref();
            account.map_or(0, |account| self.config.hash_key.fingerprint(account.as_str()))
        };
        let outcome = outcome(context, || self.has_account(context));
        let failed = matches!(outcome, Outcome::Failure { .. });
        Attempt {
            keys: AttemptKeys::of(context, self.config.hash_key),
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
        // INVARIANT: who came within the epoch is not known yet, or the number of shards and batches would decide.
        Some(held.is_some_and(|held| held.since < tenant.began()))
    }
}

/// Bursts worth handing on: of most events nothing stands out, and they cost no allocation.
pub(crate) fn standing_out(bursts: Bursts) -> Option<Box<Bursts>> {
    let stands_out = |burst: &Burst| burst.failures > burst.expected;
    bursts.all().any(stands_out).then(|| Box::new(bursts))
}
