//! The report as Markdown: the same report gives the same text.

mod bars;
mod streams;

use crate::bars::BarRow;
use crate::campaigns::StreamRegime;
use crate::plan::BUDGETS;
use crate::report::{Estimate, HistoryShare, KindReport, RegimeReport, Report, ScorerReport};
use habitus_sim::Regime;
use std::fmt::{self, Write};

impl Report {
    /// Tables for people: what was measured, recall with intervals, then breakdowns by history and cohort.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = write_report(self, &mut out);
        out
    }
}

fn write_report(report: &Report, out: &mut String) -> fmt::Result {
    writeln!(
        out,
        "Each login is scored before it is learned; takeovers are scored at their time and never learned. The first \
         {} of each period is learned and not measured. Budgets are shares of the owners' successful logins with at \
         least one earlier login; an attack is found only if it scores strictly above the threshold that the owners' \
         logins before it set, and ties are lost in every column. In brackets: 95 % intervals by resampling accounts \
         or attacks ({} replicates). Bars that hold are bold; \"cost\" is what the thresholds of the past really \
         flagged of what is legitimate. Precision is stated for one takeover in 100,000 logins; \"asked again\" is the \
         share of owners' logins, and the median over accounts, above the score that 98 % of the kind reach. \
         Where attacks stand in the log, a session or day that an attack is part of is no false alarm, and what an account \
         does within 24 hours of an attack in its name is the same incident: it counts for nothing and against nobody. Failed \
         logins are counted by source alone. This holds for every column. \"Explained\" is the share of those found at 0.1 % that \
         are called after the planted cause (`model::lead`), in a log by the first event that reached the highest level, as a finding is; \"below without \
         it\" the share of takeovers found at 0.1 % that fall below the threshold once network, client, or both, whichever was \
         planted, are those of the owner's last login.",
        percent(report.plan.warm_up_share),
        report.plan.replicates
    )?;
    for regime in Regime::ALL {
        let logins = report.regimes.iter().find(|other| other.regime == regime);
        let stream = report.streams.iter().find(|other| other.regime == regime);
        if logins.is_none() && stream.is_none() {
            continue;
        }
        writeln!(out, "\n## {}", regime.name())?;
        write_all_bars((logins, stream), out)?;
        if let Some(logins) = logins {
            write_regime(logins, out)?;
        }
        if let Some(stream) = stream {
            streams::write_streams(stream, out)?;
        }
    }
    Ok(())
}

/// The bars on logins and on logs with attacks in them, as two tables: they may have other scorers.
fn write_all_bars(
    (logins, stream): (Option<&RegimeReport>, Option<&StreamRegime>),
    out: &mut String,
) -> fmt::Result {
    if let Some(logins) = logins {
        let rows: Vec<(&str, &[BarRow])> = logins
            .scorers
            .iter()
            .map(|scorer| (scorer.name.as_str(), scorer.bars.as_slice()))
            .collect();
        bars::write_bars(&rows, out)?;
    }
    if let Some(stream) = stream {
        let rows: Vec<(&str, &[BarRow])> = stream
            .scorers
            .iter()
            .map(|scorer| (scorer.name.as_str(), scorer.bars.as_slice()))
            .collect();
        bars::write_bars(&rows, out)?;
    }
    Ok(())
}

fn write_regime(regime: &RegimeReport, out: &mut String) -> fmt::Result {
    writeln!(out, "\n### {}: single takeovers\n", regime.regime.name())?;
    writeln!(
        out,
        "| seed | accounts | days | events | measured logins | attacks |"
    )?;
    writeln!(out, "|---:|---:|---:|---:|---:|---:|")?;
    for world in &regime.worlds {
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            world.seed,
            world.accounts,
            world.days,
            world.events,
            world.measured_owner_logins,
            world.measured_attacks
        )?;
    }
    write_recall(regime, out)?;
    write_history(regime, out)?;
    write_cohorts(regime, out)
}

fn write_recall(regime: &RegimeReport, out: &mut String) -> fmt::Result {
    write!(out, "\n| attack | scorer | ROC-AUC | avg. precision |")?;
    for budget in BUDGETS {
        write!(out, " recall at {} |", percent(budget))?;
    }
    writeln!(
        out,
        " explained | below without it | precision at 0.1 % | asked again |\n|---|---|---:|---:|{}---:|---:|---:|---:|",
        "---:|".repeat(BUDGETS.len())
    )?;
    for nth in 0..kinds(regime) {
        for scorer in &regime.scorers {
            let Some(kind) = scorer.kinds.get(nth) else {
                continue;
            };
            write_kind(scorer, kind, out)?;
        }
    }
    Ok(())
}

