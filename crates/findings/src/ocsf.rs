//! A finding as OCSF 1.8 Detection Finding, class 2004: one mapping for files, exports and the API.

use crate::behaviour::Behaviour;
use crate::finding::Finding;
use crate::hit::Hit;
use crate::key::Key;
use crate::triage::State;
use crate::view::{Told, View};
use crate::words::{points, score, sentences};
use habitus_model::hash::content_digest;
use habitus_model::math::{to_i64, to_u64};
use habitus_model::{Confidence, Family, Network, Place, RiskLevel, TenantId};
use serde_json::{Map, Value, json};

/// Release of MITRE ATT&CK that the technique ids are of.
const ATTACK_VERSION: &str = "18.1";
/// Formats of identity providers and clouds, whose accounts are T1078.004.
const CLOUD_FORMATS: [&str; 4] = ["okta", "entra", "cloudtrail", "github"];
/// Observables named in one record.
const OBSERVABLES_MAX: usize = 100;

/// What a record of a finding tells (OCSF `activity_id`). Records of one finding share `finding_info.uid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifecycle {
    /// It is new.
    Create,
    /// It has changed.
    Update,
    /// It is closed.
    Close,
}

/// What writes a record.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'w> {
    /// The model that decided.
    pub model: &'w str,
    /// Version of habitus.
    pub version: &'w str,
}

impl Writer<'_> {
    /// The finding as one object.
    #[must_use]
    pub fn to_ocsf(&self, view: &View, lifecycle: Lifecycle) -> Value {
        let finding = &view.finding;
        let worst = &finding.worst;
        let mut object = header(view, lifecycle);
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("message", json!(finding.title()));
        put("finding_info", self.finding_info(finding));
        put(
            "evidences",
            finding.evidence().into_iter().map(evidence).collect(),
        );
        put("observables", Value::Array(observables(finding)));
        put("risk_score", json!(floor(worst.score.get())));
        put("risk_level_id", json!(worst.level.id()));
        put("risk_level", json!(worst.level.caption()));
        put("risk_details", json!(sentences(worst).join(" ")));
        put("confidence_score", json!(floor(worst.confidence.get() * 100.0)));
        let (id, caption) = confidence(worst.confidence);
        put("confidence_id", json!(id));
        put("confidence", json!(caption));
        put("metadata", self.metadata(finding, lifecycle));
        put("unmapped", json!({ "habitus": ours(view) }));
        triage(finding, &mut object);
        Value::Object(object)
    }

    fn finding_info(&self, finding: &Finding) -> Value {
        let name = finding.key.behaviour_name();
        let title = finding.key.behaviour().title();
        let evidence = finding.evidence();
        let mut sources: Vec<&str> = evidence.iter().map(|hit| hit.source.as_str()).collect();
        sources.sort_unstable();
        sources.dedup();
        json!({
            "uid": finding.id.as_str(),
            "title": finding.title(),
            "desc": sentences(finding.telling()).join(" "),
            "types": [format!("identity.{name}")],
            "data_sources": sources,
            "created_time": finding.first.as_millis(),
            "modified_time": modified(finding),
            "first_seen_time": finding.first.as_millis(),
            "last_seen_time": finding.last.as_millis(),
            "analytic": { "uid": name, "name": title, "type_id": 2, "type": "Behavioral", "version": self.model, "state_id": 1, "state": "Active" },
            "attacks": attacks(finding),
            "related_events": evidence.iter().map(|hit| related(hit)).collect::<Value>(),
            "related_events_count": finding.count,
        })
    }

    fn metadata(&self, finding: &Finding, lifecycle: Lifecycle) -> Value {
        let mut metadata = json!({
            "version": "1.8.0",
            "uid": record_uid(finding, lifecycle),
            "product": { "name": "habitus", "vendor_name": "habitus", "version": self.version },
            "profiles": ["security_control"],
        });
        let tenant = finding.key.tenant();
        if let (true, Some(metadata)) = (*tenant != TenantId::default(), metadata.as_object_mut()) {
            metadata.insert("tenant_uid".to_owned(), json!(tenant.as_str()));
        }
        metadata
    }
}

