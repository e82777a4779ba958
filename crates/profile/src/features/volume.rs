//! How much an account does within an hour and within a working day, held against its own hours and days (SCORING 4).
//!
//! Estimates the probability that a window of the account reaches this volume: the logarithm of the volume is standardised by
//! the account's mean and spread, shrunk to its population's; how often windows reach so far above their account's mean is
//! measured in the population ([`crate::volume_habits`]), and what the account reached before counts besides. Learned as
//! windows end, capped at four deviations, and by the account never from a window in which something was suspicious, unless it is
//! the third such on different days. A window begins with the first deed after the last one ended, so that no clock cuts a rush in two more
//! than once. Fails before the population has some dozens of windows, and against who stays within what is usual. Accounts
//! that only log in pay nothing; each kind of deed takes 84 bytes.

mod kinds;

use crate::known::Arrival;
use crate::room;
use crate::volume_habits::{Standard, VolumeCell, VolumeHabits, VolumeTold};
use habitus_model::math::{exp, ln_1p, to_f32};
use habitus_model::{Activity, Minutes};
pub use kinds::{Span, VolumeKind};
use serde::{Deserialize, Serialize};

/// Volumes below this are none to speak of, whatever is usual: a hand's worth of clicks. Assumed.
const VOLUME_MIN: u32 = 8;
/// Most things that one event counts for: sources that log more at once are not heard of, and one forged number must not be
/// the greatest for ever.
const COUNT_MAX: u32 = 10_000;
/// Windows after which the mean and spread follow the latest ones rather than all, and most that never to have reached a volume
/// is worth. Assumed: a quarter's working days.
const WINDOWS_MEMORY: f32 = 64.0;
/// Most windows that are counted.
const WINDOWS_MAX: f32 = 1e6;
/// Windows after which an account's next ones tell its population half as much. Assumed: who is chatty does not speak for the rest.
const CHATTY_WINDOWS: f64 = 64.0;
/// Windows of the tenant's spread behind the account's own. Assumed.
const SPREAD_SHRINKAGE: f64 = 8.0;
/// Least deviation of the logarithm of a volume: that of a Poisson count of eight.
const DEVIATION_MIN: f64 = 0.35;
/// What is learned of a window lies at most so many deviations above the mean (SCORING 4).
const CAP: f64 = 4.0;
/// Windows of the population behind the account's own, where it is counted how many reached a volume. Assumed.
const REACH_SHRINKAGE: f64 = 30.0;
/// How much rarer a volume of any kind must be to be told in place of its own kind's. Assumed.
const ANY_RARER: f64 = 1.5;
/// Share of what was done that is of one kind, from which on it is told as that kind's. Assumed.
const MOSTLY: f64 = 0.8;
/// Share of the day's volume that the hour must hold for the day's to be told: what is done after a rush is no rush. A tenth: no
/// working day is longer than ten even hours.
const RUSH: f64 = 0.1;
/// A volume up to this multiple of the account's greatest is no greater. Assumed.
const MARGIN: f64 = 1.25;
/// How long the greatest volume is remembered, days: what is done once a year is done again.
const GREATEST_DAYS: f64 = 400.0;
/// Windows with something suspicious in them of which the third is learned, as values in quarantine are known after three visits
/// (SCORING 13), and how many days lie between two that count: those of one night are one.
const WAITS: u8 = 3;
const WAIT_DAYS: f64 = 0.75;
/// Windows from which an account's own distance from its mean tells the population how far windows spread.
const OWN_MIN: f32 = 4.0;

/// One number a span.
type Spans<T> = [T; Span::COUNT];

/// The window that goes on, or went on last.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Window {
    began: Minutes,
    volume: u32,
    suspicious: bool,
}

/// What windows of one kind and span came to.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Habit {
    /// Number of windows, not decayed.
    windows: f32,
    /// Mean and variance of the logarithm of one more than the volume.
    mean: f32,
    variance: f32,
    /// Greatest volume, and when; 0: none yet.
    greatest: u32,
    greatest_at: Minutes,
    /// Windows that wait because something in them was suspicious, and when the latest did.
    waits: u8,
    waited_at: Minutes,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Tally {
    kind: VolumeKind,
    spans: Spans<(Window, Habit)>,
}

