//! `habitus evaluate`: how well takeovers are found, on simulated worlds and beside published baselines.

mod published;
mod scorer;

use crate::failure::{Failure, Outcome, Trouble};
use crate::terminal::Talk;
use clap::Args;
use habitus_engine::MODEL;
use habitus_enrich::{Enricher, Tables};
use habitus_evaluate::campaigns::{run_activity, summarise_streams};
use habitus_evaluate::datasets::{DATASETS, Dataset};
use habitus_evaluate::{Plan, Report, Scorer, baselines, run_world, summarise};
use habitus_model::Event;
use habitus_sim::{AttackKind, REPORTING_SEEDS, Regime, ScenarioKind, WorldConfig};
use scorer::Habitus;
use std::io::Write;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;

const EXAMPLES: &str = "\
Examples:
  habitus evaluate                               one world of each regime, for a first look
  habitus evaluate --seeds 1-9                   the development seeds, for tuning
  habitus evaluate --kinds session_theft,push_fatigue --regime enterprise
  habitus evaluate --dataset rba rba-dataset.csv.zst
  habitus evaluate --reporting > docs/evaluation.md";

/// What is asked.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Evaluate {
    /// Seeds of the worlds, as 3 or 1-9
    #[arg(long, value_name = "SEEDS", default_value = "1", env = "HABITUS_SEEDS", value_parser = seeds)]
    seeds: RangeInclusive<u64>,
    /// The seeds that nobody tunes on, in place of --seeds
    #[arg(long, env = "HABITUS_REPORTING", conflicts_with = "seeds")]
    reporting: bool,
    /// Only this regime: consumer, b2b or enterprise
    #[arg(long, value_name = "REGIME", env = "HABITUS_REGIME", value_parser = regime)]
    regime: Option<Regime>,
    /// Only these kinds of attack, separated by commas; worlds that have none of them are not simulated
    #[arg(long, value_name = "KINDS", env = "HABITUS_KINDS", value_delimiter = ',', value_parser = kind)]
    kinds: Vec<&'static str>,
    /// Number of accounts of each world; the usual size if not given
    #[arg(long, value_name = "N", env = "HABITUS_ACCOUNTS")]
    accounts: Option<u32>,
    /// Measure on a public data set in place of simulated worlds: cert, clue, lanl, rba; its files are the arguments
    #[arg(long, value_name = "NAME", env = "HABITUS_DATASET", value_parser = dataset, requires = "files", conflicts_with_all = ["seeds", "reporting", "regime", "accounts"])]
    dataset: Option<Dataset>,
    /// Files of the data set, as they are published or compressed
    #[arg(value_name = "FILE", requires = "dataset")]
    files: Vec<PathBuf>,
    /// Also measure ours without each family of evidence in turn
    #[arg(long, env = "HABITUS_ABLATIONS")]
    ablations: bool,
    /// Print the whole report as JSON in place of tables
    #[arg(long, env = "HABITUS_JSON")]
    json: bool,
}

/// Evaluates, and writes Markdown or JSON to standard output.
pub fn run(asked: &Evaluate, talk: Talk) -> Result<Outcome, Failure> {
    if let Some(dataset) = asked.dataset {
        return published::run(dataset, asked, talk);
    }
    let seeds = if asked.reporting {
        REPORTING_SEEDS
    } else {
        asked.seeds.clone()
    };
    let regimes = Regime::ALL
        .into_iter()
        .filter(|regime| asked.regime.is_none_or(|only| only == *regime));
    let regimes: Vec<Regime> = regimes.collect();
    let worlds = |make: fn(u64, Regime) -> WorldConfig| -> Result<Vec<WorldConfig>, Failure> {
        let worlds = regimes
            .iter()
            .flat_map(|regime| seeds.clone().map(|seed| make(seed, *regime)));
        sized(worlds.collect(), asked.accounts)
    };
    let any = |names: &[&str]| asked.kinds.is_empty() || asked.kinds.iter().any(|kind| names.contains(kind));
    let mut plan = Plan::of(Vec::new());
    if any(&AttackKind::ALL.map(AttackKind::name)) {
        plan.worlds = worlds(WorldConfig::new)?;
    }
    if any(&ScenarioKind::ALL.map(ScenarioKind::name)) {
        plan.streams = worlds(WorldConfig::activity)?;
    }
    let mut report = measure(&plan, asked, talk);
    if !asked.kinds.is_empty() {
        report.keep_kinds(&asked.kinds);
    }
    let mut out = std::io::stdout().lock();
    if asked.json {
        writeln!(out, "{}", report.json()?)?;
    } else {
        writeln!(out, "{}\n\n{}", heading(&seeds), report.markdown().trim_end())?;
    }
    Ok(Outcome::Done)
}