fn header(view: &View, lifecycle: Lifecycle) -> Map<String, Value> {
    let finding = &view.finding;
    let (severity_id, severity) = severity(finding.level());
    let (activity_id, activity) = lifecycle.ocsf();
    let (status_id, status) = view.state.ocsf();
    let time = if lifecycle == Lifecycle::Create {
        finding.last.as_millis()
    } else {
        modified(finding)
    };
    let header = json!({
        "class_uid": 2004, "class_name": "Detection Finding", "category_uid": 2, "category_name": "Findings",
        "activity_id": activity_id, "activity_name": activity,
        "type_uid": 200_400 + u32::from(activity_id), "type_name": format!("Detection Finding: {activity}"),
        "severity_id": severity_id, "severity": severity, "status_id": status_id, "status": status,
        "time": time, "start_time": finding.first.as_millis(), "end_time": finding.last.as_millis(),
        "count": finding.count, "is_alert": true,
        // A finding does nothing by itself; what policy orders is told by remediation records.
        "action_id": 3, "action": "Observed", "disposition_id": 15, "disposition": "Detected",
    });
    match header {
        Value::Object(header) => header,
        _ => Map::new(),
    }
}

/// What people have said.
fn triage(finding: &Finding, object: &mut Map<String, Value>) {
    if let Some(who) = &finding.triage.assignee {
        object.insert("assignee".to_owned(), json!({ "name": who.as_str() }));
    }
    if let Some(ruling) = finding.triage.verdict() {
        let (id, caption) = ruling.verdict.ocsf();
        object.insert("verdict_id".to_owned(), json!(id));
        object.insert("verdict".to_owned(), json!(caption));
        if let Some(comment) = &ruling.comment {
            object.insert("comment".to_owned(), json!(comment));
        }
    }
}

/// What OCSF has no attribute for.
fn ours(view: &View) -> Value {
    let finding = &view.finding;
    let worst = &finding.worst;
    let mut ours = json!({
        "recommended": worst.disposition.name(),
        "attacker_profile": worst.profile.name(),
        "group": finding.key.text(),
        "window_start": finding.start.as_millis(),
        "expected_loss": finding.loss().points(),
        "accounts_count": finding.accounts.count(),
    });
    let teller = match &view.told {
        Told::ByItself => None,
        Told::ByCampaign(id) => Some(("part_of", id)),
        Told::ByStorm(id) => Some(("folded_into", id)),
    };
    if let (Some((name, id)), Some(ours)) = (teller, ours.as_object_mut()) {
        ours.insert(name.to_owned(), json!(id.as_str()));
    }
    let many = matches!(
        finding.key,
        Key::Source { .. } | Key::Spray { .. } | Key::Campaign { .. } | Key::Storm { .. }
    );
    if let (true, Some(ours)) = (many, ours.as_object_mut()) {
        let names: Vec<&str> = finding
            .accounts
            .names()
            .iter()
            .map(|name| name.as_str())
            .collect();
        ours.insert("accounts".to_owned(), json!(names));
    }
    if let (Some(ruling), Some(ours)) = (finding.triage.verdict(), ours.as_object_mut()) {
        ours.insert("verdict".to_owned(), json!(ruling.verdict.name()));
    }
    ours
}

/// Unique for each record: the finding's id for its first, a digest with what has changed for others.
fn record_uid(finding: &Finding, lifecycle: Lifecycle) -> String {
    if lifecycle == Lifecycle::Create {
        return finding.id.to_string();
    }
    let triage = &finding.triage;
    let deeds = u64::try_from(triage.history.len()).unwrap_or(u64::MAX);
    let (_, activity) = lifecycle.ocsf();
    let parts = format!(
        "{} {activity} {} {} {}",
        finding.id,
        finding.count,
        finding.last.as_millis(),
        deeds.saturating_add(triage.history_dropped)
    );
    content_digest(parts.as_bytes())
}

/// When it last changed: by an event, or by a person.
fn modified(finding: &Finding) -> i64 {
    let deeds = finding.triage.history.iter().filter_map(|entry| entry.at);
    let last = deeds.map(habitus_model::IngestTime::as_millis).max();
    finding.last.as_millis().max(last.unwrap_or(i64::MIN))
}

/// Who guesses has no valid account yet. Else one is used in any case; for what, the volume may tell.
fn attacks(finding: &Finding) -> Vec<Value> {
    const GUESSING: ((&str, &str), (&str, &str)) =
        (("TA0006", "Credential Access"), ("T1110", "Brute Force"));
    let worst = &finding.worst;
    match finding.key.behaviour() {
        Behaviour::Burst => return vec![attack(GUESSING.0, GUESSING.1)],
        Behaviour::Spray => {
            let spraying = ("T1110.003", "Password Spraying");
            return vec![narrowed(attack(GUESSING.0, GUESSING.1), spraying)];
        }
        _ => {}
    }
    let valid = attack(("TA0001", "Initial Access"), ("T1078", "Valid Accounts"));
    let valid = if CLOUD_FORMATS.contains(&&*worst.source) {
        narrowed(valid, ("T1078.004", "Cloud Accounts"))
    } else {
        valid
    };
    let lead = worst.lead().filter(|lead| lead.family == Some(Family::Volume));
    let aims = lead.map(|lead| aim(lead.signal.as_str(), &worst.source));
    std::iter::once(valid).chain(aims).collect()
}

