//! Logons: record types 9 and 15.

use super::view::View;
use crate::field;
use crate::formats::entra::codes;
use habitus_model::activity::AuthenticationActivity;
use habitus_model::event::AuthProtocol;
use habitus_model::{Activity, Event, FailureReason, Rejection, Resource, Status, Text};

/// `ExtendedProperties` → `RequestType` to protocol; others are Microsoft's own.
const PROTOCOLS: [(&str, AuthProtocol); 4] = [
    ("OAuth2", AuthProtocol::OAuth2),
    ("Saml", AuthProtocol::Saml),
    ("WindowsAuthenticationController", AuthProtocol::Kerberos),
    ("OrgIdWsFederation", AuthProtocol::Other),
];

/// Reads a logon.
///
/// # Errors
/// It has no operation, or no time that can be read.
pub fn read(view: &View<'_>) -> Result<Event, Rejection> {
    let activity = match view.operation()? {
        "UserLoggedOff" | "UserSignedOut" => AuthenticationActivity::Logoff,
        _ => AuthenticationActivity::Logon,
    };
    let mut event = view.event(Activity::Authentication(activity))?;
    outcome(&mut event, view);
    let request = view.listed("ExtendedProperties", "RequestType");
    event.auth.protocol = request
        .and_then(|request| PROTOCOLS.iter().find(|(prefix, _)| request.starts_with(prefix)))
        .map_or(AuthProtocol::Unknown, |(_, protocol)| *protocol);
    event.auth.method = request.and_then(field::text);
    event.service = application(view).or(event.service);
    event.resources.extend(wanted(view));
    Ok(event)
}

/// The operation and the error decide; an interrupt on everybody's way is neither.
fn outcome(event: &mut Event, view: &View<'_>) {
    let code = view.record.text("ErrorNumber");
    let failed = event.action.ends_with("Failed") || !matches!(code.as_deref(), None | Some("0"));
    event.status = match code.as_deref() {
        Some(code) if failed && codes::is_interrupt(code) => Status::Other,
        _ if failed => Status::Failure,
        _ => event.status,
    };
    if event.status == Status::Failure {
        event.failure = Some(code.as_deref().map_or(FailureReason::Other, codes::reason));
    }
    event.status_detail = view.record.text("LogonError");
    event.status_code = code.or_else(|| event.status_code.take());
}

fn application(view: &View<'_>) -> Option<Resource> {
    let uid = view.record.text("ApplicationId")?;
    Some(Resource {
        uid: Some(uid),
        kind: Some(Text::const_new("application")),
        ..Resource::default()
    })
}

/// The resource the token is for.
fn wanted(view: &View<'_>) -> Option<Resource> {
    let uid = view.record.text("ObjectId").filter(|id| id != "Unknown")?;
    Some(Resource {
        uid: Some(uid),
        kind: Some(Text::const_new("resource")),
        ..Resource::default()
    })
}
