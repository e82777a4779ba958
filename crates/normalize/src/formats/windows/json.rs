//! Events as JSON: the `evtx` crate and its `evtx_dump`, Winlogbeat, NXLog and other flat shapes, Azure diagnostics.

use super::message;
use super::record::{Audit, WinRecord, Writer};
use super::xml;
use crate::format::{Options, Recognition};
use crate::json::Json;
use crate::stamp;
use habitus_model::Rejection;
use std::borrow::Cow;

/// Members that hold an event's XML as text: Azure diagnostics, ECS, shippers.
const XML_MEMBERS: [&str; 6] = [
    "properties.RawXml",
    "RawXml",
    "event.original",
    "message",
    "xml",
    "Xml",
];

/// Names of the host in flat shapes (NXLog; Azure Monitor and Sentinel).
const COMPUTERS: [&str; 3] = ["Computer", "Hostname", "host.name"];
const RECORD_IDS: [&str; 3] = ["EventRecordID", "RecordNumber", "EventRecordId"];
const TIMES: [&str; 5] = ["EventTime", "TimeCreated", "TimeGenerated", "@timestamp", "time"];

/// Whether an object is an event.
pub fn recognise(document: &Json<'_>) -> Recognition {
    let is_own = document.at("Event.System.EventID").is_some()
        || document.at("winlog.event_id").is_some()
        || document.at("winlog.event_data").is_some()
        || embedded_xml(document).is_some();
    if is_own || (has_id(document) && has_source(document)) {
        return Recognition::Certain;
    }
    let azure = document
        .at("properties")
        .is_some_and(|inner| has_id(inner) && has_source(inner));
    let is_flat = has_id(document)
        && [
            "TargetUserName",
            "SubjectUserName",
            "TargetAccount",
            "SubjectUserSid",
        ]
        .iter()
        .any(|name| document.has(name));
    if azure || is_flat {
        Recognition::Likely
    } else {
        Recognition::No
    }
}

/// Reads an event in any of the shapes.
///
/// # Errors
/// A missing event id; errors of the XML inside.
pub fn read<'a>(document: &'a Json<'a>, options: &Options) -> Result<WinRecord<'a>, Rejection> {
    if let Some(event) = document.get("Event") {
        return dumped(event, options);
    }
    if document.has("winlog") {
        return winlogbeat(document, options);
    }
    if let Some(text) = embedded_xml(document) {
        return xml::parse(text, &options.limits);
    }
    match document.get("properties") {
        Some(inner) if has_id(inner) => {
            let mut record = flat(inner, options)?;
            record.time = record.time.or_else(|| time(document, options));
            Ok(record)
        }
        _ => flat(document, options),
    }
}

fn has_id(document: &Json<'_>) -> bool {
    document.has("EventID") || document.has("EventId")
}

fn has_source(document: &Json<'_>) -> bool {
    document.has("Channel")
        && [
            "SourceName",
            "ProviderGuid",
            "ProviderName",
            "EventSourceName",
            "Provider",
        ]
        .iter()
        .any(|name| document.has(name))
}

fn embedded_xml<'a>(document: &'a Json<'a>) -> Option<&'a str> {
    XML_MEMBERS
        .iter()
        .filter_map(|path| document.str(path))
        .find(|text| super::is_xml(text))
}

/// `{"Event": {"System": …, "EventData": …}}`, attributes under `#attributes` or, as the `evtx` crate's
/// `separate_json_attributes` writes them, in a member `NAME_attributes`.
fn dumped<'a>(event: &'a Json<'a>, options: &Options) -> Result<WinRecord<'a>, Rejection> {
    let system = event
        .get("System")
        .ok_or_else(|| Rejection::missing("Event.System"))?;
    let mut record = WinRecord {
        id: id(system.at("EventID"), "Event.System.EventID")?,
        provider: attribute(system, "Provider", "Name"),
        channel: scalar(system.at("Channel")),
        computer: scalar(system.at("Computer")),
        record_id: scalar(system.at("EventRecordID")),
        time: attribute(system, "TimeCreated", "SystemTime")
            .and_then(|time| stamp::iso(&time, options.utc_offset)),
        audit: scalar(system.at("Keywords")).and_then(|words| Audit::from_words(&words)),
        writer: Writer {
            sid: attribute(system, "Security", "UserID"),
            ..Writer::default()
        },
        data: Vec::new(),
    };
    if let Some(data) = event.get("EventData") {
        members(data, &mut record.data);
    }
    for (name, inner) in event.get("UserData").map(Json::members).unwrap_or_default() {
        if !name.starts_with('#') {
            members(inner, &mut record.data);
        }
    }
    Ok(record)
}

