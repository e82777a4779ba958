//! Every body over the fixtures, over inputs that are known to hurt, and over seeded mutations of both.
//!
//! `HABITUS_FUZZ_MUTATIONS` is the number of mutations per body. An input that fails is written to the folder for
//! temporary files, and the message names it: make it a fixture, then mend what it shows.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of a test: what cannot be read fails it"
)]

mod corpus;

use habitus_fuzzing::mutate::Mutator;
use habitus_fuzzing::{Body, all};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Mutations per body where nothing else is asked: seconds, without optimisation.
const MUTATIONS: u64 = 400;

/// Longest time for one input. RELIABILITY S-04 asks for 100 ms of CPU; a shared machine and a build without
/// optimisation get ten times that.
const INPUT_TIME_MAX: Duration = Duration::from_secs(1);

/// Times an input is tried before it counts as slow: the machine may have been busy with something else.
const TRIES: u32 = 3;

#[test]
fn every_body_withstands_the_corpus_and_its_mutations() {
    let mutations = std::env::var("HABITUS_FUZZ_MUTATIONS")
        .ok()
        .and_then(|n| n.parse().ok());
    let mut failures = Vec::new();
    for (body, seed) in all().into_iter().zip(1_u64..) {
        let corpus = corpus::of(body.name);
        assert!(!corpus.is_empty(), "no corpus for `{}`", body.name);
        let mut mutator = Mutator::new(seed);
        let mutated = (0..mutations.unwrap_or(MUTATIONS)).map(|_| mutator.next(&corpus));
        // The first failure of each body is enough: the others are likely its kin.
        failures.extend(
            corpus
                .iter()
                .cloned()
                .chain(mutated)
                .find_map(|input| failure(&body, &input)),
        );
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What is wrong with the input, and where it was written.
fn failure(body: &Body, input: &[u8]) -> Option<String> {
    let problem = problem(body, input)?;
    let digest = habitus_model::hash::content_digest(input);
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{digest}", body.name));
    let kept = match std::fs::write(&path, input) {
        Ok(()) => path.display().to_string(),
        Err(error) => format!("not written: {error}"),
    };
    Some(format!(
        "{}: {problem}; input of {} bytes: {kept}",
        body.name,
        input.len()
    ))
}

fn problem(body: &Body, input: &[u8]) -> Option<String> {
    let mut fastest = Duration::MAX;
    for _ in 0..TRIES {
        match timed(body, input) {
            Ok(took) => fastest = fastest.min(took),
            Err(message) => return Some(message),
        }
        if fastest <= INPUT_TIME_MAX {
            return None;
        }
    }
    Some(format!("takes {} ms", fastest.as_millis()))
}

/// How long the body takes, or how it panics.
#[expect(
    clippy::disallowed_methods,
    reason = "the test measures how long an input takes"
)]
fn timed(body: &Body, input: &[u8]) -> Result<Duration, String> {
    let started = Instant::now();
    let done = catch_unwind(AssertUnwindSafe(|| body.run(input)));
    done.map(|()| started.elapsed()).map_err(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        format!("panics: {}", said.unwrap_or_default())
    })
}

#[test]
fn what_fails_is_noticed() {
    let missing = catch_unwind(|| habitus_fuzzing::run("no_such_body", b""));
    assert!(missing.is_err());
}

#[test]
fn every_body_has_a_libfuzzer_target_and_every_target_a_body() {
    let fuzz = habitus_testkit::workspace_root().join("fuzz");
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    let bodies: BTreeSet<String> = all().iter().map(|body| body.name.to_owned()).collect();
    let targets: BTreeSet<String> = std::fs::read_dir(fuzz.join("fuzz_targets"))
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    assert_eq!(bodies, targets);
    for name in &bodies {
        assert!(
            manifest.contains(&format!("name = \"{name}\"\n")),
            "`{name}` is not in fuzz/Cargo.toml"
        );
        let target = std::fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("run(\"{name}\", data)")), "{target}");
    }
}
