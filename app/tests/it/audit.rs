//! The audit: encrypted where a key is configured, signed outside the data directory, and aware of reloads.

use crate::server::{Server, signal, token};
use crate::support::Place;
use serde_json::Value;
use std::time::{Duration, Instant};

const HUP: &str = "HUP";

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn actions(server: &Server, token: &str, action: &str) -> usize {
    let page = server.get(&format!("/v1/audit?action={action}"), token).json();
    page["items"].as_array().map_or(0, Vec::len)
}

fn files(place: &Place) -> String {
    let all = std::fs::read_dir(place.path("data/audit")).unwrap();
    let all = all.map(|file| std::fs::read(file.unwrap().path()).unwrap());
    all.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect()
}

#[test]
fn reloads_are_recorded_whether_they_hold_or_not_and_nothing_of_it_is_readable_without_the_key() {
    let place = Place::new();
    let token = token(&place, "read,admin");
    place.write("key", "ab".repeat(32));
    let config = format!(
        "[serve]\nencryption_key = \"file:{}\"\n",
        place.path("key").display()
    );
    place.write("habitus.toml", &config);
    let server = Server::start(&place, &["--config", "habitus.toml"]);
    let pid = server.child.id().to_string();
    place.write("habitus.toml", config.clone() + "[findings]\nwindow_hours = 12\n");
    signal(HUP, &pid);
    until("the reload is recorded", || {
        actions(&server, &token, "configuration.reload") == 1
    });
    place.write(
        "habitus.toml",
        config.clone() + "[findings]\nwindow_hours = \"soon\"\n",
    );
    signal(HUP, &pid);
    until("what was refused is recorded", || {
        actions(&server, &token, "configuration.refuse") == 1
    });
    assert_eq!(actions(&server, &token, "configuration.reload"), 1);
    server.terminate();
    let text = files(&place);
    assert!(
        !text.contains("configuration.reload") && !text.contains("\"actor\""),
        "{text}"
    );
    assert!(text.contains("\"sealed\":\""));
    place.write("habitus.toml", &config);
    let report = place.run(&[
        "verify",
        "--audit",
        "--json",
        "--data-dir",
        "data",
        "--config",
        "habitus.toml",
    ]);
    let report: Value = serde_json::from_str(&report.ok()).unwrap();
    assert!(
        report["audit"]["entries"].as_u64().unwrap() > 3 && report["audit"]["broken"].is_null(),
        "{report:#}"
    );
    let keyless = place.run(&["verify", "--audit", "--data-dir", "data"]);
    assert_eq!(keyless.code, 69, "{}", keyless.stderr);
    assert!(keyless.stderr.contains("encryption_key"), "{}", keyless.stderr);
}

#[test]
fn checkpoints_leave_the_data_directory_and_show_that_an_older_copy_was_put_back() {
    let place = Place::new();
    let token = token(&place, "read,admin");
    std::fs::create_dir(place.path("elsewhere")).unwrap();
    place.write(
        "habitus.toml",
        "[serve]\naudit_checkpoints = \"elsewhere/checkpoints.ndjson\"\n",
    );
    let start = || Server::start(&place, &["--config", "habitus.toml"]);
    let kept = || place.read("elsewhere/checkpoints.ndjson").lines().count();
    let server = start();
    until("the first checkpoint is copied", || kept() >= 1);
    server.terminate();
    let first = kept();
    assert!(first >= 1, "an orderly end is signed");
    place.run(&["backup", "--data-dir", "data", "--to", "older"]).ok();
    let server = start();
    assert!(server.get("/v1/audit", &token).status == 200);
    signal(HUP, &server.child.id().to_string());
    until("the reload is recorded", || {
        actions(&server, &token, "configuration.reload") == 1
    });
    server.terminate();
    assert!(kept() > first, "what was recorded since is signed elsewhere");
    let check = || {
        let arguments = [
            "verify",
            "--audit",
            "--data-dir",
            "data",
            "--checkpoints",
            "elsewhere/checkpoints.ndjson",
        ];
        place.run(&arguments)
    };
    assert_eq!(check().code, 0);
    std::fs::remove_dir_all(place.path("data")).unwrap();
    place
        .run(&["restore", "--from", "older", "--data-dir", "data"])
        .ok();
    let rolled_back = check();
    assert_eq!(rolled_back.code, 65, "{}", rolled_back.stdout);

    place.write(
        "habitus.toml",
        "[serve]\naudit_checkpoints = \"data/checkpoints.ndjson\"\n",
    );
    let refused = place.run(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        "data",
        "--config",
        "habitus.toml",
    ]);
    assert_eq!(refused.code, 78, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("outside") || refused.stderr.contains("another machine"),
        "{}",
        refused.stderr
    );
}
