//! Files as live sources: counted exactly through crashes, and never held up by what cannot be taken.

use crate::server::{Server, token};
use crate::support::Place;
use serde_json::Value;
use std::io::Write;
use std::time::{Duration, Instant};

#[test]
fn a_file_that_is_read_again_after_a_crash_counts_once_and_equal_lines_count_each() {
    let place = Place::new();
    let token = token(&place, "read,admin");
    place.write(
        "habitus.toml",
        "[serve]\nlateness_seconds = 1\n\n\
         [[source]]\nkind = \"tail\"\nname = \"auth\"\nformat = \"sshd\"\npaths = [\"auth.log\"]\n",
    );
    let line = |second: u32| {
        format!(
            "2026-01-05T08:00:{second:02}+00:00 web01 sshd[4]: Accepted publickey for ana from 203.0.113.7 port 4022 ssh2: ED25519 SHA256:abc\n"
        )
    };
    // Twice the same line in one batch, and a third time in another.
    place.write("auth.log", line(1) + &line(1) + &line(2));
    let logins = |count: u64| move |account: &Value| account["logins"] == count;
    let mut server = Server::start(&place, &["--config", "habitus.toml"]);
    server.wait_until(&token, "/v1/accounts/ana", logins(3));
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(place.path("auth.log"))
        .unwrap();
    file.write_all(line(1).as_bytes()).unwrap();
    file.write_all(line(3).as_bytes()).unwrap();
    server.wait_until(&token, "/v1/accounts/ana", logins(5));
    server.kill();
    // As if it had been killed before it could write how far it had read.
    std::fs::remove_dir_all(place.path("data/sources")).unwrap();
    file.write_all(line(4).as_bytes()).unwrap();
    let server = Server::start(&place, &["--config", "habitus.toml"]);
    server.wait_until(&token, "/v1/accounts/ana", logins(6));
    let scrape = server.get("/metrics", &token).body;
    for expected in [
        "habitus_events_total{result=\"duplicate\"} 5\n",
        "habitus_events_total{result=\"accepted\"} 1\n",
    ] {
        assert!(scrape.contains(expected), "{expected}{scrape}");
    }
    server.terminate();
}

#[test]
fn what_can_never_be_taken_is_counted_and_holds_nothing_up() {
    let place = Place::new();
    let token = token(&place, "read,admin");
    let source = |name: &str, more: &str| {
        format!("[[source]]\nkind = \"tail\"\nname = \"{name}\"\npaths = [\"{name}.log\"]\n{more}\n\n")
    };
    place.write("habitus.toml", source("odd", "format = \"klingon\""));
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
        refused.stderr.contains("klingon") || refused.stderr.contains("`format`"),
        "{}",
        refused.stderr
    );

    // The log takes names of 255 bytes: what comes under a longer one cannot be kept, ever.
    let endless = "x".repeat(300);
    place.write(
        "habitus.toml",
        source("long", &format!("tenant = \"{endless}\"")) + &source("auth", ""),
    );
    let line = "2026-01-05T08:00:01+00:00 web01 sshd[4]: Accepted publickey for ana from 203.0.113.7 port 4022 ssh2: ED25519 SHA256:abc\n";
    place.write("long.log", line.repeat(3));
    place.write("auth.log", line);
    let server = Server::start(&place, &["--config", "habitus.toml"]);
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let scrape = server.get("/metrics", &token).body;
        if scrape.contains("habitus_events_total{result=\"rejected\"} 3\n") {
            assert!(
                scrape.contains("habitus_source_refused_total{source=\"long\"} 0\n"),
                "{scrape}"
            );
            break;
        }
        assert!(Instant::now() < until, "{scrape}");
        std::thread::sleep(Duration::from_millis(20));
    }
    server.wait_until(&token, "/v1/accounts/ana", |account| account["logins"] == 1);
    server.terminate();
}
