//! What the page shows, worked out from the account: the template only places it.

use super::{Account, attributions, count, numbers, stamp, whole};
use crate::pipeline::tally;
use habitus_engine::MODEL;
use habitus_findings::{Finding, Hit, Key, points, sentence};
use habitus_model::{Blind, Context, RiskLevel, RiskScore};

/// Events listed in a card.
const EVENTS_MAX: usize = 8;
/// Width of a waterfall's drawing.
const FALL_WIDTH: f64 = 300.0;
/// Height and width of the drawing of days.
const DAYS_HEIGHT: f64 = 120.0;
const DAYS_WIDTH: f64 = 960.0;
/// Bars drawn at most; longer ranges are drawn by several days a bar.
const BARS_MAX: usize = 120;

/// A figure at the head.
pub struct Figure {
    pub label: &'static str,
    pub value: String,
    pub beside: String,
}

/// The risk of something: its class in the style sheet, its word, shape and score.
pub struct Risk {
    pub class: &'static str,
    pub shape: &'static str,
    pub score: i64,
}

/// One finding.
pub struct Card {
    pub risk: Risk,
    pub uid: String,
    pub account: String,
    pub kind: &'static str,
    pub title: String,
    pub lead: String,
    pub count: String,
    pub span: String,
    pub origin: String,
    pub client: String,
    pub total: String,
    pub score: String,
    pub confidence: String,
    pub recommended: &'static str,
    pub steps: Vec<Step>,
    pub zero: String,
    pub blind: Vec<String>,
    pub events: Vec<Row>,
    pub more: u64,
}

/// A line of a waterfall.
pub struct Step {
    pub label: String,
    pub points: String,
    pub text: String,
    pub class: &'static str,
    pub x: String,
    pub width: String,
}

/// An event of a finding, or an account.
pub struct Row {
    pub risk: Risk,
    pub what: String,
    pub when: String,
    pub text: String,
    pub uid: String,
}

/// A bar of days.
pub struct Bar {
    pub x: String,
    pub width: String,
    pub medium_y: String,
    pub medium: String,
    pub high_y: String,
    pub high: String,
    pub says: String,
}

/// A reason of rejection.
pub struct Refused {
    pub count: String,
    pub reason: String,
    pub places: String,
    pub help: &'static str,
}

pub fn figures(account: &Account<'_>) -> Vec<Figure> {
    let Account { tally, summary, .. } = account;
    let figure = |label, value: u64, beside: String| Figure {
        label,
        value: count(value),
        beside,
    };
    let [_, _, medium, high, critical] = summary.levels;
    let formats: Vec<String> = tally.formats.keys().map(ToString::to_string).collect();
    vec![
        figure(
            "Findings",
            account.findings,
            format!("from score {}", account.plan.config().findings.from_score),
        ),
        figure("Critical", critical, "at most 1 in 10,000 normal".to_owned()),
        figure("High", high, "at most 1 in 1,000 normal".to_owned()),
        figure("Medium", medium, "at most 1 in 100 normal".to_owned()),
        figure("Events", summary.events, formats.join(", ")),
        figure(
            "Accounts",
            u64::try_from(account.accounts).unwrap_or(u64::MAX),
            format!("{} failures", count(summary.failures)),
        ),
    ]
}

pub fn subtitle(account: &Account<'_>) -> String {
    let range = account
        .summary
        .range
        .map(|(first, last)| format!("{} to {} · ", stamp(first), stamp(last)));
    format!(
        "{}model {MODEL} · habitus {}",
        range.unwrap_or_default(),
        env!("CARGO_PKG_VERSION")
    )
}

pub fn cards(account: &Account<'_>) -> Vec<Card> {
    account.worst.iter().map(card).collect()
}

