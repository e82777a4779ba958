//! Nothing from outside panics or hangs, and equal input gives equal output.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking and may talk, as tests do"
)]

mod support;

use habitus_enrich::{Enricher, IpList, IpListKind, Tables, client, country};
use habitus_model::{Activity, Event, EventTime, EventUid, SourceName, Text};
use proptest::prelude::*;
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;

fn event(ip: IpAddr) -> Event {
    let time = EventTime::from_millis(0).unwrap();
    let login = Activity::from_ocsf(3002, 1);
    let mut event = Event::new(EventUid::new("1"), time, SourceName::new("test"), login, "login");
    event.src.ip = Some(ip);
    event
}

fn city() -> Vec<u8> {
    let record = json!({
        "country": {"iso_code": "GB"}, "city": {"names": {"en": "London"}}, "subdivisions": [{"names": {"en": "England"}}],
        "location": {"latitude": 51.5, "longitude": -0.12, "accuracy_radius": 5},
        "autonomous_system_number": 64500, "is_anonymous": true, "connection_type": "Cellular",
    });
    // One type that every table takes, so that one set of broken bytes goes through all of them.
    let networks = [
        ("1.2.3.0/24", record.clone()),
        ("2001:4::/32", record.clone()),
        ("0.0.0.0/1", record),
    ];
    support::mmdb("City ASN Anonymous Connection-Type", &networks)
}

/// Gives the bytes to every table and looks addresses up in what comes of it.
fn survives(bytes: &[u8]) {
    let builders = [
        Tables::builder().city_mmdb(bytes.to_vec()),
        Tables::builder().asn_mmdb(bytes.to_vec()),
        Tables::builder().anonymous_ip_mmdb(bytes.to_vec()),
        Tables::builder().connection_type_mmdb(bytes.to_vec()),
    ];
    for builder in builders {
        let Ok(builder) = builder else { continue };
        let tables = builder.build();
        let _ = tables.versions();
        let _ = tables.verify();
        let mut enricher = Enricher::new(Arc::new(tables));
        for ip in [
            "1.2.3.4",
            "9.9.9.9",
            "255.1.1.1",
            "2001:4::1",
            "2a00::1",
            "::1.2.3.4",
        ] {
            let _ = enricher.context(&event(ip.parse().unwrap()));
        }
    }
}

#[test]
fn every_truncation_is_an_error_or_unknown() {
    let whole = city();
    for end in 0..whole.len() {
        survives(&whole[..end]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_damage_is_an_error_or_unknown(hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = city();
        for (at, byte) in hits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        survives(&bytes);
    }

    #[test]
    fn any_bytes_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        survives(&bytes);
    }

    #[test]
    fn any_user_agent_is_read(agent in "\\PC{0,1500}") {
        let once = client::of_user_agent(&agent);
        prop_assert!(once.browser.as_ref().is_none_or(|name| name.len() <= 64));
        prop_assert_eq!(once, client::of_user_agent(&agent));
    }

    #[test]
    fn any_user_agent_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        let _ = client::of_user_agent(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn user_agents_of_known_words_are_read(words in prop::collection::vec(
        prop::sample::select(vec!["Mozilla/5.0", "(", ")", ";", "Linux", "Android 13", "Chrome/", "1.2.3", "Safari/537",
            "kubectl/", "v", "OpenSSH_", "Build/", "iPad", "Windows NT ", "é", "compatible", "bot", "/", " ", "Boto3/"]), 0..60)) {
        let _ = client::of_user_agent(&words.concat());
    }

    #[test]
    fn any_event_text_is_read(texts in prop::array::uniform6("\\PC{0,120}"), ip in any::<IpAddr>()) {
        let mut event = event(ip);
        let [country, city, organisation, os, browser, name] = texts.map(|text| Some(Text::from(text)));
        event.src.country = country;
        event.src.city = city;
        event.src.organisation = organisation;
        event.client.os = os;
        event.client.browser = browser;
        event.account.name = name;
        let tables = Arc::new(Tables::embedded());
        let once = Enricher::new(tables.clone()).context(&event);
        prop_assert_eq!(once, Enricher::new(tables).context(&event));
    }

    #[test]
    fn any_country_text_is_a_known_country_or_none(text in "\\PC{0,100}") {
        if let Some(code) = country::code_of(&text) {
            prop_assert!(country::centre_of(code).is_some());
        }
    }

    #[test]
    fn any_list_text_is_a_list_or_an_error(text in "[0-9a-f.:/# \n]{0,200}", ip in any::<IpAddr>()) {
        if let Ok(list) = IpList::parse("any", "1", IpListKind::Safe, &text) {
            let _ = list.contains(ip);
        }
    }

    #[test]
    fn lists_agree_with_arithmetic(networks in prop::collection::vec((any::<u32>(), 0_u8..=32), 0..40), probes in prop::collection::vec(any::<u32>(), 20)) {
        let mask = |bits: u8| u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
        let of = |ip: u32| IpAddr::V4(ip.into());
        let text: String = networks.iter().map(|(ip, bits)| format!("{}/{bits}\n", of(ip & mask(*bits)))).collect();
        let list = IpList::parse("any", "1", IpListKind::Safe, &text).unwrap();
        let edges = networks.iter().flat_map(|(ip, bits)| [ip & mask(*bits), ip | !mask(*bits), *ip]);
        for probe in edges.chain(probes) {
            let want = networks.iter().filter(|(ip, bits)| (ip ^ probe) & mask(*bits) == 0).map(|(_, bits)| *bits).max();
            prop_assert_eq!(list.longest_match(of(probe)), want);
        }
    }
}
