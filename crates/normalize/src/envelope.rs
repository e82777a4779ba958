//! Records inside records: what shippers put around a source's own record.
//!
//! An exporter hands on the record itself, as a member of an object, as JSON text in a member, or in a list of either.
//! Nothing deeper is looked for, so the work is bounded by the record's size.

use crate::format::Reading;
use crate::json::{self, Json};
use crate::limits::Limits;
use habitus_model::{EventUid, Rejection, RejectionKind};
use memchr::memmem;
use std::borrow::Cow;

/// How a format knows its own record, bare or as text.
#[derive(Debug, Clone, Copy)]
pub struct Marks {
    /// Whether an object is the format's own record. Cheap: looks at a few members.
    pub is_own: fn(&Json<'_>) -> bool,
    /// Strings that every such record holds when written out; all of them must be there.
    pub text: &'static [&'static str],
}

/// A record taken out of what was put around it.
#[derive(Debug, Clone)]
pub struct Inner<'s> {
    /// The source's own record.
    pub record: Cow<'s, Json<'s>>,
    /// The outermost object; the record itself if it came bare.
    pub shell: &'s Json<'s>,
    /// Its place in the list it came in, from 0; absent if it came alone.
    pub index: Option<usize>,
}

impl Inner<'_> {
    /// The event's id: the source's own, else one of the whole record's bytes, told apart by the place in its list.
    #[must_use]
    pub fn uid(&self, own: Option<&str>, reading: &Reading<'_>) -> EventUid {
        uid(own, self.index, reading)
    }
}

/// What [`Inner::uid`] gives, where only the place in the list is at hand.
#[must_use]
pub fn uid(own: Option<&str>, index: Option<usize>, reading: &Reading<'_>) -> EventUid {
    let derived = reading.uid(own);
    match (own, index) {
        (None, Some(index)) => EventUid::new(format!("{derived}-{index}")),
        _ => derived,
    }
}

/// Members that hold one record: Elastic (`event.original`, `message`), Amazon EventBridge (`detail`), Splunk HEC
/// (`event`), CloudWatch Logs (`message`, `@message`), Fluent Bit (`log`), Azure Kubernetes Service
/// (`properties.log`), CloudTrail LookupEvents (`CloudTrailEvent`).
const MEMBERS: [&str; 8] = [
    "event.original",
    "detail",
    "event",
    "message",
    "@message",
    "log",
    "properties.log",
    "CloudTrailEvent",
];

/// Members that hold a list: CloudTrail files (`Records`), Azure event hubs (`records`), Microsoft Graph (`value`),
/// CloudWatch Logs subscriptions (`logEvents`), Kubernetes lists (`items`), CloudTrail LookupEvents (`Events`).
const LISTS: [&str; 6] = ["Records", "records", "value", "logEvents", "items", "Events"];

/// Whether `document` is, or holds, a record of these marks. Text is searched, not parsed; of a list the first item
/// decides.
#[must_use]
pub fn holds(document: &Json<'_>, marks: Marks) -> bool {
    if (marks.is_own)(document) {
        return true;
    }
    let in_list = |list: &&str| {
        let first = document.items(list).first();
        first.is_some_and(|item| (marks.is_own)(item) || member_holds(item, marks))
    };
    is_shell(document) && (member_holds(document, marks) || LISTS.iter().any(in_list))
}

/// The records of these marks in `document`. Items of a list that are something else are left out. Cost: linear.
///
/// # Errors
/// [`RejectionKind::Unrecognised`] if there is none; a limit of the parser, if an inner text meets it.
pub fn open<'s>(document: &'s Json<'s>, marks: Marks, limits: &Limits) -> Result<Vec<Inner<'s>>, Rejection> {
    if let Some(record) = one(document, marks, limits)? {
        return Ok(vec![Inner {
            record,
            shell: document,
            index: None,
        }]);
    }
    for list in LISTS {
        let mut found = Vec::new();
        for (index, item) in document.items(list).iter().enumerate() {
            if let Some(record) = one(item, marks, limits)? {
                found.push(Inner {
                    record,
                    shell: document,
                    index: Some(index),
                });
            }
        }
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Err(Rejection::new(
        RejectionKind::Unrecognised,
        "no record of this format is in it",
    ))
}

/// JSON that stands at `value` as itself or as text; absent if it is neither an object nor an array.
#[must_use]
pub fn structured<'s>(value: &'s Json<'s>, limits: &Limits) -> Option<Cow<'s, Json<'s>>> {
    match value {
        Json::Object(_) | Json::Array(_) => Some(Cow::Borrowed(value)),
        Json::String(text) if text.trim_start().starts_with(['{', '[']) => {
            json::parse(text.as_bytes(), limits).ok().map(Cow::Owned)
        }
        _ => None,
    }
}

fn one<'s>(
    item: &'s Json<'s>,
    marks: Marks,
    limits: &Limits,
) -> Result<Option<Cow<'s, Json<'s>>>, Rejection> {
    if (marks.is_own)(item) {
        return Ok(Some(Cow::Borrowed(item)));
    }
    for member in MEMBERS {
        match item.at(member) {
            Some(inner @ Json::Object(_)) if (marks.is_own)(inner) => return Ok(Some(Cow::Borrowed(inner))),
            Some(Json::String(text)) if bears(text, marks) => {
                let inner = json::parse(text.as_bytes(), limits)?;
                if (marks.is_own)(&inner) {
                    return Ok(Some(Cow::Owned(inner)));
                }
            }
            _ => {}
        }
    }
    Ok(None)
}

