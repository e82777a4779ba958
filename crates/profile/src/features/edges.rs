//! Applications, actions and resources that an account uses.
//!
//! Remembers a few dozen of each with weights that halve in a season, how often something new came, and what new things the
//! last day brought: who explores brings many at once. Learned by successes only; what came with a high score waits. Fails
//! for accounts that use more than there is room for; the rarest are forgotten and are new again. At most about 2 KiB,
//! and nothing for accounts that only log in.

use crate::known::{Arrival, Familiarity, Known, Learned, Retention, Visit};
use habitus_model::math::{half_life_factor, to_f32};
use habitus_model::{Conduct, Minutes};
use serde::{Deserialize, Serialize};

/// How all three sets forget: half-life of SCORING 2 for resources.
const RETENTION: [Retention; EdgeLevel::COUNT] = [
    Retention {
        capacity: 12,
        half_life_days: 90.0,
        floor_recent: 4,
    },
    Retention {
        capacity: 24,
        half_life_days: 90.0,
        floor_recent: 4,
    },
    Retention {
        capacity: 24,
        half_life_days: 90.0,
        floor_recent: 4,
    },
];
/// Half-life of what is counted as lately, days: a working day.
const LATELY_HALF_LIFE_DAYS: f64 = 0.4;

/// A visit is so much of a trial: most sources log more than one use in each. Assumed.
const VISITS_WEIGHT: f64 = 0.3;

/// What is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EdgeLevel {
    /// An application or host.
    Application,
    /// An action in it.
    Action,
    /// A resource acted upon.
    Resource,
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
    /// Times something of this level was used or could have been, and times it was new; decayed.
    pub trials: (f64, f64),
}

/// An event held against what the account uses.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EdgesSeen {
    /// The values shown, in the order of [`EdgeLevel`]. What lies in a new application is not looked at.
    pub levels: [Option<EdgeSeen>; EdgeLevel::COUNT],
    /// New things of the last day, decayed.
    pub lately: f64,
    /// Evidence of the new things of the last day, nats, decayed.
    pub lately_nats: f64,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Used {
    known: Known,
    trials: f32,
    novel: f32,
}

/// What an account uses.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Edges {
    used: [Used; EdgeLevel::COUNT],
    last: Minutes,
    lately: f32,
    lately_nats: f32,
}

impl EdgeLevel {
    /// Number of levels.
    pub const COUNT: usize = 3;
    /// Every level, in order.
    pub const ALL: [EdgeLevel; Self::COUNT] =
        [EdgeLevel::Application, EdgeLevel::Action, EdgeLevel::Resource];

