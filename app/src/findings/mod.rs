//! From flagged events to findings: one for each account, behaviour and window, however many events it took.

mod behaviour;
mod ocsf;

pub use behaviour::{lead, name, title};
pub use ocsf::{sentence, to_ocsf};

use habitus_engine::{Learning, Record};
use habitus_model::hash::content_digest;
use habitus_model::{Assessment, Context, EventTime, Family, Millis, TenantId, Text};
use std::collections::BTreeMap;

/// Events kept with a finding; further ones are counted.
pub const EVIDENCES_MAX: usize = 20;

/// Findings open at once; beyond it the oldest is closed early.
const OPEN_MAX: usize = 100_000;

/// A flagged event with what a finding tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Flagged {
    /// The event.
    pub context: Context,
    /// The log format it came in.
    pub source: Text,
    /// Its assessment.
    pub assessment: Assessment,
}

/// Events of one account, or of one guessing source, that stand out by the same behaviour within one window.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Its id: a digest of tenant, account, behaviour and first event, so that the same log gives the same ids.
    pub uid: String,
    /// The behaviour it is about: the family of the strongest evidence; absent if the evidence has none.
    pub family: Option<Family>,
    /// The event with the highest score.
    pub worst: Flagged,
    /// The first events, the worst among them, in order of time.
    pub events: Vec<Flagged>,
    /// How many events there were.
    pub count: u64,
    /// Time of the first.
    pub first: EventTime,
    /// Time of the last.
    pub last: EventTime,
}

/// What events are grouped by.
type Key = (TenantId, Text, Option<Family>);

/// Groups flagged events that come in order of time. Memory: the findings of one window.
pub struct Grouping {
    from_score: f64,
    window: Millis,
    open: BTreeMap<Key, Finding>,
    /// By the time from which they are closed.
    closing: BTreeMap<(EventTime, Key), ()>,
}

impl Flagged {
    /// An event as it was assessed.
    pub fn new(record: &Record, source: &Text, assessment: &Assessment) -> Self {
        Self {
            context: record.context.clone(),
            source: source.clone(),
            assessment: assessment.clone(),
        }
    }
}

impl Grouping {
    /// A grouping of events with at least this score, in windows of so many hours from the first event.
    pub fn new(from_score: f64, window_hours: u16) -> Self {
        Self {
            from_score,
            window: Millis::from_hours(i64::from(window_hours)),
            open: BTreeMap::new(),
            closing: BTreeMap::new(),
        }
    }

    /// Whether an event belongs to a finding. Probes are questions, and make none.
    pub fn wants(&self, record: &Record, assessment: &Assessment) -> bool {
        record.learning == Learning::Learn && assessment.score.get() >= self.from_score
    }

    /// Takes the next event; the findings that are complete by its time are appended to `closed`, in order.
    pub fn push(&mut self, flagged: Flagged, closed: &mut Vec<Finding>) {
        let now = flagged.context.time;
        self.close_until(Some(now), closed);
        let family = lead(&flagged.assessment).and_then(|contribution| contribution.family);
        let key = (flagged.context.tenant.clone(), subject(&flagged, family), family);
        if let Some(finding) = self.open.get_mut(&key) {
            finding.add(flagged);
            return;
        }
        if self.open.len() >= OPEN_MAX {
            self.close_oldest(closed);
        }
        self.closing.insert((now.plus(self.window), key.clone()), ());
        self.open.insert(key, Finding::new(flagged, family));
    }

    /// The findings that are still open, in order.
    pub fn finish(mut self, closed: &mut Vec<Finding>) {
        self.close_until(None, closed);
    }

    fn close_until(&mut self, now: Option<EventTime>, closed: &mut Vec<Finding>) {
        while let Some(((end, _), ())) = self.closing.first_key_value() {
            if now.is_some_and(|now| *end > now) {
                return;
            }
            self.close_oldest(closed);
        }
    }

    fn close_oldest(&mut self, closed: &mut Vec<Finding>) {
        let Some(((_, key), ())) = self.closing.pop_first() else {
            return;
        };
        closed.extend(self.open.remove(&key));
    }
}

/// Whose finding it is: the account's; of a burst the source's, or each name it guessed would be a finding.
fn subject(flagged: &Flagged, family: Option<Family>) -> Text {
    let source = flagged
        .context
        .network
        .ip
        .filter(|_| family == Some(Family::Burst));
    match (source, &flagged.context.account) {
        (Some(ip), _) => Text::from(format!("from {ip}")),
        (None, Some(account)) => Text::new(account.as_str()),
        (None, None) => Text::default(),
    }
}

impl Finding {
    fn new(first: Flagged, family: Option<Family>) -> Self {
        let assessment = &first.assessment;
        let subject = subject(&first, family);
        let behaviour = family.map_or("", behaviour::name);
        let parts = [
            assessment.tenant.as_str(),
            subject.as_str(),
            behaviour,
            assessment.uid.as_str(),
        ];
        Self {
            uid: content_digest(parts.join("\0").as_bytes()),
            family,
            count: 1,
            first: first.context.time,
            last: first.context.time,
            events: vec![first.clone()],
            worst: first,
        }
    }

    /// Whose finding it is, for people: an account, or a source that guesses.
    pub fn subject(&self) -> String {
        let subject = subject(&self.worst, self.family);
        if subject.is_empty() {
            "nobody named".to_owned()
        } else {
            subject.to_string()
        }
    }

    fn add(&mut self, flagged: Flagged) {
        self.count += 1;
        self.last = flagged.context.time;
        let is_worst = rank(&flagged.assessment) > rank(&self.worst.assessment);
        if self.events.len() >= EVIDENCES_MAX {
            if !is_worst {
                return;
            }
            // The worst must be among the evidence; the one before the last gives way, and order is kept.
            self.events.pop();
        }
        if is_worst {
            self.worst = flagged.clone();
        }
        self.events.push(flagged);
    }
}

/// Higher is worse; numbers that never are NaN, compared as bits that order like them.
fn rank(assessment: &Assessment) -> (u64, i64) {
    let score = assessment.score.get().max(0.0).to_bits();
    (score, habitus_model::math::to_i64(assessment.log_odds.0 * 1e9))
}

#[cfg(test)]
mod tests;
