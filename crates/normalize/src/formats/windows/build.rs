//! A Windows event to an [`Event`].

use super::codes;
use super::record::{Audit, WinRecord};
use super::rules::{self, Roles};
use super::users::{self, user};
use crate::field;
use crate::format::Reading;
use crate::formats::sshd;
use habitus_model::event::{AuthProtocol, LogonType};
use habitus_model::{
    Activity, Event, EventTime, FailureReason, Rejection, Resource, SourceName, Status, Text, TimeQuality,
    User,
};
use std::net::IpAddr;

/// Reads a record; absent if it names nobody.
///
/// # Errors
/// No time, neither in the record nor for the input.
pub fn event(record: &WinRecord<'_>, reading: &Reading<'_>) -> Result<Option<Event>, Rejection> {
    if record
        .channel
        .as_deref()
        .is_some_and(|channel| channel.starts_with("OpenSSH/"))
    {
        return openssh(record, reading);
    }
    let rule = rules::of(record);
    let who = Who::of(record, rule.roles);
    if !who.is_anybody() {
        return Ok(None);
    }
    let (time, quality) = time_of(record, reading)?;
    let mut event = Event::new(
        reading.uid(record.uid().as_deref()),
        time,
        SourceName::new(super::NAME),
        rule.activity,
        Text::from(record.id.to_string()),
    );
    event.time_quality = quality;
    event.status = match record.audit {
        Some(Audit::Success) => Status::Success,
        Some(Audit::Failure) => Status::Failure,
        None => Status::Unknown,
    };
    event.account = who.account.unwrap_or_default();
    event.actor = who.actor;
    event.target = who.target;
    source(&mut event, record);
    service(&mut event, record, rule.roles);
    session(&mut event, record, rule.roles);
    match rule.roles {
        Roles::Logon | Roles::Target => logon(&mut event, record),
        Roles::Ticket => ticket(&mut event, record),
        Roles::Ntlm => ntlm(&mut event, record),
        Roles::Radius => radius(&mut event, record),
        Roles::Federation => federation(&mut event, record),
        Roles::Group | Roles::Member => event.group = Some(group(record)),
        Roles::RemoteDesktop | Roles::LocalSession | Roles::Terminal => {
            event.auth.logon_type = LogonType::RemoteInteractive;
            event.auth.is_remote = event.src.ip.map(|ip| !ip.is_loopback());
            // 4825: the credentials were right, the account is not among those who may come this way.
            if record.id == 4825 {
                event.status = Status::Failure;
                event.failure = Some(FailureReason::PolicyDenied);
            }
        }
        Roles::Subject
        | Roles::Manage
        | Roles::Lockout
        | Roles::Explicit
        | Roles::Rights
        | Roles::Anybody => {}
    }
    details(&mut event, record);
    if reading.options.keep_unmapped {
        event.unmapped = unmapped(record);
    }
    Ok(Some(event))
}

/// Win32-OpenSSH writes sshd's own messages into its channels.
fn openssh(record: &WinRecord<'_>, reading: &Reading<'_>) -> Result<Option<Event>, Rejection> {
    let (time, quality) = time_of(record, reading)?;
    let mut event = Event::new(
        reading.uid(record.uid().as_deref()),
        time,
        SourceName::new(super::NAME),
        Activity::Other {
            class_uid: 0,
            activity_id: 0,
        },
        "",
    );
    event.time_quality = quality;
    let message = record.get("payload").unwrap_or("");
    let is_said = sshd::describe(&mut event, "sshd", message, record.computer.as_deref());
    Ok(is_said.then_some(event))
}

/// The three parts that accounts play.
struct Who {
    account: Option<User>,
    actor: Option<User>,
    target: Option<User>,
}

