//! The notice of an order in the forms that several responders share.

use crate::settings::Wrong;
use crate::text::{clip, visible};
use habitus_model::{Disposition, EventTime, Order, RiskLevel, math};
use serde_json::{Value, json};
use std::borrow::Cow;

/// Where a link's template takes the finding's id.
const PLACE: &str = "{finding}";
/// Most characters of a title that are sent on: a headline, and below every target's limit.
pub(crate) const TITLE_CHARS_MAX: usize = 200;
/// Most characters of one reason.
pub(crate) const REASON_CHARS_MAX: usize = 400;
/// Most reasons; the model keeps to it too.
pub(crate) const REASONS_MAX: usize = 10;
/// Most characters of a name: account, rule, policy, tenant, finding.
pub(crate) const NAME_CHARS_MAX: usize = 256;

/// Where a finding is shown.
#[derive(Debug)]
pub(crate) struct Link(String);

impl Link {
    /// From a URL with `{finding}` in it.
    pub(crate) fn new(template: Option<&str>) -> Result<Option<Self>, Wrong> {
        let Some(template) = template else { return Ok(None) };
        let help = "write it as `https://habitus.example.com/findings/{finding}`";
        let url = reqwest::Url::parse(&template.replace(PLACE, "x")).ok();
        let is_web = url.is_some_and(|url| matches!(url.scheme(), "https" | "http"));
        if is_web && template.contains(PLACE) {
            Ok(Some(Self(template.to_owned())))
        } else {
            Err(Wrong::new(
                "link",
                "is no web address with `{finding}` in it",
                help,
            ))
        }
    }

    /// The order's finding's address; `None` if it is about no finding. Ids are percent-encoded but for unreserved characters
    /// (RFC 3986 2.3), so that none can leave its place.
    pub(crate) fn of(&self, order: &Order) -> Option<String> {
        let mut encoded = String::new();
        for byte in clip(order.notice.finding.as_deref()?, NAME_CHARS_MAX).bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                encoded.push(char::from(byte));
            } else {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
        Some(self.0.replace(PLACE, &encoded))
    }
}

/// RFC 3339 in UTC.
pub(crate) fn rfc3339(time: EventTime) -> String {
    // `EventTime` keeps to the years that RFC 3339 can write.
    jiff::Timestamp::from_millisecond(time.as_millis())
        .map(|t| t.to_string())
        .unwrap_or_default()
}

/// What the order is about, for keys: the finding, else the order.
pub(crate) fn subject_uid(order: &Order) -> &str {
    order.notice.finding.as_deref().unwrap_or(&order.id)
}

/// The account, or a word for its absence.
pub(crate) fn account(order: &Order) -> Cow<'_, str> {
    order
        .notice
        .account
        .as_ref()
        .map_or(Cow::Borrowed("(nobody named)"), |account| name(account.as_str()))
}

/// A name, visible and of bounded length.
pub(crate) fn name(text: &str) -> Cow<'_, str> {
    short(text, NAME_CHARS_MAX)
}

/// The title, visible and of bounded length.
pub(crate) fn title(order: &Order) -> Cow<'_, str> {
    short(&order.notice.title, TITLE_CHARS_MAX)
}

/// The reasons, each visible and of bounded length.
pub(crate) fn reasons(order: &Order) -> Vec<Cow<'_, str>> {
    order
        .notice
        .reasons
        .iter()
        .take(REASONS_MAX)
        .map(|reason| short(reason, REASON_CHARS_MAX))
        .collect()
}

/// The score rounded to whole points.
pub(crate) fn points(order: &Order) -> i64 {
    math::to_i64(order.notice.score.get())
}

/// One line that says it all: `HIGH 82 jane.doe: Sign-in from a new country`.
pub(crate) fn headline(order: &Order) -> String {
    let level = order.notice.level.name().to_uppercase();
    format!("{level} {} {}: {}", points(order), account(order), title(order))
}

