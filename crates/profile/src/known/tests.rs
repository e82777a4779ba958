use super::*;

const R: Retention = Retention {
    capacity: 3,
    half_life_days: 10.0,
    floor_recent: 1,
};

fn day(d: u32) -> Minutes {
    Minutes(d * 1_440)
}

fn visit(key: u64, d: u32, arrival: Arrival) -> Visit {
    Visit {
        key,
        now: day(d),
        arrival,
        child_is_new: false,
    }
}

#[test]
fn weights_halve_and_the_latest_is_kept() {
    let mut known = Known::default();
    known.learn(&visit(1, 0, Arrival::Clean), &R);
    known.learn(&visit(2, 1, Arrival::Clean), &R);
    let Familiarity::Known { weight, .. } = known.look_up(1, day(10), &R) else {
        panic!("forgotten")
    };
    assert!((weight - 0.5).abs() < 1e-6);
    assert_eq!(known.look_up(1, day(400), &R), Familiarity::New);
    assert!(matches!(
        known.look_up(2, day(400), &R),
        Familiarity::Known { .. }
    ));
}

#[test]
fn suspicious_values_wait_and_one_visit_is_not_enough() {
    let mut known = Known::default();
    known.learn(&visit(7, 0, Arrival::Suspicious), &R);
    known.learn(&visit(7, 0, Arrival::Clean), &R);
    assert!(matches!(
        known.look_up(7, day(0), &R),
        Familiarity::Pending { .. }
    ));
    known.learn(&visit(7, 1, Arrival::Strong), &R);
    assert!(matches!(known.look_up(7, day(1), &R), Familiarity::Known { .. }));
}

/// Whether a value waits still after it was used five times on each of these days.
fn waits(release: Release, days: &[u32], arrival: Arrival) -> bool {
    let mut known = Known::default();
    known.learn_until(&visit(7, 0, Arrival::Suspicious), &R, release);
    for d in days {
        for _ in 0..5 {
            known.learn_until(&visit(7, *d, arrival), &R, release);
        }
    }
    let last = days.last().copied().unwrap_or(0);
    matches!(known.look_up(7, day(last), &R), Familiarity::Pending { .. })
}

#[test]
fn days_end_a_quarantine_and_hours_do_not() {
    use Arrival::{Clean, Strong, Suspicious};
    let daily: Vec<u32> = (1..=40).collect();
    assert!(waits(Release::Days, &daily[..11], Clean));
    assert!(!waits(Release::Days, &daily[..12], Clean));
    assert!(waits(Release::Days, &daily[..29], Suspicious));
    assert!(
        !waits(Release::Days, &daily[..30], Suspicious),
        "nobody is flagged for ever"
    );
    assert!(waits(Release::Days, &[1, 10, 20], Clean));
    assert!(!waits(Release::Days, &[1, 20, 31], Clean), "who comes seldom");
    assert!(waits(Release::Never, &daily, Clean));
    assert!(!waits(Release::Never, &[1], Strong));
    assert!(!waits(Release::Vouched, &[1], Clean));
    assert!(waits(Release::Vouched, &[1], Suspicious));
    assert!(!waits(Release::Soon, &[4], Suspicious));
}

#[test]
fn a_verdict_admits_or_forgets_what_waits_and_leaves_what_is_known() {
    let mut known = Known::default();
    known.learn(&visit(1, 0, Arrival::Clean), &R);
    for key in [7, 8] {
        known.learn(&visit(key, 0, Arrival::Suspicious), &R);
    }
    known.admit(7, day(0), &R);
    known.refuse(8);
    known.refuse(1);
    known.admit(9, day(0), &R);
    known.doubt(9, day(0));
    assert!(matches!(
        known.look_up(9, day(0), &R),
        Familiarity::Pending { .. }
    ));
    assert!(matches!(known.look_up(7, day(0), &R), Familiarity::Known { .. }));
    assert_eq!(known.look_up(8, day(0), &R), Familiarity::New);
    assert!(matches!(known.look_up(1, day(0), &R), Familiarity::Known { .. }));
}

#[test]
fn a_flood_of_pending_values_does_not_push_out_known_ones() {
    let mut known = Known::default();
    known.learn(&visit(1, 0, Arrival::Clean), &R);
    for key in 100..200 {
        known.learn(&visit(key, 1, Arrival::Suspicious), &R);
    }
    assert_eq!(known.len(), 3);
    assert!(matches!(known.look_up(1, day(1), &R), Familiarity::Known { .. }));
}
