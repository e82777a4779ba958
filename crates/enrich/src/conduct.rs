//! Sessions, proofs and deeds of an event, as facts that no longer depend on who wrote the log.

mod deeds;

use habitus_model::activity::{ApiActivity, AuthenticationActivity, EntityManagementActivity};
use habitus_model::event::{FactorType, LogonType};
use habitus_model::hash::HashKey;
use habitus_model::{
    AccountKind, Activity, Conduct, Event, FailureReason, Grant, Named, Prompt, PromptKind, PromptOutcome,
    Resource, Status, Text,
};

/// Ids are fingerprinted with a public key: whoever reads them has read the ids, and equal ids must meet whatever
/// the server's secret is.
const KEY: HashKey = HashKey::REPLAY;
/// Longest name kept for sentences, characters.
const NAME_CHARS_MAX: usize = 64;

/// What an event says of all this; absent if nothing. `kind` is the account's. Cost: a short hash for each id.
#[must_use]
pub fn of(event: &Event, kind: AccountKind) -> Option<Box<Conduct>> {
    let id = |domain: &str, text: &Option<Text>| {
        text.as_ref()
            .map(|text| KEY.fingerprint(&(domain, text.as_str())))
    };
    let auth = &event.auth;
    let conduct = Conduct {
        session: id("session", &event.session),
        // A token issued here is the credential shown later.
        token: id("credential", &auth.token_uid),
        credential: id("credential", &auth.credential_uid),
        tls: id("tls", &event.client.tls_fingerprint),
        job: job(event, kind),
        interactive: interactive(auth.logon_type),
        prompt: prompt(event),
        grant: grant(event),
        deed: deeds::of(event),
        target: target(event),
        behind: behind(event),
        origin: origin(event),
        sort: sort(event),
        application: event.service.as_ref().and_then(named),
        action: action(event),
        resource: event
            .resources
            .first()
            .filter(|_| !makes(event.activity))
            .and_then(named),
        count: event.count,
    };
    (!conduct.is_empty()).then(|| Box::new(conduct))
}

const fn interactive(logon: LogonType) -> Option<bool> {
    match logon {
        LogonType::Interactive
        | LogonType::Unlock
        | LogonType::RemoteInteractive
        | LogonType::CachedInteractive
        | LogonType::CachedRemoteInteractive
        | LogonType::CachedUnlock => Some(true),
        LogonType::Batch | LogonType::OsService | LogonType::System => Some(false),
        LogonType::Unknown
        | LogonType::Network
        | LogonType::NetworkCleartext
        | LogonType::NewCredentials
        | LogonType::Other => None,
    }
}

/// A workload that another party vouches for: the party and whom it vouches for. People's providers are no jobs.
fn job(event: &Event, kind: AccountKind) -> Option<u64> {
    if kind != AccountKind::Service {
        return None;
    }
    let issuer = event.auth.issuer.as_ref()?;
    let subject = event.actor.as_ref().and_then(habitus_model::User::account_id);
    // Claims of a job are words with parts (`repo:owner/name:ref:refs/heads/main`); keys that change hourly are not.
    let claims = event
        .auth
        .credential_uid
        .as_deref()
        .filter(|uid| uid.contains([':', '/']));
    let subject = subject.as_ref().map(|subject| subject.as_str()).or(claims);
    Some(KEY.fingerprint(&("job", issuer.as_str(), subject.unwrap_or(""))))
}

/// The strongest second factor named; a password is none.
fn second(factors: &[FactorType]) -> Option<PromptKind> {
    let kinds = factors.iter().filter_map(|factor| match factor {
        FactorType::WebAuthn | FactorType::U2f | FactorType::HardwareToken => Some(PromptKind::Strong),
        FactorType::Push | FactorType::PhoneCall => Some(PromptKind::Push),
        FactorType::Otp | FactorType::Sms | FactorType::Email => Some(PromptKind::Code),
        FactorType::Biometric | FactorType::SecurityQuestion | FactorType::Other | FactorType::Unknown => {
            Some(PromptKind::Unknown)
        }
        FactorType::Password => None,
    });
    kinds.min_by_key(|kind| match kind {
        PromptKind::Strong => 0,
        PromptKind::Push => 1,
        PromptKind::Code => 2,
        PromptKind::Unknown => 3,
    })
}

