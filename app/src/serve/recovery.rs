//! Coming back to the state that was left: the newest good snapshot, and everything in the log since.
//!
//! ```text
//! log ─▶ reader (a thread) ─▶ parsed by all cores ─▶ applied in the order of the log
//!                                                └─▶ what was seen is put in again (a thread)
//! ```
//!
//! Every event of the log was judged where it stands, and is so again: what came twice is not in it.

use super::gate::Gate;
use super::health::Silences;
use super::kept::{self, Kind};
use super::orders::Orders;
use super::reading::Reader;
use super::reduce::placed;
use super::snapshots::{HELD, SILENCES, STATE, VIEW};
use crate::failure::{Failure, Trouble};
use habitus_engine::Sequential;
use habitus_findings::News;
use habitus_journal::log::Readers;
use habitus_journal::seen::{Identity, SeenRecovery};
use habitus_journal::snapshot::{Loaded, Snapshot};
use habitus_journal::{Position, Record};
use habitus_live::{Entry, Output, Reducer, Settings};
use habitus_model::IngestTime;
use habitus_policy::{Held, Ruling};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Records parsed at once: with their events some 300 KB, which stay in the cache from one thread to the next.
const AT_ONCE: usize = 128;
/// Batches that wait before and after each parser.
const WAITING: usize = 8;
/// Batches of what was seen that wait: they are small, and a file that is written in between holds them up.
const SEEN_WAITING: usize = 256;
/// Parsers at most: the reducer is one thread, and does about as much for an event as its parsing costs.
const PARSERS_MAX: usize = 4;

/// The state as it was left.
pub struct Restored {
    /// The reducer.
    pub reducer: Reducer,
    /// Orders that waited for a person when the snapshot was taken.
    pub held: Vec<Held>,
    /// How long sources were usually silent when the snapshot was taken.
    pub silences: Silences,
    /// What was ordered on the way.
    pub ordered: Ordered,
    /// What exporters are told again: their outbox knows what it had.
    pub news: Vec<News>,
    /// The next entry to be judged.
    pub position: u64,
    /// Entries judged again.
    pub replayed: u64,
    /// Records lost to damage on the way.
    pub lost: u64,
}

/// The log, as far as it is wanted.
pub struct Past<'a> {
    /// It.
    pub readers: &'a Readers,
    /// Not this position, and none after it.
    pub until: u64,
}

impl<'a> Past<'a> {
    /// To its end.
    pub const fn all(readers: &'a Readers) -> Self {
        let until = u64::MAX;
        Self { readers, until }
    }
}

/// What was ordered since the snapshot, again: the outbox knows what it had.
#[derive(Default)]
pub struct Ordered {
    rulings: Vec<Ruling>,
    /// Ids of held orders, and whether people let them go.
    decided: Vec<(String, bool)>,
}

/// What was seen, to be put in again from the log.
pub struct Marks<'a> {
    /// Where.
    pub gate: &'a Gate,
    /// What opening it found.
    pub recovery: SeenRecovery,
    /// When: what left the window is not put in again.
    pub now: IngestTime,
}

/// A record of the log, read.
struct Parsed {
    position: u64,
    ingested: IngestTime,
    /// What it is known by; absent if that is known already, or is no event.
    mark: Option<Identity>,
    entries: Vec<Entry>,
    decided: Option<(String, bool)>,
}

/// What parsing needs to know.
struct Parser<'a> {
    reader: &'a Reader,
    marks: Option<&'a Marks<'a>>,
    /// What is before is in the snapshot.
    judge_from: u64,
}

/// The newest good snapshot, and everything in the log since. With `marks`, what was seen is put in again too.
///
/// # Errors
/// A state or log that cannot be read; what was seen that cannot be written.
pub fn restore(
    loaded: Loaded,
    past: &Past<'_>,
    (settings, reader): (Settings, &Reader),
    marks: Option<&Marks<'_>>,
) -> Result<Restored, Failure> {
    let _span = tracing::info_span!("recover").entered();
    for (name, error) in &loaded.skipped {
        tracing::error!(%name, %error, "a snapshot is damaged; the one before is taken");
    }
    let mut restored = match loaded.snapshot {
        Some(snapshot) => from_snapshot(&snapshot, settings)?,
        None => Restored {
            reducer: Reducer::new(settings),
            held: Vec::new(),
            silences: Silences::new(),
            ordered: Ordered::default(),
            news: Vec::new(),
            position: 0,
            replayed: 0,
            lost: 0,
        },
    };
    let parser = Parser {
        reader,
        marks,
        judge_from: restored.position,
    };
    let from = marks.map_or(parser.judge_from, |marks| {
        marks.recovery.restore_from.0.min(parser.judge_from)
    });
    restored.lost = thread::scope(|scope| {
        let (send, seen) = sync_channel(SEEN_WAITING);
        let remembering = marks.map(|marks| scope.spawn(move || remember(marks.gate, &seen)));
        let lost = replay((past, from), &parser, |parsed| restored.take(parsed, &send));
        drop(send);
        let remembered = remembering.map_or(Ok(Ok(())), thread::ScopedJoinHandle::join);
        let remembered =
            remembered.map_err(|_| Failure::new(Trouble::Bug, "what was seen was not put in again"))?;
        remembered.map_err(super::store::failure)?;
        lost
    })?;
    restored.catch_up();
    Ok(restored)
}

