//! Attempts from one source: failures lately against failures usually, and how many names were tried (SCORING 5).
//!
//! Estimates a rate on two clocks, half an hour and a season, and the number of distinct names by linear counting (Whang
//! et al. 1990). Kept by network key, ahead of the account stage, so that nothing lags. Fails against an attack spread so
//! thin that no source stands out; that takes counters of other keys. 32 bytes a source, bounded in number: when half the
//! room is new, what was not seen since is forgotten.

use habitus_model::math::{half_life_factor, ln, to_f32};
use habitus_model::{Activity, Context, EventTime, Status, activity::AuthenticationActivity};
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

/// Half-life of "lately", minutes: password guessing runs for minutes to hours (FIELD rows 27–31: windows of 2 to 60).
const LATELY_MINUTES: f64 = 20.0;
/// Half-life of "usually", minutes: 20 days (SCORING 2, entity slow).
const USUALLY_MINUTES: f64 = 20.0 * 1_440.0;
/// Failures that nobody wonders at, wherever they come from.
const EXPECTED_MIN: f64 = 1.5;
/// Most sources in each of two generations.
const GENERATION_MAX: usize = 65_536;

/// What is counted of one source.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Source {
    key: u64,
    lately: f32,
    usually: f32,
    names: u64,
    time: EventTime,
}

/// What a source's attempts say at one event, itself included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Burst {
    /// Failures lately, decayed.
    pub failures: f64,
    /// Failures that would be usual in that time.
    pub expected: f64,
    /// Distinct names tried lately, estimated; up to about 250.
    pub names: f64,
}

/// The sources of all tenants, in two generations.
#[derive(Debug, Clone, Default)]
pub struct Attempts {
    young: HashTable<Source>,
    old: HashTable<Source>,
}

/// All sources as plain data, in order of their keys.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AttemptsState {
    young: Vec<Source>,
    old: Vec<Source>,
}

/// Whether an event is a failed attempt to prove an identity. Lines that merely accompany one have another activity.
#[must_use]
pub fn is_failed_attempt(context: &Context) -> bool {
    use AuthenticationActivity::{AuthenticationTicket, Logon, Preauth, ServiceTicketRequest};
    let proving = matches!(
        context.activity,
        Activity::Authentication(Logon | AuthenticationTicket | Preauth | ServiceTicketRequest)
    );
    proving && context.status == Status::Failure
}

impl Burst {
    /// Generalised likelihood ratio of a rate that rose, nats, at least 0 (SCORING 5).
    #[must_use]
    pub fn surprise(&self) -> f64 {
        if self.failures <= self.expected {
            return 0.0;
        }
        self.failures * ln(self.failures / self.expected) - (self.failures - self.expected)
    }
}

impl Attempts {
    /// What the source's attempts say, this event included, and nothing changed. O(1).
    #[must_use]
    pub fn look(&self, key: u64, time: EventTime, failed_name: Option<u64>) -> Burst {
        self.find(key)
            .map_or_else(|| Source::new(key, time), |source| source.at(time))
            .counting(failed_name)
            .reading()
    }

    /// Counts this event, and tells what the source's attempts say. Only failures make a source known. O(1).
    pub fn observe(&mut self, key: u64, time: EventTime, failed_name: Option<u64>) -> Burst {
        let known = self.find(key).copied();
        if known.is_none() && failed_name.is_none() {
            return Source::new(key, time).reading();
        }
        let source = known
            .map_or_else(|| Source::new(key, time), |source| source.at(time))
            .counting(failed_name);
        self.put(source);
        source.reading()
    }

    /// Takes over what `from` counted of a source, unless it is held here already. O(1).
    pub fn adopt(&mut self, key: u64, from: &Attempts) {
        if self.find(key).is_none()
            && let Some(source) = from.find(key)
        {
            self.put(*source);
        }
    }

    /// Whether the source is held. O(1).
    #[must_use]
    pub fn holds(&self, key: u64) -> bool {
        self.find(key).is_some()
    }

    /// Forgets a source. O(1).
    pub fn forget(&mut self, key: u64) {
        for table in [&mut self.young, &mut self.old] {
            if let Ok(entry) = table.find_entry(key, |source| source.key == key) {
                entry.remove();
            }
        }
    }

