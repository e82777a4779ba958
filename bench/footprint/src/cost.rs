//! What an event costs with so many accounts remembered: the third login of accounts that had two, whoever comes next.

use crate::crowd::{Crowd, Spent};
use crate::people::{People, time};
use crate::system::{cpu_seconds, resident_mib};
use clap::Args;
use habitus_bench::world::mixed;
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::io;

/// What is asked.
#[derive(Debug, Args)]
pub struct Asked {
    /// Accounts remembered
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub accounts: u32,
    /// Events measured
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub events: u32,
}

/// Logins of each account before the one that is measured: the consumers' median.
const BEFORE: u32 = 2;

/// What came of it. CPU time of one thread, an event.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Cost {
    /// Accounts remembered.
    pub accounts: u32,
    /// Events measured.
    pub events: u32,
    /// From bytes to event, µs.
    pub normalize: f64,
    /// From event to context, µs.
    pub enrich: f64,
    /// Scoring and learning, µs.
    pub score: f64,
    /// One look-up of the account in a hash table of as many, ns.
    pub lookup: f64,
    /// Copying the event's line, ns.
    pub copy: f64,
    /// Memory of the process when all are remembered, MiB.
    pub resident: f64,
}

impl Cost {
    /// All stages, µs.
    pub fn total(&self) -> f64 {
        self.normalize + self.enrich + self.score
    }
}

/// Measures.
///
/// # Errors
/// The kernel does not tell, or a line is not understood.
pub fn measured(asked: &Asked) -> io::Result<Cost> {
    let accounts = asked.accounts;
    let once = asked.events.min(accounts);
    let rounds = asked.events.div_ceil(once);
    let mut crowd = Crowd::new()?;
    let mut spent = Spent::default();
    let (mut copied, mut resident) = (0.0, 0.0);
    for _ in 0..rounds {
        // Every round begins with nobody, so that histories are as long whatever the number of accounts.
        crowd.forget();
        history(&mut crowd, accounts)?;
        resident = resident_mib()?;
        for at in 0..once {
            let event = (chosen(at, once, accounts), BEFORE);
            crowd.queue(People::Consumer, event, (at, time(BEFORE, at, once)))?;
        }
        copied += copy(&crowd.queued());
        let round = crowd.learn()?;
        spent.normalize += round.normalize;
        spent.enrich += round.enrich;
        spent.score += round.score;
    }
    let events = once * rounds;
    drop(crowd);
    let each = |seconds: f64, unit: f64| seconds * unit / f64::from(events);
    Ok(Cost {
        accounts,
        events,
        normalize: each(spent.normalize, 1e6),
        enrich: each(spent.enrich, 1e6),
        score: each(spent.score, 1e6),
        lookup: look_up(accounts, asked.events) * 1e9 / f64::from(asked.events),
        copy: each(copied, 1e9),
        resident,
    })
}

fn history(crowd: &mut Crowd, accounts: u32) -> io::Result<()> {
    for pass in 0..BEFORE {
        for account in 0..accounts {
            crowd.add(
                People::Consumer,
                (account, pass),
                (account, time(pass, account, accounts)),
            )?;
        }
    }
    crowd.learn().map(|_| ())
}

/// Accounts far from each other, each once: steps of the golden section, made coprime to the number of accounts by trying.
fn chosen(at: u32, once: u32, accounts: u32) -> u32 {
    if once == accounts {
        // All of them: a walk through all residues.
        let step = stride(accounts);
        return narrow(u64::from(at) * u64::from(step) % u64::from(accounts));
    }
    // One of each of `once` equal parts, the parts in a walk as above.
    let part = u64::from(at) * u64::from(stride(once)) % u64::from(once);
    let width = u64::from(accounts / once);
    narrow(part * width + mixed(part, 31) % width.max(1))
}

fn stride(among: u32) -> u32 {
    let golden = u64::from(among) * 618 / 1_000;
    let fits = |step: &u64| gcd(*step, u64::from(among)) == 1;
    narrow((golden.max(1)..).find(fits).unwrap_or(1))
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn narrow(small: u64) -> u32 {
    u32::try_from(small).unwrap_or(u32::MAX)
}

/// CPU seconds of copying these bytes into memory that is there already.
fn copy(bytes: &[u8]) -> f64 {
    let mut to = vec![1_u8; bytes.len()];
    let began = cpu_seconds();
    to.copy_from_slice(black_box(bytes));
    black_box(&to);
    cpu_seconds() - began
}

/// CPU seconds of looking up as many random keys in a hash table of so many: what finding an account costs at the least.
fn look_up(accounts: u32, events: u32) -> f64 {
    let key = |number: u64| mixed(number, 37);
    let mut table: HashTable<(u64, u64)> = HashTable::with_capacity(usize::try_from(accounts).unwrap_or(0));
    for account in 0..u64::from(accounts) {
        table.insert_unique(key(account), (key(account), account), |entry| entry.0);
    }
    let began = cpu_seconds();
    let mut sum = 0_u64;
    for at in 0..u64::from(events) {
        let wanted = key(mixed(at, 41) % u64::from(accounts));
        let found = table.find(wanted, |entry| entry.0 == wanted);
        sum = sum.wrapping_add(found.map_or(0, |entry| entry.1));
    }
    black_box(sum);
    cpu_seconds() - began
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_measured_event_is_of_another_account() {
        for (once, accounts) in [(1, 1), (10, 10), (100, 1_000), (97, 10_000), (1_000, 1_000)] {
            let chosen: BTreeSet<u32> = (0..once).map(|at| chosen(at, once, accounts)).collect();
            assert_eq!(chosen.len(), usize::try_from(once).unwrap());
            assert!(chosen.iter().all(|account| *account < accounts));
        }
    }

    #[test]
    fn all_stages_take_time() {
        let asked = Asked {
            accounts: 500,
            events: 3_000,
        };
        let cost = measured(&asked).unwrap();
        assert_eq!((cost.accounts, cost.events), (500, 3_000));
        assert!(cost.total() > 0.0 && cost.resident > 0.0, "{cost:?}");
    }
}
