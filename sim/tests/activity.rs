//! What must be true of worlds with all activity.

use habitus_model::event::FailureReason;
use habitus_model::{AccountKind, Activity, Event, Status, math};
use habitus_sim::{Cohort, Label, Labelled, Planted, Regime, ScenarioKind, World, WorldConfig, generate};
use std::collections::{BTreeMap, BTreeSet};

fn small(seed: u64, regime: Regime) -> WorldConfig {
    let (accounts, days) = match regime {
        Regime::Consumer => (1_200, 120),
        Regime::Business => (160, 90),
        Regime::Enterprise => (80, 60),
    };
    WorldConfig {
        accounts,
        days,
        ..WorldConfig::activity(seed, regime)
    }
}

/// The events of each planted attack, in order of time.
fn campaigns(world: &World) -> BTreeMap<(ScenarioKind, u32), Vec<Event>> {
    let mut campaigns: BTreeMap<(ScenarioKind, u32), Vec<Event>> = BTreeMap::new();
    for Labelled { event, label } in world.planted() {
        match label {
            Label::Scenario(Planted { kind, campaign }) => {
                campaigns.entry((kind, campaign)).or_default().push(event);
            }
            Label::Legitimate(_) | Label::Attack(_) => unreachable!("only what was planted"),
        }
    }
    campaigns
}

fn of_kind(world: &World, kind: ScenarioKind) -> Vec<Vec<Event>> {
    let all = campaigns(world).into_iter();
    all.filter(|((found, _), _)| *found == kind)
        .map(|(_, events)| events)
        .collect()
}

fn is_login(event: &Event) -> bool {
    event.action.as_str() == "logon"
}

fn share(count: usize, of: usize) -> f64 {
    math::from_usize(count) / math::from_usize(of)
}

#[test]
fn the_same_seed_gives_the_same_stream() {
    for regime in Regime::ALL {
        let written = |seed| {
            let config = WorldConfig {
                accounts: 40,
                days: 30,
                ..WorldConfig::activity(seed, regime)
            };
            let world = generate(&config);
            let lines = world
                .stream()
                .map(|labelled| serde_json::to_string(&labelled).unwrap());
            lines.collect::<Vec<String>>().join("\n")
        };
        assert_eq!(written(1), written(1));
        assert_ne!(written(1), written(2));
    }
}

#[test]
fn the_stream_is_in_order_with_unique_ids_and_holds_everything() {
    for regime in Regime::ALL {
        let world = generate(&small(2, regime));
        let (mut last, mut uids) = (i64::MIN, BTreeSet::new());
        for Labelled { event, .. } in world.stream() {
            assert!(last <= event.time.as_millis());
            last = event.time.as_millis();
            assert!(last < world.period_ms().1 + 1, "{last}");
            assert!(uids.insert(event.uid.to_string()));
        }
        assert_eq!(uids.len(), world.legitimate().count() + world.planted().count());
    }
}

#[test]
fn every_scenario_is_played_where_it_can_be() {
    let played = |regime| -> BTreeSet<ScenarioKind> {
        campaigns(&generate(&small(3, regime)))
            .into_keys()
            .map(|(kind, _)| kind)
            .collect()
    };
    assert_eq!(played(Regime::Enterprise), BTreeSet::from(ScenarioKind::ALL));
    let without: BTreeSet<ScenarioKind> = BTreeSet::from([
        ScenarioKind::HelpDeskReset,
        ScenarioKind::ServiceKeyLeak,
        ScenarioKind::WrongWorkflow,
        ScenarioKind::LateralMovement,
        ScenarioKind::CreationSpike,
    ]);
    let consumer = played(Regime::Consumer);
    for kind in ScenarioKind::ALL {
        assert_eq!(consumer.contains(&kind), !without.contains(&kind), "{kind:?}");
    }
}

