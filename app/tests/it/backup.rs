//! Copies of a server that runs, brought back elsewhere.

use crate::server::{Server, token};
use crate::support::{MONDAY, Place};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

fn batch(number: usize) -> String {
    let one = |event: usize| {
        let time = MONDAY + i64::try_from(event).unwrap() * 500;
        let account = format!("user{}@example.com", event % 9);
        let event = json!({
            "class_uid": 3002, "activity_id": 1, "category_uid": 3, "type_uid": 300_201, "severity_id": 1, "status_id": 1,
            "time": time, "metadata": { "uid": format!("b-{event}"), "version": "1.8.0", "product": { "name": "idp" } },
            "user": { "uid": account, "name": account },
            "src_endpoint": { "ip": format!("203.0.113.{}", event % 11), "location": { "country": "DE" } },
        });
        event.to_string() + "\n"
    };
    (number * 30..(number + 1) * 30).map(one).collect()
}

fn verified(place: &Place, arguments: &[&str]) -> Value {
    let all = [&["verify", "--json", "--config", "habitus.toml"], arguments].concat();
    serde_json::from_str(&place.run(&all).ok()).unwrap()
}

/// Encrypted, with snapshots and files of what was seen coming often.
fn configure(place: &Place) {
    let key = "0f".repeat(32);
    place.write("key", &key);
    let path = place.path("key");
    let text = format!(
        "[serve]\nsnapshot_events = 200\nencryption_key = \"file:{}\"\n",
        path.display()
    );
    place.write("habitus.toml", text);
}

fn start(place: &Place) -> Server {
    Server::start(place, &["--config", "habitus.toml"])
}

#[test]
fn a_copy_taken_under_load_holds_what_was_acknowledged_and_gives_the_same_state() {
    let place = Place::new();
    configure(&place);
    let token = token(&place, "ingest,read");
    let server = start(&place);
    let (sent, ends) = (AtomicUsize::new(0), AtomicBool::new(false));
    let before: Vec<usize> = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ends.load(Ordering::Acquire) {
                let answer = server.post("/v1/events", &token, &batch(sent.load(Ordering::Acquire)));
                assert_eq!(answer.status, 200, "{}", answer.body);
                sent.fetch_add(1, Ordering::AcqRel);
            }
        });
        let copies = ["one.tar.zst", "two.tar", "three"];
        let taken = copies.map(|name| {
            let wanted = sent.load(Ordering::Acquire) + 12;
            while sent.load(Ordering::Acquire) < wanted {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            let acknowledged = sent.load(Ordering::Acquire);
            let told = place
                .run(&["backup", "--data-dir", "data", "--to", name, "--json"])
                .ok();
            let told: Value = serde_json::from_str(&told).unwrap();
            assert!(told["files"].as_u64().unwrap() >= 8, "{told:#}");
            acknowledged
        });
        ends.store(true, Ordering::Release);
        taken.into()
    });
    server.terminate();
    for (name, acknowledged) in ["one.tar.zst", "two.tar", "three"].into_iter().zip(before) {
        let restored = place
            .run(&[
                "restore",
                "--config",
                "habitus.toml",
                "--from",
                name,
                "--data-dir",
                "elsewhere",
                "--json",
            ])
            .ok();
        let restored: Value = serde_json::from_str(&restored).unwrap();
        let state = &restored["verified"]["state"];
        assert_eq!(state["digest"], state["from_the_beginning"], "{name}: {state:#}");
        // Up to where the copy comes, the original gives the same state.
        let until = state["position"].to_string();
        let original = verified(&place, &["--data-dir", "data", "--until", &until]);
        assert_eq!(
            (&original["digest"], &original["position"]),
            (&state["digest"], &state["position"]),
            "{name}"
        );
        all_is_known(&place, &token, acknowledged);
        std::fs::remove_dir_all(place.path("elsewhere")).unwrap();
    }
}

