//! Taking events in: read, checked against what came before, put on stable storage, handed to the reducer.

use super::clock;
use super::core::{Core, Shared, Work};
use super::kept::{self, Kind};
use super::load::Permit;
use super::metrics::{ByResult, Taken};
use super::reading::{Read, ReadRecord, Sent};
use async_trait::async_trait;
use habitus_console::product::{self, Content, IngestAnswer, Refusal, Submission};
use habitus_journal::group::Kept;
use habitus_journal::seen::{Fingerprint, Identity, Seen, Sighting};
use habitus_journal::{Entry, Error};
use habitus_model::{TenantId, Text};
use habitus_sources::live::{Accepted, LiveBatch, Refused, Sink};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::oneshot;

/// Source of those who name none.
const UNNAMED: Text = Text::const_new("api");
/// Memory a request takes while it is under way, as a multiple of its bytes: raw, read, and the log's copy.
const MEMORY_FACTOR: usize = 4;

/// The door.
#[derive(Debug, Clone)]
pub struct Intake(pub Shared);

/// What passed the gate, and what did not.
#[derive(Default)]
struct Passed {
    records: Vec<ReadRecord>,
    entries: Vec<Entry>,
    ids: Vec<Fingerprint>,
    answer: IngestAnswer,
}

/// What is on its way to stable storage, and who waits for it.
struct UnderWay {
    records: Vec<ReadRecord>,
    ids: Vec<Fingerprint>,
    answer: IngestAnswer,
    permit: Permit,
    tell: Tell,
}

/// How long somebody waits for a turn.
#[derive(Debug, Clone, Copy)]
enum Wait {
    /// One of any number of requests: refused when the line stands, and it comes again.
    Limited,
    /// A live source: it has one batch under way at a time, and what it does not read meanwhile can be lost (UDP).
    Unlimited,
}

impl Intake {
    async fn take(&self, sent: Sent, content: Content, wait: Wait) -> Result<IngestAnswer, Refusal> {
        let core = &self.0;
        if core.ending.load(Ordering::Acquire) {
            return Err(Refusal::ShuttingDown);
        }
        if core.memory.is_over() {
            return Err(Refusal::Overloaded { retry_after: 1 });
        }
        let permit = core
            .load
            .admit(bytes_of(&content).saturating_mul(MEMORY_FACTOR))?;
        let (tell, told) = oneshot::channel();
        let core = Shared::clone(core);
        let started = tokio::time::Instant::now();
        let metrics = Shared::clone(&core);
        let turn = match wait {
            Wait::Limited => core.turns.intake.turn_soon().await?,
            Wait::Unlimited => core.turns.intake.turn().await?,
        };
        let job = tokio::task::spawn_blocking(move || {
            // It is given back when the work is done, even if the sender has gone meanwhile.
            let _turn = turn;
            core.take(&sent, &content, permit, tell)
        });
        job.await.map_err(|_| Refusal::Internal)??;
        let answer = told.await.map_err(|_| Refusal::ShuttingDown)?;
        metrics.metrics.commit.observe(started.elapsed().as_secs_f64());
        answer
    }
}

type Tell = oneshot::Sender<Result<IngestAnswer, Refusal>>;

impl Core {
    /// Reads and appends; `tell` gets the answer when it is on stable storage.
    fn take(
        self: &Shared,
        sent: &Sent,
        content: &Content,
        permit: Permit,
        tell: Tell,
    ) -> Result<(), Refusal> {
        let span = tracing::info_span!(
            "ingest",
            bytes = bytes_of(content),
            records = tracing::field::Empty
        )
        .entered();
        let read = self.reader.load().read(content, sent);
        let read = read.map_err(|reason| Refusal::BadFormat { reason })?;
        span.record("records", read.records.len());
        let (rejected, ignored) = (read.rejected_count, read.ignored);
        let ids = self.gate.identities((&sent.tenant, &sent.source), &read.records);
        let entries = entries(sent, &read.records);
        // Held until the entries are in the committer's queue: a second copy is answered after the first is durable.
        let mut seen = self.gate.lock();
        // Whether a first copy will be kept is not known yet, so nobody is told that a second is a duplicate of it.
        if ids.iter().any(|id| seen.is_pending(id.fingerprint)) {
            return Err(Refusal::Overloaded { retry_after: 1 });
        }
        let Some(committer) = self.committer.get() else {
            return Err(Refusal::ShuttingDown);
        };
        let Passed {
            records,
            entries,
            ids,
            answer,
        } = self.pass(&mut seen, sent, (read, entries, &ids))?;
        self.count(&answer, rejected, ignored);
        let (core, forgotten) = (Shared::clone(self), ids.clone());
        let under_way = UnderWay {
            records,
            ids,
            answer,
            permit,
            tell,
        };
        let appended = committer.append_kept(entries, Box::new(move |kept| core.kept(kept, under_way)));
        appended.map_err(|error| {
            seen.forget(forgotten);
            refusal(&error)
        })
    }

