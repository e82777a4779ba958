//! A small set of values an account is known by, each with a decaying weight and a state of trust.
//!
//! Estimates how much of an account's recent life a value accounts for, and how often its children (the prefixes of an
//! autonomous system, the addresses of a prefix) were new: the type counts of an interpolated Pitman–Yor model
//! (Teh 2006). Fails where an account has more habitual values than the set has room for; the rarest are then forgotten.

use crate::room;
use habitus_model::Minutes;
use habitus_model::math::{half_life_factor, to_f32};
use serde::{Deserialize, Serialize};

/// One remembered value: 24 bytes and a tag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Fingerprint of the value.
    pub key: u64,
    /// Decayed number of visits, as of `last`.
    pub weight: f32,
    /// Decayed number of visits in which a child of this value was new, as of `last`.
    pub novel: f32,
    /// Last visit.
    pub last: Minutes,
    /// Whether the value counts as known.
    pub trust: Trust,
}

/// Whether a value counts as known. What first came with a high score waits, so that an attacker cannot make a
/// network normal by using it once (SCORING 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trust {
    /// Known.
    Trusted,
    /// In quarantine.
    Pending {
        /// First seen.
        since: Minutes,
        /// Quiet visits since then, or days of use: see [`Release`].
        clean: u8,
    },
}

/// How a set forgets and how much it holds.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Most values.
    pub capacity: usize,
    /// Half-life of weights, days.
    pub half_life_days: f64,
    /// So many of the most recent values keep at least [`FLOOR_WEIGHT`], however old: the account that logs in once a
    /// year is still recognised (SCORING 2).
    pub floor_recent: usize,
}

/// What a set says of one value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Familiarity {
    /// Never seen, or forgotten.
    New,
    /// Seen, in quarantine for so many days.
    Pending {
        /// Days since it was first seen.
        age_days: f64,
    },
    /// Known.
    Known {
        /// Its weight, in visits.
        weight: f64,
        /// Its share of the weight of all known values, smoothed, in `(0, 1]`.
        share: f64,
    },
}

/// How a visit is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Low score: new values are trusted at once, pending ones move towards trust.
    Clean,
    /// A factor that cannot be phished: trusted at once.
    Strong,
    /// High score: new values wait.
    Suspicious,
}

/// What ends the quarantine of a value. A strong factor always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Three days, or three quiet visits: of what is not the way in of a person (SCORING 13).
    Soon,
    /// A quiet visit: the owner vouches for it with something known.
    Vouched,
    /// A quiet visit after [`USED_DAYS`] different days of use, or after [`PATIENT_DAYS`] and a few of use; a visit that is
    /// still flagged after both. Patience alone takes longer than attackers have (RELIABILITY 6.1).
    Days,
    /// Nothing else.
    Never,
}

/// The least weight of a recent value, visits (SCORING 2).
pub const FLOOR_WEIGHT: f64 = 0.5;
/// Below this weight a value is forgotten: it is as good as one visit four half-lives ago.
const FORGOTTEN_WEIGHT: f64 = 0.06;
/// With [`Release::Soon`] quarantine ends after 72 hours, or three visits with a low score (SCORING 13).
const QUARANTINE_DAYS: f64 = 3.0;
const CLEAN_VISITS: u8 = 3;
/// Different days of use that end a quarantine nobody vouches for: more than the ten that an attacker is taken to spend on
/// looking normal; or so many days since it began, with a few of use, for who comes seldom (RELIABILITY 6.1: 30). Assumed.
pub const USED_DAYS: u8 = 12;
/// See [`USED_DAYS`].
pub const PATIENT_DAYS: f64 = 30.0;
const FEW_DAYS: u8 = 3;
/// Smoothing of shares: half a visit for each known value (Krichevsky–Trofimov).
const SHARE_SMOOTHING: f64 = 0.5;

/// The set.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Known {
    entries: Vec<Entry>,
}