/// A server on what was restored knows every event that was acknowledged before the copy was begun, and goes on.
fn all_is_known(place: &Place, token: &str, acknowledged: usize) {
    place.write("elsewhere/told", "");
    std::fs::rename(place.path("data"), place.path("original")).unwrap();
    std::fs::rename(place.path("elsewhere"), place.path("data")).unwrap();
    let server = start(place);
    for number in 0..acknowledged {
        let answer = server.post("/v1/events", token, &batch(number)).json();
        assert_eq!(
            (&answer["accepted"], &answer["duplicates"]),
            (&json!(0), &json!(30)),
            "batch {number}"
        );
    }
    let answer = server.post("/v1/events", token, &batch(1_000_000)).json();
    assert_eq!(answer["accepted"], 30);
    server.terminate();
    let report = verified(place, &["--data-dir", "data"]);
    assert_eq!(report["audit"]["broken"], Value::Null);
    assert_eq!(report["state"]["digest"], report["state"]["from_the_beginning"]);
    std::fs::rename(place.path("data"), place.path("elsewhere")).unwrap();
    std::fs::rename(place.path("original"), place.path("data")).unwrap();
}

#[test]
fn nothing_is_overwritten_and_no_damaged_copy_is_restored() {
    let place = Place::new();
    configure(&place);
    let nothing = place.run(&["backup", "--data-dir", "data", "--to", "copy"]);
    assert_eq!(nothing.code, 65, "{}", nothing.stderr);
    assert!(nothing.stderr.contains("nothing to copy"), "{}", nothing.stderr);
    let token = token(&place, "ingest,read");
    let server = start(&place);
    server.post("/v1/events", &token, &batch(0));
    server.terminate();
    place.run(&["backup", "--data-dir", "data", "--to", "copy"]).ok();
    let again = place.run(&["backup", "--data-dir", "data", "--to", "copy"]);
    assert_eq!(again.code, 69, "{}", again.stderr);
    assert!(again.stderr.contains("not overwritten"), "{}", again.stderr);
    let restore = |into: &str, config: &str| {
        place.run(&[
            "restore",
            "--config",
            config,
            "--from",
            "copy",
            "--data-dir",
            into,
        ])
    };
    let over = restore("data", "habitus.toml");
    assert_eq!(over.code, 69, "{}", over.stderr);
    assert!(over.stderr.contains("not overwritten"), "{}", over.stderr);

    // Without the key it cannot be looked at, and so it is not taken.
    place.write("plain.toml", "");
    let keyless = restore("new", "plain.toml");
    assert_eq!(keyless.code, 69, "{}", keyless.stderr);
    assert!(keyless.stderr.contains("encryption_key"), "{}", keyless.stderr);
    every_damage_is_named(&place, &restore);
    assert!(!place.path("new").exists() && !place.path("new.restoring").exists());
    std::fs::remove_file(place.path("copy/backup.json")).unwrap();
    let unfinished = restore("new", "habitus.toml");
    assert!(
        unfinished.stderr.contains("no finished copy"),
        "{}",
        unfinished.stderr
    );
}

fn every_damage_is_named(place: &Place, restore: &dyn Fn(&str, &str) -> crate::support::Ended) {
    let mut files = Vec::new();
    walk(&place.path("copy"), &mut files);
    assert!(files.len() > 6, "{files:?}");
    for file in files.iter().filter(|file| !file.ends_with("backup.json")) {
        let whole = std::fs::read(file).unwrap();
        if whole.is_empty() {
            continue;
        }
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        std::fs::write(file, &damaged).unwrap();
        let refused = restore("new", "habitus.toml");
        assert_eq!(refused.code, 65, "{file}: {}", refused.stderr);
        let name = Path::new(file)
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        assert!(refused.stderr.contains(&name), "{file}: {}", refused.stderr);
        std::fs::write(file, &whole).unwrap();
    }
}

fn walk(dir: &Path, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path.to_string_lossy().into_owned());
        }
    }
}
