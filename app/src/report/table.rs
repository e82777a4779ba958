//! The summary for the terminal.

use super::{Account, attributions, count, places, stamp, whole_score, year_note};
use crate::pipeline::tally;
use crate::terminal::{BOLD, FAINT, RESET, Talk, harmless};
use comfy_table::{Cell, Color, ContentArrangement, Table, presets};
use habitus_model::RiskLevel;

/// Prints the summary.
pub fn talk(account: &Account<'_>, talk: Talk) {
    if talk == Talk::Off {
        return;
    }
    talk.line(figures(account));
    if account.tally.rejections.total() > 0 {
        talk.line(format_args!("\n{BOLD}Rejected{RESET}\n{}", rejections(account)));
    }
    if !account.summary.top.is_empty() {
        talk.line(format_args!(
            "\n{BOLD}Accounts with the highest scores{RESET}\n{}",
            accounts(account)
        ));
    }
    if account.tally.assumed_times > 0 {
        talk.note(year_note(account.tally.assumed_times, account.plan));
    }
    if account.tally.records == 0 {
        talk.note("the input holds no records");
    }
    for text in attributions(account.plan) {
        talk.line(format_args!("{FAINT}{text}{RESET}"));
    }
}

fn table() -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .use_stderr()
        .enforce_styling();
    if table.width().is_none() {
        table.set_width(120);
    }
    table
}

fn figures(account: &Account<'_>) -> String {
    let Account { tally, summary, .. } = account;
    let mut table = table();
    let mut row = |name: &str, value: String| {
        table.add_row([name.to_owned(), value]);
    };
    let formats: Vec<String> = tally
        .formats
        .iter()
        .map(|(name, n)| format!("{name} {}", count(*n)))
        .collect();
    row(
        "Events",
        format!("{}   {}", count(summary.events), formats.join(", ")),
    );
    if summary.probes > 0 {
        row("Probes", count(summary.probes));
    }
    let accounts = u64::try_from(account.accounts).unwrap_or(u64::MAX);
    row("Accounts", count(accounts));
    if let Some((first, last)) = summary.range {
        row("Time", format!("{} to {}", stamp(first), stamp(last)));
    }
    row("Flagged", levels(&summary.levels));
    if summary.probes > 0 {
        row("Flagged probes", levels(&summary.probe_levels));
    }
    row("Findings", count(account.findings));
    row("Failures", count(summary.failures));
    row(
        "Left out",
        format!(
            "{} ignored, {} duplicates, {} rejected",
            count(tally.ignored),
            count(account.duplicates),
            count(tally.rejections.total())
        ),
    );
    let seconds = account.elapsed.as_secs_f64().max(1e-3);
    let rate =
        habitus_model::math::to_u64(habitus_model::math::from_u64(summary.events + summary.probes) / seconds);
    row("Took", format!("{seconds:.1} s, {} events/s", count(rate)));
    table.trim_fmt()
}

fn levels(levels: &[u64; 5]) -> String {
    let flagged = RiskLevel::ALL
        .iter()
        .zip(levels)
        .rev()
        .filter(|(level, _)| **level >= RiskLevel::Medium);
    let text: Vec<String> = flagged
        .map(|(level, n)| format!("{} {}", count(*n), level.name()))
        .collect();
    text.join(", ")
}

fn rejections(account: &Account<'_>) -> String {
    const REASONS_SHOWN: usize = 8;
    let mut table = table();
    for (kind, reason, rejected) in account
        .tally
        .rejections
        .by_reason()
        .into_iter()
        .take(REASONS_SHOWN)
    {
        let places = places(account.plan, &rejected.first);
        let more = if rejected.count > tally::PLACES_MAX as u64 {
            ", …"
        } else {
            ""
        };
        let text = format!("{reason}\n{}{more}\n{}", places, tally::advice(kind));
        table.add_row([count(rejected.count), text]);
    }
    table.trim_fmt()
}

fn accounts(account: &Account<'_>) -> String {
    let mut table = table();
    for top in &account.summary.top {
        let assessment = &top.assessment;
        let color = match assessment.level {
            RiskLevel::Critical | RiskLevel::High => Color::Red,
            RiskLevel::Medium => Color::Yellow,
            RiskLevel::Low | RiskLevel::Info => Color::Reset,
        };
        let name = assessment
            .account
            .as_ref()
            .map_or_else(String::new, |account| harmless(account.as_str()));
        let score = Cell::new(format!("{} {}", whole_score(assessment), assessment.level.name())).fg(color);
        let reason = top.reason().map_or_else(
            || "nothing speaks against the owner".to_owned(),
            |reason| harmless(&reason),
        );
        let text = format!(
            "{reason}\n{}  {}",
            stamp(assessment.time),
            harmless(assessment.uid.as_str())
        );
        table.add_row([score, Cell::new(name), Cell::new(text)]);
    }
    table.trim_fmt()
}
