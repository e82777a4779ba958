//! `habitus check config FILE` and `habitus check policy FILE`: would it hold?

mod diagnostics;
mod policy;

use crate::config::{Depth, Loaded, Problems, load, options};
use crate::failure::{Failure, Outcome};
use crate::terminal::{GREEN, RESET, Talk};
use clap::{Args, Subcommand};
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  habitus check config habitus.toml
  habitus check config habitus.toml --offline --json
  habitus check config habitus.toml --print-config
  habitus check policy policy.toml --config habitus.toml";

/// What is asked.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Check {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Check a configuration file and the files it names
    #[command(before_help = EXAMPLES)]
    Config(CheckConfig),
    /// Check a policy file and run its tests
    #[command(before_help = policy::EXAMPLES)]
    Policy(policy::CheckPolicy),
}

#[derive(Debug, Args)]
struct CheckConfig {
    /// The file (TOML)
    file: PathBuf,
    /// Do not open the databases and lists that it names
    #[arg(long, env = "HABITUS_OFFLINE")]
    offline: bool,
    /// Print every option with its value and where that comes from
    #[arg(long, env = "HABITUS_PRINT_CONFIG")]
    print_config: bool,
    /// Print the result as JSON
    #[arg(long, env = "HABITUS_JSON")]
    json: bool,
}

/// Checks.
pub fn run(asked: &Check, talk: Talk) -> Result<Outcome, Failure> {
    match &asked.what {
        What::Config(asked) => check_config(asked, talk),
        What::Policy(asked) => policy::run(asked, talk),
    }
}

fn check_config(asked: &CheckConfig, talk: Talk) -> Result<Outcome, Failure> {
    let file = asked.file.display().to_string();
    match checked(asked) {
        Ok(loaded) => {
            if asked.json {
                print(&json!({ "ok": true, "file": file, "problems": [] }).to_string())?;
            } else if asked.print_config {
                print(&effective(&loaded)?)?;
            }
            talk.line(format_args!("{GREEN}ok:{RESET} `{file}` holds"));
            Ok(Outcome::Done)
        }
        Err(problems) if asked.json => {
            print(&json!({ "ok": false, "file": file, "problems": problems.lines() }).to_string())?;
            Err(Failure::new(crate::failure::Trouble::Configuration, ""))
        }
        Err(problems) => Err(problems.into()),
    }
}

fn checked(asked: &CheckConfig) -> Result<Loaded, Problems> {
    let loaded = load(Some(&asked.file))?;
    if !asked.offline {
        loaded.tables(Depth::Thorough)?;
    }
    Ok(loaded)
}

/// Every option as a line of TOML that could stand in a file, with its origin as a remark.
fn effective(loaded: &Loaded) -> Result<String, Failure> {
    let config = toml::Value::try_from(&loaded.config);
    let config = config.map_err(|error| Failure::new(crate::failure::Trouble::Bug, error.to_string()))?;
    let mut out = String::new();
    for option in options::ALL {
        if option.path.contains("[]") {
            continue;
        }
        let value = option
            .path
            .split('.')
            .try_fold(&config, |here, step| here.get(step));
        let origin = match (loaded.sets(option.path), options::default(option.path)) {
            (false, _) => "default".to_owned(),
            (true, None) => "file".to_owned(),
            (true, Some(default)) => format!("file, default {default}"),
        };
        out.push_str(&format!("# {}\n", option.means));
        match value {
            Some(value) => out.push_str(&format!("{} = {value} # {origin}\n", option.path)),
            None => out.push_str(&format!("# {} is not set\n", option.path)),
        }
    }
    for list in &loaded.config.enrich.ip_list {
        let list = toml::to_string(list).unwrap_or_default();
        out.push_str(&format!("\n[[enrich.ip_list]] # file\n{list}"));
    }
    Ok(out)
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.trim_end().as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(())
}
