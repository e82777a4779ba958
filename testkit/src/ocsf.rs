//! Whether a JSON object is a valid OCSF 1.8.0 event, as far as this product writes them: attribute names, required
//! attributes, types, enumerations with their captions, and the classes' constraints.
//!
//! The tables are data: `fixtures/ocsf/schema-1.8.0.json`.

use serde_json::{Map, Value};
use std::sync::LazyLock;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let bytes = crate::fixture_bytes("ocsf/schema-1.8.0.json");
    match serde_json::from_slice(&bytes) {
        Ok(schema) => schema,
        Err(error) => panic!("the OCSF schema table is no JSON: {error}"),
    }
});

/// Every violation, as a sentence that starts with the attribute's path; empty if the event is valid.
///
/// Objects that the table does not list are not looked into.
#[must_use]
pub fn validate(event: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    let Value::Object(event) = event else {
        return vec!["the event is not an object".to_owned()];
    };
    let Some(class_uid) = event.get("class_uid").and_then(Value::as_u64) else {
        return vec!["class_uid: missing or not an integer".to_owned()];
    };
    let Some(class) = at(&SCHEMA, &["classes", &class_uid.to_string()]) else {
        return vec![format!("class_uid: the table has no class {class_uid}")];
    };
    let attributes = attributes_of(event, class);
    let shape = Shape {
        path: "",
        object: "",
        attributes: &attributes,
        rules: class,
    };
    check_object(event, &shape, &mut errors);
    check_header(event, class_uid, class, &mut errors);
    errors
}

/// Whether the table has this class: 0, 2004, 3001–3006, 6003.
#[must_use]
pub fn knows(class_uid: u64) -> bool {
    at(&SCHEMA, &["classes", &class_uid.to_string()]).is_some()
}

/// What an object may hold.
struct Shape<'s> {
    /// Dotted path of the object, empty at the top.
    path: &'s str,
    /// Name of the object's type, empty at the top: enumerations of objects carry it.
    object: &'s str,
    attributes: &'s Map<String, Value>,
    /// Where `at_least_one` and `just_one` stand.
    rules: &'s Value,
}

fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |here, step| here.get(step))
}

/// The class's attributes, those of every class, and those of the profiles the event names.
fn attributes_of(event: &Map<String, Value>, class: &Value) -> Map<String, Value> {
    let mut all = Map::new();
    let mut add = |part: Option<&Value>| {
        for (name, kind) in part.and_then(Value::as_object).into_iter().flatten() {
            all.insert(name.clone(), kind.clone());
        }
    };
    add(SCHEMA.get("base"));
    let profiles = event.get("metadata").and_then(|m| m.get("profiles"));
    for profile in profiles.and_then(Value::as_array).into_iter().flatten() {
        add(profile.as_str().and_then(|name| at(&SCHEMA, &["profiles", name])));
    }
    add(class.get("attributes"));
    all
}

fn check_header(event: &Map<String, Value>, class_uid: u64, class: &Value, errors: &mut Vec<String>) {
    let number = |name: &str| event.get(name).and_then(Value::as_u64);
    let activity = number("activity_id").unwrap_or(0);
    if number("type_uid") != Some(class_uid * 100 + activity) {
        errors.push("type_uid: is not class_uid * 100 + activity_id".to_owned());
    }
    if number("category_uid") != Some(class_uid / 1000) {
        errors.push("category_uid: is not class_uid / 1000".to_owned());
    }
    for id in ["activity_id", "status_id"] {
        let sibling = if id == "activity_id" {
            "activity_name"
        } else {
            "status"
        };
        check_choice(event, (id, sibling), class.get(id), errors);
    }
    let category = (class_uid / 1000).to_string();
    let captions = [
        ("class_name", class.get("name")),
        ("category_name", at(&SCHEMA, &["categories", &category])),
    ];
    for (name, caption) in captions {
        if event.get(name).is_some() && event.get(name) != caption {
            errors.push(format!("{name}: is not the caption"));
        }
    }
}

fn check_object(object: &Map<String, Value>, shape: &Shape<'_>, errors: &mut Vec<String>) {
    for (name, value) in object {
        let path = join(shape.path, name);
        match shape.attributes.get(name).and_then(Value::as_str) {
            // The datetime profile's twins.
            None if name.ends_with("_dt") => {}
            None => errors.push(format!("{path}: no such attribute")),
            Some(kind) => check_value(value, kind.trim_end_matches('!'), &path, errors),
        }
        if name.ends_with("_id")
            && !matches!((shape.object, name.as_str()), ("", "activity_id" | "status_id"))
        {
            let sibling = name.trim_end_matches("_id");
            let key = if shape.object.is_empty() {
                name.clone()
            } else {
                format!("{}.{name}", shape.object)
            };
            check_choice(object, (name, sibling), at(&SCHEMA, &["enums", &key]), errors);
        }
    }
    for (name, kind) in shape.attributes {
        if kind.as_str().is_some_and(|kind| kind.ends_with('!'))
            && object.get(name).is_none_or(Value::is_null)
        {
            errors.push(format!("{}: required and missing", join(shape.path, name)));
        }
    }
    check_constraints(object, shape, errors);
}

