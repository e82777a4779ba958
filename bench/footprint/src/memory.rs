//! What accounts of one kind take: memory of this process above what it took before it knew any, and where it is.

use crate::crowd::Crowd;
use crate::people::{People, time};
use crate::system::resident_mib;
use clap::Args;
use serde::{Deserialize, Serialize};
use std::io;

/// What is asked.
#[derive(Debug, Args)]
pub struct Asked {
    /// Kind of account
    #[arg(long, value_enum)]
    pub kind: People,
    /// Number of accounts
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub accounts: u32,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Memory {
    /// Kind of account.
    pub kind: People,
    /// Accounts remembered.
    pub accounts: u32,
    /// Events learned.
    pub events: u32,
    /// Memory of the process above its start, MiB.
    pub resident: f64,
    /// Bytes of the accounts by part, as asked of the allocator.
    pub parts: Vec<(String, f64)>,
}

impl Memory {
    /// Bytes in RAM for one account.
    pub fn each(&self) -> f64 {
        self.resident * 1_048_576.0 / f64::from(self.accounts)
    }

    /// MiB in RAM for a million accounts.
    pub fn million(&self) -> f64 {
        self.resident * 1e6 / f64::from(self.accounts)
    }
}

/// Measures.
///
/// # Errors
/// The kernel does not tell, or a line is not understood.
pub fn measured(asked: &Asked) -> io::Result<Memory> {
    let (kind, accounts) = (asked.kind, asked.accounts);
    let mut crowd = Crowd::new()?;
    let start = resident_mib()?;
    let mut events = 0;
    for pass in 0..kind.events_most() {
        for account in (0..accounts).filter(|account| kind.events(*account) > pass) {
            crowd.add(kind, (account, pass), (events, time(pass, account, accounts)))?;
            events += 1;
        }
    }
    crowd.learn()?;
    let resident = resident_mib()? - start;
    let held = crowd.engine.accounts();
    if u32::try_from(held) != Ok(accounts) {
        return Err(io::Error::other(format!(
            "{held} of {accounts} accounts are remembered"
        )));
    }
    let parts = crowd.engine.account_bytes_by_part().into_iter();
    Ok(Memory {
        kind,
        accounts,
        events,
        resident,
        parts: parts
            .map(|(name, bytes)| (name.to_owned(), float(bytes)))
            .collect(),
    })
}

fn float(bytes: usize) -> f64 {
    habitus_model::math::from_usize(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: People) -> Memory {
        measured(&Asked { kind, accounts: 400 }).unwrap()
    }

    #[test]
    fn employees_fill_what_consumers_leave_empty() {
        let (consumer, enterprise) = (of(People::Consumer), of(People::Enterprise));
        assert!(consumer.events > 800 && enterprise.events == 400 * 48);
        let bytes = |memory: &Memory, part: &str| {
            let found = memory.parts.iter().find(|(name, _)| name.starts_with(part));
            found.map(|(_, bytes)| bytes / 400.0).unwrap()
        };
        for part in ["sessions", "what is used"] {
            assert_eq!(bytes(&consumer, part), 0.0);
            assert!(bytes(&enterprise, part) > 500.0, "{part}");
        }
        // 24 bytes and a tag for each of at least 30 values.
        assert!(bytes(&enterprise, "networks") > 700.0, "{enterprise:?}");
        assert!(bytes(&consumer, "networks") < 600.0, "{consumer:?}");
        // What is in RAM belongs to all tests of this process: what was asked for is counted.
        let sum: f64 = consumer.parts.iter().map(|(_, bytes)| bytes / 400.0).sum();
        assert!((300.0..4_096.0).contains(&sum), "{consumer:?}");
    }
}