/// Runs everything on every world, with a bar for those who wait.
fn measure(plan: &Plan, asked: &Evaluate, talk: Talk) -> Report {
    let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
    let enrich = &mut |event: &Event| enricher.context(event);
    let whole = plan.worlds.len() + plan.streams.len();
    let bar = talk.progress("evaluating", u64::try_from(whole).ok());
    let mut done = 0;
    let mut step = || {
        done += 1;
        bar.to(done);
    };
    let mut outcomes = Vec::with_capacity(plan.worlds.len());
    for world in &plan.worlds {
        outcomes.push(run_world(plan, world, scorers(asked), enrich));
        step();
    }
    let mut report = summarise(plan, &outcomes);
    drop(outcomes);
    for regime in Regime::ALL {
        let mut outcomes = Vec::new();
        for world in plan.streams.iter().filter(|world| world.regime == regime) {
            outcomes.push(run_activity(plan, world, scorers(asked), enrich));
            step();
        }
        if !outcomes.is_empty() {
            report.streams.push(summarise_streams(plan, regime, &outcomes));
        }
    }
    bar.done();
    report
}

/// The worlds at another size.
fn sized(mut worlds: Vec<WorldConfig>, accounts: Option<u32>) -> Result<Vec<WorldConfig>, Failure> {
    if let Some(accounts) = accounts {
        let accounts = at_least_one("--accounts", accounts)?;
        worlds.iter_mut().for_each(|world| world.accounts = accounts);
    }
    Ok(worlds)
}

/// Ours first, then the baselines.
fn scorers(asked: &Evaluate) -> Vec<Box<dyn Scorer>> {
    let mut all: Vec<Box<dyn Scorer>> = vec![Box::new(Habitus::new())];
    if asked.ablations {
        let ablated = Habitus::ablations().into_iter();
        all.extend(ablated.map(|scorer| Box::new(scorer) as Box<dyn Scorer>));
    }
    all.extend(baselines::all());
    all
}

fn heading(seeds: &RangeInclusive<u64>) -> String {
    let (first, last) = (seeds.start(), seeds.end());
    let flag = if *seeds == REPORTING_SEEDS {
        "--reporting".to_owned()
    } else {
        format!("--seeds {first}-{last}")
    };
    format!(
        "# Evaluation\n\nMade by `habitus evaluate {flag}` with model `{MODEL}`, seeds {first} to {last}; not edited by hand."
    )
}

fn seeds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let wrong = || "write one seed or a range, such as 3 or 1-9".to_owned();
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let first: u64 = first.trim().parse().map_err(|_| wrong())?;
    let last: u64 = last.trim().parse().map_err(|_| wrong())?;
    if first <= last {
        Ok(first..=last)
    } else {
        Err(wrong())
    }
}

pub(super) fn regime(name: &str) -> Result<Regime, String> {
    let found = Regime::ALL.into_iter().find(|regime| regime.name() == name);
    found.ok_or_else(|| "choose consumer, b2b or enterprise".to_owned())
}

fn dataset(name: &str) -> Result<Dataset, String> {
    let found = DATASETS.into_iter().find(|dataset| dataset.name == name);
    found.ok_or_else(|| {
        format!(
            "choose one of {}",
            DATASETS.map(|dataset| dataset.name).join(", ")
        )
    })
}

fn kind(name: &str) -> Result<&'static str, String> {
    let attacks = AttackKind::ALL.map(AttackKind::name);
    let scenarios = ScenarioKind::ALL.map(ScenarioKind::name);
    let mut names = attacks.into_iter().chain(scenarios);
    let found = names.clone().find(|known| *known == name);
    found.ok_or_else(|| {
        format!(
            "choose among {}",
            names.by_ref().collect::<Vec<&str>>().join(", ")
        )
    })
}

/// A world cannot be asked for that would have nobody in it.
pub(super) fn at_least_one(what: &str, number: u32) -> Result<u32, Failure> {
    if number > 0 {
        Ok(number)
    } else {
        Err(Failure::new(
            Trouble::Usage,
            format!("`{what}` must be at least 1"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_one_or_a_range() {
        assert_eq!(seeds("3"), Ok(3..=3));
        assert_eq!(seeds("1-9"), Ok(1..=9));
        for bad in ["", "9-1", "x", "1-"] {
            assert!(seeds(bad).is_err(), "{bad}");
        }
    }
}
