//! `habitus normalize`.

use crate::support::{BERLIN, MONDAY, Place, lines, login, ndjson};
use serde_json::{Value, json};

#[test]
fn any_format_becomes_valid_ocsf_in_the_order_of_the_input() {
    let place = Place::new();
    let mut sources = Vec::new();
    for format in ["cloudtrail", "okta", "sshd"] {
        place.write(
            &format!("{format}.log"),
            habitus_testkit::fixture_bytes(&format!("formats/{format}/sample.log")),
        );
        sources.push(format!("{format}.log"));
    }
    let mut arguments = vec!["normalize", "--assume-year", "2026"];
    arguments.extend(sources.iter().map(String::as_str));
    let events = lines(&place.run(&arguments).ok());
    assert!(events.len() > 30);
    let formats: Vec<&str> = events
        .iter()
        .map(|event| event["metadata"]["log_format"].as_str().unwrap())
        .collect();
    let mut order = formats.clone();
    order.dedup();
    assert_eq!(order, ["cloudtrail", "okta", "sshd"]);
    for event in &events {
        assert_eq!(habitus_testkit::ocsf::validate(event), [""; 0], "{event:#}");
    }
    for threads in ["1", "4"] {
        let mut with = arguments.clone();
        with.extend(["--threads", threads]);
        assert_eq!(events, lines(&place.run(&with).ok()));
    }
}

#[test]
fn rejections_name_file_line_and_reason() {
    let place = Place::new();
    let good = ndjson(&[login("e-1", "a@example.com", MONDAY, BERLIN)]);
    place.write("log.ndjson", format!("{good}{{\"x\"\n{good}nonsense\n"));
    let ended = place.run(&["normalize", "log.ndjson"]);
    assert_eq!(ended.code, 0);
    assert_eq!(ended.stdout.lines().count(), 2);
    assert!(
        ended.stderr.contains("log.ndjson:2: ") && ended.stderr.contains("log.ndjson:4: "),
        "{}",
        ended.stderr
    );
    assert!(
        ended
            .stderr
            .contains("4 records: 2 events, 0 ignored, 2 rejected"),
        "{}",
        ended.stderr
    );
    let json = place.run(&["normalize", "log.ndjson", "--json-rejections", "-q"]);
    let rejected: Vec<Value> = lines(&json.stderr);
    assert_eq!(
        (rejected.len(), &rejected[1]["line"], &rejected[1]["kind"]),
        (2, &json!(4), &json!("unrecognised"))
    );
}

#[test]
fn unknown_attributes_are_kept() {
    let place = Place::new();
    let mut event = login("e-1", "a@example.com", MONDAY, BERLIN);
    event["vendor_thing"] = json!({ "deep": [1, "x"] });
    let out = lines(&place.run_with(&["normalize", "-", "-q"], ndjson(&[event])).ok());
    assert_eq!(
        out[0]["unmapped"]["vendor_thing"]["deep"],
        json!([1, "x"]),
        "{:#}",
        out[0]
    );
}

#[test]
fn stamps_without_a_year_take_it_from_the_asked_year_and_say_so() {
    let place = Place::new();
    let line =
        "Mar  4 10:00:00 web1 sshd[811]: Accepted publickey for alice from 93.184.216.34 port 51514 ssh2\n";
    let year = |arguments: &[&str]| {
        let ended = place.run_with(arguments, line);
        assert!(ended.stderr.contains("1 stamp has no year: "), "{}", ended.stderr);
        lines(&ended.ok())[0]["time"].as_i64().unwrap()
    };
    assert_eq!(
        year(&["normalize", "-", "--assume-year", "2019"]),
        1_551_693_600_000
    );
    place.write(
        "c.toml",
        "formats.assume_year = 2020\nformats.utc_offset = '+01:00'\n",
    );
    assert_eq!(year(&["normalize", "-", "--config", "c.toml"]), 1_583_312_400_000);
}

#[test]
fn nothing_understood_is_bad_data() {
    let place = Place::new();
    let ended = place.run_with(&["normalize", "-"], "a\nb\n");
    assert_eq!(ended.code, 65);
    assert!(ended.stderr.contains("standard input:1: "), "{}", ended.stderr);
}