/// The volumes of one account.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Volumes {
    tallies: Vec<Tally>,
}

/// A volume held against what the account does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VolumeSeen {
    /// What is done.
    pub kind: VolumeKind,
    /// Within what.
    pub span: Span,
    /// How often within the window, this event included.
    pub volume: u32,
    /// Logarithm of one more than a usual window's volume; of its population's where the account has none of its own.
    pub ln_usual: f64,
    /// The greatest volume of an earlier window. Absent: there was none that counts.
    pub greatest: Option<u32>,
    /// Windows of the account's own.
    pub windows: f64,
    /// One window of the account in so many reaches the volume, at least 1; of hours, one day in so many has one that does.
    pub one_in: f64,
}

/// What an event says of volumes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VolumesSeen {
    /// The volume that is reached most seldom. Absent: none is worth a word.
    pub most: Option<VolumeSeen>,
    /// Whether the account or its population has windows to compare with.
    pub is_measured: bool,
    kind: VolumeKind,
    count: u32,
    /// Windows that end with this event, of the kind and of any.
    ended: [Spans<Option<Ended>>; 2],
}

/// A window that ended.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ended {
    told: VolumeTold,
    volume: u32,
    began: Minutes,
    fate: Fate,
}

/// What becomes of a window that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Learned,
    /// Something in it was suspicious: it counts among those of which the third is learned.
    Waits,
    /// The same, too soon after one that counts.
    Forgotten,
}

impl VolumeSeen {
    /// How often in a usual window, at least once. Cost: an exponential.
    #[must_use]
    pub fn usual(&self) -> f64 {
        (exp(self.ln_usual) - 1.0).max(1.0)
    }

    /// What is mostly of one kind is told as that kind's: who made forty machines is not said to have done forty things.
    fn told_as(self, own: Spans<Option<VolumeSeen>>) -> Self {
        let own = own.get(self.span.index()).copied().flatten();
        let mostly = |own: &VolumeSeen| f64::from(own.volume) >= MOSTLY * f64::from(self.volume);
        own.filter(mostly).map_or(self, |own| Self {
            one_in: self.one_in,
            ..own
        })
    }
}

impl Window {
    fn is_over(&self, span: Span, now: Minutes) -> bool {
        self.volume > 0 && now.since(self.began) >= span.minutes()
    }

    /// The volume with a deed of so many things.
    fn volume_at(&self, span: Span, (now, count): (Minutes, u32)) -> u32 {
        let before = if self.is_over(span, now) { 0 } else { self.volume };
        before.saturating_add(count)
    }

    /// One more deed.
    fn count(&mut self, span: Span, count: u32, (now, arrival): (Minutes, Arrival)) {
        if self.volume == 0 || self.is_over(span, now) {
            *self = Self {
                began: now,
                ..Self::default()
            };
        }
        self.volume = self.volume.saturating_add(count);
        self.suspicious |= arrival == Arrival::Suspicious;
    }
}

impl Habit {
    /// Mean and deviation of the account's next window.
    fn expects(&self, tenant: &Standard) -> (f64, f64) {
        let own = f64::from(self.windows.min(WINDOWS_MEMORY));
        let all = own + tenant.behind;
        let mean = (own * f64::from(self.mean) + tenant.behind * tenant.mean) / all;
        let variance =
            (own * f64::from(self.variance) + SPREAD_SHRINKAGE * tenant.within) / (own + SPREAD_SHRINKAGE);
        let next = variance * (1.0 + 1.0 / all);
        (mean, next.sqrt().max(DEVIATION_MIN))
    }

    fn greatest(&self, now: Minutes) -> Option<u32> {
        let counts = self.greatest > 0 && now.days_since(self.greatest_at) < GREATEST_DAYS;
        counts.then_some(self.greatest)
    }

    /// One of the account's windows in so many reaches a volume that one in `population` of others does (Gamma–Poisson). What
    /// it reached before is no rarer than among others: how often it was reached is not kept.
    fn one_in(&self, volume: u32, population: f64, now: Minutes) -> f64 {
        let windows = f64::from(self.windows.min(WINDOWS_MEMORY)) + REACH_SHRINKAGE;
        if self.reached(volume, now) {
            population.min(windows / (1.0 + REACH_SHRINKAGE / population))
        } else {
            population * windows / REACH_SHRINKAGE
        }
    }

