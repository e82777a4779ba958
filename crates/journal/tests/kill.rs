//! R-01 on real files: a process that appends under load is killed at random moments, again and again, and nothing that it
//! acknowledged may be missing. 100 kills; `HABITUS_SOAK=10` makes them 1,000.
#![expect(
    clippy::unwrap_used,
    reason = "a test; the lint's own exception does not cover helpers of integration tests"
)]

use habitus_journal::group::{Committer, GroupSettings, Journal};
use habitus_journal::log::{Entry, Log, Position, Retention, Settings};
use habitus_journal::outbox::{Item, Outbox};
use habitus_journal::snapshot::{Snapshot, Snapshots};
use habitus_journal::storage::RealFs;
use habitus_journal::{Key, Keyring};
use habitus_model::{IngestTime, TenantId};
use oorandom::Rand32;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Tells the child where to work; without it the child's test does nothing.
const FOLDER: &str = "HABITUS_KILL_FOLDER";

fn settings() -> Settings {
    Settings {
        segment_bytes: 64 * 1024,
        ..Settings::default()
    }
    .encrypted(Key::new([4; 32]))
}

fn now() -> IngestTime {
    IngestTime::from_millis(1_700_000_000_000).unwrap()
}

fn own(folder: &Path, name: &str) -> Arc<RealFs> {
    Arc::new(RealFs::own(&folder.join(name)).unwrap())
}

fn soak() -> u32 {
    let times = std::env::var("HABITUS_SOAK").ok();
    times.and_then(|times| times.parse().ok()).unwrap_or(1)
}

/// Not a test of its own: what the killed process does.
#[test]
fn child_appends_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let (log, _) = Log::open(own(&folder, "log"), settings()).unwrap();
    let maintenance = log.maintenance(Retention::default());
    let committer = Committer::start(log, GroupSettings::default(), Box::new(drop)).unwrap();
    let keys = Keyring::of(Key::new([4; 32]));
    let snapshots = Snapshots::open(own(&folder, "snapshots"), keys.clone()).unwrap();
    let (mut outbox, _) = Outbox::open(own(&folder, "outbox"), keys).unwrap();
    let life = outbox.position().0;
    thread::scope(|scope| {
        for worker in 0..3 {
            let committer = &committer;
            scope.spawn(move || append_for_ever(committer, worker));
        }
        scope.spawn(|| {
            for number in 0.. {
                maintenance.run(now(), Position(0)).unwrap();
                let snapshot = Snapshot {
                    position: committer.readers().end(),
                    sections: [("state".to_owned(), vec![7; 10_000])].into(),
                    ..Snapshot::default()
                };
                snapshots.save(&snapshot).unwrap();
                say(&format!("snapshot {}", snapshot.position));
                let item = Item {
                    id: format!("{life}-{number}").into(),
                    responder: "hook".into(),
                    payload: vec![1; 100],
                    expires: now(),
                };
                outbox.put(std::slice::from_ref(&item), now()).unwrap();
                say(&format!("order {}", item.id));
            }
        });
    });
}

fn append_for_ever(committer: &Committer, worker: u32) {
    let mut dice = Rand32::new(u64::from(worker));
    for number in 0.. {
        let payload = |part: u64| format!("{}-{worker}-{number}-{part}", std::process::id());
        let entries: Vec<Entry> = (0..u64::from(dice.rand_range(1..6)))
            .map(|part| Entry {
                kind: 1,
                tenant: TenantId::default(),
                source: "kill".into(),
                ingested: now(),
                payload: payload(part).into_bytes(),
            })
            .collect();
        let count = u64::try_from(entries.len()).unwrap();
        let positions = committer.append(entries).unwrap().wait().unwrap();
        for (part, position) in (0..count).zip(positions.start.0..) {
            say(&format!("event {position} {}", payload(part)));
        }
    }
}

/// One line in one write, so that the parent has all of it or nothing.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("\n{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// What the child acknowledged.
#[derive(Default)]
struct Acknowledged {
    events: BTreeMap<u64, String>,
    orders: BTreeSet<String>,
    snapshot: u64,
}

impl Acknowledged {
    /// Reads a child's lines until it is dead.
    fn take(&mut self, lines: impl BufRead) {
        for line in lines.lines().map_while(Result::ok) {
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["event", position, payload] => {
                    let taken = self
                        .events
                        .insert(position.parse().unwrap(), (*payload).to_owned());
                    assert_eq!(taken, None, "position {position} was given twice");
                }
                ["order", id] => {
                    self.orders.insert((*id).to_owned());
                }
                ["snapshot", position] => self.snapshot = position.parse().unwrap(),
                _ => {}
            }
        }
    }

    fn check(&self, folder: &Path) {
        let (log, recovery) = Log::open(own(folder, "log"), settings()).unwrap();
        assert_eq!(recovery.records_lost, 0, "{recovery:?}");
        let mut reader = log.readers().from(Position(0));
        let records: BTreeMap<u64, Vec<u8>> = reader
            .by_ref()
            .map(|record| record.unwrap())
            .map(|record| (record.position.0, record.entry.payload))
            .collect();
        assert_eq!(reader.damage(), habitus_journal::Damage::default());
        for (position, payload) in &self.events {
            assert_eq!(
                records.get(position).map(Vec::as_slice),
                Some(payload.as_bytes()),
                "position {position}"
            );
        }
        let keys = Keyring::of(Key::new([4; 32]));
        let snapshots = Snapshots::open(own(folder, "snapshots"), keys.clone()).unwrap();
        let loaded = snapshots.load().unwrap();
        let found = loaded.snapshot.map_or(0, |snapshot| snapshot.position.0);
        assert!(loaded.skipped.is_empty() && found >= self.snapshot && found <= log.end().0);
        let (mut outbox, _) = Outbox::open(own(folder, "outbox"), keys).unwrap();
        for id in &self.orders {
            let item = Item {
                id: id.as_str().into(),
                responder: "hook".into(),
                payload: vec![],
                expires: now(),
            };
            assert_eq!(outbox.put(&[item], now()).unwrap(), 0, "order {id} is known");
        }
    }
}

#[test]
fn no_kill_loses_what_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Acknowledged::default();
    let mut dice = Rand32::new(1);
    for kill in 0..100 * soak() {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_appends_until_it_is_killed", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        thread::scope(|scope| {
            scope.spawn(|| acknowledged.take(out));
            thread::sleep(Duration::from_micros(dice.rand_range(2_000..200_000).into()));
            child.kill().unwrap();
        });
        child.wait().unwrap();
        if kill % 5 == 0 {
            acknowledged.check(folder.path());
        }
    }
    acknowledged.check(folder.path());
    assert!(
        acknowledged.events.len() > 500,
        "{} events only",
        acknowledged.events.len()
    );
    println!(
        "{} events, {} orders",
        acknowledged.events.len(),
        acknowledged.orders.len()
    );
}
