//! Findings and the report.

use crate::support::{BERLIN, CHROME, HOUR, Place, history, lines, login, ndjson, takeover};
use serde_json::{Value, json};

fn attacked(account: &str) -> String {
    let mut events = history();
    for event in &mut events {
        if event["user"]["name"] == "p3@example.com" {
            event["user"]["name"] = json!(account);
        }
    }
    events.push(takeover("bad-1", account));
    let mut again = takeover("bad-2", account);
    again["time"] = json!(again["time"].as_i64().unwrap() + 60_000);
    events.push(again);
    ndjson(&events)
}

#[test]
fn findings_are_ocsf_and_name_their_events() {
    let place = Place::new();
    place.write("log.ndjson", attacked("p3@example.com"));
    let found = lines(&place.run(&["replay", "log.ndjson", "--findings", "-", "-q"]).ok());
    let about = |finding: &&Value| {
        finding["finding_info"]["title"]
            .as_str()
            .unwrap()
            .ends_with("p3@example.com")
    };
    // What stands out may differ from event to event, and with it the finding: the first event opens the first one.
    let first = |finding: &&Value| about(finding) && finding["evidences"][0]["uid"] == "bad-1";
    let finding = found.iter().find(first).unwrap();
    for finding in &found {
        assert_eq!(habitus_testkit::ocsf::validate(finding), [""; 0], "{finding:#}");
    }
    assert_eq!(finding["evidences"][0]["uid"], "bad-1");
    assert_eq!(finding["evidences"][0]["src_endpoint"]["ip"], "93.184.218.10");
    assert_eq!(finding["finding_info"]["attacks"][0]["technique"]["uid"], "T1078");
    assert_eq!(finding["is_alert"], true);
    let again = place
        .run(&["replay", "log.ndjson", "--findings", "-", "-q", "--threads", "1"])
        .ok();
    assert_eq!(found, lines(&again));
}

#[test]
fn probes_are_questions_and_make_no_findings() {
    let place = Place::new();
    place.write("log.ndjson", ndjson(&history()));
    place.write("probe.ndjson", ndjson(&[takeover("probe", "p1@example.com")]));
    let ended = place.run(&[
        "replay",
        "log.ndjson",
        "--probes",
        "probe.ndjson",
        "--findings",
        "-",
        "-q",
        "--fail-on",
        "high",
    ]);
    assert_eq!(
        (ended.code, ended.stdout.contains("probe")),
        (1, false),
        "{}",
        ended.stdout
    );
}

#[test]
fn the_report_needs_nothing_and_runs_nothing() {
    let place = Place::new();
    let name = "<script>alert(1)</script>\u{202e}@example.com";
    place.write(
        "log.ndjson",
        format!("{}<img src=x onerror=alert(1)>\n", attacked(name)),
    );
    place
        .run(&["replay", "log.ndjson", "--html", "report.html", "-q"])
        .ok();
    let page = place.read("report.html");
    assert!(
        page.contains("&#60;script&#62;") || page.contains("&lt;script&gt;"),
        "the name is shown, escaped"
    );
    for bad in [
        "<script", "<img", "<link", "<iframe", "src=\"", "href=\"", "url(http", "@import", "\u{202e}",
    ] {
        assert!(!page.contains(bad), "{bad}");
    }
    // Addresses stand in the attributions only, as text.
    let before_footer = page.split("<footer>").next().unwrap();
    assert!(!before_footer.contains("http://") && !before_footer.contains("https://"));
    for part in [
        "What stands out",
        "Flagged by day",
        "Sydney",
        "Not understood: 1 records",
        "<svg",
        "prefers-color-scheme",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(page.len() < 300_000, "{}", page.len());
}

#[test]
fn the_report_is_the_same_on_any_number_of_threads() {
    let place = Place::new();
    place.write("log.ndjson", attacked("p3@example.com"));
    let page = |threads| {
        place
            .run(&["replay", "log.ndjson", "--html", "-", "-q", "--threads", threads])
            .ok()
    };
    assert_eq!(page("1"), page("3"));
}

#[test]
fn a_reader_who_leaves_is_no_error() {
    let place = Place::new();
    place.write("log.ndjson", attacked("p3@example.com"));
    for arguments in [
        &["normalize", "log.ndjson"][..],
        &["replay", "log.ndjson", "--verdicts", "-"][..],
    ] {
        let mut child = place.command(arguments).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        assert!(
            !stderr.contains("error") && !stderr.contains("panicked"),
            "{stderr}"
        );
    }
}

/// Logins that follow each other as a takeover goes: from elsewhere, then with another client, then both.
fn goes_on() -> Vec<Value> {
    let mut events: Vec<Value> = (0..4)
        .map(|n| {
            let mut event = takeover(&format!("odd-{n}"), "p3@example.com");
            event["time"] = (event["time"].as_i64().unwrap() + n * HOUR).into();
            event
        })
        .collect();
    events[0]["http_request"]["user_agent"] = CHROME.into();
    events[1]["src_endpoint"] = login("", "", 0, BERLIN)["src_endpoint"].clone();
    events
}

#[test]
fn a_takeover_of_several_logins_is_one_finding_for_replay_and_serve() {
    let place = Place::new();
    let mut log = history();
    log.extend(goes_on());
    place.write("log.ndjson", ndjson(&log));
    let found = lines(&place.run(&["replay", "log.ndjson", "--findings", "-", "-q"]).ok());
    let ours: Vec<&Value> = found
        .iter()
        .filter(|finding| finding["unmapped"]["habitus"]["group"] == "p3@example.com × access")
        .collect();
    let [finding] = ours[..] else { panic!("{found:#?}") };
    let families = finding["evidences"].as_array().unwrap().iter().map(|event| {
        let lines = event["data"]["contributions"].as_array().unwrap();
        let points = |line: &&Value| line["points"].as_f64().unwrap();
        let lead = lines
            .iter()
            .max_by(|a, b| points(a).total_cmp(&points(b)))
            .unwrap();
        lead["signal"].as_str().unwrap().to_owned()
    });
    let families: std::collections::BTreeSet<String> = families.collect();
    assert!(families.len() > 1, "one by network, one by client: {families:?}");

    let token = crate::server::token(&place, "ingest,read");
    place.write("habitus.toml", "[serve]\nlateness_seconds = 1\n");
    let server = crate::server::Server::start(&place, &["--config", "habitus.toml"]);
    assert_eq!(server.post("/v1/events", &token, &ndjson(&log)).status, 200);
    let page = server.wait_until(&token, "/v1/findings?account=p3@example.com", |page| {
        page["items"][0]["count"] == finding["count"]
    });
    assert_eq!(page["items"].as_array().unwrap().len(), 1, "{page:#}");
    assert_eq!(page["items"][0]["id"], finding["finding_info"]["uid"]);
    assert_eq!(page["items"][0]["behaviour"], "access");
    let path = format!(
        "/v1/findings/{}",
        finding["finding_info"]["uid"].as_str().unwrap()
    );
    let key = server.get(&path, &token).json()["key"].to_string();
    for part in ["p3@example.com", "access", "window"] {
        assert!(key.contains(part), "the grouping is visible: {key}");
    }
    server.terminate();
}
