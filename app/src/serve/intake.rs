//! Taking events in: read, checked against what came before, put on stable storage, handed to the reducer.

use super::clock;
use super::core::{Core, Shared, Work};
use super::gate::{Came, wide};
use super::kept::{self, Kind};
use super::load::Permit;
use super::metrics::{ByResult, Taken};
use super::reading::{Read, ReadRecord, Sent};
use async_trait::async_trait;
use habitus_console::product::{self, Content, IngestAnswer, Refusal, Submission};
use habitus_journal::{Entry, Error, Position};
use habitus_model::Text;
use habitus_sources::live::{Accepted, LiveBatch, Refused, Sink};
use std::ops::Range;
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
struct Passed {
    records: Vec<ReadRecord>,
    entries: Vec<Entry>,
    ids: Vec<u128>,
    answer: IngestAnswer,
}

impl Intake {
    async fn take(&self, sent: Sent, content: Content) -> Result<IngestAnswer, Refusal> {
        let core = &self.0;
        if core.ending.load(Ordering::Acquire) {
            return Err(Refusal::ShuttingDown);
        }
        let permit = core
            .load
            .admit(bytes_of(&content).saturating_mul(MEMORY_FACTOR))?;
        let (tell, told) = oneshot::channel();
        let core = Shared::clone(core);
        let started = tokio::time::Instant::now();
        let metrics = Shared::clone(&core);
        let job = tokio::task::spawn_blocking(move || core.take(&sent, &content, permit, tell));
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
        let read = self.reader.load().read(content, sent);
        let read = read.map_err(|reason| Refusal::BadFormat { reason })?;
        let (rejected, ignored) = (read.rejected_count, read.ignored);
        // Held until the entries are in the committer's queue: a second copy is answered after the first is durable.
        let mut gate = self.gate.lock();
        // Whether a first copy will be kept is not known yet, so nobody is told that a second is a duplicate of it.
        let ids = read.records.iter().map(|record| record.id(sent));
        if ids.into_iter().any(|id| gate.is_under_way(id)) {
            return Err(Refusal::Overloaded { retry_after: 1 });
        }
        let Some(committer) = self.committer.get() else {
            return Err(Refusal::ShuttingDown);
        };
        let passed = self.pass(&mut gate, sent, read);
        self.count(&passed.answer, rejected, ignored);
        let Passed {
            records,
            entries,
            ids,
            answer,
        } = passed;
        let core = Shared::clone(self);
        let taken_back = ids.clone();
        let committed = move |result: habitus_journal::Result<Range<Position>>| match result {
            Ok(positions) => {
                core.gate.lock().arrive(&ids);
                let work = Work::Records {
                    positions: positions.start.0..positions.end.0,
                    records,
                    permit,
                };
                // A reducer that is gone means that the process ends; what is durable is judged after the start.
                let _ = core.work.send(work);
                let _ = tell.send(Ok(answer));
            }
            Err(error) => {
                core.gate.lock().take_back(&ids);
                let _ = tell.send(Err(refusal(&error)));
            }
        };
        let appended = committer.append_then(entries, Box::new(committed));
        appended.map_err(|error| {
            gate.take_back(&taken_back);
            refusal(&error)
        })
    }

    fn pass(&self, gate: &mut super::gate::Gate, sent: &Sent, read: Read) -> Passed {
        let duplicates_before = read.records.len();
        let mut passed = Passed {
            records: Vec::with_capacity(duplicates_before),
            entries: Vec::with_capacity(duplicates_before),
            ids: Vec::with_capacity(duplicates_before),
            answer: IngestAnswer {
                accepted: 0,
                duplicates: 0,
                rejected: Vec::new(),
            },
        };
        // After the others, so that records and positions run side by side.
        let mut conflicts = Vec::new();
        let mut heard = Read {
            rejected: read.rejected,
            rejected_count: read.rejected_count,
            ignored: read.ignored,
            records: Vec::new(),
        };
        for record in read.records {
            let id = record.id(sent);
            let events = u64::try_from(record.events.len()).unwrap_or(u64::MAX);
            match gate.pass(id, wide(&record.raw), sent.ingest) {
                Came::New => {
                    passed.answer.accepted += events;
                    passed.ids.push(id);
                    passed
                        .entries
                        .push(kept::event(Kind::Event, sent, record.occurrence, &record.raw));
                    passed.records.push(record);
                }
                Came::Before => passed.answer.duplicates += events,
                Came::Otherwise => {
                    passed.answer.duplicates += events;
                    let result = Taken::conflict;
                    self.metrics.events.get_or_create(&ByResult { result }).inc();
                    conflicts.push(kept::event(Kind::Conflict, sent, record.occurrence, &record.raw));
                }
            }
        }
        passed.entries.append(&mut conflicts);
        std::mem::swap(&mut heard.records, &mut passed.records);
        self.health.heard(
            &sent.tenant,
            &sent.source,
            (&heard, passed.answer.duplicates),
            sent.ingest,
        );
        std::mem::swap(&mut heard.records, &mut passed.records);
        passed.answer.rejected = heard.rejected;
        passed
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
    };
    batch.iter().map(record).collect()
}

/// What a journal's error is to a sender.
pub fn refusal(error: &Error) -> Refusal {
    match error {
        Error::Overloaded => Refusal::Overloaded { retry_after: 1 },
        Error::Full => Refusal::Full { retry_after: 30 },
        Error::Closed | Error::Stopped => Refusal::ShuttingDown,
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
        let answer = self.take(sent, submission.content).await;
        if let Err(Refusal::Overloaded { .. } | Refusal::Full { .. }) = &answer {
            self.0.health.refused(&tenant, &source);
        }
        answer
    }
}

#[async_trait]
impl Sink for Intake {
    async fn submit(&self, batch: LiveBatch) -> Result<Accepted, Refused> {
        let label = &batch.source;
        let sent = Sent {
            tenant: habitus_model::TenantId::new(label.tenant.as_str()),
            source: Text::new(&label.name),
            format: (label.format != "auto").then(|| Text::new(&label.format)),
            ingest: clock::now(),
        };
        let answer = self.take(sent, Content::Records(one_a_line(&batch))).await;
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        answer
            .map(|answer| Accepted {
                events: small(answer.accepted),
                duplicates: small(answer.duplicates),
                rejected: u32::try_from(answer.rejected.len()).unwrap_or(u32::MAX),
            })
            .map_err(|refusal| {
                let seconds = match &refusal {
                    Refusal::Overloaded { retry_after } | Refusal::Full { retry_after } => {
                        u64::from(*retry_after)
                    }
                    _ => 5,
                };
                Refused {
                    retry_after: Duration::from_secs(seconds),
                    reason: refusal.to_string(),
                }
            })
    }
}