impl Known {
    /// What is known of `key`. Cost: linear in the set, at most a dozen entries.
    #[must_use]
    pub fn look_up(&self, key: u64, now: Minutes, retention: &Retention) -> Familiarity {
        let Some(entry) = self.entries.iter().find(|entry| entry.key == key) else {
            return Familiarity::New;
        };
        if let Trust::Pending { since, .. } = entry.trust {
            return Familiarity::Pending {
                age_days: now.days_since(since),
            };
        }
        let (mut weight, mut total, mut count) = (0.0, 0.0, 0.0);
        for each in self.entries.iter().filter(|each| each.trust == Trust::Trusted) {
            let its = self.weight_of(each, now, retention);
            total += its;
            count += 1.0;
            if each.key == key {
                weight = its;
            }
        }
        if weight < FORGOTTEN_WEIGHT {
            return Familiarity::New;
        }
        let share = (weight + SHARE_SMOOTHING) / (total + SHARE_SMOOTHING * count);
        Familiarity::Known { weight, share }
    }

    /// Visits to `key` and visits in which a child of it was new, both decayed to `now`. Zeros if it is not held.
    #[must_use]
    pub fn children(&self, key: u64, now: Minutes, retention: &Retention) -> (f64, f64) {
        self.entries
            .iter()
            .find(|entry| entry.key == key)
            .map_or((0.0, 0.0), |entry| {
                let factor = decay(entry, now, retention);
                (f64::from(entry.weight) * factor, f64::from(entry.novel) * factor)
            })
    }

    /// The known value of the largest weight; of equal ones the first.
    #[must_use]
    pub fn dominant(&self, now: Minutes, retention: &Retention) -> Option<u64> {
        let mut known = self.entries.iter().filter(|entry| entry.trust == Trust::Trusted);
        let mut best = (known.next()?, None);
        for entry in known {
            // Most accounts know one, whatever it weighs.
            let top = best.1.unwrap_or_else(|| self.weight_of(best.0, now, retention));
            let weight = self.weight_of(entry, now, retention);
            best = if weight > top {
                (entry, Some(weight))
            } else {
                (best.0, Some(top))
            };
        }
        Some(best.0.key)
    }

    /// Whether a known value has a fingerprint like this.
    #[must_use]
    pub fn any_known(&self, is_it: impl Fn(u64) -> bool) -> bool {
        let mut known = self.entries.iter().filter(|entry| entry.trust == Trust::Trusted);
        known.any(|entry| is_it(entry.key))
    }

    /// The known values, in the order they are held.
    pub fn known(&self) -> impl Iterator<Item = u64> {
        let known = self.entries.iter().filter(|entry| entry.trust == Trust::Trusted);
        known.map(|entry| entry.key)
    }

    /// Number of values held, pending ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// [`Known::learn_until`] with [`Release::Soon`].
    pub fn learn(&mut self, visit: &Visit, retention: &Retention) -> Learned {
        self.learn_until(visit, retention, Release::Soon)
    }

