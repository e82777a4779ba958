//! Every command in the documentation runs.

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
    let binary = Path::new(env!("CARGO_BIN_EXE_habitus")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    for script in scripts {
        let place = Place::new();
        files(&place);
        let mut shell = Command::new("sh");
        // A command that ends with 1 has found something, as the document says.
        let guarded = format!("set -e\n{script}");
        let output = shell
            .args(["-c", &guarded])
            .current_dir(place.dir())
            .env("PATH", &path)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{document}:\n{script}\n{stderr}");
    }
}

#[test]
fn the_commands_of_replay_run() {
    run("docs/replay.md");
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
