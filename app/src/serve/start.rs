//! Putting the server together, and taking it apart in good order.

use super::clock;
use super::core::{Core, Shared, Work};
use super::desk::Desk;
use super::directory::{Actions, Directory, Sources};
use super::exports::{Exports, Tell};
use super::gate;
use super::health::Health;
use super::intake::Intake;
use super::judge::Judge;
use super::kept::{self, Kind};
use super::load::Load;
use super::made::{fallback, live_settings, policy, reader, registry, retention, rhythm, threads};
use super::memory::{self, Memory};
use super::metrics::Metrics;
use super::models::Modelling;
use super::offsite::Offsite;
use super::operations::Operations;
use super::orders::{Orders, Tried};
use super::patience::give_way;
use super::reading::Reader;
use super::records::{AuditDoor, Records};
use super::recovery::{Marks, Past, Restored, restore};
use super::reduce::Reduce;
use super::snapshots::Keeper;
use super::store::{Layout, Store, commit, failure, keyring};
use super::stream::Stream;
use super::turns::Turns;
use crate::config::Loaded;
use crate::failure::{Failure, Trouble};
use arc_swap::ArcSwap;
use habitus_console::access::Access;
use habitus_console::product::Product;
use habitus_journal::log::Maintenance;
use habitus_journal::snapshot::Snapshots;
use habitus_live::Entry;
use habitus_model::TenantId;
use habitus_policy::Policy;
use habitus_responders::Registry;
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

/// A server that runs, but for its listeners.
pub struct Server {
    /// What all parts share.
    pub core: Shared,
    /// Who may do what.
    pub access: Arc<Access>,
    /// Path of a link that signs an admin in, if none could otherwise.
    pub link: Option<String>,
    /// What was found at start, for people.
    pub recovery: String,
    registry: Arc<ArcSwap<Registry>>,
    reducing: JoinHandle<()>,
    maintenance: Option<(Maintenance, Arc<Snapshots>)>,
    offsite: Option<Arc<Offsite>>,
}

/// How often the log is looked after.
const MAINTENANCE: Duration = Duration::from_secs(60);
/// How often silence is looked for.
const TICK: Duration = Duration::from_millis(500);

impl Server {
    /// Opens the data directory, comes back to the state it was left in, and starts what works in the background.
    /// Must be called within a runtime.
    ///
    /// # Errors
    /// Whatever keeps it from serving, with how to mend it.
    pub fn start(loaded: &Loaded, layout: &Layout) -> Result<Self, Failure> {
        let serve = &loaded.config.serve;
        layout.make()?;
        let registry = registry(loaded)?;
        let (policy_text, _) = policy(loaded, layout, &registry)?;
        let keys = keyring(serve.encryption_key.as_deref())?;
        let mut store = layout.open(&keys, clock::now())?;
        let registry = Arc::new(ArcSwap::from_pointee(registry));
        let exports = Exports::open(layout, keys, Arc::clone(&registry))?;
        let reader = reader(loaded)?;
        let restored = come_back(loaded, &mut store, &reader)?;
        let Store {
            log,
            snapshots,
            gate,
            outbox,
            audit,
            ..
        } = store;
        let recovery = restored.told();
        let maintenance = log.maintenance(retention(serve));
        let (send, receive) = mpsc::channel();
        let (access, link) = Access::open(&layout.part("access.json"), clock::now().as_event())
            .map_err(|error| Failure::new(Trouble::Unavailable, error.to_string()))?;
        let position = restored.position;
        let version = restored.reducer.rules().policy().version().to_owned();
        let (ordered, news) = (restored.ordered, restored.news);
        let core = Arc::new(Core {
            reader: ArcSwap::from_pointee(reader),
            gate,
            committer: OnceLock::new(),
            work: send,
            reducer: RwLock::new(restored.reducer),
            load: Load::new(serve.intake_memory.0.as_usize()),
            memory: Memory::new(serve.memory.map(|size| size.0.0)),
            turns: Turns::new(threads(serve)),
            health: Health::resumed(restored.silences),
            stream: Stream::new(u64::try_from(clock::now().as_millis()).unwrap_or(0)),
            orders: Arc::new(Orders::new(outbox, restored.held)),
            exports: Arc::new(exports),
            records: Records::new(audit),
            metrics: Metrics::new(),
            fallback: fallback(serve.assess_default),
            ending: AtomicBool::new(false),
        });
        ordered.put(&core.orders, clock::now()).map_err(failure)?;
        core.tell_exporters(news);
        commit(&core, log)?;
        let offsite = offsite(loaded, layout, &core)?;
        // A second door to the same directory: the keeper writes, the maintenance asks what must be kept.
        let snapshots = Arc::new(snapshots);
        let keeper = Keeper::new(Arc::clone(&snapshots), rhythm(serve), position);
        let reduce = Reduce::new(Arc::clone(&core), keeper);
        let reducing = std::thread::Builder::new()
            .name("reducer".to_owned())
            .spawn(move || reduce.run(&receive))?;
        let server = Self {
            core,
            access: Arc::new(access),
            link: link.map(|link| link.path()),
            recovery,
            registry,
            reducing,
            maintenance: Some((maintenance, snapshots)),
            offsite,
        };
        server.put_in_force(&version, policy_text)?;
        Ok(server)
    }