    /// What is on stable storage is known and judged, also of a request that met a full disk half-way: sent again, the rest is new.
    fn kept(&self, kept: Kept, mut under_way: UnderWay) {
        let count = kept.positions.end.0.saturating_sub(kept.positions.start.0);
        let known = usize::try_from(count)
            .unwrap_or(usize::MAX)
            .min(under_way.ids.len());
        let lost = under_way.ids.split_off(known);
        {
            let mut seen = self.gate.lock();
            seen.settle(under_way.ids, kept.positions.end);
            seen.forget(lost);
        }
        under_way.records.truncate(known);
        if count > 0 {
            let work = Work::Records {
                positions: kept.positions.start.0..kept.positions.end.0,
                records: under_way.records,
                permit: under_way.permit,
            };
            // A reducer that is gone means that the process ends; what is durable is judged after the start.
            let _ = self.work.send(work);
        }
        let answer = kept
            .failed
            .map_or(Ok(under_way.answer), |error| Err(refusal(&error)));
        let _ = under_way.tell.send(answer);
    }

    /// Tells new records from others. After an error nothing of it is remembered.
    fn pass(
        &self,
        seen: &mut Seen,
        sent: &Sent,
        (mut read, entries, ids): (Read, Vec<Entry>, &[Identity]),
    ) -> Result<Passed, Refusal> {
        let mut passed = Passed::default();
        // After the others, so that records and positions run side by side.
        let mut conflicts = Vec::new();
        let records = std::mem::take(&mut read.records);
        for ((record, entry), id) in records.into_iter().zip(entries).zip(ids) {
            let events = u64::try_from(record.events.len()).unwrap_or(u64::MAX);
            let sighting = seen.check(*id, sent.ingest).map_err(|error| {
                seen.forget(std::mem::take(&mut passed.ids));
                refusal(&error)
            })?;
            match sighting {
                Sighting::New => {
                    passed.answer.accepted += events;
                    passed.ids.push(id.fingerprint);
                    passed.entries.push(entry);
                    passed.records.push(record);
                }
                // One that is under way stands twice in what was sent now.
                Sighting::Duplicate | Sighting::Pending => passed.answer.duplicates += events,
                Sighting::Conflict => {
                    passed.answer.duplicates += events;
                    let result = Taken::conflict;
                    self.metrics.events.get_or_create(&ByResult { result }).inc();
                    let kind = Kind::Conflict.number();
                    conflicts.push(Entry { kind, ..entry });
                }
            }
        }
        passed.entries.append(&mut conflicts);
        std::mem::swap(&mut read.records, &mut passed.records);
        let counted = (&read, passed.answer.duplicates);
        self.health
            .heard(&sent.tenant, &sent.source, counted, sent.ingest);
        std::mem::swap(&mut read.records, &mut passed.records);
        passed.answer.rejected = read.rejected;
        Ok(passed)
    }

    fn count(&self, answer: &IngestAnswer, rejected: u64, ignored: u64) {
        let counts = [
            (Taken::accepted, answer.accepted),
            (Taken::duplicate, answer.duplicates),
            (Taken::rejected, rejected),
            (Taken::ignored, ignored),
        ];
        for (result, count) in counts {
            self.metrics
                .events
                .get_or_create(&ByResult { result })
                .inc_by(count);
        }
    }
}

/// What the log keeps if all records are new. Made before the gate is closed to others: it copies every record.
fn entries(sent: &Sent, records: &[ReadRecord]) -> Vec<Entry> {
    let entry = |record: &ReadRecord| kept::event(Kind::Event, sent, record.occurrence, &record.raw);
    records.iter().map(entry).collect()
}

