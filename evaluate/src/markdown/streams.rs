//! Attacks that stand in the log, as tables.

use super::{percent, percents, plain};
use crate::campaigns::{ScenarioReport, StreamRegime, StreamScorer};
use crate::plan::BUDGETS;
use std::fmt::{self, Write};

/// Writes what was found in the logs of one regime.
pub(super) fn write_streams(regime: &StreamRegime, out: &mut String) -> fmt::Result {
    writeln!(out, "\n### {}: attacks in the log\n", regime.regime.name())?;
    writeln!(out, "| seed | accounts | events | of attacks | attacks |")?;
    writeln!(out, "|---:|---:|---:|---:|---:|")?;
    for world in &regime.worlds {
        writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            world.seed, world.accounts, world.events, world.planted_events, world.attacks
        )?;
    }
    write!(out, "\n| attack | against | scorer | attacks |")?;
    for budget in BUDGETS {
        write!(out, " found at {} |", percent(budget))?;
    }
    writeln!(
        out,
        " events flagged | at event | minutes | victims before | explained |"
    )?;
    writeln!(
        out,
        "|---|---|---|---:|{}---:|---:|---:|---:|---:|",
        "---:|".repeat(BUDGETS.len())
    )?;
    let kinds = regime.scorers.first().map_or(&[][..], |scorer| &scorer.kinds);
    for kind in kinds {
        for scorer in &regime.scorers {
            if let Some(found) = scorer.kinds.iter().find(|other| other.kind == kind.kind) {
                write_kind(scorer, found, out)?;
            }
        }
    }
    Ok(())
}

fn write_kind(scorer: &StreamScorer, kind: &ScenarioReport, out: &mut String) -> fmt::Result {
    write!(
        out,
        "| {} | {} | {} | {} |",
        kind.kind.name(),
        kind.unit.name(),
        scorer.name,
        kind.attacks
    )?;
    for found in &kind.found {
        write!(out, " {} |", percents(*found))?;
    }
    let dash = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), plain);
    let explained = kind
        .explained
        .share()
        .map_or_else(|| "–".to_owned(), |share| format!("{:.0} %", share * 100.0));
    writeln!(
        out,
        " {:.1} % | {} | {} | {} | {explained} |",
        kind.events_flagged * 100.0,
        dash(kind.at_event),
        dash(kind.after_minutes),
        dash(kind.victims_before)
    )
}
