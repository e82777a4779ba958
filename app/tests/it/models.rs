//! Champion and challenger over the API and the command line.

use crate::server::{Server, token};
use crate::support::{Place, history, ndjson, takeover};
use serde_json::{Value, json};

const CONFIG: &str = "[serve]\nlateness_seconds = 1\n";

fn start(place: &Place) -> Server {
    place.write("habitus.toml", CONFIG);
    Server::start(place, &["--config", "habitus.toml"])
}

/// A server that knows a tenant.
fn taught(place: &Place) -> (Server, String) {
    let token = token(place, "ingest,read,triage,admin");
    let server = start(place);
    server.post("/v1/events", &token, &ndjson(&history()));
    server.wait_until(&token, "/v1/accounts", |page| page["items"][0]["logins"].is_u64());
    (server, token)
}

fn post(server: &Server, token: &str, path: &str, body: &Value) -> (u16, Value) {
    let answer = server.post(path, token, &body.to_string());
    (answer.status, answer.json())
}

#[test]
fn a_proposed_model_runs_in_shadow_and_is_there_after_a_restart() {
    let place = Place::new();
    let (mut server, token) = taught(&place);
    let (status, models) = post(
        &server,
        &token,
        "/v1/models",
        &json!({ "weights": { "clock": 0.3 } }),
    );
    assert_eq!(status, 200, "{models:#}");
    assert_eq!(models["champion"]["origin"], "configured");
    assert_eq!(models["challenger"]["origin"], "given");
    assert_eq!(models["challenger"]["weights"]["clock"], 0.3);
    assert_eq!(models["challenger"]["weights"]["network"], 1.0);
    // It has not been compared on enough events.
    let (status, refused) = post(&server, &token, "/v1/models/1/promote", &json!({}));
    assert_eq!(status, 409, "{refused:#}");
    assert!(
        refused["detail"].as_str().unwrap().contains("2000 are needed"),
        "{refused:#}"
    );
    assert_eq!(post(&server, &token, "/v1/models/7/promote", &json!({})).0, 404);
    assert_eq!(post(&server, &token, "/v1/models/rollback", &json!({})).0, 409);
    assert_eq!(
        post(
            &server,
            &token,
            "/v1/models",
            &json!({ "weights": { "clock": 99 } })
        )
        .0,
        422
    );
    let audit = server.get("/v1/audit?action=model.propose", &token).json();
    assert_eq!(audit["items"].as_array().map(Vec::len), Some(1), "{audit:#}");
    // A crash, and the log again.
    server.kill();
    let server = start(&place);
    let again = server.get("/v1/models", &token).json();
    assert_eq!(again["challenger"], models["challenger"]);
    server.terminate();
    place.run(&["verify", "--data-dir", "data"]).ok();
}

#[test]
fn verdicts_are_labels_until_they_are_taken_back() {
    let place = Place::new();
    let (server, token) = taught(&place);
    server.post(
        "/v1/events",
        &token,
        &ndjson(&[takeover("odd-3", "p3@example.com")]),
    );
    let page = server.wait_until(&token, "/v1/findings", |page| page["items"][0]["id"].is_string());
    let path = format!("/v1/findings/{}", page["items"][0]["id"].as_str().unwrap());
    let said = json!({ "verdict": "true_positive" });
    let labels = || server.get("/v1/models", &token).json()["labels"].clone();
    server.wait_until(&token, &path, |_| {
        post(&server, &token, &format!("{path}/verdict"), &said).0 == 200
    });
    server.wait_until(&token, "/v1/models", |models| models["labels"]["attacks"] == 1);
    let (status, undone) = post(&server, &token, &format!("{path}/undo"), &json!({}));
    assert_eq!(status, 200, "{undone:#}");
    server.wait_until(&token, "/v1/models", |models| models["labels"]["attacks"] == 0);
    assert_eq!(labels()["false_alarms"], 0);
    server.terminate();
}

#[test]
fn the_command_line_shows_promotes_and_says_why_not() {
    let place = Place::new();
    let (server, token) = taught(&place);
    place.write("admin.token", &token);
    place.write("trial.toml", "[scoring.weights]\nsession = 1.5\n");
    let url = format!("http://{}", server.address);
    let run = |more: &[&str]| {
        let mut arguments = vec!["models", "--server", &url, "--token-file", "admin.token"];
        arguments.extend(more);
        place.run(&arguments)
    };
    let shown = run(&[]).ok();
    assert!(shown.contains("champion    0 (the configuration's)"), "{shown}");
    let proposed = run(&["propose", "trial.toml"]).ok();
    assert!(proposed.contains("weight of session: 1.00 → 1.50"), "{proposed}");
    assert!(proposed.contains("not to be promoted"), "{proposed}");
    let refused = run(&["promote", "1"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("2000 are needed"), "{}", refused.stderr);
    let back = run(&["rollback"]);
    assert!(
        back.stderr.contains("no champion to go back to"),
        "{}",
        back.stderr
    );
    let json: Value = serde_json::from_str(&run(&["list", "--json"]).ok()).unwrap();
    assert_eq!(json["challenger"]["weights"]["session"], 1.5);
    server.terminate();
}