#[test]
fn nothing_is_planted_before_there_is_a_past_nor_where_none_is_asked_for() {
    let config = small(4, Regime::Enterprise);
    let world = generate(&config);
    let (start, end) = world.period_ms();
    let opens = start + (end - start) * 30 / 100;
    assert!(
        world
            .planted()
            .all(|planted| planted.event.time.as_millis() > opens)
    );
    let quiet = generate(&WorldConfig {
        scenarios: 0,
        ..config
    });
    assert_eq!(quiet.planted().count(), 0);
    assert_eq!(
        quiet.legitimate().count(),
        world.legitimate().count(),
        "attacks leave owners alone"
    );
}

#[test]
fn sessions_last_and_mostly_stay_where_they_began() {
    let world = generate(&small(5, Regime::Enterprise));
    let mut sessions: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for Labelled { event, .. } in world.legitimate() {
        if let Some(session) = &event.session {
            sessions.entry(session.to_string()).or_default().push(event);
        }
    }
    let mut moved = 0;
    for events in sessions.values() {
        let accounts: BTreeSet<_> = events.iter().map(|event| event.account_id()).collect();
        assert_eq!(accounts.len(), 1, "a session is one account's");
        let agents: BTreeSet<_> = events
            .iter()
            .map(|event| event.client.user_agent.clone())
            .collect();
        assert_eq!(agents.len(), 1, "owners' clients do not change within a session");
        let networks: BTreeSet<_> = events.iter().map(|event| event.src.asn).collect();
        moved += usize::from(networks.len() > 1);
    }
    let moved = share(moved, sessions.len());
    assert!((0.01..0.30).contains(&moved), "{moved}");
    let steps = share(sessions.values().map(Vec::len).sum(), sessions.len());
    assert!((3.0..16.0).contains(&steps), "{steps}");
}

#[test]
fn owners_prompts_are_mostly_approved_and_fatigue_is_not() {
    let world = generate(&small(6, Regime::Enterprise));
    let prompts: Vec<Event> = world
        .legitimate()
        .map(|labelled| labelled.event)
        .filter(|event| event.action.as_str() == "mfa_prompt")
        .collect();
    let failed = prompts
        .iter()
        .filter(|event| event.status == Status::Failure)
        .count();
    assert!(
        (0.005..0.08).contains(&share(failed, prompts.len())),
        "{failed} of {}",
        prompts.len()
    );
    for events in of_kind(&world, ScenarioKind::PushFatigue) {
        let failed = events
            .iter()
            .filter(|event| event.failure == Some(FailureReason::MfaFailed));
        assert!(failed.count() >= 5);
    }
}

#[test]
fn machines_keep_to_their_networks_and_tools() {
    let world = generate(&small(7, Regime::Enterprise));
    let mut sources: BTreeMap<String, (BTreeSet<u32>, usize)> = BTreeMap::new();
    for Labelled { event, label } in world.legitimate() {
        if event.account.kind == AccountKind::Service {
            assert!(matches!(
                label,
                Label::Legitimate(Cohort::Machine | Cohort::MachineMoved | Cohort::Bulk)
            ));
            assert!(event.auth.credential_uid.is_some() && event.client.user_agent.is_some());
            let (asns, calls) = sources
                .entry(event.account_id().unwrap().to_string())
                .or_default();
            asns.insert(event.src.asn.unwrap().get());
            *calls += 1;
        }
    }
    assert!(sources.len() >= 4);
    assert!(
        sources
            .values()
            .all(|(asns, calls)| asns.len() <= 2 && *calls > 100)
    );
    for events in of_kind(&world, ScenarioKind::ServiceKeyLeak) {
        let account = events[0].account_id().unwrap().to_string();
        let asn = events[0].src.asn.unwrap().get();
        assert!(
            !sources[&account].0.contains(&asn),
            "a leak is used from elsewhere"
        );
    }
}

#[test]
fn a_stolen_session_keeps_its_id_and_changes_what_it_comes_from() {
    let world = generate(&small(8, Regime::Enterprise));
    let mut owners: BTreeMap<String, Event> = BTreeMap::new();
    for Labelled { event, .. } in world.legitimate().filter(|labelled| is_login(&labelled.event)) {
        if let Some(session) = &event.session {
            owners.insert(session.to_string(), event);
        }
    }
    let thefts = of_kind(&world, ScenarioKind::SessionTheft);
    assert!(thefts.len() >= 12);
    for events in thefts {
        let first = &events[0];
        let owner = &owners[first.session.as_deref().unwrap()];
        assert_eq!(owner.account_id(), first.account_id());
        assert!(first.src.ip != owner.src.ip);
        assert!(events.len() >= 10);
    }
}

