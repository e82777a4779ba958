//! What the OCSF writer writes, the OCSF reader reads back to an equal event, and it is valid OCSF 1.8.
//!
//! Left out, because OCSF cannot say it: times before 1973 in milliseconds (read as seconds), a target that is the
//! account itself, a user known by e-mail address alone (the address becomes the name), the normalised reason of a
//! failure as the source's own words.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "test code: a failure is what these make of a mistake"
)]

use habitus_model::event::{AuthProtocol, FactorType, LogonType};
use habitus_model::{
    AccountKind, Activity, Asn, AuthFacts, ClientFacts, Coordinates, Endpoint, Event, EventTime, EventUid,
    FailureReason, Km, Resource, SourceName, Status, TenantId, Text, TimeQuality, User, UtcOffset,
};
use habitus_normalize::{Normalizer, Options, ocsf_out};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use std::net::IpAddr;

/// A word of the alphabet that log fields are made of, awkward characters included.
fn word() -> impl Strategy<Value = Text> {
    "[a-zA-Zé\"\\\\/:.@$#{}\\[\\],]{1,30}"
        .prop_map(Text::from)
        .prop_filter("a name, trimmed", |text| {
            habitus_model::account::named(text) == Some(text.as_str())
        })
}

fn user(prefix: &'static str) -> impl Strategy<Value = User> {
    (
        (word(), of(word()), of(word())),
        (of(word()), of(word())),
        0..AccountKind::ALL.len(),
    )
        .prop_map(move |((name, uid, email), (display_name, domain), kind)| User {
            name: Some(Text::from(format!("{prefix}{name}"))),
            uid: uid.map(|uid| Text::from(format!("{prefix}{uid}"))),
            email: email.map(|email| Text::from(format!("{prefix}{email}"))),
            display_name,
            domain,
            kind: AccountKind::ALL[kind],
        })
}

fn resource() -> impl Strategy<Value = Resource> {
    (of(word()), word(), of(word()), of(word())).prop_map(|(name, uid, kind, namespace)| Resource {
        name,
        uid: Some(uid),
        kind,
        namespace,
    })
}

fn ip() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<[u8; 16]>().prop_map(|bytes| IpAddr::from(bytes).to_canonical()),
    ]
}

/// A millionth of a degree, so that decimal notation is exact.
fn degrees(most: i32) -> impl Strategy<Value = f64> {
    (-most * 1_000_000..=most * 1_000_000).prop_map(|millionths| f64::from(millionths) / 1e6)
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    let place = (
        (of(word()), of(word()), of(word())),
        of((degrees(90), degrees(180))),
        of(1_u16..5_000),
    );
    let network = (of(1_u32..400_000), of(word()), of(any::<bool>()));
    (
        (of(ip()), of(1_u16..), of(word()), vec(ip(), 0..3)),
        place,
        network,
    )
        .prop_map(|(address, place, network)| {
            let (ip, port, hostname, intermediate_ips) = address;
            let ((country, region, city), point, radius) = place;
            let (asn, organisation, is_anonymised) = network;
            Endpoint {
                ip,
                port,
                hostname,
                intermediate_ips,
                country,
                region,
                city,
                coordinates: point.and_then(|(lat, lon)| Coordinates::new(lat, lon)),
                radius: radius.map(|km| Km(f64::from(km) + 0.5)),
                asn: asn.and_then(Asn::new),
                organisation,
                is_anonymised,
            }
        })
}

fn client() -> impl Strategy<Value = ClientFacts> {
    (
        (of(word()), of(word()), of(word()), of(word())),
        (of(word()), of(word()), of(any::<bool>()), of(any::<bool>())),
    )
        .prop_map(
            |((user_agent, device_uid, device_name, os), (browser, tls, managed, compliant))| ClientFacts {
                user_agent,
                device_uid,
                device_name,
                os,
                browser,
                is_managed: managed,
                is_compliant: compliant,
                tls_fingerprint: tls,
            },
        )
}

fn auth() -> impl Strategy<Value = AuthFacts> {
    (
        (0..AuthProtocol::ALL.len(), 0..LogonType::ALL.len()),
        vec(0..FactorType::ALL.len(), 0..3),
        (of(any::<bool>()), of(any::<bool>())),
        (of(word()), of(word()), of(word()), of(word())),
    )
        .prop_map(
            |((protocol, logon_type), factors, (is_mfa, is_remote), words)| AuthFacts {
                protocol: AuthProtocol::ALL[protocol],
                logon_type: LogonType::ALL[logon_type],
                factors: factors.into_iter().map(|at| FactorType::ALL[at]).collect(),
                is_mfa,
                is_remote,
                method: words.0,
                credential_uid: words.1,
                token_uid: words.2,
                issuer: words.3,
            },
        )
}

