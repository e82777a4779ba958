//! The one JSON parser of the product: `serde_json` under our limits, into a borrowed tree, with a short way (`fast`) for
//! records that hold nothing unusual.
//!
//! Depth, keys per object, number of values and duplicate keys are checked while parsing, before memory is spent.
//! Duplicate keys are refused: two readers that pick different ones are a way past a detector.

mod fast;
mod name;

use name::has_duplicate;
pub use name::{Name, mark};

use crate::limits::Limits;
use habitus_model::account::named;
use habitus_model::{Rejection, RejectionKind, Text};
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

/// A JSON value that borrows what it can from the record.
#[derive(Debug, Clone, PartialEq)]
pub enum Json<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer that fits 64 signed bits.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// A string, borrowed unless it holds escapes.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Json<'a>>),
    /// An object in the order of the record, without duplicate keys.
    Object(Vec<(Name<'a>, Json<'a>)>),
}

/// Parses one record.
///
/// # Errors
/// [`RejectionKind::Limit`] if a limit is met, [`RejectionKind::Malformed`] if it is not JSON, holds a duplicate key,
/// or text follows the value.
pub fn parse<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Json<'a>, Rejection> {
    if bytes.len() > limits.record_bytes_max {
        return Err(too_much("bytes in one record", limits.record_bytes_max));
    }
    // Checked once as a whole: string by string it takes twice as long.
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let column = error.valid_up_to().saturating_add(1);
        Rejection::new(
            RejectionKind::Malformed,
            format!("not valid JSON: no UTF-8 at column {column}"),
        )
    })?;
    match fast::parse(text, limits) {
        Some(tree) => Ok(tree),
        None => slow(text, limits),
    }
}

/// What a record means, and what is wrong with it.
fn slow<'a>(text: &'a str, limits: &Limits) -> Result<Json<'a>, Rejection> {
    let budget = Budget {
        limits,
        values_left: Cell::new(limits.values_max),
        hit: Cell::new(None),
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    let parsed = Seed {
        budget: &budget,
        depth: 0,
    }
    .deserialize(&mut reader)
    .and_then(|value| {
        reader.end()?;
        Ok(value)
    });
    parsed.map_err(|error| match budget.hit.get() {
        Some(Hit::Depth) => too_much("levels of nesting", limits.depth_max),
        Some(Hit::Keys) => too_much("keys in one object", limits.object_keys_max),
        Some(Hit::Values) => too_much("values in one record", limits.values_max),
        Some(Hit::Duplicate) => Rejection::new(
            RejectionKind::Malformed,
            format!("an object names a key twice (before column {})", error.column()),
        ),
        // serde_json's own text may quote the record, which may hold personal data: only its place is told.
        None => Rejection::new(
            RejectionKind::Malformed,
            format!("not valid JSON: {} at column {}", kind_of(&error), error.column()),
        ),
    })
}

