use crate::support::{Collector, Started};
use habitus_sources::live::{SourceKind, SourceSettings};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

fn settings(path: PathBuf) -> SourceSettings {
    let mut settings = SourceSettings::new(SourceKind::Tail, "auth");
    settings.paths = vec![path];
    settings
}

async fn start(path: PathBuf, state: &Path, sink: &Arc<Collector>) -> Started {
    Started::with(&[settings(path)], sink.clone(), state)
        .await
        .unwrap()
}

/// Writes `lines` numbered lines and gives the log away every `every` of them, some seconds apart: a poll must fall in
/// between.
fn write_and_rotate(log: PathBuf, lines: usize, every: usize, rotate: fn(&Path, usize)) {
    let open = || OpenOptions::new().append(true).create(true).open(&log).unwrap();
    let mut file = open();
    for n in 0..lines {
        let line = format!("<38>Jan  5 10:00:00 h sshd[1]: line {n:07}\n");
        // In two pieces now and then, so that half lines are seen.
        let (head, tail) = line.split_at(if n % 7 == 0 { n % line.len() } else { line.len() });
        file.write_all(head.as_bytes()).unwrap();
        file.write_all(tail.as_bytes()).unwrap();
        if n % every == every - 1 {
            rotate(&log, n / every);
            file = open();
        }
        if n % 100 == 0 {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

async fn every_line_comes_once(rotate: fn(&Path, usize), is_directory: bool) {
    const LINES: usize = 60_000;
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log/auth.log");
    fs::create_dir(dir.path().join("log")).unwrap();
    let path = if is_directory {
        dir.path().join("log")
    } else {
        log.clone()
    };
    let sink = Arc::new(Collector::default());
    let started = start(path, &dir.path().join("state"), &sink).await;
    let writer = std::thread::spawn(move || write_and_rotate(log, LINES, 15_013, rotate));
    let mut lines = sink.wait_for(LINES, 120).await;
    writer.join().unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(sink.lines().len(), LINES, "nothing twice");
    lines.sort();
    for (n, line) in lines.iter().enumerate() {
        assert!(line.ends_with(&format!(" {n:07}")), "{n}: {line}");
    }
    let (health, _) = started.stop().await;
    assert_eq!((health.faults, health.dropped), (0, 0), "{health:?}");
}

fn rename(log: &Path, n: usize) {
    fs::rename(log, log.with_extension(format!("log.{n}"))).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renaming_under_load_loses_and_repeats_nothing() {
    every_line_comes_once(rename, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renaming_in_a_directory_under_load_loses_and_repeats_nothing() {
    every_line_comes_once(rename, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copying_and_truncating_under_load_loses_and_repeats_nothing() {
    every_line_comes_once(
        |log, n| {
            // The writer waits meanwhile: what is written between copy and truncation is lost to everybody.
            fs::copy(log, log.with_extension(format!("log.{n}"))).unwrap();
            OpenOptions::new()
                .write(true)
                .open(log)
                .unwrap()
                .set_len(0)
                .unwrap();
        },
        false,
    )
    .await;
}

/// With the program that rotates logs on most hosts, in each of its ways. Where it is not installed this says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logrotate_loses_and_repeats_nothing() {
    let Some(logrotate) = crate::senders::program("logrotate", "HABITUS_LOGROTATE") else {
        return;
    };
    for way in [
        "create",
        "create\ncompress",
        "copytruncate",
        "copytruncate\ncompress\ndelaycompress",
        "nocreate",
    ] {
        for is_pattern in [false, true] {
            rotated_by(&logrotate, way, is_pattern).await;
        }
    }
}

async fn rotated_by(logrotate: &str, way: &str, is_pattern: bool) {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("auth.log");
    let config = dir.path().join("logrotate.conf");
    fs::write(&config, format!("{} {{\nrotate 4\n{way}\n}}\n", log.display())).unwrap();
    let path = if is_pattern {
        dir.path().join("auth.log*")
    } else {
        log.clone()
    };
    fs::write(&log, "line 0 of a log that is rotated\n").unwrap();
    let sink = Arc::new(Collector::default());
    let started = start(path, &dir.path().join("state"), &sink).await;
    for n in 1..=3 {
        sink.wait_for(n * 2 - 1, 20).await;
        append(&log, &format!("line {} before\n", n * 2 - 1));
        let status = std::process::Command::new(logrotate)
            .arg("--force")
            .arg("--state")
            .arg(dir.path().join("logrotate.state"))
            .arg(&config)
            .status();
        assert!(status.unwrap().success());
        append(&log, &format!("line {} after\n", n * 2));
    }
    let mut lines = sink.wait_for(7, 20).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(sink.lines().len(), 7, "{way}: {:?}", sink.lines());
    lines.sort();
    for (n, line) in lines.iter().enumerate() {
        assert!(line.starts_with(&format!("line {n} ")), "{way}: {lines:?}");
    }
    started.stop().await;
}

fn append(log: &Path, line: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(log).unwrap();
    file.write_all(line.as_bytes()).unwrap();
}

#[tokio::test]
async fn a_refusing_sink_makes_files_wait() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("auth.log");
    fs::write(&log, "one\ntwo\n").unwrap();
    let sink = Arc::new(Collector::default());
    sink.refuses.store(true, SeqCst);
    let started = start(log.clone(), &dir.path().join("state"), &sink).await;
    started.wait_health("refused", |health| health.refused > 3).await;
    // Stopped while it refuses: nothing was accepted, so nothing is forgotten.
    let (health, lines) = started.stop().await;
    assert_eq!((lines.len(), health.dropped), (0, 0));
    sink.refuses.store(false, SeqCst);
    let started = start(log, &dir.path().join("state"), &sink).await;
    assert_eq!(sink.wait_for(2, 10).await, ["one", "two"]);
    started.stop().await;
}

#[tokio::test]
async fn ids_are_the_same_when_lines_come_again() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("auth.log");
    fs::write(&log, "same\nsame\nother\n").unwrap();
    let mut runs = Vec::new();
    for state in ["1", "2"] {
        let sink = Arc::new(Collector::default());
        let started = start(log.clone(), &dir.path().join(state), &sink).await;
        sink.wait_for(3, 10).await;
        started.stop().await;
        let batch = sink.batches().remove(0);
        let place = batch.checkpoint.unwrap();
        let ids: Vec<u128> = batch.iter().map(|(at, line)| place.record_id(at, line)).collect();
        runs.push(ids);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0][0], runs[0][1]);
}

#[tokio::test]
async fn checkpoints_that_cannot_be_kept_are_an_error() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("state"), "a file").unwrap();
    let sink = Arc::new(Collector::default());
    let settings = settings(dir.path().join("auth.log"));
    let failed = Started::with(&[settings], sink, &dir.path().join("state")).await;
    let text = failed.err().unwrap().to_string();
    assert!(text.contains("cannot keep its checkpoints"), "{text}");
}

/// Standard input of a child of this very test, which ends with it.
#[test]
fn standard_input_is_followed_to_its_end() {
    let long = "x".repeat(300_000);
    let mut child = crate::crash::child("stdin", &[]);
    let mut input = child.stdin.take().unwrap();
    input
        .write_all(format!("one\r\n\n{long}\nlast").as_bytes())
        .unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let got: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("got "))
        .collect();
    assert_eq!(got, ["one", long.as_str(), "last"]);
}
