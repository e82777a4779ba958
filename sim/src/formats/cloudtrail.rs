//! AWS CloudTrail: logins to the console, and the calls of machines. Times are to the second.

use super::{add, login_name, stamp};
use habitus_model::activity::{ApiActivity as Api, AuthenticationActivity as Auth};
use habitus_model::event::LogonType;
use habitus_model::{AccountKind, Activity, Event, Status};
use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";

pub(super) fn write(event: &Event) -> Option<String> {
    let (source, name) = match event.activity {
        Activity::Authentication(Auth::Logon) if event.auth.logon_type != LogonType::Network => {
            ("signin.amazonaws.com", "ConsoleLogin")
        }
        Activity::Api(Api::Read) => ("s3.amazonaws.com", "GetObject"),
        Activity::Api(Api::Update) => ("dynamodb.amazonaws.com", "UpdateItem"),
        Activity::Api(Api::Create) => ("ec2.amazonaws.com", "RunInstances"),
        Activity::Api(Api::Delete) => ("s3.amazonaws.com", "DeleteObject"),
        _ => return None,
    };
    let console = name == "ConsoleLogin";
    let failed = event.status != Status::Success;
    let mut line = json!({
        "eventVersion": "1.09",
        "eventID": event.uid.as_str(),
        "eventTime": stamp::seconds(event.time),
        "eventSource": source,
        "eventName": name,
        "awsRegion": "eu-central-1",
        "sourceIPAddress": event.src.ip?.to_string(),
        "userAgent": event.client.user_agent.as_deref(),
        "userIdentity": identity(event)?,
        "readOnly": name == "GetObject",
        "eventType": if console { "AwsConsoleSignIn" } else { "AwsApiCall" },
        "recipientAccountId": ACCOUNT,
    });
    if console {
        let result = if failed { "Failure" } else { "Success" };
        add(&mut line, "responseElements", json!({ "ConsoleLogin": result }));
        add(
            &mut line,
            "additionalEventData",
            json!({ "MFAUsed": if event.auth.is_mfa == Some(true) { "Yes" } else { "No" } }),
        );
    } else if failed {
        add(&mut line, "errorCode", json!("AccessDenied"));
    }
    Some(line.to_string())
}

fn identity(event: &Event) -> Option<Value> {
    let name = login_name(&event.account)?;
    let machine = event.account.kind == AccountKind::Service;
    let name = if machine {
        event.account.name.as_deref()?
    } else {
        name
    };
    Some(json!({
        "type": "IAMUser",
        "principalId": "AIDAEXAMPLE",
        "accountId": ACCOUNT,
        "userName": name,
        "accessKeyId": event.auth.credential_uid.as_deref().unwrap_or_default(),
    }))
}
