//! The explanation for the terminal.

use super::{Explanation, habit};
use crate::report::{count, stamp};
use crate::terminal::{BOLD, FAINT, GREEN, RED, RESET, YELLOW, harmless};
use crate::verdict;
use habitus_model::{Assessment, AttackerProfile, Blind, Context, RiskLevel};
use std::fmt::Write;

/// Width of the waterfall.
const BAR_CHARS: f64 = 24.0;

/// Everything, ready to print.
pub fn render(explanation: &Explanation) -> String {
    let mut out = String::new();
    // Writing to memory does not fail.
    let _ = write(explanation, &mut out);
    out
}

fn write(explanation: &Explanation, out: &mut String) -> std::fmt::Result {
    let assessment = &explanation.assessment;
    header(explanation, out)?;
    waterfall(assessment, out)?;
    blind(assessment, out)?;
    let profile = profile(assessment.profile);
    writeln!(out, "\n{BOLD}If not the owner{RESET}, most likely {profile}")?;
    baseline(explanation, out)?;
    what_if(explanation, out)
}

fn header(explanation: &Explanation, out: &mut String) -> std::fmt::Result {
    let Explanation {
        item, assessment: a, ..
    } = explanation;
    let context = &item.record.context;
    let account = a
        .account
        .as_ref()
        .map_or_else(|| "nobody named".to_owned(), |account| harmless(account.as_str()));
    let color = color(a.level);
    let score = verdict::score(a);
    writeln!(
        out,
        "{color}{:.1} {}{RESET}  {BOLD}{account}{RESET}  {}",
        score,
        a.level.name(),
        a.kind.name()
    )?;
    let activity = context.activity;
    let what = format!(
        "{} {}, {}",
        activity.class_name(),
        activity.activity_name().to_lowercase(),
        context.status.caption().to_lowercase()
    );
    writeln!(out, "  what        {what} ({})", item.source)?;
    writeln!(out, "  when        {}", stamp(a.time))?;
    writeln!(out, "  from        {}", harmless(&origin(context)))?;
    writeln!(out, "  with        {}", harmless(&context.client.label()))?;
    writeln!(out, "  id          {}", harmless(a.uid.as_str()))?;
    let decision = &a.decision;
    writeln!(
        out,
        "  recommended {}: {}",
        decision.disposition.name(),
        decision.because
    )?;
    writeln!(out, "  confidence  {:.2} of 1", a.confidence.get())
}

fn origin(context: &Context) -> String {
    let mut parts = vec![context.place.label()];
    parts.extend(context.network.ip.map(|ip| ip.to_string()));
    if context.network.asn.is_some() || context.network.organisation.is_some() {
        parts.push(habit::network_label(context));
    }
    parts.push(format!("network class {}", context.network.class.caption()));
    parts.join(" · ")
}

fn waterfall(a: &Assessment, out: &mut String) -> std::fmt::Result {
    let total = verdict::points(a.log_odds.0);
    writeln!(
        out,
        "\n{BOLD}Why{RESET}  points of evidence, 8.7 each nat; together {total:+.1}"
    )?;
    let largest = a
        .contributions
        .iter()
        .map(|c| c.nats.0.abs())
        .fold(f64::MIN_POSITIVE, f64::max);
    for contribution in &a.contributions {
        let nats = contribution.nats.0;
        let chars =
            usize::try_from(habitus_model::math::to_u64(nats.abs() / largest * BAR_CHARS)).unwrap_or(0);
        let (color, mark) = if nats >= 0.0 {
            (YELLOW, "█")
        } else {
            (GREEN, "░")
        };
        let bar = format!("{:<24}", mark.repeat(chars));
        let points = verdict::points(nats);
        writeln!(
            out,
            "  {points:>+7.1}  {color}{bar}{RESET}  {}  {FAINT}{}{RESET}",
            contribution.reason, contribution.signal.0
        )?;
    }
    Ok(())
}

fn blind(a: &Assessment, out: &mut String) -> std::fmt::Result {
    let told: Vec<_> = a
        .blind
        .iter()
        .filter(|(_, why)| *why != Blind::NotApplicable)
        .collect();
    if told.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{BOLD}Blind{RESET}")?;
    for (family, why) in told {
        writeln!(out, "  {}: {}", family.name(), why.phrase())?;
    }
    Ok(())
}

fn baseline(explanation: &Explanation, out: &mut String) -> std::fmt::Result {
    let habit = &explanation.habit;
    match habit.range {
        None => writeln!(
            out,
            "\n{BOLD}Before{RESET}  no earlier visit in this input; {} failures",
            count(habit.failures)
        )?,
        Some((first, last)) => {
            let (visits, failures) = (count(habit.visits), count(habit.failures));
            writeln!(
                out,
                "\n{BOLD}Before{RESET}  {visits} visits since {}, the last {}; {failures} failures",
                stamp(first),
                stamp(last)
            )?;
        }
    }
    for (name, values) in habit.lines() {
        writeln!(out, "  {name:<10} {values}")?;
    }
    Ok(())
}

fn what_if(explanation: &Explanation, out: &mut String) -> std::fmt::Result {
    if explanation.what_if.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{BOLD}What if{RESET}")?;
    for what_if in &explanation.what_if {
        let a = &what_if.assessment;
        writeln!(
            out,
            "  with {}: {:.1} {}",
            harmless(&what_if.change),
            verdict::score(a),
            a.level.name()
        )?;
    }
    Ok(())
}

/// An attacker profile, completing "most likely".
pub fn profile(profile: AttackerProfile) -> &'static str {
    match profile {
        AttackerProfile::Opportunistic => {
            "somebody from anywhere with stolen credentials: stuffing, spraying, phishing"
        }
        AttackerProfile::CountryAware => {
            "somebody with stolen credentials behind a proxy in the owner's country"
        }
        AttackerProfile::Targeted => "somebody who imitates the owner's network and client",
        AttackerProfile::TokenTheft => "somebody with a stolen session or token",
        AttackerProfile::Insider => "somebody at the owner's own device",
    }
}

fn color(level: RiskLevel) -> &'static str {
    match level {
        RiskLevel::Critical | RiskLevel::High => RED,
        RiskLevel::Medium => YELLOW,
        RiskLevel::Low | RiskLevel::Info => GREEN,
    }
}
