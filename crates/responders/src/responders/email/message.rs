//! The mail of an order.

use crate::notice;
use habitus_model::Order;
use lettre::message::header::{ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0};
use lettre::message::{Mailbox, Message};
use std::time::{Duration, SystemTime};

/// The mail: subject and body are text from logs, made visible, so that no line of theirs becomes a header or an end of
/// data. Its id is the order's, so that a mail reader that looks at it shows a repeat once.
pub(super) fn compose(
    order: &Order,
    from: &Mailbox,
    to: &[Mailbox],
    link: Option<&notice::Link>,
) -> Result<Message, lettre::error::Error> {
    let made = u64::try_from(order.made.as_millis()).unwrap_or(0);
    let id: String = order.id.chars().filter(char::is_ascii_alphanumeric).collect();
    let mut builder = Message::builder()
        .from(from.clone())
        .date(SystemTime::UNIX_EPOCH + Duration::from_millis(made))
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        .subject(format!("[habitus] {}", notice::headline(order)))
        .header(MIME_VERSION_1_0)
        // RFC 3834: nobody's absence note answers a machine.
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        .header(ContentType::TEXT_PLAIN);
    for mailbox in to {
        builder = builder.to(mailbox.clone());
    }
    builder.body(text(order, link))
}

/// The body.
fn text(order: &Order, link: Option<&notice::Link>) -> String {
    let about = &order.notice;
    let mut lines = vec![notice::title(order).into_owned(), String::new()];
    let mut row = |label: &str, value: &str| lines.push(format!("{label:<10}{value}"));
    row("Account", &notice::account(order));
    row(
        "Risk",
        &format!("{} ({})", notice::points(order), about.level.caption()),
    );
    row("Decision", about.disposition.name());
    row("Time", &notice::rfc3339(about.time));
    row("Finding", &notice::name(notice::subject_uid(order)));
    row("Rule", &notice::name(&about.rule));
    row("Policy", &notice::name(&about.policy));
    if let Some(url) = link.and_then(|link| link.of(order)) {
        row("Link", &url);
    }
    let reasons = notice::reasons(order);
    if !reasons.is_empty() {
        lines.extend([String::new(), "Why:".to_owned()]);
        lines.extend(reasons.iter().map(|reason| format!("- {reason}")));
    }
    lines.push(String::new());
    lines.join("\r\n")
}