fn card(finding: &Finding) -> Card {
    let worst = &finding.worst;
    let (steps, zero) = steps(worst);
    let span = if finding.first == finding.last {
        stamp(finding.first)
    } else {
        format!("{} to {}", stamp(finding.first), stamp(finding.last))
    };
    let title = match &finding.key {
        Key::Campaign { .. } => format!("Campaign over {} accounts", count(finding.accounts.count())),
        _ => finding.what().to_owned(),
    };
    let events = finding.evidence();
    Card {
        risk: risk(worst.level, worst.score),
        uid: finding.id.to_string(),
        account: visible(&finding.key.subject()),
        kind: worst.kind.name(),
        title,
        lead: reasons(finding.telling()),
        count: if finding.count == 1 {
            "1 event".to_owned()
        } else {
            format!("{} events", count(finding.count))
        },
        span,
        origin: visible(&origin(&worst.context)),
        client: visible(&worst.context.client.label()),
        total: signed(points(worst.log_odds.0)),
        score: format!("{:.1}", (worst.score.get() * 10.0).floor() / 10.0),
        confidence: format!("{:.2}", worst.confidence.get()),
        recommended: worst.disposition.name(),
        steps,
        zero,
        blind: blind(worst),
        events: events.iter().take(EVENTS_MAX).map(|hit| event(hit)).collect(),
        more: finding.count.saturating_sub(EVENTS_MAX as u64),
    }
}

/// Two reasons against the owner, the cause first, as sentences.
fn reasons(hit: &Hit) -> String {
    let reasons = hit.reasons().into_iter().take(2);
    let told: Vec<String> = reasons.map(|line| sentence(&line.text)).collect();
    told.join(" ")
}

/// The lines of the waterfall, and where its zero lies. Each bar starts where the one before it ended.
fn steps(hit: &Hit) -> (Vec<Step>, String) {
    let all: Vec<f64> = hit.lines.iter().map(|line| points(line.nats.0)).collect();
    let (mut low, mut high, mut at) = (0.0_f64, 1.0_f64, 0.0);
    for p in &all {
        at += p;
        (low, high) = (low.min(at), high.max(at));
    }
    let scale = FALL_WIDTH / (high - low);
    let mut at = 0.0_f64;
    let mut steps = Vec::with_capacity(all.len());
    for (line, p) in hit.lines.iter().zip(&all) {
        let left = at.min(at + p);
        at += p;
        steps.push(Step {
            label: line.signal.replace('_', " "),
            points: signed(*p),
            text: line.text.clone(),
            class: if *p >= 0.0 { "raises" } else { "lowers" },
            x: format!("{:.1}", (left - low) * scale),
            width: format!("{:.1}", (p.abs() * scale).max(1.0)),
        });
    }
    (steps, format!("{:.1}", -low * scale))
}

fn blind(hit: &Hit) -> Vec<String> {
    let told = hit.blind.iter().filter(|(_, why)| *why != Blind::NotApplicable);
    told.map(|(family, why)| format!("{}: {}", family.name(), why.phrase()))
        .collect()
}

fn event(hit: &Hit) -> Row {
    let context = &hit.context;
    Row {
        risk: risk(hit.level, hit.score),
        what: format!(
            "{} {}",
            context.activity.activity_name(),
            context.status.caption().to_lowercase()
        ),
        when: stamp(context.time),
        text: visible(&origin(context)),
        uid: visible(hit.uid.as_str()),
    }
}

pub fn accounts(account: &Account<'_>) -> Vec<Row> {
    let row = |top: &crate::summary::Top| {
        let a = &top.assessment;
        Row {
            risk: risk(a.level, a.score),
            what: visible(a.account.as_ref().map_or("", |account| account.as_str())),
            when: stamp(a.time),
            text: top
                .reason()
                .unwrap_or_else(|| "nothing speaks against the owner".to_owned()),
            uid: visible(a.uid.as_str()),
        }
    };
    account.summary.top.iter().map(row).collect()
}

pub fn rejections(account: &Account<'_>) -> Vec<Refused> {
    let refused = |(kind, reason, rejected): (_, &str, &tally::Rejected)| Refused {
        count: count(rejected.count),
        reason: visible(reason),
        places: super::places(account.plan, &rejected.first),
        help: tally::advice(kind),
    };
    account
        .tally
        .rejections
        .by_reason()
        .into_iter()
        .map(refused)
        .collect()
}

