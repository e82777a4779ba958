//! Which OCSF activity an API call is, by service and name.
//!
//! Sources: IAM API Reference, STS API Reference, Identity Store API Reference, and the CloudTrail User Guide on sign-in
//! events; OCSF 1.8 for the activities.

use habitus_model::Activity;
use habitus_model::activity::{
    AccountChangeActivity as Account, ApiActivity as Api, AuthenticationActivity as Auth,
    EntityManagementActivity as Entity, GroupManagementActivity as Group, UserAccessActivity as Access,
};

/// The activity of `event` of the service `source` (`iam.amazonaws.com`; absent: IAM). Calls without a line in the
/// table are API Activity by their verb; `is_read_only` decides where the verb is not known.
#[must_use]
pub fn of(source: Option<&str>, event: &str, is_read_only: Option<bool>) -> Activity {
    let service = source.map_or("iam", |source| {
        source.strip_suffix(".amazonaws.com").unwrap_or(source)
    });
    match EVENTS.binary_search_by(|(s, e, _)| (*s, *e).cmp(&(service, event))) {
        Ok(at) => EVENTS
            .get(at)
            .map_or(Activity::Api(Api::Unknown), |(_, _, activity)| *activity),
        Err(_) => Activity::Api(by_verb(event, is_read_only)),
    }
}

fn by_verb(event: &str, is_read_only: Option<bool>) -> Api {
    let mut name = event;
    for modifier in ["Batch", "Admin", "Bulk"] {
        name = name.strip_prefix(modifier).unwrap_or(name);
    }
    let end = name
        .char_indices()
        .skip(1)
        .find(|(_, c)| !c.is_ascii_lowercase())
        .map_or(name.len(), |(at, _)| at);
    let verb = name.get(..end).unwrap_or(name);
    match VERBS.binary_search_by(|(known, _)| (*known).cmp(verb)) {
        Ok(at) => VERBS.get(at).map_or(Api::Other, |(_, activity)| *activity),
        Err(_) if is_read_only == Some(true) => Api::Read,
        Err(_) => Api::Other,
    }
}

/// First words of API names. Sorted.
const VERBS: &[(&str, Api)] = &[
    ("Add", Api::Create),
    ("Allocate", Api::Create),
    ("Apply", Api::Update),
    ("Associate", Api::Update),
    ("Attach", Api::Update),
    ("Authorize", Api::Update),
    ("Cancel", Api::Delete),
    ("Change", Api::Update),
    ("Check", Api::Read),
    ("Copy", Api::Create),
    ("Create", Api::Create),
    ("Decrypt", Api::Read),
    ("Delete", Api::Delete),
    ("Deregister", Api::Delete),
    ("Describe", Api::Read),
    ("Detach", Api::Update),
    ("Disable", Api::Update),
    ("Disassociate", Api::Update),
    ("Download", Api::Read),
    ("Enable", Api::Update),
    ("Export", Api::Read),
    ("Filter", Api::Read),
    ("Generate", Api::Create),
    ("Get", Api::Read),
    ("Head", Api::Read),
    ("Import", Api::Create),
    ("List", Api::Read),
    ("Lookup", Api::Read),
    ("Modify", Api::Update),
    ("Put", Api::Update),
    ("Query", Api::Read),
    ("Register", Api::Create),
    ("Remove", Api::Delete),
    ("Replace", Api::Update),
    ("Reset", Api::Update),
    ("Restore", Api::Create),
    ("Revoke", Api::Update),
    ("Run", Api::Create),
    ("Scan", Api::Read),
    ("Schedule", Api::Update),
    ("Search", Api::Read),
    ("Select", Api::Read),
    ("Send", Api::Create),
    ("Set", Api::Update),
    ("Simulate", Api::Read),
    ("Start", Api::Update),
    ("Stop", Api::Update),
    ("Tag", Api::Update),
    ("Terminate", Api::Delete),
    ("Untag", Api::Update),
    ("Update", Api::Update),
    ("Upload", Api::Create),
    ("View", Api::Read),
];

