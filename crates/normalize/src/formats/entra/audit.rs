//! Directory audits: who changed what in the directory.

use super::operations;
use super::view::{View, object_id, principal};
use crate::field;
use crate::json::{self, Json};
use habitus_model::account::named;
use habitus_model::{Event, Rejection, Resource, Status, Text, User};
use std::borrow::Cow;

/// Members that have a place in an event.
const MAPPED: &[&str] = &[
    "activityDateTime",
    "activityDisplayName",
    "id",
    "initiatedBy",
    "loggedByService",
    "result",
    "resultReason",
    "targetResources",
    "userAgent",
];

/// Properties of a target whose value is a role or a permission.
const PRIVILEGES: [&str; 5] = [
    "AppRole.Value",
    "ConsentAction.Permissions",
    "DelegatedPermissionGrant.Scope",
    "Role.DisplayName",
    "Role.TemplateDisplayName",
];

/// Most targets kept of one change.
const TARGETS_MAX: usize = 16;

/// Reads a directory audit.
///
/// # Errors
/// It has no name, or no time that can be read.
pub fn read(view: &View<'_>) -> Result<Event, Rejection> {
    let action = view
        .str("activityDisplayName")
        .or_else(|| view.str("operationName"))
        .ok_or_else(|| Rejection::missing("activityDisplayName"))?;
    let activity = operations::of(action);
    let mut event = view.event(&["activityDateTime", "time"], activity, action)?;
    initiator(&mut event, view);
    outcome(&mut event, view);
    if let Some(targets) = view.part("targetResources") {
        for target in targets.array().iter().take(TARGETS_MAX) {
            subject(&mut event, target);
        }
    }
    details(&mut event, view);
    event.service = view.text("loggedByService").map(|name| Resource {
        name: Some(name),
        ..Resource::default()
    });
    event.unmapped = view.rest(MAPPED);
    Ok(event)
}

fn initiator(event: &mut Event, view: &View<'_>) {
    let initiated = view.part("initiatedBy");
    let nothing = Cow::Owned(Json::Null);
    let initiated = initiated.as_ref().unwrap_or(&nothing);
    let user = User {
        name: initiated.text("user.userPrincipalName"),
        uid: object_id(initiated.text("user.id")),
        display_name: initiated.text("user.displayName"),
        ..User::default()
    };
    let app = principal(
        initiated
            .text("app.servicePrincipalId")
            .or_else(|| initiated.text("app.appId")),
        initiated
            .text("app.displayName")
            .or_else(|| initiated.text("app.servicePrincipalName")),
    );
    event.account = if user.is_somebody() {
        user
    } else if app.is_somebody() {
        app
    } else {
        // What Microsoft does by itself names its service only here.
        view.str("identity").and_then(User::by_name).unwrap_or_default()
    };
    event.src = view.origin();
    if let Some((ip, port)) = initiated.str("user.ipAddress").and_then(field::ip_port) {
        event.src.ip = Some(ip);
        event.src.port = port;
    }
}

fn outcome(event: &mut Event, view: &View<'_>) {
    let result = view.str("result").or_else(|| view.str("resultType"));
    event.status = match result {
        Some(word) if word.eq_ignore_ascii_case("success") || word == "0" => Status::Success,
        None | Some("unknownFutureValue") => Status::Unknown,
        // failure, timeout
        Some(_) => Status::Failure,
    };
    event.status_code = result.and_then(field::text);
    event.status_detail = view
        .text("resultReason")
        .or_else(|| view.text("resultDescription"));
}

/// Sorts one target by its type.
fn subject(event: &mut Event, target: &Json<'_>) {
    let kind = target.get_any_case("type").and_then(Json::as_str).unwrap_or("");
    let name = target.text("displayName");
    let uid = object_id(target.text("id"));
    match kind {
        "User" if event.target.is_none() => {
            event.target = Some(User {
                name: target.text("userPrincipalName").or_else(|| name.clone()),
                uid,
                display_name: name,
                ..User::default()
            });
        }
        "Group" if event.group.is_none() => {
            event.group = Some(Resource {
                name,
                uid,
                kind: Some(Text::const_new("Group")),
                namespace: None,
            });
        }
        "Role" => {
            event.privileges.extend(name.clone());
            event.resources.push(resource(name, uid, kind));
        }
        _ if name.is_some() || uid.is_some() => event.resources.push(resource(name, uid, kind)),
        _ => {}
    }
    properties(event, target);
}

/// What changed: names of groups and roles stand among the properties of the member.
fn properties(event: &mut Event, target: &Json<'_>) {
    for property in target.items("modifiedProperties") {
        let Some(key) = property.str("displayName") else {
            continue;
        };
        let value = || value(property, "newValue").or_else(|| value(property, "oldValue"));
        if PRIVILEGES.contains(&key) {
            event.privileges.extend(value());
        } else if key == "Group.DisplayName" || key == "Group.ObjectID" {
            let group = event.group.get_or_insert_with(|| Resource {
                kind: Some(Text::const_new("Group")),
                ..Resource::default()
            });
            let place = if key == "Group.ObjectID" {
                &mut group.uid
            } else {
                &mut group.name
            };
            *place = place.take().or_else(value);
        }
    }
    event.privileges.dedup();
}

/// Values are JSON in a string: `"\"Global Administrator\""`.
fn value(property: &Json<'_>, key: &str) -> Option<Text> {
    let text = property.str(key)?;
    match json::parse(text.as_bytes(), &crate::Limits::default()) {
        Ok(inner) => inner
            .to_text()
            .or_else(|| inner.array().first().and_then(Json::to_text)),
        Err(_) => named(text).and_then(field::text),
    }
}

/// `additionalDetails` carries the user agent, and PIM's word on the address.
fn details(event: &mut Event, view: &View<'_>) {
    event.client.user_agent = view.str("userAgent").and_then(field::user_agent);
    let Some(details) = view.part("additionalDetails") else {
        return;
    };
    for detail in details.array() {
        let (Some(key), Some(value)) = (detail.str("key"), detail.str("value")) else {
            continue;
        };
        if key.eq_ignore_ascii_case("User-Agent") && event.client.user_agent.is_none() {
            event.client.user_agent = field::user_agent(value);
        } else if key == "ipaddr" && event.src.ip.is_none() {
            event.src.ip = field::ip(value);
        }
    }
}

fn resource(name: Option<Text>, uid: Option<Text>, kind: &str) -> Resource {
    Resource {
        name,
        uid,
        kind: named(kind).and_then(field::text),
        namespace: None,
    }
}
