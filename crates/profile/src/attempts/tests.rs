use super::*;
use habitus_model::hash::HashKey;

fn at(minutes: i64) -> EventTime {
    EventTime::from_millis(1_767_225_600_000 + minutes * 60_000).unwrap()
}

fn fp(text: &str, n: u64) -> u64 {
    HashKey::REPLAY.fingerprint(&(text, n))
}

/// An attempt by one address, prefix and fleet on one name.
fn attempt((address, prefix): (u64, u64), name: u64, minutes: i64, outcome: Outcome) -> Attempt {
    Attempt {
        keys: AttemptKeys([
            Some(fp("address", address)),
            Some(fp("prefix", prefix)),
            Some(fp("fleet", 0)),
            Some(fp("tried", name)),
            Some(fp("tenant", 0)),
        ]),
        time: at(minutes),
        outcome,
        name: fp("name", name),
        accompanies: false,
    }
}

const FAILED: Outcome = Outcome::Failure { unknown_name: false };

fn surprise(bursts: &Bursts, kind: KeyKind) -> f64 {
    bursts.get(kind).map_or(0.0, Burst::surprise)
}

#[test]
fn a_burst_surprises_and_a_typo_does_not() {
    let mut attempts = Attempts::default();
    let first = attempts.observe(&attempt((1, 1), 5, 0, FAILED));
    assert!(surprise(&first, KeyKind::Address) < 0.1);
    let mut last = first;
    for i in 0..30 {
        last = attempts.observe(&attempt((1, 1), u64::try_from(i).unwrap(), i / 10, FAILED));
    }
    let burst = last.get(KeyKind::Address).unwrap();
    assert!(
        burst.surprise() > 20.0 && (20.0..45.0).contains(&burst.names()),
        "{burst:?}"
    );
    let later = attempts.look(&attempt((1, 1), 5, 600, Outcome::Success));
    assert!(surprise(&later, KeyKind::Address) < 0.1, "it passes");
}

#[test]
fn an_old_password_becomes_usual_and_guessing_many_names_does_not() {
    let mut attempts = Attempts::default();
    let (mut one, mut many) = (Bursts::default(), Bursts::default());
    for i in 0..60_000_i64 {
        one = attempts.observe(&attempt((1, 1), 7, i, FAILED));
        many = attempts.observe(&attempt((2, 2), u64::try_from(i % 40).unwrap(), i, FAILED));
    }
    assert!(surprise(&one, KeyKind::Address) < 5.0, "{one:?}");
    assert!(surprise(&many, KeyKind::Address) > 20.0, "{many:?}");
}

#[test]
fn who_moves_within_a_prefix_is_seen_by_the_prefix() {
    let mut attempts = Attempts::default();
    let mut last = Bursts::default();
    for i in 0..30 {
        last = attempts.observe(&attempt((i, 1), i, 0, FAILED));
    }
    assert!(surprise(&last, KeyKind::Address) < 0.1);
    assert!(surprise(&last, KeyKind::Prefix) > 20.0 && surprise(&last, KeyKind::Fleet) > 20.0);
}

#[test]
fn an_account_counts_different_addresses_and_not_one_that_repeats_itself() {
    let mut attempts = Attempts::default();
    let mut alone = Bursts::default();
    for _ in 0..30 {
        alone = attempts.observe(&attempt((1, 1), 3, 0, FAILED));
    }
    assert!(surprise(&alone, KeyKind::Account) < 0.1, "{alone:?}");
    let mut spread = Bursts::default();
    for address in 0..12 {
        spread = attempts.observe(&attempt((100 + address, address), 4, 0, FAILED));
    }
    assert!(surprise(&spread, KeyKind::Account) > 8.0, "{spread:?}");
}

#[test]
fn failures_are_expected_where_many_succeed() {
    let mut attempts = Attempts::default();
    let mut office = Bursts::default();
    for i in 0..2_000_i64 {
        // One in ten fails, ten a minute, all from one address.
        let outcome = if i % 10 == 0 { FAILED } else { Outcome::Success };
        office = attempts.observe(&attempt((1, 1), u64::try_from(i % 400).unwrap(), i / 10, outcome));
    }
    assert!(surprise(&office, KeyKind::Address) < 3.0, "{office:?}");
}

#[test]
fn a_flood_of_sources_stays_bounded_and_successes_make_none() {
    let mut attempts = Attempts::default();
    for n in 0..300_000_u64 {
        attempts.observe(&attempt((n, n), n, 0, FAILED));
    }
    for (table, capacity) in attempts.tables.iter().zip(CAPACITY) {
        assert!(table.len() <= 2 * capacity);
    }
    let mut none = Attempts::default();
    none.observe(&attempt((1, 1), 1, 0, Outcome::Success));
    let known: Vec<usize> = none.tables.iter().map(Generations::len).collect();
    assert_eq!(known, [0, 0, 0, 0, 1], "only the tenant is known");
}

#[test]
fn looking_changes_nothing_and_says_what_observing_says() {
    let mut attempts = Attempts::default();
    for n in 0..100 {
        attempts.observe(&attempt((n % 3, n % 2), n % 7, 0, FAILED));
    }
    let next = attempt((1, 1), 5, 1, FAILED);
    let before = attempts.state();
    let looked = attempts.look(&next);
    assert_eq!(attempts.state(), before);
    assert_eq!(attempts.observe(&next), looked);
    assert_eq!(Attempts::from_state(attempts.state()).state(), attempts.state());
}

#[test]
fn a_line_that_goes_with_a_failure_is_not_counted_again_and_one_alone_is() {
    let mut attempts = Attempts::default();
    let with = |accompanies| Attempt {
        accompanies,
        ..attempt((1, 1), 3, 0, FAILED)
    };
    let both = (attempts.observe(&with(false)), attempts.observe(&with(true))).1;
    assert_eq!(both.get(KeyKind::Address).unwrap().failures, 1.0);
    let mut silent = Attempts::default();
    let alone = (0..6).map(|_| silent.observe(&with(true))).last().unwrap();
    assert_eq!(alone.get(KeyKind::Address).unwrap().failures, 6.0);
}
