//! What a false positive proposes: an entry for the policy's safelist, for a person to accept.

use super::clock;
use habitus_console::product::Who;
use habitus_findings::View;
use habitus_model::{Prefix, Verdict};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// How long it would hold: an exception is looked at again each quarter.
const DAYS: i64 = 90;

/// The entry as TOML; absent for other verdicts, and where nobody is named.
pub fn exception(verdict: Verdict, view: &View, who: &Who) -> Option<String> {
    if verdict != Verdict::FalsePositive {
        return None;
    }
    let context = &view.finding.worst.context;
    let account = context.account.as_ref()?;
    let id: String = view.finding.id.as_str().chars().take(8).collect();
    let last = Timestamp::from_millisecond(clock::now().as_millis() + DAYS * 86_400_000).ok()?;
    let mut entry = toml::Table::new();
    let text = |text: &str| toml::Value::String(text.to_owned());
    entry.insert("name".to_owned(), text(&format!("false-positive-{id}")));
    entry.insert("owner".to_owned(), text(&who.name));
    entry.insert(
        "reason".to_owned(),
        text(&format!("finding {} was a false positive", view.finding.id)),
    );
    let date: toml::value::Datetime = last.to_zoned(TimeZone::UTC).date().to_string().parse().ok()?;
    entry.insert("expires".to_owned(), toml::Value::Datetime(date));
    entry.insert("accounts".to_owned(), vec![text(account.as_str())].into());
    if let Some(ip) = context.network.ip {
        let network = Prefix::of(ip).to_string();
        entry.insert("networks".to_owned(), vec![text(&network)].into());
    }
    let mut policy = toml::Table::new();
    policy.insert("safelist".to_owned(), vec![toml::Value::Table(entry)].into());
    toml::to_string(&policy).ok()
}