/// Whether a member is there that could hold a record. Most records come bare and every format asks, so this is one
/// pass instead of a search for each name.
fn is_shell(document: &Json<'_>) -> bool {
    let opens = |name: &str| match name.as_bytes().first() {
        Some(b'@') => name == "@message",
        Some(b'C') => name == "CloudTrailEvent",
        Some(b'E') => name == "Events",
        Some(b'R') => name == "Records",
        Some(b'd') => name == "detail",
        Some(b'e') => matches!(name, "event" | "event.original"),
        Some(b'i') => name == "items",
        Some(b'l') => matches!(name, "log" | "logEvents"),
        Some(b'm') => name == "message",
        Some(b'p') => matches!(name, "properties" | "properties.log"),
        Some(b'r') => name == "records",
        Some(b'v') => name == "value",
        _ => false,
    };
    document.members().iter().any(|(name, _)| opens(name))
}

fn member_holds(item: &Json<'_>, marks: Marks) -> bool {
    is_shell(item)
        && MEMBERS.iter().any(|member| match item.at(member) {
            Some(inner @ Json::Object(_)) => (marks.is_own)(inner),
            Some(Json::String(text)) => bears(text, marks),
            _ => false,
        })
}

fn bears(text: &str, marks: Marks) -> bool {
    text.trim_start().starts_with('{')
        && marks
            .text
            .iter()
            .all(|mark| memmem::find(text.as_bytes(), mark.as_bytes()).is_some())
}

/// Records with something wrong in them, for the formats' own tests.
#[cfg(test)]
pub(crate) mod hostile {
    use crate::format::{Format, Options};
    use crate::{FormatChoice, Normalizer};
    use proptest::prelude::*;
    use proptest::sample::Index;
    use serde_json::Value;

    /// Values that do not belong where they are put.
    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,40}".prop_map(Value::from),
            "[\\[\\]{}:/@.|\"\\\\0-9TZ-]{0,30}".prop_map(Value::from),
            proptest::collection::vec(any::<i32>(), 0..4).prop_map(Value::from),
            Just(serde_json::json!({})),
            Just(serde_json::json!([{"a": [null]}])),
        ]
    }

    /// Lines of `sample` in which one value, anywhere, is another.
    pub fn record(sample: &'static str) -> impl Strategy<Value = String> {
        (any::<Index>(), any::<Index>(), value())
            .prop_map(move |(line, at, with)| changed(sample, line, at, &with))
    }

    fn changed(sample: &str, line: Index, at: Index, with: &Value) -> String {
        let lines: Vec<&str> = sample.lines().collect();
        let mut document: Value = serde_json::from_str(lines[line.index(lines.len())]).unwrap();
        let mut paths = vec![String::new()];
        let mut next = 0;
        while let Some(path) = paths.get(next).cloned() {
            let key = |key: &str| format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
            match document.pointer(&path) {
                Some(Value::Object(members)) => paths.extend(members.keys().map(|k| key(k))),
                Some(Value::Array(items)) => paths.extend((0..items.len()).map(|i| key(&i.to_string()))),
                _ => {}
            }
            next += 1;
        }
        let path = &paths[at.index(paths.len())];
        *document.pointer_mut(path).unwrap() = with.clone();
        document.to_string()
    }

    /// Reads a record by `format` and by recognition; whatever comes of it must not be a panic.
    pub fn read(format: &'static dyn Format, record: &str) {
        let options = Options {
            keep_unmapped: true,
            ..Options::default()
        };
        for choice in [FormatChoice::Only(format), FormatChoice::Auto] {
            let mut out = Vec::new();
            let read = Normalizer::new(choice, options.clone()).normalize(record.as_bytes(), 1, &mut out);
            assert!(read.is_ok() || out.is_empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKS: Marks = Marks {
        is_own: |document| document.has("mark"),
        text: &["\"mark\""],
    };

    fn count(text: &str) -> Option<usize> {
        let limits = Limits::default();
        let document = json::parse(text.as_bytes(), &limits).unwrap();
        let found = open(&document, MARKS, &limits).ok().map(|found| found.len());
        assert_eq!(found.is_some(), holds(&document, MARKS), "{text}");
        found
    }

    #[test]
    fn records_are_found_bare_wrapped_and_in_lists() {
        assert_eq!(count(r#"{"mark":1}"#), Some(1));
        assert_eq!(count(r#"{"detail":{"mark":1}}"#), Some(1));
        assert_eq!(count(r#"{"message":"{\"mark\":1}"}"#), Some(1));
        assert_eq!(count(r#"{"Records":[{"mark":1},{"mark":2},{}]}"#), Some(2));
        assert_eq!(
            count(r#"{"logEvents":[{"message":"{\"mark\":1}"},{"message":"x"}]}"#),
            Some(1)
        );
        assert_eq!(count(r#"{"detail":{"other":1},"message":"mark"}"#), None);
    }

    #[test]
    fn every_place_that_is_looked_at_makes_a_shell() {
        let limits = Limits::default();
        for name in MEMBERS.iter().chain(LISTS.iter()) {
            for place in [*name, name.split('.').next().unwrap()] {
                let text = format!("{{\"{place}\":1}}");
                assert!(
                    is_shell(&json::parse(text.as_bytes(), &limits).unwrap()),
                    "{place}"
                );
            }
        }
    }

    #[test]
    fn broken_inner_text_is_a_rejection() {
        let limits = Limits::default();
        let document = json::parse(br#"{"message":"{\"mark\":"}"#, &limits).unwrap();
        assert_eq!(
            open(&document, MARKS, &limits).unwrap_err().kind,
            RejectionKind::Malformed
        );
    }
}
