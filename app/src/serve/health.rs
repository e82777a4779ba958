//! How each source does, as the server sees it.

use super::reading::{Missing, Read};
use habitus_console::product::{MissingField, RejectedSample, SourceHealth, SourceState};
use habitus_model::math::{from_i64, from_u64};
use habitus_model::{EventTime, IngestTime, TenantId, Text};
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};

/// Sources watched; senders may invent names.
const SOURCES_MAX: usize = 1_000;
/// Reasons of rejections kept for each.
const REASONS_MAX: usize = 10;
/// Formats kept for each.
const FORMATS_MAX: usize = 16;
/// Delays kept for each, for the 95th percentile and the median.
const DELAYS_MAX: usize = 1_000;
/// Minutes that the rate is taken over.
const RATE_MINUTES: i64 = 5;
/// A field counts as missing if so large a share of records lacks it.
const MISSING_FROM: f64 = 0.9;
/// Records before anything is said of fields.
const RECORDS_MIN: u64 = 20;
/// A source is silent after so many times its usual gap between arrivals.
const SILENT_GAPS: f64 = 10.0;
/// And never sooner than this, seconds.
const SILENT_SECONDS_MIN: f64 = 60.0;

/// The health of all sources.
#[derive(Debug, Default)]
pub struct Health {
    sources: Mutex<BTreeMap<(TenantId, Text), Source>>,
}

#[derive(Debug, Default)]
struct Source {
    events: u64,
    records: u64,
    rejected: u64,
    duplicates: u64,
    reasons: Vec<(String, u64)>,
    formats: Vec<Text>,
    last_event: Option<EventTime>,
    last_heard: Option<IngestTime>,
    /// Seconds between arrivals, a moving average.
    gap_seconds: Option<f64>,
    /// Milliseconds from event to arrival.
    delays: VecDeque<i64>,
    /// Events by minute of arrival.
    minutes: VecDeque<(i64, u64)>,
    missing: [u64; 5],
}

/// The fields watched, as OCSF names them, with the families that are blind without.
const FIELDS: [(&str, &[&str]); 5] = [
    ("user", &["network", "device", "joint", "clock", "gap", "motion"]),
    ("src_endpoint.ip", &["network", "joint", "motion", "burst"]),
    ("http_request.user_agent", &["device", "joint"]),
    ("time", &["clock", "gap", "motion"]),
    ("session.uid", &["session"]),
];

impl Health {
    /// Takes note of what a source sent.
    pub fn heard(&self, tenant: &TenantId, name: &Text, (read, duplicates): (&Read, u64), now: IngestTime) {
        let mut sources = self.sources.lock();
        let key = (tenant.clone(), name.clone());
        if !sources.contains_key(&key) && sources.len() >= SOURCES_MAX {
            return;
        }
        let source = sources.entry(key).or_default();
        source.duplicates += duplicates;
        source.hear(now);
        for record in &read.records {
            source.records += 1;
            source.count_missing(record.missing);
            for arrival in &record.events {
                source.event(arrival.record.context.time, &arrival.origin.format, now);
            }
        }
        source.rejected += read.rejected_count;
        for line in &read.rejected {
            source.reject(&line.error);
        }
    }

    /// The sources of a tenant, by name.
    pub fn of(&self, tenant: &TenantId, now: IngestTime) -> Vec<SourceHealth> {
        let sources = self.sources.lock();
        let ours = sources.iter().filter(|((owner, _), _)| owner == tenant);
        ours.map(|((_, name), source)| source.health(name, now)).collect()
    }

    /// Seconds since 1970 of each source's last event, events and rejections, for metrics.
    pub fn totals(&self) -> Vec<(Text, Option<i64>, u64, u64)> {
        let sources = self.sources.lock();
        let each = sources.iter().map(|((_, name), source)| {
            let last = source.last_event.map(|time| time.as_millis() / 1_000);
            (name.clone(), last, source.events, source.rejected)
        });
        each.collect()
    }
}

impl Source {
    fn hear(&mut self, now: IngestTime) {
        if let Some(before) = self.last_heard {
            let seconds = seconds_between(before, now);
            self.gap_seconds = Some(self.gap_seconds.map_or(seconds, |gap| 0.9 * gap + 0.1 * seconds));
        }
        self.last_heard = self.last_heard.max(Some(now));
    }

