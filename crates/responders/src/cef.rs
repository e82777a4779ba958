//! CEF (Common Event Format, ArcSight) lines.

use crate::notice;
use crate::text;
use habitus_model::{Order, RiskLevel};

/// The order's notice as one CEF line without a line break at its end.
pub(crate) fn line(order: &Order) -> String {
    let about = &order.notice;
    let mut out = String::with_capacity(512);
    out.push_str("CEF:0|habitus|habitus|");
    header(&mut out, env!("CARGO_PKG_VERSION"));
    out.push('|');
    header(&mut out, &notice::name(&about.rule));
    out.push('|');
    header(&mut out, &notice::title(order));
    out.push('|');
    out.push_str(severity(about.level));
    out.push('|');
    let reason = notice::reasons(order).join("; ");
    let account = about
        .account
        .as_ref()
        .map(|account| notice::name(account.as_str()));
    let pairs = [
        ("rt", Some(about.time.as_millis().to_string().into())),
        ("externalId", Some(notice::name(notice::subject_uid(order)))),
        ("suid", account),
        ("act", Some(about.disposition.name().into())),
        ("reason", Some(reason.into())),
        ("cn1Label", Some("riskScore".into())),
        ("cn1", Some(notice::points(order).to_string().into())),
        ("cs1Label", Some("orderId".into())),
        ("cs1", Some(notice::name(&order.id))),
        ("cs2Label", Some("eventId".into())),
        ("cs2", Some(notice::name(about.event.as_str()))),
        ("cs3Label", Some("tenant".into())),
        ("cs3", Some(notice::name(about.tenant.as_str()))),
        ("cs4Label", Some("policy".into())),
        ("cs4", Some(notice::name(&about.policy))),
    ];
    let mut first = true;
    for (key, value) in pairs {
        let Some(value) = value else { continue };
        if !first {
            out.push(' ');
        }
        first = false;
        out.push_str(key);
        out.push('=');
        extension(&mut out, &value);
    }
    out
}

/// Header fields: `\` and `|` are escaped, and nothing acts.
fn header(out: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '\\' | '|' => out.extend(['\\', c]),
            c if text::acts(c) => push_visible(out, c),
            c => out.push(c),
        }
    }
}

/// Extension values: `\`, `=` and line breaks are escaped, and nothing else acts.
fn extension(out: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '\\' | '=' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if text::acts(c) => push_visible(out, c),
            c => out.push(c),
        }
    }
}

/// `\u{…}` with its backslash escaped, so that a reader sees `\u{…}`.
fn push_visible(out: &mut String, c: char) {
    out.push('\\');
    text::push_escaped(out, c);
}

/// 0 to 3 low, 4 to 6 medium, 7 and 8 high, 9 and 10 very high.
const fn severity(level: RiskLevel) -> &'static str {
    match level {
        RiskLevel::Info => "1",
        RiskLevel::Low => "3",
        RiskLevel::Medium => "5",
        RiskLevel::High => "8",
        RiskLevel::Critical => "10",
    }
}
