//! The state machine: records in the order of the log, conclusions in the same order.

use crate::accounts::WARM_MAX;
use crate::changes::News;
use crate::clerk::{Clerk, Judged, Scribe};
use crate::executor::Executor;
use crate::hashed::Hashed;
use crate::models::LearningRules;
use crate::stage::{Concluded, End, Routed, Shard, Shared};
use crate::tenant::{Delta, Tenant};
use crate::together::{Late, revise};
use habitus_model::hash::HashKey;
use habitus_model::{Assessment, Context, EventUid, TenantId};
use habitus_policy::Thresholds;
use habitus_profile::attempts::Attempts;
use habitus_profile::campaigns::Campaigns;
use habitus_profile::notices::Notices;
use habitus_score::{Prepared, Weights};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Accounts at hand unless more are asked for: some fifty MiB of consumers. To unpack one and pack another costs a quarter of an
/// event's time.
const AT_HAND_MAX: usize = 65_536;

/// Records that one thread takes from stage to stage together: what is handed on of so many, 90 KB, stays in the processor's cache; of a
/// whole epoch it were 1.4 MB.
const PIECE: usize = 256;

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
    /// How verdicts move weights.
    pub learning: LearningRules,
    /// Most accounts remembered, looked at as epochs end; further ones are scored by their population alone.
    pub accounts_max: usize,
    /// Accounts at hand, of all shards together; the profiles of further ones are packed until they come again. Changes no verdict.
    pub at_hand_max: usize,
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
            learning: LearningRules::default(),
            accounts_max: 20_000_000,
            at_hand_max: AT_HAND_MAX,
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
    /// Shared with pictures.
    pub(crate) tenants: Vec<Arc<Tenant>>,
    pub(crate) shards: Vec<Shard>,
    pub(crate) attempts: Attempts,
    pub(crate) campaigns: Campaigns,
    pub(crate) notices: Notices,
    pub(crate) may_grow: bool,
    /// Memory for what an epoch teaches, empty; no part of the state.
    pub(crate) spare: Vec<Delta>,
    /// What began since somebody asked; no part of the state.
    pub(crate) news: Vec<(TenantId, News)>,
}

impl Engine {
    /// An engine that knows nothing.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let count = config.shards.max(1);
        let at_hand = config.at_hand_max / count;
        let shards = (0..count).map(|_| Shard::packing(at_hand));
        Self {
            weights: Prepared::new(&config.weights),
            config,
            position: 0,
            tenant_numbers: BTreeMap::new(),
            tenants: Vec::new(),
            shards: shards.collect(),
            attempts: Attempts::default(),
            campaigns: Campaigns::default(),
            notices: Notices::default(),
            may_grow: true,
            spare: Vec::new(),
            news: Vec::new(),
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
        let key = self.config.hash_key;
        let hashes = records.iter().map(|record| Hashed::of(&record.context, key));
        let hashes: Vec<Hashed> = hashes.collect();
        self.handle_hashed((records, &hashes), executor, (clerks, out));
    }

