//! Microsoft 365's unified audit log: logons, files, passwords that are set. Times are to the second.

use super::{add, login_name, stamp};
use habitus_model::activity::{
    AccountChangeActivity as Account, ApiActivity as Api, AuthenticationActivity as Auth,
};
use habitus_model::event::LogonType;
use habitus_model::{AccountKind, Activity, Event, FailureReason, Status};
use serde_json::{Value, json};

/// Operation, record type and workload (Office 365 Management Activity API schema).
struct Kind {
    operation: &'static str,
    record_type: u32,
    workload: &'static str,
}

pub(super) fn write(event: &Event) -> Option<String> {
    let kind = kind(event)?;
    let mut line = json!({
        "Id": event.uid.as_str(),
        "CreationTime": stamp::seconds(event.time).trim_end_matches('Z'),
        "Operation": kind.operation,
        "RecordType": kind.record_type,
        "Workload": kind.workload,
        "UserType": 0,
        "UserId": login_name(&event.account)?,
        "UserKey": event.account.uid.as_deref(),
        "OrganizationId": "6f1c9d0e-0000-4000-8000-000000000001",
        "ResultStatus": "Success",
        "ClientIP": event.src.ip?.to_string(),
        "UserAgent": event.client.user_agent.as_deref(),
        "DeviceProperties": device(event),
        "Version": 1,
    });
    if let Some(thing) = event.resources.first().and_then(|thing| thing.name.as_deref()) {
        add(&mut line, "ObjectId", json!(thing));
    }
    if kind.record_type == LOGON {
        add(&mut line, "ErrorNumber", json!(code(event)));
    }
    if let Some(target) = event.target.as_ref().and_then(login_name) {
        // Types of the directory's schema: 5 is a user principal name.
        add(&mut line, "Target", json!([{ "ID": target, "Type": 5 }]));
    }
    Some(line.to_string())
}

/// Record type of logons at the security token service.
const LOGON: u32 = 15;

fn kind(event: &Event) -> Option<Kind> {
    let of = |operation, record_type, workload| {
        Some(Kind {
            operation,
            record_type,
            workload,
        })
    };
    let succeeded = event.status == Status::Success;
    if event.account.kind == AccountKind::Service {
        return None;
    }
    match event.activity {
        Activity::Authentication(Auth::Logon) if event.auth.logon_type == LogonType::Network => None,
        Activity::Authentication(Auth::Logon) if succeeded => {
            of("UserLoggedIn", LOGON, "AzureActiveDirectory")
        }
        Activity::Authentication(Auth::Logon) => of("UserLoginFailed", LOGON, "AzureActiveDirectory"),
        // Files that somebody may not have are no records.
        _ if !succeeded => None,
        Activity::Api(Api::Read) => of("FileAccessed", 6, "SharePoint"),
        Activity::Api(Api::Update) => of("FileModified", 6, "SharePoint"),
        Activity::Api(Api::Create) => of("FileUploaded", 6, "SharePoint"),
        Activity::Api(Api::Delete) => of("FileDeleted", 6, "SharePoint"),
        Activity::AccountChange(Account::PasswordReset) => {
            of("Reset user password.", 8, "AzureActiveDirectory")
        }
        _ => None,
    }
}

/// As text, which the log has for numbers here.
fn code(event: &Event) -> &'static str {
    match (event.status, event.failure) {
        (Status::Success, _) => "0",
        (_, Some(FailureReason::UserDoesNotExist)) => "50034",
        (_, Some(FailureReason::MfaFailed)) => "500121",
        (_, _) => "50126",
    }
}

fn device(event: &Event) -> Vec<Value> {
    let given = [
        ("Id", event.client.device_uid.as_deref()),
        ("SessionId", event.session.as_deref()),
    ];
    let said = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
    said.map(|(name, value)| json!({ "Name": name, "Value": value }))
        .collect()
}