impl Who {
    fn of(record: &WinRecord<'_>, roles: Roles) -> Self {
        let subject = || user(record, users::SUBJECT);
        let target = || user(record, users::TARGET);
        let pair = |account, target| Self {
            account,
            actor: None,
            target,
        };
        let caused = |account: Option<User>, actor: Option<User>| Self {
            actor: actor.filter(|actor| Some(actor) != account.as_ref()),
            account,
            target: None,
        };
        match roles {
            Roles::Logon => caused(target(), subject()),
            Roles::Lockout => pair(subject(), user(record, users::LOCKED)),
            Roles::Target => pair(target(), None),
            Roles::Subject | Roles::Group => pair(subject(), None),
            Roles::Manage | Roles::Explicit => pair(subject(), target()),
            Roles::Member => pair(subject(), users::member(record)),
            Roles::Rights => pair(subject(), user(record, users::GRANTEE)),
            Roles::Ticket => pair(ticket_user(record), None),
            Roles::Ntlm => pair(record.get("TargetUserName").and_then(users::whole), None),
            Roles::Terminal => pair(user(record, users::ACCOUNT), None),
            Roles::Radius => pair(subject(), None),
            Roles::RemoteDesktop => pair(user(record, users::PARAMS), None),
            Roles::LocalSession => pair(record.get("User").and_then(users::whole), None),
            Roles::Federation => caused(
                record.get("AuditUserId").and_then(users::whole),
                users::writer(record),
            ),
            Roles::Anybody => pair(users::anybody(record), None),
        }
    }

    fn is_anybody(&self) -> bool {
        self.account.is_some() || self.actor.is_some() || self.target.is_some()
    }
}

/// Who asks for a ticket. 4771 has no domain but the one in the service's name, `krbtgt/REALM`.
fn ticket_user(record: &WinRecord<'_>) -> Option<User> {
    let mut user = user(record, users::TARGET)?;
    if user.domain.is_none() {
        user.domain = record
            .get("ServiceName")
            .and_then(|service| service.strip_prefix("krbtgt/"))
            .and_then(field::text);
    }
    Some(user)
}

fn time_of(record: &WinRecord<'_>, reading: &Reading<'_>) -> Result<(EventTime, TimeQuality), Rejection> {
    match (record.time, reading.options.reference_time) {
        (Some(time), _) => Ok((time, TimeQuality::Source)),
        (None, Some(time)) => Ok((time, TimeQuality::Assumed)),
        (None, None) => Err(Rejection::missing("System/TimeCreated")),
    }
}

/// Where it came from. Each event has its own name for it.
fn source(event: &mut Event, record: &WinRecord<'_>) {
    const ADDRESSES: [&str; 8] = [
        "IpAddress",
        "ClientAddress",
        "CallingStationID",
        "ClientIPAddress",
        "Address",
        "Param3",
        "SourceIp",
        "SourceAddress",
    ];
    const PORTS: [&str; 3] = ["IpPort", "SourcePort", "ClientPort"];
    let found = ADDRESSES
        .iter()
        .filter_map(|name| record.get(name))
        .find_map(field::ip_port);
    if let Some((ip, port)) = found {
        event.src.ip = Some(ip);
        let own = record.first(&PORTS).and_then(|port| port.parse().ok());
        // Windows writes port 0 where it knows none.
        event.src.port = port.or(own).filter(|port| *port != 0);
    }
    event.client.device_name = device(record, event.src.ip).and_then(field::text);
}

/// The client's name. Remote desktops name the host itself there, which is no client.
fn device<'r>(record: &'r WinRecord<'_>, ip: Option<IpAddr>) -> Option<&'r str> {
    // 4740: what stands where a domain should is the computer that the wrong passwords came from.
    let caller = (record.id == 4740)
        .then(|| record.get("TargetDomainName"))
        .flatten();
    let name = record
        .first(&["WorkstationName", "Workstation", "ClientName"])
        .or(caller)?
        .trim_start_matches('\\');
    let host = record.computer.as_deref().and_then(|host| host.split('.').next());
    let is_host = host.is_some_and(|host| host.eq_ignore_ascii_case(name));
    let is_remote = ip.is_some_and(|ip| !ip.is_loopback());
    (!(is_host && is_remote)).then_some(name)
}

fn service(event: &mut Event, record: &WinRecord<'_>, roles: Roles) {
    let host = record.computer.as_deref().and_then(field::text);
    let asked = record.get("ServiceName").filter(|_| roles == Roles::Ticket);
    event.service = match asked {
        Some(service) => Some(Resource {
            name: field::text(service),
            uid: record
                .get("ServiceSid")
                .filter(|sid| *sid != "S-1-0-0")
                .and_then(field::text),
            kind: Some(Text::const_new("kerberos service")),
            namespace: host,
        }),
        None => host.map(|host| Resource {
            name: Some(host),
            kind: Some(Text::const_new("host")),
            ..Resource::default()
        }),
    };
}

