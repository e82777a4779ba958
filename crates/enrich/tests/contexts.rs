//! Whole contexts: events in, contexts out, with tables that the tests write themselves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking and may talk, as tests do"
)]

mod support;

use habitus_enrich::{Enricher, IpList, IpListKind, TableError, Tables};
use habitus_model::event::FactorType;
use habitus_model::{
    AccountKind, Activity, Asn, Context, Coordinates, DeviceType, Event, EventTime, EventUid, Km,
    NetworkClass, SourceName, Status, Text, User,
};
use serde_json::json;
use std::sync::Arc;

fn event(ip: &str) -> Event {
    let time = EventTime::from_millis(1_767_225_600_000).unwrap();
    let login = Activity::from_ocsf(3002, 1);
    let mut event = Event::new(EventUid::new("1"), time, SourceName::new("test"), login, "login");
    event.status = Status::Success;
    event.src.ip = Some(ip.parse().unwrap());
    event
}

fn city_mmdb() -> Vec<u8> {
    let greenwich = json!({
        "country": {"iso_code": "GB"}, "city": {"names": {"de": "Greenwich (de)", "en": "Greenwich"}},
        "subdivisions": [{"names": {"en": "England"}}],
        "location": {"latitude": 51.48, "longitude": 0.0, "accuracy_radius": 5},
    });
    let island = json!({"location": {"latitude": 0.0, "longitude": 0.0, "accuracy_radius": 50}});
    support::mmdb(
        "Test-City",
        &[
            ("81.2.69.0/24", greenwich.clone()),
            ("2a02:c7c::/32", greenwich),
            ("5.5.5.0/24", island),
            ("6.6.6.0/24", json!({"country": {"iso_code": "BR"}})),
            (
                "7.7.7.0/24",
                json!({"country": "not a map", "location": {"latitude": "north"}}),
            ),
        ],
    )
}

fn tables() -> Tables {
    let asn = support::mmdb(
        "Test-ASN",
        &[
            (
                "81.2.69.0/24",
                json!({"autonomous_system_number": 64500, "autonomous_system_organization": "Example Broadband"}),
            ),
            ("52.0.0.0/8", json!({"autonomous_system_number": 16509})),
        ],
    );
    let anonymous = support::mmdb(
        "Test-Anonymous-IP",
        &[
            (
                "185.1.1.0/24",
                json!({"is_anonymous": true, "is_hosting_provider": true}),
            ),
            (
                "185.1.2.0/24",
                json!({"is_anonymous": true, "is_anonymous_vpn": true, "is_hosting_provider": true}),
            ),
        ],
    );
    let connection = support::mmdb(
        "Test-Connection-Type",
        &[("81.2.69.128/25", json!({"connection_type": "Cellular"}))],
    );
    Tables::builder()
        .without_embedded()
        .city_mmdb(city_mmdb())
        .and_then(|tables| tables.asn_mmdb(asn))
        .and_then(|tables| tables.anonymous_ip_mmdb(anonymous))
        .and_then(|tables| tables.connection_type_mmdb(connection))
        .unwrap()
        .build()
}

fn context(event: &Event) -> Context {
    Enricher::new(Arc::new(tables())).context(event)
}

#[test]
fn databases_give_place_and_network() {
    for ip in ["81.2.69.7", "::ffff:81.2.69.7"] {
        let context = context(&event(ip));
        assert_eq!(context.place.label(), "Greenwich, GB");
        assert_eq!(context.place.region.as_deref(), Some("England"));
        assert_eq!(context.place.coordinates, Coordinates::new(51.48, 0.0));
        assert_eq!(context.place.radius, Some(Km(5.0)));
        assert_eq!(context.network.asn, Asn::new(64500));
        assert_eq!(
            context.network.class,
            NetworkClass::Fixed,
            "by the operator's name"
        );
    }
    assert_eq!(context(&event("2a02:c7c::1")).place.label(), "Greenwich, GB");
}

