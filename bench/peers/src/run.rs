//! Runs the rows, and holds what they say against each other.

use crate::row::{ROWS, Row, Scorer};
use habitus_bench::measure::{Taken, median};
use serde::Deserialize;
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A row that takes longer runs once.
const LONG_SECONDS: f64 = 30.0;

/// Where everything is.
#[derive(Debug)]
pub struct Place {
    /// The program that is measured.
    pub habitus: PathBuf,
    /// The Python of the virtual environment.
    pub python: PathBuf,
    /// The peers' sources.
    pub scripts: PathBuf,
    /// Centres of countries.
    pub countries: PathBuf,
    /// Where results go.
    pub dir: PathBuf,
    /// The log.
    pub log: PathBuf,
}

/// What a process says when it is done.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Said {
    /// Logins it read and scored.
    pub logins: u64,
    /// Scores it gave, or logins that it found to stand out.
    pub results: u64,
    /// What it is made of.
    pub versions: String,
}

/// One row's runs.
#[derive(Debug)]
pub struct Measured {
    /// Which.
    pub row: Row,
    /// What each run took.
    pub runs: Vec<Taken>,
    /// What it said; the same in every run.
    pub said: Said,
}

impl Measured {
    /// Seconds from start to end, median of the runs.
    pub fn wall(&self) -> f64 {
        median(self.runs.iter().map(|taken| taken.wall_seconds).collect())
    }

    /// Seconds of all cores, median of the runs.
    pub fn cpu(&self) -> f64 {
        median(self.runs.iter().map(|taken| taken.cpu_seconds).collect())
    }

    /// Highest memory of any run, MiB.
    pub fn peak(&self) -> f64 {
        self.runs.iter().map(|taken| taken.peak_mib).fold(0.0, f64::max)
    }
}

impl Place {
    /// A command that runs a program and writes down what the kernel counted of it.
    pub fn measured(&self, program: &Path) -> Command {
        let mut command = Command::new(&self.python);
        command
            .arg(self.scripts.join("measure.py"))
            .arg(self.taken())
            .arg(program)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            // numpy's own threads: one core is one core.
            .env("OMP_NUM_THREADS", "1")
            .env("OPENBLAS_NUM_THREADS", "1");
        command
    }

    fn taken(&self) -> PathBuf {
        self.dir.join("taken.json")
    }
}

/// Every row, in rounds.
///
/// # Errors
/// A process that cannot start or fails, or does not say the same twice.
pub fn all(place: &Place, rounds: u32) -> io::Result<Vec<Measured>> {
    let mut measured: Vec<Measured> = Vec::new();
    for row in ROWS {
        let (taken, said) = once(place, row)?;
        let runs = vec![taken];
        measured.push(Measured { row, runs, said });
    }
    for _ in 1..rounds {
        for one in measured.iter_mut().filter(|one| one.wall() <= LONG_SECONDS) {
            let (taken, said) = once(place, one.row)?;
            if said != one.said {
                let told = format!("{}: {said:?}, and before {:?}", one.row.caption(), one.said);
                return Err(io::Error::other(told));
            }
            one.runs.push(taken);
        }
    }
    Ok(measured)
}

/// One run of a row.
fn once(place: &Place, row: Row) -> io::Result<(Taken, Said)> {
    let mut command = row.command(place);
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!(
            "{command:?} ended with {}",
            output.status
        )));
    }
    let taken = serde_json::from_slice(&fs::read(place.taken())?)?;
    let said = match row.scorer {
        Scorer::Habitus => {
            let lines = fs::read(row.results(place))?;
            said_by_habitus(&serde_json::from_slice(&output.stdout)?, &lines)?
        }
        _ => serde_json::from_slice(&output.stdout)?,
    };
    Ok((taken, said))
}

/// Of the summary of `replay --json`, and the verdicts it wrote.
fn said_by_habitus(summary: &Value, verdicts: &[u8]) -> io::Result<Said> {
    let told = |name: &str| {
        let value = summary.get(name);
        value.ok_or_else(|| io::Error::other(format!("the summary has no `{name}`")))
    };
    let flagged = verdicts.iter().filter(|byte| **byte == b'\n').count();
    Ok(Said {
        logins: told("events")?.as_u64().unwrap_or(0),
        results: u64::try_from(flagged).unwrap_or(u64::MAX),
        versions: told("model")?.as_str().unwrap_or_default().to_owned(),
    })
}

/// Holds what the rows said against each other: all scored the whole log, and those that score every login of a known user
/// agree on how many these are.
///
/// # Errors
/// A sentence on the row that did something else.
pub fn check(measured: &[Measured], events: u32) -> Result<(), String> {
    let mut scored = None;
    for Measured { row, said, .. } in measured {
        let name = row.caption();
        if said.logins != u64::from(events) {
            return Err(format!("{name} scored {} of {events} logins", said.logins));
        }
        if said.results == 0 || said.results >= said.logins {
            return Err(format!("{name} has {} results", said.results));
        }
        if row.scores_all() && *scored.get_or_insert(said.results) != said.results {
            return Err(format!(
                "{name} scored {} logins of known users, and others {scored:?}",
                said.results
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(row: Row, logins: u64, results: u64) -> Measured {
        let versions = String::new();
        Measured {
            row,
            runs: Vec::new(),
            said: Said {
                logins,
                results,
                versions,
            },
        }
    }

    #[test]
    fn a_peer_that_left_work_out_is_told() {
        let of = |number: usize, logins, results| measured(ROWS[number], logins, results);
        assert_eq!(
            check(&[of(0, 9, 1), of(1, 9, 2), of(2, 9, 8), of(3, 9, 8)], 9),
            Ok(())
        );
        let told = |measured: &[Measured]| check(measured, 9).unwrap_err();
        assert!(told(&[of(0, 8, 1)]).contains("scored 8 of 9 logins"));
        assert!(told(&[of(1, 9, 0)]).contains("0 results"));
        assert!(told(&[of(2, 9, 8), of(3, 9, 7)]).contains("7 logins of known users"));
    }

    #[test]
    fn the_summary_of_replay_is_read() {
        let summary = serde_json::json!({"events": 7, "model": "m"});
        let said = said_by_habitus(&summary, b"{}\n{}\n").unwrap();
        assert_eq!((said.logins, said.results, said.versions.as_str()), (7, 2, "m"));
        assert!(said_by_habitus(&serde_json::json!({}), b"").is_err());
    }
}
