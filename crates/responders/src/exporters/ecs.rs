//! OCSF Detection Findings in the Elastic Common Schema.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Version of the schema that the fields are of.
const ECS_VERSION: &str = "8.17.0";

/// The document of one finding. What the finding does not say has no field.
pub(super) fn document(finding: &Value) -> Value {
    let mut doc = Map::new();
    set(&mut doc, "@timestamp", time(finding, "/time"));
    set(&mut doc, "message", text(finding, "/message"));
    set(&mut doc, "ecs", Some(json!({"version": ECS_VERSION})));
    set(&mut doc, "event", Some(event(finding)));
    set(&mut doc, "rule", rule(finding));
    set(&mut doc, "threat", threat(finding));
    set(&mut doc, "user", user(finding));
    set(&mut doc, "source", source(finding));
    set(&mut doc, "user_agent", user_agent(finding));
    set(&mut doc, "related", related(finding));
    set(
        &mut doc,
        "organization",
        inner([("id", text(finding, "/metadata/tenant_uid"))]),
    );
    set(&mut doc, "observer", observer(finding));
    set(
        &mut doc,
        "tags",
        finding
            .pointer("/finding_info/types")
            .filter(|types| types.is_array())
            .cloned(),
    );
    set(&mut doc, "labels", labels(finding));
    Value::Object(doc)
}

fn event(finding: &Value) -> Value {
    let score = finding
        .get("risk_score")
        .filter(|score| score.is_number())
        .cloned();
    let fields = inner([
        ("kind", Some("alert".into())),
        ("category", Some(json!(["intrusion_detection"]))),
        ("type", Some(json!(["info"]))),
        ("module", Some("habitus".into())),
        ("dataset", Some("habitus.findings".into())),
        ("provider", Some("habitus".into())),
        ("id", text(finding, "/metadata/uid")),
        ("action", text(finding, "/activity_name")),
        ("reason", text(finding, "/finding_info/desc")),
        (
            "start",
            time(finding, "/finding_info/first_seen_time").or_else(|| time(finding, "/start_time")),
        ),
        (
            "end",
            time(finding, "/finding_info/last_seen_time").or_else(|| time(finding, "/end_time")),
        ),
        ("created", time(finding, "/finding_info/created_time")),
        ("severity", severity(finding)),
        ("risk_score", score.clone()),
        ("risk_score_norm", score),
    ]);
    fields.unwrap_or_default()
}

/// ECS fixes no scale; Elastic Security's own rules use these four.
fn severity(finding: &Value) -> Option<Value> {
    match finding.get("severity_id")?.as_u64()? {
        1 | 2 => Some(21.into()),
        3 => Some(47.into()),
        4 => Some(73.into()),
        5 | 6 => Some(99.into()),
        _ => None,
    }
}

fn rule(finding: &Value) -> Option<Value> {
    inner([
        ("id", text(finding, "/finding_info/analytic/uid")),
        ("name", text(finding, "/finding_info/analytic/name")),
        ("version", text(finding, "/finding_info/analytic/version")),
        ("category", text(finding, "/finding_info/analytic/type")),
        ("description", text(finding, "/finding_info/title")),
    ])
}

fn threat(finding: &Value) -> Option<Value> {
    let attacks = finding.pointer("/finding_info/attacks")?.as_array()?;
    let column = |path: &str| {
        let values: Vec<Value> = attacks.iter().filter_map(|attack| text(attack, path)).collect();
        (!values.is_empty()).then_some(Value::Array(values))
    };
    let object = |name: &str| {
        inner([
            ("id", column(&format!("/{name}/uid"))),
            ("name", column(&format!("/{name}/name"))),
        ])
    };
    let mut technique = object("technique").unwrap_or_else(|| json!({}));
    if let (Some(sub), Some(fields)) = (object("sub_technique"), technique.as_object_mut()) {
        fields.insert("subtechnique".to_owned(), sub);
    }
    let technique = Some(technique).filter(|t| t.as_object().is_some_and(|t| !t.is_empty()));
    let mut found = inner([("tactic", object("tactic")), ("technique", technique)])?;
    if let Some(object) = found.as_object_mut() {
        object.insert("framework".to_owned(), "MITRE ATT&CK".into());
    }
    Some(found)
}

