//! The variables of conditions: the list from which checking, evaluation, tests and documentation are made.

use crate::cel::{Type, Value};
use crate::facts::{FAMILIES, Facts, Meaning};
use habitus_model::{AccountKind, DeviceType, Disposition, NetworkClass, RiskLevel, Status, UtcOffset};
use std::borrow::Cow;
use std::fmt;

/// One variable.
pub struct Variable {
    /// Its name, with points.
    pub path: &'static str,
    /// What it is.
    pub ty: Type,
    /// Whether it may be unknown, which is `null`.
    pub may_be_null: bool,
    /// What it means: one sentence.
    pub means: &'static str,
    /// Reads it.
    pub read: for<'a> fn(&'a Facts<'a>) -> Value<'a>,
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path)
    }
}

impl PartialEq for Variable {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

/// What a condition's author must know of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableInfo {
    /// Its name, with points.
    pub name: &'static str,
    /// What it is: `a number`, `text`, or the words it may be.
    pub kind: String,
    /// Whether it is `null` where it is unknown.
    pub may_be_null: bool,
    /// What it means: one sentence.
    pub means: &'static str,
}

/// Every variable that conditions may use, in the order of the documentation.
pub fn variables() -> impl Iterator<Item = VariableInfo> {
    ALL.iter().map(|variable| VariableInfo {
        name: variable.path,
        kind: match variable.ty {
            Type::Word(words) => words.join(", "),
            Type::Words(words) => format!("list of: {}", words.join(", ")),
            other => other.to_string(),
        },
        may_be_null: variable.may_be_null,
        means: variable.means,
    })
}

/// The variable of this name.
pub fn find(path: &str) -> Option<&'static Variable> {
    ALL.iter().find(|variable| variable.path == path)
}

const LEVELS: &[&str] = &["info", "low", "medium", "high", "critical"];
const DISPOSITIONS: &[&str] = &["allow", "challenge", "review", "deny", "revoke"];
const STATUSES: &[&str] = &["success", "failure", "other"];
const KINDS: &[&str] = &["human", "privileged", "shared", "service", "vendor"];
const CLASSES: &[&str] = &["fixed", "mobile", "hosting", "relay", "corporate", "private"];
const DEVICES: &[&str] = &["desktop", "mobile", "tablet", "automation"];

const fn known(
    path: &'static str,
    ty: Type,
    means: &'static str,
    read: for<'a> fn(&'a Facts<'a>) -> Value<'a>,
) -> Variable {
    Variable {
        path,
        ty,
        may_be_null: false,
        means,
        read,
    }
}

const fn nullable(
    path: &'static str,
    ty: Type,
    means: &'static str,
    read: for<'a> fn(&'a Facts<'a>) -> Value<'a>,
) -> Variable {
    Variable {
        path,
        ty,
        may_be_null: true,
        means,
        read,
    }
}

