//! Okta System Log (Okta: System Log API), bare, from event hooks, and as shippers wrap it.

mod events;
mod subjects;

use crate::envelope::{self, Marks};
use crate::format::{Format, Reading, Recognition, Record};
use crate::json::Json;
use crate::{field, stamp, unmapped};
use habitus_model::event::{AuthProtocol, FactorType};
use habitus_model::{
    Activity, Asn, Event, FailureReason, Rejection, RejectionKind, SourceName, Status, Text,
};

/// Okta System Log.
pub struct Okta;

const MARKS: Marks = Marks {
    is_own,
    text: &["eventType", "alternateId"],
};

/// Data lakes write the top-level names in lower case.
fn is_own(document: &Json<'_>) -> bool {
    let typed = document.has("eventType") || document.has("eventtype");
    typed && document.has("actor") && (document.has("published") || document.has("client"))
}

impl Format for Okta {
    fn name(&self) -> &'static str {
        "okta"
    }

    fn recognise(&self, record: &Record<'_>) -> Recognition {
        match record {
            Record::Json(document) if hooked(document).is_some() || envelope::holds(document, MARKS) => {
                Recognition::Certain
            }
            _ => Recognition::No,
        }
    }

    fn read(
        &self,
        record: &Record<'_>,
        reading: &Reading<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), Rejection> {
        let Record::Json(document) = record else {
            return Err(Rejection::new(
                RejectionKind::Malformed,
                "an Okta event is a JSON object",
            ));
        };
        if let Some(events) = hooked(document) {
            for inner in events {
                out.push(event(inner, reading)?);
            }
            return Ok(());
        }
        for inner in envelope::open(document, MARKS, &reading.options.limits)? {
            out.push(event(&inner.record, reading)?);
        }
        Ok(())
    }
}

/// The events of an event hook's request (Okta: event hooks, `data.events`).
fn hooked<'d, 'a>(document: &'d Json<'a>) -> Option<&'d [Json<'a>]> {
    let events = document.get("data")?.get("events")?.array();
    events.first().filter(|first| is_own(first)).map(|_| events)
}

/// Members that have a place in [`Event`], in both spellings of data lakes.
const MAPPED: &[&str] = &[
    "actor",
    "authenticationContext",
    "authenticationcontext",
    "client",
    "device",
    "eventType",
    "eventtype",
    "outcome",
    "published",
    "request",
    "securityContext",
    "securitycontext",
    "target",
    "uuid",
];

fn event(record: &Json<'_>, reading: &Reading<'_>) -> Result<Event, Rejection> {
    let kind = record
        .get_any_case("eventType")
        .and_then(Json::to_text)
        .ok_or_else(|| Rejection::missing("eventType"))?;
    let (time, quality) = stamp::or_reference(&[record.at("published")], "published", reading.options)?;
    let mut event = Event::new(
        reading.uid(record.str("uuid")),
        time,
        SourceName::new("okta"),
        events::activity(&kind),
        kind,
    );
    event.time_quality = quality;
    outcome(&mut event, record);
    subjects::read(&mut event, record);
    origin(&mut event, record);
    client(&mut event, record);
    authentication(&mut event, record);
    event.failure = failure(&event);
    event.unmapped = unmapped::rest(record, MAPPED, reading.options);
    Ok(event)
}

/// `outcome.result`: SUCCESS, FAILURE, SKIPPED, ALLOW, DENY, CHALLENGE, UNKNOWN, and others of single event types.
fn outcome(event: &mut Event, record: &Json<'_>) {
    event.status_code = record.text("outcome.result");
    event.status_detail = record.text("outcome.reason");
    event.status = match event.status_code.as_deref() {
        Some("SUCCESS" | "ALLOW") => Status::Success,
        Some("FAILURE" | "DENY" | "ABANDONED" | "UNANSWERED") => Status::Failure,
        Some("UNKNOWN") | None => Status::Unknown,
        Some(_) => Status::Other,
    };
    // The user pressed "no": Okta logs the denial itself as done.
    if event.action.starts_with("user.mfa.okta_verify.deny_push") {
        event.status = Status::Failure;
    }
}

