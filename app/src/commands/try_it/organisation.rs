//! The invented organisation: its past, its present, and the attacks hidden in both.

use habitus_model::{EventTime, IngestTime, Millis};
use habitus_normalize::ocsf_out;
use habitus_sim::{Label, Labelled, Planted, Regime, World, WorldConfig, generate};
use std::collections::{BTreeMap, BTreeSet};

/// The past that is learned at once, days.
pub const PAST_DAYS: i64 = 30;
/// The present is played from so long ago on, days: faster than it was, until it has caught up.
const PLAYED_DAYS: i64 = 2;
/// Days simulated: the past, what is played, and up to a week so that weekdays stay weekdays.
const DAYS: u32 = 45;
const DAY_MS: i64 = 86_400_000;
const WEEK_MS: i64 = 7 * DAY_MS;
/// Attacks of each kind: enough to see the easy and the hard ones, few enough to read.
const ATTACKS_PER_KIND: usize = 2;
/// Attacks begin once the accounts have a past: after so many days.
const QUIET_DAYS: i64 = 12;

/// What happened and will happen, in order of time.
pub struct Organisation {
    /// Before the present: learned at once.
    pub past: Vec<Labelled>,
    /// From two days ago on.
    pub present: Vec<Labelled>,
    /// When the present begins.
    pub begins: EventTime,
    /// The attacks that events belong to, by the id of the event.
    pub planted: BTreeMap<String, Planted>,
}

impl Organisation {
    /// The same seed and size give the same organisation; `now` says when it lives.
    pub fn new(seed: u64, accounts: u32, now: IngestTime) -> Self {
        let config = WorldConfig {
            accounts,
            days: DAYS,
            ..WorldConfig::activity(seed, Regime::Enterprise)
        };
        let world = generate(&config);
        let (start, _) = world.period_ms();
        let begins = now.as_millis() - PLAYED_DAYS * DAY_MS;
        // Whole weeks, so that weekdays and hours stay what they are for each account.
        let shift = (begins - start - PAST_DAYS * DAY_MS).div_euclid(WEEK_MS) * WEEK_MS;
        let chosen = chosen(&world, start + QUIET_DAYS * DAY_MS);
        let attacks = world
            .planted()
            .filter(|event| attack(event).is_some_and(|attack| chosen.contains(&attack)));
        let mut all: Vec<Labelled> = world.legitimate().chain(attacks).collect();
        for labelled in &mut all {
            labelled.event.time = labelled.event.time.plus(Millis(shift));
        }
        all.sort_by(|a, b| (a.event.time, &a.event.uid).cmp(&(b.event.time, &b.event.uid)));
        let planted = all
            .iter()
            .filter_map(|event| Some((event.event.uid.to_string(), attack(event)?)))
            .collect();
        let present = all.split_off(all.partition_point(|labelled| labelled.event.time.as_millis() < begins));
        Self {
            past: all,
            present,
            begins: EventTime::from_millis(begins).unwrap_or(now.as_event()),
            planted,
        }
    }
}

/// The first attacks of each kind that begin after the quiet days.
fn chosen(world: &World, quiet_until: i64) -> BTreeSet<Planted> {
    let mut begun: BTreeMap<Planted, i64> = BTreeMap::new();
    for event in world.planted() {
        if let Some(attack) = attack(&event) {
            begun.entry(attack).or_insert(event.event.time.as_millis());
        }
    }
    let mut in_time: Vec<(i64, Planted)> = begun.into_iter().map(|(attack, at)| (at, attack)).collect();
    in_time.sort();
    let mut chosen: BTreeSet<Planted> = BTreeSet::new();
    for (_, attack) in in_time.into_iter().filter(|(at, _)| *at >= quiet_until) {
        let same = chosen.iter().filter(|other| other.kind == attack.kind);
        if same.count() < ATTACKS_PER_KIND {
            chosen.insert(attack);
        }
    }
    chosen
}

/// The attack that an event belongs to.
fn attack(labelled: &Labelled) -> Option<Planted> {
    match labelled.label {
        Label::Scenario(attack) => Some(attack),
        Label::Legitimate(_) | Label::Attack(_) => None,
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
        let attacks: BTreeSet<&Planted> = organisation.planted.values().collect();
        let kinds: BTreeSet<_> = attacks.iter().map(|attack| attack.kind.name()).collect();
        assert!(kinds.len() >= 12, "{kinds:?}");
        assert!(attacks.len() <= ATTACKS_PER_KIND * kinds.len());
        assert_eq!(
            lines(past.iter()).iter().filter(|byte| **byte == b'\n').count(),
            past.len()
        );
    }
}