fn bytes_of(content: &Content) -> usize {
    match content {
        Content::Whole(bytes) => bytes.len(),
        Content::Records(records) => records.iter().map(|record| record.content.len() + 64).sum(),
    }
}

/// A live source gives one record a line, and says so: nothing is to be joined over lines.
fn one_a_line(batch: &LiveBatch) -> Vec<product::Record> {
    let record = |(at, line): (usize, &[u8])| product::Record {
        content: batch.records.slice(at..at + line.len()),
        label: None,
        time: None,
        host: None,
        // Read again from the same place of the same file, as happens after a crash, it is the same.
        place: batch.checkpoint.map(|place| narrow(place.record_id(at, line))),
    };
    batch.iter().map(record).collect()
}

/// The lower half of an id: enough, because the bytes of the record count beside it.
fn narrow(id: u128) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = id.to_le_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// What a journal's error is to a sender.
pub fn refusal(error: &Error) -> Refusal {
    match error {
        Error::Overloaded => Refusal::Overloaded { retry_after: 1 },
        Error::Full => Refusal::Full { retry_after: 30 },
        Error::Closed | Error::Stopped => Refusal::ShuttingDown,
        Error::TooLarge { .. } | Error::NameTooLong { .. } => Refusal::BadFormat {
            reason: error.to_string(),
        },
        error => {
            tracing::error!(%error, "the journal cannot take entries");
            Refusal::Internal
        }
    }
}

#[async_trait]
impl product::Intake for Intake {
    async fn ingest(&self, submission: Submission) -> Result<IngestAnswer, Refusal> {
        let sent = Sent {
            tenant: submission.who.tenant,
            source: submission.source.unwrap_or(UNNAMED),
            format: submission.format.filter(|format| format != "auto"),
            ingest: clock::now(),
        };
        let (tenant, source) = (sent.tenant.clone(), sent.source.clone());
        let answer = self.take(sent, submission.content, Wait::Limited).await;
        if let Err(Refusal::Overloaded { .. } | Refusal::Full { .. }) = &answer {
            self.0.health.refused(&tenant, &source);
        }
        answer
    }
}

fn later(seconds: u64, reason: &str) -> Refused {
    Refused {
        retry_after: Duration::from_secs(seconds),
        reason: reason.to_owned(),
    }
}

impl Intake {
    /// A batch that can never be taken is let go and counted: it would come for ever, and nothing after it.
    fn never(&self, batch: &LiveBatch, refusal: &Refusal) -> Accepted {
        let records = batch.iter().count();
        let count = u64::try_from(records).unwrap_or(u64::MAX);
        let label = &batch.source;
        let (tenant, source) = (TenantId::new(label.tenant.as_str()), Text::new(&label.name));
        let reason = refusal.to_string();
        tracing::error!(source = %label.name, records, %reason, "records can never be taken, and are let go");
        let health = &self.0.health;
        health.never(&tenant, &source, (count, &reason), clock::now());
        let result = Taken::rejected;
        self.0
            .metrics
            .events
            .get_or_create(&ByResult { result })
            .inc_by(count);
        Accepted {
            rejected: u32::try_from(records).unwrap_or(u32::MAX),
            ..Accepted::default()
        }
    }
}

#[async_trait]
impl Sink for Intake {
    async fn submit(&self, batch: LiveBatch) -> Result<Accepted, Refused> {
        let label = &batch.source;
        let sent = Sent {
            tenant: TenantId::new(label.tenant.as_str()),
            source: Text::new(&label.name),
            format: (label.format != "auto").then(|| Text::new(&label.format)),
            ingest: clock::now(),
        };
        let records = Content::Records(one_a_line(&batch));
        let answer = self.take(sent, records, Wait::Unlimited).await;
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        match answer {
            Ok(answer) => Ok(Accepted {
                events: small(answer.accepted),
                duplicates: small(answer.duplicates),
                rejected: u32::try_from(answer.rejected.len()).unwrap_or(u32::MAX),
            }),
            Err(Refusal::Overloaded { retry_after } | Refusal::Full { retry_after }) => Err(later(
                u64::from(retry_after),
                "the server is busy, or its disk is full",
            )),
            Err(Refusal::ShuttingDown) => Err(later(5, "the server is going down")),
            Err(Refusal::Internal) => Err(later(5, "the journal cannot take entries")),
            Err(refusal) => Ok(self.never(&batch, &refusal)),
        }
    }
}
