//! Entra sign-in logs as Microsoft Graph gives them: interactive sign-ins of people.

use super::{login_name, stamp};
use habitus_model::activity::AuthenticationActivity as Auth;
use habitus_model::event::{FactorType, LogonType};
use habitus_model::{AccountKind, Activity, Event, FailureReason, Status};
use serde_json::{Value, json};

pub(super) fn write(event: &Event) -> Option<String> {
    let is_sign_in = event.activity == Activity::Authentication(Auth::Logon)
        && event.auth.logon_type != LogonType::Network
        && event.account.kind != AccountKind::Service;
    if !is_sign_in {
        return None;
    }
    let src = &event.src;
    let several = event.auth.is_mfa == Some(true);
    let line = json!({
        "id": event.uid.as_str(),
        "createdDateTime": stamp::millis(event.time),
        "userPrincipalName": login_name(&event.account)?,
        "userId": event.account.uid.as_deref(),
        "appId": "00000003-0000-0000-c000-000000000000",
        "appDisplayName": "Example Portal",
        "clientAppUsed": "Browser",
        "conditionalAccessStatus": "notApplied",
        "isInteractive": true,
        "authenticationRequirement": if several { "multiFactorAuthentication" } else { "singleFactorAuthentication" },
        "authenticationDetails": event.auth.factors.iter().map(detail).collect::<Vec<Value>>(),
        "ipAddress": src.ip?.to_string(),
        "autonomousSystemNumber": src.asn.map(|asn| asn.get()),
        "userAgent": event.client.user_agent.as_deref(),
        "sessionId": event.session.as_deref(),
        "status": { "errorCode": code(event) },
        "deviceDetail": {
            "deviceId": event.client.device_uid.as_deref().unwrap_or_default(),
            "isManaged": event.client.is_managed,
        },
        "location": {
            "city": src.city.as_deref(),
            "countryOrRegion": src.country.as_deref(),
            "geoCoordinates": src.coordinates.map(|point| json!({ "latitude": point.lat(), "longitude": point.lon() })),
        },
    });
    Some(line.to_string())
}

/// Entra's error codes (Microsoft: authentication and authorization error codes).
fn code(event: &Event) -> u32 {
    match (event.status, event.failure) {
        (Status::Success, _) => 0,
        (_, Some(FailureReason::UserDoesNotExist)) => 50_034,
        (_, Some(FailureReason::MfaFailed)) => 500_121,
        (_, _) => 50_126,
    }
}

fn detail(factor: &FactorType) -> Value {
    let method = match factor {
        FactorType::Password => "Password",
        FactorType::Push => "Mobile app notification",
        FactorType::Sms => "Text message",
        FactorType::WebAuthn => "FIDO2 security key",
        _ => "OATH verification code",
    };
    json!({ "authenticationMethod": method, "succeeded": true })
}