fn failure(event: &Event) -> Option<FailureReason> {
    const REASONS: [(&str, FailureReason); 11] = [
        ("INVALID_CREDENTIALS", FailureReason::InvalidCredentials),
        ("BAD_CREDENTIALS", FailureReason::InvalidCredentials),
        ("LOCKED_OUT", FailureReason::AccountLockedOut),
        ("PASSWORD_EXPIRED", FailureReason::PasswordExpired),
        ("UNKNOWN_USER", FailureReason::UserDoesNotExist),
        ("USER_NOT_FOUND", FailureReason::UserDoesNotExist),
        ("USER_STATUS_INACTIVE", FailureReason::AccountDisabled),
        ("DEPROVISIONED", FailureReason::AccountDisabled),
        ("SUSPENDED", FailureReason::AccountDisabled),
        ("NETWORK_ZONE_BLACKLIST", FailureReason::PolicyDenied),
        ("DENY", FailureReason::PolicyDenied),
    ];
    if event.status != Status::Failure || !event.activity.is_authentication() {
        return None;
    }
    let reason = event.status_detail.as_deref().unwrap_or_default();
    let known = REASONS.iter().find(|(word, _)| reason.contains(word));
    Some(match (known, event.action.as_str()) {
        (Some((_, known)), _) => *known,
        (None, action) if action.starts_with("policy.") || action.starts_with("application.policy.") => {
            FailureReason::PolicyDenied
        }
        (None, action) if action.contains("mfa") => FailureReason::MfaFailed,
        _ => FailureReason::Other,
    })
}

fn origin(event: &mut Event, record: &Json<'_>) {
    let src = &mut event.src;
    if let Some((ip, port)) = record.str("client.ipAddress").and_then(field::ip_port) {
        (src.ip, src.port) = (Some(ip), port);
    }
    if let Some(place) = record.at("client.geographicalContext") {
        src.country = place.text("country");
        src.region = place.text("state");
        src.city = place.text("city");
        src.coordinates = field::coordinates(place.f64("geolocation.lat"), place.f64("geolocation.lon"));
    }
    src.intermediate_ips = record
        .items("request.ipChain")
        .iter()
        .filter_map(|hop| field::ip(hop.str("ip")?))
        .filter(|ip| Some(*ip) != src.ip)
        .collect();
    let Some(network) = record.get_any_case("securityContext") else {
        return;
    };
    src.asn = network
        .i64("asNumber")
        .and_then(|number| Asn::new(u32::try_from(number).ok()?));
    src.organisation = network.text("asOrg").or_else(|| network.text("isp"));
    src.is_anonymised = network.bool("isProxy");
    if has_tunnel(record) {
        src.is_anonymised = Some(true);
    }
}

/// `debugData.tunnels` is JSON in a string: `[{"anonymous":false,"operator":"…","type":"VPN"}]`.
fn has_tunnel(record: &Json<'_>) -> bool {
    debug(record)
        .and_then(|debug| debug.str("tunnels"))
        .is_some_and(|tunnels| tunnels.contains("\"type\""))
}

fn debug<'d, 'a>(record: &'d Json<'a>) -> Option<&'d Json<'a>> {
    record.get_any_case("debugContext")?.at("debugData")
}

fn client(event: &mut Event, record: &Json<'_>) {
    let client = &mut event.client;
    client.user_agent = record
        .str("client.userAgent.rawUserAgent")
        .and_then(field::user_agent);
    client.os = record.text("client.userAgent.os").filter(is_known);
    client.browser = record.text("client.userAgent.browser").filter(is_known);
    client.device_uid = record
        .text("device.id")
        .or_else(|| debug(record)?.text("dtHash"))
        .or_else(|| debug(record)?.text("deviceFingerprint"));
    client.device_name = record.text("device.name");
    client.is_managed = record.bool("device.managed");
}