fn user(finding: &Value) -> Option<Value> {
    let user = part(finding, "/user", Value::is_object)?;
    inner([
        ("id", text(user, "/uid")),
        ("name", text(user, "/name")),
        ("email", text(user, "/email_addr")),
        ("full_name", text(user, "/full_name")),
        ("domain", text(user, "/domain")),
    ])
}

/// The first endpoint with an address; its network and place are not mixed with those of another.
fn source(finding: &Value) -> Option<Value> {
    let endpoint = part(finding, "/src_endpoint", |endpoint| {
        endpoint.get("ip").is_some_and(is_address)
    })?;
    let number = |path| endpoint.pointer(path).filter(|value| value.is_u64()).cloned();
    let ip = text(endpoint, "/ip");
    let organisation = inner([("name", text(endpoint, "/autonomous_system/name"))]);
    let place = inner([
        ("country_iso_code", text(endpoint, "/location/country")),
        ("city_name", text(endpoint, "/location/city")),
    ]);
    inner([
        ("ip", ip.clone()),
        ("address", ip),
        ("port", number("/port")),
        (
            "as",
            inner([
                ("number", number("/autonomous_system/number")),
                ("organization", organisation),
            ]),
        ),
        ("geo", place),
    ])
}

fn user_agent(finding: &Value) -> Option<Value> {
    let request = part(finding, "/http_request", |request| {
        text(request, "/user_agent").is_some()
    })?;
    inner([("original", text(request, "/user_agent"))])
}

/// All addresses and users of the evidence, once each.
fn related(finding: &Value) -> Option<Value> {
    let evidences = finding.get("evidences")?.as_array()?;
    let column = |paths: &[&str], fits: fn(&Value) -> bool| {
        let mut values: Vec<Value> = Vec::new();
        for evidence in evidences {
            for value in paths.iter().filter_map(|path| text(evidence, path)).filter(fits) {
                if !values.contains(&value) {
                    values.push(value);
                }
            }
        }
        (!values.is_empty()).then_some(Value::Array(values))
    };
    inner([
        ("ip", column(&["/src_endpoint/ip"], is_address)),
        ("user", column(&["/user/uid", "/user/name"], |_| true)),
    ])
}

fn observer(finding: &Value) -> Option<Value> {
    inner([
        ("vendor", text(finding, "/metadata/product/vendor_name")),
        ("product", text(finding, "/metadata/product/name")),
        ("version", text(finding, "/metadata/product/version")),
        ("type", Some("identity-threat-detection".into())),
    ])
}

/// What ECS has no field for.
fn labels(finding: &Value) -> Option<Value> {
    inner([
        ("finding_uid", text(finding, "/finding_info/uid")),
        ("risk_level", text(finding, "/risk_level")),
        ("disposition", text(finding, "/disposition")),
        ("status", text(finding, "/status")),
        ("verdict", text(finding, "/verdict")),
    ])
}

/// Elasticsearch refuses a document whose `ip` field is none.
fn is_address(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.parse::<std::net::IpAddr>().is_ok())
}

fn text(value: &Value, path: &str) -> Option<Value> {
    value
        .pointer(path)
        .filter(|v| v.as_str().is_some_and(|text| !text.is_empty()))
        .cloned()
}

/// The first part that fits: of the evidence or, if there is none, of the finding itself.
fn part<'a>(finding: &'a Value, path: &str, fits: impl Fn(&Value) -> bool) -> Option<&'a Value> {
    let evidences = finding.get("evidences").and_then(Value::as_array);
    let inside = evidences
        .into_iter()
        .flatten()
        .filter_map(|evidence| evidence.pointer(path));
    inside.chain(finding.pointer(path)).find(|part| fits(part))
}

/// OCSF milliseconds as RFC 3339.
fn time(finding: &Value, path: &str) -> Option<Value> {
    let ms = finding.pointer(path)?.as_i64()?;
    Some(Timestamp::from_millisecond(ms).ok()?.to_string().into())
}

/// An object of the fields that are there; `None` if there are none.
fn inner<const N: usize>(fields: [(&str, Option<Value>); N]) -> Option<Value> {
    let found: Map<String, Value> = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
    (!found.is_empty()).then_some(Value::Object(found))
}

fn set(doc: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        doc.insert(name.to_owned(), value);
    }
}
