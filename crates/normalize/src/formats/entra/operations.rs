//! Which OCSF activity a directory audit is, by its display name.
//!
//! Source: Microsoft Entra documentation, "Microsoft Entra audit log categories and activities".

use habitus_model::Activity;
use habitus_model::activity::{
    AccountChangeActivity as Account, AuthorizeSessionActivity as Session,
    EntityManagementActivity as Entity, GroupManagementActivity as Group, UserAccessActivity as Access,
};

/// The activity of an audit. Names without a line in the table manage an entity, by their first word.
#[must_use]
pub fn of(name: &str) -> Activity {
    // Some names hold an en dash or a space at their end.
    let name = name.trim().replace('\u{2013}', "-").to_lowercase();
    match OPERATIONS.binary_search_by(|(known, _)| (*known).cmp(name.as_str())) {
        Ok(at) => OPERATIONS
            .get(at)
            .map_or(entity(Entity::Unknown), |(_, activity)| *activity),
        Err(_) => entity(by_verb(&name)),
    }
}

fn by_verb(name: &str) -> Entity {
    match name.split_whitespace().next().unwrap_or("") {
        "add" | "added" | "create" | "created" | "invite" => Entity::Create,
        "update" | "updated" | "set" | "change" | "edit" | "patch" => Entity::Update,
        "delete" | "deleted" | "remove" | "removed" | "hard" => Entity::Delete,
        "get" | "read" | "list" | "view" | "download" | "export" => Entity::Read,
        "enable" | "restore" => Entity::Enable,
        "disable" => Entity::Disable,
        "register" | "enroll" => Entity::Enroll,
        "unregister" => Entity::Unenroll,
        _ => Entity::Other,
    }
}

