//! Attributes without a place in an event, kept for those who ask (`habitus normalize`).

use crate::format::Options;
use crate::json::Json;
use habitus_model::Text;

/// The members of `record` that are not in `mapped`, as the text of a JSON object. Absent if nothing is left, or if
/// the reader is not asked to keep them. Cost: copies what it keeps.
#[must_use]
pub fn rest(record: &Json<'_>, mapped: &[&str], options: &Options) -> Option<Text> {
    if !options.keep_unmapped {
        return None;
    }
    let kept: serde_json::Map<String, serde_json::Value> = record
        .members()
        .iter()
        .filter(|(key, value)| *value != Json::Null && !mapped.contains(&key.as_ref()))
        .map(|(key, value)| (key.to_string(), value.to_value()))
        .collect();
    if kept.is_empty() {
        return None;
    }
    Some(Text::from(serde_json::Value::Object(kept).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;
    use crate::limits::Limits;

    #[test]
    fn only_what_has_no_place_is_kept_and_only_on_request() {
        let record = parse(br#"{"a":1,"b":{"c":[2]},"d":null}"#, &Limits::default()).unwrap();
        let mut options = Options::default();
        assert_eq!(rest(&record, &["a"], &options), None);
        options.keep_unmapped = true;
        assert_eq!(
            rest(&record, &["a"], &options).as_deref(),
            Some(r#"{"b":{"c":[2]}}"#)
        );
        assert_eq!(rest(&record, &["a", "b"], &options), None);
    }
}
