//! Okta's event types as OCSF activities (Okta: System Log event types).

use habitus_model::Activity;
use habitus_model::activity::{
    AccountChangeActivity as Account, AuthenticationActivity as Auth, EntityManagementActivity as Entity,
    GroupManagementActivity as Group, UserAccessActivity as Access,
};

const LOGON: Activity = Activity::Authentication(Auth::Logon);
const LOGOFF: Activity = Activity::Authentication(Auth::Logoff);
/// A second factor or a policy is asked for, passed or refused.
pub(super) const CHALLENGE: Activity = Activity::Authentication(Auth::Preauth);
const AUTH_OTHER: Activity = Activity::Authentication(Auth::Other);

const fn account(activity: Account) -> Activity {
    Activity::AccountChange(activity)
}

/// Event types with a class of their own, sorted.
const EVENTS: &[(&str, Activity)] = &[
    ("application.policy.sign_on.deny_access", CHALLENGE),
    (
        "application.user_membership.add",
        Activity::UserAccess(Access::AssignPrivileges),
    ),
    (
        "application.user_membership.remove",
        Activity::UserAccess(Access::RevokePrivileges),
    ),
    (
        "application.user_membership.revoke",
        Activity::UserAccess(Access::RevokePrivileges),
    ),
    (
        "device.enrollment.create",
        Activity::EntityManagement(Entity::Enroll),
    ),
    (
        "device.enrollment.revoke",
        Activity::EntityManagement(Entity::Unenroll),
    ),
    ("device.user.add", Activity::EntityManagement(Entity::Enroll)),
    ("device.user.remove", Activity::EntityManagement(Entity::Unenroll)),
    ("group.lifecycle.create", Activity::GroupManagement(Group::Create)),
    ("group.lifecycle.delete", Activity::GroupManagement(Group::Delete)),
    (
        "group.privilege.grant",
        Activity::GroupManagement(Group::AssignPrivileges),
    ),
    (
        "group.privilege.revoke",
        Activity::GroupManagement(Group::RevokePrivileges),
    ),
    (
        "group.user_membership.add",
        Activity::GroupManagement(Group::AddUser),
    ),
    (
        "group.user_membership.remove",
        Activity::GroupManagement(Group::RemoveUser),
    ),
    (
        "iam.resourceset.bindings.add",
        Activity::UserAccess(Access::AssignPrivileges),
    ),
    (
        "iam.resourceset.bindings.delete",
        Activity::UserAccess(Access::RevokePrivileges),
    ),
    ("policy.auth_reevaluate.fail", AUTH_OTHER),
    ("policy.continuous_access.evaluate", AUTH_OTHER),
    ("policy.evaluate_sign_on", CHALLENGE),
    (
        "system.api_token.revoke",
        Activity::EntityManagement(Entity::Delete),
    ),
    ("system.email.challenge_factor_redeemed", CHALLENGE),
    ("system.email.send_factor_verify_message", CHALLENGE),
    ("system.push.send_factor_verify_push", CHALLENGE),
    ("system.sms.send_factor_verify_message", CHALLENGE),
    ("system.voice.send_mfa_challenge_call", CHALLENGE),
    ("user.account.lock", account(Account::Lock)),
    ("user.account.lock.limit", account(Account::Lock)),
    (
        "user.account.privilege.grant",
        Activity::UserAccess(Access::AssignPrivileges),
    ),
    (
        "user.account.privilege.revoke",
        Activity::UserAccess(Access::RevokePrivileges),
    ),
    ("user.account.reset_password", account(Account::PasswordReset)),
    ("user.account.unlock", account(Account::Unlock)),
    ("user.account.unlock_by_admin", account(Account::Unlock)),
    ("user.account.unlock_token", account(Account::Unlock)),
    ("user.account.update_password", account(Account::PasswordChange)),
    ("user.authentication.auth", LOGON),
    ("user.authentication.auth_via_AD_agent", LOGON),
    ("user.authentication.auth_via_IDP", LOGON),
    ("user.authentication.auth_via_LDAP_agent", LOGON),
    ("user.authentication.auth_via_inbound_SAML", LOGON),
    ("user.authentication.auth_via_inbound_delauth", LOGON),
    ("user.authentication.auth_via_iwa", LOGON),
    ("user.authentication.auth_via_mfa", CHALLENGE),
    ("user.authentication.auth_via_radius", LOGON),
    ("user.authentication.auth_via_richclient", LOGON),
    ("user.authentication.auth_via_social", LOGON),
    ("user.authentication.authenticate", LOGON),
    ("user.authentication.slo", LOGOFF),
    ("user.authentication.sso", LOGON),
    ("user.authentication.universal_logout", LOGOFF),
    ("user.authentication.verify", CHALLENGE),
    ("user.credential.enroll", account(Account::MfaFactorEnable)),
    ("user.credential.revoke", account(Account::MfaFactorDisable)),
    ("user.lifecycle.activate", account(Account::Enable)),
    ("user.lifecycle.create", account(Account::Create)),
    ("user.lifecycle.deactivate", account(Account::Disable)),
    ("user.lifecycle.delete.completed", account(Account::Delete)),
    ("user.lifecycle.delete.initiated", account(Account::Delete)),
    ("user.lifecycle.jit.error.read_only", account(Account::Create)),
    ("user.lifecycle.reactivate", account(Account::Enable)),
    ("user.lifecycle.suspend", account(Account::Disable)),
    ("user.lifecycle.unsuspend", account(Account::Enable)),
    ("user.mfa.attempt_bypass", CHALLENGE),
    ("user.mfa.factor.activate", account(Account::MfaFactorEnable)),
    ("user.mfa.factor.deactivate", account(Account::MfaFactorDisable)),
    ("user.mfa.factor.reset_all", account(Account::MfaFactorDisable)),
    ("user.mfa.factor.suspend", account(Account::MfaFactorDisable)),
    ("user.mfa.factor.unsuspend", account(Account::MfaFactorEnable)),
    ("user.mfa.okta_verify", CHALLENGE),
    ("user.mfa.okta_verify.deny_push", CHALLENGE),
    ("user.mfa.okta_verify.deny_push_upgrade_needed", CHALLENGE),
    ("user.session.access_admin_app", LOGON),
    ("user.session.clear", LOGOFF),
    ("user.session.end", LOGOFF),
    ("user.session.expire", LOGOFF),
    ("user.session.impersonation.end", LOGOFF),
    (
        "user.session.impersonation.extend",
        Activity::UserAccess(Access::AssignPrivileges),
    ),
    (
        "user.session.impersonation.grant",
        Activity::UserAccess(Access::AssignPrivileges),
    ),
    (
        "user.session.impersonation.initiate",
        Activity::Authentication(Auth::AccountSwitch),
    ),
    (
        "user.session.impersonation.revoke",
        Activity::UserAccess(Access::RevokePrivileges),
    ),
    ("user.session.start", LOGON),
];

