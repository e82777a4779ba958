//! Attacks planted into somebody's own log.

use habitus_model::{Event, Status};
use habitus_sim::{GRAFTED, Graft, Label, Labelled, Regime, ScenarioKind, WorldConfig, generate, graft};
use std::collections::BTreeSet;

/// A log that the planting knows nothing of: here, that of a world without attacks.
fn own(scenarios: u32) -> Vec<Event> {
    let config = WorldConfig {
        accounts: 40,
        days: 40,
        scenarios,
        ..WorldConfig::activity(4, Regime::Enterprise)
    };
    generate(&config)
        .stream()
        .map(|labelled| labelled.event)
        .collect()
}

fn kind(labelled: &Labelled) -> ScenarioKind {
    match labelled.label {
        Label::Scenario(planted) => planted.kind,
        Label::Legitimate(_) | Label::Attack(_) => unreachable!("only what was planted"),
    }
}

#[test]
fn every_kind_is_planted_into_accounts_of_the_log() {
    let own = own(0);
    let planted = graft(&Graft { seed: 1, per_kind: 2 }, &own);
    let kinds: BTreeSet<ScenarioKind> = planted.iter().map(kind).collect();
    assert_eq!(kinds, BTreeSet::from(GRAFTED));
    let accounts: BTreeSet<_> = own.iter().filter_map(Event::account_id).collect();
    assert!(
        planted
            .iter()
            .all(|one| one.event.account_id().is_some_and(|id| accounts.contains(&id)))
    );
    let (first, last) = (own[0].time.as_millis(), own[own.len() - 1].time.as_millis());
    let open = first + (last - first) * 30 / 100;
    assert!(planted.iter().all(|one| one.event.time.as_millis() > open));
    assert!(
        planted
            .windows(2)
            .all(|pair| pair[0].event.time <= pair[1].event.time)
    );
}

#[test]
fn planting_repeats_by_seed_and_ids_are_new() {
    let own = own(0);
    let draw = |seed| graft(&Graft { seed, per_kind: 1 }, &own);
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    let mut uids: BTreeSet<String> = own.iter().map(|event| event.uid.to_string()).collect();
    assert!(draw(1).iter().all(|one| uids.insert(one.event.uid.to_string())));
}

#[test]
fn a_log_without_sessions_or_machines_gets_what_it_has_something_for() {
    let config = WorldConfig {
        accounts: 20,
        days: 20,
        ..WorldConfig::new(4, Regime::Enterprise)
    };
    let own: Vec<Event> = generate(&config)
        .stream()
        .map(|labelled| labelled.event)
        .collect();
    let kinds: BTreeSet<ScenarioKind> = graft(&Graft { seed: 1, per_kind: 1 }, &own)
        .iter()
        .map(kind)
        .collect();
    for absent in [
        ScenarioKind::SessionTheft,
        ScenarioKind::ServiceKeyLeak,
        ScenarioKind::InsiderExploration,
    ] {
        assert!(!kinds.contains(&absent), "{absent:?}");
    }
    assert!(kinds.contains(&ScenarioKind::BruteForce) && kinds.contains(&ScenarioKind::LowAndSlow));
    assert!(graft(&Graft { seed: 1, per_kind: 1 }, &[]).is_empty());
}

#[test]
fn what_fails_in_the_log_is_no_model_for_logins() {
    let own = own(0);
    let failed = |one: &&Labelled| one.event.status == Status::Failure;
    let planted = graft(&Graft { seed: 3, per_kind: 1 }, &own);
    let slow = planted.iter().filter(|one| kind(one) == ScenarioKind::LowAndSlow);
    assert_eq!(slow.filter(failed).count(), 0);
}
