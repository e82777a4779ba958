//! The same events in any order, however often, give the same findings (RELIABILITY R-06).

use crate::support::{by, findings, from, hit, line, rented, settled};
use habitus_findings::{Filter, Findings, Hit, Scope, Settings};
use habitus_model::{AccountKind, Family, Status};
use proptest::prelude::*;

/// An event of a small world in which accounts, networks and behaviours meet again and again.
fn event() -> impl Strategy<Value = Hit> {
    let who = (0..7_u8, 0..4_u8, 0..5_u8);
    (who, prop_oneof![0..25_i64, 0..4_000_i64], 600..1_000_u32, 0..2_u8).prop_map(
        |((who, place, how), minute, score, status)| {
            let account = (who > 0).then(|| format!("user{who}"));
            // All of it: two events that differ have two ids.
            let uid = format!("{who}-{place}-{how}-{minute}-{score}-{status}");
            let mut hit = hit(&uid, account.as_deref(), minute, f64::from(score) / 10.0);
            match place {
                0 => hit.context.network.ip = None,
                1 => rented(&mut hit, &format!("192.0.2.{score}", score = score % 250), "Tool"),
                2 => from(&mut hit, &format!("198.51.100.{score}", score = score % 3)),
                _ => from(&mut hit, &format!("203.0.{who}.1")),
            }
            match how {
                0 => by(&mut hit, Family::Burst),
                1 => by(&mut hit, Family::Device),
                2 => hit.lines.clear(),
                _ => {}
            }
            if status == 0 {
                hit.context.status = Status::Failure;
            }
            if who == 2 {
                hit.kind = AccountKind::Privileged;
            }
            hit
        },
    )
}

fn small(storm_from: usize) -> Findings {
    Findings::new(Settings {
        storm_from,
        ..Settings::default()
    })
}

fn everything(findings: &Findings) -> Vec<habitus_findings::View> {
    let filter = Filter {
        scope: Scope::All,
        ..Filter::default()
    };
    let mut views = Vec::new();
    let mut cursor = None;
    loop {
        let page = findings.list(&filter, cursor.as_ref(), 7);
        views.extend(page.findings);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return views,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn permutations_and_duplicates_change_nothing(
        events in prop::collection::vec(event(), 1..60),
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..200),
    ) {
        let mut once = small(3);
        for event in &events {
            once.settle(event);
        }
        let mut shuffled = small(3);
        for index in &order {
            shuffled.settle(index.get(&events));
        }
        for event in events.iter().rev() {
            shuffled.settle(event);
        }
        prop_assert_eq!(once.digest().unwrap(), shuffled.digest().unwrap());
        prop_assert_eq!(everything(&once), everything(&shuffled));
        prop_assert_eq!(once.counts(), shuffled.counts());
    }

    #[test]
    fn what_is_ahead_is_shown_as_it_will_settle(events in prop::collection::vec(event(), 1..40), settled in 0..40_usize) {
        let settled = settled.min(events.len());
        let mut ahead = small(1_000);
        let mut done = small(1_000);
        for event in &events[..settled] {
            ahead.settle(event);
        }
        let digest = ahead.digest().unwrap();
        for event in &events {
            ahead.provisional(event.clone());
            done.settle(event);
        }
        prop_assert_eq!(ahead.digest().unwrap(), digest);
        let told = |findings: &Findings| -> Vec<_> {
            everything(findings).into_iter().map(|view| (view.finding.id, view.finding.count, view.finding.worst.uid)).collect()
        };
        prop_assert_eq!(told(&ahead), told(&done));
        for event in &events {
            ahead.settle(event);
        }
        prop_assert_eq!(ahead.digest().unwrap(), done.digest().unwrap());
        prop_assert_eq!(ahead.counts().provisional, 0);
    }

    #[test]
    fn a_snapshot_goes_on_as_if_nothing_had_happened(events in prop::collection::vec(event(), 1..60), cut in 0..60_usize) {
        let cut = cut.min(events.len());
        let mut through = small(3);
        for event in &events[..cut] {
            through.settle(event);
        }
        let settings = Settings { storm_from: 3, ..Settings::default() };
        let mut restored = Findings::restore(settings, &through.snapshot().unwrap()).unwrap();
        prop_assert_eq!(everything(&through), everything(&restored));
        for event in &events[cut..] {
            prop_assert_eq!(through.settle(event), restored.settle(event));
        }
        prop_assert_eq!(through.snapshot().unwrap(), restored.snapshot().unwrap());
        prop_assert_eq!(through.counts(), restored.counts());
    }
}