/// Families of event types, for those that are not in the list.
const FAMILIES: &[(&str, Activity)] = &[
    ("app.oauth2.", AUTH_OTHER),
    ("group.", Activity::GroupManagement(Group::Other)),
    ("user.account.", account(Account::Other)),
    ("user.authentication.", AUTH_OTHER),
    ("user.credential.", account(Account::Other)),
    ("user.lifecycle.", account(Account::Other)),
    ("user.mfa.", account(Account::Other)),
    ("user.session.", AUTH_OTHER),
];

/// What the last word of a type does to the thing the words before it name.
const VERBS: &[(&str, Entity)] = &[
    ("activate", Entity::Activate),
    ("add", Entity::Create),
    ("create", Entity::Create),
    ("deactivate", Entity::Deactivate),
    ("delete", Entity::Delete),
    ("disable", Entity::Disable),
    ("enable", Entity::Enable),
    ("read", Entity::Read),
    ("remove", Entity::Delete),
    ("update", Entity::Update),
    ("view", Entity::Read),
];

/// The activity of an event type: as listed, else by its family, else by its verb; class 0 if none fits.
pub(super) fn activity(event_type: &str) -> Activity {
    if let Ok(at) = EVENTS.binary_search_by_key(&event_type, |(name, _)| name) {
        return EVENTS.get(at).map_or(AUTH_OTHER, |(_, activity)| *activity);
    }
    let family = FAMILIES.iter().find(|(prefix, _)| event_type.starts_with(prefix));
    if let Some((_, activity)) = family {
        return *activity;
    }
    let verb = event_type.rsplit('.').next().unwrap_or_default();
    VERBS.iter().find(|(name, _)| *name == verb).map_or(
        Activity::Other {
            class_uid: 0,
            activity_id: 0,
        },
        |(_, activity)| Activity::EntityManagement(*activity),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted() {
        assert!(EVENTS.is_sorted_by_key(|(name, _)| name));
    }

    #[test]
    fn families_and_verbs_catch_the_rest() {
        assert_eq!(activity("app.oauth2.as.token.grant.access_token"), AUTH_OTHER);
        assert_eq!(
            activity("policy.rule.update"),
            Activity::EntityManagement(Entity::Update)
        );
        assert_eq!(activity("security.threat.detected").class_uid(), 0);
    }
}