fn prompt(event: &Event) -> Option<Prompt> {
    let Activity::Authentication(activity) = event.activity else {
        return None;
    };
    let named = second(&event.auth.factors);
    let kind = named.unwrap_or(PromptKind::Unknown);
    let outcome = match event.status {
        Status::Failure if event.failure == Some(FailureReason::MfaFailed) => {
            if is_denied(event) {
                PromptOutcome::Denied
            } else {
                PromptOutcome::Failed
            }
        }
        Status::Success
            if event.auth.is_mfa == Some(true) && (named.is_some() || event.auth.factors.is_empty()) =>
        {
            PromptOutcome::Satisfied
        }
        // Sources log that a prompt was sent as done, or as neither done nor failed.
        Status::Success | Status::Other | Status::Unknown
            if activity == AuthenticationActivity::Preauth && named == Some(PromptKind::Push) =>
        {
            if event.status == Status::Success && !event.action.contains("send") {
                PromptOutcome::Satisfied
            } else {
                PromptOutcome::Sent
            }
        }
        Status::Success | Status::Failure | Status::Other | Status::Unknown => return None,
    };
    Some(Prompt { kind, outcome })
}

/// Words of sources for a prompt that a person refused: Okta `user.mfa.okta_verify.deny_push` and "User rejected Okta push
/// verify", Entra "MFA denied; user declined the authentication", Duo `deny` and `fraud`. Parts in lower case.
const DENIALS: [&str; 5] = ["deny", "denied by the user", "declined", "rejected", "fraud"];

/// Whether a source says that a person refused a prompt. That access was denied, many say of any failure.
fn is_denied(event: &Event) -> bool {
    let says = |text: &str| {
        let text = text.to_ascii_lowercase();
        DENIALS.iter().any(|part| text.contains(part))
    };
    says(&event.action) || event.status_detail.as_deref().is_some_and(says)
}

/// Words of sources for ways in: Entra `authenticationProtocol`, `clientAppUsed` and `clientCredentialType`; OAuth 2.0
/// `grant_type`; GitHub `programmatic_access_type`; Keycloak `auth_method`. Parts in lower case, the first that fits.
const GRANTS: [(&str, Grant); 18] = [
    ("devicecode", Grant::DeviceCode),
    ("device_code", Grant::DeviceCode),
    ("ropc", Grant::Password),
    ("grant_type_password", Grant::Password),
    ("imap", Grant::Legacy),
    ("pop3", Grant::Legacy),
    ("smtp", Grant::Legacy),
    ("exchange activesync", Grant::Legacy),
    ("exchange web services", Grant::Legacy),
    ("mapi", Grant::Legacy),
    ("autodiscover", Grant::Legacy),
    ("other clients", Grant::Legacy),
    ("client_credentials", Grant::Key),
    ("clientsecret", Grant::Key),
    ("clientassertion", Grant::Key),
    ("federatedidentitycredential", Grant::Key),
    ("access token", Grant::Key),
    ("api", Grant::Key),
];

fn grant(event: &Event) -> Option<Grant> {
    let method = event.auth.method.as_deref()?.to_ascii_lowercase();
    GRANTS
        .iter()
        .find(|(part, _)| method.contains(part))
        .map(|(_, grant)| *grant)
}

fn target(event: &Event) -> Option<habitus_model::AccountId> {
    let target = event.target.as_ref()?.account_id()?;
    (Some(&target) != event.account_id().as_ref()).then_some(target)
}

/// Who caused it, where that is another person or role; or at a logon, whose credentials are used. Machines write themselves
/// as the cause of the logons they serve (Windows' subject), which says no more than where that was.
fn behind(event: &Event) -> Option<u64> {
    let at_logon = event
        .target
        .as_ref()
        .filter(|_| event.activity.is_authentication());
    let other = event.actor.as_ref().or(at_logon)?;
    let id = other
        .account_id()
        .filter(|_| other.kind != AccountKind::Service)?;
    (Some(&id) != event.account_id().as_ref()).then(|| KEY.fingerprint(&("account", id.as_str())))
}