    fn event(&mut self, time: EventTime, format: &Text, now: IngestTime) {
        self.events += 1;
        self.last_event = self.last_event.max(Some(time));
        if !self.formats.contains(format) && self.formats.len() < FORMATS_MAX {
            self.formats.push(format.clone());
        }
        self.delays.push_back(now.as_millis() - time.as_millis());
        if self.delays.len() > DELAYS_MAX {
            self.delays.pop_front();
        }
        let minute = now.as_millis().div_euclid(60_000);
        match self.minutes.back_mut() {
            Some((last, count)) if *last == minute => *count += 1,
            _ => self.minutes.push_back((minute, 1)),
        }
        while self
            .minutes
            .front()
            .is_some_and(|(first, _)| *first + RATE_MINUTES < minute)
        {
            self.minutes.pop_front();
        }
    }

    fn count_missing(&mut self, missing: Missing) {
        let Missing {
            account,
            address,
            client,
            time,
            session,
        } = missing;
        for (count, lacks) in self
            .missing
            .iter_mut()
            .zip([account, address, client, time, session])
        {
            *count += u64::from(lacks);
        }
    }

    fn reject(&mut self, error: &str) {
        if let Some((_, count)) = self.reasons.iter_mut().find(|(reason, _)| reason == error) {
            *count += 1;
        } else if self.reasons.len() < REASONS_MAX {
            self.reasons.push((error.to_owned(), 1));
        }
    }

    fn health(&self, name: &Text, now: IngestTime) -> SourceHealth {
        let (state, text) = self.state(now);
        let mut samples: Vec<RejectedSample> = self
            .reasons
            .iter()
            .map(|(error, count)| RejectedSample {
                error: error.clone(),
                count: *count,
            })
            .collect();
        samples.sort_by_key(|sample| std::cmp::Reverse(sample.count));
        SourceHealth {
            name: name.to_string(),
            state,
            text,
            formats: self.formats.iter().map(ToString::to_string).collect(),
            last_event: self.last_event,
            events: self.events,
            per_minute: self.per_minute(now),
            lag_seconds: self.quantile(0.95).map(|ms| ms.max(0.0) / 1_000.0),
            rejected: self.rejected,
            samples,
            // A source's events are never younger than zero unless its clock is ahead; the median tells which.
            skew_seconds: self.quantile(0.5).map(|ms| -ms / 1_000.0).filter(|s| *s > 0.0),
            missing: self.lacking(),
        }
    }

    fn state(&self, now: IngestTime) -> (SourceState, String) {
        if self.events == 0 && self.rejected == 0 {
            return (SourceState::Waiting, "nothing came yet".to_owned());
        }
        if self.rejected > self.records {
            let text = format!(
                "{} of {} records cannot be read",
                self.rejected,
                self.rejected + self.records
            );
            return (SourceState::Failing, text);
        }
        let quiet = self.last_heard.map_or(0.0, |heard| seconds_between(heard, now));
        match self.gap_seconds {
            Some(gap) if quiet > (SILENT_GAPS * gap).max(SILENT_SECONDS_MIN) => {
                let text = format!("silent for {quiet:.0} seconds, expected every {gap:.0}");
                (SourceState::Silent, text)
            }
            _ => (SourceState::Ok, format!("{} events", self.events)),
        }
    }

    fn per_minute(&self, now: IngestTime) -> Option<f64> {
        let minute = now.as_millis().div_euclid(60_000);
        let count: u64 = self
            .minutes
            .iter()
            .filter(|(at, _)| *at + RATE_MINUTES >= minute)
            .map(|(_, count)| *count)
            .sum();
        let first = self.minutes.front()?.0;
        let minutes = (minute - first + 1).clamp(1, RATE_MINUTES + 1);
        Some(from_u64(count) / from_i64(minutes))
    }

    fn quantile(&self, share: f64) -> Option<f64> {
        let mut sorted: Vec<i64> = self.delays.iter().copied().collect();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        let at = habitus_model::math::to_i64(share * from_i64(i64::try_from(last).unwrap_or(0)));
        sorted
            .get(usize::try_from(at).unwrap_or(0))
            .map(|ms| from_i64(*ms))
    }

    fn lacking(&self) -> Vec<MissingField> {
        if self.records < RECORDS_MIN {
            return Vec::new();
        }
        let records = from_u64(self.records);
        let lacks = |count: &u64| from_u64(*count) >= MISSING_FROM * records;
        let fields = FIELDS.iter().zip(&self.missing).filter(|(_, count)| lacks(count));
        fields
            .map(|((field, blinds), _)| MissingField {
                field: (*field).to_owned(),
                blinds: blinds.iter().map(|family| (*family).to_owned()).collect(),
            })
            .collect()
    }
}

fn seconds_between(from: IngestTime, to: IngestTime) -> f64 {
    from_i64(to.as_millis() - from.as_millis()).max(0.0) / 1_000.0
}