fn write_kind(scorer: &ScorerReport, kind: &KindReport, out: &mut String) -> fmt::Result {
    write!(
        out,
        "| {} | {} | {} | {} |",
        kind.kind.name(),
        scorer.name,
        decimals(kind.roc_auc),
        decimals(kind.average_precision)
    )?;
    for budgeted in &kind.recall {
        write!(out, " {} |", percents(budgeted.recall))?;
    }
    let share = |share: Option<f64>, digits: usize| {
        share.map_or_else(
            || "–".to_owned(),
            |share| format!("{:.*} %", digits, share * 100.0),
        )
    };
    let (explained, cured) = (share(kind.explained.share(), 0), share(kind.cured.share(), 0));
    let precision = share(kind.recall.get(1).and_then(|at| at.precision), 1);
    let asked = kind.reauthentication.map_or_else(
        || "–".to_owned(),
        |paid| format!("{:.1} %, median {:.1} %", paid.share * 100.0, paid.median * 100.0),
    );
    writeln!(out, " {explained} | {cured} | {precision} | {asked} |")
}

/// A number with as many digits as it needs.
fn plain(value: f64) -> String {
    format!("{}", habitus_model::math::round_to(value, 2))
}

fn write_history(regime: &RegimeReport, out: &mut String) -> fmt::Result {
    writeln!(
        out,
        "\nBy number of earlier logins, share above the threshold at 0.1 % / 1 %:\n"
    )?;
    let bands = regime
        .scorers
        .first()
        .map_or(&[][..], |scorer| &scorer.owners_by_history);
    write!(out, "| logins | scorer |")?;
    for band in bands {
        write!(out, " {} |", band.earlier_logins)?;
    }
    writeln!(out, "\n|---|---|{}", "---:|".repeat(bands.len()))?;
    for nth in 0..kinds(regime) {
        for scorer in &regime.scorers {
            if let Some(kind) = scorer.kinds.get(nth) {
                write_bands(kind.kind.name(), &scorer.name, &kind.by_history, out)?;
            }
        }
    }
    for scorer in &regime.scorers {
        write_bands("owners", &scorer.name, &scorer.owners_by_history, out)?;
    }
    Ok(())
}

fn write_bands(what: &str, scorer: &str, bands: &[HistoryShare], out: &mut String) -> fmt::Result {
    write!(out, "| {what} | {scorer} |")?;
    for band in bands {
        write!(out, " {} |", two_budgets(band.count, &band.flagged))?;
    }
    writeln!(out)
}

fn write_cohorts(regime: &RegimeReport, out: &mut String) -> fmt::Result {
    writeln!(
        out,
        "\nOwners' logins by cohort, share above the threshold at 0.1 % / 1 %:\n"
    )?;
    write!(out, "| cohort | logins |")?;
    for scorer in &regime.scorers {
        write!(out, " {} |", scorer.name)?;
    }
    writeln!(out, "\n|---|---:|{}", "---:|".repeat(regime.scorers.len()))?;
    let cohorts = regime.scorers.first().map_or(&[][..], |scorer| &scorer.cohorts);
    for (nth, cohort) in cohorts.iter().enumerate() {
        write!(out, "| {} | {} |", cohort.cohort.name(), cohort.count)?;
        for scorer in &regime.scorers {
            let share = scorer.cohorts.get(nth);
            let cell = share.map_or_else(String::new, |share| two_budgets(share.count, &share.flagged));
            write!(out, " {cell} |")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn kinds(regime: &RegimeReport) -> usize {
    regime.scorers.first().map_or(0, |scorer| scorer.kinds.len())
}

/// The shares at 0.1 % and 1 %; a dash where there is nothing.
fn two_budgets(count: u64, flagged: &[f64; 5]) -> String {
    let [_, alert, _, step_up, _] = flagged;
    if count == 0 {
        return "–".to_owned();
    }
    format!("{:.1} / {:.1} %", alert * 100.0, step_up * 100.0)
}

fn decimals(estimate: Estimate) -> String {
    let interval = estimate
        .interval
        .map(|(low, high)| format!(" [{low:.3}, {high:.3}]"));
    format!("{:.3}{}", estimate.value, interval.unwrap_or_default())
}

fn percents(estimate: Estimate) -> String {
    let interval = estimate
        .interval
        .map(|(low, high)| format!(" [{:.1}, {:.1}]", low * 100.0, high * 100.0));
    format!("{:.1} %{}", estimate.value * 100.0, interval.unwrap_or_default())
}

fn percent(share: f64) -> String {
    format!("{} %", habitus_model::math::round_to(share * 100.0, 4))
}