#[test]
fn a_spray_tries_each_account_seldom_from_many_sources() {
    let world = generate(&small(1, Regime::Consumer));
    let sprays = of_kind(&world, ScenarioKind::PasswordSpray);
    let spray = &sprays[0];
    assert_eq!(sprays.len(), 1);
    let sources: BTreeSet<_> = spray.iter().map(|event| event.src.ip).collect();
    assert!(sources.len() >= 180, "{}", sources.len());
    let mut tries: BTreeMap<String, usize> = BTreeMap::new();
    for event in spray.iter().filter(|event| is_login(event)) {
        *tries.entry(event.account_id().unwrap().to_string()).or_default() += 1;
    }
    let mean = share(tries.values().sum(), tries.len());
    assert!(mean < 4.5, "{mean}");
    let failed = spray
        .iter()
        .filter(|event| event.status == Status::Failure)
        .count();
    assert!(share(failed, spray.len()) > 0.98);
}

#[test]
fn every_class_of_events_occurs() {
    let world = generate(&small(9, Regime::Enterprise));
    let classes: BTreeSet<u32> = world
        .stream()
        .map(|labelled| labelled.event.activity.class_uid())
        .collect();
    assert_eq!(classes, BTreeSet::from([3001, 3002, 3004, 3005, 6003]));
    let other = world
        .stream()
        .filter(|labelled| matches!(labelled.event.activity, Activity::Other { .. }));
    assert_eq!(other.count(), 0);
}

#[test]
fn collectors_and_miners_do_in_hours_what_owners_do_in_weeks() {
    let world = generate(&small(3, Regime::Enterprise));
    for (kind, activity, least) in [
        (ScenarioKind::BulkDownload, 600_302, 60),
        (ScenarioKind::CreationSpike, 600_301, 20),
    ] {
        for events in of_kind(&world, kind) {
            let done = events
                .iter()
                .filter(|event| event.activity.type_uid() == activity);
            assert!(done.count() >= least, "{kind:?}");
            let span = events.last().unwrap().time.as_millis() - events[0].time.as_millis();
            assert!(span < 6 * 3_600_000, "{kind:?} takes {span} ms");
        }
    }
}

#[test]
fn owners_and_machines_do_much_at_once_too() {
    let world = generate(&small(3, Regime::Enterprise));
    let mut done: BTreeMap<u64, usize> = BTreeMap::new();
    for Labelled { event, label } in world.legitimate() {
        if label == Label::Legitimate(Cohort::Bulk) {
            assert_eq!(event.status, Status::Success);
            *done.entry(event.activity.type_uid()).or_default() += 1;
        }
    }
    // Created, read, changed, deleted: 6003 and its activities.
    for activity in 600_301..=600_304 {
        assert!(done.get(&activity).is_some_and(|count| *count >= 20), "{done:?}");
    }
}

/// The benign noise that floods others is there, over some seeds: no world has all of it.
#[test]
fn upheavals_come_over_the_seeds() {
    let mut seen = BTreeSet::new();
    for seed in 1..=4 {
        for regime in Regime::ALL {
            let world = generate(&small(seed, regime));
            seen.extend(world.legitimate().filter_map(|labelled| match labelled.label {
                Label::Legitimate(cohort) => Some(cohort),
                Label::Attack(_) | Label::Scenario(_) => None,
            }));
        }
    }
    let missing: Vec<Cohort> = Cohort::ALL
        .into_iter()
        .filter(|cohort| !seen.contains(cohort))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_smallest_worlds_do_not_fail() {
    for regime in Regime::ALL {
        for (accounts, days) in [(1, 1), (2, 3), (5, 20)] {
            let world = generate(&WorldConfig {
                accounts,
                days,
                ..WorldConfig::activity(1, regime)
            });
            assert!(world.stream().count() < 200_000);
        }
    }
}