    /// Settles what waits, and returns when it is judged.
    ///
    /// # Errors
    /// A log that takes nothing.
    pub async fn settle(&self) -> Result<(), Failure> {
        let entry = super::store::settle(clock::now());
        let appended = self.core.append(entry, Entry::Settle, None).await;
        appended.map_err(|refusal| Failure::new(Trouble::Unavailable, refusal.to_string()))?;
        // A snapshot is taken after what came before it.
        super::directory::snapshot(&self.core).await;
        Ok(())
    }

    /// What the console asks.
    pub fn product(&self) -> Product {
        let core = || Arc::clone(&self.core);
        Product {
            intake: Arc::new(Intake(core())),
            judge: Arc::new(Judge(core())),
            desk: Arc::new(Desk(core())),
            directory: Arc::new(Directory(core())),
            sources: Arc::new(Sources(core())),
            actions: Arc::new(Actions(core())),
            models: Arc::new(Modelling(core())),
            audit: Arc::new(AuditDoor(core())),
            operations: Arc::new(Operations(core())),
            live: Arc::new(self.core.stream.clone()),
        }
    }

    /// Starts what works in the background: orders, silence, the log's upkeep.
    pub fn background(&mut self) {
        let core = Arc::clone(&self.core);
        let told: Arc<dyn Fn(Tried) + Send + Sync> = Arc::new(move |tried| core.tell_try(&tried));
        tokio::spawn(Arc::clone(&self.core.orders).carry_out(Arc::clone(&self.registry), told));
        let core = Arc::clone(&self.core);
        let told: Tell = Arc::new(move |all| core.tell_exports(&all));
        tokio::spawn(Arc::clone(&self.core.exports).carry_out(told));
        tokio::spawn(tick(Arc::clone(&self.core)));
        tokio::spawn(watch_memory(Arc::clone(&self.core)));
        let core = Arc::clone(&self.core);
        // Threads of their own, because files are read and written; they end with the process.
        let _ = std::thread::Builder::new()
            .name("gate".to_owned())
            .spawn(move || gate::tend(&core));
        if let Some(offsite) = self.offsite.clone() {
            let core = Arc::clone(&self.core);
            let _ = std::thread::Builder::new()
                .name("checkpoints".to_owned())
                .spawn(move || super::offsite::run(&core, &offsite));
        }
        if let Some((maintenance, snapshots)) = self.maintenance.take() {
            let core = Arc::clone(&self.core);
            let _ = std::thread::Builder::new()
                .name("upkeep".to_owned())
                .spawn(move || keep_up(&core, maintenance, &snapshots));
        }
    }

    /// Reads configuration, tables and policy again; on any error the last good ones stay.
    ///
    /// # Errors
    /// What is wrong.
    pub fn reload(&self, loaded: &Loaded, layout: &Layout) -> Result<(), Failure> {
        let registry = registry(loaded)?;
        let (text, _) = policy(loaded, layout, &registry)?;
        let reader = reader(loaded)?;
        self.registry.store(Arc::new(registry));
        self.core.exports.revive();
        self.core.reader.store(Arc::new(reader));
        let version = self.core.reducer.read().rules().policy().version().to_owned();
        self.put_in_force(&version, text)
    }

