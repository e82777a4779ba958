//! Sign-ins: interactive, non-interactive, of service principals and of managed identities.

use super::codes;
use super::view::{View, object_id, principal};
use crate::field;
use crate::json::Json;
use habitus_model::activity::AuthenticationActivity;
use habitus_model::event::{AuthProtocol, FactorType, LogonType};
use habitus_model::{AccountKind, Activity, Event, FailureReason, Rejection, Resource, Status, Text, User};

/// Members that have a place in an event.
const MAPPED: &[&str] = &[
    "appDisplayName",
    "appId",
    "authenticationDetails",
    "authenticationProtocol",
    "authenticationRequirement",
    "autonomousSystemNumber",
    "clientAppUsed",
    "createdDateTime",
    "deviceDetail",
    "id",
    "ipAddress",
    "isInteractive",
    "location",
    "mfaDetail",
    "resourceDisplayName",
    "resourceId",
    "servicePrincipalId",
    "servicePrincipalName",
    "sessionId",
    "status",
    "uniqueTokenIdentifier",
    "userAgent",
    "userDisplayName",
    "userId",
    "userPrincipalName",
];

/// Reads a sign-in.
///
/// # Errors
/// It has no time that can be read.
pub fn read(view: &View<'_>) -> Result<Event, Rejection> {
    let action = view.str("operationName").unwrap_or("Sign-in activity");
    let activity = Activity::Authentication(AuthenticationActivity::Logon);
    let mut event = view.event(&["createdDateTime", "time"], activity, action)?;
    let is_service = is_service(view);
    event.account = if is_service {
        principal(
            view.text("servicePrincipalId").or_else(|| view.text("appId")),
            view.text("servicePrincipalName")
                .or_else(|| view.text("appDisplayName")),
        )
    } else {
        user(view)
    };
    event.src = view.origin();
    event.src.is_anonymised = is_anonymised(view);
    outcome(&mut event, view);
    client(&mut event, view);
    proof(&mut event, view);
    event.session = view.text("sessionId");
    let application = resource(view.text("appDisplayName"), view.text("appId"), "application");
    // In an envelope, and in a table, the log's own path is called `resourceId` too.
    let resource_id = view
        .text("resourceIdentity")
        .or_else(|| view.text("resourceId"))
        .filter(|id| !id.starts_with('/'));
    let wanted = resource(view.text("resourceDisplayName"), resource_id, "resource");
    // A person signs in to an application that uses a resource; a service principal is the application.
    event.service = if is_service {
        wanted.clone()
    } else {
        application.or_else(|| wanted.clone())
    };
    event.resources.extend(wanted);
    event.unmapped = view.rest(MAPPED);
    Ok(event)
}

fn is_service(view: &View<'_>) -> bool {
    let category = view.str("category").or_else(|| view.str("Type")).unwrap_or("");
    if category.contains("ServicePrincipal") || category.contains("ManagedIdentity") {
        return true;
    }
    view.str("servicePrincipalId").is_some() && view.str("userPrincipalName").is_none()
}

fn user(view: &View<'_>) -> User {
    let name = ["userPrincipalName", "signInIdentifier", "alternateSignInName"]
        .iter()
        .find_map(|key| view.str(key));
    User {
        name: name.and_then(field::text),
        uid: object_id(view.text("userId")),
        display_name: view.text("userDisplayName"),
        kind: match view.str("userType") {
            Some(kind) if kind.eq_ignore_ascii_case("guest") => AccountKind::Vendor,
            _ => AccountKind::Unknown,
        },
        ..User::default()
    }
}

/// Only a code of 0 is success: others are refusals, or interrupts after which the client has no token yet (another
/// factor is asked for, a password must be changed).
fn outcome(event: &mut Event, view: &View<'_>) {
    let status = view.part("status");
    let status = status.as_deref();
    let said = |key: &str| status?.get_any_case(key)?.to_text();
    let code = said("errorCode").or_else(|| view.text("resultType"));
    event.status = match code.as_deref() {
        Some("0" | "Success") => Status::Success,
        Some(code) if codes::is_interrupt(code) => Status::Other,
        Some(_) => Status::Failure,
        None => Status::Unknown,
    };
    let reason = said("failureReason").filter(|words| words != "Other.");
    let description = reason.or_else(|| view.text("resultDescription"));
    let details = said("additionalDetails");
    event.status_detail = if matches!(event.status, Status::Failure | Status::Other) {
        description.or(details)
    } else {
        details
    };
    if event.status == Status::Failure {
        event.failure = Some(code.as_deref().map_or(FailureReason::Other, codes::reason));
    }
    event.status_code = code;
}

fn client(event: &mut Event, view: &View<'_>) {
    event.client.user_agent = view.str("userAgent").and_then(field::user_agent);
    if let Some(device) = view.part("deviceDetail") {
        event.client.device_uid = object_id(device.text("deviceId"));
        event.client.device_name = device.text("displayName");
        event.client.os = device.text("operatingSystem");
        event.client.browser = device.text("browser");
        event.client.is_managed = device.bool("isManaged");
        event.client.is_compliant = device.bool("isCompliant");
    }
}

