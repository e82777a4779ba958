//! `userIdentity`: who called, by AWS's eleven types.
//!
//! Source: AWS CloudTrail User Guide, "CloudTrail userIdentity element".

use crate::field;
use crate::json::Json;
use habitus_model::account::named;
use habitus_model::{AccountKind, Text, User};

/// Roles that IAM Identity Center creates for people bear this prefix (Identity Center User Guide, "Permission sets").
const SSO_ROLE_PREFIX: &str = "AWSReservedSSO_";

/// Roles that only an AWS service can assume (IAM User Guide, "Service-linked roles").
const SERVICE_ROLE_PREFIX: &str = "AWSServiceRoleFor";

/// What the record says of its caller.
#[derive(Debug, Default)]
pub struct Principal {
    /// The account whose behaviour the event shows.
    pub account: User,
    /// The identity that stands behind it: who issued a federation token, who switched the role.
    pub actor: Option<User>,
    /// Session name of an assumed role that is not a person's.
    pub session: Option<Text>,
    /// Identity provider that vouched.
    pub issuer: Option<Text>,
    /// The caller proved itself to AWS itself, so that AWS's word on MFA is about it. For federated callers AWS says
    /// "no MFA" whatever their provider asked.
    pub is_native: bool,
}

/// Reads `userIdentity`.
#[must_use]
pub fn principal(identity: &Json<'_>) -> Principal {
    match identity.str("type").unwrap_or("") {
        "Root" => root(identity),
        "AssumedRole" | "Role" => assumed_role(identity),
        "FederatedUser" => federated(identity),
        "AWSService" => Principal {
            account: service(identity),
            ..Principal::default()
        },
        "WebIdentityUser" | "SAMLUser" => vouched(identity),
        "IdentityCenterUser" => Principal {
            account: User {
                uid: identity.text("onBehalfOf.userId").or_else(|| uid(identity)),
                name: identity.text("userName"),
                ..User::default()
            },
            ..Principal::default()
        },
        "AWSAccount" => Principal {
            account: foreign(identity),
            ..Principal::default()
        },
        // IAMUser, Directory, Unknown, and types yet to come.
        _ => iam_user(identity),
    }
}

/// The user or role an ARN names: a user or federated user by name, a role by name within its account.
#[must_use]
pub fn by_arn(arn: &str) -> Option<User> {
    let (account, resource) = arn_parts(arn)?;
    let (kind, path) = resource.split_once('/').unwrap_or((resource, ""));
    let last = named(path.rsplit('/').next()?);
    match kind {
        "root" => Some(root_user(account)),
        "user" | "federated-user" => Some(User {
            name: field::text(last?),
            ..User::default()
        }),
        "role" => Some(role_user(last?, account)),
        "assumed-role" => {
            let (role, session) = path.split_once('/')?;
            Some(role_or_person(role, Some(session), account).0)
        }
        _ => None,
    }
}

fn root(identity: &Json<'_>) -> Principal {
    let account = identity.str("accountId").or_else(|| {
        identity
            .str("arn")
            .and_then(|arn| arn_parts(arn))
            .map(|(id, _)| id)
    });
    let user = account.map_or_else(
        || User {
            name: identity.text("userName").or_else(|| Some(Text::new("root"))),
            ..User::default()
        },
        root_user,
    );
    Principal {
        account: User {
            uid: uid(identity).or(user.uid),
            kind: AccountKind::Privileged,
            ..user
        },
        is_native: true,
        ..Principal::default()
    }
}

/// Every account has a root user: the account's number is part of the name, so that they do not meet.
fn root_user(account: &str) -> User {
    User {
        name: field::text(&format!("root@{account}")),
        uid: field::text(account),
        kind: AccountKind::Privileged,
        ..User::default()
    }
}

fn iam_user(identity: &Json<'_>) -> Principal {
    let by_arn = identity.str("arn").and_then(by_arn).unwrap_or_default();
    // A wrong name at the console may be a password typed into the wrong field, so AWS hides it.
    let name = identity
        .str("userName")
        .filter(|name| *name != "HIDDEN_DUE_TO_SECURITY_REASONS");
    Principal {
        account: User {
            name: name.and_then(field::text).or(by_arn.name),
            uid: uid(identity),
            domain: by_arn.domain,
            kind: by_arn.kind,
            ..User::default()
        },
        is_native: identity.str("type") == Some("IAMUser"),
        ..Principal::default()
    }
}