const fn account(activity: Account) -> Activity {
    Activity::AccountChange(activity)
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
const fn session(activity: Session) -> Activity {
    Activity::AuthorizeSession(activity)
}

/// Names in lower case. Sorted.
#[rustfmt::skip]
const OPERATIONS: &[(&str, Activity)] = &[
    ("add app role assignment grant to user", access(Access::AssignPrivileges)),
    ("add app role assignment to group", group(Group::AssignPrivileges)),
    ("add app role assignment to service principal", access(Access::AssignPrivileges)),
    ("add application", entity(Entity::Create)),
    ("add conditional access policy", entity(Entity::Create)),
    ("add delegated permission grant", access(Access::AssignPrivileges)),
    ("add device", entity(Entity::Enroll)),
    ("add eligible member to role", access(Access::AssignPrivileges)),
    ("add eligible member to role in pim completed (permanent)", access(Access::AssignPrivileges)),
    ("add eligible member to role in pim completed (timebound)", access(Access::AssignPrivileges)),
    ("add eligible member to role in pim requested (permanent)", access(Access::Other)),
    ("add eligible member to role in pim requested (timebound)", access(Access::Other)),
    ("add fido2 security key", account(Account::MfaFactorEnable)),
    ("add group", group(Group::Create)),
    ("add member to group", group(Group::AddUser)),
    ("add member to role", access(Access::AssignPrivileges)),
    ("add member to role completed (pim activation)", session(Session::AssignPrivileges)),
    ("add member to role in pim completed (permanent)", access(Access::AssignPrivileges)),
    ("add member to role in pim completed (timebound)", access(Access::AssignPrivileges)),
    ("add member to role in pim requested (permanent)", access(Access::Other)),
    ("add member to role in pim requested (timebound)", access(Access::Other)),
    ("add member to role requested (pim activation)", session(Session::Other)),
    ("add named location", entity(Entity::Create)),
    ("add oauth2permissiongrant", access(Access::AssignPrivileges)),
    ("add owner to application", access(Access::AssignPrivileges)),
    ("add owner to group", group(Group::Other)),
    ("add owner to policy", access(Access::AssignPrivileges)),
    ("add owner to service principal", access(Access::AssignPrivileges)),
    ("add passwordless phone sign-in credential", account(Account::MfaFactorEnable)),
    ("add policy", entity(Entity::Create)),
    ("add registered owner to device", entity(Entity::Update)),
    ("add registered users to device", entity(Entity::Update)),
    ("add role assignment", access(Access::AssignPrivileges)),
    ("add role assignment to role definition", access(Access::AssignPrivileges)),
    ("add scoped member to role", access(Access::AssignPrivileges)),
    ("add service principal", entity(Entity::Create)),
    ("add service principal credentials", entity(Entity::Update)),
    ("add unverified domain", entity(Entity::Create)),
    ("add user", account(Account::Create)),
    ("add verified domain", entity(Entity::Create)),
    ("add windows hello for business credential", account(Account::MfaFactorEnable)),
    ("added policy", entity(Entity::Create)),
    ("admin deleted security info", account(Account::MfaFactorDisable)),
    ("admin registered security info", account(Account::MfaFactorEnable)),
    ("admin updated security info", account(Account::Other)),
    ("blocked from self-service password reset", account(Account::Other)),
    ("change password (self-service)", account(Account::PasswordChange)),
    ("change user license", account(Account::Other)),
    ("change user password", account(Account::PasswordChange)),
    ("consent to application", entity(Entity::Create)),
    ("create application - certificates and secrets management", entity(Entity::Update)),
    ("create conditional access policy", entity(Entity::Create)),
    ("create group", group(Group::Create)),
    ("create temporary access pass method for user", account(Account::MfaFactorEnable)),
    ("create user", account(Account::Create)),
    ("delete application", entity(Entity::Delete)),
    ("delete conditional access policy", entity(Entity::Delete)),
    ("delete device", entity(Entity::Unenroll)),
    ("delete fido2 security key", account(Account::MfaFactorDisable)),
    ("delete group", group(Group::Delete)),
    ("delete named location", entity(Entity::Delete)),
    ("delete passwordless phone sign-in credential", account(Account::MfaFactorDisable)),
    ("delete policy", entity(Entity::Delete)),
    ("delete role assignment", access(Access::RevokePrivileges)),
    ("delete user", account(Account::Delete)),
    ("delete windows hello for business credential", account(Account::MfaFactorDisable)),
    ("disable account", account(Account::Disable)),
    ("disable strong authentication", account(Account::MfaFactorDisable)),
    ("enable account", account(Account::Enable)),
    ("enable strong authentication", account(Account::MfaFactorEnable)),
    ("hard delete application", entity(Entity::Delete)),
    ("hard delete group", group(Group::Delete)),
    ("hard delete service principal", entity(Entity::Delete)),
    ("hard delete user", account(Account::Delete)),
    ("invite external user", account(Account::Create)),
    ("invite internal user", account(Account::Other)),
    ("invite internal user to b2b collaboration", account(Account::Other)),
    ("read bitlocker key", entity(Entity::Read)),
    ("recover device local administrator password", entity(Entity::Read)),
    ("redeem external user invite", account(Account::Enable)),
    ("register device", entity(Entity::Enroll)),
    ("remove app role assignment from group", group(Group::RevokePrivileges)),
    ("remove app role assignment from service principal", access(Access::RevokePrivileges)),
    ("remove app role assignment from user", access(Access::RevokePrivileges)),
    ("remove delegated permission grant", access(Access::RevokePrivileges)),
    ("remove eligible member from role", access(Access::RevokePrivileges)),
    ("remove eligible member from role in pim completed (permanent)", access(Access::RevokePrivileges)),
    ("remove eligible member from role in pim completed (timebound)", access(Access::RevokePrivileges)),
    ("remove member from group", group(Group::RemoveUser)),
    ("remove member from role", access(Access::RevokePrivileges)),
    ("remove member from role completed (pim deactivate)", session(Session::Other)),
    ("remove member from role in pim completed (permanent)", access(Access::RevokePrivileges)),
    ("remove member from role in pim completed (timebound)", access(Access::RevokePrivileges)),
    ("remove oauth2permissiongrant", access(Access::RevokePrivileges)),
    ("remove owner from application", access(Access::RevokePrivileges)),
    ("remove owner from group", group(Group::Other)),
    ("remove owner from service principal", access(Access::RevokePrivileges)),
    ("remove role assignment", access(Access::RevokePrivileges)),
    ("remove scoped member from role", access(Access::RevokePrivileges)),
    ("remove service principal", entity(Entity::Delete)),
    ("remove service principal credentials", entity(Entity::Update)),
    ("reset password (by admin)", account(Account::PasswordReset)),
    ("reset password (self-service)", account(Account::PasswordReset)),
    ("reset user password", account(Account::PasswordReset)),
    ("restore application", entity(Entity::Enable)),
    ("restore group", group(Group::Create)),
    ("restore user", account(Account::Enable)),
    ("set domain authentication", entity(Entity::Update)),
    ("set federation settings on domain", entity(Entity::Update)),
    ("set force change user password", account(Account::Other)),
    ("unlock user account (self-service)", account(Account::Unlock)),
    ("unregister device", entity(Entity::Unenroll)),
    ("update application", entity(Entity::Update)),
    ("update application - certificates and secrets management", entity(Entity::Update)),
    ("update conditional access policy", entity(Entity::Update)),
    ("update device", entity(Entity::Update)),
    ("update group", group(Group::Other)),
    ("update named location", entity(Entity::Update)),
    ("update policy", entity(Entity::Update)),
    ("update service principal", entity(Entity::Update)),
    ("update stsrefreshtokenvalidfrom timestamp", account(Account::Other)),
    ("update user", account(Account::Other)),
    ("user canceled security info registration", account(Account::Other)),
    ("user changed default security info", account(Account::Other)),
    ("user deleted security info", account(Account::MfaFactorDisable)),
    ("user has elevated their access to user access administrator for their azure resources", access(Access::AssignPrivileges)),
    ("user registered all required security info", account(Account::MfaFactorEnable)),
    ("user registered security info", account(Account::MfaFactorEnable)),
    ("user reviewed security info", account(Account::Other)),
    ("user started password change", account(Account::Other)),
    ("user started password reset", account(Account::Other)),
    ("user started security info registration", account(Account::Other)),
    ("user updated security info", account(Account::Other)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_lower_case() {
        assert!(OPERATIONS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(OPERATIONS.iter().all(|(name, _)| *name == name.to_lowercase()));
    }

    #[test]
    fn audits_become_activities() {
        assert_eq!(of("Add member to group"), group(Group::AddUser));
        assert_eq!(
            of("Update application \u{2013} Certificates and secrets management "),
            entity(Entity::Update)
        );
        assert_eq!(of("Add bubble to lava lamp"), entity(Entity::Create));
        assert_eq!(of(""), entity(Entity::Other));
    }
}