/// One event that is to be known again: what by, when it came, and the position after its record.
type Again = (Identity, (IngestTime, Position));

/// Puts in again what was seen. A thread of its own: a million new ones take a second, and two files to be written.
fn remember(gate: &Gate, batches: &Receiver<Vec<Again>>) -> habitus_journal::Result<()> {
    for batch in batches {
        let mut seen = gate.lock();
        for (identity, place) in batch {
            seen.restore(identity, place)?;
        }
    }
    Ok(())
}

fn from_snapshot(snapshot: &Snapshot, settings: Settings) -> Result<Restored, Failure> {
    let part = |name: &str| snapshot.sections.get(name).map(Vec::as_slice);
    let state = part(STATE).unwrap_or_default();
    let held = part(HELD).map(postcard::from_bytes::<Vec<Held>>).transpose()?;
    // Learned anew where they cannot be read.
    let silences = part(SILENCES).map(postcard::from_bytes::<Silences>);
    Ok(Restored {
        reducer: Reducer::restore(settings, state, part(VIEW))?,
        held: held.unwrap_or_default(),
        silences: silences.and_then(Result::ok).unwrap_or_default(),
        ordered: Ordered::default(),
        news: Vec::new(),
        position: snapshot.position.0,
        replayed: 0,
        lost: 0,
    })
}

type Batch<T> = Result<Vec<T>, habitus_journal::Error>;

