//! What happened: OCSF 1.8 class and activity (STANDARDS 4.5–4.13).

use crate::ocsf_enum::ocsf_enum;
use serde::{Deserialize, Serialize};

ocsf_enum! {
    /// Activities of Authentication, class 3002.
    AuthenticationActivity {
        0 Unknown "Unknown", 1 Logon "Logon", 2 Logoff "Logoff", 3 AuthenticationTicket "Authentication Ticket",
        4 ServiceTicketRequest "Service Ticket Request", 5 ServiceTicketRenew "Service Ticket Renew",
        6 Preauth "Preauth", 7 AccountSwitch "Account Switch", 99 Other "Other",
    }
}
ocsf_enum! {
    /// Activities of Account Change, class 3001.
    AccountChangeActivity {
        0 Unknown "Unknown", 1 Create "Create", 2 Enable "Enable", 3 PasswordChange "Password Change",
        4 PasswordReset "Password Reset", 5 Disable "Disable", 6 Delete "Delete", 7 AttachPolicy "Attach Policy",
        8 DetachPolicy "Detach Policy", 9 Lock "Lock", 10 MfaFactorEnable "MFA Factor Enable",
        11 MfaFactorDisable "MFA Factor Disable", 12 Unlock "Unlock", 99 Other "Other",
    }
}
ocsf_enum! {
    /// Activities of Authorize Session, class 3003.
    AuthorizeSessionActivity {
        0 Unknown "Unknown", 1 AssignPrivileges "Assign Privileges", 2 AssignGroups "Assign Groups", 99 Other "Other",
    }
}
ocsf_enum! {
    /// Activities of Entity Management, class 3004.
    EntityManagementActivity {
        0 Unknown "Unknown", 1 Create "Create", 2 Read "Read", 3 Update "Update", 4 Delete "Delete", 5 Move "Move",
        6 Enroll "Enroll", 7 Unenroll "Unenroll", 8 Enable "Enable", 9 Disable "Disable", 10 Activate "Activate",
        11 Deactivate "Deactivate", 12 Suspend "Suspend", 13 Resume "Resume", 99 Other "Other",
    }
}
ocsf_enum! {
    /// Activities of User Access Management, class 3005.
    UserAccessActivity {
        0 Unknown "Unknown", 1 AssignPrivileges "Assign Privileges", 2 RevokePrivileges "Revoke Privileges",
        99 Other "Other",
    }
}
ocsf_enum! {
    /// Activities of Group Management, class 3006.
    GroupManagementActivity {
        0 Unknown "Unknown", 1 AssignPrivileges "Assign Privileges", 2 RevokePrivileges "Revoke Privileges",
        3 AddUser "Add User", 4 RemoveUser "Remove User", 5 Delete "Delete", 6 Create "Create",
        7 AddSubgroup "Add Subgroup", 8 RemoveSubgroup "Remove Subgroup", 99 Other "Other",
    }
}
ocsf_enum! {
    /// Activities of API Activity, class 6003.
    ApiActivity {
        0 Unknown "Unknown", 1 Create "Create", 2 Read "Read", 3 Update "Update", 4 Delete "Delete", 99 Other "Other",
    }
}

/// OCSF class and activity of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Activity {
    /// Class 3002.
    Authentication(AuthenticationActivity),
    /// Class 3001.
    AccountChange(AccountChangeActivity),
    /// Class 3003.
    AuthorizeSession(AuthorizeSessionActivity),
    /// Class 3004.
    EntityManagement(EntityManagementActivity),
    /// Class 3005.
    UserAccess(UserAccessActivity),
    /// Class 3006.
    GroupManagement(GroupManagementActivity),
    /// Class 6003.
    Api(ApiActivity),
    /// Any other class, kept by number: it passes through and teaches nothing about identity.
    Other {
        /// OCSF `class_uid`; 0 is Base Event.
        class_uid: u32,
        /// OCSF `activity_id` within that class.
        activity_id: u32,
    },
}