/// The notice as a webhook's data. Text is cut to its limits and otherwise exactly what it was: JSON carries it safely.
pub(crate) fn data(order: &Order) -> Value {
    let notice = &order.notice;
    let reasons: Vec<_> = notice
        .reasons
        .iter()
        .take(REASONS_MAX)
        .map(|r| clip(r, REASON_CHARS_MAX))
        .collect();
    json!({
        "order_id": order.id,
        "action": order.action.name(),
        "expires": rfc3339(order.expires),
        "finding_id": notice.finding.as_deref().map(|id| clip(id, NAME_CHARS_MAX)),
        "event_id": clip(notice.event.as_str(), NAME_CHARS_MAX),
        "tenant": clip(notice.tenant.as_str(), NAME_CHARS_MAX),
        "account": notice.account.as_ref().map(|account| clip(account.as_str(), NAME_CHARS_MAX)),
        "time": rfc3339(notice.time),
        "risk_score": notice.score.get(),
        "risk_level": notice.level.name(),
        "disposition": notice.disposition.name(),
        "title": clip(&notice.title, TITLE_CHARS_MAX),
        "reasons": reasons,
        "rule": clip(&notice.rule, NAME_CHARS_MAX),
        "policy": clip(&notice.policy, NAME_CHARS_MAX),
    })
}

/// The notice as an OCSF 1.8 Detection Finding (class 2004), activity Create.
pub(crate) fn ocsf(order: &Order) -> Value {
    let notice = &order.notice;
    let (disposition_id, disposition) = notice.disposition.ocsf();
    let title = clip(&notice.title, TITLE_CHARS_MAX);
    let mut finding = json!({
        "activity_id": 1, "activity_name": "Create",
        "category_uid": 2, "class_uid": 2004, "type_uid": 200_401,
        "severity_id": severity_id(notice.level),
        "time": notice.time.as_millis(),
        "is_alert": true,
        "risk_level_id": notice.level.id(), "risk_level": notice.level.caption(), "risk_score": points(order),
        "action_id": action_id(notice.disposition),
        "disposition_id": disposition_id, "disposition": disposition,
        "message": title,
        "finding_info": {
            "uid": clip(subject_uid(order), NAME_CHARS_MAX),
            "title": title,
            "desc": notice.reasons.iter().take(REASONS_MAX).map(|r| clip(r, REASON_CHARS_MAX)).collect::<Vec<_>>().join("\n"),
            "analytic": { "type_id": 1, "type": "Rule", "name": clip(&notice.rule, NAME_CHARS_MAX), "version": clip(&notice.policy, NAME_CHARS_MAX) },
            "related_events": [{ "uid": clip(notice.event.as_str(), NAME_CHARS_MAX) }],
        },
        "metadata": {
            "version": "1.8.0",
            "uid": order.id,
            "product": { "name": "habitus", "vendor_name": "habitus", "version": env!("CARGO_PKG_VERSION") },
            "tenant_uid": clip(notice.tenant.as_str(), NAME_CHARS_MAX),
            "profiles": ["security_control"],
        },
    });
    if let (Some(account), Some(object)) = (&notice.account, finding.as_object_mut()) {
        let account = clip(account.as_str(), NAME_CHARS_MAX);
        object.insert("evidences".to_owned(), json!([{ "user": { "uid": account } }]));
    }
    finding
}

/// OCSF `severity_id`.
const fn severity_id(level: RiskLevel) -> u8 {
    match level {
        RiskLevel::Info => 1,
        RiskLevel::Low => 2,
        RiskLevel::Medium => 3,
        RiskLevel::High => 4,
        RiskLevel::Critical => 5,
    }
}

/// OCSF `action_id`: 1 allowed, 2 denied, 3 observed, 4 modified.
const fn action_id(disposition: Disposition) -> u8 {
    match disposition {
        Disposition::Allow => 1,
        Disposition::Deny | Disposition::Revoke => 2,
        Disposition::Review => 3,
        Disposition::Challenge => 4,
    }
}

fn short(text: &str, chars_max: usize) -> Cow<'_, str> {
    match clip(text, chars_max) {
        // What acts grows when it is written out; it is cut once more.
        Cow::Borrowed(text) => match visible(text) {
            Cow::Borrowed(text) => Cow::Borrowed(text),
            Cow::Owned(text) => Cow::Owned(clip(&text, chars_max).into_owned()),
        },
        Cow::Owned(text) => Cow::Owned(clip(&visible(&text), chars_max).into_owned()),
    }
}
