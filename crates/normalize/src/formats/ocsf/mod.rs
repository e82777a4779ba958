//! OCSF 1.0 to 1.9, as any product writes it: lenient, unknown attributes kept.
//!
//! Every class is read; those that say nothing of identity pass through as [`Activity::Other`](habitus_model::Activity::Other). What
//! [`ocsf_out`](crate::ocsf_out) writes reads back to an equal event.

mod activity;
mod objects;
mod people;

use crate::format::{Format, Reading, Recognition, Record};
use crate::json::{Json, mark};
use crate::{field, formats, stamp};
use habitus_model::{
    Event, EventTime, FailureReason, Rejection, RejectionKind, SourceName, TenantId, Text, TimeQuality,
    UtcOffset,
};

/// OCSF events, one JSON object each.
pub struct Ocsf;

impl Format for Ocsf {
    fn name(&self) -> &'static str {
        "ocsf"
    }

    fn recognise(&self, record: &Record<'_>) -> Recognition {
        match record {
            Record::Json(document) if is_own(document) => Recognition::Certain,
            _ => Recognition::No,
        }
    }

    fn read(
        &self,
        record: &Record<'_>,
        reading: &Reading<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejection> {
        let Record::Json(top) = record else {
            return Err(Rejection::new(
                RejectionKind::Malformed,
                "an OCSF event is a JSON object",
            ));
        };
        let attributes = Attributes {
            top: Top::new(top),
            beside: top.get("unmapped").and_then(|unmapped| unmapped.get(BESIDE)),
        };
        out.push(event(&attributes, reading)?);
        Ok(())
    }
}

/// Member of `unmapped` in which our writer puts what a class has no attribute for.
const BESIDE: &str = "habitus";

/// The attributes of an event: its own, and those our writer put beside it.
#[derive(Clone, Copy)]
struct Attributes<'d, 'a> {
    top: Top<'d, 'a>,
    beside: Option<&'d Json<'a>>,
}

impl<'d, 'a> Attributes<'d, 'a> {
    /// An attribute of the event, else one beside it. `null` counts as absent.
    fn get(&self, name: &str) -> Option<&'d Json<'a>> {
        present(self.top.get(name)).or_else(|| self.beside(name))
    }

    /// An attribute beside the event.
    fn beside(&self, name: &str) -> Option<&'d Json<'a>> {
        present(self.beside?.get(name))
    }

    fn text(&self, name: &str) -> Option<Text> {
        self.get(name).and_then(text)
    }
}

/// An event's own attributes. It is asked for some seventy, of which it has twenty; a place for each name it may have spares
/// the searches.
#[derive(Clone, Copy)]
struct Top<'d, 'a> {
    json: &'d Json<'a>,
    /// By [`Top::place`]: the number of the first member of this place, from 1; 0 where there is none.
    first: [u8; 128],
}

impl<'d, 'a> Top<'d, 'a> {
    fn new(json: &'d Json<'a>) -> Self {
        let mut first = [0; 128];
        for (number, (name, _)) in (1..).zip(json.members()) {
            if let Some(first @ 0) = first.get_mut(Self::place(name.mark())) {
                *first = u8::try_from(number).unwrap_or(u8::MAX);
            }
        }
        Self { json, first }
    }

    /// One of 128 places, by the mark of a name.
    #[inline]
    fn place(mark: u64) -> usize {
        // The topmost bits of a product depend on all below (Knuth, TAOCP 3, 6.4: multiplicative hashing).
        usize::try_from(mark.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 57).unwrap_or(0)
    }

    #[inline]
    fn get(&self, name: &str) -> Option<&'d Json<'a>> {
        let mark = mark(name.as_bytes());
        let number = *self.first.get(Self::place(mark))?;
        let at = usize::from(number).checked_sub(1)?;
        match self.json.members().get(at) {
            Some((held, value)) if held.is(name, mark) => Some(value),
            // Another name of this place stands before it, if it is there at all.
            _ => self.json.get(name),
        }
    }

    /// `null` counts as absent.
    fn member(&self, name: &str) -> Option<&'d Json<'a>> {
        present(self.get(name))
    }

