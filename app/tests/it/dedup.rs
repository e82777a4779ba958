//! The same event counts once: over restarts, kills, snapshots and files of what was seen.

use crate::server::{Server, signal, token};
use crate::support::{MONDAY, Place};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const PEOPLE: usize = 5;
const BATCH: usize = 20;

/// Batches are numbered over all lives; their events too.
fn batch(number: usize) -> String {
    let one = |event: usize| {
        let time = MONDAY + i64::try_from(event).unwrap() * 500;
        let account = format!("user{}@example.com", event % PEOPLE);
        let event = json!({
            "class_uid": 3002, "activity_id": 1, "category_uid": 3, "type_uid": 300_201, "severity_id": 1, "status_id": 1,
            "time": time, "metadata": { "uid": format!("d-{event}"), "version": "1.8.0", "product": { "name": "idp" } },
            "user": { "uid": account, "name": account },
            "src_endpoint": { "ip": "203.0.113.7", "location": { "country": "DE" } },
        });
        event.to_string() + "\n"
    };
    (number * BATCH..(number + 1) * BATCH).map(one).collect()
}

/// Sends a batch, and says what of it was new and what known; absent if there was no answer.
fn send(server: &Server, token: &str, number: usize) -> Option<(u64, u64)> {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/x-ndjson"),
    ];
    let answer = server.try_ask("POST", "/v1/events", &headers, batch(number).as_bytes())?;
    if answer.status == 503 {
        return None;
    }
    assert_eq!(answer.status, 200, "{}", answer.body);
    let told = answer.json();
    Some((told["accepted"].as_u64()?, told["duplicates"].as_u64()?))
}

/// Kills, or what the environment says (1,000 and 10,000 by hand).
fn kills() -> usize {
    let wanted = std::env::var("HABITUS_KILLS").ok();
    wanted.and_then(|kills| kills.parse().ok()).unwrap_or(12)
}

#[test]
fn after_any_kill_what_was_acknowledged_is_known_and_what_was_lost_is_not() {
    let place = Place::new();
    let token = token(&place, "ingest,read");
    // Snapshots, and with them files of what was seen, come often.
    place.write("habitus.toml", "[serve]\nsnapshot_events = 70\n");
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let (mut acknowledged, mut in_doubt, mut new) = (0, None, 0);
    for round in 0..kills() {
        let mut server = Server::start(&place, &["--config", "habitus.toml"]);
        // All that was ever acknowledged is known...
        for number in [0, acknowledged / 2, acknowledged.max(1) - 1] {
            if number < acknowledged {
                assert_eq!(
                    send(&server, &token, number),
                    Some((0, 20)),
                    "batch {number} in round {round}"
                );
            }
        }
        // ...and what was under way is new as far as it was lost, and then known.
        if let Some(number) = in_doubt.take() {
            let (accepted, known) = send(&server, &token, number).unwrap();
            assert_eq!(accepted + known, 20);
            new += accepted;
            assert_eq!(send(&server, &token, number), Some((0, 20)));
            acknowledged = number + 1;
        }
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let next = AtomicUsize::new(acknowledged);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // One that got no answer is in doubt; nothing follows it.
                while let Some(told) = send(&server, &token, next.load(Ordering::Acquire)) {
                    assert_eq!(told, (20, 0));
                    next.fetch_add(1, Ordering::AcqRel);
                }
            });
            while next.load(Ordering::Acquire) < acknowledged + 2 {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(random % 60));
            signal("KILL", &server.child.id().to_string());
        });
        server.kill();
        new += u64::try_from((next.load(Ordering::Acquire) - acknowledged) * BATCH).unwrap();
        acknowledged = next.load(Ordering::Acquire);
        in_doubt = Some(acknowledged);
    }
    every_event_was_learned_once((&place, &token), acknowledged, new);
}

/// `batches` were acknowledged, one more is in doubt, and `new` events were ever told to be new.
fn every_event_was_learned_once((place, token): (&Place, &str), batches: usize, new: u64) {
    let events = batches * BATCH;
    let server = Server::start(place, &["--config", "habitus.toml"]);
    let (accepted, known) = send(&server, token, batches).unwrap();
    assert_eq!(accepted + known, 20);
    let total = u64::try_from(events + BATCH).unwrap();
    assert!(
        new + accepted <= total,
        "{new} and {accepted} of {total} were new"
    );
    let logins = |account: &Value| account["logins"].as_u64().unwrap_or(0);
    let each = total / u64::try_from(PEOPLE).unwrap();
    for person in 0..PEOPLE {
        let path = format!("/v1/accounts/user{person}@example.com");
        let account = server.wait_until(token, &path, |account| logins(account) >= each);
        assert_eq!(logins(&account), each, "user{person}");
    }
    server.terminate();
    let report: Value =
        serde_json::from_str(&place.run(&["verify", "--data-dir", "data", "--json"]).ok()).unwrap();
    assert_eq!(report["state"]["digest"], report["state"]["from_the_beginning"]);
    let files = std::fs::read_dir(place.path("data/seen")).unwrap();
    let runs = files.filter(|file| {
        file.as_ref()
            .unwrap()
            .path()
            .extension()
            .is_some_and(|kind| kind == "run")
    });
    assert!(runs.count() > 0, "what was seen is on disk");
}

#[test]
fn a_key_with_another_body_is_a_conflict_that_is_kept_and_counted() {
    let place = Place::new();
    let token = token(&place, "ingest,read,admin");
    let server = Server::start(&place, &[]);
    assert_eq!(send(&server, &token, 0), Some((20, 0)));
    let other = batch(0).replace("203.0.113.7", "198.51.100.9");
    let answer = server.post("/v1/events", &token, &other).json();
    assert_eq!(answer, json!({"accepted": 0, "duplicates": 20, "rejected": []}));
    let conflicts = |server: &Server| {
        let metrics = server.get("/metrics", &token).body;
        let line = metrics
            .lines()
            .find(|line| line.contains("conflict"))
            .map(str::to_owned);
        line.unwrap_or_else(|| panic!("{metrics}"))
    };
    assert!(conflicts(&server).ends_with(" 20"), "{}", conflicts(&server));
    server.terminate();
    // Also after a restart, and the first content is what counts.
    let server = Server::start(&place, &[]);
    assert_eq!(send(&server, &token, 0), Some((0, 20)));
    server.post("/v1/events", &token, &other);
    assert!(conflicts(&server).ends_with(" 20"), "{}", conflicts(&server));
}

#[test]
fn a_batch_with_the_same_line_twice_counts_it_once() {
    let place = Place::new();
    let token = token(&place, "ingest");
    let server = Server::start(&place, &[]);
    let twice = batch(3) + &batch(3);
    let answer = server.post("/v1/events", &token, &twice).json();
    assert_eq!(answer, json!({"accepted": 20, "duplicates": 20, "rejected": []}));
}