/// Reads to the end, parses on several threads, and gives all in order to `take`. Gives the records that were lost.
fn replay(
    past: (&Past<'_>, u64),
    parser: &Parser<'_>,
    mut take: impl FnMut(Vec<Parsed>) -> Result<(), Failure>,
) -> Result<u64, Failure> {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    thread::scope(|scope| {
        let (mut to, mut from) = (Vec::new(), Vec::new());
        for _ in 0..cores.min(PARSERS_MAX) {
            let (send_raw, raw) = sync_channel::<Batch<Record>>(WAITING);
            let (send_parsed, parsed) = sync_channel::<Batch<Parsed>>(WAITING);
            scope.spawn(move || parse_all(parser, &raw, &send_parsed));
            to.push(send_raw);
            from.push(parsed);
        }
        let reading = scope.spawn(move || hand_out(past, &to));
        // Batches go round, so they come back in order.
        for parsed in from.iter().cycle() {
            match parsed.recv() {
                Ok(batch) => take(batch.map_err(unreadable)?)?,
                Err(_) => break,
            }
        }
        drop(from);
        reading
            .join()
            .map_err(|_| Failure::new(Trouble::Bug, "reading the log ended early"))
    })
}

/// Gives batches of records to the parsers in turn, and tells at the end what could not be read.
fn hand_out((past, from): (&Past<'_>, u64), to: &[SyncSender<Batch<Record>>]) -> u64 {
    let mut records = past.readers.from(Position(from));
    let is_wanted = |record: &habitus_journal::Result<Record>| {
        record
            .as_ref()
            .map_or(true, |record| record.position.0 < past.until)
    };
    for parser in to.iter().cycle() {
        let batch: Batch<Record> = records.by_ref().take_while(is_wanted).take(AT_ONCE).collect();
        let is_over = batch.as_ref().is_ok_and(Vec::is_empty);
        let is_last = batch.is_err();
        if is_over || parser.send(batch).is_err() || is_last {
            break;
        }
    }
    records.damage().records_lost
}

fn parse_all(parser: &Parser<'_>, raw: &Receiver<Batch<Record>>, parsed: &SyncSender<Batch<Parsed>>) {
    for batch in raw {
        let batch = batch.map(|records| records.iter().map(|record| parser.parse(record)).collect());
        if parsed.send(batch).is_err() {
            return;
        }
    }
}

impl Parser<'_> {
    fn parse(&self, record: &Record) -> Parsed {
        let position = record.position.0;
        let is_judged = position >= self.judge_from;
        let mut parsed = Parsed {
            position,
            ingested: record.entry.ingested,
            mark: None,
            entries: Vec::new(),
            decided: None,
        };
        match Kind::of(record.entry.kind) {
            Some(Kind::Event) if is_judged || self.is_marked(record) => {
                let (identity, entries) = self.event(record);
                parsed.mark = identity.filter(|_| self.is_marked(record));
                parsed.entries = if is_judged { entries } else { Vec::new() };
            }
            Some(Kind::Decide) if is_judged => {
                parsed.decided = serde_json::from_slice(&record.entry.payload).ok();
            }
            _ if is_judged => parsed.entries = other(record).into_iter().collect(),
            _ => {}
        }
        parsed
    }

    /// Whether what was seen does not know the record yet, and should.
    fn is_marked(&self, record: &Record) -> bool {
        self.marks.is_some_and(|marks| {
            record.position >= marks.recovery.restore_from
                && marks.gate.remembers(record.entry.ingested, marks.now)
        })
    }

    fn event(&self, record: &Record) -> (Option<Identity>, Vec<Entry>) {
        let position = record.position.0;
        let Some((sent, occurrence, raw)) = kept::read(&record.entry) else {
            tracing::error!(position, "an entry of another layout is left out");
            return (None, Vec::new());
        };
        match self.reader.again(raw, occurrence, &sent) {
            Ok(events) => {
                let whose = (&sent.tenant, &sent.source);
                let gate = self.marks.map(|marks| marks.gate);
                let identity = gate.map(|gate| gate.identity(whose, &events, raw));
                let events = placed(position, events);
                let entries = events.map(|arrival| Entry::Event(Box::new(arrival)));
                (identity, entries.collect())
            }
            Err(error) => {
                tracing::error!(position, %error, "a record that was understood once is not now");
                (None, Vec::new())
            }
        }
    }
}

/// What an entry that is neither an event nor a decision is to the reducer.
fn other(record: &Record) -> Option<Entry> {
    let (position, entry) = (record.position.0, &record.entry);
    match Kind::of(entry.kind) {
        Some(Kind::Tick) => Some(Entry::Tick(entry.ingested)),
        Some(Kind::Settle) => Some(Entry::Settle),
        Some(Kind::Policy) => {
            let text = String::from_utf8_lossy(&entry.payload).into_owned();
            Some(Entry::Policy(text))
        }
        Some(Kind::Command) => match serde_json::from_slice(&entry.payload) {
            Ok(command) => Some(Entry::Command(Box::new(command))),
            Err(error) => {
                tracing::error!(position, %error, "a command cannot be read");
                None
            }
        },
        Some(Kind::Models) => match serde_json::from_slice(&entry.payload) {
            Ok(order) => Some(Entry::Models(Box::new(order))),
            Err(error) => {
                tracing::error!(position, %error, "what was asked of models cannot be read");
                None
            }
        },
        Some(Kind::Event | Kind::Decide | Kind::Conflict) => None,
        None => {
            let kind = entry.kind;
            tracing::error!(position, kind, "an entry of a later version is left out");
            None
        }
    }
}

impl Ordered {
    /// Puts it into the outbox.
    ///
    /// # Errors
    /// What the outbox says.
    pub fn put(&self, orders: &Orders, now: IngestTime) -> habitus_journal::Result<()> {
        for ruling in &self.rulings {
            orders.take(ruling, now)?;
        }
        let mut decided = self.decided.iter();
        decided.try_for_each(|(id, approve)| orders.decide(id, *approve, now))
    }
}

impl Restored {
    /// What was found, for people.
    pub fn told(&self) -> String {
        let accounts = self.reducer.engine().accounts();
        match (self.position, self.replayed, self.lost) {
            (0, _, _) => "nothing is known yet".to_owned(),
            (_, replayed, 0) => {
                format!("{accounts} accounts known, {replayed} entries judged again since the last snapshot")
            }
            (_, replayed, lost) => format!(
                "{accounts} accounts known, {replayed} entries judged again, {lost} records lost to damage"
            ),
        }
    }

    /// Takes the next of the log; what was seen is handed on.
    fn take(&mut self, batch: Vec<Parsed>, seen: &SyncSender<Vec<Again>>) -> Result<(), Failure> {
        let mut entries = Vec::with_capacity(batch.len());
        let mut again = Vec::new();
        for parsed in batch {
            let next = parsed.position + 1;
            again.extend(
                parsed
                    .mark
                    .map(|identity| (identity, (parsed.ingested, Position(next)))),
            );
            if parsed.position < self.position {
                continue;
            }
            self.position = next;
            self.replayed += 1;
            entries.extend(parsed.entries);
            self.ordered.decided.extend(parsed.decided);
        }
        if !again.is_empty() && seen.send(again).is_err() {
            return Err(Failure::new(
                Trouble::Unavailable,
                "what was seen cannot be put in again",
            ));
        }
        let mut out = Vec::new();
        self.reducer.replay(entries, &Sequential, &mut out);
        self.follow(out);
        Ok(())
    }

    fn catch_up(&mut self) {
        let mut out = Vec::new();
        self.reducer.catch_up(&mut out);
        self.follow(out);
    }

    fn follow(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Verdict {
                    ruling: Some(ruling), ..
                } => {
                    self.held.extend(ruling.held.iter().cloned());
                    if !ruling.orders.is_empty() {
                        self.ordered.rulings.push(*ruling);
                    }
                }
                Output::Findings { news, .. } => self.news.extend(news),
                Output::Verdict { ruling: None, .. }
                | Output::PolicyRefused(_)
                | Output::Models { .. }
                | Output::Tenant { .. }
                | Output::Command { .. } => {}
            }
        }
    }
}

fn unreadable(error: habitus_journal::Error) -> Failure {
    Failure::new(
        Trouble::Unavailable,
        format!("the data directory cannot be read: {error}"),
    )
}
