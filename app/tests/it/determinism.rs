//! Same log, same verdicts: whatever the threads, the memory, the order of lines and files.

use crate::support::{Place, history, lines, ndjson, takeover};
use habitus_normalize::ocsf_out;
use habitus_sim::{Regime, WorldConfig, generate};
use serde_json::Value;

/// A log in which all nine formats stand one after the other, with junk between them.
fn mixed() -> Vec<u8> {
    let mut log = Vec::new();
    for format in [
        "ocsf",
        "okta",
        "entra",
        "cloudtrail",
        "kubernetes",
        "github",
        "sshd",
        "windows",
        "keycloak",
    ] {
        log.extend(habitus_testkit::fixture_bytes(&format!(
            "formats/{format}/sample.log"
        )));
        log.extend(b"\nthis is no record\n{\"cut\": \n");
    }
    log
}

fn simulated() -> String {
    let mut config = WorldConfig::new(3, Regime::Enterprise);
    (config.accounts, config.days, config.attacks_per_kind) = (60, 30, 20);
    let world = generate(&config);
    let mut log = Vec::new();
    for labelled in world.legitimate() {
        ocsf_out::write(&labelled.event, &mut log);
        log.push(b'\n');
    }
    String::from_utf8(log).unwrap()
}

fn same_on_any_threads(place: &Place, arguments: &[&str]) -> String {
    let mut expected = None;
    for threads in ["1", "2", "4", "1"] {
        let mut all = arguments.to_vec();
        all.extend(["--threads", threads, "--assume-year", "2026"]);
        let verdicts = place.verdicts(&all);
        assert_eq!(
            expected.get_or_insert_with(|| verdicts.clone()),
            &verdicts,
            "{threads} threads"
        );
    }
    expected.unwrap()
}

#[test]
fn a_mixed_log_gives_the_same_bytes_on_any_number_of_threads() {
    let place = Place::new();
    place.write("mixed.log", mixed());
    let verdicts = lines(&same_on_any_threads(&place, &["mixed.log"]));
    assert!(verdicts.len() > 60, "{}", verdicts.len());
}

#[test]
fn a_simulated_log_gives_the_same_bytes_on_any_number_of_threads() {
    let place = Place::new();
    let log = simulated();
    place.write("sim.ndjson", &log);
    let verdicts = same_on_any_threads(&place, &["sim.ndjson"]);
    assert_eq!(verdicts.lines().count(), log.lines().count());
}

#[test]
fn a_log_larger_than_memory_gives_the_same_bytes() {
    let place = Place::new();
    let mut events = history();
    // Newest first, so that nothing is in order by chance.
    events.reverse();
    let log = ndjson(&events);
    assert!(log.len() > 5 * 65_536);
    place.write("log.ndjson", log);
    std::fs::create_dir(place.path("tmp")).unwrap();
    let expected = place.verdicts(&["log.ndjson"]);
    assert_eq!(
        expected,
        place.verdicts(&["log.ndjson", "--memory", "64K", "--temp-dir", "tmp"])
    );
    let left = std::fs::read_dir(place.path("tmp")).unwrap().count();
    assert_eq!(left, 0, "temporary files are gone");
}

#[test]
fn the_order_of_lines_and_files_changes_nothing() {
    let place = Place::new();
    let mut events = history();
    events.push(takeover("bad", "p1@example.com"));
    // Several events share each millisecond.
    for event in &mut events {
        let time = event["time"].as_i64().unwrap();
        event["time"] = (time - time % 1_800_000).into();
    }
    place.write("a.ndjson", ndjson(&events));
    let expected = place.verdicts(&["a.ndjson"]);
    let (mut front, mut back) = (Vec::new(), Vec::new());
    for (at, event) in events.into_iter().enumerate() {
        if at * 7919 % 13 < 6 {
            front.push(event)
        } else {
            back.push(event)
        }
    }
    back.reverse();
    place.write("b.ndjson", ndjson(&front));
    place.write("c.ndjson", ndjson(&back));
    assert_eq!(expected, place.verdicts(&["b.ndjson", "c.ndjson"]));
    assert_eq!(expected, place.verdicts(&["c.ndjson", "b.ndjson"]));
}

#[test]
fn a_normalised_log_replays_as_the_log_itself() {
    let place = Place::new();
    place.write("mixed.log", mixed());
    let ocsf = place
        .run(&["normalize", "mixed.log", "--assume-year", "2026", "-q"])
        .ok();
    place.write("normal.ndjson", ocsf);
    let raw = place.verdicts(&["mixed.log", "--assume-year", "2026"]);
    assert_eq!(raw, place.verdicts(&["normal.ndjson"]));
}

#[test]
fn flagged_verdicts_are_those_of_a_full_replay_word_for_word() {
    let place = Place::new();
    let mut events = history();
    events.push(takeover("bad-1", "p3@example.com"));
    place.write("log.ndjson", ndjson(&events));
    place.write("probes.ndjson", ndjson(&[takeover("probe-1", "p5@example.com")]));
    let asked = ["log.ndjson", "--probes", "probes.ndjson"];
    let all = place.verdicts(&asked);
    let wanted = |line: &&str| {
        let verdict: Value = serde_json::from_str(line).unwrap();
        verdict["risk_score"].as_f64().unwrap() >= 40.0 || verdict["probe"] == true
    };
    let expected: Vec<&str> = all.lines().filter(wanted).collect();
    assert!((2..100).contains(&expected.len()), "{}", expected.len());
    for threads in ["1", "2", "3"] {
        let flagged = [asked.as_slice(), &["--verdicts-from", "40", "--threads", threads]].concat();
        assert_eq!(
            place.verdicts(&flagged).lines().collect::<Vec<_>>(),
            expected,
            "{threads} threads"
        );
    }
}
