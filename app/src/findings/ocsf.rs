//! A finding as OCSF 1.8 Detection Finding, class 2004.

use super::behaviour::{self, lead, title};
use super::{Finding, Flagged};
use crate::verdict;
use habitus_engine::MODEL;
use habitus_model::math::{to_i64, to_u64};
use habitus_model::{Assessment, Confidence, Context, RiskLevel, TenantId};
use serde_json::{Map, Value, json};

/// Release of MITRE ATT&CK that the technique ids are of.
const ATTACK_VERSION: &str = "18.1";
/// Formats of identity providers and clouds, whose accounts are T1078.004.
const CLOUD_FORMATS: [&str; 4] = ["okta", "entra", "cloudtrail", "github"];
/// Reasons told in the description.
const REASONS_MAX: usize = 4;

/// The finding as one object.
pub fn to_ocsf(finding: &Finding) -> Value {
    let worst = &finding.worst.assessment;
    let level = worst.level;
    let mut object = header(finding);
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("message", json!(heading(finding)));
    put("finding_info", finding_info(finding));
    put("evidences", finding.events.iter().map(evidence).collect());
    put("observables", Value::Array(observables(finding)));
    put("risk_score", json!(floor(worst.score.get())));
    put("risk_level_id", json!(level.id()));
    put("risk_level", json!(level.caption()));
    put("risk_details", json!(sentences(worst).join(" ")));
    put("confidence_score", json!(floor(worst.confidence.get() * 100.0)));
    let (id, caption) = confidence(worst.confidence);
    put("confidence_id", json!(id));
    put("confidence", json!(caption));
    put("metadata", metadata(finding));
    put(
        "unmapped",
        json!({ "habitus": { "recommended": worst.decision.disposition.name(), "attacker_profile": worst.profile.name() } }),
    );
    Value::Object(object)
}

fn header(finding: &Finding) -> Map<String, Value> {
    let (severity_id, severity) = severity(finding.worst.assessment.level);
    let header = json!({
        "class_uid": 2004, "class_name": "Detection Finding", "category_uid": 2, "category_name": "Findings",
        "activity_id": 1, "activity_name": "Create", "type_uid": 200_401, "type_name": "Detection Finding: Create",
        "severity_id": severity_id, "severity": severity, "status_id": 1, "status": "New",
        "time": finding.last.as_millis(), "start_time": finding.first.as_millis(), "end_time": finding.last.as_millis(),
        "count": finding.count, "is_alert": true,
        // Nothing was done: habitus observes until a person says otherwise.
        "action_id": 3, "action": "Observed", "disposition_id": 15, "disposition": "Detected",
    });
    match header {
        Value::Object(header) => header,
        _ => Map::new(),
    }
}

fn finding_info(finding: &Finding) -> Value {
    let worst = &finding.worst;
    let name = finding.family.map_or("unexplained", behaviour::name);
    let mut sources: Vec<&str> = finding.events.iter().map(|event| event.source.as_str()).collect();
    sources.sort_unstable();
    sources.dedup();
    json!({
        "uid": finding.uid,
        "title": heading(finding),
        "desc": sentences(&worst.assessment).join(" "),
        "types": [format!("identity.{name}")],
        "data_sources": sources,
        "created_time": finding.last.as_millis(),
        "first_seen_time": finding.first.as_millis(),
        "last_seen_time": finding.last.as_millis(),
        "analytic": { "uid": name, "name": title(finding.family), "type_id": 2, "type": "Behavioral", "version": MODEL, "state_id": 1, "state": "Active" },
        "attacks": [attack(&worst.source)],
        "related_events": finding.events.iter().map(related).collect::<Value>(),
        "related_events_count": finding.count,
    })
}

fn attack(source: &str) -> Value {
    let mut attack = json!({
        "version": ATTACK_VERSION,
        "tactic": { "uid": "TA0001", "name": "Initial Access" },
        "technique": { "uid": "T1078", "name": "Valid Accounts" },
    });
    if let (true, Some(attack)) = (CLOUD_FORMATS.contains(&source), attack.as_object_mut()) {
        attack.insert(
            "sub_technique".to_owned(),
            json!({ "uid": "T1078.004", "name": "Cloud Accounts" }),
        );
    }
    attack
}

fn related(event: &Flagged) -> Value {
    json!({
        "uid": event.assessment.uid.as_str(),
        "type_uid": event.context.activity.type_uid(),
        "first_seen_time": event.context.time.as_millis(),
    })
}

