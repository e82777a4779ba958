//! `habitus evaluate`: how well takeovers are found, on simulated worlds and beside published baselines.

use crate::failure::{Failure, Outcome, Trouble};
use crate::terminal::Talk;
use clap::Args;
use habitus_engine::{Config, Engine, Learning, MODEL, Record};
use habitus_enrich::{Enricher, Tables};
use habitus_evaluate::{Login, Plan, Scorer, baselines, run_world, summarise};
use habitus_model::{Assessment, Event};
use habitus_sim::{REPORTING_SEEDS, Regime, WorldConfig};
use std::io::Write;
use std::ops::RangeInclusive;
use std::sync::Arc;

const EXAMPLES: &str = "\
Examples:
  habitus evaluate                               one world of each regime, for a first look
  habitus evaluate --seeds 1-9                   the development seeds, for tuning
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
    /// Only this regime: consumer or enterprise
    #[arg(long, value_name = "REGIME", env = "HABITUS_REGIME", value_parser = regime)]
    regime: Option<Regime>,
    /// Number of accounts of each world; the usual size if not given
    #[arg(long, value_name = "N", env = "HABITUS_ACCOUNTS")]
    accounts: Option<u32>,
    /// Print the whole report as JSON in place of tables
    #[arg(long, env = "HABITUS_JSON")]
    json: bool,
}

/// Evaluates, and writes Markdown or JSON to standard output.
pub fn run(asked: &Evaluate, talk: Talk) -> Result<Outcome, Failure> {
    let seeds = if asked.reporting {
        REPORTING_SEEDS
    } else {
        asked.seeds.clone()
    };
    let regimes = Regime::ALL
        .into_iter()
        .filter(|regime| asked.regime.is_none_or(|only| only == *regime));
    let worlds: Vec<WorldConfig> = regimes
        .flat_map(|regime| seeds.clone().map(move |seed| WorldConfig::new(seed, regime)))
        .collect();
    let plan = Plan::of(sized(worlds, asked.accounts)?);
    let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
    let bar = talk.progress("evaluating", u64::try_from(plan.worlds.len()).ok());
    let mut outcomes = Vec::with_capacity(plan.worlds.len());
    for world in &plan.worlds {
        outcomes.push(run_world(&plan, world, scorers(), &mut |event: &Event| {
            enricher.context(event)
        }));
        bar.to(u64::try_from(outcomes.len()).unwrap_or(u64::MAX));
    }
    bar.done();
    let report = summarise(&plan, &outcomes);
    let mut out = std::io::stdout().lock();
    if asked.json {
        writeln!(out, "{}", report.json()?)?;
    } else {
        writeln!(out, "{}\n\n{}", heading(&seeds), report.markdown().trim_end())?;
    }
    Ok(Outcome::Done)
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
fn scorers() -> Vec<Box<dyn Scorer>> {
    let mut all: Vec<Box<dyn Scorer>> = vec![Box::new(Habitus(Engine::new(Config::default())))];
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

/// The engine as a scorer: score first, ties of the capped score broken by log-odds, as verdicts are read.
struct Habitus(Engine);

impl Scorer for Habitus {
    fn name(&self) -> &str {
        "habitus"
    }

    fn score(&mut self, login: Login<'_>) -> f64 {
        rank(&self.0.assess(&record(login, Learning::Probe)))
    }

    fn learn(&mut self, login: Login<'_>) {
        self.0.handle(&record(login, Learning::Learn));
    }

    fn observe(&mut self, login: Login<'_>) -> f64 {
        rank(&self.0.handle(&record(login, Learning::Learn)))
    }
}

fn record(login: Login<'_>, learning: Learning) -> Record {
    Record {
        uid: login.event.uid.clone(),
        context: login.context.clone(),
        learning,
    }
}

fn rank(assessment: &Assessment) -> f64 {
    // A millionth of a point per nat: below any difference of scores that is shown.
    assessment.score.get() + assessment.log_odds.0 * 1e-6
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
    found.ok_or_else(|| "choose consumer or enterprise".to_owned())
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