#[test]
fn zero_degrees_from_a_database_are_a_place() {
    let place = context(&event("5.5.5.5")).place;
    assert_eq!(place.coordinates, Coordinates::new(0.0, 0.0));
    assert_eq!(place.radius, Some(Km(50.0)));
}

#[test]
fn a_country_alone_has_its_centre_and_a_wide_radius() {
    let place = context(&event("6.6.6.6")).place;
    assert_eq!(place.label(), "BR");
    assert!(place.coordinates.is_some() && place.radius.unwrap().0 > 1_000.0);
}

#[test]
fn records_of_another_shape_are_unknown() {
    assert!(context(&event("7.7.7.7")).place.is_unknown());
}

#[test]
fn classes_come_from_the_most_specific_table() {
    for (ip, want) in [
        ("81.2.69.200", NetworkClass::Mobile),
        ("185.1.1.1", NetworkClass::Hosting),
        ("185.1.2.1", NetworkClass::Relay),
        ("52.1.1.1", NetworkClass::Hosting),
        ("9.9.9.9", NetworkClass::Unknown),
        ("10.1.1.1", NetworkClass::Private),
        ("100.64.0.9", NetworkClass::Private),
        ("fd00::1", NetworkClass::Private),
        ("203.0.113.1", NetworkClass::Unknown),
    ] {
        assert_eq!(context(&event(ip)).network.class, want, "{ip}");
    }
    assert!(context(&event("10.1.1.1")).place.is_unknown());
}

