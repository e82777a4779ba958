//! `habitus replay`: verdicts, probes, duplicates, exit codes.

use crate::support::{BERLIN, DAY, MONDAY, Place, history, lines, login, ndjson, of, signals, takeover};
use serde_json::{Value, json};
use std::io::Write;

fn attacked() -> String {
    let mut events = history();
    events.push(takeover("bad-1", "p3@example.com"));
    ndjson(&events)
}

#[test]
fn a_takeover_stands_out_and_its_verdict_adds_up() {
    let place = Place::new();
    place.write("log.ndjson", attacked());
    let verdicts = lines(&place.verdicts(&["log.ndjson"]));
    assert_eq!(verdicts.len(), 841);
    let bad = of(&verdicts, "bad-1");
    assert_eq!(bad["account"], "p3@example.com");
    assert!(bad["risk_score"].as_f64().unwrap() >= 80.0, "{bad:#}");
    assert!(signals(bad).contains(&"new_country"), "{bad:#}");
    for verdict in &verdicts {
        let names: Vec<&String> = verdict.as_object().unwrap().keys().collect();
        for name in [
            "uid",
            "time",
            "account",
            "risk_score",
            "log_odds",
            "risk_level",
            "confidence",
            "disposition",
            "contributions",
            "model",
        ] {
            assert!(names.iter().any(|n| *n == name), "{name}");
        }
        let sum: f64 = verdict["contributions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["log_odds"].as_f64().unwrap())
            .sum();
        assert!(
            (sum - verdict["log_odds"].as_f64().unwrap()).abs() < 1e-6,
            "{verdict}"
        );
    }
    let times: Vec<i64> = verdicts.iter().map(|v| v["time"].as_i64().unwrap()).collect();
    assert!(times.is_sorted());
}

#[test]
fn the_level_agrees_with_the_score() {
    let place = Place::new();
    place.write("log.ndjson", attacked());
    for verdict in lines(&place.verdicts(&["log.ndjson"])) {
        let score = verdict["risk_score"].as_f64().unwrap();
        let level = match score {
            s if s >= 80.0 => "critical",
            s if s >= 60.0 => "high",
            s if s >= 40.0 => "medium",
            s if s >= 20.0 => "low",
            _ => "info",
        };
        assert_eq!(verdict["risk_level"], level, "{score}");
    }
}

#[test]
fn probes_leave_every_other_verdict_as_it_was() {
    let place = Place::new();
    place.write("log.ndjson", attacked());
    let probes: Vec<Value> = (0..40)
        .map(|n| {
            let mut probe = takeover(&format!("probe-{n}"), &format!("p{}@example.com", n % 12));
            probe["time"] = json!(MONDAY + n * DAY);
            probe
        })
        .collect();
    place.write("probes.ndjson", ndjson(&probes));
    let alone = place.verdicts(&["log.ndjson"]);
    let both = place.verdicts(&["log.ndjson", "--probes", "probes.ndjson"]);
    let (asked, rest): (Vec<&str>, Vec<&str>) =
        both.lines().partition(|line| line.contains("\"probe\":true"));
    assert_eq!(asked.len(), 40);
    assert!(rest.iter().copied().eq(alone.lines()));
    let last = lines(&asked.join("\n"));
    assert!(of(&last, "probe-39")["risk_score"].as_f64().unwrap() > 60.0);
}

#[test]
fn a_probe_is_held_against_what_was_before_its_millisecond() {
    let place = Place::new();
    let events = history();
    let copy = events.last().unwrap();
    place.write("probe.ndjson", ndjson(std::slice::from_ref(copy)));
    place.write("log.ndjson", ndjson(&events));
    let verdicts = place.verdicts(&["log.ndjson", "--probes", "probe.ndjson"]);
    let same: Vec<Value> = lines(&verdicts)
        .into_iter()
        .filter(|v| v["uid"] == copy["metadata"]["uid"])
        .collect();
    // The event's own copy, asked as a probe, is judged as the event is: by what came before both.
    let [probe, event] = same.as_slice() else {
        panic!("{same:#?}")
    };
    assert_eq!(probe["probe"], true);
    assert_eq!(probe["log_odds"], event["log_odds"]);
}

#[test]
fn duplicates_change_nothing_and_are_counted() {
    let place = Place::new();
    let log = attacked();
    place.write("log.ndjson", &log);
    place.write("again.ndjson", format!("{log}{log}"));
    let once = place.verdicts(&["log.ndjson"]);
    assert_eq!(once, place.verdicts(&["again.ndjson"]));
    assert_eq!(once, place.verdicts(&["log.ndjson", "again.ndjson"]));
    let summary: Value =
        serde_json::from_str(&place.run(&["replay", "again.ndjson", "--json", "-q"]).ok()).unwrap();
    assert_eq!(summary["duplicates"], 841);
    assert_eq!(summary["events"], 841);
}

#[test]
fn an_id_that_comes_again_at_another_time_is_another_event() {
    let place = Place::new();
    let events = [
        login("x", "a@example.com", MONDAY, BERLIN),
        login("x", "a@example.com", MONDAY + 1, BERLIN),
        login("x", "b@example.com", MONDAY, BERLIN),
    ];
    place.write("log.ndjson", ndjson(&events));
    assert_eq!(place.verdicts(&["log.ndjson"]).lines().count(), 3);
}

#[test]
fn fail_on_says_whether_something_was_found() {
    let place = Place::new();
    place.write("bad.ndjson", attacked());
    place.write("good.ndjson", ndjson(&history()));
    for (file, level, code) in [
        ("bad.ndjson", "high", 1),
        ("bad.ndjson", "critical", 1),
        ("good.ndjson", "critical", 0),
    ] {
        let ended = place.run(&["replay", file, "--fail-on", level, "-q"]);
        assert_eq!(ended.code, code, "{file} {level}: {}", ended.stderr);
        assert_eq!(ended.stderr, "", "quiet is quiet");
    }
}

#[test]
fn broken_lines_are_named_and_the_rest_goes_on() {
    let place = Place::new();
    let mut log: Vec<String> = attacked().lines().map(str::to_owned).collect();
    log.insert(3, "{\"class_uid\": 3002, \"metadata\": {}".to_owned());
    log.insert(10, "what is this".to_owned());
    log.insert(
        20,
        "{\"class_uid\":3002,\"metadata\":{},\"category_uid\":3,\"activity_id\":1}".to_owned(),
    );
    place.write("log.ndjson", log.join("\n"));
    let ended = place.run(&["replay", "log.ndjson", "--json"]);
    let summary: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(
        (ended.code, &summary["events"], &summary["rejected"]),
        (0, &json!(841), &json!(3))
    );
    for text in [
        "log.ndjson:4",
        "log.ndjson:11",
        "log.ndjson:21",
        "`time` is missing",
    ] {
        assert!(ended.stderr.contains(text), "{text}: {}", ended.stderr);
    }
}

#[test]
fn compressed_files_directories_and_pipes_give_the_same() {
    let place = Place::new();
    let log = attacked();
    place.write("log.ndjson", &log);
    let expected = place.verdicts(&["log.ndjson"]);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(log.as_bytes()).unwrap();
    place.write("log.gz", gz.finish().unwrap());
    place.write("log.zst", zstd::encode_all(log.as_bytes(), 3).unwrap());
    std::fs::create_dir(place.path("dir")).unwrap();
    let half = log.len() / 2 + log[log.len() / 2..].find('\n').unwrap() + 1;
    place.write("dir/a.ndjson", &log[..half]);
    place.write("dir/b.ndjson", &log[half..]);
    for input in ["log.gz", "log.zst", "dir"] {
        assert_eq!(expected, place.verdicts(&[input]), "{input}");
    }
    let piped = place
        .run_with(&["replay", "-", "--verdicts", "-", "-q"], &log)
        .ok();
    assert_eq!(expected, piped);
}

#[test]
fn exit_codes_are_those_of_the_design() {
    let place = Place::new();
    place.write("log.ndjson", attacked());
    place.write("noise.log", "one\ntwo\nthree\n");
    place.write("empty.log", "");
    place.write("cut.gz", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b]);
    place.write("bad.toml", "[replay]\nthread = 2\n");
    let cases: [(&[&str], i32, &str); 11] = [
        (&["replay"], 2, "Usage"),
        (
            &["replay", "log.ndjson", "--format", "okat"],
            2,
            "no log format `okat`",
        ),
        (&["replay", "log.ndjson", "--threads", "0"], 2, "--threads"),
        (
            &["replay", "log.ndjson", "--verdicts", "-", "--json"],
            2,
            "standard output",
        ),
        (&["replay", "-", "-"], 2, "standard input"),
        (&["replay", "missing.log"], 65, "missing.log"),
        (&["replay", "noise.log"], 65, "nothing could be understood"),
        (&["replay", "cut.gz"], 65, "cut.gz"),
        (&["replay", "empty.log"], 0, "no records"),
        (
            &["replay", "log.ndjson", "--verdicts", "no/such/dir.ndjson"],
            69,
            "no/such",
        ),
        (
            &["replay", "log.ndjson", "--config", "bad.toml"],
            78,
            "did you mean `threads`?",
        ),
    ];
    for (arguments, code, says) in cases {
        let ended = place.run(arguments);
        assert_eq!(ended.code, code, "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(says), "{arguments:?}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{arguments:?}");
    }
}

#[test]
fn one_unreadable_input_is_told_and_the_others_are_read() {
    let place = Place::new();
    place.write("log.ndjson", attacked());
    place.write("cut.gz", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b]);
    let ended = place.run(&["replay", "cut.gz", "log.ndjson", "--verdicts", "out.ndjson", "-q"]);
    assert_eq!(ended.code, 65);
    assert!(ended.stderr.contains("cut.gz"), "{}", ended.stderr);
    assert_eq!(place.read("out.ndjson").lines().count(), 841);
}

#[test]
fn variables_mirror_flags() {
    let place = Place::new();
    place.write("log.ndjson", attacked());
    let mut command = place.command(&["replay", "log.ndjson"]);
    let output = command
        .env("HABITUS_JSON", "true")
        .env("HABITUS_QUIET", "true")
        .env("HABITUS_FAIL_ON", "high")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert!(
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["levels"]["critical"].as_u64() > Some(0)
    );
}

#[test]
fn colours_are_for_those_who_want_them() {
    let place = Place::new();
    place.write("log.ndjson", attacked());
    assert!(!place.run(&["replay", "log.ndjson"]).stderr.contains('\u{1b}'));
    assert!(
        place
            .run(&["replay", "log.ndjson", "--color", "always"])
            .stderr
            .contains('\u{1b}')
    );
    assert!(
        !place
            .run(&["replay", "log.ndjson", "--color", "never"])
            .stderr
            .contains('\u{1b}')
    );
}
