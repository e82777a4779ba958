//! Simulated logs, and attacks planted into one's own, as anybody would use them.

use crate::support::Place;
use serde_json::Value;
use std::collections::BTreeSet;

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn uids(rows: &[Value], name: &str) -> BTreeSet<String> {
    rows.iter()
        .map(|row| row[name].as_str().unwrap().to_owned())
        .collect()
}

/// Log, probes and labels are what `replay --probes` and other tools take: every verdict has its label.
#[test]
fn every_verdict_on_a_simulated_log_has_its_label() {
    let place = Place::new();
    let asked = [
        "simulate",
        "--accounts",
        "25",
        "--days",
        "30",
        "--attacks-per-kind",
        "3",
        "--scope",
        "activity",
        "--events",
        "log.ndjson",
        "--attacks",
        "probes.ndjson",
        "--labels",
        "labels.ndjson",
    ];
    let ended = place.run(&asked);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let ended = place.run(&[
        "replay",
        "log.ndjson",
        "--probes",
        "probes.ndjson",
        "--verdicts",
        "verdicts.ndjson",
    ]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let labels = lines(&place.read("labels.ndjson"));
    let verdicts = lines(&place.read("verdicts.ndjson"));
    assert_eq!(uids(&verdicts, "uid"), uids(&labels, "uid"));
    let planted = labels.iter().filter(|label| label["campaign"].is_u64());
    assert!(planted.count() > 100);
}

#[test]
fn a_simulated_log_of_another_format_is_read_as_such() {
    let place = Place::new();
    for (format, extra) in [("okta", "session"), ("sshd", "")] {
        let file = format!("{format}.log");
        let asked = [
            "simulate",
            "--accounts",
            "10",
            "--days",
            "10",
            "--scope",
            "activity",
            "--format",
            format,
            "--events",
            &file,
        ];
        let ended = place.run(&asked);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert!(
            ended
                .stderr
                .contains(&format!("of a kind that `{format}` does not log")),
            "{}",
            ended.stderr
        );
        let read = place.run(&["normalize", &file, "--format", format]);
        assert_eq!(read.code, 0, "{}", read.stderr);
        assert_eq!(read.stdout.lines().count(), place.read(&file).lines().count());
        assert!(read.stdout.contains(extra));
    }
    let ended = place.run(&["simulate", "--format", "telex"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("choose one of"), "{}", ended.stderr);
}

#[test]
fn attacks_are_planted_into_a_log_of_ones_own() {
    let place = Place::new();
    let own = [
        "simulate",
        "--accounts",
        "20",
        "--days",
        "25",
        "--format",
        "okta",
        "--events",
        "mine.json",
    ];
    assert_eq!(place.run(&own).code, 0);
    let asked = [
        "simulate",
        "--into",
        "mine.json",
        "--events",
        "with.ndjson",
        "--labels",
        "labels.ndjson",
    ];
    let ended = place.run(&asked);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let (mine, with, labels) = (
        place.read("mine.json"),
        place.read("with.ndjson"),
        place.read("labels.ndjson"),
    );
    assert_eq!(
        with.lines().count(),
        mine.lines().count() + labels.lines().count(),
        "nothing is lost"
    );
    let labels = lines(&labels);
    let kinds = uids(&labels, "label");
    assert!(
        kinds.contains("brute_force") && kinds.contains("low_and_slow"),
        "{kinds:?}"
    );
    assert!(
        labels
            .iter()
            .all(|label| label["attack"] == true && label["campaign"].is_u64())
    );
    let with = lines(&with);
    let in_it: BTreeSet<&str> = with
        .iter()
        .filter_map(|event| event["metadata"]["uid"].as_str())
        .collect();
    assert!(
        labels
            .iter()
            .all(|label| in_it.contains(label["uid"].as_str().unwrap()))
    );
    let times: Vec<i64> = with.iter().map(|event| event["time"].as_i64().unwrap()).collect();
    assert!(times.is_sorted(), "in order of time");
    let nothing = place.write("empty.json", "");
    let ended = place.run(&["simulate", "--into", nothing.to_str().unwrap()]);
    assert_ne!(ended.code, 0);
}

#[test]
fn a_public_data_set_is_measured_from_its_files() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/datasets/lanl");
    let place = Place::new();
    let (auth, red) = (format!("{root}/auth.txt"), format!("{root}/redteam.txt"));
    let ended = place.run(&["evaluate", "--dataset", "lanl", &auth, &red, "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["streams"][0]["worlds"][0]["events"], 5);
    assert_eq!(report["streams"][0]["worlds"][0]["attacks"], 1);
    let ended = place.run(&["evaluate", "--dataset", "lanl", &auth]);
    assert_ne!(ended.code, 0);
    assert!(ended.stderr.contains("redteam"), "{}", ended.stderr);
}
