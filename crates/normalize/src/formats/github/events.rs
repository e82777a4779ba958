//! GitHub's actions as OCSF activities (GitHub: audit log events, security log events).

use habitus_model::Activity;
use habitus_model::activity::{
    AccountChangeActivity as Account, ApiActivity as Api, AuthenticationActivity as Auth,
    EntityManagementActivity as Entity, GroupManagementActivity as Group, UserAccessActivity as Access,
};

const GRANT: Activity = Activity::UserAccess(Access::AssignPrivileges);
const REVOKE: Activity = Activity::UserAccess(Access::RevokePrivileges);
const ADD: Activity = Activity::GroupManagement(Group::AddUser);
const REMOVE: Activity = Activity::GroupManagement(Group::RemoveUser);
const LOGON: Activity = Activity::Authentication(Auth::Logon);
const CHALLENGE: Activity = Activity::Authentication(Auth::Preauth);
const MFA_ON: Activity = Activity::AccountChange(Account::MfaFactorEnable);
const MFA_OFF: Activity = Activity::AccountChange(Account::MfaFactorDisable);

/// Actions with a class of their own, sorted.
const EVENTS: &[(&str, Activity)] = &[
    ("business.add_admin", GRANT),
    (
        "business.add_organization",
        Activity::EntityManagement(Entity::Update),
    ),
    ("business.remove_admin", REVOKE),
    ("business.sso_response", LOGON),
    (
        "external_identity.deprovision",
        Activity::AccountChange(Account::Delete),
    ),
    (
        "external_identity.provision",
        Activity::AccountChange(Account::Create),
    ),
    (
        "external_identity.update",
        Activity::AccountChange(Account::Other),
    ),
    ("git.clone", Activity::Api(Api::Read)),
    ("git.fetch", Activity::Api(Api::Read)),
    // A push creates, moves and deletes references alike; OCSF maps it to Other too.
    ("git.push", Activity::Api(Api::Other)),
    ("org.add_member", ADD),
    ("org.add_outside_collaborator", GRANT),
    ("org.invite_member", ADD),
    ("org.remove_member", REMOVE),
    ("org.remove_outside_collaborator", REVOKE),
    ("org.sso_response", LOGON),
    ("org.update_member", GRANT),
    ("organization_moderators.add_user", ADD),
    ("organization_moderators.remove_user", REMOVE),
    ("organization_role.assign", GRANT),
    ("organization_role.revoke", REVOKE),
    ("passkey.register", MFA_ON),
    ("passkey.remove", MFA_OFF),
    ("personal_access_token.access_granted", GRANT),
    ("personal_access_token.access_revoked", REVOKE),
    ("repo.add_member", GRANT),
    ("repo.remove_member", REVOKE),
    ("repo.update_member", GRANT),
    ("role.create", Activity::EntityManagement(Entity::Create)),
    ("security_key.register", MFA_ON),
    ("security_key.remove", MFA_OFF),
    ("team.add_member", ADD),
    (
        "team.add_repository",
        Activity::GroupManagement(Group::AssignPrivileges),
    ),
    ("team.create", Activity::GroupManagement(Group::Create)),
    ("team.demote_maintainer", REVOKE),
    ("team.destroy", Activity::GroupManagement(Group::Delete)),
    ("team.promote_maintainer", GRANT),
    ("team.remove_member", REMOVE),
    (
        "team.remove_repository",
        Activity::GroupManagement(Group::RevokePrivileges),
    ),
    ("two_factor_authentication.add_factor", MFA_ON),
    ("two_factor_authentication.disabled", MFA_OFF),
    ("two_factor_authentication.enabled", MFA_ON),
    (
        "two_factor_authentication.recovery_codes_regenerated",
        Activity::AccountChange(Account::Other),
    ),
    ("two_factor_authentication.remove_factor", MFA_OFF),
    (
        "user.change_password",
        Activity::AccountChange(Account::PasswordChange),
    ),
    ("user.correct_password_from_unrecognized_device", CHALLENGE),
    (
        "user.correct_password_from_unrecognized_device_and_location",
        CHALLENGE,
    ),
    ("user.create", Activity::AccountChange(Account::Create)),
    ("user.destroy", Activity::AccountChange(Account::Delete)),
    ("user.device_verification_failure", CHALLENGE),
    ("user.device_verification_requested", CHALLENGE),
    ("user.device_verification_success", CHALLENGE),
    ("user.failed_login", LOGON),
    (
        "user.forgot_password",
        Activity::AccountChange(Account::PasswordReset),
    ),
    ("user.login", LOGON),
    ("user.logout", Activity::Authentication(Auth::Logoff)),
    ("user.promote", GRANT),
    (
        "user.reset_password",
        Activity::AccountChange(Account::PasswordReset),
    ),
    ("user.suspend", Activity::AccountChange(Account::Disable)),
    ("user.two_factor_challenge_failure", CHALLENGE),
    ("user.two_factor_challenge_success", CHALLENGE),
    ("user.two_factor_recover", CHALLENGE),
    ("user.two_factor_requested", CHALLENGE),
    ("user.unsuspend", Activity::AccountChange(Account::Enable)),
];

