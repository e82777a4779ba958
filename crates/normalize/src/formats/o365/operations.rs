//! What is done to mailboxes, files, sites and the service itself.

use super::view::View;
use crate::field;
use habitus_model::account::named;
use habitus_model::activity::{
    ApiActivity as Api, GroupManagementActivity as Group, UserAccessActivity as Access,
};
use habitus_model::{Activity, Event, Rejection, Resource, Text, User};

/// Operations whose first word does not tell their activity. Sorted.
///
/// Source: Microsoft Purview, "Audit log activities".
#[rustfmt::skip]
const OPERATIONS: &[(&str, Activity)] = &[
    ("Add-MailboxFolderPermission", Activity::UserAccess(Access::AssignPrivileges)),
    ("Add-MailboxPermission", Activity::UserAccess(Access::AssignPrivileges)),
    ("Add-RecipientPermission", Activity::UserAccess(Access::AssignPrivileges)),
    ("Add-RoleGroupMember", Activity::UserAccess(Access::AssignPrivileges)),
    ("AddFolderPermissions", Activity::UserAccess(Access::AssignPrivileges)),
    ("AddedToGroup", Activity::GroupManagement(Group::AddUser)),
    ("ModifyFolderPermissions", Activity::UserAccess(Access::AssignPrivileges)),
    ("New-ManagementRoleAssignment", Activity::UserAccess(Access::AssignPrivileges)),
    ("Remove-MailboxFolderPermission", Activity::UserAccess(Access::RevokePrivileges)),
    ("Remove-MailboxPermission", Activity::UserAccess(Access::RevokePrivileges)),
    ("Remove-RecipientPermission", Activity::UserAccess(Access::RevokePrivileges)),
    ("Remove-RoleGroupMember", Activity::UserAccess(Access::RevokePrivileges)),
    ("RemoveFolderPermissions", Activity::UserAccess(Access::RevokePrivileges)),
    ("RemovedFromGroup", Activity::GroupManagement(Group::RemoveUser)),
    ("SiteCollectionAdminAdded", Activity::UserAccess(Access::AssignPrivileges)),
    ("SiteCollectionAdminRemoved", Activity::UserAccess(Access::RevokePrivileges)),
];

/// Parts of operations' names, and what they do; the first that is in the name decides.
const VERBS: &[(&[&str], Api)] = &[
    (&["Delete", "Remove", "Recycled", "Purge"], Api::Delete),
    (
        &["New-", "Create", "Upload", "Add", "Install", "Copied", "Send"],
        Api::Create,
    ),
    (
        &[
            "Get-",
            "View",
            "Access",
            "Download",
            "Preview",
            "Search",
            "List",
            "Read",
            "Export",
            "SyncDownload",
        ],
        Api::Read,
    ),
    (
        &[
            "Set-", "Update", "Modif", "Enable", "Disable", "Move", "Renam", "Change", "Grant",
        ],
        Api::Update,
    ),
];

/// Parameters that name whom a permission is given, in order of precedence.
const GRANTEES: [&str; 3] = ["User", "Trustee", "Member"];
/// Parameters that say what is given.
const RIGHTS: [&str; 2] = ["AccessRights", "Role"];

/// Reads an operation.
///
/// # Errors
/// It has no operation, or no time that can be read.
pub fn read(view: &View<'_>) -> Result<Event, Rejection> {
    let name = view.operation()?;
    let mut event = view.event(activity(name))?;
    if matches!(event.activity, Activity::UserAccess(_)) {
        let listed = |names: &[&str]| names.iter().find_map(|name| view.listed("Parameters", name));
        event.target = listed(&GRANTEES).map(field_of).and_then(User::by_name);
        event.privileges = listed(&RIGHTS).and_then(field::text).into_iter().collect();
    }
    event.target = event.target.or_else(|| owner(view));
    event.resources.extend(object(view));
    // Messages opened are logged together (Purview, MailItemsAccessed).
    event.count = view.record.i64("OperationCount").and_then(field::several);
    Ok(event)
}

fn activity(name: &str) -> Activity {
    if let Ok(at) = OPERATIONS.binary_search_by(|(known, _)| (*known).cmp(name)) {
        return OPERATIONS
            .get(at)
            .map_or(Activity::Api(Api::Other), |(_, activity)| *activity);
    }
    let verb = VERBS
        .iter()
        .find(|(parts, _)| parts.iter().any(|part| name.contains(part)));
    Activity::Api(verb.map_or(Api::Other, |(_, activity)| *activity))
}

fn field_of(text: &str) -> &str {
    field::cut(text, field::FIELD_BYTES_MAX)
}

/// The mailbox' owner, where it is not who acts.
fn owner(view: &View<'_>) -> Option<User> {
    let owner = view.record.str("MailboxOwnerUPN").and_then(named)?;
    let acts = view.record.str("UserId").unwrap_or("");
    User::by_name(field_of(owner)).filter(|_| !owner.eq_ignore_ascii_case(acts))
}

fn object(view: &View<'_>) -> Option<Resource> {
    let name = view
        .record
        .text("ObjectId")
        .or_else(|| view.record.text("Item.ParentFolder.Path"))
        .or_else(|| view.record.text("MailboxOwnerUPN"))?;
    Some(Resource {
        name: Some(name),
        uid: None,
        kind: view
            .record
            .text("ItemType")
            .or_else(|| Some(Text::const_new("object"))),
        namespace: view.record.text("OrganizationName"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_sorted_and_their_verbs_tell_the_rest() {
        assert!(OPERATIONS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let check = |name: &str, expected: Activity| assert_eq!(activity(name), expected, "{name}");
        check(
            "Add-MailboxPermission",
            Activity::UserAccess(Access::AssignPrivileges),
        );
        check("New-InboxRule", Activity::Api(Api::Create));
        check("Set-Mailbox", Activity::Api(Api::Update));
        check("UpdateInboxRules", Activity::Api(Api::Update));
        check("MailItemsAccessed", Activity::Api(Api::Read));
        check("FileDownloaded", Activity::Api(Api::Read));
        check("HardDelete", Activity::Api(Api::Delete));
        check("TaskHappened", Activity::Api(Api::Other));
    }
}
