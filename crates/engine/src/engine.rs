//! The state machine: records in the order of the log, conclusions in the same order.

use crate::accounts::WARM_MAX;
use crate::clerk::{Clerk, Scribe};
use crate::executor::Executor;
use crate::network::standing_out;
use crate::stage::{Concluded, Routed, Shard, Shared};
use crate::tenant::{Delta, Taught, Tenant};
use crate::together;
use habitus_model::hash::HashKey;
use habitus_model::{Assessment, Context, Deed, EventUid, TenantId};
use habitus_policy::Thresholds;
use habitus_profile::attempts::{Attempts, Bursts};
use habitus_profile::campaigns::Campaigns;
use habitus_profile::notices::{Notice, Notices, is_noted};
use habitus_score::{Prepared, Weights};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What an engine is made with. The same configuration and log give the same verdicts.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Key of fingerprints; part of the configuration, because evictions depend on it.
    pub hash_key: HashKey,
    /// Weights of fusion.
    pub weights: Weights,
    /// Thresholds of dispositions.
    pub thresholds: Thresholds,
    /// Score from which new values wait in quarantine, 0–100 (SCORING 13).
    pub quarantine_from: f64,
    /// Number of shards, at least 1. Changes no verdict.
    pub shards: usize,
    /// Most accounts remembered, looked at as epochs end; further ones are scored by their population alone.
    pub accounts_max: usize,
    /// Most tenants; events of further ones are scored against an empty population and not learned.
    pub tenants_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hash_key: HashKey::REPLAY,
            weights: Weights::default(),
            thresholds: Thresholds::default(),
            quarantine_from: 40.0,
            shards: 1,
            accounts_max: 20_000_000,
            tenants_max: 1_024,
        }
    }
}

/// Whether a record may change the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learning {
    /// Score, then learn.
    Learn,
    /// Score against the state at its time, and leave no trace: the verdicts of all other records are as without it.
    Probe,
}

/// One event on its way through the engine.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its id.
    pub uid: EventUid,
    /// The event with what the tables know of it.
    pub context: Context,
    /// Whether it may change the state.
    pub learning: Learning,
}

/// The engine.
#[derive(Debug)]
pub struct Engine {
    pub(crate) config: Config,
    weights: Prepared,
    pub(crate) position: u64,
    pub(crate) tenant_numbers: BTreeMap<TenantId, usize>,
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) shards: Vec<Shard>,
    pub(crate) attempts: Attempts,
    pub(crate) campaigns: Campaigns,
    pub(crate) notices: Notices,
    pub(crate) may_grow: bool,
}

