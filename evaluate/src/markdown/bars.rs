//! The bars as a table: one row each, one column a scorer.

use super::percent;
use crate::bars::BarRow;
use std::fmt::{self, Write};

/// Writes the bars of some scorers, each with its rows in the same order; nothing without rows.
pub(super) fn write_bars(scorers: &[(&str, &[BarRow])], out: &mut String) -> fmt::Result {
    let first = scorers.first().map_or(&[][..], |(_, rows)| *rows);
    if first.is_empty() {
        return Ok(());
    }
    write!(out, "\n| bar | goal |")?;
    for (name, _) in scorers {
        write!(out, " {name} |")?;
    }
    writeln!(out, "\n|---|---:|{}", "---:|".repeat(scorers.len()))?;
    for row in first {
        let sign = if row.is_ceiling { "≤" } else { "≥" };
        write!(out, "| {} | {sign} {} |", row.bar, goal(row))?;
        for (_, rows) in scorers {
            let own = rows.iter().find(|other| other.bar == row.bar);
            write!(out, " {} |", own.map_or_else(|| "–".to_owned(), cell))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn goal(row: &BarRow) -> String {
    if row.is_ceiling {
        format!("{}", habitus_model::math::round_to(row.goal, 4))
    } else {
        percent(row.goal)
    }
}

fn cell(row: &BarRow) -> String {
    let Some(measured) = row.measured else {
        return "–".to_owned();
    };
    let value = |value: f64| {
        if row.is_ceiling {
            format!("{value:.2}")
        } else {
            format!("{:.1} %", value * 100.0)
        }
    };
    let interval = measured.interval.map(|(low, high)| {
        if row.is_ceiling {
            format!(" [{low:.2}, {high:.2}]")
        } else {
            format!(" [{:.1}, {:.1}]", low * 100.0, high * 100.0)
        }
    });
    let cost = row
        .false_share
        .map(|share| format!(", cost {}", percent_of_few(share)));
    let mark = if row.holds == Some(true) { "**" } else { "" };
    format!(
        "{mark}{}{mark}{}{}",
        value(measured.value),
        interval.unwrap_or_default(),
        cost.unwrap_or_default()
    )
}

/// A small share: `0.012 %`.
fn percent_of_few(share: f64) -> String {
    format!("{:.3} %", share * 100.0)
}
