//! The peers do what their table says: scores against a second implementation, rules against planted cases, detectors against the
//! order that they should give. Each runs as the process that is measured.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: helpers fail the test that calls them"
)]

use habitus_bench::line::Kind;
use habitus_bench::world::{self, Generate};
use habitus_enrich::{Enricher, Tables};
use habitus_evaluate::baselines::Freeman;
use habitus_evaluate::{Login, Scorer};
use habitus_model::Status;
use habitus_normalize::{FormatChoice, Normalizer, Options};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

const EVENTS: u32 = 20_000;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn python() -> PathBuf {
    here("../../target/peers/bin/python")
}

fn log(dir: &Path) -> PathBuf {
    world::kept(&Generate {
        kind: Kind::Login,
        events: EVENTS,
        accounts: 2_000,
        seed: 3,
        out: dir.to_path_buf(),
    })
    .unwrap()
}

/// Runs a peer; the lines of its results, by id.
fn results(dir: &Path, script: &str, arguments: &[&Path]) -> BTreeMap<String, String> {
    let out = dir.join(script).with_extension("results");
    let run = Command::new(python())
        .arg(here(script))
        .args(arguments)
        .arg(&out)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask test`", python().display()));
    assert!(
        run.status.success(),
        "{script}: {}",
        String::from_utf8_lossy(&run.stderr)
    );
    let text = fs::read_to_string(out).unwrap();
    let pairs = text.lines().map(|line| line.split_once(' ').unwrap());
    pairs
        .map(|(uid, result)| (uid.to_owned(), result.to_owned()))
        .collect()
}

/// Scores of the logins that have one.
fn scores(dir: &Path, script: &str, log: &Path) -> BTreeMap<String, f64> {
    let all = results(dir, script, &[log]);
    assert_eq!(all.len(), usize::try_from(EVENTS).unwrap());
    let scored = all.into_iter().filter(|(_, score)| score != "-");
    scored.map(|(uid, score)| (uid, score.parse().unwrap())).collect()
}

/// Each login of the log, in its order, as scorers of `habitus-evaluate` are given it.
fn each_login(log: &Path, mut take: impl FnMut(&str, Login<'_>)) {
    let normalizer = Normalizer::new(FormatChoice::Auto, Options::default());
    let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
    let mut events = Vec::new();
    for line in fs::read(log).unwrap().split(|byte| *byte == b'\n') {
        if !line.is_empty() {
            events.clear();
            normalizer.normalize(line, 1, &mut events).unwrap();
            let (event, context) = (&events[0], enricher.context(&events[0]));
            take(
                event.uid.as_str(),
                Login {
                    event,
                    context: &context,
                },
            );
        }
    }
}

#[test]
#[ignore = "needs the peers' Python: a step of `cargo xtask test`"]
fn freeman_in_python_agrees_with_the_baseline() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(dir.path());
    let theirs = scores(dir.path(), "freeman.py", &log);
    let mut ours = BTreeMap::new();
    let mut freeman = Freeman::default();
    each_login(&log, |uid, login| {
        let score = freeman.observe(login);
        if score.is_finite() {
            ours.insert(uid.to_owned(), score);
        }
    });
    assert!(ours.len() > 10_000);
    assert!(ours.keys().eq(theirs.keys()), "they score different logins");
    for (uid, ours) in ours {
        // Sums in another order differ in the last digits.
        let theirs = theirs[&uid];
        assert!((ours / theirs - 1.0).abs() < 1e-9, "{uid}: {ours} and {theirs}");
    }
}

#[test]
#[ignore = "needs the peers' Python: a step of `cargo xtask test`"]
fn duckdb_finds_what_is_planted_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let centres = dir.path().join("centres.csv");
    fs::write(
        &centres,
        "country,latitude,longitude\nDE,51,10\nFR,46,2\nJP,36,138\n",
    )
    .unwrap();
    let log = here("tests/planted.ndjson");
    let found = results(dir.path(), "duckdb_rules.py", &[&log, &centres, Path::new("1")]);
    let planted = [
        ("abroad", "new_country"),
        ("finn-in", "failures_before_success"),
        ("linux", "new_device"),
        ("tokyo", "new_country impossible_travel"),
    ];
    let planted = planted.map(|(uid, rules)| (uid.to_owned(), rules.to_owned()));
    assert_eq!(found, BTreeMap::from(planted));
}

/// How often a login from a country new to its user scores above one from the usual (area under the ROC curve).
fn area(log: &Path, scores: &BTreeMap<String, f64>) -> f64 {
    let mut countries: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
    let (mut strange, mut usual) = (Vec::new(), Vec::new());
    each_login(log, |uid, login| {
        let account = login.context.account.as_ref().unwrap().as_str().to_owned();
        let seen = countries.entry(account).or_default();
        if let Some(score) = scores.get(uid) {
            let list = if seen.contains(&login.context.place.country) {
                &mut usual
            } else {
                &mut strange
            };
            list.push(*score);
        }
        if login.context.status == Status::Success {
            seen.insert(login.context.place.country);
        }
    });
    assert!(strange.len() >= 5, "{} are strange", strange.len());
    let above = |score: &f64| usual.iter().filter(|other| *other < score).count();
    let pairs = strange.len() * usual.len();
    let won: usize = strange.iter().map(above).sum();
    f64::from(u32::try_from(won).unwrap()) / f64::from(u32::try_from(pairs).unwrap())
}

#[test]
#[ignore = "needs the peers' Python: a step of `cargo xtask test`"]
fn detectors_in_python_put_strangers_above_owners() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(dir.path());
    for (script, least) in [("isolation_forest.py", 0.8), ("half_space_trees.py", 0.5)] {
        let area = area(&log, &scores(dir.path(), script, &log));
        assert!(area > least, "{script}: {area}");
    }
}

#[test]
#[ignore = "needs the peers' Python: a step of `cargo xtask test`"]
fn the_table_is_made_of_whole_runs_of_all() {
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("page.md");
    // Beside the test's own program: `cargo xtask test` has built it before.
    let tests = std::env::current_exe().unwrap();
    let habitus = tests.parent().unwrap().parent().unwrap().join("habitus");
    assert!(habitus.is_file(), "run `cargo build --package habitus` first");
    let run = Command::new(env!("CARGO_BIN_EXE_habitus-peers"))
        .arg("--habitus")
        .arg(habitus)
        .arg("--python")
        .arg(python())
        .arg("--scripts")
        .arg(here(""))
        .arg("--dir")
        .arg(dir.path())
        .arg("--page")
        .arg(&page)
        .args(["--events", "5000", "--accounts", "500", "--rounds", "1"])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let page = fs::read_to_string(page).unwrap();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| 1 |") || line.starts_with("| 2 |"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), 7, "{page}");
    for row in rows {
        let number = |at: usize| -> f64 { row[at].parse().unwrap() };
        assert!(number(3) > 0.0 && number(4) > 0.0 && number(5) > 0.0, "{row:?}");
        // Any of them holds more than ten megabytes: programs, interpreters, tables.
        assert!(number(7) > 10.0 && number(8) > 0.0 && number(9) > 0.0, "{row:?}");
    }
    assert!(page.contains("duckdb ") && page.contains("river ") && page.contains("scikit-learn "));
}
