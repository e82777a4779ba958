//! Keycloak's event types and admin operations as OCSF activities (Keycloak: `EventType`, `OperationType`,
//! `ResourceType`).

use habitus_model::activity::{
    AccountChangeActivity as Account, AuthenticationActivity as Auth, EntityManagementActivity as Entity,
    GroupManagementActivity as Group, UserAccessActivity as Access,
};
use habitus_model::{Activity, FailureReason};

const LOGON: Activity = Activity::Authentication(Auth::Logon);
/// Tokens of OAuth and OpenID Connect: OCSF's ticket activities are Kerberos'.
const TOKEN: Activity = Activity::Authentication(Auth::Other);
const PASSWORD: Activity = Activity::AccountChange(Account::PasswordChange);
const RESET: Activity = Activity::AccountChange(Account::PasswordReset);
const MFA_ON: Activity = Activity::AccountChange(Account::MfaFactorEnable);
const MFA_OFF: Activity = Activity::AccountChange(Account::MfaFactorDisable);
const CHANGE: Activity = Activity::AccountChange(Account::Other);

/// Event types without their `_ERROR`, sorted.
const EVENTS: &[(&str, Activity)] = &[
    ("CLIENT_DELETE", Activity::EntityManagement(Entity::Delete)),
    ("CLIENT_LOGIN", LOGON),
    ("CLIENT_REGISTER", Activity::EntityManagement(Entity::Create)),
    ("CLIENT_UPDATE", Activity::EntityManagement(Entity::Update)),
    ("DELETE_ACCOUNT", Activity::AccountChange(Account::Delete)),
    ("FEDERATED_IDENTITY_LINK", CHANGE),
    ("FEDERATED_IDENTITY_OVERRIDE_LINK", CHANGE),
    ("GRANT_CONSENT", Activity::EntityManagement(Entity::Create)),
    ("IDENTITY_PROVIDER_LINK_ACCOUNT", CHANGE),
    ("IDENTITY_PROVIDER_LOGIN", LOGON),
    ("IMPERSONATE", Activity::Authentication(Auth::AccountSwitch)),
    ("LOGIN", LOGON),
    ("LOGOUT", Activity::Authentication(Auth::Logoff)),
    ("REGISTER", Activity::AccountChange(Account::Create)),
    ("REMOVE_CREDENTIAL", MFA_OFF),
    ("REMOVE_FEDERATED_IDENTITY", CHANGE),
    ("REMOVE_TOTP", MFA_OFF),
    ("RESET_PASSWORD", RESET),
    ("REVOKE_GRANT", Activity::EntityManagement(Entity::Delete)),
    ("SEND_RESET_PASSWORD", RESET),
    ("UPDATE_CONSENT", Activity::EntityManagement(Entity::Update)),
    ("UPDATE_CREDENTIAL", MFA_ON),
    ("UPDATE_EMAIL", CHANGE),
    ("UPDATE_PASSWORD", PASSWORD),
    ("UPDATE_PROFILE", CHANGE),
    ("UPDATE_TOTP", MFA_ON),
    (
        "USER_DISABLED_BY_PERMANENT_LOCKOUT",
        Activity::AccountChange(Account::Lock),
    ),
    (
        "USER_DISABLED_BY_TEMPORARY_LOCKOUT",
        Activity::AccountChange(Account::Lock),
    ),
    ("VERIFY_EMAIL", CHANGE),
    ("VERIFY_PROFILE", CHANGE),
];

/// `error` of failed events as the reason of a failure.
const ERRORS: &[(&str, FailureReason)] = &[
    ("access_denied", FailureReason::PolicyDenied),
    ("client_disabled", FailureReason::AccountDisabled),
    ("client_not_found", FailureReason::UserDoesNotExist),
    ("invalid_authentication_session", FailureReason::Other),
    ("invalid_client_credentials", FailureReason::InvalidCredentials),
    ("invalid_user_credentials", FailureReason::InvalidCredentials),
    ("not_allowed", FailureReason::PolicyDenied),
    ("rejected_by_user", FailureReason::MfaFailed),
    ("user_disabled", FailureReason::AccountDisabled),
    ("user_not_found", FailureReason::UserDoesNotExist),
    ("user_temporarily_disabled", FailureReason::AccountLockedOut),
];

