//! Findings over the API, as people work on them: everything that a finding has, and everything that is done to one.

use crate::server::{Server, token};
use crate::support::{BERLIN, DAY, MONDAY, Place, SYDNEY, history, login, ndjson, takeover};
use serde_json::{Value, json};

fn start(place: &Place) -> Server {
    place.write("habitus.toml", "[serve]\nlateness_seconds = 1\n");
    Server::start(place, &["--config", "habitus.toml"])
}

fn send(server: &Server, token: &str, events: &[Value]) {
    let answer = server.post("/v1/events", token, &ndjson(events));
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// The finding of an account, when all its events have had their turn.
fn settled(server: &Server, token: &str, (account, count): (&str, u64)) -> Value {
    let list = format!("/v1/findings?account={account}");
    let page = server.wait_until(token, &list, |page| page["items"][0]["count"] == count);
    assert_eq!(page["items"].as_array().unwrap().len(), 1, "{page:#}");
    let path = format!("/v1/findings/{}", page["items"][0]["id"].as_str().unwrap());
    server.wait_until(token, &path, |finding| {
        finding["count"] == count && !finding["key"].to_string().contains("settled")
    })
}

fn done(server: &Server, token: &str, (id, what): (&str, &str), body: &Value) -> Value {
    let answer = server.post(&format!("/v1/findings/{id}/{what}"), token, &body.to_string());
    assert_eq!(answer.status, 200, "{what}: {}", answer.body);
    answer.json()
}

fn id(finding: &Value) -> &str {
    finding["id"].as_str().unwrap()
}

#[test]
fn a_finding_is_previewed_judged_taken_back_and_worked_on() {
    let place = Place::new();
    let token = token(&place, "ingest,read,triage");
    let server = start(&place);
    send(&server, &token, &history());
    // The same stands out of two accounts: a campaign has three.
    send(
        &server,
        &token,
        &[
            takeover("odd-3", "p3@example.com"),
            takeover("odd-5", "p5@example.com"),
        ],
    );
    let (first, other) = (
        settled(&server, &token, ("p3@example.com", 1)),
        settled(&server, &token, ("p5@example.com", 1)),
    );
    assert_eq!(
        (&first["state"], &first["verdict"], &first["assignee"]),
        (&json!("new"), &json!(null), &json!(null))
    );
    assert_eq!(first["first_seen"], first["last_seen"]);
    assert!(first["risk_score"].as_f64().unwrap() >= 60.0 && first["events"][0]["uid"] == "odd-3");

    let ask = |similar: bool| json!({"verdict": "false_positive", "note": "on a trip", "similar": similar});
    let preview = done(&server, &token, (id(&first), "verdict?dry_run=true"), &ask(false));
    let effect = &preview["effect"];
    assert_eq!(
        (&preview["dry_run"], &preview["finding"]["state"]),
        (&json!(true), &json!("new"))
    );
    assert_eq!(effect["learns"], json!(["odd-3"]));
    assert_eq!(
        (&effect["closes"], &effect["similar"]),
        (&json!([id(&first)]), &json!([id(&other)]))
    );
    let (before, after) = (effect["score_before"].as_f64(), effect["score_after"].as_f64());
    assert!(
        before == first["risk_score"].as_f64() && after < before,
        "{effect:#}"
    );
    assert!(
        effect["text"]
            .as_str()
            .unwrap()
            .contains("1 event enters the baseline"),
        "{effect:#}"
    );
    let both = done(&server, &token, (id(&first), "verdict?dry_run=true"), &ask(true));
    assert_eq!(both["effect"]["closes"].as_array().unwrap().len(), 2, "{both:#}");
    let untouched = server.get(&format!("/v1/findings/{}", id(&first)), &token).json();
    assert_eq!(
        (&untouched["state"], &untouched["history"]),
        (&json!("new"), &json!([])),
        "asking changes nothing"
    );

    let given = done(&server, &token, (id(&first), "verdict"), &ask(true));
    assert_eq!(
        given["effect"]["closes"], both["effect"]["closes"],
        "what was foretold is what happened"
    );
    let state = |id: &str| server.get(&format!("/v1/findings/{id}"), &token).json()["state"].clone();
    assert_eq!(
        (state(id(&first)), state(id(&other))),
        (json!("closed"), json!("closed"))
    );
    let undone = done(&server, &token, (id(&first), "undo"), &json!({}));
    assert_eq!(
        undone["effect"]["unlearns"].as_array().unwrap().len(),
        2,
        "{undone:#}"
    );
    assert_eq!(undone["effect"]["opens"].as_array().unwrap().len(), 2);
    assert_eq!(
        (state(id(&first)), state(id(&other))),
        (json!("new"), json!("new"))
    );
    server.terminate();
}

#[test]
fn a_finding_keeps_its_notes_and_history_and_a_new_event_opens_it_again() {
    let place = Place::new();
    let token = token(&place, "ingest,read,triage");
    let server = start(&place);
    send(&server, &token, &history());
    send(&server, &token, &[takeover("odd-3", "p3@example.com")]);
    let first = settled(&server, &token, ("p3@example.com", 1));
    done(
        &server,
        &token,
        (id(&first), "notes"),
        &json!({"text": "called her: not she"}),
    );
    done(
        &server,
        &token,
        (id(&first), "verdict"),
        &json!({"verdict": "true_positive"}),
    );
    let mut again = takeover("odd-3b", "p3@example.com");
    again["time"] = json!(again["time"].as_i64().unwrap() + 600_000);
    send(&server, &token, &[again.clone()]);
    let path = format!("/v1/findings/{}", id(&first));
    let reopened = server.wait_until(&token, &path, |finding| finding["state"] == "new");
    assert_eq!(reopened["count"], 2);
    assert_eq!((id(&reopened), &reopened["state"]), (id(&first), &json!("new")));
    assert_eq!(
        reopened["last_seen"]
            .as_str()
            .map(|t| t > first["last_seen"].as_str().unwrap()),
        Some(true)
    );
    let told = |finding: &Value, list: &str| -> Vec<String> {
        let all = finding[list].as_array().unwrap().iter();
        all.map(|one| one["text"].as_str().unwrap().to_owned()).collect()
    };
    let history = [
        "note written",
        "verdict true_positive",
        "opened again by event odd-3b",
    ];
    assert_eq!(told(&reopened, "history"), history);
    assert_eq!(told(&reopened, "notes"), ["called her: not she"]);
    server.terminate();
    // The same events again, and the same log read again: the same finding with the same id.
    let server = start(&place);
    let answer = server.post("/v1/events", &token, &again.to_string()).json();
    assert_eq!(answer["duplicates"], 1);
    let kept = settled(&server, &token, ("p3@example.com", 2));
    assert_eq!(
        (id(&kept), told(&kept, "history")),
        (id(&first), history.map(str::to_owned).to_vec())
    );
    server.terminate();
}

#[test]
fn a_flood_of_findings_becomes_one() {
    let place = Place::new();
    let token = token(&place, "ingest,read,triage");
    let server = start(&place);
    let person = |n: i64| format!("user{n}@example.com");
    let mut past = Vec::new();
    for day in 0..60 {
        for n in 0..70 {
            let mut event = login(
                &format!("h-{day}-{n}"),
                &person(n),
                MONDAY + day * DAY + n * 61_000,
                BERLIN,
            );
            event["src_endpoint"]["ip"] = json!(format!("93.184.216.{}", 10 + n));
            past.push(event);
        }
    }
    send(&server, &token, &past);
    let flood: Vec<Value> = (0..70)
        .map(|n| {
            let mut event = login(
                &format!("odd-{n}"),
                &person(n),
                MONDAY + 60 * DAY + n * 1_000,
                SYDNEY,
            );
            // From somewhere else each, so that it is no campaign.
            event["src_endpoint"]["ip"] = json!(format!("185.{}.1.9", 10 + n));
            event["src_endpoint"]["autonomous_system"]["number"] = json!(65_000 + n);
            event["http_request"]["user_agent"] = json!("python-requests/2.32.3");
            event
        })
        .collect();
    send(&server, &token, &flood);
    let page = server.wait_until(&token, "/v1/findings?limit=200", |page| {
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["behaviour"] == "storm")
    });
    let rows = page["items"].as_array().unwrap();
    let storm = rows.iter().find(|row| row["behaviour"] == "storm").unwrap();
    assert!(rows.len() <= 2 * 50 + 2, "{} rows", rows.len());
    assert!(
        storm["title"].as_str().unwrap().contains("more findings at once"),
        "{storm:#}"
    );
    // What it folds is still there, and says so.
    let shown: Vec<&str> = rows.iter().filter_map(|row| row["account"].as_str()).collect();
    let folded = (0..70)
        .map(person)
        .find(|name| !shown.contains(&name.as_str()))
        .unwrap();
    let account = server.get(&format!("/v1/accounts/{folded}"), &token).json();
    let findings = account["findings"].as_array().unwrap();
    let own = findings.iter().find(|row| row["behaviour"] == "access").unwrap();
    let finding = id(own);
    let key = server.get(&format!("/v1/findings/{finding}"), &token).json()["key"].to_string();
    assert!(key.contains("folded into storm"), "{key}");
    server.terminate();
}
