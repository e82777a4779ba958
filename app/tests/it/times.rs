//! Times that cannot be true, over the real server (RELIABILITY R-11, S-07): they neither poison nor stop anything.

use crate::serve::{AWAY, HOME, login, past_from};
use crate::server::{Server, token};
use crate::support::{DAY, HOUR, Place};
use serde_json::Value;

const PEOPLE: usize = 12;

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// A server whose people have had habits until yesterday.
fn lived(place: &Place) -> (Server, String) {
    let token = token(place, "ingest,read");
    let server = Server::start(place, &[]);
    server.post(
        "/v1/events?source=idp",
        &token,
        &past_from(now() - 41 * DAY, PEOPLE, 40),
    );
    for person in 0..PEOPLE {
        let path = format!("/v1/accounts/user{person}@example.com");
        server.wait_until(&token, &path, |account| account["logins"] == 40);
    }
    (server, token)
}

#[test]
fn times_that_cannot_be_true_poison_and_stop_nothing() {
    let place = Place::new();
    let (server, token) = lived(&place);
    let strange = [
        0,
        -1,
        1,
        i64::from(i32::MAX) * 1_000,
        i64::from(i32::MAX) * 1_000 + 1_000,
        4_102_444_800_000,
        now() + HOUR,
        now() + 6 * HOUR,
        now() + 365 * DAY,
        now() - 365 * DAY,
        now() - 6 * HOUR,
        now() * 1_000,
        now() / 1_000,
        i64::MAX,
        i64::MIN,
    ];
    for (at, time) in strange.into_iter().enumerate() {
        let event = login(&format!("t-{at}"), "user0@example.com", time, AWAY);
        let answer = server.post("/v1/events?source=skewed", &token, &event);
        assert_eq!(answer.status, 200, "{time}: {}", answer.body);
        let (taken, refused) = (
            answer.json()["accepted"].clone(),
            answer.json()["rejected"].clone(),
        );
        assert!(
            taken == 1 || refused.as_array().unwrap().len() == 1,
            "{time}: {}",
            answer.body
        );
    }
    // The hours after, everything goes on: who is usual is usual, who is taken over is found, at once.
    let usual = login("usual", "user4@example.com", now(), HOME);
    server.post("/v1/events?source=idp", &token, &usual);
    let account = server.wait_until(&token, "/v1/accounts/user4@example.com", |account| {
        account["logins"] == 41
    });
    assert!(
        account["events"][0]["risk_score"].as_f64().unwrap() < 40.0,
        "{account:#}"
    );
    let taken = login("taken", "user3@example.com", now(), AWAY);
    server.post("/v1/events?source=idp", &token, &taken);
    server.wait_until(&token, "/v1/findings", |page| {
        let items = page["items"].as_array().unwrap();
        items
            .iter()
            .any(|item| item["account"] == "user3@example.com" && item["state"] == "new")
    });
    nothing_was_learned_from_the_future(&server, &token);
    server.terminate();
    let verified = place.run(&["verify", "--data-dir", "data", "--json"]).ok();
    let report: Value = serde_json::from_str(&verified).unwrap();
    assert_eq!(report["state"]["digest"], report["state"]["from_the_beginning"]);
}

/// Five of those times are ahead of the clock; each is counted, and none is a login of the account.
fn nothing_was_learned_from_the_future(server: &Server, token: &str) {
    let text = server.get("/metrics", token).body;
    let future = text
        .lines()
        .find_map(|line| line.strip_prefix("habitus_events_future_total "));
    assert!(future.unwrap().parse::<u64>().unwrap() >= 5, "{text}");
    let account = server.get("/v1/accounts/user0@example.com", token).json();
    let logins = account["logins"].as_u64().unwrap();
    let events = account["events"].as_array().unwrap();
    let ahead = now() + HOUR / 2;
    for event in events {
        let time: jiff::Timestamp = event["time"].as_str().unwrap().parse().unwrap();
        assert!(time.as_millisecond() < ahead, "{event:#}");
    }
    assert!(logins <= 50, "{logins}");
}

#[test]
fn a_source_that_runs_hours_ahead_hides_nobody_elses_findings() {
    let place = Place::new();
    let (server, token) = lived(&place);
    let ahead: String = (0..200)
        .map(|n| login(&format!("a-{n}"), "user7@example.com", now() + 6 * HOUR + n, HOME) + "\n")
        .collect();
    assert_eq!(
        server.post("/v1/events?source=skewed", &token, &ahead).json()["accepted"],
        200
    );
    for (at, person) in [1, 2].into_iter().enumerate() {
        let account = format!("user{person}@example.com");
        let time = now() - i64::try_from(at).unwrap();
        server.post(
            "/v1/events?source=idp",
            &token,
            &login(&format!("x-{at}"), &account, time, AWAY),
        );
    }
    server.wait_until(&token, "/v1/findings", |page| {
        let told = page.to_string();
        told.contains("user1@example.com") && told.contains("user2@example.com")
    });
    // What is really happening is not late because of it.
    let text = server.get("/metrics", &token).body;
    assert!(text.contains("habitus_events_late_total 0"), "{text}");
    server.terminate();
}
