//! Every command in the documentation runs.

use crate::server::{Server, token};
use crate::support::{Place, history, ndjson, takeover};
use std::path::Path;
use std::process::Command;

/// The blocks marked as shell in a document, one script each.
fn scripts(document: &str) -> Vec<String> {
    let mut scripts = Vec::new();
    let mut current: Option<String> = None;
    for line in document.lines() {
        match (&mut current, line) {
            (None, "```sh") => current = Some(String::new()),
            (Some(_), "```") => scripts.extend(current.take()),
            (Some(script), line) => {
                script.push_str(line);
                script.push('\n');
            }
            (None, _) => {}
        }
    }
    scripts
}

/// The files that the documents speak of.
fn files(place: &Place) {
    let mut events = history();
    events.push(takeover("e-1042", "p3@example.com"));
    place.write("history.ndjson", ndjson(&events));
    place.write("tonight.ndjson", ndjson(&[takeover("probe-1", "p5@example.com")]));
    place.write(
        "auth.log",
        habitus_testkit::fixture_bytes("formats/sshd/sample.log"),
    );
    place.write(
        "okta.json",
        habitus_testkit::fixture_bytes("formats/okta/sample.log"),
    );
    place.write("offices.txt", "203.0.113.0/24\n");
    place.write(
        "habitus.toml",
        "[[enrich.ip_list]]\nname = 'offices'\nkind = 'corporate'\npath = 'offices.txt'\n",
    );
}

fn run(document: &str) {
    let text = std::fs::read_to_string(habitus_testkit::workspace_root().join(document)).unwrap();
    let scripts = scripts(&text);
    assert!(!scripts.is_empty(), "{document} has no commands");
    for script in scripts {
        let place = Place::new();
        files(&place);
        shell(&place, &script, document, &[0]);
    }
}

/// Runs a script of a document where its files are; it must end with one of `codes`.
fn shell(place: &Place, script: &str, document: &str, codes: &[i32]) {
    let binary = Path::new(env!("CARGO_BIN_EXE_habitus")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-c", &format!("set -e\n{script}")])
        .current_dir(place.dir())
        .env("PATH", &path)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let ended = output.status.code().is_some_and(|code| codes.contains(&code));
    assert!(ended, "{document}:\n{script}\n{stderr}");
}

/// Ends a server as Ctrl-C does, after it has had time to start.
const UNTIL_TOLD: &str = "timeout --preserve-status -s INT 12";

/// The README's commands as they are typed, with the binary that is built already: `cargo run --release --` builds it,
/// and what `cargo xtask` does is tested in xtask, which this test would otherwise start anew from within.
#[test]
fn the_commands_of_the_readme_run() {
    let text = std::fs::read_to_string(habitus_testkit::workspace_root().join("README.md")).unwrap();
    let typed = scripts(&text)
        .concat()
        .replace("cargo run --release -- ", "habitus ");
    let (ours, others): (Vec<&str>, Vec<&str>) = typed.lines().partition(|line| line.starts_with("habitus "));
    assert!(
        others.iter().all(|line| line.starts_with("cargo xtask ")),
        "{others:?}"
    );
    assert!(ours.contains(&"habitus try") && ours.len() >= 6, "{ours:?}");
    let place = Place::new();
    files(&place);
    std::fs::create_dir(place.dir().join("cloudtrail")).unwrap();
    for (name, format) in [("cloudtrail/one.json", "cloudtrail"), ("entra.json", "entra")] {
        place.write(
            name,
            habitus_testkit::fixture_bytes(&format!("formats/{format}/sample.log")),
        );
    }
    for line in ours {
        // What runs until it is told to end is told so.
        let script = match line {
            "habitus try" => format!("{UNTIL_TOLD} habitus try --accounts 40 --listen 127.0.0.1:0"),
            "habitus serve" => format!("{UNTIL_TOLD} habitus serve --listen 127.0.0.1:0"),
            _ => line.to_owned(),
        };
        shell(&place, &script, "README.md", &[0, 1]);
    }
    assert!(place.dir().join("habitus-data/access.json").exists());
}

#[test]
fn the_commands_of_replay_run() {
    run("docs/replay.md");
}

#[test]
fn the_commands_of_simulation_run() {
    run("docs/simulation.md");
}

#[test]
fn the_commands_of_findings_run() {
    run("docs/findings.md");
}

#[test]
fn the_commands_of_operations_run() {
    let document = "docs/operations.md";
    let text = std::fs::read_to_string(habitus_testkit::workspace_root().join(document)).unwrap();
    let scripts = scripts(&text);
    assert!(scripts.len() >= 4, "{scripts:#?}");
    for script in scripts {
        // Where a server has run.
        let place = Place::new();
        let token = token(&place, "ingest");
        let server = Server::start(&place, &[]);
        server.post("/v1/events", &token, &ndjson(&history()));
        server.terminate();
        std::fs::rename(place.path("data"), place.path("habitus-data")).unwrap();
        shell(&place, &script, document, &[0]);
    }
}

#[test]
fn the_commands_of_learning_run() {
    let document = "docs/learning.md";
    let text = std::fs::read_to_string(habitus_testkit::workspace_root().join(document)).unwrap();
    let scripts = scripts(&text);
    assert!(scripts.len() >= 2, "{scripts:#?}");
    let place = Place::new();
    let token = token(&place, "ingest,read,admin");
    place.write("admin.token", &token);
    let server = Server::start(&place, &[]);
    server.post("/v1/events", &token, &ndjson(&history()));
    server.wait_until(&token, "/v1/accounts", |page| page["items"][0]["logins"].is_u64());
    for script in scripts {
        let there = format!("export HABITUS_SERVER=http://{}\n{script}", server.address);
        shell(&place, &there, document, &[0]);
    }
    let models = server.get("/v1/models", &token).json();
    assert_eq!(models["challenger"]["weights"]["clock"], 0.4, "{models:#}");
    server.terminate();
}

#[test]
fn the_commands_of_configuration_run() {
    run("docs/configuration.md");
}

#[test]
fn the_example_configuration_holds() {
    let text =
        std::fs::read_to_string(habitus_testkit::workspace_root().join("docs/configuration.md")).unwrap();
    let example = text
        .split("```toml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let place = Place::new();
    place.write("habitus.toml", example);
    place.run(&["check", "config", "--offline", "habitus.toml"]).ok();
}