fn check_constraints(object: &Map<String, Value>, shape: &Shape<'_>, errors: &mut Vec<String>) {
    for (rule, most) in [("at_least_one", usize::MAX), ("just_one", 1)] {
        let Some(names) = shape.rules.get(rule).and_then(Value::as_array) else {
            continue;
        };
        let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
        let present = names.iter().filter(|name| object.contains_key(**name)).count();
        if present == 0 || present > most {
            errors.push(format!("{}: {rule} of {}", shape.path, names.join(", ")));
        }
    }
}

/// An enumeration's id is one of its values, and the sibling is its caption unless the id is 99.
fn check_choice(
    object: &Map<String, Value>,
    (id, sibling): (&str, &str),
    values: Option<&Value>,
    errors: &mut Vec<String>,
) {
    let (Some(number), Some(values)) = (object.get(id).and_then(Value::as_u64), values) else {
        return;
    };
    let Some(caption) = values.get(number.to_string()) else {
        errors.push(format!("{id}: {number} is not in the enumeration"));
        return;
    };
    if number != 99 && object.get(sibling).is_some_and(|said| said != caption) {
        errors.push(format!("{sibling}: is not the caption of {id} {number}"));
    }
}

fn check_value(value: &Value, kind: &str, path: &str, errors: &mut Vec<String>) {
    if let Some(item_kind) = kind.strip_suffix("[]") {
        let Value::Array(items) = value else {
            errors.push(format!("{path}: not an array"));
            return;
        };
        for (at, item) in items.iter().enumerate() {
            check_value(item, item_kind, &format!("{path}[{at}]"), errors);
        }
        return;
    }
    let fits = match kind {
        "integer" | "long" | "timestamp" => value.is_i64() || value.is_u64(),
        "port" => value.as_u64().is_some_and(|port| port <= 65_535),
        "float" => value.is_number(),
        "boolean" => value.is_boolean(),
        "json" => true,
        "ip" => value
            .as_str()
            .is_some_and(|ip| ip.parse::<std::net::IpAddr>().is_ok()),
        "string" | "hostname" | "username" | "email" | "uuid" | "resource_uid" => value.is_string(),
        // `url` is both a string type and an object.
        "url" => value.is_string() || value.is_object(),
        _ => value.is_object(),
    };
    if !fits {
        errors.push(format!("{path}: not of type {kind}"));
        return;
    }
    let (Some(rules), Value::Object(object)) = (at(&SCHEMA, &["objects", kind]), value) else {
        return;
    };
    if let Some(attributes) = rules.get("attributes").and_then(Value::as_object) {
        let shape = Shape {
            path,
            object: kind,
            attributes,
            rules,
        };
        check_object(object, &shape, errors);
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn logon() -> Value {
        json!({
            "class_uid": 3002, "category_uid": 3, "activity_id": 1, "type_uid": 300_201, "severity_id": 1,
            "time": 1_767_323_045_123_i64, "status_id": 1, "status": "Success",
            "user": {"name": "jane.doe@example.com", "type_id": 1, "type": "User"},
            "service": {"name": "payroll"},
            "src_endpoint": {"ip": "203.0.113.7", "location": {"country": "DE", "lat": 52.5, "long": 13.4}},
            "metadata": {"version": "1.8.0", "product": {"name": "Example"}}
        })
    }

    /// Every change to a valid event, and the error it must cause.
    #[test]
    fn each_sort_of_violation_is_found() {
        assert_eq!(validate(&logon()), Vec::<String>::new());
        let changes: [(&str, Value, &str); 10] = [
            ("/user", json!(null), "user: required"),
            ("/service", json!(null), "service: not of type"),
            ("/usr", json!({}), "usr: no such attribute"),
            ("/activity_id", json!(8), "activity_id: 8"),
            ("/status", json!("Failure"), "status: is not the caption"),
            ("/time", json!("soon"), "time: not of type"),
            ("/user/type_id", json!(7), "type_id: 7"),
            (
                "/src_endpoint/ip",
                json!("here"),
                "src_endpoint.ip: not of type ip",
            ),
            (
                "/src_endpoint/location",
                json!({"lat": 1.0}),
                "location: at_least_one",
            ),
            ("/metadata/product", json!(null), "metadata.product: required"),
        ];
        for (path, value, expected) in changes {
            let mut event = logon();
            let (parent, name) = path.rsplit_once('/').unwrap();
            event.pointer_mut(parent).unwrap()[name] = value;
            let errors = validate(&event);
            assert!(
                errors.iter().any(|error| error.contains(expected)),
                "{path}: {errors:?}"
            );
        }
    }

    #[test]
    fn constraints_hold() {
        let mut event = logon();
        event.as_object_mut().unwrap().remove("service");
        assert_eq!(validate(&event), [": at_least_one of service, dst_endpoint"]);
    }
}
