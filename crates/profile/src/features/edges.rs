//! Applications, actions, resources and other identities that an account uses.
//!
//! Remembers a few dozen of each with weights that halve in a season, how often something new came against what its population
//! had led to expect, and how much new the last day brought: who explores brings many at once. Learned by successes only; what
//! came with a high score waits. Fails for accounts that use more than there is room for; the rarest are forgotten and are new
//! again. At most about 2 KiB, and nothing for accounts that only log in.

use crate::belief::Window;
use crate::edge_habits::{EdgeCell, EdgeHabits};
use crate::known::{Arrival, Familiarity, Known, Learned, Retention, Visit};
use habitus_model::math::{half_life_factor, to_f32};
use habitus_model::{Conduct, Minutes, Text};
use serde::{Deserialize, Serialize};

/// How all sets forget: half-life of SCORING 2 for resources.
const RETENTION: [Retention; EdgeLevel::COUNT] = [
    retention(12),
    retention(12),
    retention(24),
    retention(24),
    retention(6),
    retention(8),
];

/// Half-life of what is counted as lately, days.
const LATELY_HALF_LIFE_DAYS: f64 = Window::Day.half_life_days();
/// A visit is so much of a trial: most sources log more than one use in each. Assumed.
const VISITS_WEIGHT: f64 = 0.3;
/// Shape of the spread of hazards between accounts. Larger than for networks ([`crate::recall`]): with 0.7 a quiet account's
/// one new thing accused more than a session on another network (bar of replayed sessions 74 to 75 %, seeds 1–3).
const HAZARD_SHAPE: f64 = 2.0;
/// Within a burst of new things the account's quiet days say less: at least so much of its population's hazard holds.
/// Assumed.
const BURST_FLOOR: f64 = 0.2;
/// From so many new things lately on it is a burst.
const BURST_FROM: f64 = 0.5;
/// How long new things wait that came under suspicion: as values do ([`crate::known`]).
const QUARANTINE_DAYS: f64 = 3.0;
/// Prior of new things a day, and its weight in days. Assumed.
const NEWS_PER_DAY: f64 = 0.2;
const NEWS_DAYS: f64 = 3.5;

/// What is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EdgeLevel {
    /// An application or host.
    Application,
    /// A sort of thing, and whose: hosts of one department, secrets of another.
    Sort,
    /// An action in it.
    Action,
    /// A resource acted upon.
    Resource,
    /// Another identity that stands behind the account, or that it takes on: a switch of credentials (Ho et al., "Hopper",
    /// USENIX Security 2021).
    Identity,
    /// The computer it comes from, where neither address nor device tell.
    Origin,
}

/// One value held against what the account uses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EdgeSeen {
    /// What.
    pub level: EdgeLevel,
    /// Fingerprint.
    pub key: u64,
    /// What the account knows of it.
    pub familiarity: Familiarity,
    /// Times something of this level was used or could have been, decayed.
    pub trials: f64,
    /// Probability that the account's next use of this level is of something new to it, in `(0, 1)`.
    pub novelty: f64,
    /// The same of its population, for accounts of its size at such a time.
    pub usual: f64,
    /// Of something new: how much likelier than anybody this account is to take it up, given what it uses, nats. 0: nothing
    /// can be told.
    pub ln_lift: f64,
}

/// An event held against what the account uses.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EdgesSeen {
    /// The values shown, in the order of [`EdgeLevel`]. What lies in a new application is not looked at.
    pub levels: [Option<EdgeSeen>; EdgeLevel::COUNT],
    /// New things of the last day, decayed.
    pub lately: f64,
    /// New things a day by the account's own rate.
    pub a_day: f64,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Used {
    known: Known,
    /// Uses, decayed.
    trials: f32,
    /// New things among them, decayed: those that came once there was something known.
    novel: f32,
    /// As many as the population's hazards had led to expect.
    expected: f32,
}

/// What an account uses.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Edges {
    used: [Used; EdgeLevel::COUNT],
    since: Minutes,
    last: Minutes,
    lately: f32,
    /// New things that came under suspicion, by level, and since when: they count for the account's rate once they have waited
    /// like any value (SCORING 13). Who audits is then known for it, and who explores is not expected to by the third thing.
    waiting: [f32; EdgeLevel::COUNT],
    waiting_since: Minutes,
}

/// What an event is held against besides the account's own edges.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// What the population shows.
    pub habits: &'a EdgeHabits,
    /// When.
    pub now: Minutes,
    /// Effective number of the account's earlier visits.
    pub visits: f64,
}

const fn retention(capacity: usize) -> Retention {
    Retention {
        capacity,
        half_life_days: 90.0,
        floor_recent: 4,
    }
}