    /// Whether the account is known to reach this volume.
    fn reached(&self, volume: u32, now: Minutes) -> bool {
        let greatest = self.greatest(now).map_or(0.0, f64::from);
        f64::from(volume) <= MARGIN * greatest
    }

    /// A volume that the account is known to reach is its own, whatever else was suspicious.
    fn fate(&self, window: &Window) -> Fate {
        let doubted = window.suspicious && !self.reached(window.volume, window.began);
        let counts = self.waits == 0 || window.began.days_since(self.waited_at) >= WAIT_DAYS;
        match (doubted, counts) {
            (false, _) => Fate::Learned,
            (true, true) if self.waits + 1 >= WAITS => Fate::Learned,
            (true, true) => Fate::Waits,
            (true, false) => Fate::Forgotten,
        }
    }

    fn learn(&mut self, ended: &Ended, now: Minutes) {
        match ended.fate {
            Fate::Forgotten => {}
            Fate::Waits => (self.waits, self.waited_at) = (self.waits.saturating_add(1), ended.began),
            Fate::Learned => {
                self.windows = (self.windows + 1.0).min(WINDOWS_MAX);
                let weight = 1.0 / self.windows.min(WINDOWS_MEMORY);
                let distance = ended.told.ln_volume - self.mean;
                self.mean += weight * distance;
                self.variance += weight * (distance * (ended.told.ln_volume - self.mean) - self.variance);
                if self.greatest(now).is_none_or(|greatest| ended.volume >= greatest) {
                    (self.greatest, self.greatest_at) = (ended.volume, ended.began);
                }
            }
        }
    }
}

/// A kind within a span: what the account did and does, and its population.
struct Cell<'a> {
    kind: VolumeKind,
    span: Span,
    window: Window,
    habit: Habit,
    count: u32,
    /// Windows of the account in a day: who is looked at twenty times a day stands out by chance as much more often.
    looks: f64,
    tenant: &'a VolumeCell,
    is_machine: bool,
}

impl Cell<'_> {
    fn is_measured(&self) -> bool {
        self.habit.windows >= OWN_MIN || self.tenant.is_measured()
    }

    /// The volume with this event, and the window that ended before it.
    fn see(&self, now: Minutes) -> (Option<VolumeSeen>, Option<Ended>) {
        let is_over = self.window.is_over(self.span, now);
        let volume = self.window.volume_at(self.span, (now, self.count));
        if !is_over && volume < VOLUME_MIN {
            return (None, None);
        }
        let (mean, deviation) = self.habit.expects(&self.tenant.standard());
        let ended = is_over.then(|| self.ended((mean, deviation)));
        if volume < VOLUME_MIN {
            return (None, ended);
        }
        let any = self.kind == VolumeKind::Any;
        let told = self.looks * if any { ANY_RARER } else { 1.0 };
        let far = (ln_1p(f64::from(volume)) - mean) / deviation;
        let seen = VolumeSeen {
            kind: self.kind,
            span: self.span,
            volume,
            ln_usual: mean,
            greatest: self.habit.greatest(now),
            windows: f64::from(self.habit.windows),
            one_in: (self.habit.one_in(volume, self.tenant.one_in(far), now) / told).max(1.0),
        };
        (Some(seen), ended)
    }

    fn ended(&self, (mean, deviation): (f64, f64)) -> Ended {
        let window = &self.window;
        let ln_volume = ln_1p(f64::from(window.volume));
        let capped = ln_volume.min(mean + CAP * deviation);
        let own = (self.habit.windows >= OWN_MIN).then(|| to_f32(capped) - self.habit.mean);
        let fate = self.habit.fate(window);
        let told = VolumeTold {
            kind: self.kind,
            span: self.span,
            is_machine: self.is_machine,
            is_doubted: fate != Fate::Learned,
            ln_volume: to_f32(capped),
            from_own_mean: own,
            deviations: to_f32((ln_volume - mean) / deviation),
            weight: to_f32(CHATTY_WINDOWS / (CHATTY_WINDOWS + f64::from(self.habit.windows))),
        };
        Ended {
            told,
            volume: window.volume,
            began: window.began,
            fate,
        }
    }
}

