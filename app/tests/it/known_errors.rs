//! Errors that others made, end to end.

use crate::support::{
    BERLIN, DAY, GREENWICH, HOUR, MONDAY, Place, SYDNEY, history, lines, login, ndjson, of, signals,
};
use serde_json::{Value, json};

fn explained(place: &Place, arguments: &[&str], uid: &str) -> Value {
    let mut all = vec!["explain", uid, "--json", "--in", "log.ndjson"];
    all.extend(arguments);
    serde_json::from_str(&place.run(&all).ok()).unwrap()
}

#[test]
fn zero_degrees_is_a_place() {
    let place = Place::new();
    let mut equator = login("equator", "a@example.com", MONDAY, GREENWICH);
    equator["src_endpoint"]["location"] =
        json!({ "country": "GA", "city": "Equator", "lat": 0.0, "long": 0.0 });
    let events = [
        equator,
        login("home", "b@example.com", MONDAY, GREENWICH),
        login("away", "b@example.com", MONDAY + HOUR, SYDNEY),
    ];
    place.write("log.ndjson", ndjson(&events));
    let event = &explained(&place, &[], "equator")["event"];
    assert_eq!(
        (&event["latitude"], &event["longitude"]),
        (&json!(0.0), &json!(0.0))
    );
    // Greenwich lies at longitude 0: the way from there is measured.
    let verdicts = lines(&place.verdicts(&["log.ndjson"]));
    assert!(
        signals(of(&verdicts, "away")).contains(&"impossible_travel"),
        "{verdicts:#?}"
    );
}

#[test]
fn accounts_on_ipv6_are_first_class() {
    let place = Place::new();
    let mut events: Vec<Value> = (0..30)
        .map(|day| {
            let mut event = login(&format!("e-{day}"), "a@example.com", MONDAY + day * DAY, BERLIN);
            // Privacy extensions draw the host anew each day; the /64 stays.
            event["src_endpoint"]["ip"] =
                json!(format!("2a02:8108:1:2::{:x}:{:x}", day * 977 + 1, day * 31 + 7));
            event
        })
        .collect();
    let mut known = login("known", "a@example.com", MONDAY + 30 * DAY, BERLIN);
    known["src_endpoint"]["ip"] = json!("2a02:8108:1:2:aaaa::1");
    let mut new = login("new", "a@example.com", MONDAY + 31 * DAY, BERLIN);
    new["src_endpoint"]["ip"] = json!("2a02:8108:ffff::1");
    events.extend([known, new]);
    place.write("log.ndjson", ndjson(&events));
    let verdicts = lines(&place.verdicts(&["log.ndjson"]));
    let (known, new) = (of(&verdicts, "known"), of(&verdicts, "new"));
    assert!(
        !signals(known).iter().any(|signal| signal.starts_with("new_")),
        "{known:#}"
    );
    assert!(signals(new).contains(&"new_prefix"), "{new:#}");
    assert!(known["log_odds"].as_f64() < new["log_odds"].as_f64());
    assert_eq!(
        known["blind"],
        json!([
            { "family": "authentication", "why": "not_applicable" },
            { "family": "session", "why": "not_applicable" },
        ])
    );
}

#[test]
fn lists_of_networks_match_networks() {
    let place = Place::new();
    place.write("offices.txt", "203.0.113.0/24\n2a02:8108::/32\n");
    place.write(
        "c.toml",
        "[[enrich.ip_list]]\nname = 'offices'\nkind = 'corporate'\npath = 'offices.txt'\n",
    );
    let ips = [
        "203.0.113.9",
        "::ffff:203.0.113.200",
        "2a02:8108:7::1",
        "203.0.112.9",
    ];
    let events: Vec<Value> = ips
        .iter()
        .map(|ip| {
            let mut event = login(ip, "a@example.com", MONDAY, BERLIN);
            event["src_endpoint"]["ip"] = json!(ip);
            event
        })
        .collect();
    place.write("log.ndjson", ndjson(&events));
    for (ip, corporate) in ips.into_iter().zip([true, true, true, false]) {
        let event = explained(&place, &["--config", "c.toml"], ip);
        assert_eq!(
            event["event"]["network_class"] == "corporate",
            corporate,
            "{ip}: {}",
            event["event"]
        );
    }
}

#[test]
fn stamps_without_a_fraction_are_times() {
    let place = Place::new();
    for stamp in [
        "2026-01-05T08:00:00Z",
        "2026-01-05T08:00:00.000Z",
        "2026-01-05T09:00:00+01:00",
        "2026-01-05T08:00:00.000000000Z",
    ] {
        let mut event = login("e", "a@example.com", MONDAY, BERLIN);
        event.as_object_mut().unwrap().remove("time");
        event["time_dt"] = json!(stamp);
        place.write("log.ndjson", ndjson(&[event]));
        assert_eq!(
            lines(&place.verdicts(&["log.ndjson"]))[0]["time"],
            MONDAY,
            "{stamp}"
        );
    }
}

#[test]
fn a_late_event_is_compared_with_both_neighbours() {
    let place = Place::new();
    let mut events = history();
    let at = |hours: i64| MONDAY + 42 * DAY + hours * HOUR;
    events.push(login("before", "p0@example.com", at(1), BERLIN));
    events.push(login("after", "p0@example.com", at(3), BERLIN));
    // The line comes last, the event lies between the two.
    events.push(login("late", "p0@example.com", at(2), SYDNEY));
    place.write("log.ndjson", ndjson(&events));
    let verdicts = lines(&place.verdicts(&["log.ndjson"]));
    assert!(signals(of(&verdicts, "late")).contains(&"impossible_travel"));
    let order: Vec<&str> = verdicts
        .iter()
        .map(|v| v["uid"].as_str().unwrap())
        .filter(|uid| !uid.starts_with("h-"))
        .collect();
    assert_eq!(order, ["before", "late", "after"]);
}

#[test]
fn a_known_address_does_not_excuse_impossible_travel() {
    let place = Place::new();
    let mut events = Vec::new();
    for week in 0..8 {
        for (day, spot) in [(0, BERLIN), (3, SYDNEY)] {
            let time = MONDAY + (week * 7 + day) * DAY;
            events.push(login(&format!("e-{week}-{day}"), "a@example.com", time, spot));
        }
    }
    events.push(login("here", "a@example.com", MONDAY + 60 * DAY, BERLIN));
    events.push(login(
        "there",
        "a@example.com",
        MONDAY + 60 * DAY + HOUR / 2,
        SYDNEY,
    ));
    place.write("log.ndjson", ndjson(&events));
    let verdicts = lines(&place.verdicts(&["log.ndjson"]));
    assert!(
        signals(of(&verdicts, "there")).contains(&"impossible_travel"),
        "{:#}",
        of(&verdicts, "there")
    );
}

#[test]
fn placeholders_are_no_user_names() {
    let place = Place::new();
    for (at, name) in ["Not Available", "-", "null", "", "(null)", "N/A"]
        .into_iter()
        .enumerate()
    {
        let uid = format!("e-{at}");
        place.write("log.ndjson", ndjson(&[login(&uid, name, MONDAY, BERLIN)]));
        assert_eq!(
            lines(&place.verdicts(&["log.ndjson"]))[0]["account"],
            Value::Null,
            "{name:?}"
        );
    }
}