/// Where networks and devices are told by address and id, the name of the computer says nothing more.
fn origin(event: &Event) -> Option<Named> {
    if event.src.ip.is_some() || event.client.device_uid.is_some() {
        return None;
    }
    let name = event
        .client
        .device_name
        .as_ref()
        .or(event.src.hostname.as_ref())?;
    Some(Named {
        key: KEY.fingerprint(&("origin", name.to_lowercase())),
        name: short(name),
    })
}

/// What is made is new by its nature, whoever makes it.
const fn makes(activity: Activity) -> bool {
    matches!(
        activity,
        Activity::EntityManagement(EntityManagementActivity::Create) | Activity::Api(ApiActivity::Create)
    )
}

/// Logons are told by their application; what is done there has a name of its own.
fn action(event: &Event) -> Option<Named> {
    if event.activity.is_authentication() {
        return None;
    }
    let service = event.service.as_ref().and_then(|service| service.name.as_deref());
    Some(Named {
        key: KEY.fingerprint(&("action", service.unwrap_or(""), event.action.as_str())),
        name: short(&event.action),
    })
}

/// The sort of a thing: a secret of the accounting department, a host of the laboratory. Of what is made the action speaks.
fn sort(event: &Event) -> Option<Named> {
    if makes(event.activity) {
        return None;
    }
    let thing = event.resources.first().or(event.service.as_ref())?;
    let kind = thing.kind.as_deref()?;
    let within = thing.namespace.as_deref();
    let name = match within {
        Some(within) => format!("{kind} of {within}"),
        None => kind.to_owned(),
    };
    Some(Named {
        key: KEY.fingerprint(&("sort", within, kind)),
        name: short(&Text::from(name)),
    })
}

fn named(resource: &Resource) -> Option<Named> {
    let text = |text: &Option<Text>| text.as_deref().map(str::to_owned);
    let id = resource
        .uid
        .as_deref()
        .or(resource.name.as_deref())
        .or(resource.kind.as_deref())?;
    let name = resource
        .name
        .as_ref()
        .or(resource.uid.as_ref())
        .or(resource.kind.as_ref())?;
    let within = text(&resource.namespace);
    Some(Named {
        key: KEY.fingerprint(&("resource", within, resource.kind.as_deref(), id)),
        name: short(name),
    })
}