    /// Everything that was accepted is judged, a snapshot is taken, threads end.
    pub fn stop(self) {
        self.core.ending.store(true, Ordering::Release);
        if let Some(committer) = self.core.committer.get() {
            drop(committer.close());
        }
        let _ = self.core.work.send(Work::Stop);
        let _ = self.reducing.join();
        self.core.records.seal();
        if let Some(Err(error)) = self.offsite.map(|offsite| offsite.copy(&self.core)) {
            tracing::error!(%error, "the last checkpoint of the audit cannot be copied");
        }
    }

    /// Records that the configuration was read again, or was not to be had.
    pub fn note_reload(&self, loaded: &Result<String, Trouble>) {
        let (action, detail) = match loaded {
            Ok(version) => (
                "configuration.reload",
                serde_json::json!({ "configuration": version }),
            ),
            // The message may repeat what stands in the file.
            Err(trouble) => (
                "configuration.refuse",
                serde_json::json!({ "trouble": format!("{trouble:?}") }),
            ),
        };
        let policy = self.core.reducer.read().rules().policy().version().to_owned();
        let records = &self.core.records;
        records.note(&TenantId::default(), action, None, (detail, &policy));
        records.commit();
    }

    /// Puts a policy into the log, if another is in force.
    fn put_in_force(&self, version: &str, text: String) -> Result<(), Failure> {
        let new =
            Policy::parse(&text).map_err(|_| Failure::new(Trouble::Bug, "a checked policy does not hold"))?;
        if new.version() == version {
            return Ok(());
        }
        let tenant = TenantId::default();
        let entry = kept::other(Kind::Policy, &tenant, clock::now(), text.clone().into_bytes());
        let work = self.core.work.clone();
        let committed = move |result: habitus_journal::Result<std::ops::Range<habitus_journal::Position>>| {
            if let Ok(positions) = result {
                let _ = work.send(Work::Entry {
                    position: positions.start.0,
                    entry: Box::new(Entry::Policy(text)),
                    reply: None,
                });
            }
        };
        let committer = self.core.committer.get();
        let appended = committer.map(|committer| committer.append_then(vec![entry], Box::new(committed)));
        appended.transpose().map_err(failure)?;
        let detail = serde_json::json!({ "from": version, "to": new.version() });
        self.core
            .records
            .note(&tenant, "policy.replace", None, (detail, new.version()));
        Ok(())
    }
}

fn offsite(loaded: &Loaded, layout: &Layout, core: &Core) -> Result<Option<Arc<Offsite>>, Failure> {
    let Some(path) = &loaded.config.serve.audit_checkpoints else {
        return Ok(None);
    };
    let opened = Offsite::open(&loaded.base().join(path), layout, core.records.ends())?;
    Ok(Some(Arc::new(opened)))
}

/// The state that the directory was left in; the log's end is put into the gate.
fn come_back(loaded: &Loaded, store: &mut Store, reader: &Reader) -> Result<Restored, Failure> {
    let marks = Marks {
        gate: &store.gate,
        recovery: store.seen,
        now: clock::now(),
    };
    let readers = store.log.readers();
    let snapshot = std::mem::take(&mut store.loaded);
    let made_with = (live_settings(loaded), reader);
    restore(snapshot, &Past::all(&readers), made_with, Some(&marks))
}

/// Says that time went on where nothing comes, so that what waits is settled.
async fn tick(core: Shared) {
    while !core.ending.load(Ordering::Acquire) {
        tokio::time::sleep(TICK).await;
        let now = clock::now();
        if core.reducer.read().waits_in_silence(now) {
            let entry = kept::other(Kind::Tick, &TenantId::default(), now, Vec::new());
            // Another comes soon.
            let _ = core.append(entry, Entry::Tick(now), None).await;
        }
    }
}

async fn watch_memory(core: Shared) {
    while !core.ending.load(Ordering::Acquire) {
        tokio::time::sleep(memory::LOOK).await;
        core.memory.look();
    }
}

fn keep_up(core: &Core, maintenance: Maintenance, snapshots: &Snapshots) {
    give_way();
    while !core.ending.load(Ordering::Acquire) {
        std::thread::sleep(MAINTENANCE);
        let from = snapshots.keep_from().ok().flatten().unwrap_or_default();
        let from = from.min(core.gate.lock().keep_from());
        if let Err(error) = maintenance.run(clock::now(), from) {
            tracing::error!(%error, "the log cannot be looked after");
        }
    }
}
