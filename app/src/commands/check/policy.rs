//! `habitus check policy FILE`: everything that is wrong with a policy, and its tests.

use super::diagnostics::{lines, render};
use crate::config::load;
use crate::failure::{Failure, Outcome, Trouble};
use crate::terminal::{GREEN, RESET, Talk};
use clap::Args;
use habitus_model::EventTime;
use habitus_policy::{Policy, Problem, Severity, Surroundings};
use serde_json::json;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Shown above the help.
pub const EXAMPLES: &str = "\
Examples:
  habitus check policy policy.toml
  habitus check policy policy.toml --config habitus.toml
  habitus check policy policy.toml --responder soc --responder pager
  habitus check policy policy.toml --deny-warnings --json";

/// Most bytes that are read: what is longer is refused by its length.
const READ_BYTES_MAX: u64 = (1 << 20) + 1;

/// What is asked.
#[derive(Debug, Args)]
pub struct CheckPolicy {
    /// The file (TOML)
    file: PathBuf,
    /// Configuration whose responders the policy may use
    #[arg(long, value_name = "FILE", env = "HABITUS_CONFIG")]
    config: Option<PathBuf>,
    /// Name of a further responder that it may use; can be given several times. Without this and --config, names are not checked
    #[arg(
        long = "responder",
        value_name = "NAME",
        env = "HABITUS_RESPONDER",
        value_delimiter = ','
    )]
    responders: Vec<String>,
    /// Warnings end the check as errors do
    #[arg(long, env = "HABITUS_DENY_WARNINGS")]
    deny_warnings: bool,
    /// Print the result as JSON
    #[arg(long, env = "HABITUS_JSON")]
    json: bool,
}

/// Who may be named in a policy.
#[derive(Debug, Default)]
struct Names {
    /// Absent: not known.
    responders: Option<Vec<String>>,
    exporters: Vec<String>,
}

impl Names {
    /// Those of the configuration and of the command line.
    fn of(asked: &CheckPolicy) -> Result<Self, Failure> {
        let given = asked.responders.clone();
        let Some(path) = &asked.config else {
            return Ok(Self {
                responders: (!given.is_empty()).then_some(given),
                exporters: Vec::new(),
            });
        };
        let config = load(Some(path))?.config;
        let configured = config.responder.iter().map(|one| one.name().to_owned());
        Ok(Self {
            responders: Some(configured.chain(given).collect()),
            exporters: config.exporter.iter().map(|one| one.name().to_owned()).collect(),
        })
    }
}

/// What was found.
struct Found {
    problems: Vec<Problem>,
    /// What the policy has, if it holds.
    summary: String,
}

/// Checks a policy.
pub fn run(asked: &CheckPolicy, talk: Talk) -> Result<Outcome, Failure> {
    let file = asked.file.display().to_string();
    let text = read(&asked.file)?;
    let found = check(&text, &Names::of(asked)?, today());
    let refused = |problem: &Problem| problem.severity == Severity::Error || asked.deny_warnings;
    let is_refused = found.problems.iter().any(refused);
    if asked.json {
        let problems = lines(&text, &found.problems);
        super::print(&json!({ "ok": !is_refused, "file": file, "problems": problems }).to_string())?;
    }
    if is_refused {
        let message = if asked.json {
            String::new()
        } else {
            let count = found.problems.len();
            let noun = if count == 1 { "problem" } else { "problems" };
            let shown = render(&file, &text, &found.problems);
            format!("{count} {noun} in the policy\n{}", shown.trim_end())
        };
        return Err(Failure::new(Trouble::Configuration, message));
    }
    if !asked.json && !found.problems.is_empty() {
        talk.line(render(&file, &text, &found.problems).trim_end());
    }
    talk.line(format_args!(
        "{GREEN}ok:{RESET} `{file}` holds: {}",
        found.summary
    ));
    Ok(Outcome::Done)
}

/// Everything that is found in a policy; tests run only if it parses.
fn check(text: &str, names: &Names, now: Option<EventTime>) -> Found {
    let responders = names.responders.as_deref().map(borrowed);
    let surroundings = Surroundings {
        responders: responders.as_deref(),
        exporters: &borrowed(&names.exporters),
        now,
    };
    match Policy::parse_in(text, &surroundings) {
        Err(problems) => Found {
            problems,
            summary: String::new(),
        },
        Ok(policy) => Found {
            problems: policy
                .warnings()
                .iter()
                .cloned()
                .chain(policy.failing_tests())
                .collect(),
            summary: format!(
                "{}, {}, mode {}",
                count(policy.rules().len(), "rule"),
                count(policy.tests(), "test"),
                policy.mode().name()
            ),
        },
    }
}

fn borrowed(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    let name = path.display();
    let unreadable = |why: String| {
        Failure::new(Trouble::Configuration, format!("cannot read `{name}`: {why}"))
            .help("name a TOML file that exists and may be read")
    };
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(READ_BYTES_MAX)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8 text".to_owned()))
}

/// The present, for entries that have expired; absent if the machine's clock is beyond all dates.
fn today() -> Option<EventTime> {
    #[expect(clippy::disallowed_methods, reason = "the app is where clocks are read")]
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).ok()?;
    EventTime::from_millis(i64::try_from(since.as_millis()).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_testkit::workspace_root;

    fn fixture(name: &str) -> String {
        std::fs::read_to_string(workspace_root().join("fixtures/policies").join(name)).unwrap()
    }

    fn asked(name: &str, deny_warnings: bool) -> Result<Outcome, Failure> {
        let asked = CheckPolicy {
            file: workspace_root().join("fixtures/policies").join(name),
            config: None,
            responders: ["soc", "pager", "idp"].map(str::to_owned).to_vec(),
            deny_warnings,
            json: false,
        };
        run(&asked, Talk::Off)
    }

    #[test]
    fn a_policy_that_holds_ends_well() {
        assert_eq!(asked("complete.toml", true).unwrap(), Outcome::Done);
        assert_eq!(asked("expired.toml", false).unwrap(), Outcome::Done);
        let found = check(&fixture("complete.toml"), &Names::default(), None);
        assert_eq!(found.summary, "3 rules, 5 tests, mode recommend");
    }

    #[test]
    fn what_is_wrong_is_shown_where_it_stands_and_ends_the_check() {
        for (name, deny_warnings, wanted) in [
            ("unknown-names.toml", false, "did you mean `network.country`?"),
            ("unreachable.toml", false, "a conflict"),
            ("failing-tests.toml", false, "expected `review`"),
            ("expired.toml", true, "expired.toml:5:11"),
            ("broken-toml.toml", false, "broken-toml.toml:2:10"),
            ("gone.toml", false, "cannot read"),
        ] {
            let failure = asked(name, deny_warnings).unwrap_err();
            assert_eq!(failure.trouble(), Trouble::Configuration, "{name}");
            assert!(failure.to_string().contains(wanted), "{name}: {failure}");
        }
    }

    #[test]
    fn machines_read_the_same() {
        let text = fixture("unknown-names.toml");
        let found = check(&text, &Names::default(), None);
        let json = serde_json::to_value(lines(&text, &found.problems)).unwrap();
        assert_eq!(json[0]["severity"], "error");
        assert_eq!((&json[0]["line"], &json[0]["column"]), (&json!(1), &json!(8)));
        assert_eq!(json[0]["label"], "did you mean `enforce`?");
        // Which responders there are was not said, so no name is wrong.
        assert!(!json.to_string().contains("no responder is named"));
    }
}
