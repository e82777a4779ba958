//! `openapi.json`: OpenAPI 3.1, made from the table.

use crate::guard::Need;
use crate::problem::Document;
use crate::table::{Face, Row};
use bytes::Bytes;
use http::Method;
use serde_json::{Map, Value};
use utoipa::PartialSchema as _;
use utoipa::openapi::path::{HttpMethod, Operation, Parameter, Paths};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Required,
    ResponseBuilder,
};

/// Refusals that every route may give, with the reason. Those that only some give stand beside their handlers.
const ALWAYS: [(&str, &str); 5] = [
    ("400", "The request cannot be read."),
    ("408", "The body does not arrive in time."),
    ("421", "`Host` is not a name of this server."),
    ("500", "Something went wrong here."),
    (
        "503",
        "The server cannot take this now; `Retry-After` says when to try again.",
    ),
];
/// Refusals of routes that ask who comes.
const ASKING: [(&str, &str); 3] = [
    ("401", "No token or session, or one that is no good."),
    ("403", "The token or role does not allow this."),
    (
        "429",
        "Too many wrong tokens from this address; `Retry-After` says when to try again.",
    ),
];
/// Refusals of routes with an id in the path.
const NAMING: (&str, &str) = ("404", "There is no such thing.");
/// Refusals of routes whose lists come in pages.
const PAGED: (&str, &str) = ("404", "The cursor is of no page of this list.");
/// Commands that an empty body is as good for as any: it holds no event.
const EMPTY_IS_GOOD: [&str; 2] = ["ingestEvents", "assess"];
/// Refusals of routes with a body.
const TAKING: [(&str, &str); 3] = [
    ("413", "The body is larger than this server takes."),
    ("415", "The body is of a type or compression that is not taken."),
    ("422", "A field cannot be used."),
];

/// The document's bytes. `formats` are the log formats that `format=` may name; empty leaves it open.
pub(crate) fn document(rows: &[Row], formats: &[String]) -> Bytes {
    let mut value = serde_json::to_value(openapi(rows)).unwrap_or_default();
    drop_nulls(&mut value);
    if !formats.is_empty() {
        name_formats(&mut value, formats);
    }
    serde_json::to_vec(&value).unwrap_or_default().into()
}

fn openapi(rows: &[Row]) -> OpenApi {
    let mut paths = Paths::new();
    let mut components = ComponentsBuilder::new()
        .schema("Problem", Document::schema())
        .security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)))
        .security_scheme(
            "session",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("habitus-session"))),
        );
    for row in rows.iter().filter(|row| row.face == Face::Api) {
        let (Some(operation), Some(method)) = (&row.operation, method(&row.method)) else {
            continue;
        };
        paths.add_path_operation(&row.path, vec![method], complete(operation.clone(), row));
        for (name, schema) in &row.schemas {
            components = components.schema(name, schema.clone());
        }
    }
    let info = InfoBuilder::new()
        .title("habitus")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Identity threat detection: events in, decisions and findings out.",
        ));
    OpenApiBuilder::new()
        .info(info.build())
        .paths(paths)
        .components(Some(components.build()))
        .build()
}

/// What follows from the table: security and refusals.
fn complete(mut operation: Operation, row: &Row) -> Operation {
    let mut refusals: Vec<(&str, &str)> = ALWAYS.to_vec();
    if row.need == Need::Nobody {
        operation.security = Some(vec![SecurityRequirement::default()]);
    } else {
        refusals.extend(ASKING);
        let none: [&str; 0] = [];
        operation.security = Some(vec![
            SecurityRequirement::new("token", none),
            SecurityRequirement::new("session", none),
        ]);
    }
    if row.path.contains('{') {
        refusals.push(NAMING);
    }
    let is_cursor =
        |given: &RefOr<Parameter>| matches!(given, RefOr::T(parameter) if parameter.name == "cursor");
    if operation.parameters.iter().flatten().any(is_cursor) {
        refusals.push(PAGED);
    }
    if let Some(body) = &mut operation.request_body {
        refusals.extend(TAKING);
        let name = operation.operation_id.as_deref();
        if let RefOr::T(body) = body
            && name.is_some_and(|name| EMPTY_IS_GOOD.contains(&name))
        {
            body.required = Some(Required::False);
        }
    } else if operation
        .parameters
        .as_ref()
        .is_some_and(|given| !given.is_empty())
    {
        refusals.push(("422", "A parameter cannot be used."));
    }
    if matches!(row.need, Need::May(_)) || row.need == Need::Somebody {
        refusals.push(("409", "The present state does not allow this."));
    }
    for (status, reason) in refusals {
        let taken = operation.responses.responses.contains_key(status);
        if !taken {
            operation
                .responses
                .responses
                .insert(status.to_owned(), refusal(reason));
        }
    }
    operation
}

fn refusal(reason: &str) -> RefOr<utoipa::openapi::Response> {
    let content = ContentBuilder::new()
        .schema(Some(RefOr::Ref(Ref::from_schema_name("Problem"))))
        .build();
    ResponseBuilder::new()
        .description(reason)
        .content("application/problem+json", content)
        .build()
        .into()
}

fn method(method: &Method) -> Option<HttpMethod> {
    match *method {
        Method::GET => Some(HttpMethod::Get),
        Method::POST => Some(HttpMethod::Post),
        Method::PUT => Some(HttpMethod::Put),
        Method::PATCH => Some(HttpMethod::Patch),
        Method::DELETE => Some(HttpMethod::Delete),
        _ => None,
    }
}

/// Writes the names of formats into every parameter `format`.
fn name_formats(value: &mut Value, formats: &[String]) {
    for_each_parameter(value, &mut |parameter| {
        if parameter.get("name").and_then(Value::as_str) == Some("format") {
            let names: Vec<&str> = std::iter::once("auto")
                .chain(formats.iter().map(String::as_str))
                .collect();
            let schema = serde_json::json!({"type": "string", "enum": names});
            parameter.insert("schema".to_owned(), schema);
        }
    });
}

/// A header, query or path holds text: a parameter is there or absent, and never `null`.
fn drop_nulls(value: &mut Value) {
    for_each_parameter(value, &mut |parameter| {
        let Some(kind) = parameter
            .get_mut("schema")
            .and_then(|schema| schema.get_mut("type"))
        else {
            return;
        };
        let Some(kinds) = kind.as_array_mut() else {
            return;
        };
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            *kind = only.clone();
        }
    });
}

/// Every object that says where it is `in`.
fn for_each_parameter(value: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            if object.contains_key("in") && object.contains_key("schema") {
                change(object);
            }
            for (_, inner) in object.iter_mut() {
                for_each_parameter(inner, change);
            }
        }
        Value::Array(array) => {
            for inner in array {
                for_each_parameter(inner, change);
            }
        }
        _ => {}
    }
}
