//! Policies with something wrong, and what is said of it: `fixtures/policies/NAME.toml` and `NAME.txt`.
//!
//! After a change, `HABITUS_BLESS=1 cargo test -p habitus-policy` writes the answers anew.

use crate::events::at;
use habitus_policy::{Policy, Problem, Surroundings};
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What `habitus check policy` finds, a line each.
fn answer(text: &str) -> String {
    let surroundings = Surroundings {
        responders: Some(&["soc", "pager", "idp"]),
        exporters: &[],
        // 2026-11-21T00:00:00Z.
        now: Some(at(1_795_219_200_000)),
    };
    let problems = match Policy::parse_in(text, &surroundings) {
        Err(problems) => problems,
        Ok(policy) => policy
            .warnings()
            .iter()
            .cloned()
            .chain(policy.failing_tests())
            .collect(),
    };
    if problems.is_empty() {
        return "nothing\n".to_owned();
    }
    problems.iter().map(|problem| line(problem, text)).collect()
}

fn line(problem: &Problem, text: &str) -> String {
    let (line, column) = problem.position(text).unwrap_or((0, 0));
    let mut out = format!(
        "{line}:{column} {}: {} [{}]\n",
        problem.severity.name(),
        problem.message,
        problem.label
    );
    if let Some(help) = &problem.help {
        let _ = writeln!(out, "    help: {help}");
    }
    out
}

#[test]
fn what_is_wrong_is_found_where_it_stands() {
    let folder = root().join("fixtures/policies");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    assert!(files.len() >= 6, "{files:?}");
    for file in files {
        let found = answer(&fs::read_to_string(&file).unwrap());
        let expected = file.with_extension("txt");
        if std::env::var_os("HABITUS_BLESS").is_some() {
            fs::write(&expected, &found).unwrap();
        }
        let wanted = fs::read_to_string(&expected).unwrap_or_default();
        assert_eq!(found, wanted, "{}", file.display());
    }
}

#[test]
fn the_default_policy_is_clean_and_its_tests_pass() {
    let policy = Policy::parse(Policy::default_text()).unwrap();
    assert!(policy.warnings().is_empty(), "{:?}", policy.warnings());
    assert!(policy.failing_tests().is_empty(), "{:?}", policy.failing_tests());
    assert!(policy.tests() >= 3);
    assert_eq!(Policy::default(), policy);
}

/// Whoever takes the remarks away gets a policy that holds.
#[test]
fn the_examples_of_the_default_policy_hold() {
    let is_code = |line: &str| {
        let code = line.trim_start_matches("# ");
        code.starts_with("[[") || code.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
    };
    let lines = Policy::default_text()
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(code) if is_code(line) => code,
            _ => line,
        });
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    let policy = Policy::parse(&text).unwrap_or_else(|problems| panic!("{problems:?}\n{text}"));
    assert_eq!((policy.safelist().len(), policy.break_glass().len()), (1, 1));
    assert_eq!(policy.responders(), ["identity-provider", "soc"]);
    assert!(policy.rules().iter().any(|rule| rule.require_approval));
    assert!(
        policy
            .failing_tests()
            .iter()
            .all(|problem| problem.message.contains("actions")),
        "{text}"
    );
}
