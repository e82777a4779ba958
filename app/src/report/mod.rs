//! What a replay tells at its end: a table for the terminal, JSON for scripts, a page to hand on.

mod html;
mod numbers;
mod page;
mod table;

pub use html::page;
pub use numbers::{count, stamp};
pub use table::talk;

use crate::pipeline::Plan;
use crate::pipeline::{Tally, tally};
use crate::summary::Summary;
use crate::verdict;
use habitus_engine::MODEL;
use habitus_findings::Finding;
use habitus_model::RiskLevel;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Findings in the report; the findings file has all.
pub const FINDINGS_MAX: usize = 50;

/// All that came out of a replay.
pub struct Account<'a> {
    /// What was asked.
    pub plan: &'a Plan,
    /// What was counted while reading.
    pub tally: &'a Tally,
    /// What was counted while scoring.
    pub summary: &'a Summary,
    /// Events left out because they came before.
    pub duplicates: u64,
    /// Accounts remembered.
    pub accounts: usize,
    /// How many findings there were.
    pub findings: u64,
    /// Those with the highest scores, highest first.
    pub worst: &'a [Finding],
    /// How long it took.
    pub elapsed: Duration,
}

/// Keeps a finding if it is among the highest.
pub fn keep(worst: &mut Vec<Finding>, finding: Finding) {
    let score = |finding: &Finding| finding.worst.score.get();
    let odds = |finding: &Finding| finding.worst.log_odds.0;
    let before = |held: &Finding| {
        let by_score = score(held).total_cmp(&score(&finding));
        by_score.then(odds(held).total_cmp(&odds(&finding))).is_ge()
    };
    let at = worst.partition_point(before);
    worst.insert(at, finding);
    worst.truncate(FINDINGS_MAX);
}

/// The summary for scripts.
pub fn json(account: &Account<'_>) -> Value {
    let Account {
        plan, tally, summary, ..
    } = account;
    let levels = |counts: &[u64; 5]| -> Value {
        let named = RiskLevel::ALL
            .iter()
            .zip(counts)
            .map(|(level, count)| (level.name().to_owned(), json!(count)));
        Value::Object(named.collect::<Map<_, _>>())
    };
    let rejected: Vec<Value> = tally
        .rejections
        .by_reason()
        .into_iter()
        .map(|(kind, reason, rejected)| {
            let first: Vec<Value> =
                rejected.first.iter().map(|(input, line)| json!({ "file": plan.input_name(*input), "line": line })).collect();
            json!({ "kind": kind.name(), "reason": reason, "count": rejected.count, "first": first, "help": tally::advice(kind) })
        })
        .collect();
    json!({
        "model": MODEL,
        "records": tally.records,
        "events": summary.events,
        "probes": summary.probes,
        "duplicates": account.duplicates,
        "ignored": tally.ignored,
        "rejected": tally.rejections.total(),
        "rejections": rejected,
        "failures": summary.failures,
        "nobody": summary.nobody,
        "accounts": account.accounts,
        "levels": levels(&summary.levels),
        "probe_levels": levels(&summary.probe_levels),
        "findings": account.findings,
        "formats": tally.formats.iter().map(|(name, count)| (name.to_string(), json!(count))).collect::<Map<_, _>>(),
        "first": summary.range.map(|range| range.0.as_millis()),
        "last": summary.range.map(|range| range.1.as_millis()),
        "top_accounts": summary.top.iter().map(crate::summary::Top::line).collect::<Vec<_>>(),
        "assumed_times": tally.assumed_times,
        "broken_inputs": tally.broken,
        "tables": tables(plan),
        "attributions": attributions(plan),
    })
}

/// Texts that the licences of the tables in use ask to be shown.
pub fn attributions(plan: &Plan) -> Vec<String> {
    plan.tables
        .attributions()
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// Places of records, each input named once: `auth.log:3, 17, 20`.
pub fn places(plan: &Plan, places: &[(u32, u64)]) -> String {
    let mut out = String::new();
    let mut named = None;
    for (input, line) in places {
        if !out.is_empty() {
            out.push_str(", ");
        }
        if named != Some(input) {
            named = Some(input);
            out.push_str(&format!("{}:", plan.input_name(*input)));
        }
        out.push_str(&line.to_string());
    }
    out
}

/// What to say about stamps without a year.
pub fn year_note(count_assumed: u64, plan: &Plan) -> String {
    let origin = match plan.config().formats.assume_year {
        Some(year) => format!("{year} was assumed, as asked"),
        None => "the file's modification time told it; --assume-year tells it better".to_owned(),
    };
    let noun = if count_assumed == 1 {
        "stamp has"
    } else {
        "stamps have"
    };
    format!("{} {noun} no year: {origin}", count(count_assumed))
}

/// The tables in use with their editions.
pub fn tables(plan: &Plan) -> Vec<Value> {
    let table =
        |t: habitus_enrich::TableVersion| json!({ "table": t.table.as_str(), "version": t.version.as_str() });
    plan.tables.versions().into_iter().map(table).collect()
}

/// A score for people: whole points, cut like the verdict's.
pub fn whole(score: f64) -> i64 {
    habitus_model::math::to_i64(score.floor())
}

/// The score of an assessment as people read it.
pub fn whole_score(assessment: &habitus_model::Assessment) -> i64 {
    whole(verdict::score(assessment))
}
