//! Runs the steps: prints each name and duration, stops at the first failure, ends with `N passed, M failed`.

use crate::counts::Counts;
use crate::packages;
use crate::python;
use crate::steps::{Action, DEBIAN_PACKAGES, Needs, STEPS, Step};
use crate::tidy;
use std::io::{BufRead, BufReader, IsTerminal, PipeReader, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// The whole run must end within this on two cores from a cold build.
const BUDGET: Duration = Duration::from_secs(30 * 60);

/// Which steps run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of them.
    Full,
    /// Those that answer within a few minutes.
    Fast,
}

/// How one step ended.
enum Outcome {
    Passed(Counts),
    Failed(Counts, String),
    Skipped(String),
}

/// Runs the steps of the extent. The last line printed is the summary that CI reads.
pub fn all(root: &Path, extent: Extent) -> ExitCode {
    let started = now();
    let mut total = Counts::default();
    // What needs a package that cannot be had says so by name, and is skipped.
    if let Err(by_hand) = packages::ensure(DEBIAN_PACKAGES) {
        println!("warning: packages are missing, and tests that need them are skipped: {by_hand}\n");
    }
    let failure = run_steps(root, extent, &mut total);
    let took = started.elapsed();
    if took > BUDGET {
        println!(
            "warning: the run took {}, more than {}",
            shown(took),
            shown(BUDGET)
        );
    }
    if let Some(message) = &failure {
        println!("FAILED: {message}");
        // A broken check that is no test still must not read as a green summary.
        total.failed = total.failed.max(1);
    } else {
        println!("all checks passed in {}", shown(took));
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    if failure.is_some() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// `cargo xtask tidy`.
pub fn tidy_alone(root: &Path) -> ExitCode {
    match run_tidy(root) {
        Outcome::Failed(_, message) => {
            println!("FAILED: {message}");
            ExitCode::FAILURE
        }
        Outcome::Passed(_) | Outcome::Skipped(_) => ExitCode::SUCCESS,
    }
}

/// Runs step after step; the message of the first that fails.
fn run_steps(root: &Path, extent: Extent, total: &mut Counts) -> Option<String> {
    for step in STEPS.iter().filter(|step| extent == Extent::Full || step.fast) {
        println!("== {}", step.name);
        let started = now();
        let outcome = run_step(root, step);
        let took = shown(started.elapsed());
        match outcome {
            Outcome::Passed(counts) => {
                *total += counts;
                println!("== {}: done in {took}\n", step.name);
            }
            Outcome::Skipped(why) => println!("== {}: skipped: {why}\n", step.name),
            Outcome::Failed(counts, why) => {
                *total += counts;
                println!("== {}: failed after {took}", step.name);
                return Some(format!("{}: {why}", step.name));
            }
        }
    }
    None
}

fn run_step(root: &Path, step: &Step) -> Outcome {
    let missing = match step.needs {
        Needs::Nothing => None,
        Needs::Tool { probe, install } => {
            (!cargo_knows(root, probe)).then(|| format!("not installed here; install it with `{install}`"))
        }
        Needs::Python(environment) => python::prepare(root, environment).err(),
    };
    if let Some(why) = missing {
        return Outcome::Skipped(why);
    }
    match step.action {
        Action::Tidy => run_tidy(root),
        Action::Cargo(arguments) => run_cargo(root, step, arguments),
        Action::WorkspaceTests => run_cargo(root, step, test_arguments(root)),
    }
}

/// nextest runs each test in a process of its own and shows what hangs; `cargo test` is there everywhere.
fn test_arguments(root: &Path) -> &'static [&'static str] {
    if cargo_knows(root, &["nextest", "--version"]) {
        &[
            "nextest",
            "run",
            "--workspace",
            "--lib",
            "--bins",
            "--tests",
            "--locked",
            "--no-fail-fast",
        ]
    } else {
        &[
            "test",
            "--workspace",
            "--lib",
            "--bins",
            "--tests",
            "--locked",
            "--no-fail-fast",
        ]
    }
}

fn run_tidy(root: &Path) -> Outcome {
    let report = match tidy::check(root) {
        Ok(report) => report,
        Err(message) => return Outcome::Failed(Counts::default(), message),
    };
    for warning in &report.warnings {
        println!("warning: {warning}");
    }
    for error in &report.errors {
        println!("error: {error}");
    }
    if report.errors.is_empty() {
        println!("{} files are tidy", report.files);
        Outcome::Passed(Counts::default())
    } else {
        Outcome::Failed(Counts::default(), format!("{} rules broken", report.errors.len()))
    }
}

fn run_cargo(root: &Path, step: &Step, arguments: &[&str]) -> Outcome {
    let shown_command = format!("cargo {}", arguments.join(" "));
    println!("   {shown_command}");
    match stream_cargo(root, step, arguments) {
        Ok((counts, true)) => Outcome::Passed(counts),
        Ok((counts, false)) => Outcome::Failed(counts, format!("`{shown_command}` reports errors")),
        Err(error) => Outcome::Failed(
            Counts::default(),
            format!("`{shown_command}` cannot run: {error}"),
        ),
    }
}

/// Runs cargo, passes its output on line by line, and sums the tests it reports.
fn stream_cargo(root: &Path, step: &Step, arguments: &[&str]) -> std::io::Result<(Counts, bool)> {
    let (reader, writer) = std::io::pipe()?;
    let mut child = {
        // The command holds the pipe's writing ends; it is dropped here, so that reading ends with the child.
        let mut command = cargo(root, arguments);
        command.envs(step.env.iter().copied());
        command
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer);
        command.spawn()?
    };
    let counts = pass_on(reader)?;
    Ok((counts, child.wait()?.success()))
}

fn pass_on(reader: PipeReader) -> std::io::Result<Counts> {
    let mut total = Counts::default();
    let mut lines = BufReader::new(reader);
    let mut line = Vec::new();
    let mut out = std::io::stdout();
    while lines.read_until(b'\n', &mut line)? > 0 {
        out.write_all(&line)?;
        if let Some(counts) = Counts::of_line(&String::from_utf8_lossy(&line)) {
            total += counts;
        }
        line.clear();
    }
    Ok(total)
}

fn cargo_knows(root: &Path, probe: &[&str]) -> bool {
    let status = cargo(root, probe)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// The cargo that started this program, in the workspace's folder.
fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root).args(arguments);
    if std::io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    command
}

#[expect(
    clippy::disallowed_methods,
    reason = "a developer command may look at the clock: it tells how long a step took"
)]
fn now() -> Instant {
    Instant::now()
}

fn shown(duration: Duration) -> String {
    let tenths = duration.as_millis() / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}