impl Engine {
    /// An engine that knows nothing.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let shards = (0..config.shards.max(1)).map(|_| Shard::default()).collect();
        Self {
            weights: Prepared::new(&config.weights),
            config,
            position: 0,
            tenant_numbers: BTreeMap::new(),
            tenants: Vec::new(),
            shards,
            attempts: Attempts::default(),
            campaigns: Campaigns::default(),
            notices: Notices::default(),
            may_grow: true,
        }
    }

    /// Assesses one record and learns it. The next record in the order of the log, always.
    pub fn handle(&mut self, record: &Record) -> Assessment {
        let mut noted = Vec::with_capacity(1);
        self.handle_one(record, &mut [Scribe], &mut noted);
        // INVARIANT: there is at least one shard, so that one record gives one note.
        noted.pop().unwrap_or_else(|| self.assess(record))
    }

    /// Assesses and learns records in order, shards side by side as `executor` sees fit; conclusions are appended to
    /// `out` in the order of the records. The same as [`Engine::handle`] one by one.
    pub fn handle_batch(&mut self, records: &[Record], executor: &dyn Executor, out: &mut Vec<Assessment>) {
        let mut scribes = vec![Scribe; self.shards.len()];
        self.handle_batch_with(records, executor, (&mut scribes, out));
    }

    /// The same with clerks in place of assessments: one for each shard (where there are fewer, the first takes note of
    /// everything, on one thread), whose notes are appended to `out` in the order of the records.
    pub fn handle_batch_with<C: Clerk>(
        &mut self,
        records: &[Record],
        executor: &dyn Executor,
        (clerks, out): (&mut [C], &mut Vec<C::Note>),
    ) {
        let mut rest = records;
        while !rest.is_empty() {
            let (epoch, later) = rest.split_at(self.until_epoch_end(rest));
            self.handle_epoch(epoch, executor, (&mut *clerks, &mut *out));
            rest = later;
        }
    }

    /// Number of shards, at least 1.
    #[must_use]
    pub fn shard_count(&self) -> usize {
        self.shards.len()
    }

    /// Assesses one record against the state as it is, and learns nothing.
    #[must_use]
    pub fn assess(&self, record: &Record) -> Assessment {
        let bursts = self.attempts.look(&self.attempt(&record.context));
        let notice = self.notices.of(self.fingerprint(&record.context));
        let routed = self.routed_as_is(record, (bursts, notice));
        let nobody = Shard::default();
        let shard = self
            .shards
            .get(self.shard_of(routed.fingerprint))
            .unwrap_or(&nobody);
        let (concluded, _) = shard.judge(&routed, self.shared(), &Scribe);
        together::revised(record, concluded, self.shared(), &self.campaigns)
    }

    /// What shards read.
    pub(crate) fn shared(&self) -> Shared<'_> {
        Shared {
            tenants: &self.tenants,
            config: &self.config,
            weights: &self.weights,
        }
    }

    /// Records learned from or looked at so far, probes excepted.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Accounts remembered.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.shards.iter().map(|shard| shard.accounts.count()).sum()
    }

    /// Bytes that profiles take, heap included. Cost: linear in the accounts.
    #[must_use]
    pub fn profile_bytes(&self) -> usize {
        self.shards
            .iter()
            .flat_map(|shard| shard.accounts.all())
            .map(|held| held.profile.bytes())
            .sum()
    }

    /// Records of `rest` up to and including the first that ends the epoch of its tenant.
    fn until_epoch_end(&self, rest: &[Record]) -> usize {
        let mut left: BTreeMap<&TenantId, u64> = BTreeMap::new();
        for (index, record) in rest.iter().enumerate() {
            let tenant = &record.context.tenant;
            let left = left.entry(tenant).or_insert_with(|| {
                let number = self.tenant_numbers.get(tenant);
                let known = number.and_then(|number| self.tenants.get(*number));
                known.map_or_else(|| Tenant::default().until_epoch_end(), Tenant::until_epoch_end)
            });
            *left -= u64::from(record.learning == Learning::Learn);
            if *left == 0 {
                return index + 1;
            }
        }
        rest.len()
    }

    fn handle_epoch<C: Clerk>(
        &mut self,
        records: &[Record],
        executor: &dyn Executor,
        (clerks, out): (&mut [C], &mut Vec<C::Note>),
    ) {
        // A thread costs more than a hundred records.
        const WORTH_A_THREAD: usize = 128;
        let routed: Vec<Routed<'_>> = records.iter().map(|record| self.route(record)).collect();
        let (before, mut taught) = (out.len(), Vec::with_capacity(records.len()));
        if records.len() < WORTH_A_THREAD || self.shards.len() == 1 || clerks.len() < self.shards.len() {
            self.in_turn(&routed, clerks, (&mut *out, &mut taught));
        } else {
            self.side_by_side(&routed, (executor, clerks), (&mut *out, &mut taught));
        }
        // INVARIANT: each record has one note and teaches once, if anything.
        debug_assert_eq!((out.len() - before, taught.len()), (records.len(), records.len()));
        for (routed, taught) in routed.iter().zip(taught) {
            self.advance(routed.record.learning, routed.tenant, taught);
        }
    }

    fn in_turn<C: Clerk>(
        &mut self,
        routed: &[Routed<'_>],
        clerks: &mut [C],
        (out, taught): (&mut Vec<C::Note>, &mut Vec<Taught>),
    ) {
        let count = self.shards.len();
        let shared = Shared {
            tenants: &self.tenants,
            config: &self.config,
            weights: &self.weights,
        };
        for some in routed.chunks(WARM_MAX) {
            for shard in &self.shards {
                shard.accounts.warm(some.iter().map(|routed| routed.fingerprint));
            }
            for routed in some {
                let index = shard_index(routed.fingerprint, count);
                let at = index.min(clerks.len().saturating_sub(1));
                // INVARIANT: shard_index is below the number of shards.
                if let Some((shard, clerk)) = self.shards.get_mut(index).zip(clerks.get_mut(at)) {
                    let mut concluded = shard.process(routed, shared, clerk);
                    let doubt =
                        together::conclude(routed, &mut concluded, shared, (&mut self.campaigns, clerk));
                    out.push(clerk.note(routed.record, concluded.judged));
                    taught.push(Taught {
                        delta: concluded.delta,
                        doubt,
                    });
                }
            }
        }
    }

    fn side_by_side<C: Clerk>(
        &mut self,
        routed: &[Routed<'_>],
        (executor, clerks): (&dyn Executor, &mut [C]),
        (out, taught): (&mut Vec<C::Note>, &mut Vec<Taught>),
    ) {
        let count = self.shards.len();
        let shared = Shared {
            tenants: &self.tenants,
            config: &self.config,
            weights: &self.weights,
        };
        let desks: Vec<Mutex<Desk<'_, C>>> = clerks.iter_mut().map(Desk::new).map(Mutex::new).collect();
        executor.run(&mut self.shards, &|index, shard| {
            let Some(desk) = desks.get(index) else { return };
            let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
            let mine = |routed: &&Routed<'_>| shard_index(routed.fingerprint, count) == index;
            let mine: Vec<&Routed<'_>> = routed.iter().filter(mine).collect();
            for some in mine.chunks(WARM_MAX) {
                shard.accounts.warm(some.iter().map(|routed| routed.fingerprint));
                for routed in some {
                    let concluded = shard.process(routed, shared, desk.clerk);
                    desk.take(routed.record, concluded);
                }
            }
        });
        let mut desks: Vec<_> = desks.into_iter().map(Desk::opened).collect();
        for routed in routed {
            let desk = desks.get_mut(shard_index(routed.fingerprint, count));
            let Some((clerk, next)) = desk.and_then(|(clerk, filed)| Some((clerk, filed.next()?))) else {
                continue;
            };
            let (note, delta, doubt) = match next {
                Filed::Noted(note, delta) => {
                    together::tick(routed, delta.as_ref(), (shared, &mut self.campaigns));
                    (note, delta, None)
                }
                Filed::Late(mut late) => {
                    let doubt =
                        together::conclude(routed, &mut late, shared, (&mut self.campaigns, &**clerk));
                    (clerk.note(routed.record, late.judged), late.delta, doubt)
                }
            };
            out.push(note);
            taught.push(Taught { delta, doubt });
        }
    }

    fn handle_one<C: Clerk>(&mut self, record: &Record, clerks: &mut [C], out: &mut Vec<C::Note>) {
        let routed = self.route(record);
        let shard_index = self.shard_of(routed.fingerprint);
        let shared = Shared {
            tenants: &self.tenants,
            config: &self.config,
            weights: &self.weights,
        };
        let at = shard_index.min(clerks.len().saturating_sub(1));
        let Some((shard, clerk)) = self.shards.get_mut(shard_index).zip(clerks.get_mut(at)) else {
            return;
        };
        let mut concluded = shard.process(&routed, shared, clerk);
        let doubt = together::conclude(&routed, &mut concluded, shared, (&mut self.campaigns, clerk));
        out.push(clerk.note(record, concluded.judged));
        let delta = concluded.delta;
        self.advance(record.learning, routed.tenant, Taught { delta, doubt });
    }

    fn route<'r>(&mut self, record: &'r Record) -> Routed<'r> {
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
            self.tenants.push(Tenant::default());
        }
        let fingerprint = self.fingerprint(context);
        Routed {
            record,
            tenant,
            fingerprint,
            epoch: self.began(tenant),
            bursts: self.count(record),
            notice: self.heed(record, fingerprint),
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
            epoch: self.began(tenant),
            bursts: standing_out(bursts),
            notice,
            may_grow: self.may_grow,
        }
    }

    fn began(&self, tenant: Option<usize>) -> u64 {
        let tenant = tenant.and_then(|number| self.tenants.get(number));
        tenant.map_or(0, Tenant::began)
    }

    /// Moves the log on, and ends the epoch of the record's tenant if it is due.
    fn advance(&mut self, learning: Learning, number: Option<usize>, taught: Taught) {
        if learning == Learning::Probe {
            return;
        }
        self.position += 1;
        let Some(number) = number else { return };
        let tenant = self.tenants.get_mut(number);
        if tenant.is_some_and(|tenant| tenant.advance(taught)) {
            self.settle_doubts(number);
            // Looked at here and not at each account, so that the number of shards does not decide who finds room.
            self.may_grow = self.accounts() < self.config.accounts_max;
        }
    }

    pub(crate) fn fingerprint(&self, context: &Context) -> u64 {
        let account = context.account.as_ref().map_or("", |account| account.as_str());
        self.fingerprint_of(&context.tenant, account)
    }

    fn fingerprint_of(&self, tenant: &TenantId, account: &str) -> u64 {
        self.config.hash_key.fingerprint(&(tenant.as_str(), account))
    }

    pub(crate) fn shard_of(&self, fingerprint: u64) -> usize {
        shard_index(fingerprint, self.shards.len())
    }
}