    /// The same where each record's hashes were worked out beforehand, with the key of the configuration; they stand in the
    /// order of the records. Records without hashes at the end are left out.
    pub fn handle_hashed<C: Clerk>(
        &mut self,
        (records, hashes): (&[Record], &[Hashed]),
        executor: &dyn Executor,
        (clerks, out): (&mut [C], &mut Vec<C::Note>),
    ) {
        let mut rest = (records, hashes);
        while !rest.0.is_empty() && !rest.1.is_empty() {
            let end = self.until_epoch_end(rest.0);
            let (epoch, later) = rest.0.split_at(end);
            let (known, unknown) = rest.1.split_at(end.min(rest.1.len()));
            self.handle_epoch((epoch, known), executor, (&mut *clerks, &mut *out));
            rest = (later, unknown);
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
        self.assess_in(shard, &routed, &self.campaigns)
    }

    /// What a shard and the stage after the accounts conclude, with nothing counted and nothing learned.
    pub(crate) fn assess_in(&self, shard: &Shard, routed: &Routed<'_>, campaigns: &Campaigns) -> Assessment {
        let (judged, late) = shard.judge(routed, self.shared(), &Scribe);
        self.revised(routed.record, (judged, late), campaigns)
    }

    /// What the stage after the accounts makes of a conclusion, with nothing counted.
    pub(crate) fn revised(
        &self,
        record: &Record,
        (mut judged, late): (Judged, Option<Late>),
        campaigns: &Campaigns,
    ) -> Assessment {
        if let Some(late) = late {
            let together = campaigns.look(&late.showing);
            revise(record, &mut judged, (&late, &together), (self.shared(), &Scribe));
        }
        judged.assessment(record)
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

    /// Bytes that profiles take, packed or with their heap. Cost: linear in the accounts.
    #[must_use]
    pub fn profile_bytes(&self) -> usize {
        self.shards
            .iter()
            .flat_map(|shard| shard.accounts.all())
            .map(|held| {
                held.as_open()
                    .map_or(held.packed_bytes(), |open| open.profile.bytes())
            })
            .sum()
    }

    /// Records of `rest` up to and including the first that ends the epoch of its tenant.
    fn until_epoch_end(&self, rest: &[Record]) -> usize {
        let mut places: BTreeMap<&TenantId, usize> = BTreeMap::new();
        let mut left: Vec<(&TenantId, u64)> = Vec::new();
        let mut at = 0;
        for (index, record) in rest.iter().enumerate() {
            let tenant = &record.context.tenant;
            // Most records have the tenant of the one before.
            if left.get(at).is_none_or(|(before, _)| *before != tenant) {
                at = *places.entry(tenant).or_insert(left.len());
                if at == left.len() {
                    left.push((tenant, self.left_of(tenant)));
                }
            }
            if let Some((_, left)) = left.get_mut(at) {
                *left -= u64::from(record.learning == Learning::Learn);
                if *left == 0 {
                    return index + 1;
                }
            }
        }
        rest.len()
    }

    /// Records until a tenant's epoch ends.
    fn left_of(&self, tenant: &TenantId) -> u64 {
        let number = self.tenant_numbers.get(tenant);
        let known = number.and_then(|number| self.tenants.get(*number));
        known.map_or_else(
            || Tenant::default().until_epoch_end(),
            |known| known.until_epoch_end(),
        )
    }

    fn handle_epoch<C: Clerk>(
        &mut self,
        (records, hashes): (&[Record], &[Hashed]),
        executor: &dyn Executor,
        (clerks, out): (&mut [C], &mut Vec<C::Note>),
    ) {
        // A thread costs more than a hundred records.
        const WORTH_A_THREAD: usize = 128;
        let alone =
            records.len() < WORTH_A_THREAD || self.shards.len() == 1 || clerks.len() < self.shards.len();
        if !alone {
            return self.handle_piece((records, hashes), Some(executor), (clerks, out));
        }
        for piece in records.chunks(PIECE).zip(hashes.chunks(PIECE)) {
            self.handle_piece(piece, None, (&mut *clerks, &mut *out));
        }
    }

    /// Records within an epoch, on one thread if no executor is given.
    fn handle_piece<C: Clerk>(
        &mut self,
        (records, hashes): (&[Record], &[Hashed]),
        executor: Option<&dyn Executor>,
        (clerks, out): (&mut [C], &mut Vec<C::Note>),
    ) {
        let known = records.iter().zip(hashes);
        let routed: Vec<Routed<'_>> = known.map(|(record, hashed)| self.route(record, hashed)).collect();
        let lanes = match executor {
            None => vec![self.in_turn(&routed, clerks)],
            Some(executor) => self.side_by_side(&routed, executor, clerks),
        };
        // INVARIANT: each record has one conclusion.
        debug_assert_eq!(lanes.iter().map(Vec::len).sum::<usize>(), routed.len());
        // A conclusion is large: it goes on from where it was reached, not by way of a list of all.
        let mut lanes: Vec<_> = lanes.into_iter().map(Vec::into_iter).collect();
        let count = lanes.len();
        if let Some(clerk) = clerks.first_mut() {
            for routed in &routed {
                let lane = lanes.get_mut(shard_index(routed.fingerprint, count));
                if let Some(concluded) = lane.and_then(Iterator::next) {
                    out.push(self.finish(routed, concluded, clerk));
                }
            }
        }
    }

    /// The stage after the accounts for one record, in the order of the log, and what is noted of it in the end.
    fn finish<C: Clerk>(
        &mut self,
        routed: &Routed<'_>,
        concluded: Concluded<C::Note>,
        clerk: &mut C,
    ) -> C::Note {
        let Concluded { end, mut delta } = concluded;
        self.tick(routed, delta.as_ref());
        let note = match end {
            End::Noted(note) => note,
            End::Open(open) => {
                let (mut judged, late) = *open;
                self.conclude_together(routed.record, (&mut judged, &late), &mut delta, clerk);
                clerk.note(routed.record, judged)
            }
        };
        self.advance(routed.record, routed.tenant, delta);
        note
    }

    /// All records one after the other; their conclusions in their order.
    fn in_turn<C: Clerk>(&mut self, routed: &[Routed<'_>], clerks: &mut [C]) -> Vec<Concluded<C::Note>> {
        let count = self.shards.len();
        let shared = Shared {
            tenants: &self.tenants,
            config: &self.config,
            weights: &self.weights,
        };
        let mut noted = Vec::with_capacity(routed.len());
        for some in routed.chunks(WARM_MAX) {
            for shard in &self.shards {
                shard.accounts.warm(some.iter().map(|routed| routed.fingerprint));
            }
            for routed in some {
                let index = shard_index(routed.fingerprint, count);
                let at = index.min(clerks.len().saturating_sub(1));
                // INVARIANT: shard_index is below the number of shards.
                if let Some((shard, clerk)) = self.shards.get_mut(index).zip(clerks.get_mut(at)) {
                    noted.push(shard.process(routed, shared, clerk));
                }
            }
        }
        noted
    }

    /// Each shard's records on a thread; the conclusions of each shard in the order of its records.
    fn side_by_side<C: Clerk>(
        &mut self,
        routed: &[Routed<'_>],
        executor: &dyn Executor,
        clerks: &mut [C],
    ) -> Vec<Vec<Concluded<C::Note>>> {
        let count = self.shards.len();
        let shared = Shared {
            tenants: &self.tenants,
            config: &self.config,
            weights: &self.weights,
        };
        let mut shares = vec![0; count];
        for routed in routed {
            if let Some(share) = shares.get_mut(shard_index(routed.fingerprint, count)) {
                *share += 1;
            }
        }
        let desks = clerks.iter_mut().zip(shares).map(Desk::new);
        let desks: Vec<Mutex<Desk<'_, C>>> = desks.map(Mutex::new).collect();
        executor.run(&mut self.shards, &|index, shard| {
            let Some(desk) = desks.get(index) else { return };
            let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
            let mine = |routed: &&Routed<'_>| shard_index(routed.fingerprint, count) == index;
            let mut mine = routed.iter().filter(mine);
            let mut some: Vec<&Routed<'_>> = Vec::with_capacity(WARM_MAX);
            loop {
                some.clear();
                some.extend(mine.by_ref().take(WARM_MAX));
                if some.is_empty() {
                    return;
                }
                shard.accounts.warm(some.iter().map(|routed| routed.fingerprint));
                for routed in &some {
                    let noted = shard.process(routed, shared, desk.clerk);
                    desk.noted.push(noted);
                }
            }
        });
        let noted =
            |desk: Mutex<Desk<'_, C>>| desk.into_inner().unwrap_or_else(PoisonError::into_inner).noted;
        desks.into_iter().map(noted).collect()
    }

    fn handle_one<C: Clerk>(&mut self, record: &Record, clerks: &mut [C], out: &mut Vec<C::Note>) {
        let hashed = Hashed::of(&record.context, self.config.hash_key);
        let routed = self.route(record, &hashed);
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
        let concluded = shard.process(&routed, shared, clerk);
        out.push(self.finish(&routed, concluded, clerk));
    }

    /// Moves the log on, and ends the epoch of the record's tenant if it is due.
    fn advance(&mut self, record: &Record, number: Option<usize>, delta: Option<Delta>) {
        if record.learning == Learning::Probe {
            return;
        }
        self.position += 1;
        let Some(number) = number else { return };
        let Some(tenant) = self.tenants.get_mut(number).map(Arc::make_mut) else {
            return;
        };
        if tenant.advance(delta, &mut self.spare) {
            for news in tenant.take_news() {
                self.tell(&record.context.tenant, news);
            }
            self.tell_profiles(number);
            self.consider_promotion(number, record.context.time);
            // Looked at here and not at each account, so that the number of shards does not decide who finds room.
            self.may_grow = self.accounts() < self.config.accounts_max;
        }
    }

    pub(crate) fn fingerprint(&self, context: &Context) -> u64 {
        let account = context.account.as_ref().map_or("", |account| account.as_str());
        self.fingerprint_of(&context.tenant, account)
    }

    pub(crate) fn fingerprint_of(&self, tenant: &TenantId, account: &str) -> u64 {
        self.config.hash_key.fingerprint(&(tenant.as_str(), account))
    }

    pub(crate) fn shard_of(&self, fingerprint: u64) -> usize {
        shard_index(fingerprint, self.shards.len())
    }
}

/// What one shard works with in an epoch.
struct Desk<'c, C: Clerk> {
    clerk: &'c mut C,
    noted: Vec<Concluded<C::Note>>,
}

impl<'c, C: Clerk> Desk<'c, C> {
    /// A desk with room for so many conclusions. They are large, and on a thread that was just started every growth of the
    /// list is fresh memory.
    fn new((clerk, share): (&'c mut C, usize)) -> Self {
        Self {
            clerk,
            noted: Vec::with_capacity(share),
        }
    }
}

fn shard_index(fingerprint: u64, shards: usize) -> usize {
    let shards = u64::try_from(shards.max(1)).unwrap_or(1);
    usize::try_from(fingerprint % shards).unwrap_or(0)
}
