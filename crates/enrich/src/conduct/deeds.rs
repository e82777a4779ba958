//! Which deeds attackers want, by OCSF activity and by the names vendors give.
//!
//! Sources: AWS Service Authorization Reference and CloudTrail event names; Microsoft Entra audit activities; Exchange
//! Online cmdlets of the unified audit log; GitHub audit log events; Okta event types; OWASP and MITRE ATT&CK (T1098 account
//! manipulation, T1114.003 forwarding rules, T1528 application tokens, T1552 unsecured credentials, T1562 impair defences).

use habitus_model::activity::{
    AccountChangeActivity as Change, ApiActivity, AuthenticationActivity as Auth,
    AuthorizeSessionActivity as Session, EntityManagementActivity as Entity,
    GroupManagementActivity as Group, UserAccessActivity as Access,
};
use habitus_model::{Activity, Deed, Event};

/// Names of what is done, in lower case, sorted.
#[rustfmt::skip]
const NAMED: &[(&str, Deed)] = &[
    ("add delegated permission grant", Deed::ConsentGranted),
    ("add oauth2permissiongrant", Deed::ConsentGranted),
    ("add service principal credentials", Deed::KeyCreated),
    ("add-mailboxpermission", Deed::MailRule),
    ("add-recipientpermission", Deed::MailRule),
    ("app.oauth2.as.consent.grant", Deed::ConsentGranted),
    ("batchgetsecretvalue", Deed::SecretRead),
    ("consent to application", Deed::ConsentGranted),
    ("create application - certificates and secrets management", Deed::KeyCreated),
    ("createaccesskey", Deed::KeyCreated),
    ("createloginprofile", Deed::KeyCreated),
    ("createservicespecificcredential", Deed::KeyCreated),
    ("delete conditional access policy", Deed::DefenceChanged),
    ("deletedetector", Deed::DefenceChanged),
    ("deleteflowlogs", Deed::DefenceChanged),
    ("deletetrail", Deed::DefenceChanged),
    ("device.enrollment.create", Deed::FactorAdded),
    ("getpassworddata", Deed::SecretRead),
    ("getsecretvalue", Deed::SecretRead),
    ("integration_installation.create", Deed::ConsentGranted),
    ("new-inboxrule", Deed::MailRule),
    ("oauth_access.create", Deed::KeyCreated),
    ("oauth_authorization.create", Deed::ConsentGranted),
    ("personal_access_token.access_granted", Deed::KeyCreated),
    ("public_key.create", Deed::KeyCreated),
    ("puteventselectors", Deed::DefenceChanged),
    ("read bitlocker key", Deed::SecretRead),
    ("recover device local administrator password", Deed::SecretRead),
    ("register device", Deed::FactorAdded),
    ("reset password (self-service)", Deed::Recovery),
    ("revoke sign in sessions", Deed::SessionsRevoked),
    ("set domain authentication", Deed::DefenceChanged),
    ("set federation settings on domain", Deed::DefenceChanged),
    ("set-inboxrule", Deed::MailRule),
    ("set-mailbox", Deed::MailRule),
    ("set-transportrule", Deed::MailRule),
    ("stoplogging", Deed::DefenceChanged),
    ("system.api_token.create", Deed::KeyCreated),
    ("update application - certificates and secrets management", Deed::KeyCreated),
    ("update conditional access policy", Deed::DefenceChanged),
    ("update stsrefreshtokenvalidfrom timestamp", Deed::SessionsRevoked),
    ("updateinboxrules", Deed::MailRule),
    ("updateloginprofile", Deed::KeyCreated),
    ("updatetrail", Deed::DefenceChanged),
    ("user.account.unlock_token", Deed::Recovery),
    ("user.authentication.universal_logout", Deed::SessionsRevoked),
    ("user.session.clear", Deed::SessionsRevoked),
];

/// Longest name in the list; what is longer is none of them.
const NAME_BYTES_MAX: usize = 64;

/// The deed of an event, if it is one that attackers want.
pub(super) fn of(event: &Event) -> Option<Deed> {
    by_name(&event.action).or_else(|| by_activity(event))
}

fn by_name(action: &str) -> Option<Deed> {
    // Dashes of other alphabets are longer: the room is for those.
    if action.len() > NAME_BYTES_MAX {
        return None;
    }
    let mut folded = [0_u8; NAME_BYTES_MAX];
    let mut length = 0;
    for c in action.trim().chars() {
        let c = if c == '\u{2013}' {
            '-'
        } else {
            c.to_ascii_lowercase()
        };
        let end = length + c.len_utf8();
        c.encode_utf8(folded.get_mut(length..end)?);
        length = end;
    }
    let name = std::str::from_utf8(folded.get(..length)?).ok()?;
    let at = NAMED.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    NAMED.get(at).map(|(_, deed)| *deed)
}

