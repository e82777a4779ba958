//! Whole lines to events.

use super::*;
use crate::stamp::iso;
use crate::{FormatChoice, Normalizer, Options};
use habitus_model::activity::AuthenticationActivity;
use habitus_model::{Activity, FailureReason, Status, UtcOffset};
use proptest::prelude::*;

fn options() -> Options {
    Options {
        reference_time: iso("2026-01-15T00:00:00Z", UtcOffset::default()),
        ..Options::default()
    }
}

fn events(text: &str) -> Vec<Event> {
    let mut out = Vec::new();
    Normalizer::new(FormatChoice::Auto, options())
        .normalize(text.as_bytes(), 7, &mut out)
        .unwrap();
    out
}

#[test]
fn a_line_becomes_an_event() {
    let found = events(
        "Jan  5 10:00:00 web01 sshd[77]: Accepted publickey for alice from ::ffff:203.0.113.7 port 4022 ssh2: ED25519 SHA256:abc",
    );
    let event = &found[0];
    assert_eq!(
        event.time,
        iso("2026-01-05T10:00:00Z", UtcOffset::default()).unwrap()
    );
    assert_eq!(event.time_quality, TimeQuality::YearAssumed);
    assert_eq!(
        event.activity,
        Activity::Authentication(AuthenticationActivity::Logon)
    );
    assert_eq!(event.action, "Accepted publickey");
    assert_eq!(event.status, Status::Success);
    assert_eq!(event.account_id().unwrap().as_str(), "alice");
    assert_eq!(event.src.ip, "203.0.113.7".parse().ok());
    assert_eq!(event.src.port, Some(4022));
    assert_eq!(event.auth.credential_uid.as_deref(), Some("SHA256:abc"));
    assert_eq!(event.auth.is_remote, Some(true));
    let service = event.service.as_ref().unwrap();
    assert_eq!(
        (service.name.as_deref(), service.namespace.as_deref()),
        (Some("sshd"), Some("web01"))
    );
}

#[test]
fn the_journal_is_read() {
    let found = events(
        r#"{"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"1767607200123456","_HOSTNAME":"web01","SYSLOG_IDENTIFIER":"sshd-session","MESSAGE":"Failed password for invalid user bob from 2001:db8::1 port 9 ssh2"}"#,
    );
    let event = &found[0];
    assert_eq!(event.uid.as_str(), "s=1;i=2");
    assert_eq!(event.time.as_millis(), 1_767_607_200_123);
    assert_eq!(event.failure, Some(FailureReason::UserDoesNotExist));
    assert_eq!(event.src.ip, "2001:db8::1".parse().ok());
    assert!(
        events(
            r#"{"__REALTIME_TIMESTAMP":"1767607200123456","SYSLOG_IDENTIFIER":"kernel","MESSAGE":"hello"}"#
        )
        .is_empty()
    );
    let bytes = events(
        r#"{"__REALTIME_TIMESTAMP":"1767607200123456","_COMM":"su","MESSAGE":[40,116,111,32,114,111,111,116,41,32,97,32,111,110,32,120]}"#,
    );
    assert_eq!(bytes[0].target.as_ref().unwrap().name.as_deref(), Some("root"));
}

#[test]
fn shippers_are_unwrapped() {
    let found = events(
        r#"{"@timestamp":"2024-03-01T00:00:00Z","event":{"dataset":"system.auth"},"host":{"name":"h"},"message":"Feb 29 23:59:59 web01 sudo: alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls"}"#,
    );
    let event = &found[0];
    assert_eq!(
        event.time,
        iso("2024-02-29T23:59:59Z", UtcOffset::default()).unwrap()
    );
    assert_eq!(
        event.activity,
        Activity::Authentication(AuthenticationActivity::AccountSwitch)
    );
    assert_eq!(event.target.as_ref().unwrap().kind, AccountKind::Privileged);
}

#[test]
fn repetitions_are_events_up_to_a_limit() {
    let line = |n: &str| {
        format!(
            "Jan  5 10:00:00 web01 sshd[77]: message repeated {n} times: [ Failed password for root from 203.0.113.7 port 9 ssh2]"
        )
    };
    let five = events(&line("5"));
    assert_eq!(five.len(), 5);
    assert!(five.iter().skip(1).all(|event| event.uid != five[0].uid));
    assert_eq!(events(&line("4000000000")).len(), 32);
    assert_eq!(events(&line("99999999999999")).len(), 0);
}

#[test]
fn times_that_are_unknown_are_assumed_or_refused() {
    let bare = "Failed password for root from 203.0.113.7 port 9 ssh2";
    assert_eq!(events(bare)[0].time_quality, TimeQuality::Assumed);
    let read = |text: &str| {
        Normalizer::new(FormatChoice::Auto, Options::default())
            .normalize(text.as_bytes(), 1, &mut Vec::new())
            .map_err(|rejection| rejection.kind)
    };
    assert_eq!(read(bare), Err(RejectionKind::MissingField));
    assert_eq!(
        read("Jan  5 10:00:00 web01 sshd[77]: Invalid user x from 203.0.113.7"),
        Err(RejectionKind::InvalidField)
    );
    assert_eq!(read("Jan  5 10:00:00 web01 kernel: hello"), Ok(0));
}

#[test]
fn other_formats_keep_their_records() {
    for text in [
        r#"<134>1 2026-01-05T10:00:00Z h okta - - - {"eventType":"user.session.start"}"#,
        "<Event xmlns='x'/>",
        "Jan  5 10:00:00 h CEF: x",
        "just some words",
    ] {
        let expected = if text.contains("CEF:") {
            Recognition::Likely
        } else {
            Recognition::No
        };
        assert_eq!(Sshd.recognise(&Record::Text(text)), expected, "{text}");
    }
    let json = crate::json::parse(
        br#"{"message":"User logged in","@timestamp":"x"}"#,
        &crate::Limits::default(),
    )
    .unwrap();
    assert_eq!(Sshd.recognise(&Record::Json(&json)), Recognition::No);
}

proptest! {
    #[test]
    fn no_line_panics(
        head in "(Jan  5 10:00:00 |<38>1 |<38>|2026-01-05T10:00:00Z |)(h )?",
        tag in "(sshd|sudo|su|login|useradd|systemd-logind|x)(\\[1\\])?: ",
        opening in "(Failed |Accepted |Invalid user |Disconnecting |User |error: PAM: |PAM 2 more authentication failures; |pam_unix\\(|\\(to |a : )?",
        tail in "( from | port | for |ssh2|: |\\[|\\]|=|'|\\PC){0,12}",
    ) {
        let text = format!("{head}{tag}{opening}{tail}");
        let mut out = Vec::new();
        let _ = Normalizer::new(FormatChoice::Auto, options()).normalize(text.as_bytes(), 1, &mut out);
        for event in &out {
            prop_assert!(event.account.name.as_deref() != Some(""));
        }
    }
}