impl<'a> Json<'a> {
    /// The member `key` of an object. Cost: linear in the members, a comparison of numbers each.
    #[must_use]
    #[inline]
    pub fn get(&self, key: &str) -> Option<&Json<'a>> {
        let mark = mark(key.as_bytes());
        match self {
            Json::Object(members) => members
                .iter()
                .find(|(name, _)| name.is(key, mark))
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// Like [`Json::get`]; if no member has this very name, one that differs only in the case of ASCII letters. Data
    /// lakes change the case of names (`eventName` to `eventname` or `EventName`). `null` counts as absent.
    #[must_use]
    pub fn get_any_case(&self, key: &str) -> Option<&Json<'a>> {
        if let Some(value) = self.get(key) {
            return value.present();
        }
        self.members()
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(key))
            .and_then(|(_, value)| value.present())
    }

    /// The value at a dotted path (`actor.alternateId`; a number indexes an array). A member whose own name is the
    /// whole path (`"log.level"`) wins. `null` counts as absent.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<&Json<'a>> {
        if let Some(value) = self.get(path) {
            return value.present();
        }
        let mut here = self;
        for step in path.split('.') {
            here = match here {
                Json::Array(items) => items.get(step.parse::<usize>().ok()?)?,
                other => other.get(step)?,
            };
        }
        here.present()
    }

    /// The string at a path, trimmed; absent if it is empty or one of the spellings of "nobody" (`-`, `null`,
    /// `Not Available`).
    #[must_use]
    pub fn str(&self, path: &str) -> Option<&str> {
        self.at(path)?.as_str().and_then(named)
    }

    /// Like [`Json::str`], owned; numbers and booleans are written out.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<Text> {
        self.at(path)?.to_text()
    }

    /// The integer at a path; strings that hold one are read.
    #[must_use]
    pub fn i64(&self, path: &str) -> Option<i64> {
        match self.at(path)? {
            Json::Integer(n) => Some(*n),
            Json::Float(x) if x.is_finite() => Some(habitus_model::math::to_i64(*x)),
            Json::String(s) => s.trim().parse().ok(),
            _ => None,
        }
    }

    /// The number at a path; strings that hold one are read. Finite.
    #[must_use]
    pub fn f64(&self, path: &str) -> Option<f64> {
        let number = match self.at(path)? {
            Json::Integer(n) => habitus_model::math::from_i64(*n),
            Json::Float(x) => *x,
            Json::String(s) => s.trim().parse().ok()?,
            _ => return None,
        };
        number.is_finite().then_some(number)
    }

    /// The boolean at a path; the strings `true`/`false`, `yes`/`no` of any case are read.
    #[must_use]
    pub fn bool(&self, path: &str) -> Option<bool> {
        self.at(path)?.as_bool()
    }

    /// This value as a boolean, read as [`Json::bool`] does.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Json::Bool(b) => Some(*b),
            Json::String(s) if s.eq_ignore_ascii_case("true") || s.eq_ignore_ascii_case("yes") => Some(true),
            Json::String(s) if s.eq_ignore_ascii_case("false") || s.eq_ignore_ascii_case("no") => Some(false),
            _ => None,
        }
    }

    /// The items of the array at a path; empty if there is none.
    #[must_use]
    pub fn items(&self, path: &str) -> &[Json<'a>] {
        match self.at(path) {
            Some(Json::Array(items)) => items,
            _ => &[],
        }
    }

    /// The members of this object; empty for other values.
    #[must_use]
    pub fn members(&self) -> &[(Name<'a>, Json<'a>)] {
        match self {
            Json::Object(members) => members,
            _ => &[],
        }
    }

    /// The items of this array; empty for other values.
    #[must_use]
    pub fn array(&self) -> &[Json<'a>] {
        match self {
            Json::Array(items) => items,
            _ => &[],
        }
    }

    /// Whether the object has a member of this name, `null` included.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// This value as a string, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(s) => Some(s),
            _ => None,
        }
    }

    /// This value as text: strings trimmed and not "nobody", numbers and booleans written out.
    #[must_use]
    pub fn to_text(&self) -> Option<Text> {
        match self {
            Json::String(s) => named(s).map(Text::new),
            Json::Integer(n) => Some(Text::from(n.to_string())),
            Json::Float(x) => Some(Text::from(x.to_string())),
            Json::Bool(b) => Some(Text::from(b.to_string())),
            Json::Null | Json::Array(_) | Json::Object(_) => None,
        }
    }

    /// A `serde_json::Value` of this tree, for writing. Cost: copies everything.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Json::Null => Value::Null,
            Json::Bool(b) => Value::Bool(*b),
            Json::Integer(n) => Value::from(*n),
            Json::Float(x) => serde_json::Number::from_f64(*x).map_or(Value::Null, Value::Number),
            Json::String(s) => Value::String(s.clone().into_owned()),
            Json::Array(items) => Value::Array(items.iter().map(Json::to_value).collect()),
            Json::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(k, v)| (k.to_string(), v.to_value()))
                    .collect(),
            ),
        }
    }

    fn present(&self) -> Option<&Self> {
        if matches!(self, Json::Null) {
            None
        } else {
            Some(self)
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Hit {
    Depth,
    Keys,
    Values,
    Duplicate,
}

struct Budget<'l> {
    limits: &'l Limits,
    values_left: Cell<usize>,
    hit: Cell<Option<Hit>>,
}

impl Budget<'_> {
    fn stop<E: de::Error>(&self, hit: Hit) -> E {
        self.hit.set(Some(hit));
        E::custom("limit")
    }

    fn spend<E: de::Error>(&self) -> Result<(), E> {
        match self.values_left.get().checked_sub(1) {
            Some(left) => {
                self.values_left.set(left);
                Ok(())
            }
            None => Err(self.stop(Hit::Values)),
        }
    }
}

#[derive(Clone, Copy)]
struct Seed<'b, 'l> {
    budget: &'b Budget<'l>,
    depth: usize,
}