fn winlogbeat<'a>(document: &'a Json<'a>, options: &Options) -> Result<WinRecord<'a>, Rejection> {
    let id = id(
        document
            .at("winlog.event_id")
            .or_else(|| document.at("event.code")),
        "winlog.event_id",
    )?;
    // Keywords are in the host's language; Beats' own outcome is not.
    let keywords = document.items("winlog.keywords").iter().filter_map(Json::as_str);
    let outcome = document.str("event.outcome");
    let mut record = WinRecord {
        id,
        provider: scalar(
            document
                .at("winlog.provider_name")
                .or_else(|| document.at("event.provider")),
        ),
        channel: scalar(document.at("winlog.channel")),
        computer: scalar(
            document
                .at("winlog.computer_name")
                .or_else(|| document.at("host.name")),
        ),
        record_id: scalar(document.at("winlog.record_id")),
        time: document
            .str("@timestamp")
            .and_then(|time| stamp::iso(time, options.utc_offset)),
        audit: keywords.chain(outcome).find_map(Audit::from_words),
        writer: Writer {
            sid: scalar(
                document
                    .at("winlog.user.identifier")
                    .or_else(|| document.at("user.id")),
            ),
            name: scalar(
                document
                    .at("winlog.user.name")
                    .or_else(|| document.at("user.name")),
            ),
            domain: scalar(
                document
                    .at("winlog.user.domain")
                    .or_else(|| document.at("user.domain")),
            ),
        },
        data: Vec::new(),
    };
    for path in ["winlog.event_data", "winlog.user_data"] {
        if let Some(data) = document.at(path) {
            members(data, &mut record.data);
        }
    }
    // Beats' security module moves some fields to their ECS names.
    for (path, name) in [("source.ip", "IpAddress"), ("source.port", "IpPort")] {
        if let Some(text) = scalar(document.at(path)) {
            record.data.push((Cow::Borrowed(name), text));
        }
    }
    Ok(record)
}

/// All at the top: NXLog (`EventID`, `EventTime`, `TargetUserName`), Azure Monitor's tables.
fn flat<'a>(document: &'a Json<'a>, options: &Options) -> Result<WinRecord<'a>, Rejection> {
    let first = |paths: &[&str]| scalar(paths.iter().find_map(|path| document.at(path)));
    let mut record = WinRecord {
        id: id(
            document.at("EventID").or_else(|| document.at("EventId")),
            "EventID",
        )?,
        provider: first(&["SourceName", "ProviderName", "EventSourceName", "Provider"]),
        channel: first(&["Channel"]),
        computer: first(&COMPUTERS),
        record_id: first(&RECORD_IDS),
        time: time(document, options),
        audit: ["EventType", "Keywords"]
            .iter()
            .find_map(|name| Audit::from_words(&scalar(document.at(name))?)),
        writer: Writer {
            sid: first(&["UserID", "UserSid"]),
            name: first(&["AccountName"]),
            domain: first(&["Domain"]),
        },
        data: Vec::new(),
    };
    members(document, &mut record.data);
    if let Some(extra) = document.at("ExtraEventData") {
        members(extra, &mut record.data);
    }
    message::complete(&mut record, document.str("Message"));
    Ok(record)
}

/// The time of a flat event. Sysmon's own stamp is UTC, NXLog's is the host's local time.
fn time(document: &Json<'_>, options: &Options) -> Option<habitus_model::EventTime> {
    if let Some(utc) = document.str("UtcTime") {
        return stamp::iso(utc, habitus_model::UtcOffset::default());
    }
    TIMES
        .iter()
        .filter_map(|name| document.at(name))
        .find_map(|value| match value {
            Json::String(text) => local(text, options),
            Json::Integer(number) => stamp::epoch_integer(*number),
            Json::Float(number) => stamp::epoch(*number),
            _ => None,
        })
}

