//! How each source does, as the server sees it.

use super::gaps::Gaps;
use super::reading::{Missing, Read};
use habitus_console::product::{LiveSource, MissingField, RejectedSample, SourceHealth, SourceState};
use habitus_model::math::{from_i64, from_u64};
use habitus_model::{EventTime, IngestTime, Millis, TenantId, Text};
use habitus_sources::live::skew::Skew;
use habitus_sources::live::{HealthReport, RunningSource};
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::sync::OnceLock;

/// Sources watched; senders may invent names.
const SOURCES_MAX: usize = 1_000;
/// Reasons of rejections kept for each.
const REASONS_MAX: usize = 10;
/// Formats kept for each.
const FORMATS_MAX: usize = 16;
/// Minutes that the rate is taken over.
const RATE_MINUTES: i64 = 5;
/// A field counts as missing if so large a share of records lacks it.
const MISSING_FROM: f64 = 0.9;
/// Records before anything is said of fields.
const RECORDS_MIN: u64 = 20;
/// A source is silent after so many times the longest gap that is usual for it; the alert says the same.
const SILENT_GAPS: f64 = 3.0;
/// And never sooner than this, seconds.
const SILENT_SECONDS_MIN: f64 = 60.0;

/// The health of all sources.
#[derive(Default)]
pub struct Health {
    sources: Mutex<BTreeMap<(TenantId, Text), Source>>,
    /// The sources that the configuration names, once they run.
    live: OnceLock<Vec<RunningSource>>,
}

/// How long sources are usually silent, and when they were last heard: what a restart must not forget, or an outage over it
/// would not be noticed.
pub type Silences = Vec<((TenantId, Text), (Gaps, Option<IngestTime>))>;

#[derive(Debug, Default)]
struct Source {
    events: u64,
    records: u64,
    rejected: u64,
    duplicates: u64,
    refused: u64,
    reasons: Vec<(String, u64)>,
    formats: Vec<Text>,
    last_event: Option<EventTime>,
    last_heard: Option<IngestTime>,
    gaps: Gaps,
    /// From event to arrival, of events that have a time of their own.
    delays: Skew,
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
                let time = arrival.record.context.time;
                source.event(time, &arrival.origin.format, now);
                if !record.missing.time {
                    source.delays.add(now, time);
                }
            }
        }
        source.rejected += read.rejected_count;
        for line in &read.rejected {
            source.reject(&line.error);
        }
    }

    /// Takes note of records that can never be taken, and why.
    pub fn never(&self, tenant: &TenantId, name: &Text, (count, reason): (u64, &str), now: IngestTime) {
        let mut sources = self.sources.lock();
        let key = (tenant.clone(), name.clone());
        if !sources.contains_key(&key) && sources.len() >= SOURCES_MAX {
            return;
        }
        let source = sources.entry(key).or_default();
        source.hear(now);
        source.rejected += count;
        source.reject(reason);
    }

    /// Takes note that a source was told to come again later.
    pub fn refused(&self, tenant: &TenantId, name: &Text) {
        let mut sources = self.sources.lock();
        if let Some(source) = sources.get_mut(&(tenant.clone(), name.clone())) {
            source.refused += 1;
        }
    }

    /// The sources of the configuration run: what they count themselves is told with the rest.
    pub fn run(&self, live: &[RunningSource]) {
        // Set once, at the start.
        let _ = self.live.set(live.to_vec());
    }

    /// What is known of silence.
    pub fn silences(&self) -> Silences {
        let sources = self.sources.lock();
        let each = sources.iter();
        each.map(|(key, source)| (key.clone(), (source.gaps.clone(), source.last_heard)))
            .collect()
    }

    /// Health of sources of which only silence is known.
    pub fn resumed(silences: Silences) -> Self {
        let source = |(key, (gaps, last_heard))| {
            let source = Source {
                gaps,
                last_heard,
                ..Source::default()
            };
            (key, source)
        };
        let sources = silences.into_iter().take(SOURCES_MAX).map(source).collect();
        Self {
            sources: Mutex::new(sources),
            live: OnceLock::new(),
        }
    }

    /// The sources of a tenant, by name; those too that are configured and have not sent anything yet.
    pub fn of(&self, tenant: &TenantId, now: IngestTime) -> Vec<SourceHealth> {
        let sources = self.sources.lock();
        let silent = Source::default();
        let mut all: BTreeMap<Text, &Source> = BTreeMap::new();
        let live = self.live().filter(|one| one.label.tenant == tenant.as_str());
        all.extend(live.map(|one| (Text::new(&one.label.name), &silent)));
        let ours = sources.iter().filter(|((owner, _), _)| owner == tenant);
        all.extend(ours.map(|((_, name), source)| (name.clone(), source)));
        let each = all.into_iter().map(|(name, source)| {
            let reports = self.live().filter(|one| one.label.name == name.as_str());
            let report = reports.map(|one| one.health.report()).next();
            source.health(&name, report.as_ref(), now)
        });
        each.collect()
    }

    /// What is scraped of each source. Names of sources are labels and tenants are not, so those of one name are told together.
    pub fn totals(&self) -> BTreeMap<Text, Totals> {
        let sources = self.sources.lock();
        let mut all: BTreeMap<Text, Totals> = BTreeMap::new();
        for ((_, name), source) in sources.iter() {
            let total = all.entry(name.clone()).or_default();
            total.last_heard = total.last_heard.max(source.last_heard);
            let gap = source.gaps.expected();
            total.expected_gap_seconds = more(total.expected_gap_seconds, gap);
            let skew = source.delays.estimate().map(seconds);
            total.skew_seconds = more(total.skew_seconds, skew);
            total.refused += source.refused;
        }
        for one in self.live() {
            let total = all.entry(Text::new(&one.label.name)).or_default();
            let report = one.health.report();
            total.refused += report.refused;
            total.dropped += report.dropped;
        }
        all
    }

    fn live(&self) -> impl Iterator<Item = &RunningSource> {
        self.live.get().into_iter().flatten()
    }
}