    /// Learns one visit, and tells whether the value is known from now on that was not before.
    pub fn learn_until(&mut self, visit: &Visit, retention: &Retention, release: Release) -> Learned {
        let Visit {
            key,
            now,
            arrival,
            child_is_new,
        } = *visit;
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.key == key) {
            let factor = decay(entry, now, retention);
            entry.weight = to_f32(f64::from(entry.weight) * factor + 1.0);
            entry.novel = to_f32(f64::from(entry.novel) * factor + f64::from(u8::from(child_is_new)));
            let before = entry.trust;
            let (today, last) = (now.0 / MINUTES_PER_DAY, entry.last.0 / MINUTES_PER_DAY);
            entry.trust = next_trust(before, (now, today > last), (arrival, release));
            entry.last = entry.last.max(now);
            return if before == entry.trust || entry.trust != Trust::Trusted {
                Learned::Old
            } else {
                Learned::Known
            };
        }
        if self.entries.len() >= retention.capacity {
            self.forget_one(now, retention);
        }
        let (trust, learned) = match arrival {
            Arrival::Clean | Arrival::Strong => (Trust::Trusted, Learned::Known),
            Arrival::Suspicious => (Trust::Pending { since: now, clean: 0 }, Learned::Waiting),
        };
        room::for_one_more(&mut self.entries);
        self.entries.push(Entry {
            key,
            weight: 1.0,
            novel: 0.0,
            last: now,
            trust,
        });
        learned
    }

    /// A person said that the value is the owner's: it is known from now on, also if it was forgotten since.
    pub fn admit(&mut self, key: u64, now: Minutes, retention: &Retention) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.key == key) {
            entry.trust = Trust::Trusted;
            return;
        }
        let visit = Visit {
            key,
            now,
            arrival: Arrival::Strong,
            child_is_new: false,
        };
        self.learn(&visit, retention);
    }

    /// A person said that the value is an attacker's: it is forgotten if it waits in quarantine. What the owner is known
    /// by stays, because attackers use that too.
    pub fn refuse(&mut self, key: u64) {
        self.entries
            .retain(|entry| entry.key != key || entry.trust == Trust::Trusted);
    }

    /// An admission is taken back: the value waits in quarantine from `now` on, if it was seen no more than a few times,
    /// as values are that were admitted; what the owner lives with stays known.
    pub fn doubt(&mut self, key: u64, now: Minutes) {
        let rare = |entry: &&mut Entry| entry.key == key && entry.weight < f32::from(CLEAN_VISITS);
        if let Some(entry) = self.entries.iter_mut().find(rare) {
            entry.trust = Trust::Pending { since: now, clean: 0 };
        }
    }

    /// Reads a little of it, so that it is in the processor's cache when it is wanted; gives what was read.
    #[must_use]
    pub fn touch(&self) -> u64 {
        let ends = self.entries.first().zip(self.entries.last());
        ends.map_or(0, |(first, last)| first.key ^ last.key)
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.entries.capacity() * std::mem::size_of::<Entry>()
    }

    fn weight_of(&self, entry: &Entry, now: Minutes, retention: &Retention) -> f64 {
        let weight = f64::from(entry.weight) * decay(entry, now, retention);
        if weight >= FLOOR_WEIGHT {
            return weight;
        }
        let newer = self
            .entries
            .iter()
            .filter(|other| other.last > entry.last)
            .count();
        if newer < retention.floor_recent {
            weight.max(FLOOR_WEIGHT)
        } else {
            weight
        }
    }

    /// Pending values go first, then the lightest: an attacker cannot push out what the owner uses.
    fn forget_one(&mut self, now: Minutes, retention: &Retention) {
        let mut worst: Option<(usize, bool, f64)> = None;
        for (index, entry) in self.entries.iter().enumerate() {
            let trusted = entry.trust == Trust::Trusted;
            let weight = self.weight_of(entry, now, retention);
            if worst.is_none_or(|(_, t, w)| (trusted, weight) < (t, w)) {
                worst = Some((index, trusted, weight));
            }
        }
        if let Some((index, _, _)) = worst {
            self.entries.swap_remove(index);
        }
    }
}

/// What a visit changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learned {
    /// The value was held before, and its trust is what it was.
    Old,
    /// The value is known now and was not before: new and trusted, or released from quarantine.
    Known,
    /// The value is new and waits in quarantine.
    Waiting,
}

/// One visit to a value.
#[derive(Debug, Clone, Copy)]
pub struct Visit {
    /// Fingerprint of the value.
    pub key: u64,
    /// When.
    pub now: Minutes,
    /// How it is learned.
    pub arrival: Arrival,
    /// Something below the value was new.
    pub child_is_new: bool,
}

const MINUTES_PER_DAY: u32 = 1_440;

fn next_trust(
    trust: Trust,
    (now, is_another_day): (Minutes, bool),
    (arrival, release): (Arrival, Release),
) -> Trust {
    let Trust::Pending { since, clean } = trust else {
        return trust;
    };
    let (age, is_clean) = (now.days_since(since), arrival == Arrival::Clean);
    let counted = match release {
        Release::Soon => clean.saturating_add(u8::from(is_clean)),
        Release::Vouched | Release::Days | Release::Never => clean.saturating_add(u8::from(is_another_day)),
    };
    let ends = match release {
        Release::Soon => age >= QUARANTINE_DAYS || (is_clean && counted >= CLEAN_VISITS),
        Release::Vouched => is_clean,
        Release::Days if is_clean => counted >= USED_DAYS || (age >= PATIENT_DAYS && counted >= FEW_DAYS),
        Release::Days => counted >= USED_DAYS && age >= PATIENT_DAYS,
        Release::Never => false,
    };
    if ends || arrival == Arrival::Strong {
        Trust::Trusted
    } else {
        Trust::Pending {
            since,
            clean: counted,
        }
    }
}

fn decay(entry: &Entry, now: Minutes, retention: &Retention) -> f64 {
    half_life_factor(now.days_since(entry.last), retention.half_life_days)
}

#[cfg(test)]
mod tests;