/// Entra itself calls the address a proxy, relay or Tor exit.
fn is_anonymised(view: &View<'_>) -> Option<bool> {
    ["riskEventTypes_v2", "riskEventTypes"]
        .iter()
        .filter_map(|key| view.part(key))
        .any(|kinds| {
            kinds
                .array()
                .iter()
                .filter_map(Json::as_str)
                .any(|kind| matches!(kind, "anonymizedIPAddress" | "riskyIPAddress"))
        })
        .then_some(true)
}

fn proof(event: &mut Event, view: &View<'_>) {
    let protocol = view.str("authenticationProtocol").filter(|word| is_said(word));
    event.auth.protocol = match protocol {
        Some("oAuth2" | "deviceCode" | "ropc" | "nativeAuth" | "authenticationTransfer") => {
            AuthProtocol::OAuth2
        }
        Some("saml20") => AuthProtocol::Saml,
        Some("wsFederation") => AuthProtocol::Other,
        _ => AuthProtocol::Unknown,
    };
    event.auth.method = method(view, protocol);
    event.auth.logon_type = match view.bool("isInteractive") {
        Some(true) => LogonType::Interactive,
        Some(false) => LogonType::Other,
        None => LogonType::Unknown,
    };
    event.auth.is_remote = Some(true);
    event.auth.token_uid = view.text("uniqueTokenIdentifier");
    event.auth.credential_uid = view
        .text("servicePrincipalCredentialKeyId")
        .or_else(|| view.text("servicePrincipalCredentialThumbprint"));
    event.auth.issuer = view
        .text("tokenIssuerName")
        .or_else(|| view.text("tokenIssuerType"));
    let used = view
        .part("mfaDetail")
        .and_then(|detail| detail.text("authMethod"));
    if let Some(details) = view.part("authenticationDetails") {
        // A factor that was tried and given up for another is none of a success.
        let is_success = event.status == Status::Success;
        let methods = details
            .array()
            .iter()
            .filter(|detail| !(is_success && detail.bool("succeeded") == Some(false)));
        event
            .auth
            .factors
            .extend(methods.filter_map(|detail| factor(detail.str("authenticationMethod")?)));
    }
    if let Some(factor) = used.as_deref().and_then(factor)
        && !event.auth.factors.contains(&factor)
    {
        event.auth.factors.push(factor);
    }
    event.auth.is_mfa = is_mfa(event, view, used.is_some());
}

/// The most telling word on how the client signed in: a grant that attackers like, a legacy protocol, the kind of a
/// service principal's credential, else the protocol or the client.
fn method(view: &View<'_>, protocol: Option<&str>) -> Option<Text> {
    let app = view.str("clientAppUsed");
    let is_modern = |app: &&str| matches!(*app, "Browser" | "Mobile Apps and Desktop clients");
    protocol
        .filter(|word| *word != "oAuth2")
        .or_else(|| app.filter(|app| !is_modern(app)))
        .or_else(|| view.str("clientCredentialType").filter(|word| is_said(word)))
        .or(protocol)
        .or(app)
        .and_then(field::text)
}

fn is_said(word: &str) -> bool {
    word != "none" && word != "unknownFutureValue"
}

/// Whether more than one factor was satisfied; only a success says so.
fn is_mfa(event: &Event, view: &View<'_>, has_detail: bool) -> Option<bool> {
    if event.status != Status::Success {
        return None;
    }
    let details = event.status_detail.as_deref().unwrap_or("");
    let is_told =
        details.starts_with("MFA") && (details.contains("completed") || details.contains("satisfied"));
    match view.str("authenticationRequirement") {
        _ if is_told || has_detail => Some(true),
        Some("multiFactorAuthentication") => Some(true),
        Some("singleFactorAuthentication") => Some(false),
        _ => None,
    }
}

/// Names of methods in `authenticationDetails` and `mfaDetail`, by a part in lower case; the first that fits. "Previously
/// satisfied" is no factor of this sign-in.
const FACTORS: [(&str, FactorType); 15] = [
    ("previously satisfied", FactorType::Unknown),
    ("password", FactorType::Password),
    ("verification code", FactorType::Otp),
    ("oath", FactorType::Otp),
    ("temporary access pass", FactorType::Otp),
    ("text message", FactorType::Sms),
    ("sms", FactorType::Sms),
    ("phone call", FactorType::PhoneCall),
    ("notification", FactorType::Push),
    ("authenticator", FactorType::Push),
    ("fido", FactorType::WebAuthn),
    ("passkey", FactorType::WebAuthn),
    ("hello", FactorType::WebAuthn),
    ("certificate", FactorType::HardwareToken),
    ("email", FactorType::Email),
];

fn factor(method: &str) -> Option<FactorType> {
    let method = method.to_ascii_lowercase();
    let found = FACTORS
        .iter()
        .find(|(part, _)| method.contains(part))
        .map_or(FactorType::Other, |(_, factor)| *factor);
    (found != FactorType::Unknown).then_some(found)
}

fn resource(name: Option<Text>, uid: Option<Text>, kind: &'static str) -> Option<Resource> {
    if name.is_none() && uid.is_none() {
        return None;
    }
    Some(Resource {
        name,
        uid,
        kind: Some(Text::const_new(kind)),
        namespace: None,
    })
}
