//! Holds the instructions of each stage to `instructions.txt`: who makes a stage dearer by more than a twentieth says so in the
//! same commit. Instructions, because they are the same on every run and machine of one kind, which time is not.
//!
//! `HABITUS_BENCH_WRITE=1 cargo test --release -p habitus-bench --test instructions` writes the file anew.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "test code: helpers fail the test that calls them"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const EVENTS: u64 = 4_096;
/// A stage may grow by this before its line in the file must be changed (issue 5, item 3).
const GROWTH_MAX: f64 = 1.05;
const STAGES: [&str; 6] = ["normalize", "enrich", "store", "take", "score", "explain"];

fn baseline_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.txt")
}

/// Instructions an event by stage; absent where valgrind is not installed.
fn counted() -> Option<BTreeMap<String, u64>> {
    let dir = tempfile::tempdir().unwrap();
    let profile = dir.path().join("profile");
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(env!("CARGO_BIN_EXE_habitus-bench"))
        .args(["stages", "--events", &EVENTS.to_string()])
        .output();
    let Ok(run) = run else {
        println!("skipped: valgrind is not installed (Debian package `valgrind`)");
        return None;
    };
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let annotated = Command::new("callgrind_annotate")
        .args(["--inclusive=yes", "--threshold=100"])
        .arg(&profile)
        .output()
        .unwrap();
    let text = String::from_utf8(annotated.stdout).unwrap();
    let count = |stage: &str| {
        let name = format!("habitus_bench::stages::stage_{stage}");
        let line = text.lines().find(|line| line.contains(&name));
        let line = line.unwrap_or_else(|| panic!("no stage {stage} in the profile"));
        let number = line.split_whitespace().next().unwrap().replace(',', "");
        number.parse::<u64>().unwrap() / EVENTS
    };
    Some(
        STAGES
            .iter()
            .map(|stage| ((*stage).to_owned(), count(stage)))
            .collect(),
    )
}

#[test]
#[cfg_attr(debug_assertions, ignore = "instructions are those of a release build")]
fn no_stage_takes_more_instructions_than_its_baseline_allows() {
    let Some(counted) = counted() else { return };
    let text: String = counted
        .iter()
        .map(|(stage, count)| format!("{stage} {count}\n"))
        .collect();
    if std::env::var_os("HABITUS_BENCH_WRITE").is_some() {
        fs::write(baseline_file(), &text).unwrap();
    }
    println!("{text}");
    let baseline = fs::read_to_string(baseline_file()).unwrap();
    let baseline: BTreeMap<&str, f64> = baseline
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(stage, count)| (stage, count.parse().unwrap()))
        .collect();
    assert_eq!(baseline.len(), STAGES.len());
    for (stage, count) in &counted {
        let allowed = baseline[stage.as_str()] * GROWTH_MAX;
        let count = f64::from(u32::try_from(*count).unwrap());
        assert!(
            count <= allowed,
            "{stage}: {count} instructions an event, {allowed:.0} allowed: make it cheaper, or write the baseline anew and say why"
        );
    }
}