impl EdgeLevel {
    /// Number of levels.
    pub const COUNT: usize = 6;
    /// Every level, in order.
    pub const ALL: [EdgeLevel; Self::COUNT] = [
        EdgeLevel::Application,
        EdgeLevel::Sort,
        EdgeLevel::Action,
        EdgeLevel::Resource,
        EdgeLevel::Identity,
        EdgeLevel::Origin,
    ];

    /// Position in tables.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            EdgeLevel::Application => 0,
            EdgeLevel::Sort => 1,
            EdgeLevel::Action => 2,
            EdgeLevel::Resource => 3,
            EdgeLevel::Identity => 4,
            EdgeLevel::Origin => 5,
        }
    }

    /// Fingerprint of the value that an event shows.
    #[must_use]
    pub fn key(self, conduct: &Conduct) -> Option<u64> {
        match self {
            EdgeLevel::Application => conduct.application.as_ref().map(|named| named.key),
            EdgeLevel::Sort => conduct.sort.as_ref().map(|named| named.key),
            EdgeLevel::Action => conduct.action.as_ref().map(|named| named.key),
            EdgeLevel::Resource => conduct.resource.as_ref().map(|named| named.key),
            EdgeLevel::Identity => conduct.behind,
            EdgeLevel::Origin => conduct.origin.as_ref().map(|named| named.key),
        }
    }

    /// Its name, where it has one that may be shown.
    #[must_use]
    pub fn name(self, conduct: &Conduct) -> Option<&Text> {
        let named = match self {
            EdgeLevel::Application => conduct.application.as_ref(),
            EdgeLevel::Sort => conduct.sort.as_ref(),
            EdgeLevel::Action => conduct.action.as_ref(),
            EdgeLevel::Resource => conduct.resource.as_ref(),
            EdgeLevel::Identity => None,
            EdgeLevel::Origin => conduct.origin.as_ref(),
        };
        named.map(|named| &named.name)
    }

    /// Whether it is a thing that accounts share with those they work with: actions all have alike.
    #[must_use]
    pub const fn is_thing(self) -> bool {
        matches!(
            self,
            EdgeLevel::Application | EdgeLevel::Sort | EdgeLevel::Resource | EdgeLevel::Origin
        )
    }
}

impl EdgeSeen {
    /// Whether it is new to the account.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.familiarity == Familiarity::New
    }
}

impl EdgesSeen {
    /// The values that are new.
    pub fn new_ones(&self) -> impl Iterator<Item = &EdgeSeen> {
        self.levels.iter().flatten().filter(|edge| edge.is_new())
    }
}

impl Edges {
    /// Holds an event against what the account uses; absent if it shows nothing of the sort. Cost: five short scans; for
    /// something new, a merge for each thing the account uses.
    #[must_use]
    pub fn sight(edges: Option<&Edges>, conduct: &Conduct, around: Around<'_>) -> Option<EdgesSeen> {
        let nothing = Edges::default();
        let held = edges.unwrap_or(&nothing);
        let factor = half_life_factor(around.now.days_since(held.last), LATELY_HALF_LIFE_DAYS);
        let mut seen = EdgesSeen {
            lately: f64::from(held.lately) * factor,
            ..EdgesSeen::default()
        };
        let (mut any, mut new_application, mut new_sort) = (false, false, false);
        for level in order(conduct) {
            let lies_in_new = match level {
                EdgeLevel::Application | EdgeLevel::Resource => new_application || new_sort,
                EdgeLevel::Sort | EdgeLevel::Action => new_application,
                EdgeLevel::Identity | EdgeLevel::Origin => false,
            };
            let Some(key) = level.key(conduct).filter(|_| !lies_in_new) else {
                continue;
            };
            let edge = held.edge((level, key), around, seen.lately);
            any = true;
            if let Some(slot) = seen.levels.get_mut(level.index()) {
                *slot = edge;
            }
            let is_new = edge.is_some_and(|edge| edge.is_new());
            new_application |= level == EdgeLevel::Application && is_new;
            new_sort |= level == EdgeLevel::Sort && is_new;
        }
        if any {
            seen.a_day = held.news_a_day(around.now);
        }
        any.then_some(seen)
    }

    fn edge(&self, (level, key): (EdgeLevel, u64), around: Around<'_>, lately: f64) -> Option<EdgeSeen> {
        let Around { habits, now, visits } = around;
        let used = self.used.get(level.index())?;
        let retention = RETENTION.get(level.index())?;
        let factor = half_life_factor(now.days_since(self.last), retention.half_life_days);
        // Who came many times and never used anything of the sort had as many chances to.
        let uses = f64::from(used.trials) * factor;
        let trials = uses.max(VISITS_WEIGHT * visits);
        let usual = habits.novelty(EdgeCell::of(level, lately, trials));
        let novel = f64::from(used.novel) * factor;
        let expected = f64::from(used.expected) * factor + usual * (trials - uses);
        let own = usual * (novel + HAZARD_SHAPE) / (expected + HAZARD_SHAPE);
        let floor = if lately >= BURST_FROM {
            BURST_FLOOR * usual
        } else {
            0.0
        };
        let familiarity = used.known.look_up(key, now, retention);
        let is_taken_up = level.is_thing() && !matches!(familiarity, Familiarity::Known { .. });
        Some(EdgeSeen {
            level,
            key,
            familiarity,
            trials,
            novelty: own.max(floor).clamp(1e-5, 0.98),
            usual,
            ln_lift: if is_taken_up {
                habits.circles().ln_lift(key, self.things())
            } else {
                0.0
            },
        })
    }

