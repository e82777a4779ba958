//! What was done, and what an event says of it.
//!
//! The activities are those that this project's readers give the same things in real logs: a prompt is
//! Authentication/Preauth, a token refresh Authentication/Other, a request API Activity, a change of rights User Access
//! Management, a factor enrolled or removed Account Change.

use crate::act::{AccountIx, Act, Outcome, Registry};
use crate::catalogue::ResourceIx;
use crate::people::Factor;
use habitus_model::activity::{
    AccountChangeActivity as Account, ApiActivity as Api, AuthenticationActivity as Auth,
    EntityManagementActivity as Entity, UserAccessActivity as Access,
};
use habitus_model::event::{AuthProtocol, FactorType, LogonType};
use habitus_model::{Activity, AuthFacts, Event, Resource, Text, User};

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Read,
    Write,
    List,
    Create,
    Delete,
}

/// What a prompt for the second factor was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Approved,
    Denied,
    Ignored,
}

/// Position in [`Registry::credentials`].
pub(crate) type CredentialIx = u32;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// A login with a password, and the factor of the act.
    Login,
    /// A prompt for the act's factor.
    Prompt(Answer),
    /// A session gets a new token.
    Refresh,
    /// A request within a session.
    Request(ResourceIx, Verb),
    /// A login to a host over the network.
    Host(ResourceIx),
    /// A role is given to an account.
    Grant(AccountIx, u32),
    /// A factor is added to the account itself.
    Enrol(Factor),
    /// All factors of an account are removed.
    ResetFactors(AccountIx),
    /// The password of an account is set by somebody else, or by the account itself.
    ResetPassword(AccountIx),
    /// An application is given access to the account's data.
    Consent(ResourceIx),
    /// An access key is made for an account.
    NewKey(AccountIx),
    /// A machine calls with a credential.
    Call(CredentialIx, ResourceIx, Verb),
}

/// Names of the roles that can be given, the last ones powerful.
pub(crate) const ROLES: [&str; 6] = [
    "viewer",
    "editor",
    "support",
    "billing_admin",
    "security_admin",
    "organisation_owner",
];

impl Deed {
    /// OCSF class and activity.
    pub(crate) const fn activity(self) -> Activity {
        match self {
            Deed::Login | Deed::Host(_) => Activity::Authentication(Auth::Logon),
            Deed::Prompt(_) => Activity::Authentication(Auth::Preauth),
            Deed::Refresh => Activity::Authentication(Auth::Other),
            Deed::Request(_, verb) | Deed::Call(_, _, verb) => Activity::Api(match verb {
                Verb::Read | Verb::List => Api::Read,
                Verb::Write => Api::Update,
                Verb::Create => Api::Create,
                Verb::Delete => Api::Delete,
            }),
            Deed::Grant(..) => Activity::UserAccess(Access::AssignPrivileges),
            Deed::Enrol(_) => Activity::AccountChange(Account::MfaFactorEnable),
            Deed::ResetFactors(_) => Activity::AccountChange(Account::MfaFactorDisable),
            Deed::ResetPassword(_) => Activity::AccountChange(Account::PasswordReset),
            Deed::Consent(_) | Deed::NewKey(_) => Activity::EntityManagement(Entity::Create),
        }
    }

