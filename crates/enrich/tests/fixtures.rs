//! User agents as vendors document them, and what we make of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking and may talk, as tests do"
)]

use habitus_enrich::client::of_user_agent;
use serde_json::Value;
use std::fs;
use std::path::Path;

#[test]
fn documented_user_agents_are_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/enrich/user_agents.ndjson");
    let text = fs::read_to_string(path).unwrap();
    let mut wrong = Vec::new();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let client = of_user_agent(row["user_agent"].as_str().unwrap());
        let ours = (client.label(), client.device.caption(), client.model.as_deref());
        let theirs = (
            row["label"].as_str().unwrap(),
            row["device"].as_str().unwrap(),
            row["model"].as_str(),
        );
        if (ours.0.as_str(), ours.1, ours.2) != theirs {
            wrong.push(format!("{}\n   is {ours:?}\n want {theirs:?}", row["user_agent"]));
        }
    }
    assert!(text.lines().count() > 40);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
