//! Every measurement, each as a process of its own, one after the other.

use crate::assess::Decisions;
use crate::cost::Cost;
use crate::memory::Memory;
use crate::page;
use crate::system::available_mib;
use clap::Args;
use serde::de::DeserializeOwned;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What is asked.
#[derive(Debug, Args)]
pub struct Asked {
    /// Numbers of accounts; smallest first
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000, 1_000_000, 10_000_000])]
    sizes: Vec<u32>,
    /// Events measured at each number
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    events: u32,
    /// Accounts of each kind whose memory is measured
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    memory_accounts: u32,
    /// Accounts remembered, and decisions made, for latencies
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    decisions: u32,
    /// Write the page of the documentation
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

/// What came of all.
#[derive(Debug)]
pub struct Measured {
    /// By number of accounts.
    pub costs: Vec<Cost>,
    /// Numbers of accounts that this machine has not enough memory for, with the MiB they would take.
    pub left_out: Vec<(u32, f64)>,
    /// By kind of account.
    pub memory: Vec<Memory>,
    /// Latencies.
    pub decisions: Decisions,
}

/// Measures, prints, and writes the page if one is wanted.
///
/// # Errors
/// A measurement that fails.
pub fn command(asked: &Asked) -> io::Result<()> {
    let Costs { costs, left_out } = costs(asked)?;
    let accounts = asked.memory_accounts.to_string();
    let memory = |kind| of_process(&["memory", "--kind", kind, "--accounts", &accounts]);
    let many = asked.decisions.to_string();
    let measured = Measured {
        costs,
        left_out,
        memory: vec![memory("consumer")?, memory("enterprise")?],
        decisions: of_process(&["assess", "--accounts", &many, "--decisions", &many])?,
    };
    let text = page::text(&measured);
    println!("{text}");
    match &asked.page {
        Some(path) => fs::write(path, page::page(&text)),
        None => Ok(()),
    }
}

/// Costs by number of accounts, and the numbers left out.
#[derive(Debug, Default)]
struct Costs {
    costs: Vec<Cost>,
    left_out: Vec<(u32, f64)>,
}

fn costs(asked: &Asked) -> io::Result<Costs> {
    let mut found = Costs::default();
    for accounts in &asked.sizes {
        let needed = found
            .costs
            .last()
            .map_or(0.0, |smaller| needed_mib(smaller, *accounts));
        if needed > available_mib()? {
            found.left_out.push((*accounts, needed));
            continue;
        }
        let (accounts, events) = (accounts.to_string(), asked.events.to_string());
        found.costs.push(of_process(&[
            "cost",
            "--accounts",
            &accounts,
            "--events",
            &events,
        ])?);
    }
    Ok(found)
}

/// As much for each account as the smaller number took, and a tenth more.
fn needed_mib(smaller: &Cost, accounts: u32) -> f64 {
    1.1 * smaller.resident * f64::from(accounts) / f64::from(smaller.accounts.max(100_000).min(accounts))
}

fn of_process<T: DeserializeOwned>(arguments: &[&str]) -> io::Result<T> {
    let mut command = Command::new(std::env::current_exe()?);
    let output = command.args(arguments).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!(
            "{arguments:?} ended with {}",
            output.status
        )));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