/// What is scraped of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Totals {
    /// When it last sent anything.
    pub last_heard: Option<IngestTime>,
    /// The longest silence that is usual for it.
    pub expected_gap_seconds: Option<f64>,
    /// Median of arrival minus event over its last 1,000 events.
    pub skew_seconds: Option<f64>,
    /// Records that are gone.
    pub dropped: u64,
    /// Batches that had to wait.
    pub refused: u64,
}

/// The one that is further from zero.
fn more(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.abs() > a.abs() { b } else { a }),
        (a, b) => a.or(b),
    }
}

fn shown(live: &HealthReport) -> LiveSource {
    let fault = live.last_fault.as_ref();
    LiveSource {
        kind: live.kind.name().to_owned(),
        received: live.received,
        oversized: live.oversized,
        open: live.open,
        turned_away: live.turned_away,
        timed_out: live.timed_out,
        last_fault: fault.map(|fault| fault.text.clone()),
        last_fault_at: fault.map(|fault| fault.at.as_event()),
    }
}

fn seconds(span: Millis) -> f64 {
    from_i64(span.0) / 1_000.0
}

impl Source {
    fn hear(&mut self, now: IngestTime) {
        if let Some(before) = self.last_heard {
            self.gaps.add(seconds_between(before, now), now);
        }
        self.last_heard = self.last_heard.max(Some(now));
    }