/// What `operation_type` says of the rest (GitHub: audit log fields).
const OPERATIONS: &[(&str, Activity)] = &[
    ("access", Activity::Api(Api::Read)),
    ("authentication", Activity::Authentication(Auth::Other)),
    ("create", Activity::EntityManagement(Entity::Create)),
    ("modify", Activity::EntityManagement(Entity::Update)),
    ("remove", Activity::EntityManagement(Entity::Delete)),
    ("restore", Activity::EntityManagement(Entity::Update)),
    ("transfer", Activity::EntityManagement(Entity::Move)),
];

/// Beginnings of the last word of an action, where nothing else tells.
const VERBS: &[(&str, Activity)] = &[
    ("access", Activity::EntityManagement(Entity::Update)),
    ("add", Activity::EntityManagement(Entity::Create)),
    ("archived", Activity::EntityManagement(Entity::Update)),
    ("create", Activity::EntityManagement(Entity::Create)),
    ("delete", Activity::EntityManagement(Entity::Delete)),
    ("destroy", Activity::EntityManagement(Entity::Delete)),
    ("disable", Activity::EntityManagement(Entity::Disable)),
    ("download", Activity::Api(Api::Read)),
    ("enable", Activity::EntityManagement(Entity::Enable)),
    ("regenerate", Activity::EntityManagement(Entity::Update)),
    ("remove", Activity::EntityManagement(Entity::Delete)),
    ("revoke", Activity::EntityManagement(Entity::Delete)),
    ("transfer", Activity::EntityManagement(Entity::Move)),
    ("update", Activity::EntityManagement(Entity::Update)),
];

/// The activity of an action: as listed, else by the kind of operation, else by its verb; else an API call.
pub(super) fn activity(action: &str, operation: Option<&str>) -> Activity {
    if let Ok(at) = EVENTS.binary_search_by_key(&action, |(name, _)| name) {
        return EVENTS
            .get(at)
            .map_or(Activity::Api(Api::Other), |(_, activity)| *activity);
    }
    let by_operation = operation.and_then(|said| OPERATIONS.iter().find(|(name, _)| *name == said));
    let verb = action.rsplit('.').next().unwrap_or_default();
    by_operation
        .or_else(|| VERBS.iter().find(|(name, _)| verb.starts_with(name)))
        .map_or(Activity::Api(Api::Other), |(_, activity)| *activity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted() {
        assert!(EVENTS.is_sorted_by_key(|(name, _)| name));
    }

    #[test]
    fn unlisted_actions_go_by_operation_then_verb() {
        assert_eq!(activity("hook.config_changed", Some("modify")).class_uid(), 3004);
        assert_eq!(
            activity("protected_branch.destroy", None).activity_name(),
            "Delete"
        );
        assert_eq!(
            activity("workflows.completed_workflow_run", None).class_uid(),
            6003
        );
    }
}
