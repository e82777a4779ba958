//! What an account's own conduct has said against it of late: a CUSUM of evidence (Page 1954; SCORING 10).
//!
//! Each event that shows what the account uses moves the belief by its evidence: well up when it accuses, a little down when
//! all is as usual. It never falls under nothing, and fades within a day or, a second one, within weeks. What the owner does by
//! the hundred thus wears off, and what nobody does by chance adds up, however unremarkable each step of it is. Fails against
//! who is slower than the slow one and busy besides. Twenty bytes.

use habitus_model::Minutes;
use habitus_model::math::{half_life_factor, to_f32};
use serde::{Deserialize, Serialize};

/// How long something is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// A working day.
    Day,
    /// Weeks: low and slow.
    Weeks,
}

/// The belief as of its latest event, for each window.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Belief {
    nats: [f32; Window::COUNT],
    news: [f32; Window::COUNT],
    at: Minutes,
}

/// The belief of one window at a time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BeliefSeen {
    /// Evidence gathered, nats, at least 0.
    pub nats: f64,
    /// New things that were used, decayed alike.
    pub news: f64,
}

impl Window {
    /// Number of windows.
    pub const COUNT: usize = 2;
    /// Every window, in the order of arrays by window.
    pub const ALL: [Window; Self::COUNT] = [Window::Day, Window::Weeks];

    /// Half-life of what is remembered, days. Assumed.
    #[must_use]
    pub const fn half_life_days(self) -> f64 {
        match self {
            Window::Day => 0.4,
            Window::Weeks => 10.0,
        }
    }

    /// The least and the most by which one event moves the belief, nats (SCORING 10: −1 to 5). Within a day the least is
    /// smaller, because who explores goes on with the day's work between; and the most is what a family may say of one event.
    #[must_use]
    pub const fn step(self) -> (f64, f64) {
        match self {
            Window::Day => (-0.15, 7.0),
            Window::Weeks => (-1.0, 5.0),
        }
    }
}

impl Belief {
    /// The belief at a time, before what happens then, in the order of [`Window::ALL`].
    #[must_use]
    pub fn at(&self, now: Minutes) -> [BeliefSeen; Window::COUNT] {
        let days = now.days_since(self.at);
        let mut seen = [BeliefSeen::default(); Window::COUNT];
        let held = self.nats.iter().zip(&self.news).zip(Window::ALL);
        for (seen, ((nats, news), window)) in seen.iter_mut().zip(held) {
            let factor = half_life_factor(days, window.half_life_days());
            *seen = BeliefSeen {
                nats: f64::from(*nats) * factor,
                news: f64::from(*news) * factor,
            };
        }
        seen
    }

    /// Takes in the evidence of an event, nats, and how many new things it used.
    pub fn take_in(&mut self, (step, news): (f64, f64), now: Minutes) {
        let before = self.at(now);
        let kept = self.nats.iter_mut().zip(&mut self.news).zip(Window::ALL);
        for (((nats, count), window), before) in kept.zip(before) {
            let (least, most) = window.step();
            *nats = to_f32((before.nats + step.clamp(least, most)).max(0.0));
            *count = to_f32(before.news + news);
        }
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn steps_add_up_within_a_day_and_fade_after_it() {
        let mut belief = Belief::default();
        for minute in 0..5 {
            belief.take_in((3.0, 1.0), Minutes(1_000 + minute));
        }
        let [now, _] = belief.at(Minutes(1_005));
        let [day, weeks] = belief.at(Minutes(1_005 + 2 * 1_440));
        assert!(now.nats > 14.5 && now.news > 4.9, "{now:?}");
        assert!(day.nats < 0.5 && weeks.nats > 12.0, "{day:?} {weeks:?}");
    }

    #[test]
    fn one_thing_a_day_adds_up_over_weeks_unless_much_is_as_usual() {
        let after = |usual: u32| {
            let mut belief = Belief::default();
            for day in 0..14 {
                belief.take_in((2.0, 1.0), Minutes(day * 1_440));
                (0..usual).for_each(|_| belief.take_in((-0.1, 0.0), Minutes(day * 1_440 + 60)));
            }
            let [_, weeks] = belief.at(Minutes(14 * 1_440));
            weeks.nats
        };
        assert!(
            after(0) > 15.0 && after(4) > 5.0 && after(40) < 0.1,
            "{} {}",
            after(4),
            after(40)
        );
    }

    proptest! {
        #[test]
        fn what_is_usual_wears_it_off_and_never_below_nothing(steps in prop::collection::vec(-3.0f64..0.0, 0..200), first in 0.0f64..20.0) {
            let mut belief = Belief::default();
            belief.take_in((first, 1.0), Minutes(1));
            let mut before = belief.at(Minutes(1));
            for step in steps {
                prop_assert!(before.iter().zip(Window::ALL).all(|(one, window)| one.nats <= window.step().1));
                belief.take_in((step, 0.0), Minutes(1));
                let after = belief.at(Minutes(1));
                prop_assert!(after.iter().zip(before).all(|(after, before)| (0.0..=before.nats).contains(&after.nats)));
                before = after;
            }
        }
    }
}
