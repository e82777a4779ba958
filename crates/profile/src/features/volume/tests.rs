use super::*;
use habitus_model::activity::ApiActivity as Api;
use habitus_model::packed::{Packer, Unpacker};
use proptest::prelude::*;

const READ: Activity = Activity::Api(Api::Read);

/// An account with its population, lived minute by minute.
#[derive(Default)]
struct Life {
    volumes: Volumes,
    habits: VolumeHabits,
}

impl Life {
    fn deed(&mut self, activity: Activity, at: (u32, Arrival)) -> VolumesSeen {
        let now = Minutes(at.0);
        let seen = Volumes::sight(Some(&self.volumes), (activity, None), (now, false), &self.habits).unwrap();
        let mut told = Vec::new();
        self.volumes.learn(&seen, (now, at.1), &mut told);
        told.iter().for_each(|told| self.habits.learn(told));
        seen
    }

    /// So many reads within an hour, from a minute on; what the last one showed.
    fn reads(&mut self, count: u32, from: u32, arrival: Arrival) -> Option<VolumeSeen> {
        let seen = (0..count).map(|nth| self.deed(READ, (from + nth * 50 / count, arrival)));
        seen.last().and_then(|seen| seen.most)
    }

    /// Days of some reads each morning.
    fn days(days: std::ops::Range<u32>, reads: u32) -> Self {
        let mut life = Self::default();
        for day in days {
            life.reads(reads + day % 3, day * 1_440 + 540, Arrival::Clean);
        }
        life
    }
}

#[test]
fn a_day_s_work_in_a_minute_stands_out_and_more_of_it_more() {
    let mut life = Life::days(1..60, 6);
    assert_eq!(
        life.reads(7, 60 * 1_440 + 600, Arrival::Clean),
        None,
        "no volume to speak of"
    );
    let most = life.reads(40, 61 * 1_440 + 600, Arrival::Clean).unwrap();
    assert!(most.one_in > 200.0 && most.volume == 40, "{most:?}");
    assert_eq!(most.greatest, Some(8));
    let more = life.reads(400, 62 * 1_440 + 600, Arrival::Clean).unwrap();
    assert!(more.one_in > 3.0 * most.one_in, "{more:?}");
}

#[test]
fn who_did_so_much_before_does_it_again() {
    let mut life = Life::days(1..30, 6);
    let first = life.reads(300, 30 * 1_440, Arrival::Clean).unwrap();
    for day in 31..60 {
        life.reads(6, day * 1_440, Arrival::Clean);
    }
    let again = life.reads(310, 60 * 1_440, Arrival::Clean).unwrap();
    assert!(
        again.one_in < 0.02 * first.one_in && again.one_in < 100.0,
        "{again:?} {first:?}"
    );
}

#[test]
fn what_was_suspicious_teaches_nothing_until_it_is_the_third_time() {
    let mut life = Life::days(1..30, 6);
    let greatest = |life: &Life| {
        life.volumes
            .of(VolumeKind::Read)
            .map(|tally| tally.spans[0].1.greatest)
    };
    let before = greatest(&life);
    for day in [30, 31, 32] {
        life.reads(300, day * 1_440, Arrival::Suspicious);
        assert_eq!(greatest(&life), before, "day {day}");
    }
    life.reads(6, 40 * 1_440, Arrival::Clean);
    assert_eq!(greatest(&life), Some(300));
}

#[test]
fn suspicious_windows_on_end_count_once() {
    let mut life = Life::days(1..30, 6);
    for hour in 0..17 {
        life.reads(300, 30 * 1_440 + 61 * hour, Arrival::Suspicious);
    }
    let habit = life.volumes.of(VolumeKind::Read).unwrap().spans[0].1;
    assert_eq!((habit.greatest, habit.waits), (8, 1));
}

