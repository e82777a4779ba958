//! Alerts and incidents of Microsoft Defender, which Microsoft Graph gives beside Entra's own records.
//!
//! Source: Microsoft Graph v1.0 reference, `security.alert` and `security.incident`. Like risk detections they are what
//! Microsoft found: OCSF Detection Finding 2004 and Incident Finding 2005, of unknown status.

use super::view::{View, object_id};
use crate::field;
use crate::json::Json;
use habitus_model::{Activity, Event, Rejection, User};

const DETECTION: u32 = 2004;
const INCIDENT: u32 = 2005;
const CREATE: u32 = 1;
const CLOSE: u32 = 3;

/// Reads an alert or an incident.
///
/// # Errors
/// It has no time that can be read.
pub fn read(view: &View<'_>) -> Result<Event, Rejection> {
    let is_incident = view.body.str("@odata.type") == Some("#microsoft.graph.security.incident");
    let state = view.str("status");
    let is_closed = state.is_some_and(|state| state.eq_ignore_ascii_case("resolved"));
    let activity = Activity::Other {
        class_uid: if is_incident { INCIDENT } else { DETECTION },
        activity_id: if is_incident && is_closed { CLOSE } else { CREATE },
    };
    let action = if is_incident {
        "Defender incident"
    } else {
        "Defender alert"
    };
    let mut event = view.event(&["createdDateTime"], activity, action)?;
    event.account = user(view);
    event.status_code = state.and_then(field::text);
    event.status_detail = view.text("title").or_else(|| view.text("displayName"));
    event.unmapped = view.rest(&["createdDateTime", "id", "status", "title"]);
    Ok(event)
}

/// The first account among the evidence.
fn user(view: &View<'_>) -> User {
    let evidence = view.part("evidence");
    let account = evidence
        .as_deref()
        .map_or(&[][..], Json::array)
        .iter()
        .find_map(|item| item.at("userAccount"));
    let Some(account) = account else {
        return User::default();
    };
    User {
        name: account
            .text("userPrincipalName")
            .or_else(|| account.text("accountName")),
        uid: object_id(account.text("azureAdUserId")),
        domain: account.text("domainName"),
        display_name: account.text("displayName"),
        ..User::default()
    }
}
