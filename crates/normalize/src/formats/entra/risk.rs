//! Identity Protection: risk detections, risky users and risky service principals.
//!
//! A detection is what Microsoft found, not what the account did: a Detection Finding (OCSF 2004), whose time is when it
//! was found, since that is when it could first be known; the activity it is about may be two days older and stays in
//! `activityDateTime`. It proves no identity, so its status is unknown and it teaches nothing.

use super::view::{View, object_id, principal};
use crate::field;
use crate::json::Json;
use habitus_model::{Activity, Event, EventUid, Rejection, User};

/// Members that have a place in an event.
const MAPPED: &[&str] = &[
    "id",
    "ipAddress",
    "location",
    "riskEventType",
    "riskState",
    "servicePrincipalId",
    "userDisplayName",
    "userId",
    "userPrincipalName",
];

/// OCSF Detection Finding: a new one, and one that was closed.
const FINDING: u32 = 2004;
const CREATE: u32 = 1;
const CLOSE: u32 = 3;

/// Reads a detection, or the state of a risky account.
///
/// # Errors
/// It has no time that can be read.
pub fn read(view: &View<'_>) -> Result<Event, Rejection> {
    let state = view.str("riskState");
    let is_enveloped = view.record.get("properties").is_some();
    let is_closed = is_enveloped && matches!(state, Some("remediated" | "dismissed" | "confirmedSafe"));
    let activity = Activity::Other {
        class_uid: FINDING,
        activity_id: if is_closed { CLOSE } else { CREATE },
    };
    let kind = view.str("riskEventType").or_else(|| view.str("riskType"));
    let action = view.str("operationName").unwrap_or(if kind.is_some() {
        "User Risk Detection"
    } else {
        "Risky user"
    });
    // The envelope is written anew whenever the state changes: its time is that of this state.
    let stamps = [
        "time",
        "detectedDateTime",
        "riskLastUpdatedDateTime",
        "activityDateTime",
    ];
    let mut event = view.event(&stamps, activity, action)?;
    if let Some(changed) = view
        .str("lastUpdatedDateTime")
        .or_else(|| view.str("riskLastUpdatedDateTime"))
    {
        // The same detection comes again with another state, and a risky account's id is the account's.
        event.uid = EventUid::new(format!("{}@{changed}", event.uid));
    }
    event.account = account(view, kind.is_some());
    event.src = view.origin();
    event.status_code = state.and_then(field::text);
    event.status_detail = kind.or_else(|| view.str("riskDetail")).and_then(field::text);
    event.client.user_agent = user_agent(view);
    event.unmapped = view.rest(MAPPED);
    Ok(event)
}

fn account(view: &View<'_>, is_detection: bool) -> User {
    if let Some(id) = view.text("servicePrincipalId") {
        let name = view
            .text("servicePrincipalDisplayName")
            .or_else(|| view.text("displayName"));
        return principal(Some(id), name);
    }
    // A risky user is named by the record's own id.
    let own = if is_detection { None } else { view.text("id") };
    User {
        name: view.text("userPrincipalName"),
        uid: object_id(view.text("userId").or(own)),
        display_name: view.text("userDisplayName"),
        ..User::default()
    }
}

/// `additionalInfo` is a list of keys and values, as JSON text.
fn user_agent(view: &View<'_>) -> Option<habitus_model::Text> {
    let info = view.part("additionalInfo")?;
    info.array()
        .iter()
        .find(|item| {
            item.get_any_case("key")
                .and_then(Json::as_str)
                .is_some_and(|key| key.eq_ignore_ascii_case("userAgent"))
        })
        .and_then(|item| item.get_any_case("value")?.as_str())
        .and_then(field::user_agent)
}