    /// What the account is known to use of what people share.
    fn things(&self) -> impl Iterator<Item = u64> {
        let levels = self.used.iter().zip(EdgeLevel::ALL);
        let things = levels.filter(|(_, level)| level.is_thing());
        things.flat_map(|(used, _)| used.known.known())
    }

    /// New things a day by the account's own rate.
    fn news_a_day(&self, now: Minutes) -> f64 {
        // Counts halve in 90 days, so that they tell of as many days as their mean life at most.
        let days = now.days_since(self.since).min(90.0 / std::f64::consts::LN_2);
        let novel: f64 = self.used.iter().map(|used| f64::from(used.novel)).sum();
        (novel + NEWS_PER_DAY * NEWS_DAYS) / (days + NEWS_DAYS)
    }

    /// Learns an event that succeeded, as it was held against the edges. Calls `known` for what is known from now on.
    pub fn learn(
        &mut self,
        (conduct, seen): (&Conduct, &EdgesSeen),
        (now, arrival): (Minutes, Arrival),
        known: &mut dyn FnMut(EdgeLevel, u64),
    ) {
        if self.since == Minutes(0) {
            self.since = now;
        }
        self.settle(now);
        let days = now.days_since(self.last);
        let mut fresh = 0.0;
        for level in EdgeLevel::ALL {
            let (Some(key), Some(used), Some(retention)) = (
                level.key(conduct),
                self.used.get_mut(level.index()),
                RETENTION.get(level.index()),
            ) else {
                continue;
            };
            let edge = seen.levels.get(level.index()).copied().flatten();
            let factor = half_life_factor(days, retention.half_life_days);
            used.count(factor, edge.filter(|_| arrival != Arrival::Suspicious));
            let is_new = edge.is_some_and(|edge| edge.is_new());
            fresh += f64::from(u8::from(is_new));
            if is_new
                && arrival == Arrival::Suspicious
                && let Some(waiting) = self.waiting.get_mut(level.index())
            {
                *waiting += 1.0;
            }
            let visit = Visit {
                key,
                now,
                arrival,
                child_is_new: false,
            };
            if used.known.learn(&visit, retention) == Learned::Known {
                known(level, key);
            }
        }
        if arrival == Arrival::Suspicious && fresh > 0.0 && self.waiting_since == Minutes(0) {
            self.waiting_since = now;
        }
        let factor = half_life_factor(days, LATELY_HALF_LIFE_DAYS);
        self.lately = to_f32(f64::from(self.lately) * factor + fresh);
        self.last = self.last.max(now);
    }

    /// Counts what has waited long enough.
    fn settle(&mut self, now: Minutes) {
        if self.waiting_since == Minutes(0) || now.days_since(self.waiting_since) < QUARANTINE_DAYS {
            return;
        }
        for (used, waiting) in self.used.iter_mut().zip(&mut self.waiting) {
            used.novel += std::mem::take(waiting);
        }
        self.waiting_since = Minutes(0);
    }

    /// Whether nothing is known that people share.
    #[must_use]
    pub fn has_no_things(&self) -> bool {
        self.things().next().is_none()
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.used.iter().map(|used| used.known.heap_bytes()).sum()
    }
}

/// From coarse to fine: a resource's sort lies in its application, and an application is of a sort itself.
fn order(conduct: &Conduct) -> [EdgeLevel; EdgeLevel::COUNT] {
    let mut order = EdgeLevel::ALL;
    if conduct.resource.is_none() {
        order.swap(0, 1);
    }
    order
}

impl Used {
    /// What is used before anything is known is no surprise, and so no trial.
    fn count(&mut self, factor: f64, edge: Option<EdgeSeen>) {
        let tried = edge.filter(|edge| edge.trials > 0.0);
        let novel = tried.map_or(0.0, |edge| f64::from(u8::from(edge.is_new())));
        let expected = tried.map_or(0.0, |edge| edge.usual);
        self.trials = to_f32(f64::from(self.trials) * factor + 1.0);
        self.novel = to_f32(f64::from(self.novel) * factor + novel);
        self.expected = to_f32(f64::from(self.expected) * factor + expected);
    }
}

#[cfg(test)]
mod tests;
