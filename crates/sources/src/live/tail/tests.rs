//! A tailer driven by hand, with files that are renamed, truncated and deleted between its rounds.

use super::candidates::Pattern;
use super::tailer::Tailer;
use super::{OPEN_FILES_MAX, RECORD_BYTES_MAX};
use crate::live::settings::{SourceKind, SourceSettings, Start};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;

/// A directory with logs, a tailer over it, and what it has given.
struct Rig {
    dir: tempfile::TempDir,
    settings: SourceSettings,
    tailer: Tailer,
    now: Instant,
    lines: Vec<String>,
    faults: Vec<String>,
    oversized: u64,
}

impl Rig {
    /// Over `paths` below a new directory; `prepare` runs before the first look.
    fn new(paths: &[&str], start: Start, prepare: impl FnOnce(&Rig)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = SourceSettings::new(SourceKind::Tail, "logs");
        fs::create_dir(dir.path().join("log")).unwrap();
        settings.paths = paths
            .iter()
            .map(|path| dir.path().join("log").join(path))
            .collect();
        settings.start = Some(start);
        let tailer = Tailer::open(&settings, &dir.path().join("state")).unwrap();
        let mut rig = Self {
            dir,
            settings,
            tailer,
            now: Instant::now(),
            lines: Vec::new(),
            faults: Vec::new(),
            oversized: 0,
        };
        prepare(&rig);
        rig.poll();
        rig
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("log").join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let mut options = OpenOptions::new();
        let mut file = options.append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn truncate(&self, name: &str) {
        let file = OpenOptions::new().write(true).open(self.path(name)).unwrap();
        file.set_len(0).unwrap();
    }

    /// One round, a quarter of a second later. Whether it gave anything.
    fn round(&mut self) -> bool {
        self.now += Duration::from_millis(250);
        let chunks = self.tailer.round(self.now);
        for chunk in &chunks {
            assert!(chunk.records.ends_with(b"\n"));
            let text = String::from_utf8_lossy(&chunk.records).into_owned();
            self.lines.extend(text.lines().map(str::to_owned));
            self.tailer.accepted(chunk);
        }
        let found = self.tailer.take_findings();
        self.faults.extend(found.faults);
        self.oversized += found.oversized;
        !chunks.is_empty()
    }

    /// Rounds until nothing is new.
    fn poll(&mut self) {
        while self.round() {}
        self.round();
    }

    /// Time passes.
    fn wait(&mut self, seconds: u64) {
        for _ in 0..seconds * 4 {
            self.round();
        }
    }

    /// Stops in order and starts again; `meanwhile` happens while nobody looks.
    fn restart(&mut self, meanwhile: impl FnOnce(&Rig)) {
        self.tailer.save().unwrap();
        self.crash(meanwhile);
    }

    /// Stops without saving and starts again.
    fn crash(&mut self, meanwhile: impl FnOnce(&Rig)) {
        meanwhile(self);
        self.tailer = Tailer::open(&self.settings, &self.dir.path().join("state")).unwrap();
        self.poll();
    }

    fn check(&mut self, expected: &[&str]) {
        assert_eq!(self.lines, expected, "faults: {:?}", self.faults);
        self.lines.clear();
    }

    /// The same in any order.
    fn check_all(&mut self, expected: &[&str]) {
        self.lines.sort();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        self.check(&expected);
    }
}

fn one_file() -> Rig {
    Rig::new(&["auth.log"], Start::Beginning, |_| {})
}

#[test]
fn what_is_appended_is_read_once_and_half_lines_wait() {
    let mut rig = one_file();
    rig.check(&[]);
    rig.append("auth.log", "one\ntw");
    rig.poll();
    rig.check(&["one"]);
    rig.append("auth.log", "o\n\nthree\n");
    rig.poll();
    rig.check(&["two", "", "three"]);
    rig.wait(120);
    rig.check(&[]);
}

#[test]
fn the_first_run_begins_where_it_is_told() {
    let prepare = |rig: &Rig| rig.append("auth.log", "old\nhal");
    let mut rig = Rig::new(&["auth.log"], Start::End, prepare);
    rig.check(&[]);
    rig.append("auth.log", "f\nnew\n");
    rig.append("other.log", "not named\n");
    rig.poll();
    rig.check(&["new"]);
    let mut rig = Rig::new(&["auth.log"], Start::Beginning, prepare);
    rig.check(&["old"]);
}

#[test]
fn files_that_appear_later_are_read_whole() {
    let mut rig = Rig::new(&[""], Start::End, |rig| rig.append("a.log", "old\n"));
    rig.append("b.log", "first\n");
    rig.poll();
    rig.check(&["first"]);
    rig.restart(|rig| rig.append("c.log", "second\n"));
    rig.check(&["second"]);
}

#[test]
fn a_renamed_file_is_read_to_its_end_also_after_its_name_is_taken() {
    for paths in [&["auth.log"][..], &[""], &["auth.log*"]] {
        let mut rig = Rig::new(paths, Start::Beginning, |rig| rig.append("auth.log", "one\n"));
        let mut old = OpenOptions::new()
            .append(true)
            .open(rig.path("auth.log"))
            .unwrap();
        old.write_all(b"two\n").unwrap();
        rig.rename("auth.log", "auth.log.1");
        rig.append("auth.log", "three\n");
        rig.poll();
        rig.check_all(&["one", "two", "three"]);
        // The daemon has not been told yet.
        old.write_all(b"four\n").unwrap();
        rig.wait(30);
        old.write_all(b"five\nlast").unwrap();
        rig.wait(30);
        rig.check(&["four", "five"]);
        rig.append("auth.log", "six\n");
        rig.wait(120);
        if paths == ["auth.log"] {
            rig.check_all(&["six", "last"]);
        } else {
            // Still named: somebody may end the line.
            rig.check(&["six"]);
        }
    }
}

#[test]
fn a_file_that_is_renamed_while_another_is_closed_loses_nothing() {
    // More files than may be open: the one that is rotated is closed then.
    let names: Vec<String> = (0..OPEN_FILES_MAX + 40).map(|n| format!("{n:03}.log")).collect();
    let mut rig = Rig::new(&["*.log"], Start::Beginning, |rig| {
        for name in &names {
            rig.append(name, "first\n");
        }
    });
    assert_eq!(rig.lines.len(), names.len());
    rig.lines.clear();
    for name in &names {
        rig.append(name, &format!("{name} second\n"));
        rig.rename(name, &format!("{name}.1"));
        rig.append(name, &format!("{name} third\n"));
    }
    rig.poll();
    let expected: Vec<String> = names
        .iter()
        .flat_map(|name| [format!("{name} second"), format!("{name} third")])
        .collect();
    rig.check_all(&expected.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_truncated_file_is_read_on_and_its_rest_is_found_in_the_copy() {
    for paths in [&["auth.log"][..], &[""]] {
        let mut rig = Rig::new(paths, Start::Beginning, |rig| rig.append("auth.log", "one\n"));
        rig.append("auth.log", "two\n");
        fs::copy(rig.path("auth.log"), rig.path("auth.log.1")).unwrap();
        // The copy is seen before the original is truncated, in the directory's case.
        if paths == [""] {
            rig.poll();
        }
        rig.truncate("auth.log");
        rig.append("auth.log", "three\n");
        rig.poll();
        rig.wait(5);
        rig.check_all(&["one", "two", "three"]);
        // Longer than before at once.
        rig.truncate("auth.log");
        rig.append("auth.log", "another beginning, and more than was there\n");
        rig.poll();
        rig.check(&["another beginning, and more than was there"]);
    }
}

#[test]
fn copies_are_told_from_files_that_only_begin_alike() {
    let header = "#Fields: time user address, and so on for more than what a mark covers\n".repeat(20);
    let mut rig = Rig::new(&["*.csv"], Start::Beginning, |rig| {
        rig.append("a.csv", &format!("{header}one\n"));
    });
    rig.append("a-2.csv", &format!("{header}two\n"));
    rig.poll();
    rig.lines.retain(|line| !line.starts_with('#'));
    rig.check(&["one", "two"]);
}

#[test]
fn a_deleted_file_is_read_to_its_very_end() {
    let mut rig = Rig::new(&["auth.log"], Start::Beginning, |rig| {
        rig.append("auth.log", "one\n")
    });
    rig.append("auth.log", "two\nlast");
    fs::remove_file(rig.path("auth.log")).unwrap();
    rig.wait(5);
    rig.check(&["one", "two", "last"]);
    rig.append("auth.log", "again\n");
    rig.poll();
    rig.check(&["again"]);
}

#[test]
fn compressed_files_are_left_out_whatever_their_name() {
    let mut rig = Rig::new(&[""], Start::Beginning, |rig| {
        fs::write(rig.path("auth.log.2.gz"), b"\x1f\x8b\x08zip\n").unwrap();
        fs::write(rig.path("auth.log.3"), b"\x1f\x8b\x08zip\n").unwrap();
        fs::write(rig.path("auth.log.4.zst"), b"\x28\xb5\x2f\xfdzip\n").unwrap();
        rig.append("auth.log", "text\n");
    });
    rig.check(&["text"]);
}

#[test]
fn a_restart_goes_on_where_it_was() {
    let mut rig = Rig::new(&["auth.log"], Start::End, |rig| rig.append("auth.log", "old\n"));
    rig.append("auth.log", "one\nhal");
    rig.poll();
    rig.restart(|_| {});
    rig.check(&["one"]);
    rig.restart(|rig| rig.append("auth.log", "f\ntwo\n"));
    rig.check(&["half", "two"]);
    // Without the last save the same lines come again, and none is missing.
    rig.tailer.save().unwrap();
    rig.append("auth.log", "three\n");
    rig.poll();
    rig.crash(|rig| rig.append("auth.log", "four\n"));
    rig.check(&["three", "three", "four"]);
}

#[test]
fn a_rotation_while_nobody_looks_loses_nothing() {
    for paths in [&["auth.log"][..], &[""]] {
        let mut rig = Rig::new(paths, Start::Beginning, |rig| rig.append("auth.log", "one\n"));
        rig.restart(|rig| {
            rig.append("auth.log", "two\n");
            rig.rename("auth.log", "auth.log.1");
            rig.append("auth.log", "three\n");
        });
        rig.check_all(&["one", "two", "three"]);
        rig.restart(|rig| {
            rig.append("auth.log", "four\n");
            rig.rename("auth.log.1", "auth.log.2");
            fs::copy(rig.path("auth.log"), rig.path("auth.log.1")).unwrap();
            rig.truncate("auth.log");
            rig.append("auth.log", "five\n");
        });
        rig.check_all(&["four", "five"]);
        rig.restart(|_| {});
        rig.check(&[]);
    }
}

#[test]
fn a_file_that_moved_to_another_disk_is_known_by_its_content() {
    let mut rig = Rig::new(&["auth.log"], Start::Beginning, |rig| {
        rig.append("auth.log", "one\n")
    });
    rig.restart(|rig| {
        fs::copy(rig.path("auth.log"), rig.path("moved")).unwrap();
        rig.rename("moved", "auth.log");
        rig.append("auth.log", "two\n");
    });
    rig.check(&["one", "two"]);
}

#[test]
fn a_path_taken_out_of_the_configuration_is_read_no_more() {
    let mut rig = Rig::new(&["a.log", "b.log"], Start::Beginning, |rig| {
        rig.append("a.log", "a\n");
        rig.append("b.log", "b\n");
    });
    rig.check(&["a", "b"]);
    rig.settings.paths.pop();
    rig.restart(|rig| {
        rig.append("a.log", "more a\n");
        rig.append("b.log", "more b\n");
    });
    rig.check(&["more a"]);
}

#[test]
fn damaged_checkpoints_read_again_rather_than_lose() {
    let mut rig = Rig::new(&["auth.log"], Start::End, |rig| rig.append("auth.log", "old\n"));
    rig.append("auth.log", "one\n");
    rig.poll();
    rig.check(&["one"]);
    rig.restart(|rig| fs::write(rig.dir.path().join("state/logs.json"), "{").unwrap());
    rig.check(&["old", "one"]);
    assert!(rig.faults.iter().any(|fault| fault.contains("damaged")));
}

#[test]
fn lines_above_the_limit_are_passed_over_and_counted() {
    let mut rig = one_file();
    rig.append(
        "auth.log",
        &format!("a\n{}", "x".repeat(3 * RECORD_BYTES_MAX + 17)),
    );
    rig.poll();
    rig.check(&["a"]);
    assert_eq!(rig.oversized, 1);
    rig.restart(|_| {});
    rig.append("auth.log", "tail\nb\n");
    rig.poll();
    assert_eq!(rig.lines.last().unwrap(), "b");
    let longest = rig.lines.iter().map(String::len).max().unwrap();
    assert!(longest < RECORD_BYTES_MAX);
    rig.lines.clear();
    rig.append("auth.log", &format!("{}\nc\n", "y".repeat(RECORD_BYTES_MAX - 1)));
    rig.poll();
    assert_eq!(rig.lines[0].len(), RECORD_BYTES_MAX - 1);
    assert_eq!((rig.lines[1].as_str(), rig.oversized), ("c", 1));
}

#[test]
fn links_are_followed_where_they_lead_now() {
    let mut rig = Rig::new(&["current"], Start::Beginning, |rig| {
        rig.append("1.log", "one\n");
        rig.append("2.log", "two\n");
        std::os::unix::fs::symlink(rig.path("1.log"), rig.path("current")).unwrap();
    });
    rig.check(&["one"]);
    fs::remove_file(rig.path("current")).unwrap();
    std::os::unix::fs::symlink(rig.path("2.log"), rig.path("current")).unwrap();
    rig.append("1.log", "rest\n");
    rig.poll();
    rig.check_all(&["rest", "two"]);
}

#[test]
fn what_is_wrong_is_said_once_and_tried_again() {
    let mut rig = Rig::new(&["dir/auth.log"], Start::Beginning, |rig| {
        rig.append("dir", "a file\n")
    });
    rig.wait(10);
    assert_eq!(rig.faults.len(), 1, "{:?}", rig.faults);
    assert!(rig.faults[0].contains("dir/auth.log"), "{:?}", rig.faults);
    fs::remove_file(rig.path("dir")).unwrap();
    fs::create_dir(rig.path("dir")).unwrap();
    rig.append("dir/auth.log", "now\n");
    rig.poll();
    rig.check(&["now"]);
}

#[test]
fn a_busy_file_does_not_starve_the_others() {
    let mut rig = Rig::new(&[""], Start::Beginning, |_| {});
    let line = format!("{}\n", "b".repeat(1_000));
    rig.append("busy.log", &line.repeat(4_000));
    for n in 0..40 {
        rig.append(&format!("quiet{n}.log"), "q\n");
    }
    for _ in 0..4 {
        rig.round();
    }
    assert_eq!(rig.lines.iter().filter(|line| *line == "q").count(), 40);
    rig.poll();
    assert_eq!(rig.lines.len(), 4_040);
}

#[test]
fn an_unaccepted_chunk_comes_again() {
    let mut rig = one_file();
    rig.append("auth.log", "one\n");
    rig.now += Duration::from_millis(250);
    let chunks = rig.tailer.round(rig.now);
    assert_eq!(chunks.len(), 1);
    rig.poll();
    rig.check(&["one"]);
}

#[test]
fn a_pattern_that_is_wrong_is_an_error_at_the_start() {
    assert!(Pattern::parse("/var/log/[".as_ref()).is_err());
    let mut settings = SourceSettings::new(SourceKind::Tail, "logs");
    settings.paths = vec!["/var/log/[".into()];
    let dir = tempfile::tempdir().unwrap();
    assert!(Tailer::open(&settings, dir.path()).is_err());
}