#[test]
fn an_account_without_a_past_is_held_against_its_population() {
    let life = Life::days(1..60, 6);
    let mut new = Life {
        habits: life.habits,
        ..Life::default()
    };
    let most = new.reads(500, 60 * 1_440, Arrival::Clean).unwrap();
    assert!(most.one_in > 20.0 && most.greatest.is_none(), "{most:?}");
    let mut nobody = Life::default();
    assert!(!nobody.deed(READ, (9, Arrival::Clean)).is_measured);
}

#[test]
fn kinds_of_deeds_have_volumes_of_their_own() {
    let mut life = Life::days(1..60, 30);
    for nth in 0..20 {
        let seen = life.deed(
            Activity::Api(Api::Delete),
            (60 * 1_440 + 600 + nth, Arrival::Clean),
        );
        if nth == 19 {
            let most = seen.most.unwrap();
            assert!(most.kind == VolumeKind::Delete && most.one_in > 5.0, "{most:?}");
        }
    }
    assert_eq!(VolumeKind::of(Activity::from_ocsf(3002, 1)), None);
    assert_eq!(
        VolumeKind::of(Activity::from_ocsf(6006, 2)),
        Some(VolumeKind::Read)
    );
    assert_eq!(
        VolumeKind::of(Activity::from_ocsf(1001, 4)),
        Some(VolumeKind::Delete)
    );
    assert_eq!(VolumeKind::of(Activity::from_ocsf(4001, 1)), None);
}

#[test]
fn one_call_that_makes_fifty_counts_fifty_and_a_forged_number_no_more_than_is_heard_of() {
    let at = |count| {
        let seen = Volumes::sight(
            None,
            (Activity::Api(Api::Create), count),
            (Minutes(1), false),
            &VolumeHabits::default(),
        );
        seen.unwrap().most.map(|most| most.volume)
    };
    assert_eq!(at(Some(50)), Some(50));
    assert_eq!(at(Some(u32::MAX)), Some(COUNT_MAX));
    assert_eq!(at(None), None);
}

#[test]
fn a_kind_takes_as_many_bytes_as_is_said() {
    assert_eq!(size_of::<Tally>(), 84);
}

proptest! {
    #[test]
    fn one_more_deed_never_makes_a_volume_more_usual(past in prop::collection::vec(1_u32..200, 0..30), spike in 2_u32..300) {
        let mut life = Life::default();
        for (day, reads) in (1..).zip(&past) {
            life.reads(*reads, day * 1_440, Arrival::Clean);
        }
        // Within one hour of a day that nothing else is in.
        let from = 100 * 1_440;
        let mut before = 1.0;
        for nth in 0..spike {
            let most = life.deed(READ, (from + nth * 50 / spike, Arrival::Clean)).most;
            let one_in = most.map_or(1.0, |most| most.one_in);
            prop_assert!(one_in >= before, "{} after {}", one_in, before);
            before = one_in;
        }
    }

    #[test]
    fn packed_and_unpacked_is_the_same(past in prop::collection::vec((0_u32..90, 0_u32..5, any::<bool>()), 0..60)) {
        let mut life = Life::default();
        let mut minute = 1;
        for (pause, activity, odd) in past {
            minute += pause;
            let arrival = if odd { Arrival::Suspicious } else { Arrival::Clean };
            life.deed(Activity::from_ocsf(6003, activity), (minute, arrival));
        }
        let mut packer = Packer::default();
        let bytes = packer.pack(&life.volumes).unwrap().to_vec();
        let back: Volumes = Unpacker::default().unpack(&bytes).unwrap();
        prop_assert_eq!(back, life.volumes);
    }

    #[test]
    fn memory_is_bounded_whatever_is_done(deeds in prop::collection::vec((0_u32..2_000, 1_000_u32..7_000, 0_u32..120), 0..200)) {
        let mut life = Life::default();
        let mut minute = 1;
        for (pause, class, activity) in deeds {
            minute += pause;
            if VolumeKind::of(Activity::from_ocsf(class, activity)).is_some() {
                life.deed(Activity::from_ocsf(class, activity), (minute, Arrival::Clean));
            }
        }
        prop_assert!(life.volumes.heap_bytes() <= VolumeKind::COUNT * size_of::<Tally>());
    }
}