/// What one shard works with in an epoch.
struct Desk<'c, C: Clerk> {
    clerk: &'c mut C,
    filed: Vec<Filed<C::Note>>,
}

/// What a shard leaves of one record.
enum Filed<N> {
    /// A note, and what it taught.
    Noted(N, Option<Delta>),
    /// What the stage after the accounts has to see first.
    Late(Box<Concluded>),
}

impl<'c, C: Clerk> Desk<'c, C> {
    fn new(clerk: &'c mut C) -> Self {
        Self {
            clerk,
            filed: Vec::new(),
        }
    }

    fn take(&mut self, record: &Record, concluded: Concluded) {
        self.filed.push(if concluded.late.is_some() {
            Filed::Late(Box::new(concluded))
        } else {
            Filed::Noted(self.clerk.note(record, concluded.judged), concluded.delta)
        });
    }

    fn opened(desk: Mutex<Self>) -> (&'c mut C, std::vec::IntoIter<Filed<C::Note>>) {
        let desk = desk.into_inner().unwrap_or_else(PoisonError::into_inner);
        (desk.clerk, desk.filed.into_iter())
    }
}

fn shard_index(fingerprint: u64, shards: usize) -> usize {
    let shards = u64::try_from(shards.max(1)).unwrap_or(1);
    usize::try_from(fingerprint % shards).unwrap_or(0)
}
