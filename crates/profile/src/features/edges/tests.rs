use super::*;
use habitus_model::Named;

fn doing(action: u64) -> Conduct {
    Conduct {
        action: Some(Named {
            key: action,
            name: Text::new("x"),
        }),
        ..Conduct::default()
    }
}

fn at(habits: &EdgeHabits, minute: u32) -> Around<'_> {
    Around {
        habits,
        now: Minutes(minute),
        visits: 1.0,
    }
}

fn learn(edges: &mut Edges, conduct: &Conduct, (minute, arrival): (u32, Arrival)) -> Vec<(EdgeLevel, u64)> {
    let habits = EdgeHabits::default();
    let seen = Edges::sight(Some(&*edges), conduct, at(&habits, minute)).unwrap();
    let mut known = Vec::new();
    edges.learn((conduct, &seen), (Minutes(minute), arrival), &mut |level, key| {
        known.push((level, key));
    });
    known
}

#[test]
fn what_was_done_once_is_known_and_what_is_new_is_counted() {
    let mut edges = Edges::default();
    let known: Vec<_> = [1, 2, 1]
        .into_iter()
        .flat_map(|action| learn(&mut edges, &doing(action), (10, Arrival::Clean)))
        .collect();
    assert_eq!(known, [(EdgeLevel::Action, 1), (EdgeLevel::Action, 2)]);
    let habits = EdgeHabits::default();
    let seen = Edges::sight(Some(&edges), &doing(1), at(&habits, 10)).unwrap();
    assert_eq!(seen.new_ones().count(), 0);
    assert!((seen.lately - 2.0).abs() < 1e-6);
    let new = Edges::sight(Some(&edges), &doing(3), at(&habits, 10)).unwrap();
    assert_eq!(new.new_ones().count(), 1);
}

#[test]
fn what_is_suspicious_waits() {
    let mut edges = Edges::default();
    assert!(learn(&mut edges, &doing(9), (1, Arrival::Suspicious)).is_empty());
    let habits = EdgeHabits::default();
    let seen = Edges::sight(Some(&edges), &doing(9), at(&habits, 1)).unwrap();
    assert!(matches!(
        seen.levels[EdgeLevel::Action.index()].unwrap().familiarity,
        Familiarity::Pending { .. }
    ));
}

#[test]
fn who_always_brings_new_things_is_expected_to_and_who_never_does_is_not() {
    let habits = EdgeHabits::default();
    let (mut auditor, mut clerk) = (Edges::default(), Edges::default());
    for day in 0..60_u32 {
        for use_ in 0..5_u32 {
            let minute = day * 1_440 + use_;
            let fresh = u64::from(day * 5 + use_);
            learn(&mut auditor, &doing(100 + fresh), (minute, Arrival::Clean));
            learn(&mut clerk, &doing(fresh % 4), (minute, Arrival::Clean));
        }
    }
    let novelty = |edges: &Edges| {
        let seen = Edges::sight(Some(edges), &doing(5_000), at(&habits, 61 * 1_440)).unwrap();
        seen.levels[EdgeLevel::Action.index()].unwrap().novelty
    };
    assert!(novelty(&auditor) > 0.2, "{}", novelty(&auditor));
    assert!(novelty(&clerk) < 0.01, "{}", novelty(&clerk));
}

#[test]
fn what_came_under_suspicion_counts_for_the_rate_after_three_days() {
    let habits = EdgeHabits::default();
    let mut edges = Edges::default();
    (0..100).for_each(|minute| drop(learn(&mut edges, &doing(1), (minute + 1, Arrival::Clean))));
    (0..5_u32).for_each(|n| {
        drop(learn(
            &mut edges,
            &doing(10 + u64::from(n)),
            (200 + n, Arrival::Suspicious),
        ))
    });
    let novelty = |edges: &Edges, minute| {
        let seen = Edges::sight(Some(edges), &doing(99), at(&habits, minute)).unwrap();
        seen.levels[EdgeLevel::Action.index()].unwrap().novelty
    };
    let before = novelty(&edges, 6_000);
    learn(&mut edges, &doing(1), (6_000, Arrival::Clean));
    assert!(novelty(&edges, 6_000) > 1.5 * before, "{before}");
}

#[test]
fn a_flood_of_actions_stays_bounded() {
    let mut edges = Edges::default();
    for action in 0..10_000 {
        learn(&mut edges, &doing(action), (1, Arrival::Clean));
    }
    assert!(edges.heap_bytes() < 4_096);
}

#[test]
fn a_sort_that_is_new_is_said_once_and_not_again_of_the_thing() {
    let named = |key: u64| {
        Some(Named {
            key,
            name: Text::new("x"),
        })
    };
    let using = |sort: u64, resource: u64| Conduct {
        sort: named(sort),
        resource: named(resource),
        ..Conduct::default()
    };
    let mut edges = Edges::default();
    for minute in 0..50 {
        learn(
            &mut edges,
            &using(1, u64::from(minute % 5)),
            (minute + 1, Arrival::Clean),
        );
    }
    let habits = EdgeHabits::default();
    let new = |sort, resource| {
        let seen = Edges::sight(Some(&edges), &using(sort, resource), at(&habits, 100)).unwrap();
        seen.new_ones().map(|edge| edge.level).collect::<Vec<_>>()
    };
    assert_eq!(new(2, 99), [EdgeLevel::Sort]);
    assert_eq!(new(1, 99), [EdgeLevel::Resource]);
    assert!(new(1, 3).is_empty());
    // A host is of a sort itself: a host of another department is a new sort, and no more.
    let host = |sort, host| Conduct {
        sort: named(sort),
        application: named(host),
        ..Conduct::default()
    };
    let seen = Edges::sight(Some(&edges), &host(2, 7), at(&habits, 100)).unwrap();
    assert_eq!(
        seen.new_ones().map(|edge| edge.level).collect::<Vec<_>>(),
        [EdgeLevel::Sort]
    );
}
