//! Models for people.

use crate::failure::Failure;
use crate::terminal::{BOLD, FAINT, GREEN, RESET, YELLOW, harmless};
use habitus_console::product::{ModelComparison, ModelMove, ModelRow, ModelStep, Models, time};
use std::io::Write;

/// Prints all of it.
///
/// # Errors
/// Standard output that cannot be written.
pub fn print(out: &mut impl Write, models: &Models) -> Result<(), Failure> {
    writeln!(out, "labels      {}", models.labels)?;
    writeln!(out, "{BOLD}champion{RESET}    {}", named(&models.champion))?;
    match &models.challenger {
        None => writeln!(out, "challenger  none")?,
        Some(challenger) => {
            writeln!(out, "{BOLD}challenger{RESET}  {}", named(challenger))?;
            for line in moves(&models.champion, challenger) {
                writeln!(out, "            {line}")?;
            }
        }
    }
    if let Some(former) = &models.former {
        writeln!(out, "before      {}", named(former))?;
    }
    if let Some(comparison) = &models.comparison {
        compared(out, comparison)?;
    }
    for step in &models.history {
        writeln!(out, "{FAINT}{}{RESET}", happened(step))?;
    }
    Ok(())
}

fn named(model: &ModelRow) -> String {
    format!("{} ({})", harmless(&model.id), harmless(&model.origin_text()))
}

/// What a challenger has other than the champion.
fn moves<'m>(champion: &'m ModelRow, challenger: &'m ModelRow) -> impl Iterator<Item = String> + 'm {
    challenger.moves_from(champion).map(|moved| {
        let ModelMove {
            what,
            name,
            before,
            after,
        } = moved;
        format!("{what} of {}: {before:.2} → {after:.2}", harmless(name))
    })
}

fn compared(out: &mut impl Write, comparison: &ModelComparison) -> Result<(), Failure> {
    let ModelComparison {
        events,
        champion_flags,
        challenger_flags,
        champion,
        challenger,
        champion_standard,
        challenger_standard,
        ..
    } = comparison;
    writeln!(out, "\n            score from      40      60      80")?;
    let mut row = |name: &str, counts: &[u64]| -> Result<(), Failure> {
        let cells: Vec<String> = counts.iter().map(|count| format!("{count:>8}")).collect();
        writeln!(out, "  {name:<20}{}", cells.concat())?;
        Ok(())
    };
    row("flagged, champion", champion_flags)?;
    row("flagged, challenger", challenger_flags)?;
    row("labels, champion", &champion.attacks)?;
    row("labels, challenger", &challenger.attacks)?;
    row("standard, champion", champion_standard)?;
    row("standard, challenger", challenger_standard)?;
    writeln!(
        out,
        "  of {events} events, {} labelled attacks that taught nothing, {} standard attacks",
        comparison.held_out_attacks, comparison.standard_attacks
    )?;
    for mover in &comparison.worse {
        let sort = if mover.attack { "attack" } else { "owner" };
        let (before, after) = (mover.champion, mover.challenger);
        writeln!(
            out,
            "  worse: {sort} {} {before:.0} → {after:.0}",
            harmless(&mover.finding)
        )?;
    }
    if comparison.hindrances.is_empty() {
        writeln!(out, "  {GREEN}nothing speaks against promoting it{RESET}")?;
    }
    for hindrance in &comparison.hindrances {
        writeln!(
            out,
            "  {YELLOW}not to be promoted: {}{RESET}",
            harmless(hindrance)
        )?;
    }
    Ok(())
}

fn happened(step: &ModelStep) -> String {
    let what = step.what.text();
    let by = step
        .by
        .as_deref()
        .map_or_else(String::new, |by| format!(", by {}", harmless(by)));
    format!("{}  model {} {what}{by}", time::text(step.at), harmless(&step.id))
}
