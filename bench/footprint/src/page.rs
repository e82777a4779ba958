//! The tables, the bars, and the page of the documentation.

use crate::assess::Quantiles;
use crate::cost::Cost;
use crate::memory::Memory;
use crate::people::People;
use crate::table::Measured;
use habitus_bench::bars::{self, Bar};
use habitus_bench::machine;
use std::fmt::{self, Write as _};

/// Issue 5: from a thousand to ten million accounts, an event costs so many times as much at most.
const GROWTH: f64 = 3.0;
const GROWTH_FROM: u32 = 1_000;
const GROWTH_TO: u32 = 10_000_000;
/// Issue 5: MiB in RAM of a million accounts.
const CONSUMER_MIB: f64 = 300.0;
const ENTERPRISE_MIB: f64 = 1_536.0;
/// Issue 5: a decision in process, µs, 99th percentile.
const ASSESS_US: f64 = 25.0;

/// The tables.
pub fn text(measured: &Measured) -> String {
    let mut out = String::new();
    // Writing to memory does not fail.
    let _ = costs(measured, &mut out);
    let _ = memory(&measured.memory, &mut out);
    let _ = decisions(measured, &mut out);
    let _ = write!(
        out,
        "\n## Limits\n\n{}\nMachine: {}.\n",
        bars::table(&bars(measured)),
        machine::description()
    );
    out
}

fn costs(measured: &Measured, out: &mut String) -> fmt::Result {
    out.push_str("\n## Cost of an event by number of accounts\n\n");
    out.push_str("| accounts | events | normalise µs | enrich µs | score and learn µs | all µs | × the first | × the one before | look-up in a hash table ns | copy of the line ns | MiB |\n");
    out.push_str("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
    let first = measured.costs.first().map_or(f64::NAN, Cost::total);
    let mut before = first;
    for cost in &measured.costs {
        let total = cost.total();
        writeln!(
            out,
            "| {} | {} | {:.2} | {:.2} | {:.2} | {total:.2} | {:.2} | {:.2} | {:.0} | {:.0} | {:.0} |",
            cost.accounts,
            cost.events,
            cost.normalize,
            cost.enrich,
            cost.score,
            total / first,
            total / before,
            cost.lookup,
            cost.copy,
            cost.resident,
        )?;
        before = total;
    }
    for (accounts, mib) in &measured.left_out {
        writeln!(
            out,
            "\nNot run: {accounts} accounts would take about {mib:.0} MiB, which this machine did not have to spare."
        )?;
    }
    Ok(())
}

fn memory(kinds: &[Memory], out: &mut String) -> fmt::Result {
    out.push_str("\n## Memory of an account by kind\n\n");
    out.push_str("| bytes an account |");
    for Memory {
        kind,
        accounts,
        events,
        ..
    } in kinds
    {
        write!(out, " {}: {accounts} accounts, {events} events |", name(*kind))?;
    }
    writeln!(out, "\n|---|{}", "---:|".repeat(kinds.len()))?;
    let each = |memory: &Memory, bytes: f64| bytes / f64::from(memory.accounts);
    let parts = kinds.first().map_or(0, |memory| memory.parts.len());
    for part in 0..parts {
        let of = |memory: &Memory| memory.parts.get(part).cloned().unwrap_or_default();
        write!(out, "| {} |", kinds.first().map(of).unwrap_or_default().0)?;
        for memory in kinds {
            write!(out, " {:.0} |", each(memory, of(memory).1))?;
        }
        out.push('\n');
    }
    let sum = |memory: &Memory| memory.parts.iter().map(|(_, bytes)| bytes).sum::<f64>();
    row("sum", kinds, |memory| each(memory, sum(memory)), out)?;
    let beside = |memory: &Memory| memory.each() - each(memory, sum(memory));
    row(
        "beside: population, networks, what the allocator rounds up",
        kinds,
        beside,
        out,
    )?;
    row("in RAM above the start", kinds, Memory::each, out)
}

fn row(name: &str, kinds: &[Memory], figure: impl Fn(&Memory) -> f64, out: &mut String) -> fmt::Result {
    write!(out, "| {name} |")?;
    for memory in kinds {
        write!(out, " {:.0} |", figure(memory))?;
    }
    out.push('\n');
    Ok(())
}

const fn name(kind: People) -> &'static str {
    match kind {
        People::Consumer => "consumers",
        People::Enterprise => "employees",
    }
}