/// All variables, in the order of the documentation.
#[rustfmt::skip]
pub static ALL: &[Variable] = &[
    known("score", Type::Double, "Risk score, 0 to 100: 40 is 1 legitimate event in 100, 60 is 1 in 1,000.", |f| Value::Double(f.score.get())),
    known("level", Type::Word(LEVELS), "Level of the score.", |f| word(level(f.level))),
    known("log_odds", Type::Double, "Total log-odds in nats, without a cap.", |f| Value::Double(f.log_odds.0)),
    known("confidence", Type::Double, "How much history and how many signals stand behind the score, 0 to 1.", |f| Value::Double(f.confidence.get())),
    known("disposition", Type::Word(DISPOSITIONS), "What the thresholds of the configuration recommend.", |f| word(f.recommended.name())),
    known("signals", Type::Signals, "Signals that spoke, with their nats; positive speaks against the owner.", |f| Value::Signals(f.signals)),
    known("families", Type::Words(&FAMILIES), "Families with a signal that speaks against the owner.", |f| texts(f.signals.families())),
    nullable("account.id", Type::Text, "The account, in lower case.", |f| text(f.context.account.as_ref().map(|id| id.as_str()))),
    nullable("account.kind", Type::Word(KINDS), "Kind of account.", |f| text(kind(f.kind))),
    nullable("status", Type::Word(STATUSES), "Whether what was tried succeeded.", |f| text(status(f.context.status))),
    known("activity", Type::Text, "What happened, after OCSF, as `logon` or `mfa_factor_disable`.", |f| snake(f.context.activity.activity_name())),
    known("strong_factor", Type::Bool, "A factor that cannot be phished was satisfied.", |f| Value::Bool(f.context.strong_factor)),
    known("event.uid", Type::Text, "The event's id.", |f| text(Some(f.uid.as_str()))),
    known("event.tenant", Type::Text, "Whose event it is.", |f| text(Some(f.tenant.as_str()))),
    known("event.class", Type::Text, "OCSF class, as `authentication` or `account_change`.", |f| snake(f.context.activity.class_name())),
    nullable("event.source", Type::Text, "Log format it came from, as `okta`.", |f| text(f.event.source)),
    nullable("event.action", Type::Text, "The source's own name for what happened.", |f| text(f.event.action)),
    nullable("event.service", Type::Text, "Application or host logged in to.", |f| text(f.event.service)),
    nullable("event.method", Type::Text, "Grant or kind of credential in the source's words.", |f| text(f.event.method)),
    nullable("event.failure", Type::Text, "Reason of a failed logon, as `INVALID_CREDENTIALS`.", |f| text(f.event.failure)),
    nullable("event.mfa", Type::Bool, "More than one factor was satisfied.", |f| f.event.mfa.map_or(Value::Null, Value::Bool)),
    nullable("network.ip", Type::Text, "Address; IPv4 inside IPv6 is unwrapped.", |f| f.context.network.ip.map_or(Value::Null, |ip| Value::Text(Cow::Owned(ip.to_string())))),
    nullable("network.country", Type::Text, "Country, two letters in upper case.", |f| text(f.context.place.country.as_ref().map(|code| code.as_str()))),
    nullable("network.asn", Type::Int, "Number of the autonomous system.", |f| f.context.network.asn.map_or(Value::Null, |asn| Value::Int(i64::from(asn.get())))),
    nullable("network.organisation", Type::Text, "Organisation of the autonomous system.", |f| text(f.context.network.organisation.as_deref())),
    nullable("network.class", Type::Word(CLASSES), "Sort of network; `relay` is a VPN, a proxy or Tor.", |f| text(class(f.context.network.class))),
    known("network.lists", Type::Texts, "Names of the IP lists that hold the address.", |f| texts(f.lists.iter().take(crate::facts::LISTS_MAX).map(|list| list.name).collect())),
    known("network.blocked", Type::Bool, "An IP list of kind `blocked` holds the address.", |f| Value::Bool(f.is_listed(Meaning::Blocked))),
    known("network.safe", Type::Bool, "An IP list of kind `safe` holds the address.", |f| Value::Bool(f.is_listed(Meaning::Safe))),
    nullable("client.browser", Type::Text, "Browser or tool, as `Chrome` or `kubectl`.", |f| text(f.context.client.browser.as_deref())),
    nullable("client.version", Type::Int, "Major version of the browser or tool.", |f| version(f.context.client.browser_version)),
    nullable("client.os", Type::Text, "Operating system, as `Windows` or `iOS`.", |f| text(f.context.client.os.as_deref())),
    nullable("client.device", Type::Word(DEVICES), "Type of device.", |f| text(device(f.context.client.device))),
    nullable("client.key", Type::Text, "Id that binds the client: managed device, device token or key fingerprint.", |f| text(f.context.client.key.as_deref())),
    known("time.ms", Type::Int, "When it happened, milliseconds since 1970, UTC.", |f| Value::Int(f.context.time.as_millis())),
    known("time.hour", Type::Int, "Hour of the day in UTC, 0 to 23.", |f| Value::Int(i64::from(f.context.time.local_hour(UtcOffset::default()).0))),
    known("time.weekend", Type::Bool, "Saturday or Sunday in UTC.", |f| Value::Bool(f.context.time.local_hour(UtcOffset::default()).1)),
];

const fn word(word: &'static str) -> Value<'static> {
    Value::Text(Cow::Borrowed(word))
}

fn text(text: Option<&str>) -> Value<'_> {
    text.map_or(Value::Null, |text| Value::Text(Cow::Borrowed(text)))
}

fn texts(texts: Vec<&str>) -> Value<'_> {
    Value::List(
        texts
            .into_iter()
            .map(|text| Value::Text(Cow::Borrowed(text)))
            .collect(),
    )
}

fn version(number: u32) -> Value<'static> {
    if number == 0 {
        Value::Null
    } else {
        Value::Int(i64::from(number))
    }
}

/// OCSF's caption in snake case.
fn snake(caption: &'static str) -> Value<'static> {
    Value::Text(Cow::Owned(caption.to_lowercase().replace(' ', "_")))
}

/// The level in lower case.
pub const fn level(level: RiskLevel) -> &'static str {
    match level {
        RiskLevel::Info => "info",
        RiskLevel::Low => "low",
        RiskLevel::Medium => "medium",
        RiskLevel::High => "high",
        RiskLevel::Critical => "critical",
    }
}

/// The disposition of this name.
pub fn disposition(name: &str) -> Option<Disposition> {
    use Disposition::{Allow, Challenge, Deny, Review, Revoke};
    [Allow, Challenge, Review, Deny, Revoke]
        .into_iter()
        .find(|disposition| disposition.name() == name)
}

const fn kind(kind: AccountKind) -> Option<&'static str> {
    match kind {
        AccountKind::Unknown => None,
        known => Some(known.name()),
    }
}

const fn status(status: Status) -> Option<&'static str> {
    match status {
        Status::Unknown => None,
        Status::Success => Some("success"),
        Status::Failure => Some("failure"),
        Status::Other => Some("other"),
    }
}

const fn class(class: NetworkClass) -> Option<&'static str> {
    match class {
        NetworkClass::Unknown => None,
        NetworkClass::Fixed => Some("fixed"),
        NetworkClass::Mobile => Some("mobile"),
        NetworkClass::Hosting => Some("hosting"),
        NetworkClass::Relay => Some("relay"),
        NetworkClass::Corporate => Some("corporate"),
        NetworkClass::Private => Some("private"),
    }
}

const fn device(device: DeviceType) -> Option<&'static str> {
    match device {
        DeviceType::Unknown => None,
        DeviceType::Desktop => Some("desktop"),
        DeviceType::Mobile => Some("mobile"),
        DeviceType::Tablet => Some("tablet"),
        DeviceType::Automation => Some("automation"),
    }
}