const fn account(activity: Account) -> Activity {
    Activity::AccountChange(activity)
}
const fn auth(activity: Auth) -> Activity {
    Activity::Authentication(activity)
}
const fn entity(activity: Entity) -> Activity {
    Activity::EntityManagement(activity)
}
const fn group(activity: Group) -> Activity {
    Activity::GroupManagement(activity)
}
const fn access(activity: Access) -> Activity {
    Activity::UserAccess(activity)
}

/// Calls about identities. Sorted by service, then name.
#[rustfmt::skip]
const EVENTS: &[(&str, &str, Activity)] = &[
    ("iam", "AddRoleToInstanceProfile", access(Access::AssignPrivileges)),
    ("iam", "AddUserToGroup", group(Group::AddUser)),
    ("iam", "AttachGroupPolicy", group(Group::AssignPrivileges)),
    ("iam", "AttachRolePolicy", access(Access::AssignPrivileges)),
    ("iam", "AttachUserPolicy", account(Account::AttachPolicy)),
    ("iam", "ChangePassword", account(Account::PasswordChange)),
    ("iam", "CreateAccessKey", entity(Entity::Create)),
    ("iam", "CreateAccountAlias", entity(Entity::Create)),
    ("iam", "CreateGroup", group(Group::Create)),
    ("iam", "CreateInstanceProfile", entity(Entity::Create)),
    ("iam", "CreateLoginProfile", account(Account::PasswordReset)),
    ("iam", "CreateOpenIDConnectProvider", entity(Entity::Create)),
    ("iam", "CreatePolicy", entity(Entity::Create)),
    ("iam", "CreatePolicyVersion", entity(Entity::Update)),
    ("iam", "CreateRole", entity(Entity::Create)),
    ("iam", "CreateSAMLProvider", entity(Entity::Create)),
    ("iam", "CreateServiceLinkedRole", entity(Entity::Create)),
    ("iam", "CreateServiceSpecificCredential", entity(Entity::Create)),
    ("iam", "CreateUser", account(Account::Create)),
    ("iam", "CreateVirtualMFADevice", entity(Entity::Create)),
    ("iam", "DeactivateMFADevice", account(Account::MfaFactorDisable)),
    ("iam", "DeleteAccessKey", entity(Entity::Delete)),
    ("iam", "DeleteAccountAlias", entity(Entity::Delete)),
    ("iam", "DeleteAccountPasswordPolicy", entity(Entity::Delete)),
    ("iam", "DeleteGroup", group(Group::Delete)),
    ("iam", "DeleteGroupPolicy", group(Group::RevokePrivileges)),
    ("iam", "DeleteInstanceProfile", entity(Entity::Delete)),
    ("iam", "DeleteLoginProfile", account(Account::Disable)),
    ("iam", "DeleteOpenIDConnectProvider", entity(Entity::Delete)),
    ("iam", "DeletePolicy", entity(Entity::Delete)),
    ("iam", "DeletePolicyVersion", entity(Entity::Update)),
    ("iam", "DeleteRole", entity(Entity::Delete)),
    ("iam", "DeleteRolePermissionsBoundary", access(Access::AssignPrivileges)),
    ("iam", "DeleteRolePolicy", access(Access::RevokePrivileges)),
    ("iam", "DeleteSAMLProvider", entity(Entity::Delete)),
    ("iam", "DeleteSSHPublicKey", entity(Entity::Delete)),
    ("iam", "DeleteServiceLinkedRole", entity(Entity::Delete)),
    ("iam", "DeleteServiceSpecificCredential", entity(Entity::Delete)),
    ("iam", "DeleteSigningCertificate", entity(Entity::Delete)),
    ("iam", "DeleteUser", account(Account::Delete)),
    ("iam", "DeleteUserPermissionsBoundary", account(Account::AttachPolicy)),
    ("iam", "DeleteUserPolicy", account(Account::DetachPolicy)),
    ("iam", "DeleteVirtualMFADevice", entity(Entity::Delete)),
    ("iam", "DetachGroupPolicy", group(Group::RevokePrivileges)),
    ("iam", "DetachRolePolicy", access(Access::RevokePrivileges)),
    ("iam", "DetachUserPolicy", account(Account::DetachPolicy)),
    ("iam", "EnableMFADevice", account(Account::MfaFactorEnable)),
    ("iam", "PutGroupPolicy", group(Group::AssignPrivileges)),
    ("iam", "PutRolePermissionsBoundary", access(Access::RevokePrivileges)),
    ("iam", "PutRolePolicy", access(Access::AssignPrivileges)),
    ("iam", "PutUserPermissionsBoundary", account(Account::DetachPolicy)),
    ("iam", "PutUserPolicy", account(Account::AttachPolicy)),
    ("iam", "RemoveRoleFromInstanceProfile", access(Access::RevokePrivileges)),
    ("iam", "RemoveUserFromGroup", group(Group::RemoveUser)),
    ("iam", "ResetServiceSpecificCredential", entity(Entity::Update)),
    ("iam", "ResyncMFADevice", account(Account::Other)),
    ("iam", "SetDefaultPolicyVersion", entity(Entity::Update)),
    ("iam", "UpdateAccessKey", entity(Entity::Update)),
    ("iam", "UpdateAccountPasswordPolicy", entity(Entity::Update)),
    ("iam", "UpdateAssumeRolePolicy", entity(Entity::Update)),
    ("iam", "UpdateGroup", group(Group::Other)),
    ("iam", "UpdateLoginProfile", account(Account::PasswordReset)),
    ("iam", "UpdateOpenIDConnectProviderThumbprint", entity(Entity::Update)),
    ("iam", "UpdateRole", entity(Entity::Update)),
    ("iam", "UpdateRoleDescription", entity(Entity::Update)),
    ("iam", "UpdateSAMLProvider", entity(Entity::Update)),
    ("iam", "UpdateSSHPublicKey", entity(Entity::Update)),
    ("iam", "UpdateServiceSpecificCredential", entity(Entity::Update)),
    ("iam", "UpdateSigningCertificate", entity(Entity::Update)),
    ("iam", "UpdateUser", account(Account::Other)),
    ("iam", "UploadSSHPublicKey", entity(Entity::Create)),
    ("iam", "UploadSigningCertificate", entity(Entity::Create)),
    ("identitystore", "CreateGroup", group(Group::Create)),
    ("identitystore", "CreateGroupMembership", group(Group::AddUser)),
    ("identitystore", "CreateUser", account(Account::Create)),
    ("identitystore", "DeleteGroup", group(Group::Delete)),
    ("identitystore", "DeleteGroupMembership", group(Group::RemoveUser)),
    ("identitystore", "DeleteUser", account(Account::Delete)),
    ("identitystore", "UpdateGroup", group(Group::Other)),
    ("identitystore", "UpdateUser", account(Account::Other)),
    ("rolesanywhere", "CreateSession", auth(Auth::Logon)),
    ("signin", "CheckMfa", auth(Auth::Preauth)),
    ("signin", "ConsoleLogin", auth(Auth::Logon)),
    ("signin", "CredentialChallenge", auth(Auth::Preauth)),
    ("signin", "CredentialVerification", auth(Auth::Preauth)),
    ("signin", "EmailUpdated", account(Account::Other)),
    ("signin", "ExitRole", auth(Auth::AccountSwitch)),
    ("signin", "GetSigninToken", auth(Auth::Other)),
    ("signin", "Logout", auth(Auth::Logoff)),
    ("signin", "PasswordRecoveryCompleted", account(Account::PasswordReset)),
    ("signin", "PasswordRecoveryRequested", account(Account::Other)),
    ("signin", "PasswordUpdated", account(Account::PasswordChange)),
    ("signin", "RenewRole", auth(Auth::AccountSwitch)),
    ("signin", "SwitchRole", auth(Auth::AccountSwitch)),
    ("signin", "UserAuthentication", auth(Auth::Logon)),
    ("sso", "AttachCustomerManagedPolicyReferenceToPermissionSet", entity(Entity::Update)),
    ("sso", "AttachManagedPolicyToPermissionSet", entity(Entity::Update)),
    ("sso", "Authenticate", auth(Auth::Logon)),
    ("sso", "CreateAccountAssignment", access(Access::AssignPrivileges)),
    ("sso", "CreatePermissionSet", entity(Entity::Create)),
    ("sso", "CreateToken", auth(Auth::Other)),
    ("sso", "DeleteAccountAssignment", access(Access::RevokePrivileges)),
    ("sso", "DeletePermissionSet", entity(Entity::Delete)),
    ("sso", "Federate", auth(Auth::AccountSwitch)),
    ("sso", "GetRoleCredentials", auth(Auth::AccountSwitch)),
    ("sso", "Logout", auth(Auth::Logoff)),
    ("sso", "PutInlinePolicyToPermissionSet", entity(Entity::Update)),
    ("sso", "UpdateSSOConfiguration", entity(Entity::Update)),
    ("sso-directory", "AddMemberToGroup", group(Group::AddUser)),
    ("sso-directory", "CreateGroup", group(Group::Create)),
    ("sso-directory", "CreateUser", account(Account::Create)),
    ("sso-directory", "DeleteGroup", group(Group::Delete)),
    ("sso-directory", "DeleteMfaDeviceForUser", account(Account::MfaFactorDisable)),
    ("sso-directory", "DeleteUser", account(Account::Delete)),
    ("sso-directory", "DisableUser", account(Account::Disable)),
    ("sso-directory", "EnableUser", account(Account::Enable)),
    ("sso-directory", "RemoveMemberFromGroup", group(Group::RemoveUser)),
    ("sso-directory", "StartVirtualMfaDeviceRegistration", account(Account::MfaFactorEnable)),
    ("sso-directory", "UpdatePassword", account(Account::PasswordReset)),
    ("sso-directory", "UpdateUser", account(Account::Other)),
    ("sts", "AssumeRole", auth(Auth::AccountSwitch)),
    ("sts", "AssumeRoleWithSAML", auth(Auth::Logon)),
    ("sts", "AssumeRoleWithWebIdentity", auth(Auth::Logon)),
    ("sts", "AssumeRoot", auth(Auth::AccountSwitch)),
    ("sts", "GetFederationToken", auth(Auth::Other)),
    ("sts", "GetSessionToken", auth(Auth::Other)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_without_repeats() {
        assert!(
            EVENTS
                .windows(2)
                .all(|pair| (pair[0].0, pair[0].1) < (pair[1].0, pair[1].1))
        );
        assert!(VERBS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn calls_become_activities() {
        let of = |source, event| super::of(Some(source), event, None);
        assert_eq!(of("iam.amazonaws.com", "CreateUser"), account(Account::Create));
        assert_eq!(
            of("cognito-idp.amazonaws.com", "CreateUser"),
            Activity::Api(Api::Create)
        );
        assert_eq!(
            of("secretsmanager.amazonaws.com", "BatchGetSecretValue"),
            Activity::Api(Api::Read)
        );
        assert_eq!(
            super::of(Some("x.amazonaws.com"), "Frobnicate", Some(true)),
            Activity::Api(Api::Read)
        );
        assert_eq!(of("x.amazonaws.com", ""), Activity::Api(Api::Other));
        assert_eq!(of("x.amazonaws.com", "éGet"), Activity::Api(Api::Other));
    }
}
