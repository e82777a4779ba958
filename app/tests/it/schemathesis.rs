//! Schemathesis against the served OpenAPI document of a real server (RELIABILITY S-02).
//!
//! `cargo xtask test` makes the virtual environment and runs this; `HABITUS_SCHEMATHESIS_EXAMPLES` and
//! `HABITUS_SCHEMATHESIS_SEED` make longer and other runs.

use crate::serve::{AWAY, login, past};
use crate::server::{Server, token};
use crate::support::{DAY, MONDAY, Place};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Cases of each operation and phase: together about 2,000 requests (RELIABILITY S-02, the size for every change).
const EXAMPLES: &str = "30";

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn setting(name: &str, usual: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| usual.to_owned())
}

#[test]
#[ignore = "needs Schemathesis: a step of `cargo xtask test`"]
fn schemathesis_finds_nothing() {
    let place = Place::new();
    place.write("habitus.toml", "[serve]\ntrusted_proxies = [\"127.0.0.1/32\"]\n");
    let token = token(&place, "ingest,read,triage,act,admin");
    let server = Server::start(&place, &["--config", "habitus.toml"]);
    let finding = seed(&server, &token);
    let tokens = server.get("/v1/tokens", &token).json();
    let own = tokens[0]["id"].as_str().unwrap().to_owned();
    place.write("openapi.json", server.get("/openapi.json", &token).body);
    let config = std::fs::read_to_string(here("tests/schemathesis/schemathesis.toml")).unwrap();
    place.write("schemathesis.toml", config + &known_ids(&finding));

    let program = here("../target/schemathesis/bin/st");
    let run = Command::new(&program)
        .args(["--config-file", "schemathesis.toml", "run", "openapi.json"])
        .args(["--url", &format!("http://{}", server.address)])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args([
            "--max-examples",
            &setting("HABITUS_SCHEMATHESIS_EXAMPLES", EXAMPLES),
        ])
        .args(["--seed", &setting("HABITUS_SCHEMATHESIS_SEED", "1")])
        .args(["--no-color", "--continue-on-failure", "--request-timeout", "30"])
        .env("PYTHONPATH", here("tests/schemathesis"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("HABITUS_OWN_TOKEN", &own)
        .current_dir(place.dir())
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask test`", program.display()));
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success(),
        "{told}{}",
        String::from_utf8_lossy(&run.stderr)
    );
    assert!(requests(&told) >= 1_000, "{told}");
    assert_eq!(
        server.get("/v1/findings", &token).status,
        200,
        "the token is still good"
    );
    server.terminate();
}

/// Cases that were generated, by the summary.
fn requests(told: &str) -> u64 {
    let line = told
        .lines()
        .find(|line| line.contains(" generated"))
        .unwrap_or(told);
    let digits: String = line
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().unwrap_or(0)
}

/// Some people and one finding, whose id is returned.
fn seed(server: &Server, token: &str) -> String {
    server.post("/v1/events", token, &past(12, 40));
    let odd = login("odd", "user3@example.com", MONDAY + 41 * DAY, AWAY);
    server.post("/v1/events", token, &odd);
    let has_one = |page: &Value| page["items"].as_array().is_some_and(|all| !all.is_empty());
    let page = server.wait_until(token, "/v1/findings", has_one);
    page["items"][0]["id"].as_str().unwrap().to_owned()
}

/// Configuration that gives operations ids which lead somewhere.
fn known_ids(finding: &str) -> String {
    let mut config = String::new();
    let account = ("/v1/accounts/{id}", "user3@example.com");
    let of_finding = ["", "/assign", "/notes", "/reopen", "/undo", "/verdict"];
    let of_finding = of_finding.map(|what| (format!("/v1/findings/{{id}}{what}"), finding));
    let all = of_finding.into_iter().chain([(account.0.to_owned(), account.1)]);
    for (path, id) in all {
        config.push_str(&format!(
            "\n[[operations]]\ninclude-path = \"{path}\"\nparameters = {{ id = \"{id}\" }}\n"
        ));
    }
    config
}