    fn event(&mut self, time: EventTime, format: &Text, now: IngestTime) {
        self.events += 1;
        self.last_event = self.last_event.max(Some(time));
        if !self.formats.contains(format) && self.formats.len() < FORMATS_MAX {
            self.formats.push(format.clone());
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

    fn health(&self, name: &Text, live: Option<&HealthReport>, now: IngestTime) -> SourceHealth {
        let (state, mut text) = self.state(now);
        if let (SourceState::Waiting, Some(fault)) = (state, live.and_then(|live| live.last_fault.as_ref())) {
            text = fault.text.clone();
        }
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
            lag_seconds: self.delays.quantile(0.95).map(|lag| seconds(lag).max(0.0)),
            expected_gap_seconds: self.gaps.expected(),
            duplicates: self.duplicates,
            rejected: self.rejected,
            refused: self.refused + live.map_or(0, |live| live.refused),
            dropped: live.map_or(0, |live| live.dropped),
            samples,
            skew_seconds: self.delays.estimate().map(|delay| -seconds(delay)),
            corrected_seconds: 0.0,
            missing: self.lacking(),
            live: live.map(shown),
        }
    }

    fn state(&self, now: IngestTime) -> (SourceState, String) {
        if self.last_heard.is_none() {
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
        match self.gaps.expected() {
            Some(gap) if quiet > (SILENT_GAPS * gap).max(SILENT_SECONDS_MIN) => {
                let text = format!("silent for {quiet:.0} seconds, usually for no more than {gap:.0}");
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> IngestTime {
        IngestTime::from_millis(1_767_600_000_000 + seconds * 1_000).unwrap()
    }

    fn source() -> (TenantId, Text) {
        (TenantId::default(), Text::new("idp"))
    }

    #[test]
    fn rejections_are_told_with_their_reasons_and_silence_after_three_usual_gaps() {
        let (health, (tenant, name)) = (Health::default(), source());
        for n in 0..30 {
            let read = Read {
                rejected_count: 1,
                rejected: vec![habitus_console::product::RejectedLine {
                    line: 1,
                    error: "`time` is missing".to_owned(),
                }],
                ..Read::default()
            };
            health.heard(&tenant, &name, (&read, 2), at(n * 40));
        }
        health.refused(&tenant, &name);
        health.refused(&tenant, &Text::new("never-heard-of"));
        let of = |now| health.of(&tenant, now).remove(0);
        let told = of(at(30 * 40));
        assert_eq!(
            (told.state, told.rejected, told.refused),
            (SourceState::Failing, 30, 1)
        );
        assert_eq!(
            (told.samples[0].error.as_str(), told.samples[0].count),
            ("`time` is missing", 30)
        );
        assert_eq!(told.expected_gap_seconds, Some(40.0));
        assert!(health.of(&TenantId::new("other"), at(0)).is_empty());
        let totals = health.totals();
        assert_eq!(totals.len(), 1);
        assert_eq!(totals[&name].last_heard, Some(at(29 * 40)));
    }

    #[test]
    fn a_source_that_fell_silent_over_a_restart_is_told_as_silent() {
        let (health, (tenant, name)) = (Health::default(), source());
        for n in 0..30 {
            health.heard(&tenant, &name, (&Read::default(), 0), at(n * 40));
        }
        let bytes = postcard::to_stdvec(&health.silences()).unwrap();
        let again = Health::resumed(postcard::from_bytes(&bytes).unwrap());
        let of = |now| again.of(&tenant, now).remove(0);
        assert_eq!(of(at(30 * 40)).state, SourceState::Ok);
        assert_eq!(of(at(30 * 40)).expected_gap_seconds, Some(40.0));
        assert_eq!(of(at(40 * 40)).state, SourceState::Silent);
        assert_eq!(again.totals()[&name].last_heard, Some(at(29 * 40)));
    }

    #[test]
    fn the_skew_is_the_median_of_arrival_minus_event_and_has_its_sign() {
        let mut source = Source::default();
        for n in 0..1_000 {
            source.delays.add(at(n), at(n - 7_200).as_event());
        }
        let told = source.health(&Text::new("idp"), None, at(1_000));
        // Ahead is positive for people, behind is positive where arrival minus event is scraped.
        assert_eq!(told.skew_seconds, Some(-7_200.0));
        assert_eq!(more(Some(3.0), Some(-7_200.0)), Some(-7_200.0));
        assert_eq!(told.lag_seconds, Some(7_200.0));
    }

    #[test]
    fn what_a_missing_field_blinds_are_families_that_there_are() {
        let families = habitus_detect_families();
        for (field, blinds) in FIELDS {
            for family in blinds {
                assert!(families.contains(family), "{field} blinds {family}?");
            }
        }
    }

    fn habitus_detect_families() -> Vec<&'static str> {
        use habitus_model::Family;
        let all = [
            Family::Network,
            Family::Device,
            Family::Joint,
            Family::Clock,
            Family::Gap,
            Family::Motion,
            Family::Session,
            Family::Burst,
        ];
        all.map(habitus_model::Family::name).to_vec()
    }
}
