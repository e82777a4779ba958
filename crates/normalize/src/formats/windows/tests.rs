//! Whole records to events.

use super::*;
use crate::{FormatChoice, Normalizer, Options};
use habitus_model::event::{AuthProtocol, LogonType};
use habitus_model::{AccountKind, FailureReason, RejectionKind, Status};
use proptest::prelude::*;

fn read(text: &str) -> Vec<Event> {
    let mut out = Vec::new();
    Normalizer::new(FormatChoice::Auto, Options::default())
        .normalize(text.as_bytes(), 1, &mut out)
        .unwrap();
    out
}

fn xml(id: u32, keywords: &str, data: &[(&str, &str)]) -> String {
    let fields: String = data
        .iter()
        .map(|(name, value)| format!("<Data Name='{name}'>{value}</Data>"))
        .collect();
    format!(
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>\
         <Provider Name='Microsoft-Windows-Security-Auditing'/><EventID>{id}</EventID><Keywords>{keywords}</Keywords>\
         <TimeCreated SystemTime='2026-01-05T10:00:00.1234567Z'/><EventRecordID>9</EventRecordID>\
         <Channel>Security</Channel><Computer>dc1.corp.example</Computer></System><EventData>{fields}</EventData></Event>"
    )
}

const SUCCESS: &str = "0x8020000000000000";
const FAILURE: &str = "0x8010000000000000";

#[test]
fn a_logon_is_the_targets() {
    let event = &read(&xml(
        4624,
        SUCCESS,
        &[
            ("SubjectUserSid", "S-1-5-18"),
            ("SubjectUserName", "DC1$"),
            ("SubjectDomainName", "CORP"),
            ("TargetUserSid", "S-1-5-21-1-1104"),
            ("TargetUserName", "alice"),
            ("TargetDomainName", "CORP"),
            ("TargetLogonId", "0x74872"),
            ("LogonType", "10"),
            ("AuthenticationPackageName", "Negotiate"),
            ("LmPackageName", "NTLM V2"),
            ("WorkstationName", "PC7"),
            ("IpAddress", "::ffff:203.0.113.7"),
            ("IpPort", "50123"),
            ("Status", "0x0"),
        ],
    ))[0];
    assert_eq!(event.account_id().unwrap().as_str(), "corp\\alice");
    assert_eq!(event.actor.as_ref().unwrap().kind, AccountKind::Service);
    assert_eq!((event.status, event.failure), (Status::Success, None));
    assert_eq!(event.src.ip, "203.0.113.7".parse().ok());
    assert_eq!(event.src.port, Some(50123));
    assert_eq!(event.auth.logon_type, LogonType::RemoteInteractive);
    assert_eq!(
        (event.auth.protocol, event.auth.is_remote),
        (AuthProtocol::Ntlm, Some(true))
    );
    assert_eq!(event.client.device_name.as_deref(), Some("PC7"));
    assert_eq!(event.session.as_deref(), Some("dc1.corp.example/0x74872"));
    assert_eq!(event.uid.as_str(), "dc1.corp.example/Security/9");
    assert_eq!(event.time.as_millis(), 1_767_607_200_123);
}

#[test]
fn a_failed_logon_says_why() {
    for (status, sub, reason) in [
        ("0xc000006d", "0xc0000064", FailureReason::UserDoesNotExist),
        ("0xc000006d", "0xc000006a", FailureReason::InvalidCredentials),
        ("0xc0000234", "0x0", FailureReason::AccountLockedOut),
        ("0xc000006e", "0xc0000072", FailureReason::AccountDisabled),
        ("0xc0000bad", "0x0", FailureReason::Other),
    ] {
        let data = [
            ("TargetUserName", "bob"),
            ("Status", status),
            ("SubStatus", sub),
            ("LogonType", "3"),
            ("IpAddress", "-"),
        ];
        let event = &read(&xml(4625, FAILURE, &data))[0];
        assert_eq!(
            (event.status, event.failure),
            (Status::Failure, Some(reason)),
            "{status} {sub}"
        );
        assert_eq!(event.src.ip, None);
    }
}