fn short(name: &Text) -> Text {
    if name.len() <= NAME_CHARS_MAX {
        return name.clone();
    }
    name.chars().take(NAME_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_model::{EventTime, EventUid, SourceName, User};

    fn event(activity: Activity, action: &str) -> Event {
        let time = EventTime::from_millis(0).unwrap();
        let mut event = Event::new(EventUid::new("1"), time, SourceName::new("t"), activity, action);
        event.account = User::by_name("alice").unwrap();
        event
    }

    fn logon(status: Status, factors: &[FactorType]) -> Event {
        let mut event = event(Activity::from_ocsf(3002, 1), "logon");
        event.status = status;
        event.auth.factors = factors.to_vec();
        event
    }

    #[test]
    fn a_plain_password_logon_says_nothing() {
        let event = logon(Status::Success, &[FactorType::Password]);
        assert_eq!(of(&event, AccountKind::Human), None);
    }

    #[test]
    fn prompts_are_told_by_factor_and_outcome() {
        let mut denied = logon(Status::Failure, &[FactorType::Password, FactorType::Push]);
        denied.failure = Some(FailureReason::MfaFailed);
        let mut refused = denied.clone();
        refused.status_detail = Some(Text::new("MFA denied; user declined the authentication"));
        let mut passed = logon(Status::Success, &[FactorType::Otp]);
        passed.auth.is_mfa = Some(true);
        let mut sent = event(
            Activity::from_ocsf(3002, 6),
            "system.push.send_factor_verify_push",
        );
        (sent.status, sent.auth.factors) = (Status::Success, vec![FactorType::Push]);
        let mut wrong_password = logon(Status::Failure, &[FactorType::Push]);
        wrong_password.failure = Some(FailureReason::InvalidCredentials);
        for (event, expected) in [
            (denied, Some((PromptKind::Push, PromptOutcome::Failed))),
            (refused, Some((PromptKind::Push, PromptOutcome::Denied))),
            (passed, Some((PromptKind::Code, PromptOutcome::Satisfied))),
            (sent, Some((PromptKind::Push, PromptOutcome::Sent))),
            (wrong_password, None),
        ] {
            let prompt = of(&event, AccountKind::Human).and_then(|conduct| conduct.prompt);
            assert_eq!(prompt.map(|prompt| (prompt.kind, prompt.outcome)), expected);
        }
    }

    #[test]
    fn a_sort_is_a_kind_and_whose_it_is() {
        let sort = |kind: Option<&str>, namespace: Option<&str>, activity| {
            let mut event = event(activity, "get");
            event.resources.push(Resource {
                name: Some(Text::new("payroll")),
                kind: kind.map(Text::new),
                namespace: namespace.map(Text::new),
                ..Resource::default()
            });
            of(&event, AccountKind::Human).and_then(|conduct| conduct.sort)
        };
        let read = Activity::from_ocsf(6003, 2);
        let of_finance = sort(Some("secret"), Some("finance"), read).unwrap();
        assert_eq!(of_finance.name.as_str(), "secret of finance");
        assert_ne!(Some(of_finance), sort(Some("secret"), Some("research"), read));
        assert_eq!(sort(None, Some("finance"), read), None);
        assert_eq!(
            sort(Some("access_key"), None, Activity::from_ocsf(6003, 1)),
            None,
            "it is made"
        );
    }

    #[test]
    fn an_issued_token_and_the_credential_shown_later_meet() {
        let mut issued = event(Activity::from_ocsf(3002, 3), "AssumeRole");
        issued.auth.token_uid = Some(Text::new("ASIAEXAMPLE"));
        let mut used = event(Activity::from_ocsf(6003, 2), "GetObject");
        used.auth.credential_uid = Some(Text::new("ASIAEXAMPLE"));
        let (issued, used) = (
            of(&issued, AccountKind::Human).unwrap(),
            of(&used, AccountKind::Human).unwrap(),
        );
        assert!(issued.token.is_some() && issued.token == used.credential);
    }

    #[test]
    fn who_stands_behind_an_account_is_told_and_machines_that_log_people_in_are_not() {
        let other = |name: &str, kind| User {
            kind,
            ..User::by_name(name).unwrap()
        };
        let said = |actor: Option<User>, target: Option<User>, activity| {
            let mut event = event(activity, "x");
            (event.actor, event.target) = (actor, target);
            of(&event, AccountKind::Human).and_then(|conduct| conduct.behind)
        };
        let (logon, call) = (Activity::from_ocsf(3002, 1), Activity::from_ocsf(6003, 2));
        let bob = || Some(other("bob", AccountKind::Human));
        assert!(said(bob(), None, call).is_some());
        assert_eq!(
            said(bob(), None, call),
            said(None, bob(), logon),
            "explicit credentials"
        );
        assert_eq!(
            said(None, bob(), call),
            None,
            "what is done to others is no switch"
        );
        assert_eq!(said(Some(other("PC7$", AccountKind::Service)), None, logon), None);
        assert_eq!(said(Some(other("alice", AccountKind::Human)), None, logon), None);
    }

    #[test]
    fn a_computer_is_told_where_no_address_and_no_device_is() {
        let mut at_desk = logon(Status::Success, &[]);
        at_desk.client.device_name = Some(Text::new("PC-0042"));
        let origin = |event: &Event| of(event, AccountKind::Human).and_then(|conduct| conduct.origin);
        let named = origin(&at_desk).unwrap();
        let mut over_there = logon(Status::Success, &[]);
        over_there.src.hostname = Some(Text::new("pc-0042"));
        assert_eq!(origin(&over_there).unwrap().key, named.key);
        at_desk.src.ip = Some("192.0.2.1".parse().unwrap());
        assert_eq!(origin(&at_desk), None);
    }

    #[test]
    fn weak_grants_are_known_by_their_words() {
        for (method, expected) in [
            ("deviceCode", Some(Grant::DeviceCode)),
            ("ropc", Some(Grant::Password)),
            ("IMAP4", Some(Grant::Legacy)),
            ("clientSecret", Some(Grant::Key)),
            ("Personal access token", Some(Grant::Key)),
            ("publickey", None),
        ] {
            let mut event = logon(Status::Success, &[]);
            event.auth.method = Some(Text::new(method));
            let grant = of(&event, AccountKind::Human).and_then(|conduct| conduct.grant);
            assert_eq!(grant, expected, "{method}");
        }
    }
}