    fn text(&self, name: &str) -> Option<Text> {
        self.get(name).and_then(text)
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).and_then(flag)
    }
}

fn present<'d, 'a>(value: Option<&'d Json<'a>>) -> Option<&'d Json<'a>> {
    value.filter(|value| !matches!(value, Json::Null))
}

/// A member of an object, `null` counting as absent.
fn member<'d, 'a>(object: &'d Json<'a>, name: &str) -> Option<&'d Json<'a>> {
    present(object.get(name))
}

fn text(value: &Json<'_>) -> Option<Text> {
    match value {
        Json::String(text) => field::text(text),
        other => other.to_text(),
    }
}

fn text_of(object: &Json<'_>, name: &str) -> Option<Text> {
    object.get(name).and_then(text)
}

fn integer(value: &Json<'_>) -> Option<i64> {
    match value {
        Json::Integer(number) => Some(*number),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn flag_of(object: &Json<'_>, name: &str) -> Option<bool> {
    object.get(name).and_then(flag)
}

fn flag(value: &Json<'_>) -> Option<bool> {
    match value {
        Json::Bool(flag) => Some(*flag),
        _ => None,
    }
}

/// Whether a record is OCSF and no other format can think otherwise: all its attributes are among those that are read here,
/// and no other format is known by any of them. Spares asking them all.
pub fn is_plain(document: &Json<'_>) -> bool {
    is_own(document) && document.members().iter().all(|(name, _)| is_read(name))
}

/// `class_uid` and `type_uid` are OCSF's own; either of them beside `metadata` or `category_uid` is proof.
fn is_own(document: &Json<'_>) -> bool {
    let classed = document.has("class_uid") || document.has("type_uid");
    classed && (document.has("metadata") || document.has("category_uid"))
}

fn event(attributes: &Attributes<'_, '_>, reading: &Reading<'_>) -> Result<Event, Rejection> {
    let (activity, time) = (activity::activity(attributes)?, time(attributes)?);
    let metadata = attributes.top.get("metadata").unwrap_or(&Json::Null);
    let own = text_of(metadata, "uid").or_else(|| text_of(metadata, "original_event_uid"));
    let mut event = Event::new(
        reading.uid(own.as_deref()),
        time,
        source(metadata),
        activity,
        activity::action(attributes, activity),
    );
    if let Some(tenant) = text_of(metadata, "tenant_uid") {
        event.tenant = TenantId::new(tenant);
    }
    event.time_quality = time_quality(attributes);
    let count = attributes.top.member("count").and_then(integer);
    event.count = count.and_then(field::several);
    event.utc_offset = attributes
        .top
        .get("timezone_offset")
        .and_then(integer)
        .and_then(|minutes| UtcOffset::from_minutes(i16::try_from(minutes).ok()?));
    event.status = activity::status(attributes, activity);
    event.status_code = attributes.text("status_code");
    status_detail(&mut event, attributes);
    people::read(&mut event, attributes);
    objects::read(&mut event, attributes);
    event.unmapped = kept(attributes, reading);
    Ok(event)
}

/// The normalised reasons of failure stand in `status_detail`; the source's words then stand beside the event.
fn status_detail(event: &mut Event, attributes: &Attributes<'_, '_>) {
    let said = attributes.text("status_detail");
    event.failure = said.as_deref().and_then(failure);
    event.status_detail = match event.failure {
        Some(_) => attributes.beside("status_detail").and_then(text),
        None => said,
    };
}

fn failure(name: &str) -> Option<FailureReason> {
    const ALL: [FailureReason; 8] = [
        FailureReason::UserDoesNotExist,
        FailureReason::InvalidCredentials,
        FailureReason::AccountDisabled,
        FailureReason::AccountLockedOut,
        FailureReason::PasswordExpired,
        FailureReason::MfaFailed,
        FailureReason::PolicyDenied,
        FailureReason::Other,
    ];
    ALL.into_iter().find(|reason| reason.name() == name)
}

/// `time` in milliseconds; seconds and stamps in text are read too, and the `datetime` profile's twin.
fn time(attributes: &Attributes<'_, '_>) -> Result<EventTime, Rejection> {
    let mut stated = ["time", "time_dt", "start_time", "start_time_dt"]
        .into_iter()
        .filter_map(|name| present(attributes.top.get(name)))
        .peekable();
    if stated.peek().is_none() {
        return Err(Rejection::missing("time"));
    }
    stated
        .find_map(|value| match value {
            Json::Integer(number) => stamp::epoch_integer(*number),
            Json::Float(number) => stamp::epoch(*number),
            Json::String(text) => match text.trim().parse() {
                Ok(number) => stamp::epoch_integer(number),
                Err(_) => stamp::iso(text, UtcOffset::default()),
            },
            _ => None,
        })
        .ok_or_else(|| Rejection::invalid("time", "milliseconds since 1970"))
}

fn time_quality(attributes: &Attributes<'_, '_>) -> TimeQuality {
    match attributes.beside("time_quality").and_then(Json::as_str) {
        Some("year_assumed") => TimeQuality::YearAssumed,
        Some("assumed") => TimeQuality::Assumed,
        _ => TimeQuality::Source,
    }
}

/// Events that our writer wrote keep the name of the format they were read from, so that replaying normalised logs gives
/// what replaying the logs themselves gives.
fn source(metadata: &Json<'_>) -> SourceName {
    let claimed = metadata.get("log_format").and_then(Json::as_str);
    let product = metadata.get("product").and_then(|product| product.get("name"));
    let known = claimed
        .filter(|_| claimed == product.and_then(Json::as_str))
        .and_then(|claimed| formats::ALL.iter().find(|format| format.name() == claimed));
    SourceName::new(known.map_or("ocsf", |format| format.name()))
}

/// Whether an attribute is read in full, or only repeats others. By length, because every name of every event is asked.
fn is_read(name: &str) -> bool {
    match name.len() {
        4 => matches!(name, "time" | "user"),
        5 => matches!(name, "actor" | "count" | "group"),
        6 => matches!(name, "device" | "entity" | "is_mfa" | "status"),
        7 => matches!(name, "service" | "session" | "time_dt"),
        8 => matches!(
            name,
            "metadata" | "resource" | "severity" | "type_uid" | "unmapped"
        ),
        9 => matches!(
            name,
            "class_uid" | "is_remote" | "resources" | "status_id" | "type_name"
        ),
        10 => matches!(name, "class_name" | "logon_type" | "privileges"),
        11 => matches!(
            name,
            "activity_id" | "observables" | "severity_id" | "status_code"
        ),
        12 => matches!(
            name,
            "auth_factors" | "category_uid" | "http_request" | "src_endpoint"
        ),
        13 => matches!(
            name,
            "activity_name" | "auth_protocol" | "category_name" | "logon_type_id" | "status_detail"
        ),
        15 => matches!(name, "timezone_offset"),
        16 => matches!(name, "auth_protocol_id"),
        20 => matches!(name, "authentication_token"),
        _ => false,
    }
}

/// Attributes without a place in an event, and the members of `unmapped`, as one object.
fn kept(attributes: &Attributes<'_, '_>, reading: &Reading<'_>) -> Option<Text> {
    if !reading.options.keep_unmapped {
        return None;
    }
    let mut kept = serde_json::Map::new();
    let mut keep = |members: &Json<'_>, is_read: &dyn Fn(&str, &Json<'_>) -> bool| {
        for (name, value) in members.members() {
            if *value != Json::Null && !is_read(name, value) {
                kept.insert(name.to_string(), value.to_value());
            }
        }
    };
    keep(attributes.top.json, &|name, value| {
        is_read(name) || is_least(name, value)
    });
    if let Some(unmapped) = attributes.top.get("unmapped") {
        keep(unmapped, &|name, _| name == BESIDE);
    }
    if kept.is_empty() {
        return None;
    }
    Some(Text::from(serde_json::Value::Object(kept).to_string()))
}

/// The least that OCSF requires of two attributes, as our writer writes them; both repeat what is read elsewhere.
fn is_least(name: &str, value: &Json<'_>) -> bool {
    let only = |names: &[&str]| {
        let members = value.members();
        members.len() == names.len() && names.iter().all(|name| value.has(name))
    };
    match name {
        "api" => only(&["operation"]),
        "finding_info" => only(&["uid", "title"]),
        _ => false,
    }
}