    /// The state as data, the same for the same log.
    #[must_use]
    pub fn state(&self) -> AttemptsState {
        let sorted = |table: &HashTable<Source>| {
            let mut all: Vec<Source> = table.iter().copied().collect();
            all.sort_unstable_by_key(|source| source.key);
            all
        };
        AttemptsState {
            young: sorted(&self.young),
            old: sorted(&self.old),
        }
    }

    /// From data.
    #[must_use]
    pub fn from_state(state: AttemptsState) -> Self {
        let table = |sources: Vec<Source>| {
            let mut table = HashTable::with_capacity(sources.len());
            for source in sources {
                table.insert_unique(source.key, source, |held: &Source| held.key);
            }
            table
        };
        Self {
            young: table(state.young),
            old: table(state.old),
        }
    }

    fn find(&self, key: u64) -> Option<&Source> {
        let is_it = |source: &Source| source.key == key;
        self.young.find(key, is_it).or_else(|| self.old.find(key, is_it))
    }

    fn put(&mut self, source: Source) {
        if let Some(held) = self.young.find_mut(source.key, |held| held.key == source.key) {
            *held = source;
            return;
        }
        if self.young.len() >= GENERATION_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert_unique(source.key, source, |held| held.key);
    }
}

impl Source {
    fn new(key: u64, time: EventTime) -> Self {
        Self {
            key,
            lately: 0.0,
            usually: 0.0,
            names: 0,
            time,
        }
    }

    fn at(&self, time: EventTime) -> Self {
        let minutes = time.since(self.time).minutes();
        let lately = f64::from(self.lately) * half_life_factor(minutes, LATELY_MINUTES);
        Self {
            lately: to_f32(lately),
            usually: to_f32(f64::from(self.usually) * half_life_factor(minutes, USUALLY_MINUTES)),
            // Names are forgotten with the burst they belong to.
            names: if lately < 0.5 { 0 } else { self.names },
            time: self.time.max(time),
            ..*self
        }
    }

    fn counting(mut self, failed_name: Option<u64>) -> Self {
        if let Some(name) = failed_name {
            self.lately += 1.0;
            self.usually += 1.0;
            self.names |= 1 << (name % 64);
        }
        self
    }

    fn reading(&self) -> Burst {
        let zeros = f64::from(self.names.count_zeros()).max(1.0);
        let lately = f64::from(self.lately);
        // What "usually" contributes to the time that "lately" covers: the ratio of the half-lives.
        let usual = (f64::from(self.usually) - lately).max(0.0) * LATELY_MINUTES / USUALLY_MINUTES;
        Burst {
            failures: lately,
            expected: EXPECTED_MIN + usual,
            names: -64.0 * ln(zeros / 64.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> EventTime {
        EventTime::from_millis(1_767_225_600_000 + minutes * 60_000).unwrap()
    }

    #[test]
    fn a_burst_surprises_and_a_typo_does_not() {
        let mut attempts = Attempts::default();
        assert!(attempts.observe(1, at(0), Some(5)).surprise() < 0.1);
        let mut last = attempts.look(1, at(0), None);
        for i in 0..30 {
            last = attempts.observe(1, at(i / 10), Some(u64::try_from(i).unwrap()));
        }
        assert!(
            last.surprise() > 20.0 && (20.0..45.0).contains(&last.names),
            "{last:?}"
        );
        assert!(attempts.look(1, at(600), None).surprise() < 0.1, "it passes");
    }

    #[test]
    fn what_fails_every_day_is_usual() {
        let mut attempts = Attempts::default();
        let mut last = attempts.look(1, at(0), None);
        for i in 0..60_000 {
            last = attempts.observe(1, at(i), Some(7));
        }
        assert!(last.surprise() < 5.0, "{last:?}");
    }

    #[test]
    fn a_flood_of_sources_stays_bounded_and_successes_make_none() {
        let mut attempts = Attempts::default();
        for key in 0..300_000u64 {
            attempts.observe(
                key.wrapping_mul(0x9e37_79b9_7f4a_7c15),
                at(0),
                (key % 2 == 0).then_some(1),
            );
        }
        assert!(attempts.young.len() + attempts.old.len() <= 2 * GENERATION_MAX);
        let mut none = Attempts::default();
        none.observe(1, at(0), None);
        assert!(none.young.is_empty());
    }

    #[test]
    fn state_round_trips() {
        let mut attempts = Attempts::default();
        for key in 0..100 {
            attempts.observe(key, at(0), Some(1));
        }
        assert_eq!(Attempts::from_state(attempts.state()).state(), attempts.state());
    }
}
