//! What came out of a replay, counted while it goes by: for the table, for `--json`, and for the report.

use crate::verdict;
use habitus_engine::{Learning, Record};
use habitus_model::{Assessment, EventTime, RiskLevel, Status};
use serde::Serialize;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Accounts shown with their highest score.
pub const ACCOUNTS_MAX: usize = 10;
/// Days told apart, eleven years; events of further days are counted in the totals only.
const DAYS_MAX: usize = 4_018;
const MS_PER_DAY: i64 = 86_400_000;

/// Counts by level, lowest first.
pub type ByLevel = [u64; 5];

/// The counts. Events come in order.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Events scored and learned.
    pub events: u64,
    /// Probes scored.
    pub probes: u64,
    /// Events that failed, such as wrong passwords.
    pub failures: u64,
    /// Events that name nobody.
    pub nobody: u64,
    /// Events by level; probes are counted apart.
    pub levels: ByLevel,
    /// Probes by level.
    pub probe_levels: ByLevel,
    /// By day since the epoch, UTC.
    pub days: BTreeMap<i64, Day>,
    /// Times of the first and the last event.
    pub range: Option<(EventTime, EventTime)>,
    /// Accounts with the highest scores, highest first.
    pub top: Vec<Top>,
}

/// One day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Day {
    /// Its events.
    pub events: u64,
    /// Those by level.
    pub levels: ByLevel,
}

/// An account with the event that scored highest.
#[derive(Debug, Clone)]
pub struct Top {
    /// That event.
    pub assessment: Assessment,
}

impl Summary {
    /// Counts one event of this level. `assessment` may be left out of those below [`Summary::outdone_below`].
    pub fn count(&mut self, record: &Record, level: RiskLevel, assessment: Option<&Assessment>) {
        let level = usize::from(level.id());
        let bump = |levels: &mut ByLevel| {
            if let Some(count) = levels.get_mut(level) {
                *count += 1;
            }
        };
        if record.learning == Learning::Probe {
            self.probes += 1;
            bump(&mut self.probe_levels);
            return;
        }
        let context = &record.context;
        self.events += 1;
        bump(&mut self.levels);
        self.failures += u64::from(context.status == Status::Failure);
        self.nobody += u64::from(context.account.is_none());
        let day = context.time.as_millis().div_euclid(MS_PER_DAY);
        if self.days.len() < DAYS_MAX || self.days.contains_key(&day) {
            let day = self.days.entry(day).or_default();
            day.events += 1;
            bump(&mut day.levels);
        }
        self.widen(context.time);
        if let Some(assessment) = assessment {
            self.place(assessment);
        }
    }

    /// The score below which no event finds a place among the highest; absent while there is room.
    pub fn outdone_below(&self) -> Option<f64> {
        let lowest = self.top.last().filter(|_| self.top.len() >= ACCOUNTS_MAX);
        lowest.map(|top| top.assessment.score.get())
    }

    /// Events and probes of at least this level.
    pub fn at_least(&self, level: RiskLevel) -> u64 {
        let from = usize::from(level.id());
        self.levels
            .iter()
            .skip(from)
            .chain(self.probe_levels.iter().skip(from))
            .sum()
    }

    fn widen(&mut self, time: EventTime) {
        let (first, last) = self.range.unwrap_or((time, time));
        self.range = Some((first.min(time), last.max(time)));
    }

    /// Remembers the event if its account is among the highest.
    fn place(&mut self, assessment: &Assessment) {
        if assessment.account.is_none() {
            return;
        }
        let full = self.top.len() >= ACCOUNTS_MAX;
        let lowest = self.top.last().map(|top| &top.assessment);
        if full && lowest.is_some_and(|lowest| worse_first(assessment, lowest) == Ordering::Greater) {
            return;
        }
        self.insert(Top {
            assessment: assessment.clone(),
        });
    }

    /// One place for each account, that of its worst event. Whoever is among the highest at the end was so when its worst
    /// event came, so nothing else needs to be remembered.
    fn insert(&mut self, new: Top) {
        let same = |top: &Top| {
            let (a, b) = (&top.assessment, &new.assessment);
            a.account == b.account && a.tenant == b.tenant
        };
        if let Some(at) = self.top.iter().position(same) {
            let held = self.top.get(at).map(|top| &top.assessment);
            if held.is_some_and(|held| worse_first(held, &new.assessment) != Ordering::Greater) {
                return;
            }
            self.top.remove(at);
        }
        self.top.push(new);
        self.top.sort_by(|a, b| worse_first(&a.assessment, &b.assessment));
        self.top.truncate(ACCOUNTS_MAX);
    }
}

/// By score, then log-odds, then time, then id: a total order.
fn worse_first(a: &Assessment, b: &Assessment) -> Ordering {
    let by_score = b.score.get().total_cmp(&a.score.get());
    by_score
        .then_with(|| b.log_odds.0.total_cmp(&a.log_odds.0))
        .then_with(|| a.time.cmp(&b.time))
        .then_with(|| a.uid.cmp(&b.uid))
        .then_with(|| a.account.cmp(&b.account))
}

/// A top account as `--json` writes it.
#[derive(Debug, Serialize)]
pub struct TopLine<'a> {
    account: Option<&'a str>,
    tenant: &'a str,
    risk_score: f64,
    risk_level: &'static str,
    uid: &'a str,
    time: i64,
    reason: Option<String>,
}

impl Top {
    /// The reason it is called after, as a sentence without a stop.
    pub fn reason(&self) -> Option<String> {
        self.assessment.lead().map(|lead| lead.reason.to_string())
    }

    /// For `--json`.
    pub fn line(&self) -> TopLine<'_> {
        let a = &self.assessment;
        TopLine {
            account: a.account.as_ref().map(|account| account.as_str()),
            tenant: a.tenant.as_str(),
            risk_score: verdict::score(a),
            risk_level: a.level.name(),
            uid: a.uid.as_str(),
            time: a.time.as_millis(),
            reason: self.reason(),
        }
    }
}