fn activity() -> impl Strategy<Value = Activity> {
    let class = prop_oneof![Just(0_u32), 3001..=3006_u32, Just(6003), Just(4001), Just(2004)];
    (class, 0..=14_u32).prop_map(|(class, activity)| match class {
        0 => Activity::from_ocsf(0, 0),
        2004 => Activity::from_ocsf(2004, activity % 4),
        class => Activity::from_ocsf(class, activity),
    })
}

fn status() -> impl Strategy<Value = (Status, Option<FailureReason>, Option<Text>, Option<Text>)> {
    let reasons = [
        FailureReason::UserDoesNotExist,
        FailureReason::InvalidCredentials,
        FailureReason::MfaFailed,
        FailureReason::Other,
    ];
    (0..4_usize, 0..4_usize, of(word()), of(word())).prop_map(move |(status, reason, code, detail)| {
        let status = Status::ALL[status];
        let failure = (status == Status::Failure).then_some(reasons[reason]);
        (status, failure, code, detail)
    })
}

prop_compose! {
    fn event()(
        (uid, millis, action) in (word(), 100_000_000_000_i64..4_000_000_000_000, word()),
        (activity, status) in (activity(), status()),
        (quality, offset, tenant, source) in (0..3_u8, of(-1_080_i16..=1_080), of(word()), 0..9_usize),
        (account, actor, target) in (user("a-"), of(user("b-")), of(user("c-"))),
        (group, privileges, session) in (of(resource()), vec(word(), 0..3), of(word())),
        (src, client, auth) in (endpoint(), client(), auth()),
        (service, resources, unmapped) in (of(resource()), vec(resource(), 0..3), any::<bool>()),
        count in of(2_u32..),
    ) -> Event {
        let time = EventTime::from_millis(millis).unwrap();
        let source = habitus_normalize::formats::ALL[source].name();
        Event {
            time_quality: [TimeQuality::Source, TimeQuality::YearAssumed, TimeQuality::Assumed][usize::from(quality)],
            utc_offset: offset.and_then(UtcOffset::from_minutes),
            tenant: tenant.map_or_else(TenantId::default, TenantId::new),
            status: status.0,
            failure: status.1,
            status_code: status.2,
            status_detail: status.3,
            account, actor, target, group, privileges, src, client, auth, session, service, resources, count,
            unmapped: unmapped.then(|| Text::from(r#"{"a":{"b":[1,"x"]},"c":null}"#.replace(",\"c\":null", ""))),
            ..Event::new(EventUid::new(uid), time, SourceName::new(source), activity, action)
        }
    }
}

fn reader() -> Normalizer {
    let options = Options {
        keep_unmapped: true,
        ..Options::default()
    };
    Normalizer::new("ocsf".parse().unwrap(), options)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_written_reads_back(event in event()) {
        let mut written = Vec::new();
        ocsf_out::write(&event, &mut written);
        let mut read = Vec::new();
        reader().normalize(&written, 1, &mut read).unwrap();
        prop_assert_eq!(&read[0], &event, "{}", String::from_utf8_lossy(&written));
    }

    #[test]
    fn what_is_written_is_ocsf(event in event()) {
        let mut written = Vec::new();
        ocsf_out::write(&event, &mut written);
        let value: serde_json::Value = serde_json::from_slice(&written).unwrap();
        // Classes that pass through by number keep only their header.
        if habitus_testkit::ocsf::knows(u64::from(event.activity.class_uid())) {
            let errors = habitus_testkit::ocsf::validate(&value);
            prop_assert!(errors.is_empty(), "{errors:?} {value}");
        }
    }

    /// Any JSON object that bears OCSF's marks is an event or a rejection.
    #[test]
    fn nothing_panics(text in "\\PC*", number in any::<i64>(), float in any::<f64>()) {
        let inside = serde_json::json!({"name": &text, "uid": number, "ip": &text, "type_id": float, "x": [&text, number]});
        for value in [serde_json::json!(text), serde_json::json!(number), serde_json::json!(float), inside] {
            for name in ["time", "user", "actor", "src_endpoint", "metadata", "unmapped", "status_id", "auth_factors", "activity_id"] {
                let mut event = serde_json::json!({"class_uid": 3002, "activity_id": 1, "time": 1, "metadata": {}});
                event[name] = value.clone();
                let mut read = Vec::new();
                let _ = reader().normalize(event.to_string().as_bytes(), 1, &mut read);
            }
        }
    }
}