#[test]
fn the_most_specific_list_decides_the_class() {
    let list = |name: &str, kind, text: &str| IpList::parse(name, "1", kind, text).unwrap();
    let tables = Tables::builder()
        .ip_list(list(
            "relays",
            IpListKind::Relay,
            "198.51.100.0/24\n2001:db8::/32",
        ))
        .and_then(|tables| {
            tables.ip_list(list(
                "offices",
                IpListKind::Corporate,
                "198.51.100.64/26\n10.2.0.0/16",
            ))
        })
        .and_then(|tables| tables.ip_list(list("never-block", IpListKind::Safe, "198.51.100.64/32")))
        .unwrap()
        .build();
    let names = |ip: &str| {
        let lists = tables.lists_containing(ip.parse().unwrap());
        lists.map(|list| list.name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("198.51.100.64"), ["relays", "offices", "never-block"]);
    assert_eq!(names("198.51.100.1"), ["relays"]);
    assert_eq!(names("198.51.101.1"), [""; 0]);

    let mut enricher = Enricher::new(Arc::new(tables));
    for (ip, want) in [
        ("198.51.100.64", NetworkClass::Corporate),
        ("198.51.100.1", NetworkClass::Relay),
        ("2001:db8::1", NetworkClass::Relay),
        ("10.2.0.1", NetworkClass::Corporate),
    ] {
        assert_eq!(enricher.context(&event(ip)).network.class, want, "{ip}");
    }
}

#[test]
fn tables_say_what_they_are_and_swap_in_parts() {
    let first = tables();
    let names = |tables: &Tables| {
        let versions = tables.versions().into_iter();
        versions
            .map(|version| version.table.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(&first),
        [
            "place",
            "asn",
            "anonymous-ip",
            "connection-type",
            "user-agent-rules"
        ]
    );
    assert_eq!(first.versions()[0].version, "Test-City 1700000000");
    assert_eq!(first.versions()[0].built_s, Some(1_700_000_000));
    first.verify().unwrap();

    let list = IpList::parse("offices", "7", IpListKind::Corporate, "81.2.69.0/24").unwrap();
    let second = first.to_builder().ip_list(list.clone()).unwrap().build();
    let context = Enricher::new(Arc::new(second.clone())).context(&event("81.2.69.7"));
    assert_eq!(context.network.class, NetworkClass::Corporate);
    assert_eq!(context.place.label(), "Greenwich, GB");
    let again = second.to_builder().ip_list(list);
    assert!(matches!(again, Err(TableError::DuplicateList { .. })));
}

#[test]
fn wrong_databases_are_refused_with_advice() {
    let error = Tables::builder().asn_mmdb(city_mmdb()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "the asn database is of type `Test-City`; give an ASN or ISP database"
    );
    let error = Tables::builder()
        .city_mmdb(b"<html>sign in</html>".to_vec())
        .err()
        .unwrap();
    assert!(
        matches!(error, TableError::Unreadable { table: "place", .. }),
        "{error}"
    );
}

#[cfg(feature = "embedded-geoip")]
#[test]
fn the_embedded_table_knows_countries() {
    let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
    for (ip, country) in [
        ("8.8.8.8", "US"),
        ("2001:4860:4860::8888", "US"),
        ("193.0.6.139", "NL"),
    ] {
        let place = enricher.context(&event(ip)).place;
        assert_eq!(place.label(), country, "{ip}");
        assert!(
            place.radius.unwrap().0 > 100.0,
            "a centre without a radius would be a lie"
        );
    }
    let attributions = Tables::embedded().attributions();
    assert!(
        attributions
            .iter()
            .any(|text| text.contains("IPFire") && text.contains("CC BY-SA 4.0"))
    );
    assert_ne!(Tables::embedded().versions()[0].version, "unknown");
}

#[test]
fn strong_factors_count_when_they_succeeded() {
    let with = |factor, is_mfa, status| {
        let mut event = event("9.9.9.9");
        event.auth.factors = vec![FactorType::Password, factor];
        event.auth.is_mfa = is_mfa;
        event.status = status;
        context(&event).strong_factor
    };
    for strong in [FactorType::WebAuthn, FactorType::U2f, FactorType::HardwareToken] {
        assert!(with(strong, None, Status::Success));
        assert!(!with(strong, None, Status::Failure));
    }
    assert!(with(FactorType::Biometric, Some(true), Status::Success));
    assert!(!with(FactorType::Biometric, None, Status::Success));
    assert!(!with(FactorType::Push, Some(true), Status::Success));
}

#[test]
fn clients_come_from_parsed_names_where_there_is_no_user_agent() {
    let mut event = event("9.9.9.9");
    event.client.os = Some(Text::new("MacOs"));
    event.client.browser = Some(Text::new("Chrome 126.0.0"));
    event.client.device_uid = Some(Text::new("device-1"));
    event.account = User::by_name("root").unwrap();
    let context = context(&event);
    assert_eq!(context.client.label(), "Chrome 126 on Mac OS X");
    assert_eq!(context.client.device, DeviceType::Desktop);
    assert_eq!(context.client.key.as_deref(), Some("device-1"));
    assert_eq!(context.kind, AccountKind::Privileged);
}

#[test]
fn only_credentials_that_stay_with_a_client_are_its_key() {
    let key = |source: &str, method: &str| {
        let mut event = event("9.9.9.9");
        event.source = SourceName::new(source);
        event.auth.method = Some(Text::new(method));
        event.auth.credential_uid = Some(Text::new("SHA256:abc"));
        context(&event).client.key
    };
    assert_eq!(key("sshd", "publickey").as_deref(), Some("SHA256:abc"));
    assert_eq!(key("sshd", "password"), None);
    assert_eq!(key("cloudtrail", "access key"), None);
}

#[test]
fn what_was_seen_before_never_shows() {
    let mut warm = Enricher::new(Arc::new(tables()));
    let mut events = Vec::new();
    for n in 0..200_u8 {
        let mut event = event(&format!("81.2.69.{n}"));
        event.client.user_agent = Some(Text::from(format!("tool-{}/{n}.0", n % 7)));
        events.push(event);
    }
    for event in events.iter().chain(events.iter().rev()) {
        let cold = Enricher::new(warm.tables().clone()).context(event);
        assert_eq!(warm.context(event), cold);
    }
}