fn by_activity(event: &Event) -> Option<Deed> {
    match event.activity {
        Activity::Authentication(Auth::Logoff) => Some(Deed::SessionEnded),
        Activity::Authentication(_) => None,
        Activity::AccountChange(change) => match change {
            Change::MfaFactorEnable => Some(Deed::FactorAdded),
            Change::MfaFactorDisable => Some(Deed::FactorRemoved),
            Change::PasswordReset if by_oneself(event) => Some(Deed::Recovery),
            Change::PasswordReset => Some(Deed::PasswordReset),
            Change::Create | Change::Enable => Some(Deed::AccountCreated),
            Change::Disable | Change::Delete => Some(Deed::AccountDisabled),
            Change::AttachPolicy => Some(Deed::PrivilegeGranted),
            Change::Unknown
            | Change::PasswordChange
            | Change::DetachPolicy
            | Change::Lock
            | Change::Unlock
            | Change::Other => None,
        },
        Activity::AuthorizeSession(Session::AssignPrivileges)
        | Activity::UserAccess(Access::AssignPrivileges) => Some(Deed::PrivilegeGranted),
        Activity::GroupManagement(Group::AssignPrivileges) => Some(Deed::PrivilegeGranted),
        Activity::GroupManagement(Group::AddUser) => Some(Deed::MemberAdded),
        Activity::EntityManagement(Entity::Read) | Activity::Api(ApiActivity::Read) => {
            holds_secrets(event).then_some(Deed::SecretRead)
        }
        Activity::EntityManagement(Entity::Create) | Activity::Api(ApiActivity::Create) => made(event),
        Activity::AuthorizeSession(_)
        | Activity::UserAccess(_)
        | Activity::GroupManagement(_)
        | Activity::EntityManagement(_)
        | Activity::Api(_)
        | Activity::Other { .. } => None,
    }
}

fn by_oneself(event: &Event) -> bool {
    event
        .target
        .as_ref()
        .is_none_or(|target| target.account_id() == event.account_id())
}

/// What is made, by the kind of what is made: a key or token, or an application's access.
fn made(event: &Event) -> Option<Deed> {
    const KINDS: [(&str, Deed); 5] = [
        ("access_key", Deed::KeyCreated),
        ("api_token", Deed::KeyCreated),
        ("service_principal_credential", Deed::KeyCreated),
        ("oauth2_grant", Deed::ConsentGranted),
        ("OAuth2PermissionGrant", Deed::ConsentGranted),
    ];
    let kind = event.resources.first()?.kind.as_deref()?;
    KINDS
        .iter()
        .find(|(name, _)| *name == kind)
        .map(|(_, deed)| *deed)
}

/// Resources whose kind says that they hold secrets: Kubernetes `secrets`, `AWS::SecretsManager::Secret`.
fn holds_secrets(event: &Event) -> bool {
    let kind = event
        .resources
        .first()
        .and_then(|resource| resource.kind.as_deref());
    kind.is_some_and(|kind| matches!(kind, "secret" | "secrets" | "AWS::SecretsManager::Secret"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_model::{EventTime, EventUid, Resource, SourceName, Text};

    fn deed(class: u32, activity: u32, action: &str, kind: Option<&str>) -> Option<Deed> {
        let time = EventTime::from_millis(0).unwrap();
        let activity = Activity::from_ocsf(class, activity);
        let mut event = Event::new(EventUid::new("1"), time, SourceName::new("t"), activity, action);
        event.resources.extend(kind.map(|kind| Resource {
            kind: Some(Text::new(kind)),
            ..Resource::default()
        }));
        of(&event)
    }

    #[test]
    fn names_are_sorted_lower_case_and_fit() {
        assert!(NAMED.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let fits = |name: &str| name == name.to_lowercase() && name.len() <= NAME_BYTES_MAX;
        assert!(NAMED.iter().all(|(name, _)| fits(name)));
    }

    #[test]
    fn names_come_before_activities() {
        for (class, activity, action, kind, expected) in [
            (6003, 1, "CreateAccessKey", None, Some(Deed::KeyCreated)),
            (
                3004,
                3,
                "Update application \u{2013} Certificates and secrets management ",
                None,
                Some(Deed::KeyCreated),
            ),
            (
                3001,
                10,
                "user.mfa.factor.activate",
                None,
                Some(Deed::FactorAdded),
            ),
            (3005, 1, "Add member to role", None, Some(Deed::PrivilegeGranted)),
            (6003, 2, "get", Some("secrets"), Some(Deed::SecretRead)),
            (6003, 2, "get", Some("pods"), None),
            (3004, 1, "create", Some("access_key"), Some(Deed::KeyCreated)),
            (
                3004,
                1,
                "create",
                Some("oauth2_grant"),
                Some(Deed::ConsentGranted),
            ),
            (3002, 1, "logon", None, None),
            (3002, 2, "logoff", None, Some(Deed::SessionEnded)),
        ] {
            assert_eq!(deed(class, activity, action, kind), expected, "{action}");
        }
    }
}