impl Seed<'_, '_> {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth >= self.budget.limits.depth_max {
            return Err(self.budget.stop(Hit::Depth));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = Json<'de>;

    fn deserialize<D: de::Deserializer<'de>>(self, reader: D) -> Result<Json<'de>, D::Error> {
        self.budget.spend()?;
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_, '_> {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, b: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(b))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Json<'de>, E> {
        Ok(Json::Integer(n))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Json<'de>, E> {
        Ok(i64::try_from(n).map_or_else(|_| Json::Float(habitus_model::math::from_u64(n)), Json::Integer))
    }

    fn visit_f64<E>(self, x: f64) -> Result<Json<'de>, E> {
        Ok(Json::Float(x))
    }

    fn visit_borrowed_str<E>(self, s: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Borrowed(s)))
    }

    fn visit_str<E>(self, s: &str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Owned(s.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json<'de>, A::Error> {
        let inner = self.deeper()?;
        // Room for a whole record's members at the top; inner objects are small and may be many.
        let room = if self.depth == 0 { 32 } else { 0 };
        let mut members: Vec<(Name<'de>, Json<'de>)> = Vec::with_capacity(room);
        while let Some(key) = map.next_key_seed(Key)? {
            if members.len() >= self.budget.limits.object_keys_max {
                return Err(self.budget.stop(Hit::Keys));
            }
            members.push((Name::new(key), map.next_value_seed(inner)?));
        }
        if has_duplicate(&members) {
            return Err(self.budget.stop(Hit::Duplicate));
        }
        Ok(Json::Object(members))
    }
}

/// Object keys, borrowed where they hold no escape.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: de::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object key")
    }

    fn visit_borrowed_str<E>(self, s: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(s))
    }

    fn visit_str<E>(self, s: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(s.to_owned()))
    }
}

fn too_much(what: &str, limit: usize) -> Rejection {
    Rejection::new(RejectionKind::Limit, format!("more than {limit} {what}"))
}

fn kind_of(error: &serde_json::Error) -> &'static str {
    if error.is_eof() {
        "it ends too early"
    } else {
        "unexpected text"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Json<'_>, Rejection> {
        parse(text.as_bytes(), &Limits::default())
    }

    #[test]
    fn paths_reach_nested_and_dotted_members() {
        let doc = read(r#"{"a":{"b":[{"c":"x"}]},"log.level":"WARN","n":null,"u":"Not Available","i":"7"}"#)
            .unwrap();
        assert_eq!(doc.str("a.b.0.c"), Some("x"));
        assert_eq!(doc.str("log.level"), Some("WARN"));
        assert_eq!(doc.at("n"), None);
        assert_eq!(doc.str("u"), None);
        assert_eq!(doc.i64("i"), Some(7));
    }

    #[test]
    fn limits_stop_bombs() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(read(&deep).unwrap_err().kind, RejectionKind::Limit);
        let wide = format!("[{}0]", "0,".repeat(200_000));
        assert_eq!(read(&wide).unwrap_err().kind, RejectionKind::Limit);
        let keys: Vec<String> = (0..3_000).map(|i| format!("\"k{i}\":0")).collect();
        assert_eq!(
            read(&format!("{{{}}}", keys.join(","))).unwrap_err().kind,
            RejectionKind::Limit
        );
        let long = format!("\"{}\"", "x".repeat(2 << 20));
        assert_eq!(read(&long).unwrap_err().kind, RejectionKind::Limit);
    }

    #[test]
    fn ambiguous_or_broken_json_is_refused() {
        for bad in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":1}{"#,
            r#"{"a":1e999999}"#,
            r#""\ud800""#,
            "{\"a\":",
            "\u{7f}",
        ] {
            assert_eq!(read(bad).unwrap_err().kind, RejectionKind::Malformed, "{bad}");
        }
        let many: Vec<String> = (0..100).map(|i| format!("\"k{}\":0", i % 99)).collect();
        let repeated = format!("{{{}}}", many.join(","));
        for bad in [repeated.as_bytes(), b"\"\xff\""] {
            let refused = parse(bad, &Limits::default()).unwrap_err();
            assert_eq!(refused.kind, RejectionKind::Malformed);
        }
    }

    #[test]
    fn errors_do_not_quote_the_record() {
        let error = read(r#"{"user":alice@example.com}"#).unwrap_err();
        assert!(!error.reason.contains("alice"), "{error}");
    }
}