fn decisions(measured: &Measured, out: &mut String) -> fmt::Result {
    let all = &measured.decisions;
    let (accounts, decisions) = (all.accounts, all.decisions);
    write!(
        out,
        "\n## A decision in process\n\n{accounts} accounts, {decisions} decisions.\n\n| µs | p50 | p99 | p99.9 |\n|---|---:|---:|---:|\n"
    )?;
    for (name, Quantiles { p50, p99, p999 }) in [
        ("assess, consumers", all.consumer),
        ("assess, employees", all.enterprise),
        ("enrich and assess, employees", all.enriched),
    ] {
        writeln!(out, "| {name} | {p50:.1} | {p99:.1} | {p999:.1} |")?;
    }
    Ok(())
}

fn bars(measured: &Measured) -> Vec<Bar> {
    let cost = |accounts| {
        let found = measured.costs.iter().find(|cost| cost.accounts == accounts);
        found.map_or(f64::NAN, Cost::total)
    };
    let million = |kind| {
        let found = measured.memory.iter().find(|memory| memory.kind == kind);
        found.map_or(f64::NAN, Memory::million)
    };
    let slowest = measured
        .decisions
        .consumer
        .p99
        .max(measured.decisions.enterprise.p99);
    vec![
        Bar::at_most(
            "cost of an event at 10,000,000 accounts by that at 1,000",
            cost(GROWTH_TO) / cost(GROWTH_FROM),
            GROWTH,
        ),
        Bar::at_most(
            "MiB of a million consumers",
            million(People::Consumer),
            CONSUMER_MIB,
        ),
        Bar::at_most(
            "MiB of a million employees",
            million(People::Enterprise),
            ENTERPRISE_MIB,
        ),
        Bar::at_most("assess, p99, µs", slowest, ASSESS_US),
    ]
}

/// The page.
pub fn page(text: &str) -> String {
    format!("{HEAD}{text}")
}

const HEAD: &str = "\
# Footprint

Made by `cargo xtask bench --footprint`; not edited by hand. Each measurement is a process of its own that puts lines of a seeded log
through the stages of replay on one thread; costs are CPU time of that thread, memory is what the kernel says is in RAM
(`VmRSS`), with the allocator of the program.

Cost: every account has logged in twice; then as many different accounts as are measured log in for the third time, far apart in memory.
Beside it, in the same process: one look-up of a random account in a hash table of as many entries of 16 bytes, and copying the lines.

Memory: consumers have one login (two in five), two (one in five) or more, and nothing else. Employees have 48 events that fill every set of a
profile to its limit: twelve addresses in six systems, six devices with keys, six sessions, twelve applications, 24 actions, 24 resources.

A decision: `Engine::assess` with its full explanation, on the wall's clock; nothing is learned.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::Decisions;

    fn cost(accounts: u32, score: f64) -> Cost {
        Cost {
            accounts,
            events: 10,
            normalize: 1.0,
            enrich: 1.0,
            score,
            lookup: 50.0,
            copy: 20.0,
            resident: 99.0,
        }
    }

    fn measured(kinds: [People; 2]) -> Measured {
        let memory = |kind| Memory {
            kind,
            accounts: 1_048_576,
            events: 5,
            resident: 400.0,
            parts: vec![("slots".to_owned(), 1_048_576.0 * 300.0)],
        };
        let quantiles = |p99| Quantiles {
            p50: 1.0,
            p99,
            p999: 99.0,
        };
        Measured {
            costs: vec![cost(1_000, 2.0), cost(10_000_000, 6.0)],
            left_out: vec![(20_000_000, 30_000.0)],
            memory: kinds.map(memory).to_vec(),
            decisions: Decisions {
                accounts: 5,
                decisions: 6,
                consumer: quantiles(20.0),
                enterprise: quantiles(30.0),
                enriched: quantiles(31.0),
            },
        }
    }

    #[test]
    fn figures_stand_beside_their_limits() {
        let page = page(&text(&measured([People::Consumer, People::Enterprise])));
        for line in [
            "| 10000000 | 10 | 1.00 | 1.00 | 6.00 | 8.00 | 2.00 | 2.00 | 50 | 20 | 99 |",
            "Not run: 20000000 accounts would take about 30000 MiB",
            "| slots | 300 | 300 |",
            "| in RAM above the start | 400 | 400 |",
            "| assess, employees | 1.0 | 30.0 | 99.0 |",
            "| cost of an event at 10,000,000 accounts by that at 1,000 | 2.00 | at most | 3 | holds |",
            "| MiB of a million consumers | 381.47 | at most | 300 | missed |",
            "| MiB of a million employees | 381.47 | at most | 1536 | holds |",
            "| assess, p99, µs | 30.00 | at most | 25 | missed |",
        ] {
            assert!(page.contains(line), "{line}\n{page}");
        }
    }

    #[test]
    fn what_was_not_measured_is_missed() {
        let mut measured = measured([People::Consumer, People::Enterprise]);
        measured.costs.truncate(1);
        assert!(text(&measured).contains("NaN | at most | 3 | missed"));
    }
}
