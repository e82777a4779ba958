//! The invented organisation: its past, its present, and the takeovers hidden in both.

use habitus_model::{EventTime, IngestTime, Millis};
use habitus_normalize::ocsf_out;
use habitus_sim::{Label, Labelled, Regime, WorldConfig, generate};
use std::collections::BTreeMap;

/// The past that is learned at once, days.
pub const PAST_DAYS: i64 = 30;
/// The present is played from so long ago on, days: faster than it was, until it has caught up.
const PLAYED_DAYS: i64 = 2;
/// Days simulated: the past, what is played, and up to a week so that weekdays stay weekdays.
const DAYS: u32 = 45;
const DAY_MS: i64 = 86_400_000;
const WEEK_MS: i64 = 7 * DAY_MS;
/// Takeovers of each kind: enough to see the easy and the hard ones, few enough to read.
const ATTACKS_PER_KIND: u32 = 6;
/// Takeovers are planted once the accounts have a past: after so many days.
const QUIET_DAYS: i64 = 12;

/// What happened and will happen, in order of time.
pub struct Organisation {
    /// Before the present: learned at once.
    pub past: Vec<Labelled>,
    /// From two days ago on.
    pub present: Vec<Labelled>,
    /// When the present begins.
    pub begins: EventTime,
    /// Kinds of the takeovers, by the id of their events.
    pub planted: BTreeMap<String, &'static str>,
}

impl Organisation {
    /// The same seed and size give the same organisation; `now` says when it lives.
    pub fn new(seed: u64, accounts: u32, now: IngestTime) -> Self {
        let config = WorldConfig {
            accounts,
            days: DAYS,
            attacks_per_kind: ATTACKS_PER_KIND,
            ..WorldConfig::new(seed, Regime::Enterprise)
        };
        let world = generate(&config);
        let (start, _) = world.period_ms();
        let begins = now.as_millis() - PLAYED_DAYS * DAY_MS;
        // Whole weeks, so that weekdays and hours stay what they are for each account.
        let shift = (begins - start - PAST_DAYS * DAY_MS).div_euclid(WEEK_MS) * WEEK_MS;
        let quiet_until = start + QUIET_DAYS * DAY_MS;
        let attacks = world
            .attacks()
            .filter(|attack| attack.event.time.as_millis() >= quiet_until);
        let mut all: Vec<Labelled> = world.legitimate().chain(attacks).collect();
        for labelled in &mut all {
            labelled.event.time = labelled.event.time.plus(Millis(shift));
        }
        all.sort_by(|a, b| (a.event.time, &a.event.uid).cmp(&(b.event.time, &b.event.uid)));
        let planted = all.iter().filter_map(kind).collect();
        let present = all.split_off(all.partition_point(|labelled| labelled.event.time.as_millis() < begins));
        Self {
            past: all,
            present,
            begins: EventTime::from_millis(begins).unwrap_or(now.as_event()),
            planted,
        }
    }
}

fn kind(labelled: &Labelled) -> Option<(String, &'static str)> {
    match &labelled.label {
        Label::Attack(kind) => Some((labelled.event.uid.to_string(), kind.name())),
        Label::Legitimate(_) | Label::Scenario(_) => None,
    }
}

/// Events as a source would send them: OCSF, one a line.
pub fn lines<'a>(events: impl Iterator<Item = &'a Labelled>) -> Vec<u8> {
    let mut out = Vec::new();
    for labelled in events {
        ocsf_out::write(&labelled.event, &mut out);
        out.push(b'\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_is_past_and_weekdays_stay() {
        let now = IngestTime::from_millis(1_795_000_000_000).unwrap();
        let organisation = Organisation::new(7, 12, now);
        let (past, present) = (&organisation.past, &organisation.present);
        assert!(past.iter().all(|one| one.event.time < organisation.begins));
        assert!(present.iter().all(|one| one.event.time >= organisation.begins));
        let last = present.last().unwrap().event.time.as_millis();
        assert!(last >= now.as_millis() - DAY_MS, "life goes on until now");
        let span = organisation.begins.as_millis() - past.first().unwrap().event.time.as_millis();
        assert!((29..38).contains(&(span / DAY_MS)), "{}", span / DAY_MS);
        assert!(organisation.planted.len() >= 6);
        assert_eq!(
            lines(past.iter()).iter().filter(|byte| **byte == b'\n').count(),
            past.len()
        );
    }
}