/// Logon ids are unique on one host between two starts (Microsoft Learn, 4624).
fn session(event: &mut Event, record: &WinRecord<'_>, roles: Roles) {
    let names: &[&str] = match roles {
        Roles::Logon | Roles::Target => &["TargetLogonId"],
        Roles::Terminal => &["LogonID", "LogonId"],
        Roles::LocalSession => &["SessionID"],
        _ => &["SubjectLogonId"],
    };
    // Logon id 0 is no session: it stands beside failures.
    let id = record.first(names).filter(|id| codes::number(id) != Some(0));
    event.session = id.map(|id| match record.computer.as_deref() {
        Some(host) => Text::from(format!("{host}/{id}")),
        None => Text::new(id),
    });
}

fn logon(event: &mut Event, record: &WinRecord<'_>) {
    if let Some(number) = record.get("LogonType").and_then(|text| text.parse().ok()) {
        event.auth.logon_type = LogonType::from_id(number).unwrap_or(LogonType::Other);
        event.auth.is_remote = is_remote(event.auth.logon_type, event.src.ip);
    }
    let package = record.get("AuthenticationPackageName");
    let lm = record.get("LmPackageName");
    event.auth.protocol = protocol(package, lm);
    event.auth.method = lm.or(package).and_then(field::text);
    const NO_GUID: &str = "00000000-0000-0000-0000-000000000000";
    event.auth.token_uid = record
        .get("LogonGuid")
        .map(|guid| guid.trim_matches(['{', '}']))
        .filter(|guid| *guid != NO_GUID)
        .and_then(field::text);
    // The outer status often says only "bad user name or password"; the inner one says which.
    let code = record
        .get("SubStatus")
        .filter(|code| codes::number(code) != Some(0))
        .or_else(|| record.get("Status"));
    outcome(event, code, codes::nt);
}

/// By logon type (Microsoft Learn, 4624, table of logon types). Unlocking and new credentials may be either.
fn is_remote(kind: LogonType, ip: Option<IpAddr>) -> Option<bool> {
    match kind {
        LogonType::Network
        | LogonType::NetworkCleartext
        | LogonType::RemoteInteractive
        | LogonType::CachedRemoteInteractive => Some(ip.is_none_or(|ip| !ip.is_loopback())),
        LogonType::System
        | LogonType::Interactive
        | LogonType::Batch
        | LogonType::OsService
        | LogonType::CachedInteractive => Some(false),
        LogonType::Unlock | LogonType::CachedUnlock | LogonType::NewCredentials => {
            ip.map(|ip| !ip.is_loopback())
        }
        LogonType::Unknown | LogonType::Other => None,
    }
}

fn protocol(package: Option<&str>, lm: Option<&str>) -> AuthProtocol {
    match package {
        Some("Kerberos") => AuthProtocol::Kerberos,
        Some("NTLM" | "MICROSOFT_AUTHENTICATION_PACKAGE_V1_0") => AuthProtocol::Ntlm,
        Some("WDigest") => AuthProtocol::Digest,
        _ if lm.is_some_and(|lm| lm.starts_with("NTLM") || lm == "LM") => AuthProtocol::Ntlm,
        // Negotiate chose one and did not say which.
        Some("Negotiate") | None => AuthProtocol::Unknown,
        Some(_) => AuthProtocol::Other,
    }
}

fn ticket(event: &mut Event, record: &WinRecord<'_>) {
    event.auth.protocol = AuthProtocol::Kerberos;
    event.auth.method = record
        .get("TicketEncryptionType")
        .filter(|kind| codes::number(kind) != Some(u32::MAX))
        .and_then(field::text);
    event.auth.credential_uid = record.get("CertThumbprint").and_then(field::text);
    // Tickets are asked for over the network; the centre's own requests bear its loopback address.
    event.auth.is_remote = event.src.ip.map(|ip| !ip.is_loopback());
    outcome(
        event,
        record.first(&["Status", "ResultCode", "FailureCode"]),
        codes::kerberos,
    );
}

