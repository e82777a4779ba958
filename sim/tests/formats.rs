//! Each line that is written is read back by our own reader to the event it was, as far as the format can carry it.

use habitus_model::event::LogonType;
use habitus_model::{Event, Status};
use habitus_normalize::{FormatChoice, Normalizer, Options};
use habitus_sim::formats::{LOG_FORMATS, LogFormat};
use habitus_sim::{Regime, WorldConfig, generate};

fn events(seed: u64) -> Vec<Event> {
    let mut all = Vec::new();
    for regime in Regime::ALL {
        let config = WorldConfig {
            accounts: 30,
            days: 30,
            ..WorldConfig::activity(seed, regime)
        };
        all.extend(generate(&config).stream().map(|labelled| labelled.event));
    }
    all
}

fn read(format: LogFormat, line: &str) -> Event {
    let mut out = Vec::new();
    let read =
        Normalizer::new(FormatChoice::Auto, Options::default()).normalize(line.as_bytes(), 1, &mut out);
    assert!(read.is_ok() && out.len() == 1, "{}: {line}", format.name);
    out.remove(0)
}

/// What every format carries, and what those carry that have a place for it.
fn check(format: LogFormat, event: &Event, line: &str) {
    let again = read(format, line);
    assert_eq!(again.source.as_str(), format.name, "{line}");
    let precision = if ["cloudtrail", "o365"].contains(&format.name) {
        1_000
    } else {
        1
    };
    let floor = |ms: i64| ms - ms.rem_euclid(precision);
    assert_eq!(again.time.as_millis(), floor(event.time.as_millis()), "{line}");
    assert_eq!(again.account_id(), event.account_id(), "{line}");
    assert_eq!(again.activity, event.activity, "{line}");
    assert_eq!(
        again.status == Status::Success,
        event.status == Status::Success,
        "{line}"
    );
    assert_eq!(again.src.ip, event.src.ip, "{line}");
    if !["sshd", "windows"].contains(&format.name) {
        assert_eq!(again.client.user_agent, event.client.user_agent, "{line}");
        assert_eq!(again.uid, event.uid, "{line}");
    }
    if ["entra", "keycloak", "okta"].contains(&format.name) {
        assert_eq!(again.session, event.session, "{line}");
        assert_eq!(again.failure, event.failure, "{line}");
    }
    if ["github", "kubernetes", "windows", "o365", "ocsf", "okta"].contains(&format.name) {
        let names = |event: &Event| event.target.as_ref().and_then(habitus_model::User::account_id);
        assert_eq!(names(&again), names(event), "{line}");
    }
    if ["github", "kubernetes", "ocsf", "okta"].contains(&format.name) {
        assert_eq!(again.privileges, event.privileges, "{line}");
    }
    if ["o365", "windows"].contains(&format.name) && event.failure.is_some() {
        assert_eq!(again.failure, event.failure, "{line}");
    }
    if ["entra", "okta"].contains(&format.name) {
        assert_eq!(again.src.asn, event.src.asn, "{line}");
        assert_eq!(again.src.country, event.src.country, "{line}");
        assert_eq!(again.client.device_uid, event.client.device_uid, "{line}");
    }
}

#[test]
fn every_line_is_read_back_to_the_event_it_was() {
    let events = events(3);
    for format in LOG_FORMATS {
        let mut written = 0;
        for event in &events {
            if let Some(line) = (format.write)(event) {
                check(format, event, &line);
                written += 1;
            }
        }
        assert!(written > 500, "{} carries {written}", format.name);
    }
}

#[test]
fn ocsf_carries_everything() {
    let ocsf = LogFormat::by_name("ocsf").unwrap();
    for event in events(4) {
        let line = (ocsf.write)(&event).unwrap();
        let mut again = read(ocsf, &line);
        again.source = event.source.clone();
        assert_eq!(again, event, "{line}");
    }
}

#[test]
fn what_a_source_does_not_log_is_left_out() {
    let events = events(5);
    let hosts = events
        .iter()
        .filter(|event| event.auth.logon_type == LogonType::Network);
    for host in hosts {
        for name in [
            "okta",
            "entra",
            "keycloak",
            "cloudtrail",
            "github",
            "kubernetes",
            "o365",
        ] {
            assert_eq!((LogFormat::by_name(name).unwrap().write)(host), None);
        }
    }
    assert!(LogFormat::by_name("nothing").is_none());
}
