//! How long a decision takes in this process: an event held against what is remembered, with its full explanation.

use crate::crowd::Crowd;
use crate::people::{People, time};
use crate::system::now;
use clap::Args;
use habitus_bench::world::mixed;
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::io;

/// What is asked.
#[derive(Debug, Args)]
pub struct Asked {
    /// Accounts remembered
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub accounts: u32,
    /// Decisions
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub decisions: u32,
}

/// Events of each account before it is asked about.
const BEFORE: u32 = 6;

/// Latencies, µs.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Quantiles {
    /// Median.
    pub p50: f64,
    /// 99 of 100 take no longer.
    pub p99: f64,
    /// 999 of 1,000 take no longer.
    pub p999: f64,
}

/// What came of it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Decisions {
    /// Accounts remembered.
    pub accounts: u32,
    /// Decisions made of each kind.
    pub decisions: u32,
    /// The engine's part.
    pub consumer: Quantiles,
    /// The same of accounts with sessions, devices and resources.
    pub enterprise: Quantiles,
    /// From the event as it was read, enriching included.
    pub enriched: Quantiles,
}

/// Measures.
///
/// # Errors
/// A line that is not understood.
pub fn measured(asked: &Asked) -> io::Result<Decisions> {
    let mut crowd = Crowd::new()?;
    let consumer = of(&mut crowd, People::Consumer, asked)?;
    crowd.forget();
    let enterprise = of(&mut crowd, People::Enterprise, asked)?;
    Ok(Decisions {
        accounts: asked.accounts,
        decisions: asked.decisions,
        consumer: consumer.0,
        enterprise: enterprise.0,
        enriched: enterprise.1,
    })
}

/// Latencies of the engine, and of enricher and engine.
fn of(crowd: &mut Crowd, people: People, asked: &Asked) -> io::Result<(Quantiles, Quantiles)> {
    let accounts = asked.accounts;
    for pass in 0..BEFORE {
        for account in 0..accounts {
            crowd.add(people, (account, pass), (account, time(pass, account, accounts)))?;
        }
    }
    crowd.learn()?;
    for number in 0..asked.decisions {
        let account = u32::try_from(mixed(u64::from(number), 43) % u64::from(accounts)).unwrap_or(0);
        crowd.queue(
            people,
            (account, BEFORE),
            (number, time(BEFORE, number, asked.decisions)),
        )?;
    }
    let (mut engine, mut whole) = (Vec::new(), Vec::new());
    for event in crowd.events()? {
        let began = now();
        let record = crowd.record(event);
        let ready = now();
        black_box(crowd.engine.assess(&record));
        engine.push(ready.elapsed().as_secs_f64() * 1e6);
        whole.push(began.elapsed().as_secs_f64() * 1e6);
    }
    Ok((quantiles(engine), quantiles(whole)))
}

fn quantiles(mut values: Vec<f64>) -> Quantiles {
    values.sort_by(f64::total_cmp);
    let at = |permille: usize| {
        let index = values.len() * permille / 1_000;
        let last = values.len().saturating_sub(1);
        values.get(index.min(last)).copied().unwrap_or(f64::NAN)
    };
    Quantiles {
        p50: at(500),
        p99: at(990),
        p999: at(999),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_sorted_values() {
        let found = quantiles((0..1_000).rev().map(f64::from).collect());
        assert_eq!((found.p50, found.p99, found.p999), (500.0, 990.0, 999.0));
    }

    #[test]
    fn decisions_take_time_and_teach_nothing() {
        let asked = Asked {
            accounts: 50,
            decisions: 200,
        };
        let found = measured(&asked).unwrap();
        assert!(found.consumer.p50 > 0.0 && found.enriched.p50 > found.enterprise.p50 / 2.0);
        let mut crowd = Crowd::new().unwrap();
        of(&mut crowd, People::Consumer, &asked).unwrap();
        assert_eq!(crowd.engine.position(), u64::from(50 * BEFORE));
    }
}