fn ntlm(event: &mut Event, record: &WinRecord<'_>) {
    event.auth.protocol = AuthProtocol::Ntlm;
    event.auth.method = record.get("PackageName").and_then(field::text);
    outcome(event, record.first(&["Status", "ErrorCode"]), codes::nt);
}

/// Network Policy Server: granted (6272, 6278), denied (6273).
fn radius(event: &mut Event, record: &WinRecord<'_>) {
    event.auth.protocol = AuthProtocol::Radius;
    event.auth.is_remote = Some(true);
    event.auth.method = record
        .first(&["AuthenticationType", "EAPType"])
        .and_then(field::text);
    if event.action == "6273" {
        event.status = Status::Failure;
        event.status_code = record.get("ReasonCode").and_then(field::text);
        event.status_detail = record.get("Reason").and_then(field::text);
        // Reason code 16: wrong credentials (Microsoft Learn, "Network Policy Server reason codes").
        event.failure = Some(match record.get("ReasonCode") {
            Some("16") => FailureReason::InvalidCredentials,
            _ => FailureReason::PolicyDenied,
        });
    }
}

/// AD FS: by event, whatever the audit's keyword.
fn federation(event: &mut Event, record: &WinRecord<'_>) {
    event.client.user_agent = record.get("UserAgentString").and_then(field::user_agent);
    event.auth.is_remote = Some(true);
    let detail = record.get("FailureType");
    event.status_detail = detail.and_then(field::text);
    if matches!(record.id, 1201 | 1203) {
        event.status = Status::Failure;
        event.failure = Some(match detail {
            Some("CredentialValidationError") => FailureReason::InvalidCredentials,
            _ => FailureReason::Other,
        });
    } else {
        event.status = Status::Success;
    }
}

/// A result code outweighs the audit's keyword: some shippers drop one, some the other.
fn outcome(event: &mut Event, code: Option<&str>, words: fn(&str) -> Option<codes::Meaning>) {
    let always_fails = matches!(event.action.as_str(), "4625" | "4771" | "4772" | "4773" | "4777");
    let always_succeeds = event.action == "4624";
    let found = code.filter(|_| !always_succeeds).and_then(words);
    if let Some((reason, words)) = found {
        event.status = Status::Failure;
        event.failure = Some(reason);
        event.status_detail = words.map(Text::const_new);
        event.status_code = code.and_then(field::text);
    } else if always_fails || event.status == Status::Failure {
        event.status = Status::Failure;
        event.failure = Some(FailureReason::Other);
    } else if always_succeeds || code.is_some_and(|code| codes::number(code) == Some(0)) {
        event.status = Status::Success;
    }
}

fn group(record: &WinRecord<'_>) -> Resource {
    Resource {
        name: record.get("TargetUserName").and_then(field::text),
        uid: record.get("TargetSid").and_then(field::text),
        kind: Some(Text::const_new("group")),
        namespace: record.get("TargetDomainName").and_then(field::text),
    }
}

/// Rights and objects, for whatever event has them.
fn details(event: &mut Event, record: &WinRecord<'_>) {
    if let Some(rights) = record.first(&["PrivilegeList", "SidList", "AccessGranted", "AccessRemoved"]) {
        event.privileges = users::list(rights);
    }
    for (name, kind) in [
        ("ShareName", "share"),
        ("ObjectName", "object"),
        ("TaskName", "task"),
    ] {
        if let Some(found) = record.get(name).and_then(field::text) {
            event.resources.push(Resource {
                name: Some(found),
                kind: Some(Text::const_new(kind)),
                ..Resource::default()
            });
        }
    }
    if matches!(record.id, 104 | 1102) {
        event.resources.push(Resource {
            name: record
                .get("Channel")
                .or(record.channel.as_deref())
                .and_then(field::text),
            kind: Some(Text::const_new("event log")),
            ..Resource::default()
        });
    }
}

/// All fields of the event: most have no place of their own.
fn unmapped(record: &WinRecord<'_>) -> Option<Text> {
    let fields: serde_json::Map<String, serde_json::Value> = record
        .data
        .iter()
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.clone().into_owned(), value.as_ref().into()))
        .collect();
    (!fields.is_empty()).then(|| Text::from(serde_json::Value::Object(fields).to_string()))
}
