//! `habitus doctor`: what is wrong with an installation, or soon will be, and how to mend it.

use super::serve::Place;
use crate::doctor::{self, Check, Reach, State};
use crate::failure::{Failure, Outcome, Trouble};
use crate::terminal::{FAINT, GREEN, RED, RESET, Talk, YELLOW};
use clap::Args;
use serde_json::json;
use std::io::Write;

const EXAMPLES: &str = "\
Examples:
  habitus doctor --config /etc/habitus/habitus.toml   as the user that the server runs as
  habitus doctor --online                             also tries to reach responders and exporters
  habitus doctor --json | jq '.checks[] | select(.state == \"fail\")'";

/// What is asked.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Doctor {
    #[command(flatten)]
    place: Place,
    /// Resolve the names of responders and exporters, and connect to them without a word
    #[arg(long, env = "HABITUS_ONLINE")]
    online: bool,
    /// Print what was found as JSON
    #[arg(long, env = "HABITUS_JSON")]
    json: bool,
}

/// Looks at configuration, machine and data; a server may run meanwhile.
///
/// # Errors
/// Exit code 78 if the configuration is wrong, 69 if anything else fails. What is only to be looked at fails nothing.
pub fn run(asked: &Doctor, _: Talk) -> Result<Outcome, Failure> {
    let (mut checks, trouble) = match asked.place.load() {
        Ok(loaded) => {
            let reach = if asked.online {
                Reach::Online
            } else {
                Reach::Offline
            };
            let layout = asked.place.layout(&loaded);
            (doctor::examine(&loaded, &layout, reach), Trouble::Unavailable)
        }
        Err(problems) => {
            let found = problems.first().unwrap_or("it cannot be read").to_owned();
            let fix = "habitus check config FILE shows all of it, each where it stands";
            (
                vec![Check::fail("configuration", found, fix)],
                Trouble::Configuration,
            )
        }
    };
    if trouble != Trouble::Configuration {
        checks.insert(
            0,
            Check::ok("configuration", "every option is known and within its range"),
        );
    }
    let failed = checks.iter().filter(|check| check.state == State::Fail).count();
    if asked.json {
        let told = json!({ "ok": failed == 0, "checks": checks });
        writeln!(std::io::stdout().lock(), "{told}")?;
    } else {
        print(&checks)?;
    }
    match failed {
        0 => Ok(Outcome::Done),
        1 => Err(Failure::new(trouble, "1 check failed")),
        count => Err(Failure::new(trouble, format!("{count} checks failed"))),
    }
}

fn print(checks: &[Check]) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    for check in checks {
        let (colour, word) = match check.state {
            State::Ok => (GREEN, "ok"),
            State::Warn => (YELLOW, "look"),
            State::Fail => (RED, "fail"),
            State::Skip => (FAINT, "-"),
        };
        writeln!(out, "{colour}{word:<5}{RESET} {:<14} {}", check.name, check.found)?;
        if let Some(fix) = &check.fix {
            writeln!(out, "{:>20} {FAINT}→ {fix}{RESET}", "")?;
        }
    }
    Ok(())
}