impl Activity {
    /// From OCSF `class_uid` and `activity_id`; unknown activities of known classes become `Other` (99).
    #[must_use]
    pub fn from_ocsf(class_uid: u32, activity_id: u32) -> Self {
        match class_uid {
            3001 => Self::AccountChange(
                AccountChangeActivity::from_id(activity_id).unwrap_or(AccountChangeActivity::Other),
            ),
            3002 => Self::Authentication(
                AuthenticationActivity::from_id(activity_id).unwrap_or(AuthenticationActivity::Other),
            ),
            3003 => Self::AuthorizeSession(
                AuthorizeSessionActivity::from_id(activity_id).unwrap_or(AuthorizeSessionActivity::Other),
            ),
            3004 => Self::EntityManagement(
                EntityManagementActivity::from_id(activity_id).unwrap_or(EntityManagementActivity::Other),
            ),
            3005 => Self::UserAccess(
                UserAccessActivity::from_id(activity_id).unwrap_or(UserAccessActivity::Other),
            ),
            3006 => Self::GroupManagement(
                GroupManagementActivity::from_id(activity_id).unwrap_or(GroupManagementActivity::Other),
            ),
            6003 => Self::Api(ApiActivity::from_id(activity_id).unwrap_or(ApiActivity::Other)),
            _ => Self::Other {
                class_uid,
                activity_id,
            },
        }
    }

    /// OCSF `class_uid`.
    #[must_use]
    pub const fn class_uid(self) -> u32 {
        match self {
            Self::AccountChange(_) => 3001,
            Self::Authentication(_) => 3002,
            Self::AuthorizeSession(_) => 3003,
            Self::EntityManagement(_) => 3004,
            Self::UserAccess(_) => 3005,
            Self::GroupManagement(_) => 3006,
            Self::Api(_) => 6003,
            Self::Other { class_uid, .. } => class_uid,
        }
    }

    /// OCSF `class_name`; "Base Event" for classes kept by number only, except findings, which sources report.
    #[must_use]
    pub const fn class_name(self) -> &'static str {
        match self {
            Self::AccountChange(_) => "Account Change",
            Self::Authentication(_) => "Authentication",
            Self::AuthorizeSession(_) => "Authorize Session",
            Self::EntityManagement(_) => "Entity Management",
            Self::UserAccess(_) => "User Access Management",
            Self::GroupManagement(_) => "Group Management",
            Self::Api(_) => "API Activity",
            Self::Other { class_uid: 2004, .. } => "Detection Finding",
            Self::Other { class_uid: 2005, .. } => "Incident Finding",
            Self::Other { .. } => "Base Event",
        }
    }

    /// OCSF `category_uid`.
    #[must_use]
    pub const fn category_uid(self) -> u32 {
        self.class_uid() / 1000
    }

    /// OCSF `activity_id`.
    #[must_use]
    pub const fn activity_id(self) -> u32 {
        match self {
            Self::Authentication(a) => a.id(),
            Self::AccountChange(a) => a.id(),
            Self::AuthorizeSession(a) => a.id(),
            Self::EntityManagement(a) => a.id(),
            Self::UserAccess(a) => a.id(),
            Self::GroupManagement(a) => a.id(),
            Self::Api(a) => a.id(),
            Self::Other { activity_id, .. } => activity_id,
        }
    }

    /// OCSF `activity_name`.
    #[must_use]
    pub const fn activity_name(self) -> &'static str {
        match self {
            Self::Authentication(a) => a.caption(),
            Self::AccountChange(a) => a.caption(),
            Self::AuthorizeSession(a) => a.caption(),
            Self::EntityManagement(a) => a.caption(),
            Self::UserAccess(a) => a.caption(),
            Self::GroupManagement(a) => a.caption(),
            Self::Api(a) => a.caption(),
            Self::Other { activity_id: 0, .. } => "Unknown",
            Self::Other {
                class_uid: 2004 | 2005,
                activity_id,
            } => match activity_id {
                1 => "Create",
                2 => "Update",
                3 => "Close",
                _ => "Other",
            },
            Self::Other { .. } => "Other",
        }
    }

    /// OCSF `type_uid`: `class_uid * 100 + activity_id`.
    #[must_use]
    pub const fn type_uid(self) -> u64 {
        self.class_uid() as u64 * 100 + self.activity_id() as u64
    }

    /// Whether this is an Authentication event (class 3002), of whatever activity.
    #[must_use]
    pub const fn is_authentication(self) -> bool {
        matches!(self, Self::Authentication(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_class_round_trips() {
        for class in [3001, 3002, 3003, 3004, 3005, 3006, 6003] {
            for id in 0..=99 {
                let activity = Activity::from_ocsf(class, id);
                assert_eq!(activity.class_uid(), class);
                assert!(activity.activity_id() == id || activity.activity_id() == 99);
                assert_eq!(
                    activity.type_uid(),
                    u64::from(class) * 100 + u64::from(activity.activity_id())
                );
            }
        }
    }

    #[test]
    fn other_classes_keep_their_number() {
        assert_eq!(Activity::from_ocsf(4001, 6).type_uid(), 400_106);
    }
}
