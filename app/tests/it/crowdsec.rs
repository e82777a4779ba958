//! Brute force, enumeration and impossible travel as an independent project expects them (CrowdSec's hub tests): whom it
//! raises an alert on has a finding here. Where the format is one that is read.

use crate::support::Place;
use serde_json::Value;

/// Scenarios that are about guessing or travel; the others are rules on single actions, which policies express.
const BEHAVIOURS: [&str; 4] = ["-bf", "-enum", "enum", "impossible-travel"];
/// What is missed, with the reason in docs/scoring.md ("Held against CrowdSec's scenarios").
const MISSED: [&str; 1] = ["sshd_banner_exchange"];

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Whom alerts are raised on, once each.
fn accused(row: &Value) -> Vec<String> {
    let alerts = row["expected_alerts"].as_array().unwrap().iter();
    let of_behaviour = alerts.filter(|alert| {
        BEHAVIOURS
            .iter()
            .any(|end| text(&alert["scenario"]).contains(end))
    });
    let mut all: Vec<String> = of_behaviour
        .flat_map(|alert| alert["sources"].as_array().unwrap().clone())
        .map(|source| text(&source).trim_start_matches("::ffff:").to_owned())
        .collect();
    all.sort();
    all.dedup();
    all
}

/// Findings of a scenario's log as text; `None` where no line of it is of a format that is read.
fn findings(row: &Value) -> Option<String> {
    let place = Place::new();
    let lines: Vec<&str> = row["log"].as_array().unwrap().iter().map(text).collect();
    place.write("scenario.log", lines.join("\n"));
    let ended = place.run(&[
        "replay",
        "scenario.log",
        "--findings",
        "findings.ndjson",
        "--assume-year",
        "2023",
    ]);
    let read = ended.code == 0 && !ended.stderr.contains("Events    0");
    read.then(|| place.read("findings.ndjson"))
}

#[test]
fn whom_crowdsec_raises_an_alert_on_has_a_finding() {
    let Some(data) = habitus_testkit::reference_data() else {
        return;
    };
    let rows = std::fs::read_to_string(data.join("detection_oracle/crowdsec_scenarios.ndjson")).unwrap();
    let (mut held, mut missed) = (0, Vec::new());
    for row in rows.lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let accused = accused(&row);
        if accused.is_empty() {
            continue;
        }
        let Some(findings) = findings(&row) else { continue };
        // Of IPv6 a finding names the /64.
        let named =
            |who: &String| findings.contains(who.rsplit_once("::").map_or(who.as_str(), |(net, _)| net));
        if !accused.iter().all(named) {
            missed.push(text(&row["test"]).to_owned());
        } else {
            held += 1;
        }
    }
    assert!(held >= 5, "so few are read: {held}, missed {missed:?}");
    assert_eq!(missed, MISSED, "of {} scenarios", held + missed.len());
}
