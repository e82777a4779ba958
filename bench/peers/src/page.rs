//! The table, the bars, and the page of the documentation.

use crate::row::{Row, Scorer};
use crate::run::Measured;
use habitus_bench::bars::{self, Bar};
use habitus_bench::machine;
use std::fmt::Write as _;

/// Issue 5: so many times as fast as a window query, loading included, on as many threads.
const DUCKDB: f64 = 5.0;
/// Issue 5: so many times less CPU than Python's detectors.
const FREEMAN: f64 = 50.0;
const RIVER: f64 = 100.0;
/// Issue 5: so many times as fast with a second core.
const SECOND_CORE: f64 = 1.7;

/// The tables. `log` is logins, accounts, bytes a login.
pub fn text(measured: &[Measured], (events, accounts, bytes): (u32, u32, u64)) -> String {
    let mut out = format!("\n## {events} logins of {bytes} bytes, {accounts} accounts\n\n");
    out.push_str("| threads | what | results | logins/s | CPU s | CPU µs/login | peak MiB | time × habitus | CPU × habitus |\n");
    out.push_str("|---|---|---:|---:|---:|---:|---:|---:|---:|\n");
    let events = f64::from(events);
    for one in measured {
        let ours = of(measured, Scorer::Habitus, one.row.threads).unwrap_or(one);
        // Writing to memory does not fail.
        let _ = writeln!(
            out,
            "| {} | {} | {} | {:.0} | {:.2} | {:.2} | {:.0} | {:.2} | {:.2} |",
            one.row.threads,
            one.row.caption(),
            one.said.results,
            events / one.wall(),
            one.cpu(),
            one.cpu() * 1e6 / events,
            one.peak(),
            one.wall() / ours.wall(),
            one.cpu() / ours.cpu(),
        );
    }
    let _ = write!(
        out,
        "\n{}\nMachine: {}.\n",
        bars::table(&bars(measured)),
        machine::description()
    );
    for one in measured.iter().filter(|one| one.row.threads == 1) {
        let _ = writeln!(out, "- {}: {}", one.row.caption(), one.said.versions);
    }
    out
}

fn of(measured: &[Measured], scorer: Scorer, threads: u32) -> Option<&Measured> {
    let row = Row { scorer, threads };
    measured.iter().find(|one| one.row == row)
}

fn bars(measured: &[Measured]) -> Vec<Bar> {
    let figure = |(scorer, threads): (Scorer, u32), what: fn(&Measured) -> f64| {
        of(measured, scorer, threads).map_or(f64::NAN, what)
    };
    let time = |scorer, threads| {
        figure((scorer, threads), Measured::wall) / figure((Scorer::Habitus, threads), Measured::wall)
    };
    let cpu = |scorer| figure((scorer, 1), Measured::cpu) / figure((Scorer::Habitus, 1), Measured::cpu);
    let second = figure((Scorer::Habitus, 1), Measured::wall) / figure((Scorer::Habitus, 2), Measured::wall);
    vec![
        Bar::at_least(
            "times as fast as DuckDB, one thread",
            time(Scorer::DuckDb, 1),
            DUCKDB,
        ),
        Bar::at_least(
            "times as fast as DuckDB, two threads",
            time(Scorer::DuckDb, 2),
            DUCKDB,
        ),
        Bar::at_least("CPU of the Freeman score by ours", cpu(Scorer::Freeman), FREEMAN),
        Bar::at_least(
            "CPU of half-space trees by ours",
            cpu(Scorer::HalfSpaceTrees),
            RIVER,
        ),
        Bar::at_least("times as fast with a second core", second, SECOND_CORE),
    ]
}

/// The page.
pub fn page(text: &str) -> String {
    format!("{HEAD}{text}")
}

const HEAD: &str = "\
# Peers

Made by `cargo xtask bench --peers`; not edited by hand. It installs what `bench/peers/requirements.txt` names into a virtual environment
(`target/peers`), generates the log, and runs each row as a whole process over the same file, in turn, in one run: medians of the rounds,
CPU and peak memory as the kernel counted them for that process (`wait4`). Absolute numbers are those of the machine and of what else ran
there; the ratios are of one run, against habitus on as many threads.

What each does is in `bench/peers`: replay reads, checks, normalises, enriches, orders, scores with all detectors, explains and learns, and
writes the verdicts from 40 on. DuckDB loads the file and runs one window query: new country, new device, impossible travel, failures
before success; places are the centres of countries that habitus has in its own table. The Freeman score is that of the published code,
counted in dictionaries as the log goes on; it agrees with the baseline of `habitus evaluate`. Half-space trees and isolation forest see 12
features of a login against its user's running statistics. All write their results to a file. A run counts only if every row scored
every login, and the three that score all logins of known users agree on how many these are.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::ROWS;
    use crate::run::Said;
    use habitus_bench::measure::Taken;

    fn measured() -> Vec<Measured> {
        let seconds = |row: Row| match (row.scorer, row.threads) {
            (Scorer::Habitus, 1) => 2.0,
            (Scorer::Habitus, _) => 1.0,
            (Scorer::DuckDb, _) => 8.0,
            _ => 150.0,
        };
        let one = |row: Row| Measured {
            row,
            runs: vec![Taken {
                wall_seconds: seconds(row),
                cpu_seconds: seconds(row),
                peak_mib: 7.0,
            }],
            said: Said {
                logins: 1_000,
                results: 3,
                versions: "v1".to_owned(),
            },
        };
        ROWS.into_iter().map(one).collect()
    }

    #[test]
    fn ratios_are_to_habitus_on_as_many_threads() {
        let page = page(&text(&measured(), (1_000, 10, 375)));
        for line in [
            "| 1 | habitus replay, flagged verdicts | 3 | 500 | 2.00 | 2000.00 | 7 | 1.00 | 1.00 |",
            "| 2 | DuckDB, four rules as a window query | 3 | 125 | 8.00 | 8000.00 | 7 | 8.00 | 8.00 |",
            "| times as fast as DuckDB, one thread | 4.00 | at least | 5 | missed |",
            "| times as fast as DuckDB, two threads | 8.00 | at least | 5 | holds |",
            "| CPU of the Freeman score by ours | 75.00 | at least | 50 | holds |",
            "| CPU of half-space trees by ours | 75.00 | at least | 100 | missed |",
            "| times as fast with a second core | 2.00 | at least | 1.7 | holds |",
            "- Freeman score, incremental, Python: v1",
        ] {
            assert!(page.contains(line), "{line}\n{page}");
        }
    }
}