/// Bars over the days between the first and the last, days without events included.
pub fn days(account: &Account<'_>) -> Vec<Bar> {
    let days = &account.summary.days;
    let (Some((first, _)), Some((last, _))) = (days.first_key_value(), days.last_key_value()) else {
        return Vec::new();
    };
    let span = usize::try_from(last - first)
        .unwrap_or(usize::MAX)
        .saturating_add(1);
    let per_bar = i64::try_from(span.div_ceil(BARS_MAX)).unwrap_or(i64::MAX);
    let mut bars: Vec<(i64, u64, u64, u64)> = Vec::new();
    let mut from = *first;
    while from <= *last {
        let until = from.saturating_add(per_bar);
        let mut bar = (from, 0, 0, 0);
        for (_, day) in days.range(from..until) {
            let [_, _, medium, high, critical] = day.levels;
            bar = (from, bar.1 + day.events, bar.2 + medium, bar.3 + high + critical);
        }
        bars.push(bar);
        from = until;
    }
    draw(&bars, per_bar)
}

fn draw(bars: &[(i64, u64, u64, u64)], per_bar: i64) -> Vec<Bar> {
    let float = habitus_model::math::from_u64;
    let tallest = bars
        .iter()
        .map(|(_, _, medium, high)| float(medium + high))
        .fold(1.0, f64::max);
    let step = DAYS_WIDTH / habitus_model::math::from_usize(bars.len().max(1));
    let mut x = 0.0;
    let mut drawn = Vec::with_capacity(bars.len());
    for (from, events, medium, high) in bars {
        let (medium_px, high_px) = (
            float(*medium) / tallest * DAYS_HEIGHT,
            float(*high) / tallest * DAYS_HEIGHT,
        );
        let when = match per_bar {
            1 => numbers::day(*from),
            _ => format!("{} to {}", numbers::day(*from), numbers::day(from + per_bar - 1)),
        };
        drawn.push(Bar {
            x: format!("{x:.1}"),
            width: format!("{:.1}", (step - 1.5).clamp(1.0, 40.0)),
            high_y: format!("{:.1}", DAYS_HEIGHT - high_px),
            high: format!("{high_px:.1}"),
            medium_y: format!("{:.1}", DAYS_HEIGHT - high_px - medium_px),
            medium: format!("{medium_px:.1}"),
            says: format!(
                "{when}: {} high or critical, {} medium of {} events",
                count(*high),
                count(*medium),
                count(*events)
            ),
        });
        x += step;
    }
    drawn
}

pub fn notes(account: &Account<'_>) -> Vec<String> {
    attributions(account.plan)
}

/// With a sign, the true minus for negative ones.
fn signed(points: f64) -> String {
    format!("{points:+.1}").replace('-', "−")
}

fn origin(context: &Context) -> String {
    let mut parts = vec![context.place.label()];
    parts.extend(context.network.ip.map(|ip| ip.to_string()));
    parts.extend(context.network.asn.map(|asn| asn.to_string()));
    parts.extend(context.network.organisation.as_ref().map(ToString::to_string));
    parts.join(" · ")
}

fn risk(level: RiskLevel, score: RiskScore) -> Risk {
    let (class, shape) = match level {
        RiskLevel::Info => ("info", "–"),
        RiskLevel::Low => ("low", "●"),
        RiskLevel::Medium => ("medium", "◆"),
        RiskLevel::High => ("high", "▲"),
        RiskLevel::Critical => ("critical", "▲▲"),
    };
    Risk {
        class,
        shape,
        score: whole(score.get()),
    }
}

/// Characters that hide or turn text, made visible: names come from attackers too.
fn visible(text: &str) -> String {
    const LONGEST_CHARS: usize = 160;
    let mut out = String::with_capacity(text.len());
    for c in text.chars().take(LONGEST_CHARS) {
        let hides = c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        if hides {
            out.push_str(&format!("⟨U+{:04X}⟩", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    if text.chars().nth(LONGEST_CHARS).is_some() {
        out.push('…');
    }
    out
}