#[test]
fn kerberos_and_ntlm_are_the_targets() {
    let ticket = &read(&xml(
        4771,
        FAILURE,
        &[
            ("TargetUserName", "alice"),
            ("TargetSid", "S-1-5-21-1-1104"),
            ("ServiceName", "krbtgt/CORP"),
            ("Status", "0x18"),
            ("IpAddress", "::1"),
            ("IpPort", "0"),
        ],
    ))[0];
    assert_eq!(ticket.account_id().unwrap().as_str(), "corp\\alice");
    assert_eq!(ticket.failure, Some(FailureReason::InvalidCredentials));
    assert_eq!((ticket.src.ip, ticket.src.port), ("::1".parse().ok(), None));
    let service = &read(&xml(
        4769,
        SUCCESS,
        &[
            ("TargetUserName", "alice@CORP.EXAMPLE"),
            ("TargetDomainName", "CORP.EXAMPLE"),
            ("ServiceName", "sql1$"),
            ("TicketEncryptionType", "0x17"),
            ("Status", "0x0"),
        ],
    ))[0];
    assert_eq!(service.account_id().unwrap().as_str(), "corp\\alice");
    assert_eq!(service.auth.method.as_deref(), Some("0x17"));
    assert_eq!(service.service.as_ref().unwrap().name.as_deref(), Some("sql1$"));
    let ntlm = &read(&xml(
        4776,
        FAILURE,
        &[
            ("TargetUserName", "bob"),
            ("Workstation", "\\\\PC7"),
            ("Status", "0xc000006a"),
        ],
    ))[0];
    assert_eq!(
        (ntlm.failure, ntlm.client.device_name.as_deref()),
        (Some(FailureReason::InvalidCredentials), Some("PC7"))
    );
}

#[test]
fn who_manages_is_the_account() {
    let data = [
        ("SubjectUserName", "admin"),
        ("SubjectDomainName", "CORP"),
        ("TargetUserName", "carol"),
        ("TargetDomainName", "CORP"),
        ("MemberName", "CN=Carol Doe,OU=x,DC=corp"),
        ("MemberSid", "S-1-5-21-1-1105"),
        ("TargetSid", "S-1-5-21-1-512"),
    ];
    let created = &read(&xml(4720, SUCCESS, &data))[0];
    assert_eq!(created.activity.type_uid(), 300_101);
    assert_eq!(created.account_id().unwrap().as_str(), "corp\\admin");
    assert_eq!(
        created.target.as_ref().unwrap().account_id().unwrap().as_str(),
        "corp\\carol"
    );
    let added = &read(&xml(4728, SUCCESS, &data))[0];
    assert_eq!(added.activity.type_uid(), 300_603);
    assert_eq!(
        added.target.as_ref().unwrap().uid.as_deref(),
        Some("S-1-5-21-1-1105")
    );
    assert_eq!(added.group.as_ref().unwrap().name.as_deref(), Some("carol"));
    let locked = &read(&xml(
        4740,
        SUCCESS,
        &[
            ("TargetUserName", "bob"),
            ("TargetDomainName", "PC7"),
            ("SubjectUserName", "DC1$"),
            ("SubjectDomainName", "CORP"),
        ],
    ))[0];
    assert_eq!(
        locked.target.as_ref().unwrap().account_id().unwrap().as_str(),
        "corp\\bob"
    );
    assert_eq!(locked.client.device_name.as_deref(), Some("PC7"));
    let rights = &read(&xml(
        4672,
        SUCCESS,
        &[
            ("SubjectUserName", "admin"),
            ("PrivilegeList", "SeDebugPrivilege\n\t\tSeBackupPrivilege"),
        ],
    ))[0];
    assert_eq!(rights.privileges, ["SeDebugPrivilege", "SeBackupPrivilege"]);
}

#[test]
fn every_shape_is_one_event() {
    let dump = r##"{"Event":{"#attributes":{"xmlns":"x"},"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Security-Auditing"}},"EventID":{"#attributes":{"Qualifiers":""},"#text":4625},"Keywords":"0x8010000000000000","TimeCreated":{"#attributes":{"SystemTime":"2026-01-05T10:00:00.123456Z"}},"EventRecordID":9,"Channel":"Security","Computer":"dc1"},"EventData":{"TargetUserName":"bob","TargetDomainName":"CORP","LogonType":3,"IpAddress":"203.0.113.7","SubStatus":"0xc000006a"}}}"##;
    let separate = r##"{"Event":{"Event_attributes":{"xmlns":"x"},"System":{"Provider_attributes":{"Name":"Microsoft-Windows-Security-Auditing"},"EventID":4625,"Keywords":"0x8010000000000000","TimeCreated_attributes":{"SystemTime":"2026-01-05T10:00:00.123456Z"},"EventRecordID":9,"Channel":"Security","Computer":"dc1"},"EventData":{"TargetUserName":"bob","TargetDomainName":"CORP","LogonType":3,"IpAddress":"203.0.113.7","SubStatus":"0xc000006a"}}}"##;
    let beat = r#"{"@timestamp":"2026-01-05T10:00:00.123Z","event":{"outcome":"failure"},"winlog":{"event_id":"4625","channel":"Security","computer_name":"dc1","record_id":9,"event_data":{"TargetUserName":"bob","TargetDomainName":"CORP","LogonType":"3","IpAddress":"203.0.113.7","SubStatus":"0xc000006a"}}}"#;
    let nxlog = r#"{"EventTime":"2026-01-05 11:00:00.123+01:00","Hostname":"dc1","Keywords":-9218868437227405312,"EventType":"AUDIT_FAILURE","EventID":4625,"SourceName":"Microsoft-Windows-Security-Auditing","RecordNumber":9,"Channel":"Security","TargetUserName":"bob","TargetDomainName":"CORP","LogonType":"3","IpAddress":"203.0.113.7","SubStatus":"0xc000006a"}"#;
    let azure = r#"{"time":"x","category":"WindowsEventLogsTable","properties":{"EventId":4625,"RawXml":"<Event xmlns='y'><System><EventID>4625</EventID><TimeCreated SystemTime='2026-01-05T10:00:00.123Z'/><EventRecordID>9</EventRecordID><Channel>Security</Channel><Computer>dc1</Computer></System><EventData><Data Name='TargetUserName'>bob</Data><Data Name='TargetDomainName'>CORP</Data><Data Name='LogonType'>3</Data><Data Name='IpAddress'>203.0.113.7</Data><Data Name='SubStatus'>0xc000006a</Data></EventData></Event>"}}"#;
    let expected = read(dump);
    assert_eq!(expected[0].account_id().unwrap().as_str(), "corp\\bob");
    assert_eq!(expected[0].time.as_millis(), 1_767_607_200_123);
    assert_eq!(expected[0].failure, Some(FailureReason::InvalidCredentials));
    for shape in [separate, beat, nxlog, azure] {
        assert_eq!(read(shape), expected, "{shape:.80}");
    }
}