#[test]
fn damaged_snapshots_are_refused() {
    let findings = settled(&[hit("e1", Some("alice"), 0, 70.0)]);
    let bytes = findings.snapshot().unwrap();
    for end in 0..bytes.len() {
        assert!(
            Findings::restore(Settings::default(), &bytes[..end]).is_err(),
            "{end}"
        );
    }
    let mut more = bytes.clone();
    more.push(0);
    assert!(Findings::restore(Settings::default(), &more).is_err());
    let mut other = bytes;
    other[0] = 9;
    assert!(Findings::restore(Settings::default(), &other).is_err());
}

#[test]
fn windows_lie_on_a_grid_of_their_own() {
    let day = 24 * 60;
    let mut starts = Vec::new();
    for name in ["alice", "bob", "carol"] {
        let event = hit("e", Some(name), 0, 70.0);
        let findings = settled(std::slice::from_ref(&event));
        let finding = findings.get(&findings.id_of(&event)).unwrap().finding;
        assert!(finding.start <= finding.first && finding.first.since(finding.start).hours() < 24.0);
        starts.push(finding.start);
        let next = hit("e2", Some(name), day, 70.0);
        assert_ne!(findings.id_of(&event), findings.id_of(&next));
    }
    assert!(
        starts[0] != starts[1] && starts[1] != starts[2],
        "they do not all end at once"
    );
}

#[test]
fn what_goes_on_says_so() {
    let events = [
        hit("e1", Some("alice"), 0, 70.0),
        hit("e2", Some("alice"), 24 * 60, 70.0),
    ];
    let findings = settled(&events);
    let [first, second] = events.map(|event| findings.get(&findings.id_of(&event)).unwrap());
    assert_eq!(second.continues.as_ref(), Some(&first.finding.id));
    assert_eq!(first.continued_by.as_ref(), Some(&second.finding.id));
    assert_eq!((first.continues, second.continued_by), (None, None));
}

#[test]
fn no_name_can_imitate_another_key() {
    let findings = findings();
    let mut one = hit("e", Some("a"), 0, 70.0);
    let mut other = one.clone();
    one.context.tenant = habitus_model::TenantId::new("x");
    other.context.tenant = habitus_model::TenantId::new("x1:a");
    assert_ne!(findings.id_of(&one), findings.id_of(&other));
    let times = [i64::MIN, -62_135_596_800_000, 0, 253_402_300_799_999];
    for time in times
        .into_iter()
        .filter_map(habitus_model::EventTime::from_millis)
    {
        let mut far = hit("e", Some("a"), 0, 70.0);
        far.context.time = time;
        assert_eq!(findings.id_of(&far).as_str().len(), 32);
    }
}

#[test]
fn what_has_ended_can_be_taken_out() {
    let day = 24 * 60;
    let events: Vec<Hit> = (0..10)
        .map(|n| hit(&format!("e{n}"), Some("alice"), n * day / 2, 70.0))
        .collect();
    let mut findings = findings();
    let mut taken = Vec::new();
    for event in &events {
        taken.extend(findings.take_ended(event.time()));
        findings.settle(event);
        assert!(findings.counts().kept <= 1, "only what goes on is kept");
    }
    taken.extend(findings.take_ended(crate::support::at(1_000 * day)));
    assert_eq!(findings.counts(), habitus_findings::Counts::default());
    let counts: Vec<u64> = taken.iter().map(|view| view.finding.count).collect();
    assert_eq!(counts.iter().sum::<u64>(), 10, "{counts:?}");
    assert!(taken.is_sorted_by_key(|view| view.finding.start));
}

#[test]
fn a_takeover_is_one_finding_whatever_stands_out_most_at_each_login() {
    let access = [
        Family::Network,
        Family::Device,
        Family::Joint,
        Family::Clock,
        Family::Gap,
        Family::Motion,
        Family::Authentication,
        Family::Campaign,
    ];
    let mut events: Vec<Hit> = access
        .into_iter()
        .zip(0..)
        .map(|(family, n)| {
            let mut event = hit(&format!("e{n}"), Some("alice"), n, 70.0);
            by(&mut event, family);
            event
        })
        .collect();
    // Nothing accuses by itself; a password that was guessed; an attempt before it that failed.
    let mut unexplained = hit("odd", Some("alice"), 20, 61.0);
    unexplained.lines.clear();
    let mut guessed = hit("guessed", Some("alice"), 21, 90.0);
    by(&mut guessed, Family::Burst);
    let mut failed = hit("failed", Some("alice"), 19, 70.0);
    failed.context.status = Status::Failure;
    events.extend([unexplained, guessed, failed]);
    let found = everything(&settled(&events));
    let [takeover] = &found[..] else {
        panic!("{} findings", found.len())
    };
    assert_eq!(takeover.finding.key.text(), "alice × access");
    assert_eq!(takeover.finding.count, 11);
    assert_eq!(takeover.finding.title(), "Unusually many attempts: alice");
}

