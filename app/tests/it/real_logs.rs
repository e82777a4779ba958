//! Real logs from the reference data: they run through, and what stands out is what a reader of the log sees.

use crate::support::Place;
use serde_json::Value;
use std::collections::BTreeMap;

fn replay(place: &Place, file: &str) -> Vec<Value> {
    let ended = place.run(&[
        "replay",
        file,
        "--findings",
        "findings.ndjson",
        "--assume-year",
        "2023",
    ]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("0 rejected"), "{}", ended.stderr);
    place
        .read("findings.ndjson")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Addresses by the number of wrong passwords, counted from the text of the log alone.
fn guessers(log: &str) -> Vec<(usize, String)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for line in log.lines().filter(|line| line.contains("Failed password")) {
        if let Some((_, tail)) = line.rsplit_once(" from ") {
            *counts.entry(tail.split(' ').next().unwrap()).or_default() += 1;
        }
    }
    let mut sorted: Vec<(usize, String)> = counts.into_iter().map(|(ip, n)| (n, ip.to_owned())).collect();
    sorted.sort_by(|a, b| b.cmp(a));
    sorted
}

#[test]
fn an_ssh_server_under_guessing_shows_who_guesses() {
    let Some(data) = habitus_testkit::reference_data() else {
        return;
    };
    let log = std::fs::read_to_string(data.join("histories/linux_auth/loghub_OpenSSH_2k.log")).unwrap();
    let place = Place::new();
    place.write("ssh.log", &log);
    let findings = replay(&place, "ssh.log");
    let messages: Vec<&str> = findings
        .iter()
        .map(|finding| finding["message"].as_str().unwrap())
        .collect();
    for (count, address) in guessers(&log).iter().take(3) {
        let told = messages
            .iter()
            .any(|message| message.ends_with(&format!("from {address}")));
        assert!(told, "{address} guessed {count} times: {messages:?}");
    }
    assert!(findings.len() < 20, "a list that can be read: {}", findings.len());
}

#[test]
fn windows_and_cloudtrail_detonations_run_through() {
    let Some(data) = habitus_testkit::reference_data() else {
        return;
    };
    for name in [
        "windows_evtx_mdecrevoisier/identity_events",
        "aws_cloudtrail_stratus/cloudtrail_labelled",
    ] {
        let rows = std::fs::read_to_string(data.join(format!("attack_logs/{name}.ndjson"))).unwrap();
        // Each row wraps the vendor's event together with its label.
        let events = rows
            .lines()
            .map(|row| serde_json::from_str::<Value>(row).unwrap()["event"].to_string());
        let place = Place::new();
        place.write("log.ndjson", events.collect::<Vec<String>>().join("\n"));
        replay(&place, "log.ndjson");
    }
}