/// The activity of an event type; every type that is not listed deals with tokens or required actions.
pub(super) fn activity(kind: &str, credential: Option<&str>) -> Activity {
    let kind = kind.strip_suffix("_ERROR").unwrap_or(kind);
    if kind == "UPDATE_CREDENTIAL" && credential == Some("password") {
        return PASSWORD;
    }
    let at = EVENTS.binary_search_by_key(&kind, |(name, _)| name).ok();
    at.and_then(|at| EVENTS.get(at))
        .map_or(TOKEN, |(_, activity)| *activity)
}

/// The normalised reason of an `error`.
pub(super) fn failure(error: &str) -> FailureReason {
    let at = ERRORS.binary_search_by_key(&error, |(name, _)| name).ok();
    at.and_then(|at| ERRORS.get(at))
        .map_or(FailureReason::Other, |(_, reason)| *reason)
}

/// The activity of an admin event.
pub(super) fn admin_activity(operation: &str, resource: &str, path: &str) -> Activity {
    let is_removal = operation == "DELETE";
    match resource {
        "USER" => user_activity(operation, path),
        "GROUP_MEMBERSHIP" if is_removal => Activity::GroupManagement(Group::RemoveUser),
        "GROUP_MEMBERSHIP" => Activity::GroupManagement(Group::AddUser),
        "GROUP" => Activity::GroupManagement(match operation {
            "CREATE" => Group::Create,
            "DELETE" => Group::Delete,
            _ => Group::Other,
        }),
        // Roles of groups are rights of all their members.
        "REALM_ROLE_MAPPING" | "CLIENT_ROLE_MAPPING" if path.starts_with("groups/") => {
            Activity::GroupManagement(if is_removal {
                Group::RevokePrivileges
            } else {
                Group::AssignPrivileges
            })
        }
        "REALM_ROLE_MAPPING" | "CLIENT_ROLE_MAPPING" if is_removal => {
            Activity::UserAccess(Access::RevokePrivileges)
        }
        "REALM_ROLE_MAPPING" | "CLIENT_ROLE_MAPPING" => Activity::UserAccess(Access::AssignPrivileges),
        _ => Activity::EntityManagement(match operation {
            "CREATE" => Entity::Create,
            "UPDATE" => Entity::Update,
            "DELETE" => Entity::Delete,
            _ => Entity::Other,
        }),
    }
}

/// What was done to a user: the end of the path tells what an action is.
fn user_activity(operation: &str, path: &str) -> Activity {
    let last = path.rsplit('/').next().unwrap_or_default();
    match (operation, last) {
        (_, "reset-password" | "reset-password-email") => RESET,
        (_, "impersonation") => Activity::Authentication(Auth::AccountSwitch),
        (_, "disable-credential-types") => MFA_OFF,
        ("DELETE", _) if path.contains("/credentials/") => MFA_OFF,
        ("CREATE", _) => Activity::AccountChange(Account::Create),
        ("DELETE", _) => Activity::AccountChange(Account::Delete),
        _ => CHANGE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted() {
        assert!(EVENTS.is_sorted_by_key(|(name, _)| name));
        assert!(ERRORS.is_sorted_by_key(|(name, _)| name));
    }

    #[test]
    fn errors_are_of_their_event() {
        assert_eq!(activity("LOGIN_ERROR", None), LOGON);
        assert_eq!(activity("UPDATE_CREDENTIAL", Some("password")), PASSWORD);
        assert_eq!(activity("CODE_TO_TOKEN_ERROR", None), TOKEN);
    }
}
