//! First pass: from bytes to contexts in order of time.

use super::ordered::Ordered;
use super::plan::Plan;
use super::spare::{Empty, Spare};
use super::stored::{Item, sort_key};
use super::tally::Tally;
use crate::failure::Failure;
use habitus_enrich::Enricher;
use habitus_model::{AccountId, Event, EventUid, Rejection, RejectionKind, TenantId, Text, TimeQuality};
use habitus_normalize::Normalizer;
use habitus_sources::{Batch, Error, Framed, SortKey, Sorter, parallel_ordered};
use std::ops::Range;
use std::sync::Arc;

/// All events in order, with what was counted on the way.
pub struct Sieved {
    /// The events.
    pub ordered: Ordered,
    /// The counts.
    pub tally: Tally,
    /// How many events wait, duplicates included.
    pub waiting: u64,
    /// Whose the event is that was watched for; absent if it did not come.
    pub watched: Option<Owner>,
}

/// Whose an event is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Tenant.
    pub tenant: TenantId,
    /// Account; absent if nobody is named.
    pub account: Option<AccountId>,
}

/// Reads all inputs of a plan; `watch` names an event whose owner is wanted before scoring begins.
///
/// # Errors
/// Temporary files or threads that cannot be had. Trouble with an input is counted, and the rest goes on.
pub fn read(plan: &Plan, watch: Option<&EventUid>) -> Result<Sieved, Failure> {
    let normalizers = plan.normalizers();
    let mut sorter = Sorter::new(plan.memory_bytes, &plan.temp_dir);
    let mut tally = Tally::default();
    let mut watched = None;
    let bar = plan.talk.progress("reading", plan.total_bytes());
    let spare = Spare::<Stock>::default();
    let batches = plan.batches();
    let worked_off = batches.spare();
    let worker = || {
        let mut enricher = Enricher::new(Arc::clone(&plan.tables));
        let (normalizers, spare, worked_off) = (&normalizers, &spare, &worked_off);
        move |batch: Result<Batch, Error>| {
            let stock = spare.take();
            let sifted = sift(&batch, plan, (normalizers, &mut enricher), (watch, stock));
            if let Ok(batch) = batch {
                worked_off.give(batch);
            }
            sifted
        }
    };
    parallel_ordered(plan.threads, batches, worker, |sifted| {
        let sifted: Sifted = sifted?;
        let Stock { bytes, items } = &sifted.stock;
        for (key, range) in items {
            sorter.push(*key, bytes.get(range.clone()).unwrap_or_default())?;
        }
        spare.give(sifted.stock);
        tally.add(sifted.tally);
        watched = watched.take().or(sifted.watched);
        bar.at(&plan.progress);
        Ok::<(), Failure>(())
    })?;
    bar.done();
    let waiting = sorter.len();
    Ok(Sieved {
        ordered: Ordered::new(sorter.finish()?),
        tally,
        waiting,
        watched,
    })
}

/// Events put aside.
#[derive(Debug, Default)]
struct Stock {
    bytes: Vec<u8>,
    items: Vec<(SortKey, Range<usize>)>,
}

impl Empty for Stock {
    fn empty(&mut self) {
        self.bytes.clear();
        self.items.clear();
    }
}

/// What one batch gave.
struct Sifted {
    stock: Stock,
    tally: Tally,
    watched: Option<Owner>,
}

fn sift(
    batch: &Result<Batch, Error>,
    plan: &Plan,
    (normalizers, enricher): (&[Normalizer], &mut Enricher),
    (watch, stock): (Option<&EventUid>, Stock),
) -> Result<Sifted, Failure> {
    let mut sifted = Sifted {
        stock,
        tally: Tally::default(),
        watched: None,
    };
    let batch = match batch {
        Ok(batch) => batch,
        Err(error) => {
            sifted.tally.broken.push(error.to_string());
            return Ok(sifted);
        }
    };
    let learning = plan.learning(batch.input);
    let mut formats: Vec<(Text, u64)> = Vec::new();
    let Sifted {
        stock,
        tally,
        watched,
    } = &mut sifted;
    let Stock { bytes, items } = stock;
    let take = |events: &[Event]| {
        for event in events.iter() {
            count(&mut formats, event.source.as_str());
            let context = enricher.context(event);
            let start = bytes.len();
            Item::store(event.source.as_str(), &event.uid, &context, bytes)?;
            if watch == Some(&event.uid) {
                watched.get_or_insert_with(|| Owner {
                    tenant: context.tenant.clone(),
                    account: context.account.clone(),
                });
            }
            items.push((sort_key(&event.uid, &context, learning), start..bytes.len()));
        }
        Ok(())
    };
    each_record(batch, normalizers, tally, (take, |_: &Rejection, _| {}))?;
    sifted.tally.formats.extend(formats);
    Ok(sifted)
}

/// Normalises each record of a batch and counts what becomes of it; `take` gets the events of one record at a time,
/// `refuse` each rejection with its line.
///
/// # Errors
/// What `take` gives.
pub fn each_record(
    batch: &Batch,
    normalizers: &[Normalizer],
    tally: &mut Tally,
    (mut take, mut refuse): (
        impl FnMut(&[Event]) -> Result<(), Failure>,
        impl FnMut(&Rejection, u64),
    ),
) -> Result<(), Failure> {
    let normalizer = usize::try_from(batch.input)
        .ok()
        .and_then(|index| normalizers.get(index));
    let Some(normalizer) = normalizer else {
        return Ok(());
    };
    let mut events = Vec::new();
    for framed in batch.iter() {
        tally.records += 1;
        let (line, read) = match framed {
            Framed::Record(record) => (
                record.line,
                normalizer.normalize(record.bytes, record.line, &mut events),
            ),
            Framed::Oversized { line, .. } => (line, Err(oversized())),
            Framed::Broken { line, reason } => (line, Err(Rejection::new(RejectionKind::Malformed, reason))),
        };
        match read {
            Ok(0) => tally.ignored += 1,
            Ok(count) => {
                tally.events += u64::try_from(count).unwrap_or(u64::MAX);
                let assumed = events
                    .iter()
                    .filter(|event| event.time_quality != TimeQuality::Source);
                tally.assumed_times += u64::try_from(assumed.count()).unwrap_or(u64::MAX);
                take(&events)?;
                events.clear();
            }
            Err(rejection) => {
                refuse(&rejection, line);
                tally.rejections.push(rejection, batch.input, line);
            }
        }
    }
    Ok(())
}

fn oversized() -> Rejection {
    Rejection::new(
        RejectionKind::Limit,
        "the record is longer than `record_bytes_max`",
    )
}

/// Counts by format; a batch has one or few, so a list is quickest.
fn count(formats: &mut Vec<(Text, u64)>, format: &str) {
    match formats.iter_mut().find(|(name, _)| name == format) {
        Some((_, count)) => *count += 1,
        None => formats.push((Text::new(format), 1)),
    }
}