#[test]
fn other_events_keep_class_zero_and_whom_they_name() {
    let other = r##"{"Event":{"System":{"Provider":{"#attributes":{"Name":"x"}},"EventID":8,"TimeCreated":{"#attributes":{"SystemTime":"2026-01-05T10:00:00Z"}},"Channel":"y"},"EventData":{"Data":{"#text":["a","b"]},"User":"CORP\\alice"}}}"##;
    let event = &read(other)[0];
    assert_eq!((event.activity.class_uid(), event.status), (0, Status::Unknown));
    assert_eq!(event.account_id().unwrap().as_str(), "corp\\alice");
    let nobody = r##"{"Event":{"System":{"EventID":8,"Channel":"y"},"EventData":{"Data":"a"}}}"##;
    assert!(read(nobody).is_empty());
}

#[test]
fn openssh_of_windows_speaks_as_sshd() {
    let text = xml(
        4,
        "0x0",
        &[
            ("process", "sshd"),
            (
                "payload",
                "Failed password for invalid user x from 203.0.113.7 port 9 ssh2",
            ),
        ],
    )
    .replace("Security<", "OpenSSH/Operational<");
    let event = &read(&text)[0];
    assert_eq!(
        (event.action.as_str(), event.failure),
        ("Failed password", Some(FailureReason::UserDoesNotExist))
    );
    assert_eq!(event.src.ip, "203.0.113.7".parse().ok());
    assert_eq!(event.source.as_str(), "windows");
}

#[test]
fn what_lacks_time_is_refused() {
    let text = xml(4624, SUCCESS, &[("TargetUserName", "alice")]).replace("SystemTime", "X");
    let rejected = Normalizer::new(FormatChoice::Auto, Options::default()).normalize(
        text.as_bytes(),
        1,
        &mut Vec::new(),
    );
    assert_eq!(rejected.unwrap_err().kind, RejectionKind::MissingField);
}

#[test]
fn only_events_are_recognised() {
    for (text, sure) in [
        ("<Event xmlns='x'>", Recognition::Certain),
        ("<?xml version='1.0'?>\n<Event>", Recognition::Certain),
        ("<Events>", Recognition::No),
        ("<38>Jan 5", Recognition::No),
    ] {
        assert_eq!(Windows.recognise(&Record::Text(text)), sure, "{text}");
    }
}

proptest! {
    #[test]
    fn no_xml_panics(pieces in proptest::collection::vec("(<Event>|</Event>|<System>|</System>|<EventID>|</EventID>|4624|<EventData>|<Data Name='TargetUserName'>|</Data>|&amp;|&#0;|&x;|<!\\[CDATA\\[|\\]\\]>|<!--|\\PC)", 0..24)) {
        let text = format!("<Event>{}", pieces.concat());
        let _ = Normalizer::new(FormatChoice::Auto, Options::default()).normalize(text.as_bytes(), 1, &mut Vec::new());
    }

    #[test]
    fn no_value_panics(id in "4[67][0-9]{2}|1102|1149", name in "(IpAddress|Status|SubStatus|TargetUserName|MemberName|LogonType|ServiceName)", value in "(0x|-|%%|CN=|krbtgt/|\\\\|@|\\PC){0,8}") {
        let record = serde_json::json!({
            "Event": {"System": {"EventID": id, "Channel": "Security", "TimeCreated": {"#attributes": {"SystemTime": "2026-01-05T10:00:00Z"}}},
                      "EventData": {"SubjectUserName": "alice", name: value}}
        });
        prop_assert_eq!(read(&record.to_string()).len() <= 1, true);
    }
}
