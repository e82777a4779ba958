//! A process that follows files is killed at random moments and started again.
//!
//! The process is this test binary, which runs the ignored test [`child_that_is_killed`].

use crate::support::{Collector, wiring};
use async_trait::async_trait;
use habitus_sources::live::{Accepted, LiveBatch, Refused, Sink, SourceKind, SourceSettings, spawn};
use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Starts this binary again as a child that does `task`.
pub fn child(task: &str, paths: &[&Path]) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "crash::child_that_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env("HABITUS_TEST_TASK", task)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    for (n, path) in paths.iter().enumerate() {
        command.env(format!("HABITUS_TEST_PATH{n}"), path);
    }
    command.spawn().unwrap()
}

/// Stable storage of the child: a file that it appends to and syncs before it accepts.
struct Disk(Mutex<File>);

#[async_trait]
impl Sink for Disk {
    async fn submit(&self, batch: LiveBatch) -> Result<Accepted, Refused> {
        let mut file = self.0.lock().unwrap();
        file.write_all(&batch.records).unwrap();
        file.sync_data().unwrap();
        Ok(Accepted::default())
    }
}

#[test]
#[ignore = "runs as a child of other tests"]
fn child_that_is_killed() {
    let Ok(task) = env::var("HABITUS_TEST_TASK") else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    match task.as_str() {
        "stdin" => runtime.block_on(follow_stdin()),
        "tail" => runtime.block_on(follow_files()),
        other => panic!("{other}"),
    }
}

async fn follow_stdin() {
    let sink = Arc::new(Collector::default());
    let settings = [SourceSettings::new(SourceKind::Stdin, "pipe")];
    let mut running = spawn(&settings, &wiring(sink.clone(), "/nonexistent".as_ref()))
        .await
        .unwrap();
    assert!(running.join(Duration::from_secs(20)).await, "ends with its input");
    println!();
    for line in sink.lines() {
        println!("got {line}");
    }
}

async fn follow_files() {
    let path = |n: usize| PathBuf::from(env::var_os(format!("HABITUS_TEST_PATH{n}")).unwrap());
    let out = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path(1))
        .unwrap();
    let mut settings = SourceSettings::new(SourceKind::Tail, "auth");
    settings.paths = vec![path(0)];
    let wiring = wiring(Arc::new(Disk(Mutex::new(out))), &path(2));
    let mut running = spawn(&[settings], &wiring).await.unwrap();
    running.join(Duration::from_secs(60)).await;
}

#[test]
fn kills_repeat_some_lines_and_lose_none() {
    const LINES: usize = 60_000;
    const KILLS: usize = 12;
    let dir = tempfile::tempdir().unwrap();
    let (logs, out) = (dir.path().join("log"), dir.path().join("out"));
    let (log, state) = (logs.join("auth.log"), dir.path().join("state"));
    fs::create_dir(&logs).unwrap();
    let writer = std::thread::spawn(move || write(&log, LINES));
    // Moments that differ and come again: a seed, no entropy.
    let mut moment = 12_345_u64;
    for _ in 0..KILLS {
        let mut child = child("tail", &[&logs, &out, &state]);
        moment = moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        std::thread::sleep(Duration::from_millis(100 + (moment >> 33) % 700));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    writer.join().unwrap();
    let mut child = child("tail", &[&logs, &out, &state]);
    let counts = wait_for_all(&out, LINES);
    child.kill().unwrap();
    child.wait().unwrap();
    let repeated: usize = counts.values().map(|count| count - 1).sum();
    println!("{LINES} lines, {KILLS} kills, {repeated} came again");
    assert!(repeated < LINES * 3, "checkpoints are of use: {repeated}");
}

/// Numbered lines, with a rotation every 9,973.
fn write(log: &Path, lines: usize) {
    let open = || OpenOptions::new().append(true).create(true).open(log).unwrap();
    let mut file = open();
    for n in 0..lines {
        file.write_all(format!("line {n:07} of what a daemon logs\n").as_bytes())
            .unwrap();
        if n % 9_973 == 9_972 {
            fs::rename(log, log.with_extension(format!("log.{}", n / 9_973))).unwrap();
            file = open();
        }
        if n % 100 == 0 {
            std::thread::sleep(Duration::from_millis(8));
        }
    }
}

/// How often each line came, once all are there.
fn wait_for_all(out: &Path, lines: usize) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for _ in 0..300 {
        counts.clear();
        // A line that a kill cut in two is completed by its next coming, on the same line of the file.
        for line in fs::read_to_string(out).unwrap_or_default().lines() {
            let at = line.rfind("line ").unwrap_or(0);
            if let Some(line) = line.get(at..).filter(|line| line.ends_with("logs")) {
                *counts.entry(line.to_owned()).or_insert(0) += 1;
            }
        }
        if counts.len() == lines {
            return counts;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let missing = (0..lines).find(|n| !counts.contains_key(&format!("line {n:07} of what a daemon logs")));
    panic!(
        "{} of {lines} lines; the first missing is {missing:?}",
        counts.len()
    );
}