    /// The source's name for it.
    pub(crate) const fn action(self) -> &'static str {
        match self {
            Deed::Login => "logon",
            Deed::Prompt(_) => "mfa_prompt",
            Deed::Refresh => "token_refresh",
            Deed::Request(_, Verb::Read) | Deed::Call(_, _, Verb::Read) => "get",
            Deed::Request(_, Verb::Write) | Deed::Call(_, _, Verb::Write) => "update",
            Deed::Request(_, Verb::List) | Deed::Call(_, _, Verb::List) => "list",
            Deed::Request(_, Verb::Create) | Deed::Call(_, _, Verb::Create) => "create",
            Deed::Request(_, Verb::Delete) | Deed::Call(_, _, Verb::Delete) => "delete",
            Deed::Host(_) => "host_logon",
            Deed::Grant(..) => "grant_role",
            Deed::Enrol(_) => "enrol_factor",
            Deed::ResetFactors(_) => "reset_factors",
            Deed::ResetPassword(_) => "reset_password",
            Deed::Consent(_) => "grant_consent",
            Deed::NewKey(_) => "create_access_key",
        }
    }

    /// Whether no person sat there.
    pub(crate) const fn is_by_machine(self) -> bool {
        matches!(self, Deed::Call(..))
    }

    /// Fills in what this says beyond who, when and where.
    pub(crate) fn describe(self, act: &Act, registry: &Registry, event: &mut Event) {
        match self {
            Deed::Login => event.auth = login(act),
            Deed::Prompt(answer) => {
                event.auth.factors = act.factor.map(Factor::kind).into_iter().collect();
                event.auth.is_mfa = Some(act.succeeded());
                event.status_detail = match answer {
                    Answer::Approved => None,
                    Answer::Denied => Some(Text::const_new("denied by the user")),
                    Answer::Ignored => Some(Text::const_new("timed out")),
                };
            }
            Deed::Refresh => {
                event.auth.protocol = AuthProtocol::OAuth2;
                event.auth.method = Some(Text::const_new("refresh_token"));
            }
            Deed::Request(resource, _) => {
                event.resources.extend(registry.catalogue.named(resource));
                event.status_code = (act.outcome == Outcome::Denied).then_some(Text::const_new("403"));
            }
            Deed::Host(host) => {
                event.auth.logon_type = LogonType::Network;
                event.auth.protocol = AuthProtocol::Kerberos;
                event.auth.is_remote = Some(true);
                event.service = registry.catalogue.named(host);
            }
            Deed::Call(credential, resource, _) => call(registry, (credential, resource), event),
            Deed::Enrol(factor) => event.auth.factors = vec![factor.kind()],
            Deed::Consent(application) => event.resources.extend(consented(registry, application)),
            Deed::Grant(target, role) => {
                event.target = other(act, registry, target);
                event.privileges = vec![Text::const_new(role_name(role))];
            }
            Deed::NewKey(target) => {
                event.target = other(act, registry, target);
                event.resources.push(Resource {
                    name: Some(Text::new(format!("AK{:014X}", act.uid >> 8))),
                    kind: Some(Text::const_new("access_key")),
                    ..Resource::default()
                });
            }
            Deed::ResetFactors(target) | Deed::ResetPassword(target) => {
                event.target = other(act, registry, target)
            }
        }
    }
}

/// The name of a role; the powerful ones stand last.
pub(crate) fn role_name(role: u32) -> &'static str {
    let at = usize::try_from(role).unwrap_or(0) % ROLES.len();
    ROLES.get(at).copied().unwrap_or("viewer")
}

/// The account acted upon, where it is another one: logs name nobody twice.
fn other(act: &Act, registry: &Registry, target: AccountIx) -> Option<User> {
    registry.user(target).filter(|_| target != act.account)
}

fn login(act: &Act) -> AuthFacts {
    let second = act.factor.map(Factor::kind);
    AuthFacts {
        factors: std::iter::once(FactorType::Password).chain(second).collect(),
        is_mfa: Some(second.is_some()),
        is_remote: Some(true),
        ..AuthFacts::default()
    }
}

fn consented(registry: &Registry, application: ResourceIx) -> Option<Resource> {
    let named = registry.catalogue.named(application)?;
    Some(Resource {
        kind: Some(Text::const_new("oauth2_grant")),
        ..named
    })
}

fn call(registry: &Registry, (credential, resource): (CredentialIx, ResourceIx), event: &mut Event) {
    let at = usize::try_from(credential).unwrap_or(usize::MAX);
    if let Some(credential) = registry.credentials.get(at) {
        event.auth.method = Some(Text::const_new(credential.method));
        event.auth.credential_uid = Some(credential.uid.clone());
        event.auth.issuer.clone_from(&credential.issuer);
    }
    event.resources.extend(registry.catalogue.named(resource));
}