impl Volumes {
    /// Holds a deed, of so many things, against the volumes of its account; absent if it is none. Cost: two kinds in two spans,
    /// each a logarithm and two roots where the volume is any to speak of.
    #[must_use]
    pub fn sight(
        volumes: Option<&Volumes>,
        (activity, count): (Activity, Option<u32>),
        (now, is_machine): (Minutes, bool),
        habits: &VolumeHabits,
    ) -> Option<VolumesSeen> {
        let kind = VolumeKind::of(activity)?;
        let count = count.unwrap_or(1).clamp(1, COUNT_MAX);
        let mut seen = VolumesSeen {
            most: None,
            is_measured: false,
            kind,
            count,
            ended: Default::default(),
        };
        let mut own: Spans<Option<VolumeSeen>> = Spans::default();
        for (kind, ended) in kind.counted().into_iter().zip(&mut seen.ended) {
            let Some(kind) = kind else { continue };
            let tally = volumes.and_then(|volumes| volumes.of(kind));
            let spans = tally.map_or_else(Default::default, |tally| tally.spans);
            let hour = spans
                .first()
                .map_or(count, |(window, _)| window.volume_at(Span::Hour, (now, count)));
            for ((span, (window, habit)), ended) in Span::ALL.into_iter().zip(spans).zip(ended) {
                let cell = Cell {
                    kind,
                    span,
                    window,
                    habit,
                    count,
                    looks: looks(span, &spans),
                    tenant: habits.cell(is_machine, (kind, span)),
                    is_machine,
                };
                seen.is_measured |= cell.is_measured();
                let (volume, over) = cell.see(now);
                *ended = over;
                let volume = volume.filter(|seen| f64::from(hour) >= RUSH * f64::from(seen.volume));
                let most = seen.most.map_or(1.0, |most| most.one_in);
                seen.most = volume.filter(|volume| volume.one_in > most).or(seen.most);
                if let Some(own) = own.get_mut(span.index()).filter(|own| own.is_none()) {
                    *own = volume;
                }
            }
        }
        seen.most = seen.most.map(|most| most.told_as(own));
        Some(seen)
    }

    /// Learns a deed that succeeded; gives what the population learns of the windows that ended before it.
    pub fn learn(&mut self, seen: &VolumesSeen, at: (Minutes, Arrival), told: &mut Vec<VolumeTold>) {
        for (kind, ended) in seen.kind.counted().into_iter().zip(&seen.ended) {
            let Some(tally) = kind.and_then(|kind| self.room(kind)) else {
                continue;
            };
            let spans = tally.spans.iter_mut().zip(Span::ALL).zip(ended);
            for (((window, habit), span), ended) in spans {
                if let Some(ended) = ended {
                    habit.learn(ended, at.0);
                    told.extend((ended.fate != Fate::Forgotten).then_some(ended.told));
                }
                window.count(span, seen.count, at);
            }
        }
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.tallies.capacity() * size_of::<Tally>()
    }

    fn of(&self, kind: VolumeKind) -> Option<&Tally> {
        self.tallies.iter().find(|tally| tally.kind == kind)
    }

    fn room(&mut self, kind: VolumeKind) -> Option<&mut Tally> {
        if self.of(kind).is_none() {
            room::for_one_more(&mut self.tallies);
            self.tallies.push(Tally {
                kind,
                spans: Default::default(),
            });
        }
        self.tallies.iter_mut().find(|tally| tally.kind == kind)
    }
}

/// Hours with something in them for each such day; at least one.
fn looks(span: Span, spans: &Spans<(Window, Habit)>) -> f64 {
    let [(_, hours), (_, days)] = spans;
    match span {
        Span::Hour if days.windows >= 1.0 => f64::from(hours.windows / days.windows).max(1.0),
        Span::Hour | Span::Day => 1.0,
    }
}

#[cfg(test)]
mod tests;