    /// Position in tables.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            EdgeLevel::Application => 0,
            EdgeLevel::Action => 1,
            EdgeLevel::Resource => 2,
        }
    }

    /// The value that an event shows.
    #[must_use]
    pub fn of(self, conduct: &Conduct) -> Option<&habitus_model::Named> {
        match self {
            EdgeLevel::Application => conduct.application.as_ref(),
            EdgeLevel::Action => conduct.action.as_ref(),
            EdgeLevel::Resource => conduct.resource.as_ref(),
        }
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
    /// Holds an event against what the account uses; absent if it shows nothing of the sort. Cost: three short scans.
    #[must_use]
    pub fn sight(
        edges: Option<&Edges>,
        conduct: &Conduct,
        (now, visits): (Minutes, f64),
    ) -> Option<EdgesSeen> {
        let nothing = Edges::default();
        let held = edges.unwrap_or(&nothing);
        let mut seen = EdgesSeen::default();
        let mut any = false;
        for level in EdgeLevel::ALL {
            let Some(value) = level.of(conduct) else { continue };
            let edge = held.edge(level, value.key, (now, visits));
            any = true;
            if let Some(slot) = seen.levels.get_mut(level.index()) {
                *slot = edge;
            }
            if level == EdgeLevel::Application && edge.is_some_and(|edge| edge.is_new()) {
                break;
            }
        }
        let factor = half_life_factor(now.days_since(held.last), LATELY_HALF_LIFE_DAYS);
        seen.lately = f64::from(held.lately) * factor;
        seen.lately_nats = f64::from(held.lately_nats) * factor;
        any.then_some(seen)
    }

    fn edge(&self, level: EdgeLevel, key: u64, (now, visits): (Minutes, f64)) -> Option<EdgeSeen> {
        let used = self.used.get(level.index())?;
        let retention = RETENTION.get(level.index())?;
        let factor = half_life_factor(now.days_since(self.last), retention.half_life_days);
        Some(EdgeSeen {
            level,
            key,
            familiarity: used.known.look_up(key, now, retention),
            // Who came many times and never used anything of the sort had as many chances to.
            trials: (
                (f64::from(used.trials) * factor).max(VISITS_WEIGHT * visits),
                f64::from(used.novel) * factor,
            ),
        })
    }

    /// Learns an event that succeeded, with the evidence its new things gave. Calls `known` for what is known from now on.
    pub fn learn(
        &mut self,
        (conduct, nats): (&Conduct, f64),
        (now, arrival): (Minutes, Arrival),
        known: &mut dyn FnMut(EdgeLevel, u64),
    ) {
        let days = now.days_since(self.last);
        let mut fresh = 0.0;
        for level in EdgeLevel::ALL {
            let (Some(value), Some(used), Some(retention)) = (
                level.of(conduct),
                self.used.get_mut(level.index()),
                RETENTION.get(level.index()),
            ) else {
                continue;
            };
            let new = used.known.look_up(value.key, now, retention) == Familiarity::New;
            fresh += f64::from(u8::from(new));
            used.count(half_life_factor(days, retention.half_life_days), new);
            let visit = Visit {
                key: value.key,
                now,
                arrival,
                child_is_new: false,
            };
            if used.known.learn(&visit, retention) == Learned::Known {
                known(level, value.key);
            }
        }
        let factor = half_life_factor(days, LATELY_HALF_LIFE_DAYS);
        self.lately = to_f32(f64::from(self.lately) * factor + fresh);
        self.lately_nats = to_f32(f64::from(self.lately_nats) * factor + nats);
        self.last = self.last.max(now);
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.used.iter().map(|used| used.known.heap_bytes()).sum()
    }
}

impl Used {
    fn count(&mut self, factor: f64, new: bool) {
        self.trials = to_f32(f64::from(self.trials) * factor + 1.0);
        self.novel = to_f32(f64::from(self.novel) * factor + f64::from(u8::from(new)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_model::{Named, Text};

    fn doing(action: u64) -> Conduct {
        Conduct {
            action: Some(Named {
                key: action,
                name: Text::new("x"),
            }),
            ..Conduct::default()
        }
    }

    #[test]
    fn what_was_done_once_is_known_and_what_is_new_is_counted() {
        let mut edges = Edges::default();
        let mut known = Vec::new();
        for action in [1, 2, 1] {
            edges.learn(
                (&doing(action), 0.5),
                (Minutes(10), Arrival::Clean),
                &mut |level, key| {
                    known.push((level, key));
                },
            );
        }
        assert_eq!(known, [(EdgeLevel::Action, 1), (EdgeLevel::Action, 2)]);
        let seen = Edges::sight(Some(&edges), &doing(1), (Minutes(10), 1.0)).unwrap();
        assert_eq!(seen.new_ones().count(), 0);
        assert!((seen.lately - 2.0).abs() < 1e-6 && (seen.lately_nats - 1.5).abs() < 1e-6);
        let new = Edges::sight(Some(&edges), &doing(3), (Minutes(10), 1.0)).unwrap();
        assert_eq!(new.new_ones().count(), 1);
    }

    #[test]
    fn what_is_suspicious_waits() {
        let mut edges = Edges::default();
        edges.learn(
            (&doing(9), 0.0),
            (Minutes(1), Arrival::Suspicious),
            &mut |_, _| {
                panic!("it is not known yet");
            },
        );
        let seen = Edges::sight(Some(&edges), &doing(9), (Minutes(1), 1.0)).unwrap();
        assert!(matches!(
            seen.levels[1].unwrap().familiarity,
            Familiarity::Pending { .. }
        ));
    }

    #[test]
    fn a_flood_of_actions_stays_bounded() {
        let mut edges = Edges::default();
        for action in 0..10_000 {
            edges.learn(
                (&doing(action), 0.0),
                (Minutes(1), Arrival::Clean),
                &mut |_, _| {},
            );
        }
        assert!(edges.heap_bytes() < 4_096);
    }
}
