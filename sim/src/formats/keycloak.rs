//! Keycloak's user events as JSON: logins and token refreshes of people.

use super::{add, login_name};
use habitus_model::activity::AuthenticationActivity as Auth;
use habitus_model::event::LogonType;
use habitus_model::{AccountKind, Activity, Event, FailureReason, Status};
use serde_json::json;

pub(super) fn write(event: &Event) -> Option<String> {
    if event.account.kind == AccountKind::Service {
        return None;
    }
    let kind = match event.activity {
        Activity::Authentication(Auth::Logon) if event.auth.logon_type == LogonType::Network => return None,
        Activity::Authentication(Auth::Logon) => "LOGIN",
        Activity::Authentication(Auth::Other) => "REFRESH_TOKEN",
        _ => return None,
    };
    let failed = event.status != Status::Success;
    let error = match event.failure {
        Some(FailureReason::UserDoesNotExist) => "user_not_found",
        Some(_) | None => "invalid_user_credentials",
    };
    let mut line = json!({
        "id": event.uid.as_str(),
        "time": event.time.as_millis(),
        "type": if failed { format!("{kind}_ERROR") } else { kind.to_owned() },
        "realmId": "example",
        "clientId": "account-console",
        "userId": event.account.uid.as_deref(),
        "sessionId": event.session.as_deref(),
        "ipAddress": event.src.ip?.to_string(),
        "details": { "username": login_name(&event.account)?, "auth_method": "openid-connect", "user_agent": event.client.user_agent.as_deref() },
    });
    if failed {
        add(&mut line, "error", json!(error));
    }
    Some(line.to_string())
}
