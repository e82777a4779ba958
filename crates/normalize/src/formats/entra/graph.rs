//! Microsoft Graph activity logs: requests to Graph made with a token.
//!
//! Source: Azure Monitor reference, table MicrosoftGraphActivityLogs. The user is told by object id only; the token is that
//! of the sign-in whose `uniqueTokenIdentifier` is `signInActivityId`.

use super::view::{View, object_id, principal};
use crate::field;
use habitus_model::activity::ApiActivity;
use habitus_model::{Activity, Event, Rejection, Resource, Status, Text, User};

/// Members that have a place in an event.
const MAPPED: &[&str] = &[
    "C_DeviceId",
    "C_Sid",
    "UserPrincipalObjectID",
    "appId",
    "ipAddress",
    "requestId",
    "requestUri",
    "responseStatusCode",
    "signInActivityId",
    "timeGenerated",
    "userAgent",
    "userId",
];

/// Reads one request.
///
/// # Errors
/// It has no time that can be read.
pub fn read(view: &View<'_>) -> Result<Event, Rejection> {
    let activity = Activity::Api(match view.str("requestMethod") {
        Some("GET" | "HEAD" | "OPTIONS") => ApiActivity::Read,
        Some("POST") => ApiActivity::Create,
        Some("PUT" | "PATCH") => ApiActivity::Update,
        Some("DELETE") => ApiActivity::Delete,
        _ => ApiActivity::Other,
    });
    let action = view.str("operationName").unwrap_or("Microsoft Graph Activity");
    let mut event = view.event(&["timeGenerated", "time"], activity, action)?;
    if let Some(id) = view.str("requestId") {
        event.uid = view.reading.uid(Some(id));
    }
    event.account = match object_id(view.text("userId")) {
        Some(uid) => User {
            uid: Some(uid),
            ..User::default()
        },
        None => principal(
            view.text("servicePrincipalId").or_else(|| view.text("appId")),
            None,
        ),
    };
    event.src.ip = view
        .str("ipAddress")
        .or_else(|| view.str("callerIpAddress"))
        .and_then(field::ip);
    event.client.user_agent = view.str("userAgent").and_then(field::user_agent);
    event.client.device_uid = object_id(view.text("C_DeviceId"));
    event.session = view.text("C_Sid");
    event.auth.token_uid = view.text("signInActivityId");
    event.status_code = view
        .text("responseStatusCode")
        .or_else(|| view.text("resultSignature"));
    event.status = match event
        .status_code
        .as_deref()
        .and_then(|code| code.parse::<u16>().ok())
    {
        Some(400..) => Status::Failure,
        Some(_) => Status::Success,
        None => Status::Unknown,
    };
    event.service = Some(Resource {
        name: Some(Text::const_new("Microsoft Graph")),
        ..Resource::default()
    });
    if let Some(uri) = view.str("requestUri") {
        // Queries may hold names and search terms of people.
        let path = uri.split('?').next().unwrap_or(uri);
        event.resources.push(Resource {
            name: field::text(path),
            kind: Some(Text::const_new("path")),
            ..Resource::default()
        });
    }
    event.unmapped = view.rest(MAPPED);
    Ok(event)
}