#[test]
fn what_a_session_does_and_who_guesses_are_found_apart_from_access() {
    let mut events = vec![hit("in", Some("alice"), 0, 70.0)];
    for (family, n) in [Family::Session, Family::Resource, Family::Sequence]
        .into_iter()
        .zip(1..)
    {
        let mut event = hit(&format!("e{n}"), Some("alice"), n, 70.0);
        by(&mut event, family);
        events.push(event);
    }
    for name in ["alice", "bob"] {
        let mut guess = hit(&format!("guess-{name}"), Some(name), 9, 70.0);
        by(&mut guess, Family::Burst);
        guess.context.status = Status::Failure;
        events.push(guess);
    }
    let mut groups: Vec<String> = everything(&settled(&events))
        .iter()
        .map(|view| view.finding.key.text())
        .collect();
    groups.sort();
    assert_eq!(
        groups,
        [
            "alice × access",
            "alice × resource",
            "alice × sequence",
            "alice × session",
            "from 203.0.113.7 × burst"
        ]
    );
}

#[test]
fn what_is_done_with_a_stolen_session_belongs_to_the_theft_and_keeps_its_name() {
    let mut theft = hit("theft", Some("alice"), 0, 85.0);
    theft
        .lines
        .push(line("session_moved", Some(Family::Session), 2.5));
    let mut explored = hit("explored", Some("alice"), 5, 100.0);
    explored.lines.extend([
        line("session_moved", Some(Family::Session), 2.5),
        line("exploration", Some(Family::Resource), 30.0),
    ]);
    let found = everything(&settled(&[theft, explored]));
    let [theft] = &found[..] else {
        panic!("{} findings", found.len())
    };
    assert_eq!(theft.finding.title(), "Unusual session: alice");
    assert_eq!(theft.finding.worst.uid.as_str(), "explored");
    assert_eq!(theft.finding.telling().uid.as_str(), "theft");
}

#[test]
fn a_finding_is_called_after_the_first_event_of_its_level() {
    let mut events = Vec::new();
    for (uid, family, minute, score) in [
        ("odd hour", Family::Clock, 0, 62.0),
        ("new network", Family::Network, 3, 81.0),
        ("new client", Family::Device, 4, 99.0),
    ] {
        let mut event = hit(uid, Some("alice"), minute, score);
        by(&mut event, family);
        events.push(event);
    }
    let title = |events: &[Hit]| everything(&settled(events))[0].finding.title();
    assert_eq!(title(&events[..1]), "Access at an unusual hour: alice");
    assert_eq!(
        title(&events[..2]),
        "Access from an unusual network or place: alice"
    );
    assert_eq!(title(&events), "Access from an unusual network or place: alice");
}

#[test]
fn a_spray_is_one_finding_however_many_sources_it_has() {
    let mut events = Vec::new();
    for n in 0..200_u8 {
        let mut event = hit(&format!("try-{n}"), Some(&format!("user{n}")), i64::from(n), 75.0);
        from(&mut event, &format!("198.{n}.7.{n}"));
        event.context.status = Status::Failure;
        // Of some the new country stands out more.
        event.lines = vec![
            line("slow_password_spray", Some(Family::Burst), 3.0),
            line("new_country", Some(Family::Network), f64::from(n % 7)),
        ];
        events.push(event);
    }
    let mut taken = hit("taken", Some("user9"), 210, 95.0);
    taken.lines.push(line(
        "success_after_slow_password_spray",
        Some(Family::Burst),
        5.0,
    ));
    events.push(taken);
    let found = everything(&settled(&events));
    let mut titles: Vec<String> = found.iter().map(|view| view.finding.title()).collect();
    titles.sort();
    assert_eq!(
        titles,
        [
            "Password spray over 200 accounts",
            "Unusually many attempts: user9"
        ]
    );
    let technique = found.iter().find(|view| view.finding.count == 200).unwrap();
    assert_eq!(technique.finding.key.text(), "many accounts × spray");
}

#[test]
fn one_account_that_many_addresses_guess_at_is_one_finding() {
    let events: Vec<Hit> = (0..30_u8)
        .map(|n| {
            let mut event = hit(&format!("g-{n}"), Some("alice"), i64::from(n), 80.0);
            from(&mut event, &format!("198.51.{n}.1"));
            event.context.status = Status::Failure;
            event.lines = vec![line("distributed_guessing", Some(Family::Burst), 9.0)];
            event
        })
        .collect();
    let found = everything(&settled(&events));
    let groups: Vec<String> = found.iter().map(|view| view.finding.key.text()).collect();
    assert_eq!(groups, ["alice × burst"]);
}
