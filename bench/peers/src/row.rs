//! What is measured: one process each, and how it is called.

use crate::run::Place;
use std::path::PathBuf;
use std::process::Command;

/// Who scores the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scorer {
    /// Replay that writes the verdicts of flagged events.
    Habitus,
    /// Four rules of a SIEM as one window query.
    DuckDb,
    /// Freeman et al., counted in Python.
    Freeman,
    /// river's half-space trees.
    HalfSpaceTrees,
    /// scikit-learn's isolation forest.
    IsolationForest,
}

/// A scorer on a number of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Who.
    pub scorer: Scorer,
    /// Threads that it may use.
    pub threads: u32,
}

/// The rows of the table. Python's detectors use one core.
pub const ROWS: [Row; 7] = [
    Row::new(Scorer::Habitus, 1),
    Row::new(Scorer::DuckDb, 1),
    Row::new(Scorer::Freeman, 1),
    Row::new(Scorer::IsolationForest, 1),
    Row::new(Scorer::HalfSpaceTrees, 1),
    Row::new(Scorer::Habitus, 2),
    Row::new(Scorer::DuckDb, 2),
];

impl Row {
    const fn new(scorer: Scorer, threads: u32) -> Self {
        Self { scorer, threads }
    }

    /// Its name in the table.
    pub const fn caption(self) -> &'static str {
        match self.scorer {
            Scorer::Habitus => "habitus replay, flagged verdicts",
            Scorer::DuckDb => "DuckDB, four rules as a window query",
            Scorer::Freeman => "Freeman score, incremental, Python",
            Scorer::HalfSpaceTrees => "half-space trees over per-user statistics, river",
            Scorer::IsolationForest => "isolation forest over per-user statistics, scikit-learn",
        }
    }

    /// Whether it gives every login of a known user a score, rather than a list of those that stand out.
    pub fn scores_all(self) -> bool {
        !matches!(self.scorer, Scorer::Habitus | Scorer::DuckDb)
    }

    /// Where the row's results go.
    pub fn results(self, place: &Place) -> PathBuf {
        let name = match self.scorer {
            Scorer::Habitus => "habitus",
            Scorer::DuckDb => "duckdb",
            Scorer::Freeman => "freeman",
            Scorer::HalfSpaceTrees => "half-space-trees",
            Scorer::IsolationForest => "isolation-forest",
        };
        place.dir.join(format!("{name}-{}.results", self.threads))
    }

    /// The process: it reads the log, writes its results, and says how many there were.
    pub fn command(self, place: &Place) -> Command {
        let threads = self.threads.to_string();
        let results = self.results(place);
        let script = match self.scorer {
            Scorer::Habitus => {
                let mut command = place.measured(&place.habitus);
                command.args(["--quiet", "replay", "--json", "--threads", &threads]);
                command.args(["--verdicts-from", "40", "--verdicts"]);
                command.arg(results).arg(&place.log);
                return command;
            }
            Scorer::DuckDb => "duckdb_rules.py",
            Scorer::Freeman => "freeman.py",
            Scorer::HalfSpaceTrees => "half_space_trees.py",
            Scorer::IsolationForest => "isolation_forest.py",
        };
        let mut command = place.measured(&place.python);
        command.arg(place.scripts.join(script)).arg(&place.log);
        if self.scorer == Scorer::DuckDb {
            command.arg(&place.countries).arg(threads);
        }
        command.arg(results);
        command
    }
}
