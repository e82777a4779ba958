//! No record panics, whatever it holds: text and JSON with the marks of each format.

use habitus_normalize::{FormatChoice, Normalizer, Options, formats};
use proptest::prelude::*;
use serde_json::{Value, json};

fn normalizers() -> Vec<Normalizer> {
    let options = Options {
        keep_unmapped: true,
        ..Options::default()
    };
    let mut all = vec![Normalizer::new(FormatChoice::Auto, options.clone())];
    for format in formats::ALL {
        all.push(Normalizer::new(FormatChoice::Only(*format), options.clone()));
    }
    all
}

/// Reads a record in every way; whatever comes of it, it comes back.
fn read(record: &str) {
    for normalizer in normalizers() {
        let mut events = Vec::new();
        let read = normalizer.normalize(record.as_bytes(), 1, &mut events);
        assert_eq!(read.map_or(0, |count| count), events.len());
    }
}

/// Any JSON value, small.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        Just(json!("2026-05-06T20:40:19Z")),
        Just(json!("203.0.113.7")),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::hash_map("[a-zA-Z]{1,12}", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A record that bears a format's marks, and the members its reader looks at, separated by spaces.
const MARKED: [(&str, &str); 4] = [
    (
        r#"{"eventType":"user.session.start","published":"2026-05-06T20:40:19Z","actor":{},"client":{}}"#,
        "eventType published uuid actor client target outcome securityContext debugContext authenticationContext \
         request device transaction data",
    ),
    (
        r#"{"action":"org.add_member","actor":"a","org":"o","created_at":1778100000000}"#,
        "action actor actor_id actor_ip actor_location created_at @timestamp user data team repo operation_type \
         external_identity_nameid",
    ),
    (
        r#"{"type":"LOGIN","realmId":"r","clientId":"c","ipAddress":"192.0.2.1","time":1778100000000}"#,
        "type time realmId userId details error operationType authDetails resourcePath representation resourceType \
         message loggerName",
    ),
    (
        r#"{"class_uid":3002,"activity_id":1,"time":1778100000000,"metadata":{}}"#,
        "class_uid activity_id type_uid time metadata user actor src_endpoint device session service auth_factors \
         unmapped tls resources status_id api entity",
    ),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn text_is_read_or_refused(text in "\\PC{0,200}") {
        read(&text);
        for opening in ["{", "<Event>", "<?xml ", "@cee:{\"a\":", ""] {
            read(&format!("<14>1 2026-03-02T08:15:40Z h app - - - {opening}{text}"));
            read(&format!("<14>{opening}{text}"));
        }
        read(&format!("2026-05-06 20:40:19,124 WARN  [org.keycloak.events] (t) type={text}, username=\"{text}"));
    }

    #[test]
    fn json_is_read_or_refused(value in value()) {
        for (record, members) in MARKED {
            for name in members.split_whitespace() {
                let mut record: Value = serde_json::from_str(record).unwrap();
                record[name] = value.clone();
                read(&record.to_string());
                read(&json!({"message": record.to_string(), "records": [&record], "detail": &value}).to_string());
            }
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    for normalizer in normalizers() {
        for record in [
            &b"\xff\xfe"[..],
            b"{\"a\":\"\xff\"}",
            b"",
            b"   ",
            b"{",
            b"[[[[",
            b"\0",
        ] {
            let mut events = Vec::new();
            let _ = normalizer.normalize(record, 1, &mut events);
            assert!(events.is_empty());
        }
    }
}
