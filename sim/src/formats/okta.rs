//! Okta System Log.

use super::{add, login_name, stamp};
use habitus_model::activity::{
    AccountChangeActivity as Account, AuthenticationActivity as Auth, UserAccessActivity as Access,
};
use habitus_model::event::{FactorType, LogonType};
use habitus_model::{AccountKind, Activity, Event, FailureReason, Status, User};
use serde_json::{Value, json};

pub(super) fn write(event: &Event) -> Option<String> {
    let kind = event_type(event)?;
    let src = &event.src;
    let mut line = json!({
        "uuid": event.uid.as_str(),
        "published": stamp::millis(event.time),
        "eventType": kind,
        "version": "0",
        "severity": "INFO",
        "outcome": outcome(event),
        "actor": person(&event.account)?,
        "client": {
            "ipAddress": src.ip?.to_string(),
            "userAgent": { "rawUserAgent": event.client.user_agent.as_deref()? },
            "geographicalContext": {
                "country": src.country.as_deref(),
                "city": src.city.as_deref(),
                "geolocation": src.coordinates.map(|point| json!({ "lat": point.lat(), "lon": point.lon() })),
            },
        },
        "securityContext": {
            "asNumber": src.asn.map(|asn| asn.get()),
            "asOrg": src.organisation.as_deref(),
        },
        "authenticationContext": { "externalSessionId": event.session.as_deref() },
        "debugContext": { "debugData": debug(event) },
        "target": targets(event),
    });
    if let Some(device) = &event.client.device_uid {
        let device = json!({ "id": device.as_str(), "managed": event.client.is_managed });
        add(&mut line, "device", device);
    }
    Some(line.to_string())
}

/// The event type that Okta has for it; `None` for what Okta does not log.
fn event_type(event: &Event) -> Option<&'static str> {
    let denied = event.status_detail.as_deref() == Some("denied by the user");
    match event.activity {
        Activity::Authentication(Auth::Logon) if event.auth.logon_type == LogonType::Network => None,
        Activity::Authentication(Auth::Logon) => Some("user.session.start"),
        Activity::Authentication(Auth::Preauth) if denied => Some("user.mfa.okta_verify.deny_push"),
        Activity::Authentication(Auth::Preauth) => Some("user.authentication.auth_via_mfa"),
        Activity::Authentication(Auth::Other) => Some("app.oauth2.token.grant.refresh_token"),
        Activity::UserAccess(Access::AssignPrivileges) => Some("user.account.privilege.grant"),
        Activity::AccountChange(Account::PasswordReset) => Some("user.account.reset_password"),
        Activity::AccountChange(Account::MfaFactorEnable) => Some("user.mfa.factor.activate"),
        Activity::AccountChange(Account::MfaFactorDisable) => Some("user.mfa.factor.reset_all"),
        _ => None,
    }
}

fn outcome(event: &Event) -> Value {
    let reason = match event.failure {
        Some(FailureReason::InvalidCredentials) => Some("INVALID_CREDENTIALS"),
        Some(FailureReason::UserDoesNotExist) => Some("UNKNOWN_USER"),
        Some(_) | None => None,
    };
    let result = if event.status == Status::Success {
        "SUCCESS"
    } else {
        "FAILURE"
    };
    json!({ "result": result, "reason": reason })
}

fn person(user: &User) -> Option<Value> {
    let kind = if user.kind == AccountKind::Service {
        "SystemPrincipal"
    } else {
        "User"
    };
    Some(json!({
        "id": user.uid.as_deref(), "type": kind, "alternateId": login_name(user)?, "displayName": user.display_name.as_deref(),
    }))
}

fn debug(event: &Event) -> Value {
    let name = |factor: &FactorType| match factor {
        FactorType::Push => "okta_verify:push",
        FactorType::Sms => "phone_number:sms",
        FactorType::WebAuthn => "fido:webauthn",
        FactorType::Password => "okta_password:password",
        _ => "google_otp:otp",
    };
    let mut factors = event.auth.factors.iter().map(name);
    if event.activity == Activity::Authentication(Auth::Preauth) {
        return json!({ "factor": factors.next() });
    }
    json!({
        "authMethodFirstType": factors.next(),
        "authMethodSecondType": factors.next(),
        "privilegeGranted": event.privileges.first().map(|privilege| privilege.as_str()),
    })
}

fn targets(event: &Event) -> Value {
    event.target.as_ref().and_then(person).into_iter().collect()
}