/// Okta writes "unknown" in several cases of letters where it knows nothing.
fn is_known(text: &Text) -> bool {
    !text.eq_ignore_ascii_case("unknown")
}

fn authentication(event: &mut Event, record: &Json<'_>) {
    let context = record.get_any_case("authenticationContext");
    let of_context = |name: &str| context.and_then(|context| context.text(name)).filter(is_known);
    event.session = of_context("externalSessionId").or_else(|| of_context("rootSessionId"));
    let auth = &mut event.auth;
    auth.method = of_context("credentialType");
    auth.issuer = of_context("issuer.id").or_else(|| of_context("issuer"));
    auth.credential_uid = record.text("transaction.detail.requestApiTokenId");
    auth.protocol = protocol(&event.action, record);
    let debug = debug(record);
    let said = ["authMethodFirstType", "authMethodSecondType", "factor"]
        .into_iter()
        .filter_map(|name| debug?.str(name));
    auth.factors = said.map(factor).collect();
    if auth.factors.is_empty() {
        // Challenges name their factor in the event's type: `system.push.send_factor_verify_push`.
        let challenged = factor(&event.action);
        let is_challenge = event.activity == events::CHALLENGE && challenged != FactorType::Other;
        auth.factors.extend(is_challenge.then_some(challenged));
    }
    if auth.factors.is_empty() {
        auth.factors.extend(
            auth.method
                .as_deref()
                .map(factor)
                .filter(|factor| *factor != FactorType::Other),
        );
    }
    let second = debug.is_some_and(|debug| debug.str("authMethodSecondType").is_some());
    let passed = event.action == "user.authentication.auth_via_mfa" && event.status == Status::Success;
    auth.is_mfa = (second || passed).then_some(true);
    if matches!(event.activity, Activity::Authentication(_)) {
        let token = record
            .items("target")
            .iter()
            .find(|target| target.str("type").is_some_and(|kind| kind.ends_with("_token")));
        auth.token_uid = token.and_then(|token| token.text("id"));
    }
}

fn protocol(action: &str, record: &Json<'_>) -> AuthProtocol {
    if action.starts_with("app.oauth2.") {
        return AuthProtocol::OAuth2;
    }
    let mode = record
        .items("target")
        .iter()
        .find_map(|target| target.str("detailEntry.signOnModeType"));
    match mode {
        Some("SAML_1_1" | "SAML_2_0") => AuthProtocol::Saml,
        Some("OPENID_CONNECT") => AuthProtocol::OpenId,
        Some(_) => AuthProtocol::Other,
        None if action.ends_with("auth_via_radius") => AuthProtocol::Radius,
        None if action.ends_with("auth_via_LDAP_agent") => AuthProtocol::Ldap,
        None => AuthProtocol::Unknown,
    }
}

/// Okta's names of factors (`OKTA_VERIFY_PUSH`, `PASSWORD_AS_FACTOR`, `okta_password:password:aut1…`) by the word in
/// them that tells; the order matters where a name holds two.
fn factor(name: &str) -> FactorType {
    const WORDS: [(&str, FactorType); 14] = [
        ("push", FactorType::Push),
        ("webauthn", FactorType::WebAuthn),
        ("fido", FactorType::WebAuthn),
        ("u2f", FactorType::U2f),
        ("sms", FactorType::Sms),
        ("call", FactorType::PhoneCall),
        ("voice", FactorType::PhoneCall),
        ("email", FactorType::Email),
        ("question", FactorType::SecurityQuestion),
        ("yubikey", FactorType::HardwareToken),
        ("otp", FactorType::Otp),
        ("signed_nonce", FactorType::Push),
        ("biometric", FactorType::Biometric),
        ("password", FactorType::Password),
    ];
    let name = name.to_lowercase();
    let known = WORDS.iter().find(|(word, _)| name.contains(word));
    known.map_or(FactorType::Other, |(_, factor)| *factor)
}