/// Like [`stamp::iso`]; a zone behind a space (`2026-01-05 10:00:00 +0100`) is joined first.
fn local(text: &str, options: &Options) -> Option<habitus_model::EventTime> {
    stamp::iso(text, options.utc_offset).or_else(|| {
        let (stamp, zone) = text.trim().rsplit_once(' ')?;
        zone.starts_with(['+', '-'])
            .then(|| stamp::iso(&format!("{stamp}{zone}"), options.utc_offset))?
    })
}

fn id(value: Option<&Json<'_>>, field: &str) -> Result<u32, Rejection> {
    let value = value.ok_or_else(|| Rejection::missing(field))?;
    scalar(Some(value))
        .and_then(|text| text.trim().parse().ok())
        .ok_or_else(|| Rejection::invalid(field, "an event id"))
}

/// Names and values of an object. Values without a name of their own stand in a member `Data`.
fn members<'a>(object: &'a Json<'a>, out: &mut Vec<(Cow<'a, str>, Cow<'a, str>)>) {
    for (name, value) in object.members() {
        if name.starts_with('#') || name.ends_with("_attributes") {
            continue;
        }
        if name == "Data" {
            unnamed(value, out);
        } else if let Some(text) = scalar(Some(value)) {
            out.push((Cow::Borrowed(name.as_ref()), text));
        }
    }
}

/// `"Data": "x"`, `["x", "y"]`, `{"#text": ["x", "y"]}`, or `[{"@Name": "k", "#text": "x"}]` as XML converters write it.
fn unnamed<'a>(value: &'a Json<'a>, out: &mut Vec<(Cow<'a, str>, Cow<'a, str>)>) {
    let items: &[Json<'a>] = match value {
        Json::Array(items) => items,
        Json::Object(_) if matches!(value.get("#text"), Some(Json::Array(_))) => value.items("#text"),
        other => std::slice::from_ref(other),
    };
    for item in items {
        let name = item
            .str("@Name")
            .or_else(|| item.str("#attributes.Name"))
            .unwrap_or("");
        if let Some(text) = scalar(Some(item)) {
            out.push((Cow::Borrowed(name), text));
        }
    }
}

fn attribute<'a>(system: &'a Json<'a>, element: &str, name: &str) -> Option<Cow<'a, str>> {
    let inner = system.get(element);
    let attributes = inner.and_then(|inner| inner.get("#attributes"));
    let separate = || {
        system
            .members()
            .iter()
            .find(|(key, _)| key.strip_suffix("_attributes") == Some(element))
            .map(|(_, value)| value)
    };
    let value = attributes
        .or_else(separate)
        .and_then(|attributes| attributes.get(name));
    // XML converters write attributes as `@Name`; some writers flatten them to members or to the value itself.
    scalar(value.or_else(|| {
        let inner = inner?;
        inner
            .members()
            .iter()
            .find(|(key, _)| key.trim_start_matches('@') == name)
            .map(|(_, value)| value)
    }))
}

/// A value as text; absent if it holds none. Objects stand for their `#text`, arrays of Beats for their items.
fn scalar<'a>(value: Option<&'a Json<'a>>) -> Option<Cow<'a, str>> {
    match value? {
        Json::String(text) => Some(Cow::Borrowed(text.as_ref())),
        Json::Integer(number) => Some(Cow::Owned(number.to_string())),
        Json::Float(number) => Some(Cow::Owned(number.to_string())),
        Json::Bool(flag) => Some(Cow::Owned(flag.to_string())),
        Json::Array(items) => {
            let words: Vec<&str> = items.iter().filter_map(Json::as_str).collect();
            (!words.is_empty()).then(|| Cow::Owned(words.join(" ")))
        }
        object @ Json::Object(_) => match object.get("#text")? {
            Json::String(text) => Some(Cow::Borrowed(text.as_ref())),
            Json::Integer(number) => Some(Cow::Owned(number.to_string())),
            _ => None,
        },
        Json::Null => None,
    }
}
