//! The claims about detection, at a size that a test can afford: ratios and orders, on a development seed.

use crate::support::Place;
use serde_json::Value;

/// Recall of each kind of takeover at a budget of 0.1 %, as `habitus evaluate` measures it.
fn recalls(scorer: &Value) -> Vec<(&str, f64)> {
    let at_budget = |kind: &Value| {
        let all = kind["recall"].as_array().unwrap();
        let at = all.iter().find(|recall| recall["budget"] == 0.001).unwrap();
        at["recall"]["value"].as_f64().unwrap()
    };
    let kinds = scorer["kinds"].as_array().unwrap();
    kinds
        .iter()
        .map(|kind| (kind["kind"].as_str().unwrap(), at_budget(kind)))
        .collect()
}

/// One world of 100 accounts: ten events are a budget of 0.1 %, so single kinds are noisy; docs/evaluation.md has the
/// full sizes.
#[test]
fn takeovers_are_found_better_than_by_any_baseline() {
    let asked = [
        "evaluate",
        "--regime",
        "enterprise",
        "--seeds",
        "3",
        "--accounts",
        "100",
        "--kinds",
        "foreign_takeover,same_country_takeover,same_provider_takeover",
        "--json",
    ];
    let ended = Place::new().run(&asked);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let scorers = report["regimes"][0]["scorers"].as_array().unwrap();
    assert_eq!(scorers[0]["name"], "habitus");
    assert!(scorers.len() >= 5, "every baseline stands beside it");
    let ours = recalls(&scorers[0]);
    let foreign = ours
        .iter()
        .find(|(kind, _)| *kind == "foreign_takeover")
        .unwrap()
        .1;
    assert!(foreign > 0.9, "recall of foreign takeovers {foreign}");
    let together = |recalls: &[(&str, f64)]| recalls.iter().map(|(_, recall)| recall).sum::<f64>();
    for baseline in &scorers[1..] {
        let theirs = recalls(baseline);
        assert!(
            together(&ours) > together(&theirs),
            "{}: {theirs:?} against {ours:?}",
            baseline["name"]
        );
    }
}

/// A log of 20 accounts with attacks in it: what is measured of it is there, for everyone, and nothing is made up.
#[test]
fn attacks_in_the_log_are_measured_against_their_own_units() {
    let asked = [
        "evaluate",
        "--regime",
        "enterprise",
        "--seeds",
        "3",
        "--accounts",
        "20",
        "--kinds",
        "session_theft,service_key_leak",
        "--json",
    ];
    let ended = Place::new().run(&asked);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert!(
        report["regimes"].as_array().unwrap().is_empty(),
        "no world of logins was asked for"
    );
    let scorers = report["streams"][0]["scorers"].as_array().unwrap();
    assert_eq!(scorers[0]["name"], "habitus");
    assert!(scorers.len() >= 5, "every baseline stands beside it");
    for scorer in scorers {
        let kinds: Vec<&str> = scorer["kinds"]
            .as_array()
            .unwrap()
            .iter()
            .map(|kind| kind["unit"].as_str().unwrap())
            .collect();
        assert_eq!(kinds, ["session", "machine_event"]);
        assert!(scorer["bars"].as_array().unwrap().len() >= 7);
    }
}
