//! Windows' security log as XML, of a terminal server: who logs on to it and to hosts, and whose password is set.

use super::{login_name, stamp};
use habitus_model::activity::{AccountChangeActivity as Account, AuthenticationActivity as Auth};
use habitus_model::event::LogonType;
use habitus_model::{AccountKind, Activity, Event, FailureReason, Status, User};
use std::fmt::Write as _;

/// Marks of audits that succeeded and that failed (winmeta.xml).
const SUCCESS: &str = "0x8020000000000000";
const FAILURE: &str = "0x8010000000000000";
/// Logon types of the network and of remote desktops (Microsoft Learn, 4624).
const OVER_NETWORK: &str = "3";
const REMOTE_DESKTOP: &str = "10";

pub(super) fn write(event: &Event) -> Option<String> {
    if event.account.kind == AccountKind::Service {
        return None;
    }
    let succeeded = event.status == Status::Success;
    let (id, data) = match event.activity {
        Activity::Authentication(Auth::Logon) if succeeded => (4624, logon(event)?),
        Activity::Authentication(Auth::Logon) => (4625, logon(event)?),
        Activity::AccountChange(Account::PasswordReset) if succeeded => (4724, reset(event)?),
        _ => return None,
    };
    let host = event.service.as_ref().and_then(|host| host.name.as_deref());
    let mut line = format!(
        "<Event xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\"><System>\
         <Provider Name=\"Microsoft-Windows-Security-Auditing\"/><EventID>{id}</EventID><Keywords>{}</Keywords>\
         <TimeCreated SystemTime=\"{}\"/><EventRecordID>{}</EventRecordID><Channel>Security</Channel>\
         <Computer>{}</Computer></System><EventData>",
        if succeeded { SUCCESS } else { FAILURE },
        stamp::millis(event.time),
        number(event),
        escaped(host.unwrap_or("ts01.example.com")),
    );
    for (name, value) in data {
        // Writing to memory does not fail.
        let _ = write!(line, "<Data Name=\"{name}\">{}</Data>", escaped(&value));
    }
    line.push_str("</EventData></Event>");
    Some(line)
}

/// Names and values of an event.
type Data = Vec<(&'static str, String)>;

fn logon(event: &Event) -> Option<Data> {
    let network = event.auth.logon_type == LogonType::Network;
    let mut data = named("Target", &event.account)?;
    data.push((
        "LogonType",
        if network { OVER_NETWORK } else { REMOTE_DESKTOP }.to_owned(),
    ));
    data.push(("AuthenticationPackageName", "Kerberos".to_owned()));
    data.push(("IpAddress", event.src.ip?.to_string()));
    let port = event.src.port.map_or("0".to_owned(), |port| port.to_string());
    data.push(("IpPort", port));
    if event.status == Status::Success {
        data.push(("TargetLogonId", format!("{:#x}", number(event) >> 24)));
    } else {
        data.push(("Status", "0xc000006d".to_owned()));
        data.push(("SubStatus", code(event).to_owned()));
    }
    Some(data)
}

/// NTSTATUS of what went wrong (Microsoft Learn, 4625).
const fn code(event: &Event) -> &'static str {
    match event.failure {
        Some(FailureReason::UserDoesNotExist) => "0xc0000064",
        Some(_) => "0xc000006a",
        // The password was right, and this logon is not granted here.
        None => "0xc000015b",
    }
}

/// Of one's own password the log has another event, which names nobody else.
fn reset(event: &Event) -> Option<Data> {
    let mut data = named("Subject", &event.account)?;
    data.append(&mut named("Target", event.target.as_ref()?)?);
    data.push(("IpAddress", event.src.ip?.to_string()));
    Some(data)
}

fn named(role: &str, user: &User) -> Option<Data> {
    let (name, domain) = match role {
        "Subject" => ("SubjectUserName", "SubjectDomainName"),
        _ => ("TargetUserName", "TargetDomainName"),
    };
    Some(vec![
        (name, login_name(user)?.to_owned()),
        (domain, "-".to_owned()),
    ])
}

/// A number of the record: the upper half of the event's id.
fn number(event: &Event) -> u64 {
    let digits = event.uid.as_str().get(..16).unwrap_or_default();
    u64::from_str_radix(digits, 16).unwrap_or(0)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
