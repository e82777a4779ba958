//! GitHub's audit log: sign-ins, second factors, repositories that are read, members and their roles.

use super::{add, login_name};
use habitus_model::activity::{
    AccountChangeActivity as Account, ApiActivity as Api, AuthenticationActivity as Auth,
    EntityManagementActivity as Entity, UserAccessActivity as Access,
};
use habitus_model::event::LogonType;
use habitus_model::{Activity, Event, Status};
use serde_json::json;

/// What resources that are repositories are called.
const REPOSITORY: &str = "repository";

pub(super) fn write(event: &Event) -> Option<String> {
    let action = action(event)?;
    let src = &event.src;
    let who = login_name(&event.account)?;
    let mut line = json!({
        "_document_id": event.uid.as_str(),
        "@timestamp": event.time.as_millis(),
        "created_at": event.time.as_millis(),
        "action": action,
        "actor_ip": src.ip?.to_string(),
        "actor_location": { "country_code": src.country.as_deref() },
        "user_agent": event.client.user_agent.as_deref(),
        "org": "example",
        "hashed_token": event.auth.credential_uid.as_deref(),
    });
    // Who failed to sign in is nobody yet: the log has the name that was tried.
    let whose = if action == "user.failed_login" {
        "user"
    } else {
        "actor"
    };
    add(&mut line, whose, json!(who));
    if let Some(other) = event.target.as_ref().and_then(login_name) {
        add(&mut line, "user", json!(other));
    }
    if let Some(repository) = repository(event) {
        add(&mut line, "repo", json!(format!("example/{repository}")));
    }
    if let Some(role) = event.privileges.first() {
        add(&mut line, "permission", json!(role.as_str()));
    }
    Some(line.to_string())
}

/// GitHub's name for it (GitHub: audit log events); `None` for what it does not log.
fn action(event: &Event) -> Option<&'static str> {
    let succeeded = event.status == Status::Success;
    match (event.activity, succeeded) {
        (Activity::Authentication(Auth::Logon), _) if event.auth.logon_type == LogonType::Network => None,
        (Activity::Authentication(Auth::Logon), true) => Some("user.login"),
        (Activity::Authentication(Auth::Logon), false) => Some("user.failed_login"),
        (Activity::Authentication(Auth::Preauth), true) => Some("user.two_factor_challenge_success"),
        (Activity::Authentication(Auth::Preauth), false) => Some("user.two_factor_challenge_failure"),
        // The log says only of what was done that it was done.
        (_, false) => None,
        (Activity::Api(Api::Read), _) => repository(event).map(|_| "git.clone"),
        (Activity::UserAccess(Access::AssignPrivileges), _) => Some("org.update_member"),
        (Activity::AccountChange(Account::MfaFactorEnable), _) => {
            Some("two_factor_authentication.add_factor")
        }
        (Activity::AccountChange(Account::MfaFactorDisable), _) => Some("two_factor_authentication.disabled"),
        (Activity::AccountChange(Account::PasswordReset), _) => Some("user.reset_password"),
        (Activity::EntityManagement(Entity::Create), _) => Some("oauth_access.create"),
        _ => None,
    }
}

fn repository(event: &Event) -> Option<&str> {
    let found = event
        .resources
        .iter()
        .find(|one| one.kind.as_deref() == Some(REPOSITORY));
    found?.name.as_deref()
}