/// A technique with its sub-technique.
fn narrowed(mut technique: Value, (uid, name): (&str, &str)) -> Value {
    if let Some(technique) = technique.as_object_mut() {
        technique.insert("sub_technique".to_owned(), json!({ "uid": uid, "name": name }));
    }
    technique
}

/// What much of one kind is done for.
fn aim(signal: &str, source: &str) -> Value {
    const COLLECTION: (&str, &str) = ("TA0009", "Collection");
    const IMPACT: (&str, &str) = ("TA0040", "Impact");
    match signal {
        "creation_volume" => attack(IMPACT, ("T1496", "Resource Hijacking")),
        "deletion_volume" => attack(IMPACT, ("T1485", "Data Destruction")),
        "change_volume" => attack(IMPACT, ("T1565", "Data Manipulation")),
        "read_volume" if source == "cloudtrail" => attack(COLLECTION, ("T1530", "Data from Cloud Storage")),
        "read_volume" => attack(COLLECTION, ("T1213", "Data from Information Repositories")),
        _ => attack(COLLECTION, ("T1119", "Automated Collection")),
    }
}

fn attack(tactic: (&str, &str), technique: (&str, &str)) -> Value {
    json!({
        "version": ATTACK_VERSION,
        "tactic": { "uid": tactic.0, "name": tactic.1 },
        "technique": { "uid": technique.0, "name": technique.1 },
    })
}

fn related(hit: &Hit) -> Value {
    json!({
        "uid": hit.uid.as_str(),
        "type_uid": hit.context.activity.type_uid(),
        "first_seen_time": hit.time().as_millis(),
    })
}

/// An event of the finding: who, from where, and the verdict on it.
fn evidence(hit: &Hit) -> Value {
    let context = &hit.context;
    let contributions: Vec<Value> = hit
        .lines
        .iter()
        .map(|line| json!({ "signal": line.signal.as_str(), "points": points(line.nats.0), "text": line.text }))
        .collect();
    let mut evidence = Map::new();
    evidence.insert("uid".to_owned(), json!(hit.uid.as_str()));
    evidence.insert("name".to_owned(), json!(context.activity.activity_name()));
    if let Some(account) = &context.account {
        evidence.insert("user".to_owned(), json!({ "name": account.as_str() }));
    }
    if let Some(endpoint) = endpoint(&context.network, &context.place) {
        evidence.insert("src_endpoint".to_owned(), endpoint);
    }
    let data = json!({
        "time": hit.time().as_millis(),
        "status": context.status.caption(),
        "client": context.client.label(),
        "risk_score": score(hit.score),
        "risk_level": hit.level.name(),
        "contributions": contributions,
    });
    evidence.insert("data".to_owned(), data);
    Value::Object(evidence)
}

fn endpoint(network: &Network, place: &Place) -> Option<Value> {
    let ip = network.ip?;
    let mut endpoint = Map::new();
    endpoint.insert("ip".to_owned(), json!(ip.to_string()));
    if let Some(asn) = network.asn {
        let mut system = Map::new();
        system.insert("number".to_owned(), json!(asn.get()));
        if let Some(name) = &network.organisation {
            system.insert("name".to_owned(), json!(name.as_str()));
        }
        endpoint.insert("autonomous_system".to_owned(), Value::Object(system));
    }
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
        if found.len() < OBSERVABLES_MAX && !found.contains(&observable) {
            found.push(observable);
        }
    };
    for hit in finding.evidence() {
        if let Some(account) = &hit.context.account {
            add("evidences[].user.name", (4, "User Name"), account.to_string());
        }
        if let Some(ip) = hit.context.network.ip {
            add("evidences[].src_endpoint.ip", (2, "IP Address"), ip.to_string());
        }
    }
    found
}

impl Lifecycle {
    /// What to write of a finding that was written before.
    #[must_use]
    pub const fn of(view: &View) -> Self {
        match view.state {
            State::Closed => Self::Close,
            State::New | State::InProgress => Self::Update,
        }
    }

    const fn ocsf(self) -> (u8, &'static str) {
        match self {
            Lifecycle::Create => (1, "Create"),
            Lifecycle::Update => (2, "Update"),
            Lifecycle::Close => (3, "Close"),
        }
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