fn assumed_role(identity: &Json<'_>) -> Principal {
    let arn = identity.str("arn").and_then(arn_parts);
    let mut path = arn.map_or("", |(_, resource)| resource).split('/').skip(1);
    let (arn_role, arn_session) = (path.next(), path.next());
    let principal = identity.str("principalId");
    let session = arn_session
        .or_else(|| {
            principal
                .and_then(|id| id.split_once(':'))
                .map(|(_, session)| session)
        })
        .and_then(named);
    let role = identity.str("sessionContext.sessionIssuer.userName").or(arn_role);
    let account_id = identity
        .str("accountId")
        .or_else(|| identity.str("sessionContext.sessionIssuer.accountId"))
        .or(arn.map(|(id, _)| id));
    let (mut account, is_person) = match role {
        Some(role) => role_or_person(role, session, account_id.unwrap_or("")),
        None => (
            User {
                name: identity
                    .text("userName")
                    .or_else(|| session.and_then(field::text)),
                ..User::default()
            },
            true,
        ),
    };
    // A role keeps its own id, without the session: every session of the role is the same account.
    account.uid = match (is_person, principal) {
        (false, Some(id)) => field::text(id.split(':').next().unwrap_or(id)),
        _ => uid(identity),
    };
    if !is_person && runs_by_itself(identity, role, session) {
        account.kind = AccountKind::Service;
    }
    Principal {
        account,
        session: session.filter(|_| !is_person).and_then(field::text),
        issuer: identity.text("sessionContext.webIdFederationData.federatedProvider"),
        ..Principal::default()
    }
}

/// The account behind an assumed role, and whether it is a person: one behind single sign-on, where the session bears
/// the person's name, or one whose session name is an e-mail address; else it is the role.
fn role_or_person(role: &str, session: Option<&str>, account: &str) -> (User, bool) {
    match session {
        Some(session) if role.starts_with(SSO_ROLE_PREFIX) || session.contains('@') => (
            User {
                name: field::text(session),
                ..User::default()
            },
            true,
        ),
        _ => (role_user(role, account), false),
    }
}

/// Role names repeat from account to account, unlike people's: they are told apart by the account.
fn role_user(role: &str, account: &str) -> User {
    User {
        name: field::text(role),
        domain: field::text(account),
        kind: if role.starts_with(SERVICE_ROLE_PREFIX) {
            AccountKind::Service
        } else {
            AccountKind::Unknown
        },
        ..User::default()
    }
}