/// An event of the finding: who, from where, and the verdict on it.
fn evidence(event: &Flagged) -> Value {
    let Flagged {
        context, assessment, ..
    } = event;
    let contributions: Vec<Value> = assessment
        .contributions
        .iter()
        .map(|c| json!({ "signal": c.signal.0, "points": verdict::points(c.nats.0), "text": c.reason.to_string() }))
        .collect();
    let mut evidence = Map::new();
    evidence.insert("uid".to_owned(), json!(assessment.uid.as_str()));
    evidence.insert("name".to_owned(), json!(context.activity.activity_name()));
    if let Some(account) = &context.account {
        evidence.insert("user".to_owned(), json!({ "name": account.as_str() }));
    }
    if let Some(endpoint) = endpoint(context) {
        evidence.insert("src_endpoint".to_owned(), endpoint);
    }
    let data = json!({
        "time": context.time.as_millis(),
        "status": context.status.caption(),
        "client": context.client.label(),
        "risk_score": verdict::score(assessment),
        "risk_level": assessment.level.name(),
        "contributions": contributions,
    });
    evidence.insert("data".to_owned(), data);
    Value::Object(evidence)
}

fn endpoint(context: &Context) -> Option<Value> {
    let ip = context.network.ip?;
    let mut endpoint = Map::new();
    endpoint.insert("ip".to_owned(), json!(ip.to_string()));
    if let Some(asn) = context.network.asn {
        let mut system = Map::new();
        system.insert("number".to_owned(), json!(asn.get()));
        if let Some(name) = &context.network.organisation {
            system.insert("name".to_owned(), json!(name.as_str()));
        }
        endpoint.insert("autonomous_system".to_owned(), Value::Object(system));
    }
    let place = &context.place;
    let mut location = Map::new();
    let country = place.country.map(|country| country.to_string());
    for (name, value) in [
        ("country", country.as_deref()),
        ("city", place.city.as_deref()),
        ("region", place.region.as_deref()),
    ] {
        if let Some(value) = value {
            location.insert(name.to_owned(), json!(value));
        }
    }
    if !location.is_empty() {
        endpoint.insert("location".to_owned(), Value::Object(location));
    }
    Some(Value::Object(endpoint))
}

/// Names and addresses to search for, each once.
fn observables(finding: &Finding) -> Vec<Value> {
    let mut found = Vec::new();
    let mut add = |name: &str, (id, kind): (u8, &str), value: String| {
        let observable = json!({ "name": name, "type_id": id, "type": kind, "value": value });
        if !found.contains(&observable) {
            found.push(observable);
        }
    };
    for event in &finding.events {
        if let Some(account) = &event.context.account {
            add("evidences[].user.name", (4, "User Name"), account.to_string());
        }
        if let Some(ip) = event.context.network.ip {
            add("evidences[].src_endpoint.ip", (2, "IP Address"), ip.to_string());
        }
    }
    found
}

fn metadata(finding: &Finding) -> Value {
    let mut metadata = json!({
        "version": "1.8.0",
        "uid": finding.uid,
        "product": { "name": "habitus", "vendor_name": "habitus", "version": env!("CARGO_PKG_VERSION") },
        "profiles": ["security_control"],
    });
    let tenant = &finding.worst.assessment.tenant;
    if let (true, Some(metadata)) = (*tenant != TenantId::default(), metadata.as_object_mut()) {
        metadata.insert("tenant_uid".to_owned(), json!(tenant.as_str()));
    }
    metadata
}

/// `Access at an unusual hour: alice@example.com`, `Unusually many attempts: from 203.0.113.9`
fn heading(finding: &Finding) -> String {
    format!("{}: {}", title(finding.family), finding.subject())
}

/// The strongest reasons as sentences, what speaks for the owner at the end.
fn sentences(assessment: &Assessment) -> Vec<String> {
    let of_family = || assessment.contributions.iter().filter(|c| c.family.is_some());
    let mut told: Vec<String> = of_family()
        .filter(|c| c.nats.0 > 0.0)
        .take(REASONS_MAX)
        .map(|c| sentence(&c.reason.to_string()))
        .collect();
    let against = of_family()
        .filter(|c| c.nats.0 < 0.0 && Some(*c) != lead(assessment))
        .take(1);
    told.extend(against.map(|c| format!("For the owner speaks: {}.", c.reason)));
    told
}

/// A reason as a sentence.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => String::new(),
    }
}

fn severity(level: RiskLevel) -> (u8, &'static str) {
    match level {
        RiskLevel::Info => (1, "Informational"),
        RiskLevel::Low => (2, "Low"),
        RiskLevel::Medium => (3, "Medium"),
        RiskLevel::High => (4, "High"),
        RiskLevel::Critical => (5, "Critical"),
    }
}

/// OCSF's three steps, a third each.
fn confidence(confidence: Confidence) -> (u8, &'static str) {
    match to_u64(confidence.get() * 99.0) {
        0..33 => (1, "Low"),
        33..66 => (2, "Medium"),
        _ => (3, "High"),
    }
}

fn floor(x: f64) -> i64 {
    to_i64(x.floor())
}