/// Whether only a machine can hold these credentials: service-linked roles, EC2 instance roles (delivered by the
/// metadata service; the session is named after the instance), and sessions an AWS service uses itself.
fn runs_by_itself(identity: &Json<'_>, role: Option<&str>, session: Option<&str>) -> bool {
    let is_instance = session.is_some_and(|session| {
        session
            .strip_prefix("i-")
            .is_some_and(|id| id.len() >= 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
    });
    is_instance
        || role.is_some_and(|role| role.starts_with(SERVICE_ROLE_PREFIX))
        || identity.at("sessionContext.ec2RoleDelivery").is_some()
}

fn federated(identity: &Json<'_>) -> Principal {
    let from_arn = identity.str("arn").and_then(by_arn).unwrap_or_default();
    let from_id = identity
        .str("principalId")
        .and_then(|id| id.split_once(':'))
        .and_then(|(_, name)| field::text(name));
    Principal {
        account: User {
            name: from_arn.name.or(from_id),
            uid: uid(identity),
            ..User::default()
        },
        actor: identity.str("sessionContext.sessionIssuer.arn").and_then(by_arn),
        ..Principal::default()
    }
}

fn service(identity: &Json<'_>) -> User {
    User {
        name: identity.text("invokedBy").or_else(|| identity.text("userName")),
        uid: uid(identity),
        kind: AccountKind::Service,
        ..User::default()
    }
}

/// Users whom another provider vouches for. Workload identities name themselves by their subject: a Kubernetes
/// service account, a repository of GitHub Actions.
fn vouched(identity: &Json<'_>) -> Principal {
    let name = identity.str("userName");
    let is_workload =
        name.is_some_and(|name| name.starts_with("system:serviceaccount:") || name.starts_with("repo:"));
    Principal {
        account: User {
            name: name.and_then(field::text),
            uid: uid(identity),
            kind: if is_workload {
                AccountKind::Service
            } else {
                AccountKind::Unknown
            },
            ..User::default()
        },
        issuer: identity.text("identityProvider"),
        ..Principal::default()
    }
}

/// A caller from an account that is not ours: its name is not told, only its id.
fn foreign(identity: &Json<'_>) -> User {
    let person = identity
        .str("principalId")
        .and_then(|id| id.split_once(':'))
        .map(|(_, session)| session)
        .filter(|session| session.contains('@'));
    User {
        name: person.and_then(field::text),
        uid: uid(identity).or_else(|| identity.text("accountId")),
        domain: identity.text("accountId"),
        kind: if identity.str("invokedBy").is_some() {
            AccountKind::Service
        } else {
            AccountKind::Unknown
        },
        ..User::default()
    }
}

fn uid(identity: &Json<'_>) -> Option<Text> {
    // Not the account's number: that would make all its unnamed callers one, and the root user.
    identity
        .text("principalId")
        .or_else(|| identity.text("credentialId"))
}

/// Account and resource of `arn:partition:service:region:account:resource`.
fn arn_parts(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':').skip(4);
    let account = parts.next()?;
    Some((account, parts.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::json::parse;

    fn read(text: &str) -> Principal {
        principal(&parse(text.as_bytes(), &Limits::default()).unwrap())
    }

    fn id(text: &str) -> Option<String> {
        read(text).account.account_id().map(|id| id.to_string())
    }

    #[test]
    fn roots_of_two_accounts_are_two_accounts() {
        let one = read(r#"{"type":"Root","principalId":"111122223333","accountId":"111122223333"}"#);
        assert_eq!(one.account.account_id().unwrap().as_str(), "root@111122223333");
        assert_eq!(one.account.uid.as_deref(), Some("111122223333"));
        assert_eq!(one.account.kind, AccountKind::Privileged);
    }

    #[test]
    fn sso_sessions_and_e_mail_sessions_are_people() {
        let sso = read(
            r#"{"type":"AssumedRole","principalId":"AROAEXAMPLE:carol","accountId":"111122223333",
                "arn":"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/carol"}"#,
        );
        assert_eq!(sso.account.name.as_deref(), Some("carol"));
        assert_eq!(sso.account.uid.as_deref(), Some("AROAEXAMPLE:carol"));
        assert_eq!(sso.session, None);
        assert_eq!(
            id(
                r#"{"type":"AssumedRole","principalId":"AROAEXAMPLE:Bob@example.com",
                "arn":"arn:aws:sts::111122223333:assumed-role/ops/Bob@example.com"}"#
            )
            .as_deref(),
            Some("bob@example.com")
        );
    }

    #[test]
    fn other_sessions_are_their_role() {
        let role = read(
            r#"{"type":"AssumedRole","principalId":"AROAEXAMPLE:i-0123456789abcdef0","accountId":"111122223333",
                "arn":"arn:aws:sts::111122223333:assumed-role/web/i-0123456789abcdef0"}"#,
        );
        assert_eq!(role.account.account_id().unwrap().as_str(), "111122223333\\web");
        assert_eq!(role.account.uid.as_deref(), Some("AROAEXAMPLE"));
        assert_eq!(role.account.kind, AccountKind::Service);
        assert_eq!(role.session.as_deref(), Some("i-0123456789abcdef0"));
    }

    #[test]
    fn hidden_and_missing_names_are_nobody() {
        assert_eq!(
            id(
                r#"{"type":"IAMUser","accountId":"111122223333","userName":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#
            ),
            None
        );
        assert_eq!(id(r#"{"type":"Unknown"}"#), None);
        assert_eq!(
            id(r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ops/dave"}"#).as_deref(),
            Some("dave")
        );
    }

    #[test]
    fn federation_names_the_user_and_who_let_it_in() {
        let federated = read(
            r#"{"type":"FederatedUser","principalId":"111122223333:erin",
                "arn":"arn:aws:sts::111122223333:federated-user/erin",
                "sessionContext":{"sessionIssuer":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/broker"}}}"#,
        );
        assert_eq!(federated.account.name.as_deref(), Some("erin"));
        assert_eq!(federated.actor.unwrap().name.as_deref(), Some("broker"));
        let workload = read(
            r#"{"type":"WebIdentityUser","principalId":"p","userName":"system:serviceaccount:shop:cart",
                "identityProvider":"arn:aws:iam::111122223333:oidc-provider/oidc.example.com"}"#,
        );
        assert_eq!(workload.account.kind, AccountKind::Service);
        assert!(workload.issuer.is_some());
        let service = read(r#"{"type":"AWSService","invokedBy":"lambda.amazonaws.com"}"#);
        assert_eq!(service.account.name.as_deref(), Some("lambda.amazonaws.com"));
        let foreign = read(r#"{"type":"AWSAccount","principalId":"AIDAEXAMPLE","accountId":"444455556666"}"#);
        assert_eq!(foreign.account.account_id().unwrap().as_str(), "aidaexample");
    }
}
